package sched_test

import (
	"bytes"
	"math"
	"os"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/swf"
)

// archived reads the jobs of a log of the Parallel Workloads Archive.
func archived(t testing.TB, name string) []workload.Job {
	t.Helper()
	data, err := os.ReadFile("../../../../shared/data/" + name)
	if err != nil {
		if os.Getenv("ASBA_REQUIRE_TRACES") != "" {
			t.Fatal(err)
		}
		t.Skipf("no logs of the archive here: %v", err)
	}
	var jobs []workload.Job
	for j, err := range swf.NewReader(bytes.NewReader(data), swf.Options{}).Jobs() {
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// onNodes yields a workload's jobs as jobs of whole nodes of so many cores; missing
// is the limit of those without one. Works are used again when they have ended:
// give them to the replay's ended.
func onNodes(jobs []workload.Job, cores int32, missing time.Duration) (next func() *work, ended func(*work)) {
	var spare []*work
	next = func() *work {
		if len(jobs) == 0 {
			return nil
		}
		j := &jobs[0]
		jobs = jobs[1:]
		w := &work{}
		if n := len(spare); n > 0 {
			w, spare = spare[n-1], spare[:n-1]
		}
		limit := j.Limit
		if limit == 0 {
			limit = missing
		}
		nodes := (j.Procs + cores - 1) / cores
		*w = work{run: j.Run, Job: sched.Job{
			ID: j.ID, Submit: env.Time(j.Submit), Limit: limit, MinNodes: nodes, MaxNodes: nodes, CPUs: j.Procs, Nodes: w.Nodes,
		}}
		return w
	}
	return next, func(w *work) { spare = append(spare, w) }
}

// The means are those of simulator/processors, and of others: see there.
func TestEASYOnKTHsNodesAgreesWithOtherSimulators(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.EASY}, 100, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	next, again := onNodes(archived(t, "KTH-SP2-1996-2.swf.gz"), 1, 0)
	var n, wait, slowdown float64
	r := &replay{s: s, check: true, ended: func(w *work) {
		n++
		wait += w.started.Sub(w.Submit).Seconds()
		slowdown += max(1, float64(w.started.Sub(w.Submit)+w.run)/float64(max(w.run, 10*time.Second)))
		again(w)
	}}
	r.run(t, next)
	wait, slowdown = wait/n, slowdown/n
	t.Logf("%.0f jobs, mean wait %.1f s, mean bounded slowdown %.2f", n, wait, slowdown)
	if n != 28489 || math.Abs(wait/6884-1) > 0.01 || math.Abs(slowdown/91.2-1) > 0.03 {
		t.Error("want 6884 s within 1 % and 91.2 within 3 %")
	}
}

// exponential draws a time with mean 1.
func exponential(s *simulator.Stream) float64 { return -math.Log1p(-s.Float64()) }

// The formulas are those of simulator/processors' test: Erlang's C, Pollaczek and
// Khinchine.
func TestMeanWaitsOnNodesAreThoseOfQueueingTheory(t *testing.T) {
	for _, c := range []struct {
		name  string
		nodes int
		load  float64
		jobs  int64
		serve func(*simulator.Stream) float64
		want  float64
	}{
		{"M/M/2", 2, 1, 400_000, exponential, 1.0 / 3},
		{"M/D/1", 1, 0.7, 150_000, func(*simulator.Stream) float64 { return 1 }, 0.7 / (2 * 0.3)},
	} {
		s := cluster(t, sched.Options{Policy: sched.EASY}, c.nodes, sched.Class{CPUs: 1})
		place(t, s, "batch", "")
		e := simulator.New(simulator.Options{Seed: 1})
		arrivals, services := e.Rand("queue", "arrivals"), e.Rand("queue", "services")
		now, id, wait, n := 0.0, int64(0), 0.0, 0.0
		r := &replay{s: s, ended: func(w *work) {
			wait += w.started.Sub(w.Submit).Seconds()
			n++
		}}
		r.run(t, func() *work {
			if id == c.jobs {
				return nil
			}
			id++
			now += exponential(arrivals) / c.load
			run := time.Duration(c.serve(services) * 1e9)
			return &work{run: run, Job: sched.Job{ID: id, Submit: env.Time(now * 1e9), MinNodes: 1, MaxNodes: 1, Limit: run}}
		})
		t.Logf("%s: mean wait %.4f, in theory %.4f (%+.1f %%)", c.name, wait/n, c.want, 100*(wait/n/c.want-1))
		if math.Abs(wait/n/c.want-1) > 0.02 {
			t.Errorf("%s: mean wait %.4f, in theory %.4f", c.name, wait/n, c.want)
		}
	}
}
