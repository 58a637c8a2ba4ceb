package ec2

import (
	"fmt"
	"slices"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/agenda"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/ec2/market"
	"aws-slurm-burst/simulator/record"
)

// notice is how long before its interruption a spot instance is told.
const notice = 2 * time.Minute

// pool is what a market and the account have of a pool.
type pool struct {
	Pool
	capacity *market.Capacity // nil where it never runs dry
	price    *market.Price    // of spot
	used     int              // by instances that are not terminated
	watched  bool             // its next change is on the agenda

	// After a part of what runs was taken, the account has this many until then.
	held  int
	until env.Time
	taken env.Time // when the last part was taken that the account knows of
}

// pool returns the market's pool; nil without a market.
func (m *Model) pool(p Pool) *pool {
	if m.market == nil {
		return nil
	}
	s := m.pools[p]
	if s == nil {
		s = &pool{Pool: p, capacity: m.market.Pool(p)}
		if p.Market == cloud.Spot {
			s.price = m.market.Price(p)
		}
		m.pools[p] = s
	}
	return s
}

// room is how many of want more instances the pool has.
func (p *pool) room(want int, now env.Time) int {
	if p == nil || p.capacity == nil {
		return want
	}
	free := p.capacity.Free(now)
	if now < p.until {
		free = min(free, p.held)
	}
	return max(0, min(want, free-p.used))
}

// watch puts the pool's next change on the agenda. Only spot instances need to
// know of it: whoever asks for capacity finds what there is.
func (m *Model) watch(p *pool, now env.Time) {
	if p.watched || p.Market != cloud.Spot {
		return
	}
	next := agenda.Never
	if p.capacity != nil {
		p.capacity.Free(now)
		p.taken = p.capacity.Part(now).At // what was taken before is nobody's of now
		next = p.capacity.Next()
	}
	p.price.At(now)
	m.agenda.Push(min(next, p.price.Next()), due{deed: dwindles, pool: p})
	p.watched = true
}

// dwindle interrupts the spot instances that a pool no longer has capacity for or
// takes back, any of them, and those whose cap is below the price.
func (m *Model) dwindle(p *pool, now env.Time) {
	p.watched = false
	if p.used == 0 {
		return
	}
	live := slices.DeleteFunc(slices.Clone(m.instances), func(i *Instance) bool { return i.pool != p || i.doomed || i.Ended != 0 })
	if usd, _, known := m.spotPrice(p.Type, p.AZ, now); known {
		live = slices.DeleteFunc(live, func(i *Instance) bool {
			dear := i.most > 0 && i.most < usd
			if dear {
				m.doom(i, now)
			}
			return dear
		})
	}
	if p.capacity != nil {
		at, lost := now, len(live)-p.capacity.Free(now)
		if part := p.capacity.Part(now); part.At > p.taken {
			lost = max(lost, part.Of(len(live)))
			p.held, p.until = len(live)-lost, part.Until
		}
		for ; lost > 0; lost-- {
			k := p.capacity.Below(len(live))
			m.doom(live[k], at)
			live = slices.Delete(live, k, k+1)
			at = now.Add(p.capacity.Lag())
		}
	}
	m.watch(p, now)
}

func (m *Model) doom(i *Instance, at env.Time) {
	i.doomed = true
	m.agenda.Push(at, due{deed: warns, i: i})
}

// near is how many instances more a cluster placement group has room for side by
// side: at first what the pool has so, later what others left of it.
func (g *Group) near(p *pool, want int, now env.Time) int {
	if p == nil || p.capacity == nil || g.Strategy != "cluster" {
		return want
	}
	if g.zone() == "" {
		g.left = p.capacity.Room(now)
	}
	return min(want, g.left)
}

// fill takes room for n instances of the group. What is left others take from as
// well: to add later is likelier to fail than to launch at once (EC2 User Guide,
// placement groups). How much they take is assumed, any part being as likely.
func (g *Group) fill(p *pool, n int) {
	if p == nil || p.capacity == nil || g.Strategy != "cluster" {
		return
	}
	g.left = p.capacity.Below(max(0, g.left-n) + 1)
}

// Fate returns how an instance comes up by Options.Boot: when its slurmd answers
// is nothing that EC2 shows.
func (m *Model) Fate(id string) boot.Fate {
	if m.opt.Boot == nil {
		return boot.Fate{Running: m.opt.PendingFor, Ready: m.opt.PendingFor}
	}
	return m.opt.Boot.Fate(m.opt.Seed, id)
}

// boots puts on the agenda how a new instance comes up.
func (m *Model) boots(i *Instance, now env.Time) {
	i.runs = now.Add(m.opt.PendingFor)
	if m.opt.Boot != nil {
		f := m.Fate(i.ID)
		i.runs = now.Add(f.Running)
		if f.Dies != "" {
			m.agenda.Push(i.runs, due{deed: dies, i: i})
			return
		}
	}
	if m.opt.Sink != nil || m.opt.Ledger != nil {
		m.agenda.Push(i.runs, due{deed: runs, i: i})
	}
}

func (m *Model) run(i *Instance, now env.Time) {
	m.note(record.InstanceRunning, i, now, "", m.charges(i, now).USD(), 0)
}

func (m *Model) die(i *Instance, now env.Time) {
	code := m.Fate(i.ID).Dies
	text := "Internal error on launch"
	if code == "Client.InternalError" {
		text = "Client error on launch"
	}
	m.end(i, code, text, now)
}

// Assumed returns the numbers that the model has rested on so far and that nobody
// has measured, each once.
func (m *Model) Assumed() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	if m.opt.Boot != nil {
		out = append(out, m.opt.Boot.Assumed()...)
	}
	if m.calls["RunInstances"] > 0 {
		out = append(out, m.opt.Sight.Assumed()...)
	}
	if m.lingered {
		out = append(out, fmt.Sprintf("an instance is terminated %v after it began to shut down", m.opt.ShuttingDownFor))
	}
	if m.market != nil {
		out = append(out, m.market.Assumed()...)
	}
	return out
}
