package sched

import (
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// none empties a set of nodes, or makes one.
func (s *Scheduler) none(set slots.Nodes) slots.Nodes {
	if len(set) != (len(s.site.Nodes)+63)/64 {
		return slots.Of(len(s.site.Nodes))
	}
	clear(set)
	return set
}

// reserveShared is reserve where nodes are shared: whole nodes are reserved,
// whatever the job needs of each, as slurmctld reserves them.
func (s *Scheduler) reserveShared(j *Job, now env.Time) {
	best := never
	sh := &s.pick.Shapes[j.shape]
	for i := range sh.Wants {
		if s.pick.Bars(j.Limit, &sh.Wants[i]) != None {
			continue
		}
		if at := s.soonestFree(j, &sh.Wants[i], now); at < best {
			best = at
			s.booked = s.none(s.booked)
			for _, n := range s.pick.Chosen {
				s.booked.Add(n)
			}
		}
	}
	if best < never {
		j.Expected = best
		s.future.Take(s.booked, best, best.Add(j.Limit))
	}
}

// soonestFree returns the earliest instant from which a job can have nodes of an
// option, which are chosen, for all of its limit, beside what is reserved: never
// where that is not within the window. It tries with the nodes that are not
// reserved between now and then; where these come too late, with those that are
// not from a later instant on.
func (s *Scheduler) soonestFree(j *Job, w *pick.Want, now env.Time) env.Time {
	window := now.Add(s.opt.Params.Window)
	// With nothing reserved it would not be later. All jobs of a shape have that in
	// common, until one starts.
	sh := &s.pick.Shapes[j.shape]
	if sh.Planned != s.plans || len(sh.Wants) > 1 {
		sh.Planned, sh.First = s.plans, s.ahead.Shared(&sh.Ask, w, now, nil)
	}
	first := sh.First
	if first > window {
		return never
	}
	members := s.site.Members(w.Set)
	for start := now; ; {
		s.busy = s.none(s.busy)
		next := s.future.Taken(s.busy, start, start.Add(j.Limit))
		if (next == 0 || next >= first) && members.Without(s.busy) >= w.Need {
			if at := s.ahead.Shared(&sh.Ask, w, now, s.busy); at < never {
				// Whatever ends now may do so at any moment, but has not.
				at = max(at, start, now+1)
				if next == 0 || at <= next {
					if at > window {
						return never
					}
					set := slots.Of(len(s.site.Nodes))
					for _, n := range s.pick.Chosen {
						set.Add(n)
					}
					if s.future.Free(set, at, at.Add(j.Limit)) {
						return at
					}
					next = at
				}
			}
		}
		if next <= start || next > window {
			return never
		}
		start = next
	}
}
