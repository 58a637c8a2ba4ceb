package sched

// How nodes are chosen, as far as a model without cores can follow Slurm: nodes
// that are up before nodes that are powered down, then those of the lowest
// weight, then the fullest that still serve, so that large holes stay whole,
// then in their order.

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
		return s.takeShares(j, w, c)
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

// takeWhole chooses whole nodes in order. It never needs more than MaxNodes of
// them: each has the job's quota.
func (s *Scheduler) takeWhole(j *Job, w *want, c choice) bool {
	classes := s.sets[w.set].classes
	left := s.left(classes, c)
	cpus := j.CPUs
	for a := Up; a <= Off; a++ {
		for i, k := range classes {
			cl := &s.classes[k]
			l := &cl.pools[a].levels[cl.CPUs]
			for pos := l.next(0); pos >= 0 && left[i] > 0; pos = l.next(pos + 1) {
				if c.avoid.has(cl.nodes[pos]) {
					continue
				}
				s.chosen = append(s.chosen, cl.nodes[pos])
				left[i]--
				if cpus -= cl.CPUs; cpus <= 0 && int32(len(s.chosen)) >= w.need {
					return true
				}
			}
		}
	}
	return false
}

// left returns how many nodes of each class may be taken.
func (s *Scheduler) left(classes []int32, c choice) []int32 {
	s.work = s.work[:0]
	for _, k := range classes {
		n := int32(hole)
		if c.caps != nil {
			n = c.caps[k]
		}
		s.work = append(s.work, n)
	}
	return s.work
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
	cpus := j.CPUs
	for i := range s.chosen {
		// The quota on each, but for what is then left for the later ones.
		others := j.MinNodes - int32(i) - 1
		n := max(min(w.quota, cpus-others*max(j.PerNode, 1)), j.PerNode, 1)
		s.chosenCPUs = append(s.chosenCPUs, n)
		cpus -= n
	}
	return true
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
		if !s.fullest(j, w, c, ask, n+1) && !s.emptiest(j, w, c) {
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

// emptiest chooses one node more: of the first class that has one, the one with
// most CPUs free.
func (s *Scheduler) emptiest(j *Job, w *want, c choice) bool {
	want := int32(len(s.chosen)) + 1
	for a := Up; a <= Off; a++ {
		for _, k := range s.sets[w.set].classes {
			cl := &s.classes[k]
			for free := cl.CPUs; free >= w.quota; free-- {
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
		if c.avoid.has(i) || !s.serves(i, j) || s.isChosen(i) {
			continue
		}
		s.chosen = append(s.chosen, i)
		if int32(len(s.chosen)) == want {
			return true
		}
	}
	return false
}

// isChosen looks among the nodes chosen so far, which only gather has any of.
func (s *Scheduler) isChosen(i int32) bool {
	if len(s.chosenCPUs) == 0 {
		return false
	}
	for _, k := range s.chosen {
		if k == i {
			return true
		}
	}
	return false
}
