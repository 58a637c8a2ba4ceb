// Package calls makes EC2 calls patiently: it counts them, repeats what may be
// repeated, walks pages and cuts batches, all on env.Env and above the port,
// where one method is one API call.
//
// It never repeats a launch: what an unanswered launch means is for
// executor/launch to find out.
package calls

import (
	"context"
	"maps"
	"slices"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// Patience in numbers. AWS advises exponential back-off with jitter; 20 s is
// the longest pause of AWS's own SDKs.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 20 * time.Second

	// A call that only reads, or that may be repeated, is tried this often
	// when nobody answers: about 8 s of pauses.
	unansweredTries = 5
)

// Caller makes the calls of one line of work. It is not safe for concurrent
// use: inside env.Map every item takes a Fork, and the parent Joins it after.
type Caller struct {
	Env   env.Env
	Cloud cloud.Cloud
	// Deadline ends all waiting; a call under way is never cut by it, since
	// that would lose its answer.
	Deadline env.Time

	counts map[string]int
	rand   env.Rand
}

// New returns a Caller that waits until deadline at the latest.
func New(e env.Env, c cloud.Cloud, deadline env.Time) *Caller {
	return &Caller{Env: e, Cloud: c, Deadline: deadline, counts: map[string]int{}, rand: e.Rand("calls")}
}

// Fork returns a Caller for a concurrent line of work; stream names it, so
// that its pauses do not depend on its siblings.
func (c *Caller) Fork(stream string) *Caller {
	f := *c
	f.counts, f.rand = map[string]int{}, c.Env.Rand("calls/"+stream)
	return &f
}

// Join adds the counts of forks that have ended.
func (c *Caller) Join(forks ...*Caller) {
	for _, f := range forks {
		c.Add(f.counts)
	}
}

// Add adds counts made elsewhere.
func (c *Caller) Add(counts map[string]int) {
	for _, op := range slices.Sorted(maps.Keys(counts)) {
		c.counts[op] += counts[op]
	}
}

// Counts returns how many calls were made, by operation.
func (c *Caller) Counts() map[string]int { return c.counts }

// Count records one call of op made by the caller itself.
func (c *Caller) Count(op string) { c.counts[op]++ }

// Late reports whether the deadline has passed.
func (c *Caller) Late() bool { return !c.Env.Now().Before(c.Deadline) }

// Stopped reports whether nothing new may be begun: the deadline has passed, or
// the program was told to stop.
func (c *Caller) Stopped(ctx context.Context) bool {
	return c.Late() || c.Env.Sleep(ctx, 0) != nil
}

// Pause sleeps before try number n (from 1): exponential, with full jitter on
// its upper half, and never past the deadline. It reports false where the
// deadline or ctx leaves no time.
func (c *Caller) Pause(ctx context.Context, n int) bool {
	d := longestPause
	if n < 7 {
		d = min(d, firstPause<<(n-1))
	}
	d = d/2 + time.Duration(c.rand.Float64()*float64(d/2))
	left := c.Deadline.Sub(c.Env.Now())
	if left <= 0 {
		return false
	}
	return c.Env.Sleep(ctx, min(d, left)) == nil && !c.Late()
}

// Repeat makes a call that may be repeated: while EC2 throttles, until the
// deadline; when nobody answers or what we name is not visible yet, a few
// times; when credentials are refused, once more (they may have been renewed).
// It returns the last error.
func (c *Caller) Repeat(ctx context.Context, op string, call func() error) error {
	unanswered, refused := 0, 0
	for n := 1; ; n++ {
		c.Count(op)
		err := call()
		switch cloud.ClassOf(err) {
		case cloud.Throttle:
		case cloud.Ambiguous:
			if unanswered++; unanswered >= unansweredTries {
				return err
			}
		case cloud.Credentials:
			if refused++; refused > 1 {
				return err
			}
		default:
			return err
		}
		env.Debugf(c.Env, "call.repeat", "%v: again", err)
		if ctx.Err() != nil || !c.Pause(ctx, n) {
			return err
		}
	}
}
