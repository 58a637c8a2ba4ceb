package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

var (
	typeName = regexp.MustCompile(plan.TypePattern)
	zone     = regexp.MustCompile(plan.ZonePattern)
	// The region that a zone's name begins with; its id begins with none.
	zoneRegion = regexp.MustCompile(`^[a-z]{2,4}(?:-[a-z]+)+-[0-9]+`)
	// EC2's ids have 8 hexadecimal digits, since 2016 17.
	resourceID = regexp.MustCompile(`^[a-z]+-(?:[0-9a-f]{8}|[0-9a-f]{17})$`)
)

// words judges each value by itself.
func (l *linter) words() {
	p := l.plan
	l.word(p.Purchasing, rule.Purchasing, "purchasing option", plan.Spot, plan.OnDemand, plan.Mixed)
	l.word(p.Placement, rule.Placement, "placement group type", plan.Cluster, plan.Partition, plan.Spread, plan.None)
	for i, az := range p.AZs.Value {
		if !zone.MatchString(az) {
			l.Add(rule.Zone, p.AZs.ItemAt(i), finding.Quote(az)+" is not an availability zone", "write a region and a letter, such as us-east-1a, or a zone's id, such as use1-az4")
		}
	}
	l.twice(p.InstanceTypes, "the instance type")
	l.twice(p.AZs, "the availability zone")
	l.ids(p.SubnetIDs, "subnet")
	l.ids(p.SecurityGroupIDs, "sg")
	if t := p.LaunchTemplateID; t.Given {
		l.id(t.Value, t.At, "lt")
		if p.LaunchTemplateName.Given {
			l.Add(rule.Templates, p.LaunchTemplateName.At, "launch_template_name and launch_template_id are given, EC2 takes one of them", "keep the one that is meant")
		}
	}
	// Before it is coded in base64 (RunInstances, EC2 API reference).
	const mostUserData = 16 << 10
	if n := len(p.UserData.Value); n > mostUserData {
		l.Add(rule.UserDataSize, p.UserData.At, fmt.Sprintf("user_data has %d bytes, EC2 takes %d", n, mostUserData), "let a short script fetch the rest")
	}
	l.contradictions()
}

// word judges a value that is one of some words. The fix takes the word that
// was meant, whatever its case, and with any of - _ and blanks between its
// parts.
func (l *linter) word(o plan.Opt[string], id, what string, words ...string) {
	if !o.Given || slices.Contains(words, o.Value) {
		return
	}
	way, fix := "write "+strings.Join(words[:len(words)-1], ", ")+" or "+words[len(words)-1], []finding.Op(nil)
	if near := finding.Nearest(strings.ToLower(o.Value), words); near != "" {
		way, fix = "did you mean "+near+"?", replace(o.At, near)
	}
	l.Add(id, o.At, fmt.Sprintf("%s is not a %s", finding.Quote(o.Value), what), way, fix...)
}

func (l *linter) twice(list plan.List, what string) {
	seen := map[string]bool{}
	for i, v := range list.Value {
		if seen[v] {
			l.Add(rule.Twice, list.ItemAt(i), fmt.Sprintf("%s %s stands twice", what, shown(v)), "remove one of them", remove(list.ItemAt(i))...)
		}
		seen[v] = true
	}
}

func (l *linter) ids(list plan.List, prefix string) {
	for i, v := range list.Value {
		l.id(v, list.ItemAt(i), prefix)
	}
}

func (l *linter) id(v string, at plan.Place, prefix string) {
	if !strings.HasPrefix(v, prefix+"-") || !resourceID.MatchString(v) {
		l.Add(rule.ResourceID, at, fmt.Sprintf("%s is not an id that EC2 gives", finding.Quote(v)), fmt.Sprintf("write %s- and 8 or 17 hexadecimal digits", prefix))
	}
}

// contradictions are pairs of which a plan can mean only one.
func (l *linter) contradictions() {
	p := l.plan
	if p.PreferSpot.Value && p.Purchasing.Value == plan.OnDemand {
		l.Add(rule.Disagree, p.PreferSpot.At, "prefer_spot is true, but purchasing_option is on-demand", "write spot or mixed as the purchasing_option, or prefer_spot false", replace(p.PreferSpot.At, false)...)
	}
	if p.AllowMixed.Given && !p.AllowMixed.Value && p.Purchasing.Value == plan.Mixed {
		l.Add(rule.Disagree, p.AllowMixed.At, "purchasing_option is mixed, but allow_mixed_pricing is false", "write spot or on-demand as the purchasing_option, or allow_mixed_pricing true")
	}
	if p.RequiresEFA.Value && p.EnhancedNetworking.Given && !p.EnhancedNetworking.Value {
		l.Add(rule.Disagree, p.EnhancedNetworking.At, "requires_efa is true, but enhanced_networking is false: EFA is enhanced networking", "remove enhanced_networking", remove(p.EnhancedNetworking.At)...)
	}
	if p.PlacementGroupName.Given && p.Placement.Value == plan.None {
		l.Add(rule.Disagree, p.PlacementGroupName.At, "a placement group is named, but placement_group_type is none", "write the group's type, or remove its name", remove(p.PlacementGroupName.At)...)
	}
}
