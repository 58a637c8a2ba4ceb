package workload

import (
	"math"
	"math/rand/v2"
	"time"

	"aws-slurm-burst/executor/env"
)

// Cut keeps the jobs that are submitted from an instant on and before another
// one (0 is the end), and counts time from the first: a month of a year. A job
// that waits for one that was cut off waits for none.
func Cut(jobs Source, from, to time.Duration) Source {
	return func(yield func(Job, error) bool) {
		var kept IDs
		for j, err := range jobs {
			if err != nil {
				yield(Job{}, err)
				return
			}
			if to > 0 && j.Submit >= to {
				return
			}
			if j.Submit < from {
				continue
			}
			kept.Add(j.ID)
			if !kept.Has(j.After) {
				j.After, j.Think, j.AfterOK = 0, 0, false
			}
			j.Submit -= from
			j.Begin = max(0, j.Begin-from)
			if !yield(j, nil) {
				return
			}
		}
	}
}

// Load divides the times between submissions by a factor: above 1 there is as
// much work in less time. What a job says of its own time is left as it is.
// Times become the same on every machine, to a microsecond.
func Load(jobs Source, factor float64) Source {
	if factor <= 0 || math.IsInf(factor, 0) || math.IsNaN(factor) {
		panic("workload: Load by a factor that is none")
	}
	return each(jobs, func(j *Job) {
		before := j.Submit
		most := float64(math.MaxInt64/time.Microsecond) / 2
		j.Submit = time.Duration(min(most, math.Round(float64(before/time.Microsecond)/factor))) * time.Microsecond
		if j.Begin > 0 {
			j.Begin = max(j.Submit, j.Submit+j.Begin-before)
		}
	})
}

// Limits gives jobs that asked for no time a limit: missing, or, where that is
// 0, their run time by a factor, rounded up to a second.
func Limits(jobs Source, factor float64, missing time.Duration) Source {
	return each(jobs, func(j *Job) {
		switch {
		case j.Limit > 0:
		case missing > 0:
			j.Limit = missing
		default:
			s := math.Ceil(j.Run.Seconds() * factor)
			j.Limit = time.Duration(max(1, min(s, 1e9))) * time.Second
		}
	})
}

// Couple makes a share of the jobs coupled, of those that have more than one
// processor and that of names (nil is all). It is drawn by the job's number: a job
// is coupled or not whatever else is changed.
func Couple(jobs Source, share float64, of func(*Job) bool, seed uint64) Source {
	if share <= 0 {
		return jobs
	}
	var stream rand.PCG
	return each(jobs, func(j *Job) {
		if max(j.Procs, j.Nodes) < 2 || of != nil && !of(j) {
			return
		}
		stream.Seed(seed, uint64(j.ID))
		j.Coupled = j.Coupled || float64(stream.Uint64()>>11)/(1<<53) < share
	})
}

// each yields jobs changed one by one, in the order they have.
func each(jobs Source, change func(*Job)) Source {
	return func(yield func(Job, error) bool) {
		for j, err := range jobs {
			if err == nil {
				change(&j)
			}
			if !yield(j, err) {
				return
			}
		}
	}
}

// Shake moves each submission by a random time, at most the given one either
// way: repeated with other chances it shows how much of a result is the chance
// of one trace (Tsafrir, Ouaknine and Feitelson, "Reducing performance
// evaluation sensitivity and variability by input shaking", MASCOTS 2007). One
// draw is made a job, so that a job moves alike whatever is done to others. No
// job comes before the beginning, nor before one that it waits for.
func Shake(jobs Source, most time.Duration, chance env.Rand) Source {
	if most <= 0 {
		return jobs
	}
	return func(yield func(Job, error) bool) {
		var held waiting
		for j, err := range jobs {
			if err != nil {
				for len(held.queue) > 0 {
					if !yield(held.pop(), nil) {
						return
					}
				}
				yield(Job{}, err)
				return
			}
			// Nothing that is still to come is moved before this.
			for sure := j.Submit - most; len(held.queue) > 0 && held.queue[0].submit <= sure; {
				if !yield(held.pop(), nil) {
					return
				}
			}
			by := time.Duration((2*chance.Float64() - 1) * float64(most))
			begin := j.Begin - j.Submit
			j.Submit = max(0, j.Submit+by)
			if j.After != 0 {
				for _, p := range held.queue {
					if held.jobs[p.slot].ID == j.After {
						j.Submit = max(j.Submit, p.submit)
					}
				}
			}
			if j.Begin > 0 {
				j.Begin = max(j.Submit, j.Submit+begin)
			}
			held.push(&j)
		}
		for len(held.queue) > 0 {
			if !yield(held.pop(), nil) {
				return
			}
		}
	}
}
