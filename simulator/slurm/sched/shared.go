package sched

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
)

// booking is nodes that are reserved for a time: whole, as Slurm's backfill
// reserves them, whatever the job needs of each.
type booking struct {
	from, to env.Time
	nodes    nodeSet
}

// booked returns the nodes that are reserved from an instant before end: no
// booking begins before now.
func (s *Scheduler) booked(end env.Time) nodeSet {
	var all nodeSet
	for _, b := range s.bookings {
		if b.from >= end {
			break
		}
		if all == nil {
			all = s.emptySet()
		}
		for i, w := range b.nodes {
			all[i] |= w
		}
	}
	return all
}

// book keeps bookings in order of their beginnings.
func (s *Scheduler) book(b booking) {
	k, _ := slices.BinarySearchFunc(s.bookings, b, func(x, y booking) int { return cmp.Or(cmp.Compare(x.from, y.from), -1) })
	s.bookings = slices.Insert(s.bookings, k, b)
}

func (s *Scheduler) emptySet() nodeSet { return make(nodeSet, (len(s.nodes)+63)/64) }

// soonestShared returns the earliest instant at which a job that shares its
// nodes has as many as it needs at the same time, if running jobs end by their
// limits and bookings are kept, and which nodes these are: never and none where
// nobody knows. A job that does not say on how many nodes it spreads is planned
// on nodes that are wholly free.
func (s *Scheduler) soonestShared(j *Job, w *want, now env.Time, bookings []booking) (env.Time, nodeSet) {
	ready := s.readiness(j, w, now)
	edges := s.edges[:0]
	for _, c := range s.sets[w.set].classes {
		for _, i := range s.classes[c].nodes {
			t := ready[i]
			if t == never {
				continue
			}
			for _, b := range bookings {
				if b.to <= t || !b.nodes.has(i) {
					continue
				}
				if t.Add(j.Limit) <= b.from {
					edges = append(edges, edge{t, 1, i}, edge{b.from.Add(1 - j.Limit), -1, i})
				}
				t = b.to
			}
			edges = append(edges, edge{t, 1, i})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	s.edges = edges
	var have, cpus int32
	at := never
	for k, e := range edges {
		have += e.step
		cpus += e.step * s.offer(w, e.node)
		if have >= j.MinNodes && cpus >= j.CPUs && (k+1 == len(edges) || edges[k+1].at > e.at) {
			at = e.at
			break
		}
	}
	if at == never {
		return never, nil
	}
	able := edges[:0]
	for _, c := range s.sets[w.set].classes {
		for _, i := range s.classes[c].nodes {
			booked := func(b booking) bool { return at < b.to && b.from < at.Add(j.Limit) && b.nodes.has(i) }
			if ready[i] <= at && !slices.ContainsFunc(bookings, booked) {
				able = append(able, edge{ready[i], 1, i})
			}
		}
	}
	// Those that come last, so that what is free now stays free for others.
	slices.SortStableFunc(able, func(a, b edge) int { return cmp.Compare(b.at, a.at) })
	nodes := s.emptySet()
	have, cpus = 0, 0
	for _, e := range able {
		if have >= j.MinNodes && cpus >= j.CPUs {
			break
		}
		have++
		cpus += s.offer(w, e.node)
		nodes.add(e.node)
	}
	return at, nodes
}

// offer is how many CPUs a node that is ready for a job has for it.
func (s *Scheduler) offer(w *want, i int32) int32 {
	if w.plain && !w.whole {
		return w.quota
	}
	return s.classes[s.nodes[i].class].CPUs
}

// edge is an instant from which on (step 1), or from which on no more (-1), a
// job could start on a node.
type edge struct {
	at   env.Time
	step int32
	node int32
}

// readiness returns for each node the instant from which it has what a job asks
// of each, as running jobs end by their limits; never for a node that nobody
// knows about.
func (s *Scheduler) readiness(j *Job, w *want, now env.Time) []env.Time {
	s.ready = s.ready[:0]
	s.rest = append(s.rest[:0], s.nodes...)
	serves := func(i int32) bool {
		n := &s.rest[i]
		if w.whole || !w.plain {
			return n.jobs == 0
		}
		return n.cpus >= w.quota && n.gpus >= j.GPUs && (n.memory >= j.Memory || !s.opt.Memory)
	}
	for i := range s.nodes {
		t := never
		if s.nodes[i].availability != Out && serves(int32(i)) {
			t = now
			if s.nodes[i].availability == Back {
				t = max(t, s.nodes[i].back)
			}
		}
		s.ready = append(s.ready, t)
	}
	for _, r := range s.running {
		for k, i := range r.job.Nodes {
			n := &s.rest[i]
			n.jobs--
			if r.job.whole {
				n.cpus = s.classes[n.class].CPUs
			} else {
				n.cpus += r.job.cpus[k]
				n.gpus += r.job.GPUs
				n.memory += r.job.Memory
			}
			if s.ready[i] == never && n.availability != Out && serves(i) {
				s.ready[i] = max(r.at, now)
				if n.availability == Back {
					s.ready[i] = max(s.ready[i], n.back)
				}
			}
		}
	}
	return s.ready
}
