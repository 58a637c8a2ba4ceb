package ahead

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/site"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// Promise returns the earliest instant at which EASY's first waiting job has
// as many shared nodes as it needs at the same time, if running jobs end by their
// limits, and which nodes these are: Never and none where nobody knows. A job that
// does not say on how many nodes it spreads is planned on nodes that are wholly
// free.
func (p *Planner) Promise(k *pick.Ask, w *pick.Want, now env.Time) (env.Time, slots.Nodes) {
	ready := p.readiness(k, w, now)
	edges := p.edges[:0]
	for _, c := range p.Site.Sets[w.Set].Classes {
		for _, i := range p.Site.Classes[c].Nodes {
			if t := ready[i]; t < Never && p.Site.Classes[c].CPUs >= w.Share {
				edges = append(edges, edge{t, i})
			}
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	p.edges = edges
	var have, cpus int32
	at := Never
	for i, e := range edges {
		have++
		cpus += p.offer(w, e.node)
		if have >= k.MinNodes && cpus >= k.CPUs && (i+1 == len(edges) || edges[i+1].at > e.at) && (w.Share > 0 || p.most(k, w, edges[:i+1])) {
			edges, at = edges[:i+1], e.at
			break
		}
	}
	if at == Never {
		return Never, nil
	}
	// Those that come last, so that what is free now stays free for others: unless
	// it takes the largest.
	slices.SortStableFunc(edges, func(a, b edge) int {
		if w.Share > 0 {
			return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.node, b.node))
		}
		return cmp.Or(cmp.Compare(p.offer(w, b.node), p.offer(w, a.node)), cmp.Compare(b.at, a.at), cmp.Compare(a.node, b.node))
	})
	nodes := slots.Of(len(p.Site.Nodes))
	have, cpus = 0, 0
	for _, e := range edges {
		if have >= k.MinNodes && cpus >= k.CPUs {
			break
		}
		have++
		cpus += p.offer(w, e.node)
		nodes.Add(e.node)
	}
	return at, nodes
}

// most reports whether the largest of some nodes come to what a job asks for.
func (p *Planner) most(k *pick.Ask, w *pick.Want, of []edge) bool {
	p.offers = p.offers[:0]
	for _, e := range of {
		p.offers = append(p.offers, p.offer(w, e.node))
	}
	slices.Sort(p.offers)
	cpus := k.CPUs
	for i := range min(int(p.Pick.Bounds(k, w).MaxNodes), len(p.offers)) {
		cpus -= p.offers[len(p.offers)-1-i]
	}
	return cpus <= 0
}

// offer is how many CPUs a node that is ready for a job has for it.
func (p *Planner) offer(w *pick.Want, i int32) int32 {
	if w.Plain && !w.Whole {
		return w.Share
	}
	return p.Site.Classes[p.Site.Nodes[i].Class].CPUs
}

// edge is an instant from which on a job could start on a node.
type edge struct {
	at   env.Time
	node int32
}

// readiness returns for each node the instant from which it has what a job asks
// of each, as running jobs end by their limits; Never for a node that nobody
// knows about.
func (p *Planner) readiness(k *pick.Ask, w *pick.Want, now env.Time) []env.Time {
	p.ready = p.ready[:0]
	p.rest = append(p.rest[:0], p.Site.Nodes...)
	serves := func(i int32) bool {
		n := &p.rest[i]
		if w.Whole || !w.Plain {
			return n.Jobs == 0
		}
		return n.CPUs >= w.Share && n.GPUs >= k.GPUs && (n.Memory >= k.Memory || !p.Pick.Memory)
	}
	for i := range p.Site.Nodes {
		t := Never
		if p.Site.Nodes[i].Availability != site.Out && serves(int32(i)) {
			t = now
			if p.Site.Nodes[i].Availability == site.Back {
				t = max(t, p.Site.Nodes[i].Back)
			}
		}
		p.ready = append(p.ready, t)
	}
	for _, r := range p.Running {
		for at, i := range r.Use.Nodes {
			n := &p.rest[i]
			r.Use.GiveBack(p.Site, n, at)
			if p.ready[i] == Never && n.Availability != site.Out && serves(i) {
				p.ready[i] = max(r.At, now)
				if n.Availability == site.Back {
					p.ready[i] = max(p.ready[i], n.Back)
				}
			}
		}
	}
	return p.ready
}
