package market

import (
	"math"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
)

// Spot prices have moved slowly since 2017 and say little about availability
// (SpotLake): a step every few hours, of 2 to 10 % up or down. How long a price
// holds, and its bounds, are assumed.
const (
	priceFor             = 4 * time.Hour
	leastStep, mostStep  = 0.02, 0.10
	leastPrice, topPrice = 0.6, 1.6
)

// Price is a pool's spot price as a multiple of its usual one: a walk in steps,
// between bounds.
type Price struct {
	seen   *replay[float64] // nil where nobody recorded it; else there is nothing beside it
	rand   *simulator.Stream
	factor float64
	since  env.Time
	until  env.Time
}

// Price returns the price of a pool.
func (m *Market) Price(p Pool) *Price {
	w := m.prices[p]
	if w == nil {
		if seen := m.recorded.Price[p]; seen != nil {
			w = &Price{seen: newReplay(seen, m.start)}
			m.prices[p] = w
			return w
		}
		r := m.rand(p, "price")
		// Anywhere between the bounds: where a walk is that began long ago.
		factor := leastPrice * math.Pow(topPrice/leastPrice, r.Float64())
		w = &Price{rand: r, factor: factor, since: m.start, until: m.start.Add(exponential(r, priceFor))}
		m.prices[p] = w
	}
	return w
}

// Recorded returns what an instance cost at this instant, in USD an hour, and since
// when; ok is false where nobody recorded it.
func (p *Price) Recorded(now env.Time) (usd float64, since env.Time, ok bool) {
	if p.seen == nil {
		return 0, 0, false
	}
	usd, since = p.seen.at(now)
	return usd, since, true
}

// At returns the multiple of the usual price that holds now, and since when: 1 where
// the price itself is recorded.
func (p *Price) At(now env.Time) (factor float64, since env.Time) {
	if p.seen != nil {
		_, since = p.seen.at(now)
		return 1, since
	}
	for p.until <= now {
		p.turn()
	}
	return p.factor, p.since
}

// Next is when the price changes.
func (p *Price) Next() env.Time {
	if p.seen != nil {
		return p.seen.next()
	}
	return p.until
}

func (p *Price) turn() {
	step := 1 + leastStep + (mostStep-leastStep)*p.rand.Float64()
	if p.rand.Float64() < 0.5 {
		step = 1 / step
	}
	if f := p.factor * step; f < leastPrice || f > topPrice {
		step = 1 / step // back from the bound
	}
	p.factor *= step
	p.since = p.until
	p.until = p.until.Add(exponential(p.rand, priceFor))
}

// priceAssumed are the numbers of moving prices that nobody has measured.
var priceAssumed = []string{"spot price: a step of 2 to 10 % after 4 h on average, between 0.6 and 1.6 of the usual price"}
