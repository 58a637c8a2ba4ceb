package slots

import (
	"testing"
	"time"
)

func TestEndsAreLookedAtTogetherInStepsThatGrow(t *testing.T) {
	for _, c := range []struct {
		linear time.Duration
		ends   []float64 // minutes
		groups int
	}{
		// The first ends at 2: from half a minute after that on, groups end at 2.5+0.5,
		// 2.5+1, 2.5+2, 2.5+4, ...
		{0, []float64{2, 3, 3.5, 4, 4.5, 6, 6.5, 7}, 5},
		{time.Second, []float64{2, 3, 3.25, 3.5, 3.75}, 4},
	} {
		e, groups := Ends{Linear: c.linear}, 1
		for i, at := range c.ends {
			if i > 0 && minute(at) > e.Until() {
				e.Grow(minute(at))
				groups++
			}
			e.Begin(minute(at))
		}
		if groups != c.groups {
			t.Errorf("%v: %d groups, want %d", c.linear, groups, c.groups)
		}
	}
}
