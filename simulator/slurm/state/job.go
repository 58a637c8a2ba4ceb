package state

import "aws-slurm-burst/executor/env"

// JobState is a job's state.
type JobState uint8

// States of jobs. Those from Completed on are final.
const (
	Pending JobState = iota
	Configuring
	Running
	CompletingJob
	Completed
	Cancelled
	Failed
	Timeout
	NodeFail
	Preempted
	BootFail
	Deadline
	OutOfMemory
)

var jobStates = [...]string{
	"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL",
	"PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY",
}

// String is the state as scontrol writes it.
func (s JobState) String() string { return jobStates[s] }

// HasNodes reports whether a job's nodes are its own now.
func (s JobState) HasNodes() bool { return s == Configuring || s == Running || s == CompletingJob }

// Ended reports whether the state is final.
func (s JobState) Ended() bool { return s >= Completed }

// ParseJobState reads a job's state.
func ParseJobState(s string) (JobState, bool) {
	for i, name := range jobStates {
		if s == name {
			return JobState(i), true
		}
	}
	return 0, false
}

// Job is a job: each task of an array and each component of a heterogeneous job
// is one. Its texts are numbers of Table.Text, so that a million pending jobs
// fit into memory.
type Job struct {
	ID int32
	// Array is the array's id, or a heterogeneous job's, 0 for none: Table.Group
	// finds the others. Task is the task's number, or the component's.
	Array, Task int32
	Origin      int32 // who asked for what: Table.Origin
	Name        int32 // Text
	Reason      int32 // Text
	NumNodes    int32
	NumCPUs     int32
	Restarts    int16
	State       JobState
	Bits        Bits
	// Nodes are its nodes; a requeued job may keep what it had.
	Nodes []int32
	// NotBefore is the instant before which it must not start, 0 for none.
	NotBefore env.Time
	// More is what few jobs have; nil for nothing.
	More *More

	next, prev int32 // of its group
}

// Bits are what a job is or is not.
type Bits uint8

const (
	// Batch jobs are not srun's or salloc's; Requeue is not --no-requeue.
	Batch Bits = 1 << iota
	Requeue
	Held
	// Het jobs are components of heterogeneous ones.
	Het
)

// Is reports whether the job has all of these bits.
func (j *Job) Is(b Bits) bool { return j.Bits&b == b }

// More is what few jobs have.
type More struct {
	Tasks                 string // "4-6,9%2": tasks that have not begun, one job for all of them
	ReqNodes, ExcNodes    []int32
	AdminComment, Comment string
	Script                string // the batch script that Slurm keeps
}

// Rare returns what few jobs have, made where there is none yet.
func (j *Job) Rare() *More {
	if j.More == nil {
		j.More = &More{}
	}
	return j.More
}

// Origin is what the jobs of one user have in common.
type Origin struct {
	User, Account, Partition, QOS, Constraint string
	UID                                       int32
}
