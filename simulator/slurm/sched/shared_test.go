package sched_test

import (
	"slices"
	"testing"

	"aws-slurm-burst/simulator/slurm/sched"
)

func TestSharedNodesAreFilledBeforeOthersAreBroken(t *testing.T) {
	s := cluster(t, sched.Options{Shared: true, Memory: true}, 3, sched.Class{CPUs: 8, Memory: 1000, GPUs: 2})
	place(t, s, "batch", "")
	for _, c := range []struct {
		job  sched.Job
		want []int32
		why  string
	}{
		{sched.Job{CPUs: 6}, []int32{0}, "the first"},
		{sched.Job{CPUs: 2, Memory: 400}, []int32{0}, "what is left of it"},
		{sched.Job{CPUs: 3, GPUs: 1, Memory: 700}, []int32{1}, "the next"},
		{sched.Job{CPUs: 1, Memory: 400}, []int32{2}, "1 has no memory left for it"},
		{sched.Job{CPUs: 1, GPUs: 2}, []int32{2}, "1 has one GPU left"},
		{sched.Job{CPUs: 5}, []int32{1}, "the fullest that has 5 free"},
		{sched.Job{CPUs: 1, Exclusive: true}, nil, "no node is empty"},
		{sched.Job{CPUs: 7}, nil, "6 are free on the last"},
		{sched.Job{CPUs: 6}, []int32{2}, "all that is left"},
	} {
		j := c.job
		j.ID = 1
		submit(s, 0, &j)
		s.Pass(0, false)
		if !slices.Equal(j.Nodes, c.want) {
			t.Errorf("%+v goes to %v, want %v: %s", c.job, j.Nodes, c.want, c.why)
		}
		if j.Pending() {
			s.Withdraw(&j)
		}
	}
}

func TestJobsThatLeaveTheirNodesOpenTakeFew(t *testing.T) {
	s := cluster(t, sched.Options{Shared: true}, 4, sched.Class{CPUs: 8})
	place(t, s, "batch", "")
	a, b := &sched.Job{ID: 1, CPUs: 4}, &sched.Job{ID: 2, CPUs: 18}
	submit(s, 0, a, b)
	expect(t, "pass", s.Pass(0, false), 1, 2)
	if !slices.Equal(b.Nodes, []int32{0, 1, 2}) {
		t.Errorf("18 CPUs are on %v", b.Nodes)
	}
	for i, want := range []int32{0, 0, 2, 8} {
		if _, free, _ := s.Node(int32(i)); free != want {
			t.Errorf("node %d has %d CPUs free, want %d", i, free, want)
		}
	}
	// 3 nodes, 8 CPUs in all: as many on the first as leave the others one each.
	c := &sched.Job{ID: 3, MinNodes: 3, MaxNodes: 3, CPUs: 8}
	submit(s, sec(1), c)
	expect(t, "pass", s.Pass(sec(1), false))
	s.Release(a, sec(2))
	s.Release(b, sec(2))
	expect(t, "pass", s.Pass(sec(2), false), 3)
	if len(c.Nodes) != 3 {
		t.Errorf("3 nodes: %v", c.Nodes)
	}
	var used []int32
	for i := range int32(4) {
		_, free, _ := s.Node(i)
		used = append(used, 8-free)
	}
	if !slices.Equal(used, []int32{6, 1, 1, 0}) {
		t.Errorf("CPUs in use: %v", used)
	}
}

func TestASharedNodeIsHeldForWhoeverNeedsAllOfIt(t *testing.T) {
	for _, policy := range []sched.Policy{sched.EASY, sched.Slurm} {
		s := cluster(t, sched.Options{Policy: policy, Shared: true}, 2, sched.Class{CPUs: 4})
		place(t, s, "batch", "")
		a, b := &sched.Job{ID: 1, CPUs: 2, Limit: seconds(600)}, &sched.Job{ID: 2, CPUs: 4, Limit: seconds(1200)}
		all := &sched.Job{ID: 3, CPUs: 4, Limit: seconds(600)}
		short, long := &sched.Job{ID: 4, CPUs: 1, Limit: seconds(599)}, &sched.Job{ID: 5, CPUs: 1, Limit: seconds(601)}
		submit(s, 0, a, b, all, short, long)
		expect(t, policy.String(), both(s, 0), 1, 2, 4)
		if all.Expected != sec(600) {
			t.Errorf("%v: the node is promised for %v", policy, all.Expected)
		}
	}
}

// Two reservations on the same nodes: what is planned fits before, between or
// behind them.
func TestBackfillPlansAroundReservationsOfSharedNodes(t *testing.T) {
	p := sched.DefaultParams()
	p.Resolution = 1
	s := cluster(t, sched.Options{Policy: sched.Slurm, Shared: true, Params: p}, 2, sched.Class{CPUs: 4})
	place(t, s, "batch", "")
	one := func(id int64, cpus int32, limit int) *sched.Job {
		return &sched.Job{ID: id, CPUs: cpus, Limit: seconds(limit)}
	}
	both2 := func(id int64, cpus int32, limit int) *sched.Job {
		return &sched.Job{ID: id, CPUs: cpus, MinNodes: 2, MaxNodes: 2, Limit: seconds(limit)}
	}
	a, b := one(1, 3, 100), one(2, 4, 300)
	// The first is planned for 300 to 400, the second for 400 to 500.
	c, d := both2(3, 8, 100), both2(4, 8, 100)
	before, between, behind := one(5, 4, 199), one(6, 4, 250), one(7, 1, 99)
	last := one(8, 1, 300)
	submit(s, 0, a, b, c, d, before, between, behind, last)
	expect(t, "pass", both(s, 0), 1, 2, 7)
	for _, w := range []struct {
		job  *sched.Job
		want int
	}{{c, 300}, {d, 400}, {before, 100}, {between, 500}} {
		if w.job.Expected != sec(w.want) {
			t.Errorf("job %d is expected at %v, want %d s", w.job.ID, w.job.Expected.Sub(0), w.want)
		}
	}
}

func TestCPUsThatAreLeftOpenLeaveEachNodeItsShare(t *testing.T) {
	s := cluster(t, sched.Options{Shared: true}, 3, sched.Class{CPUs: 8})
	place(t, s, "batch", "")
	// At least 3 nodes, 10 CPUs: the first two leave the others one each.
	j := &sched.Job{ID: 1, MinNodes: 3, CPUs: 10}
	submit(s, 0, j)
	s.Pass(0, false)
	var used []int32
	for i := range int32(3) {
		_, free, _ := s.Node(i)
		used = append(used, 8-free)
	}
	if !slices.Equal(used, []int32{8, 1, 1}) {
		t.Errorf("CPUs in use: %v", used)
	}
}

// Of the nodes that it could have by then, the first that waits is promised those
// that come last, so that what is free now is free for others.
func TestAPromiseLeavesWhatIsFreeNow(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.EASY, Shared: true}, 3, sched.Class{CPUs: 4})
	place(t, s, "batch", "")
	job := func(id int64, nodes int32, limit int) *sched.Job {
		return &sched.Job{ID: id, MinNodes: nodes, MaxNodes: nodes, CPUs: 4 * nodes, Limit: seconds(limit)}
	}
	gone, a, b, head, long := job(1, 1, 10), job(2, 1, 100), job(3, 1, 100), job(4, 2, 100), job(5, 1, 1000)
	submit(s, 0, gone, a, b)
	expect(t, "at 0", s.Pass(0, false), 1, 2, 3)
	s.Release(gone, sec(1))
	submit(s, sec(1), head, long)
	expect(t, "at 1", s.Pass(sec(1), false), 5)
}

// Each of two reservations keeps its own nodes.
func TestBackfillKeepsOffAllReservations(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.Slurm, Shared: true}, 2, sched.Class{CPUs: 4})
	place(t, s, "batch", "")
	one := func(id int64, cpus int32, limit int) *sched.Job {
		return &sched.Job{ID: id, CPUs: cpus, Limit: seconds(limit)}
	}
	submit(s, 0, one(1, 3, 600), one(2, 2, 1200), one(3, 4, 600), one(4, 4, 600), one(5, 1, 1260), one(6, 2, 1260), one(7, 1, 600))
	// 3 waits for node 0 until 600, 4 for node 1 until 1200: 5 and 6 would be in
	// their way, 7 is not.
	expect(t, "both passes", both(s, 0), 1, 2, 7)
}

// Nodes need not have the even share free, as long as they have enough together.
func TestSharesNeedNotBeEven(t *testing.T) {
	s := cluster(t, sched.Options{Shared: true}, 2, sched.Class{CPUs: 4})
	place(t, s, "batch", "")
	a, b, c := &sched.Job{ID: 1, CPUs: 2}, &sched.Job{ID: 2, MinNodes: 2, MaxNodes: 2, CPUs: 6}, &sched.Job{ID: 3, CPUs: 1}
	submit(s, 0, a, b, c)
	expect(t, "pass", s.Pass(0, false), 1, 2)
	s.Release(a, sec(1))
	expect(t, "pass", s.Pass(sec(1), false), 3)
}
