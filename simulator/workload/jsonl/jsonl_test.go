package jsonl

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

func read(text string, o trace.Options) ([]workload.Job, *Reader, error) {
	o.Name = "t.jsonl"
	r := NewReader(strings.NewReader(text), o)
	var jobs []workload.Job
	for j, err := range r.Jobs() {
		if err != nil {
			return jobs, r, err
		}
		jobs = append(jobs, j)
	}
	return jobs, r, nil
}

// full has every field of a job that is not an outcome.
func full() workload.Job {
	return workload.Job{
		ID: 2, Submit: 1500 * time.Millisecond, Begin: time.Minute, Run: time.Second, Limit: time.Hour, Procs: 8, Nodes: 2, GPUsPerNode: 1,
		MemoryPerNode: 1000, MemoryPerProc: 100, User: "u", Account: "a", Partition: "p", QOS: "q", Name: "n", Constraint: "x&y",
		After: 1, Think: 3 * time.Second, AfterOK: true, Array: 2, Task: 7, Coupled: true, Exclusive: true, NoRequeue: true,
		Recorded: workload.Recorded{Wait: -1, Status: workload.Unknown},
	}
}

func TestJobsAreWrittenAndReadWhole(t *testing.T) {
	v := reflect.ValueOf(full())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Fatalf("the test leaves %s out", v.Type().Field(i).Name)
		}
	}
	want := []workload.Job{{ID: 1, Procs: 1, Recorded: workload.Recorded{Wait: -1, Status: workload.Unknown}}, full()}
	var b bytes.Buffer
	n, err := Write(&b, func(yield func(workload.Job, error) bool) {
		for _, j := range want {
			if !yield(j, nil) {
				return
			}
		}
	})
	if n != 2 || err != nil {
		t.Fatal(n, err)
	}
	got, _, err := read(b.String(), trace.Options{})
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if !strings.HasPrefix(b.String(), `{"id":1,"submit":0,"run":0,"procs":1}`+"\n") {
		t.Errorf("%s", b.String())
	}
}

func TestWhatIsWrongIsSaidWithItsLineOrMended(t *testing.T) {
	const good = `{"id":1,"submit":5,"run":1,"procs":1,"limit":9}` + "\n\n"
	for name, c := range map[string]struct {
		line, says string
		kind       trace.Kind
		left       int
	}{
		"unknown key":  {`{"id":2,"submit":6,"run":1,"proc":1}`, `t.jsonl:3: a job has no key "proc" (did you mean "procs"?); mend`, trace.BadLine, 1},
		"wrong kind":   {`{"id":2,"submit":"6","run":1,"procs":1}`, `t.jsonl:3: "submit" cannot be a text; mend`, trace.BadLine, 1},
		"too large":    {`{"id":2,"submit":6,"run":1,"procs":3000000000}`, `t.jsonl:3: "procs" cannot be a number such as 3000000000; mend`, trace.BadLine, 1},
		"twice a key":  {`{"id":2,"id":3}`, `t.jsonl:3: no JSON object: `, trace.BadLine, 1},
		"no JSON":      {`id=2` + "\n", `t.jsonl:3: no JSON object: `, trace.BadLine, 1},
		"no object":    {`[1]`, `t.jsonl:3: no JSON object; mend`, trace.BadLine, 1},
		"no size":      {`{"id":2,"submit":6,"run":1}` + "\n", `t.jsonl:3: neither procs nor nodes`, trace.BadLine, 1},
		"no run":       {`{"id":2,"submit":6,"procs":1}` + "\n", `t.jsonl:3: run is not given; say how long the job works; mend`, trace.BadLine, 1},
		"no id":        {`{"submit":6,"run":1,"procs":1}` + "\n", `t.jsonl:3: id is 0`, trace.BadLine, 1},
		"negative":     {`{"id":2,"submit":6,"run":-1,"procs":1}` + "\n", `t.jsonl:3: run is -1, not a time`, trace.BadLine, 1},
		"no chance":    {`{"id":2,"submit":6,"run":1,"nodes":-1}` + "\n", `t.jsonl:3: nodes is -1`, trace.BadLine, 1},
		"after_ok":     {`{"id":2,"submit":6,"run":1,"nodes":1,"after_ok":true}` + "\n", `t.jsonl:3: after_ok without after`, trace.BadLine, 1},
		"twice an id":  {`{"id":1,"submit":6,"run":1,"nodes":1}` + "\n", `t.jsonl:3: a second job 1`, trace.Duplicate, 1},
		"unsorted":     {`{"id":2,"submit":4,"run":1,"nodes":1}` + "\n", `t.jsonl:3: job 2 was submitted at 4s, before`, trace.Unsorted, 2},
		"cut short":    {`{"id":2,"submit":4,"run`, `t.jsonl:3: the workload is cut short`, trace.CutShort, 1},
		"no such time": {`{"id":2,"submit":1e300,"run":1,"nodes":1}` + "\n", `t.jsonl:3: submit is 1e+300, not a time`, trace.BadLine, 1},
	} {
		t.Run(name, func(t *testing.T) {
			text := good + c.line
			if c.kind != trace.CutShort {
				text += "\n"
			}
			if _, _, err := read(text, trace.Options{}); err == nil || !strings.HasPrefix(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("strict: %v, want %s", err, c.says)
			}
			jobs, r, err := read(text, trace.Options{Lenient: true})
			if err != nil || len(jobs) != c.left || r.Repairs().Count(c.kind) != 1 {
				t.Errorf("lenient: %d jobs, %v, %v", len(jobs), r.Repairs().List(), err)
			}
		})
	}
	if _, _, err := read("\n", trace.Options{Lenient: true}); err == nil {
		t.Error("a file without a job is none")
	}
}

func TestAJobThatWaitsForNoneIsNoted(t *testing.T) {
	jobs, r, err := read(`{"id":1,"submit":0,"run":5,"procs":1,"limit":4,"after":9,"think":3,"after_ok":true}`, trace.Options{})
	if err != nil || jobs[0].After != 0 || jobs[0].Think != 0 || jobs[0].AfterOK || r.Repairs().Count(trace.UnknownAfter) != 1 || r.Repairs().Count(trace.Overrun) != 1 {
		t.Errorf("%+v %v %v", jobs, r.Repairs().List(), err)
	}
}

func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	const jobs = 10_000
	if _, err := Write(&text, func(yield func(workload.Job, error) bool) {
		for i := range jobs {
			j := full()
			j.ID, j.Submit, j.After, j.AfterOK = int64(i+1), time.Duration(i)*time.Second, 0, false
			if !yield(j, nil) {
				return
			}
		}
	}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		for _, err := range NewReader(bytes.NewReader(text.Bytes()), trace.Options{}).Jobs() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/jobs, "ns/job")
}

// FuzzRead: what is read is read again from what is written of it.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"id":1,"submit":0.25,"run":5,"procs":1,"user":"é"}` + "\n" + `{"id":2,"submit":3,"run":1e3,"nodes":2,"after":1}`))
	f.Add([]byte("{}\n[]\nx"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := NewReader(bytes.NewReader(text), trace.Options{Lenient: true, Window: 2})
		var jobs []workload.Job
		for j, err := range r.Jobs() {
			if err != nil {
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("%q", err)
				}
				return
			}
			jobs = append(jobs, j)
		}
		var b bytes.Buffer
		if _, err := Write(&b, func(yield func(workload.Job, error) bool) {
			for _, j := range jobs {
				if !yield(j, nil) {
					return
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		again, _, err := read(b.String(), trace.Options{Lenient: true})
		if err != nil || len(again) != len(jobs) {
			t.Fatalf("%d of %d jobs again: %v\n%s", len(again), len(jobs), err, b.String())
		}
		for i := range jobs {
			// A job may wait for one that was put behind it.
			again[i].After, again[i].Think, again[i].AfterOK = jobs[i].After, jobs[i].Think, jobs[i].AfterOK
			for _, d := range []time.Duration{again[i].Submit - jobs[i].Submit, again[i].Run - jobs[i].Run, again[i].Limit - jobs[i].Limit, again[i].Begin - jobs[i].Begin} {
				if d.Abs() > time.Microsecond {
					t.Errorf("%+v became %+v", jobs[i], again[i])
				}
			}
			again[i].Submit, again[i].Run, again[i].Limit, again[i].Begin = jobs[i].Submit, jobs[i].Run, jobs[i].Limit, jobs[i].Begin
			if again[i] != jobs[i] {
				t.Errorf("%+v became %+v", jobs[i], again[i])
			}
		}
	})
}

func TestThePageHasEveryKey(t *testing.T) {
	page, err := os.ReadFile("../../../docs/WORKLOADS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## JSON")
	section, _, _ = strings.Cut(section, "\n## ")
	var told []string
	for line := range strings.Lines(section) {
		if cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |"); ok && strings.HasPrefix(cell, "`") {
			for k := range strings.SplitSeq(cell, ", ") {
				told = append(told, strings.Trim(k, "`"))
			}
		}
	}
	want := keys()
	slices.Sort(told)
	slices.Sort(want)
	if d := cmp.Diff(want, told); d != "" {
		t.Error(d)
	}
}

func TestWhatALineLeavesOpenIsNoted(t *testing.T) {
	for line, want := range map[string]string{
		`{"id":2,"submit":0,"run":60,"limit":60,"procs":1}`:                     "",
		`{"id":2,"submit":0,"run":60.5,"limit":60,"procs":1}`:                   "overrun",
		`{"id":2,"submit":0,"run":60,"procs":1}`:                                "no_limit",
		`{"id":2,"submit":0,"run":60,"limit":60,"procs":1,"after":1}`:           "",
		`{"id":2,"submit":0,"run":60,"limit":60,"procs":1,"after":2}`:           "unknown_after",
		`{"id":2,"submit":0,"run":60,"limit":60,"procs":1,"after":3,"think":5}`: "unknown_after",
		`{"id":2,"submit":3162240000,"run":60,"limit":60,"procs":1}`:            "",
	} {
		jobs, r, err := read(`{"id":1,"submit":0,"run":60,"limit":60,"procs":1}`+"\n"+line+"\n", trace.Options{})
		if err != nil || len(jobs) != 2 {
			t.Errorf("%s: %v", line, err)
			continue
		}
		got := ""
		for _, rep := range r.Repairs().List() {
			got += rep.Kind.String()
		}
		if got != want || want == "unknown_after" && (jobs[1].After != 0 || jobs[1].Think != 0) {
			t.Errorf("%s: %q, want %q: %+v", line, got, want, jobs[1])
		}
	}
}
