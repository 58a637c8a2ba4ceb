package sched

import (
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/site"
)

// shape is what all jobs that ask for the same come to: in a trace they are few,
// and a pass asks again and again.
type shape struct {
	key  shapeKey
	refs int32 // jobs that have it
	// wants are the options that could ever run such a job, why the reason that
	// there is none.
	wants []want
	why   Reason
	need  int32 // the fewest nodes of all options
	// In this epoch no job of this limit or a longer one can be backfilled.
	epoch uint64
	limit time.Duration
	// In this plan of backfill none can start before first, as far as running jobs
	// go.
	planned uint64
	first   env.Time
}

type shapeKey struct {
	memory             int64
	place, gpus        int32
	minNodes, maxNodes int32
	cpus, perNode      int32
	exclusive          bool
}

// want is what a job asks for in one of its options.
type want struct {
	partition, set int32
	need           int32 // the fewest nodes it can do with
	quota          int32 // CPUs that each of them must have free
	share          int32 // CPUs of each, if all have as many; 0: there are too few that have
	whole          bool
	plain          bool // any need (whole), or MinNodes with the share (shared), will do
}

// keptShapes is from how many shapes on those without jobs are forgotten.
const keptShapes = 4096

// hold returns the number of a job's shape, which now has one job more.
func (s *Scheduler) hold(j *Job) int32 {
	k := shapeKey{j.Memory, j.Place, j.GPUs, j.MinNodes, j.MaxNodes, j.CPUs, j.PerNode, j.Exclusive}
	if i, ok := s.shapeOf[k]; ok {
		s.shapes[i].refs++
		return i
	}
	i := int32(len(s.shapes))
	if n := len(s.unused); n > 0 {
		i, s.unused = s.unused[n-1], s.unused[:n-1]
	} else {
		s.shapes = append(s.shapes, shape{})
	}
	s.shapes[i] = shape{key: k, refs: 1, wants: s.shapes[i].wants[:0]}
	s.form(&s.shapes[i])
	s.shapeOf[k] = i
	return i
}

// drop says that a job does not have its shape any more.
func (s *Scheduler) drop(i int32) {
	sh := &s.shapes[i]
	if sh.refs--; sh.refs == 0 && len(s.shapeOf) > keptShapes {
		delete(s.shapeOf, sh.key)
		s.unused = append(s.unused, i)
	}
}

// form works out what a shape comes to.
func (s *Scheduler) form(sh *shape) {
	sh.wants, sh.need, sh.why = sh.wants[:0], hole, BadConstraints
	for i, o := range s.site.Places[sh.key.place].Options {
		w, why := s.want(&sh.key, o)
		if why != None {
			if i == 0 {
				sh.why = why
			}
			continue
		}
		sh.wants = append(sh.wants, w)
		sh.need = min(sh.need, w.need)
	}
	if len(sh.wants) > 0 {
		sh.why = None
	} else {
		sh.need = 0
	}
}

// reshape works all shapes and ranks out anew, when a partition has changed.
func (s *Scheduler) reshape() {
	for i := range s.shapes {
		s.form(&s.shapes[i])
	}
	s.queue.Close()
	for k := range s.queue.Entries {
		e := &s.queue.Entries[k]
		e.Need, e.Rank = s.shapes[e.Job.shape].need, s.rank(e.Job)
	}
	s.queue.Sort()
	s.changed()
}

// await counts a job among those that wait for its partitions, or no longer.
func (s *Scheduler) await(j *Job, sign int32) {
	for _, o := range s.site.Places[j.Place].Options {
		s.waiting[o.Partition] += sign
	}
}

// want says what a job comes to in an option, with all nodes free, or why it can
// never be there.
func (s *Scheduler) want(k *shapeKey, o site.Option) (want, Reason) {
	p := &s.site.Partitions[o.Partition]
	w := want{partition: o.Partition, whole: !s.opt.Shared || k.exclusive || p.Exclusive}
	w.quota = max(k.perNode, 1)
	// However many nodes it gets, their shares come to what it asks for.
	w.share = w.quota
	if k.maxNodes > 0 {
		w.share = max(w.quota, ceil(k.cpus, k.maxNodes))
	}
	if !s.opt.Shared || k.maxNodes == 1 {
		w.quota = w.share
	}
	w.set = s.capable(k, o.Set, w.quota)
	set := &s.site.Sets[w.set]
	// No node has more than maxCPUs of them.
	w.need = max(k.minNodes, 1, ceil(k.cpus, max(set.MaxCPUs, 1)))
	// Any so many nodes will do where even the smallest are enough.
	if s.opt.Shared {
		if !s.couldTake(k, &w, 0) {
			return w, BadConstraints
		}
		if !s.couldTake(k, &w, w.share) {
			w.share = 0
		}
	} else {
		s.counts = s.counts[:0]
		for c := range s.site.Classes {
			s.counts = append(s.counts, int32(len(s.site.Classes[c].Nodes)))
		}
		if !s.splitWant(&w, k.cpus, s.counts) {
			return w, BadConstraints
		}
	}
	if w.whole {
		w.plain = int64(w.need)*int64(set.MinCPUs) >= int64(k.cpus)
	} else {
		w.plain = int64(k.minNodes)*int64(w.share) >= int64(k.cpus)
	}
	if p.MaxNodes > 0 && w.need > p.MaxNodes {
		return w, PartitionNodeLimit
	}
	return w, None
}

// capable returns the set of those classes of a set whose nodes, when nothing
// else is on them, have what a job asks for on each.
func (s *Scheduler) capable(k *shapeKey, at, quota int32) int32 {
	able := func(c *site.Members) bool { return c.CPUs >= quota && c.GPUs >= k.gpus && c.Memory >= k.memory }
	all := s.site.Sets[at].Classes
	for i, c := range all {
		if able(&s.site.Classes[c]) {
			continue
		}
		some := append([]int32{}, all[:i]...)
		for _, c := range all[i:] {
			if able(&s.site.Classes[c]) {
				some = append(some, c)
			}
		}
		return s.site.Intern(some)
	}
	return at
}

func ceil(a, b int32) int32 { return (a + b - 1) / b }

// bars says why a partition does not take a job now, None where it does.
func (s *Scheduler) bars(j *Job, w *want) Reason {
	switch p := &s.site.Partitions[w.partition]; {
	case p.MaxTime > 0 && j.Limit > p.MaxTime:
		return PartitionTimeLimit
	case p.Down:
		return PartitionDown
	}
	return None
}

// first is a job's first partition, which decides its tier and default limit.
func (s *Scheduler) first(j *Job) Partition {
	if o := s.site.Places[j.Place].Options; len(o) > 0 {
		return s.site.Partitions[o[0].Partition]
	}
	return Partition{}
}
