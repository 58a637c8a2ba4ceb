package sched

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
		var q queue
		var model []entry
		for i := range rapid.IntRange(1, 400).Draw(t, "operations") {
			if len(model) > 0 && rapid.IntRange(0, 2).Draw(t, "operation") == 0 {
				k := rapid.IntRange(0, len(model)-1).Draw(t, "whom")
				e := model[k]
				at := q.find(e.job, e.rank)
				if q.entries[at].job != e.job {
					t.Fatalf("found %v instead of %v", q.entries[at].rank, e.rank)
				}
				q.remove(at)
				model = slices.Delete(model, k, k+1)
			} else {
				r := rank{priority: rapid.Int64Range(0, 3).Draw(t, "priority"), id: int64(i)}
				e := entry{&Job{ID: r.id}, r, rapid.Int32Range(1, 5).Draw(t, "need")}
				if at := q.insert(e.job, r, e.need); q.entries[at].job != e.job {
					t.Fatal("it is not where insert says")
				}
				model = append(model, e)
				slices.SortFunc(model, func(a, b entry) int {
					return cmp.Or(cmp.Compare(b.rank.priority, a.rank.priority), cmp.Compare(a.rank.id, b.rank.id))
				})
			}
			if rapid.IntRange(0, 50).Draw(t, "tidy") == 0 {
				q.tidy()
			}
			free := rapid.Int32Range(0, 5).Draw(t, "free")
			var got, want []int64
			for k := q.next(0, free); k < len(q.entries); k = q.next(k+1, free) {
				got = append(got, q.entries[k].job.ID)
			}
			for _, e := range model {
				if e.need <= free {
					want = append(want, e.job.ID)
				}
			}
			if q.n != len(model) || !slices.Equal(got, want) {
				t.Fatalf("%d jobs of which %v need at most %d nodes, want %d and %v", q.n, got, free, len(model), want)
			}
		}
	})
}
