package executor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/fleet"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/launch"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

const minute = time.Minute

// How long reconcile leaves things alone. A launch and its push take minutes
// at most; the history serves explain for a week.
const (
	intentLifetime  = young
	orphanGrace     = 10 * minute
	historyLifetime = 7 * 24 * time.Hour
	reconcileTime   = 10 * minute
	namesPerPass    = 100 // Name tags: a call each
)

// ReconcileRequest says how to reconcile.
type ReconcileRequest struct {
	// DryRun only says what would be done.
	DryRun bool
}

// reconciliation is one pass under way.
type reconciliation struct {
	*call
	dry       bool
	live      []cloud.Instance
	launches  []journal.Launch
	resumes   []journal.Call
	suspended map[string]env.Time
	fleet     *fleet.Fleet
	ended     map[string]bool
	nodes     map[string]slurm.Node // as Slurm sees them; nil without Slurm
}

// Reconcile heals, in one pass, what dead processes, lost answers and lost
// files left behind: open intents, orphans, doubles, expired instances, stale
// placement groups, addresses that Slurm does not have.
func (x *Executor) Reconcile(ctx context.Context, q ReconcileRequest) *report.Report {
	r := &reconciliation{call: x.call("reconcile", nil, x.Env.Now().Add(reconcileTime)), dry: q.DryRun, ended: map[string]bool{}}
	if q.DryRun {
		r.rep.DryRun = DryRunClient
	}
	r.rep.Actions = []report.Action{}
	r.run(ctx)
	return r.finish(ctx)
}

func (r *reconciliation) run(ctx context.Context) {
	var err error
	var buried journal.Tombstones
	if r.launches, err = r.journal.Launches(); err == nil {
		buried, err = r.journal.Tombstones()
		r.suspended = buried.At
	}
	if err == nil {
		r.resumes, err = r.journal.Calls()
	}
	if err != nil {
		r.fail(report.ExitConfig, "journal", "%v", err)
		return
	}
	if r.live, err = r.calls.DescribeAll(ctx, fleet.Query(r.Config.Cluster)); err != nil {
		r.failEC2(err)
		return
	}
	r.fleet = fleet.New(r.live, r.launches)
	r.askSlurm(ctx)
	r.orphans(ctx)
	r.expired(ctx)
	r.intents(ctx)
	r.groups(ctx)
	r.pushes(ctx)
	r.names(ctx)
	if !r.dry {
		err = r.journal.Prune(r.Env.Now().Add(-historyLifetime))
		if err == nil {
			err = r.journal.Compact(0)
		}
		if err != nil {
			env.Warnf(r.Env, "journal", "%v", err)
		}
	}
}

// act does one thing, or only says so, and records how it went.
func (r *reconciliation) act(a report.Action, do func() error) {
	if !r.dry {
		if err := do(); err != nil {
			a.Error = err.Error()
			env.Errorf(r.Env, "reconcile."+a.Kind, "%s: %v", a.Text, err)
			r.rep.ExitCode = report.ExitFailed
		} else {
			a.Done = true
			env.Infof(r.Env, "reconcile."+a.Kind, "%s", a.Text)
		}
	}
	r.rep.Actions = append(r.rep.Actions, a)
}

// askSlurm learns how Slurm sees the nodes that have an instance.
func (r *reconciliation) askSlurm(ctx context.Context) {
	if r.Slurm.Off() {
		return
	}
	var known []string
	for _, n := range r.fleet.Claimed() {
		if _, ok := r.Config.GroupOf(n); ok {
			known = append(known, n)
		}
	}
	if len(known) == 0 {
		return
	}
	nodes, err := r.Slurm.Nodes(ctx, known)
	if err != nil {
		env.Warnf(r.Env, "reconcile", "node states not known, leaving what depends on them: %v", err)
		return
	}
	r.nodes = map[string]slurm.Node{}
	for _, n := range nodes {
		r.nodes[n.Name] = n
	}
}

// busy reports whether a job runs on a node, or may.
func busy(n slurm.Node) bool {
	return n.Is("ALLOCATED") || n.Is("MIXED") || n.Is("COMPLETING")
}

// first returns what went wrong with a call on nodes, if anything.
func first(failed []slurm.NodeError, err error) error {
	if err == nil && len(failed) > 0 {
		return failed[0].Err
	}
	return err
}

// orphans ends what no node claims: instances from before their node was last
// suspended, second instances of a node, those of nodes that Slurm has powered
// down or that no node group owns, and those whose tags name no node.
func (r *reconciliation) orphans(ctx context.Context) {
	now := r.Env.Now()
	old := func(i cloud.Instance) bool { return now.Sub(identity.LaunchedAt(i)) > orphanGrace }
	for _, node := range r.fleet.Claimed() {
		keep, ok, end := r.fleet.Adopt(node, r.suspended[node])
		for _, i := range end {
			why := "launched before " + node + " was last suspended"
			if identity.LaunchedAt(i) > r.suspended[node] {
				why = "a second instance of " + node
				if !i.State.Alive() {
					why = string(i.State) + ", and of no use to " + node
				} else if !old(i) {
					continue // a resume may be sorting it out
				}
			}
			r.endInstance(ctx, node, i, why)
		}
		if !ok || !old(keep) {
			continue
		}
		if _, owned := r.Config.GroupOf(node); !owned {
			r.endInstance(ctx, node, keep, "no node group of "+r.Config.Base()+" owns "+node)
		} else if s, seen := r.nodes[node]; seen && s.Is("POWERED_DOWN") {
			r.endInstance(ctx, node, keep, "Slurm has powered "+node+" down")
		}
	}
	for _, i := range r.fleet.Strangers {
		if old(i) {
			r.endInstance(ctx, "", i, "its tags name no node")
		}
	}
}

func (r *reconciliation) endInstance(ctx context.Context, node string, i cloud.Instance, why string) {
	r.ended[i.ID] = true
	r.act(report.Action{Kind: "orphan", Node: node, Instance: i.ID, Text: fmt.Sprintf("ending %s: %s", i.ID, why)}, func() error {
		if failed := r.calls.Terminate(ctx, []string{i.ID}); len(failed) > 0 {
			return failed[0].Err
		}
		return nil
	})
}

// expired ends instances past their expiry tag; a node that runs a job is
// drained instead, and ended when its job is.
func (r *reconciliation) expired(ctx context.Context) {
	for _, i := range r.fleet.All() {
		at := identity.ExpiresAt(i)
		if at.IsZero() || r.ended[i.ID] || r.Env.Now() < at {
			continue
		}
		node := r.nodeOf(i)
		if s, ok := r.nodes[node]; ok && busy(s) {
			if !s.Is("DRAIN") {
				r.act(report.Action{Kind: "expired", Node: node, Instance: i.ID, Text: fmt.Sprintf("draining %s: %s expired at %s", node, i.ID, at)}, func() error {
					return first(r.Slurm.Drain(ctx, []string{node}, "expired at "+at.String()))
				})
			}
			continue
		}
		if !r.Slurm.Off() && r.nodes == nil {
			continue // nobody can say whether a job runs there
		}
		r.ended[i.ID] = true
		r.act(report.Action{Kind: "expired", Node: node, Instance: i.ID, Text: fmt.Sprintf("ending %s of %s: expired at %s", i.ID, node, at)}, func() error {
			if err := r.journal.Bury([]string{node}); err != nil {
				return err
			}
			if failed := r.calls.Terminate(ctx, []string{i.ID}); len(failed) > 0 {
				return failed[0].Err
			}
			if r.Slurm.Off() {
				return nil
			}
			return first(r.Slurm.GiveBack(ctx, []string{node}, "Expired", "expired at "+at.String()))
		})
	}
}

func (r *reconciliation) nodeOf(i cloud.Instance) string {
	for _, n := range r.fleet.Claimed() {
		if slices.ContainsFunc(r.fleet.Of(n), func(x cloud.Instance) bool { return x.ID == i.ID }) {
			return n
		}
	}
	return ""
}

// intents closes the records of launches that nobody finished: what lives of a
// whole launch is kept on record, half a gang is ended, and what EC2 has not
// shown for minutes was never launched.
func (r *reconciliation) intents(ctx context.Context) {
	for _, l := range r.launches {
		if l.State == journal.Launched {
			r.vanished(l)
			continue
		}
		if r.Env.Now().Sub(l.Written) < intentLifetime {
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
				return r.journal.Close(l, journal.Failed, "NeverSeen")
			})
		case l.Gang && len(found) < len(nodes), r.givenBack(l):
			r.act(report.Action{Kind: "intent", Text: fmt.Sprintf("ending %d of %d instances of an unfinished launch for %s", len(found), len(nodes), l.Nodes)}, func() error {
				var ids []string
				for _, i := range found {
					ids = append(ids, i.ID)
					r.ended[i.ID] = true
				}
				if failed := r.calls.Terminate(ctx, ids); len(failed) > 0 {
					return fmt.Errorf("%s", calls.FailureText(failed))
				}
				return r.journal.Close(l, journal.Failed, "NotWhole")
			})
		default:
			r.act(report.Action{Kind: "intent", Text: fmt.Sprintf("recording %d instances of an unfinished launch for %s", len(found), l.Nodes)}, func() error {
				placed, _, _ := launch.Assign(nodes, found)
				return r.journal.Placed(l, launch.Records(placed))
			})
		}
	}
}

// givenBack reports whether the resume call that wrote an intent ended with its
// nodes given back: then nobody waits for what came up after it. A call that
// died says nothing; its nodes may be powering up.
func (r *reconciliation) givenBack(l journal.Launch) bool {
	return slices.ContainsFunc(r.resumes, func(c journal.Call) bool {
		return c.Nonce == l.Call && c.Exit > report.ExitDone && c.Exit != report.ExitPartly
	})
}

// vanished closes a launch of which EC2 shows nothing any more.
func (r *reconciliation) vanished(l journal.Launch) {
	alive := slices.ContainsFunc(l.Placed, func(p journal.Placed) bool {
		return slices.ContainsFunc(r.live, func(i cloud.Instance) bool { return i.ID == p.Instance && !r.ended[i.ID] })
	})
	if alive || r.Env.Now().Sub(l.Updated) < young {
		return
	}
	r.act(report.Action{Kind: "vanished", Text: "closing the launch for " + l.Nodes + ": none of its instances lives"}, func() error {
		return r.journal.Close(l, journal.Ended, "Vanished")
	})
}

// groups removes placement groups of ours without instances: those on record,
// and those that carry our tag.
func (r *reconciliation) groups(ctx context.Context) {
	recorded, err := r.journal.Groups()
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
	err = r.calls.Repeat(ctx, "DescribePlacementGroups", func() (err error) {
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
		if used || r.Env.Now().Sub(born[name]) < young {
			continue
		}
		r.act(report.Action{Kind: "group", Text: "removing placement group " + name}, func() error {
			if !r.dropGroup(ctx, name) {
				return fmt.Errorf("placement group %s is still there", name)
			}
			return nil
		})
	}
}

// pushes repeats the addresses that slurmctld did not take, of instances that
// still serve their node.
func (r *reconciliation) pushes(ctx context.Context) {
	owed, err := r.journal.Owed()
	if err != nil {
		env.Warnf(r.Env, "journal", "%v", err)
	}
	for _, p := range owed {
		r.act(report.Action{Kind: "push", Text: fmt.Sprintf("pushing the addresses of %s", count(len(p.Addrs), "node"))}, func() error {
			return r.repay(ctx, p, r.fleet)
		})
	}
}

// repay repeats one push.
func (c *call) repay(ctx context.Context, p journal.Push, f *fleet.Fleet) error {
	var addrs []slurm.Addr
	waiting := false
	for _, a := range p.Addrs {
		for _, i := range f.Of(a.Node) {
			if i.ID == a.Instance && i.State.Alive() {
				waiting = waiting || i.PrivateIP == ""
				if i.PrivateIP != "" {
					addrs = append(addrs, slurm.Addr{Node: a.Node, IP: i.PrivateIP})
				}
			}
		}
	}
	if len(addrs) > 0 && !c.Slurm.Off() {
		failed, err := c.Slurm.PushAddresses(ctx, addrs, slurm.Push{SingleUse: p.SingleUse, Reason: p.Reason})
		if err == nil && len(failed) > 0 {
			err = failed[0].Err
		}
		if err != nil {
			return err
		}
	}
	if waiting {
		return nil // the next pass has the rest
	}
	return c.journal.Paid(p)
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
				return r.calls.Repeat(ctx, "CreateTags", func() error {
					return r.Cloud.Tag(ctx, []string{i.ID}, []cloud.Tag{{Key: "Name", Value: node}})
				})
			})
		}
	}
}
