package site

import (
	"fmt"
	"math/bits"
	"slices"

	"aws-slurm-burst/executor/env"
)

// Node is a node's free resources and where it is found.
type Node struct {
	Class        int32
	CPUs, GPUs   int32 // free
	Memory       int64 // free, MiB
	Jobs         int32 // that it has
	Availability Availability
	Back         env.Time // where Availability is Back

	pos int32 // in its class
}

// Usable is a node that can be given to a job now, as far as it is free.
func (n *Node) Usable() bool { return n.Availability <= Off }

// Members is a Class with its nodes.
type Members struct {
	Class
	In    []int32 // numbers of its partitions
	Nodes []int32
	// levels have the usable nodes by their free CPUs: Up, Booting, Off.
	levels [Off + 1][]Level
}

// Level returns the nodes of an availability with so many CPUs free.
func (m *Members) Level(a Availability, cpus int32) *Level { return &m.levels[a][cpus] }

// Idle returns how many nodes of a class are wholly free and usable.
func (m *Members) Idle() (n int32) {
	for a := range m.levels {
		n += m.levels[a][m.CPUs].n
	}
	return n
}

// Level is a set of nodes, by position in their class.
type Level struct {
	words []uint64
	n     int32
	low   int32 // no word before this one has a node
}

func (l *Level) add(pos int32) {
	w := pos >> 6
	for int(w) >= len(l.words) {
		l.words = append(l.words, 0)
	}
	l.words[w] |= 1 << (pos & 63)
	l.low = min(l.low, w)
	if l.n == 0 {
		l.low = w
	}
	l.n++
}

func (l *Level) remove(pos int32) {
	l.words[pos>>6] &^= 1 << (pos & 63)
	l.n--
}

// Len is how many they are.
func (l *Level) Len() int32 { return l.n }

// Next returns the first position in the class from pos on, -1 where there is none.
func (l *Level) Next(pos int32) int32 {
	w := pos >> 6
	if w < l.low {
		w, pos = l.low, l.low<<6
	}
	if l.n == 0 || int(w) >= len(l.words) {
		return -1
	}
	if x := l.words[w] >> (pos & 63); x != 0 {
		return pos + int32(bits.TrailingZeros64(x))
	}
	leading := w == l.low
	for w++; int(w) < len(l.words); w++ {
		if x := l.words[w]; x != 0 {
			if leading && pos&63 == 0 {
				l.low = w
			}
			return w<<6 + int32(bits.TrailingZeros64(x))
		}
	}
	return -1
}

// AddPartition adds a partition and returns its number.
func (s *Site) AddPartition(p Partition) int32 {
	s.Partitions = append(s.Partitions, p)
	return int32(len(s.Partitions) - 1)
}

// AddClass adds a class and returns its number. All of its partitions must
// have been added.
func (s *Site) AddClass(c Class) (int32, error) {
	var partitions []int32
	for _, name := range c.Partitions {
		i := s.partition(name)
		if i < 0 {
			return 0, fmt.Errorf("%w: %q", ErrNoPartition, name)
		}
		partitions = append(partitions, i)
	}
	s.Classes = append(s.Classes, newMembers(c, partitions))
	return int32(len(s.Classes) - 1), nil
}

func newMembers(c Class, partitions []int32) Members {
	m := Members{Class: c, In: partitions}
	m.CPUs = max(c.CPUs, 1)
	for a := range m.levels {
		m.levels[a] = make([]Level, m.CPUs+1)
	}
	return m
}

func (s *Site) partition(name string) int32 {
	return int32(slices.IndexFunc(s.Partitions, func(p Partition) bool { return p.Name == name }))
}

// AddNode adds a node that is Up and idle, and returns its number: 0, 1, 2 in
// the order of calls, which is also the order in which nodes are taken where
// nothing else tells them apart. slurmctld's order is that of their names.
func (s *Site) AddNode(classNumber int32) int32 {
	c := &s.Classes[classNumber]
	i := int32(len(s.Nodes))
	s.Nodes = append(s.Nodes, Node{Class: classNumber, pos: int32(len(c.Nodes)), CPUs: c.CPUs, GPUs: c.GPUs, Memory: c.Memory})
	c.Nodes = append(c.Nodes, i)
	s.CPUs += int64(c.CPUs)
	s.Enter(i)
	return i
}

// SetNode says what can be done with a node from now on; at is Back's instant. It
// reports whether that may let somebody start, or keep somebody from it.
func (s *Site) SetNode(i int32, a Availability, at env.Time) bool {
	n := &s.Nodes[i]
	if n.Availability == a && n.Back == at {
		return false
	}
	was := n.Usable()
	s.Leave(i)
	s.gone(n, -1)
	n.Availability, n.Back = a, at
	s.gone(n, 1)
	s.Enter(i)
	// Which of the nodes that can be had is taken first keeps nobody from starting.
	return !was || !n.Usable()
}

// gone counts a node among those that cannot be had now, or no longer.
func (s *Site) gone(n *Node, sign int32) {
	if n.Usable() {
		return
	}
	s.Unusable += sign
	if n.Availability == Back {
		s.Coming += sign
	}
}

// level returns where a node is found, nil for nowhere.
func (s *Site) level(n *Node) *Level {
	if n.CPUs == 0 || !n.Usable() {
		return nil
	}
	return s.Classes[n.Class].Level(n.Availability, n.CPUs)
}

// Enter and Leave are called after and before a node's free CPUs change.
func (s *Site) Enter(i int32) {
	n := &s.Nodes[i]
	if l := s.level(n); l != nil {
		l.add(n.pos)
		s.Open++
	}
}

func (s *Site) Leave(i int32) {
	n := &s.Nodes[i]
	if l := s.level(n); l != nil {
		l.remove(n.pos)
		s.Open--
	}
}
