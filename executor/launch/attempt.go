package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/ladder"
)

// How often a launch that nobody answered is looked for and repeated, and how
// often a placement group that is not visible yet is waited for: about a
// minute, as AWS advises to allow for.
const (
	unansweredLaunches = 4
	unseenGroups       = 9
)

// How long a launch that may have been made is looked for before EC2 is believed
// that nothing lives of it: another rung before that could double the nodes. AWS
// has it at seconds, and advises to allow for a minute. One that EC2 refuses at
// last would have been answered, had EC2 made it: seconds will do.
const (
	shownWithin   = time.Minute
	refusedWithin = 10 * time.Second
)

// A launch that was not answered may have been made all the same. Its record
// stays an intent, and its token is looked for once more at the climb's end.
var (
	// ErrUnsure marks the error of such a launch.
	ErrUnsure = errors.New("EC2 may have launched it all the same")
	// ErrNothingLives says that EC2 shows nothing of it: another rung may be
	// tried.
	ErrNothingLives = errors.New("EC2 shows nothing of it")
)

// unsure is an error after which nobody knows whether the launch was made.
type unsure struct {
	error
	nothing bool     // EC2 was asked, and shows nothing
	asked   env.Time // when the last call was made that may have been applied
}

func (u unsure) Unwrap() error { return u.error }

func (u unsure) Is(target error) bool {
	return target == ErrUnsure || target == ErrNothingLives && u.nothing
}

// doubt wraps an error of a launch that may have been made, asked for at an instant.
func doubt(err error, nothing bool, asked env.Time) *cloud.Error {
	e := *cloud.AsError(err)
	if e.Err == nil {
		e.Err = errors.New("no message")
	}
	e.Err = unsure{e.Err, nothing, asked}
	return &e
}

// attempt makes one launch: group, intent, call, outcome. It returns what
// serves the nodes; a gang that is not whole has been terminated by then.
func (c *Climber) attempt(ctx context.Context, a Ask, r ladder.Rung, nodes []string, minimum, number int) ([]Placed, string, *cloud.Error) {
	q := Request(a, r, nodes, minimum, number, c.Calls.Env.Now())
	l := journal.Launch{Call: a.Call, Nodes: hostlist.Fold(nodes), Job: a.Job, Plan: a.Plan, Gang: a.Gang}

	group, err := c.group(ctx, a, r, q)
	if err != nil {
		return nil, q.Token, pool(r, err)
	}
	q.Group = group
	l.Request = q
	if l, err = c.Journal.Open(l); err != nil {
		c.dropGroup(ctx, q)
		// Without an intent a crash could leave instances that nobody claims.
		return nil, q.Token, &cloud.Error{Op: "RunInstances", Class: cloud.Config, Code: "JournalNotWritable", Err: err}
	}

	got, err := c.launch(ctx, q)
	live := got
	if err == nil {
		live, err = c.settled(ctx, got)
	}
	var died *cloud.Error // of a part of a best-effort launch: the rest serves
	if cloud.Is(err, cloud.Died) && !a.Gang && len(live) > 0 {
		died, err = pool(r, err), nil
	}
	if err != nil {
		return nil, q.Token, c.undo(ctx, l, got, pool(r, err))
	}
	placed, surplus, byIndex := Assign(nodes, live)
	if len(surplus) > 0 {
		env.Warnf(c.Calls.Env, "launch.surplus", "%d instances more than asked for, ending them", len(surplus))
		if failed := c.Calls.TerminateNew(ctx, ids(surplus)); len(failed) > 0 {
			return nil, q.Token, c.undo(ctx, l, got, pool(r, failed[0].Err))
		}
	}
	if !byIndex || died != nil { // the indexes of the rest have gaps
		c.writeBack(ctx, placed)
	}
	for i := range placed {
		placed[i].Price, placed[i].PriceDate = r.Price, r.PriceDate
	}
	if err := c.Journal.Placed(l, Records(placed)); err != nil {
		// The intent stands and EC2's tags tell the rest: go on.
		env.Warnf(c.Calls.Env, "journal", "%v", err)
	}
	return placed, q.Token, died
}

// Again repeats a launch of which nobody knows what became, word for word and
// as patiently as the first time.
func (c *Climber) Again(ctx context.Context, q cloud.LaunchRequest) ([]cloud.Instance, error) {
	shown, err := c.look(ctx, q)
	if err != nil || len(shown) >= q.MinCount {
		return shown, err
	}
	return c.launch(ctx, q)
}

// launch makes the call, patiently. Throttled, it waits with the same token;
// unanswered, it looks for the token's instances before it asks again. Once a
// call was not answered, no refusal proves anything: the call before it may
// have been applied. It was where EC2 shows some of its instances, and then there
// are all: none of them is given up for lost.
func (c *Climber) launch(ctx context.Context, q cloud.LaunchRequest) ([]cloud.Instance, error) {
	unanswered, unseen, refused := 0, 0, 0
	var doubtful env.Time // when the last call was made that was not answered
	for n := 1; ; n++ {
		asked := c.Calls.Env.Now()
		c.Calls.Count("RunInstances")
		got, err := c.Calls.Cloud.Launch(ctx, q)
		if err == nil {
			err = sane(q, got)
		}
		var shown []cloud.Instance
		switch class := cloud.ClassOf(err); {
		case err == nil:
			return got, nil
		case class == cloud.Throttle:
		case class == cloud.Consistency: // the placement group, most likely
			if unseen++; unseen >= unseenGroups {
				e := *cloud.AsError(err)
				e.Class = cloud.Config // a group that a site has named wrongly
				if unanswered > 0 {
					return nil, doubt(&e, false, doubtful)
				}
				return nil, &e
			}
		case class == cloud.Credentials && refused == 0:
			refused++
		default: // not answered, a token that EC2 knows, or a refusal
			if class == cloud.Ambiguous || class == cloud.Token {
				unanswered++
				doubtful = asked
			}
			if unanswered == 0 {
				return nil, err
			}
			last := class != cloud.Ambiguous || unanswered >= unansweredLaunches
			wait := refusedWithin
			if class == cloud.Ambiguous || class == cloud.Token {
				wait = shownWithin
			}
			var lookErr error
			for k := 1; ; k++ {
				if shown, lookErr = c.look(ctx, q); lookErr != nil {
					return nil, doubt(lookErr, false, doubtful)
				}
				if len(shown) > 0 {
					wait = shownWithin
				}
				// Of fewer than asked for more may come; so long nobody asks again.
				enough := len(shown) >= q.MaxCount || len(shown) < q.MinCount && !last
				if enough || c.Calls.Env.Now().Sub(doubtful) > wait {
					break
				}
				if ctx.Err() != nil || !c.Calls.Pause(ctx, k) {
					return shown, doubt(err, false, doubtful)
				}
			}
			switch {
			case len(shown) >= q.MinCount:
				return shown, nil
			case last:
				e := doubt(err, len(shown) == 0, doubtful)
				if class == cloud.Token || len(shown) > 0 {
					e.Class = cloud.Ambiguous
				}
				return shown, e
			}
		}
		env.Debugf(c.Calls.Env, "launch.again", "%v: again with the same token", err)
		if ctx.Err() != nil || !c.Calls.Pause(ctx, n) {
			if unanswered > 0 {
				return shown, doubt(err, false, doubtful)
			}
			return nil, err
		}
	}
}

// sane refuses an answer that cannot be true: EC2 launches at least MinCount
// or nothing, and every instance has an id of its own. The call was applied,
// but what it did has to be looked for.
func sane(q cloud.LaunchRequest, got []cloud.Instance) error {
	seen := map[string]bool{}
	for _, i := range got {
		if i.ID == "" || seen[i.ID] {
			return &cloud.Error{Op: "RunInstances", Class: cloud.Ambiguous, Code: "BadAnswer", Err: fmt.Errorf("the answer names %d instances, some twice or not at all", len(got))}
		}
		seen[i.ID] = true
	}
	if len(got) < q.MinCount {
		return &cloud.Error{Op: "RunInstances", Class: cloud.Ambiguous, Code: "ShortAnswer", Err: fmt.Errorf("the answer names %d instances of at least %d", len(got), q.MinCount)}
	}
	return nil
}

// look finds the instances of a token, those that have ended too: they say that
// the launch was made. An answer that shows some but not all is asked again: EC2
// may not see them all yet.
func (c *Climber) look(ctx context.Context, q cloud.LaunchRequest) ([]cloud.Instance, error) {
	var shown []cloud.Instance
	for n := 1; n <= 3; n++ {
		var err error
		shown, err = c.Calls.DescribeAll(ctx, tokenQuery(q))
		if err != nil || len(shown) == 0 || len(shown) >= q.MinCount {
			return shown, err
		}
		if !c.Calls.Pause(ctx, n) {
			break
		}
	}
	return shown, nil
}

// tokenQuery finds the instances of a launch by our own tag: other endpoints than
// EC2's ignore client tokens.
func tokenQuery(q cloud.LaunchRequest) cloud.InstanceQuery {
	return cloud.InstanceQuery{
		Tags: []cloud.Tag{{Key: identity.Cluster, Value: cloud.TagValue(q.Tags, identity.Cluster)}, {Key: identity.Launch, Value: q.Token}},
	}
}

// settled waits for the addresses that the answer did not carry, and returns
// those instances that live, with an error where one died.
func (c *Climber) settled(ctx context.Context, got []cloud.Instance) ([]cloud.Instance, error) {
	for n := 1; ; n++ {
		if !slices.ContainsFunc(got, func(i cloud.Instance) bool { return i.State.Ended() || i.PrivateIP == "" }) {
			return got, nil
		}
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
// at the climb's end, by the next call and by reconcile.
func (c *Climber) undo(ctx context.Context, l journal.Launch, got []cloud.Instance, err *cloud.Error) *cloud.Error {
	if failed := c.Calls.TerminateNew(ctx, ids(got)); len(failed) > 0 {
		env.Errorf(c.Calls.Env, "launch.undo", "instances of a failed launch are still running, reconcile will end them: %s", calls.FailureText(failed))
		now := c.Calls.Env.Now()
		c.unsure = append(c.unsure, c.doubted(l, got, now))
		e := doubt(failed[0].Err, false, now)
		if e.Class.NextRung() || e.Class == cloud.Consistency {
			e.Class = cloud.Ambiguous // nothing may be launched over a live half
		}
		return e
	}
	if err.Class == cloud.Ambiguous || errors.Is(err, ErrUnsure) {
		asked := c.Calls.Env.Now()
		var u unsure
		if errors.As(err, &u) {
			asked = u.asked
		}
		c.unsure = append(c.unsure, c.doubted(l, nil, asked))
		return err
	}
	if cerr := c.Journal.Close(l, journal.Failed, err.Word()); cerr != nil {
		env.Warnf(c.Calls.Env, "journal", "%v", cerr)
	}
	c.dropGroup(ctx, l.Request)
	return err
}

// doubted writes down that a launch was given up in doubt: whoever comes next knows
// since when it is looked for and, where EC2 has named all of its instances, them.
func (c *Climber) doubted(l journal.Launch, named []cloud.Instance, asked env.Time) journal.Launch {
	nodes, err := hostlist.Expand(l.Nodes)
	if err == nil {
		var placed []Placed
		if len(named) == len(nodes) { // of a part nobody knows which nodes it is
			placed, _, _ = Assign(nodes, named)
		}
		l, err = c.Journal.Doubt(l, Records(placed), asked)
	}
	if err != nil {
		env.Warnf(c.Calls.Env, "journal", "%v", err) // the intent stands as it was
	}
	return l
}

// lookAgain is the last look for launches of this climb that may have been
// made all the same: what shows now is ended. Their records stay intents for
// the next call and for reconcile, unless EC2 has shown all of one, or the climb
// has reached its end with other instances: then late ones are second instances
// of their nodes.
func (c *Climber) lookAgain(ctx context.Context, whole bool) {
	for _, l := range c.unsure {
		shown, err := c.look(ctx, l.Request)
		live := slices.DeleteFunc(slices.Clone(shown), func(i cloud.Instance) bool { return i.State.Ended() })
		if err == nil && len(live) > 0 {
			env.Warnf(c.Calls.Env, "launch.late", "%d instances of a launch that was not answered have come up, ending them", len(live))
			if failed := c.Calls.TerminateNew(ctx, ids(live)); len(failed) > 0 {
				err = failed[0].Err
			}
		}
		switch {
		case err != nil:
			env.Errorf(c.Calls.Env, "launch.unsure", "a launch for %s was not answered and may be running, reconcile looks for it: %v", l.Nodes, err)
		case whole || len(shown) >= l.Request.MinCount:
			if err := c.Journal.Close(l, journal.Failed, "NothingLives"); err != nil {
				env.Warnf(c.Calls.Env, "journal", "%v", err)
			}
			c.dropGroup(ctx, l.Request)
		}
	}
	c.unsure = nil
}
