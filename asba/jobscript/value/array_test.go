package value

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestArraysCountEachIndexOnce(t *testing.T) {
	for expression, want := range map[string]int{
		"1-10": 10, "1-10:3": 4, "1,1,1": 1, "1-5,3-8": 8, "0-10:2,0-10:3": 8, "0-10:2,1-11:2": 12, "1-4:2,3": 2, "7": 1,
		"0-4000000": 4000001, "0-4000000:2,1-4000000:2": 4000001, "0-20:4,2-20:4,0-20:2": 11, "5-9,0-20:5": 9,
	} {
		a, wrong := ArrayOf(expression)
		if wrong != "" || a.Tasks != want {
			t.Errorf("%s: %+v %s, want %d tasks", expression, a, wrong, want)
		}
	}
}

func TestArraysAreCountedAsTheyWouldBeByHand(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var list [][3]uint64
		marks := map[uint64]bool{}
		for range 1 + r.IntN(5) {
			low := r.Uint64N(30)
			x := [3]uint64{low, low + r.Uint64N(30), 1 + r.Uint64N(6)}
			list = append(list, x)
			for i := x[0]; i <= x[1]; i += x[2] {
				marks[i] = true
			}
		}
		if got := distinct(slices.Clone(list)); got != len(marks) {
			t.Fatalf("%v: %d, by hand %d", list, got, len(marks))
		}
	}
}
