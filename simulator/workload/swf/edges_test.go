package swf

import (
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/simulator/workload/trace"
)

func TestAJobAtALimitIsWithinIt(t *testing.T) {
	log := "; MaxProcs: 64\n; MaxJobs: 3\n" +
		row(1, 10, 0, 60, 64, 64, 60, 1) + // all processors, and all the time that it asked for
		row(2, 10, 0, 1, 0, 0, 60, 1) + // of no size, and counted
		row(3, 10, 0, 1, 1, 1, 60, 1)
	jobs, r, err := read(t, log, Options{})
	if err != nil || len(jobs) != 2 || jobs[1].Submit != 10*time.Second {
		t.Fatalf("%+v, %v", jobs, err)
	}
	if got := r.Repairs().List(); len(got) != 1 || got[0].Kind != trace.NoSize {
		t.Errorf("%v", got)
	}
	for _, c := range []struct {
		line string
		good bool
	}{
		{row(2, maxSeconds, 0, 1, 1, 1, 1, 1), true}, {row(2, maxSeconds+1, 0, 1, 1, 1, 1, 1), false},
		{row(2, 10, 0, 1, 1<<31-1, 1, 1, 1), true}, {row(2, 10, 0, 1, 1, 1<<31, 1, 1), false},
		{row(2, 10, 0, maxSeconds, 1, 1, maxSeconds, 1), true}, {row(2, 10, 0, 1, 1, 1, maxSeconds+1, 1), false},
	} {
		if _, _, err := read(t, row(1, 10, 0, 1, 1, 1, 1, 1)+c.line, Options{}); (err == nil) != c.good {
			t.Errorf("%s: %v", c.line, err)
		}
	}
}

func TestMemoryIsRoundedUpAndNamesAreNumbers(t *testing.T) {
	for kb, want := range map[string]int64{"-1": 0, "0": 0, "1": 1, "1024": 1, "1025": 2} {
		jobs, _, err := read(t, "1 0 0 1 1 -1 -1 1 60 "+kb+" 1 1023 1024 7 -1 -1 -1 -1\n", Options{})
		if err != nil || len(jobs) != 1 || jobs[0].MemoryPerProc != want {
			t.Fatalf("%s: %+v, %v", kb, jobs, err)
		}
		if j := jobs[0]; j.User != "1023" || j.Account != "1024" || j.Name != "7" || j.Partition != "" || j.QOS != "" {
			t.Errorf("%+v", j)
		}
	}
	jobs, _, err := read(t, "; Queue: 3 night\n; Partition: 5 big\n1 0 0 1 1 -1 -1 1 60 -1 1 1 1 1 3 5 -1 -1\n2 0 0 1 1 -1 -1 1 60 -1 1 1 1 1 3 -1 -1 -1\n3 0 0 1 1 -1 -1 1 60 -1 1 1 1 1 4 6 -1 -1\n", Options{})
	if err != nil || len(jobs) != 3 {
		t.Fatal(err)
	}
	for i, want := range []string{"big night", "night ", "6 4"} {
		if got := jobs[i].Partition + " " + jobs[i].QOS; got != want {
			t.Errorf("job %d is of %q, want %q", i+1, got, want)
		}
	}
}

func TestTheHeaderMayBeReadFirstAndAgain(t *testing.T) {
	r := NewReader(strings.NewReader("; MaxProcs: 8\n"+row(1, 0, 0, 1, 1, 1, 1, 1)+"; MaxProcs: 9\n"+row(2, 0, 0, 1, 1, 1, 1, 1)), Options{})
	for range 2 {
		if h, err := r.Header(); err != nil || h.MaxProcs != 8 {
			t.Errorf("%+v, %v", h, err)
		}
	}
	n := 0
	for _, err := range r.Jobs() {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if h, err := r.Header(); n != 2 || err != nil || h.MaxProcs != 8 {
		t.Errorf("%d jobs, %+v, %v", n, h, err)
	}
	if _, err := NewReader(strings.NewReader("\x1f\x8b\x08"), Options{}).Header(); err == nil {
		t.Error("half a pack has a header")
	}
}
