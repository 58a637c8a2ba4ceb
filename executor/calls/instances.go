package calls

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aws-slurm-burst/executor/cloud"
)

// terminateBatch is how many ids go into one TerminateInstances: EC2 takes
// 1000 and advises fewer.
const terminateBatch = 500

// DescribeAll walks all pages of a query.
func (c *Caller) DescribeAll(ctx context.Context, q cloud.InstanceQuery) ([]cloud.Instance, error) {
	var all []cloud.Instance
	for {
		var page cloud.InstancePage
		err := c.Repeat(ctx, "DescribeInstances", func() (err error) {
			page, err = c.Cloud.Describe(ctx, q)
			return err
		})
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = page.Instances // most clusters fit one page
		} else {
			all = append(all, page.Instances...)
		}
		if page.Next == "" {
			return all, nil
		}
		if page.Next == q.Page {
			return nil, cloud.Errorf("DescribeInstances", cloud.Ambiguous, "page %q follows itself", page.Next)
		}
		q.Page = page.Next
	}
}

// Failure is an instance that could not be ended.
type Failure struct {
	ID  string
	Err error
}

// unseenTries is how often an instance of ours that EC2 does not know yet is
// asked to end: about a minute, as AWS advises to allow for.
const unseenTries = 8

// Terminate ends instances in batches. An unknown id fails a whole batch, and
// so does a protected instance: then each id is tried by itself. An id that
// EC2 no longer knows counts as ended.
func (c *Caller) Terminate(ctx context.Context, ids []string) []Failure {
	return c.terminateAll(ctx, ids, 1)
}

// TerminateNew ends instances that were launched a moment ago. EC2 may not know
// them yet, which is no proof of anything: they are asked to end again and
// again, and one that EC2 does not know to the last has not ended: EC2 shows
// those that have for an hour.
func (c *Caller) TerminateNew(ctx context.Context, ids []string) []Failure {
	return c.terminateAll(ctx, ids, unseenTries)
}

func (c *Caller) terminateAll(ctx context.Context, ids []string, tries int) []Failure {
	var failed []Failure
	for batch := range slices.Chunk(ids, terminateBatch) {
		err := c.terminate(ctx, batch)
		var stopped error // told to stop before EC2 knew them: nothing is proved
		for n := 1; n < tries && unknown(err); n++ {
			if stopped = c.Env.Sleep(ctx, unseenPause(n)); stopped != nil {
				break
			}
			err = c.terminate(ctx, batch)
		}
		gone := func(id string, err error) bool { return tries == 1 && c.gone(ctx, id, err) }
		switch {
		case err == nil:
		case stopped != nil:
			for _, id := range batch {
				failed = append(failed, Failure{id, err})
			}
		case cloud.Is(err, cloud.Throttle, cloud.Ambiguous, cloud.Permission, cloud.Credentials):
			// Nobody answers, or nobody may: one by one would fail alike.
			for _, id := range batch {
				failed = append(failed, Failure{id, err})
			}
		case len(batch) == 1:
			if !gone(batch[0], err) {
				failed = append(failed, Failure{batch[0], err})
			}
		default:
			for _, id := range batch {
				if err := c.terminate(ctx, []string{id}); err != nil && !gone(id, err) {
					failed = append(failed, Failure{id, err})
				}
			}
		}
	}
	return failed
}

// gone reports whether an instance that could not be ended is gone: EC2 does
// not know it, when asked to end it and when asked for it.
func (c *Caller) gone(ctx context.Context, id string, err error) bool {
	if !unknown(err) {
		return false
	}
	shown, err := c.DescribeAll(ctx, cloud.InstanceQuery{IDs: []string{id}})
	return unknown(err) || err == nil && (len(shown) == 0 || shown[0].State.Ended())
}

// unseenPause is the wait before try n+1, whatever the deadline: an instance
// that is not ended costs money.
func unseenPause(n int) time.Duration { return min(firstPause<<(n-1), longestPause) }

func (c *Caller) terminate(ctx context.Context, ids []string) error {
	return c.Repeat(ctx, "TerminateInstances", func() error { return c.Cloud.Terminate(ctx, ids) })
}

// unknown reports whether EC2 does not know the instance (any more).
func unknown(err error) bool { return cloud.Is(err, cloud.Consistency) }

// FailureText says on one line what was left running and why.
func FailureText(fs []Failure) string {
	if len(fs) == 1 {
		return fmt.Sprintf("%s: %v", fs[0].ID, fs[0].Err)
	}
	return fmt.Sprintf("%d instances, first %s: %v", len(fs), fs[0].ID, fs[0].Err)
}
