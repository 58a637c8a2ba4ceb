package billing

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
)

// Meter sweeps over time as a meter on a line does: it knows what everything that
// is on costs in a second, and no instance. Its instants come in order. The zero
// Meter is off.
type Meter struct {
	at    int64 // second up to which total is counted
	rate  Rate  // of everything that is on
	total Amount
	late  []late // in order of time
}

// late is a rate that goes off only when its minimum is over.
type late struct {
	at   int64
	rate Rate
}

// On adds a rate from an instant on.
func (m *Meter) On(at env.Time, rate Rate) {
	m.sweep(second(at))
	m.rate += rate
}

// Change puts one rate in another's place.
func (m *Meter) Change(at env.Time, old, rate Rate) {
	m.sweep(second(at))
	m.rate += rate - old
}

// Off takes away a rate that has been on since an instant: at once, or when the
// minimum is over.
func (m *Meter) Off(at, since env.Time, rate Rate) {
	m.sweep(second(at))
	end := second(since) + Minimum
	if end <= m.at {
		m.rate -= rate
		return
	}
	i, _ := slices.BinarySearchFunc(m.late, end, func(l late, end int64) int { return cmp.Compare(l.at, end) })
	m.late = slices.Insert(m.late, i, late{end, rate})
}

// sweep counts the seconds up to one.
func (m *Meter) sweep(to int64) {
	for len(m.late) > 0 && m.late[0].at <= to {
		m.count(m.late[0].at)
		m.rate -= m.late[0].rate
		m.late = m.late[1:]
	}
	m.count(to)
}

func (m *Meter) count(to int64) {
	if to > m.at {
		m.total += m.rate.For(to - m.at)
		m.at = to
	}
}

// Total is what has been billed until now, with what minimums that have begun to
// count still bring. It agrees with the Ledger's.
func (m *Meter) Total(now env.Time) Amount {
	m.sweep(second(now))
	total := m.total
	for _, l := range m.late {
		total += l.rate.For(l.at - m.at)
	}
	return total
}
