package models

import (
	"math"
	"math/rand/v2"
	"time"

	"aws-slurm-burst/simulator/workload"
)

// Lublin is the model of U. Lublin and D. Feitelson, "The workload on parallel
// supercomputers: modeling the characteristics of rigid jobs", JPDC 63(11),
// 2003, with the parameters for all jobs together (batch and interactive), as
// fitted to the logs of SDSC Paragon, CTC SP2 and KTH SP2:
//
//   - sizes: a part of the jobs is serial; of the others the logarithm is uniform
//     in two stages, and for a part of them it is rounded: powers of two;
//   - run times: their logarithm is drawn from one of two gamma distributions,
//     the longer one less often the larger the job;
//   - arrivals: the logarithm of the time to the next job is gamma distributed,
//     in a time that passes faster or slower with the half hour of the day: a
//     gamma's density over the day that begins at 5:30.
//
// A job asks for no time: the model has no estimates (see workload.Limits).
type Lublin struct {
	Jobs int // 0 is no end
	// MaxProcs is the machine's size, of which the sizes depend: at least 2.
	MaxProcs int
}

// The parameters, by the paper's names in its tables of fitted values.
const (
	serialShare = 0.244 // of jobs
	powersShare = 0.576
	sizeLow     = 0.8 // log2 of the size
	sizeMedBy   = 2.5 // where the stages meet, below the machine's
	sizeFirst   = 0.86

	shortShape, shortScale = 4.2, 0.94 // ln of the run time in seconds
	longShape, longScale   = 312, 0.03
	shortBySize            = -0.0054 // the share of short runs: slope by size
	shortShare             = 0.78    // and intercept

	betweenShape, betweenScale = 10.2303, 0.4871 // ln of the time between jobs in seconds
	cycleShape, cycleScale     = 8.1737, 3.9631  // half hours
	cycleBegin                 = 11              // 5:30

	slots = 48
	slot  = 30 * time.Minute

	// What is beyond is drawn anew: e^12 s are 45 hours, e^13 s five days.
	longestRun, longestBetween = 12, 13
)

// Source draws the jobs. The first day begins at midnight.
func (m Lublin) Source(streams Streams) workload.Source {
	between, run, size := rand.New(streams("between")), rand.New(streams("run")), rand.New(streams("procs"))
	short, long := Gamma(shortShape, shortScale), Gamma(longShape, longScale)
	pause, weight := Gamma(betweenShape, betweenScale), cycle()
	return func(yield func(workload.Job, error) bool) {
		var now time.Duration
		for i := 1; m.Jobs == 0 || i <= m.Jobs; i++ {
			now = pass(now, exp(between, pause, longestBetween), &weight)
			procs := m.size(size)
			which := long
			if run.Float64() < shortShare+shortBySize*float64(procs) {
				which = short
			}
			j := job(i, now.Truncate(time.Second), duration(math.Ceil(exp(run, which, longestRun))))
			j.Procs = procs
			if !yield(j, nil) {
				return
			}
		}
	}
}

// exp draws a number of which ln is distributed.
func exp(r *rand.Rand, ln Distribution, most float64) float64 {
	for {
		if x := ln(r); x <= most {
			return math.Exp(x)
		}
	}
}

// size draws a number of processors.
func (m Lublin) size(r *rand.Rand) int32 {
	kind := r.Float64()
	if kind < serialShare || m.MaxProcs < 2 {
		return 1
	}
	high := math.Log2(float64(m.MaxProcs))
	low := min(sizeLow, high)
	med := max(low, high-sizeMedBy)
	from, to := med, high
	if r.Float64() < sizeFirst {
		from, to = low, med
	}
	log := from + (to-from)*r.Float64()
	if kind < serialShare+powersShare {
		log = math.Round(log)
	}
	return int32(max(1, min(float64(m.MaxProcs), math.Round(math.Exp2(log)))))
}

// cycle is how fast time passes in each half hour of the day, 1 in the mean: the
// density of a gamma distribution over it. What is beyond 24 h is the next
// morning's, before the day begins.
func cycle() (weight [slots]float64) {
	sum := 0.0
	lg, _ := math.Lgamma(cycleShape)
	for i := cycleBegin; i < cycleBegin+slots; i++ {
		x := float64(i) / cycleScale
		d := math.Exp((cycleShape-1)*math.Log(x) - x - lg)
		weight[i%slots] = d
		sum += d
	}
	for i := range weight {
		weight[i] *= slots / sum
	}
	return weight
}

// pass returns the instant at which seconds of the model's time have passed.
func pass(now time.Duration, seconds float64, weight *[slots]float64) time.Duration {
	for {
		w := weight[now/slot%slots]
		left := (slot - now%slot).Seconds() * w
		if seconds < left {
			return now + time.Duration(seconds/w*float64(time.Second))
		}
		seconds -= left
		now = now.Truncate(slot) + slot
	}
}
