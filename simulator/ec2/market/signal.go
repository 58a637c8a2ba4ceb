package market

import (
	"math"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
)

// Weibull is a distribution of times. A Shape under 1 has a heavy tail: most are
// short, and a few are most of the time.
type Weibull struct {
	Mean  time.Duration
	Shape float64
}

// Scale is the distribution's other parameter, in seconds.
func (w Weibull) Scale() float64 { return w.Mean.Seconds() / math.Gamma(1+1/w.Shape) }

// at is the time that a share of 1-u are shorter than.
func (w Weibull) at(u float64) time.Duration {
	return seconds(w.Scale() * math.Pow(-math.Log(u), 1/w.Shape))
}

// draw returns a time, of a nanosecond at least.
func (w Weibull) draw(r *simulator.Stream) time.Duration { return w.at(1 - r.Float64()) }

func exponential(r *simulator.Stream, mean time.Duration) time.Duration {
	return seconds(-math.Log(1-r.Float64()) * mean.Seconds())
}

// longest bounds a drawn time, lest sums of some overflow: thirty years.
const longest = 30 * 365 * 24 * time.Hour

func seconds(s float64) time.Duration {
	return max(1, time.Duration(min(s, longest.Seconds())*float64(time.Second)))
}

// renewal is up and down in turn.
type renewal struct {
	s     Supply
	rand  *simulator.Stream
	isUp  bool
	until env.Time
}

func newRenewal(s Supply, from env.Time, r *simulator.Stream) *renewal {
	up := s.Up.Mean.Seconds() / (s.Up.Mean + s.Down.Mean).Seconds()
	n := &renewal{s: s, rand: r, isUp: r.Float64() >= up, until: from} // which turn turns
	n.turn()
	return n
}

// turn goes on to the next time up or down.
func (n *renewal) turn() {
	n.isUp = !n.isUp
	w := n.s.Down
	if n.isUp {
		w = n.s.Up
	}
	n.until = n.until.Add(w.draw(n.rand))
}

func (n *renewal) advance(now env.Time) {
	for n.until <= now {
		n.turn()
	}
}

// signal is a renewal that follows another signal for a part of the time. Two
// that follow the same one for a share w each, by chance, are both on it for w^2
// of the time and independent else: that is their correlation, and each is up as
// often as it is alone.
type signal struct {
	own    *renewal
	leader *signal // nil where there is none

	share   float64
	rand    *simulator.Stream
	follows bool
	until   env.Time // when follows changes
}

// followCycle is how long a zone follows its region and then does not, on
// average: long beside the times up and down, which a change cuts short, and
// short beside a year. Assumed.
const followCycle = 14 * 24 * time.Hour

func newSignal(s Supply, from env.Time, own, follow *simulator.Stream, leader *signal, share float64) *signal {
	g := &signal{own: newRenewal(s, from, own), leader: leader, share: share, rand: follow, until: math.MaxInt64}
	if leader != nil && share > 0 {
		g.follows, g.until = follow.Float64() >= share, from // which turn turns
		g.turn()
	}
	return g
}

func (g *signal) turn() {
	g.follows = !g.follows
	part := 1 - g.share
	if g.follows {
		part = g.share
	}
	g.until = g.until.Add(exponential(g.rand, time.Duration(part*float64(followCycle))))
}

func (g *signal) advance(now env.Time) {
	for g.until <= now {
		g.turn()
	}
	if g.follows {
		g.leader.advance(now)
	} else {
		g.own.advance(now)
	}
}

func (g *signal) up() bool {
	if g.follows {
		return g.leader.up()
	}
	return g.own.isUp
}

// next is when up may change.
func (g *signal) next() env.Time {
	if g.follows {
		return min(g.until, g.leader.next())
	}
	return min(g.until, g.own.until)
}

// level is a whole number of at least 1 that is drawn anew from time to time, so
// that n or more have the chance n^-tail at any instant.
type level struct {
	tail  float64
	most  int
	mean  time.Duration
	rand  *simulator.Stream
	n     int
	until env.Time
}

func newLevel(tail float64, most int, mean time.Duration, from env.Time, r *simulator.Stream) *level {
	l := &level{tail: tail, most: most, mean: mean, rand: r, until: from}
	l.turn()
	return l
}

func (l *level) turn() {
	l.n = l.most
	if l.tail > 0 {
		l.n = int(min(math.Pow(1-l.rand.Float64(), -1/l.tail), float64(l.most)))
	}
	l.until = l.until.Add(exponential(l.rand, l.mean))
}

func (l *level) at(now env.Time) int {
	for l.until <= now {
		l.turn()
	}
	return l.n
}
