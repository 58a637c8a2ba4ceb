// Package decide turns what a plan wishes, a site's configuration and the
// defaults into what is asked of EC2 for each group of nodes, and remembers
// where each setting came from. It makes a value and acts on nothing.
package decide

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/ladder"
	"aws-slurm-burst/executor/launch"
	"aws-slurm-burst/executor/report"
)

// Where a setting came from.
const (
	fromPlan    = "plan"
	fromConfig  = "config"
	fromDefault = "default"
)

// expiryMargin is added to a job's longest duration before its instances
// expire: boot, and a job that ends late.
const expiryMargin = time.Hour

// Maker makes the decisions of one call.
type Maker struct {
	Config *config.Config
	Types  *catalog.Catalog
	// UserData is the text of the node groups' user data files, by path.
	UserData map[string]string
	// Start is when the call began: expiry counts from it.
	Start env.Time
	// Lookups finds subnets and images; nil shows filters as filters.
	Lookups Lookups
}

// Lookups finds what filters stand for. Errors are *cloud.Error.
type Lookups interface {
	Subnets(ctx context.Context, q cloud.SubnetQuery) ([]cloud.Subnet, error)
	Image(ctx context.Context, q cloud.ImageQuery) (id string, err error)
}

// Decision is what a group is launched by: the plan over the configuration
// over the defaults, each setting with its source.
type Decision struct {
	// Gang is whole or not at all. SingleUse nodes serve their job alone.
	Gang, SingleUse bool
	Wish            ladder.Wish
	// Ask lacks what only the call knows: nodes, job and nonce.
	Ask     launch.Ask
	Sources []report.Source
	// Dropped says of each type that cannot serve the group why.
	Dropped []string

	subnets cloud.SubnetQuery
	zones   []string // of the plan or the configuration, by name or id
	image   cloud.ImageQuery
	types   []config.Type
}

// For decides for one group.
func (m *Maker) For(ctx context.Context, g Group) (Decision, error) {
	p := g.Plan
	if p == nil {
		p = &plan.Plan{}
	}
	d := m.merge(p, g)
	err := m.resolve(ctx, &d, g)
	return d, err
}

// note records where a setting came from.
func (d *Decision) note(name, from string, value any) {
	d.Sources = append(d.Sources, report.Source{Name: name, Value: fmt.Sprint(value), From: from})
}

// choose takes the plan's value where it gives one, else the configuration's,
// where that is not the zero value, else the default.
func choose[T comparable](d *Decision, name string, o plan.Opt[T], configured, otherwise T) T {
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

func chooseList(d *Decision, name string, l plan.List, configured []string) []string {
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

// Forget makes the next look-up for the decision's group ask EC2 again.
func (d *Decision) Forget(l interface{ Forget(kind string, query any) }) {
	l.Forget("subnets", d.subnets)
	for _, arch := range []string{d.image.Arch, "x86_64", "arm64"} {
		q := d.image
		q.Arch = arch
		l.Forget("image", q)
	}
}

// FilledIn says, a line each, which sections of a plan the configuration fills
// in.
func FilledIn(p *plan.Plan, cfg *config.Config) []string {
	var lines []string
	for _, section := range p.Missing() {
		switch {
		case section == plan.InstanceSpecification, section == plan.CostConstraints && p.MaxSpotPrice.Given:
		case section == plan.CostConstraints:
			lines = append(lines, "Using ASBA instance types with default cost constraints")
		default:
			lines = append(lines, fmt.Sprintf("Using %s from %s", strings.ReplaceAll(section, "_", " "), cfg.Base()))
		}
	}
	return lines
}

// merge puts the plan over the node group's configuration over the defaults.
func (m *Maker) merge(p *plan.Plan, g Group) Decision {
	var d Decision
	ng := g.Site
	n := g.Size()

	jobless := len(g.Jobs) == 0
	gangDefault := ng.Gang && g.Multi && (!jobless || p.IsMPI.Value)
	d.Gang = choose(&d, "gang", p.Gang, gangDefault, false) && n > 1 && !g.single()
	d.SingleUse = d.Gang && g.Plan != nil && !m.Config.ReuseNodes

	d.types = m.types(&d, p, ng)
	markets, cap := m.markets(&d, p, ng)
	efa := choose(&d, "efa", p.RequiresEFA, m.Config.MPI.EFA == "required" && g.Multi, false)
	strategy, preferred := m.placement(&d, p, g)

	d.Wish = ladder.Wish{
		Markets: markets, Nodes: len(g.Nodes), JobNodes: n, Gang: d.Gang,
		Strategy: strategy, EFA: efa, MaxPrice: cap, MaxHourly: m.maxHourly(&d, p, ng),
		PerNode:      g.single(),
		UnknownPrice: m.Config.Policy.AllowUnknownPrice,
	}
	d.subnets, d.image = m.places(&d, p, ng), m.imageQuery(ng)
	d.Ask = launch.Ask{
		Cluster: m.Config.Cluster, Plan: p.Digest, Gang: d.Gang, GroupPreferred: preferred,
		OneAZ: (p.SingleAZ.Value || strategy == plan.Cluster || efa) && !g.single(),
		Base: cloud.LaunchRequest{
			Template: ng.Template, TemplateVersion: ng.TemplateVersion,
			SecurityGroups:  chooseList(&d, "security_groups", p.SecurityGroupIDs, ng.SecurityGroups),
			InstanceProfile: choose(&d, "iam_instance_profile", p.IAMInstanceProfile, ng.InstanceProfile, ""),
			KeyName:         ng.KeyName,
			UserData:        p.UserData.Or(m.UserData[ng.UserDataFile]), // not shown: it may hold secrets
		},
		Tags: tags(p, ng),
	}
	if t := cmp.Or(p.LaunchTemplateID.Value, p.LaunchTemplateName.Value); t != "" {
		d.note("launch_template", fromPlan, t)
		d.Ask.Base.Template, d.Ask.Base.TemplateVersion = t, ""
	}
	if life := m.life(p); life > 0 {
		d.Ask.Expires = m.Start.Add(life)
		d.note("expires_after", fromPlan, life)
	}
	if name := p.PlacementGroupName.Value; name != "" && strategy != "" { // made by the site
		d.note("placement_group_name", fromPlan, name)
		d.Wish.Group = name
	}
	return d
}

// types returns the instance types to try, in order, with a site's own caps.
func (m *Maker) types(d *Decision, p *plan.Plan, ng *config.NodeGroup) []config.Type {
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
func (m *Maker) markets(d *Decision, p *plan.Plan, ng *config.NodeGroup) ([]cloud.Market, float64) {
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
func (m *Maker) placement(d *Decision, p *plan.Plan, g Group) (strategy string, preferred bool) {
	configured := g.Site.Placement
	if configured == "" && m.Config.MPI.ForceCluster && g.Multi && g.Size() >= m.Config.MPI.PlacementThreshold {
		configured = plan.Cluster
	}
	strategy = choose(d, "placement", p.Placement, configured, plan.None)
	if strategy == plan.None || g.Size() < 2 {
		return "", false
	}
	if p.Placement.Given && g.single() {
		return "", false // a plan speaks of its job's nodes
	}
	if p.Placement.Given {
		return strategy, !m.Config.Plans.PlacementRequired
	}
	return strategy, !g.Site.PlacementRequired
}

// maxHourly is the lowest of the limits in force, in USD an hour for the whole
// job: the plan's own, what its total allows over its longest duration, the
// node group's and the policy's.
func (m *Maker) maxHourly(d *Decision, p *plan.Plan, ng *config.NodeGroup) float64 {
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
	take("policy.max_cost_per_hour", fromConfig, m.Config.Policy.MaxCostPerHour)
	return limit
}

// life is how long instances may live at most, 0 for ever.
func (m *Maker) life(p *plan.Plan) time.Duration {
	if p.AutoTerminate.Given {
		return p.AutoTerminate.Value
	}
	if p.MaxDuration.Given {
		return p.MaxDuration.Value + expiryMargin
	}
	return 0
}

// places is the query for the subnets.
func (m *Maker) places(d *Decision, p *plan.Plan, ng *config.NodeGroup) cloud.SubnetQuery {
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

func (m *Maker) imageQuery(ng *config.NodeGroup) cloud.ImageQuery {
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
func (m *Maker) resolve(ctx context.Context, d *Decision, g Group) error {
	if m.Lookups == nil {
		d.Wish.Places = shownPlaces(d.subnets)
	} else {
		places, err := m.Lookups.Subnets(ctx, d.subnets)
		if err != nil {
			return err
		}
		if d.Wish.Places = inZones(places, d.zones); len(d.Wish.Places) == 0 {
			return cloud.Errorf("DescribeSubnets", cloud.Config, "no subnet of node group %s is in %s", g.Site.Name, strings.Join(d.zones, ", "))
		}
	}
	images := map[string]string{} // by architecture: types share theirs
	for _, t := range d.types {
		facts, known := m.Types.Type(t.Name)
		if why := m.unfit(t.Name, facts, known, g.Site); why != "" {
			d.Dropped = append(d.Dropped, why)
			continue
		}
		wanted := ladder.Type{Name: t.Name, EFA: facts.EFA, Spot: facts.SpotOK(), MaxPrice: t.SpotPrice, Subnets: t.SubnetIDs}
		if price, known := m.Types.Price(t.Name, m.Config.AWS.Region); known {
			wanted.Price, wanted.PriceDate = price.USD, price.Date
		}
		wanted.Unsold = unsold(d.Wish.Places, m.Types.Offers(t.Name, m.Config.AWS.Region))
		q := imageOf(d, facts.Archs)
		image, asked := images[q.Arch]
		if !asked {
			var err error
			if image, err = m.imageFor(ctx, q, g); err != nil {
				return err
			}
			images[q.Arch] = image
		}
		wanted.Image = image
		d.Wish.Types = append(d.Wish.Types, wanted)
	}
	if len(d.Wish.Types) == 0 {
		return cloud.Errorf("RunInstances", cloud.Config, "no usable instance type for node group %s; name instance_types in it, or give a plan", g.Site.Name)
	}
	return nil
}

// unsold returns the zones of places that are not among those that offer a type,
// none where nobody says who does. It goes by ids: names differ from account to
// account.
func unsold(places []cloud.Subnet, offers []catalog.Zone) []string {
	var out []string
	for _, p := range places {
		if len(offers) > 0 && p.AZID != "" && !slices.ContainsFunc(offers, func(z catalog.Zone) bool { return z.ID == p.AZID }) {
			out = append(out, p.AZ)
		}
	}
	return out
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
func (m *Maker) unfit(name string, t catalog.Type, known bool, ng *config.NodeGroup) string {
	if known {
		return Line(ng).Misfit(t)
	}
	why := name + " is not an EC2 instance type"
	if near := m.Types.Nearest(name); near != "" {
		why += " (did you mean " + near + "?)"
	}
	return why
}

// Line is how Slurm declares the nodes of a group.
func Line(ng *config.NodeGroup) lint.NodeLine {
	return lint.NodeLine{Name: ng.Name, CPUs: ng.CPUs, MemoryMiB: ng.MemoryMB, Gres: ng.Gres, Arch: ng.Image.Arch}
}

// imageOf is the query for the image of a type that has some architectures.
func imageOf(d *Decision, archs []string) cloud.ImageQuery {
	q := d.image
	if q.Arch == "" {
		q.Arch = "x86_64"
		if !slices.Contains(archs, q.Arch) && len(archs) > 0 {
			q.Arch = archs[0]
		}
	}
	return q
}

// imageFor returns the image of a query, "" where the launch template names it.
func (m *Maker) imageFor(ctx context.Context, q cloud.ImageQuery, g Group) (string, error) {
	img := g.Site.Image
	if img.ID != "" || img.Name == "" && img.Owner == "" && len(img.Tags) == 0 {
		return img.ID, nil
	}
	if m.Lookups == nil {
		return "(newest " + q.Name + " " + q.Arch + ")", nil
	}
	return m.Lookups.Image(ctx, q)
}
