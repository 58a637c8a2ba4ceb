package files

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
)

const begin = env.Time(1_000_000_000_000)

// run is a small schedule, told to a set of files through a Collector as a
// simulation does it.
func run(t *testing.T, s *Set) {
	t.Helper()
	c := report.New(report.Options{Begin: begin, OnJob: func(j report.Job) {
		if err := s.Job(j); err != nil {
			t.Fatal(err)
		}
	}})
	at := func(second float64, k record.Kind, e record.Event) {
		e.At, e.Kind = begin.Add(time.Duration(second*1e9)), k
		s.Event(e)
		c.Take(e)
	}
	spec := func(procs int) *record.Spec {
		return &record.Spec{User: "ann", Account: "physics", Partition: "local", Procs: procs, LimitS: 600, RunS: 90}
	}
	at(0, record.JobSubmitted, record.Event{Job: 1, Spec: spec(2)})
	at(0, record.JobStarted, record.Event{Job: 1})
	at(5, record.JobSubmitted, record.Event{Job: 2, Spec: spec(3)})
	at(10, record.JobSubmitted, record.Event{Job: 3, Spec: spec(1)})
	at(20.25, record.JobStarted, record.Event{Job: 3})
	at(30.5, record.JobEnded, record.Event{Job: 3, State: "COMPLETED"})
	at(40, record.JobAllocated, record.Event{Job: 2, Nodes: []string{"b", "a", "c"}})
	at(40, record.JobStarted, record.Event{Job: 2})
	at(60, record.JobSubmitted, record.Event{Job: 4, Spec: spec(1)})
	at(70, record.JobEnded, record.Event{Job: 4, State: "CANCELLED"})
	at(80, record.JobSubmitted, record.Event{Job: 5, Spec: spec(1)})
	at(90, record.JobEnded, record.Event{Job: 1, State: "TIMEOUT"})
	at(90, record.JobSubmitted, record.Event{Job: 6, Spec: spec(1)})
	at(90, record.JobStarted, record.Event{Job: 6})
	at(92, record.JobRequeued, record.Event{Job: 6})
	at(95, record.JobSubmitted, record.Event{Job: 7, Spec: spec(4)})
	at(95, record.JobStarted, record.Event{Job: 7}) // on processors that 6 has left
	at(96, record.JobStarted, record.Event{Job: 6})
	at(100, record.JobEnded, record.Event{Job: 6, State: "NODE_FAIL"})
	at(110, record.JobEnded, record.Event{Job: 2, State: "COMPLETED"})
	at(120, record.Gang, record.Event{Job: 2, Nodes: []string{"a", "b"}})
}

func names(dir string) Names {
	return Names{filepath.Join(dir, "jobs.csv"), filepath.Join(dir, "out.swf"), filepath.Join(dir, "events.jsonl")}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestFilesAreWhatTheirReadersExpect(t *testing.T) {
	dir := t.TempDir()
	n := names(dir)
	s, err := Open(n, Options{Begin: begin, Workload: "a, \"trace\".swf", Procs: 4})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	if got := listed(t, dir); slices.ContainsFunc(got, func(n string) bool { return !strings.HasPrefix(n, ".") }) {
		t.Errorf("before the end there is %v", got)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	s.Abort()
	if got := listed(t, dir); !slices.Equal(got, []string{"events.jsonl", "jobs.csv", "out.swf"}) {
		t.Errorf("there is %v", got)
	}
	if info, err := os.Stat(n.JobsCSV); err != nil || info.Mode() != 0o644 {
		t.Errorf("jobs.csv is %v, %v", info.Mode(), err)
	}
	want := columns + `3,a_ _trace_.swf,3,10,1,600,1,COMPLETED_SUCCESSFULLY,20.25,10.25,30.5,10.25,20.5,2.000000,2,,
1,a_ _trace_.swf,1,0,2,600,0,COMPLETED_WALLTIME_REACHED,0,90,90,0,90,1.000000,0-1,,
6,a_ _trace_.swf,6,90,1,600,0,COMPLETED_FAILED,96,4,100,6,10,2.500000,4,,
2,a_ _trace_.swf,2,5,3,600,1,COMPLETED_SUCCESSFULLY,40,70,110,35,105,1.500000,0-2,,
`
	if got := contents(t, n.JobsCSV); got != want {
		t.Errorf("jobs.csv:\n%s\nwant\n%s", got, want)
	}
	want = `; Version: 2.2
; Computer: simulated
; Note: schedule of a, "trace".swf by aws-slurm-burst simulate
; MaxProcs: 4
1 0 0 90 2 -1 -1 2 600 -1 0 1 1 -1 -1 1 -1 -1
2 5 35 70 3 -1 -1 3 600 -1 1 1 1 -1 -1 1 -1 -1
3 10 10 11 1 -1 -1 1 600 -1 1 1 1 -1 -1 1 -1 -1
4 60 10 -1 -1 -1 -1 1 600 -1 5 1 1 -1 -1 1 -1 -1
6 90 6 4 1 -1 -1 1 600 -1 0 1 1 -1 -1 1 -1 -1
; Partition: 1 local
`
	if got := contents(t, n.SWF); got != want {
		t.Errorf("out.swf:\n%s\nwant\n%s", got, want)
	}
	lines := strings.Split(strings.TrimSpace(contents(t, n.Events)), "\n")
	if len(lines) != 21 {
		t.Fatalf("%d events", len(lines))
	}
	for _, l := range lines {
		if !json.Valid([]byte(l)) {
			t.Errorf("%s is no JSON", l)
		}
	}
	if lines[4] != `{"at_s":20.25,"event":"job_started","job":3}` || lines[20] != `{"at_s":120,"event":"gang","job":2,"nodes":["a","b"],"count":0,"depth":0}` {
		t.Errorf("events %s and %s", lines[4], lines[20])
	}
}

func TestARunThatIsGivenUpLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	n := names(dir)
	if err := os.WriteFile(n.SWF, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(n, Options{Begin: begin})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	s.Abort()
	if got := listed(t, dir); !slices.Equal(got, []string{"out.swf"}) || contents(t, n.SWF) != "old" {
		t.Errorf("there is %v", got)
	}
}

func TestAFullDiskIsToldAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(names(dir), Options{Begin: begin})
	if err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	s.files[0].w.Reset(full)
	s.files[0].head(s.files[0].w)
	for i := range 10_000 {
		err = s.Job(report.Job{ID: int64(i), Started: true, End: time.Second, State: "COMPLETED"})
		if err != nil {
			break
		}
	}
	if want := names(dir).JobsCSV + " could not be written: no space left on device"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := s.Commit(); err == nil {
		t.Error("it was put into its place")
	}
	if got := listed(t, dir); len(got) != 0 {
		t.Errorf("there is %v", got)
	}
}

func TestWhatCannotBeWrittenIsToldBefore(t *testing.T) {
	dir := t.TempDir()
	read := filepath.Join(dir, "trace.swf")
	if err := os.WriteFile(read, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(read, filepath.Join(dir, "link")), os.Symlink("nowhere", filepath.Join(dir, "dangling"))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		n    Names
		want string
	}{
		"a folder that is not there": {Names{JobsCSV: filepath.Join(dir, "none", "jobs.csv")}, "none/jobs.csv: no such file"},
		"a folder":                   {Names{Events: dir}, "is no file"},
		"one file for two":           {Names{JobsCSV: filepath.Join(dir, "a"), SWF: dir + "/./a"}, "is to be two files"},
		"the trace itself":           {Names{SWF: read}, "is in use by this run"},
		"the trace by another name":  {Names{SWF: filepath.Join(dir, "link")}, "is in use by this run"},
		"a link to nothing":          {Names{SWF: filepath.Join(dir, "dangling")}, "is a link to nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(c.n, Options{Reads: []string{read, filepath.Join(dir, "none")}})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want ...%s", err, c.want)
			}
			if got := listed(t, dir); !slices.Equal(got, []string{"dangling", "link", "trace.swf"}) {
				t.Errorf("there is %v", got)
			}
		})
	}
}

// /dev/stdout is such a link: to put a file into its place would take it from all
// other programs.
func TestALinkStaysOne(t *testing.T) {
	dir := t.TempDir()
	to, link := filepath.Join(dir, "to.jsonl"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(to, []byte("old"), 0o600), os.Symlink(to, link)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Names{Events: link}, Options{Begin: begin})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(link); err != nil || got != to || !strings.Contains(contents(t, to), "job_started") {
		t.Errorf("the link leads to %q (%v), which has %.40q", got, err, contents(t, to))
	}
	if _, err := Open(Names{Events: link, SWF: to}, Options{}); err == nil || !strings.Contains(err.Error(), "two files") {
		t.Errorf("a file and a link to it: %v", err)
	}
}

func TestAProcessThatIsKilledLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	f := unnamed(dir)
	if f == nil {
		t.Skip("no files without a name on this file system")
	}
	_ = f.Close()
	s, err := Open(names(dir), Options{Begin: begin})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	if got := listed(t, dir); len(got) != 0 {
		t.Errorf("in the middle of a run there is %v", got)
	}
	s.Abort()
}

// Where the file system has no files without a name, one is written under another.
func TestAFileWithANameIsPutIntoItsPlaceToo(t *testing.T) {
	dir := t.TempDir()
	f, err := os.CreateTemp(dir, ".a-*")
	if err != nil {
		t.Fatal(err)
	}
	s := &Set{files: []*file{{name: "a", place: filepath.Join(dir, "a"), form: newEvents(Options{Begin: begin}), aside: &aside{File: f, path: f.Name()}, w: bufio.NewWriter(f)}}}
	s.Event(record.Event{At: begin, Kind: record.Call})
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, dir); !slices.Equal(got, []string{"a"}) || contents(t, filepath.Join(dir, "a")) == "" {
		t.Errorf("there is %v", got)
	}
}

func TestEventsHaveWhatFiguresAreMadeOf(t *testing.T) {
	n := Names{Events: filepath.Join(t.TempDir(), "events.jsonl")}
	s, err := Open(n, Options{Begin: begin})
	if err != nil {
		t.Fatal(err)
	}
	s.Event(record.Event{At: begin, Kind: record.JobAllocated, Job: 1, Partition: "cloud", Nodes: []string{"a"}})
	s.Event(record.Event{At: begin, Kind: record.NodeResumed, Node: "a", CPUs: 16})
	s.Event(record.Event{At: begin, Kind: record.InstanceEnding, Instance: "i-1", Charged: 0.25})
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	want := `{"at_s":0,"event":"job_allocated","job":1,"partition":"cloud","nodes":["a"]}
{"at_s":0,"event":"node_resumed","node":"a","cpus":16}
{"at_s":0,"event":"instance_ending","instance":"i-1","charged_usd":0.25}
`
	if got := contents(t, n.Events); got != want {
		t.Errorf("%swant\n%s", got, want)
	}
}

func TestNoProcessorIsGivenTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newProcessors()
		holds := map[int]int64{}
		running := map[int64]int{}
		for id := int64(1); id < 60; id++ {
			if rapid.Bool().Draw(t, "start") || len(running) == 0 {
				n := rapid.IntRange(1, 9).Draw(t, "procs")
				p.submitted(id, n)
				p.start(id)
				running[id] = n
				got := 0
				for _, h := range p.held[id] {
					for k := h.first; k <= h.last; k++ {
						if holds[k] != 0 {
							t.Fatalf("processor %d is %d's, and given to %d", k, holds[k], id)
						}
						holds[k] = id
						got++
					}
				}
				if got != n {
					t.Fatalf("job %d wants %d and got %d", id, n, got)
				}
				continue
			}
			var ids []int64
			for j := range running {
				ids = append(ids, j)
			}
			slices.Sort(ids)
			j := rapid.SampledFrom(ids).Draw(t, "end")
			for _, h := range p.end(j) {
				for k := h.first; k <= h.last; k++ {
					delete(holds, k)
				}
			}
			delete(running, j)
		}
		for j := range running {
			p.end(j)
		}
		if len(p.free) != 1 || p.free[0].first != 0 {
			t.Fatalf("free at the end: %v", p.free)
		}
	})
}
