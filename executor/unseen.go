package executor

import (
	"context"
	"slices"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/program"
)

// showsWithin is how long EC2 may take to show an instance of a launch that it may
// have made: AWS advises to allow for a minute and more, and has it at seconds. Of one
// that EC2 has answered, or of which it shows some, all live until EC2 shows that they
// have ended: so for them the longer program.Young holds.
const showsWithin = time.Minute

// unseen adds the instances that the journal says were launched for our nodes a
// moment ago, or may have been, and that the look-up does not show. They are waited
// for until EC2 shows them, alive or ended: launching beside them would double the
// nodes. By whatever clock a launch was written down, it was made before we began to
// look.
func (r *resumption) unseen(ctx context.Context, launches []journal.Launch, live []cloud.Instance) ([]cloud.Instance, error) {
	began := r.Env.Now()
	for _, l := range launches {
		since := min(l.Updated, began)
		if l.State == journal.Intent {
			if slices.ContainsFunc(r.parts, func(p *part) bool {
				last := r.lastIntent(p, launches)
				return last != nil && last.Request.Token == l.Request.Token
			}) {
				continue // it is asked for again: its token tells at once
			}
			if began.Sub(l.Written) > program.IntentLifetime {
				continue
			}
			if l.Updated == l.Written { // whoever wrote it died, and nobody knows when
				since = began
			}
		}
		shown, within := live, program.Young // for one look at least
		age := func() time.Duration { return r.Env.Now().Sub(since) }
		for n := 1; age() < within && r.hides(l, shown); n++ {
			if n == 1 {
				env.Debugf(r.Env, "unseen", "EC2 does not show the instances of %s launched %.0f s ago, looking again", l.Nodes, age().Seconds())
			} else if !r.Calls.Pause(ctx, n-1) {
				return nil, cloud.Errorf("DescribeInstances", cloud.Ambiguous, "the instances of %s launched %.0f s ago are not shown yet", l.Nodes, age().Seconds())
			}
			var err error
			if shown, err = r.Calls.DescribeAll(ctx, cloud.InstanceQuery{Tags: []cloud.Tag{{Key: identity.Launch, Value: l.Request.Token}}}); err != nil {
				return nil, err
			}
			// Where fewer will do there may be no more. A clock that is ahead says
			// nothing of how long ago it was.
			lacks := len(l.Placed) > 0 || len(shown) > 0 && len(shown) < l.Request.MinCount
			if !lacks || l.Updated > began {
				within = showsWithin
			}
			live = withLate(live, slices.DeleteFunc(slices.Clone(shown), func(i cloud.Instance) bool { return i.State.Ended() }))
		}
	}
	return live, nil
}

// hides reports whether a launch gave nodes of ours an instance that is not among
// those shown, or may have. What was suspended since counts: a suspend that has ended
// its instances has closed the record.
func (r *resumption) hides(l journal.Launch, shown []cloud.Instance) bool {
	if l.State == journal.Intent && len(l.Placed) == 0 {
		made := 0
		for _, i := range shown {
			if i.TagValue(identity.Launch) == l.Request.Token {
				made++
			}
		}
		return r.isOurs(l) && made < l.Request.MaxCount
	}
	return slices.ContainsFunc(l.Placed, func(p journal.Placed) bool {
		return slices.Contains(r.nodes, p.Node) && !slices.ContainsFunc(shown, func(i cloud.Instance) bool { return i.ID == p.Instance })
	})
}
