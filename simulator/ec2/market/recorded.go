package market

import (
	"math"
	"time"

	"aws-slurm-burst/executor/env"
)

// Recorded is what somebody saw of pools, in place of what Supplies would make of
// them: how many instances there were to have, and what one cost on spot, in USD an
// hour. Either may be nil. A pool in it that Supplies knows too is as recorded.
type Recorded struct {
	Capacity map[Pool]*Series[int]
	Price    map[Pool]*Series[float64]
}

// Series is a quantity over time, from the beginning of a run on: a step holds until
// the next, the last one until Period, and then all begins anew.
type Series[T comparable] struct {
	Period time.Duration
	Steps  []Step[T] // at least one; the first At 0, and each later than the one before
}

// Step is a change of a Series.
type Step[T comparable] struct {
	At time.Duration
	Of T
}

// Add appends a change. A step that changes nothing, or nothing yet, is left out.
func (s *Series[T]) Add(at time.Duration, of T) {
	n := len(s.Steps)
	switch {
	case n > 0 && s.Steps[n-1].At == at:
		s.Steps[n-1].Of = of
	case n == 0 || s.Steps[n-1].Of != of:
		s.Steps = append(s.Steps, Step[T]{at, of})
	}
}

// replay is a Series as it goes by.
type replay[T comparable] struct {
	*Series[T]
	round env.Time // when it last began
	k     int      // the step that holds
}

func newReplay[T comparable](s *Series[T], start env.Time) *replay[T] {
	return &replay[T]{Series: s, round: start}
}

// at returns what holds now, and since when.
func (r *replay[T]) at(now env.Time) (of T, since env.Time) {
	if r.Period > 0 {
		if n := now.Sub(r.round) / r.Period; n > 0 {
			r.round, r.k = r.round.Add(n*r.Period), 0
		}
	}
	for r.k+1 < len(r.Steps) && r.round.Add(r.Steps[r.k+1].At) <= now {
		r.k++
	}
	return r.Steps[r.k].Of, r.round.Add(r.Steps[r.k].At)
}

// next is when another step begins.
func (r *replay[T]) next() env.Time {
	switch {
	case r.k+1 < len(r.Steps):
		return r.round.Add(r.Steps[r.k+1].At)
	case r.Period > 0 && len(r.Steps) > 1:
		return r.round.Add(r.Period)
	}
	return math.MaxInt64
}
