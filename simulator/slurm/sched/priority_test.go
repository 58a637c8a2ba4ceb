package sched_test

import (
	"testing"
	"time"

	"aws-slurm-burst/simulator/slurm/sched"
)

func weights(change func(*sched.Weights)) sched.Weights {
	w := sched.DefaultWeights()
	change(&w)
	return w
}

// order returns in which order jobs of one node start on one node.
func order(t *testing.T, s *sched.Scheduler, jobs ...*sched.Job) []int64 {
	t.Helper()
	var got []int64
	now := sec(0)
	submit(s, now, jobs...)
	for range jobs {
		started := s.Pass(now, true)
		if len(started) != 1 {
			t.Fatalf("%v started at %v", ids(started), now)
		}
		j := started[0]
		got = append(got, j.ID)
		now += sec(10)
		s.Release(j, now)
	}
	return got
}

func TestPriorityIsMadeOfItsFactors(t *testing.T) {
	type set = func(*sched.Job)
	for _, c := range []struct {
		name   string
		w      sched.Weights
		change []set // of each job
		want   []int64
	}{
		{"without weights they are in order of submission", sched.Weights{}, []set{nil, nil, nil}, []int64{1, 2, 3}},
		{"and of nice", sched.Weights{}, []set{func(j *sched.Job) { j.Nice = 5 }, nil, func(j *sched.Job) { j.Nice = -5 }}, []int64{3, 2, 1}},
		{"age", weights(func(w *sched.Weights) { w.Age = 1000 }), []set{nil, func(j *sched.Job) { j.Eligible = -sec(86400) }, nil}, []int64{2, 1, 3}},
		{"age counts until PriorityMaxAge", weights(func(w *sched.Weights) { w.Age = 1000 }), []set{func(j *sched.Job) { j.Eligible = -sec(8 * 86400) }, func(j *sched.Job) { j.Eligible = -sec(9 * 86400) }, nil}, []int64{1, 2, 3}},
		{"QOS", weights(func(w *sched.Weights) { w.QOS = 1000 }), []set{nil, func(j *sched.Job) { j.QOS = 10 }, func(j *sched.Job) { j.QOS = 5 }}, []int64{2, 3, 1}},
		{"large first", weights(func(w *sched.Weights) { w.JobSize = 1000 }), []set{nil, func(j *sched.Job) { j.CPUs = 4 }, func(j *sched.Job) { j.CPUs = 2 }}, []int64{2, 3, 1}},
		{"small first", weights(func(w *sched.Weights) { w.JobSize, w.FavorSmall = 1000, true }), []set{func(j *sched.Job) { j.CPUs = 4 }, nil, func(j *sched.Job) { j.CPUs = 2 }}, []int64{2, 3, 1}},
	} {
		s := cluster(t, sched.Options{Priority: c.w}, 1, sched.Class{CPUs: 4})
		place(t, s, "batch", "")
		var jobs []*sched.Job
		for i, f := range c.change {
			j := whole(int64(i+1), 1, 100)
			if f != nil {
				f(j)
			}
			jobs = append(jobs, j)
		}
		got := order(t, s, jobs...)
		for i := range c.want {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

func TestTiersGoBeforePriority(t *testing.T) {
	s := sched.New(sched.Options{})
	s.AddPartition(sched.Partition{Name: "low", Tier: 1})
	s.AddPartition(sched.Partition{Name: "high", Tier: 2})
	add(t, s, 1, sched.Class{Partitions: []string{"low", "high"}, CPUs: 1})
	a, b := whole(1, 1, 10), whole(2, 1, 10)
	a.Place, b.Place, b.Nice = place(t, s, "low", ""), place(t, s, "high", ""), 1000
	if got := order(t, s, a, b); got[0] != 2 {
		t.Errorf("order %v", got)
	}
}

// A user who has had much waits behind one who has had nothing, until that is so
// long ago that it counts for less than a share.
func TestFairShareRemembersWhatUsersHad(t *testing.T) {
	s := cluster(t, sched.Options{Priority: weights(func(w *sched.Weights) { w.FairShare, w.HalfLife = 1000, time.Hour })}, 1, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	greedy, modest, other := s.Assoc("greedy", "a"), s.Assoc("modest", "a"), s.Assoc("other", "b")
	if again := s.Assoc("greedy", "a"); again != greedy {
		t.Errorf("%d and %d for the same user", greedy, again)
	}
	by := func(id int64, assoc int32) *sched.Job {
		j := whole(id, 1, 100000)
		j.Assoc = assoc
		return j
	}
	first := by(1, greedy)
	submit(s, 0, first)
	expect(t, "first", s.Pass(0, true), 1)
	jobs := []*sched.Job{by(2, greedy), by(3, modest), by(4, other)}
	submit(s, sec(1), jobs...)
	now := sec(600)
	s.Release(first, now)
	for _, want := range []int64{4, 3, 2} {
		now += sec(600) // PriorityCalcPeriod has passed
		got := s.Pass(now, true)
		expect(t, "by fair share", got, want)
		s.Release(got[0], now+1)
	}
}

func TestLimitsOfUsersAndAccounts(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.FIFO}, 10, sched.Class{CPUs: 2})
	place(t, s, "batch", "")
	one, two, three := s.Assoc("one", "a"), s.Assoc("two", "a"), s.Assoc("three", "b")
	s.SetAssoc(one, 1, sched.Limits{Jobs: 1})
	s.SetAssoc(three, 1, sched.Limits{CPUs: 4})
	s.SetAccount(s.Account("a"), 1, sched.Limits{CPUs: 6})
	s.SetAccount(s.Account("b"), 1, sched.Limits{Jobs: 2})
	by := func(id int64, nodes int32, assoc int32) *sched.Job {
		j := whole(id, nodes, 100)
		j.Assoc = assoc
		return j
	}
	a, b, c, d := by(1, 1, one), by(2, 1, one), by(3, 2, two), by(4, 1, two)
	e, f, g := by(5, 1, three), by(6, 2, three), by(7, 1, three)
	submit(s, 0, a, b, c, d, e, f, g)
	expect(t, "pass", s.Pass(0, false), 1, 3, 5, 7)
	for _, w := range []struct {
		job  *sched.Job
		want sched.Reason
	}{{b, sched.AssocMaxJobsLimit}, {d, sched.AssocGrpCpuLimit}, {f, sched.QOSMaxCpuPerUserLimit}} {
		if w.job.Why != w.want {
			t.Errorf("job %d waits for %v, want %v", w.job.ID, w.job.Why, w.want)
		}
	}
	s.Release(a, sec(1))
	s.Release(e, sec(1))
	h := by(8, 1, three)
	submit(s, sec(1), h)
	expect(t, "pass", s.Pass(sec(1), false), 2, 8)
	s.Withdraw(f)
	i := by(9, 1, three)
	submit(s, sec(2), i)
	expect(t, "pass", s.Pass(sec(2), false))
	if i.Why != sched.QOSMaxCpuPerUserLimit {
		t.Errorf("job 9 waits for %v", i.Why)
	}
}
