package swf

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/simulator/workload"
)

func TestResultsAreWrittenAsALog(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b, []Field{{"Version", "1"}, {"Computer", "a\ncluster\x1b"}, {"MaxProcs", "64"}})
	base := workload.Job{ID: 3, Submit: 1400 * time.Millisecond, Limit: time.Hour, Procs: 8, MemoryPerProc: 2, User: "17", Account: "phys", Name: "a.out", Partition: "gpu", QOS: "high"}
	other := workload.Job{ID: 4, Submit: 2 * time.Second, Procs: 4, User: "bob", Account: "1", After: 3, Think: time.Minute}
	for _, r := range []Result{
		{Job: base, Start: 11600 * time.Millisecond, End: 20499 * time.Millisecond, Status: workload.Completed},
		{Job: other, Start: -1, End: 9 * time.Second, Procs: 0, Status: workload.Cancelled},
		{Job: workload.Job{ID: 5, Submit: 3 * time.Second, Procs: 1}, Start: 3 * time.Second, End: 4 * time.Second, Procs: 2, Status: workload.Failed},
	} {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := `; Version: 2.2
; Computer: a
;           cluster 
; MaxProcs: 64
3 1 11 8 8 -1 -1 8 3600 2048 1 17 1 1 1 1 -1 -1
4 2 7 -1 -1 -1 -1 4 -1 -1 5 1 2 -1 -1 -1 3 60
5 3 0 1 2 -1 -1 1 -1 -1 0 -1 -1 -1 -1 -1 -1 -1
; Queue: 1 high
; Partition: 1 gpu
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// What was read is written so that it is read again as it was.
func TestALogIsReadAgainAsItWas(t *testing.T) {
	var jobs []workload.Job
	var b strings.Builder
	r := NewReader(strings.NewReader(row(1, 0, 5, 10, 4, 8, 20, 1)+row(2, 3, -1, 7, -1, 2, -1, 5)), Options{})
	w := NewWriter(&b, nil)
	for j, err := range r.Jobs() {
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
		start := j.Submit + max(0, j.Recorded.Wait)
		if err := w.Write(Result{Job: j, Start: start, End: start + j.Run, Procs: j.Recorded.Procs, Status: j.Recorded.Status}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, _, err := read(t, b.String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	jobs[1].Recorded = workload.Recorded{Wait: 0, Procs: 2, Status: workload.Cancelled} // it has an outcome now
	if d := cmp.Diff(jobs, again); d != "" {
		t.Error(d)
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	full := errors.New("no space left")
	w := NewWriter(writerFunc(func([]byte) (int, error) { return 0, full }), nil)
	if err := w.Write(Result{}); err != nil {
		t.Fatal(err) // it is still in the buffer
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
