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
	if !slices.Equal(b.Nodes, []int32{1, 2, 0}) {
		t.Errorf("18 CPUs are on %v", b.Nodes)
	}
	for i, want := range []int32{2, 0, 0, 8} {
		if _, free, _ := s.Node(int32(i)); free != want {
			t.Errorf("node %d has %d CPUs free, want %d", i, free, want)
		}
	}
	// 3 nodes of at least 2 CPUs, 8 in all: 3, 3 and 2.
	c := &sched.Job{ID: 3, MinNodes: 3, MaxNodes: 3, CPUs: 8}
	s.Release(a, sec(1))
	submit(s, sec(1), c)
	expect(t, "pass", s.Pass(sec(1), false))
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
	if !slices.Equal(used, []int32{3, 3, 2, 0}) {
		t.Errorf("CPUs in use: %v", used)
	}
}

func TestASharedNodeIsHeldForWhoeverNeedsAllOfIt(t *testing.T) {
	for _, policy := range []sched.Policy{sched.EASY, sched.Slurm} {
		s := cluster(t, sched.Options{Policy: policy, Shared: true}, 2, sched.Class{CPUs: 4})
		place(t, s, "batch", "")
		a, b := &sched.Job{ID: 1, CPUs: 2, Limit: seconds(600)}, &sched.Job{ID: 2, CPUs: 4, Limit: seconds(1200)}
		all := &sched.Job{ID: 3, CPUs: 4, Limit: seconds(600)}
		short, long := &sched.Job{ID: 4, CPUs: 1, Limit: seconds(600)}, &sched.Job{ID: 5, CPUs: 1, Limit: seconds(601)}
		submit(s, 0, a, b, all, short, long)
		expect(t, policy.String(), both(s, 0), 1, 2, 4)
		if all.Expected != sec(600) {
			t.Errorf("%v: the node is promised for %v", policy, all.Expected)
		}
	}
}
