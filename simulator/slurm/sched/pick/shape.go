package pick

import (
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/site"
)

// Shape is what all jobs that ask for the same come to: in a trace they are few,
// and a pass asks again and again.
type Shape struct {
	Ask  Ask
	refs int32 // jobs that have it
	// wants are the options that could ever run such a job, why the reason that
	// there is none.
	Wants []Want
	Why   Reason
	Need  int32 // the fewest nodes of all options
	// In this epoch no job of this limit or a longer one can be backfilled.
	Epoch uint64
	Limit time.Duration
	// In this plan of backfill none can start before first, as far as running jobs
	// go.
	Planned uint64
	First   env.Time
}

// Ask is what a job asks for, but for its time.
type Ask struct {
	Memory             int64 // MiB on each node
	Place, GPUs        int32
	MinNodes, MaxNodes int32
	CPUs, PerNode      int32
	Exclusive          bool
}

// Want is what a job asks for in one of its options.
type Want struct {
	Partition, Set int32
	Need           int32 // the fewest nodes it can do with
	Quota          int32 // CPUs that each of them must have free
	Share          int32 // CPUs of each, if all have as many; 0: there are too few that have
	Whole          bool
	Plain          bool // any Need (whole), or MinNodes with the share (shared), will do
}

// keptShapes is from how many shapes on those without jobs are forgotten.
const keptShapes = 4096

// Hold returns the number of a job's shape, which now has one job more.
func (p *Picker) Hold(k Ask) int32 {
	if i, ok := p.shapeOf[k]; ok {
		p.Shapes[i].refs++
		return i
	}
	i := int32(len(p.Shapes))
	if n := len(p.unused); n > 0 {
		i, p.unused = p.unused[n-1], p.unused[:n-1]
	} else {
		p.Shapes = append(p.Shapes, Shape{})
	}
	p.Shapes[i] = Shape{Ask: k, refs: 1, Wants: p.Shapes[i].Wants[:0]}
	p.form(&p.Shapes[i])
	p.shapeOf[k] = i
	return i
}

// Drop says that a job does not have its shape any more.
func (p *Picker) Drop(i int32) {
	sh := &p.Shapes[i]
	if sh.refs--; sh.refs == 0 && len(p.shapeOf) > keptShapes {
		delete(p.shapeOf, sh.Ask)
		p.unused = append(p.unused, i)
	}
}

// form works out what a shape comes to.
func (p *Picker) form(sh *Shape) {
	sh.Wants, sh.Need, sh.Why = sh.Wants[:0], hole, BadConstraints
	for i, o := range p.Site.Places[sh.Ask.Place].Options {
		w, why := p.want(&sh.Ask, o)
		if why != None {
			if i == 0 {
				sh.Why = why
			}
			continue
		}
		sh.Wants = append(sh.Wants, w)
		sh.Need = min(sh.Need, w.Need)
	}
	if len(sh.Wants) > 0 {
		sh.Why = None
	} else {
		sh.Need = 0
	}
}

// want says what a job comes to in an option, with all nodes free, or why it can
// never be there.
func (p *Picker) want(k *Ask, o site.Option) (Want, Reason) {
	part := &p.Site.Partitions[o.Partition]
	w := Want{Partition: o.Partition, Whole: !p.Shared || k.Exclusive || part.Exclusive}
	w.Quota = max(k.PerNode, 1)
	// However many nodes it gets, their shares come to what it asks for.
	w.Share = w.Quota
	if k.MaxNodes > 0 {
		w.Share = max(w.Quota, ceil(k.CPUs, k.MaxNodes))
	}
	if !p.Shared || k.MaxNodes == 1 {
		w.Quota = w.Share
	}
	w.Set = p.capable(k, o.Set, w.Quota)
	set := &p.Site.Sets[w.Set]
	// No node has more than maxCPUs of them.
	w.Need = max(k.MinNodes, 1, ceil(k.CPUs, max(set.MaxCPUs, 1)))
	// Any so many nodes will do where even the smallest are enough.
	if p.Shared {
		if !p.couldTake(k, &w, 0) {
			return w, BadConstraints
		}
		if !p.couldTake(k, &w, w.Share) {
			w.Share = 0
		}
	} else {
		p.counts = p.counts[:0]
		for c := range p.Site.Classes {
			p.counts = append(p.counts, int32(len(p.Site.Classes[c].Nodes)))
		}
		if !p.SplitWant(&w, k.CPUs, p.counts) {
			return w, BadConstraints
		}
	}
	if w.Whole {
		w.Plain = int64(w.Need)*int64(set.MinCPUs) >= int64(k.CPUs)
	} else {
		w.Plain = int64(k.MinNodes)*int64(w.Share) >= int64(k.CPUs)
	}
	if part.MaxNodes > 0 && w.Need > part.MaxNodes {
		return w, PartitionNodeLimit
	}
	return w, None
}

// capable returns the set of those classes of a set whose nodes, when nothing
// else is on them, have what a job asks for on each.
func (p *Picker) capable(k *Ask, at, quota int32) int32 {
	able := func(c *site.Members) bool { return c.CPUs >= quota && c.GPUs >= k.GPUs && c.Memory >= k.Memory }
	all := p.Site.Sets[at].Classes
	for i, c := range all {
		if able(&p.Site.Classes[c]) {
			continue
		}
		some := append([]int32{}, all[:i]...)
		for _, c := range all[i:] {
			if able(&p.Site.Classes[c]) {
				some = append(some, c)
			}
		}
		return p.Site.Intern(some)
	}
	return at
}

func ceil(a, b int32) int32 { return (a + b - 1) / b }

// Bars says why a partition does not take a job now, None where it does.
func (p *Picker) Bars(limit time.Duration, w *Want) Reason {
	switch part := &p.Site.Partitions[w.Partition]; {
	case part.MaxTime > 0 && limit > part.MaxTime:
		return PartitionTimeLimit
	case part.Down:
		return PartitionDown
	}
	return None
}
