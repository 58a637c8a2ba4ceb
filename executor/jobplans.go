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
// is told apart by where it was looked for, and by why there is none.
type sameFound struct {
	source, digest, cause string
	trusted               bool
	size                  int
}

// readJobPlans finds a plan for each job of the call: in the folder of the
// configuration, else by asking the advisor. A job that is refused takes its nodes
// with it, but for those that others of the call wait for.
func (r *resumption) readJobPlans(ctx context.Context) {
	of, all := r.lookForPlans(ctx)
	if (r.memory != nil || r.refers()) && r.stopped(ctx) { // somebody was asked, or a file waited for
		return
	}
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
	r.remember(all)
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
	var mine []int // jobs with a node of the call
	named, names := make([]plansource.Job, len(r.jobs)), make([]string, len(r.jobs))
	for i, j := range r.jobs {
		if slices.ContainsFunc(j.Resume, func(n string) bool { return called[n] }) {
			named[i], names[i] = planJob(records.of(ctx, r.Slurm, j.ID), j)
			named[i] = r.withFirst(ctx, r.Slurm, records, named[i])
			mine = append(mine, i)
		}
	}
	answers, questions := r.answers(ctx, mine, named)
	of = make([]*found, len(r.jobs))
	same := map[sameFound]*found{}
	for k, i := range mine {
		j, a := r.jobs[i], answers[k]
		key := sameFound{source: a.Source, cause: a.Cause, trusted: a.Trusted, size: j.Size()}
		switch {
		case a.Outcome == plansource.Found:
			key.source, key.digest = "", a.Plan.Digest
		case a.Outcome == plansource.Missing:
			key.size = 0
		case a.Plan != nil:
			key.digest = a.Plan.Digest // of a bad one: its findings are its own
		}
		f := same[key]
		if f == nil {
			f = &found{Answer: a, size: j.Size(), nodes: j.Resume}
			same[key] = f
			all = append(all, f)
		}
		f.jobs = append(f.jobs, names[i])
		if q := questions[k]; q != nil && !q.known && !slices.Contains(f.asked, q) {
			f.asked = append(f.asked, q)
		}
		of[i] = f
	}
	return of, all
}

// answers looks for the plans of jobs, an answer each: first those that the
// site's folder has; the advisor is asked for the others, all at once. A file
// that is there, or that a job refers to, is never passed over, whatever is wrong
// with it. The questions
// are those that were asked, nil for a job that was not asked for.
func (r *resumption) answers(ctx context.Context, mine []int, named []plansource.Job) ([]plansource.Answer, []*asked) {
	out, questions := make([]plansource.Answer, len(mine)), make([]*asked, len(mine))
	var open []int
	var jobs []decide.Job
	var names, looked []plansource.Job
	until := r.filesUntil()
	for k, i := range mine {
		a := r.fromSite(ctx, named[i], until)
		if a.Outcome == plansource.Missing && a.Cause == "" && r.Config.ASBA.Enabled {
			open, jobs, names = append(open, k), append(jobs, r.jobs[i]), append(names, named[i])
		}
		out[k] = a
		looked = append(looked, named[i])
	}
	r.sayUncommented(looked)
	for n, q := range r.askFor(ctx, jobs, names) {
		out[open[n]], questions[open[n]] = q.answer, q
	}
	return out, questions
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
func (r *resumption) samePlan(ctx context.Context, ctl *slurm.Controller, all []slurm.Record, rec slurm.Record, p *part) bool {
	if r.Report.Plan != nil || r.Config.Plans.Dir == "" && !r.Config.ASBA.Enabled {
		return true // the call's own, or none
	}
	job := decide.Job{ID: rec.ID, Resume: p.Nodes, Alloc: rec.Nodes}
	known := recordsByJob(all)
	named, _ := planJob(known[rec.ID], job)
	named = r.withFirst(ctx, ctl, known, named)
	a := r.fromSite(ctx, named, r.Env.Now()) // nobody is waited for in the middle of a launch
	if a.Outcome == plansource.Missing && a.Cause == "" && r.Config.ASBA.Enabled {
		var ok bool
		if a, ok = r.recall(ctx, ctl, named, job); !ok {
			return false // nor asked
		}
	}
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
		named.UID, named.Comment, named.Known = rec.UID, rec.AdminComment, true
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
