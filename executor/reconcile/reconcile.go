// Package reconcile is the pass that heals what dead processes, lost answers and
// lost files left behind. It compares EC2, the journal and Slurm; it launches
// nothing, and leaves alone what a call may still be about.
package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/fleet"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

// How long reconcile leaves things alone. A launch and its push take minutes
// at most; the history serves explain for a week.
const (
	orphanGrace     = 10 * time.Minute
	historyLifetime = 7 * 24 * time.Hour
	passTime        = 10 * time.Minute
	namesPerPass    = 100 // Name tags: a call each
)

// Request says how to reconcile.
type Request struct {
	// DryRun only says what would be done.
	DryRun bool
}

// reconciliation is one pass under way.
type reconciliation struct {
	*program.Call
	dry      bool
	live     []cloud.Instance
	launches []journal.Launch
	buried   journal.Tombstones
	fleet    *fleet.Fleet
	ended    map[string]bool
	nodes    map[string]slurm.Node // as Slurm sees them; nil without Slurm
}

// Run makes one pass: open intents, orphans, doubles, expired instances, stale
// placement groups, addresses that Slurm does not have.
func Run(ctx context.Context, m *program.Machine, q Request) *report.Report {
	r := &reconciliation{Call: program.New(m, "reconcile", nil, m.Env.Now().Add(passTime)), dry: q.DryRun, ended: map[string]bool{}}
	if q.DryRun {
		r.Report.DryRun = report.DryRunClient
	}
	r.Report.Actions = []report.Action{}
	r.run(ctx)
	return r.Finish(ctx)
}

func (r *reconciliation) run(ctx context.Context) {
	var err error
	if r.launches, err = r.Journal.Launches(); err == nil {
		r.buried, err = r.Journal.Tombstones()
	}
	if err != nil {
		r.Fail(report.ExitConfig, "journal", "%v", err)
		return
	}
	if r.live, err = r.Calls.DescribeAll(ctx, fleet.Query(r.Config.Cluster)); err != nil {
		r.FailEC2(err)
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
		err = r.Journal.Prune(r.Env.Now().Add(-historyLifetime))
		if err == nil {
			err = r.Journal.Compact(0)
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
			r.Report.ExitCode = report.ExitFailed
		} else {
			a.Done = true
			env.Infof(r.Env, "reconcile."+a.Kind, "%s", a.Text)
		}
	}
	r.Report.Actions = append(r.Report.Actions, a)
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
	r.nodes = make(map[string]slurm.Node, len(nodes))
	for _, n := range nodes {
		r.nodes[n.Name] = n
	}
}

// busy reports whether a job runs on a node, or may.
func busy(n slurm.Node) bool {
	return n.Is("ALLOCATED") || n.Is("MIXED") || n.Is("COMPLETING")
}

// orphans ends what no node claims: instances from before their node was last
// suspended, second instances of a node, those of nodes that Slurm has powered
// down or that no node group owns, and those whose tags name no node.
func (r *reconciliation) orphans(ctx context.Context) {
	now := r.Env.Now()
	old := func(i *cloud.Instance) bool { return now.Sub(identity.LaunchedAt(i)) > orphanGrace }
	claimed := r.fleet.Claimed()
	r.buried.Find(claimed)
	for _, node := range claimed {
		keep, ok, end := r.fleet.Adopt(node, r.buried.At(node))
		for _, i := range end {
			why := "launched before " + node + " was last suspended"
			if identity.LaunchedAt(i) > r.buried.At(node) {
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

func (r *reconciliation) endInstance(ctx context.Context, node string, i *cloud.Instance, why string) {
	r.ended[i.ID] = true
	r.act(report.Action{Kind: "orphan", Node: node, Instance: i.ID, Text: fmt.Sprintf("ending %s: %s", i.ID, why)}, func() error {
		if failed := r.Calls.Terminate(ctx, []string{i.ID}); len(failed) > 0 {
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
					return program.First(r.Slurm.Drain(ctx, []string{node}, "expired at "+at.String()))
				})
			}
			continue
		}
		if !r.Slurm.Off() && r.nodes == nil {
			continue // nobody can say whether a job runs there
		}
		r.ended[i.ID] = true
		r.act(report.Action{Kind: "expired", Node: node, Instance: i.ID, Text: fmt.Sprintf("ending %s of %s: expired at %s", i.ID, node, at)}, func() error {
			if err := r.Journal.Bury([]string{node}); err != nil {
				return err
			}
			if failed := r.Calls.Terminate(ctx, []string{i.ID}); len(failed) > 0 {
				return failed[0].Err
			}
			if r.Slurm.Off() {
				return nil
			}
			return program.First(r.Slurm.GiveBack(ctx, []string{node}, "Expired", "expired at "+at.String()))
		})
	}
}

func (r *reconciliation) nodeOf(i *cloud.Instance) string {
	for _, n := range r.fleet.Claimed() {
		if slices.Contains(r.fleet.Of(n), i) {
			return n
		}
	}
	return ""
}
