// Package executor is the program behind slurmctld's ResumeProgram,
// SuspendProgram and ResumeFailProgram, and behind reconcile: it composes the
// rooms below it and runs on env.Env, so that the simulator runs the very same
// code in virtual time.
//
// Each method of Executor is one call of a program. It returns a Report; it
// never prints, and it never fails without saying what became of every node.
package executor

import (
	"context"

	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/reconcile"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/suspend"
)

// Executor is a machine that the programs run on.
type Executor program.Machine

// Suspend powers nodes down: it ends what was launched for them until now. What
// a resume launches for them later, or at this moment, is that call's to keep or
// to end: it sees the tombstone.
func (x *Executor) Suspend(ctx context.Context, names []string) *report.Report {
	return suspend.Run(ctx, (*program.Machine)(x), "suspend", names)
}

// ResumeFail ends the instances of nodes that did not come up in time and
// makes the nodes usable again: after ResumeTimeout Slurm calls no other
// program for them.
func (x *Executor) ResumeFail(ctx context.Context, names []string) *report.Report {
	return suspend.Run(ctx, (*program.Machine)(x), "resume-fail", names)
}

// ReconcileRequest says how to reconcile.
type ReconcileRequest = reconcile.Request

// Reconcile heals, in one pass, what dead processes, lost answers and lost
// files left behind: open intents, orphans, doubles, expired instances, stale
// placement groups, addresses that Slurm does not have.
func (x *Executor) Reconcile(ctx context.Context, q ReconcileRequest) *report.Report {
	return reconcile.Run(ctx, (*program.Machine)(x), q)
}
