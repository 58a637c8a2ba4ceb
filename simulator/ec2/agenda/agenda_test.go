package agenda

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aws-slurm-burst/executor/env"
)

func TestWhatIsDueComesInOrderAndTiesInTheOrderOfTheirComing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type thing struct {
			at env.Time
			n  int
		}
		var a Agenda[int]
		var want []thing
		if a.Next() != Never {
			t.Fatalf("something is due at %v", a.Next())
		}
		for n := range rapid.IntRange(1, 60).Draw(t, "things") {
			if len(want) > 0 && rapid.IntRange(0, 2).Draw(t, "pop") == 0 {
				next := a.Next()
				if at, got := a.Pop(); at != want[0].at || got != want[0].n || next != at {
					t.Fatalf("%d at %v, want %+v", got, at, want[0])
				}
				want = want[1:]
				continue
			}
			at := env.Time(rapid.IntRange(0, 9).Draw(t, "at"))
			a.Push(at, n)
			want = append(want, thing{at, n})
			slices.SortStableFunc(want, func(x, y thing) int { return int(x.at - y.at) })
		}
	})
}
