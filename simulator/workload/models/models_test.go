package models

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"aws-slurm-burst/simulator/workload"
)

func seeded(seed uint64) Streams {
	return func(stream string) rand.Source {
		h := fnv.New64a()
		h.Write([]byte(stream))
		return rand.NewPCG(seed, h.Sum64())
	}
}

func draw(t *testing.T, s workload.Source) []workload.Job {
	t.Helper()
	var jobs []workload.Job
	for j, err := range s {
		if err != nil {
			t.Fatal(err)
		}
		if j.ID != int64(len(jobs)+1) || j.Procs < 1 || j.Run < 0 || len(jobs) > 0 && j.Submit < jobs[len(jobs)-1].Submit {
			t.Fatalf("%+v", j)
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// near reports whether a mean is what it should be, within a share of it.
func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*want {
		t.Errorf("%s: %.4g, want %.4g within %.1f %%", what, got, want, 100*share)
	}
}

func TestDistributionsHaveTheirMeanAndVariance(t *testing.T) {
	g := math.Gamma
	for name, c := range map[string]struct {
		d              Distribution
		mean, variance float64
	}{
		"constant":    {Constant(3), 3, 0},
		"exponential": {Exponential(7), 7, 49},
		"weibull":     {Weibull(5, 0.7), 5, 25 * (g(1+2/0.7)/g(1+1/0.7)/g(1+1/0.7) - 1)},
		"lognormal":   {Lognormal(5, 2), 5, 100},
		"gamma":       {Gamma(8, 0.5), 4, 2},
		"small gamma": {Gamma(0.4, 5), 2, 10},
	} {
		r := rand.New(rand.NewPCG(1, 9))
		const n = 200_000
		sum, squares := 0.0, 0.0
		for range n {
			x := c.d(r)
			sum += x
			squares += x * x
		}
		mean := sum / n
		near(t, name+"'s mean", mean, c.mean, 0.02)
		near(t, name+"'s variance", squares/n-mean*mean, c.variance, 0.1)
	}
}

func TestLogUniformDoublesAreAsLikely(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	d := LogUniform(64)
	count := map[int]int{}
	for range 100_000 {
		count[int(d(r))]++
	}
	for n := range count {
		if n < 1 || n > 64 {
			t.Errorf("size %d", n)
		}
	}
	upper, lower := 0, 0
	for n := 33; n <= 64; n++ {
		upper += count[n]
	}
	for n := 17; n <= 32; n++ {
		lower += count[n]
	}
	near(t, "33..64 by 17..32", float64(upper)/float64(lower), 1, 0.1)
}

// The means of this model for a machine of 256 processors are known from its
// users: 771 s between jobs, 4,862 s of run time, 22 processors (as "Lublin-1" in
// Zhang and others, "RLScheduler", SC 2020, of 10,000 jobs by the authors' own
// program).
func TestLublinsModelIsAsItIsKnown(t *testing.T) {
	const n = 100_000
	jobs := draw(t, Lublin{Jobs: n, MaxProcs: 256}.Source(seeded(1)))
	var run, procs float64
	serial, powers := 0, 0
	for _, j := range jobs {
		run += j.Run.Seconds()
		procs += float64(j.Procs)
		if j.Procs > 256 || j.Run > time.Duration(math.Ceil(math.Exp(longestRun)))*time.Second {
			t.Fatalf("%+v", j)
		}
		if j.Procs == 1 {
			serial++
		} else if j.Procs&(j.Procs-1) == 0 {
			powers++
		}
	}
	near(t, "between jobs", jobs[n-1].Submit.Seconds()/n, 771, 0.1) // ours is of ten times as many
	near(t, "run time", run/n, 4862, 0.03)
	near(t, "processors", procs/n, 22, 0.05)
	near(t, "serial jobs", float64(serial)/n, serialShare, 0.02)
	if powers < n*powersShare {
		t.Errorf("%d of %d are powers of two", powers, n)
	}
}

func TestLublinsJobsComeByDay(t *testing.T) {
	var hours [24]int
	for _, j := range draw(t, Lublin{Jobs: 100_000, MaxProcs: 64}.Source(seeded(2))) {
		hours[j.Submit/time.Hour%24]++
	}
	if afternoon, morning := hours[14], hours[4]; afternoon < 4*morning {
		t.Errorf("%d at 14 h, %d at 4 h", afternoon, morning)
	}
}

// What one stream is asked for moves nothing of another: another distribution of
// run times leaves arrivals and sizes as they are.
func TestStreamsAreIndependent(t *testing.T) {
	m := Renewal{Jobs: 100, Between: Exponential(60), Run: Exponential(600), Procs: LogUniform(16)}
	before := draw(t, m.Source(seeded(3)))
	m.Run = Lognormal(5, 3)
	moved := false
	for i, j := range draw(t, m.Source(seeded(3))) {
		if j.Submit != before[i].Submit || j.Procs != before[i].Procs {
			t.Fatalf("%+v, was %+v", j, before[i])
		}
		moved = moved || j.Run != before[i].Run
	}
	if !moved {
		t.Error("other run times are the same")
	}
}

func TestModelsWithoutEndStopWhenTold(t *testing.T) {
	for _, s := range []workload.Source{Renewal{Between: Constant(1), Run: Constant(0)}.Source(seeded(1)), Lublin{MaxProcs: 1}.Source(seeded(1))} {
		n := 0
		for range s {
			if n++; n == 1000 {
				break
			}
		}
		if n != 1000 {
			t.Errorf("%d jobs", n)
		}
	}
}

func BenchmarkLublin(b *testing.B) {
	b.ReportAllocs()
	n := 0
	for range (Lublin{MaxProcs: 1024}).Source(seeded(1)) {
		if n++; n > b.N {
			return
		}
	}
}
