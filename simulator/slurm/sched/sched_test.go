package sched_test

import (
	"slices"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched"
)

// sec is an instant or a time in seconds.
func sec(n int) env.Time { return env.Time(n) * env.Time(time.Second) }

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// cluster is a scheduler with one partition and some nodes of one class.
func cluster(t tb, opt sched.Options, nodes int, c sched.Class) *sched.Scheduler {
	t.Helper()
	s := sched.New(opt)
	s.AddPartition(sched.Partition{Name: "batch"})
	add(t, s, nodes, c)
	return s
}

func add(t tb, s *sched.Scheduler, nodes int, c sched.Class) {
	t.Helper()
	if c.Partitions == nil {
		c.Partitions = []string{"batch"}
	}
	k, err := s.AddClass(c)
	if err != nil {
		t.Fatal(err)
	}
	for range nodes {
		s.AddNode(k)
	}
}

func place(t tb, s *sched.Scheduler, partition, constraint string) int32 {
	t.Helper()
	p, err := s.Place(partition, constraint)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// whole is a job of whole nodes.
func whole(id int64, nodes int32, limit int) *sched.Job {
	return &sched.Job{ID: id, MinNodes: nodes, MaxNodes: nodes, Limit: seconds(limit)}
}

func submit(s *sched.Scheduler, now env.Time, jobs ...*sched.Job) {
	for _, j := range jobs {
		j.Submit = now
		s.Submit(j, now)
	}
}

// both makes a main pass and a backfill pass.
func both(s *sched.Scheduler, now env.Time) []*sched.Job {
	return append(slices.Clone(s.Pass(now, false)), s.Backfill(now)...)
}

func ids(jobs []*sched.Job) []int64 {
	var all []int64
	for _, j := range jobs {
		all = append(all, j.ID)
	}
	return all
}

func expect(t tb, what string, got []*sched.Job, want ...int64) {
	t.Helper()
	if !slices.Equal(ids(got), want) {
		t.Errorf("%s: %v started, want %v", what, ids(got), want)
	}
}

func TestFIFOLetsNobodyOvertake(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.FIFO}, 4, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	a, b, c := whole(1, 3, 100), whole(2, 2, 100), whole(3, 1, 10)
	submit(s, 0, a, b, c)
	expect(t, "at 0", s.Pass(0, false), 1)
	if b.Why != sched.Resources {
		t.Errorf("the first that waits: %v", b.Why)
	}
	d := whole(4, 1, 10)
	submit(s, sec(1), d)
	expect(t, "at 1", s.Pass(sec(1), true))
	s.Release(a, sec(50))
	expect(t, "at 50", s.Pass(sec(50), false), 2, 3, 4)
	if !slices.Equal(b.Nodes, []int32{0, 1}) {
		t.Errorf("nodes %v", b.Nodes)
	}
}

func TestEASYFillsHolesAndKeepsItsPromise(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.EASY}, 10, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	a, head := whole(1, 6, 100), whole(2, 8, 100)
	short, long, thin, thick := whole(3, 1, 100), whole(4, 3, 101), whole(5, 2, 1000), whole(6, 1, 1000)
	submit(s, 0, a, head, short, long, thin, thick)
	// 2 of the 4 free ones are head's from 100 on: short is gone by then, long is
	// not, thin takes the two that head leaves, and thick would take one of head's.
	expect(t, "at 0", s.Pass(0, false), 1, 3, 5)
	s.Release(short, sec(5))
	expect(t, "at 5", s.Pass(sec(5), false))
	s.Release(a, sec(90))
	expect(t, "at 90", s.Pass(sec(90), false), 2)
}

func TestBackfillReservesForEveryJobItTests(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.Slurm}, 10, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	a, b, c := whole(1, 6, 600), whole(2, 10, 600), whole(3, 4, 600)
	d := whole(4, 1, 1201)
	submit(s, 0, a, b, c, d)
	expect(t, "main", s.Pass(0, false), 1)
	expect(t, "backfill", s.Backfill(0), 3)
	// b has all nodes from 600 to 1200: d runs into it.
	e := whole(5, 4, 1200)
	submit(s, 0, e)
	s.Release(c, sec(60))
	expect(t, "main", s.Pass(sec(60), false))
	expect(t, "backfill", s.Backfill(sec(60)))
}

func TestAJobOfSeveralPartitionsStartsWhollyInTheFirstThatHasRoom(t *testing.T) {
	for _, policy := range []sched.Policy{sched.FIFO, sched.EASY, sched.Slurm} {
		s := sched.New(sched.Options{Policy: policy})
		s.AddPartition(sched.Partition{Name: "local"})
		s.AddPartition(sched.Partition{Name: "cloud"})
		add(t, s, 4, sched.Class{Partitions: []string{"local"}, CPUs: 4})
		add(t, s, 4, sched.Class{Partitions: []string{"cloud"}, CPUs: 4})
		for i := range 4 {
			s.SetNode(int32(4+i), sched.Off, 0)
		}
		either := s.Alternatives(place(t, s, "local", ""), place(t, s, "cloud", ""))
		a, b, c := whole(1, 3, 100), whole(2, 2, 100), whole(3, 1, 100)
		d, e := whole(4, 4, 100), whole(5, 2, 100)
		for _, j := range []*sched.Job{a, b, c, d, e} {
			j.Place = either
		}
		submit(s, 0, a, b, c, d)
		started := both(s, 0)
		expect(t, policy.String(), started, 1, 2, 3)
		if !slices.Equal(a.Nodes, []int32{0, 1, 2}) || !slices.Equal(b.Nodes, []int32{4, 5}) || !slices.Equal(c.Nodes, []int32{3}) {
			t.Errorf("%v: nodes %v, %v, %v", policy, a.Nodes, b.Nodes, c.Nodes)
		}
		// d waits for the cloud, where b ends first: that is where it must not be
		// delayed.
		s.Extend(b, sec(50))
		submit(s, sec(1), e)
		started = both(s, sec(1))
		expect(t, policy.String(), started)
		s.Release(b, sec(50))
		started = both(s, sec(50))
		expect(t, policy.String(), started, 4)
		if !slices.Equal(d.Nodes, []int32{4, 5, 6, 7}) {
			t.Errorf("%v: nodes %v", policy, d.Nodes)
		}
	}
}

func TestNodesThatAreUpGoFirstThenThoseOfLowWeight(t *testing.T) {
	s := sched.New(sched.Options{})
	s.AddPartition(sched.Partition{Name: "batch"})
	add(t, s, 2, sched.Class{CPUs: 1, Weight: 20})
	add(t, s, 2, sched.Class{CPUs: 1, Weight: 10})
	s.SetNode(0, sched.Booting, 0)
	s.SetNode(2, sched.Off, 0)
	place(t, s, "batch", "")
	var order []int32
	for i := range 4 {
		j := whole(int64(i+1), 1, 100)
		submit(s, 0, j)
		s.Pass(0, false)
		order = append(order, j.Nodes...)
	}
	// 3 and 1 are up, 3 has the lower weight; 0 boots, 2 is off.
	if !slices.Equal(order, []int32{3, 1, 0, 2}) {
		t.Errorf("nodes are taken in the order %v", order)
	}
}

func TestExcludedNodesAreLeftAlone(t *testing.T) {
	s := cluster(t, sched.Options{}, 4, sched.Class{CPUs: 1, Features: []string{"x"}})
	add(t, s, 2, sched.Class{CPUs: 1, Weight: 10})
	all, x := place(t, s, "batch", ""), place(t, s, "batch", "x")
	some := s.Without(all, []int32{0, 2, 4, 5})
	if again := s.Without(all, []int32{5, 4, 2, 0}); again != some {
		t.Errorf("places %d and %d for the same nodes", some, again)
	}
	j, k, l := whole(1, 2, 100), whole(2, 3, 100), whole(3, 4, 100)
	j.Place, k.Place, l.Place = some, some, all
	if why := s.Check(k); why != sched.BadConstraints {
		t.Errorf("3 of 2 nodes: %v", why)
	}
	submit(s, 0, j, l)
	expect(t, "pass", s.Pass(0, false), 1, 3)
	if !slices.Equal(j.Nodes, []int32{1, 3}) || !slices.Equal(slices.Sorted(slices.Values(l.Nodes)), []int32{0, 2, 4, 5}) {
		t.Errorf("nodes %v, %v", j.Nodes, l.Nodes)
	}
	if why := s.Check(&sched.Job{Place: x, MinNodes: 4}); why != sched.None {
		t.Errorf("4 nodes of the class that was divided: %v", why)
	}
	if none := s.Without(all, []int32{0, 1, 2, 3, 4, 5}); s.Check(&sched.Job{Place: none}) != sched.BadConstraints {
		t.Error("a job without any node is possible")
	}
}

func TestAWaitingJobIsPromisedTheAlternativeThatComesFirst(t *testing.T) {
	for _, policy := range []sched.Policy{sched.EASY, sched.Slurm} {
		for _, shared := range []bool{false, true} {
			s := sched.New(sched.Options{Policy: policy, Shared: shared})
			s.AddPartition(sched.Partition{Name: "a"})
			s.AddPartition(sched.Partition{Name: "b"})
			add(t, s, 2, sched.Class{Partitions: []string{"a"}, CPUs: 1})
			add(t, s, 2, sched.Class{Partitions: []string{"b"}, CPUs: 1})
			a, b := place(t, s, "a", ""), place(t, s, "b", "")
			one, two, head, filler := whole(1, 1, 60), whole(2, 1, 120), whole(3, 2, 60), whole(4, 1, 600)
			one.Place, two.Place, head.Place, filler.Place = a, b, s.Alternatives(a, b), b
			submit(s, 0, one, two, head, filler)
			// head has a at 60: b is not held for it.
			expect(t, policy.String(), both(s, 0), 1, 2, 4)
			if head.Expected != sec(60) {
				t.Errorf("%v, shared %v: promised for %v", policy, shared, head.Expected)
			}
		}
	}
}

// A node that goes away takes a promise with it: what would have delayed it does
// so no longer.
func TestAPromiseIsMadeAnewWhenItsNodesGoAway(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.EASY}, 4, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	a, b, head, c := whole(1, 1, 100), whole(2, 1, 300), whole(3, 3, 100), whole(4, 2, 200)
	submit(s, 0, a, b, head, c)
	expect(t, "at 0", s.Pass(0, false), 1, 2)
	if head.Expected != sec(100) {
		t.Errorf("promised for %v", head.Expected)
	}
	s.SetNode(a.Nodes[0], sched.Out, 0)
	expect(t, "without the node", s.Pass(sec(1), false), 4)
	if head.Expected != sec(300) {
		t.Errorf("promised for %v", head.Expected)
	}
}

// A node of single use is free when its job has ended and it has been powered
// down; and a job that boots counts its limit from when its nodes are there.
func TestPromisesCountPowerDownAndBoot(t *testing.T) {
	for _, policy := range []sched.Policy{sched.EASY, sched.Slurm} {
		p := sched.DefaultParams()
		p.Resolution = 1
		s := cluster(t, sched.Options{Policy: policy, Params: p}, 2, sched.Class{CPUs: 1})
		place(t, s, "batch", "")
		a, head, c := whole(1, 1, 100), whole(2, 2, 100), whole(3, 1, 160)
		submit(s, 0, a, head, c)
		expect(t, policy.String(), both(s, 0), 1)
		s.SetNode(a.Nodes[0], sched.Back, sec(150))
		s.Pass(sec(1), false)
		s.Backfill(sec(1))
		if head.Expected != sec(150) {
			t.Errorf("%v: promised for %v, want 150 s", policy, head.Expected.Sub(0))
		}
		s.Extend(a, sec(170))
		expect(t, policy.String(), both(s, sec(2)), 3)
		if a.EndsBy() != sec(170) || head.Expected != sec(170) {
			t.Errorf("%v: promised for %v, want 170 s", policy, head.Expected.Sub(0))
		}
	}
}

// A job that should have ended may end at any moment: who is reserved its node is
// expected later and later, and others go before it meanwhile.
func TestBackfillMovesWhatOverdueJobsDelay(t *testing.T) {
	s := cluster(t, sched.Options{Policy: sched.Slurm}, 2, sched.Class{CPUs: 1})
	place(t, s, "batch", "")
	a, b, wide, c := whole(1, 1, 60), whole(2, 1, 600), whole(3, 2, 600), whole(4, 1, 300)
	submit(s, 0, a, b, wide, c)
	expect(t, "at 0", both(s, 0), 1, 2)
	s.Release(b, sec(50))
	expect(t, "at 50", both(s, sec(50)))
	if s.Dirty(sec(70)) || !s.BackfillDirty(sec(70)) {
		t.Error("nobody looks again at what is overdue")
	}
	s.Release(a, sec(70))
	expect(t, "at 70", both(s, sec(70)), 3)
}

// Jobs that all ask for something else are forgotten when they are over.
func TestShapesOfJobsThatAreOverAreForgotten(t *testing.T) {
	s := cluster(t, sched.Options{Shared: true, Memory: true}, 1, sched.Class{CPUs: 1, Memory: 1 << 20})
	at := place(t, s, "batch", "")
	waits := &sched.Job{ID: 1, MinNodes: 1, CPUs: 1, Memory: 1 << 20}
	first := &sched.Job{ID: 0, CPUs: 1, Place: at}
	submit(s, 0, first, waits)
	s.Pass(0, false)
	for i := range 10_000 {
		j := &sched.Job{ID: int64(i + 2), CPUs: 1, Memory: int64(i)}
		submit(s, sec(i), j)
		s.Withdraw(j)
	}
	// Jobs that wait keep their shapes when a twin goes, however many there are.
	for i := range 10 {
		submit(s, sec(9999), &sched.Job{ID: int64(20_000 + i), CPUs: 1, Memory: int64(20_000 + i)})
	}
	twin := &sched.Job{ID: 30_000, MinNodes: 1, CPUs: 1, Memory: 1 << 20}
	submit(s, sec(9999), twin)
	s.Withdraw(twin)
	submit(s, sec(9999), &sched.Job{ID: 30_001, CPUs: 1, MinNodes: 2})
	if n := s.Shapes(); n > 5000 {
		t.Errorf("%d shapes are kept", n)
	}
	s.Release(first, sec(10_000))
	expect(t, "who waited all the time", s.Pass(sec(10_000), false), 1)
}
