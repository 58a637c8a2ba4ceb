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
	for _, c := range []struct {
		constraint string
		nodes      int32
	}{
		{"", 4}, {"intel", 2}, {"intel&ib", 1}, {"intel|amd", 3}, {"intel&ib|arm", 2}, {"arm|intel&ib", 2},
		{"(intel|amd)&ib", 2}, {" ( intel | arm ) & (ib|arm) ", 2}, {"riscv", 0}, {"intel&amd", 0},
	} {
		at, err := s.Place("batch", c.constraint)
		if err != nil {
			t.Error(err)
			continue
		}
		var n int32
		for s.Check(&sched.Job{Place: at, MinNodes: n + 1}) == sched.None {
			n++
		}
		if n != c.nodes {
			t.Errorf("%q: %d nodes, want %d", c.constraint, n, c.nodes)
		}
		if again, _ := s.Place("batch", c.constraint); again != at {
			t.Errorf("%q: places %d and %d", c.constraint, at, again)
		}
	}
	for _, bad := range []string{"rack*4", "[a|b]", "a&", "|a", "(a", "a)", "a b", "(((((((((((((((((a", strings.Repeat("(a|b)&", 9) + "c"} {
		_, err := s.Place("batch", bad)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "constraint ") {
			t.Errorf("%q: %v", bad, err)
		}
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
