package sched

import (
	"sort"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
)

// plan is how many whole nodes of each class are free, from each instant until
// the next one's. Counting is exact: nodes of a class are alike, and jobs that
// never exceed the count at any instant can always be given nodes in order of
// their starts.
type plan struct {
	classes int
	at      []env.Time
	free    []int32 // classes of each instant
	least   []int32
}

// Backfill is Slurm's backfill pass: in order of priority, each of the first
// MaxTest jobs gets nodes at the earliest instant that delays nobody before it:
// now, and it starts, or a reservation that those behind it keep to. It returns
// the jobs that it started; the slice is good until the next pass. Other
// policies have no such pass.
func (s *Scheduler) Backfill(now env.Time) []*Job {
	s.started = s.started[:0]
	s.reprioritise(now)
	if !s.BackfillDirty(now) {
		return s.started
	}
	s.planned = true
	last := s.lastCandidate()
	if last < 0 {
		return s.started
	}
	if s.opt.Shared {
		s.future.Reset(now, len(s.site.Nodes), s.opt.Params.Resolution)
		s.plans++
	} else {
		s.layOut(now)
	}
	s.backfill(now, last)
	return s.started
}

// BackfillDirty reports whether a Backfill at this instant could start a job.
// Where it is false the pass can be left out.
func (s *Scheduler) BackfillDirty(now env.Time) bool {
	if s.opt.Policy != Slurm || s.queue.Len() == 0 || s.site.Open == 0 {
		return false
	}
	overdue := len(s.running) > 0 && s.running[0].at <= now
	return !s.planned || overdue || s.aged(now)
}

// lastCandidate returns the last of the entries that a pass tests that could
// start now at all, -1 for none: what is reserved for those behind it is in
// nobody's way in this pass.
func (s *Scheduler) lastCandidate() int {
	last, tests := -1, s.opt.Params.MaxTest
	for k := range s.queue.Entries {
		e := &s.queue.Entries[k]
		if e.Job == nil {
			continue
		}
		if tests == 0 {
			break
		}
		tests--
		if e.Need <= s.site.Open {
			last = k
		}
	}
	return last
}

func (s *Scheduler) backfill(now env.Time, last int) {
	par := &s.opt.Params
	for k := 0; k <= last && s.site.Open > 0; k++ {
		j := s.queue.Entries[k].Job
		if j == nil || !s.may(j) {
			continue
		}
		if w := s.fitsNow(j, now); w != nil {
			s.start(k, w, now)
			s.plans++
			if s.opt.Shared && w.Whole {
				s.booked = s.none(s.booked)
				for _, n := range j.Nodes {
					s.booked.Add(n)
				}
				s.future.Take(s.booked, now, j.end)
			}
			if par.MaxStart > 0 && len(s.started) == par.MaxStart {
				return
			}
			continue
		}
		if j.Why == None {
			j.Why = Priority
		}
		if now.Sub(j.Eligible) >= par.MinAge {
			s.reserve(j, now)
		}
	}
}

// fitsNow chooses nodes that a job can have from now to the end of its limit,
// with what is reserved left alone, and returns the option that has them.
func (s *Scheduler) fitsNow(j *Job, now env.Time) *pick.Want {
	if s.opt.Shared {
		s.busy = s.none(s.busy)
		s.future.Taken(s.busy, now, now.Add(j.Limit))
		return s.choose(j, pick.Choice{Avoid: s.busy}, nil)
	}
	end := s.round(now, now.Add(j.Limit))
	p := &s.plan
	sh := &s.pick.Shapes[j.shape]
	for i := range sh.Wants {
		w := &sh.Wants[i]
		if w.Need > s.site.Open || s.pick.Bars(j.Limit, w) != None || p.fits(s, j, w, 0, end) >= 0 || !s.pick.ChooseIn(&sh.Ask, w, pick.Choice{Caps: p.least}) {
			continue
		}
		to := p.cut(end)
		for _, n := range s.pick.Chosen {
			c := int(s.site.Nodes[n].Class)
			for k := c; k < to*p.classes; k += p.classes {
				p.free[k]--
			}
		}
		return w
	}
	return nil
}

// reserve keeps nodes for a job, in the option and from the instant in which it
// can have them first, where that is within the window.
func (s *Scheduler) reserve(j *Job, now env.Time) {
	if s.opt.Shared {
		s.reserveShared(j, now)
		return
	}
	window := now.Add(s.opt.Params.Window)
	sh := &s.pick.Shapes[j.shape]
	p := &s.plan
	var best *pick.Want
	first := len(p.at)
	for i := range sh.Wants {
		w := &sh.Wants[i]
		if s.pick.Bars(j.Limit, w) != None {
			continue
		}
		for from := 0; from < first && p.at[from] <= window; {
			short := p.fits(s, j, w, from, s.round(now, p.at[from].Add(j.Limit)))
			if short < 0 {
				best, first = w, from
				break
			}
			from = short
		}
	}
	if best == nil {
		return
	}
	j.Expected = p.at[first]
	end := s.round(now, j.Expected.Add(j.Limit))
	p.fits(s, j, best, first, end)
	to := p.cut(end)
	for i, c := range s.site.Sets[best.Set].Classes {
		for k := first; k < to; k++ {
			p.free[k*p.classes+int(c)] -= s.pick.Work[i]
		}
	}
}

// round rounds an instant up to bf_resolution after now.
func (s *Scheduler) round(now, t env.Time) env.Time {
	r := s.opt.Params.Resolution
	if r <= 1 {
		return t
	}
	return now.Add((t.Sub(now) + r - 1) / r * r)
}

// layOut begins a plan: what is free now, and what comes back as running jobs
// end by their limits.
func (s *Scheduler) layOut(now env.Time) {
	p := &s.plan
	p.classes = len(s.site.Classes)
	p.at = append(p.at[:0], now)
	p.free = p.free[:0]
	for c := range s.site.Classes {
		p.free = append(p.free, s.site.Classes[c].Idle())
	}
	a := s.arrivals(now)
	for t, ok := a.next(); ok; t, ok = a.next() {
		at := s.round(now, t.at)
		if at > p.at[len(p.at)-1] {
			p.at = append(p.at, at)
			p.free = append(p.free, p.free[len(p.free)-p.classes:]...)
		}
		p.free[len(p.free)-p.classes+int(t.class)] += t.n
	}
}

// fits returns -1 where a job can have its nodes from step from until end: least
// has what is free of each class of its set all that time, and the scheduler's
// work what the job would take of it. Else it returns the first step from which
// there is a chance: a step that is short of nodes by itself is so for every
// window that has it in it.
func (p *plan) fits(s *Scheduler, j *Job, w *pick.Want, from int, end env.Time) int {
	set := &s.site.Sets[w.Set]
	for len(p.least) < p.classes {
		p.least = append(p.least, 0)
	}
	if len(set.Classes) == 1 && w.Plain {
		c := int(set.Classes[0])
		for k := from; k < len(p.at) && (k == from || p.at[k] < end); k++ {
			if p.free[k*p.classes+c] < w.Need {
				return k + 1
			}
		}
		p.least[c] = w.Need
		s.pick.Work = append(s.pick.Work[:0], w.Need)
		return -1
	}
	for k := from; k < len(p.at) && (k == from || p.at[k] < end); k++ {
		free := p.free[k*p.classes : (k+1)*p.classes]
		var here, always struct{ nodes, cpus int32 }
		for i, c := range set.Classes {
			n := free[c]
			here.nodes += n
			here.cpus += n * set.CPUs[i]
			if k == from || n < p.least[c] {
				p.least[c] = n
			}
			always.nodes += p.least[c]
			always.cpus += p.least[c] * set.CPUs[i]
		}
		if here.nodes < w.Need || here.cpus < j.CPUs {
			return k + 1
		}
		if always.nodes < w.Need || always.cpus < j.CPUs {
			return from + 1
		}
	}
	// What backfill reserves it takes whatever its weight: so does slurmctld.
	s.pick.Any(w, j.CPUs, p.least)
	return -1
}

// cut makes an instant the beginning of a step and returns which.
func (p *plan) cut(t env.Time) int {
	k := sort.Search(len(p.at), func(i int) bool { return p.at[i] >= t })
	if k < len(p.at) && p.at[k] == t {
		return k
	}
	n := p.classes
	p.at = append(p.at, 0)
	copy(p.at[k+1:], p.at[k:])
	p.at[k] = t
	p.free = append(p.free, p.free[len(p.free)-n:]...)
	copy(p.free[(k+1)*n:], p.free[k*n:len(p.free)-n])
	copy(p.free[k*n:(k+1)*n], p.free[(k-1)*n:k*n])
	return k
}
