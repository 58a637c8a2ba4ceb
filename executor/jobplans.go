package executor

import (
	"context"
	"slices"
	"strings"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/decide"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

// sameFound is what makes two jobs have one plan: its text and how far it is
// trusted, and how many nodes it is for. What cannot be used has no text, and
// is told apart by where it was looked for.
type sameFound struct {
	source, digest string
	trusted        bool
	size           int
}

// readJobPlans finds a plan for each job of the call in the folder of the
// configuration. A job that is refused takes its nodes with it, but for those
// that others of the call wait for.
func (r *resumption) readJobPlans(ctx context.Context) {
	of, all := r.lookForPlans(ctx)
	r.plans = map[*plan.Plan]*found{}
	for _, f := range all {
		if f.Outcome == plansource.Missing && f.Cause == "" && plansource.NoFolder(ctx, r.Plans, f.Source) {
			env.Warnf(r.Env, "plan.folder", "plans.dir %s does not exist, so no job has a plan (make the folder, or take plans.dir out of %s)", f.Source, r.Config.Base())
		}
		r.weigh(f)
		if f.use != nil {
			r.plans[f.use] = f
		}
	}
	var jobs []decide.Job // to launch for
	taken := map[string]bool{}
	for i, j := range r.jobs {
		switch {
		case of[i] == nil:
		case of[i].refusal != nil:
			continue
		default:
			j.Plan = of[i].use
		}
		jobs = append(jobs, j)
		for _, n := range j.Resume {
			taken[n] = true
		}
	}
	r.putAside(of, all, taken)
	r.jobs = jobs
}

// lookForPlans returns what was found for each job, nil for one without a node
// of the call, and each find once, in the order of the jobs.
func (r *resumption) lookForPlans(ctx context.Context) (of, all []*found) {
	records := r.jobRecords(ctx)
	called := setOf(r.nodes)
	of = make([]*found, len(r.jobs))
	same := map[sameFound]*found{}
	for i, j := range r.jobs {
		if !slices.ContainsFunc(j.Resume, func(n string) bool { return called[n] }) {
			continue
		}
		named, name := planJob(records.of(ctx, r.Slurm, j.ID), j)
		a := plansource.FromFolder(ctx, r.Plans, r.Config.Plans.Dir, named)
		key := sameFound{source: a.Source, trusted: a.Trusted, size: j.Size()}
		switch {
		case a.Outcome == plansource.Found:
			key.source, key.digest = "", a.Plan.Digest
		case a.Outcome == plansource.Missing:
			key.size = 0
		}
		f := same[key]
		if f == nil {
			f = &found{Answer: a, size: j.Size(), nodes: j.Resume}
			same[key] = f
			all = append(all, f)
		}
		f.jobs = append(f.jobs, name)
		of[i] = f
	}
	return of, all
}

// putAside takes the nodes of refused jobs out of the call, each for the first
// of them, but for those that are taken by others.
func (r *resumption) putAside(of, all []*found, taken map[string]bool) {
	called, aside := setOf(r.nodes), map[string]bool{}
	for _, f := range all {
		x := f.refusal
		if x == nil {
			continue
		}
		for i, j := range r.jobs {
			if of[i] != f {
				continue
			}
			x.Jobs = append(x.Jobs, j.ID)
			for _, n := range j.Resume {
				if !called[n] {
					continue
				}
				x.wanted = append(x.wanted, n)
				if !taken[n] && !aside[n] {
					x.nodes = append(x.nodes, n)
					aside[n] = true
				}
			}
		}
		r.refusals = append(r.refusals, x)
		r.Report.Decisions = append(r.Report.Decisions, report.Decision{
			Job: strings.Join(x.Jobs, ","), Nodes: hostlist.Fold(program.InOrder(x.wanted)), Plan: f.info, Settings: []report.Source{},
		})
	}
	r.nodes = slices.DeleteFunc(slices.Clone(r.nodes), func(n string) bool { return aside[n] })
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// jobRecords returns what slurmctld knows of the jobs of the call, asked once;
// nothing where it may not be asked or does not tell.
func (r *resumption) jobRecords(ctx context.Context) records {
	if r.asked || len(r.jobs) == 0 || r.Slurm.Off() || r.request.DryRun == DryRunClient {
		return r.records
	}
	if _, err := r.askRecords(ctx); err != nil {
		env.Warnf(r.Env, "jobs", "jobs not known, looking for their plans by the ids of the resume file: %v", err)
	}
	return r.records
}

// samePlan reports whether a job that was given the nodes of a part meanwhile
// would be launched by the same plan.
func (r *resumption) samePlan(ctx context.Context, all []slurm.Record, rec slurm.Record, p *part) bool {
	if r.Report.Plan != nil || r.Config.Plans.Dir == "" {
		return true // the call's own, or none
	}
	named, _ := planJob(recordsByJob(all)[rec.ID], decide.Job{ID: rec.ID, Resume: p.Nodes})
	a := plansource.FromFolder(ctx, r.Plans, r.Config.Plans.Dir, named)
	if p.Plan == nil {
		return a.Outcome == plansource.Missing && a.Cause == ""
	}
	return a.Outcome == plansource.Found && a.Plan.Digest == p.Plan.Digest && a.Trusted == r.plans[p.Plan].Trusted
}

// planJob returns what the file of a job's plan can be named after, and the
// job's name for people. known are the records of the job, its array or its
// components. One counts where it is certainly the job's: a user can make up
// records in the name of a job, but not without doubt.
func planJob(known []slurm.Record, j decide.Job) (plansource.Job, string) {
	named := plansource.Job{ID: j.ID, UID: -1}
	rec, ok := ownRecord(known, j)
	if !ok {
		return named, j.ID
	}
	named = plansource.Job{ID: rec.ID, ArrayID: rec.ArrayID, Task: rec.Task, HetID: rec.HetID, UID: -1}
	if !rec.Doubtful {
		named.UID = rec.UID
	}
	return named, rec.Ref()
}

// ownRecord finds the record of a job among those of its array or its
// components.
func ownRecord(known []slurm.Record, j decide.Job) (slurm.Record, bool) {
	rec, ok := slurm.ResolveTask(known, j.ID, j.Resume)
	if !ok { // it has lost its nodes meanwhile
		if i := slices.IndexFunc(known, func(k slurm.Record) bool { return k.ID == j.ID }); i >= 0 {
			rec, ok = known[i], true
		}
	}
	return rec, ok && !doubled(known, rec.ID) && (rec.ID == j.ID || !rec.Doubtful)
}

// doubled reports whether a job has two records: one is made up, in the text of
// some job.
func doubled(known []slurm.Record, id string) bool {
	n := 0
	for _, k := range known {
		if k.ID == id {
			n++
		}
	}
	return n > 1
}
