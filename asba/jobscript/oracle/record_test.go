package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/jobscript"
	"aws-slurm-burst/asba/scriptjob"
	"aws-slurm-burst/asba/slurmjob"
	"aws-slurm-burst/fixtures"
)

// A job is advised on by its script or by Slurm's record of it: what its nodes have
// to be like is the same by both.
func TestARecordAsksOfNodesWhatItsScriptDoes(t *testing.T) {
	compared := 0
	for _, name := range fixtures.Scripts() {
		script, err := fixtures.Script(name)
		if err != nil {
			t.Fatal(err)
		}
		read, fs := jobscript.Read(script, name)
		if _, shared := read.Components[0].Option("overcommit"); shared || len(errors(fs)) > 0 {
			continue // a record does not tell it
		}
		out, refusal := shown(t, name, script)
		if refusal != "" {
			continue // others compare that
		}
		jobs, records := scriptjob.Jobs(read, name), slurmjob.Parse(out)
		if len(jobs) != len(records) {
			t.Errorf("%s: %d jobs, %d records", name, len(jobs), len(records))
			continue
		}
		for i := range jobs {
			compared++
			if ours, slurms := asks(jobs[i]), asks(records[i].Job); ours != slurms {
				t.Errorf("%s, component %d: the script asks for %s, the record for %s", name, i, ours, slurms)
			}
		}
	}
	if compared < 40 {
		t.Errorf("%d jobs were compared", compared)
	}
}

// asks is what a job asks of each of its nodes. Times and lists of nodes Slurm
// writes in its own way, and two wishes it does not show.
func asks(j advise.Job) string {
	var wishes []string
	for _, w := range j.Unjudged {
		if name, _, _ := strings.Cut(w, "="); !slices.Contains([]string{"--prefer", "--switches"}, name) {
			wishes = append(wishes, name)
		}
	}
	gpus := slices.Clone(j.GPUs)
	slices.SortFunc(gpus, func(a, b advise.GPU) int { return cmp.Compare(a.Per, b.Per) })
	return fmt.Sprintf("%d CPUs, %d cores, %d threads each (one alone: %t), features %q, GPUs %v, %d MiB for each, %v",
		max(1, j.MinCPUs, j.TasksPerNode*max(1, j.CPUsPerTask), j.CPUsPerTask), j.MinCores, j.ThreadsPerCore, j.OneThread, j.Constraint, gpus, j.MemoryPerGPUMiB, wishes)
}
