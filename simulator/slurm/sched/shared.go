package sched

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/rows"
	"aws-slurm-burst/simulator/slurm/sched/site"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// countShared says whether as many nodes as a job needs have free what it asks for
// on each, without looking at one; what is to be avoided does not count, nor do
// memory and GPUs.
func (s *Scheduler) countShared(w *want, c choice) bool {
	var have int32
	for _, k := range s.site.Sets[w.set].Classes {
		cl := &s.site.Classes[k]
		if c.caps != nil && c.caps[k] <= 0 {
			continue
		}
		least := w.quota
		if w.whole {
			least = cl.CPUs
		}
		for a := Up; a <= Off; a++ {
			for free := least; free <= cl.CPUs; free++ {
				if have += cl.Level(a, free).Len(); have >= w.need {
					return true
				}
			}
		}
	}
	return false
}

// takeShared chooses among nodes as they are, or as they will be.
func (s *Scheduler) takeShared(nodes []site.Node, j *Job, w *want, c choice) bool {
	list := s.candidates[:0]
	classes := s.site.Sets[w.set].Classes
	add := func(i int32) {
		n := &nodes[i]
		if cpus := s.has(n, j, w); cpus > 0 && !c.avoid.Has(i) {
			cl := &s.site.Classes[n.Class]
			list = append(list, rows.Node{ID: i, CPUs: cpus, Threads: max(cl.Threads, 1), Weight: int64(n.Availability)<<32 | int64(cl.Weight)})
		}
	}
	if len(classes) == 1 {
		if c.caps == nil || c.caps[classes[0]] > 0 {
			for _, i := range s.site.Classes[classes[0]].Nodes {
				add(i)
			}
		}
	} else {
		s.belong(classes, c.caps)
		for i := range nodes {
			if s.member[nodes[i].Class] {
				add(int32(i))
			}
		}
	}
	s.candidates = list
	if !s.taker.Shared(list, s.ask(&s.shapes[j.shape].key, w)) {
		return false
	}
	s.chosen = append(s.chosen[:0], s.taker.IDs...)
	s.chosenCPUs = s.chosenCPUs[:0]
	for i, cpus := range s.taker.CPUs {
		threads := max(s.site.Classes[nodes[s.chosen[i]].Class].Threads, 1)
		s.chosenCPUs = append(s.chosenCPUs, ceil(cpus, threads)*threads)
	}
	return true
}

// ask is what a shape asks for in an option.
func (s *Scheduler) ask(k *shapeKey, w *want) rows.Ask {
	a := rows.Ask{Nodes: max(k.minNodes, 1), CPUs: k.cpus, PerNode: k.perNode, Whole: w.whole}
	// No node is without a CPU for it.
	a.MaxNodes = max(k.cpus, a.Nodes)
	if k.maxNodes > 0 {
		a.MaxNodes = min(a.MaxNodes, k.maxNodes)
	}
	if p := s.site.Partitions[w.partition].MaxNodes; p > 0 {
		a.MaxNodes = min(a.MaxNodes, p)
	}
	a.MaxNodes = max(a.MaxNodes, a.Nodes)
	return a
}

// couldTake reports whether a shape would be served if all nodes were free, by
// those that have some CPUs at least.
func (s *Scheduler) couldTake(k *shapeKey, w *want, least int32) bool {
	list := s.candidates[:0]
	s.belong(s.site.Sets[w.set].Classes, nil)
	for i := range s.site.Nodes {
		if c := s.site.Nodes[i].Class; s.member[c] && s.site.Classes[c].CPUs >= least {
			list = append(list, rows.Node{ID: int32(i), CPUs: s.site.Classes[c].CPUs, Threads: max(s.site.Classes[c].Threads, 1), Weight: int64(s.site.Classes[c].Weight)})
		}
	}
	s.candidates = list
	return s.taker.Shared(list, s.ask(k, w))
}

// belong marks classes as members, as far as some of each may be taken.
func (s *Scheduler) belong(classes, caps []int32) {
	s.member = append(s.member[:0], make([]bool, len(s.site.Classes))...)
	for _, k := range classes {
		s.member[k] = caps == nil || caps[k] > 0
	}
}

// has is how many CPUs a node has for a job, 0 where it does not serve it.
func (s *Scheduler) has(n *site.Node, j *Job, w *want) int32 {
	switch {
	case !n.Usable():
		return 0
	case w.whole:
		if n.Jobs > 0 {
			return 0
		}
		return s.site.Classes[n.Class].CPUs
	case n.CPUs < w.quota || n.GPUs < j.GPUs || n.Memory < j.Memory && s.opt.Memory:
		return 0
	}
	return n.CPUs
}

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
	sh := &s.shapes[j.shape]
	for i := range sh.wants {
		if s.bars(j, &sh.wants[i]) != None {
			continue
		}
		if at := s.soonestFree(j, &sh.wants[i], now); at < best {
			best = at
			s.booked = s.none(s.booked)
			for _, n := range s.chosen {
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
func (s *Scheduler) soonestFree(j *Job, w *want, now env.Time) env.Time {
	window := now.Add(s.opt.Params.Window)
	// With nothing reserved it would not be later. All jobs of a shape have that in
	// common, until one starts.
	sh := &s.shapes[j.shape]
	if sh.planned != s.plans || len(sh.wants) > 1 {
		sh.planned, sh.first = s.plans, s.soonest(j, w, now, nil)
	}
	first := sh.first
	if first > window {
		return never
	}
	members := s.site.Members(w.set)
	for start := now; ; {
		s.busy = s.none(s.busy)
		next := s.future.Taken(s.busy, start, start.Add(j.Limit))
		if (next == 0 || next >= first) && members.Without(s.busy) >= w.need {
			if at := s.soonest(j, w, now, s.busy); at < never {
				// Whatever ends now may do so at any moment, but has not.
				at = max(at, start, now+1)
				if next == 0 || at <= next {
					if at > window {
						return never
					}
					set := slots.Of(len(s.site.Nodes))
					for _, n := range s.chosen {
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
func (s *Scheduler) soonest(j *Job, w *want, now env.Time, avoid slots.Nodes) env.Time {
	c := choice{avoid: avoid}
	s.rest = append(s.rest[:0], s.site.Nodes...)
	s.belong(s.site.Sets[w.set].Classes, nil)
	var able, cpus int32
	for i := range s.rest {
		if n := &s.rest[i]; s.member[n.Class] && !avoid.Has(int32(i)) {
			if has := s.has(n, j, w); has > 0 {
				able, cpus = able+1, cpus+has
			}
		}
	}
	enough := func() bool {
		return able >= w.need && cpus >= j.CPUs && s.takeShared(s.rest, j, w, c)
	}
	if enough() {
		return now
	}
	// change counts a node anew.
	change := func(i int32, by func(n *site.Node)) {
		n := &s.rest[i]
		counts := s.member[n.Class] && !avoid.Has(i)
		if had := s.has(n, j, w); counts && had > 0 {
			able, cpus = able-1, cpus-had
		}
		by(n)
		if has := s.has(n, j, w); counts && has > 0 {
			able, cpus = able+1, cpus+has
		}
	}
	matters := func(i int32) bool { return s.member[s.site.Nodes[i].Class] && !avoid.Has(i) }
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
