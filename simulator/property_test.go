package simulator

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aws-slurm-burst/executor/env"
)

// TestLocksAndCrashesUnderAnySchedule: whatever processes do to each other, a
// lock has one live holder, nobody dead acts, nothing is left over, and the
// same choices give the same run.
func TestLocksAndCrashesUnderAnySchedule(t *testing.T) {
	before := runtime.NumGoroutine()
	rapid.Check(t, func(t *rapid.T) {
		type victim struct{ who, at int }
		seed := rapid.Uint64().Draw(t, "seed")
		n := rapid.IntRange(1, 8).Draw(t, "processes")
		var crashes, interrupts []victim
		for range rapid.IntRange(0, 4).Draw(t, "crashes") {
			crashes = append(crashes, victim{rapid.IntRange(0, n-1).Draw(t, "who"), rapid.IntRange(0, 60).Draw(t, "at")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "interrupts") {
			interrupts = append(interrupts, victim{rapid.IntRange(0, n-1).Draw(t, "who"), rapid.IntRange(0, 60).Draw(t, "at")})
		}
		shuffle := rapid.Bool().Draw(t, "shuffle")

		once := func() (uint64, string) {
			e := New(Options{Seed: seed, ShuffleTies: shuffle, MaxEvents: 1e6})
			holder := map[string]*Process{}
			procs := make([]*Process, n)
			for i := range procs {
				procs[i] = e.Spawn(fmt.Sprint("p", i), func(ctx context.Context, v env.Env) {
					v.Fan(ctx, 2, 4, func(ctx context.Context, j int) {
						r := v.Rand(fmt.Sprint(j))
						ctx, cancel := v.WithDeadline(ctx, v.Now().Add(time.Duration(r.Uint64()%30)))
						defer cancel()
						name := fmt.Sprint("l", r.Uint64()%2)
						unlock, err := v.Lock(ctx, name)
						if err != nil {
							return
						}
						defer unlock()
						if h := holder[name]; h != nil && h.Alive() {
							panic(fmt.Sprintf("%v and %v both hold %s", h, procs[i], name))
						}
						if !procs[i].Alive() {
							panic("the dead act")
						}
						holder[name] = procs[i]
						err = v.Sleep(ctx, time.Duration(r.Uint64()%10))
						Enter(v, "release")
						holder[name] = nil
						e.Trace(name, Number(uint64(i)), Number(uint64(j)), Text(fmt.Sprint(err)))
					})
				})
			}
			for _, c := range crashes {
				e.At(env.Time(c.at), func() { e.Crash(procs[c.who]) })
			}
			for _, c := range interrupts {
				e.At(env.Time(c.at), func() { procs[c.who].Interrupt(context.Canceled) })
			}
			if err := e.Run(); err != nil {
				return 0, err.Error()
			}
			if len(e.locks) != 0 || len(e.live) != 0 || len(e.queue.heap) != e.queue.stale {
				return 0, fmt.Sprintf("left over: locks %v, processes %v, %d events", e.locks, e.live, len(e.queue.heap))
			}
			return e.Hash(), ""
		}
		a, err := once()
		if err != "" {
			t.Fatal(err)
		}
		if b, _ := once(); a != b {
			t.Fatalf("two runs, hashes %x and %x", a, b)
		}
	})
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines before, %d after", before, now)
	}
}

// TestMemoryOfAProcess keeps a parked process within a few kilobytes, most of
// which is its stack.
func TestMemoryOfAProcess(t *testing.T) {
	const n = 5000
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := used()
	e := New(Options{})
	defer e.Close()
	for range n {
		e.Spawn("p", func(ctx context.Context, v env.Env) { _ = v.Sleep(ctx, time.Hour) })
	}
	if err := e.RunUntil(1); err != nil {
		t.Fatal(err)
	}
	each := (used() - before) / n
	t.Logf("%d bytes", each)
	if each > 8<<10 {
		t.Errorf("a parked process takes %d bytes", each)
	}
}
