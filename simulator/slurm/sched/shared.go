package sched

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/site"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// none empties a set of nodes, or makes one.
func (s *Scheduler) none(set slots.Nodes) slots.Nodes {
	if len(set) != (len(s.site.Nodes)+63)/64 {
		return slots.Of(len(s.site.Nodes))
	}
	clear(set)
	return set
}

// reserveShared is reserve where nodes are shared: whole nodes are reserved,
// whatever the job needs of each, as slurmctld reserves them.
func (s *Scheduler) reserveShared(j *Job, now env.Time) {
	best := never
	sh := &s.pick.Shapes[j.shape]
	for i := range sh.Wants {
		if s.pick.Bars(j.Limit, &sh.Wants[i]) != None {
			continue
		}
		if at := s.soonestFree(j, &sh.Wants[i], now); at < best {
			best = at
			s.booked = s.none(s.booked)
			for _, n := range s.pick.Chosen {
				s.booked.Add(n)
			}
		}
	}
	if best < never {
		j.Expected = best
		s.future.Take(s.booked, best, best.Add(j.Limit))
	}
}

// soonestFree returns the earliest instant from which a job can have nodes of an
// option, which are chosen, for all of its limit, beside what is reserved: never
// where that is not within the window. It tries with the nodes that are not
// reserved between now and then; where these come too late, with those that are
// not from a later instant on.
func (s *Scheduler) soonestFree(j *Job, w *pick.Want, now env.Time) env.Time {
	window := now.Add(s.opt.Params.Window)
	// With nothing reserved it would not be later. All jobs of a shape have that in
	// common, until one starts.
	sh := &s.pick.Shapes[j.shape]
	if sh.Planned != s.plans || len(sh.Wants) > 1 {
		sh.Planned, sh.First = s.plans, s.soonest(j, w, now, nil)
	}
	first := sh.First
	if first > window {
		return never
	}
	members := s.site.Members(w.Set)
	for start := now; ; {
		s.busy = s.none(s.busy)
		next := s.future.Taken(s.busy, start, start.Add(j.Limit))
		if (next == 0 || next >= first) && members.Without(s.busy) >= w.Need {
			if at := s.soonest(j, w, now, s.busy); at < never {
				// Whatever ends now may do so at any moment, but has not.
				at = max(at, start, now+1)
				if next == 0 || at <= next {
					if at > window {
						return never
					}
					set := slots.Of(len(s.site.Nodes))
					for _, n := range s.pick.Chosen {
						set.Add(n)
					}
					if s.future.Free(set, at, at.Add(j.Limit)) {
						return at
					}
					next = at
				}
			}
		}
		if next <= start || next > window {
			return never
		}
		start = next
	}
}

// soonest chooses nodes of an option for a job at the earliest instant at which it
// can have them, if running jobs end by their limits: now, or when one of them
// ends or a node comes back. never is that nobody knows.
//
// Ends that are near each other are looked at together, as slurmctld does it; the
// instant is that of the last of them.
func (s *Scheduler) soonest(j *Job, w *pick.Want, now env.Time, avoid slots.Nodes) env.Time {
	c, k := pick.Choice{Avoid: avoid}, &s.pick.Shapes[j.shape].Ask
	s.rest = append(s.rest[:0], s.site.Nodes...)
	s.pick.Belong(s.site.Sets[w.Set].Classes, nil)
	var able, cpus int32
	for i := range s.rest {
		if n := &s.rest[i]; s.pick.Member[n.Class] && !avoid.Has(int32(i)) {
			if has := s.pick.Has(n, k, w); has > 0 {
				able, cpus = able+1, cpus+has
			}
		}
	}
	enough := func() bool {
		return able >= w.Need && cpus >= j.CPUs && s.pick.TakeShared(s.rest, k, w, c)
	}
	if enough() {
		return now
	}
	// change counts a node anew.
	change := func(i int32, by func(n *site.Node)) {
		n := &s.rest[i]
		counts := s.pick.Member[n.Class] && !avoid.Has(i)
		if had := s.pick.Has(n, k, w); counts && had > 0 {
			able, cpus = able-1, cpus-had
		}
		by(n)
		if has := s.pick.Has(n, k, w); counts && has > 0 {
			able, cpus = able+1, cpus+has
		}
	}
	matters := func(i int32) bool { return s.pick.Member[s.site.Nodes[i].Class] && !avoid.Has(i) }
	backs, ends := s.returns(now), s.running
	g := slots.Ends{Linear: s.opt.Params.WindowLinear}
	for {
		last := never
		for {
			at, back := next(backs, ends, now)
			switch {
			case at == never:
			case back:
				i := backs[0].node
				if backs = backs[1:]; !matters(i) {
					continue
				}
				change(i, func(n *site.Node) { n.Availability = Off })
			default:
				job := ends[0].job
				if ends = ends[1:]; !slices.ContainsFunc(job.Nodes, matters) {
					continue
				}
				for k, i := range job.Nodes {
					change(i, func(n *site.Node) { s.giveBack(n, job, k) })
				}
			}
			if at == never {
				break
			}
			last = at
			g.Begin(at)
			if at, _ = next(backs, ends, now); at > g.Until() {
				break
			}
		}
		if last == never {
			return never
		}
		if enough() {
			return last
		}
		if at, _ := next(backs, ends, now); at < never {
			g.Grow(at)
		}
	}
}

// returns are the nodes that come back, in the order in which they do.
func (s *Scheduler) returns(now env.Time) []edge {
	s.backs = s.backs[:0]
	if s.site.Coming > 0 {
		for i := range s.site.Nodes {
			if n := &s.site.Nodes[i]; n.Availability == Back {
				s.backs = append(s.backs, edge{max(n.Back, now), int32(i)})
			}
		}
		slices.SortStableFunc(s.backs, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	}
	return s.backs
}

// next is when the next of some nodes comes back, or the next of some jobs ends,
// whichever is first, and which it is.
func next(backs []edge, ends []ending, now env.Time) (at env.Time, back bool) {
	at = never
	if len(ends) > 0 {
		at = max(ends[0].at, now)
	}
	if len(backs) > 0 && backs[0].at <= at {
		return backs[0].at, true
	}
	return at, false
}

// giveBack returns a running job's share of its k-th node.
func (s *Scheduler) giveBack(n *site.Node, j *Job, k int) {
	n.Jobs--
	if j.whole {
		n.CPUs = s.site.Classes[n.Class].CPUs
		return
	}
	n.CPUs += j.cpus[k]
	n.GPUs += j.GPUs
	n.Memory += j.Memory
}
