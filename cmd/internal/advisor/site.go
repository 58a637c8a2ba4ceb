package advisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/cmd/internal/market"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/decide"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/report"
)

// site are the flags about what is known beside the job: the region and its
// catalogue, the configuration with its policy and nodes, and what the caller
// wants.
type site struct {
	config, region, partition       string
	archs, zones, allow, deny       []string
	usage                           string
	current, burst, metal, efa, mpi bool
	budget, hourly                  float64
	deadline                        string
	wait                            time.Duration

	flagSet *pflag.FlagSet
	// cfg is the configuration, nil where there is none.
	cfg *config.Config
}

func (s *site) flags(f *pflag.FlagSet) {
	s.flagSet = f
	f.StringVarP(&s.config, "config", "c", "", "take region, policy, nodes and caches from the configuration in `FILE`")
	f.StringVarP(&s.region, "region", "r", "", "advise for `REGION`; else the configuration's, AWS_REGION's, us-east-1")
	f.StringVar(&s.partition, "partition", "", "the nodes are of `PARTITION[/GROUP]` of the configuration; else the job's")
	f.StringSliceVarP(&s.archs, "cpu-architecture", "a", nil, "the image runs on `ARCH[,ARCH]`: x86_64 (also amd64), arm64; else the node group's, x86_64")
	f.StringSliceVarP(&s.zones, "availability-zones", "z", nil, "only types offered in one of `ZONE[,ZONE]`, by id or name")
	f.StringSliceVar(&s.allow, "allow-list", nil, "only types that match one of `GLOB[,GLOB]`, such as c6i.*; those are asked for, whatever their kind")
	f.StringSliceVar(&s.deny, "deny-list", nil, "no type that matches one of `GLOB[,GLOB]`")
	f.StringVarP(&s.usage, "usage-class", "u", "", "buy on `MARKET`: spot or on-demand; else what is best")
	f.BoolVar(&s.current, "current-generation", true, "only types of current generations; =false takes all")
	f.BoolVarP(&s.burst, "burst-support", "b", false, "also types that have their whole CPU for a part of the time")
	f.BoolVar(&s.metal, "baremetal", false, "also bare metal, which boots slowly")
	f.BoolVar(&s.efa, "efa-required", false, "only types with EFA")
	f.BoolVar(&s.efa, "efa-support", false, "the same as --efa-required")
	f.BoolVar(&s.mpi, "mpi", false, "the job is tightly coupled MPI; =false it is not; else what the job shows")
	f.Float64Var(&s.budget, "budget", 0, "the job may cost at most so many `USD`")
	f.Float64Var(&s.hourly, "max-cost-per-hour", 0, "all nodes of the job may cost at most so many `USD` an hour")
	f.StringVar(&s.deadline, "deadline", "", "the job has to be done by `TIME`: RFC 3339, or from now on, such as 12h")
	f.DurationVar(&s.wait, "local-wait", 0, "the job would wait `D` for the site's own nodes; it is told, and decides nothing")
}

// told reports whether a flag was given.
func (s *site) told(flag string) bool { return s.flagSet.Changed(flag) }

// options reads what the flags name. partition is the job's own, nodes are those
// that it has, where that is known.
func (s *site) options(ctx context.Context, std app.IO, partition, nodes string) (o advise.Options, err error) {
	o = advise.Options{
		Zones: s.zones, Allow: s.allow, Deny: s.deny, Usage: s.usage, Previous: !s.current, Burstable: s.burst, BareMetal: s.metal, EFARequired: s.efa,
		Budget: s.budget, Now: time.Now(), Local: advise.Local{Wait: s.wait},
	}
	if err := s.words(&o); err != nil {
		return o, err
	}
	if s.cfg, err = app.ReadConfig(std, s.config); errors.Is(err, host.ErrNoConfig) {
		s.cfg, err = nil, nil
	}
	if err != nil {
		return o, err
	}
	m, err := market.Shown(ctx, std, s.config, s.region)
	if err != nil {
		return o, err
	}
	if o.Market = advise.NewMarket(m.Catalog, m.Region); !o.Market.Known {
		regions := m.Catalog.Regions()
		return o, app.Exitf(report.ExitUsage, "nothing is known of region %q%s", m.Region, instead(m.Region, regions))
	}
	o.Policy.MaxCostPerHour = s.hourly
	if s.cfg != nil {
		p := s.cfg.Policy
		o.Policy.MaxNodes, o.Policy.UnknownPrice = p.MaxNodes, p.AllowUnknownPrice
		o.Policy.MaxCostPerHour = lower(s.hourly, p.MaxCostPerHour)
		o.Boot = s.cfg.Slurm.ResumeTimeout
	}
	return o, s.nodes(&o, std, cmp.Or(s.partition, partition), nodes)
}

// words checks what flags hold words for.
func (s *site) words(o *advise.Options) error {
	for _, a := range s.archs {
		if a == "amd64" {
			a = "x86_64"
		}
		if a != "x86_64" && a != "arm64" {
			return app.Exitf(report.ExitUsage, "--cpu-architecture %q is not one of x86_64, amd64, arm64", a)
		}
		o.Archs = append(o.Archs, a)
	}
	if s.usage != advise.UsageAny && s.usage != advise.UsageSpot && s.usage != advise.UsageOnDemand {
		return app.Exitf(report.ExitUsage, "--usage-class %q is not one of spot, on-demand", s.usage)
	}
	for flag, globs := range map[string][]string{"--allow-list": s.allow, "--deny-list": s.deny} {
		if err := advise.CheckGlobs(globs); err != nil {
			return app.Exitf(report.ExitUsage, "%s: %v", flag, err)
		}
	}
	for _, x := range []struct {
		flag string
		v    float64
	}{{"budget", s.budget}, {"max-cost-per-hour", s.hourly}} {
		if s.told(x.flag) && !(x.v > 0 && x.v < 1e9) {
			return app.Exitf(report.ExitUsage, "--%s %v: give an amount of USD above 0", x.flag, x.v)
		}
	}
	if s.wait < 0 {
		return app.Exitf(report.ExitUsage, "--local-wait %s: give a time above 0", s.wait)
	}
	if s.deadline == "" {
		return nil
	}
	if d, err := time.ParseDuration(s.deadline); err == nil && d > 0 {
		o.Deadline = o.Now.Add(d)
	} else if o.Deadline, err = time.Parse(time.RFC3339, s.deadline); err != nil {
		return app.Exitf(report.ExitUsage, "--deadline %q is no time (write 2026-12-01T08:00:00Z, or 12h)", s.deadline)
	}
	return nil
}

// nodes finds how the configuration declares the nodes of a partition, or those
// nodes of it that the job has.
func (s *site) nodes(o *advise.Options, std app.IO, name, nodes string) error {
	if s.cfg == nil {
		if s.partition != "" {
			return app.Exitf(report.ExitUsage, "--partition %s: there is no configuration that has its nodes (name one with --config)", s.partition)
		}
		return nil
	}
	partition, group, one := strings.Cut(name, "/")
	var known []string
	var found []*config.NodeGroup
	for _, g := range s.cfg.Groups {
		known = append(known, g.Partition, g.Partition+"/"+g.Name)
		if g.Partition == partition && (!one || g.Name == group) {
			found = append(found, g)
		}
	}
	if len(found) > 1 && nodes != "" {
		found = s.owning(found, nodes)
	}
	switch {
	case len(found) == 0 && s.partition != "":
		slices.Sort(known)
		return app.Exitf(report.ExitUsage, "--partition %s: %s has no such nodes%s", s.partition, s.cfg.Base(), instead(s.partition, slices.Compact(known)))
	case len(found) == 0:
		return nil // nodes that are not the executor's
	case len(found) > 1:
		warn(std, "partition %s has several node groups, and nobody knows which the job gets: their size is not looked at (name one with --partition %s/%s)", partition, partition, found[0].Name)
		return nil
	}
	g := found[0]
	line := decide.Line(g)
	o.Line = &line
	if len(o.Archs) == 0 && line.Arch != "" {
		o.Archs = []string{line.Arch}
	}
	o.Policy.MaxCostPerHour = lower(o.Policy.MaxCostPerHour, g.MaxCostPerHour)
	o.Policy.MaxNodes = int(lower(float64(o.Policy.MaxNodes), float64(g.MaxNodes)))
	return nil
}

// owning is the one of some groups that has all nodes of a list; all of them
// where none does.
func (s *site) owning(groups []*config.NodeGroup, nodes string) []*config.NodeGroup {
	names, err := hostlist.Expand(nodes)
	if err != nil || len(names) == 0 {
		return groups
	}
	owner, ok := s.cfg.GroupOf(names[0])
	if !ok || !slices.Contains(groups, owner) || slices.ContainsFunc(names, func(n string) bool { g, _ := s.cfg.GroupOf(n); return g != owner }) {
		return groups
	}
	return []*config.NodeGroup{owner}
}

// coupling is what the flag says, else what the job shows.
func (s *site) coupling(shown advise.Coupling) advise.Coupling {
	switch {
	case !s.told("mpi"):
		return shown
	case s.mpi:
		return advise.Tight
	}
	return advise.Loose
}

// lower is the lower of two limits, of which 0 is none.
func lower(a, b float64) float64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// instead names what was meant, else what there is.
func instead(word string, known []string) string {
	if near := finding.Nearest(word, known); near != "" {
		return " (did you mean " + near + "?)"
	}
	if len(known) == 0 {
		return ""
	}
	return " (known are " + strings.Join(known, ", ") + ")"
}

// warn tells people what they should know; a closed stderr cannot be told.
func warn(std app.IO, format string, args ...any) {
	_, _ = fmt.Fprintf(std.Stderr, "WARN: "+format+"\n", args...)
}
