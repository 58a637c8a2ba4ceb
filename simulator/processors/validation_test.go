package processors_test

import (
	"bytes"
	"math"
	"os"
	"testing"
	"time"

	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/processors"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/swf"
)

// archived reads a log of the Parallel Workloads Archive.
func archived(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../../shared/data/" + name)
	if err != nil {
		if os.Getenv("ASBA_REQUIRE_TRACES") != "" {
			t.Fatal(err)
		}
		t.Skipf("no logs of the archive here: %v", err)
	}
	return data
}

// mean is a mean over jobs.
type mean struct{ n, wait, slowdown float64 }

func (m *mean) add(r processors.Result) {
	m.n++
	m.wait += r.Wait().Seconds()
	m.slowdown += r.BoundedSlowdown(10 * time.Second)
}

// within reports whether got differs from want by at most a part of it.
func within(got, want, part float64) bool { return math.Abs(got-want) <= part*want }

// An independent simulator gives, on the same log, these means for EASY with the
// limits that users asked for; pyss gives 6,835 s and 92.7. Which jobs start when
// differs between any two correct ones: equal limits are ordered differently, and
// one swap brings the next.
func TestEASYOnKTHAgreesWithOtherSimulators(t *testing.T) {
	for _, c := range []struct {
		name           string
		cut            bool
		wait, slowdown float64
	}{
		{"runs beyond the limit go on", false, 6884, 91.2},
		{"runs are cut at the limit", true, 6886, 92.9},
	} {
		for _, allocated := range []bool{false, true} {
			log := swf.NewReader(bytes.NewReader(archived(t, "KTH-SP2-1996-2.swf.gz")), swf.Options{Allocated: allocated})
			var m mean
			err := processors.Run(simulator.New(simulator.Options{}), log.Jobs(), processors.Options{Processors: 100, Policy: processors.EASY, Cut: c.cut}, m.add)
			if err != nil {
				t.Fatal(err)
			}
			wait, slowdown := m.wait/m.n, m.slowdown/m.n
			t.Logf("%s, processors as allocated %v: %.0f jobs, mean wait %.1f s, mean bounded slowdown %.2f", c.name, allocated, m.n, wait, slowdown)
			if m.n != 28489 || !within(wait, c.wait, 0.01) || !within(slowdown, c.slowdown, 0.03) {
				t.Errorf("%s, processors as allocated %v: want %.0f s within 1 %% and %.1f within 3 %%", c.name, allocated, c.wait, c.slowdown)
			}
		}
	}
}

// poisson yields n jobs of one processor that come at random, so many a second.
func poisson(n int, perSecond float64, serve func(*simulator.Stream) float64) workload.Source {
	return func(yield func(workload.Job, error) bool) {
		arrivals, services := simulator.New(simulator.Options{Seed: 1}), simulator.New(simulator.Options{Seed: 2})
		a, s := arrivals.Rand("queue", "arrivals"), services.Rand("queue", "services")
		now := 0.0
		for i := range n {
			now += exponential(a) / perSecond
			run := time.Duration(serve(s) * 1e9)
			if !yield(workload.Job{ID: int64(i + 1), Submit: time.Duration(now * 1e9), Procs: 1, Run: run, Limit: run}, nil) {
				return
			}
		}
	}
}

// exponential draws a time with mean 1.
func exponential(s *simulator.Stream) float64 { return -math.Log1p(-s.Float64()) }

// erlangC is the mean wait in M/M/c for services of mean 1: the chance to wait
// (Erlang's C formula) over the rate that is left, c-a for a load of a.
func erlangC(c int, a float64) float64 {
	inverse := 1.0 // of Erlang's B formula, by its recursion
	for k := 1; k <= c; k++ {
		inverse = 1 + inverse*float64(k)/a
	}
	b, rho := 1/inverse, a/float64(c)
	return b / (1 - rho*(1-b)) / (float64(c) - a)
}

func TestMeanWaitsAreThoseOfQueueingTheory(t *testing.T) {
	hyper := func(s *simulator.Stream) float64 {
		// One job in ten is long: mean 1, second moment 2*(0.9*0.25+0.1*30.25).
		if s.Float64() < 0.1 {
			return 5.5 * exponential(s)
		}
		return 0.5 * exponential(s)
	}
	for _, c := range []struct {
		name    string
		servers int
		load    float64
		jobs    int
		serve   func(*simulator.Stream) float64
		want    float64
	}{
		{"M/M/4", 4, 2.8, 300_000, exponential, erlangC(4, 2.8)},
		{"M/M/20", 20, 14, 300_000, exponential, erlangC(20, 14)},
		// Pollaczek and Khinchine: load * E[S^2] / 2(1-load).
		{"M/D/1", 1, 0.7, 150_000, func(*simulator.Stream) float64 { return 1 }, 0.7 / (2 * 0.3)},
		{"M/H2/1", 1, 0.5, 400_000, hyper, 0.5 * 6.5 / (2 * 0.5)},
	} {
		var m mean
		err := processors.Run(simulator.New(simulator.Options{}), poisson(c.jobs, c.load, c.serve), processors.Options{Processors: c.servers}, m.add)
		if err != nil {
			t.Fatal(err)
		}
		got := m.wait / m.n
		t.Logf("%s, load %.2f: mean wait %.4f, in theory %.4f (%+.1f %%)", c.name, c.load/float64(c.servers), got, c.want, 100*(got/c.want-1))
		if !within(got, c.want, 0.02) {
			t.Errorf("%s: mean wait %.4f, in theory %.4f", c.name, got, c.want)
		}
	}
}
