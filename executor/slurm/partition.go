package slurm

import (
	"context"
	"strings"
)

// PartitionNodes returns all nodes of a partition, on the premises and in the
// cloud. A job that waits may name several partitions, "a,b", which slurmctld
// does not take at once; then it is the nodes of all of them.
func (c *Controller) PartitionNodes(ctx context.Context, names string) ([]string, error) {
	if c.Off() {
		return nil, nil
	}
	var nodes []string
	for name := range strings.SplitSeq(names, ",") {
		out, err := c.call(ctx, "show partition", subject{partition: name}, "-o", "show", "partition", name)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, expand(fields(out).of("Nodes"))...)
	}
	return inOrder(nodes), nil
}

// Drain keeps new jobs off nodes; the one that runs there goes on.
func (c *Controller) Drain(ctx context.Context, nodes []string, text string) ([]NodeError, error) {
	return c.update(ctx, nodes, same("State=DRAIN", "Reason="+reason("", text)))
}
