// Package record is what a simulated cluster tells while it runs: one Event for
// each thing that happened to a job, a node, an instance or a call. Whoever
// computes figures or writes files takes events, and needs no model for it.
//
// Events come in order of time. The package computes nothing.
package record

import (
	"fmt"

	"aws-slurm-burst/executor/env"
)

// Kind says what happened.
type Kind uint8

// Kinds of events, and which fields of Event they have beside At. Job events
// carry Job, Attempt and Spec (the first one only).
const (
	// JobSubmitted is a job handed in (Spec). JobEligible is the instant from
	// which it may start: after --begin and dependencies, or a requeue's delay.
	JobSubmitted Kind = iota
	JobEligible
	// JobAllocated has the job's Nodes: some may still have to boot (CONFIGURING),
	// and the Partition that they are of, where there are any.
	// JobStarted is when its batch script begins, JobWorking when all that it
	// needs is there: time between them is paid for and lost.
	JobAllocated
	JobStarted
	JobWorking
	// JobEnded has its final State (COMPLETED, TIMEOUT, NODE_FAIL, CANCELLED);
	// JobRequeued the Cause for which it goes back into the queue; JobHeld the
	// Cause for which it stays there.
	JobEnded
	JobRequeued
	JobHeld

	// NodeResumed is a node that Slurm asked its ResumeProgram for (POWERING_UP), of
	// so many CPUs; NodeReady one that slurmd has registered for, with its Instance, "" on the
	// premises. NodeFailed is one that did not come in time, or was lost (Cause).
	// NodeSuspended is one that Slurm asked its SuspendProgram for, with the Cause
	// SingleUse where it was set aside for one job; NodeDown one that is powered
	// down.
	NodeResumed
	NodeReady
	NodeFailed
	NodeSuspended
	NodeDown

	// InstanceLaunched has Instance, Type, AZ, Market, VCPUs, the quota's Family,
	// USD an hour, and Nodes where the launch says for which. InstanceRunning is
	// the instant from which it is billed; InstanceWarned a spot interruption's
	// notice; InstanceEnding the instant until which it is billed, with its Cause
	// (EC2's state reason, such as Client.UserInitiatedShutdown or
	// Server.SpotInstanceTermination) and what it was Charged in all; InstanceGone when EC2 counts it no more.
	// InstanceCharged is one that still runs at the end of the run, with what it is
	// Charged if that is its end.
	InstanceLaunched
	InstanceRunning
	InstanceWarned
	InstanceEnding
	InstanceGone
	InstanceCharged

	// Resumed is the end of a call of the resume program: the Nodes it was called
	// for, Began, the Exit code, and how many of them (Count) it got. Suspended
	// likewise.
	Resumed
	Suspended
	// Gang is one multi-node group of such a call: its Job, its Nodes, how many
	// of them (Count) it got, and Depth, how many rungs were tried before the one
	// that it got, or all.
	Gang
	// Call is an EC2 API call: its Operation, and the Code that it failed with.
	Call

	// Assumed says once that a figure rests on a number that nobody has measured:
	// Cause is the number's name and value.
	Assumed

	kinds // how many there are
)

var kindNames = [kinds]string{
	"job_submitted", "job_eligible", "job_allocated", "job_started", "job_working", "job_ended", "job_requeued", "job_held",
	"node_resumed", "node_ready", "node_failed", "node_suspended", "node_down",
	"instance_launched", "instance_running", "instance_warned", "instance_ending", "instance_gone", "instance_charged",
	"resumed", "suspended", "gang", "call", "assumed",
}

// String is the kind's name in events.jsonl, such as job_started.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind_%d", k)
}

// SingleUse is the Cause of a NodeSuspended whose node was to be powered down as
// soon as its job had ended, so that no other job could have it.
const SingleUse = "POWER_DOWN_ASAP"

// Spec is what a job asked for, as far as figures need it.
type Spec struct {
	User, Account, Partition string
	Procs, Nodes             int
	LimitS, RunS             float64
}

// Event is one thing that happened. Which fields are set is each Kind's.
type Event struct {
	At   env.Time
	Kind Kind

	Job     int64
	Attempt int // 0 the first, one more with each requeue
	Spec    *Spec
	State   string
	Cause   string
	// Partition is one of those that the job was handed in to.
	Partition string

	Node  string
	Nodes []string
	CPUs  int // as Slurm counts them
	Count int
	Depth int
	Began env.Time
	Exit  int

	Instance, Type, AZ, Market, Family string
	VCPUs                              int
	USD                                float64 // an hour
	Charged                            float64 // USD

	Operation, Code string
}

// Begin is the instant at which the workload of every simulation begins:
// 2026-01-01T00:00:00Z. A simulated clock that began with 0 would meet code for
// which that is no time.
const Begin env.Time = 1_767_225_600_000_000_000

// Sink takes events. It must not keep Nodes or Spec longer than the call unless
// it copies them.
type Sink func(Event)
