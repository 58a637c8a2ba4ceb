// Package executor is the program behind slurmctld's ResumeProgram,
// SuspendProgram and ResumeFailProgram, and behind reconcile: it composes the
// rooms below it and runs on env.Env, so that the simulator runs the very same
// code in virtual time.
//
// Each method of Executor is one call of a program. It returns a Report; it
// never prints, and it never fails without saying what became of every node.
package executor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/lookup"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

// Executor holds what all calls share. It has no state of its own: what has to
// outlive a call is in EC2's tags and in the journal.
type Executor struct {
	Env    env.Env
	Cloud  cloud.Cloud
	Config *config.Config
	Types  *catalog.Catalog
	// Slurm speaks to slurmctld, or is off.
	Slurm *slurm.Controller
	// Store holds the journal and the cache of look-ups.
	Store journal.Store
	// Plans reads plan files.
	Plans plansource.Files
	// UserData is the text of the node groups' user data files, by path.
	UserData map[string]string
	// Endpoint names the EC2 endpoint: in messages, and as the key of caches.
	Endpoint string
}

// suspendDeadline bounds the calls that end instances. Slurm waits
// SuspendTimeout (30 s by default) before it uses the nodes again, but an
// instance that is not ended costs money: better late than not.
const suspendDeadline = 120e9 // ns

// call is what every call of a program has.
type call struct {
	*Executor
	rep     *report.Report
	calls   *calls.Caller
	journal *journal.Journal
	start   env.Time
}

func (x *Executor) call(command string, nodes []string, deadline env.Time) *call {
	return &call{
		Executor: x,
		rep:      report.New(command, nodes),
		calls:    calls.New(x.Env, x.Cloud, deadline),
		journal:  journal.New(x.Env, x.Store, x.Endpoint),
		start:    x.Env.Now(),
	}
}

func (c *call) lookup() *lookup.Lookup {
	return &lookup.Lookup{Calls: c.calls, Cache: c.Store, Endpoint: c.Endpoint}
}

// fail says why a whole call failed.
func (c *call) fail(exit int, name, format string, args ...any) {
	env.Errorf(c.Env, name, format, args...)
	c.rep.ExitCode = exit
}

// failEC2 says on one line why EC2 would not, with what to do.
func (c *call) failEC2(err error) {
	e := cloud.AsError(err)
	c.rep.Error = e.Error()
	c.fail(report.ExitOf(e.Class), "ec2", "%s", c.explain(e))
}

// finish fills in what is known only at the end.
func (c *call) finish(ctx context.Context) *report.Report {
	c.rep.APICalls = c.calls.Counts()
	if !c.Slurm.Off() {
		c.rep.ScontrolCalls = c.Slurm.Counts()
	}
	if ctx.Err() != nil && c.rep.ExitCode != report.ExitDone {
		c.rep.ExitCode = report.ExitInterrupted
	}
	c.note()
	return c.rep
}

// note writes one event about the whole call to the log file: in production
// the report goes to nobody, and a success would leave no trace.
func (c *call) note() {
	states, ids := map[string][]string{}, []string{}
	for _, n := range c.rep.Nodes {
		states[n.State] = append(states[n.State], n.Name)
		if n.InstanceID != "" {
			ids = append(ids, n.InstanceID)
		}
	}
	var what []string
	attrs := []env.Attr{env.A("command", c.rep.Command), env.A("mode", c.rep.Mode), env.A("exit_code", c.rep.ExitCode), env.A("instances", ids)}
	for _, state := range slices.Sorted(maps.Keys(states)) {
		hostlist.Sort(states[state])
		what = append(what, state+" "+hostlist.Fold(states[state]))
	}
	for _, op := range slices.Sorted(maps.Keys(c.rep.APICalls)) {
		attrs = append(attrs, env.A("ec2."+op, c.rep.APICalls[op]))
	}
	if c.rep.HourlyCost != nil {
		attrs = append(attrs, env.A("usd_per_hour", *c.rep.HourlyCost))
	}
	if c.rep.Command == "reconcile" {
		what = []string{count(len(c.rep.Actions), "action")}
	}
	took := c.Env.Now().Sub(c.start)
	attrs = append(attrs, env.A("ms", took.Milliseconds()))
	c.Env.Log(env.Event{Level: env.Note, Name: "call", Attrs: attrs,
		Text: fmt.Sprintf("%s: %s; exit %d after %.1f s", c.rep.Command, strings.Join(what, ", "), c.rep.ExitCode, took.Seconds())})
}

// inOrder returns names in Slurm's order, each once.
func inOrder(names []string) []string {
	out := slices.Clone(names)
	hostlist.Sort(out)
	return hostlist.Unique(out)
}
