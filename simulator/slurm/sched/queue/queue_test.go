package queue

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is put in and taken out, the queue is in order, finds whom it is asked
// for, and steps over nobody who needs as few nodes as there are.
func TestQueueIsASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Queue[Rank]
		var model []Entry[Rank]
		for i := range rapid.IntRange(1, 400).Draw(t, "operations") {
			if len(model) > 0 && rapid.IntRange(0, 2).Draw(t, "operation") == 0 {
				k := rapid.IntRange(0, len(model)-1).Draw(t, "whom")
				e := model[k]
				at := q.Find(e.Job, e.Rank)
				if q.Entries[at].Job != e.Job {
					t.Fatalf("found %v instead of %v", q.Entries[at].Rank, e.Rank)
				}
				q.Remove(at)
				model = slices.Delete(model, k, k+1)
			} else {
				r := Rank{Priority: rapid.Int64Range(0, 3).Draw(t, "priority"), ID: int64(i)}
				e := Entry[Rank]{&r, r, rapid.Int32Range(1, 5).Draw(t, "need")}
				if at := q.Insert(e.Job, r, e.Need); q.Entries[at].Job != e.Job {
					t.Fatal("it is not where insert says")
				}
				model = append(model, e)
				slices.SortFunc(model, func(a, b Entry[Rank]) int {
					return cmp.Or(cmp.Compare(b.Rank.Priority, a.Rank.Priority), cmp.Compare(a.Rank.ID, b.Rank.ID))
				})
			}
			if rapid.IntRange(0, 50).Draw(t, "tidy") == 0 {
				q.Tidy()
			}
			free := rapid.Int32Range(0, 5).Draw(t, "free")
			var got, want []int64
			for k := q.Next(0, free); k < len(q.Entries); k = q.Next(k+1, free) {
				got = append(got, q.Entries[k].Job.ID)
			}
			for _, e := range model {
				if e.Need <= free {
					want = append(want, e.Job.ID)
				}
			}
			if q.n != len(model) || !slices.Equal(got, want) {
				t.Fatalf("%d jobs of which %v need at most %d nodes, want %d and %v", q.n, got, free, len(model), want)
			}
		}
	})
}
