package simulator

import (
	"strings"
	"testing"
)

// The numbers are SplitMix64's for this seed, as its other implementations give
// them: a seed means the same chances in every version.
func TestAStreamIsSplitMix64(t *testing.T) {
	s := &Stream{1234567}
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if got := s.Uint64(); got != want {
			t.Errorf("number %d is %d, want %d", i, got, want)
		}
	}
	for range 1000 {
		if f := s.Float64(); f < 0 || f >= 1 {
			t.Fatal(f)
		}
	}
}

func TestEveryByteOfANameCounts(t *testing.T) {
	seen := map[uint64]string{}
	enter := func(s string) {
		h := foldString(1, s)
		if other, ok := seen[h]; ok && other != s {
			t.Errorf("%q and %q are the same", s, other)
		}
		seen[h] = s
	}
	for n := range 26 {
		enter(strings.Repeat("\x00", n))
		for i := range n {
			for _, c := range []string{"\x01", "a", "\xff"} {
				enter(strings.Repeat("\x00", i) + c + strings.Repeat("\x00", n-i-1))
			}
		}
	}
	if foldString(1, "a") == foldString(2, "a") {
		t.Error("what was before does not count")
	}
}

func TestStreamsDifferByEachOfTheirNames(t *testing.T) {
	seen := map[uint64]bool{}
	for _, s := range []*Stream{newStream(1, "a", 0, "x"), newStream(2, "a", 0, "x"), newStream(1, "b", 0, "x"), newStream(1, "a", 1, "x"), newStream(1, "a", 0, "y"), newStream(1, "ax", 0, ""), newStream(1, "", 0, "ax")} {
		if n := s.Uint64(); seen[n] {
			t.Errorf("two streams begin with %d", n)
		} else {
			seen[n] = true
		}
	}
	if NewStream(7, "a", "x").Uint64() != New(Options{Seed: 7}).Rand("a", "x").Uint64() {
		t.Error("without an engine a model has other chances")
	}
}
