package lag

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestHalfAreSeenSoonAndNearlyAllWithinSeconds(t *testing.T) {
	const n = 20_000
	for _, median := range []time.Duration{usualMedian, 2 * time.Second} {
		s := Around(median)
		var times []time.Duration
		for k := range n {
			times = append(times, s.Of(1, fmt.Sprint("i-", k)))
		}
		slices.Sort(times)
		if got := times[n/2]; got < median*97/100 || got > median*103/100 {
			t.Errorf("half are seen after %v, want %v", got, median)
		}
		want := median * 50 / 3 // 5 s of 0.3 s
		if got := times[n*99/100]; got < want*9/10 || got > want*11/10 {
			t.Errorf("99 in 100 are seen after %v, want %v", got, want)
		}
		if times[0] <= 0 || times[n-1] > longest {
			t.Errorf("from %v to %v", times[0], times[n-1])
		}
	}
}

func TestAResourceIsHiddenAsLongWhateverElseThereIs(t *testing.T) {
	s := Usual()
	if s.Of(1, "i-1") != s.Of(1, "i-1") || s.Of(1, "i-1") == s.Of(1, "i-2") || s.Of(1, "i-1") == s.Of(2, "i-1") {
		t.Error("it is not drawn by seed and id")
	}
}

func TestTheZeroSightHidesNothingAndAssumesNothing(t *testing.T) {
	if (Sight{}).Of(1, "i-1") != 0 || (Sight{}).Assumed() != nil {
		t.Error("it hides")
	}
	if len(Usual().Assumed()) != 1 {
		t.Error("it does not say what it assumes")
	}
}
