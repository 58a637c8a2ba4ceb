// Package comeback says how jobs come back that lost their nodes before they could
// run, for want of capacity or because the nodes did not register in time. Slurm
// requeues such a job and starts it two minutes later, for ever; where instances
// are launched and none becomes a node, each time is paid for. So it comes back
// later and later, and after so many times in a row not by itself.
//
// It gives no node back and ends no instance: whoever does that tells it of the job.
package comeback

import (
	"context"
	"fmt"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/slurm"
)

// The first time a job comes back as Slurm has it (two minutes), then after twice
// as long each time, and after so many times not by itself. A shortage of hours
// costs some twenty calls, not hundreds.
const (
	firstDelay = 4 * time.Minute
	longDelay  = time.Hour
	maxTimes   = 20
)

// Later delays or holds a job that lost its nodes before it could run and that
// Slurm has requeued for it, by how often that was in a row. restarts is how often
// Slurm has requeued it with this time, code why it was. A job that cannot be
// requeued has ended. The error is slurmctld's.
func Later(ctx context.Context, c *program.Call, job slurm.Record, restarts int, code string) error {
	if !slurm.CanHold(job) {
		return nil
	}
	f, fresh, err := c.Journal.Failed(job.ID, restarts, code)
	if err != nil {
		env.Warnf(c.Env, "journal", "job %s: %v", job.Ref(), err)
	}
	if !fresh || f.Times < 2 {
		return nil
	}
	times := fmt.Sprintf("it lost its nodes %d times in a row before it could run", f.Times)
	if f.Times <= maxTimes {
		delay := min(longDelay, firstDelay<<min(f.Times-2, 8))
		if err := c.Slurm.Delay(ctx, job, delay); err != nil {
			return err
		}
		env.Infof(c.Env, "job.delayed", "job %s comes back in %.0f min: %s", job.Ref(), delay.Minutes(), times)
		return nil
	}
	if err := c.Slurm.Hold(ctx, job); err != nil {
		return err
	}
	env.Warnf(c.Env, "job.held", "job %s is held: %s, the last one for %s ('scontrol release %s' lets it try again)", job.Ref(), times, code, job.Ref())
	if err := c.Slurm.Comment(ctx, job, "held: "+times); err != nil {
		env.Warnf(c.Env, "job", "job %s: comment not written: %v", job.Ref(), err)
	}
	return nil
}
