package simulator

import (
	"slices"
	"strings"
)

// lock is a named lock of all simulated processes. Who waits gets it in the
// order of asking. It exists only while somebody holds it.
type lock struct {
	engine *Engine
	name   string
	holder *hold
	queue  []*coroutine
}

// hold is one holding of a lock. A process may hold one lock once only; a
// second Lock of it waits, as it does for files.
type hold struct {
	lock *lock
	p    *Process // nil once it is free
}

// take gives the lock to a process.
func (l *lock) take(p *Process) *hold {
	h := &hold{l, p}
	l.holder = h
	p.holds = append(p.holds, h)
	return h
}

// free passes the lock on to the first who waits.
func (h *hold) free() {
	l := h.lock
	h.p = nil
	if len(l.queue) == 0 {
		delete(l.engine.locks, l.name)
		return
	}
	co := l.queue[0]
	l.leave(co)
	co.hold = l.take(co.p)
	co.wake(byGrant)
}

// unlock is what Env.Lock returns. After the end of its process it does
// nothing: the lock may be somebody else's by then.
func (h *hold) unlock() {
	if h.p == nil {
		return
	}
	p := h.p
	// The one taken last is mostly the one given back first.
	for i, other := range slices.Backward(p.holds) {
		if other == h {
			p.holds = slices.Delete(p.holds, i, i+1)
			break
		}
	}
	h.free()
}

// leave takes a coroutine out of the queue.
func (l *lock) leave(co *coroutine) {
	i := slices.Index(l.queue, co)
	l.queue = slices.Delete(l.queue, i, i+1)
	co.queue = nil
}

// lockName reports whether a name is one that lock files can have, too.
func lockName(name string) bool {
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r))
	}
	return name != "" && name != "." && name != ".." && !strings.ContainsFunc(name, odd)
}
