package billing

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// Ledger has one line an instance. Lines that are closed are told and added up,
// not kept: months of instances take no memory. The zero Ledger is empty.
type Ledger struct {
	// Closed, where it is set, is called with each line when its instance ends.
	Closed func(Line)

	open  []*Run
	sums  map[kind]*Sum
	total Amount // of closed lines
}

type kind struct {
	name, az string
	market   cloud.Market
}

// Run is an instance that runs: a line that is still open.
type Run struct {
	ledger *Ledger
	index  int
	line   Line
	rate   Rate
	since  int64  // second from which rate holds
	before Amount // of other rates
}

// Open begins a line for an instance (of which line has Instance, Type, AZ and
// Market) that runs from an instant on. Without a known price the run costs
// nothing, and its line says so.
func (l *Ledger) Open(line Line, from env.Time, rate Rate, known bool) *Run {
	s := second(from)
	line.From = instant(s)
	line.Unpriced = !known
	if !known {
		rate = 0
	}
	r := &Run{ledger: l, index: len(l.open), line: line, rate: rate, since: s}
	l.open = append(l.open, r)
	return r
}

// Rate returns the rate that holds now.
func (r *Run) Rate() Rate { return r.rate }

// From returns when the run began, a whole second.
func (r *Run) From() env.Time { return r.line.From }

// Reprice changes the rate from an instant on.
func (r *Run) Reprice(at env.Time, rate Rate) {
	s := max(second(at), r.since)
	r.before += r.rate.For(s - r.since)
	r.rate, r.since = rate, s
}

// Charge is what the run is billed if it ends at an instant.
func (r *Run) Charge(at env.Time) Amount {
	return r.before + r.rate.For(r.until(at)-r.since)
}

// until is the second up to which it is billed then.
func (r *Run) until(at env.Time) int64 {
	return max(second(at), r.since, second(r.line.From)+Minimum)
}

// Close ends the run at an instant and returns its line.
func (r *Run) Close(at env.Time) Line {
	l := r.ledger
	r.line.Until = instant(max(second(at), r.since))
	r.line.Seconds = r.until(at) - second(r.line.From)
	r.line.Amount = r.Charge(at)

	last := len(l.open) - 1
	l.open[r.index] = l.open[last]
	l.open[r.index].index = r.index
	l.open[last] = nil
	l.open = l.open[:last]
	l.add(r.line)
	return r.line
}

func (l *Ledger) add(line Line) {
	l.total += line.Amount
	if l.sums == nil {
		l.sums = map[kind]*Sum{}
	}
	k := kind{line.Type, line.AZ, line.Market}
	s := l.sums[k]
	if s == nil {
		s = &Sum{Type: line.Type, AZ: line.AZ, Market: line.Market}
		l.sums[k] = s
	}
	s.Instances++
	s.Seconds += line.Seconds
	s.Amount += line.Amount
	s.Unpriced = s.Unpriced || line.Unpriced
	if l.Closed != nil {
		l.Closed(line)
	}
}

// Total is what has been billed until now: all lines that are closed, and of the
// open ones the seconds so far.
func (l *Ledger) Total(now env.Time) Amount {
	total := l.total
	for _, r := range l.open {
		total += r.before + r.rate.For(max(0, second(now)-r.since))
	}
	return total
}

// Sums returns the closed lines added up by type, zone and market, in the order
// of their names.
func (l *Ledger) Sums() []Sum {
	out := make([]Sum, 0, len(l.sums))
	for _, s := range l.sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Sum) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.AZ, b.AZ), cmp.Compare(a.Market, b.Market))
	})
	return out
}
