// Package agenda is what is to come, in order of time: things that happen by
// themselves. It calls nobody; who keeps one asks it what is due.
package agenda

import (
	"math"

	"aws-slurm-burst/executor/env"
)

// Never is later than everything.
const Never = env.Time(math.MaxInt64)

// Agenda is a binary heap of things with their instants. Of those that are due at
// one instant the one that was put on it first comes first. The zero Agenda is empty.
type Agenda[T any] struct {
	heap []entry[T]
	seq  uint64
}

type entry[T any] struct {
	at   env.Time
	seq  uint64
	what T
}

func (e *entry[T]) before(o *entry[T]) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// Push puts something on the agenda.
func (a *Agenda[T]) Push(at env.Time, what T) {
	a.seq++
	a.heap = append(a.heap, entry[T]{at, a.seq, what})
	h := a.heap
	for k := len(h) - 1; k > 0; {
		parent := (k - 1) / 2
		if !h[k].before(&h[parent]) {
			break
		}
		h[k], h[parent] = h[parent], h[k]
		k = parent
	}
}

// Pop takes what comes first from an agenda that is not empty.
func (a *Agenda[T]) Pop() (at env.Time, what T) {
	h := a.heap
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], entry[T]{}
	h = h[:last]
	for k := 0; ; {
		least := k
		for c := 2*k + 1; c <= 2*k+2 && c < last; c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if least == k {
			break
		}
		h[k], h[least] = h[least], h[k]
		k = least
	}
	a.heap = h
	return first.at, first.what
}

// Next is the instant of what comes first, Never where there is nothing.
func (a *Agenda[T]) Next() env.Time {
	if len(a.heap) == 0 {
		return Never
	}
	return a.heap[0].at
}

// Len is how many things are to come.
func (a *Agenda[T]) Len() int { return len(a.heap) }
