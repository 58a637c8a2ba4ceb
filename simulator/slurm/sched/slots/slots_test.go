package slots

import (
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
)

func nodes(of ...int32) Nodes {
	s := Of(70)
	for _, i := range of {
		s.Add(i)
	}
	return s
}

func minute(n float64) env.Time { return env.Time(n * float64(time.Minute)) }

func TestInstantsAreRoundedDownAndEndsIncluded(t *testing.T) {
	var m Map
	m.Reset(minute(100.5), 70, time.Minute)
	m.Take(nodes(1, 65), minute(110.9), minute(120.9)) // from 110 to 120
	for _, c := range []struct {
		from, to float64
		taken    bool
		later    float64
	}{
		{100.5, 109.9, false, 120}, // the slot after the end is looked at, too
		{100.5, 110, true, 120},
		{100.5, 104, false, 120},
		{110, 115, true, 120},
		{119.9, 130, true, 120},
		{120, 130, false, 0},
	} {
		busy := Of(70)
		later := m.Taken(busy, minute(c.from), minute(c.to))
		if busy.Has(1) != c.taken || busy.Has(65) != c.taken || busy.Has(2) || later != minute(c.later) {
			t.Errorf("%v to %v: %b, later %v", c.from, c.to, busy, later.Sub(0))
		}
	}
	if m.Free(nodes(65), minute(109), minute(111)) || !m.Free(nodes(65), minute(109), minute(110.9)) || !m.Free(nodes(2), minute(100), minute(130)) {
		t.Error("what is spoken for is free, or what is not is not")
	}
}

// What ends when the same nodes are spoken for again leaves no trace.
func TestSlotsThatDoNotDifferAreJoined(t *testing.T) {
	var m Map
	for range 2 { // sets are used again
		m.Reset(0, 70, 1)
		m.Take(nodes(1), 10, 20)
		m.Take(nodes(1), 20, 30)
		if len(m.slots) != 3 {
			t.Fatalf("%d slots: %v", len(m.slots), m.slots)
		}
		m.Take(nodes(2), 5, 25)
		if len(m.slots) != 5 || m.Free(nodes(2), 24, 26) || !m.Free(nodes(2), 25, 26) || m.Free(nodes(1), 29, 40) {
			t.Fatalf("%v", m.slots)
		}
	}
}
