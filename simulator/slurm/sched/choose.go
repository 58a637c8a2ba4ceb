package sched

import "slices"

// How nodes are chosen, as far as a model without cores can follow Slurm.
//
// Nodes that are up go before nodes that boot, and these before nodes that are
// powered down. Whole nodes are taken from those of the lowest weight if there
// are enough; else those of the next weight are considered together with them,
// and so on, and taken in their order, whatever their weights: so does
// select/linear, and sched/oracle sees it do so. Shared nodes are taken by weight,
// then the fullest that still serve, so that large holes stay whole.

// choice is what a search for nodes has to keep to.
type choice struct {
	caps  []int32 // at most so many nodes of each class; nil: any number
	avoid nodeSet // none of these
}

// nodeSet is a set of nodes by number; nil is the empty set.
type nodeSet []uint64

func (s nodeSet) has(i int32) bool { return s != nil && s[i>>6]>>(i&63)&1 != 0 }
func (s nodeSet) add(i int32)      { s[i>>6] |= 1 << (i & 63) }

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
	switch {
	case w.whole:
		return (!w.plain || s.countWhole(w, c)) && s.takeWhole(j, w, c)
	case w.plain:
		return s.takeShares(j, w, c) || s.takeEmptiest(j, w, c)
	}
	return s.gather(j, w, c)
}

// countWhole says whether enough whole nodes are free, without looking at one;
// what is to be avoided does not count.
func (s *Scheduler) countWhole(w *want, c choice) bool {
	var have int32
	for _, k := range s.sets[w.set].classes {
		n := s.classes[k].idle()
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
	set := &s.sets[w.set]
	need, cpus := w.need, j.CPUs
	for a := Up; a <= Off; a++ {
		s.have = s.have[:0]
		for _, k := range set.classes {
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
		for _, i := range set.order {
			cl := &s.classes[set.classes[i]]
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
func (s *Scheduler) lowest(list []int32, cl *class, a Availability, c choice, n int32) []int32 {
	l := &cl.pools[a].levels[cl.CPUs]
	for pos := l.next(0); n > 0; pos = l.next(pos + 1) {
		if k := cl.nodes[pos]; !c.avoid.has(k) {
			list = append(list, k)
			n--
		}
	}
	return list
}

// takeRows chooses among the nodes of several classes as select/linear does:
// from rows of nodes that follow each other, the smallest that is enough, or,
// where none is, the largest, and then from what is left likewise.
func (s *Scheduler) takeRows(set *set, a Availability, c choice, classes int, need, cpus int32) {
	pool := s.pool[:0]
	for i := range classes {
		pool = s.lowest(pool, &s.classes[set.classes[i]], a, c, s.have[i])
	}
	slices.Sort(pool)
	s.pool = pool
	for need > 0 || cpus > 0 {
		var best row
		for from := 0; from < len(pool); {
			r := row{from: from, end: from}
			left, leftCPUs := need, cpus
			for r.end == from || r.end < len(pool) && pool[r.end] == pool[r.end-1]+1 {
				left, leftCPUs = left-1, leftCPUs-s.classes[s.nodes[pool[r.end]].class].CPUs
				r.end++
			}
			if r.enough = left <= 0 && leftCPUs <= 0; r.better(best) {
				best = r
			}
			from = r.end
		}
		taken := best.from
		for ; taken < best.end && (need > 0 || cpus > 0); taken++ {
			s.chosen = append(s.chosen, pool[taken])
			need, cpus = need-1, cpus-s.classes[s.nodes[pool[taken]].class].CPUs
		}
		pool = slices.Delete(pool, best.from, taken)
	}
}

// row is nodes that follow each other, and whether they are enough.
type row struct {
	from, end int
	enough    bool
}

func (r row) better(than row) bool {
	switch n, m := r.end-r.from, than.end-than.from; {
	case r.enough != than.enough:
		return r.enough
	case r.enough:
		return n < m
	default:
		return n > m
	}
}

// takeable is how many whole nodes of a class and an availability may be chosen
// beside those that are chosen already.
func (s *Scheduler) takeable(k int32, a Availability, c choice) int32 {
	cl := &s.classes[k]
	l := &cl.pools[a].levels[cl.CPUs]
	n := l.n
	if c.avoid != nil {
		n = 0
		for pos := l.next(0); pos >= 0; pos = l.next(pos + 1) {
			if !c.avoid.has(cl.nodes[pos]) {
				n++
			}
		}
	}
	if c.caps != nil {
		left := c.caps[k]
		for _, i := range s.chosen {
			if s.nodes[i].class == k {
				left--
			}
		}
		n = min(n, left)
	}
	return max(n, 0)
}

// serves reports whether a node with enough free CPUs has the rest of what a
// job asks for on each node.
func (s *Scheduler) serves(i int32, j *Job) bool {
	n := &s.nodes[i]
	return n.gpus >= j.GPUs && (n.memory >= j.Memory || !s.opt.Memory)
}

// takeShares chooses MinNodes nodes with the job's quota free on each.
func (s *Scheduler) takeShares(j *Job, w *want, c choice) bool {
	s.fullest(j, w, c, w.quota, j.MinNodes)
	if int32(len(s.chosen)) < j.MinNodes {
		return false
	}
	return s.handOut(j)
}

// takeEmptiest chooses MinNodes nodes that together have the job's CPUs free,
// where too few have its quota.
func (s *Scheduler) takeEmptiest(j *Job, w *want, c choice) bool {
	s.chosen = s.chosen[:0]
	for range j.MinNodes {
		if !s.emptiest(j, w, c, max(j.PerNode, 1)) {
			return false
		}
	}
	return s.handOut(j)
}

// handOut hands a job's CPUs out over the nodes that are chosen: as many on each as
// it has, but for what those after it need, which is how tasks are laid out in
// blocks. It reports whether they are enough.
func (s *Scheduler) handOut(j *Job) bool {
	cpus, least := j.CPUs, max(j.PerNode, 1)
	for i, k := range s.chosen {
		others := j.MinNodes - int32(i) - 1
		n := max(min(s.nodes[k].cpus, cpus-others*least), least)
		s.chosenCPUs = append(s.chosenCPUs, n)
		cpus -= n
	}
	return cpus <= 0
}

// gather chooses as few nodes as possible for a job that asks for CPUs wherever
// they are: one node for all of it, or the emptiest ones and the fullest that
// has room for what they leave. It never needs more than MaxNodes of them: each
// gives the job's quota.
func (s *Scheduler) gather(j *Job, w *want, c choice) bool {
	cpus := j.CPUs
	for {
		n := int32(len(s.chosen))
		others := max(j.MinNodes-n-1, 0)
		ask := max(cpus-others*w.quota, w.quota)
		if !s.fullest(j, w, c, ask, n+1) && !s.emptiest(j, w, c, w.quota) {
			return false
		}
		got := min(s.nodes[s.chosen[n]].cpus, ask)
		s.chosenCPUs = append(s.chosenCPUs, got)
		if cpus -= got; cpus <= 0 && n+1 >= j.MinNodes {
			return true
		}
	}
}

// fullest chooses nodes that have at least cpus free, those with the fewest
// first, until want are chosen, and reports whether they are.
func (s *Scheduler) fullest(j *Job, w *want, c choice, cpus, want int32) bool {
	for a := Up; a <= Off; a++ {
		for _, k := range s.sets[w.set].classes {
			cl := &s.classes[k]
			for free := max(cpus, 1); free <= cl.CPUs; free++ {
				if s.sweep(j, c, cl, k, &cl.pools[a].levels[free], want) {
					return true
				}
			}
		}
	}
	return false
}

// emptiest chooses one node more with at least so many CPUs free: of the first
// class that has one, the one with most.
func (s *Scheduler) emptiest(j *Job, w *want, c choice, least int32) bool {
	want := int32(len(s.chosen)) + 1
	for a := Up; a <= Off; a++ {
		for _, k := range s.sets[w.set].classes {
			cl := &s.classes[k]
			for free := cl.CPUs; free >= least; free-- {
				if s.sweep(j, c, cl, k, &cl.pools[a].levels[free], want) {
					return true
				}
			}
		}
	}
	return false
}

// sweep chooses from one level until want nodes are chosen.
func (s *Scheduler) sweep(j *Job, c choice, cl *class, k int32, l *level, want int32) bool {
	if l.n == 0 || c.caps != nil && c.caps[k] <= 0 {
		return false
	}
	for pos := l.next(0); pos >= 0; pos = l.next(pos + 1) {
		i := cl.nodes[pos]
		// Who looks for one node more may meet those it has.
		if c.avoid.has(i) || !s.serves(i, j) || want == int32(len(s.chosen))+1 && slices.Contains(s.chosen, i) {
			continue
		}
		s.chosen = append(s.chosen, i)
		if int32(len(s.chosen)) == want {
			return true
		}
	}
	return false
}
