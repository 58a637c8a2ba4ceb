package sched

import (
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
)

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
		s.ahead.LayOut(&s.plan, now)
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
	overdue := len(s.ahead.Running) > 0 && s.ahead.Running[0].At <= now
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
	end := s.plan.Round(now, now.Add(j.Limit))
	p := &s.plan
	sh := &s.pick.Shapes[j.shape]
	for i := range sh.Wants {
		w := &sh.Wants[i]
		if w.Need > s.site.Open || s.pick.Bars(j.Limit, w) != None || p.Fits(&s.pick, &sh.Ask, w, 0, end) >= 0 || !s.pick.ChooseIn(&sh.Ask, w, pick.Choice{Caps: p.Least}) {
			continue
		}
		to := p.Cut(end)
		for _, n := range s.pick.Chosen {
			c := int(s.site.Nodes[n].Class)
			for k := c; k < to*p.Classes; k += p.Classes {
				p.Free[k]--
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
	first := len(p.At)
	for i := range sh.Wants {
		w := &sh.Wants[i]
		if s.pick.Bars(j.Limit, w) != None {
			continue
		}
		for from := 0; from < first && p.At[from] <= window; {
			short := p.Fits(&s.pick, &sh.Ask, w, from, s.plan.Round(now, p.At[from].Add(j.Limit)))
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
	j.Expected = p.At[first]
	end := s.plan.Round(now, j.Expected.Add(j.Limit))
	p.Fits(&s.pick, &sh.Ask, best, first, end)
	to := p.Cut(end)
	for i, c := range s.site.Sets[best.Set].Classes {
		for k := first; k < to; k++ {
			p.Free[k*p.Classes+int(c)] -= s.pick.Work[i]
		}
	}
}
