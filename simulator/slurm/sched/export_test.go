package sched

// Shapes is how many shapes of jobs are known.
func (s *Scheduler) Shapes() int { return len(s.pick.Shapes) }
