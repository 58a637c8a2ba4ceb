package sched

import (
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/site"
)

// changed says that jobs which could not start may be able to now.
func (s *Scheduler) changed() {
	s.epoch++
	s.tested, s.stuck, s.deep, s.head = 0, false, false, nil
	clear(s.blocked)
	for c := range s.caps {
		s.caps[c] = hole
	}
	s.planned = false
}

// Dirty reports whether a Pass at this instant could start a job. Where it is
// false the pass can be left out.
func (s *Scheduler) Dirty(now env.Time) bool {
	if s.queue.Len() == 0 || s.site.Open == 0 {
		return false
	}
	return !s.stuck && !s.deep && s.tested < len(s.queue.Entries) || s.overdue(now) || s.aged(now)
}

// Deep reports whether the last Pass stopped at its depth: a full one may start
// jobs behind it.
func (s *Scheduler) Deep() bool { return s.deep && s.queue.Len() > 0 && s.site.Open > 0 }

// overdue reports whether the instant that EASY's first waiting job was promised
// has come without its nodes: jobs run beyond their limits.
func (s *Scheduler) overdue(now env.Time) bool { return s.head != nil && s.shadow <= now }

// aged reports whether it is time to work priorities out anew.
func (s *Scheduler) aged(now env.Time) bool { return now >= s.nextCalc && !s.opt.Priority.none() }

// Pass starts the jobs that can start now, in order, and returns them: each has
// its Nodes. The slice is good until the next pass.
//
// Under Slurm this is the main pass: it tests Depth jobs, or all with full,
// which is what slurmctld does every Interval.
func (s *Scheduler) Pass(now env.Time, full bool) []*Job {
	s.started = s.started[:0]
	s.reprioritise(now)
	if s.overdue(now) {
		s.changed()
	}
	if s.stuck || s.deep && !full || s.queue.Len() == 0 || s.site.Open == 0 {
		return s.started
	}
	s.deep = false
	switch s.opt.Policy {
	case FIFO:
		s.fifo(now)
	case EASY:
		s.easy(now)
	case Slurm:
		s.main(now, full)
	}
	if s.queue.Tidy() {
		s.tested = min(s.tested, len(s.queue.Entries))
	}
	return s.started
}

// fifo starts jobs until one has to wait, and everybody behind it.
func (s *Scheduler) fifo(now env.Time) {
	for ; s.tested < len(s.queue.Entries); s.tested++ {
		j := s.queue.Entries[s.tested].Job
		if j == nil || !s.may(j) {
			continue
		}
		w := s.choose(j, pick.Choice{}, nil)
		if w == nil {
			j.Why = Resources
			s.stuck = true
			return
		}
		s.start(s.tested, w, now)
	}
}

// easy starts jobs until one has to wait, reserves nodes for that one, and
// starts those behind it that leave it what it has reserved.
func (s *Scheduler) easy(now env.Time) {
	q := &s.queue
	for k := s.tested; k < len(q.Entries); k++ {
		if s.head != nil {
			if k = q.Next(k, s.site.Open); k == len(q.Entries) {
				break
			}
		}
		j := q.Entries[k].Job
		if j == nil || !s.may(j) {
			continue
		}
		if s.head == nil {
			if w := s.choose(j, pick.Choice{}, nil); w != nil {
				s.start(k, w, now)
			} else {
				j.Why = Resources
				s.promise(j, now)
			}
			continue
		}
		sh := &s.pick.Shapes[j.shape]
		if sh.Epoch == s.epoch && j.Limit >= sh.Limit {
			continue // no more fits than for the last of this shape
		}
		// Whoever is gone by then may have all that is free, others what is left.
		var c pick.Choice
		stays := now.Add(j.Limit) > s.shadow
		if stays {
			c = pick.Choice{Caps: s.spare, Avoid: s.held}
		}
		w := s.choose(j, c, nil)
		if w == nil {
			j.Why = Priority
			sh.Epoch, sh.Limit = s.epoch, j.Limit
			continue
		}
		if stays && s.spare != nil {
			for _, n := range s.pick.Chosen {
				s.spare[s.site.Nodes[n].Class]--
			}
		}
		s.start(k, w, now)
	}
	s.tested = len(q.Entries)
}

// main is Slurm's main pass: a job that has to wait keeps all others of its
// partition waiting, and everybody from the partition's nodes.
func (s *Scheduler) main(now env.Time, full bool) {
	q := &s.queue
	depth := s.opt.Params.Depth
	for ; s.tested < len(q.Entries); s.tested++ {
		j := q.Entries[s.tested].Job
		if j == nil {
			continue
		}
		options := s.site.Places[j.Place].Options
		if !slices.ContainsFunc(options, func(o site.Option) bool { return !s.blocked[o.Partition] }) {
			j.Why = max(j.Why, Priority)
			continue
		}
		if !full {
			if depth == 0 {
				s.deep = true
				return
			}
			depth--
		}
		if !s.may(j) {
			continue
		}
		if w := s.choose(j, pick.Choice{Caps: s.caps}, s.blocked); w != nil {
			s.start(s.tested, w, now)
			continue
		}
		j.Why = Resources
		for _, o := range options {
			s.block(o.Partition)
		}
		if s.allBlocked() {
			s.tested = len(q.Entries)
			return
		}
	}
}

// block keeps the present pass, and those after it until something changes, from
// a partition and its nodes.
func (s *Scheduler) block(p int32) {
	if s.blocked[p] {
		return
	}
	s.blocked[p] = true
	for c := range s.site.Classes {
		if slices.Contains(s.site.Classes[c].In, p) {
			s.caps[c] = 0
		}
	}
}

// allBlocked reports whether all jobs that are left wait for blocked partitions.
func (s *Scheduler) allBlocked() bool {
	for p, n := range s.waiting {
		if n > 0 && !s.blocked[p] {
			return false
		}
	}
	return true
}

// may reports whether neither the partitions nor a limit keep a job from
// starting, whatever is free. Such a job is in nobody's way.
func (s *Scheduler) may(j *Job) bool {
	why := s.never(j, &s.pick.Shapes[j.shape])
	if why == None {
		why = s.withinLimits(j)
	}
	if why != None {
		j.Why = why
	}
	return why == None
}
