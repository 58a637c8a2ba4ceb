package executor

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/fleet"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/report"
)

// young is how long EC2 may not show an instance that it has launched: AWS
// advises to allow for a few minutes.
const young = 5 * minute

// settled is how soon after a tombstone nothing can have been launched anew:
// less than any SuspendTimeout.
const settled = 5 * time.Second

// forever is later than every launch.
const forever = env.Time(math.MaxInt64)

// maxTombstones is how many tombstone files are kept before covered ones go.
const maxTombstones = 64

// Suspend powers nodes down: it ends what was launched for them until now.
// What a resume launches for them later, or at this moment, is that call's to
// keep or to end: it sees the tombstone.
func (x *Executor) Suspend(ctx context.Context, names []string) *report.Report {
	return x.end(ctx, "suspend", names)
}

// ResumeFail ends the instances of nodes that did not come up in time and
// makes the nodes usable again: after ResumeTimeout Slurm calls no other
// program for them.
func (x *Executor) ResumeFail(ctx context.Context, names []string) *report.Report {
	return x.end(ctx, "resume-fail", names)
}

func (x *Executor) end(ctx context.Context, command string, names []string) *report.Report {
	nodes := inOrder(names)
	s := &suspension{call: x.call(command, nodes, x.Env.Now().Add(suspendDeadline)), nodes: nodes}
	s.run(ctx)
	return s.finish(ctx)
}

// suspension is one suspend or resume-fail call under way.
type suspension struct {
	*call
	nodes []string
}

func (s *suspension) run(ctx context.Context) {
	for _, n := range s.nodes {
		if _, ok := s.Config.GroupOf(n); !ok {
			s.fail(report.ExitUsage, s.rep.Command, "node %s belongs to no node group of %s, ending nothing", n, s.Config.Base())
			s.all(report.NodeFailed, "no node group")
			return
		}
	}
	// The tombstone first: a resume that is still on its ladder stops there.
	if err := s.journal.Bury(s.nodes); err != nil {
		// An instance that runs costs more than a lost note: go on.
		s.fail(report.ExitFailed, "journal", "%v", err)
	}
	buried := s.Env.Now()
	launches, err := s.journal.Launches()
	if err != nil {
		env.Warnf(s.Env, "journal", "%v", err)
	}
	live, err := s.calls.DescribeAll(ctx, fleet.Query(s.Config.Cluster))
	if err != nil {
		s.failEC2(err)
		s.all(report.NodeFailed, cloud.AsError(err).Error())
		return
	}
	// Nothing that was launched for a later power-up can be there already,
	// unless EC2 was long in answering: Slurm waits SuspendTimeout. So the
	// clocks of two controllers matter only then.
	until := buried
	if s.Env.Now().Sub(buried) < settled {
		until = forever
	}
	shown, hidden, ended := s.choose(fleet.New(live, launches), launches, live, until)
	failed := append(s.calls.Terminate(ctx, shown), s.calls.TerminateNew(ctx, hidden)...)
	end := append(shown, hidden...)
	for _, f := range failed {
		s.rep.Node(ended[f.ID]).State = report.NodeFailed
		s.rep.Node(ended[f.ID]).Error = f.Err.Error()
	}
	if len(failed) > 0 {
		s.failEC2(failed[0].Err)
		env.Errorf(s.Env, "suspend", "not ended: %s; the next suspend of these nodes and reconcile try again", calls.FailureText(failed))
		if len(failed) < len(end) {
			s.rep.ExitCode = report.ExitPartly
		}
	}
	if s.rep.Command == "resume-fail" {
		s.sayFailed()
	}
	s.close(launches, failed)
	s.tell(ctx)
	s.sweep(ctx, live, end)
	if err := s.journal.Compact(maxTombstones); err != nil {
		env.Warnf(s.Env, "journal", "%v", err)
	}
}

func (s *suspension) all(state, why string) {
	for i := range s.rep.Nodes {
		s.rep.Nodes[i].State, s.rep.Nodes[i].Error = state, why
	}
}

// sayFailed says which nodes did not come up, with what they ran on.
func (s *suspension) sayFailed() {
	for _, n := range s.rep.Nodes {
		what := "no instance"
		if n.InstanceID != "" {
			what = strings.TrimSpace(n.InstanceID + " " + n.InstanceType + " " + n.AZ)
		}
		env.Warnf(s.Env, "resume-fail", "%s did not register in time: %s", n.Name, what)
	}
}

// choose returns the instances to end, and whose node each one is: those that
// EC2 shows, and those the journal knows that EC2 may not show yet.
func (s *suspension) choose(f *fleet.Fleet, launches []journal.Launch, live []cloud.Instance, until env.Time) (shown, hidden []string, nodeOf map[string]string) {
	nodeOf = map[string]string{}
	add := func(to *[]string, node, id string) {
		if nodeOf[id] == "" {
			nodeOf[id] = node
			*to = append(*to, id)
			n := s.rep.Node(node)
			n.State, n.InstanceID = report.NodeTerminated, id
		}
	}
	for _, n := range s.nodes {
		s.rep.Node(n).State = report.NodeAbsent
		for _, i := range f.Of(n) {
			if identity.LaunchedAt(i) <= until {
				add(&shown, n, i.ID)
				rep := s.rep.Node(n)
				rep.InstanceType, rep.Market, rep.AZ, rep.PrivateIP = i.Type, i.Market, i.AZ, i.PrivateIP
			}
		}
	}
	seen := map[string]bool{}
	for _, i := range live {
		seen[i.ID] = true
	}
	for _, l := range launches {
		if s.Env.Now().Sub(l.Updated) > young {
			continue
		}
		for _, p := range l.Placed {
			if slices.Contains(s.nodes, p.Node) && !seen[p.Instance] {
				add(&hidden, p.Node, p.Instance)
			}
		}
	}
	return shown, hidden, nodeOf
}

// close moves the records of launches that are over to the history.
func (s *suspension) close(launches []journal.Launch, failed []calls.Failure) {
	alive := map[string]bool{}
	for _, f := range failed {
		alive[f.ID] = true
	}
	for _, l := range launches {
		if l.State != journal.Launched {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(l.Placed), func(p journal.Placed) bool {
			return slices.Contains(s.nodes, p.Node) && !alive[p.Instance]
		})
		var err error
		switch {
		case len(left) == len(l.Placed):
			continue
		case len(left) == 0:
			err = s.journal.Close(l, journal.Ended, s.rep.Command)
		default:
			err = s.journal.Placed(l, left)
		}
		if err != nil {
			env.Warnf(s.Env, "journal", "%v", err)
		}
	}
}

// tell resets the addresses of nodes that are down, and after a failed resume
// makes them idle again.
func (s *suspension) tell(ctx context.Context) {
	if s.Slurm.Off() {
		return
	}
	down := slices.DeleteFunc(slices.Clone(s.nodes), func(n string) bool { return s.rep.Node(n).State == report.NodeFailed })
	if len(down) == 0 {
		return
	}
	err := first(s.Slurm.ResetAddresses(ctx, down))
	if err == nil && s.rep.Command == "resume-fail" {
		err = first(s.Slurm.Resume(ctx, down))
		if err == nil {
			err = first(s.Slurm.PowerDown(ctx, down, "ResumeTimeout", "did not register in time"))
		}
	}
	if err != nil {
		s.fail(max(s.rep.ExitCode, report.ExitFailed), "slurm", "%v", err)
	}
}

// sweep removes the placement groups of ours that have no instance left. EC2
// refuses while one is still shutting down: the next suspend tries again.
func (s *suspension) sweep(ctx context.Context, live []cloud.Instance, ended []string) {
	groups, err := s.journal.Groups()
	if err != nil {
		env.Warnf(s.Env, "journal", "%v", err)
	}
	for _, g := range groups {
		used := slices.ContainsFunc(live, func(i cloud.Instance) bool { return i.Group == g.Name && !slices.Contains(ended, i.ID) })
		if used || s.Env.Now().Sub(g.At) < young && !slices.ContainsFunc(live, func(i cloud.Instance) bool { return i.Group == g.Name }) {
			continue // in use, or a launch into it may be under way
		}
		s.dropGroup(ctx, g.Name)
	}
}

// dropGroup removes one placement group; it reports whether it is gone.
func (c *call) dropGroup(ctx context.Context, name string) bool {
	err := c.calls.Repeat(ctx, "DeletePlacementGroup", func() error { return c.Cloud.DeleteGroup(ctx, name) })
	switch {
	case err == nil, cloud.Is(err, cloud.Consistency, cloud.Unsupported):
		if err := c.journal.DropGroup(name); err != nil {
			env.Warnf(c.Env, "journal", "%v", err)
		}
		return true
	case cloud.Is(err, cloud.InUse):
		env.Debugf(c.Env, "group", "placement group %s is still in use", name)
	default:
		env.Warnf(c.Env, "group", "placement group %s not removed: %v", name, err)
	}
	return false
}
