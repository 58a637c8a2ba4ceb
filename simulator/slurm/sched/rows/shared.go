// Package rows takes nodes for a job as slurmctld's select plugins do without a
// topology: from rows, which are nodes that follow each other.
//
// It is told which nodes can be had and what each has for the job. Who runs
// where, and what nodes a job may have, are for who asks.
package rows

import "slices"

// Node is a node that a job can have.
type Node struct {
	// ID is its place among all nodes: i and i+1 follow each other.
	ID int32
	// CPUs are what it has for the job, and Threads those of each of its cores (1
	// where they are not told apart): whoever has one of them has them all.
	CPUs, Threads int32
	// Weight decides which rows are taken first: the lowest. A row is of one
	// weight.
	Weight int64
}

// Ask is what a job asks for.
type Ask struct {
	// Nodes is at least 1, and MaxNodes at least Nodes. CPUs are in all, PerNode at
	// least on each node.
	Nodes, MaxNodes, CPUs, PerNode int32
	// Whole takes all of a node's CPUs, however few it needs.
	Whole bool
}

// Taker takes nodes. Its zero value is ready; its slices are used again.
type Taker struct {
	// IDs are the nodes that were taken last, and CPUs how many of each the job has
	// use for. What it gets of a node are whole cores.
	IDs, CPUs []int32

	nodes []Node  // as they were given, ordered
	offer []int32 // what each still has for the job; 0: passed over
	had   []int32 // and had when this try began
	taken []int32 // of each
	sets  []set
}

// set is a row of one weight.
type set struct {
	from, end   int // of the list
	nodes, cpus int32
	weight      int64
}

// Shared takes nodes as select/cons_tres does, and reports whether there are
// enough. They are in order of their IDs, which is the order in which CPUs are
// handed out: in blocks, so many to each as leave the others one each.
//
// It takes from the row of the lowest weight, of these from the smallest that is
// enough, and where none is from the largest and then from what is left likewise.
// Of the row that can serve the job by one node alone, it takes the one that has
// least to spare. Where all that does not come to what is asked for, it leaves out
// the nodes that have fewest CPUs and tries again.
func (t *Taker) Shared(nodes []Node, a Ask) bool {
	t.IDs, t.CPUs = t.IDs[:0], t.CPUs[:0]
	if int32(len(nodes)) < a.Nodes {
		return false
	}
	t.nodes = nodes
	t.offer, t.had, t.taken = t.offer[:0], t.had[:0], t.taken[:0]
	for i := range nodes {
		t.offer = append(t.offer, nodes[i].CPUs)
		t.had = append(t.had, nodes[i].CPUs)
		t.taken = append(t.taken, 0)
	}
	if t.try(a) {
		return t.found()
	}
	left := int32(len(nodes))
	for few, most := int32(1), slices.Max(t.had); few < most && left > a.Nodes; few++ {
		changed := false
		for i := range t.had {
			if 0 < t.had[i] && t.had[i] <= few {
				t.had[i], changed = 0, true
				if left--; left <= a.Nodes {
					break
				}
			}
		}
		if !changed && few > 1 {
			continue
		}
		if t.try(a) {
			return t.found()
		}
	}
	return t.largest(a)
}

// largest takes the nodes that have most, with which a job is served if it can be
// at all: a last resort.
func (t *Taker) largest(a Ask) bool {
	for i := range t.nodes {
		t.had[i], t.taken[i] = t.nodes[i].CPUs, 0
	}
	lack, lackCPUs := a.Nodes, a.CPUs
	for range a.MaxNodes {
		best := -1
		for i, n := range t.had {
			if n > 0 && t.taken[i] == 0 && (best < 0 || n > t.had[best]) {
				best = i
			}
		}
		if best < 0 {
			return false
		}
		n := t.had[best]
		if !a.Whole {
			n = min(n, max(lackCPUs-max(lack-1, 0), a.PerNode, 1))
		}
		t.taken[best] = n
		if lack, lackCPUs = lack-1, lackCPUs-n; lack <= 0 && lackCPUs <= 0 {
			return t.found()
		}
	}
	return false
}

// found lists what was taken.
func (t *Taker) found() bool {
	for i, n := range t.taken {
		if n > 0 {
			t.IDs = append(t.IDs, t.nodes[i].ID)
			t.CPUs = append(t.CPUs, n)
		}
	}
	return true
}

// try takes nodes with what had leaves of them.
func (t *Taker) try(a Ask) bool {
	t.row()
	copy(t.offer, t.had)
	clear(t.taken)
	lack, lackCPUs, room := a.Nodes, a.CPUs, a.MaxNodes
	for lack > 0 || lackCPUs > 0 {
		best := t.best(lack, lackCPUs)
		if best < 0 || room == 0 {
			return false
		}
		s := &t.sets[best]
		if lack <= 1 {
			t.single(s, lackCPUs)
		}
		for i := s.from; i < s.end && room > 0 && (lack > 0 || lackCPUs > 0); i++ {
			n := t.offer[i]
			if n == 0 || t.taken[i] > 0 || room == 1 && n < lackCPUs {
				continue
			}
			if !a.Whole {
				// What it leaves of a node it leaves for good: so does slurmctld, and the
				// next try counts on it.
				if n = min(n, max(lackCPUs-max(lack-1, 0)*t.nodes[i].Threads, a.PerNode, 1)); n < t.offer[i] {
					t.had[i] = n
				}
			}
			t.taken[i] = n
			lack, lackCPUs, room = lack-1, lackCPUs-n, room-1
		}
		s.nodes = 0
	}
	return true
}

// row divides what can be had into rows.
func (t *Taker) row() {
	t.sets = t.sets[:0]
	last := -1
	for i := range t.nodes {
		if t.had[i] == 0 {
			continue
		}
		n := &t.nodes[i]
		if last < 0 || last < i-1 || n.ID != t.nodes[last].ID+1 || n.Weight != t.nodes[last].Weight {
			t.sets = append(t.sets, set{from: i, weight: n.Weight})
		}
		s := &t.sets[len(t.sets)-1]
		s.end = i + 1
		s.nodes++
		s.cpus += t.had[i]
		last = i
	}
}

// best returns the row to take from next, -1 for none.
func (t *Taker) best(lack, lackCPUs int32) int {
	best, enough := -1, false
	for i := range t.sets {
		s := &t.sets[i]
		if s.nodes == 0 {
			continue
		}
		will := s.cpus >= lackCPUs && s.nodes >= lack
		if best >= 0 {
			b := &t.sets[best]
			// One that is not enough is better than one that is, where it has more CPUs,
			// on too few nodes: that is slurmctld's.
			if s.weight > b.weight || s.weight == b.weight && !(will && !enough || will && s.cpus < b.cpus || !will && s.cpus > b.cpus) {
				continue
			}
		}
		best, enough = i, will
	}
	return best
}

// single leaves nothing of a row but the node that serves what is lacking with
// least to spare, where there is one.
func (t *Taker) single(s *set, cpus int32) {
	best := -1
	for i := s.from; i < s.end; i++ {
		if n := t.offer[i]; n > 0 && n >= cpus && t.taken[i] == 0 && (best < 0 || n < t.offer[best]) {
			best = i
		}
	}
	if best < 0 {
		return
	}
	for i := s.from; i < s.end; i++ {
		if i != best {
			t.offer[i] = 0
		}
	}
}
