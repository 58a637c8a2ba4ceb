// Package simulator is the engine of a simulation: virtual time, an event
// queue, processes that run the executor's own blocking code as coroutines, and
// a hash over everything that happened.
//
// An Engine is single-threaded: coroutines and callbacks take turns on the
// goroutine that calls Run, in the total order (time, tie key, sequence). So a
// run is a function of its seed, whatever GOMAXPROCS is. Run simulations in
// parallel by giving each an Engine of its own.
//
// The package knows neither EC2 nor Slurm: their models are simulator/ec2 and
// simulator/slurm, and live on At, After and Env.
package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"aws-slurm-burst/executor/env"
)

// Options of an Engine. The zero value is a run from instant 0 with seed 0.
type Options struct {
	// Seed determines every random number of the run.
	Seed uint64
	// Start is the instant at which the clock begins, the epoch or later.
	Start env.Time
	// ShuffleTies orders events of the same instant at random (by the seed)
	// instead of first come, first served: a search for orders that matter.
	ShuffleTies bool
	// MaxEvents ends a run that never ends, such as two processes that keep
	// waking each other; 0 is no limit.
	MaxEvents uint64

	// OnCall is called before each Sleep, Lock, Fan, WithDeadline and Log of a
	// process and on each Enter of a port, and may Crash it there.
	OnCall func(p *Process, call string)
	// OnEvent is called after each event: the place to check invariants.
	OnEvent func()
	// OnLog takes what processes say; where it is nil, Logged keeps it.
	OnLog func(Logged)
	// Mute says that nobody listens to them: most say nothing then.
	Mute bool
	// OnTrace sees what goes into the trace hash.
	OnTrace func(at env.Time, kind string, fields []Field)
}

// Engine runs a simulation.
type Engine struct {
	opt     Options
	now     env.Time
	seq     uint64
	ties    *Stream
	queue   queue
	current *coroutine // whose code is running; nil for a callback
	live    []*Process
	doomed  []*Process // crashed, not unwound yet
	idle    []*worker  // of coroutines that have ended
	names   map[string]int
	spawned int
	locks   map[string]*lock
	streams map[streamKey]*Stream
	hash    uint64
	events  uint64
	logged  []Logged
	failed  error
}

// New returns an Engine at opt.Start.
func New(opt Options) *Engine {
	return &Engine{
		opt: opt, now: max(opt.Start, 0),
		ties:    newStream(opt.Seed, "engine", 0, "ties"),
		names:   map[string]int{},
		locks:   map[string]*lock{},
		streams: map[streamKey]*Stream{},
		hash:    scramble(opt.Seed),
	}
}

// forever is later than every event.
const forever = env.Time(math.MaxInt64)

// Now returns the virtual instant.
func (e *Engine) Now() env.Time { return e.now }

// Events returns how many events have happened.
func (e *Engine) Events() uint64 { return e.events }

// At calls fn at t, or now where t is past. It allocates nothing once the
// queue has grown, as long as fn is not a new closure.
func (e *Engine) At(t env.Time, fn func()) Timer { return e.schedule(t, fn, nil) }

// After calls fn when d has passed.
func (e *Engine) After(d time.Duration, fn func()) Timer { return e.schedule(e.later(d), fn, nil) }

// Cancel takes a callback back and reports whether it was still to come.
func (e *Engine) Cancel(t Timer) bool { return e.queue.cancel(t) }

// later returns the instant after d, which is now for a negative d and the end
// of time for one that does not fit.
func (e *Engine) later(d time.Duration) env.Time {
	if d <= 0 {
		return e.now
	}
	if t := e.now.Add(d); t > e.now {
		return t
	}
	return forever
}

func (e *Engine) schedule(t env.Time, fn func(), co *coroutine) Timer {
	e.seq++
	rank := e.seq
	if e.opt.ShuffleTies {
		rank = e.ties.Uint64()<<32 | e.seq&math.MaxUint32
	}
	return e.queue.push(event{at: max(t, e.now), rank: rank}, fn, co)
}

// Run runs until no event is left. Processes that are still waiting then wait
// for ever: they are unwound, and Run returns a *LeakError. A process that
// panics ends the run: Run returns a *PanicError.
func (e *Engine) Run() error {
	defer e.dismiss()
	if err := e.run(forever); err != nil {
		return err
	}
	if len(e.live) == 0 {
		return nil
	}
	slices.SortFunc(e.live, func(a, b *Process) int { return cmp.Compare(a.id, b.id) })
	leak := &LeakError{At: e.now}
	for _, p := range e.live {
		leak.Leaks = append(leak.Leaks, Leak{Process: p.String(), Waits: p.waits()})
	}
	e.Close()
	return leak
}

// RunUntil runs all events up to and including t and leaves the clock at t.
// What waits then goes on waiting: call Run, RunUntil or Close.
func (e *Engine) RunUntil(t env.Time) error {
	err := e.run(t)
	if err == nil {
		e.now = max(e.now, t)
	}
	return err
}

// ErrEvents is the error of a run that reached Options.MaxEvents.
var ErrEvents = errors.New("too many events: does the simulation never end?")

func (e *Engine) run(until env.Time) error {
	if e.current != nil {
		panic("simulator: Run called by a process of the simulation")
	}
	for e.failed == nil {
		ev, fn, co, ok := e.queue.pop(until)
		if !ok {
			return nil
		}
		e.now = ev.at
		e.events++
		if co != nil {
			e.resume(co)
		} else {
			fn()
		}
		e.unwindDoomed()
		if e.failed == nil && e.opt.OnEvent != nil {
			e.opt.OnEvent()
		}
		if e.failed == nil && e.opt.MaxEvents > 0 && e.events >= e.opt.MaxEvents {
			e.failed = fmt.Errorf("%w (%d, at %v)", ErrEvents, e.events, e.now)
		}
	}
	e.Close()
	return e.failed
}

// Close ends every process, as Crash does. An Engine that is dropped between
// RunUntil and its end needs it, or its coroutines stay in memory, also those that
// wait for a process to come.
func (e *Engine) Close() {
	for len(e.live) > 0 {
		e.Crash(e.live[len(e.live)-1])
	}
	e.dismiss()
}

// Env returns an Env for models, which serve many processes: it acts for the
// one that is running. A callback may call its Now, Rand and Log alone.
func (e *Engine) Env() env.Env { return &virtual{engine: e} }

// Spawn starts a process at the present instant. Its context ends with it, and
// by Process.Interrupt.
func (e *Engine) Spawn(name string, fn func(ctx context.Context, e env.Env)) *Process {
	e.names[name]++
	e.spawned++
	p := &Process{engine: e, name: name, id: e.spawned, incarnation: e.names[name], index: len(e.live)}
	p.root = newScope(context.Background(), p, nil)
	e.live = append(e.live, p)
	v := &virtual{engine: e, p: p}
	p.main = p.start(func() { fn(p.root, v) })
	return p
}
