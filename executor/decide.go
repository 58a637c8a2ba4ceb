package executor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/launch"
)

// Where a setting came from.
const (
	fromPlan    = "plan"
	fromConfig  = "config"
	fromDefault = "default"
)

// priceRegion is the region whose on-demand prices the catalogue holds.
const priceRegion = "us-east-1"

// expiryMargin is added to a job's longest duration before its instances
// expire: boot, and a job that ends late.
const expiryMargin = time.Hour

// decision is what a group is launched by: the plan over the configuration
// over the defaults, each setting with its source.
type decision struct {
	Gang      bool
	singleUse bool
	wish      launch.Wish
	ask       launch.Ask
	subnets   cloud.SubnetQuery
	zones     []string // of the plan or the configuration, by name or id
	image     cloud.ImageQuery
	types     []config.Type
	sources   []Source
}

// note records where a setting came from.
func (d *decision) note(name, from string, value any) {
	d.sources = append(d.sources, Source{Name: name, Value: fmt.Sprint(value), From: from})
}

// choose takes the plan's value where it gives one, else the configuration's,
// where that is not the zero value, else the default.
func choose[T comparable](d *decision, name string, o plan.Opt[T], configured, otherwise T) T {
	var zero T
	switch {
	case o.Given:
		d.note(name, fromPlan, o.Value)
		return o.Value
	case configured != zero:
		d.note(name, fromConfig, configured)
		return configured
	}
	d.note(name, fromDefault, otherwise)
	return otherwise
}

func chooseList(d *decision, name string, l plan.List, configured []string) []string {
	switch {
	case l.Given:
		d.note(name, fromPlan, strings.Join(l.Value, " "))
		return l.Value
	case len(configured) > 0:
		d.note(name, fromConfig, strings.Join(configured, " "))
		return configured
	}
	return nil
}

// decide makes the groups of the call and the ladder of each. It looks subnets
// and images up, except in a client's dry run, which shows filters as filters.
func (r *resumption) decide(ctx context.Context) bool {
	p := r.plan
	if p == nil {
		p = &plan.Plan{}
	} else {
		r.sayFilledIn(p)
	}
	whole := r.plan != nil && len(r.jobs) == 0
	for _, g := range makeGroups(r.nodes, r.jobs, r.Config, whole) {
		if most := r.Config.Policy.MaxNodes; most > 0 && g.size() > most && g.Multi {
			r.failNodes(ctx, ExitConfig, "TooManyNodes", fmt.Sprintf("%d nodes wanted, policy.max_nodes is %d", g.size(), most))
			return false
		}
		pt := &part{group: g}
		pt.decision = r.merge(p, g)
		if err := r.resolve(ctx, pt); err != nil {
			e := cloud.AsError(err)
			r.failEC2(err)
			r.giveBack(ctx, r.nodes, r.givingFor(e))
			return false
		}
		pt.ladder = launch.Build(pt.wish)
		r.parts = append(r.parts, pt)
		r.report.Decisions = append(r.report.Decisions, Decision{
			Job: strings.Join(g.Jobs, ","), Nodes: hostlist.Fold(g.Nodes), Gang: pt.Gang, Settings: pt.sources,
		})
	}
	return true
}

// sayFilledIn names the sections of a plan that the configuration fills in.
func (r *resumption) sayFilledIn(p *plan.Plan) {
	for _, section := range p.Missing() {
		switch section {
		case plan.InstanceSpecification:
		case plan.CostConstraints:
			if !p.MaxSpotPrice.Given {
				env.Infof(r.Env, "plan.partial", "Using ASBA instance types with default cost constraints")
			}
		default:
			env.Infof(r.Env, "plan.partial", "Using %s from %s", strings.ReplaceAll(section, "_", " "), r.Config.Base())
		}
	}
}

// merge puts the plan over the node group's configuration over the defaults.
func (r *resumption) merge(p *plan.Plan, g group) decision {
	var d decision
	ng := g.Group
	n := g.size()

	jobless := len(g.Jobs) == 0
	gangDefault := ng.Gang && g.Multi && (!jobless || p.IsMPI.Value)
	d.Gang = choose(&d, "gang", p.Gang, gangDefault, false) && n > 1
	d.singleUse = d.Gang && r.plan != nil && !r.Config.ReuseNodes

	d.types = r.types(&d, p, ng)
	markets, cap := r.markets(&d, p, ng)
	efa := choose(&d, "efa", p.RequiresEFA, r.Config.MPI.EFA == "required" && g.Multi, false)
	strategy, preferred := r.placement(&d, p, g)

	d.wish = launch.Wish{
		Markets: markets, Nodes: len(g.Nodes), JobNodes: n, Gang: d.Gang,
		Strategy: strategy, EFA: efa, MaxPrice: cap, MaxHourly: r.maxHourly(&d, p, ng),
		UnknownPrice: r.Config.Policy.AllowUnknownPrice,
	}
	d.subnets, d.image = r.places(&d, p, ng), r.imageQuery(ng)
	d.ask = launch.Ask{
		Cluster: r.Config.Cluster, Plan: p.Digest, Gang: d.Gang, GroupPreferred: preferred,
		OneAZ: p.SingleAZ.Value || strategy == plan.Cluster || efa,
		Base: cloud.LaunchRequest{
			Template: ng.Template, TemplateVersion: ng.TemplateVersion,
			SecurityGroups:  chooseList(&d, "security_groups", p.SecurityGroupIDs, ng.SecurityGroups),
			InstanceProfile: choose(&d, "iam_instance_profile", p.IAMInstanceProfile, ng.InstanceProfile, ""),
			KeyName:         ng.KeyName,
			UserData:        p.UserData.Or(r.UserData[ng.UserDataFile]), // not shown: it may hold secrets
		},
		Tags: tags(p, ng),
	}
	if t := cmp.Or(p.LaunchTemplateID.Value, p.LaunchTemplateName.Value); t != "" {
		d.note("launch_template", fromPlan, t)
		d.ask.Base.Template, d.ask.Base.TemplateVersion = t, ""
	}
	if life := r.life(p); life > 0 {
		d.ask.Expires = r.start.Add(life)
		d.note("expires_after", fromPlan, life)
	}
	if name := p.PlacementGroupName.Value; name != "" && strategy != "" { // made by the site
		d.note("placement_group_name", fromPlan, name)
		d.wish.Group = name
	}
	return d
}

// types returns the instance types to try, in order, with a site's own caps.
func (r *resumption) types(d *decision, p *plan.Plan, ng *config.NodeGroup) []config.Type {
	if p.InstanceTypes.Given {
		d.note("instance_types", fromPlan, strings.Join(p.InstanceTypes.Value, " "))
		var out []config.Type
		for _, name := range p.InstanceTypes.Value {
			out = append(out, config.Type{Name: name})
		}
		return out
	}
	var names []string
	for _, t := range ng.Types {
		names = append(names, t.Name)
	}
	d.note("instance_types", fromConfig, strings.Join(names, " "))
	return ng.Types
}

// markets returns the markets in the order they are tried, and the cap on spot.
func (r *resumption) markets(d *decision, p *plan.Plan, ng *config.NodeGroup) ([]cloud.Market, float64) {
	how := choose(d, "purchasing_option", p.Purchasing, string(ng.Purchasing), plan.OnDemand)
	mixed := how == plan.Mixed || choose(d, "allow_mixed_pricing", p.AllowMixed, !p.Purchasing.Given && ng.AllowMixed, false)
	cap := choose(d, "max_spot_price", p.MaxSpotPrice, ng.MaxSpotPrice, 0)
	switch {
	case how == plan.OnDemand:
		return []cloud.Market{cloud.OnDemand}, cap
	case !mixed:
		return []cloud.Market{cloud.Spot}, cap
	case how == plan.Mixed && p.PreferSpot.Given && !p.PreferSpot.Value:
		return []cloud.Market{cloud.OnDemand, cloud.Spot}, cap
	}
	return []cloud.Market{cloud.Spot, cloud.OnDemand}, cap
}

// placement returns the strategy of the placement group, "" for none, and
// whether it may be done without.
func (r *resumption) placement(d *decision, p *plan.Plan, g group) (strategy string, preferred bool) {
	configured := g.Group.Placement
	if configured == "" && r.Config.MPI.ForceCluster && g.Multi && g.size() >= r.Config.MPI.PlacementThreshold {
		configured = plan.Cluster
	}
	strategy = choose(d, "placement", p.Placement, configured, plan.None)
	if strategy == plan.None || g.size() < 2 {
		return "", false
	}
	if p.Placement.Given {
		return strategy, !r.Config.Plans.PlacementRequired
	}
	return strategy, !g.Group.PlacementRequired
}

// maxHourly is the lowest of the limits in force, in USD an hour for the whole
// job: the plan's own, what its total allows over its longest duration, the
// node group's and the policy's.
func (r *resumption) maxHourly(d *decision, p *plan.Plan, ng *config.NodeGroup) float64 {
	limit := 0.0
	take := func(name, from string, v float64) {
		if v > 0 && (limit == 0 || v < limit) {
			limit = v
			d.note(name, from, strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	take("max_cost_per_hour", fromPlan, p.MaxCostPerHour.Value)
	if hours := p.MaxDuration.Value.Hours(); p.MaxTotalCost.Value > 0 && hours > 0 {
		take("max_total_cost", fromPlan, p.MaxTotalCost.Value/hours)
	}
	take("max_cost_per_hour", fromConfig, ng.MaxCostPerHour)
	take("policy.max_cost_per_hour", fromConfig, r.Config.Policy.MaxCostPerHour)
	return limit
}

// life is how long instances may live at most, 0 for ever.
func (r *resumption) life(p *plan.Plan) time.Duration {
	if p.AutoTerminate.Given {
		return p.AutoTerminate.Value
	}
	if p.MaxDuration.Given {
		return p.MaxDuration.Value + expiryMargin
	}
	return 0
}

// places is the query for the subnets.
func (r *resumption) places(d *decision, p *plan.Plan, ng *config.NodeGroup) cloud.SubnetQuery {
	s := ng.Subnets
	q := cloud.SubnetQuery{IDs: s.IDs, DefaultForAZ: s.DefaultForAZ, AZs: s.AZs, VPC: s.VPC, Tags: s.Tags}
	if p.SubnetIDs.Given {
		d.note("subnets", fromPlan, strings.Join(p.SubnetIDs.Value, " "))
		q = cloud.SubnetQuery{IDs: p.SubnetIDs.Value}
	}
	d.zones = chooseList(d, "availability_zones", p.AZs, s.AZs)
	if len(q.IDs) == 0 && !slices.ContainsFunc(d.zones, isZoneID) {
		q.AZs = d.zones
	}
	return q
}

// isZoneID tells use1-az1, the same zone in every account, from us-east-1a.
func isZoneID(zone string) bool { return strings.Contains(zone, "-az") }

func (r *resumption) imageQuery(ng *config.NodeGroup) cloud.ImageQuery {
	q := cloud.ImageQuery{Name: ng.Image.Name, Arch: ng.Image.Arch, Tags: ng.Image.Tags}
	if ng.Image.Owner != "" {
		q.Owners = []string{ng.Image.Owner}
	}
	return q
}

// tags are the site's own and the plan's; the site's win.
func tags(p *plan.Plan, ng *config.NodeGroup) []cloud.Tag {
	out := slices.Clone(ng.Tags)
	for _, t := range p.Tags.Value {
		if cloud.TagValue(out, t.Key) == "" {
			out = append(out, cloud.Tag{Key: t.Key, Value: t.Value})
		}
	}
	return out
}

// resolve turns names and filters into subnets, images and facts about types.
func (r *resumption) resolve(ctx context.Context, p *part) error {
	if r.request.DryRun == DryRunClient {
		p.wish.Places = shownPlaces(p.subnets)
	} else {
		places, err := r.lookup().Subnets(ctx, p.subnets)
		if err != nil {
			return err
		}
		if p.wish.Places = inZones(places, p.zones); len(p.wish.Places) == 0 {
			return cloud.Errorf("DescribeSubnets", cloud.Config, "no subnet of node group %s is in %s", p.group.Group.Name, strings.Join(p.zones, ", "))
		}
	}
	for _, t := range p.types {
		facts, known := r.Types.Type(t.Name)
		if why := r.unfit(t.Name, facts.VCPUs, facts.MemoryMiB, known, p.group.Group); why != "" {
			env.Warnf(r.Env, "type.dropped", "%s, dropped", why)
			continue
		}
		wanted := launch.Type{Name: t.Name, EFA: facts.EFA, Spot: facts.SpotOK(), MaxPrice: t.SpotPrice, Subnets: t.SubnetIDs}
		if r.Config.AWS.Region == priceRegion {
			wanted.Price, _ = facts.Price()
		}
		image, err := r.imageFor(ctx, p, facts.Archs)
		if err != nil {
			return err
		}
		wanted.Image = image
		p.wish.Types = append(p.wish.Types, wanted)
	}
	if len(p.wish.Types) == 0 {
		return cloud.Errorf("RunInstances", cloud.Config, "no usable instance type for node group %s; name instance_types in it, or give a plan", p.group.Group.Name)
	}
	return nil
}

// inZones keeps the subnets in some zones, by name or by id; all where none is
// named.
func inZones(places []cloud.Subnet, zones []string) []cloud.Subnet {
	if len(zones) == 0 {
		return places
	}
	return slices.DeleteFunc(slices.Clone(places), func(s cloud.Subnet) bool {
		return !slices.Contains(zones, s.AZ) && !slices.Contains(zones, s.AZID)
	})
}

// shownPlaces stands for subnets that nobody looked up: filters, shown as
// filters.
func shownPlaces(q cloud.SubnetQuery) []cloud.Subnet {
	var out []cloud.Subnet
	for _, id := range q.IDs {
		out = append(out, cloud.Subnet{ID: id, AZ: "(zone of " + id + ")"})
	}
	for _, az := range q.AZs {
		if len(q.IDs) == 0 {
			out = append(out, cloud.Subnet{AZ: az})
		}
	}
	if len(out) == 0 {
		out = []cloud.Subnet{{AZ: "(each zone)"}}
	}
	return out
}

// unfit says why a type cannot serve a node group: EC2 does not have it, or
// its machine is smaller than the node's line in Slurm, so that it would
// register as invalid and be launched again for ever.
func (r *resumption) unfit(name string, cpus, mib int, known bool, ng *config.NodeGroup) string {
	switch {
	case !known:
		why := name + " is not an EC2 instance type"
		if near := r.Types.Nearest(name); near != "" {
			why += " (did you mean " + near + "?)"
		}
		return why
	case cpus < ng.CPUs:
		return fmt.Sprintf("%s has %d CPUs, nodes of %s are declared with %d", name, cpus, ng.Name, ng.CPUs)
	case mib < ng.MemoryMB:
		return fmt.Sprintf("%s has %d MiB of memory, nodes of %s are declared with %d", name, mib, ng.Name, ng.MemoryMB)
	}
	return ""
}

// imageFor returns the image for a type's architecture, "" where the launch
// template names it.
func (r *resumption) imageFor(ctx context.Context, p *part, archs []string) (string, error) {
	img := p.group.Group.Image
	if img.ID != "" || img.Name == "" && img.Owner == "" && len(img.Tags) == 0 {
		return img.ID, nil
	}
	q := p.image
	if q.Arch == "" {
		q.Arch = "x86_64"
		if !slices.Contains(archs, q.Arch) && len(archs) > 0 {
			q.Arch = archs[0]
		}
	}
	if r.request.DryRun == DryRunClient {
		return "(newest " + q.Name + " " + q.Arch + ")", nil
	}
	found, err := r.lookup().Image(ctx, q)
	return found.ID, err
}
