package cluster

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// standing runs jobs on n nodes of one processor that fail.
func standing(t *testing.T, n int, f *Failures, settings string, sink record.Sink, jobs ...workload.Job) Outcome {
	t.Helper()
	text, err := SlurmConf(Premises{Nodes: n, Cores: 1}, nil, catalog.Default(), 0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Run(context.Background(), NewEngine(1), func(yield func(workload.Job, error) bool) {
		for i, j := range jobs {
			j.ID, j.Partition = int64(i+1), Local
			if !yield(j, nil) {
				return
			}
		}
	}, Options{Slurm: conf.Read([]byte(text+settings), "slurm.conf", nil).Settings, Policy: sched.Slurm, Failures: f, Sink: sink})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// distant is a job that keeps a site going for so long.
func distant(d time.Duration) workload.Job {
	return workload.Job{Run: time.Second, Limit: time.Minute, Procs: 1, Begin: d}
}

func TestNodesFailAndAreRepairedAsOftenAsTheyAreToldTo(t *testing.T) {
	const nodes, days = 300, 800
	for _, settings := range []string{"ReturnToService=0\n", "ReturnToService=1\n"} {
		f := &Failures{MTBF: 20 * 24 * time.Hour, Repair: 48 * time.Hour}
		var failed, early int
		var away time.Duration
		since := map[string]env.Time{}
		standing(t, nodes, f, settings, func(e record.Event) {
			switch e.Kind {
			case record.NodeFailed:
				since[e.Node] = e.At
				if failed++; e.At < record.Begin.Add(2*24*time.Hour) {
					early++
				}
			case record.NodeReady:
				if at, ok := since[e.Node]; ok {
					away += e.At.Sub(at) + 300*time.Second // SlurmdTimeout
					delete(since, e.Node)
				}
			}
		}, distant(days*24*time.Hour))
		if want := nodes * days / 22.0; math.Abs(float64(failed)-want) > 0.04*want {
			t.Errorf("%q: %d failures; %.0f in the mean", settings, failed, want)
		}
		// The variation of repairs is 2: of some 10,900 the mean is within 6 % (three sigma).
		if mean := away / time.Duration(failed-len(since)); mean < 45*time.Hour || mean > 51*time.Hour {
			t.Errorf("%q: repaired in %v in the mean; 48 h", settings, mean)
		}
		// 27 in the mean; of nodes that are new at the beginning 63.
		if early < 12 || early > 45 {
			t.Errorf("%q: %d nodes fail in the first two days", settings, early)
		}
	}
}

func TestAJobWhoseNodeFailsStartsAgain(t *testing.T) {
	jobs := make([]workload.Job, 40)
	for i := range jobs {
		jobs[i] = workload.Job{Submit: time.Duration(i) * time.Minute, Run: 24 * time.Hour, Limit: 48 * time.Hour, Procs: 1}
	}
	still := standing(t, 8, nil, "", nil, jobs...)
	for _, repair := range []time.Duration{time.Hour, time.Second} { // the second is over before Slurm notices
		ended, requeued := 0, 0
		out := standing(t, 8, &Failures{MTBF: 4 * 24 * time.Hour, Repair: repair}, "", func(e record.Event) {
			switch e.Kind {
			case record.JobRequeued:
				requeued++
			case record.JobEnded:
				if ended++; e.State != "COMPLETED" {
					t.Errorf("job %d ended as %s", e.Job, e.State)
				}
			}
		}, jobs...)
		if ended != 40 || requeued == 0 {
			t.Errorf("%d of 40 jobs ended, %d times one started again, in %v", ended, requeued, out.Simulated)
		}
		if still.Simulated >= out.Simulated {
			t.Errorf("%v with failures, %v without", out.Simulated, still.Simulated)
		}
	}
}

func TestNodesThatFailKeepNoRunGoingThatNothingElseDoes(t *testing.T) {
	// The first reaches its limit, so that the second is never eligible. Of so many
	// nodes one is always away.
	cut := workload.Job{Run: 2 * time.Hour, Limit: time.Hour, Procs: 1}
	never := workload.Job{Run: time.Hour, Limit: 2 * time.Hour, Procs: 1, After: 1, AfterOK: true}
	out := standing(t, 50, &Failures{MTBF: 24 * time.Hour, Repair: 3 * time.Hour}, "", func(e record.Event) {
		if e.At > record.Begin.Add(30*24*time.Hour) {
			t.Fatal("it goes on for ever")
		}
	}, cut, never)
	if out.Ended != 1 || out.Submitted != 2 || out.Simulated > 2*24*time.Hour {
		t.Errorf("%d of %d jobs ended in %v", out.Ended, out.Submitted, out.Simulated)
	}
}

func TestARunWaitsForRepairs(t *testing.T) {
	for seed := range 3 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			jobs := make([]workload.Job, 12)
			for i := range jobs {
				jobs[i] = workload.Job{Run: 24 * time.Hour, Limit: 25 * time.Hour, Procs: 1, Submit: time.Duration(seed) * 100 * time.Hour}
			}
			if out := standing(t, 1, &Failures{MTBF: 6 * 24 * time.Hour, Repair: 10 * 24 * time.Hour}, "", nil, jobs...); out.Ended != 12 {
				t.Errorf("%d of 12 jobs ended in %v", out.Ended, out.Simulated)
			}
		})
	}
}
