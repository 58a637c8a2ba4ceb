package simulator

import "aws-slurm-burst/executor/env"

// event is one entry of the queue. What it does is in its slot, so that the
// heap moves 32 bytes and holds no pointers.
type event struct {
	at   env.Time
	tie  uint64
	seq  uint64
	slot int32
}

// before is the total order of a simulation.
func (a *event) before(b *event) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	if a.tie != b.tie {
		return a.tie < b.tie
	}
	return a.seq < b.seq
}

// Timer names an event to come. The zero Timer names none.
type Timer struct {
	seq  uint64
	slot int32
}

// slot holds what an event does: exactly one of fn and co. seq is the event's;
// an event whose slot has another one was cancelled.
type slot struct {
	seq uint64
	fn  func()
	co  *coroutine
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
		q.slots = append(q.slots, slot{})
	}
	q.slots[ev.slot] = slot{ev.seq, fn, co}
	q.heap = append(q.heap, ev)
	q.up(len(q.heap) - 1)
	return Timer{ev.seq, ev.slot}
}

// pop removes the first event that is not after until.
func (q *queue) pop(until env.Time) (ev event, fn func(), co *coroutine, ok bool) {
	for len(q.heap) > 0 {
		ev = q.heap[0]
		s := &q.slots[ev.slot]
		live := s.seq == ev.seq
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
	q.slots[i] = slot{}
	q.free = append(q.free, i)
}

func (q *queue) cancel(t Timer) bool {
	if t.seq == 0 || q.slots[t.slot].seq != t.seq {
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
		if q.slots[ev.slot].seq == ev.seq {
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
		if first >= len(h) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h)); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&ev) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = ev
}
