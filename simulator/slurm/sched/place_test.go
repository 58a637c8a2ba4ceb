package sched_test

import (
	"errors"
	"strings"
	"testing"

	"aws-slurm-burst/simulator/slurm/sched"
)

func TestConstraints(t *testing.T) {
	s := sched.New(sched.Options{})
	s.AddPartition(sched.Partition{Name: "batch"})
	s.AddPartition(sched.Partition{Name: "other"})
	for _, features := range []string{"intel,ib", "intel", "amd,ib", "arm"} {
		add(t, s, 1, sched.Class{CPUs: 1, Features: strings.Split(features, ",")})
	}
	add(t, s, 1, sched.Class{CPUs: 1, Partitions: []string{"other"}, Features: []string{"intel"}})
	for constraint, want := range map[string]int32{"": 4, "intel": 2, "intel&ib|arm": 2, "(intel|amd)&ib": 2, "riscv": 0} {
		at, err := s.Place("batch", constraint)
		if err != nil {
			t.Error(err)
			continue
		}
		var n int32
		for s.Check(&sched.Job{Place: at, MinNodes: n + 1}) == sched.None {
			n++
		}
		if n != want {
			t.Errorf("%q: %d nodes, want %d", constraint, n, want)
		}
		if again, _ := s.Place("batch", constraint); again != at {
			t.Errorf("%q: places %d and %d", constraint, at, again)
		}
	}
	if _, err := s.Place("batch", "rack*4"); err == nil {
		t.Error("a count is taken")
	}
	if _, err := s.Place("none", ""); !errors.Is(err, sched.ErrNoPartition) {
		t.Error(err)
	}
	if _, err := s.AddClass(sched.Class{Partitions: []string{"none"}}); !errors.Is(err, sched.ErrNoPartition) {
		t.Error(err)
	}
}

func TestPoliciesHaveNames(t *testing.T) {
	for _, p := range []sched.Policy{sched.FIFO, sched.EASY, sched.Slurm} {
		if got, err := sched.ParsePolicy(p.String()); err != nil || got != p {
			t.Errorf("%v: %v, %v", p, got, err)
		}
	}
	if _, err := sched.ParsePolicy("lifo"); err == nil || err.Error() != `scheduler "lifo": it is one of fifo, easy, slurm` {
		t.Error(err)
	}
}
