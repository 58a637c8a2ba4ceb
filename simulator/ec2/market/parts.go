package market

import (
	"math"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
)

// Part is a part of what an account runs in a pool, taken back at an instant. The
// pool has as much as before for others: until Until the account gets no more than
// what was left to it.
type Part struct {
	At, Until env.Time
	exponent  float64
}

// Of is how many of n instances are taken: one at least, never all, and the fewer
// the likelier (n to the power of a uniform exponent). Of one instance there is no
// part. In SkyPilot's series of four instances that ran (p3.2xlarge spot, three
// zones, 13 to 18 days), 106 drops from four took one, 34 two, 24 three and 15 all.
func (p Part) Of(n int) int {
	if n < 2 || p.At == 0 {
		return 0
	}
	return min(n-1, int(math.Pow(float64(n), p.exponent)))
}

// parts are the instants at which a part is taken, independent of each other.
type parts struct {
	every, hold time.Duration
	rand        *simulator.Stream
	now         Part
	next        env.Time
}

func newParts(every, hold time.Duration, from env.Time, r *simulator.Stream) *parts {
	p := &parts{every: every, hold: hold, rand: r, next: math.MaxInt64}
	if every > 0 {
		p.next = from.Add(exponential(r, every))
	}
	return p
}

func (p *parts) last(now env.Time) Part {
	for p.next <= now {
		p.now = Part{At: p.next, Until: p.next.Add(exponential(p.rand, p.hold)), exponent: p.rand.Float64()}
		p.next = p.next.Add(exponential(p.rand, p.every))
	}
	return p.now
}
