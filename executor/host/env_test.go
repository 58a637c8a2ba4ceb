package host

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aws-slurm-burst/executor/env"
)

func newTestEnv(t *testing.T) (*Env, *bytes.Buffer) {
	var people bytes.Buffer
	return NewEnv(t.TempDir(), NewLog(&people)), &people
}

func TestTimeAndWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newTestEnv(t)
		start := e.Now()
		if start != env.At(time.Now()) {
			t.Errorf("Now is %v, the clock says %v", start, time.Now())
		}
		if err := e.Sleep(t.Context(), time.Minute); err != nil || e.Now().Sub(start) != time.Minute {
			t.Error(err, e.Now().Sub(start))
		}
		if err := e.Sleep(t.Context(), -1); err != nil {
			t.Error(err)
		}

		end := e.Now().Add(time.Second)
		ctx, cancel := e.WithDeadline(t.Context(), end)
		defer cancel()
		if d, _ := ctx.Deadline(); env.At(d) != end {
			t.Errorf("Deadline %v, want %v", d, end)
		}
		if err := e.Sleep(ctx, time.Hour); err != context.DeadlineExceeded || e.Now() != end {
			t.Error(err, e.Now())
		}
		for _, d := range []time.Duration{0, time.Second} {
			if err := e.Sleep(ctx, d); err != context.DeadlineExceeded {
				t.Error("slept in a context that had ended:", err)
			}
		}
		stop := errors.New("SIGTERM")
		ctx, why := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { why(stop) })
		if err := e.Sleep(ctx, time.Hour); err != stop {
			t.Error(err)
		}
		past, cancel := e.WithDeadline(t.Context(), 0)
		defer cancel()
		if past.Err() != context.DeadlineExceeded {
			t.Error(past.Err())
		}
	})
}

func TestFanKeepsItsLimit(t *testing.T) {
	for _, limit := range []int{-1, 0, 1, 3, 99} {
		synctest.Test(t, func(t *testing.T) {
			e, _ := newTestEnv(t)
			start := e.Now()
			var running, most atomic.Int32
			out := env.Map(t.Context(), e, limit, []int{0, 1, 2, 3, 4, 5}, func(ctx context.Context, i int) (int, error) {
				n := running.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				defer running.Add(-1)
				return i * i, e.Sleep(ctx, time.Second)
			})
			want := limit
			if limit < 1 || limit > 6 {
				want = 6
			}
			if int(most.Load()) != want || e.Now().Sub(start) != time.Duration((6+want-1)/want)*time.Second {
				t.Errorf("limit %d: %d at a time, took %v", limit, most.Load(), e.Now().Sub(start))
			}
			for i, r := range out {
				if r.Value != i*i || r.Err != nil {
					t.Errorf("%d: %+v", i, r)
				}
			}
			e.Fan(t.Context(), limit, 0, func(context.Context, int) { t.Error("called for nothing") })
		})
	}
}

func TestAPanicOfAWorkerComesOutInTheCaller(t *testing.T) {
	e, _ := newTestEnv(t)
	var done atomic.Int32
	defer func() {
		err, _ := recover().(error)
		if err == nil || !strings.Contains(err.Error(), "no such rung") || !strings.Contains(err.Error(), "breakHere") {
			t.Errorf("%v", err)
		}
		if done.Load() != 3 {
			t.Error("Fan did not wait for the others")
		}
	}()
	e.Fan(t.Context(), 0, 4, func(_ context.Context, i int) {
		if i == 1 {
			breakHere()
		}
		time.Sleep(10 * time.Millisecond)
		done.Add(1)
	})
	t.Error("Fan returned")
}

//go:noinline
func breakHere() { panic("no such rung") }

func TestRandomNumbersDifferEachTime(t *testing.T) {
	e, _ := newTestEnv(t)
	if e.Rand("nonce").Uint64() == e.Rand("nonce").Uint64() {
		t.Error("the same number twice")
	}
	if f := e.Rand("f").Float64(); f < 0 || f >= 1 {
		t.Error(f)
	}
}
