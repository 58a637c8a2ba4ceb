package launch

import (
	"cmp"
	"context"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/ladder"
)

// partitions is how many partitions a partition group gets: EC2's most in one
// zone.
const partitions = 7

// group makes the placement group of an attempt, where one is wished for, and
// returns its name, "" for none.
func (c *Climber) group(ctx context.Context, a Ask, r ladder.Rung, q cloud.LaunchRequest) (string, error) {
	if r.Group != "" || r.Strategy == "" {
		return r.Group, nil
	}
	if c.noGroups {
		return "", nil
	}
	g := cloud.Group{
		Name: identity.GroupName(a.Cluster, q.Token), Strategy: r.Strategy,
		Tags: []cloud.Tag{{Key: identity.Cluster, Value: a.Cluster}, {Key: identity.Launch, Value: q.Token}, {Key: identity.CreatedBy, Value: identity.Creator}},
	}
	if r.Strategy == "partition" {
		g.Partitions = partitions
	}
	if err := c.Journal.AddGroup(g.Name); err != nil {
		return "", &cloud.Error{Op: "CreatePlacementGroup", Class: cloud.Config, Code: "JournalNotWritable", Err: err}
	}
	err := c.Calls.Repeat(ctx, "CreatePlacementGroup", func() error { return c.Calls.Cloud.CreateGroup(ctx, g) })
	switch {
	case err == nil, cloud.Is(err, cloud.Duplicate): // the answer before was lost
		return g.Name, nil
	case a.GroupPreferred && cloud.Is(err, cloud.Unsupported, cloud.GroupQuota, cloud.Permission):
		env.Warnf(c.Calls.Env, "launch.group", "placement group not possible (%s), launching without one", cloud.AsError(err).Word())
		c.noGroups = true
		return "", c.Journal.DropGroup(g.Name)
	}
	if !cloud.Is(err, cloud.Ambiguous) {
		if derr := c.Journal.DropGroup(g.Name); derr != nil {
			env.Warnf(c.Calls.Env, "journal", "%v", derr)
		}
	}
	return "", err
}

// dropGroup removes the group that an attempt made for itself and launched
// nothing into. What cannot be removed now stays on record, and the next
// suspend or reconcile sweeps it.
func (c *Climber) dropGroup(ctx context.Context, q cloud.LaunchRequest) {
	if q.Group == "" || q.Group != identity.GroupName(cloud.TagValue(q.Tags, identity.Cluster), q.Token) {
		return // a site's own
	}
	err := c.Calls.Repeat(ctx, "DeletePlacementGroup", func() error { return c.Calls.Cloud.DeleteGroup(ctx, q.Group) })
	if err == nil || cloud.Is(err, cloud.Consistency) {
		err = c.Journal.DropGroup(q.Group)
	}
	if err != nil {
		env.Debugf(c.Calls.Env, "launch.group", "placement group %s not removed yet: %v", q.Group, err)
	}
}

// pool adds to an error which pool it is about.
func pool(r ladder.Rung, err error) *cloud.Error {
	e := *cloud.AsError(err)
	e.Type, e.AZ = cmp.Or(e.Type, r.Type), cmp.Or(e.AZ, r.AZ)
	return &e
}
