package sched_test

import (
	"container/heap"
	"fmt"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched"
)

// tb is what tests, benchmarks and random checks have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// work is a job to replay and how long it really runs.
type work struct {
	sched.Job
	run     time.Duration
	started env.Time
	first   env.Time // the first instant that it was promised
}

// end is the end of a running job.
type end struct {
	at env.Time
	w  *work
}

type ends []end

func (h ends) Len() int { return len(h) }
func (h ends) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].w.ID < h[j].w.ID
}
func (h ends) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *ends) Push(x any)   { *h = append(*h, x.(end)) }
func (h *ends) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// replay is a cluster whose jobs begin at once and run undisturbed: a scheduler
// with nothing around it. All that happens in an instant happens before its
// passes. Backfill passes are made at every instant.
type replay struct {
	s     *sched.Scheduler
	check bool   // that no node is used twice and no promise is broken
	force func() // makes the scheduler forget what it knows: passes that are left out are made after it
	exact bool   // jobs run as long as their limits: promises bind
	// shared nodes have several jobs, and no more of them than there is of each
	// node.
	shared bool
	ended  func(*work)

	owner map[int32]*work
	order []int64 // in which jobs started
}

func (r *replay) run(t tb, next func() *work) {
	t.Helper()
	var works []*work // by Owner
	var unused []int32
	var running ends
	coming := next()
	for coming != nil || len(running) > 0 {
		var now env.Time
		switch {
		case coming == nil || len(running) > 0 && running[0].at <= coming.Submit:
			now = running[0].at
		default:
			now = coming.Submit
		}
		for len(running) > 0 && running[0].at <= now {
			w := heap.Pop(&running).(end).w
			r.release(t, w, now)
			works[w.Owner] = nil
			unused = append(unused, w.Owner)
			if r.ended != nil {
				r.ended(w)
			}
		}
		for coming != nil && coming.Submit <= now {
			if n := len(unused); n > 0 {
				coming.Owner, unused = unused[n-1], unused[:n-1]
				works[coming.Owner] = coming
			} else {
				coming.Owner = int32(len(works))
				works = append(works, coming)
			}
			r.s.Submit(&coming.Job, now)
			coming = next()
		}
		start := func(jobs []*sched.Job) {
			for _, j := range jobs {
				w := works[j.Owner]
				w.started = now
				heap.Push(&running, end{now.Add(w.run), w})
				r.start(t, w, now)
			}
		}
		if r.s.Dirty(now) {
			start(r.s.Pass(now, false))
		}
		if r.s.BackfillDirty(now) {
			start(r.s.Backfill(now))
		}
		if r.force != nil {
			r.force()
			if jobs := both(r.s, now); len(jobs) > 0 {
				t.Fatalf("at %v passes were left out that start %v", now.Sub(0), ids(jobs))
			}
		}
		if r.check && r.exact {
			for _, w := range works {
				if w != nil {
					r.promised(t, w, now)
				}
			}
		}
		if len(running) == 0 && coming == nil && len(unused) < len(works) {
			t.Fatalf("%d jobs wait for ever", len(works)-len(unused))
		}
	}
}

// promised notes the first promise to a job, and that no later one is worse.
func (r *replay) promised(t tb, w *work, now env.Time) {
	if !w.Pending() || w.Expected == 0 {
		return
	}
	if w.first == 0 {
		w.first = w.Expected
	}
	if w.Expected > w.first {
		t.Fatalf("job %d was promised %v, at %v it is %v", w.ID, w.first, now, w.Expected)
	}
	w.first = w.Expected
}

func (r *replay) start(t tb, w *work, now env.Time) {
	if !r.check {
		return
	}
	r.order = append(r.order, w.ID)
	if r.exact && w.first > 0 && now > w.first {
		t.Fatalf("job %d was promised %v and starts at %v", w.ID, w.first, now)
	}
	if r.shared {
		for _, n := range w.Nodes {
			if _, free, jobs := r.s.Node(n); free < 0 || jobs > 1 && w.Exclusive {
				t.Fatalf("node %d has %d CPUs free and %d jobs after job %d came", n, free, jobs, w.ID)
			}
		}
		return
	}
	if r.owner == nil {
		r.owner = map[int32]*work{}
	}
	for _, n := range w.Nodes {
		if other := r.owner[n]; other != nil {
			t.Fatalf("node %d goes to job %d while job %d has it", n, w.ID, other.ID)
		}
		r.owner[n] = w
	}
}

func (r *replay) release(t tb, w *work, now env.Time) {
	if r.check {
		for _, n := range w.Nodes {
			delete(r.owner, n)
		}
	}
	r.s.Release(&w.Job, now)
}

// list yields works one after the other.
func list(works []*work) func() *work {
	return func() *work {
		if len(works) == 0 {
			return nil
		}
		w := works[0]
		works = works[1:]
		return w
	}
}

func (w *work) String() string {
	return fmt.Sprintf("%d: %d nodes, %v of %v, at %v", w.ID, w.MinNodes, w.run, w.Limit, w.Submit.Sub(0))
}
