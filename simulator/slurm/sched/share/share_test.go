package share

import (
	"math"
	"slices"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
)

const hour = env.Time(time.Hour)

func TestUsersRankByTheirAccountsThenByThemselves(t *testing.T) {
	var tree Tree
	// Account big has three of four shares and used as much as small: it is before
	// it. In big, a has two of three shares and used as much as b.
	a, b, c, idle := tree.User("a", "big"), tree.User("b", "big"), tree.User("c", "small"), tree.User("a", "new")
	tree.SetAccount(tree.Account("big"), 2, Limits{})
	tree.SetUser(a, 2, Limits{})
	tree.Charge(a, 1, 0, hour)
	tree.Charge(b, 1, 0, hour)
	tree.Charge(c, 2, 0, hour)
	tree.Rank(hour)
	var got []float64
	for _, u := range []int32{a, b, c, idle} {
		got = append(got, tree.Factor(u))
	}
	if want := []float64{0.75, 0.5, 0.25, 1}; !slices.Equal(got, want) {
		t.Errorf("factors %v, want %v", got, want)
	}
}

func TestEqualUsersHaveEqualFactors(t *testing.T) {
	var tree Tree
	a, b, c := tree.User("a", "x"), tree.User("b", "y"), tree.User("c", "x")
	tree.Charge(c, 1, 0, hour)
	tree.Charge(a, 1, 0, hour)
	tree.Charge(b, 2, 0, hour)
	tree.Rank(hour)
	// Accounts x and y used the same; a and c half of theirs each, b all of its own.
	if tree.Factor(a) != 1 || tree.Factor(c) != 1 || tree.Factor(b) != 1 {
		t.Errorf("factors %v, %v, %v", tree.Factor(a), tree.Factor(c), tree.Factor(b))
	}
}

// Use of one CPU for ever comes to the half-life over ln 2, whatever the steps in
// which it is charged.
func TestUseDecays(t *testing.T) {
	for _, step := range []env.Time{hour / 12, hour, 100 * hour} {
		tree := Tree{HalfLife: time.Hour}
		u := tree.User("a", "x")
		for at := env.Time(0); at < 100*hour; at += step {
			tree.Charge(u, 1, at, at+step)
		}
		if got, want := tree.users[u].usage, 3600/math.Ln2; math.Abs(got/want-1) > 1e-9 {
			t.Errorf("in steps of %v: %v, want %v", time.Duration(step), got, want)
		}
		tree.Rank(101 * hour)
		if got, want := tree.users[u].usage, 1800/math.Ln2; math.Abs(got/want-1) > 1e-9 {
			t.Errorf("an hour later: %v, want %v", got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	tree := Tree{Default: Limits{CPUs: 4}}
	a, b := tree.User("a", "x"), tree.User("b", "x")
	tree.SetUser(b, 1, Limits{Jobs: 1})
	tree.SetAccount(tree.Account("x"), 1, Limits{Jobs: 3, CPUs: 10})
	check := func(u, cpus int32, want Limit) {
		t.Helper()
		if got := tree.Exceeds(u, cpus); got != want {
			t.Errorf("user %d, %d CPUs: %d, want %d", u, cpus, got, want)
		}
	}
	check(a, 4, Within)
	check(a, 5, UserCPUs)
	check(b, 10, Within)
	check(b, 11, AccountCPUs)
	tree.Start(b, 7)
	check(b, 1, UserJobs)
	check(a, 4, AccountCPUs)
	tree.Start(a, 1)
	tree.Start(a, 1)
	check(a, 1, AccountJobs)
	tree.End(b, 7)
	check(a, 2, Within)
	check(b, 8, Within)
}

func TestATreeWithoutUsersTakesAnyJob(t *testing.T) {
	var tree Tree
	tree.Start(0, 4)
	tree.Charge(0, 4, 0, hour)
	tree.End(0, 4)
	tree.Rank(hour)
	if tree.Exceeds(0, 1000) != Within || tree.Factor(0) != 1 {
		t.Error("it knows someone")
	}
}
