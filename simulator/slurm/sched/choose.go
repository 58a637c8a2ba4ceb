package sched

import (
	"slices"

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

// choice is what a search for nodes has to keep to.
type choice struct {
	caps  []int32     // at most so many nodes of each class; nil: any number
	avoid slots.Nodes // none of these
}

// choose looks for nodes on which a job could start now, in the first of its
// options that has them and whose partition is not shut: into chosen and, where
// the job shares them, chosenCPUs. It returns the option, nil for none.
func (s *Scheduler) choose(j *Job, c choice, shut []bool) *want {
	sh := &s.shapes[j.shape]
	for i := range sh.wants {
		w := &sh.wants[i]
		if (shut == nil || !shut[w.partition]) && s.bars(j, w) == None && s.chooseIn(j, w, c) {
			return w
		}
	}
	return nil
}

// chooseIn is choose in one option.
func (s *Scheduler) chooseIn(j *Job, w *want, c choice) bool {
	s.chosen, s.chosenCPUs = s.chosen[:0], s.chosenCPUs[:0]
	if s.opt.Shared {
		return s.countShared(w, c) && s.takeShared(s.site.Nodes, j, w, c)
	}
	return (!w.plain || s.countWhole(w, c)) && s.takeWhole(j, w, c)
}

// countWhole says whether enough whole nodes are free, without looking at one;
// what is to be avoided does not count.
func (s *Scheduler) countWhole(w *want, c choice) bool {
	var have int32
	for _, k := range s.site.Sets[w.set].Classes {
		n := s.site.Classes[k].Idle()
		if c.caps != nil {
			n = min(n, c.caps[k])
		}
		if have += max(n, 0); have >= w.need {
			return true
		}
	}
	return false
}

// takeWhole chooses whole nodes. It never needs more than MaxNodes of them: each
// has the job's quota.
func (s *Scheduler) takeWhole(j *Job, w *want, c choice) bool {
	set := &s.site.Sets[w.set]
	need, cpus := w.need, j.CPUs
	for a := Up; a <= Off; a++ {
		s.have = s.have[:0]
		for _, k := range set.Classes {
			s.have = append(s.have, s.takeable(k, a, c))
		}
		classes := s.split(set, s.have, need, cpus)
		if classes > 1 {
			s.takeRows(set, a, c, classes, need, cpus)
			return true
		}
		if classes == 0 {
			// All of these, and some of the next.
			s.work = append(s.work[:0], s.have...)
		}
		for _, i := range set.Order {
			cl := &s.site.Classes[set.Classes[i]]
			s.chosen = s.lowest(s.chosen, cl, a, c, s.work[i])
			need, cpus = need-s.work[i], cpus-s.work[i]*cl.CPUs
		}
		if need <= 0 && cpus <= 0 {
			return true
		}
	}
	return false
}

// lowest appends the first n whole nodes of a class and an availability to a list.
func (s *Scheduler) lowest(list []int32, cl *site.Members, a Availability, c choice, n int32) []int32 {
	l := cl.Level(a, cl.CPUs)
	for pos := l.Next(0); n > 0; pos = l.Next(pos + 1) {
		if k := cl.Nodes[pos]; !c.avoid.Has(k) {
			list = append(list, k)
			n--
		}
	}
	return list
}

// takeRows chooses among the nodes of several classes, as they follow each other.
func (s *Scheduler) takeRows(set *site.Set, a Availability, c choice, classes int, need, cpus int32) {
	pool := s.pool[:0]
	for i := range classes {
		pool = s.lowest(pool, &s.site.Classes[set.Classes[i]], a, c, s.have[i])
	}
	slices.Sort(pool)
	s.pool = pool
	s.chosen = rows.Whole(s.chosen, pool, func(i int32) int32 { return s.site.Classes[s.site.Nodes[i].Class].CPUs }, need, cpus)
}

// takeable is how many whole nodes of a class and an availability may be chosen
// beside those that are chosen already.
func (s *Scheduler) takeable(k int32, a Availability, c choice) int32 {
	cl := &s.site.Classes[k]
	l := cl.Level(a, cl.CPUs)
	n := l.Len()
	if c.avoid != nil {
		n = 0
		for pos := l.Next(0); pos >= 0; pos = l.Next(pos + 1) {
			if !c.avoid.Has(cl.Nodes[pos]) {
				n++
			}
		}
	}
	if c.caps != nil {
		left := c.caps[k]
		for _, i := range s.chosen {
			if s.site.Nodes[i].Class == k {
				left--
			}
		}
		n = min(n, left)
	}
	return max(n, 0)
}
