package market

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func recordedPool(period time.Duration, steps ...Step[int]) *Capacity {
	p := spot("us-east-1a")
	m := New(1, epoch, always(presets[0]), Recorded{Capacity: map[Pool]*Series[int]{p: {Period: period, Steps: steps}}})
	return m.Pool(p)
}

func TestWhatIsRecordedIsReplayedAndBeginsAnew(t *testing.T) {
	c := recordedPool(time.Hour, Step[int]{0, 5}, Step[int]{10 * time.Minute, 0}, Step[int]{40 * time.Minute, 8})
	for _, want := range []struct {
		at, next time.Duration
		free     int
	}{
		{0, 10, 5}, {9, 10, 5}, {10, 40, 0}, {39, 40, 0}, {40, 60, 8}, {59, 60, 8}, {60, 70, 5}, {75, 100, 0}, {60*24 + 41, 60 * 25, 8}, {60 * 30, 60*30 + 10, 5},
	} {
		now := epoch.Add(want.at * time.Minute)
		if free, room := c.Free(now), c.Room(now); free != want.free || room != free {
			t.Errorf("after %d min there are %d, %d of them side by side, want %d", want.at, free, room, want.free)
		}
		if got := c.Next(); got != epoch.Add(want.next*time.Minute) {
			t.Errorf("after %d min the next change is after %v, want %d min", want.at, got.Sub(epoch), want.next)
		}
		if c.Part(now) != (Part{}) {
			t.Error("a part is taken beside what was recorded")
		}
	}
}

func TestWhatDoesNotChangeAnyMoreHasNoNextChange(t *testing.T) {
	for name, c := range map[string]*Capacity{
		"a recording that does not begin anew": recordedPool(0, Step[int]{0, 3}, Step[int]{time.Minute, 4}),
		"one of one step that does":            recordedPool(time.Hour, Step[int]{0, 4}),
	} {
		if now := epoch.Add(2 * time.Hour); c.Free(now) != 4 || c.Next() < now.Add(1000*day) {
			t.Errorf("%s: %d, until %v", name, c.Free(now), c.Next())
		}
	}
}

func TestARecordingOfOneInstantHoldsForEver(t *testing.T) {
	c := recordedPool(0, Step[int]{0, 3})
	if now := epoch.Add(1000 * day); c.Free(now) != 3 || c.Next() < now.Add(1000*day) {
		t.Errorf("%d, until %v", c.Free(now), c.Next())
	}
}

// Whoever looks when, a replay has what its series has at that instant.
func TestAReplayDoesNotDependOnWhoAsksWhen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Series[int]
		at := time.Duration(0)
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			s.Add(at, rapid.IntRange(0, 3).Draw(t, "n"))
			at += time.Duration(rapid.IntRange(1, 50).Draw(t, "for"))
		}
		s.Period = at
		r, now := newReplay(&s, epoch), epoch
		for range 20 {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "gap")))
			want := s.Steps[0].Of
			for _, step := range s.Steps {
				if step.At <= now.Sub(epoch)%s.Period {
					want = step.Of
				}
			}
			got, since := r.at(now)
			if got != want || since > now || r.next() <= now {
				t.Fatalf("%+v has %d at %v since %v until %v, want %d", s, got, now.Sub(epoch), since, r.next(), want)
			}
		}
	})
}

func TestARecordedPriceIsItself(t *testing.T) {
	p := spot("us-east-1a")
	m := New(1, epoch, nil, Recorded{Price: map[Pool]*Series[float64]{p: {Period: time.Hour, Steps: []Step[float64]{{0, 0.1}, {time.Minute, 0.2}}}}})
	price := m.Price(p)
	if usd, since, ok := price.Recorded(epoch.Add(2 * time.Minute)); !ok || usd != 0.2 || since != epoch.Add(time.Minute) || price.Next() != epoch.Add(time.Hour) {
		t.Errorf("%v USD since %v, %v, until %v", usd, since, ok, price.Next())
	}
	if f, _ := price.At(epoch.Add(2 * time.Minute)); f != 1 {
		t.Errorf("and %v times the usual one", f)
	}
	if m.Pool(p) != nil || m.Assumed() != nil {
		t.Errorf("a pool without a supply runs dry, or something is assumed: %v", m.Assumed())
	}
	if _, _, ok := m.Price(spot("us-east-1b")).Recorded(epoch); ok {
		t.Error("the price of another zone is recorded")
	}
}
