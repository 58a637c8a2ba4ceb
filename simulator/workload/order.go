package workload

import (
	"math"
	"time"
)

// Order puts jobs into the order of their submission, as far as no job is more
// than a window of jobs behind its place; jobs of one instant stay as they came.
// It reads a window ahead. fail makes the error of a job that is further away:
// the one that was just read.
func Order(jobs Source, window int, fail func(j Job) error) Source {
	return func(yield func(Job, error) bool) {
		var (
			held waiting
			last = time.Duration(math.MinInt64)
			end  error
		)
		for j, err := range jobs {
			if err == nil && j.Submit < last {
				err = fail(j)
			}
			if end = err; err != nil {
				break
			}
			if held.push(&j); len(held.queue) <= window {
				continue
			}
			first := held.pop()
			last = first.Submit
			if !yield(first, nil) {
				return
			}
		}
		for len(held.queue) > 0 {
			if !yield(held.pop(), nil) {
				return
			}
		}
		if end != nil {
			yield(Job{}, end)
		}
	}
}

// waiting is a heap of jobs by submission, those of one instant as they came.
type waiting struct {
	queue []place
	jobs  []Job
	free  []int32
	seq   uint64
}

// place is where a job is, and what orders it: small, as it is moved about.
type place struct {
	submit time.Duration
	seq    uint64
	slot   int32
}

func (p place) before(q place) bool {
	return p.submit < q.submit || p.submit == q.submit && p.seq < q.seq
}

func (w *waiting) push(j *Job) {
	w.seq++
	p := place{j.Submit, w.seq, int32(len(w.jobs))}
	if n := len(w.free); n > 0 {
		p.slot, w.free = w.free[n-1], w.free[:n-1]
		w.jobs[p.slot] = *j
	} else {
		w.jobs = append(w.jobs, *j)
	}
	i := len(w.queue)
	w.queue = append(w.queue, p)
	for ; i > 0 && p.before(w.queue[(i-1)/2]); i = (i - 1) / 2 {
		w.queue[i] = w.queue[(i-1)/2]
	}
	w.queue[i] = p
}

func (w *waiting) pop() Job {
	first := w.queue[0].slot
	n := len(w.queue) - 1
	p := w.queue[n]
	w.queue = w.queue[:n]
	for i := 0; n > 0; {
		next := 2*i + 1
		if next+1 < n && w.queue[next+1].before(w.queue[next]) {
			next++
		}
		if next >= n || !w.queue[next].before(p) {
			w.queue[i] = p
			break
		}
		w.queue[i] = w.queue[next]
		i = next
	}
	w.free = append(w.free, first)
	return w.jobs[first]
}
