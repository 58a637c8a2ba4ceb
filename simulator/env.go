package simulator

import (
	"context"
	"fmt"
	"time"

	"aws-slurm-burst/executor/env"
)

// virtual is env.Env in virtual time: a process's own, or with a nil p the one
// of models, which acts for the process that is running.
type virtual struct {
	engine *Engine
	p      *Process
}

var _ env.Env = (*virtual)(nil)

// enter begins a call that only the code of a process can make.
func (v *virtual) enter(call string) *coroutine {
	co := v.engine.current
	switch {
	case co == nil:
		panic("simulator: Env." + call + " called by a callback, which cannot wait; Spawn a process")
	case v.p != nil && co.p != v.p:
		panic(fmt.Sprintf("simulator: Env.%s of process %v called by process %v", call, v.p, co.p))
	}
	co.p.enter(call)
	return co
}

// refuse ends a dead process that asks for something that never waits.
func (v *virtual) refuse() {
	if co := v.engine.current; co != nil && co.p.over {
		panic(killed{})
	}
}

// Now returns the virtual instant.
func (v *virtual) Now() env.Time {
	v.refuse()
	return v.engine.now
}

// Sleep costs one event. Where its end and the context's fall on one instant,
// the one that was asked for first comes first.
func (v *virtual) Sleep(ctx context.Context, d time.Duration) error {
	co := v.enter("Sleep")
	e := v.engine
	until := e.later(d)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		co.why = byTimer
		co.timer = e.schedule(until, nil, co)
		co.watchFor(ctx)
		if co.park() == byTimer {
			return nil
		}
		// A scope ended that ctx had been detached from: sleep on.
	}
}

// WithDeadline returns a context that ends by an event; see scope.
func (v *virtual) WithDeadline(ctx context.Context, t env.Time) (context.Context, context.CancelFunc) {
	return withDeadline(ctx, v.enter("WithDeadline").p, t)
}

// Fan runs the calls on coroutines of the same process. A call that ends is
// followed by the next in order. A panic of one ends the whole process.
func (v *virtual) Fan(ctx context.Context, limit, n int, fn func(ctx context.Context, i int)) {
	co := v.enter("Fan")
	if limit < 1 || limit > n {
		limit = n
	}
	if limit <= 1 {
		for i := range n {
			fn(ctx, i)
		}
		return
	}
	next, left := limit, limit
	for first := range limit {
		co.p.start(func() {
			for i := first; i < n; {
				fn(ctx, i)
				i = next
				next++
			}
			if left--; left == 0 {
				co.wake(byFan)
			}
		})
	}
	co.park()
}

// Lock takes a lock of the whole simulation, first come, first served.
func (v *virtual) Lock(ctx context.Context, name string) (func(), error) {
	co := v.enter("Lock")
	e := v.engine
	if !lockName(name) {
		return nil, fmt.Errorf("lock name %q: want letters, digits, '-', '_', '.'", name)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l := e.locks[name]
	if l == nil {
		l = &lock{engine: e, name: name}
		e.locks[name] = l
		return l.take(co.p).unlock, nil
	}
	l.queue = append(l.queue, co)
	co.queue = l
	for {
		co.watchFor(ctx)
		if co.park() == byGrant {
			h := co.hold
			co.hold = nil
			return h.unlock, nil
		}
		if ctx.Err() != nil {
			l.leave(co)
			return nil, context.Cause(ctx)
		}
	}
}

// Rand returns a stream of the process's incarnation, the same on each call: a
// program that is started again draws other numbers, and how often one draws
// changes nothing for the others. Models draw from streams of their own.
func (v *virtual) Rand(stream string) env.Rand {
	v.refuse()
	if v.p == nil {
		return v.engine.Rand("model", stream)
	}
	return v.p.stream(stream)
}

// Log hands the event to Options.OnLog, or keeps it.
func (v *virtual) Log(ev env.Event) {
	if co := v.engine.current; co != nil {
		co.p.enter("Log")
	}
	v.engine.log(v.p, ev)
}

// Hears is true unless Options.Mute says that nobody listens.
func (v *virtual) Hears(env.Level) bool {
	v.refuse()
	return !v.engine.opt.Mute
}
