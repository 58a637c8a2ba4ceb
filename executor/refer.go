package executor

import (
	"context"
	"slices"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/slurm"
)

// fromSite finds the plan that the site's folder has for a job: the one that the
// job refers to, else the one with the job's name. Without either, and without a
// folder, the answer is Missing without a cause. A file that a job refers to is
// waited for until then.
func (r *resumption) fromSite(ctx context.Context, j plansource.Job, until env.Time) plansource.Answer {
	dir := r.Config.Plans.Dir
	if dir == "" {
		return plansource.Answer{Outcome: plansource.Missing}
	}
	if !r.refers() {
		return plansource.FromFolder(ctx, r.Plans, dir, j)
	}
	if !j.Known {
		return plansource.Unsure(dir, "slurmctld's record of the job does not tell for certain what it refers to")
	}
	ref, ok, err := plan.ReadReference(j.Comment)
	switch {
	case err != nil:
		return plansource.Unsure(dir, "in its AdminComment "+err.Error())
	case ok:
		return plansource.FromReference(ctx, r.Env, r.Plans, dir, ref, j.UID, until)
	}
	return plansource.FromFolder(ctx, r.Plans, dir, j)
}

// refers reports whether jobs may refer to their plans, and slurmctld can be
// asked for what they say.
func (r *resumption) refers() bool {
	return r.Config.Plans.References && !r.Slurm.Off() && r.request.DryRun != DryRunClient
}

// sayUncommented says of which jobs slurmctld certainly has no AdminComment: they
// went past the plugin that gives every job one, and a text of the job's user
// that looks like one would have been taken for it.
func (r *resumption) sayUncommented(jobs []plansource.Job) {
	var ids []string
	for _, j := range jobs {
		if r.refers() && j.Known && j.Comment == "" {
			ids = append(ids, j.ID)
		}
	}
	if len(ids) > 0 {
		env.Warnf(r.Env, "plan.reference", "no AdminComment: %s, which can refer to no plan (see that slurmctld's job_submit plugin gives every job one, or take plans.references out of %s)", listed("job", ids), r.Config.Base())
	}
}

// filesUntil is when files that jobs refer to are no longer waited for: half of
// what the call has left at most, which has to launch after it.
func (r *resumption) filesUntil() env.Time {
	now := r.Env.Now()
	return now.Add(min(r.Config.Plans.Timeout, max(r.Calls.Deadline.Sub(now)/2, 0)))
}

// withFirst gives a component of a heterogeneous job that refers to no plan the
// comment of the first component, whose plan is for all of them.
func (r *resumption) withFirst(ctx context.Context, ctl *slurm.Controller, known records, j plansource.Job) plansource.Job {
	_, own, err := plan.ReadReference(j.Comment)
	if !r.refers() || !j.Known || own || err != nil || j.HetID == "" || j.HetID == j.ID {
		return j
	}
	all := known.of(ctx, ctl, j.HetID)
	if len(all) == 0 { // one component alone was asked for
		all, _ = ctl.Records(ctx, j.HetID)
	}
	i := slices.IndexFunc(all, func(k slurm.Record) bool { return k.ID == j.HetID })
	j.Comment, j.Known = "", i >= 0 && !all[i].Doubtful && !doubled(all, j.HetID)
	if j.Known {
		j.Comment = all[i].AdminComment
	}
	return j
}
