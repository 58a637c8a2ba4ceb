package simulator

import "slices"

// lock is a named lock of all simulated processes. Who waits gets it in the
// order of asking. It exists only while somebody holds it.
type lock struct {
	engine *Engine
	name   string
	holder *hold
	queue  []*coroutine
	first  hold // most locks are held once while they exist
}

// hold is one holding of a lock. A process may hold one lock once only; a
// second Lock of it waits, as it does for files.
type hold struct {
	lock *lock
	p    *Process // nil once it is free
}

// take gives the lock to a process.
func (l *lock) take(p *Process) *hold {
	h := &l.first
	if h.lock != nil {
		h = new(hold)
	}
	*h = hold{l, p}
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
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return name != "" && name != "." && name != ".."
}
