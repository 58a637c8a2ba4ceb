package reconcile

import (
	"context"
	"fmt"
	"slices"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/launch"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/report"
)

// intents closes the records of launches that nobody finished: what lives of a
// whole launch is kept on record, half a gang is ended, and what EC2 has not
// shown for minutes was never launched.
func (r *reconciliation) intents(ctx context.Context) {
	for _, l := range r.launches {
		if l.State == journal.Launched {
			r.vanished(l)
			continue
		}
		if r.Env.Now().Sub(l.Written) < program.IntentLifetime {
			continue // its call may still be under way
		}
		nodes, err := hostlist.Expand(l.Nodes)
		if err != nil {
			continue
		}
		found := slices.DeleteFunc(slices.Clone(r.live), func(i cloud.Instance) bool {
			return i.TagValue(identity.Launch) != l.Request.Token || r.ended[i.ID] || !i.State.Alive()
		})
		switch {
		case len(found) == 0:
			r.act(report.Action{Kind: "intent", Text: "closing an unfinished launch for " + l.Nodes + ": EC2 shows nothing of it"}, func() error {
				return r.Journal.Close(l, journal.Failed, "NeverSeen")
			})
		case l.Gang && len(found) < len(nodes), r.givenBack(l):
			r.act(report.Action{Kind: "intent", Text: fmt.Sprintf("ending %d of %d instances of an unfinished launch for %s", len(found), len(nodes), l.Nodes)}, func() error {
				var ids []string
				for _, i := range found {
					ids = append(ids, i.ID)
					r.ended[i.ID] = true
				}
				if failed := r.Calls.Terminate(ctx, ids); len(failed) > 0 {
					return fmt.Errorf("%s", calls.FailureText(failed))
				}
				return r.Journal.Close(l, journal.Failed, "NotWhole")
			})
		default:
			r.act(report.Action{Kind: "intent", Text: fmt.Sprintf("recording %d instances of an unfinished launch for %s", len(found), l.Nodes)}, func() error {
				placed, _, _ := launch.Assign(nodes, found)
				return r.Journal.Placed(l, launch.Records(placed))
			})
		}
	}
}

// givenBack reports whether the resume call that wrote an intent ended with its
// nodes given back: then nobody waits for what came up after it. A call that
// died says nothing; its nodes may be powering up.
func (r *reconciliation) givenBack(l journal.Launch) bool {
	c, ok := r.Journal.CallOf(l.Call)
	return ok && c.Exit > report.ExitDone && c.Exit != report.ExitPartly
}

// vanished closes a launch of which EC2 shows nothing any more.
func (r *reconciliation) vanished(l journal.Launch) {
	alive := slices.ContainsFunc(l.Placed, func(p journal.Placed) bool {
		return slices.ContainsFunc(r.live, func(i cloud.Instance) bool { return i.ID == p.Instance && !r.ended[i.ID] })
	})
	if alive || r.Env.Now().Sub(l.Updated) < program.Young {
		return
	}
	r.act(report.Action{Kind: "vanished", Text: "closing the launch for " + l.Nodes + ": none of its instances lives"}, func() error {
		return r.Journal.Close(l, journal.Ended, "Vanished")
	})
}

// groups removes placement groups of ours without instances: those on record,
// and those that carry our tag.
func (r *reconciliation) groups(ctx context.Context) {
	recorded, err := r.Journal.Groups()
	if err != nil {
		env.Warnf(r.Env, "journal", "%v", err)
	}
	born := map[string]env.Time{}
	var names []string
	for _, g := range recorded {
		born[g.Name] = g.At
		names = append(names, g.Name)
	}
	var tagged []cloud.Group
	err = r.Calls.Repeat(ctx, "DescribePlacementGroups", func() (err error) {
		tagged, err = r.Cloud.DescribeGroups(ctx, []cloud.Tag{{Key: identity.Cluster, Value: r.Config.Cluster}})
		return err
	})
	if err != nil && !cloud.Is(err, cloud.Unsupported) {
		env.Warnf(r.Env, "reconcile", "placement groups not known: %v", err)
	}
	for _, g := range tagged {
		if !slices.Contains(names, g.Name) && g.State != "deleting" && g.State != "deleted" {
			names = append(names, g.Name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		used := slices.ContainsFunc(r.live, func(i cloud.Instance) bool { return i.Group == name && !r.ended[i.ID] })
		if used || r.Env.Now().Sub(born[name]) < program.Young {
			continue
		}
		r.act(report.Action{Kind: "group", Text: "removing placement group " + name}, func() error {
			if !r.DropGroup(ctx, name) {
				return fmt.Errorf("placement group %s is still there", name)
			}
			return nil
		})
	}
}

// pushes repeats the addresses that slurmctld did not take, of instances that
// still serve their node.
func (r *reconciliation) pushes(ctx context.Context) {
	owed, err := r.Journal.Owed()
	if err != nil {
		env.Warnf(r.Env, "journal", "%v", err)
	}
	for _, p := range owed {
		r.act(report.Action{Kind: "push", Text: fmt.Sprintf("pushing the addresses of %s", program.Count(len(p.Addrs), "node"))}, func() error {
			return r.Repay(ctx, p, r.fleet)
		})
	}
}

// names gives instances a Name tag for people, a few each pass.
func (r *reconciliation) names(ctx context.Context) {
	done := 0
	for _, node := range r.fleet.Claimed() {
		for _, i := range r.fleet.Of(node) {
			if done >= namesPerPass || r.ended[i.ID] || i.TagValue("Name") != "" {
				continue
			}
			done++
			r.act(report.Action{Kind: "name", Node: node, Instance: i.ID, Text: fmt.Sprintf("naming %s %s", i.ID, node)}, func() error {
				return r.Calls.Repeat(ctx, "CreateTags", func() error {
					return r.Cloud.Tag(ctx, []string{i.ID}, []cloud.Tag{{Key: "Name", Value: node}})
				})
			})
		}
	}
}
