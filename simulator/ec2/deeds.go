package ec2

import (
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/agenda"
	"aws-slurm-burst/simulator/record"
)

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

// due is a deed; of pool and instance it has the one that it is about.
type due struct {
	deed deed
	i    *Instance
	pool *pool
}

// settle does what has become due since the last call, in order: deeds; instances
// that are terminated by now give back what they held, and an hour later they are
// forgotten. All shut down equally long, so both queues are in order of time.
func (m *Model) settle(now env.Time) {
	for {
		gone := agenda.Never
		if len(m.ending) > 0 {
			gone = m.ending[0].terminates
		}
		next := m.agenda.Next()
		if min(gone, next) > now {
			break
		}
		if gone <= next {
			m.terminated(gone)
		} else {
			m.perform(m.agenda.Pop())
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

func (m *Model) perform(at env.Time, d due) {
	if d.deed == dwindles {
		m.dwindle(d.pool, at)
		return
	}
	i := d.i
	if i.Ended != 0 {
		return // meanwhile
	}
	switch d.deed {
	case runs:
		m.run(i, at)
	case dies:
		m.die(i, at)
	case warns:
		m.note(record.InstanceWarned, i, at, "", 0, 0)
		m.agenda.Push(at.Add(notice), due{deed: reclaims, i: i})
	case reclaims:
		m.end(i, "Server.SpotInstanceTermination", "Spot instance termination", at)
	case bills:
		m.reprice(i, at)
	}
}

// wake has At call when the next thing is due: where a Sink is told of it, the
// end of shutting down too.
func (m *Model) wake() {
	if m.opt.At == nil {
		return
	}
	next := m.agenda.Next()
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
		m.alarm = agenda.Never
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
