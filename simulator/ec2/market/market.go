// Package market is what EC2's markets have to sell as time goes by: how many
// instances each pool (type, zone, market) has for an account, and what spot
// costs.
//
// A pool is up or down in turn, for times that are Weibull distributed; zones of a
// region are up and down together for a part of the time, regions too; while it is
// up it has a whole number of instances that changes now and then. Instances are
// never taken one by one and independently: capacity drops, and takes whoever is
// above it.
//
// Everything is a function of seed, pool and instant. It is worked out when it is
// asked for, from the last instant asked for: instants may not go back, and a pool
// that nobody asks for costs nothing. The package knows no instance and ends none;
// the EC2 model does.
package market

import (
	"maps"
	"slices"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
)

// Pool is what capacity is counted by.
type Pool struct {
	Type, AZ string
	Market   cloud.Market
}

// Region is the zone's name without its letter.
func (p Pool) region() string { return p.AZ[:max(0, len(p.AZ)-1)] }

// stream is the name of one of the pool's streams.
func (p Pool) stream(what string) string {
	return what + " " + p.Type + " " + p.AZ + " " + string(p.Market)
}

// component is the streams' component.
const component = "ec2.market"

// before is how many cycles of up and down a pool has behind it when a run
// begins, so that its first instants are like any others.
const before = 32

// Supplies tells how the capacity of a pool comes and goes; ok is false for one
// that never runs dry. Pools of one type and market in one world must be alike,
// as they are up and down together.
type Supplies func(Pool) (s Supply, ok bool)

// Market is all pools of an account, in any region.
type Market struct {
	seed     uint64
	start    env.Time
	supplies Supplies
	recorded Recorded
	pools    map[Pool]*Capacity
	shared   map[scope]*signal
	prices   map[Pool]*Price
}

// scope is what pools that share a signal have in common; the region is "" for
// all regions.
type scope struct {
	typ, region string
	market      cloud.Market
}

// New returns the markets of a run that begins at start. With nil supplies no pool
// runs dry but as recorded.
func New(seed uint64, start env.Time, supplies Supplies, recorded Recorded) *Market {
	return &Market{seed: seed, start: start, supplies: supplies, recorded: recorded,
		pools: map[Pool]*Capacity{}, shared: map[scope]*signal{}, prices: map[Pool]*Price{}}
}

// Pool returns the capacity of a pool; nil for one that never runs dry.
func (m *Market) Pool(p Pool) *Capacity {
	c, known := m.pools[p]
	if known {
		return c
	}
	if seen := m.recorded.Capacity[p]; seen != nil {
		c = &Capacity{seen: newReplay(seen, m.start), chance: m.rand(p, "chance")}
	} else if s, ok := m.supply(p); ok {
		c = m.open(p, s)
	}
	m.pools[p] = c
	return c
}

func (m *Market) supply(p Pool) (s Supply, ok bool) {
	if m.supplies == nil {
		return s, false
	}
	return m.supplies(p)
}

func (m *Market) rand(p Pool, what string) *simulator.Stream {
	return simulator.NewStream(m.seed, component, p.stream(what))
}

func (m *Market) open(p Pool, s Supply) *Capacity {
	from := m.start.Add(-before * (s.Up.Mean + s.Down.Mean))
	rand := func(what string) *simulator.Stream { return m.rand(p, what) }
	c := &Capacity{
		signal: newSignal(s, from, rand("up"), rand("follow"), m.region(p, s), s.InRegion),
		level:  newLevel(s.Tail, s.Most, s.LevelFor, m.start, rand("level")),
		room:   newLevel(s.GroupTail, s.Most, s.GroupFor, m.start, rand("room")),
		parts:  newParts(s.PartEvery, s.PartFor, m.start, rand("parts")),
		chance: rand("chance"),
	}
	c.signal.advance(m.start)
	return c
}

// region returns the signal that the pool's region has for its type and market.
func (m *Market) region(p Pool, s Supply) *signal {
	world := m.share(scope{p.Type, "", p.Market}, s, nil, 0)
	return m.share(scope{p.Type, p.region(), p.Market}, s, world, s.InWorld)
}

func (m *Market) share(k scope, s Supply, leader *signal, follows float64) *signal {
	g := m.shared[k]
	if g == nil {
		name := k.typ + " " + k.region + " " + string(k.market)
		g = newSignal(s, m.start.Add(-before*(s.Up.Mean+s.Down.Mean)),
			simulator.NewStream(m.seed, component, "shared "+name), simulator.NewStream(m.seed, component, "shares "+name), leader, follows)
		g.advance(m.start)
		m.shared[k] = g
	}
	return g
}

// Assumed returns the numbers of the pools that were asked for which nobody has
// measured, each once.
func (m *Market) Assumed() []string {
	supplies := map[string]Supply{}
	for p, c := range m.pools {
		if c != nil && c.seen == nil {
			s, _ := m.supply(p)
			supplies[s.Name] = s
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(supplies)) {
		out = append(out, supplies[name].Assumed()...)
	}
	for _, p := range m.prices {
		if p.seen == nil {
			return append(out, priceAssumed...)
		}
	}
	return out
}

// Capacity is one pool's.
type Capacity struct {
	seen   *replay[int] // nil where nobody recorded it; else there is but chance beside it
	signal *signal
	// level is what the pool has while it is up, room the part of it that is near
	// enough to each other for a cluster placement group.
	level, room *level
	parts       *parts
	chance      *simulator.Stream
}

// Free is how many instances the account can have in the pool, those that it has
// included.
func (c *Capacity) Free(now env.Time) int {
	if c.seen != nil {
		n, _ := c.seen.at(now)
		return n
	}
	c.signal.advance(now)
	c.parts.last(now)
	if !c.signal.up() {
		return 0
	}
	return c.level.at(now)
}

// Room is how many of them a new cluster placement group finds side by side: all
// where they are recorded.
func (c *Capacity) Room(now env.Time) int {
	free := c.Free(now)
	if c.seen != nil {
		return free
	}
	return min(free, c.room.at(now))
}

// Part is the last time that EC2 took back a part of what the account runs; the
// zero Part where there was none yet.
func (c *Capacity) Part(now env.Time) Part {
	if c.seen != nil {
		return Part{} // they are in what was recorded
	}
	return c.parts.last(now)
}

// Next is the instant of the next change of Free or Part, or of something that
// might change them: until then they are what they were at the last instant asked
// for.
func (c *Capacity) Next() env.Time {
	if c.seen != nil {
		return c.seen.next()
	}
	next := min(c.signal.next(), c.parts.next)
	if c.signal.up() {
		next = min(next, c.level.until)
	}
	return next
}

// Below draws a whole number from 0 to n-1 of the pool's own chance.
func (c *Capacity) Below(n int) int { return int(c.chance.Float64() * float64(n)) }

// Lag draws how much later one of several instances that lose their capacity
// hears of it: of the interruptions of a type and zone that come together, 92 %
// come within 3 minutes (Spot-and-Scoot, 2026: 2,635 events of 68 types in 15
// regions). Exponential; the shape is assumed.
func (c *Capacity) Lag() time.Duration { return exponential(c.chance, lagMean) }

// lagMean is 3 minutes / ln(1 / (1 - 0.92)).
const lagMean = 71269 * time.Millisecond
