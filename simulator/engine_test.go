package simulator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aws-slurm-burst/executor/env"
)

// run runs an engine to its end and fails the test on any error.
func run(t *testing.T, e *Engine) {
	t.Helper()
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
}

func TestEventsHappenInOrderOfTimeThenOfAsking(t *testing.T) {
	e := New(Options{Start: 100})
	var got []string
	say := func(s string) func() {
		return func() { got = append(got, fmt.Sprintf("%d %s", e.Now(), s)) }
	}
	e.At(300, say("c"))
	e.At(200, say("a"))
	e.At(200, say("b"))
	e.At(5, say("past"))
	gone := e.At(250, say("cancelled"))
	if !e.Cancel(gone) || e.Cancel(gone) || e.Cancel(Timer{}) {
		t.Error("Cancel does not say whether there was something to cancel")
	}
	e.After(-1, say("now"))
	run(t, e)
	want := []string{"100 past", "100 now", "200 a", "200 b", "300 c"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if e.Events() != 5 {
		t.Errorf("%d events", e.Events())
	}
}

func TestCancelledEventsDoNotMoveTheClock(t *testing.T) {
	e := New(Options{})
	e.Spawn("p", func(ctx context.Context, v env.Env) {
		for range 1000 {
			_, cancel := v.WithDeadline(ctx, v.Now().Add(time.Hour))
			_ = v.Sleep(ctx, time.Second)
			cancel()
			if n := len(e.queue.heap); n > 200 {
				t.Fatalf("%d cancelled events kept", n)
			}
		}
		_, _ = v.WithDeadline(ctx, v.Now().Add(time.Hour)) //nolint:govet // the process's end cancels it
	})
	run(t, e)
	if want := env.Time(1000 * time.Second); e.Now() != want {
		t.Errorf("ended at %v, want %v", e.Now(), want)
	}
}

func TestQueueGivesTheOrderOfASort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var timers []Timer
		left := map[Timer]event{}
		n := rapid.IntRange(1, 400).Draw(t, "n")
		for i := range n {
			ev := event{at: env.Time(rapid.IntRange(0, 20).Draw(t, "at")), rank: uint64(rapid.IntRange(0, 2).Draw(t, "tie"))<<32 | uint64(i+1)}
			timer := q.push(ev, func() {}, nil)
			timers = append(timers, timer)
			left[timer] = ev
			if rapid.IntRange(0, 2).Draw(t, "cancel") > 0 {
				gone := rapid.SampledFrom(timers).Draw(t, "which")
				_, live := left[gone]
				if q.cancel(gone) != live {
					t.Fatal("cancel lied")
				}
				delete(left, gone)
			}
		}
		var want, got []uint64
		for _, ev := range slices.SortedFunc(maps.Values(left), func(a, b event) int {
			if a.at < b.at || a.at == b.at && a.rank < b.rank {
				return -1
			}
			return 1
		}) {
			want = append(want, ev.rank)
		}
		for {
			ev, _, _, ok := q.pop(forever)
			if !ok {
				break
			}
			got = append(got, ev.rank)
		}
		if !slices.Equal(want, got) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestRunUntilStopsAtTheInstantAndGoesOn(t *testing.T) {
	e := New(Options{})
	var got []env.Time
	e.Spawn("p", func(ctx context.Context, v env.Env) {
		for range 4 {
			_ = v.Sleep(ctx, 10)
			got = append(got, v.Now())
		}
	})
	if err := e.RunUntil(25); err != nil || e.Now() != 25 || len(got) != 2 {
		t.Fatal(err, e.Now(), got)
	}
	run(t, e)
	if d := cmp.Diff([]env.Time{10, 20, 30, 40}, got); d != "" {
		t.Error(d)
	}
}

// scenario is a busy little world: processes that fan out, sleep at random,
// take locks and give up on them. It returns what it traced.
func scenario(seed uint64, shuffle bool) (hash uint64, trace []string) {
	e := New(Options{Seed: seed, ShuffleTies: shuffle, OnTrace: func(at env.Time, kind string, f []Field) {
		trace = append(trace, fmt.Sprint(int64(at), kind, f))
	}})
	for i := range 20 {
		e.Spawn(fmt.Sprint("p", i%7), func(ctx context.Context, v env.Env) {
			v.Fan(ctx, 3, 8, func(ctx context.Context, j int) {
				ctx, cancel := v.WithDeadline(ctx, v.Now().Add(30*time.Millisecond))
				defer cancel()
				r := v.Rand("work")
				unlock, err := v.Lock(ctx, fmt.Sprint("lock", r.Uint64()%3))
				if err != nil {
					e.Trace("gave up", Number(uint64(i)), Number(uint64(j)))
					return
				}
				defer unlock()
				err = v.Sleep(ctx, time.Duration(r.Float64()*float64(20*time.Millisecond)).Truncate(time.Millisecond))
				e.Trace("slept", Number(uint64(i)), Number(uint64(j)), Text(fmt.Sprint(err)))
			})
		})
	}
	if err := e.Run(); err != nil {
		panic(err)
	}
	return e.Hash(), trace
}

func TestSameSeedSameRunForAnyGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, shuffle := range []bool{false, true} {
		hashes := map[uint64]bool{}
		for seed := range uint64(20) {
			runtime.GOMAXPROCS(1)
			h1, t1 := scenario(seed, shuffle)
			runtime.GOMAXPROCS(2)
			h2, t2 := scenario(seed, shuffle)
			if h1 != h2 || len(t1) != 160 {
				t.Fatalf("seed %d: %x and %x, %d events: %s", seed, h1, h2, len(t1), cmp.Diff(t1, t2))
			}
			hashes[h1] = true
		}
		if len(hashes) != 20 {
			t.Errorf("20 seeds, %d hashes", len(hashes))
		}
	}
}

func TestShuffledTiesReorderOneInstant(t *testing.T) {
	orders := map[string]bool{}
	for seed := range uint64(50) {
		e := New(Options{Seed: seed, ShuffleTies: true})
		var got strings.Builder
		for _, s := range []string{"a", "b", "c"} {
			e.At(1, func() { got.WriteString(s) })
		}
		run(t, e)
		orders[got.String()] = true
	}
	if len(orders) != 6 {
		t.Errorf("of 6 orders saw %v", orders)
	}
}

func TestHashTellsRunsApart(t *testing.T) {
	for name, two := range map[string][2]func(*Engine){
		"kind":           {func(e *Engine) { e.Trace("a") }, func(e *Engine) { e.Trace("b") }},
		"where it cuts":  {func(e *Engine) { e.Trace("k", Text("ab"), Text("c")) }, func(e *Engine) { e.Trace("k", Text("a"), Text("bc")) }},
		"zero fields":    {func(e *Engine) { e.Trace("k") }, func(e *Engine) { e.Trace("k", Number(0)) }},
		"order":          {func(e *Engine) { e.Trace("a"); e.Trace("b") }, func(e *Engine) { e.Trace("b"); e.Trace("a") }},
		"time":           {func(e *Engine) { e.Trace("a") }, func(e *Engine) { _ = e.RunUntil(1); e.Trace("a") }},
		"long text":      {func(e *Engine) { e.Trace("a", Text("i-0123456789abcdef0")) }, func(e *Engine) { e.Trace("a", Text("i-0123456789abcdef1")) }},
		"nothing at all": {func(e *Engine) {}, func(e *Engine) { e.Trace("") }},
	} {
		a, b := New(Options{Seed: 1}), New(Options{Seed: 1})
		two[0](a)
		two[1](b)
		if a.Hash() == b.Hash() {
			t.Errorf("%s: same hash", name)
		}
	}
	e := New(Options{})
	if n := testing.AllocsPerRun(100, func() { e.Trace("launch", Text("c6i.large"), Number(8)) }); n != 0 {
		t.Errorf("Trace allocates %v times", n)
	}
}

func TestStreamsAreIndependentOfEachOther(t *testing.T) {
	draw := func(before int) (p, again, model uint64) {
		e := New(Options{Seed: 7})
		for range before {
			e.Rand("ec2", "boot").Uint64()
		}
		e.Spawn("p", func(_ context.Context, v env.Env) {
			for range before {
				v.Rand("other").Uint64()
			}
			p = v.Rand("s").Uint64()
		})
		e.Spawn("p", func(_ context.Context, v env.Env) { again = v.Rand("s").Uint64() })
		run(t, e)
		return p, again, e.Rand("ec2", "spot").Uint64()
	}
	p0, a0, m0 := draw(0)
	p1, a1, m1 := draw(9)
	if p0 != p1 || a0 != a1 || m0 != m1 {
		t.Error("a draw from one stream shifted another")
	}
	if p0 == a0 {
		t.Error("a process started again draws the same numbers")
	}
	e := New(Options{Seed: 7})
	if e.Rand("a", "b").Uint64() == e.Rand("a", "b").Uint64() {
		t.Error("a stream asked for again begins again")
	}
	// A bucket of 100 holds 10,000 +- 5 standard deviations (about 100 each).
	var buckets [100]int
	for range 1_000_000 {
		f := e.Rand("x", "y").Float64()
		buckets[int(f*100)]++
	}
	for i, n := range buckets {
		if n < 9500 || n > 10500 {
			t.Errorf("bucket %d has %d", i, n)
		}
	}
	_ = rand.New(e.Rand("x", "y")).NormFloat64() // a Source of the standard library
}

func TestAPanicComesOutOfRunWithNameAndStack(t *testing.T) {
	e := New(Options{})
	other := e.Spawn("bystander", func(ctx context.Context, v env.Env) { _ = v.Sleep(ctx, time.Hour) })
	cause := errors.New("index out of luck")
	e.Spawn("resume", func(ctx context.Context, v env.Env) {
		v.Fan(ctx, 0, 3, func(ctx context.Context, i int) {
			_ = v.Sleep(ctx, time.Second)
			if i == 1 {
				thisIsWhereItBroke(cause)
			}
		})
	})
	err := e.Run()
	var p *PanicError
	if !errors.As(err, &p) || p.Process != "resume" || p.At != env.Time(time.Second) || !errors.Is(err, cause) {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(err.Error(), "thisIsWhereItBroke") {
		t.Errorf("the stack is not the process's own: %v", err)
	}
	if other.Alive() || e.Run() != err {
		t.Error("a broken run goes on")
	}
}

//go:noinline
func thisIsWhereItBroke(err error) { panic(err) }

func TestEndlessRunsEnd(t *testing.T) {
	e := New(Options{MaxEvents: 1000})
	e.Spawn("p", func(ctx context.Context, v env.Env) {
		for v.Sleep(ctx, 0) == nil {
		}
	})
	if err := e.Run(); !errors.Is(err, ErrEvents) {
		t.Error(err)
	}
}

func TestProcessesSayThingsIntoTheLog(t *testing.T) {
	e := New(Options{})
	p := e.Spawn("p", func(ctx context.Context, v env.Env) {
		env.Debugf(v, "d", "not for people")
		_ = v.Sleep(ctx, time.Second)
		env.Warnf(v, "w", "%d of %d", 3, 4)
	})
	e.After(time.Millisecond, func() { env.Infof(e.Env(), "m", "from a model") })
	run(t, e)
	if d := cmp.Diff([]string{"WARN: 3 of 4"}, p.Lines()); d != "" {
		t.Error(d)
	}
	l := e.Logged()
	if len(l) != 3 || l[1].Process != nil || l[2].At != env.Time(time.Second) || l[2].Process != p {
		t.Errorf("%+v", l)
	}
	said := 0
	e = New(Options{OnLog: func(Logged) { said++ }})
	env.Infof(e.Env(), "m", "x")
	if said != 1 || e.Logged() != nil {
		t.Error("OnLog does not take it")
	}
	if v := e.Env(); !v.Hears(env.Debug) {
		t.Error("somebody listens, and nobody hears")
	}
	e = New(Options{Mute: true})
	e.Env().Log(env.Event{Level: env.Error, Text: "x"})
	if e.Env().Hears(env.Error) || e.Logged() != nil {
		t.Error("Mute keeps what is said")
	}
}

func TestTenThousandProcesses(t *testing.T) {
	e := New(Options{Seed: 1})
	done := 0
	for range 10_000 {
		e.Spawn("p", func(ctx context.Context, v env.Env) {
			r := v.Rand("nap")
			for range 5 {
				if v.Sleep(ctx, time.Duration(r.Uint64()%1e9)) != nil {
					return
				}
			}
			done++
		})
	}
	run(t, e)
	if done != 10_000 {
		t.Errorf("%d came to their end", done)
	}
}

func TestMisuseIsSaidPlainly(t *testing.T) {
	e := New(Options{})
	var others env.Env
	e.Spawn("a", func(_ context.Context, v env.Env) { others = v })
	e.Spawn("b", func(ctx context.Context, _ env.Env) { _ = others.Sleep(ctx, 1) })
	if err := e.Run(); err == nil || !strings.Contains(err.Error(), "Env.Sleep of process a called by process b") {
		t.Error(err)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "callback") {
			t.Error(r)
		}
	}()
	_ = New(Options{}).Env().Sleep(t.Context(), 1)
}
