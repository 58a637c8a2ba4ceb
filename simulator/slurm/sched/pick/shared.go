package pick

import (
	"aws-slurm-burst/simulator/slurm/sched/rows"
	"aws-slurm-burst/simulator/slurm/sched/site"
)

// countShared says whether as many nodes as a job needs have free what it asks for
// on each, without looking at one; what is to be avoided does not count, nor do
// memory and GPUs.
func (p *Picker) countShared(w *Want, c Choice) bool {
	var have int32
	for _, k := range p.Site.Sets[w.Set].Classes {
		cl := &p.Site.Classes[k]
		if c.Caps != nil && c.Caps[k] <= 0 {
			continue
		}
		least := w.Quota
		if w.Whole {
			least = cl.CPUs
		}
		for a := site.Up; a <= site.Off; a++ {
			for free := least; free <= cl.CPUs; free++ {
				if have += cl.Level(a, free).Len(); have >= w.Need {
					return true
				}
			}
		}
	}
	return false
}

// TakeShared chooses among nodes as they are, or as they will be.
func (p *Picker) TakeShared(nodes []site.Node, k *Ask, w *Want, c Choice) bool {
	list := p.candidates[:0]
	classes := p.Site.Sets[w.Set].Classes
	add := func(i int32) {
		n := &nodes[i]
		if cpus := p.Has(n, k, w); cpus > 0 && !c.Avoid.Has(i) {
			cl := &p.Site.Classes[n.Class]
			list = append(list, rows.Node{ID: i, CPUs: cpus, Threads: max(cl.Threads, 1), Weight: int64(n.Availability)<<32 | int64(cl.Weight)})
		}
	}
	if len(classes) == 1 {
		if c.Caps == nil || c.Caps[classes[0]] > 0 {
			for _, i := range p.Site.Classes[classes[0]].Nodes {
				add(i)
			}
		}
	} else {
		p.Belong(classes, c.Caps)
		for i := range nodes {
			if p.Member[nodes[i].Class] {
				add(int32(i))
			}
		}
	}
	p.candidates = list
	if !p.taker.Shared(list, p.Bounds(k, w)) {
		return false
	}
	p.Chosen = append(p.Chosen[:0], p.taker.IDs...)
	p.CPUs = p.CPUs[:0]
	for i, cpus := range p.taker.CPUs {
		threads := max(p.Site.Classes[nodes[p.Chosen[i]].Class].Threads, 1)
		p.CPUs = append(p.CPUs, ceil(cpus, threads)*threads)
	}
	return true
}

// Bounds is what a shape asks for in an option.
func (p *Picker) Bounds(k *Ask, w *Want) rows.Ask {
	a := rows.Ask{Nodes: max(k.MinNodes, 1), CPUs: k.CPUs, PerNode: k.PerNode, Whole: w.Whole}
	// No node is without a CPU for it.
	a.MaxNodes = max(k.CPUs, a.Nodes)
	if k.MaxNodes > 0 {
		a.MaxNodes = min(a.MaxNodes, k.MaxNodes)
	}
	if most := p.Site.Partitions[w.Partition].MaxNodes; most > 0 {
		a.MaxNodes = min(a.MaxNodes, most)
	}
	a.MaxNodes = max(a.MaxNodes, a.Nodes)
	return a
}

// couldTake reports whether a shape would be served if all nodes were free, by
// those that have some CPUs at least.
func (p *Picker) couldTake(k *Ask, w *Want, least int32) bool {
	list := p.candidates[:0]
	p.Belong(p.Site.Sets[w.Set].Classes, nil)
	for i := range p.Site.Nodes {
		if c := p.Site.Nodes[i].Class; p.Member[c] && p.Site.Classes[c].CPUs >= least {
			list = append(list, rows.Node{ID: int32(i), CPUs: p.Site.Classes[c].CPUs, Threads: max(p.Site.Classes[c].Threads, 1), Weight: int64(p.Site.Classes[c].Weight)})
		}
	}
	p.candidates = list
	return p.taker.Shared(list, p.Bounds(k, w))
}

// Belong marks classes as members, as far as some of each may be taken.
func (p *Picker) Belong(classes, caps []int32) {
	p.Member = append(p.Member[:0], make([]bool, len(p.Site.Classes))...)
	for _, k := range classes {
		p.Member[k] = caps == nil || caps[k] > 0
	}
}

// Has is how many CPUs a node has for a job, 0 where it does not serve it.
func (p *Picker) Has(n *site.Node, k *Ask, w *Want) int32 {
	switch {
	case !n.Usable():
		return 0
	case w.Whole:
		if n.Jobs > 0 {
			return 0
		}
		return p.Site.Classes[n.Class].CPUs
	case n.CPUs < w.Quota || n.GPUs < k.GPUs || n.Memory < k.Memory && p.Memory:
		return 0
	}
	return n.CPUs
}
