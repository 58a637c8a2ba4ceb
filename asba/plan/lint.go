package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
)

// LintOptions say what else is known.
type LintOptions struct {
	// Catalog adds a warning for each type that Impossible names. Who drops
	// them, and says so, leaves it nil.
	Catalog *catalog.Catalog
	// Nodes is how many nodes the plan is for, 0 where that is not known yet:
	// LintNodes can tell the rest later.
	Nodes int
}

var (
	// family.size, such as c6i.2xlarge, p6-b200.48xlarge, c6i.metal-24xl.
	typeName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$`)
	// A region with a letter, or a local or wavelength zone of it:
	// us-east-1a, us-west-2-lax-1a, us-east-1-wl1-bos-wlz-1.
	zoneName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+([a-z]|(-[a-z0-9]+)+-[0-9]+[a-z]?)$`)
	// Keys that instance metadata can serve, which we turn on: letters,
	// digits, and + - = . , _ : @ ("Work with instance tags in instance
	// metadata", EC2 User Guide).
	tagKey = regexp.MustCompile(`^[A-Za-z0-9+\-=.,_:@]+$`)
)

// EC2 takes 50 tags a resource, keys of 128 and values of 256 characters. Ten
// tags are kept for those that name a launch.
const (
	maxTags     = 50 - 10
	maxTagKey   = 128
	maxTagValue = 256
)

// Lint returns what is wrong or unwise in a plan that was read, in order of
// place. A plan against bursting is never asked what to launch.
func (p *Plan) Lint(o LintOptions) []finding.Finding {
	var r report
	if p.Bursts() {
		p.lintTypes(&r)
		p.lintWords(&r)
		p.lintCosts(&r)
		p.lintNodes(&r, o.Nodes)
		if o.Catalog != nil {
			for _, d := range p.Impossible(o.Catalog) {
				r.add(idImpossible, d.At, d.Why, "it will be dropped")
			}
		}
	}
	p.lintTags(&r)
	finding.Sort(r.findings)
	return r.findings
}

// orSource places a finding about something absent on the document.
func (p *Plan) orSource(at Place) Place {
	if at.File == "" {
		at.File = p.Source
	}
	return at
}

func (p *Plan) lintTypes(r *report) {
	if !p.InstanceTypes.Given {
		way := "list at least one in " + InstanceSpecification + "/instance_types"
		if p.Dialect == DialectEnv {
			way = "list at least one in ASBA_INSTANCE_TYPES"
		}
		r.add(idNoTypes, p.orSource(p.InstanceTypes.At), "no instance types specified", way)
	}
	for i, t := range p.InstanceTypes.Value {
		if !typeName.MatchString(t) {
			r.add(idTypeName, p.InstanceTypes.ItemAt(i), quote(t)+" is not an instance type's name", "write family.size, such as c6i.2xlarge")
		}
	}
}

func (p *Plan) lintWords(r *report) {
	word := func(o Opt[string], id, what string, words ...string) {
		if !o.Given || slices.Contains(words, o.Value) {
			return
		}
		way := "write " + strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
		if near := finding.Nearest(strings.ToLower(o.Value), words); near != "" {
			way = "did you mean " + near + "?"
		}
		r.add(id, o.At, fmt.Sprintf("%s is not a %s", quote(o.Value), what), way)
	}
	word(p.Purchasing, idPurchasing, "purchasing option", Spot, OnDemand, Mixed)
	word(p.Placement, idPlacement, "placement group type", Cluster, Partition, Spread, None)
	for i, az := range p.AZs.Value {
		if !zoneName.MatchString(az) {
			r.add(idZone, p.AZs.ItemAt(i), quote(az)+" is not an availability zone's name", "write a region and a letter, such as us-east-1a")
		}
	}
}

func (p *Plan) lintCosts(r *report) {
	if rate, hours, total := p.MaxCostPerHour, p.MaxDuration, p.MaxTotalCost; rate.Given && hours.Given && total.Given {
		// A cent for the rounding of who computed one from the others.
		if all := rate.Value * hours.Value.Hours(); all > total.Value+0.01 {
			r.add(idBudget, total.At, fmt.Sprintf("max_total_cost is %.2f USD, but max_cost_per_hour for max_duration_hours comes to %.2f", total.Value, all), "the lower of the two will bind")
		}
	}
	if p.Purchasing.Value == OnDemand && p.MaxSpotPrice.Value > 0 {
		r.add(idSpotPrice, p.MaxSpotPrice.At, "max_spot_price has no effect on on-demand instances", "remove it, or write spot or mixed as the purchasing_option")
	}
}

// spreadLimit is how many instances of a spread placement group EC2 runs in
// one zone.
const spreadLimit = 7

// LintNodes returns what Lint adds once the number of nodes is known, to a plan
// that had no errors without it.
func (p *Plan) LintNodes(nodes int) []finding.Finding {
	var r report
	if p.Bursts() {
		p.lintNodes(&r, nodes)
	}
	finding.Sort(r.findings)
	return r.findings
}

func (p *Plan) lintNodes(r *report, nodes int) {
	nodes = cmp.Or(nodes, p.InstanceCount.Value)
	if n := p.InstanceCount; n.Given && n.Value != nodes {
		r.add(idCount, n.At, fmt.Sprintf("the plan is for %d instances, but there are %d nodes", n.Value, nodes), "the nodes count")
	}
	zones := len(p.AZs.Value)
	if p.SingleAZ.Value {
		zones = 1
	}
	if p.Placement.Value == Spread && zones > 0 && nodes > spreadLimit*zones {
		r.add(idSpread, p.Placement.At, fmt.Sprintf("a spread placement group holds %d instances in a zone, not %d nodes in %d", spreadLimit, nodes, zones), "write cluster, partition or none, or name more zones")
	}
}

func (p *Plan) lintTags(r *report) {
	if n := len(p.Tags.Value); n > maxTags {
		r.add(idTag, p.Tags.At, fmt.Sprintf("%d tags are more than the %d that a plan may add", n, maxTags), "EC2 takes 50 for an instance; some name the launch")
	}
	for _, t := range p.Tags.Value {
		key := quote(t.Key)
		switch {
		case t.Key == "":
			r.add(idTag, t.At, "a tag's key is empty", "")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			r.add(idTag, t.At, "EC2 keeps tags that begin with aws: for itself: "+key, "choose another key")
		case utf8.RuneCountInString(t.Key) > maxTagKey:
			r.add(idTag, t.At, fmt.Sprintf("a tag's key is longer than %d characters: %s", maxTagKey, key), "")
		case !tagKey.MatchString(t.Key), t.Key == ".", t.Key == "..", t.Key == "_index":
			r.add(idTag, t.At, "instance metadata cannot serve the tag "+key, "use letters, digits and + - = . , _ : @ alone")
		case utf8.RuneCountInString(t.Value) > maxTagValue:
			r.add(idTag, t.At, fmt.Sprintf("the value of tag %s is longer than %d characters", key, maxTagValue), "")
		}
	}
}
