package sched_test

import (
	"slices"
	"testing"
	"time"

	"aws-slurm-burst/simulator/slurm/sched"
)

func TestMainPassStopsPerPartitionAndKeepsItsNodes(t *testing.T) {
	s := sched.New(sched.Options{Policy: sched.Slurm})
	for _, p := range []string{"a", "b", "c"} {
		s.AddPartition(sched.Partition{Name: p})
	}
	add(t, s, 2, sched.Class{Partitions: []string{"a", "b"}, CPUs: 1})
	add(t, s, 2, sched.Class{Partitions: []string{"b"}, CPUs: 1})
	add(t, s, 1, sched.Class{Partitions: []string{"c"}, CPUs: 1})
	in := func(j *sched.Job, partition string) *sched.Job {
		j.Place = place(t, s, partition, "")
		return j
	}
	first := in(whole(1, 1, 100), "a")
	waits, behind := in(whole(2, 2, 100), "a"), in(whole(3, 1, 10), "a")
	wide, narrow, other := in(whole(4, 3, 100), "b"), in(whole(5, 1, 100), "b"), in(whole(6, 1, 100), "c")
	submit(s, 0, first, waits, behind, wide, narrow, other)
	// a is blocked by 2, its free node is out of bounds for b, and so b by 4; c is
	// nobody's concern.
	expect(t, "main pass", s.Pass(0, true), 1, 6)
	if waits.Why != sched.Resources || behind.Why != sched.Priority {
		t.Errorf("reasons %v, %v", waits.Why, behind.Why)
	}
	// 3 is gone before 2 has its nodes, and 5 takes one that is only in b: 4 waits
	// for 2 to end.
	expect(t, "backfill", s.Backfill(0), 3, 5)
	if waits.Expected != sec(120) || wide.Expected != sec(240) {
		t.Errorf("2 is expected at %v, 4 at %v", waits.Expected, wide.Expected)
	}
}

func TestMainPassTestsAsManyJobsAsItsDepth(t *testing.T) {
	p := sched.DefaultParams()
	p.Depth = 3
	s := cluster(t, sched.Options{Policy: sched.Slurm, Params: p, Limits: sched.Limits{Jobs: 1}}, 10, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	var jobs []*sched.Job
	for i := range 6 {
		j := whole(int64(i+1), 1, 100)
		if i == 5 {
			j.Assoc = s.Assoc("other", "acct")
		} else {
			j.Assoc = s.Assoc("user", "acct")
		}
		jobs = append(jobs, j)
	}
	submit(s, 0, jobs...)
	// The user may have one running job: the others are passed over, but tested.
	expect(t, "quick pass", s.Pass(0, false), 1)
	if jobs[1].Why != sched.AssocMaxJobsLimit || !s.Deep() || s.Dirty(sec(1)) {
		t.Errorf("reason %v, deep %v, dirty %v", jobs[1].Why, s.Deep(), s.Dirty(sec(1)))
	}
	expect(t, "another", s.Pass(sec(1), false))
	expect(t, "full pass", s.Pass(sec(60), true), 6)
	if s.Deep() {
		t.Error("still deep after a full pass")
	}
}

func TestBackfillParameters(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*sched.Params)
		want   []int64
	}{
		{"as Slurm has them", func(*sched.Params) {}, []int64{5, 6}},
		// 2's nodes are reserved from 600 on, beyond the window: 4 does not know it.
		{"bf_window", func(p *sched.Params) { p.Window = 5 * time.Minute }, []int64{4, 5, 6}},
		{"bf_max_job_test", func(p *sched.Params) { p.MaxTest = 3 }, []int64{5}},
		{"bf_max_job_start", func(p *sched.Params) { p.MaxStart = 1 }, []int64{5}},
		// Nobody has waited long enough to have anything reserved.
		{"bf_min_age_reserve", func(p *sched.Params) { p.MinAge = time.Hour }, []int64{4, 5, 6}},
	} {
		p := sched.DefaultParams()
		c.change(&p)
		s := cluster(t, sched.Options{Policy: sched.Slurm, Params: p}, 10, sched.Class{CPUs: 1})
		place(t, s, "batch", "")
		submit(s, 0, whole(1, 6, 600), whole(2, 10, 600), whole(4, 2, 601), whole(5, 1, 540), whole(6, 1, 540))
		expect(t, c.name+", main", s.Pass(0, false), 1)
		expect(t, c.name, s.Backfill(0), c.want...)
	}
}

// Instants are rounded up to bf_resolution after now: what ends in 570 s is there
// in 10 minutes, and so a job of 10 minutes fits before it.
func TestBackfillRoundsToItsResolution(t *testing.T) {
	for _, c := range []struct {
		resolution time.Duration
		want       []int64
	}{{1, nil}, {time.Minute, []int64{3}}} {
		p := sched.DefaultParams()
		p.Resolution = c.resolution
		s := cluster(t, sched.Options{Policy: sched.Slurm, Params: p}, 4, sched.Class{CPUs: 1})
		place(t, s, "batch", "")
		submit(s, 0, whole(1, 2, 600))
		s.Pass(0, false)
		submit(s, sec(30), whole(2, 4, 600), whole(3, 1, 600))
		expect(t, c.resolution.String(), both(s, sec(30)), c.want...)
	}
}

func TestNodesComeBackOrNot(t *testing.T) {
	for _, policy := range []sched.Policy{sched.EASY, sched.Slurm} {
		s := cluster(t, sched.Options{Policy: policy}, 4, sched.Class{CPUs: 1})
		place(t, s, "batch", "")
		s.SetNode(0, sched.Back, sec(300))
		s.SetNode(1, sched.Out, 0)
		a, wide, short, long := whole(1, 3, 100), whole(2, 4, 100), whole(3, 1, 300), whole(4, 2, 500)
		submit(s, 0, a, wide, short, long)
		started := both(s, 0)
		// 1 has its three nodes at 300, of which 3 and 4 may not use two any longer;
		// nobody knows when 2 has four.
		expect(t, policy.String(), started, 3)
		if a.Expected != sec(300) || wide.Expected != 0 {
			t.Errorf("%v: expected at %v and %v", policy, a.Expected, wide.Expected)
		}
		s.SetNode(0, sched.Up, 0)
		s.SetNode(1, sched.Up, 0)
		expect(t, policy.String(), both(s, sec(10)), 1)
		s.Release(short, sec(20))
		s.Release(a, sec(30))
		expect(t, policy.String(), both(s, sec(30)), 2)
	}
}

func TestWhatTheConfigurationCannotRunWaitsInNobodysWay(t *testing.T) {
	s := sched.New(sched.Options{Policy: sched.FIFO})
	p := s.AddPartition(sched.Partition{Name: "batch", MaxNodes: 2, MaxTime: time.Hour, DefaultTime: time.Minute})
	add(t, s, 4, sched.Class{CPUs: 4, Memory: 1000, GPUs: 1, Features: []string{"a"}})
	at := place(t, s, "batch", "")
	for _, c := range []struct {
		job  sched.Job
		want sched.Reason
	}{
		{sched.Job{MinNodes: 2, CPUs: 8}, sched.None},
		{sched.Job{MinNodes: 5}, sched.BadConstraints},
		{sched.Job{CPUs: 17}, sched.BadConstraints},
		{sched.Job{PerNode: 5}, sched.BadConstraints},
		{sched.Job{Memory: 1001}, sched.BadConstraints},
		{sched.Job{GPUs: 2}, sched.BadConstraints},
		{sched.Job{MinNodes: 3}, sched.PartitionNodeLimit},
		{sched.Job{CPUs: 9}, sched.PartitionNodeLimit},
		{sched.Job{Limit: 2 * time.Hour}, sched.PartitionTimeLimit},
		{sched.Job{Place: place(t, s, "batch", "b")}, sched.BadConstraints},
	} {
		j := c.job
		if got := s.Check(&j); got != c.want {
			t.Errorf("%+v: %v, want %v", c.job, got, c.want)
		}
	}
	big, small := whole(1, 3, 100), &sched.Job{ID: 2, Place: at}
	submit(s, 0, big, small)
	expect(t, "pass", s.Pass(0, false), 2)
	if small.EndsBy() != sec(60) {
		t.Errorf("the partition's default limit: until %v", small.EndsBy())
	}
	s.SetPartition(p, sched.Partition{Name: "batch"})
	expect(t, "without limits", s.Pass(sec(1), false), 1)
	s.SetPartition(p, sched.Partition{Name: "batch", Down: true})
	third := whole(3, 1, 100)
	submit(s, sec(2), third)
	expect(t, "down", s.Pass(sec(2), false))
	if third.Why != sched.PartitionDown {
		t.Error(third.Why)
	}
}

func TestWithdrawnJobsLeaveTheWayFree(t *testing.T) {
	for _, policy := range []sched.Policy{sched.FIFO, sched.EASY, sched.Slurm} {
		s := cluster(t, sched.Options{Policy: policy}, 2, sched.Class{CPUs: 1})
		place(t, s, "batch", "")
		a, head, b := whole(1, 1, 100), whole(2, 2, 100), whole(3, 1, 1000)
		submit(s, 0, a, head, b)
		s.Pass(0, false)
		s.Backfill(0)
		s.Withdraw(head)
		expect(t, policy.String(), s.Pass(sec(1), false), 3)
		if head.Pending() || !b.Running() {
			t.Errorf("%v: pending %v, running %v", policy, head.Pending(), b.Running())
		}
		// Requeued, it is what it was.
		submit(s, sec(2), head)
		s.Release(a, sec(3))
		s.Release(b, sec(3))
		expect(t, policy.String(), s.Pass(sec(3), false), 2)
	}
}

// weighted is a cluster of some nodes of weight 5, "dark", before some of
// weight 1, "light".
func weighted(t *testing.T, policy sched.Policy, dark, light int) *sched.Scheduler {
	t.Helper()
	s := sched.New(sched.Options{Policy: policy})
	s.AddPartition(sched.Partition{Name: "batch"})
	add(t, s, dark, sched.Class{CPUs: 2, Weight: 5, Features: []string{"dark"}})
	add(t, s, light, sched.Class{CPUs: 2, Weight: 1, Features: []string{"light"}})
	place(t, s, "batch", "")
	return s
}

// What a real slurmctld does, see sched/oracle.
func TestWholeNodesOfSeveralWeightsAreTakenInRows(t *testing.T) {
	for _, c := range []struct {
		dark, light int
		before      int32 // nodes of a job that is there already
		out         int32 // a node that is not
		nodes       int32
		want        []int32
	}{
		{4, 4, 0, -1, 4, []int32{4, 5, 6, 7}},    // the lowest weight is enough
		{4, 4, 0, -1, 5, []int32{0, 1, 2, 3, 4}}, // it is not: all in their order
		{2, 4, 1, -1, 4, []int32{3, 4, 5, 0}},    // no row is enough: the largest first
		{3, 4, 1, 0, 2, []int32{4, 5}},
	} {
		s := weighted(t, sched.FIFO, c.dark, c.light)
		if c.out >= 0 {
			s.SetNode(c.out, sched.Out, 0)
		}
		j := whole(2, c.nodes, 100)
		if c.before > 0 {
			submit(s, 0, whole(1, c.before, 100))
		}
		submit(s, 0, j)
		s.Pass(0, false)
		if !slices.Equal(j.Nodes, c.want) {
			t.Errorf("%+v: nodes %v", c, j.Nodes)
		}
	}
}

func TestTheSmallestRowThatIsEnoughIsTaken(t *testing.T) {
	s := weighted(t, sched.FIFO, 7, 1)
	s.SetNode(4, sched.Out, 0)
	// Rows 0-3 and 5-7, the last of which is light.
	j := whole(1, 2, 100)
	submit(s, 0, j)
	s.Pass(0, false)
	if !slices.Equal(j.Nodes, []int32{5, 6}) {
		t.Errorf("nodes %v", j.Nodes)
	}
}

// What backfill reserves it takes from all weights, in the nodes' order: the dark
// node is the third job's, and the fifth must not have it.
func TestReservationsDoNotGoByWeight(t *testing.T) {
	s := weighted(t, sched.Slurm, 1, 4)
	light := place(t, s, "batch", "light")
	jobs := []*sched.Job{whole(1, 1, 5*60), whole(2, 3, 284*60), whole(3, 3, 212*60), whole(4, 2, 297*60), whole(5, 1, 297*60)}
	jobs[3].Place = light
	submit(s, 0, jobs...)
	expect(t, "both passes", both(s, 0), 1, 2)
}
