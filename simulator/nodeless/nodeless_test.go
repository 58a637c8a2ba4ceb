package nodeless

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/workload/trace"
)

// line is a job of a log: handed in at an instant, running so long on so many
// processors, for which it asked a limit.
func line(id, submit, run, procs, limit int) string {
	return fmt.Sprintf("%d %d -1 %d %d -1 -1 %d %d -1 1 7 3 -1 -1 -1 -1 -1\n", id, submit, run, procs, procs, limit)
}

// run runs a log on four processors, and returns what was told, in words.
func run(t *testing.T, log string, change func(*scenario.Scenario)) ([]string, scenario.Outcome, error) {
	t.Helper()
	s := scenario.New()
	s.Workload.Trace, s.Cluster.Processors, s.Cluster.Scheduler = "t.swf", 4, scenario.EASY
	change(s)
	var told []string
	out, err := Simulator{func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(log)), nil }}.Run(t.Context(), s, func(e record.Event) {
		told = append(told, strings.TrimSpace(fmt.Sprintf("%d %d %v %s", int(e.At.Sub(record.Begin).Seconds()), e.Job, e.Kind, e.State)))
	}, func(scenario.Progress) {})
	return told, out, err
}

func TestJobsRunAndAreToldInOrderOfTime(t *testing.T) {
	log := line(1, 0, 100, 3, 100) + line(2, 10, 100, 2, 100) + line(3, 20, 50, 1, 60)
	for scheduler, want := range map[scenario.Scheduler][]string{
		scenario.EASY: {"20 3 job_started", "70 3 job_ended COMPLETED", "100 1 job_ended COMPLETED", "100 2 job_started", "200 2 job_ended COMPLETED"},
		scenario.FIFO: {"100 1 job_ended COMPLETED", "100 2 job_started", "100 3 job_started", "150 3 job_ended COMPLETED", "200 2 job_ended COMPLETED"},
	} {
		told, out, err := run(t, log, func(s *scenario.Scenario) { s.Cluster.Scheduler = scheduler })
		if err != nil {
			t.Fatal(err)
		}
		told = slices.DeleteFunc(told, func(s string) bool {
			return strings.HasSuffix(s, "submitted") || strings.HasSuffix(s, "eligible") || s == "0 1 job_started"
		})
		if !slices.Equal(told, want) {
			t.Errorf("%s: told\n%s\nwant\n%s", scheduler, strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
		if out.Simulated != 200*time.Second || out.Procs != 4 || out.TraceHash == 0 {
			t.Errorf("%s: %+v", scheduler, out)
		}
	}
}

func TestAnOverRunIsCutWhereTheScenarioSaysSo(t *testing.T) {
	log := line(1, 0, 100, 1, 60)
	if told, _, err := run(t, log, func(s *scenario.Scenario) { s.Workload.OverRun = scenario.Kill }); err != nil || !slices.Contains(told, "60 1 job_ended TIMEOUT") {
		t.Errorf("%v, %v", told, err)
	}
	if told, _, err := run(t, log, func(*scenario.Scenario) {}); err != nil || !slices.Contains(told, "100 1 job_ended COMPLETED") {
		t.Errorf("%v, %v", told, err)
	}
}

func TestARunEndsWhenItIsTold(t *testing.T) {
	told, out, err := run(t, line(1, 0, 100, 4, 100)+line(2, 50, 100, 4, 100), func(s *scenario.Scenario) { s.Until = 150 * time.Second })
	if err != nil || out.Simulated != 150*time.Second || told[len(told)-1] != "100 2 job_started" {
		t.Errorf("%v, %+v, %v", told, out, err)
	}
	// Of a workload that ends before, the last end is the run's.
	if _, out, err := run(t, line(1, 0, 100, 4, 100), func(s *scenario.Scenario) { s.Until = time.Hour }); err != nil || out.Simulated != 100*time.Second {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestYearsWithoutAJobTakeNoTime(t *testing.T) {
	const years = 30 * 365 * 24 * 3600
	log, looks := line(1, 0, 10, 4, 10)+line(2, years, 10, 4, 10), 0
	s := scenario.New()
	s.Workload.Trace, s.Cluster.Processors = "t.swf", 4
	out, err := Simulator{func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(log)), nil }}.Run(t.Context(), s,
		func(record.Event) {}, func(scenario.Progress) { looks++ })
	if err != nil || out.Simulated != (years+10)*time.Second || looks > 30 {
		t.Errorf("%+v, looked %d times, %v", out, looks, err)
	}
}

func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	_, _, err := run(t, line(1, 10, 1, 1, 1)+line(2, 5, 1, 1, 1), func(*scenario.Scenario) {})
	if bad := new(trace.Error); !errors.As(err, &bad) || bad.Line != 2 {
		t.Errorf("an unsorted log: %v", err)
	}
	_, out, err := run(t, line(1, 10, 1, 1, 1)+line(2, 5, 1, 1, 1), func(s *scenario.Scenario) { s.Workload.Lenient = true })
	if err != nil || len(out.Repairs) == 0 || out.Repairs[0].Kind != trace.Unsorted.String() {
		t.Errorf("an unsorted log, lenient: %+v, %v", out, err)
	}
	_, _, err = run(t, line(1, 10, 1, 5, 1), func(*scenario.Scenario) {})
	if bad := new(scenario.Invalid); !errors.As(err, &bad) || bad.Findings[0].Pointer != "/cluster/processors" {
		t.Errorf("a job that is too wide: %v", err)
	}
}

func TestAStoppedRunEndsWithTheCause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	s := scenario.New()
	s.Workload.Generator = &scenario.Generator{Model: scenario.Poisson, Jobs: 1 << 40, MaxProcs: 1, Interarrival: time.Minute, Run: time.Second}
	s.Cluster.Processors = 4
	_, err := Simulator{}.Run(ctx, s, func(record.Event) {}, func(p scenario.Progress) {
		if p.Simulated > 3*24*time.Hour {
			cancel(why)
		}
	})
	if !errors.Is(err, why) {
		t.Errorf("ended with %v", err)
	}
}

func TestTheSeedDecidesTheRun(t *testing.T) {
	hash := func(seed uint64) uint64 {
		s := scenario.New()
		s.Seed, s.Cluster.Processors = seed, 64
		s.Workload.Generator = &scenario.Generator{Model: scenario.Lublin, Jobs: 3000, MaxProcs: 64}
		out, err := Simulator{}.Run(t.Context(), s, func(record.Event) {}, func(scenario.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		return out.TraceHash
	}
	if a, b, c := hash(1), hash(1), hash(2); a != b || a == c {
		t.Errorf("hashes %x, %x of one seed, %x of another", a, b, c)
	}
}

// BenchmarkKTH is a real log of 333 days, read, simulated and told.
func BenchmarkKTH(b *testing.B) {
	const log = "../../../shared/data/KTH-SP2-1996-2.swf.gz"
	if _, err := os.Stat(filepath.FromSlash(log)); err != nil {
		b.Skip(err)
	}
	s := scenario.New()
	s.Workload.Trace, s.Cluster.Processors, s.Cluster.Scheduler = log, 100, scenario.EASY
	n := 0
	for b.Loop() {
		n = 0
		_, err := Simulator{func(path string) (io.ReadCloser, error) { return os.Open(path) }}.Run(b.Context(), s, func(e record.Event) {
			if e.Kind == record.JobEnded {
				n++
			}
		}, func(scenario.Progress) {})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

func TestJobsLargerThanTheMachineEndTheRunOrAreLeftOutAndCounted(t *testing.T) {
	log := line(1, 0, 100, 5, 100) + line(2, 10, 100, 4, 100) + line(3, 20, 50, 8, 60)
	if _, _, err := run(t, log, func(*scenario.Scenario) {}); err == nil || !strings.Contains(err.Error(), "job 1 asks for 5 processors, and the machine has 4") {
		t.Errorf("got %v", err)
	}
	told, out, err := run(t, log, func(s *scenario.Scenario) { s.Workload.Lenient = true })
	if err != nil || told[len(told)-1] != "110 2 job_ended COMPLETED" {
		t.Errorf("%v, %v", told, err)
	}
	if i := slices.IndexFunc(out.Repairs, func(r scenario.Repair) bool { return r.Kind == "too_large" }); i < 0 || out.Repairs[i].Count != 2 || !strings.Contains(out.Repairs[i].Says, "the first: job 1, of 5") {
		t.Errorf("%+v", out.Repairs)
	}
	if _, out, _ := run(t, line(2, 10, 100, 4, 100), func(s *scenario.Scenario) { s.Workload.Lenient = true }); len(out.Repairs) != 0 {
		t.Errorf("%+v", out.Repairs)
	}
}
