package ahead

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/site"
)

// Whole returns the earliest instant at which a job has its whole nodes in
// an option, and how many of each class are free then; Never where nobody knows.
// What the job takes of them is in work.
func (p *Planner) Whole(k *pick.Ask, w *pick.Want, now env.Time) (env.Time, []int32) {
	free := p.counts[:0]
	for c := range p.Site.Classes {
		free = append(free, p.Site.Classes[c].Idle())
	}
	p.counts = free
	a := p.arrivals(now)
	at := now
	for {
		t, ok := a.next()
		// Nodes that come at the same instant are there together.
		if (!ok || t.at > at) && p.Pick.SplitWant(w, k.CPUs, free) {
			return at, free
		}
		if !ok {
			return Never, nil
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
	p      *Planner
	now    env.Time
	simple bool // one class, all of whose nodes are usable
	job    int  // of running
	node   int  // of its nodes
	late   []arrival

	ahead arrival // of running jobs
	has   bool
}

func (p *Planner) arrivals(now env.Time) arrivals {
	a := arrivals{p: p, now: now, simple: len(p.Site.Classes) == 1 && p.Site.Unusable == 0}
	if p.Site.Coming == 0 {
		return a
	}
	p.late = p.late[:0]
	for i := range p.Site.Nodes {
		if n := &p.Site.Nodes[i]; n.Availability == site.Back && n.Jobs == 0 {
			p.late = append(p.late, arrival{max(n.Back, now), n.Class, 1})
		}
	}
	for _, r := range p.Running {
		for _, i := range r.Use.Nodes {
			if n := &p.Site.Nodes[i]; n.Availability == site.Back {
				p.late = append(p.late, arrival{max(r.At, n.Back, now), n.Class, 1})
			}
		}
	}
	slices.SortStableFunc(p.late, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	a.late = p.late
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
	for ; a.job < len(a.p.Running); a.job++ {
		r := &a.p.Running[a.job]
		got.at = max(r.At, a.now)
		if a.simple {
			a.job++
			return arrival{got.at, 0, int32(len(r.Use.Nodes))}, true
		}
		for ; a.node < len(r.Use.Nodes); a.node++ {
			n := &a.p.Site.Nodes[r.Use.Nodes[a.node]]
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
