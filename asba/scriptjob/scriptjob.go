// Package scriptjob turns what a batch script asks for (asba/jobscript) into what
// the advisor asks of a job. Of the script's body it takes one guess: whether the
// job is MPI.
//
// It reads no file and judges nothing: what sbatch would refuse is among the
// findings of reading the script.
package scriptjob

import (
	"strings"
	"time"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/jobscript"
	"aws-slurm-burst/asba/jobscript/body"
)

// Jobs returns what a script asks for: one job, or one for each component of a
// heterogeneous job, in their order. name is what the job is called where the
// script does not say, as sbatch calls it by its file.
func Jobs(s *jobscript.Job, name string) []advise.Job {
	var out []advise.Job
	for i := range s.Components {
		j := job(&s.Components[i])
		j.Coupling = Coupling(s, j)
		if j.Name == "" {
			j.Name = name
		}
		out = append(out, j)
	}
	return out
}

// Coupling is what a script's body gives away of a job, which may be known from
// elsewhere: one of several tasks is taken for MPI where its script starts them
// by MPI's own means, or loads an MPI. srun alone starts anything.
func Coupling(s *jobscript.Job, j advise.Job) advise.Coupling {
	if s.Has(body.MPI) && max(j.Tasks, j.MinNodes, j.TasksPerNode) > 1 {
		return advise.Tight
	}
	return advise.CouplingUnknown
}

// unjudged are the wishes that no instance type has or lacks, as sbatch is told
// them.
func unjudged(r *jobscript.Request) []string {
	var out []string
	for _, name := range []string{"begin", "contiguous", "deadline", "exclude", "licenses", "network", "nodelist", "prefer", "reservation", "switches", "tmp"} {
		switch o, told := r.Option(name); {
		case told && o.Value != "":
			out = append(out, "--"+name+"="+o.Value)
		case told:
			out = append(out, "--"+name)
		}
	}
	return out
}

// maxMinutes keeps a time limit within what can be counted.
const maxMinutes = 10 * 365 * 24 * 60

func job(r *jobscript.Request) advise.Job {
	j := advise.Job{
		Name: r.Name, Account: r.Account, Partition: r.Partition,
		TasksPerNode:     r.TasksPerNode,
		MemoryPerNodeMiB: int(r.Memory.PerNode), MemoryPerCPUMiB: int(r.Memory.PerCPU), MemoryPerGPUMiB: int(r.Memory.PerGPU),
		WholeMemory: r.Memory.WholeNode,
		TimeLimit:   time.Duration(min(r.TimeLimit.Minutes, maxMinutes)) * time.Minute,
		Requeue:     r.Requeue != jobscript.No, // JobRequeue is 1 by default
		OneThread:   r.ThreadsPerCore == 1 || strings.Contains(r.Hint, "nomultithread"),
		Constraint:  r.Constraint, Unjudged: unjudged(r),
	}
	// Of one CPU a node, or one core, every node is.
	if r.MinCPUsPerNode > 1 {
		j.MinCPUs = r.MinCPUsPerNode
	}
	if cores := max(1, r.SocketsPerNode) * max(1, r.CoresPerSocket); cores > 1 {
		j.MinCores = cores
	}
	if r.ThreadsPerCore > 1 {
		j.ThreadsPerCore = r.ThreadsPerCore
	}
	j.Threads = !j.OneThread && strings.Contains(r.Hint, "multithread")
	told := func(option string) bool { _, ok := r.Option(option); return ok }
	if told("nodes") {
		j.MinNodes, j.MaxNodes = r.MinNodes, r.MaxNodes
	}
	if told("nodes") || told("ntasks") || r.Tasks > 1 { // else a task is what Slurm takes for granted
		j.Tasks = r.Tasks
	}
	if told("cpus-per-task") {
		j.CPUsPerTask = r.CPUsPerTask
	}
	if r.Overcommit { // all tasks of a node share one CPU
		j.Tasks, j.TasksPerNode, j.CPUsPerTask = r.MinNodes, 0, 0
	}
	if r.Array != nil {
		j.ArrayTasks = r.Array.Tasks
	}
	for _, g := range []struct {
		gpus  []jobscript.GPU
		per   advise.Per
		times int
	}{
		{r.GPUs, advise.PerJob, 1}, {r.GPUsPerNode, advise.PerNode, 1}, {r.GPUsPerTask, advise.PerTask, 1},
		{r.GPUsPerSocket, advise.PerNode, max(1, r.SocketsPerNode)},
	} {
		for _, x := range g.gpus {
			j.GPUs = append(j.GPUs, advise.GPU{Model: x.Type, Count: x.Count * g.times, Per: g.per})
		}
	}
	if r.CPUsPerGPU > 0 {
		if total, tasks := r.TotalGPUs(), max(1, r.Tasks); total > 0 {
			j.CPUsPerTask = max(j.CPUsPerTask, (r.CPUsPerGPU*total+tasks-1)/tasks)
		}
	}
	return j
}
