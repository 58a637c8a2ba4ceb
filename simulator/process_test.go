package simulator

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/env"
)

const second = time.Second

func TestFanKeepsItsLimitAndItsOrder(t *testing.T) {
	for _, limit := range []int{-1, 0, 1, 2, 5, 99} {
		e := New(Options{})
		var begun []int
		running, most := 0, 0
		e.Spawn("p", func(ctx context.Context, v env.Env) {
			v.Fan(ctx, limit, 7, func(ctx context.Context, i int) {
				begun = append(begun, i)
				running++
				most = max(most, running)
				_ = v.Sleep(ctx, time.Duration(i%3+1)*second)
				running--
			})
			if running != 0 {
				t.Error("Fan returned before its calls")
			}
			v.Fan(ctx, limit, 0, func(context.Context, int) { t.Error("called for nothing") })
		})
		run(t, e)
		want := limit
		if limit < 1 || limit > 7 {
			want = 7
		}
		if most != want {
			t.Errorf("limit %d: %d at a time", limit, most)
		}
		if d := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6}, begun); d != "" {
			t.Errorf("limit %d: %s", limit, d)
		}
	}
}

func TestNestedFansRunSideBySide(t *testing.T) {
	e := New(Options{})
	sum := 0
	e.Spawn("p", func(ctx context.Context, v env.Env) {
		out := env.Map(ctx, v, 0, []int{1, 2, 3}, func(ctx context.Context, i int) (int, error) {
			inner := env.Map(ctx, v, 2, []int{10, 20, 30, 40}, func(ctx context.Context, j int) (int, error) {
				return i * j, v.Sleep(ctx, second)
			})
			s := 0
			for _, r := range inner {
				s += r.Value
			}
			return s, nil
		})
		for _, r := range out {
			sum += r.Value
		}
	})
	run(t, e)
	if sum != 600 || e.Now() != env.Time(2*second) {
		t.Errorf("sum %d at %v", sum, e.Now())
	}
}

func TestDeadlinesEndWaiting(t *testing.T) {
	e := New(Options{Start: 1000})
	e.Spawn("p", func(ctx context.Context, v env.Env) {
		end := v.Now().Add(5 * second)
		limited, cancel := v.WithDeadline(ctx, end)
		defer cancel()
		if d, ok := limited.Deadline(); !ok || env.At(d) != end {
			t.Errorf("Deadline %v %v", d, ok)
		}
		if err := v.Sleep(limited, second); err != nil || limited.Err() != nil {
			t.Error("ended early:", err)
		}
		// Children end at once, whoever derived them.
		later, cancelLater := v.WithDeadline(limited, end.Add(second))
		defer cancelLater()
		std, cancelStd := context.WithCancel(context.WithValue(limited, "k", "v"))
		defer cancelStd()
		timed, cancelTimed := context.WithTimeout(limited, time.Hour)
		defer cancelTimed()
		if err := v.Sleep(later, time.Hour); err != context.DeadlineExceeded || v.Now() != end {
			t.Errorf("%v at %v", err, v.Now())
		}
		for name, c := range map[string]context.Context{"ours": limited, "child": later, "standard child": std, "timed child": timed} {
			select {
			case <-c.Done():
			default:
				t.Error(name, "is not done")
			}
			if context.Cause(c) != context.DeadlineExceeded || c.Err() == nil {
				t.Error(name, c.Err(), context.Cause(c))
			}
		}
		if limited.Err() != context.DeadlineExceeded || later.Err() != context.DeadlineExceeded {
			t.Error(limited.Err(), later.Err())
		}
		if ctx.Err() != nil {
			t.Error("the parent ended, too")
		}
		if err := v.Sleep(std, second); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if _, err := v.Lock(limited, "l"); err != context.DeadlineExceeded {
			t.Error(err)
		}
		// At its end already, or below a parent that ended.
		for _, d := range []env.Time{0, v.Now()} {
			past, c := v.WithDeadline(ctx, d)
			if past.Err() != context.DeadlineExceeded {
				t.Error(past.Err())
			}
			c()
		}
		below, c := v.WithDeadline(limited, end.Add(time.Hour))
		if below.Err() != context.DeadlineExceeded || v.Sleep(below, 1) == nil {
			t.Error(below.Err())
		}
		c()
	})
	run(t, e)
	if e.Now() != env.Time(1000).Add(5*second) {
		t.Error("a child's deadline moved the clock:", e.Now())
	}
}

func TestSleepThatEndsWithItsDeadline(t *testing.T) {
	e := New(Options{})
	e.Spawn("p", func(ctx context.Context, v env.Env) {
		limited, cancel := v.WithDeadline(ctx, env.Time(second))
		defer cancel()
		if err := v.Sleep(limited, second); err != context.DeadlineExceeded {
			t.Error("the deadline was asked for first:", err)
		}
	})
	run(t, e)
}

func TestCancelAndInterruptEndWaiting(t *testing.T) {
	e := New(Options{})
	stop := errors.New("SIGTERM")
	var got []string
	p := e.Spawn("p", func(ctx context.Context, v env.Env) {
		inner, cancel := v.WithDeadline(ctx, env.Time(time.Hour))
		v.Fan(ctx, 0, 4, func(ctx context.Context, i int) {
			var err error
			switch i {
			case 0:
				err = v.Sleep(inner, time.Minute)
			case 1:
				_ = v.Sleep(ctx, second)
				cancel()
				cancel()
				return
			case 2:
				err = v.Sleep(ctx, time.Minute)
			case 3: // outlives the interruption
				free, c := v.WithDeadline(context.WithoutCancel(ctx), env.Time(4*second))
				defer c()
				err = v.Sleep(free, time.Minute)
			}
			got = append(got, fmt.Sprint(i, " ", v.Now().Sub(0), " ", err))
		})
		if err := v.Sleep(context.WithoutCancel(ctx), second); err != nil {
			t.Error(err)
		}
	})
	e.After(2*second, func() { p.Interrupt(stop) })
	run(t, e)
	want := []string{"0 1s context canceled", "2 2s SIGTERM", "3 4s context deadline exceeded"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if e.Now() != env.Time(5*second) {
		t.Error(e.Now())
	}
	p.Interrupt(stop) // after its end: nothing
}

func TestADeadlineWakesThoseWhoWaitInTheirOrder(t *testing.T) {
	e := New(Options{})
	var got []int
	e.Spawn("p", func(ctx context.Context, v env.Env) {
		ctx, cancel := v.WithDeadline(ctx, env.Time(second))
		defer cancel()
		v.Fan(ctx, 0, 5, func(ctx context.Context, i int) {
			if i == 2 { // leaves the middle of those who wait
				_ = v.Sleep(ctx, 1)
				return
			}
			_ = v.Sleep(ctx, time.Hour)
			got = append(got, i)
		})
	})
	run(t, e)
	if !slices.Equal(got, []int{0, 1, 3, 4}) {
		t.Error(got)
	}
}

func TestContextsDetachedFromADeadlineSleepOn(t *testing.T) {
	e := New(Options{})
	e.Spawn("p", func(ctx context.Context, v env.Env) {
		limited, cancel := v.WithDeadline(ctx, env.Time(second))
		defer cancel()
		free, stop := context.WithCancel(context.WithoutCancel(limited))
		defer stop()
		below, c := v.WithDeadline(free, env.Time(8*second))
		defer c()
		if err := v.Sleep(free, 3*second); err != nil || v.Now() != env.Time(3*second) {
			t.Error(err, v.Now())
		}
		if err := v.Sleep(below, time.Hour); err != context.DeadlineExceeded || v.Now() != env.Time(8*second) {
			t.Error(err, v.Now())
		}
	})
	run(t, e)
}

func TestLocksExcludeAndServeInOrder(t *testing.T) {
	e := New(Options{})
	var got []string
	inside := 0
	for i := range 4 {
		e.Spawn(fmt.Sprint("p", i), func(ctx context.Context, v env.Env) {
			limited, cancel := v.WithDeadline(ctx, env.Time(25*second))
			defer cancel()
			unlock, err := v.Lock(limited, "node-1")
			if err != nil {
				got = append(got, fmt.Sprint(i, " ", v.Now().Sub(0), " ", err))
				return
			}
			if inside++; inside != 1 {
				t.Error("two hold it")
			}
			got = append(got, fmt.Sprint(i, " ", v.Now().Sub(0)))
			_ = v.Sleep(ctx, 10*second)
			inside--
			unlock()
			unlock()
		})
	}
	e.Spawn("other", func(ctx context.Context, v env.Env) {
		if _, err := v.Lock(ctx, "node-2"); err != nil || v.Now() != 0 {
			t.Error("locks of two names exclude each other", err)
		}
		if _, err := v.Lock(ctx, "../x"); err == nil {
			t.Error("a lock's name can be a path")
		}
	})
	run(t, e)
	want := []string{"0 0s", "1 10s", "2 20s", "3 25s context deadline exceeded"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(e.locks) != 0 {
		t.Error("locks are left:", e.locks)
	}
}

func TestGrantAndDeadlineAtOneInstant(t *testing.T) {
	e := New(Options{})
	holds := 0
	e.Spawn("first", func(ctx context.Context, v env.Env) {
		unlock, _ := v.Lock(ctx, "l")
		_ = v.Sleep(ctx, second) // asked for before the other's deadline
		unlock()
	})
	for range 2 {
		e.Spawn("second", func(ctx context.Context, v env.Env) {
			limited, cancel := v.WithDeadline(ctx, env.Time(second))
			defer cancel()
			if _, err := v.Lock(limited, "l"); err == nil {
				holds++
				_ = v.Sleep(ctx, second)
			}
		})
	}
	run(t, e)
	if holds != 1 || len(e.locks) != 0 {
		t.Errorf("%d got it, left %v", holds, e.locks)
	}
}

func TestLocksOfTheDeadAreFree(t *testing.T) {
	for _, how := range []string{"end", "crash"} {
		e := New(Options{})
		var owner *Process
		owner = e.Spawn("owner", func(ctx context.Context, v env.Env) {
			unlock, _ := v.Lock(ctx, "l")
			defer unlock() // must not free the lock of the next one
			_ = v.Sleep(ctx, second)
			if how == "crash" {
				e.Crash(owner)
			}
		})
		var at []env.Time
		for range 2 {
			e.Spawn("next", func(ctx context.Context, v env.Env) {
				if _, err := v.Lock(ctx, "l"); err != nil {
					t.Error(err)
				}
				at = append(at, v.Now())
				_ = v.Sleep(ctx, second)
			})
		}
		run(t, e)
		if d := cmp.Diff([]env.Time{env.Time(second), env.Time(2 * second)}, at); d != "" {
			t.Errorf("%s: %s", how, d)
		}
	}
}

func TestLeaksAreUnwoundAndReported(t *testing.T) {
	before := runtime.NumGoroutine()
	e := New(Options{})
	unwound := 0
	for i := range 3 {
		e.Spawn("p", func(ctx context.Context, v env.Env) {
			defer func() { unwound++ }()
			v.Fan(ctx, 0, 2, func(ctx context.Context, j int) {
				defer func() { unwound++ }()
				if i == 1 {
					return
				}
				_, _ = v.Lock(ctx, "l")
			})
		})
	}
	err := e.Run()
	var leak *LeakError
	if !errors.As(err, &leak) {
		t.Fatal(err)
	}
	want := []Leak{{"p", "lock l, held by p"}, {"p#3", "lock l, held by p"}}
	if d := cmp.Diff(want, leak.Leaks); d != "" {
		t.Error(d)
	}
	if unwound != 9 || runtime.NumGoroutine() > before {
		t.Errorf("%d unwound, %d goroutines before, %d now", unwound, before, runtime.NumGoroutine())
	}
	e.Spawn("after", func(ctx context.Context, v env.Env) { _, err = v.Lock(ctx, "l") })
	run(t, e)
	if err != nil {
		t.Error("a leaked process kept its lock:", err)
	}
}

// port stands for any port of a simulation: it enters before its effect.
type port struct {
	env     env.Env
	effects []string
}

func (p *port) do(what string) {
	Enter(p.env, what)
	p.effects = append(p.effects, what)
}

func TestNothingOfACrashedProcessHasAnEffect(t *testing.T) {
	for name, crash := range map[string]func(*Engine, *Process){
		"from a callback": func(e *Engine, p *Process) { e.After(5*second, func() { e.Crash(p) }) },
		"from another one": func(e *Engine, p *Process) {
			e.Spawn("x", func(ctx context.Context, v env.Env) { _ = v.Sleep(ctx, 5*second); e.Crash(p) })
		},
		"twice in an instant": func(e *Engine, p *Process) { e.After(5*second, func() { e.Crash(p); e.Crash(p) }) },
	} {
		e := New(Options{})
		model := &port{env: e.Env()}
		deferred := 0
		p := e.Spawn("victim", func(ctx context.Context, v env.Env) {
			limited, cancel := v.WithDeadline(ctx, env.Time(time.Hour))
			defer cancel()
			unlock, _ := v.Lock(ctx, "l")
			defer unlock()
			defer model.do("tidy up")
			defer env.Infof(v, "bye", "bye")
			defer func() { _ = v.Sleep(context.Background(), 1) }()
			defer func() { v.Now() }()
			defer func() { v.Rand("x") }()
			defer func() { deferred++ }()
			v.Fan(limited, 0, 2, func(ctx context.Context, i int) {
				defer func() { deferred++; model.do("tidy up below") }()
				_ = v.Sleep(ctx, second)
				model.do("work")
				_ = v.Sleep(ctx, time.Minute)
				model.do("too late")
			})
		})
		crash(e, p)
		run(t, e)
		if d := cmp.Diff([]string{"work", "work"}, model.effects); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if deferred != 3 || p.Alive() || len(e.Logged()) != 0 || len(e.locks) != 0 || e.Now() != env.Time(5*second) {
			t.Errorf("%s: %d deferred, alive %v, said %v, locks %v, ended at %v", name, deferred, p.Alive(), e.Logged(), e.locks, e.Now())
		}
	}
}

func TestACrashAtEveryCallOfAProcess(t *testing.T) {
	body := func(m *port) func(context.Context, env.Env) {
		return func(ctx context.Context, v env.Env) {
			unlock, _ := v.Lock(ctx, "l")
			defer unlock()
			m.do("intent")
			v.Fan(ctx, 0, 2, func(ctx context.Context, i int) {
				_ = v.Sleep(ctx, second)
				m.do(fmt.Sprint("launch ", i))
			})
			env.Infof(v, "done", "done")
		}
	}
	var calls []string
	e := New(Options{OnCall: func(_ *Process, call string) { calls = append(calls, call) }})
	m := &port{env: e.Env()}
	e.Spawn("p", body(m))
	run(t, e)
	if want := []string{"Lock", "intent", "Fan", "Sleep", "Sleep", "launch 0", "launch 1", "Log"}; !slices.Equal(want, calls) {
		t.Fatal(calls)
	}
	all := m.effects
	for at := range calls {
		n := 0
		var e *Engine
		e = New(Options{OnCall: func(p *Process, _ string) {
			if n++; n == at+1 {
				e.Crash(p)
			}
		}})
		m := &port{env: e.Env()}
		e.Spawn("p", body(m))
		run(t, e)
		var want []string
		for _, c := range calls[:at] {
			if slices.Contains(all, c) {
				want = append(want, c)
			}
		}
		if d := cmp.Diff(want, m.effects); d != "" {
			t.Errorf("crash at %d (%s): %s", at, calls[at], d)
		}
	}
}

func TestCrashBeforeTheFirstStep(t *testing.T) {
	e := New(Options{})
	p := e.Spawn("p", func(context.Context, env.Env) { t.Error("ran") })
	e.Crash(p)
	run(t, e)
	Enter(e.Env(), "outside of every process") // nothing
}

func TestProcessesThatFollowEachOtherShareAStack(t *testing.T) {
	before := runtime.NumGoroutine()
	e := New(Options{})
	most := 0
	var next func(n int)
	next = func(n int) {
		p := e.Spawn("p", func(ctx context.Context, v env.Env) {
			if v.Sleep(ctx, time.Second); n%3 == 0 {
				e.Crash(e.Running())
			}
		})
		e.After(2*time.Second, func() {
			if p.Alive() {
				t.Errorf("process %d lives", n)
			}
			if most = max(most, runtime.NumGoroutine()-before); n < 50 {
				next(n + 1)
			}
		})
	}
	next(1)
	if err := e.RunUntil(env.Time(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if most != 1 {
		t.Errorf("%d stacks for processes of which one runs at a time", most)
	}
	e.Close()
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines before, %d after Close", before, now)
	}
}

// What others know of a scope is made when they ask: whenever that is, it says the
// same.
func TestAScopeSaysTheSameWheneverItIsAsked(t *testing.T) {
	type key struct{}
	reason := errors.New("told to stop")
	for _, early := range []bool{true, false} {
		e := New(Options{})
		var derived, late context.Context
		p := e.Spawn("p", func(ctx context.Context, v env.Env) {
			ctx = context.WithValue(ctx, key{}, "value")
			first, cancel := v.WithDeadline(ctx, v.Now().Add(time.Second))
			defer cancel()
			second, cancel := v.WithDeadline(ctx, v.Now().Add(time.Hour))
			defer cancel()
			third, cancel := v.WithDeadline(second, v.Now().Add(time.Minute))
			defer cancel()
			if early {
				for _, c := range []context.Context{first, second, third} {
					if c.Done() == nil || c.Err() != nil || c.Value(key{}) != "value" {
						t.Errorf("at the beginning: %v, %v", c.Err(), c.Value(key{}))
					}
				}
				var stop context.CancelFunc
				derived, stop = context.WithCancel(third)
				defer stop()
			}
			_ = v.Sleep(ctx, time.Hour) // until it is interrupted
			late = first
			for c, want := range map[context.Context]error{first: context.DeadlineExceeded, second: reason, third: reason} {
				if err := context.Cause(c); err != want {
					t.Errorf("asked early: %v: cause %v, want %v", early, err, want)
				}
				if err := c.Err(); (err == context.DeadlineExceeded) != (want == context.DeadlineExceeded) || err == nil {
					t.Errorf("asked early: %v: %v, with the cause %v", early, err, want)
				}
				select {
				case <-c.Done():
				default:
					t.Errorf("asked early: %v: ended, and not done", early)
				}
			}
			if early && derived.Err() == nil {
				t.Error("what was derived lives on")
			}
		})
		e.After(2*time.Second, func() { p.Interrupt(reason) })
		run(t, e)
		if context.Cause(late) != context.DeadlineExceeded || late.Value(key{}) != "value" {
			t.Errorf("after the end: cause %v, value %v", context.Cause(late), late.Value(key{}))
		}
	}
}
