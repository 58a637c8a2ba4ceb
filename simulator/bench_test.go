package simulator

import (
	"container/heap"
	"context"
	"fmt"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
)

// stdHeap is what one would write with container/heap.
type stdHeap []*event

func (h stdHeap) Len() int           { return len(h) }
func (h stdHeap) Less(i, j int) bool { return h[i].before(h[j]) }
func (h stdHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *stdHeap) Push(x any)        { *h = append(*h, x.(*event)) }
func (h *stdHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// BenchmarkHold is the classical measure of event queues: take the first, put
// one back at a random distance, with 1,000 pending. The ratio to
// container/heap in the same minute says more than the time.
func BenchmarkHold(b *testing.B) {
	const pending = 1000
	rnd := &Stream{}
	gap := func() env.Time { return env.Time(rnd.Uint64() % 1e9) }

	var q queue
	fn := func() {}
	for i := range pending {
		q.push(event{at: gap(), rank: uint64(i + 1)}, fn, nil)
	}
	seq := uint64(pending)
	b.ReportAllocs()
	for b.Loop() {
		ev, _, _, _ := q.pop(forever)
		seq++
		q.push(event{at: ev.at + gap(), rank: seq}, fn, nil)
	}
	ours := float64(b.Elapsed()) / float64(b.N)
	b.StopTimer()

	std := &stdHeap{}
	for i := range pending {
		heap.Push(std, &event{at: gap(), rank: uint64(i + 1)})
	}
	start := time.Now()
	for i := range b.N {
		ev := heap.Pop(std).(*event)
		heap.Push(std, &event{at: ev.at + gap(), rank: uint64(pending + i)})
	}
	b.ReportMetric(float64(time.Since(start))/float64(b.N)/ours, "x-container/heap")
}

func BenchmarkSleep(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n, "-processes"), func(b *testing.B) {
			e := New(Options{})
			defer e.Close()
			for range n {
				e.Spawn("p", func(ctx context.Context, v env.Env) {
					r := v.Rand("nap")
					for v.Sleep(ctx, time.Duration(r.Uint64()%1e9)) == nil {
					}
				})
			}
			// All have started; 2n events a second, so that one step is about 2n/1000.
			_ = e.RunUntil(env.Time(time.Second))
			start := e.Events()
			b.ReportAllocs()
			b.ResetTimer()
			for e.Events()-start < uint64(b.N) {
				if err := e.RunUntil(e.Now().Add(time.Millisecond)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCallback is an event that is a function, with 1,000 pending.
func BenchmarkCallback(b *testing.B) {
	e := New(Options{})
	rnd := e.Rand("bench", "gap")
	left := b.N
	var tick func()
	tick = func() {
		if left--; left >= 0 {
			e.After(time.Duration(rnd.Uint64()%1e9), tick)
		}
	}
	for range 1000 {
		e.After(time.Duration(rnd.Uint64()%1e9), tick)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := e.Run(); err != nil {
		b.Fatal(err)
	}
}
