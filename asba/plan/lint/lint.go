// Package lint finds what is wrong or unwise in an execution plan that was
// read: against itself, against the catalogue of instance types, and, where
// they are known, against the number of nodes, the site's policy and the node's
// own line in Slurm.
//
// It is pure: it opens nothing, knows no clock, and changes a plan only where
// it is asked to (Drop, Relax).
package lint

import (
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// Options say what is known beside the plan. What is left out is not judged.
type Options struct {
	// Catalog knows the instance types.
	Catalog *catalog.Catalog
	// Region is EC2's, for prices and zones; "" is that of the plan's zones,
	// else us-east-1.
	Region string
	// Nodes is how many nodes the plan is for; 0 is as many as it says (Nodes).
	Nodes int
	// Policy is what the site lets a plan set.
	Policy *plan.Policy
	// Line is how Slurm declares the nodes.
	Line *NodeLine
	// Now is the time that a plan's age counts to.
	Now time.Time
}

// Lint returns what is wrong or unwise in a plan, in order of place. A plan
// against bursting is never asked what to launch.
func Lint(p *plan.Plan, o Options) []finding.Finding {
	l := &linter{Options: o, plan: p}
	if p.Bursts() {
		l.lint()
	}
	l.tags()
	l.age()
	fs := l.Findings()
	keepOne(fs, p.InstanceTypes)
	keepOne(fs, p.AZs)
	return fs
}

// All returns what reading a plan found together with what Lint does, in order
// of place. p may be nil, where nothing could be read.
func All(p *plan.Plan, read []finding.Finding, o Options) []finding.Finding {
	if p == nil {
		return read
	}
	all := slices.Clone(read)
	for _, f := range Lint(p, o) {
		if !told(read, f) {
			all = append(all, f)
		}
	}
	finding.Sort(all)
	return all
}

// told reports whether reading has already refused what a finding misses: a
// list of the wrong type is not also an absent one.
func told(read []finding.Finding, f finding.Finding) bool {
	return f.ID == rule.NoTypes && slices.ContainsFunc(read, func(r finding.Finding) bool {
		section := "/" + plan.InstanceSpecification
		return r.Level == finding.Error && (r.Pointer == section || strings.HasPrefix(r.Pointer, section+"/instance_types"))
	})
}

type linter struct {
	rule.Report
	Options
	plan *plan.Plan
	// possible are the plan's types that nothing rules out, each once.
	possible []catalog.Type
}

func (l *linter) lint() {
	l.policy()
	l.words()
	l.types()
	l.zones()
	l.limits()
	l.nodes()
	l.prices()
}
