package calls

import (
	"context"
	"fmt"

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
		all = append(all, page.Instances...)
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

// Terminate ends instances in batches. An unknown id fails a whole batch, and
// so does a protected instance: then each id is tried by itself. An id that
// EC2 no longer knows counts as ended.
func (c *Caller) Terminate(ctx context.Context, ids []string) []Failure {
	var failed []Failure
	for len(ids) > 0 {
		batch := ids[:min(len(ids), terminateBatch)]
		ids = ids[len(batch):]
		err := c.terminate(ctx, batch)
		if err == nil {
			continue
		}
		// Nobody answers, or nobody may: one by one would fail alike.
		if len(batch) == 1 || cloud.Is(err, cloud.Throttle, cloud.Ambiguous, cloud.Permission, cloud.Credentials) {
			for _, id := range batch {
				if len(batch) > 1 || !unknown(err) {
					failed = append(failed, Failure{id, err})
				}
			}
			continue
		}
		for _, id := range batch {
			if err := c.terminate(ctx, []string{id}); err != nil && !unknown(err) {
				failed = append(failed, Failure{id, err})
			}
		}
	}
	return failed
}

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
