package sched

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
)

// promise reserves nodes for EASY's first waiting job, in the option and at the
// instant in which it has them first if running jobs end by their limits. A job
// that nobody knows such an instant for is passed over.
func (s *Scheduler) promise(j *Job, now env.Time) {
	sh := &s.pick.Shapes[j.shape]
	best := never
	for i := range sh.Wants {
		w := &sh.Wants[i]
		if s.pick.Bars(j.Limit, w) != None {
			continue
		}
		if s.opt.Shared {
			if at, nodes := s.soonestShared(j, w, now); at < best {
				best, s.spare, s.held = at, nil, nodes
			}
			continue
		}
		at, free := s.soonestWhole(j, w, now)
		if at >= best {
			continue
		}
		best, s.held = at, nil
		s.spare = append(s.spare[:0], free...)
		for i, c := range s.site.Sets[w.Set].Classes {
			s.spare[c] -= s.pick.Work[i]
		}
	}
	if best < never {
		s.head, s.shadow, j.Expected = j, best, best
	}
}

// soonestWhole returns the earliest instant at which a job has its whole nodes in
// an option, and how many of each class are free then; never where nobody knows.
// What the job takes of them is in work.
func (s *Scheduler) soonestWhole(j *Job, w *pick.Want, now env.Time) (env.Time, []int32) {
	free := s.counts[:0]
	for c := range s.site.Classes {
		free = append(free, s.site.Classes[c].Idle())
	}
	s.counts = free
	a := s.arrivals(now)
	at := now
	for {
		t, ok := a.next()
		// Nodes that come at the same instant are there together.
		if (!ok || t.at > at) && s.pick.SplitWant(w, j.CPUs, free) {
			return at, free
		}
		if !ok {
			return never, nil
		}
		at = t.at
		free[t.class] += t.n
	}
}

// arrival is nodes of a class that become free.
type arrival struct {
	at    env.Time
	class int32
	n     int32
}

// arrivals yields what becomes free from now on, in order of time: nodes of
// running jobs at the ends of their limits, and nodes that come Back. What is
// overdue may come at any moment: now.
type arrivals struct {
	s      *Scheduler
	now    env.Time
	simple bool // one class, all of whose nodes are usable
	job    int  // of running
	node   int  // of its nodes
	late   []arrival

	ahead arrival // of running jobs
	has   bool
}

func (s *Scheduler) arrivals(now env.Time) arrivals {
	a := arrivals{s: s, now: now, simple: len(s.site.Classes) == 1 && s.site.Unusable == 0}
	if s.site.Coming == 0 {
		return a
	}
	s.late = s.late[:0]
	for i := range s.site.Nodes {
		if n := &s.site.Nodes[i]; n.Availability == Back && n.Jobs == 0 {
			s.late = append(s.late, arrival{max(n.Back, now), n.Class, 1})
		}
	}
	for _, r := range s.running {
		for _, i := range r.job.Nodes {
			if n := &s.site.Nodes[i]; n.Availability == Back {
				s.late = append(s.late, arrival{max(r.at, n.Back, now), n.Class, 1})
			}
		}
	}
	slices.SortStableFunc(s.late, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	a.late = s.late
	return a
}

func (a *arrivals) next() (arrival, bool) {
	if !a.has {
		a.ahead, a.has = a.gather()
	}
	if len(a.late) > 0 && (!a.has || a.late[0].at < a.ahead.at) {
		first := a.late[0]
		a.late = a.late[1:]
		return first, true
	}
	has := a.has
	a.has = false
	return a.ahead, has
}

// gather returns the next usable nodes of one class that a running job has.
func (a *arrivals) gather() (got arrival, ok bool) {
	for ; a.job < len(a.s.running); a.job++ {
		r := &a.s.running[a.job]
		got.at = max(r.at, a.now)
		if a.simple {
			a.job++
			return arrival{got.at, 0, int32(len(r.job.Nodes))}, true
		}
		for ; a.node < len(r.job.Nodes); a.node++ {
			n := &a.s.site.Nodes[r.job.Nodes[a.node]]
			if !n.Usable() {
				continue // late has it, or nobody knows
			}
			if got.n > 0 && n.Class != got.class {
				return got, true
			}
			got.class = n.Class
			got.n++
		}
		a.node = 0
		if got.n > 0 {
			a.job++
			return got, true
		}
	}
	return got, false
}
