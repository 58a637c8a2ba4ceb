package slurm

import (
	"bytes"
	"context"
	"slices"
	"time"
)

// together is how far apart slurmctld's times of one thing may be: it writes whole
// seconds.
const together = time.Second

// RequeuedWith returns the jobs that wait since slurmctld took nodes down: it has
// requeued them, and does not say any more which nodes they had. A requeue is a new
// submission, of the same second as the reason of the nodes. It has to be asked for
// before the reasons are gone.
func (c *Controller) RequeuedWith(ctx context.Context, nodes []string) ([]Record, error) {
	if c.Off() || len(nodes) == 0 {
		return nil, nil
	}
	var down []time.Time
	err := c.showNodes(ctx, nodes, func(out []byte) {
		for line := range bytes.Lines(out) {
			if at, ok := reasonAt(line); ok && !slices.ContainsFunc(down, at.Equal) {
				down = append(down, at)
			}
		}
	})
	if err != nil || len(down) == 0 {
		return nil, err
	}
	jobs, err := c.Jobs(ctx)
	return slices.DeleteFunc(jobs, func(r Record) bool {
		return r.State != "PENDING" || r.Restarts == 0 || !slices.ContainsFunc(down, func(at time.Time) bool {
			return r.Submitted.Sub(at).Abs() <= together
		})
	}), err
}

// reasonAt is when the reason of a node was set: "... Reason=TEXT [WHO@WHEN]", and
// maybe more.
func reasonAt(line []byte) (at time.Time, ok bool) {
	_, rest, _ := bytes.Cut(line, []byte(" Reason="))
	for part := range bytes.SplitSeq(rest, []byte{'@'}) {
		if when, _, closed := bytes.Cut(part, []byte{']'}); closed {
			if t, is := instant(string(when)); is {
				at, ok = t, true
			}
		}
	}
	return at, ok
}

// instant reads a time of scontrol's, which has no zone: it is compared with others
// of slurmctld's alone.
func instant(text string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02T15:04:05", text)
	return t, err == nil
}
