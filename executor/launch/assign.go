package launch

import (
	"cmp"
	"context"
	"slices"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
)

// Assign says which instance serves which node: node i is the instance with
// launch index i where the indexes are exactly 0..n-1, else the i-th by sorted
// id (byIndex is false then, and the tags have to say so). Instances beyond
// the nodes are surplus.
func Assign(nodes []string, got []cloud.Instance) (placed []Placed, surplus []cloud.Instance, byIndex bool) {
	order := got
	byIndex = indexed(order) // as EC2 answers a launch
	if !byIndex {
		order = slices.Clone(got)
		slices.SortFunc(order, func(a, b cloud.Instance) int { return cmp.Compare(a.LaunchIndex, b.LaunchIndex) })
		byIndex = indexed(order)
	}
	if !byIndex {
		slices.SortFunc(order, func(a, b cloud.Instance) int { return cmp.Compare(a.ID, b.ID) })
	}
	n := min(len(nodes), len(order))
	placed = make([]Placed, n)
	for i := range placed {
		placed[i] = Placed{Node: nodes[i], Instance: &order[i]}
	}
	return placed, order[n:], byIndex
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

func ids(is []cloud.Instance) []string {
	out := make([]string, len(is))
	for i, inst := range is {
		out[i] = inst.ID
	}
	return out
}

// Records is the map of nodes to instances as the journal keeps it.
func Records(placed []Placed) []journal.Placed {
	out := make([]journal.Placed, len(placed))
	for i, p := range placed {
		out[i] = journal.Placed{Node: p.Node, Instance: p.Instance.ID}
	}
	return out
}

// indexed reports whether the launch indexes are 0..n-1, in this order.
func indexed(got []cloud.Instance) bool {
	for i := range got {
		if got[i].LaunchIndex != i {
			return false
		}
	}
	return true
}
