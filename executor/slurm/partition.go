package slurm

import (
	"context"
	"strings"
)

// PartitionNodes returns all nodes of a partition, on the premises and in the
// cloud, in slurmctld's order.
func (c *Controller) PartitionNodes(ctx context.Context, name string) ([]string, error) {
	if c.Off() {
		return nil, nil
	}
	out, err := c.call(ctx, "show partition", subject{}, "-o", "show", "partition", name)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		if f := fields(line); f["PartitionName"] == name {
			return expand(f["Nodes"]), nil
		}
	}
	return nil, &Error{Op: "show partition", Kind: ErrRefused, Hint: "slurmctld has no partition " + name}
}

// Drain keeps new jobs off nodes; the one that runs there goes on.
func (c *Controller) Drain(ctx context.Context, nodes []string, text string) ([]NodeError, error) {
	return c.update(ctx, nodes, same("State=DRAIN", "Reason="+reason("", text)))
}
