package program

import (
	"context"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/fleet"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/slurm"
)

// Young is how long EC2 may not show an instance that it has launched: AWS
// advises to allow for a few minutes.
const Young = 5 * time.Minute

// IntentLifetime is how long an unfinished launch may still be its call's: a
// launch takes minutes at most.
const IntentLifetime = Young

// DropGroup removes one placement group; it reports whether it is gone.
func (c *Call) DropGroup(ctx context.Context, name string) bool {
	err := c.Calls.Repeat(ctx, "DeletePlacementGroup", func() error { return c.Cloud.DeleteGroup(ctx, name) })
	switch {
	case err == nil, cloud.Is(err, cloud.Consistency, cloud.Unsupported):
		if err := c.Journal.DropGroup(name); err != nil {
			env.Warnf(c.Env, "journal", "%v", err)
		}
		return true
	case cloud.Is(err, cloud.InUse):
		env.Debugf(c.Env, "group", "placement group %s is still in use", name)
	default:
		env.Warnf(c.Env, "group", "placement group %s not removed: %v", name, err)
	}
	return false
}

// Repay repeats a push of addresses that an earlier call owes, for the nodes that
// the fleet shows served by the same instances.
func (c *Call) Repay(ctx context.Context, p journal.Push, f *fleet.Fleet) error {
	var addrs []slurm.Addr
	waiting := false
	for _, a := range p.Addrs {
		for _, i := range f.Of(a.Node) {
			if i.ID == a.Instance && i.State.Alive() {
				waiting = waiting || i.PrivateIP == ""
				if i.PrivateIP != "" {
					addrs = append(addrs, slurm.Addr{Node: a.Node, IP: i.PrivateIP})
				}
			}
		}
	}
	if len(addrs) > 0 && !c.Slurm.Off() {
		failed, err := c.Slurm.PushAddresses(ctx, addrs, slurm.Push{SingleUse: p.SingleUse, Reason: p.Reason})
		if err == nil && len(failed) > 0 {
			err = failed[0].Err
		}
		if err != nil {
			return err
		}
	}
	if waiting {
		return nil // the next pass has the rest
	}
	return c.Journal.Paid(p)
}

// First returns what went wrong with a call on nodes, if anything.
func First(failed []slurm.NodeError, err error) error {
	if err == nil && len(failed) > 0 {
		return failed[0].Err
	}
	return err
}
