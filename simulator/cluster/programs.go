package cluster

import (
	"context"
	"slices"

	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
	"aws-slurm-burst/simulator/ec2/port"
	"aws-slurm-burst/simulator/record"
)

// Resume is what slurmctld does with its ResumeProgram: it starts it, with the
// nodes and the resume file. The other programs likewise.
func (m *machines) Resume(nodes []string, file []byte) {
	nodes, file = slices.Clone(nodes), slices.Clone(file)
	m.heal()
	m.start("resume", nodes, func(ctx context.Context, x *executor.Executor) *report.Report {
		return x.Resume(ctx, executor.ResumeRequest{Nodes: nodes, ResumeFile: file, Getenv: nothing})
	})
}

// Suspend starts SuspendProgram.
func (m *machines) Suspend(nodes []string) {
	nodes = slices.Clone(nodes)
	m.start("suspend", nodes, func(ctx context.Context, x *executor.Executor) *report.Report { return x.Suspend(ctx, nodes) })
}

// ResumeFail starts ResumeFailProgram.
func (m *machines) ResumeFail(nodes []string) {
	nodes = slices.Clone(nodes)
	m.start("resume-fail", nodes, func(ctx context.Context, x *executor.Executor) *report.Report { return x.ResumeFail(ctx, nodes) })
}

// nothing is the environment that slurmctld gives to its programs.
func nothing(string) string { return "" }

func (m *machines) start(name string, nodes []string, program func(context.Context, *executor.Executor) *report.Report) {
	m.site.engine.Spawn(name, func(ctx context.Context, e env.Env) {
		began := e.Now()
		r := program(ctx, m.executor(e))
		m.tell(name, began, e.Now(), nodes, r)
	})
}

// executor is the machine that a program runs on: what host and awscloud are in
// production.
func (m *machines) executor(e env.Env) *executor.Executor {
	return &executor.Executor{
		Env: e, Config: m.config, Types: m.opt.Types,
		Cloud:    port.New(m.ec2, e, m.opt.Latency).WithFaults(m.opt.Faults),
		Slurm:    slurm.New(m.site.slurm, e, m.config.Slurm.NodeAddr),
		Store:    m.disk.For(e),
		Plans:    planFiles{m},
		Endpoint: "https://ec2." + m.ec2.Region() + ".amazonaws.com",
	}
}

// heal starts the timer that runs reconcile, as a site's does, unless it runs. It
// stops when nothing of ours is left that could need it.
func (m *machines) heal() {
	if m.healing || m.opt.Reconcile <= 0 {
		return
	}
	m.healing = true
	m.site.engine.After(m.opt.Reconcile, m.reconcile)
}

func (m *machines) reconcile() {
	m.healing = false
	if m.alive == 0 {
		return
	}
	m.heal()
	m.start("reconcile", nil, func(ctx context.Context, x *executor.Executor) *report.Report {
		return x.Reconcile(ctx, executor.ReconcileRequest{})
	})
}

// tell makes events of a program's report.
func (m *machines) tell(name string, began, at env.Time, nodes []string, r *report.Report) {
	count := 0
	for _, n := range r.Nodes {
		if got(n.State) {
			count++
		}
	}
	switch name {
	case "resume":
		m.site.take(record.Event{At: at, Kind: record.Resumed, Began: began, Exit: r.ExitCode, Nodes: nodes, Count: count})
		for i := range r.Decisions {
			if d := &r.Decisions[i]; d.Gang {
				m.tellGang(at, d, r)
			}
		}
	case "suspend":
		m.site.take(record.Event{At: at, Kind: record.Suspended, Began: began, Exit: r.ExitCode, Nodes: nodes, Count: count})
	}
}

// tellGang makes an event of a multi-node group of a resume.
func (m *machines) tellGang(at env.Time, d *report.Decision, r *report.Report) {
	nodes, err := hostlist.Expand(d.Nodes)
	if err != nil || len(nodes) < 2 {
		return
	}
	e := record.Event{At: at, Kind: record.Gang, Job: jobNumber(d.Job), Nodes: nodes}
	for _, n := range nodes {
		if got(r.Node(n).State) {
			e.Count++
		}
	}
	for i := range r.Rungs {
		if r.Rungs[i].Job == d.Job && r.Rungs[i].Code != "" {
			e.Depth++
		}
	}
	m.site.take(e)
}

// got reports whether a node in this state has what the program was for.
func got(state string) bool {
	switch state {
	case report.NodeLaunched, report.NodeAdopted, report.NodePending, report.NodeTerminated, report.NodeAbsent:
		return true
	}
	return false
}
