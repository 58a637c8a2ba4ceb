package processors_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/processors"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/workload"
)

// plain schedules as the definitions of FIFO and EASY say, and looks at everything
// again whenever a job comes or ends. It returns when each job starts, in seconds.
func plain(jobs []workload.Job, procs int, policy processors.Policy, cut bool) map[int64]int {
	type one struct {
		id                   int64
		procs                int
		eligible, run, limit int
		ends, expected       int
	}
	seconds := func(d time.Duration) int { return int(d / time.Second) }
	var coming, queue, running []*one
	for _, j := range jobs {
		o := &one{id: j.ID, procs: max(1, int(j.Procs)), eligible: max(seconds(j.Submit), seconds(j.Begin)), run: seconds(j.Run), limit: seconds(j.Limit)}
		if o.limit == 0 {
			o.limit = o.run
		}
		if cut {
			o.run = min(o.run, o.limit)
		}
		coming = append(coming, o)
	}
	slices.SortStableFunc(coming, func(a, b *one) int { return cmp.Compare(a.eligible, b.eligible) })
	free, starts := procs, map[int64]int{}
	for now := 0; len(coming)+len(queue)+len(running) > 0; now++ {
		for happened := true; happened; {
			happened = false
			running = slices.DeleteFunc(running, func(o *one) bool {
				if o.ends > now {
					return false
				}
				free, happened = free+o.procs, true
				return true
			})
			for len(coming) > 0 && coming[0].eligible <= now {
				queue, coming, happened = append(queue, coming[0]), coming[1:], true
			}
			if !happened {
				continue
			}
			start := func(o *one) {
				free -= o.procs
				o.ends, o.expected = now+o.run, now+o.limit
				starts[o.id] = now
				running = append(running, o)
			}
			for len(queue) > 0 && queue[0].procs <= free {
				start(queue[0])
				queue = queue[1:]
			}
			if len(queue) == 0 || policy == processors.FIFO {
				continue
			}
			// The first is promised the instant at which enough have ended, as they are
			// expected to; what is left over then is for others.
			byEnd := slices.Clone(running)
			slices.SortStableFunc(byEnd, func(a, b *one) int { return cmp.Compare(a.expected, b.expected) })
			have, shadow := free, now
			for _, o := range byEnd {
				if end := max(o.expected, now); have < queue[0].procs || end <= shadow {
					have, shadow = have+o.procs, end
				}
			}
			extra := have - queue[0].procs
			queue = slices.DeleteFunc(queue, func(o *one) bool {
				switch {
				case o == queue[0] || o.procs > free:
					return false
				case now+o.limit > shadow && o.procs > extra:
					return false
				case now+o.limit > shadow:
					extra -= o.procs
				}
				start(o)
				return true
			})
		}
	}
	return starts
}

func TestTheMachineDecidesAsTheDefinitionsSay(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		n, most, gap := 1+random.IntN(60), 1+random.IntN(12), 1+random.IntN(12)
		if seed < 6 {
			n, gap = 700, 2 // so many that the queue is tidied in its middle
		}
		var jobs []workload.Job
		at := 0
		for i := range n {
			at += random.IntN(gap)
			j := job(int64(i+1), at, random.IntN(most+1), random.IntN(40), random.IntN(60))
			if random.IntN(8) == 0 {
				j.Begin = j.Submit + time.Duration(random.IntN(50))*time.Second
			}
			jobs = append(jobs, j)
		}
		for _, policy := range []processors.Policy{processors.FIFO, processors.EASY} {
			for _, cut := range []bool{false, true} {
				starts := map[int64]int{}
				err := processors.Run(simulator.New(simulator.Options{}), source(jobs...), processors.Options{Processors: most, Policy: policy, Cut: cut}, func(r processors.Result) {
					starts[r.Job.ID] = int(r.Started.Sub(0) / time.Second)
				})
				if err != nil {
					t.Fatal(err)
				}
				want := plain(jobs, most, policy, cut)
				for _, j := range jobs {
					if got, ok := starts[j.ID]; !ok || got != want[j.ID] {
						t.Fatalf("seed %d, policy %d, cut %v: job %d starts at %d, by the definition at %d", seed, policy, cut, j.ID, got, want[j.ID])
					}
				}
			}
		}
	}
}

func TestARunLetsGoOfItsSource(t *testing.T) {
	for name, jobs := range map[string][]workload.Job{"at its end": {job(1, 0, 1, 5, 5)}, "too large a job": {job(1, 0, 1, 5, 5), job(2, 0, 9, 5, 5), job(3, 0, 1, 5, 5)}} {
		closed := false
		_ = processors.Run(simulator.New(simulator.Options{}), func(yield func(workload.Job, error) bool) {
			defer func() { closed = true }()
			source(jobs...)(yield)
		}, processors.Options{Processors: 1}, nil)
		if !closed {
			t.Errorf("%s the source is still open", name)
		}
	}
	e := simulator.New(simulator.Options{})
	closed := false
	m := processors.Start(e, func(yield func(workload.Job, error) bool) {
		defer func() { closed = true }()
		source(job(1, 0, 1, 5, 5), job(2, 100, 1, 5, 5))(yield)
	}, processors.Options{Processors: 1}, nil)
	if m.Close(); !closed {
		t.Error("a machine that is dropped keeps its source")
	}
}

func TestTheFirstEventSaysWhatTheJobAskedFor(t *testing.T) {
	j := job(1, 0, 2, 5, 60)
	j.Nodes, j.User, j.Account, j.Partition = 1, "u", "a", "p"
	var got []string
	opt := processors.Options{Processors: 2, Sink: func(e record.Event) {
		if e.Spec != nil {
			got = append(got, fmt.Sprintf("%v %+v", e.Kind, *e.Spec))
		}
	}}
	if err := processors.Run(simulator.New(simulator.Options{}), source(j), opt, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"job_submitted {User:u Account:a Partition:p Procs:2 Nodes:1 LimitS:60 RunS:5}"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
