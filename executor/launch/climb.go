// Package launch climbs a ladder: one RunInstances call a rung, until every
// node has an instance or no rung is left. A gang is launched whole or not at
// all, an unanswered launch is looked for before it is repeated, and what a
// failed one left is ended before the next.
//
// It does not know Slurm, plans or configurations, and never decides what to
// try.
package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/ladder"
)

// Journal is what a climb writes down before and after each call.
type Journal interface {
	Open(journal.Launch) (journal.Launch, error)
	Placed(journal.Launch, []journal.Placed) error
	Doubt(l journal.Launch, named []journal.Placed, asked env.Time) (journal.Launch, error)
	Close(l journal.Launch, state journal.State, code string) error
	AddGroup(name string) error
	DropGroup(name string) error
}

// Ask is one group of nodes to launch.
type Ask struct {
	Cluster, Job, Plan string
	// Call is the resume call's nonce, Nonce what tokens are made of: the same,
	// but for a ladder that one call climbs again.
	Call, Nonce string
	// Nodes in Slurm's order; MaxPerCall instances at most go into one call of
	// a best-effort launch.
	Nodes []string
	Gang  bool
	// Base holds what every rung's request has in common.
	Base cloud.LaunchRequest
	// Tags are the site's and the plan's own; ours are added.
	Tags    []cloud.Tag
	Expires env.Time
	// Spent is what the job's other nodes cost already, in USD an hour: the
	// ladder's limit is for all of them.
	Spent float64
	// GroupPreferred says that a placement group is a wish that may be dropped
	// where the endpoint has none.
	GroupPreferred bool
	// After is when one of the nodes was last suspended, by whatever clock: the
	// launch counts as later.
	After env.Time
	// OneAZ keeps all nodes of a best-effort launch in the first zone that
	// gave any.
	OneAZ bool
	// Halted returns those of the nodes that were suspended meanwhile, or an
	// error where nobody waits for any of them. It is asked before each rung.
	Halted func(ctx context.Context) ([]string, *cloud.Error)
}

// Outcome is what a climb came to.
type Outcome struct {
	Placed   []Placed
	Attempts []Attempt
	// Short is what the climb learned about pools.
	Short []ladder.Shortage
	// Halted are the nodes that were not wanted any more.
	Halted []string
	// Err says why nodes are missing, nil where none is. Its class decides the
	// reaction and the exit code.
	Err *cloud.Error
}

// Placed is a node with its instance.
type Placed struct {
	Node     string
	Instance *cloud.Instance
	// Price is in USD an hour at most, 0 where it is not known; PriceDate is the
	// day of a price on demand, "" where it is a cap.
	Price     float64
	PriceDate string
	Adopted   bool // it was there before
}

// Attempt is what became of one rung.
type Attempt struct {
	ladder.Rung
	Nodes   int    `json:"nodes"`
	Outcome string `json:"outcome"` // launched, partial, refused, unanswered, died
	Code    string `json:"code,omitempty"`
	Token   string `json:"token,omitempty"`

	class cloud.Class
}

// CostLimit is the code of nodes that a cost limit leaves out.
const CostLimit = "CostLimit"

// The outcomes of an attempt.
const (
	OutcomeLaunched   = "launched"
	OutcomePartial    = "partial"
	OutcomeRefused    = "refused"
	OutcomeUnanswered = "unanswered"
	OutcomeDied       = "died"
)

// Climber climbs ladders. Like its Caller it serves one line of work.
type Climber struct {
	Calls   *calls.Caller
	Journal Journal

	noGroups bool // the endpoint does not know placement groups
	// unsure are launches of this climb that may have been made though nobody
	// answered.
	unsure []journal.Launch
}

// Climb tries the rungs in order until every node has an instance.
func (c *Climber) Climb(ctx context.Context, a Ask, l ladder.Ladder, short []ladder.Shortage) Outcome {
	o := Outcome{Short: slices.Clone(short)}
	missing := slices.Clone(a.Nodes)
	queue := ladder.Demote(l.Rungs, o.Short)
	spent := a.Spent
	var last *cloud.Error
	for tries := 0; len(missing) > 0 && len(queue) > 0; tries++ {
		if a.Halted != nil {
			h, gone := a.Halted(ctx)
			if gone != nil {
				last = gone
				break
			}
			if len(h) > 0 {
				o.Halted = append(o.Halted, h...)
				missing = slices.DeleteFunc(missing, func(n string) bool { return slices.Contains(h, n) })
				if a.Gang || len(missing) == 0 {
					break
				}
			}
		}
		if c.Calls.Stopped(ctx) {
			last = late(last, c.Calls)
			break
		}
		r := queue[0]
		queue = queue[1:]
		want := missing
		if n := affordable(l, r, spent, len(want)); n == 0 || a.Gang && n < len(want) {
			if last == nil {
				last = &cloud.Error{Op: "RunInstances", Class: cloud.Price, Code: CostLimit, Type: r.Type, AZ: r.AZ,
					Err: fmt.Errorf("no launch within %.2f USD/h: %.2f are spent, and %s costs %.2f", l.MaxHourly, spent, r, r.Price)}
			}
			continue
		} else if !a.Gang {
			want = want[:n]
		}
		if a.OneAZ && len(o.Placed) > 0 && r.AZ != o.Placed[0].Instance.AZ {
			continue
		}

		placed, attempts, err := c.rung(ctx, a, r, want, tries)
		o.Attempts = append(o.Attempts, attempts...)
		for _, p := range placed {
			spent += p.Price
			missing = slices.DeleteFunc(missing, func(n string) bool { return n == p.Node })
		}
		o.Placed = append(o.Placed, placed...)
		if err == nil {
			continue
		}
		last = err
		if s, ok := ladder.Learn(r, err.Class); ok {
			o.Short = append(o.Short, s)
			queue = ladder.Demote(queue, []ladder.Shortage{s})
		}
		if !err.Class.NextRung() && !(err.Class == cloud.Ambiguous && errors.Is(err, ErrNothingLives)) {
			break
		}
		if len(queue) > 0 {
			c.say(r, err, queue[0])
		}
	}
	switch {
	case a.Gang && len(o.Halted) > 0:
		o.Err = cloud.Errorf("RunInstances", cloud.Halted, "%d of its nodes were suspended or cancelled meanwhile", len(o.Halted))
	case len(missing) > 0:
		o.Err = verdict(o.Attempts, last)
	}
	c.lookAgain(ctx, o.Err == nil)
	return o
}

func (c *Climber) say(r ladder.Rung, err *cloud.Error, next ladder.Rung) {
	e := c.Calls.Env
	e.Log(env.Event{
		Level: env.Warn, Name: "launch.rung", Text: r.String() + ": " + err.Word() + ", trying " + next.String(),
		Attrs: []env.Attr{env.A("type", r.Type), env.A("market", string(r.Market)), env.A("az", r.AZ), env.A("code", err.Word()), env.A("message", err.Error())},
	})
}

// affordable is how many of n nodes a rung may add under the ladder's limit.
func affordable(l ladder.Ladder, r ladder.Rung, spent float64, n int) int {
	if l.MaxHourly == 0 || l.PerNode || r.Price == 0 {
		return n
	}
	return min(n, int((l.MaxHourly-spent)/r.Price+1e-9))
}

// late is the error of a ladder that ran out of time.
func late(last *cloud.Error, c *calls.Caller) *cloud.Error {
	if last != nil {
		return last
	}
	if !c.Late() {
		return cloud.Errorf("RunInstances", cloud.Halted, "interrupted")
	}
	return cloud.Errorf("RunInstances", cloud.Halted, "no time left: the deadline was %s", c.Deadline)
}

// verdict is the error of a ladder that is used up: the last one, unless the
// rungs failed on different grounds; then a shortage wins over a quota, and a
// quota over a throttle, because it is what waiting or asking AWS can mend.
func verdict(attempts []Attempt, last *cloud.Error) *cloud.Error {
	if last == nil {
		return cloud.Errorf("RunInstances", cloud.Capacity, "no rung was left to try")
	}
	if !last.Class.NextRung() && last.Class != cloud.Throttle {
		return last
	}
	v := *last
	for _, at := range attempts {
		if at.class != "" && rank(at.class) > rank(v.Class) {
			v.Class, v.Code = at.class, at.Code
		}
	}
	return &v
}

func rank(c cloud.Class) int {
	switch {
	case c == cloud.Throttle:
		return 1
	case c.AnyQuota():
		return 2
	case c.NextRung():
		return 3
	}
	return 0
}

// rung makes the calls of one rung: a gang's single one, or for best effort
// all first and then at least one.
func (c *Climber) rung(ctx context.Context, a Ask, r ladder.Rung, nodes []string, tries int) ([]Placed, []Attempt, *cloud.Error) {
	var all []Attempt
	try := func(minimum int, nodes []string, attempt int) ([]Placed, *cloud.Error) {
		placed, token, err := c.attempt(ctx, a, r, nodes, minimum, attempt)
		at := Attempt{Rung: r, Nodes: len(nodes), Outcome: OutcomeLaunched, Token: token}
		switch {
		case err == nil && len(placed) < len(nodes):
			at.Outcome, at.Code = OutcomePartial, "Partial"
		case err != nil:
			at.class, at.Code, at.Outcome = err.Class, err.Word(), OutcomeRefused
			if err.Class == cloud.Ambiguous {
				at.Outcome = OutcomeUnanswered
			} else if err.Class == cloud.Died {
				at.Outcome = OutcomeDied
			}
		}
		all = append(all, at)
		return placed, err
	}
	attempt := tries * 16 // room for the calls of one rung; tokens differ by it
	placed, err := try(len(nodes), nodes, attempt)
	if a.Gang || len(nodes) == 1 {
		return placed, all, err
	}
	// Fewer is better than none: halves where EC2 says that the request is too
	// large, else whatever this pool still has.
	for err != nil && err.Class == cloud.Size && len(nodes) > 1 {
		nodes = nodes[:(len(nodes)+1)/2]
		attempt++
		placed, err = try(len(nodes), nodes, attempt)
	}
	if err != nil && (err.Class == cloud.Capacity || err.Class == cloud.Quota || err.Class == cloud.SpotQuota || err.Class == cloud.Address) {
		placed, err = try(1, nodes, attempt+1)
	}
	if err == nil && len(placed) < len(nodes) {
		// The pool is dry now; the next rung has the rest.
		err = &cloud.Error{Op: "RunInstances", Class: cloud.Capacity, Code: "InsufficientInstanceCapacity", Type: r.Type, AZ: r.AZ}
	}
	return placed, all, err
}

// Request builds the call of one attempt on a rung, whole, as of an instant.
func Request(a Ask, r ladder.Rung, nodes []string, minimum, attempt int, at env.Time) cloud.LaunchRequest {
	q := a.Base
	q.Token = identity.Token(a.Cluster, a.Nonce, nodes, r.String()+" "+r.SubnetID, r.AZ, attempt)
	q.MinCount, q.MaxCount = minimum, len(nodes)
	q.Type, q.SubnetID, q.AZ, q.Market, q.MaxPrice, q.EFA = r.Type, r.SubnetID, r.AZ, r.Market, r.MaxPrice, r.EFA
	if r.Image != "" {
		q.ImageID = r.Image
	}
	q.Tags = identity.Tags(identity.Facts{
		Cluster: a.Cluster, Token: q.Token, Job: a.Job, Plan: a.Plan, Nodes: nodes,
		At: max(at, a.After+1), Expires: a.Expires,
	}, a.Tags)
	return q
}
