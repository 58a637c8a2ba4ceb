package sched

import (
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/site"
)

// What a cluster is made of, see package site.
type (
	Partition    = site.Partition
	Class        = site.Class
	Availability = site.Availability
)

// What can be done with a node now, see package site.
const (
	Up      = site.Up
	Booting = site.Booting
	Off     = site.Off
	Back    = site.Back
	Out     = site.Out
)

// ErrNoPartition is the error of a Place in a partition that there is not.
var ErrNoPartition = site.ErrNoPartition

// Reason is why a job waits, or what it can never have.
type Reason = pick.Reason

// Reasons, see package pick.
const (
	None                  = pick.None
	Resources             = pick.Resources
	Priority              = pick.Priority
	BadConstraints        = pick.BadConstraints
	PartitionNodeLimit    = pick.PartitionNodeLimit
	PartitionTimeLimit    = pick.PartitionTimeLimit
	PartitionDown         = pick.PartitionDown
	AssocMaxJobsLimit     = pick.AssocMaxJobsLimit
	QOSMaxCpuPerUserLimit = pick.QOSMaxCpuPerUserLimit
	AssocGrpJobsLimit     = pick.AssocGrpJobsLimit
	AssocGrpCpuLimit      = pick.AssocGrpCpuLimit
)

// AddPartition adds a partition and returns its number.
func (s *Scheduler) AddPartition(p Partition) int32 {
	s.waiting = append(s.waiting, 0)
	s.maxFactor = max(s.maxFactor, p.Factor)
	s.blocked = append(s.blocked, false)
	return s.site.AddPartition(p)
}

// SetPartition replaces a partition, such as by one that is Down.
func (s *Scheduler) SetPartition(i int32, p Partition) {
	s.site.Partitions[i] = p
	s.maxFactor = max(s.maxFactor, p.Factor)
	s.reshape()
}

// AddClass adds a class and returns its number. All of its partitions must
// have been added.
func (s *Scheduler) AddClass(c Class) (int32, error) {
	i, err := s.site.AddClass(c)
	if err == nil {
		s.caps = append(s.caps, hole)
	}
	return i, err
}

// AddNode adds a node that is Up and idle, and returns its number: 0, 1, 2 in
// the order of calls, which is also the order in which nodes are taken where
// nothing else tells them apart. slurmctld's order is that of their names.
func (s *Scheduler) AddNode(class int32) int32 {
	i := s.site.AddNode(class)
	s.changed()
	return i
}

// SetNode says what can be done with a node from now on; at is Back's instant.
// Jobs that it has stay until their Release.
func (s *Scheduler) SetNode(i int32, a Availability, at env.Time) {
	if s.site.SetNode(i, a, at) {
		s.changed()
	}
}

// Node returns what can be done with a node, and how many CPUs of it are free
// and how many jobs it has.
func (s *Scheduler) Node(i int32) (a Availability, freeCPUs, jobs int32) {
	n := &s.site.Nodes[i]
	return n.Availability, n.CPUs, n.Jobs
}

// Place returns the number by which jobs name a partition together with a
// constraint (see package feature). The same words always give the same number.
// Partitions and classes come before places.
func (s *Scheduler) Place(partition, constraint string) (int32, error) {
	return s.site.Place(partition, constraint)
}

// Alternatives returns a place for a job that may be in one of several
// (sbatch --partition=a,b): it starts in the first, in this order, in which it
// can start now, has all of its nodes there, and waits for the one in which it
// can start first. The first place's partition decides its tier and its limit
// where it has none.
func (s *Scheduler) Alternatives(places ...int32) int32 { return s.site.Alternatives(places...) }

// Without returns a place without some of its nodes (scontrol ExcNodeList).
func (s *Scheduler) Without(place int32, nodes []int32) int32 {
	i := s.site.Without(place, nodes)
	// Classes may have been divided.
	for len(s.caps) < len(s.site.Classes) {
		s.caps = append(s.caps, hole)
		s.changed()
	}
	return i
}

// reshape works all shapes and ranks out anew, when a partition has changed.
func (s *Scheduler) reshape() {
	s.pick.Reform()
	s.queue.Close()
	for k := range s.queue.Entries {
		e := &s.queue.Entries[k]
		e.Need, e.Rank = s.pick.Shapes[e.Job.shape].Need, s.rank(e.Job)
	}
	s.queue.Sort()
	s.changed()
}
