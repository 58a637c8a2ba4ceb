package simulator

import (
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
	"strings"

	"aws-slurm-burst/executor/env"
)

// Process is one process of the simulated machines: a coroutine, with one more
// for each call that its Fans have under way.
type Process struct {
	engine      *Engine
	name        string
	id          int // spawn order
	incarnation int // how many processes of this name there were, with it
	index       int // in Engine.live
	root        *scope
	main        *coroutine
	coros       []*coroutine
	holds       []*hold
	streams     []namedStream
	over        bool // ended or crashed: none of its code has any effect
}

// Name returns the name it was spawned with.
func (p *Process) Name() string { return p.name }

// String is the name, with the incarnation from the second on: "resume#2".
func (p *Process) String() string {
	if p.incarnation == 1 {
		return p.name
	}
	return fmt.Sprintf("%s#%d", p.name, p.incarnation)
}

// Alive reports whether the process runs or will run.
func (p *Process) Alive() bool { return !p.over }

// Interrupt ends the process's context for a cause, as a signal would that the
// program handles.
func (p *Process) Interrupt(cause error) {
	if !p.over {
		p.root.close(cause)
	}
}

// wake says why a coroutine goes on.
type wake int8

const (
	byTimer  wake = iota // its time has come
	byCancel             // a context that it waits with was cancelled
	byGrant              // it holds the lock
	byFan                // its Fan has ended
)

// coroutine is one line of work of a process.
type coroutine struct {
	p      *Process
	index  int // in Process.coros
	fn     func()
	ended  bool
	worker *worker

	timer Timer // the event that wakes it, where there is one
	why   wake
	watch watch // the context that may wake it before
	queue *lock // the lock it waits for
	hold  *hold // the lock it was given
}

// killed unwinds a process that crashed. Only the root of a coroutine recovers
// it; the executor's code never calls recover (executor/env/seamcheck).
type killed struct{}

// worker is what coroutines run on, one after the other: the stack of a new one
// would grow again with every process.
type worker struct {
	co      *coroutine
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	stopped bool
}

// idleWorkers is how many workers are kept for coroutines to come.
const idleWorkers = 8

func newWorker() *worker {
	w := &worker{}
	w.next, w.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.yield = yield
		for {
			w.co.run()
			if w.stopped || !yield(struct{}{}) {
				return
			}
		}
	})
	return w
}

// run is the whole of a coroutine's work.
func (co *coroutine) run() {
	defer func() { co.ended = true }()
	defer co.caught()
	co.fn()
}

// start makes a coroutine that runs fn from the present instant on.
func (p *Process) start(fn func()) *coroutine {
	e := p.engine
	co := &coroutine{p: p, index: len(p.coros), fn: fn}
	if last := len(e.idle) - 1; last >= 0 {
		co.worker, e.idle = e.idle[last], e.idle[:last]
	} else {
		co.worker = newWorker()
	}
	co.worker.co = co
	p.coros = append(p.coros, co)
	co.timer = p.engine.schedule(p.engine.now, nil, co)
	return co
}

// caught is the deferred root of every coroutine. A panic while a dead process
// unwinds is the unwinding itself, or a deferred call that tripped over it; any
// other is real, and the stack is still that of its origin.
func (co *coroutine) caught() {
	r := recover()
	if r == nil || co.p.over {
		return
	}
	e := co.p.engine
	e.failed = &PanicError{Process: co.p.String(), At: e.now, Value: r, Stack: debug.Stack()}
}

// park gives the turn back to the engine until something wakes the coroutine.
func (co *coroutine) park() wake {
	if !co.worker.yield(struct{}{}) {
		co.worker.stopped = true
		panic(killed{})
	}
	return co.why
}

// wake lets a parked coroutine go on at the present instant.
func (co *coroutine) wake(why wake) {
	e := co.p.engine
	e.queue.cancel(co.timer)
	co.unwatch()
	co.why = why
	co.timer = e.schedule(e.now, nil, co)
}

// resume runs a coroutine until it parks or ends.
func (e *Engine) resume(co *coroutine) {
	co.unwatch()
	co.timer = Timer{}
	e.current = co
	co.worker.next()
	e.current = nil
	if !co.ended {
		return
	}
	e.release(co.worker)
	co.worker = nil
	p := co.p
	last := len(p.coros) - 1
	p.coros[co.index] = p.coros[last]
	p.coros[co.index].index = co.index
	p.coros[last] = nil
	p.coros = p.coros[:last]
	if co == p.main {
		e.end(p)
	}
}

// release keeps a worker whose coroutine has ended, or ends it.
func (e *Engine) release(w *worker) {
	w.co = nil
	if len(e.idle) < idleWorkers {
		e.idle = append(e.idle, w)
	} else {
		w.stop()
	}
}

// dismiss ends the workers that have nothing to do: nobody would find them in an
// Engine that is dropped.
func (e *Engine) dismiss() {
	for _, w := range e.idle {
		w.stop()
	}
	e.idle = nil
}

// end frees what a process held: its locks at the very instant, and its
// contexts.
func (e *Engine) end(p *Process) {
	if p.over {
		return
	}
	p.over = true
	last := len(e.live) - 1
	e.live[p.index] = e.live[last]
	e.live[p.index].index = p.index
	e.live[last] = nil
	e.live = e.live[:last]
	for _, co := range p.coros {
		e.queue.cancel(co.timer)
		co.unwatch()
		if co.queue != nil {
			co.queue.leave(co)
		}
	}
	p.root.discard()
	for _, h := range p.holds {
		h.free()
	}
	p.holds, p.streams = nil, nil
}

// Crash ends a process as a power failure would: from this instant on, no code
// of it has any effect. Its deferred calls run while it unwinds, but every Env
// refuses them, and so does every port that calls Enter or an Env first. A
// process may crash itself; then Crash does not return.
func (e *Engine) Crash(p *Process) {
	if p.over {
		return
	}
	e.end(p)
	e.doomed = append(e.doomed, p)
	if e.current == nil {
		e.unwindDoomed()
	} else if e.current.p == p {
		panic(killed{})
	}
}

// unwindDoomed runs the deferred calls of crashed processes. It waits for the
// engine's turn: a coroutine cannot unwind itself.
func (e *Engine) unwindDoomed() {
	for len(e.doomed) > 0 {
		p := e.doomed[0]
		e.doomed = e.doomed[1:]
		for _, co := range slices.Clone(p.coros) {
			e.current = co
			co.worker.stop()
			e.current = nil
		}
		p.coros = nil
	}
}

// Enter is how a port of a simulation begins a call: it refuses a process that
// is dead (by a panic that unwinds it) and gives Options.OnCall its chance to
// crash it. A port that Enters again after its effect lets a process die
// between an effect and its answer. On other Envs than this package's it does
// nothing.
func Enter(e env.Env, call string) {
	if v, ok := e.(*virtual); ok && v.engine.current != nil {
		v.engine.current.p.enter(call)
	}
}

// Running returns the process whose code is running, nil in a callback.
func (e *Engine) Running() *Process {
	if e.current == nil {
		return nil
	}
	return e.current.p
}

func (p *Process) enter(call string) {
	if p.over {
		panic(killed{})
	}
	if f := p.engine.opt.OnCall; f != nil {
		f(p, call)
		if p.over {
			panic(killed{})
		}
	}
}

// waits says what a process waits for.
func (p *Process) waits() string {
	var locks []string
	for _, co := range p.coros {
		if co.queue != nil {
			locks = append(locks, fmt.Sprintf("lock %s, held by %v", co.queue.name, co.queue.holder.p))
		}
	}
	slices.Sort(locks)
	return strings.Join(slices.Compact(locks), "; ")
}

// PanicError is a process's panic.
type PanicError struct {
	Process string
	At      env.Time
	Value   any
	Stack   []byte // of the process, where it panicked
}

// Error is the panic with its stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("process %s panicked at %v: %v\n\n%s", e.Process, e.At, e.Value, e.Stack)
}

// Unwrap returns the panic's value where it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Leak is a process that waited when nothing could wake it any more.
type Leak struct{ Process, Waits string }

// LeakError lists them, in the order in which they were spawned.
type LeakError struct {
	At    env.Time
	Leaks []Leak
}

// Error has one line a process.
func (e *LeakError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d processes wait for ever at %v:", len(e.Leaks), e.At)
	for _, l := range e.Leaks {
		fmt.Fprintf(&b, "\n%s waits for %s", l.Process, l.Waits)
	}
	return b.String()
}
