package files

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
)

// written runs what tell says against one file of each kind.
func written(t *testing.T, o Options, tell func(s *Set, at func(second float64, k record.Kind, e record.Event))) Names {
	t.Helper()
	n := names(t.TempDir())
	o.Begin = begin
	s, err := Open(n, o)
	if err != nil {
		t.Fatal(err)
	}
	c := report.New(report.Options{Begin: begin, OnJob: func(j report.Job) {
		if err := s.Job(j); err != nil {
			t.Fatal(err)
		}
	}})
	tell(s, func(second float64, k record.Kind, e record.Event) {
		e.At, e.Kind = begin.Add(time.Duration(second*1e9)), k
		s.Event(e)
		c.Take(e)
	})
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestJobsOnNodesHaveTheirNodesForResources(t *testing.T) {
	n := written(t, Options{Workload: "w\n"}, func(s *Set, at func(float64, record.Kind, record.Event)) {
		for id, nodes := range [][]string{{"a", "b", "c", "d"}, {"d", "a"}, {"c", "b", "d"}, nil} {
			e := record.Event{Job: int64(id), State: "COMPLETED", Nodes: nodes, Spec: &record.Spec{Procs: 8}}
			at(0, record.JobSubmitted, e)
			at(0, record.JobAllocated, e) // of a machine without nodes where it names none
			at(0, record.JobStarted, e)
			at(float64(id), record.JobEnded, e)
		}
		if p := s.files[0].form.(*jobs).procs; len(p.want)+len(p.held) != 0 {
			t.Errorf("of jobs that have ended it keeps %v and %v", p.want, p.held)
		}
	})
	want := columns + `0,w_,0,0,4,0,1,COMPLETED_SUCCESSFULLY,0,0,0,0,0,,0-3,,
1,w_,1,0,2,0,1,COMPLETED_SUCCESSFULLY,0,1,1,0,1,1.000000,0 3,,
2,w_,2,0,3,0,1,COMPLETED_SUCCESSFULLY,0,2,2,0,2,1.000000,1-3,,
3,w_,3,0,8,0,1,COMPLETED_SUCCESSFULLY,0,3,3,0,3,1.000000,0-7,,
`
	if got := contents(t, n.JobsCSV); got != want {
		t.Errorf("jobs.csv:\n%s\nwant\n%s", got, want)
	}
}

func TestAScheduleOfWhichAllJobsEndIsWrittenAsTheyEnd(t *testing.T) {
	n := written(t, Options{Nodes: 3}, func(s *Set, at func(float64, record.Kind, record.Event)) {
		for _, second := range []float64{0, 100} {
			for id := int64(2); id > 0; id-- {
				e := record.Event{Job: id + int64(second), State: "COMPLETED", Spec: &record.Spec{Procs: 1}}
				at(second, record.JobSubmitted, e)
				at(second, record.JobStarted, e)
			}
			for id := int64(1); id <= 2; id++ {
				at(second+float64(id), record.JobEnded, record.Event{Job: id + int64(second), State: "COMPLETED"})
			}
			if f := s.files[1].form.(*schedule); len(f.waiting)+len(f.turn) != 0 {
				t.Errorf("%d are held, and the turns of %d", len(f.waiting), len(f.turn))
			}
		}
	})
	var ids []string
	for line := range strings.Lines(contents(t, n.SWF)) {
		if strings.HasPrefix(line, "; Max") {
			ids = append(ids, strings.TrimSpace(line))
		} else if !strings.HasPrefix(line, ";") {
			ids = append(ids, strings.Fields(line)[0])
		}
	}
	if got := strings.Join(ids, " "); got != "; MaxNodes: 3 2 1 102 101" {
		t.Errorf("%s: jobs are in the order in which they came", got)
	}
}

func TestEventsSayZeroesThatSaySomething(t *testing.T) {
	n := Names{Events: filepath.Join(t.TempDir(), "events.jsonl")}
	s, err := Open(n, Options{Begin: begin})
	if err != nil {
		t.Fatal(err)
	}
	s.Event(record.Event{At: begin, Kind: record.JobSubmitted, Job: 1, Spec: &record.Spec{User: "u", Account: "a", Partition: "p", Procs: 4, Nodes: 2, LimitS: 60, RunS: 0}})
	s.Event(record.Event{At: begin.Add(2e9), Kind: record.Resumed, Nodes: []string{"a"}, Began: begin.Add(1e9)})
	s.Event(record.Event{At: begin.Add(2e9), Kind: record.Suspended, Nodes: []string{"a"}, Count: 1, Exit: 5, Began: begin})
	s.Event(record.Event{At: begin.Add(2e9), Kind: record.Call, Operation: "RunInstances"})
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	want := `{"at_s":0,"event":"job_submitted","job":1,"spec":{"user":"u","account":"a","partition":"p","procs":4,"nodes":2,"limit_s":60,"run_s":0}}
{"at_s":2,"event":"resumed","nodes":["a"],"count":0,"began_s":1,"exit_code":0}
{"at_s":2,"event":"suspended","nodes":["a"],"count":1,"began_s":0,"exit_code":5}
{"at_s":2,"event":"call","operation":"RunInstances"}
`
	if got := contents(t, n.Events); got != want {
		t.Errorf("%swant\n%s", got, want)
	}
}
