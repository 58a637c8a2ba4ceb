package contract

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/check"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/asba/plan/rule"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/cmd/internal/market"
	"aws-slurm-burst/executor/decide"
	"aws-slurm-burst/executor/report"
)

// against are the flags that say what plans are judged against.
type against struct {
	config, partition, region string
	nodes                     int
	suppress                  []string
}

func (a *against) flags(f *pflag.FlagSet) {
	f.StringVarP(&a.config, "config", "c", "", "judge by the configuration in `FILE`: its policy and its region")
	f.StringVar(&a.partition, "partition", "", "judge by the nodes of `PARTITION[/GROUP]` of the configuration")
	f.StringVar(&a.region, "region", "", "judge for `REGION` (default: the configuration's, else that of the plan's zones)")
	f.IntVar(&a.nodes, "nodes", 0, "judge for `N` nodes (default: as many as the plan says)")
	f.StringSliceVar(&a.suppress, "suppress", nil, "leave out findings of `ID[,ID]`")
}

// options reads what the flags name.
func (a *against) options(ctx context.Context, t *tool) (o check.Options, err error) {
	o = check.Options{Options: lint.Options{Region: a.region, Nodes: a.nodes, Policy: &plan.DefaultPolicy, Now: time.Now()}}
	if a.nodes < 0 {
		return o, app.Exitf(report.ExitUsage, "--nodes %d: give a number of nodes, or 0 for as many as the plan says", a.nodes)
	}
	for _, id := range a.suppress {
		id = strings.ToUpper(strings.TrimSpace(id))
		if err := knownID("--suppress", id); err != nil {
			return o, err
		}
		o.Suppress = append(o.Suppress, id)
	}
	if a.config == "" && a.partition == "" {
		if o.Catalog, err = market.Known(ctx, t.IO, nil, a.region); err == nil {
			a.doubtRegion(t, o.Catalog)
		}
		return o, err
	}
	cfg, err := app.ReadConfig(t.IO, a.config)
	if err != nil {
		return o, err
	}
	if o.Catalog, err = market.Known(ctx, t.IO, cfg, a.region); err != nil {
		return o, err
	}
	a.doubtRegion(t, o.Catalog)
	o.Policy, o.Region = &cfg.Policy.Policy, cmp.Or(a.region, cfg.AWS.Region)
	if a.partition == "" {
		return o, nil
	}
	partition, group, one := strings.Cut(a.partition, "/")
	var names []string
	for _, g := range cfg.Groups {
		names = append(names, g.Partition, g.Partition+"/"+g.Name)
		if g.Partition == partition && (!one || g.Name == group) {
			o.Lines = append(o.Lines, decide.Line(g))
		}
	}
	if len(o.Lines) == 0 {
		slices.Sort(names)
		names = slices.Compact(names)
		return o, app.Exitf(report.ExitUsage, "--partition %s: %s has no such nodes%s", a.partition, cfg.Base(), instead(a.partition, names))
	}
	return o, nil
}

// doubtRegion tells of a --region of which nothing is known: nothing about it will
// be found wrong. It may be misspelt, or younger than the catalogue.
func (a *against) doubtRegion(t *tool, c *catalog.Catalog) {
	if known := c.Regions(); a.region != "" && !slices.Contains(known, a.region) {
		t.say(fmt.Sprintf("WARN: --region %s: nothing is known of its zones and prices, which are not judged%s", a.region, instead(a.region, known)))
	}
}

// knownID refuses an id that no finding has.
func knownID(flag, id string) error {
	if slices.Contains(rule.IDs(), id) {
		return nil
	}
	return app.Exitf(report.ExitUsage, "%s: %q is no finding's id%s", flag, id, instead(id, rule.IDs()))
}

// instead names what was meant, else where to look.
func instead(word string, known []string) string {
	if near := finding.Nearest(word, known); near != "" {
		return " (did you mean " + near + "?)"
	}
	if len(known) > 12 {
		known = append(slices.Clone(known[:12]), "...")
	}
	return fmt.Sprintf(" (there are %s)", strings.Join(known, ", "))
}

// about says in brackets what a plan is, and what it was judged by.
func about(r check.Result, c *catalog.Catalog) string {
	var words []string
	switch r.Dialect {
	case "":
		words = append(words, "no plan")
	case plan.DialectEnv:
		words = append(words, "variables")
	default:
		words = append(words, "dialect "+r.Dialect)
	}
	switch {
	case r.Nodes == 1:
		words = append(words, "for 1 node")
	case r.Nodes > 1:
		words = append(words, fmt.Sprintf("for %d nodes", r.Nodes))
	}
	return "(" + strings.Join(append(words, "catalogue of "+c.Date()), ", ") + ")"
}
