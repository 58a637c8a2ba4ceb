// Package slots is the future as slurmctld's backfill keeps it where nodes are
// shared: which nodes are spoken for, whole, from when to when.
//
// It knows neither jobs nor what nodes have: who may have what is left is for
// who asks.
package slots

import (
	"math/bits"
	"slices"
	"time"

	"aws-slurm-burst/executor/env"
)

// Nodes is a set of nodes by number; nil is the empty set.
type Nodes []uint64

// Of returns an empty set with room for n nodes.
func Of(n int) Nodes { return make(Nodes, (n+63)/64) }

func (s Nodes) Has(i int32) bool { return s != nil && s[i>>6]>>(i&63)&1 != 0 }
func (s Nodes) Add(i int32)      { s[i>>6] |= 1 << (i & 63) }

// Unite adds all of another set.
func (s Nodes) Unite(t Nodes) {
	for i, w := range t {
		s[i] |= w
	}
}

// Without is how many of a set are not in another.
func (s Nodes) Without(t Nodes) (n int32) {
	for i, w := range s {
		n += int32(bits.OnesCount64(w &^ t[i]))
	}
	return n
}

// Within reports whether all of a set are in another.
func (s Nodes) Within(t Nodes) bool {
	for i, w := range s {
		if w&^t[i] != 0 {
			return false
		}
	}
	return true
}

// Meets reports whether two sets have a node in common.
func (s Nodes) Meets(t Nodes) bool {
	for i, w := range s {
		if w&t[i] != 0 {
			return true
		}
	}
	return false
}

// Map is who is spoken for. Instants of it are rounded down to a resolution, as
// slurmctld rounds them.
type Map struct {
	resolution time.Duration
	words      int
	slots      []slot
	free       []Nodes // sets that are used again
}

// slot is a time in which the same nodes are spoken for; it ends where the next
// one begins.
type slot struct {
	begin env.Time
	taken Nodes
}

// Reset empties a map, for so many nodes from an instant on.
func (m *Map) Reset(now env.Time, nodes int, resolution time.Duration) {
	for _, s := range m.slots {
		m.free = append(m.free, s.taken)
	}
	words := (nodes + 63) / 64
	if m.words != words {
		m.free, m.words = nil, words
	}
	m.resolution = max(resolution, 1)
	m.slots = append(m.slots[:0], slot{m.floor(now), m.set(nil)})
}

func (m *Map) floor(t env.Time) env.Time {
	return t - t%env.Time(m.resolution)
}

// set returns a copy of a set.
func (m *Map) set(of Nodes) Nodes {
	var s Nodes
	if n := len(m.free); n > 0 {
		s, m.free = m.free[n-1], m.free[:n-1]
		clear(s)
	} else {
		s = make(Nodes, m.words)
	}
	copy(s, of)
	return s
}

// Taken adds to a set what is spoken for at some time between two instants, both
// of them included, and returns the first instant after the beginning from which
// a node is free that is not before: 0 where there is none. Like slurmctld it looks
// no farther than to the end of the first slot that begins after the second
// instant: a shorter job does not see what becomes free later.
func (m *Map) Taken(taken Nodes, from, to env.Time) (later env.Time) {
	for k := range m.slots {
		last := k == len(m.slots)-1
		if !last && m.slots[k+1].begin <= from {
			continue
		}
		if !last && later == 0 && !(taken.Within(m.slots[k+1].taken) && m.slots[k].taken.Within(m.slots[k+1].taken)) {
			later = m.slots[k+1].begin
		}
		if m.slots[k].begin > to {
			break
		}
		taken.Unite(m.slots[k].taken)
	}
	return later
}

// Free reports whether none of some nodes is spoken for between the two instants,
// rounded.
func (m *Map) Free(nodes Nodes, from, to env.Time) bool {
	from, to = m.span(from, to)
	for k := range m.slots {
		if k < len(m.slots)-1 && m.slots[k+1].begin <= from {
			continue
		}
		if m.slots[k].begin >= to {
			break
		}
		if nodes.Meets(m.slots[k].taken) {
			return false
		}
	}
	return true
}

// Take speaks for nodes between two instants, rounded: for at least the
// resolution.
//
// Where that leaves a slot that does not differ from the next one, the first such
// is joined with it, and no other: where slots begin, Taken can tell.
func (m *Map) Take(nodes Nodes, from, to env.Time) {
	from, to = m.span(from, to)
	begin, end := m.cut(from), m.cut(to)
	for k := begin; k < end; k++ {
		m.slots[k].taken.Unite(nodes)
	}
	for k := max(begin-2, 0); k < end; k++ {
		if next := m.slots[k+1].taken; slices.Equal(m.slots[k].taken, next) {
			m.free = append(m.free, next)
			m.slots = slices.Delete(m.slots, k+1, k+2)
			return
		}
	}
}

// span rounds two instants.
func (m *Map) span(from, to env.Time) (env.Time, env.Time) {
	from = max(m.floor(from), m.slots[0].begin)
	return from, max(m.floor(to), from.Add(m.resolution))
}

// cut makes an instant the beginning of a slot and returns which.
func (m *Map) cut(t env.Time) int {
	k, ok := slices.BinarySearchFunc(m.slots, t, func(s slot, t env.Time) int { return int(min(max(s.begin-t, -1), 1)) })
	if !ok {
		m.slots = slices.Insert(m.slots, k, slot{t, m.set(m.slots[k-1].taken)})
	}
	return k
}
