package ahead

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/site"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// Shared chooses nodes of an option for a job at the earliest instant at which it
// can have them, if running jobs end by their limits: now, or when one of them
// ends or a node comes back. Never is that nobody knows.
//
// Ends that are near each other are looked at together, as slurmctld does it; the
// instant is that of the last of them.
func (p *Planner) Shared(k *pick.Ask, w *pick.Want, now env.Time, avoid slots.Nodes) env.Time {
	c := pick.Choice{Avoid: avoid}
	p.rest = append(p.rest[:0], p.Site.Nodes...)
	p.Pick.Belong(p.Site.Sets[w.Set].Classes, nil)
	var able, cpus int32
	for i := range p.rest {
		if n := &p.rest[i]; p.Pick.Member[n.Class] && !avoid.Has(int32(i)) {
			if has := p.Pick.Has(n, k, w); has > 0 {
				able, cpus = able+1, cpus+has
			}
		}
	}
	enough := func() bool {
		return able >= w.Need && cpus >= k.CPUs && p.Pick.TakeShared(p.rest, k, w, c)
	}
	if enough() {
		return now
	}
	// change counts a node anew.
	change := func(i int32, by func(n *site.Node)) {
		n := &p.rest[i]
		counts := p.Pick.Member[n.Class] && !avoid.Has(i)
		if had := p.Pick.Has(n, k, w); counts && had > 0 {
			able, cpus = able-1, cpus-had
		}
		by(n)
		if has := p.Pick.Has(n, k, w); counts && has > 0 {
			able, cpus = able+1, cpus+has
		}
	}
	matters := func(i int32) bool { return p.Pick.Member[p.Site.Nodes[i].Class] && !avoid.Has(i) }
	backs, ends := p.returns(now), p.Running
	g := slots.Ends{Linear: p.Linear}
	for {
		last := Never
		for {
			at, back := next(backs, ends, now)
			switch {
			case at == Never:
			case back:
				i := backs[0].node
				if backs = backs[1:]; !matters(i) {
					continue
				}
				change(i, func(n *site.Node) { n.Availability = site.Off })
			default:
				use := ends[0].Use
				if ends = ends[1:]; !slices.ContainsFunc(use.Nodes, matters) {
					continue
				}
				for at, i := range use.Nodes {
					change(i, func(n *site.Node) { use.GiveBack(p.Site, n, at) })
				}
			}
			if at == Never {
				break
			}
			last = at
			g.Begin(at)
			if at, _ = next(backs, ends, now); at > g.Until() {
				break
			}
		}
		if last == Never {
			return Never
		}
		if enough() {
			return last
		}
		if at, _ := next(backs, ends, now); at < Never {
			g.Grow(at)
		}
	}
}

// returns are the nodes that come back, in the order in which they do.
func (p *Planner) returns(now env.Time) []edge {
	p.backs = p.backs[:0]
	if p.Site.Coming > 0 {
		for i := range p.Site.Nodes {
			if n := &p.Site.Nodes[i]; n.Availability == site.Back {
				p.backs = append(p.backs, edge{max(n.Back, now), int32(i)})
			}
		}
		slices.SortStableFunc(p.backs, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	}
	return p.backs
}

// next is when the next of some nodes comes back, or the next of some jobs ends,
// whichever is first, and which it is.
func next(backs []edge, ends []Ending, now env.Time) (at env.Time, back bool) {
	at = Never
	if len(ends) > 0 {
		at = max(ends[0].At, now)
	}
	if len(backs) > 0 && backs[0].at <= at {
		return backs[0].at, true
	}
	return at, false
}
