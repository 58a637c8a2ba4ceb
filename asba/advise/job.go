package advise

import (
	"strings"
	"time"
)

// Job is what a job asks for, as Slurm or a script tells it. Zero values are
// what is not told. Whether it shares its nodes is not asked: what it needs of
// them is the same.
type Job struct {
	ID, Name, User, Account, Partition string

	// MinNodes and MaxNodes are how many nodes the job takes; a MaxNodes of 0
	// beside a MinNodes is as many. Without both, as many as its tasks need.
	MinNodes, MaxNodes int
	// Tasks counts the processes of the job; 0 is one a node, or TasksPerNode.
	Tasks        int
	TasksPerNode int
	CPUsPerTask  int // 0 is 1
	// OneThread is a job that wants one thread of each core (hint=nomultithread).
	OneThread bool
	// Threads is a job whose CPUs may be threads of one core. Else each CPU is a
	// core of its own.
	Threads bool

	// Memory of each node, or for each CPU or GPU that the job has there.
	MemoryPerNodeMiB, MemoryPerCPUMiB, MemoryPerGPUMiB int
	// WholeMemory is a job that takes whatever memory its nodes have (--mem=0).
	WholeMemory bool

	GPUs []GPU

	// MinCPUs is how many CPUs each node has at least, MinCores how many cores:
	// those of a socket by the sockets. ThreadsPerCore is how many threads each core
	// has at least.
	MinCPUs, MinCores, ThreadsPerCore int
	// Constraint is the features of its nodes, as Slurm has them: c6i&efa.
	Constraint string
	// Unjudged is what else the job asks for of its nodes, and no type has or lacks,
	// as sbatch is told: --licenses=ansys:2. It is told again.
	Unjudged []string

	// TimeLimit is how long the job may run.
	TimeLimit time.Duration
	// Coupling says how the processes of several nodes talk to each other.
	Coupling Coupling
	// Requeue is a job that Slurm may start again from its beginning.
	Requeue bool
	// ArrayTasks counts the tasks of an array, of which each is a job like this.
	ArrayTasks int
}

// GPU is a number of GPUs.
type GPU struct {
	// Model is the name that the site has for it, such as h100 or
	// nvidia_a100-sxm4-80gb; "" is any.
	Model string
	Count int
	Per   Per
}

// Per is what a number of GPUs is for.
type Per int

// GPUs are counted for each node, for each task, or for the whole job.
const (
	PerNode Per = iota
	PerTask
	PerJob
)

// Coupling is how the processes of a job depend on each other.
type Coupling int

// A Tight job is an MPI job: each of its processes waits for the others all the
// time. What is not known is taken to be Loose.
const (
	CouplingUnknown Coupling = iota
	Loose
	Tight
)

// String returns the word for it.
func (c Coupling) String() string {
	switch c {
	case Loose:
		return "loose"
	case Tight:
		return "tight"
	}
	return "unknown"
}

func (j Job) cpusPerTask() int { return max(1, j.CPUsPerTask) }

// tasks is how many processes there are.
func (j Job) tasks() int {
	switch {
	case j.Tasks > 0:
		return j.Tasks
	case j.TasksPerNode > 0:
		return j.TasksPerNode * max(1, j.MinNodes)
	}
	return max(1, j.MinNodes)
}

// nodes are the bounds of how many nodes the job can have; a most of 0 is none.
func (j Job) nodes() (least, most int) {
	least, most = max(1, j.MinNodes), j.MaxNodes
	if most == 0 && j.MinNodes > 0 {
		most = j.MinNodes
	}
	return least, most
}

// gpus are the GPUs of a node, of a task and of the whole job.
func (j Job) gpus() (node, task, job int) {
	for _, g := range j.GPUs {
		switch g.Per {
		case PerNode:
			node += g.Count
		case PerTask:
			task += g.Count
		case PerJob:
			job += g.Count
		}
	}
	return node, task, job
}

// wantsGPUs reports whether the job asks for any.
func (j Job) wantsGPUs() bool {
	node, task, job := j.gpus()
	return node+task+job > 0
}

// isModel reports whether a site's name for a GPU means a model of EC2's: one
// of its words is the model, or all of them together are. Slurm's names come
// from the driver (nvidia_a100-sxm4-80gb, tesla_v100) or from the site.
func isModel(name, model string) bool {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, strings.ToLower(s))
	}
	want := plain(model)
	if want == "" {
		return false
	}
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("_-. :/", r) }) {
		if plain(word) == want {
			return true
		}
	}
	return strings.Contains(plain(name), want) && len(want) > len("a100")
}
