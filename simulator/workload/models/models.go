// Package models draws jobs: Lublin and Feitelson's model of what users hand in
// to parallel machines, and renewal processes, whose waits theory knows.
//
// Each number comes from a named stream of its own, so that a model with more
// jobs, or other run times, keeps all that was not changed. A Source of this
// package takes its chances as it goes: range over it once.
package models

import (
	"math"
	"math/rand/v2"
	"time"

	"aws-slurm-burst/simulator/workload"
)

// Streams hands out streams of random numbers by name, as the engine's Rand does
// for a component.
type Streams func(stream string) rand.Source

// Distribution draws a number, such as seconds.
type Distribution func(r *rand.Rand) float64

// Constant is always the same.
func Constant(value float64) Distribution { return func(*rand.Rand) float64 { return value } }

// Exponential has no memory.
func Exponential(mean float64) Distribution {
	return func(r *rand.Rand) float64 { return mean * r.ExpFloat64() }
}

// Weibull has a shape: below 1 its draws are many small ones and a few large,
// as the times between jobs are; 1 is Exponential.
func Weibull(mean, shape float64) Distribution {
	scale := mean / math.Gamma(1+1/shape)
	return func(r *rand.Rand) float64 { return scale * math.Pow(r.ExpFloat64(), 1/shape) }
}

// Lognormal has a coefficient of variation, its standard deviation by its mean.
func Lognormal(mean, variation float64) Distribution {
	sigma2 := math.Log1p(variation * variation)
	mu, sigma := math.Log(mean)-sigma2/2, math.Sqrt(sigma2)
	return func(r *rand.Rand) float64 { return math.Exp(mu + sigma*r.NormFloat64()) }
}

// Gamma has a shape and a scale; its mean is their product. Drawn by Marsaglia
// and Tsang's method ("A simple method for generating gamma variables", ACM
// TOMS, 2000).
func Gamma(shape, scale float64) Distribution {
	small := shape < 1
	a := shape
	if small {
		a++
	}
	d := a - 1.0/3
	c := 1 / math.Sqrt(9*d)
	return func(r *rand.Rand) float64 {
		for {
			x := r.NormFloat64()
			v := 1 + c*x
			if v <= 0 {
				continue
			}
			v = v * v * v
			if math.Log(1-r.Float64()) >= x*x/2+d-d*v+d*math.Log(v) {
				continue
			}
			g := d * v * scale
			if small {
				g *= math.Pow(1-r.Float64(), 1/shape)
			}
			return g
		}
	}
}

// Renewal is a process in which nothing depends on what was before: times
// between jobs, run times and sizes are drawn each by its distribution. With
// Exponential times between jobs of one processor it is the M/G/c of queueing
// theory.
type Renewal struct {
	Jobs int // 0 is no end
	// Between is the time from job to job, and Run how long one runs, in seconds.
	Between, Run Distribution
	// Procs is how many processors a job takes, rounded; nil is one.
	Procs Distribution
}

// Source draws the jobs. Times are whole nanoseconds.
func (m Renewal) Source(streams Streams) workload.Source {
	between, run, procs := rand.New(streams("between")), rand.New(streams("run")), rand.New(streams("procs"))
	return func(yield func(workload.Job, error) bool) {
		var now time.Duration
		for i := 1; m.Jobs == 0 || i <= m.Jobs; i++ {
			now += duration(m.Between(between))
			j := job(i, now, duration(m.Run(run)))
			if m.Procs != nil {
				j.Procs = int32(max(1, min(math.MaxInt32, math.Round(m.Procs(procs)))))
			}
			if !yield(j, nil) {
				return
			}
		}
	}
}

// LogUniform draws sizes up to the largest, of which each doubling is as likely.
func LogUniform(largest int) Distribution {
	span := math.Log2(float64(largest) + 0.5)
	return func(r *rand.Rand) float64 {
		return min(float64(largest), max(1, math.Round(math.Exp2(r.Float64()*(span+1)-1))))
	}
}

func job(id int, submit, run time.Duration) workload.Job {
	return workload.Job{ID: int64(id), Submit: submit, Run: run, Procs: 1,
		Recorded: workload.Recorded{Wait: -1, Status: workload.Unknown}}
}

// duration is of seconds that a distribution drew: at most a year.
func duration(s float64) time.Duration {
	const most = 366 * 24 * 3600
	if !(s > 0) {
		return 0
	}
	return time.Duration(min(s, most) * float64(time.Second))
}
