// Package env is the seam between the executor and the world: time, waiting,
// fan-out, turns, chance and speech. Executor code is plain blocking Go written
// against Env, so the same code runs on a real clock under slurmctld and in
// virtual time inside the simulator.
//
// The package holds no implementation: executor/host has the production one,
// simulator the virtual one. It imports nothing of this module.
package env

import (
	"context"
	"time"
)

// Time is an instant in nanoseconds since the Unix epoch. A simulation counts
// from an epoch of its own; nothing may assume that Time is today.
type Time int64

// Add returns t+d.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns t-u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Before reports whether t is earlier than u.
func (t Time) Before(u Time) bool { return t < u }

// IsZero reports whether t is the zero Time, which stands for "not known".
func (t Time) IsZero() bool { return t == 0 }

// Std returns t as a time.Time in UTC, for printing and for the wire.
func (t Time) Std() time.Time { return time.Unix(0, int64(t)).UTC() }

// String formats t as RFC 3339 in UTC, to the millisecond.
func (t Time) String() string { return t.Std().Format("2006-01-02T15:04:05.000Z") }

// At converts a time.Time; the zero time.Time becomes the zero Time.
func At(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixNano())
}

// Env is everything that executor code may ask of the world besides its own
// ports. All methods may be called from any function that Fan runs.
type Env interface {
	// Now returns the current instant.
	Now() Time

	// Sleep waits for d, or until ctx is done; then it returns
	// context.Cause(ctx). A d of zero or less yields without waiting.
	Sleep(ctx context.Context, d time.Duration) error

	// WithDeadline is context.WithDeadline on this Env's clock.
	// context.Cause of the expired context is context.DeadlineExceeded.
	WithDeadline(ctx context.Context, t Time) (context.Context, context.CancelFunc)

	// Fan calls fn(ctx, 0) ... fn(ctx, n-1), at most limit at a time (all at
	// once for limit < 1), and returns when every call has returned. Calls
	// share nothing: fn(i) writes only what belongs to i. Most callers want
	// Map, which keeps that promise for them.
	Fan(ctx context.Context, limit, n int, fn func(ctx context.Context, i int))

	// Lock takes the named lock, shared by all processes of a cluster, and
	// waits for it until ctx is done; then it returns context.Cause(ctx). The
	// lock of a dead process is free. Names are letters, digits, '-', '_', '.'.
	// The returned function gives the lock back and may be called twice.
	Lock(ctx context.Context, name string) (unlock func(), err error)

	// Rand returns the named stream of random numbers. Streams are
	// independent: one more draw from one never shifts another.
	Rand(stream string) Rand

	// Log records an event. It never fails and never blocks for long: a
	// closed or broken output must not stop the work.
	Log(e Event)

	// Hears reports whether anybody takes events of a level. Who would work for the
	// words of one asks first: most calls speak to a log that keeps no debug events.
	Hears(l Level) bool
}

// Rand draws pseudo-random numbers. Implementations need not be safe for
// concurrent use; ask Env.Rand for a stream of your own inside Fan.
type Rand interface {
	// Uint64 returns a uniform 64-bit value.
	Uint64() uint64
	// Float64 returns a uniform value in [0, 1).
	Float64() float64
}

// Result is the outcome of one item of Map.
type Result[R any] struct {
	Value R
	Err   error
}

// Map applies fn to every item, at most limit at a time, and returns one
// Result an item, in the order of the items. An error of one item cancels no
// other.
func Map[T, R any](ctx context.Context, e Env, limit int, items []T, fn func(context.Context, T) (R, error)) []Result[R] {
	out := make([]Result[R], len(items))
	e.Fan(ctx, limit, len(items), func(ctx context.Context, i int) {
		out[i].Value, out[i].Err = fn(ctx, items[i])
	})
	return out
}
