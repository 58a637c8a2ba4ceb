package sched

import (
	"cmp"
	"sort"

	"aws-slurm-burst/executor/env"
)

// Check says whether the configuration could ever run a job, with all nodes
// free: None, or the reason why not. sbatch refuses BadConstraints at once; the
// others wait, until the partition changes.
func (s *Scheduler) Check(j *Job) Reason {
	s.resolve(j)
	p := &s.partitions[s.places[j.Place].partition]
	s.counts = s.counts[:0]
	for c := range s.classes {
		s.counts = append(s.counts, int32(len(s.classes[c].nodes)))
	}
	switch {
	case !s.split(j, s.counts):
		return BadConstraints
	case p.MaxNodes > 0 && j.need > p.MaxNodes:
		return PartitionNodeLimit
	case p.MaxTime > 0 && j.Limit > p.MaxTime:
		return PartitionTimeLimit
	case p.Down:
		return PartitionDown
	}
	return None
}

// resolve works out what a job comes to in its partition.
func (s *Scheduler) resolve(j *Job) {
	p := &s.partitions[s.places[j.Place].partition]
	j.Limit = cmp.Or(j.Limit, p.DefaultTime, p.MaxTime, endless)
	j.MinNodes = max(j.MinNodes, 1)
	j.whole = !s.opt.Shared || j.Exclusive || p.Exclusive
	// However many nodes it gets, their quotas come to what it asks for.
	j.quota = max(j.PerNode, 1)
	if j.MaxNodes > 0 {
		j.quota = max(j.quota, ceil(j.CPUs, j.MaxNodes))
	}
	j.set = s.capable(j)
	set := &s.sets[j.set]
	// No node has more than maxCPUs of them.
	j.need = max(j.MinNodes, ceil(j.CPUs, max(set.maxCPUs, 1)))
	// Any so many nodes will do where even the smallest are enough.
	if j.whole {
		j.plain = int64(j.need)*int64(set.minCPUs) >= int64(j.CPUs)
	} else {
		j.plain = int64(j.MinNodes)*int64(j.quota) >= int64(j.CPUs)
	}
}

// capable returns the set of those classes of a job's place whose nodes, when
// nothing else is on them, have what it asks for on each.
func (s *Scheduler) capable(j *Job) int32 {
	at := s.places[j.Place].set
	able := func(c *class) bool { return c.CPUs >= j.quota && c.GPUs >= j.GPUs && c.Memory >= j.Memory }
	all := s.sets[at].classes
	for k, c := range all {
		if able(&s.classes[c]) {
			continue
		}
		some := append([]int32{}, all[:k]...)
		for _, c := range all[k:] {
			if able(&s.classes[c]) {
				some = append(some, c)
			}
		}
		return s.intern(some)
	}
	return at
}

func ceil(a, b int32) int32 { return (a + b - 1) / b }

// Submit puts a job into the queue: at the instant at which it may start, that
// is, after --begin, dependencies or a requeue's delay. The reason is Check's;
// a job that the configuration cannot run waits all the same.
func (s *Scheduler) Submit(j *Job, now env.Time) Reason {
	why := s.Check(j)
	if j.Eligible == 0 {
		j.Eligible = now
	}
	j.Why, j.Expected = why, 0
	j.state = pending
	j.priority = s.priorityOf(j, now)
	s.waiting[s.places[j.Place].partition]++
	if k := s.queue.insert(j, s.rank(j)); k < s.tested {
		s.changed()
	}
	s.planned = false
	return why
}

func (s *Scheduler) rank(j *Job) rank {
	return rank{s.partitions[s.places[j.Place].partition].Tier, j.priority, int64(j.Submit), j.ID}
}

// Withdraw takes a pending job out of the queue: it was cancelled or held.
func (s *Scheduler) Withdraw(j *Job) {
	if j.state != pending {
		return
	}
	s.dequeue(s.queue.find(j, s.rank(j)))
	j.state = outside
	// Whoever waited behind it may go ahead.
	s.changed()
}

// dequeue takes the entry at k out of the queue.
func (s *Scheduler) dequeue(k int) {
	j := s.queue.entries[k].job
	s.queue.remove(k)
	s.waiting[s.places[j.Place].partition]--
}

// ending is a running job and the end of its limit.
type ending struct {
	at  env.Time
	job *Job
}

func (s *Scheduler) endingAt(j *Job) int {
	return sort.Search(len(s.running), func(i int) bool {
		r := &s.running[i]
		return r.at > j.end || r.at == j.end && r.job.ID >= j.ID
	})
}

// start gives a job the nodes that were chosen for it.
func (s *Scheduler) start(k int, now env.Time) {
	j := s.queue.entries[k].job
	s.dequeue(k)
	j.state, j.Why = running, None
	j.end, j.charged = now.Add(j.Limit), now
	j.Nodes = append(j.Nodes[:0], s.chosen...)
	j.cpus = j.cpus[:0]
	if !j.whole {
		j.cpus = append(j.cpus, s.chosenCPUs...)
	}
	j.allocated = 0
	for i := range j.Nodes {
		s.take(j, i)
	}
	s.tally(j, 1)
	at := s.endingAt(j)
	s.running = append(s.running, ending{})
	copy(s.running[at+1:], s.running[at:])
	s.running[at] = ending{j.end, j}
	s.started = append(s.started, j)
}

// take books a job's share of its i-th node.
func (s *Scheduler) take(j *Job, i int) {
	k := j.Nodes[i]
	n := &s.nodes[k]
	s.leave(k)
	n.jobs++
	if j.whole {
		j.allocated += n.cpus
		n.cpus = 0
	} else {
		j.allocated += j.cpus[i]
		n.cpus -= j.cpus[i]
		n.gpus -= j.GPUs
		n.memory -= j.Memory
	}
	s.enter(k)
}

// Release ends a running job: its nodes are free for others, where their
// availability allows it. To requeue it, Submit it again when it is eligible.
func (s *Scheduler) Release(j *Job, now env.Time) {
	if j.state != running {
		return
	}
	s.charge(j, now)
	s.tally(j, -1)
	for i, k := range j.Nodes {
		n := &s.nodes[k]
		s.leave(k)
		n.jobs--
		if j.whole {
			n.cpus = s.classes[n.class].CPUs
		} else {
			n.cpus += j.cpus[i]
			n.gpus += j.GPUs
			n.memory += j.Memory
		}
		s.enter(k)
	}
	at := s.endingAt(j)
	for s.running[at].job != j {
		at++
	}
	s.running = append(s.running[:at], s.running[at+1:]...)
	j.state = outside
	j.Nodes, j.cpus = j.Nodes[:0], j.cpus[:0]
	s.changed()
}
