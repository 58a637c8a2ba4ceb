package sched

import "aws-slurm-burst/executor/env"

// promise reserves nodes for EASY's first waiting job, in the option and at the
// instant in which it has them first if running jobs end by their limits. A job
// that nobody knows such an instant for is passed over.
func (s *Scheduler) promise(j *Job, now env.Time) {
	sh := &s.pick.Shapes[j.shape]
	best := never
	for i := range sh.Wants {
		w := &sh.Wants[i]
		if s.pick.Bars(j.Limit, w) != None {
			continue
		}
		if s.opt.Shared {
			if at, nodes := s.ahead.Promise(&sh.Ask, w, now); at < best {
				best, s.spare, s.held = at, nil, nodes
			}
			continue
		}
		at, free := s.ahead.Whole(&sh.Ask, w, now)
		if at >= best {
			continue
		}
		best, s.held = at, nil
		s.spare = append(s.spare[:0], free...)
		for i, c := range s.site.Sets[w.Set].Classes {
			s.spare[c] -= s.pick.Work[i]
		}
	}
	if best < never {
		s.head, s.shadow, j.Expected = j, best, best
	}
}
