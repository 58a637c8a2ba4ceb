package slurm

import (
	"context"
	"time"

	"aws-slurm-burst/executor/env"
)

// testEnv is an Env for one goroutine: time passes only in Sleep.
type testEnv struct {
	now    env.Time
	ends   map[context.Context]deadline
	events []env.Event
}

type deadline struct {
	at     env.Time
	cancel context.CancelCauseFunc
}

func newEnv() *testEnv { return &testEnv{now: 1e18, ends: map[context.Context]deadline{}} }

func (e *testEnv) Now() env.Time { return e.now }

func (e *testEnv) WithDeadline(ctx context.Context, t env.Time) (context.Context, context.CancelFunc) {
	c, cancel := context.WithCancelCause(ctx)
	e.ends[c] = deadline{t, cancel}
	return c, func() { cancel(context.Canceled); delete(e.ends, c) }
}

func (e *testEnv) Sleep(ctx context.Context, d time.Duration) error {
	until := e.now.Add(d)
	if end, ok := e.ends[ctx]; ok && end.at.Before(until) {
		e.now = end.at
		end.cancel(context.DeadlineExceeded)
		return context.Cause(ctx)
	}
	e.now = until
	return nil
}

func (e *testEnv) Fan(ctx context.Context, _, n int, fn func(context.Context, int)) {
	for i := range n {
		fn(ctx, i)
	}
}

func (e *testEnv) Lock(context.Context, string) (func(), error) { return func() {}, nil }
func (e *testEnv) Rand(string) env.Rand                         { return nil }
func (e *testEnv) Log(ev env.Event)                             { e.events = append(e.events, ev) }
func (e *testEnv) Hears(env.Level) bool                         { return true }
