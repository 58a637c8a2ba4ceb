// Package host is the production side of the executor's ports: the clock,
// goroutines, locks, files, processes and the log. It is the only room, beside
// awscloud, that touches os, net and time.
//
// It decides nothing: what to launch and what to say is the rooms' concern.
package host

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"aws-slurm-burst/executor/env"
)

// Env is env.Env on the machine it runs on.
type Env struct {
	locks *locks
	log   *Log
	// start has a monotonic reading, from which all time is counted: a clock
	// that is set meanwhile, as after a boot, neither ends a deadline nor
	// stretches one.
	start time.Time
	// interrupt ends all waiting, and nothing else: see Until.
	interrupt context.Context
}

var _ env.Env = (*Env)(nil)

// NewEnv returns an Env whose locks are files in lockDir and which speaks to
// log.
func NewEnv(lockDir string, log *Log) *Env {
	return &Env{locks: newLocks(lockDir), log: log, start: time.Now(), interrupt: context.Background()}
}

// ErrInterrupted is the cause of a wait that a signal ended.
var ErrInterrupted = errors.New("interrupted")

// Until returns the Env with waiting that ends once ctx is done, for a program
// that was told to stop: calls under way go on to their end, so that their
// answers are not lost, but nothing new is waited for.
func (e *Env) Until(ctx context.Context) *Env {
	u := *e
	u.interrupt = ctx
	return &u
}

// Now returns the wall clock's time at the start and what has passed since.
func (e *Env) Now() env.Time { return env.At(e.start).Add(time.Since(e.start)) }

// Sleep waits on a real timer.
func (e *Env) Sleep(ctx context.Context, d time.Duration) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case e.interrupt.Err() != nil:
		return ErrInterrupted
	case d <= 0:
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-e.interrupt.Done():
		return ErrInterrupted
	}
}

// WithDeadline is context.WithDeadline.
func (e *Env) WithDeadline(ctx context.Context, t env.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, e.start.Add(t.Sub(env.At(e.start))))
}

// Fan runs the calls on goroutines. A panic of one comes out of Fan, in the
// caller's goroutine, with the stack of where it happened.
func (e *Env) Fan(ctx context.Context, limit, n int, fn func(ctx context.Context, i int)) {
	if limit < 1 || limit > n {
		limit = n
	}
	var wg sync.WaitGroup
	var once sync.Once
	var panicked error
	slots := make(chan struct{}, max(limit, 1))
	for i := range n {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer func() {
				if p := recover(); p != nil {
					once.Do(func() { panicked = fmt.Errorf("%v\n\n%s", p, debug.Stack()) })
				}
				<-slots
				wg.Done()
			}()
			fn(ctx, i)
		}()
	}
	wg.Wait()
	if panicked != nil {
		panic(panicked)
	}
}

// Lock takes a lock file; see locks.
func (e *Env) Lock(ctx context.Context, name string) (func(), error) {
	waiting, cancel := context.WithCancelCause(ctx)
	defer context.AfterFunc(e.interrupt, func() { cancel(ErrInterrupted) })()
	defer cancel(nil)
	return e.locks.lock(waiting, name)
}

// Rand returns a new generator, seeded by the machine: in production no two
// calls shall draw the same nonce, whatever the stream's name.
func (e *Env) Rand(string) env.Rand {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails, it says
	return rand.New(rand.NewChaCha8(seed))
}

// Log writes an event to the log.
func (e *Env) Log(ev env.Event) { e.log.Write(e.Now(), ev) }

// Hears reports whether the log takes events of a level.
func (e *Env) Hears(l env.Level) bool { return e.log.Takes(l) }
