package ctld_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/ctld"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/swf"
	wtrace "aws-slurm-burst/simulator/workload/trace"
)

// thunder is LLNL-Thunder's log, from the project's root beside the clone.
const thunder = "../../../../shared/data/LLNL-Thunder-2007-1.1-cln.swf.gz"

func trace(tb testing.TB, name string) []workload.Job {
	tb.Helper()
	f, err := os.Open(name)
	if err != nil {
		if os.Getenv("ASBA_REQUIRE_TRACES") != "" {
			tb.Fatal(err)
		}
		tb.Skipf("no trace: %v", err)
	}
	defer f.Close()
	var jobs []workload.Job
	for j, err := range swf.NewReader(f, swf.Options{Options: wtrace.Options{Lenient: true}}).Jobs() {
		if err != nil {
			tb.Fatal(err)
		}
		if j.Limit == 0 {
			j.Limit = 2*j.Run + time.Minute // two thirds of this log's jobs do not say
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// machines boot within 90 s and register.
type machines struct {
	engine *simulator.Engine
	d      *ctld.Daemon
	calls  int
	nodes  int
}

func (m *machines) Resume(nodes []string, _ []byte) {
	m.calls++
	m.nodes += len(nodes)
	m.engine.After(90*time.Second, func() {
		for _, n := range nodes {
			if m.d.Booting(n) {
				m.d.Register(n, "i-"+n)
			}
		}
	})
}
func (*machines) Suspend([]string)    {}
func (*machines) ResumeFail([]string) {}

// halves is a cluster of nodes of cores, half of them in the cloud, that every
// job may use: on the premises first.
func halves(nodes, cores int) conf.Settings {
	c := conf.Defaults()
	local := nodes / 2
	c.Nodes = []conf.Node{
		{Names: fmt.Sprintf("rack[0001-%04d]", local), CPUs: cores, Memory: 1000, Weight: 1},
		{Names: fmt.Sprintf("aws-[0001-%04d]", nodes-local), CPUs: cores, Memory: 1000, Weight: 10, Cloud: true, Addr: "10.9.9.9"},
	}
	c.Partitions = []conf.Partition{conf.DefaultPartition("all")}
	c.ResumeProgram, c.SuspendProgram = "/resume", "/suspend"
	c.ResumeTimeout, c.SuspendTime = 10*time.Minute, 10*time.Minute
	c.ResumeRate, c.SuspendRate = 0, 0
	c.SuspendExcNodes = []string{c.Nodes[0].Names}
	return c
}

// simulate runs jobs and returns the daemon and what booted.
func simulate(tb testing.TB, c conf.Settings, policy sched.Policy, jobs []workload.Job, sink record.Sink) (*ctld.Daemon, *machines) {
	tb.Helper()
	e := simulator.New(simulator.Options{Start: start, MaxEvents: 1e8})
	defer e.Close()
	m := &machines{engine: e}
	d, err := ctld.New(ctld.Options{Engine: e, Conf: c, Policy: policy, Programs: m, Sink: sink})
	if err != nil {
		tb.Fatal(err)
	}
	m.d = d
	next := 0
	var feed func()
	feed = func() {
		for next < len(jobs) && start.Add(jobs[next].Submit) <= e.Now() {
			j := jobs[next]
			next++
			j.Partition = ""
			if err := d.Submit(j); err != nil {
				tb.Log(err)
			}
		}
		if next < len(jobs) {
			e.At(start.Add(jobs[next].Submit), feed)
		}
	}
	e.At(start, feed)
	if err := e.Run(); err != nil {
		tb.Fatal(err)
	}
	return d, m
}

// BenchmarkThunder is 121,000 jobs of LLNL-Thunder on its 1,002 nodes, half of
// them in the cloud, powered up and down as they are needed.
func BenchmarkThunder(b *testing.B) {
	jobs := trace(b, thunder)
	for _, policy := range []sched.Policy{sched.EASY, sched.Slurm} {
		b.Run(policy.String(), func(b *testing.B) {
			b.ReportAllocs()
			var d *ctld.Daemon
			var m *machines
			events := 0
			for b.Loop() {
				d, m = simulate(b, halves(1002, 4), policy, jobs, func(record.Event) { events++ })
			}
			b.ReportMetric(float64(len(jobs)*b.N)/b.Elapsed().Seconds(), "jobs/s")
			b.Logf("%d jobs, %+v, %d nodes booted in %d calls, %d events", len(jobs), d.Counts(), m.nodes, m.calls, events/b.N)
		})
	}
}

// BenchmarkFlat is the cost of a job in ever longer workloads on 100 nodes, half
// of them in the cloud, that are busy for four fifths of the time.
func BenchmarkFlat(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				r := simulator.New(simulator.Options{Seed: 1}).Rand("bench", "jobs")
				jobs := make([]workload.Job, n)
				var at time.Duration
				for i := range jobs {
					run := time.Duration(r.Float64() * float64(time.Hour))
					jobs[i] = workload.Job{ID: int64(i + 1), Submit: at, Run: run, Limit: 2 * run, Procs: int32(1 + r.Uint64()%16), User: "u"}
					at += time.Duration(r.Float64() * 112 * float64(time.Second)) // 2.5 nodes for half an hour every 56 s
				}
				b.ResetTimer()
				simulate(b, halves(100, 4), sched.EASY, jobs, nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*b.N), "ns/job")
		})
	}
}

// BenchmarkPending is what a job takes that waits: in the tables, the queue and
// the daemon.
func BenchmarkPending(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(perPending(b, n), "B/job")
			}
		})
	}
}

// perPending is how many bytes a pending job takes where n wait.
func perPending(tb testing.TB, n int) float64 {
	e := simulator.New(simulator.Options{Start: start, MaxEvents: 1e8})
	defer e.Close()
	c := halves(10, 4)
	d, err := ctld.New(ctld.Options{Engine: e, Conf: c, Policy: sched.EASY, Programs: &machines{engine: e}})
	if err != nil {
		tb.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for id := range n {
		w := workload.Job{ID: int64(id + 1), Run: time.Hour, Limit: 2 * time.Hour, Procs: 40, User: fmt.Sprint("u", id%50), Account: "a"}
		if err := d.Submit(w); err != nil {
			tb.Fatal(err)
		}
	}
	if err := e.RunUntil(e.Now() + env.Time(time.Second)); err != nil {
		tb.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(d)
	return float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
}
