package sched

import (
	"slices"

	"aws-slurm-burst/executor/env"
)

// changed says that jobs which could not start may be able to now.
func (s *Scheduler) changed() {
	s.tested, s.stuck, s.head = 0, false, nil
	clear(s.blocked)
	for c := range s.caps {
		s.caps[c] = hole
	}
	s.planned = false
}

// Dirty reports whether a Pass at this instant could start a job. Where it is
// false the pass can be left out.
func (s *Scheduler) Dirty(now env.Time) bool {
	if s.queue.n == 0 || s.open == 0 {
		return false
	}
	return !s.stuck && s.tested < len(s.queue.entries) || s.overdue(now) || s.aged(now)
}

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
	if s.stuck || s.queue.n == 0 || s.open == 0 {
		return s.started
	}
	switch s.opt.Policy {
	case FIFO:
		s.fifo(now)
	case EASY:
		s.easy(now)
	case Slurm:
		s.main(now, full)
	}
	if s.queue.tidy() {
		s.tested = min(s.tested, len(s.queue.entries))
	}
	return s.started
}

// fifo starts jobs until one has to wait, and everybody behind it.
func (s *Scheduler) fifo(now env.Time) {
	for ; s.tested < len(s.queue.entries); s.tested++ {
		j := s.queue.entries[s.tested].job
		if j == nil || !s.may(j) {
			continue
		}
		if !s.choose(j, choice{}) {
			j.Why = Resources
			s.stuck = true
			return
		}
		s.start(s.tested, now)
	}
}

// easy starts jobs until one has to wait, reserves nodes for that one, and
// starts those behind it that leave it what it has reserved.
func (s *Scheduler) easy(now env.Time) {
	q := &s.queue
	for k := s.tested; k < len(q.entries); k++ {
		if s.head != nil {
			if k = q.next(k, s.open); k == len(q.entries) {
				break
			}
		}
		j := q.entries[k].job
		if j == nil || !s.may(j) {
			continue
		}
		if s.head == nil {
			if s.choose(j, choice{}) {
				s.start(k, now)
			} else {
				j.Why = Resources
				s.promise(j, now)
			}
			continue
		}
		// Whoever is gone by then may have all that is free, others what is left.
		var c choice
		stays := now.Add(j.Limit) > s.shadow
		if stays {
			c = choice{s.spare, s.held}
		}
		if !s.choose(j, c) {
			j.Why = Priority
			continue
		}
		if stays && s.spare != nil {
			for _, n := range s.chosen {
				s.spare[s.nodes[n].class]--
			}
		}
		s.start(k, now)
	}
	s.tested = len(q.entries)
}

// main is Slurm's main pass: a job that has to wait keeps all others of its
// partition waiting, and everybody from the partition's nodes.
func (s *Scheduler) main(now env.Time, full bool) {
	q := &s.queue
	depth := s.opt.Params.Depth
	for ; s.tested < len(q.entries); s.tested++ {
		j := q.entries[s.tested].job
		if j == nil {
			continue
		}
		p := s.places[j.Place].partition
		if s.blocked[p] {
			j.Why = max(j.Why, Priority)
			continue
		}
		if !full {
			if depth == 0 {
				return
			}
			depth--
		}
		if !s.may(j) {
			continue
		}
		if s.choose(j, choice{caps: s.caps}) {
			s.start(s.tested, now)
			continue
		}
		j.Why = Resources
		if s.block(p) {
			s.tested = len(q.entries)
			return
		}
	}
}

// block keeps the present pass, and those after it until something changes, from
// a partition and its nodes. It reports whether nobody is left.
func (s *Scheduler) block(p int32) bool {
	s.blocked[p] = true
	for c := range s.classes {
		if slices.Contains(s.classes[c].partitions, p) {
			s.caps[c] = 0
		}
	}
	for p, n := range s.waiting {
		if n > 0 && !s.blocked[p] {
			return false
		}
	}
	return true
}

// may reports whether neither the partition nor a limit keeps a job from
// starting, whatever is free. Such a job is in nobody's way.
func (s *Scheduler) may(j *Job) bool {
	why := None
	if BadConstraints <= j.Why && j.Why <= PartitionDown || s.partitions[s.places[j.Place].partition].Down {
		why = s.Check(j)
	}
	if why == None {
		why = s.withinLimits(j)
	}
	if why != None {
		j.Why = why
	}
	return why == None
}
