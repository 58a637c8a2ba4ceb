package scriptjob

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/fixtures"
)

func TestJobsOfScripts(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   []advise.Job
	}{
		"nothing asked for": {"hostname\n", []advise.Job{{Name: "j.sh", Requeue: true}}},
		"MPI": {"#SBATCH -J waves -N 8 --ntasks-per-node=36 --mem=100G -t 4:00:00 -A turb -p hpc\nmodule load openmpi\nmpirun ./waves\n",
			[]advise.Job{{Name: "waves", Account: "turb", Partition: "hpc", MinNodes: 8, MaxNodes: 8, Tasks: 288, TasksPerNode: 36, MemoryPerNodeMiB: 100 << 10, TimeLimit: 4 * time.Hour, Requeue: true, Coupling: advise.Tight}}},
		"MPI of one task is none": {"#SBATCH -n 1\nmpirun ./waves\n", []advise.Job{{Name: "j.sh", Tasks: 1, Requeue: true}}},
		"srun alone shows nothing": {"#SBATCH -n 288 -c 2 --mem-per-cpu=2G --no-requeue\nsrun ./x\n",
			[]advise.Job{{Name: "j.sh", Tasks: 288, CPUsPerTask: 2, MemoryPerCPUMiB: 2 << 10}}},
		"a range of nodes, all of their memory": {"#SBATCH -N 2-4 --mem=0 --hint=nomultithread\n./x\n",
			[]advise.Job{{Name: "j.sh", MinNodes: 2, MaxNodes: 4, Tasks: 2, WholeMemory: true, OneThread: true, Requeue: true}}},
		"GPUs of a node": {"#SBATCH -N 2 --gpus-per-node=a100:4 --mem-per-gpu=32G\n./x\n",
			[]advise.Job{{Name: "j.sh", MinNodes: 2, MaxNodes: 2, Tasks: 2, MemoryPerGPUMiB: 32 << 10, GPUs: []advise.GPU{{Model: "a100", Count: 4}}, Requeue: true}}},
		"GPUs of the job": {"#SBATCH --gpus=16 -n 16 --cpus-per-gpu=4\n./x\n",
			[]advise.Job{{Name: "j.sh", Tasks: 16, CPUsPerTask: 4, GPUs: []advise.GPU{{Count: 16, Per: advise.PerJob}}, Requeue: true}}},
		"the shape of a node": {"#SBATCH -N 2 --sockets-per-node=2 --cores-per-socket=4 --threads-per-core=2 --mincpus=8\n./x\n",
			[]advise.Job{{Name: "j.sh", MinNodes: 2, MaxNodes: 2, Tasks: 32, MinCPUs: 8, MinCores: 8, ThreadsPerCore: 2, Requeue: true}}},
		"wishes of which types know nothing": {"#SBATCH -n 4 --constraint=c6i&efa --licenses=ansys:2,matlab --nodelist=node[001-002] --exclude=node009 --begin=now+1hour --tmp=10G --contiguous\n./x\n",
			[]advise.Job{{Name: "j.sh", Tasks: 4, Constraint: "c6i&efa", Requeue: true, Unjudged: []string{
				"--begin=now+1hour", "--contiguous", "--exclude=node009", "--licenses=ansys:2,matlab", "--nodelist=node[001-002]", "--tmp=10G"}}}},
		"an array": {"#SBATCH --array=1-10%3 -n 4\n./x\n", []advise.Job{{Name: "j.sh", Tasks: 4, ArrayTasks: 10, Requeue: true}}},
		"a heterogeneous job": {"#SBATCH -n 2 --mem=1G\n#SBATCH hetjob\n#SBATCH -N 2 -n 8\n./x\n",
			[]advise.Job{{Name: "j.sh", Tasks: 2, MemoryPerNodeMiB: 1024, Requeue: true}, {Name: "j.sh", MinNodes: 2, MaxNodes: 2, Tasks: 8, MemoryPerNodeMiB: 1024, Requeue: true}}},
	} {
		s, fs := jobscript.Read([]byte("#!/bin/sh\n"+c.script), "j.sh")
		if finding.Count(fs, finding.Error) > 0 {
			t.Errorf("%s: %v", name, fs)
		}
		if d := cmp.Diff(c.want, Jobs(s, "j.sh")); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestAStoredScriptTellsWhatTheRecordDoesNot(t *testing.T) {
	s, _ := jobscript.Read([]byte("#!/bin/sh\nmpirun ./waves\n"), "j.sh")
	if Coupling(s, advise.Job{MinNodes: 4}) != advise.Tight || Coupling(s, advise.Job{}) != advise.CouplingUnknown {
		t.Error("coupling")
	}
}

// Every script that sbatch takes leads to a plan that nobody has to mend, for as
// many nodes as the job takes at least.
func TestEveryScriptLeadsToAPlanWithoutAFinding(t *testing.T) {
	now := time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC)
	market := advise.NewMarket(catalog.Default(), "us-east-1")
	bursts := 0
	for _, name := range fixtures.Scripts() {
		script, err := fixtures.Script(name)
		if err != nil {
			t.Fatal(err)
		}
		s, fs := jobscript.Read(script, name)
		if finding.Count(fs, finding.Error) > 0 {
			continue
		}
		for i, j := range Jobs(s, name) {
			a := advise.Advise(j, advise.Options{Market: market, Now: now})
			p, fs := plan.Read(plan.Write(a.Plan), name)
			if fs = lint.All(p, fs, lint.Options{Catalog: catalog.Default(), Region: "us-east-1", Nodes: a.Nodes, Now: now}); len(fs) > 0 {
				t.Errorf("%s, component %d: %v", name, i, fs)
			}
			if !a.Plan.Bursts() {
				t.Logf("%s, component %d: %s", name, i, a.Plan.Reasons.Value[0])
				continue
			}
			bursts++
			if least := s.Components[i].LeastNodes(); a.Nodes < least || j.MaxNodes > 0 && a.Nodes > j.MaxNodes {
				t.Errorf("%s, component %d: %d nodes of at least %d", name, i, a.Nodes, least)
			}
		}
	}
	if bursts < 30 {
		t.Errorf("%d scripts lead to instances", bursts)
	}
}
