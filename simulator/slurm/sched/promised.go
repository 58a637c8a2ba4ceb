package sched

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// soonestShared returns the earliest instant at which EASY's first waiting job has
// as many shared nodes as it needs at the same time, if running jobs end by their
// limits, and which nodes these are: never and none where nobody knows. A job that
// does not say on how many nodes it spreads is planned on nodes that are wholly
// free.
func (s *Scheduler) soonestShared(j *Job, w *pick.Want, now env.Time) (env.Time, slots.Nodes) {
	ready := s.readiness(j, w, now)
	edges := s.edges[:0]
	for _, c := range s.site.Sets[w.Set].Classes {
		for _, i := range s.site.Classes[c].Nodes {
			if t := ready[i]; t < never && s.site.Classes[c].CPUs >= w.Share {
				edges = append(edges, edge{t, i})
			}
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	s.edges = edges
	var have, cpus int32
	at := never
	for k, e := range edges {
		have++
		cpus += s.offer(w, e.node)
		if have >= j.MinNodes && cpus >= j.CPUs && (k+1 == len(edges) || edges[k+1].at > e.at) && (w.Share > 0 || s.most(j, w, edges[:k+1])) {
			edges, at = edges[:k+1], e.at
			break
		}
	}
	if at == never {
		return never, nil
	}
	// Those that come last, so that what is free now stays free for others: unless
	// it takes the largest.
	slices.SortStableFunc(edges, func(a, b edge) int {
		if w.Share > 0 {
			return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.node, b.node))
		}
		return cmp.Or(cmp.Compare(s.offer(w, b.node), s.offer(w, a.node)), cmp.Compare(b.at, a.at), cmp.Compare(a.node, b.node))
	})
	nodes := slots.Of(len(s.site.Nodes))
	have, cpus = 0, 0
	for _, e := range edges {
		if have >= j.MinNodes && cpus >= j.CPUs {
			break
		}
		have++
		cpus += s.offer(w, e.node)
		nodes.Add(e.node)
	}
	return at, nodes
}

// most reports whether the largest of some nodes come to what a job asks for.
func (s *Scheduler) most(j *Job, w *pick.Want, of []edge) bool {
	s.offers = s.offers[:0]
	for _, e := range of {
		s.offers = append(s.offers, s.offer(w, e.node))
	}
	slices.Sort(s.offers)
	cpus := j.CPUs
	for i := range min(int(s.pick.Bounds(&s.pick.Shapes[j.shape].Ask, w).MaxNodes), len(s.offers)) {
		cpus -= s.offers[len(s.offers)-1-i]
	}
	return cpus <= 0
}

// offer is how many CPUs a node that is ready for a job has for it.
func (s *Scheduler) offer(w *pick.Want, i int32) int32 {
	if w.Plain && !w.Whole {
		return w.Share
	}
	return s.site.Classes[s.site.Nodes[i].Class].CPUs
}

// edge is an instant from which on a job could start on a node.
type edge struct {
	at   env.Time
	node int32
}

// readiness returns for each node the instant from which it has what a job asks
// of each, as running jobs end by their limits; never for a node that nobody
// knows about.
func (s *Scheduler) readiness(j *Job, w *pick.Want, now env.Time) []env.Time {
	s.ready = s.ready[:0]
	s.rest = append(s.rest[:0], s.site.Nodes...)
	serves := func(i int32) bool {
		n := &s.rest[i]
		if w.Whole || !w.Plain {
			return n.Jobs == 0
		}
		return n.CPUs >= w.Share && n.GPUs >= j.GPUs && (n.Memory >= j.Memory || !s.opt.Memory)
	}
	for i := range s.site.Nodes {
		t := never
		if s.site.Nodes[i].Availability != Out && serves(int32(i)) {
			t = now
			if s.site.Nodes[i].Availability == Back {
				t = max(t, s.site.Nodes[i].Back)
			}
		}
		s.ready = append(s.ready, t)
	}
	for _, r := range s.running {
		for k, i := range r.job.Nodes {
			n := &s.rest[i]
			s.giveBack(n, r.job, k)
			if s.ready[i] == never && n.Availability != Out && serves(i) {
				s.ready[i] = max(r.at, now)
				if n.Availability == Back {
					s.ready[i] = max(s.ready[i], n.Back)
				}
			}
		}
	}
	return s.ready
}
