// Package suspend ends the instances of nodes: slurmctld's SuspendProgram and
// ResumeFailProgram. It takes no node's lock and waits for no resume: it leaves a
// tombstone, which a resume under way sees.
package suspend

import (
	"context"
	"math"
	"slices"
	"time"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/fleet"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/report"
)

// deadline bounds the calls that end instances. Slurm waits SuspendTimeout (30 s
// by default) before it uses the nodes again, but an instance that is not ended
// costs money: better late than not.
const deadline = 2 * time.Minute

// settled is how soon after a tombstone nothing can have been launched anew:
// less than any SuspendTimeout.
const settled = 5 * time.Second

// forever is later than every launch.
const forever = env.Time(math.MaxInt64)

// maxTombstones is how many tombstone files are kept before covered ones go.
const maxTombstones = 32

// Run powers nodes down: it ends what was launched for them until now. What a
// resume launches for them later, or at this moment, is that call's to keep or to
// end: it sees the tombstone. The command is "suspend", or "resume-fail", which
// makes nodes that did not come up in time usable again as well.
func Run(ctx context.Context, m *program.Machine, command string, names []string) *report.Report {
	nodes := program.InOrder(names)
	s := &suspension{Call: program.New(m, command, nodes, m.Env.Now().Add(deadline)), nodes: nodes}
	s.run(ctx)
	return s.Finish(ctx)
}

// suspension is one suspend or resume-fail call under way.
type suspension struct {
	*program.Call
	nodes    []string
	requeued []string // jobs that slurmctld says have lost the nodes
}

func (s *suspension) run(ctx context.Context) {
	for _, n := range s.nodes {
		if _, ok := s.Config.GroupOf(n); !ok {
			s.Fail(report.ExitUsage, s.Report.Command, "node %s belongs to no node group of %s, ending nothing", n, s.Config.Base())
			s.all(report.NodeFailed, "no node group")
			return
		}
	}
	// The tombstone first: a resume that is still on its ladder stops there.
	if err := s.Journal.Bury(s.nodes); err != nil {
		// An instance that runs costs more than a lost note: go on.
		s.Fail(report.ExitFailed, "journal", "%v", err)
	}
	buried := s.Env.Now()
	if s.Report.Command == "resume-fail" {
		s.requeued = s.askRequeued(ctx)
	}
	launches, err := s.Journal.LaunchesOf(s.nodes)
	if err != nil {
		env.Warnf(s.Env, "journal", "%v", err)
	}
	live, err := s.Calls.DescribeAll(ctx, fleet.Query(s.Config.Cluster))
	if err != nil {
		s.FailEC2(err)
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
	shown, hidden, ended := s.choose(fleet.Of(s.nodes, live, launches), launches, live, until)
	failed := s.Calls.Terminate(ctx, shown)
	s.mark(failed, ended)
	// To end what EC2 does not show yet may take a minute, and slurmctld may have
	// powered the nodes up again by then: it hears first. Those of a failed resume
	// are down until it does.
	first := len(hidden) > 0 && s.Report.Command == "suspend"
	if first {
		s.tell(ctx)
	}
	late := s.Calls.TerminateNew(ctx, hidden)
	s.mark(late, ended)
	failed = append(failed, late...)
	end := append(shown, hidden...)
	if len(failed) > 0 {
		s.FailEC2(failed[0].Err)
		env.Errorf(s.Env, "suspend", "not ended: %s; the next suspend of these nodes and reconcile try again", calls.FailureText(failed))
		if len(failed) < len(end) {
			s.Report.ExitCode = report.ExitPartly
		}
	}
	if s.Report.Command == "resume-fail" {
		s.sayFailed(live)
	}
	s.close(launches, failed)
	if !first {
		s.tell(ctx)
	}
	if s.Report.Command == "resume-fail" {
		s.comeBack(ctx, launches)
	}
	s.sweep(ctx, live, end)
	if err := s.Journal.Compact(maxTombstones); err != nil {
		env.Warnf(s.Env, "journal", "%v", err)
	}
}

func (s *suspension) all(state, why string) {
	for i := range s.Report.Nodes {
		s.Report.Nodes[i].State, s.Report.Nodes[i].Error = state, why
	}
}

// mark says of the nodes whose instances were not ended why.
func (s *suspension) mark(failed []calls.Failure, nodeOf map[string]string) {
	for _, f := range failed {
		n := s.Report.Node(nodeOf[f.ID])
		n.State, n.Error = report.NodeFailed, f.Err.Error()
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
			n := s.Report.Node(node)
			n.State, n.InstanceID = report.NodeTerminated, id
		}
	}
	for _, n := range s.nodes {
		s.Report.Node(n).State = report.NodeAbsent
		for _, i := range f.Of(n) {
			if identity.LaunchedAt(i) <= until {
				add(&shown, n, i.ID)
				rep := s.Report.Node(n)
				rep.InstanceType, rep.Market, rep.AZ, rep.PrivateIP = i.Type, i.Market, i.AZ, i.PrivateIP
			}
		}
	}
	seen := func(id string) bool {
		return slices.ContainsFunc(live, func(i cloud.Instance) bool { return i.ID == id })
	}
	for _, l := range launches {
		if s.Env.Now().Sub(l.Updated) > program.Young {
			continue
		}
		for _, p := range l.Placed {
			if slices.Contains(s.nodes, p.Node) && !seen(p.Instance) {
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
			err = s.Journal.Close(l, journal.Ended, s.Report.Command)
		default:
			err = s.Journal.Placed(l, left)
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
	down := slices.DeleteFunc(slices.Clone(s.nodes), func(n string) bool { return s.Report.Node(n).State == report.NodeFailed })
	if len(down) == 0 {
		return
	}
	err := program.First(s.Slurm.ResetAddresses(ctx, down))
	if err == nil && s.Report.Command == "resume-fail" {
		err = program.First(s.Slurm.Resume(ctx, down))
		if err == nil {
			err = program.First(s.Slurm.PowerDown(ctx, down, unregistered, "did not register in time"))
		}
	}
	if err != nil {
		s.Fail(max(s.Report.ExitCode, report.ExitFailed), "slurm", "%v", err)
	}
}

// sweep removes the placement groups of ours that have no instance left. EC2
// refuses while one is still shutting down: the next suspend tries again.
func (s *suspension) sweep(ctx context.Context, live []cloud.Instance, ended []string) {
	groups, err := s.Journal.Groups()
	if err != nil {
		env.Warnf(s.Env, "journal", "%v", err)
	}
	for _, g := range groups {
		used := slices.ContainsFunc(live, func(i cloud.Instance) bool { return i.Group == g.Name && !slices.Contains(ended, i.ID) })
		if used || s.Env.Now().Sub(g.At) < program.Young && !slices.ContainsFunc(live, func(i cloud.Instance) bool { return i.Group == g.Name }) {
			continue // in use, or a launch into it may be under way
		}
		s.DropGroup(ctx, g.Name)
	}
}
