package ec2

import (
	"math"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
)

// never is later than everything.
const never = env.Time(math.MaxInt64)

// deed is something that happens by itself.
type deed uint8

const (
	runs     deed = iota // an instance is running
	dies                 // an instance that was to run ends instead
	warns                // a spot instance is told that it will be interrupted
	reclaims             // and is
	bills                // an hour of a spot instance begins, at the price of now
	dwindles             // a pool's capacity or price may have changed
)

// due is a deed with its instant; of pool and instance it has the one that the
// deed is about.
type due struct {
	at   env.Time
	seq  uint64
	deed deed
	i    *Instance
	pool *pool
}

func (d *due) before(o *due) bool { return d.at < o.at || d.at == o.at && d.seq < o.seq }

// agenda is what is to come: a binary heap.
type agenda struct {
	heap []due
	seq  uint64
}

func (a *agenda) push(d due) {
	a.seq++
	d.seq = a.seq
	a.heap = append(a.heap, d)
	h := a.heap
	for k := len(h) - 1; k > 0; {
		parent := (k - 1) / 2
		if !h[k].before(&h[parent]) {
			break
		}
		h[k], h[parent] = h[parent], h[k]
		k = parent
	}
}

func (a *agenda) pop() due {
	h := a.heap
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], due{}
	h = h[:last]
	for k := 0; ; {
		least := k
		for c := 2*k + 1; c <= 2*k+2 && c < last; c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if least == k {
			break
		}
		h[k], h[least] = h[least], h[k]
		k = least
	}
	a.heap = h
	return first
}

// next is the instant of the first deed.
func (a *agenda) next() env.Time {
	if len(a.heap) == 0 {
		return never
	}
	return a.heap[0].at
}

// settle does what has become due since the last call, in order: deeds; instances
// that are terminated by now give back what they held, and an hour later they are
// forgotten. All shut down equally long, so both queues are in order of time.
func (m *Model) settle(now env.Time) {
	for {
		gone := never
		if len(m.ending) > 0 {
			gone = m.ending[0].terminates
		}
		next := m.agenda.next()
		if min(gone, next) > now {
			break
		}
		if gone <= next {
			m.terminated(gone)
		} else {
			m.perform(m.agenda.pop())
		}
	}
	forgotten := 0
	for ; forgotten < len(m.ended) && now >= m.ended[forgotten].terminates.Add(describedFor); forgotten++ {
		i := m.ended[forgotten]
		delete(m.byID, i.ID)
		delete(m.byID, i.Volume)
		delete(m.instanceByID, i.ID)
		i.forgotten = true
	}
	if forgotten > 0 {
		m.ended = m.ended[forgotten:]
		m.instances = slices.DeleteFunc(m.instances, func(i *Instance) bool { return i.forgotten })
	}
	m.forgetTokens(now)
}

// terminated is the end of the first of those that shut down.
func (m *Model) terminated(now env.Time) {
	i := m.ending[0]
	m.ending = m.ending[1:]
	m.ended = append(m.ended, i)
	i.vacated = true
	m.vacate(i)
	m.gone(i)
	m.note(record.InstanceGone, i, now, "", 0, 0)
}

func (m *Model) perform(d due) {
	if d.deed == dwindles {
		m.dwindle(d.pool, d.at)
		return
	}
	i := d.i
	if i.Ended != 0 {
		return // meanwhile
	}
	switch d.deed {
	case runs:
		m.run(i, d.at)
	case dies:
		m.die(i, d.at)
	case warns:
		m.note(record.InstanceWarned, i, d.at, "", 0, 0)
		m.agenda.push(due{at: d.at.Add(notice), deed: reclaims, i: i})
	case reclaims:
		m.end(i, "Server.SpotInstanceTermination", "Spot instance termination", d.at)
	case bills:
		m.reprice(i, d.at)
	}
}

// wake has At call when the next thing is due: where a Sink is told of it, the
// end of shutting down too.
func (m *Model) wake() {
	if m.opt.At == nil {
		return
	}
	next := m.agenda.next()
	if m.opt.Sink != nil && len(m.ending) > 0 {
		next = min(next, m.ending[0].terminates)
	}
	if next < m.alarm {
		m.alarm = next
		m.opt.At(next, m.ring)
	}
}

// tick is what At calls.
func (m *Model) tick() {
	defer m.tell()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opt.Clock.Now()
	m.settle(now)
	if now >= m.alarm {
		m.alarm = never
	}
	m.wake()
}

// note has the Sink told of an instance.
func (m *Model) note(kind record.Kind, i *Instance, at env.Time, cause string, usd, charged float64) {
	if m.opt.Sink == nil {
		return
	}
	m.outbox = append(m.outbox, record.Event{At: at, Kind: kind, Instance: i.ID, Type: i.Type, AZ: i.Placement.AZ,
		Market: string(i.Market), Family: i.family.String(), VCPUs: i.VCPUs, Cause: cause, USD: usd, Charged: charged})
}

// noteCall has the Sink told of a call.
func (m *Model) noteCall(at env.Time, action, code string) {
	if m.opt.Sink != nil {
		m.outbox = append(m.outbox, record.Event{At: at, Kind: record.Call, Operation: action, Code: code})
	}
}

// Refused has the Sink told of a call that never came to the Model.
func (m *Model) Refused(action, code string) {
	if m.opt.Sink == nil {
		return
	}
	m.mu.Lock()
	m.noteCall(m.opt.Clock.Now(), action, code)
	m.mu.Unlock()
	m.tell()
}

// tell empties the outbox into the Sink, in order: whoever finds somebody else at
// it, also a Sink that calls the Model, leaves its events to them.
func (m *Model) tell() {
	if m.opt.Sink == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.telling {
		return
	}
	m.telling = true
	defer func() {
		clear(m.outbox)
		m.outbox, m.telling = m.outbox[:0], false
	}()
	for k := 0; k < len(m.outbox); k++ { // it may grow meanwhile
		m.deliver(m.outbox[k])
	}
}

// deliver calls the Sink without the lock, which tell holds.
func (m *Model) deliver(e record.Event) {
	m.mu.Unlock()
	defer m.mu.Lock() // also where the Sink panics
	m.opt.Sink(e)
}
