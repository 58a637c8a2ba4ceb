// Package planner makes the execution plans of a workload's jobs, as an advisor
// that is asked for each job would: by asba/advise, remembered by what jobs have
// in common. Some plans are missing, invalid or partial, in the shares that it
// is told, so that a simulation has what a site has.
//
// It knows no Slurm and carries nothing out.
package planner

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/simulator/workload"
)

// Options of a Planner.
type Options struct {
	// Advise is what is known beside the job; Market and Now must be set, and Line
	// is not used.
	Advise advise.Options
	// Missing, Invalid and Partial are shares of the jobs, from 0 to 1 together.
	Missing, Invalid, Partial float64
	// Seed decides which jobs those are, by their ID: whatever else is simulated,
	// and however often a job is asked for, its plan is the same.
	Seed uint64
}

// Kind is what is the matter with a plan.
type Kind uint8

// Whole is a plan as it was advised. Missing is none. Partial is one that names
// instance types and leaves the rest to the configuration. The others are
// invalid: cut short in the middle, of types that EC2 does not have, with an
// empty list of types, with a word where a number is wanted.
const (
	Whole Kind = iota
	Missing
	Partial
	CutShort
	UnknownTypes
	NoTypes
	WrongKind

	kinds // how many there are
)

var kindNames = [kinds]string{"whole", "missing", "partial", "cut_short", "unknown_types", "no_types", "wrong_kind"}

// String is the kind's name in reports, such as cut_short.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind_%d", k)
}

// Invalid reports whether a plan of the kind cannot be carried out.
func (k Kind) Invalid() bool { return k >= CutShort && k < kinds }

// Plan is a job's plan.
type Plan struct {
	// Text is the plan's JSON, nil for none. It is shared: nobody may change it.
	Text []byte
	Kind Kind
	// Bursts is whether the advisor would launch anything.
	Bursts bool
}

// Planner plans. It is for one goroutine.
type Planner struct {
	opt     Options
	known   map[shape]*advised
	advices int
	lines   map[lint.NodeLine]*lint.NodeLine
}

// New returns a Planner, or what is wrong with its options.
func New(o Options) (*Planner, error) {
	for _, s := range []struct {
		name  string
		share float64
	}{{"missing", o.Missing}, {"invalid", o.Invalid}, {"partial", o.Partial}} {
		if !(s.share >= 0 && s.share <= 1) {
			return nil, fmt.Errorf("the share of %s plans is %v; give one from 0 to 1", s.name, s.share)
		}
	}
	if sum := o.Missing + o.Invalid + o.Partial; sum > 1+1e-9 {
		return nil, fmt.Errorf("missing, invalid and partial plans are %v of all; give shares that are at most 1 together", sum)
	}
	if o.Advise.Market == nil {
		return nil, fmt.Errorf("no market to advise on; name a region of EC2")
	}
	return &Planner{opt: o, known: map[shape]*advised{}, lines: map[lint.NodeLine]*lint.NodeLine{}}, nil
}

// shape is what of a job decides its plan. Names and ids do not: they are not in
// the plan.
type shape struct {
	nodes, procs, gpus int32
	memory             int64
	limit              time.Duration
	coupled, requeue   bool
	line               lint.NodeLine
}

// advised are the plans of a shape, made as they are wanted.
type advised struct {
	plan  *plan.Plan
	texts [kinds][]byte
}

// most bounds how many shapes are remembered; beyond it, all are forgotten.
const most = 1 << 14

// Plan returns the plan of a job that is to have so many nodes, of the kind that
// Slurm declares by line (nil where it is not known).
func (p *Planner) Plan(j *workload.Job, nodes int, line *lint.NodeLine) Plan {
	kind, chance := p.draw(j.ID)
	if kind == Missing {
		return Plan{Kind: Missing}
	}
	a := p.advise(j, nodes, line)
	out := Plan{Kind: kind, Bursts: a.plan.Bursts()}
	if !out.Bursts {
		out.Kind, kind = Whole, Whole // there is nothing to spoil
	}
	if kind == CutShort {
		whole := a.text(Whole)
		out.Text = whole[:1+int(chance*float64(len(whole)-3))] // without its last brace at least
		return out
	}
	out.Text = a.text(kind)
	return out
}

// draw returns what is the matter with a job's plan, and a number from 0 to 1
// for where.
func (p *Planner) draw(id int64) (Kind, float64) {
	var stream rand.PCG
	stream.Seed(p.opt.Seed, uint64(id))
	next := func() float64 { return float64(stream.Uint64()>>11) / (1 << 53) }
	share, which, where := next(), next(), next()
	switch o := &p.opt; {
	case share < o.Missing:
		return Missing, where
	case share < o.Missing+o.Partial:
		return Partial, where
	case share < o.Missing+o.Partial+o.Invalid:
		return CutShort + Kind(which*float64(kinds-CutShort)), where
	}
	return Whole, where
}

// Advices is how many advices were made: the number of shapes.
func (p *Planner) Advices() int { return p.advices }

func (p *Planner) advise(j *workload.Job, nodes int, line *lint.NodeLine) *advised {
	nodes = max(1, nodes)
	onNode := (int(j.Procs) + nodes - 1) / nodes
	s := shape{
		nodes: int32(nodes), procs: j.Procs, gpus: j.GPUsPerNode, memory: j.MemoryOn(onNode), limit: Bucket(j.Limit),
		coupled: j.Coupled && nodes > 1, requeue: !j.NoRequeue,
	}
	if line != nil {
		s.line = *line
	}
	if a := p.known[s]; a != nil {
		return a
	}
	if len(p.known) >= most {
		clear(p.known)
	}
	job := advise.Job{
		MinNodes: nodes, Tasks: max(nodes, int(j.Procs)), TasksPerNode: onNode, MemoryPerNodeMiB: int(min(s.memory, math.MaxInt32)),
		TimeLimit: s.limit, Requeue: s.requeue, Coupling: advise.Loose,
	}
	if s.coupled {
		job.Coupling = advise.Tight
	}
	if j.GPUsPerNode > 0 {
		job.GPUs = []advise.GPU{{Count: int(j.GPUsPerNode), Per: advise.PerNode}}
	}
	o := p.opt.Advise
	if o.Line = nil; line != nil {
		o.Line = p.line(*line)
	}
	p.advices++
	a := &advised{plan: advise.Advise(job, o).Plan}
	p.known[s] = a
	return a
}

// line keeps a copy, which nobody changes.
func (p *Planner) line(l lint.NodeLine) *lint.NodeLine {
	if p.lines[l] == nil {
		p.lines[l] = &l
	}
	return p.lines[l]
}

// steps are the time limits that advices are made for: a plan's limits of cost
// and duration are of the next one above the job's. Above two days they are days.
var steps = []time.Duration{
	5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, 45 * time.Minute,
	time.Hour, 90 * time.Minute, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour,
	12 * time.Hour, 16 * time.Hour, 24 * time.Hour, 36 * time.Hour, 48 * time.Hour,
}

// Bucket is the time limit for which a job of this one is advised; 0 is none.
func Bucket(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	if i, _ := slices.BinarySearch(steps, limit); i < len(steps) {
		return steps[i]
	}
	const day = 24 * time.Hour
	return (limit + day - 1) / day * day
}

// text is the plan, spoilt in the way of a kind.
func (a *advised) text(k Kind) []byte {
	if a.texts[k] == nil {
		a.texts[k] = a.write(k)
	}
	return a.texts[k]
}

func (a *advised) write(k Kind) []byte {
	p := *a.plan
	types := func(names ...string) plan.List {
		return plan.List{Opt: plan.Opt[[]string]{Value: names, Given: len(names) > 0}, Items: make([]plan.Place, len(names))}
	}
	switch k {
	case Partial:
		p = plan.Plan{Dialect: a.plan.Dialect, ShouldBurst: a.plan.ShouldBurst, InstanceTypes: a.plan.InstanceTypes}
	case UnknownTypes:
		// Named by people, and none of EC2's.
		p.InstanceTypes = types("hpc7a.2xlarge", "hpc6id.2xlarge")
	case NoTypes:
		p.InstanceTypes = types()
	case WrongKind:
		marked := p
		marked.InstanceCount = plan.Opt[int]{Value: marker, Given: true}
		return bytes.Replace(plan.Write(&marked), []byte(fmt.Sprint(marker)), []byte(`"all of them"`), 1)
	}
	return plan.Write(&p)
}

// marker is a number that is in no plan.
const marker = 918273645
