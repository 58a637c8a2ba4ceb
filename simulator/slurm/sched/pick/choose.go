package pick

import (
	"slices"
	"time"

	"aws-slurm-burst/simulator/slurm/sched/rows"
	"aws-slurm-burst/simulator/slurm/sched/site"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// How nodes are chosen.
//
// Nodes that are up go before nodes that boot, and these before nodes that are
// powered down. Whole nodes are taken from those of the lowest weight if there
// are enough; else those of the next weight are considered together with them,
// and so on, and taken in their order, whatever their weights: so does
// select/linear. Shared nodes are taken as package rows says: so does
// select/cons_tres. sched/oracle sees both do so.

// Choice is what a search for nodes has to keep to.
type Choice struct {
	Caps  []int32     // at most so many nodes of each class; nil: any number
	Avoid slots.Nodes // none of these
}

// Choose looks for nodes on which a job could start now, in the first of its
// options that has them and whose partition is not shut: into chosen and, where
// the job shares them, chosenCPUs. It returns the option, nil for none.
func (p *Picker) Choose(sh *Shape, limit time.Duration, c Choice, shut []bool) *Want {
	for i := range sh.Wants {
		w := &sh.Wants[i]
		if (shut == nil || !shut[w.Partition]) && p.Bars(limit, w) == None && p.ChooseIn(&sh.Ask, w, c) {
			return w
		}
	}
	return nil
}

// ChooseIn is choose in one option.
func (p *Picker) ChooseIn(k *Ask, w *Want, c Choice) bool {
	p.Chosen, p.CPUs = p.Chosen[:0], p.CPUs[:0]
	if p.Shared {
		return p.countShared(w, c) && p.TakeShared(p.Site.Nodes, k, w, c)
	}
	return (!w.Plain || p.countWhole(w, c)) && p.takeWhole(k, w, c)
}

// countWhole says whether enough whole nodes are free, without looking at one;
// what is to be avoided does not count.
func (p *Picker) countWhole(w *Want, c Choice) bool {
	var have int32
	for _, k := range p.Site.Sets[w.Set].Classes {
		n := p.Site.Classes[k].Idle()
		if c.Caps != nil {
			n = min(n, c.Caps[k])
		}
		if have += max(n, 0); have >= w.Need {
			return true
		}
	}
	return false
}

// takeWhole chooses whole nodes. It never needs more than MaxNodes of them: each
// Has the job's quota.
func (p *Picker) takeWhole(k *Ask, w *Want, c Choice) bool {
	set := &p.Site.Sets[w.Set]
	need, cpus := w.Need, k.CPUs
	for a := site.Up; a <= site.Off; a++ {
		p.have = p.have[:0]
		for _, class := range set.Classes {
			p.have = append(p.have, p.takeable(class, a, c))
		}
		classes := p.split(set, p.have, need, cpus)
		if classes > 1 {
			p.takeRows(set, a, c, classes, need, cpus)
			return true
		}
		if classes == 0 {
			// All of these, and some of the next.
			p.Work = append(p.Work[:0], p.have...)
		}
		for _, i := range set.Order {
			cl := &p.Site.Classes[set.Classes[i]]
			p.Chosen = p.lowest(p.Chosen, cl, a, c, p.Work[i])
			need, cpus = need-p.Work[i], cpus-p.Work[i]*cl.CPUs
		}
		if need <= 0 && cpus <= 0 {
			return true
		}
	}
	return false
}

// lowest appends the first n whole nodes of a class and an availability to a list.
func (p *Picker) lowest(list []int32, cl *site.Members, a site.Availability, c Choice, n int32) []int32 {
	l := cl.Level(a, cl.CPUs)
	for pos := l.Next(0); n > 0; pos = l.Next(pos + 1) {
		if k := cl.Nodes[pos]; !c.Avoid.Has(k) {
			list = append(list, k)
			n--
		}
	}
	return list
}

// takeRows chooses among the nodes of several classes, as they follow each other.
func (p *Picker) takeRows(set *site.Set, a site.Availability, c Choice, classes int, need, cpus int32) {
	pool := p.pool[:0]
	for i := range classes {
		pool = p.lowest(pool, &p.Site.Classes[set.Classes[i]], a, c, p.have[i])
	}
	slices.Sort(pool)
	p.pool = pool
	p.Chosen = rows.Whole(p.Chosen, pool, func(i int32) int32 { return p.Site.Classes[p.Site.Nodes[i].Class].CPUs }, need, cpus)
}

// takeable is how many whole nodes of a class and an availability may be chosen
// beside those that are chosen already.
func (p *Picker) takeable(k int32, a site.Availability, c Choice) int32 {
	cl := &p.Site.Classes[k]
	l := cl.Level(a, cl.CPUs)
	n := l.Len()
	if c.Avoid != nil {
		n = 0
		for pos := l.Next(0); pos >= 0; pos = l.Next(pos + 1) {
			if !c.Avoid.Has(cl.Nodes[pos]) {
				n++
			}
		}
	}
	if c.Caps != nil {
		left := c.Caps[k]
		for _, i := range p.Chosen {
			if p.Site.Nodes[i].Class == k {
				left--
			}
		}
		n = min(n, left)
	}
	return max(n, 0)
}
