package executor

import (
	"context"
	"slices"
	"strings"

	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

// refusal puts aside what is not launched because of its plan. It is carried
// out when the rest of the call is done: telling slurmctld of many jobs takes
// time, and nobody waits for it.
type refusal struct {
	giving
	// wanted are all nodes of the jobs in this call, nodes those that go back:
	// none where others wait for them all.
	wanted, nodes []string
	exit          int // what the call would exit with for this alone
	records       []slurm.Record
}

// tellRefused tells the jobs that are refused why, and holds them: once, and
// before any node goes back. A node that they share with others takes them
// along.
func (r *resumption) tellRefused(ctx context.Context) {
	if r.refusedTold {
		return
	}
	r.refusedTold = true
	for _, x := range r.refusals {
		jobs := x.Jobs
		if jobs == nil {
			for _, j := range r.jobs {
				jobs = append(jobs, j.ID)
			}
		}
		x.records = r.tellJobs(ctx, jobs, x.wanted, x.giving)
	}
}

// refuse gives back what was put aside, and settles the exit code: that of the
// refusals where nothing was launched, else partly.
func (r *resumption) refuse(ctx context.Context) {
	exits := map[int]bool{}
	for _, x := range r.refusals {
		for _, n := range x.nodes {
			r.Report.Node(n).Job = strings.Join(x.Jobs, ",")
		}
		r.reportFailed(x.nodes, x.giving)
		if !r.Slurm.Off() && r.request.DryRun == "" {
			r.tellRefused(ctx)
			r.handBack(ctx, x.nodes, x.giving, x.records)
		}
		if x.exit == report.ExitDone {
			continue
		}
		exits[x.exit] = true
		if r.Report.Error == "" {
			r.Report.Error = x.Text
		}
	}
	served := slices.ContainsFunc(r.Report.Nodes, func(n report.Node) bool {
		switch n.State {
		case report.NodeLaunched, report.NodeAdopted, report.NodePending, report.NodePlanned:
			return true
		}
		return false
	})
	switch {
	case len(exits) == 0:
	case served && r.Report.ExitCode == report.ExitDone:
		r.Report.ExitCode = report.ExitPartly
	case !served:
		if r.Report.ExitCode != report.ExitDone {
			exits[r.Report.ExitCode] = true
		}
		r.Report.ExitCode = worst(exits)
	}
}
