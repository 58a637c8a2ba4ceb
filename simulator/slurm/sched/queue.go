package sched

import (
	"math"
	"slices"
	"sort"
)

// queue is the pending jobs in the order in which they are considered. Entries
// that are taken out leave a hole, so that places in the queue stay what they
// are during a pass; holes are closed when they outnumber the jobs.
//
// Jobs that need more nodes than there are free cannot start: least has the
// smallest need of each block of entries, so that a pass steps over whole
// blocks of them.
type queue struct {
	entries []entry
	least   []int32
	n       int
}

type entry struct {
	job  *Job // nil: a hole
	rank rank
	need int32
}

// rank is a job's place: by tier, then priority, both falling, then by the time
// of its submission and its number.
type rank struct {
	tier     int32
	priority int64
	submit   int64
	id       int64
}

func (a *rank) before(b *rank) bool {
	if a.tier != b.tier {
		return a.tier > b.tier
	}
	if a.priority != b.priority {
		return a.priority > b.priority
	}
	if a.submit != b.submit {
		return a.submit < b.submit
	}
	return a.id < b.id
}

// block is how many entries share a smallest need.
const block = 64

// hole is the need of an entry without a job: more than there can be.
const hole = math.MaxInt32

// insert puts a job into the queue and returns where.
func (q *queue) insert(j *Job, r rank, need int32) int {
	e := entry{j, r, need}
	q.n++
	k := len(q.entries)
	if k > 0 && r.before(&q.entries[k-1].rank) {
		k = sort.Search(k, func(i int) bool { return r.before(&q.entries[i].rank) })
	}
	// A hole before the place spares moving what is behind it.
	if 0 < k && k < len(q.entries) && q.entries[k-1].job == nil {
		k--
		q.entries[k] = e
		q.measure(k / block)
		return k
	}
	q.entries = append(q.entries, entry{})
	copy(q.entries[k+1:], q.entries[k:])
	q.entries[k] = e
	if k == len(q.entries)-1 {
		if k%block == 0 {
			q.least = append(q.least, need)
		} else if b := k / block; need < q.least[b] {
			q.least[b] = need
		}
		return k
	}
	if (len(q.entries)-1)%block == 0 {
		q.least = append(q.least, hole)
	}
	for b := k / block; b < len(q.least); b++ {
		q.measure(b)
	}
	return k
}

// measure works a block's smallest need out anew.
func (q *queue) measure(b int) {
	least := int32(hole)
	for i := b * block; i < min((b+1)*block, len(q.entries)); i++ {
		least = min(least, q.entries[i].need)
	}
	q.least[b] = least
}

// remove takes the entry at k out.
func (q *queue) remove(k int) {
	was := q.entries[k].need
	q.entries[k].job, q.entries[k].need = nil, hole
	q.n--
	if b := k / block; q.least[b] == was {
		q.measure(b)
	}
}

// find returns the place of a job.
func (q *queue) find(j *Job, r rank) int {
	k := sort.Search(len(q.entries), func(i int) bool { return !q.entries[i].rank.before(&r) })
	for q.entries[k].job != j {
		k++
	}
	return k
}

// next returns the first entry from k on with a job that needs at most free
// nodes, or the end.
func (q *queue) next(k int, free int32) int {
	for k < len(q.entries) {
		if k%block == 0 && q.least[k/block] > free {
			k += block
			continue
		}
		if q.entries[k].need <= free {
			return k
		}
		k++
	}
	return len(q.entries)
}

// tidy closes holes where they outnumber the jobs, and reports whether it did.
func (q *queue) tidy() bool {
	if len(q.entries) < 2*block || q.n > len(q.entries)/2 {
		return false
	}
	q.close()
	return true
}

// close closes all holes.
func (q *queue) close() {
	if q.n == len(q.entries) {
		return
	}
	live := q.entries[:0]
	for _, e := range q.entries {
		if e.job != nil {
			live = append(live, e)
		}
	}
	clear(q.entries[len(live):])
	q.entries = live
	q.remeasure()
}

// sort puts entries, none of which is a hole, in the order of their ranks.
func (q *queue) sort() {
	slices.SortFunc(q.entries, func(a, b entry) int {
		if a.rank.before(&b.rank) {
			return -1
		}
		return 1
	})
	q.remeasure()
}

// remeasure works all blocks out anew.
func (q *queue) remeasure() {
	q.least = q.least[:0]
	for b := range (len(q.entries) + block - 1) / block {
		q.least = append(q.least, hole)
		q.measure(b)
	}
}
