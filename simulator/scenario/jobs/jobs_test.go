package jobs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

const log = `; MaxProcs: 8
1 0 -1 50 1 -1 -1 1 100 -1 1 1 1 -1 -1 -1 -1 -1
2 100 -1 50 1 -1 -1 1 -1 -1 1 1 1 -1 -1 -1 -1 -1
3 200 -1 50 1 -1 -1 1 100 -1 1 1 1 -1 -1 -1 -1 -1
`

// all reads a workload whose file has this text.
func all(t *testing.T, seed uint64, text string, change func(*scenario.Workload)) ([]workload.Job, []scenario.Repair, error) {
	t.Helper()
	w := scenario.New().Workload
	change(&w)
	closed := 0
	j, err := Open(&w, simulator.New(simulator.Options{Seed: seed}), func(path string) (io.ReadCloser, error) {
		if path == "none" {
			return nil, fs.ErrNotExist
		}
		return file{strings.NewReader(text), &closed}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	var out []workload.Job
	for job, err := range j.Source() {
		if err != nil {
			return out, j.Repairs(), err
		}
		out = append(out, job)
	}
	if err := j.Close(); err != nil || closed != 1 && w.Generator == nil {
		t.Errorf("the file was closed %d times, %v", closed, err)
	}
	return out, j.Repairs(), nil
}

type file struct {
	io.Reader
	closed *int
}

func (f file) Close() error { *f.closed++; return nil }

func TestAWorkloadIsReadAndChangedAsTheScenarioSays(t *testing.T) {
	jobs, repairs, err := all(t, 1, log, func(w *scenario.Workload) {
		w.Trace, w.From, w.Load, w.MissingLimit = "a.swf", 100*time.Second, 2, time.Hour
	})
	if err != nil || len(jobs) != 2 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	if a, b := jobs[0], jobs[1]; a.ID != 2 || a.Submit != 0 || a.Limit != time.Hour || b.Submit != 50*time.Second || b.Limit != 100*time.Second {
		t.Errorf("%+v\n%+v", a, b)
	}
	if len(repairs) != 1 || repairs[0].Kind != trace.NoLimit.String() || repairs[0].Lines[0] != 3 {
		t.Errorf("noted %+v", repairs)
	}
	jobs, _, err = all(t, 1, `{"id": 4, "submit": 3, "run": 10, "procs": 2}`, func(w *scenario.Workload) { w.JSONL, w.LimitFactor = "a.jsonl", 3 })
	if err != nil || len(jobs) != 1 || jobs[0].ID != 4 || jobs[0].Limit != 30*time.Second {
		t.Errorf("%+v, %v", jobs, err)
	}
}

func TestAnAccountIsRead(t *testing.T) {
	const account = "JobID|Submit|Start|ElapsedRaw|NCPUS\n7|1760000005|1760000020|30|4\n8|1760000000|1760000020|30|2\n"
	jobs, _, err := all(t, 1, account, func(w *scenario.Workload) { w.Sacct = "a.txt" })
	if err != nil || len(jobs) != 2 || jobs[0].ID != 8 || jobs[1].Submit != 5*time.Second || jobs[1].Procs != 4 {
		t.Errorf("%+v, %v", jobs, err)
	}
}

func TestWhatIsWrongWithAFileIsItsError(t *testing.T) {
	_, _, err := all(t, 1, "1 2 3\n", func(w *scenario.Workload) { w.Trace = "a.swf" })
	if bad := new(trace.Error); !errors.As(err, &bad) || bad.Line != 1 || bad.File != "a.swf" {
		t.Errorf("got %v", err)
	}
	if _, _, err := all(t, 1, "", func(w *scenario.Workload) { w.Trace = "none" }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	jobs, repairs, err := all(t, 1, "1 2 3\n"+log, func(w *scenario.Workload) { w.Trace, w.Lenient = "a.swf", true })
	if err != nil || len(jobs) != 3 || repairs[0].Kind != trace.BadLine.String() {
		t.Errorf("lenient: %d jobs, %+v, %v", len(jobs), repairs, err)
	}
}

func TestAPartWithoutAJobIsAMistake(t *testing.T) {
	for want, change := range map[string]func(*scenario.Workload){
		"a.swf: no job is handed in from 1h0m0s on and before the end; the last one that was read is, after 3m20s": func(w *scenario.Workload) { w.From = time.Hour },
		"a.swf: no job is handed in from 1s on and before 1m0s; the last one that was read is, after 1m40s":        func(w *scenario.Workload) { w.From, w.To = time.Second, time.Minute },
	} {
		_, _, err := all(t, 1, log, func(w *scenario.Workload) { w.Trace = "a.swf"; change(w) })
		if bad := new(trace.Error); !errors.As(err, &bad) || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

func TestItIsKnownHowMuchWasRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.swf")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	w := scenario.New().Workload
	w.Trace = path
	of := func(w scenario.Workload) (before, after float64) {
		j, err := Open(&w, simulator.New(simulator.Options{}), func(path string) (io.ReadCloser, error) { return os.Open(path) })
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		before = j.Share()
		n := 0
		for range j.Source() {
			if n++; n == 2 && w.Generator != nil {
				break
			}
		}
		return before, j.Share()
	}
	if before, after := of(w); before != 0 || after != 1 {
		t.Errorf("of a file %v, then %v", before, after)
	}
	w = scenario.New().Workload
	w.Generator = &scenario.Generator{Model: scenario.Lublin, Jobs: 8, MaxProcs: 64}
	if before, after := of(w); before != 0 || after != 0.25 {
		t.Errorf("of a model %v, then %v", before, after)
	}
}

func TestDrawnJobsAreTheSeeds(t *testing.T) {
	for _, model := range []scenario.Model{scenario.Lublin, scenario.Poisson, scenario.Weibull} {
		draw := func(seed uint64, shake time.Duration) []workload.Job {
			jobs, repairs, err := all(t, seed, "", func(w *scenario.Workload) {
				w.Generator = &scenario.Generator{Model: model, Jobs: 2000, MaxProcs: 64, Interarrival: time.Minute, Run: time.Hour, Shape: 0.7}
				w.Shake = shake
			})
			if err != nil || repairs != nil || len(jobs) != 2000 {
				t.Fatalf("%s: %d jobs, %v", model, len(jobs), err)
			}
			return jobs
		}
		a, b, c, d := draw(1, 0), draw(1, 0), draw(2, 0), draw(1, time.Minute)
		if a[1999] != b[1999] || a[1999] == c[1999] {
			t.Errorf("%s: the seed does not decide", model)
		}
		moved, most := 0, int32(0)
		for i := range d {
			if d[i].Submit != a[i].Submit {
				moved++
			}
			most = max(most, a[i].Procs)
		}
		if moved < 1900 || most < 33 || most > 64 || a[0].Limit < a[0].Run {
			t.Errorf("%s: %d jobs shaken, %d processors at most, limit %v for %v", model, moved, most, a[0].Limit, a[0].Run)
		}
	}
}

func TestJobsAreCoupledAsTheScenarioSays(t *testing.T) {
	coupled := func(seed uint64, c scenario.Coupled, change func(*scenario.Workload)) map[int64]bool {
		var text strings.Builder
		for i := range 4000 {
			fmt.Fprintf(&text, `{"id": %d, "submit": %d, "run": 9, "procs": %d, "account": "%c", "partition": "%c"}`+"\n", i+1, i, 1+i%2, 'a'+i/2%2, 'p'+i/4%2)
		}
		jobs, _, err := all(t, seed, text.String(), func(w *scenario.Workload) { w.JSONL, w.Coupled = "a.jsonl", c; change(w) })
		if err != nil {
			t.Fatal(err)
		}
		out := map[int64]bool{}
		for _, j := range jobs {
			if j.Coupled {
				out[j.ID] = true
				if j.Procs < 2 {
					t.Fatalf("job %d has one processor", j.ID)
				}
			}
		}
		return out
	}
	same := func(*scenario.Workload) {}
	for want, c := range map[int]scenario.Coupled{
		0: {}, 2000: {Share: 1}, 1000: {Share: 1, Accounts: []string{"a", "x"}}, 1500: {Share: 1, Accounts: []string{"a"}, Partitions: []string{"p"}},
	} {
		if got := coupled(1, c, same); len(got) != want {
			t.Errorf("%+v: %d are coupled, want %d", c, len(got), want)
		}
	}
	half := coupled(1, scenario.Coupled{Share: 0.5}, same)
	if n := len(half); n < 900 || n > 1100 {
		t.Errorf("%d of 2000 are half", n)
	}
	if maps.Equal(half, coupled(2, scenario.Coupled{Share: 0.5}, same)) {
		t.Error("the seed does not decide")
	}
	for id := range coupled(1, scenario.Coupled{Share: 0.5}, func(w *scenario.Workload) { w.From, w.Load = 1000*time.Second, 2 }) {
		if !half[id] {
			t.Fatalf("job %d is coupled in a part of the workload alone", id)
		}
	}
}
