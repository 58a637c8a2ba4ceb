package launch

import (
	"context"
	"errors"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
)

// How often a launch that nobody answered is looked for and repeated, and how
// often a placement group that is not visible yet is waited for.
const (
	unansweredLaunches = 4
	unseenGroups       = 6
)

// ErrNothingLives marks an ambiguous launch after which EC2 shows nothing of
// ours: another rung may be tried.
var ErrNothingLives = errors.New("nothing of it lives")

// attempt makes one launch: group, intent, call, outcome. It returns what
// serves the nodes; a gang that is not whole has been terminated by then.
func (c *Climber) attempt(ctx context.Context, a Ask, r Rung, nodes []string, minimum, number int) ([]Placed, string, *cloud.Error) {
	q := c.request(a, r, nodes, minimum, number)
	l := journal.Launch{Nodes: hostlist.Fold(nodes), Job: a.Job, Plan: a.Plan, Gang: a.Gang}

	group, err := c.group(ctx, a, r, q)
	if err != nil {
		return nil, q.Token, pool(r, err)
	}
	q.Group = group
	l.Request = q
	if err := c.Journal.Open(l); err != nil {
		c.dropGroup(ctx, r, group)
		// Without an intent a crash could leave instances that nobody claims.
		return nil, q.Token, &cloud.Error{Op: "RunInstances", Class: cloud.Config, Code: "JournalNotWritable", Err: err}
	}

	got, err := c.launch(ctx, q)
	if err == nil {
		got, err = c.settled(ctx, got)
	}
	if err == nil && len(got) < minimum {
		// An answer can be short of what was launched: EC2's tags are the truth.
		if found, lookErr := c.look(ctx, q); lookErr == nil && len(found) > len(got) {
			got = found
		}
	}
	if err == nil && len(got) < minimum {
		err = &cloud.Error{Op: "RunInstances", Class: cloud.Capacity, Code: "PartialLaunch",
			Err: errors.New("fewer instances than asked for")}
	}
	if err != nil {
		return nil, q.Token, c.undo(ctx, a, r, l, got, pool(r, err))
	}
	placed, surplus, byIndex := Assign(nodes, got)
	if len(surplus) > 0 {
		env.Warnf(c.Calls.Env, "launch.surplus", "%d instances more than asked for, ending them", len(surplus))
		if failed := c.Calls.TerminateNew(ctx, ids(surplus)); len(failed) > 0 {
			return nil, q.Token, c.undo(ctx, a, r, l, got, pool(r, failed[0].Err))
		}
	}
	if !byIndex {
		c.writeBack(ctx, placed)
	}
	for i := range placed {
		placed[i].Price = r.Price
	}
	if err := c.Journal.Placed(l, Records(placed)); err != nil {
		// The intent stands and EC2's tags tell the rest: go on.
		env.Warnf(c.Calls.Env, "journal", "%v", err)
	}
	return placed, q.Token, nil
}

// Again repeats a launch of which nobody knows what became, word for word and
// as patiently as the first time.
func (c *Climber) Again(ctx context.Context, q cloud.LaunchRequest) ([]cloud.Instance, error) {
	found, err := c.look(ctx, q)
	if err != nil || len(found) > 0 {
		return found, err
	}
	return c.launch(ctx, q)
}

// launch makes the call, patiently. Throttled, it waits with the same token;
// unanswered, it looks for the token's instances before it asks again.
func (c *Climber) launch(ctx context.Context, q cloud.LaunchRequest) ([]cloud.Instance, error) {
	unanswered, unseen, refused := 0, 0, 0
	for n := 1; ; n++ {
		c.Calls.Count("RunInstances")
		got, err := c.Calls.Cloud.Launch(ctx, q)
		switch cloud.ClassOf(err) {
		case "":
			return got, nil
		case cloud.Throttle:
		case cloud.Consistency: // the placement group, most likely
			if unseen++; unseen >= unseenGroups {
				return nil, err
			}
		case cloud.Credentials:
			if refused++; refused > 1 {
				return nil, err
			}
		case cloud.Token:
			// EC2 knows the token: from a call of ours that was not answered.
			return c.byToken(ctx, q, err)
		case cloud.Ambiguous:
			unanswered++
			found, lookErr := c.look(ctx, q)
			if lookErr != nil {
				return nil, lookErr
			}
			if len(found) > 0 {
				return found, nil
			}
			if unanswered >= unansweredLaunches {
				e := *cloud.AsError(err)
				e.Err = errors.Join(ErrNothingLives, e.Err)
				return nil, &e
			}
		default:
			return nil, err
		}
		env.Debugf(c.Calls.Env, "launch.again", "%v: again with the same token", err)
		if ctx.Err() != nil || !c.Calls.Pause(ctx, n) {
			return nil, err
		}
	}
}

// look finds the live instances of a token. An answer that shows some but not
// all is asked again: EC2 may not see them all yet.
func (c *Climber) look(ctx context.Context, q cloud.LaunchRequest) ([]cloud.Instance, error) {
	var found []cloud.Instance
	for n := 1; n <= 3; n++ {
		var err error
		found, err = c.Calls.DescribeAll(ctx, TokenQuery(q))
		if err != nil || len(found) == 0 || len(found) >= q.MinCount {
			return found, err
		}
		if !c.Calls.Pause(ctx, n) {
			break
		}
	}
	return found, nil
}

// TokenQuery finds what is alive of a launch, by our own tag: other endpoints
// than EC2's ignore client tokens.
func TokenQuery(q cloud.LaunchRequest) cloud.InstanceQuery {
	return cloud.InstanceQuery{
		Tags:   []cloud.Tag{{Key: identity.Cluster, Value: cloud.TagValue(q.Tags, identity.Cluster)}, {Key: identity.Launch, Value: q.Token}},
		States: []cloud.State{cloud.Pending, cloud.Running},
	}
}

func (c *Climber) byToken(ctx context.Context, q cloud.LaunchRequest, cause error) ([]cloud.Instance, error) {
	found, err := c.look(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		e := *cloud.AsError(cause)
		e.Class, e.Err = cloud.Ambiguous, errors.Join(ErrNothingLives, e.Err)
		return nil, &e
	}
	return found, nil
}

// settled waits for the addresses that the answer did not carry, and returns
// those instances that live, with an error where one died.
func (c *Climber) settled(ctx context.Context, got []cloud.Instance) ([]cloud.Instance, error) {
	for n := 1; ; n++ {
		var live []cloud.Instance
		var died *cloud.Error
		blank := false
		for _, i := range got {
			if i.State.Ended() {
				env.Warnf(c.Calls.Env, "launch.died", "%s died: %s", i.ID, orUnknown(i.StateReason))
				died = &cloud.Error{Op: "RunInstances", Class: cloud.Died, Code: orUnknown(i.StateReason), Type: i.Type, AZ: i.AZ}
				continue
			}
			live = append(live, i)
			blank = blank || i.PrivateIP == ""
		}
		if died != nil {
			return live, died
		}
		if !blank || !c.Calls.Pause(ctx, n) {
			return live, nil // without an address Slurm learns it from reconcile
		}
		fresh, err := c.Calls.DescribeAll(ctx, cloud.InstanceQuery{IDs: ids(got)})
		switch {
		case cloud.Is(err, cloud.Consistency): // not visible yet
		case err != nil:
			return live, nil
		case len(fresh) >= len(live):
			got = fresh
		}
	}
}

func orUnknown(code string) string {
	if code == "" {
		return "no reason given"
	}
	return code
}

// undo ends whatever a failed attempt left, and closes its record where
// nothing can live any more. A record that stays an intent is looked at again
// by the next call and by reconcile.
func (c *Climber) undo(ctx context.Context, a Ask, r Rung, l journal.Launch, got []cloud.Instance, err *cloud.Error) *cloud.Error {
	if failed := c.Calls.TerminateNew(ctx, ids(got)); len(failed) > 0 {
		e := *cloud.AsError(failed[0].Err)
		env.Errorf(c.Calls.Env, "launch.undo", "instances of a failed launch are still running, reconcile will end them: %d, first %s", len(failed), failed[0].ID)
		if e.Class.NextRung() {
			e.Class = cloud.Ambiguous // nothing may be launched over a live half
		}
		return &e
	}
	if err.Class != cloud.Ambiguous {
		if cerr := c.Journal.Close(l, journal.Failed, err.Word()); cerr != nil {
			env.Warnf(c.Calls.Env, "journal", "%v", cerr)
		}
	}
	if len(got) == 0 && err.Class != cloud.Ambiguous {
		c.dropGroup(ctx, r, l.Request.Group)
	}
	return err
}

// Assign says which instance serves which node: node i is the instance with
// launch index i where the indexes are exactly 0..n-1, else the i-th by sorted
// id (byIndex is false then, and the tags have to say so). Instances beyond
// the nodes are surplus.
func Assign(nodes []string, got []cloud.Instance) (placed []Placed, surplus []cloud.Instance, byIndex bool) {
	order := byLaunchIndex(got)
	byIndex = order != nil
	if !byIndex {
		order = byID(got)
	}
	for i, inst := range order {
		if i < len(nodes) {
			placed = append(placed, Placed{Node: nodes[i], Instance: inst})
		} else {
			surplus = append(surplus, inst)
		}
	}
	return placed, surplus, byIndex
}

// writeBack tags every instance with its node, where the launch index does not
// tell it.
func (c *Climber) writeBack(ctx context.Context, placed []Placed) {
	for _, p := range placed {
		err := c.Calls.Repeat(ctx, "CreateTags", func() error {
			return c.Calls.Cloud.Tag(ctx, []string{p.Instance.ID}, []cloud.Tag{{Key: identity.Node, Value: p.Node}})
		})
		if err != nil {
			env.Warnf(c.Calls.Env, "launch.tag", "%s serves %s, but its tag was not written: %v", p.Instance.ID, p.Node, err)
		}
	}
}
