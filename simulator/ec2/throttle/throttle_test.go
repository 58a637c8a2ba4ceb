package throttle

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"aws-slurm-burst/executor/env"
)

// after counts the calls of an action that pass, one after the other at t.
func after(t *Throttle, at time.Duration, action string, whole bool) (n int) {
	for t.Request(env.Time(at), action, whole) {
		n++
	}
	return n
}

func TestABurstEmptiesTheBucketAndTimeRefillsIt(t *testing.T) {
	for action, want := range map[string]struct{ burst, inTenSeconds int }{
		"RunInstances":           {5, 5}, // 20 would be more than it holds
		"TerminateInstances":     {100, 50},
		"CreateTags":             {100, 100},
		"DescribeSubnets":        {100, 100},
		"CreatePlacementGroup":   {50, 50},
		"DescribeInstances":      {100, 100},
		"CreateLaunchTemplate":   {50, 50},
		"StartInstances":         {5, 5},
		"DescribeInstanceTypes":  {100, 100},
		"GetSpotPlacementScores": {100, 100},
	} {
		b := New(Published())
		if n := after(b, 0, action, false); n != want.burst {
			t.Errorf("%s: %d calls at once, want %d", action, n, want.burst)
		}
		if n := after(b, 10*time.Second, action, false); n != want.inTenSeconds {
			t.Errorf("%s: %d calls ten seconds later, want %d", action, n, want.inTenSeconds)
		}
	}
}

func TestADescribeOfEverythingHasASmallerBucket(t *testing.T) {
	b := New(Published())
	if n := after(b, 0, "DescribeInstances", true); n != 50 {
		t.Errorf("%d calls at once, want 50", n)
	}
	if n := after(b, time.Second, "DescribeInstances", true); n != 10 {
		t.Errorf("%d calls a second later, want 10", n)
	}
	if n := after(b, time.Second, "DescribeInstances", false); n != 100 {
		t.Errorf("%d filtered calls, want 100: they have a bucket of their own", n)
	}
	if n := after(b, time.Second, "DescribeSubnets", true); n != 100 {
		t.Errorf("%d describes of all subnets, want 100: only some actions have the smaller bucket", n)
	}
}

func TestActionsDoNotShareBuckets(t *testing.T) {
	b := New(Published())
	after(b, 0, "CreatePlacementGroup", false)
	if !b.Request(0, "DeletePlacementGroup", false) {
		t.Error("one action emptied another's bucket")
	}
}

func TestRefillsMayBeFractionsOfAToken(t *testing.T) {
	b := New(Published())
	const action = "DescribeCapacityBlockOfferings" // 0.15 a second
	after(b, 0, action, false)
	for at := time.Second; at <= 6*time.Second; at += time.Second {
		if b.Request(env.Time(at), action, false) {
			t.Fatalf("a token after %v", at)
		}
	}
	if at := 7 * time.Second; !b.Request(env.Time(at), action, false) {
		t.Errorf("no token after %v, when 1.05 have come", at)
	}
}

func TestInstancesAreCountedBesideCalls(t *testing.T) {
	b := New(Published())
	if b.Resources(0, "RunInstances", 1001) {
		t.Error("more instances than the bucket holds")
	}
	if !b.Resources(0, "RunInstances", 1000) || !b.Resources(0, "RunInstances", 1000) {
		t.Error("asking took tokens")
	}
	b.Spend(0, "RunInstances", 990)
	if b.Resources(0, "RunInstances", 11) || !b.Resources(0, "RunInstances", 10) {
		t.Error("10 are left")
	}
	if !b.Resources(env.Time(time.Second), "RunInstances", 12) || b.Resources(env.Time(time.Second), "RunInstances", 13) {
		t.Error("two come a second")
	}
	if !b.Resources(0, "CreateTags", 1e6) {
		t.Error("an action without a bucket is limited")
	}
	b.Spend(0, "CreateTags", 1e6) // has nothing to take from
}

// However calls are spread over time, no more pass than the bucket holds and
// time brings; and filling in steps brings what filling at once does.
func TestNoMorePassThanTimeBrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bucket := Bucket{rapid.IntRange(0, 50).Draw(t, "capacity"), float64(rapid.IntRange(0, 5e6).Draw(t, "rate")) / 1e6}
		b := New(&Limits{Writes: bucket})
		var now env.Time
		passed := 0
		for range rapid.IntRange(1, 100).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 2e9).Draw(t, "gap")))
			if b.Request(now, "CreateFleet", false) {
				passed++
			}
		}
		if most := float64(bucket.Capacity) + bucket.PerSecond*time.Duration(now).Seconds() + 1e-6; float64(passed) > most {
			t.Fatalf("%d passed in %v, at most %.6f may", passed, time.Duration(now), most)
		}
		steps, once := newLevel(bucket, 0), newLevel(bucket, 0)
		steps.left, once.left = 0, 0
		for at := env.Time(0); at < now; at += 333_333_333 {
			steps.fill(at)
		}
		steps.fill(now)
		once.fill(now)
		if steps.left != once.left {
			t.Fatalf("filled in steps %d, at once %d", steps.left, once.left)
		}
	})
}

func TestABucketHoldsNoMoreThanItsCapacity(t *testing.T) {
	b := New(Published())
	for range 30 {
		b.Request(0, "DescribeSubnets", false)
	}
	// 70 are left and 20 a second come: it is full long before.
	if n := after(b, 5*time.Second, "DescribeSubnets", false); n != 100 {
		t.Errorf("%d calls pass, want 100", n)
	}
}

// A bucket that was not looked at for years is full, not overflown.
func TestAnOldBucketIsFull(t *testing.T) {
	b := New(Published())
	after(b, 0, "DescribeSubnets", false)
	if n := after(b, 200*365*24*time.Hour, "DescribeSubnets", false); n != 100 {
		t.Errorf("%d calls pass, want 100", n)
	}
}
