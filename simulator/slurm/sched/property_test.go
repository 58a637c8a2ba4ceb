package sched_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/processors"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// drawWorks draws jobs for a cluster of so many nodes: often at the same instant,
// often of the same size, with limits that are rarely right.
func drawWorks(t *rapid.T, nodes int32, exact bool) []*work {
	var all []*work
	now := 0
	for i := range rapid.IntRange(1, 40).Draw(t, "jobs") {
		now += rapid.SampledFrom([]int{0, 0, 1, 5, 20}).Draw(t, "gap")
		n := rapid.Int32Range(1, nodes).Draw(t, "nodes")
		limit := rapid.IntRange(1, 50).Draw(t, "limit")
		run := limit
		if !exact {
			run = rapid.IntRange(0, 60).Draw(t, "run")
		}
		w := &work{Job: *whole(int64(i+1), n, limit), run: seconds(run)}
		w.Submit = sec(now)
		all = append(all, w)
	}
	return all
}

func TestNodesOfOneProcessorScheduleLikeProcessors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := rapid.Int32Range(1, 12).Draw(t, "size")
		works := drawWorks(t, nodes, rapid.Bool().Draw(t, "exact"))
		for _, policy := range []sched.Policy{sched.FIFO, sched.EASY} {
			var jobs []workload.Job
			var copies []*work
			for _, w := range works {
				c := *w
				copies = append(copies, &c)
				jobs = append(jobs, workload.Job{ID: w.ID, Submit: w.Submit.Sub(0), Run: w.run, Limit: w.Limit, Procs: w.MinNodes})
			}
			want := map[int64]env.Time{}
			source := func(yield func(workload.Job, error) bool) {
				for _, j := range jobs {
					if !yield(j, nil) {
						return
					}
				}
			}
			err := processors.Run(simulator.New(simulator.Options{}), source, processors.Options{Processors: int(nodes), Policy: processors.Policy(policy)}, func(r processors.Result) {
				want[r.Job.ID] = r.Started
			})
			if err != nil {
				t.Fatal(err)
			}
			s := cluster(t, sched.Options{Policy: policy}, int(nodes), sched.Class{CPUs: 1})
			place(t, s, "batch", "")
			(&replay{s: s, check: true}).run(t, list(copies))
			for _, w := range copies {
				if w.started != want[w.ID] {
					t.Fatalf("%v: job %v starts at %v on nodes and at %v on processors", policy, w, w.started, want[w.ID])
				}
			}
		}
	})
}

// mixed is a cluster of several classes, some of them powered down, and jobs for
// all or some of them.
func mixed(t *rapid.T, opt sched.Options, works []*work) *sched.Scheduler {
	s := sched.New(opt)
	s.AddPartition(sched.Partition{Name: "batch"})
	s.AddPartition(sched.Partition{Name: "big"})
	n := 0
	for i := range rapid.IntRange(1, 3).Draw(t, "classes") {
		c := sched.Class{
			Partitions: []string{"batch"}, Features: []string{fmt.Sprint("f", i%2)}, CPUs: rapid.Int32Range(1, 4).Draw(t, "cpus"),
			Memory: 1000, Weight: rapid.Int32Range(1, 2).Draw(t, "weight"),
		}
		if rapid.Bool().Draw(t, "both") {
			c.Partitions = append(c.Partitions, "big")
		}
		size := rapid.IntRange(1, 4).Draw(t, "size")
		add(t, s, size, c)
		for k := range size {
			s.SetNode(int32(n+k), rapid.SampledFrom([]sched.Availability{sched.Up, sched.Booting, sched.Off}).Draw(t, "availability"), 0)
		}
		n += size
	}
	for _, w := range works {
		partition := rapid.SampledFrom([]string{"batch", "batch", "big"}).Draw(t, "partition")
		constraint := rapid.SampledFrom([]string{"", "", "f0", "f0|f1"}).Draw(t, "constraint")
		w.Place = place(t, s, partition, constraint)
		if rapid.Bool().Draw(t, "alternatives") {
			w.Place = s.Alternatives(w.Place, place(t, s, "big", ""), place(t, s, "batch", ""))
		}
		if rapid.Bool().Draw(t, "open") {
			w.MinNodes, w.MaxNodes = 1, rapid.SampledFrom([]int32{0, 0, w.MinNodes}).Draw(t, "max")
		}
		w.CPUs = rapid.Int32Range(1, 8).Draw(t, "job cpus")
		if opt.Shared {
			w.Memory = rapid.SampledFrom([]int64{0, 300, 700}).Draw(t, "memory")
			w.Exclusive = rapid.IntRange(0, 5).Draw(t, "exclusive") == 0
		}
	}
	return s
}

// possible leaves the jobs that the cluster could ever run.
func possible(s *sched.Scheduler, works []*work) []*work {
	return slices.DeleteFunc(works, func(w *work) bool { return s.Check(&w.Job) != sched.None })
}

func TestNoPolicyUsesANodeTwiceOrLetsAJobStarve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := sched.Options{
			Policy: sched.Policy(rapid.IntRange(0, 2).Draw(t, "policy")), Shared: rapid.Bool().Draw(t, "shared"),
			Memory: rapid.Bool().Draw(t, "consumable memory"),
		}
		works := drawWorks(t, 4, false)
		s := mixed(t, opt, works)
		(&replay{s: s, check: true, shared: opt.Shared}).run(t, list(possible(s, works)))
	})
}

// While jobs take exactly the time that they asked for, the instant that EASY
// promises to the first that waits never becomes a later one.
func TestEASYKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := sched.Options{Policy: sched.EASY, Shared: rapid.Bool().Draw(t, "shared"), Memory: true}
		works := drawWorks(t, 4, true)
		s := mixed(t, opt, works)
		(&replay{s: s, check: true, exact: true, shared: opt.Shared}).run(t, list(possible(s, works)))
	})
}

// Nor do Slurm's reservations, everybody's, as long as nodes are alike: of unlike
// ones a job may take others than those that were kept for it.
func TestBackfillDelaysNobodysReservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := sched.DefaultParams()
		p.Resolution, p.Window, p.MaxTest = 1, 1000*time.Hour, 1000
		nodes := rapid.Int32Range(1, 12).Draw(t, "size")
		s := cluster(t, sched.Options{Policy: sched.Slurm, Params: p}, int(nodes), sched.Class{CPUs: 1})
		place(t, s, "batch", "")
		(&replay{s: s, check: true, exact: true}).run(t, list(drawWorks(t, nodes, true)))
	})
}

func TestFIFOStartsJobsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		works := drawWorks(t, 4, false)
		s := mixed(t, sched.Options{Policy: sched.FIFO, Shared: rapid.Bool().Draw(t, "shared")}, works)
		r := &replay{s: s, check: true, shared: true}
		r.run(t, list(possible(s, works)))
		if !slices.IsSorted(r.order) {
			t.Fatalf("started in the order %v", r.order)
		}
	})
}

// What a pass remembers of the last one, and that it is left out where nothing
// could start, changes nothing. (On shared nodes a second look may reserve other
// nodes, and so leave room where the first did not.)
func TestPassesThatAreLeftOutWouldStartNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := sched.DefaultParams()
		p.Resolution = 1
		opt := sched.Options{Policy: sched.Policy(rapid.IntRange(0, 2).Draw(t, "policy")), Params: p}
		opt.Shared = opt.Policy == sched.FIFO && rapid.Bool().Draw(t, "shared")
		works := drawWorks(t, 4, false)
		s := mixed(t, opt, works)
		(&replay{s: s, check: true, shared: true, force: func() { s.SetPartition(0, sched.Partition{Name: "batch"}) }}).run(t, list(possible(s, works)))
	})
}
