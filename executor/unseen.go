package executor

import (
	"context"
	"slices"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
)

// showsWithin is how long EC2 may take to show an instance that it has launched:
// AWS advises to allow for a minute and more, and has it at seconds.
const showsWithin = time.Minute

// unseen adds the instances that the journal says were launched for our nodes a
// moment ago and that the look-up does not show. They are waited for until EC2
// shows them, alive or ended: launching beside them would double the nodes. By
// whatever clock a launch was written down, it was made before we began to look.
func (r *resumption) unseen(ctx context.Context, launches []journal.Launch, live []cloud.Instance) ([]cloud.Instance, error) {
	began := r.Env.Now()
	for _, l := range launches {
		shown := live
		age := func() time.Duration { return r.Env.Now().Sub(min(l.Updated, began)) }
		for n := 1; age() < showsWithin && r.hides(l, shown); n++ {
			if n == 1 {
				env.Debugf(r.Env, "unseen", "EC2 does not show the instances of %s launched %.0f s ago, looking again", l.Nodes, age().Seconds())
			} else if !r.Calls.Pause(ctx, n-1) {
				return nil, cloud.Errorf("DescribeInstances", cloud.Ambiguous, "the instances of %s launched %.0f s ago are not shown yet", l.Nodes, age().Seconds())
			}
			var err error
			if shown, err = r.Calls.DescribeAll(ctx, cloud.InstanceQuery{Tags: []cloud.Tag{{Key: identity.Launch, Value: l.Request.Token}}}); err != nil {
				return nil, err
			}
			live = withLate(live, slices.DeleteFunc(slices.Clone(shown), func(i cloud.Instance) bool { return i.State.Ended() }))
		}
	}
	return live, nil
}

// hides reports whether a launch gave nodes of ours, not suspended since, an
// instance that is not among those shown.
func (r *resumption) hides(l journal.Launch, shown []cloud.Instance) bool {
	return l.State == journal.Launched && slices.ContainsFunc(l.Placed, func(p journal.Placed) bool {
		return slices.Contains(r.nodes, p.Node) && r.buried.At(p.Node) <= l.Written &&
			!slices.ContainsFunc(shown, func(i cloud.Instance) bool { return i.ID == p.Instance })
	})
}
