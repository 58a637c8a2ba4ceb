package sched

import (
	"fmt"
	"math/bits"
	"slices"

	"aws-slurm-burst/executor/env"
)

// node is a node's free resources and where it is found.
type node struct {
	class, pos   int32
	cpus, gpus   int32 // free
	memory       int64 // free, MiB
	jobs         int32
	availability Availability
	back         env.Time
}

// usable is a node that can be given to a job now, as far as it is free.
func (n *node) usable() bool { return n.availability <= Off }

// class is a Class with its nodes.
type class struct {
	Class
	partitions []int32
	nodes      []int32
	// pools have the usable nodes by their free CPUs: Up, Booting, Off.
	pools [Off + 1]pool
}

// pool finds nodes of a class by their number of free CPUs.
type pool struct{ levels []level }

// level is a set of nodes, by position in their class.
type level struct {
	words []uint64
	n     int32
	low   int32 // no word before this one has a node
}

func (l *level) add(pos int32) {
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

func (l *level) remove(pos int32) {
	l.words[pos>>6] &^= 1 << (pos & 63)
	l.n--
}

// next returns the first position from pos on, -1 where there is none.
func (l *level) next(pos int32) int32 {
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
func (s *Scheduler) AddPartition(p Partition) int32 {
	s.partitions = append(s.partitions, p)
	s.waiting = append(s.waiting, 0)
	s.maxFactor = max(s.maxFactor, p.Factor)
	s.blocked = append(s.blocked, false)
	return int32(len(s.partitions) - 1)
}

// SetPartition replaces a partition, such as by one that is Down.
func (s *Scheduler) SetPartition(i int32, p Partition) {
	s.partitions[i] = p
	s.maxFactor = max(s.maxFactor, p.Factor)
	s.reshape()
}

// AddClass adds a class and returns its number. All of its partitions must
// have been added.
func (s *Scheduler) AddClass(c Class) (int32, error) {
	var partitions []int32
	for _, name := range c.Partitions {
		i := s.partition(name)
		if i < 0 {
			return 0, fmt.Errorf("%w: %q", ErrNoPartition, name)
		}
		partitions = append(partitions, i)
	}
	s.classes = append(s.classes, newClass(c, partitions))
	s.caps = append(s.caps, hole)
	return int32(len(s.classes) - 1), nil
}

func newClass(c Class, partitions []int32) class {
	cl := class{Class: c, partitions: partitions}
	cl.CPUs = max(c.CPUs, 1)
	for i := range cl.pools {
		cl.pools[i].levels = make([]level, cl.CPUs+1)
	}
	return cl
}

func (s *Scheduler) partition(name string) int32 {
	return int32(slices.IndexFunc(s.partitions, func(p Partition) bool { return p.Name == name }))
}

// AddNode adds a node that is Up and idle, and returns its number: 0, 1, 2 in
// the order of calls, which is also the order in which nodes are taken where
// nothing else tells them apart. slurmctld's order is that of their names.
func (s *Scheduler) AddNode(classNumber int32) int32 {
	c := &s.classes[classNumber]
	i := int32(len(s.nodes))
	s.nodes = append(s.nodes, node{class: classNumber, pos: int32(len(c.nodes)), cpus: c.CPUs, gpus: c.GPUs, memory: c.Memory})
	c.nodes = append(c.nodes, i)
	s.cpus += int64(c.CPUs)
	s.enter(i)
	s.changed()
	return i
}

// SetNode says what can be done with a node from now on; at is Back's instant.
// Jobs that it has stay until their Release.
func (s *Scheduler) SetNode(i int32, a Availability, at env.Time) {
	n := &s.nodes[i]
	if n.availability == a && n.back == at {
		return
	}
	was := n.usable()
	s.leave(i)
	s.gone(n, -1)
	n.availability, n.back = a, at
	s.gone(n, 1)
	s.enter(i)
	// Which of the nodes that can be had is taken first keeps nobody from starting.
	if !was || !n.usable() {
		s.changed()
	}
}

// gone counts a node among those that cannot be had now, or no longer.
func (s *Scheduler) gone(n *node, sign int32) {
	if n.usable() {
		return
	}
	s.unusable += sign
	if n.availability == Back {
		s.coming += sign
	}
}

// Node returns what can be done with a node, and how many CPUs of it are free
// and how many jobs it has.
func (s *Scheduler) Node(i int32) (a Availability, freeCPUs, jobs int32) {
	n := &s.nodes[i]
	return n.availability, n.cpus, n.jobs
}

// level returns where a node is found, nil for nowhere.
func (s *Scheduler) level(n *node) *level {
	if n.cpus == 0 || !n.usable() {
		return nil
	}
	return &s.classes[n.class].pools[n.availability].levels[n.cpus]
}

func (s *Scheduler) enter(i int32) {
	n := &s.nodes[i]
	if l := s.level(n); l != nil {
		l.add(n.pos)
		s.open++
	}
}

func (s *Scheduler) leave(i int32) {
	n := &s.nodes[i]
	if l := s.level(n); l != nil {
		l.remove(n.pos)
		s.open--
	}
}

// idle returns how many nodes of a class are wholly free and usable.
func (c *class) idle() (n int32) {
	for i := range c.pools {
		n += c.pools[i].levels[c.CPUs].n
	}
	return n
}
