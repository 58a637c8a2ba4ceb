package sched_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/slurm/sched"
)

// cpu is the processor time that this process has used: what neighbours on the
// machine do changes it less than the clock's.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkThunder replays LLNL-Thunder, 1,002 nodes of 4 processors, under each
// policy: the scheduler alone, on nodes that are always up.
func BenchmarkThunder(b *testing.B) {
	for _, c := range []struct {
		name string
		opt  sched.Options
	}{
		{"fifo", sched.Options{Policy: sched.FIFO}},
		{"easy", sched.Options{Policy: sched.EASY}},
		{"slurm", sched.Options{Policy: sched.Slurm}},
		{"easy-shared", sched.Options{Policy: sched.EASY, Shared: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			jobs := archived(b, "LLNL-Thunder-2007-1.1-cln.swf.gz")
			b.ReportAllocs()
			start := cpu()
			for b.Loop() {
				s := cluster(b, c.opt, 1002, sched.Class{CPUs: 4})
				place(b, s, "batch", "")
				r := &replay{s: s}
				var next func() *work
				next, r.ended = onNodes(jobs, 4, 12*time.Hour)
				r.run(b, next)
			}
			b.ReportMetric(float64(len(jobs)*b.N)/(cpu()-start).Seconds(), "jobs/cpu-s")
		})
	}
}

// BenchmarkJobs shows that a job costs the same in a long workload as in a short
// one: 100 nodes under a load of 0.8.
func BenchmarkJobs(b *testing.B) {
	for _, n := range []int{1e4, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			start := cpu()
			for b.Loop() {
				s := cluster(b, sched.Options{Policy: sched.EASY}, 100, sched.Class{CPUs: 1})
				place(b, s, "batch", "")
				(&replay{s: s}).run(b, random(n))
			}
			b.ReportMetric(float64((cpu()-start).Nanoseconds())/float64(b.N)/float64(n), "cpu-ns/job")
		})
	}
}

// random yields n jobs of 1 to 16 nodes, which use 80 of 100.
func random(n int) func() *work {
	s := simulator.New(simulator.Options{Seed: 3}).Rand("queue", "jobs")
	now, id := 0.0, int64(0)
	return func() *work {
		if id == int64(n) {
			return nil
		}
		id++
		run := 1000 * exponential(s)
		now += exponential(s) * 1000 * 8.5 / 80
		nodes := 1 + int32(s.Uint64()%16)
		return &work{run: time.Duration(run * 1e9), Job: sched.Job{
			ID: id, Submit: env.Time(now * 1e9), MinNodes: nodes, MaxNodes: nodes, Limit: time.Duration((1 + 4*s.Float64()) * run * 1e9),
		}}
	}
}

// A pending job takes 400 bytes at most: itself, and its place in the queue.
func TestAPendingJobIsSmall(t *testing.T) {
	const n = 50_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	s := cluster(t, sched.Options{Policy: sched.EASY}, 1, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	before := heap()
	jobs := make([]*sched.Job, n)
	for i := range jobs {
		jobs[i] = whole(int64(i+1), 1, 100)
		submit(s, 0, jobs[i])
	}
	s.Pass(0, false)
	perJob := float64(heap()-before) / n
	runtime.KeepAlive(jobs)
	runtime.KeepAlive(s)
	t.Logf("%.0f bytes a pending job", perJob)
	if perJob > 400 {
		t.Errorf("a pending job takes %.0f bytes", perJob)
	}
}
