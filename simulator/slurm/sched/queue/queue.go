// Package queue is pending jobs in the order in which a scheduler considers them.
//
// It knows of a job where it stands and how many nodes it needs at least. What
// decides about these is for who puts it there.
package queue

import (
	"math"
	"slices"
	"sort"
)

// Queue is the pending jobs in the order in which they are considered. Its entries
// that are taken out leave a hole, so that places in the queue stay what they
// are during a pass; holes are closed when they outnumber the jobs.
//
// Jobs that need more nodes than there are free cannot start: least has the
// smallest need of each block of entries, so that a pass steps over whole
// blocks of them.
type Queue[J any] struct {
	// Entries are to be read, and changed between Close and Sort.
	Entries []Entry[J]
	least   []int32
	n       int
}

// Len is how many jobs there are.
func (q *Queue[J]) Len() int { return q.n }

// Entry is a job in the queue.
type Entry[J any] struct {
	Job  *J // nil: a hole
	Rank Rank
	Need int32 // nodes
}

// Rank is a job's place: by tier, then priority, both falling, then by the time
// of its submission and its number.
type Rank struct {
	Tier     int32
	Priority int64
	Submit   int64
	ID       int64
}

// Before reports whether a job of this rank goes before one of another.
func (a *Rank) Before(b *Rank) bool {
	if a.Tier != b.Tier {
		return a.Tier > b.Tier
	}
	if a.Priority != b.Priority {
		return a.Priority > b.Priority
	}
	if a.Submit != b.Submit {
		return a.Submit < b.Submit
	}
	return a.ID < b.ID
}

// block is how many entries share a smallest need.
const block = 64

// hole is the need of an entry without a job: more than there can be.
const hole = math.MaxInt32

// Insert puts a job into the queue and returns where.
func (q *Queue[J]) Insert(j *J, r Rank, need int32) int {
	e := Entry[J]{j, r, need}
	q.n++
	k := len(q.Entries)
	if k > 0 && r.Before(&q.Entries[k-1].Rank) {
		k = sort.Search(k, func(i int) bool { return r.Before(&q.Entries[i].Rank) })
	}
	// A hole before the place spares moving what is behind it.
	if 0 < k && k < len(q.Entries) && q.Entries[k-1].Job == nil {
		k--
		q.Entries[k] = e
		q.measure(k / block)
		return k
	}
	q.Entries = append(q.Entries, Entry[J]{})
	copy(q.Entries[k+1:], q.Entries[k:])
	q.Entries[k] = e
	if k == len(q.Entries)-1 {
		if k%block == 0 {
			q.least = append(q.least, need)
		} else if b := k / block; need < q.least[b] {
			q.least[b] = need
		}
		return k
	}
	if (len(q.Entries)-1)%block == 0 {
		q.least = append(q.least, hole)
	}
	for b := k / block; b < len(q.least); b++ {
		q.measure(b)
	}
	return k
}

// measure works a block's smallest need out anew.
func (q *Queue[J]) measure(b int) {
	least := int32(hole)
	for i := b * block; i < min((b+1)*block, len(q.Entries)); i++ {
		least = min(least, q.Entries[i].Need)
	}
	q.least[b] = least
}

// Remove takes the entry at k out.
func (q *Queue[J]) Remove(k int) {
	was := q.Entries[k].Need
	q.Entries[k].Job, q.Entries[k].Need = nil, hole
	q.n--
	if b := k / block; q.least[b] == was {
		q.measure(b)
	}
}

// Find returns the place of a job.
func (q *Queue[J]) Find(j *J, r Rank) int {
	k := sort.Search(len(q.Entries), func(i int) bool { return !q.Entries[i].Rank.Before(&r) })
	for q.Entries[k].Job != j {
		k++
	}
	return k
}

// Next returns the first entry from k on with a job that needs at most free
// nodes, or the end.
func (q *Queue[J]) Next(k int, free int32) int {
	for k < len(q.Entries) {
		if k%block == 0 && q.least[k/block] > free {
			k += block
			continue
		}
		if q.Entries[k].Need <= free {
			return k
		}
		k++
	}
	return len(q.Entries)
}

// Tidy closes holes where they outnumber the jobs, and reports whether it did.
func (q *Queue[J]) Tidy() bool {
	if len(q.Entries) < 2*block || q.n > len(q.Entries)/2 {
		return false
	}
	q.Close()
	return true
}

// Close closes all holes.
func (q *Queue[J]) Close() {
	if q.n == len(q.Entries) {
		return
	}
	live := q.Entries[:0]
	for _, e := range q.Entries {
		if e.Job != nil {
			live = append(live, e)
		}
	}
	clear(q.Entries[len(live):])
	q.Entries = live
	q.remeasure()
}

// Sort puts entries, none of which is a hole, in the order of their Ranks.
func (q *Queue[J]) Sort() {
	slices.SortFunc(q.Entries, func(a, b Entry[J]) int {
		if a.Rank.Before(&b.Rank) {
			return -1
		}
		return 1
	})
	q.remeasure()
}

// remeasure works all blocks out anew.
func (q *Queue[J]) remeasure() {
	q.least = q.least[:0]
	for b := range (len(q.Entries) + block - 1) / block {
		q.least = append(q.least, hole)
		q.measure(b)
	}
}
