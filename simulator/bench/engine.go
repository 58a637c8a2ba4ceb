package main

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/fschuetz04/simgo"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
)

const (
	pending   = 1000      // events or processes at once
	callbacks = 2_000_000 // events of a measurement
	sleeps    = 400_000
)

// engine compares an event that is a function with the hold of a queue that is
// written with container/heap: each takes the first and puts one back.
func (b *bench) engine() {
	allocs := 0.0
	ours, std := b.pairs(func() float64 {
		ns, per := callback()
		allocs = max(allocs, per)
		return ns
	}, hold)
	b.add("callback event, 1,000 pending, to container/heap's hold", fmt.Sprintf("%.0f ns, %.1f x (%.0f ns)", ours, std/ours, std), "at least 2 x", std >= 2*ours)
	b.add("callback event: allocations", fmt.Sprintf("%.4f an event", allocs), "0", allocs < 0.001)
}

func callback() (ns, allocs float64) {
	e := simulator.New(simulator.Options{})
	rnd := e.Rand("bench", "gap")
	left := callbacks
	var tick func()
	tick = func() {
		if left--; left >= 0 {
			e.After(time.Duration(rnd.Uint64()%1e9), tick)
		}
	}
	for range pending {
		e.After(time.Duration(rnd.Uint64()%1e9), tick)
	}
	_ = e.RunUntil(0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpu()
	if err := e.Run(); err != nil {
		panic(err)
	}
	took := cpu() - start
	runtime.ReadMemStats(&after)
	return float64(took) / callbacks, float64(after.Mallocs-before.Mallocs) / callbacks
}

// item is what one would put into container/heap for an event.
type item struct {
	at  int64
	seq uint64
	fn  func()
}

type items []*item

func (h items) Len() int { return len(h) }
func (h items) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h items) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *items) Push(x any)   { *h = append(*h, x.(*item)) }
func (h *items) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func hold() float64 {
	rnd := rand.New(rand.NewPCG(1, 1))
	h := &items{}
	fn := func() {}
	seq := uint64(0)
	push := func(now int64) {
		seq++
		heap.Push(h, &item{now + int64(rnd.Uint64()%1e9), seq, fn})
	}
	for range pending {
		push(0)
	}
	start := cpu()
	for range callbacks {
		x := heap.Pop(h).(*item)
		x.fn()
		push(x.at)
	}
	return float64(cpu()-start) / callbacks
}

// sleep compares blocking code: 1,000 processes, each of which sleeps again and
// again.
func (b *bench) sleep() {
	ours, go2 := b.pairs(sleepOurs, sleepSimgo)
	b.add("blocking sleep, 1,000 processes, to simgo 0.7.0", fmt.Sprintf("%.0f ns, %.1f x (%.0f ns)", ours, go2/ours, go2), "at least 5 x", go2 >= 5*ours)
	if b.python == "" {
		b.left = append(b.left, "SimPy and AccaSim: no --python")
		return
	}
	ours, py := b.pairs(sleepOurs, b.sleepSimPy)
	b.add("blocking sleep, 1,000 processes, to SimPy 4.1.2", fmt.Sprintf("%.0f ns, %.1f x (%.0f ns)", ours, py/ours, py), "at least 4 x", py >= 4*ours)
}

func sleepOurs() float64 {
	e := simulator.New(simulator.Options{})
	defer e.Close()
	for range pending {
		e.Spawn("p", func(ctx context.Context, v env.Env) {
			r := v.Rand("nap")
			for v.Sleep(ctx, time.Duration(r.Uint64()%1e9)) == nil {
			}
		})
	}
	_ = e.RunUntil(env.Time(time.Second)) // all have started
	first := e.Events()
	start := cpu()
	for e.Events()-first < sleeps {
		if err := e.RunUntil(e.Now().Add(time.Second)); err != nil {
			panic(err)
		}
	}
	return float64(cpu()-start) / float64(e.Events()-first)
}

func sleepSimgo() float64 {
	sim := simgo.NewSimulation()
	defer sim.Shutdown()
	rnd := rand.New(rand.NewPCG(1, 1))
	events := 0
	for range pending {
		sim.Process(func(p simgo.Process) {
			for {
				events++
				p.Wait(p.Timeout(rnd.Float64()))
			}
		})
	}
	sim.RunUntil(1)
	first := events
	start := cpu()
	for until := 2.0; events-first < sleeps; until++ {
		sim.RunUntil(until)
	}
	return float64(cpu()-start) / float64(events-first)
}

func (b *bench) sleepSimPy() float64 {
	return b.py("simpy", strconv.Itoa(pending), strconv.Itoa(sleeps))
}

// py runs a measurement of others.py, which prints one number.
func (b *bench) py(args ...string) float64 {
	out, err := exec.Command(b.python, append([]string{"others.py"}, args...)...).Output()
	if err != nil {
		panic(fmt.Sprintf("others.py %s: %v", strings.Join(args, " "), err))
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		panic(err)
	}
	return n
}
