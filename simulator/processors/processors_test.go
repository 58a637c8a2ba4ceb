package processors_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/processors"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/workload"
)

// job is a job of so many processors; instants and times are in seconds.
func job(id int64, submit, procs, run, limit int) workload.Job {
	s := func(n int) time.Duration { return time.Duration(n) * time.Second }
	return workload.Job{ID: id, Submit: s(submit), Procs: int32(procs), Run: s(run), Limit: s(limit)}
}

func source(jobs ...workload.Job) workload.Source {
	return func(yield func(workload.Job, error) bool) {
		for _, j := range jobs {
			if !yield(j, nil) {
				return
			}
		}
	}
}

// runs returns when each job began and ended, in order of their ends.
func runs(t *testing.T, opt processors.Options, src workload.Source) string {
	t.Helper()
	var all []string
	err := processors.Run(simulator.New(simulator.Options{}), src, opt, func(r processors.Result) {
		cut := ""
		if r.Cut {
			cut = " cut"
		}
		all = append(all, fmt.Sprintf("%d:%d-%d%s", r.Job.ID, r.Started.Sub(0)/time.Second, r.Ended.Sub(0)/time.Second, cut))
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestPolicies(t *testing.T) {
	// 2 waits for 1. 3 fits beside 1 and is gone by then, 4 fits into what 2
	// leaves, 5 would delay it.
	jobs := []workload.Job{job(1, 0, 6, 100, 100), job(2, 1, 8, 10, 10), job(3, 2, 2, 90, 98), job(4, 3, 2, 500, 500), job(5, 4, 1, 5, 200)}
	for _, c := range []struct {
		policy processors.Policy
		want   string
	}{
		{processors.FIFO, "1:0-100 2:100-110 5:110-115 3:100-190 4:110-610"},
		{processors.EASY, "3:2-92 1:0-100 2:100-110 5:110-115 4:3-503"},
	} {
		if got := runs(t, processors.Options{Processors: 10, Policy: c.policy}, source(jobs...)); got != c.want {
			t.Errorf("policy %d: %s, want %s", c.policy, got, c.want)
		}
	}
}

func TestWhatBecomesOfJobsThatRunBeyondTheirLimits(t *testing.T) {
	jobs := []workload.Job{job(1, 0, 1, 100, 60), job(2, 1, 2, 10, 10), job(3, 2, 1, 50, 50), job(4, 61, 1, 1, 1)}
	opt := processors.Options{Processors: 2, Policy: processors.EASY}
	// 1 is overdue from 60 on: 2 may get its processors at any moment, and nobody
	// goes before it.
	if got, want := runs(t, opt, source(jobs...)), "3:2-52 1:0-100 2:100-110 4:110-111"; got != want {
		t.Errorf("extended: %s, want %s", got, want)
	}
	opt.Cut = true
	if got, want := runs(t, opt, source(jobs...)), "3:2-52 1:0-60 cut 2:60-70 4:70-71"; got != want {
		t.Errorf("cut: %s, want %s", got, want)
	}
}

func TestJobsWithoutALimit(t *testing.T) {
	jobs := []workload.Job{job(1, 0, 1, 100, 0), job(2, 1, 2, 10, 0), job(3, 2, 1, 50, 0)}
	opt := processors.Options{Processors: 2, Policy: processors.EASY}
	if got, want := runs(t, opt, source(jobs...)), "3:2-52 1:0-100 2:100-110"; got != want {
		t.Errorf("each knows its run: %s, want %s", got, want)
	}
	opt.MissingLimit = time.Hour
	if got, want := runs(t, opt, source(jobs...)), "1:0-100 2:100-110 3:110-160"; got != want {
		t.Errorf("an hour each: %s, want %s", got, want)
	}
}

func TestBeginIsWaitedForAndNotCountedAsWait(t *testing.T) {
	j := job(1, 5, 1, 10, 10)
	j.Begin = time.Minute
	err := processors.Run(simulator.New(simulator.Options{Start: 1000}), source(j), processors.Options{Processors: 1}, func(r processors.Result) {
		if r.Started != env.Time(1000).Add(time.Minute) || r.Wait() != 0 || r.BoundedSlowdown(10*time.Second) != 1 {
			t.Errorf("%+v", r)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSinkHearsOfEveryStepInOrder(t *testing.T) {
	var got []string
	opt := processors.Options{Processors: 1, Cut: true, Sink: func(e record.Event) {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d %d %v %s", e.At/1e9, e.Job, e.Kind, e.State)))
	}}
	if err := processors.Run(simulator.New(simulator.Options{}), source(job(1, 0, 1, 5, 9), job(2, 1, 1, 9, 5)), opt, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0 1 job_submitted", "0 1 job_eligible", "0 1 job_started", "1 2 job_submitted", "1 2 job_eligible",
		"5 1 job_ended COMPLETED", "5 2 job_started", "10 2 job_ended TIMEOUT",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestTraceHashTellsRunsApart(t *testing.T) {
	hash := func(jobs ...workload.Job) uint64 {
		e := simulator.New(simulator.Options{})
		if err := processors.Run(e, source(jobs...), processors.Options{Processors: 1}, nil); err != nil {
			t.Fatal(err)
		}
		return e.Hash()
	}
	one := hash(job(1, 0, 1, 5, 9), job(2, 0, 1, 5, 9))
	if again := hash(job(1, 0, 1, 5, 9), job(2, 0, 1, 5, 9)); again != one {
		t.Errorf("%x and %x", one, again)
	}
	if other := hash(job(1, 0, 1, 5, 9), job(2, 0, 1, 6, 9)); other == one {
		t.Error("a job that ends later leaves the hash as it was")
	}
}

func TestBadSourcesEndTheRunWithTheirError(t *testing.T) {
	broken := errors.New("kth.swf:17: cut short")
	src := func(yield func(workload.Job, error) bool) {
		if yield(job(1, 0, 1, 5, 5), nil) {
			yield(workload.Job{}, broken)
		}
	}
	ended := 0
	count := func(processors.Result) { ended++ }
	if err := processors.Run(simulator.New(simulator.Options{}), src, processors.Options{Processors: 1}, count); !errors.Is(err, broken) || ended != 1 {
		t.Errorf("%v after %d jobs", err, ended)
	}
	err := processors.Run(simulator.New(simulator.Options{}), source(job(7, 0, 3, 5, 5)), processors.Options{Processors: 2}, count)
	if err == nil || err.Error() != "job 7 asks for 3 processors, and the machine has 2: give it more, or leave such jobs out (lenient)" {
		t.Error(err)
	}
}

// A pending job is what its workload says of it and little more: 400 bytes at
// most.
func TestAPendingJobIsSmall(t *testing.T) {
	const n = 50_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	e := simulator.New(simulator.Options{})
	before := heap()
	m := processors.Start(e, func(yield func(workload.Job, error) bool) {
		for i := range n {
			if !yield(job(int64(i+1), 0, 1, 10, 10), nil) {
				return
			}
		}
	}, processors.Options{Processors: 1, Policy: processors.EASY}, nil)
	defer m.Close()
	if err := e.RunUntil(1); err != nil {
		t.Fatal(err)
	}
	perJob := float64(heap()-before) / n
	runtime.KeepAlive(m)
	t.Logf("%.0f bytes a pending job", perJob)
	if perJob > 400 {
		t.Errorf("a pending job takes %.0f bytes", perJob)
	}
}
