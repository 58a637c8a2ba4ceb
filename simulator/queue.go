package simulator

import "aws-slurm-burst/executor/env"

// event is one entry of the queue. What it does is in its slot, so that the
// heap moves 24 bytes and holds no pointers.
type event struct {
	at env.Time
	// rank orders events of an instant, and no two have the same: the number of
	// the event, below a random number where ties are shuffled.
	rank uint64
	slot int32
	use  uint32 // of the slot
}

// before is the total order of a simulation.
func (a *event) before(b *event) bool {
	return a.at < b.at || a.at == b.at && a.rank < b.rank
}

// Timer names an event to come. The zero Timer names none.
type Timer struct {
	slot int32
	use  uint32
}

// slot holds what an event does: exactly one of fn and co. use counts the events
// that had it, from 1: one with another use was cancelled.
type slot struct {
	fn  func()
	co  *coroutine
	use uint32
}

// queue is a 4-ary heap of values. Four children a node make it half as deep
// as a binary heap, and siblings share cache lines: at 1,000 pending events it
// takes less than half of container/heap's time, and allocates nothing.
// Cancelled events stay until they surface or outnumber the others.
type queue struct {
	heap  []event
	slots []slot
	free  []int32
	stale int
}

func (q *queue) push(ev event, fn func(), co *coroutine) Timer {
	if n := len(q.free); n > 0 {
		ev.slot = q.free[n-1]
		q.free = q.free[:n-1]
	} else {
		ev.slot = int32(len(q.slots))
		q.slots = append(q.slots, slot{use: 1})
	}
	s := &q.slots[ev.slot]
	s.fn, s.co = fn, co
	ev.use = s.use
	q.heap = append(q.heap, ev)
	q.up(len(q.heap) - 1)
	return Timer{ev.slot, ev.use}
}

// pop removes the first event that is not after until.
func (q *queue) pop(until env.Time) (ev event, fn func(), co *coroutine, ok bool) {
	for len(q.heap) > 0 {
		ev = q.heap[0]
		s := &q.slots[ev.slot]
		live := s.use == ev.use
		if live && ev.at > until {
			break
		}
		last := len(q.heap) - 1
		q.heap[0] = q.heap[last]
		q.heap = q.heap[:last]
		if last > 0 {
			q.down(0)
		}
		if !live {
			q.stale--
			continue
		}
		fn, co = s.fn, s.co
		q.release(ev.slot)
		return ev, fn, co, true
	}
	return event{}, nil, nil, false
}

func (q *queue) release(i int32) {
	s := &q.slots[i]
	s.fn, s.co = nil, nil
	if s.use++; s.use == 0 {
		s.use = 1 // 0 is the zero Timer's
	}
	q.free = append(q.free, i)
}

func (q *queue) cancel(t Timer) bool {
	if t.use == 0 || q.slots[t.slot].use != t.use {
		return false
	}
	q.release(t.slot)
	q.stale++
	// Deadlines are mostly cancelled long before they are due; without this
	// the queue would hold minutes of them.
	if q.stale > 64 && q.stale > len(q.heap)/2 {
		q.compact()
	}
	return true
}

func (q *queue) compact() {
	kept := q.heap[:0]
	for _, ev := range q.heap {
		if q.slots[ev.slot].use == ev.use {
			kept = append(kept, ev)
		}
	}
	q.heap, q.stale = kept, 0
	for i := (len(kept) - 2) / 4; i >= 0 && len(kept) > 1; i-- {
		q.down(i)
	}
}

func (q *queue) up(i int) {
	h := q.heap
	ev := h[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !ev.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = ev
}

func (q *queue) down(i int) {
	h := q.heap
	ev := h[i]
	for {
		first := 4*i + 1
		if first+4 > len(h) {
			break
		}
		c := first + firstOf((*[4]event)(h[first:]))
		if !h[c].before(&ev) {
			h[i] = ev
			return
		}
		h[i] = h[c]
		i = c
	}
	// The last node may have fewer children; they have none themselves.
	if first := 4*i + 1; first < len(h) {
		least := first
		for c := first + 1; c < len(h); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if h[least].before(&ev) {
			h[i] = h[least]
			i = least
		}
	}
	h[i] = ev
}

// firstOf returns which of four events is first. The outcome is a coin toss that
// no processor predicts, so it is computed without jumps: the sign of a
// difference of instants, which are not negative, selects the earlier one.
func firstOf(c *[4]event) int {
	a, b := 0, 2
	d := (c[1].at - c[0].at) >> 63
	e := (c[3].at - c[2].at) >> 63
	a -= int(d)
	b -= int(e)
	if c[0].at == c[1].at && c[1].rank < c[0].rank {
		a = 1
	}
	if c[2].at == c[3].at && c[3].rank < c[2].rank {
		b = 3
	}
	x, y := &c[a&3], &c[b&3]
	if x.at == y.at {
		if y.rank < x.rank {
			return b
		}
		return a
	}
	return a + (b-a)&int((y.at-x.at)>>63)
}
