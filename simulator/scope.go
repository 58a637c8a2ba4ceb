package simulator

import (
	"context"
	"time"

	"aws-slurm-burst/executor/env"
)

// scope is a context in virtual time: it wakes coroutines, and expires by an event.
// What it is to others is a standard cancelCtx's part, which is made when somebody
// asks for it (few do, and processes have a scope for each call of scontrol):
// contexts that libraries derive from it end in the very instant, without a goroutine.
//
// Deadline is a virtual instant. A library that compares it with the wall
// clock sees, with an epoch in the past, a deadline long gone, and with one in
// the future, one far away; so nothing that takes a simulation's context may
// open a real connection. context.WithTimeout on top of it is harmless: where
// our deadline is the earlier one, the standard library starts no timer.
// The SDK reads Deadline for one header of its requests alone.
//
// In contexts that libraries derive, Err is Canceled after our deadline;
// context.Cause is DeadlineExceeded in all of them.
type scope struct {
	from   context.Context // what it was derived from
	cause  error           // once it has ended by itself
	std    context.Context // nil until somebody asks
	cancel context.CancelCauseFunc

	p           *Process
	deadline    time.Time
	hasDeadline bool
	timer       Timer
	over        bool

	parent                *scope
	prev, next            *scope // siblings
	firstChild, lastChild *scope
	first, last           *coroutine // who waits with it
}

type scopeKeyType struct{}

var scopeKey = &scopeKeyType{}

// newScope derives a scope. parent is the scope that ctx hangs on, nil for the
// root of a process.
func newScope(ctx context.Context, p *Process, parent *scope) *scope {
	s := &scope{from: ctx, p: p, parent: parent}
	s.deadline, s.hasDeadline = ctx.Deadline()
	if parent != nil {
		parent.adopt(s)
	}
	return s
}

// Deadline returns the virtual instant at which the scope ends.
func (s *scope) Deadline() (time.Time, bool) { return s.deadline, s.hasDeadline }

// standard returns the context that others know.
func (s *scope) standard() context.Context {
	switch {
	case s.std != nil:
	case s.cause == nil:
		s.std, s.cancel = context.WithCancelCause(s.from)
	default: // its own cause counts, whatever has ended since
		s.std, s.cancel = context.WithCancelCause(context.WithoutCancel(s.from))
		s.cancel(s.cause)
	}
	return s.std
}

// Done ends with the scope.
func (s *scope) Done() <-chan struct{} { return s.standard().Done() }

// Err tells a deadline from a cancellation, which a standard context cannot.
func (s *scope) Err() error {
	cause := s.cause
	if cause == nil && s.from.Err() != nil {
		cause = context.Cause(s.from)
	}
	switch cause {
	case nil:
		return nil
	case context.DeadlineExceeded:
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// Value finds the scope itself, too.
func (s *scope) Value(key any) any {
	if key == scopeKey {
		return s
	}
	return s.standard().Value(key)
}

// scopeOf returns the scope that ends with ctx, nil where ctx never ends or
// hangs on none of the process's.
func scopeOf(ctx context.Context, p *Process) *scope {
	if s, ok := ctx.(*scope); ok && s.p == p {
		return s
	}
	if ctx.Done() == nil { // Background, or WithoutCancel
		return nil
	}
	if s, ok := ctx.Value(scopeKey).(*scope); ok && s.p == p {
		return s
	}
	return nil
}

// withDeadline is Env.WithDeadline.
func withDeadline(ctx context.Context, p *Process, t env.Time) (context.Context, context.CancelFunc) {
	parent := scopeOf(ctx, p)
	if parent == nil || parent.over {
		parent = p.root
	}
	s := newScope(ctx, p, parent)
	if at := t.Std(); !s.hasDeadline || at.Before(s.deadline) {
		s.deadline, s.hasDeadline = at, true
		if e := p.engine; t <= e.now {
			s.close(context.DeadlineExceeded)
		} else if s.Err() == nil {
			s.timer = e.schedule(t, func() { s.close(context.DeadlineExceeded) }, nil)
		}
	}
	if !s.over && s.Err() != nil { // the parent had ended
		s.settle()
	}
	return s, func() { s.close(context.Canceled) }
}

// close ends the scope for a cause.
func (s *scope) close(cause error) {
	s.end(cause)
	if !s.over {
		s.settle()
	}
}

// end ends the contexts of the scope, unless they have ended.
func (s *scope) end(cause error) {
	if s.cause == nil && s.from.Err() == nil {
		if cause == nil {
			cause = context.Canceled
		}
		s.cause = cause
		if s.cancel != nil {
			s.cancel(cause)
		}
	}
}

// settle does what follows from the end of the context: wakes who
// waits with it, in the order of their waiting, and settles the scopes below.
func (s *scope) settle() {
	s.over = true
	s.p.engine.queue.cancel(s.timer)
	if s.parent != nil {
		s.parent.disown(s)
	}
	for s.first != nil {
		s.first.wake(byCancel)
	}
	for c := s.firstChild; c != nil; {
		next := c.next
		if c.Err() != nil {
			c.settle()
		} else if s != s.p.root {
			// Something like WithoutCancel lies between: it lives on, and its
			// timer must still be found at the process's end.
			s.disown(c)
			s.p.root.adopt(c)
		}
		c = next
	}
}

// discard drops a process's contexts at its end: no timer of theirs may move
// the clock, and nobody waits with them any more.
func (s *scope) discard() {
	s.over = true
	s.p.engine.queue.cancel(s.timer)
	for c := s.firstChild; c != nil; c = c.next {
		c.discard()
	}
	s.end(context.Canceled)
}

func (s *scope) adopt(c *scope) {
	c.parent, c.prev, c.next = s, s.lastChild, nil
	if c.prev != nil {
		c.prev.next = c
	} else {
		s.firstChild = c
	}
	s.lastChild = c
}

func (s *scope) disown(c *scope) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		s.firstChild = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		s.lastChild = c.prev
	}
	c.parent, c.prev, c.next = nil, nil, nil
}

// watch is a coroutine's place among those who wait with a scope.
type watch struct {
	scope      *scope
	prev, next *coroutine
}

// watchFor lets the end of ctx wake the coroutine.
func (co *coroutine) watchFor(ctx context.Context) {
	s := scopeOf(ctx, co.p)
	if s == nil || s.over {
		return
	}
	co.watch = watch{s, s.last, nil}
	if s.last != nil {
		s.last.watch.next = co
	} else {
		s.first = co
	}
	s.last = co
}

func (co *coroutine) unwatch() {
	w := co.watch
	if w.scope == nil {
		return
	}
	if w.prev != nil {
		w.prev.watch.next = w.next
	} else {
		w.scope.first = w.next
	}
	if w.next != nil {
		w.next.watch.prev = w.prev
	} else {
		w.scope.last = w.prev
	}
	co.watch = watch{}
}
