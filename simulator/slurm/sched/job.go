package sched

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/ahead"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/queue"
)

// Check says whether the configuration could ever run a job, with all nodes
// free: None, or the reason why not. sbatch refuses BadConstraints at once; the
// others wait, until the partition changes. A job without a limit gets that of
// its first partition.
func (s *Scheduler) Check(j *Job) Reason {
	part := s.first(j)
	j.Limit = cmp.Or(j.Limit, part.DefaultTime, part.MaxTime, endless)
	j.MinNodes = max(j.MinNodes, 1)
	i := s.pick.Hold(j.ask())
	defer s.pick.Drop(i)
	return s.never(j, &s.pick.Shapes[i])
}

// ask is what a job asks for, but for its time.
func (j *Job) ask() pick.Ask {
	return pick.Ask{
		Memory: j.Memory, Place: j.Place, GPUs: j.GPUs, MinNodes: j.MinNodes, MaxNodes: j.MaxNodes,
		CPUs: j.CPUs, PerNode: j.PerNode, Exclusive: j.Exclusive,
	}
}

// choose is the picker's for a job.
func (s *Scheduler) choose(j *Job, c pick.Choice, shut []bool) *pick.Want {
	return s.pick.Choose(&s.pick.Shapes[j.shape], j.Limit, c, shut)
}

// never says why none of a job's options takes it, None where one does.
func (s *Scheduler) never(j *Job, sh *pick.Shape) Reason {
	first := sh.Why
	for i := range sh.Wants {
		why := s.pick.Bars(j.Limit, &sh.Wants[i])
		if why == None {
			return None
		}
		if i == 0 {
			first = why
		}
	}
	return first
}

// Submit puts a job into the queue: at the instant at which it may start, that
// is, after --begin, dependencies or a requeue's delay. The reason is Check's;
// a job that the configuration cannot run waits all the same.
func (s *Scheduler) Submit(j *Job, now env.Time) Reason {
	why := s.Check(j)
	j.shape = s.pick.Hold(j.ask())
	if j.Eligible == 0 {
		j.Eligible = now
	}
	j.Why, j.Expected = why, 0
	j.state = pending
	j.priority = s.priorityOf(j, now)
	s.await(j, 1)
	if k := s.queue.Insert(j, s.rank(j), s.pick.Shapes[j.shape].Need); k < s.tested {
		s.changed()
	}
	s.planned = false
	return why
}

func (s *Scheduler) rank(j *Job) queue.Rank {
	return queue.Rank{Tier: s.first(j).Tier, Priority: j.priority, Submit: int64(j.Submit), ID: j.ID}
}

// Withdraw takes a pending job out of the queue: it was cancelled or held.
func (s *Scheduler) Withdraw(j *Job) {
	if j.state != pending {
		return
	}
	s.dequeue(s.queue.Find(j, s.rank(j)))
	j.state = outside
	// Whoever waited behind it may go ahead.
	s.changed()
}

// dequeue takes the entry at k out of the queue.
func (s *Scheduler) dequeue(k int) {
	j := s.queue.Entries[k].Job
	s.queue.Remove(k)
	s.await(j, -1)
	s.pick.Drop(j.shape)
}

// ending is when a running job is expected to end.
func (j *Job) ending() ahead.Ending { return ahead.Ending{At: j.end, ID: j.ID, Use: j.use} }

// expect enters a running job by its end, and forget takes it out.
func (s *Scheduler) expect(j *Job) {
	at := s.ahead.Expect(j.ending())
	if s.opt.Priority.FairShare > 0 {
		s.running = slices.Insert(s.running, at, j)
	}
}

func (s *Scheduler) forget(j *Job) {
	at := s.ahead.Forget(j.ending())
	if s.opt.Priority.FairShare > 0 {
		s.running = slices.Delete(s.running, at, at+1)
	}
}

// start gives the job at k the nodes that were chosen for it in an option.
func (s *Scheduler) start(k int, w *pick.Want, now env.Time) {
	j := s.queue.Entries[k].Job
	s.dequeue(k)
	j.state, j.Why = running, None
	j.end, j.charged = now.Add(j.Limit), now
	j.Nodes = append(j.Nodes[:0], s.pick.Chosen...)
	if n := len(s.unused); n > 0 {
		j.use, s.unused = s.unused[n-1], s.unused[:n-1]
	} else {
		j.use = &ahead.Use{}
	}
	*j.use = ahead.Use{Nodes: j.Nodes, CPUs: append(j.use.CPUs[:0], s.pick.CPUs...), Whole: w.Whole, GPUs: j.GPUs, Memory: j.Memory}
	j.allocated = 0
	for i := range j.Nodes {
		s.take(j, i)
	}
	s.shares.Start(j.Assoc, j.allocated)
	s.expect(j)
	s.started = append(s.started, j)
}

// take books a job's share of its i-th node.
func (s *Scheduler) take(j *Job, i int) {
	k := j.Nodes[i]
	n := &s.site.Nodes[k]
	s.site.Leave(k)
	n.Jobs++
	if j.use.Whole {
		j.allocated += n.CPUs
		n.CPUs = 0
	} else {
		j.allocated += j.use.CPUs[i]
		n.CPUs -= j.use.CPUs[i]
		n.GPUs -= j.GPUs
		n.Memory -= j.Memory
	}
	s.site.Enter(k)
}

// Release ends a running job: its nodes are free for others, where their
// availability allows it. To requeue it, Submit it again when it is eligible.
func (s *Scheduler) Release(j *Job, now env.Time) {
	if j.state != running {
		return
	}
	s.charge(j, now)
	s.shares.End(j.Assoc, j.allocated)
	for i, k := range j.Nodes {
		s.site.Leave(k)
		j.use.GiveBack(&s.site, &s.site.Nodes[k], i)
		s.site.Enter(k)
	}
	s.forget(j)
	j.state = outside
	s.unused = append(s.unused, j.use)
	j.Nodes, j.use = j.Nodes[:0], nil
	s.changed()
}

// Extend moves the end of a running job's limit: a job whose nodes had to boot
// counts its limit from when they are there.
func (s *Scheduler) Extend(j *Job, end env.Time) {
	if j.state != running || j.end == end {
		return
	}
	// What was promised counts on ends before it alone, and on none where nobody
	// waits.
	counted := s.head != nil && min(j.end, end) <= s.shadow
	s.forget(j)
	j.end = end
	s.expect(j)
	if s.planned = false; counted {
		s.changed()
	}
}

// Allocated is how many CPUs a running job has.
func (j *Job) Allocated() int32 { return j.allocated }

// await counts a job among those that wait for its partitions, or no longer.
func (s *Scheduler) await(j *Job, sign int32) {
	for _, o := range s.site.Places[j.Place].Options {
		s.waiting[o.Partition] += sign
	}
}

// first is a job's first partition, which decides its tier and default limit.
func (s *Scheduler) first(j *Job) Partition {
	if o := s.site.Places[j.Place].Options; len(o) > 0 {
		return s.site.Partitions[o[0].Partition]
	}
	return Partition{}
}
