// Package advise turns what a job asks for into an execution plan: which
// instance types serve it, ranked by what it costs to finish within its time,
// on which market, near to each other or not, and within which limits. Every
// choice has a reason, every type that was left out has one too, and how sure
// the advice is is computed from what it rests on (docs/ADVISE.md has the
// formulae and where their numbers come from).
//
// It is pure: it asks no EC2 and no Slurm, reads no script and knows no clock.
// It does not know how fast a type is: a job is taken to need its time limit on
// whatever has the cores and the memory that it asks for.
package advise

import (
	"fmt"
	"time"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
)

// Options are what is known beside the job.
type Options struct {
	// Market is what EC2 sells in the region. It must be set.
	Market *Market
	// Archs are those of the image, by EC2's names; x86_64 without any.
	Archs []string
	// Zones, by name or id, are where the site has subnets; all without any.
	Zones []string
	// Allow and Deny are globs of types, such as c6i.* or *.metal. A type that
	// Allow names is asked for, whatever its kind.
	Allow, Deny []string
	// Kinds of types that a job gets only where they are asked for.
	Previous, Burstable, BareMetal bool
	// Usage is the market to buy on; without one, whatever is best.
	Usage string
	// EFARequired leaves out every type without EFA, for one node too.
	EFARequired bool
	// Bounds are limits of the types' own size.
	Bounds Bounds
	// Line is how Slurm declares the nodes of the partition.
	Line *lint.NodeLine

	// Budget is the most that the job may cost, in USD; 0 is no limit. Of an
	// array it is each task's.
	Budget float64
	// Deadline is when the job has to be done.
	Deadline time.Time
	Policy   Policy
	// Now is the time of the advice, for the age of prices and the deadline.
	Now time.Time
	// Boot is how long instances take to be nodes; 0 is DefaultBoot.
	Boot time.Duration
	// Local is what the site has of its own.
	Local Local
}

// DefaultBoot is how long instances take to be nodes where nothing says: the
// ResumeTimeout that sites declare to Slurm.
const DefaultBoot = 5 * time.Minute

// Words of Options.Usage.
const (
	UsageAny      = ""
	UsageSpot     = "spot"
	UsageOnDemand = "on-demand"
)

// Policy is what a site lets an advice do.
type Policy struct {
	MaxCostPerHour float64 // USD for all nodes of a job; 0 is no limit
	MaxNodes       int     // of a job; 0 is no limit
	NoSpot         bool
	// UnknownPrice lets a type of unknown price pass a cost limit.
	UnknownPrice bool
}

// Local is what a site has without EC2.
type Local struct {
	Nodes int
	// Wait is how long the job would wait for them; 0 is not known.
	Wait time.Duration
}

// Bounds are limits of a type's own size, whatever the job needs.
type Bounds struct {
	VCPUs, MemoryMiB, GPUs Range
	// GPUMemoryMiB is of all GPUs of a type together.
	GPUMemoryMiB Range
	NetworkGbps  Range
}

// Advice is what came of a job.
type Advice struct {
	// Plan is the execution plan: dialect A, whole, and without a finding.
	Plan *plan.Plan
	// Nodes is how many nodes the plan is for, 0 where nothing serves the job.
	Nodes int
	// Confidence is how sure it is.
	Confidence Confidence

	of *need // nil where no type was looked at
}

// Advise makes the plan for a job.
func Advise(j Job, o Options) Advice {
	n := newNeed(j, o)
	if why := n.forbidden(); why != "" {
		return n.against(why)
	}
	n.wants = n.tight
	p := papers.Get().(*paper)
	defer papers.Put(p)
	serve, why := n.rank(p)
	if len(serve) == 0 && n.tight && !o.EFARequired {
		// No type that fits has EFA: near to each other is the next best thing.
		n.wants = false
		serve, why = n.rank(p)
	}
	if len(serve) == 0 {
		a := n.against(n.whyNothing(why))
		a.of = n
		return a
	}
	best := n.pick(serve)
	c := n.confidence(&best)
	return Advice{Plan: n.plan(&best, why, c), Nodes: best.best.nodes, Confidence: c, of: n}
}

// assumedHours is how long a job is counted to run that does not say: what
// prices are told for.
const assumedHours = 1

func newNeed(j Job, o Options) *need {
	n := &need{Options: o, job: j, cpus: j.cpusPerTask(), tasks: j.tasks(), tight: j.Coupling == Tight, hours: assumedHours}
	n.least, n.most = j.nodes()
	n.nodeGPUs, n.taskGPUs, n.jobGPUs = j.gpus()
	n.features = o.Market.constrained(j.Constraint)
	n.models, n.bounded = j.models(), o.Bounds != Bounds{}
	if n.bits = o.Market.bitsOf(n.archs()); len(n.models) > 0 {
		n.asked = map[string]bool{}
	}
	if j.TimeLimit > 0 {
		n.hours = j.TimeLimit.Hours()
	}
	n.hourly = o.Policy.MaxCostPerHour
	if by := o.Budget / n.hours; o.Budget > 0 && (n.hourly == 0 || by < n.hourly) {
		n.hourly = by
	}
	return n
}

func (n *need) boot() time.Duration {
	if n.Boot > 0 {
		return n.Boot
	}
	return DefaultBoot
}

// late reports whether a job that holds its nodes for so long misses the
// deadline.
func (n *need) late(run time.Duration) bool {
	return n.Now.Add(n.boot() + run).After(n.Deadline)
}

// forbidden says what rules every type out, "" where nothing does.
func (n *need) forbidden() string {
	limit := n.Policy.MaxNodes
	processes := int(plan.KindCount.Max())
	switch {
	case !n.Market.Known:
		return fmt.Sprintf("nothing is known of what EC2 sells in %s", n.Market.Region)
	case n.least > mostNodes:
		return fmt.Sprintf("the job takes %s, a cluster of Slurm's has at most %d", counted(n.least, "node"), mostNodes)
	case n.tasks > processes:
		return fmt.Sprintf("the job starts %d processes, a plan is for at most %d", n.tasks, processes)
	case limit > 0 && n.least > limit:
		return fmt.Sprintf("the job takes %s, the policy allows %d", counted(n.least, "node"), limit)
	case !n.Deadline.IsZero() && n.job.TimeLimit == 0 && n.late(0):
		return fmt.Sprintf("no job can be done by %s: nodes take %s to boot", n.Deadline.Format(time.RFC3339), span(n.boot()))
	case !n.Deadline.IsZero() && n.late(n.job.TimeLimit):
		return fmt.Sprintf("the job cannot be done by %s: it runs for %s, and nodes take %s to boot", n.Deadline.Format(time.RFC3339), span(n.job.TimeLimit), span(n.boot()))
	case n.Usage == UsageSpot && n.Policy.NoSpot:
		return "the policy keeps jobs off spot, and nothing else was asked for"
	}
	return ""
}
