package ctld_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/ctld"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// someJobs are n jobs over n minutes, of which some wait for others, overrun, or
// must not be requeued.
func someJobs(seed uint64, n int) []workload.Job {
	r := simulator.New(simulator.Options{Seed: seed}).Rand("test", "jobs")
	pick := func(n int) int { return int(r.Uint64() % uint64(n)) }
	var jobs []workload.Job
	var at time.Duration
	for id := 1; id <= n; id++ {
		at += time.Duration(pick(120)) * time.Second
		w := workload.Job{
			ID: int64(id), Submit: at, Run: time.Duration(1+pick(3000)) * time.Second, User: fmt.Sprint("u", pick(5)),
			Procs: int32(1 + pick(24)), NoRequeue: pick(5) == 0, Exclusive: pick(4) == 0,
		}
		if pick(2) == 0 {
			w.Nodes = int32(1 + pick(5))
			w.Procs = w.Nodes * int32(1+pick(4))
		}
		if pick(10) > 0 {
			w.Limit = time.Duration(1+pick(4000)) * time.Second
		}
		if pick(10) == 0 && id > 3 {
			w.After, w.Think = int64(id-1-pick(3)), time.Duration(pick(100))*time.Second
		}
		jobs = append(jobs, w)
	}
	return jobs
}

// unreliable is a world in which machines boot late or never, are lost, and
// where somebody plays with scontrol.
type unreliable struct {
	t      *testing.T
	engine *simulator.Engine
	d      *ctld.Daemon
	rand   *simulator.Stream
	boots  map[string]int
}

func (u *unreliable) pick(n int) int { return int(u.rand.Uint64() % uint64(n)) }

func (u *unreliable) Resume(nodes []string, _ []byte) {
	for _, n := range nodes {
		u.boots[n]++
		boot := u.boots[n]
		if u.pick(12) == 0 {
			continue
		}
		u.engine.After(time.Duration(20+u.pick(120))*time.Second, func() {
			if u.boots[n] == boot {
				u.d.Register(n, "i-"+n)
			}
		})
		if u.pick(15) == 0 {
			u.engine.After(time.Duration(u.pick(4000))*time.Second, func() {
				if u.boots[n] == boot {
					u.d.Lost(n)
				}
			})
		}
	}
}

func (u *unreliable) Suspend(nodes []string) {
	for _, n := range nodes {
		u.boots[n]++
	}
}

// ResumeFail brings the nodes back, as the executor's does.
func (u *unreliable) ResumeFail(nodes []string) {
	u.engine.After(time.Second, func() {
		for _, n := range nodes {
			_, _ = u.d.Scontrol(context.Background(), "update", "NodeName="+n, "State=RESUME")
		}
	})
}

// meddle says something to scontrol now and then.
func (u *unreliable) meddle(jobs int) {
	node, job := fmt.Sprintf("aws-%04d", 1+u.pick(10)), fmt.Sprint(1+u.pick(jobs))
	lines := [][]string{
		{"update", "NodeName=" + node, "State=POWER_DOWN_FORCE", "Reason=x"},
		{"update", "NodeName=" + node, "State=POWER_DOWN_ASAP", "Reason=x"},
		{"update", "NodeName=" + node, "State=POWER_DOWN", "Reason=x"},
		{"update", "NodeName=" + node, "NodeAddr=10.0.0.7"},
		{"requeuehold", job}, {"requeue", job}, {"hold", job},
		{"update", "JobId=" + job, "ExcNodeList=" + node},
		{"update", "JobId=" + job, "StartTime=now+100"},
	}
	l := lines[u.pick(len(lines))]
	_, _ = u.d.Scontrol(context.Background(), l...)
	if l[0] == "requeuehold" || l[0] == "hold" {
		u.engine.After(time.Minute, func() { _, _ = u.d.Scontrol(context.Background(), "release", job) })
	}
}

// Whatever machines and people do, no node is in two places at once, and every
// job comes to an end.
func TestWhateverHappensEveryJobEndsAndNoNodeIsUsedTwice(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 10
	}
	for seed := range uint64(seeds) {
		policy := []sched.Policy{sched.FIFO, sched.EASY, sched.Slurm}[seed%3]
		c := halves(20, 4)
		c.Shared = seed%2 == 0
		c.ReturnToService = int(seed/2) % 3
		c.IdleOnNodeSuspend = true
		c.ResumeRate, c.SuspendRate = []int{0, 3}[seed/3%2], []int{0, 3}[seed/5%2]
		c.ResumeFailProgram = "/fail"
		c.ResumeTimeout, c.SuspendTime = 100*time.Second, 300*time.Second

		u := &unreliable{t: t, boots: map[string]int{}}
		u.engine = simulator.New(simulator.Options{Seed: seed, Start: start, MaxEvents: 2e6, OnEvent: func() {
			if err := u.d.Check(); err != nil {
				t.Fatalf("seed %d at %v: %v", seed, u.engine.Now(), err)
			}
		}})
		u.rand = u.engine.Rand("test", "world")
		left := map[int64]bool{}
		var last env.Time
		d, err := ctld.New(ctld.Options{Engine: u.engine, Conf: c, Policy: policy, Programs: u, Sink: func(e record.Event) {
			if e.At < last {
				t.Fatalf("seed %d: %v after %v", seed, e.At, last)
			}
			last = e.At
			switch e.Kind {
			case record.JobSubmitted, record.JobRequeued:
				left[e.Job] = true
			case record.JobEnded:
				delete(left, e.Job)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		u.d = d
		jobs := someJobs(seed, 120)
		for _, w := range jobs {
			u.engine.At(start.Add(w.Submit), func() { _ = d.Submit(w) })
		}
		for range 60 {
			u.engine.At(start.Add(time.Duration(u.pick(8000))*time.Second), func() { u.meddle(len(jobs)) })
		}
		if err := u.engine.Run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(left) > 0 {
			for id := range left {
				t.Errorf("seed %d, %s: %+v", seed, policy, d.Model().Job(int(id)))
			}
			return
		}
	}
}

func TestAPendingJobTakesAtMost400Bytes(t *testing.T) {
	if n := perPending(t, 100_000); n > 400 {
		t.Errorf("%.0f bytes", n)
	}
}
