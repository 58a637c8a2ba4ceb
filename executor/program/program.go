// Package program is what every program of the executor has while it runs: the
// machine that it runs on, its calls to EC2, its journal and its report, how it
// says what went wrong, and what several of them do to heal.
//
// It is no program itself: resume is the executor's own, suspend and reconcile
// have rooms of theirs.
package program

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

// Machine is what a program is run with. It has no state of its own: what has to
// outlive a call is in EC2's tags and in the journal.
type Machine struct {
	Env    env.Env
	Cloud  cloud.Cloud
	Config *config.Config
	Types  *catalog.Catalog
	// Slurm speaks to slurmctld, or is off.
	Slurm *slurm.Controller
	// Store holds the journal and the cache of look-ups.
	Store journal.Store
	// Plans reads plan files, Advisor is asked for plans.
	Plans   plansource.Files
	Advisor plansource.Advisor
	// UserData is the text of the node groups' user data files, by path.
	UserData map[string]string
	// Endpoint names the EC2 endpoint: in messages, and as the key of caches.
	Endpoint string
}

// Call is one call of a program under way.
type Call struct {
	*Machine
	Report  *report.Report
	Calls   *calls.Caller
	Journal *journal.Journal
	Start   env.Time
}

// New begins a call about some nodes, whose calls to EC2 wait until deadline at
// the latest.
func New(m *Machine, command string, nodes []string, deadline env.Time) *Call {
	return &Call{
		Machine: m,
		Report:  report.New(command, nodes),
		Calls:   calls.New(m.Env, m.Cloud, deadline),
		Journal: journal.New(m.Env, m.Store, m.Endpoint),
		Start:   m.Env.Now(),
	}
}

// Lookup returns the look-ups of the call, remembered from call to call.
func (c *Call) Lookup() *lookup.Lookup {
	return &lookup.Lookup{Calls: c.Calls, Cache: c.Store, Endpoint: c.Endpoint}
}

// Fail says why a whole call failed.
func (c *Call) Fail(exit int, name, format string, args ...any) {
	env.Errorf(c.Env, name, format, args...)
	c.Report.ExitCode = exit
}

// FailEC2 says on one line why EC2 would not, with what to do.
func (c *Call) FailEC2(err error) {
	e := cloud.AsError(err)
	c.Report.Error = e.Error()
	c.Fail(report.ExitOf(e.Class), "ec2", "%s", c.Explain(e))
}

// Finish fills in what is known only at the end, and returns the report.
func (c *Call) Finish(ctx context.Context) *report.Report {
	c.Report.APICalls = c.Calls.Counts()
	if !c.Slurm.Off() {
		c.Report.ScontrolCalls = c.Slurm.Counts()
	}
	if ctx.Err() != nil && c.Report.ExitCode != report.ExitDone {
		c.Report.ExitCode = report.ExitInterrupted
	}
	c.note()
	return c.Report
}

// note writes one event about the whole call to the log file: in production
// the report goes to nobody, and a success would leave no trace.
func (c *Call) note() {
	if !c.Env.Hears(env.Note) {
		return
	}
	states, ids := map[string][]string{}, []string{}
	for _, n := range c.Report.Nodes {
		states[n.State] = append(states[n.State], n.Name)
		if n.InstanceID != "" {
			ids = append(ids, n.InstanceID)
		}
	}
	var what []string
	attrs := []env.Attr{env.A("command", c.Report.Command), env.A("mode", c.Report.Mode), env.A("exit_code", c.Report.ExitCode), env.A("instances", ids)}
	for _, state := range slices.Sorted(maps.Keys(states)) {
		hostlist.Sort(states[state])
		what = append(what, state+" "+hostlist.Fold(states[state]))
	}
	for _, op := range slices.Sorted(maps.Keys(c.Report.APICalls)) {
		attrs = append(attrs, env.A("ec2."+op, c.Report.APICalls[op]))
	}
	if c.Report.HourlyCost != nil {
		attrs = append(attrs, env.A("usd_per_hour", *c.Report.HourlyCost), env.A("price_date", c.Report.PriceDate))
	}
	if c.Report.Command == "reconcile" {
		what = []string{Count(len(c.Report.Actions), "action")}
	}
	took := c.Env.Now().Sub(c.Start)
	attrs = append(attrs, env.A("ms", took.Milliseconds()))
	c.Env.Log(env.Event{Level: env.Note, Name: "call", Attrs: attrs,
		Text: fmt.Sprintf("%s: %s; exit %d after %.1f s", c.Report.Command, strings.Join(what, ", "), c.Report.ExitCode, took.Seconds())})
}

// Count is a number with its noun: "1 node", "2 nodes".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// InOrder returns names in Slurm's order, each once.
func InOrder(names []string) []string {
	out := slices.Clone(names)
	hostlist.Sort(out)
	return hostlist.Unique(out)
}
