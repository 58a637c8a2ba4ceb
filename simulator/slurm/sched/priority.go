package sched

import (
	"cmp"
	"math"
	"slices"
	"time"

	"aws-slurm-burst/executor/env"
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
type Limits struct {
	Jobs int32 // running jobs (MaxJobs, GrpJobs)
	CPUs int32 // CPUs in use (MaxTRESPerUser=cpu=, GrpTRES=cpu=)
}

// account is an account with its users' use.
type account struct {
	name   string
	shares float64
	limits Limits
	jobs   int32
	cpus   int32
	usage  float64
	level  float64
}

// assoc is a user in an account.
type assoc struct {
	account int32
	shares  float64
	limits  Limits
	jobs    int32
	cpus    int32
	// usage is in CPU seconds, decayed to the instant at.
	usage  float64
	at     env.Time
	level  float64
	factor float64
}

type assocKey struct{ user, account string }

// Account returns the number of an account: with one share and without limits
// until SetAccount.
func (s *Scheduler) Account(name string) int32 {
	for i := range s.accounts {
		if s.accounts[i].name == name {
			return int32(i)
		}
	}
	s.accounts = append(s.accounts, account{name: name, shares: 1})
	return int32(len(s.accounts) - 1)
}

// SetAccount gives an account its shares (of those of all accounts) and limits.
func (s *Scheduler) SetAccount(i int32, shares float64, l Limits) {
	s.accounts[i].shares, s.accounts[i].limits = shares, l
	s.changed()
}

// Assoc returns the number of a user in an account: with one share and
// Options.Limits until SetAssoc.
func (s *Scheduler) Assoc(user, accountName string) int32 {
	key := assocKey{user, accountName}
	if i, ok := s.assocOf[key]; ok {
		return i
	}
	i := int32(len(s.assocs))
	s.assocs = append(s.assocs, assoc{account: s.Account(accountName), shares: 1, limits: s.opt.Limits, factor: 1})
	s.assocOf[key] = i
	return i
}

// SetAssoc gives a user its shares (of those of all users of the account) and
// limits.
func (s *Scheduler) SetAssoc(i int32, shares float64, l Limits) {
	s.assocs[i].shares, s.assocs[i].limits = shares, l
	s.changed()
}

// withinLimits says which limit a start of the job would exceed.
func (s *Scheduler) withinLimits(j *Job) Reason {
	if len(s.assocs) == 0 {
		return None
	}
	a := &s.assocs[j.Assoc]
	acct := &s.accounts[a.account]
	cpus := j.CPUs
	if w := &s.shapes[j.shape].wants[0]; w.whole {
		cpus = max(cpus, w.need*s.sets[w.set].minCPUs)
	}
	switch {
	case a.limits.Jobs > 0 && a.jobs >= a.limits.Jobs:
		return AssocMaxJobsLimit
	case a.limits.CPUs > 0 && a.cpus+cpus > a.limits.CPUs:
		return QOSMaxCpuPerUserLimit
	case acct.limits.Jobs > 0 && acct.jobs >= acct.limits.Jobs:
		return AssocGrpJobsLimit
	case acct.limits.CPUs > 0 && acct.cpus+cpus > acct.limits.CPUs:
		return AssocGrpCpuLimit
	}
	return None
}

// tally counts a job's start (sign 1) or end (-1) for its association.
func (s *Scheduler) tally(j *Job, sign int32) {
	if len(s.assocs) == 0 {
		return
	}
	a := &s.assocs[j.Assoc]
	acct := &s.accounts[a.account]
	a.jobs += sign
	a.cpus += sign * j.allocated
	acct.jobs += sign
	acct.cpus += sign * j.allocated
}

// charge adds what a job has used since it was charged last. Use decays all the
// time: Slurm does it once a Period, which comes to the same within one.
func (s *Scheduler) charge(j *Job, now env.Time) {
	if s.opt.Priority.FairShare == 0 || len(s.assocs) == 0 {
		return
	}
	a := &s.assocs[j.Assoc]
	s.decay(a, now)
	dt := now.Sub(j.charged).Seconds()
	if half := s.opt.Priority.HalfLife.Seconds(); half > 0 {
		dt = half / math.Ln2 * (1 - math.Exp2(-dt/half))
	}
	a.usage += float64(j.allocated) * dt
	j.charged = now
}

func (s *Scheduler) decay(a *assoc, now env.Time) {
	if half := s.opt.Priority.HalfLife; half > 0 && now > a.at {
		a.usage *= math.Exp2(-now.Sub(a.at).Seconds() / half.Seconds())
	}
	a.at = now
}

// rankShares works out the fair-share factors as Slurm's Fair Tree does, on two
// levels: accounts by their share over their use, users of an account likewise,
// equal accounts as if they were one; the factor is the place in that order.
func (s *Scheduler) rankShares(now env.Time) {
	for i := range s.running {
		s.charge(s.running[i].job, now)
	}
	var shares, usage float64
	for i := range s.accounts {
		s.accounts[i].usage, s.accounts[i].level = 0, 0
		shares += s.accounts[i].shares
	}
	for i := range s.assocs {
		a := &s.assocs[i]
		s.decay(a, now)
		s.accounts[a.account].usage += a.usage
		s.accounts[a.account].level += a.shares // for the moment: the users' shares
		usage += a.usage
	}
	for i := range s.assocs {
		a := &s.assocs[i]
		a.level = fairLevel(a.shares, s.accounts[a.account].level, a.usage, s.accounts[a.account].usage)
	}
	for i := range s.accounts {
		a := &s.accounts[i]
		a.level = fairLevel(a.shares, shares, a.usage, usage)
	}
	order := make([]int32, len(s.assocs))
	for i := range order {
		order[i] = int32(i)
	}
	compare := func(x, y int32) int {
		a, b := &s.assocs[x], &s.assocs[y]
		if c := cmp.Compare(s.accounts[b.account].level, s.accounts[a.account].level); c != 0 {
			return c
		}
		return cmp.Compare(b.level, a.level)
	}
	slices.SortStableFunc(order, compare)
	for i, k := range order {
		if i > 0 && compare(order[i-1], k) == 0 {
			s.assocs[k].factor = s.assocs[order[i-1]].factor
			continue
		}
		s.assocs[k].factor = float64(len(order)-i) / float64(len(order))
	}
}

// fairLevel is Fair Tree's measure: a share of all shares over a part of all use.
func fairLevel(shares, allShares, usage, allUsage float64) float64 {
	if usage == 0 || allUsage == 0 {
		return math.Inf(1)
	}
	return shares / allShares / (usage / allUsage)
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
	if w.FairShare > 0 && len(s.assocs) > 0 {
		p += float64(w.FairShare) * s.assocs[j.Assoc].factor
	}
	if w.JobSize > 0 {
		size := (float64(j.MinNodes)/float64(len(s.nodes)) + float64(j.CPUs)/float64(s.cpus)) / 2
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
		s.rankShares(now)
	}
	sorted := true
	q := &s.queue
	q.close()
	for i := range q.entries {
		e := &q.entries[i]
		e.job.priority = s.priorityOf(e.job, now)
		e.rank.priority = e.job.priority
		sorted = sorted && (i == 0 || q.entries[i-1].rank.before(&e.rank))
	}
	if !sorted {
		q.sort()
		s.changed()
	}
}
