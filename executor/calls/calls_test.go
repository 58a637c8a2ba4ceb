package calls_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
)

// script is an EC2 that answers terminate and describe as a test says.
type script struct {
	cloud.Cloud
	terminate func(ids []string) error
	pages     map[string]cloud.InstancePage
	asked     [][]string
}

func (s *script) Terminate(_ context.Context, ids []string) error {
	s.asked = append(s.asked, ids)
	return s.terminate(ids)
}

func (s *script) Describe(_ context.Context, q cloud.InstanceQuery) (cloud.InstancePage, error) {
	if len(q.IDs) > 0 {
		return cloud.InstancePage{}, &cloud.Error{Class: cloud.Consistency}
	}
	return s.pages[q.Page], nil
}

// run runs fn as a process with a Caller that has four minutes.
func run(t *testing.T, c cloud.Cloud, fn func(ctx context.Context, c *calls.Caller)) time.Duration {
	t.Helper()
	e := simulator.New(simulator.Options{})
	e.Spawn("test", func(ctx context.Context, v env.Env) {
		fn(ctx, calls.New(v, c, v.Now().Add(4*time.Minute)))
	})
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	return e.Now().Sub(0)
}

func TestHowOftenACallIsRepeated(t *testing.T) {
	for _, c := range []struct {
		class    cloud.Class
		at, most int // calls
		longest  time.Duration
	}{
		{cloud.Throttle, 10, 40, 4 * time.Minute},
		{cloud.Ambiguous, 5, 5, 10 * time.Second},
		{cloud.Credentials, 2, 2, 2 * time.Second},
		{cloud.Permission, 1, 1, 0},
		{cloud.Capacity, 1, 1, 0},
	} {
		n := 0
		took := run(t, nil, func(ctx context.Context, caller *calls.Caller) {
			err := caller.Repeat(ctx, "Op", func() error { n++; return &cloud.Error{Class: c.class} })
			if !cloud.Is(err, c.class) {
				t.Errorf("%s became %v", c.class, err)
			}
			if got := caller.Counts()["Op"]; got != n {
				t.Errorf("%s: %d calls, %d counted", c.class, n, got)
			}
		})
		if n < c.at || n > c.most || took > c.longest {
			t.Errorf("%s: %d calls in %v", c.class, n, took)
		}
	}
}

func TestSuccessEndsTheRepeating(t *testing.T) {
	n := 0
	run(t, nil, func(ctx context.Context, c *calls.Caller) {
		if err := c.Repeat(ctx, "Op", func() error {
			if n++; n < 3 {
				return errors.New("connection reset")
			}
			return nil
		}); err != nil || n != 3 {
			t.Errorf("%d calls, %v", n, err)
		}
	})
}

func TestAllPagesAreRead(t *testing.T) {
	s := &script{pages: map[string]cloud.InstancePage{"": {Instances: []cloud.Instance{{ID: "i-1"}}, Next: "a"}, "a": {Next: "b"}, "b": {Instances: []cloud.Instance{{ID: "i-2"}}}}}
	run(t, s, func(ctx context.Context, c *calls.Caller) {
		got, err := c.DescribeAll(ctx, cloud.InstanceQuery{})
		if len(got) != 2 || err != nil || c.Counts()["DescribeInstances"] != 3 {
			t.Errorf("%v %v %v", got, err, c.Counts())
		}
	})
	s.pages["b"] = cloud.InstancePage{Next: "b"}
	run(t, s, func(ctx context.Context, c *calls.Caller) {
		if _, err := c.DescribeAll(ctx, cloud.InstanceQuery{}); err == nil {
			t.Error("a page that follows itself was read for ever, or believed")
		}
	})
}

func TestInstancesAreEndedInBatchesAndOneByOneWhereABatchFails(t *testing.T) {
	var ids []string
	for i := range 700 {
		ids = append(ids, fmt.Sprintf("i-%d", i))
	}
	s := &script{terminate: func(ids []string) error {
		for _, id := range ids {
			if id == "i-600" {
				return &cloud.Error{Class: cloud.Consistency} // gone long since
			}
			if id == "i-650" {
				return &cloud.Error{Class: cloud.Config, Code: "OperationNotPermitted"} // protected
			}
		}
		return nil
	}}
	run(t, s, func(ctx context.Context, c *calls.Caller) {
		failed := c.Terminate(ctx, ids)
		if len(failed) != 1 || failed[0].ID != "i-650" {
			t.Errorf("failed: %v", failed)
		}
	})
	if len(s.asked) != 1+1+200 || len(s.asked[0]) != 500 {
		t.Errorf("%d calls, the first for %d", len(s.asked), len(s.asked[0]))
	}
}

func TestANewInstanceThatEC2DoesNotKnowYetIsAskedToEndAgain(t *testing.T) {
	n := 0
	s := &script{terminate: func([]string) error {
		if n++; n < 4 {
			return &cloud.Error{Class: cloud.Consistency}
		}
		return nil
	}}
	took := run(t, s, func(ctx context.Context, c *calls.Caller) {
		if failed := c.TerminateNew(ctx, []string{"i-1", "i-2"}); len(failed) != 0 {
			t.Errorf("failed: %v", failed)
		}
	})
	if n != 4 || took < 3*time.Second {
		t.Errorf("%d calls in %v", n, took)
	}
}

// EC2 shows what has ended for an hour: what it never knew may come up yet.
func TestANewInstanceThatEC2NeverKnowsHasNotEnded(t *testing.T) {
	s := &script{terminate: func(ids []string) error {
		if slices.Contains(ids, "i-2") {
			return &cloud.Error{Class: cloud.Consistency}
		}
		return nil
	}}
	run(t, s, func(ctx context.Context, c *calls.Caller) {
		if failed := c.TerminateNew(ctx, []string{"i-1", "i-2"}); len(failed) != 1 || failed[0].ID != "i-2" {
			t.Errorf("failed: %v", failed)
		}
	})
}

func TestForksCountForThemselvesUntilTheyJoin(t *testing.T) {
	run(t, nil, func(ctx context.Context, c *calls.Caller) {
		c.Count("A")
		f, g := c.Fork("f"), c.Fork("g")
		f.Count("A")
		g.Count("B")
		if d := cmp.Diff(map[string]int{"A": 1}, c.Counts()); d != "" {
			t.Error(d)
		}
		c.Join(f, g)
		if d := cmp.Diff(map[string]int{"A": 2, "B": 1}, c.Counts()); d != "" {
			t.Error(d)
		}
	})
}
