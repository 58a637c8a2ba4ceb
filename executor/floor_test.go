package executor_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/simulator"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

// What docs/ARCHITECTURE.md says that a node costs, from a resume of a node that was
// suspended before, with answers of look-ups at hand, to its suspend.
func TestWhatANodeCostsInFilesAndCalls(t *testing.T) {
	nodes := names("aws-cpu", 1, 1)
	w := newWorld(t).withSlurm(nodes, slurmmodel.Job{ID: 7, State: "CONFIGURING", Nodes: nodes, NumNodes: 1, NumCPUs: 4, Batch: true, Requeue: true})
	q := executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(`{"jobs":[{"job_id":7,"nodes":"aws-cpu-001"}],"all_nodes":"aws-cpu-001"}`)}
	w.resume(q)
	w.suspend(nodes...)
	w.pass(time.Minute)

	files := map[string]int{}
	w.onCall = func(_ *simulator.Process, call string) {
		switch call {
		case "Read", "Write", "Remove", "List":
			files[call]++
		}
	}
	check := func(what string, r *report.Report, wantFiles, wantEC2, wantSlurm map[string]int) {
		t.Helper()
		if r.ExitCode != report.ExitDone {
			t.Fatalf("%s: exit %d", what, r.ExitCode)
		}
		for _, c := range []struct{ want, got map[string]int }{{wantFiles, files}, {wantEC2, r.APICalls}, {wantSlurm, r.ScontrolCalls}} {
			if diff := cmp.Diff(c.want, c.got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", what, diff)
			}
		}
		maps.DeleteFunc(files, func(string, int) bool { return true })
	}
	r, _ := w.resume(q)
	check("resume", r, map[string]int{"Read": 2, "Write": 4, "List": 5},
		map[string]int{"DescribeInstances": 1, "RunInstances": 1}, map[string]int{"show job": 1, "show node": 1, "update node": 1})
	w.pass(10 * time.Minute)
	r, _ = w.suspend(nodes...)
	check("suspend", r, map[string]int{"Read": 1, "Write": 2, "Remove": 1, "List": 3},
		map[string]int{"DescribeInstances": 1, "TerminateInstances": 1}, map[string]int{"show node": 1, "update node": 1})
}
