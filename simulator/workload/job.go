// Package workload is what a simulated cluster has to do: jobs, one after the
// other. The packages below it read them from traces of real clusters, or draw
// them from models of such.
//
// It knows neither Slurm's scheduler nor EC2: a job says what was asked for and
// how long it runs, and whoever simulates decides the rest.
package workload

import (
	"iter"
	"time"
)

// Job is one job of a workload. Instants count from the workload's beginning.
// Strings are shared between jobs: a reader keeps each name once.
type Job struct {
	// ID is the job's number in its trace. It is unique within a Source.
	ID int64

	// Submit is when the job is handed in, Begin the instant before which it
	// must not start (sbatch --begin), 0 for none.
	Submit, Begin time.Duration
	// Run is how long the job works where nothing disturbs it, and Limit the
	// time that it asked for, 0 where it did not say. Run may be longer: who
	// simulates says what becomes of such a job.
	Run, Limit time.Duration

	// Procs counts the CPUs that the job asks for in all, at least 1. Nodes is
	// how many nodes it asks for, 0 where it leaves them open: as many as Procs
	// need.
	Procs, Nodes int32
	// GPUsPerNode counts GPUs; memory is in MiB, for a node or for each CPU that
	// the job has there. 0 is what the job did not say.
	GPUsPerNode                  int32
	MemoryPerNode, MemoryPerProc int64

	User, Account, Partition, QOS, Name string
	// Constraint is a feature expression as sbatch --constraint has it.
	Constraint string

	// After is the job that this one waits for, 0 for none: it becomes eligible
	// Think after that job has ended (SWF's fields 17 and 18), or, with AfterOK,
	// only if it ended well (sbatch --dependency=afterok).
	After   int64
	Think   time.Duration
	AfterOK bool

	// Array is the array that the job is a task of, 0 for none.
	Array int64
	Task  int32

	// Coupled is a job whose processes of several nodes talk to each other all
	// the time: it works when all of its nodes are there, and not before.
	Coupled bool
	// Exclusive is a job that shares its nodes with no other. NoRequeue is one
	// that must not be started a second time.
	Exclusive, NoRequeue bool

	// Recorded is what the trace says became of the job on the real cluster:
	// never an input to a simulation, for it is an outcome.
	Recorded Recorded
}

// Recorded is a job's outcome on the real cluster.
type Recorded struct {
	Wait   time.Duration // -1: not known
	Procs  int32         // allocated; 0: not known
	Status Status
}

// Status is how a job ended, by SWF's numbers.
type Status int8

// The numbers of SWF 2.2's field 11.
const (
	Unknown   Status = -1
	Failed    Status = 0
	Completed Status = 1
	Cancelled Status = 5
)

// Source yields jobs in the order in which they are submitted, and an error as
// its last element where it cannot go on. It holds no more than it must: a
// trace may be larger than memory.
type Source = iter.Seq2[Job, error]

// NodesOf is how many nodes of so many CPUs the job takes: what it asks for, or
// as many as its CPUs need.
func (j *Job) NodesOf(cpus int) int {
	need := (int(j.Procs) + max(1, cpus) - 1) / max(1, cpus)
	return max(1, need, int(j.Nodes))
}

// MemoryOn is how much memory the job takes, in MiB, of a node on which it has
// so many CPUs; 0 is what it did not say.
func (j *Job) MemoryOn(cpus int) int64 {
	return max(j.MemoryPerNode, j.MemoryPerProc*int64(max(1, cpus)))
}
