package sched

import (
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/share"
)

// Weights make priorities of factors between 0 and 1 (priority/multifactor).
// Where all of them are 0 the order is that of submission (priority/basic), and
// nice moves a job in it.
//
//	priority = Age * age/MaxAge + FairShare * rank + JobSize * size
//	         + Partition * factor + QOS * priority - nice
//
// Left out: site factors, TRES weights, association priorities.
type Weights struct {
	Age, FairShare, JobSize, Partition, QOS int64
	// MaxAge is PriorityMaxAge: an older job gets no more for its age.
	MaxAge time.Duration
	// FavorSmall is PriorityFavorSmall: the smaller a job, the more it gets.
	FavorSmall bool
	// HalfLife is PriorityDecayHalfLife: use that long ago counts half.
	HalfLife time.Duration
	// Period is PriorityCalcPeriod: priorities stay as they are between.
	Period time.Duration
}

// DefaultWeights are slurm.conf's defaults: weights of 0, and what they would go
// by.
func DefaultWeights() Weights {
	return Weights{MaxAge: 7 * 24 * time.Hour, HalfLife: 7 * 24 * time.Hour, Period: 5 * time.Minute}
}

func (w *Weights) none() bool {
	return w.Age == 0 && w.FairShare == 0 && w.JobSize == 0 && w.Partition == 0 && w.QOS == 0
}

// Limits are what a user of an account, or an account, may have at once; 0 is no
// limit. A job that would exceed one waits, and is in nobody's way.
type Limits = share.Limits

// Account returns the number of an account: with one share and without limits
// until SetAccount.
func (s *Scheduler) Account(name string) int32 { return s.shares.Account(name) }

// SetAccount gives an account its shares (of those of all accounts) and limits.
func (s *Scheduler) SetAccount(i int32, shares float64, l Limits) {
	s.shares.SetAccount(i, shares, l)
	s.changed()
}

// Assoc returns the number of a user in an account: with one share and
// Options.Limits until SetAssoc.
func (s *Scheduler) Assoc(user, account string) int32 { return s.shares.User(user, account) }

// SetAssoc gives a user its shares (of those of all users of the account) and
// limits.
func (s *Scheduler) SetAssoc(i int32, shares float64, l Limits) {
	s.shares.SetUser(i, shares, l)
	s.changed()
}

// withinLimits says which limit a start of the job would exceed.
func (s *Scheduler) withinLimits(j *Job) Reason {
	cpus := j.CPUs
	if w := &s.pick.Shapes[j.shape].Wants[0]; w.Whole {
		cpus = max(cpus, w.Need*s.site.Sets[w.Set].MinCPUs)
	}
	return [...]Reason{
		share.Within: None, share.UserJobs: AssocMaxJobsLimit, share.UserCPUs: QOSMaxCpuPerUserLimit,
		share.AccountJobs: AssocGrpJobsLimit, share.AccountCPUs: AssocGrpCpuLimit,
	}[s.shares.Exceeds(j.Assoc, cpus)]
}

// charge books what a job has used since it was charged last.
func (s *Scheduler) charge(j *Job, now env.Time) {
	if s.opt.Priority.FairShare > 0 {
		s.shares.Charge(j.Assoc, j.allocated, j.charged, now)
		j.charged = now
	}
}

// priorityOf returns a job's priority at an instant.
func (s *Scheduler) priorityOf(j *Job, now env.Time) int64 {
	w := &s.opt.Priority
	if w.none() {
		return -int64(j.Nice)
	}
	var p float64
	if w.Age > 0 && w.MaxAge > 0 {
		p += float64(w.Age) * min(max(now.Sub(j.Eligible), 0).Seconds()/w.MaxAge.Seconds(), 1)
	}
	if w.FairShare > 0 {
		p += float64(w.FairShare) * s.shares.Factor(j.Assoc)
	}
	if w.JobSize > 0 {
		size := (float64(j.MinNodes)/float64(len(s.site.Nodes)) + float64(j.CPUs)/float64(s.site.CPUs)) / 2
		if w.FavorSmall {
			size = 1 - size
		}
		p += float64(w.JobSize) * min(max(size, 0), 1)
	}
	if w.Partition > 0 && s.maxFactor > 0 {
		p += float64(w.Partition) * float64(s.first(j).Factor) / float64(s.maxFactor)
	}
	if s.maxQOS = max(s.maxQOS, j.QOS); w.QOS > 0 && s.maxQOS > 0 {
		p += float64(w.QOS) * float64(j.QOS) / float64(s.maxQOS)
	}
	return int64(p) - int64(j.Nice)
}

// reprioritise works out all priorities anew when a Period has passed.
func (s *Scheduler) reprioritise(now env.Time) {
	w := &s.opt.Priority
	if w.none() || now < s.nextCalc {
		return
	}
	s.nextCalc = now.Add(max(w.Period, time.Second))
	if w.FairShare > 0 {
		for _, j := range s.running {
			s.charge(j, now)
		}
		s.shares.Rank(now)
	}
	sorted := true
	q := &s.queue
	q.Close()
	for i := range q.Entries {
		e := &q.Entries[i]
		e.Job.priority = s.priorityOf(e.Job, now)
		e.Rank.Priority = e.Job.priority
		sorted = sorted && (i == 0 || q.Entries[i-1].Rank.Before(&e.Rank))
	}
	if !sorted {
		q.Sort()
		s.changed()
	}
}
