package executor

import (
	"context"
	"errors"
	"slices"

	"aws-slurm-burst/executor/comeback"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/slurm"
)

// askRecords asks slurmctld for the records of the call's jobs, of all jobs
// where there are several or none is known: one call in any case.
func (r *resumption) askRecords(ctx context.Context) (all []slurm.Record, err error) {
	r.asked = true
	var ids []string
	for _, j := range r.jobs {
		ids = append(ids, j.ID)
	}
	all, err = askOnce(ctx, r.Slurm, ids)
	r.records = recordsByJob(all)
	return all, err
}

// askOnce returns the records of one job, or of all jobs where it is asked for
// another number of them.
func askOnce(ctx context.Context, ctl *slurm.Controller, ids []string) ([]slurm.Record, error) {
	if len(ids) == 1 {
		return ctl.Records(ctx, ids[0])
	}
	return ctl.Jobs(ctx)
}

// records are what slurmctld knows of jobs, by job id: the tasks of an array
// are also under the array's, components also under their leader's.
type records map[string][]slurm.Record

func recordsByJob(all []slurm.Record) records {
	by := records{}
	for _, rec := range all {
		by[rec.ID] = append(by[rec.ID], rec)
		for _, id := range []string{rec.ArrayID, rec.HetID} {
			if id != "" && id != rec.ID {
				by[id] = append(by[id], rec)
			}
		}
	}
	return by
}

// of returns what is known of a job. One with two records is asked for alone,
// where others' texts are not: one of the two is made up.
func (k records) of(ctx context.Context, ctl *slurm.Controller, id string) []slurm.Record {
	if doubled(k[id], id) {
		if own, err := ctl.Records(ctx, id); err == nil {
			return own
		}
	}
	return k[id]
}

// record returns the record of a job, resolved to the array task that runs on
// the nodes; ok is false where slurmctld does not tell.
func (r *resumption) record(ctx context.Context, id string, nodes []string) (slurm.Record, bool) {
	recs, err := r.Slurm.Records(ctx, id)
	r.heard(err)
	if err != nil {
		env.Warnf(r.Env, "job", "job %s: %v", id, err)
		return slurm.Record{}, false
	}
	return slurm.ResolveTask(recs, id, nodes)
}

// tellJob writes the reason into the job's comment and holds the job where
// coming back cannot help.
func (r *resumption) tellJob(ctx context.Context, rec slurm.Record, g giving) {
	if err := r.Slurm.Comment(ctx, rec, g.Text); err != nil {
		env.Warnf(r.Env, "job", "job %s: comment not written: %v", rec.Ref(), err)
	}
	if !g.Hold {
		return
	}
	if !slurm.CanHold(rec) {
		env.Warnf(r.Env, "job", "job %s cannot be held (interactive, or not requeueable): it ends with its nodes", rec.Ref())
		return
	}
	if err := r.Slurm.Hold(ctx, rec); err != nil {
		env.Errorf(r.Env, "job", "job %s not held: %v", rec.Ref(), err)
	}
}

// mustNotRequeue reports whether giving the part's nodes back would end one of
// its jobs for good. It asks for no longer than until the deadline.
func (r *resumption) mustNotRequeue(ctx context.Context, ctl *slurm.Controller, p *part) bool {
	if ctl.Off() || len(p.Jobs) == 0 {
		return false
	}
	asking, cancel := r.Env.WithDeadline(ctx, r.Calls.Deadline)
	defer cancel()
	all, err := askOnce(asking, ctl, p.Jobs)
	if err != nil {
		return false
	}
	known := recordsByJob(all)
	return slices.ContainsFunc(p.Jobs, func(id string) bool {
		rec, ok := slurm.ResolveTask(known.of(asking, ctl, id), id, p.Nodes)
		return ok && !slurm.CanHold(rec) && !slurm.Gone(rec)
	})
}

// jobsGone reports whether slurmctld says of every one of some jobs that it is
// over or that there is none.
func jobsGone(ctx context.Context, ctl *slurm.Controller, ids []string) bool {
	all, err := askOnce(ctx, ctl, ids)
	if err != nil {
		return errors.Is(err, slurm.ErrNoJob)
	}
	known := recordsByJob(all)
	return !slices.ContainsFunc(ids, func(id string) bool {
		own := known.of(ctx, ctl, id)
		i := slices.IndexFunc(own, func(k slurm.Record) bool { return k.ID == id })
		return len(own) > 0 && !slurm.Gone(own[max(i, 0)])
	})
}

// comeBack delays jobs that were requeued for want of capacity, by how often they
// were already, and holds those for which it was too often.
func (r *resumption) comeBack(ctx context.Context, jobs []slurm.Record, code string) {
	for _, rec := range jobs {
		if r.givenUp() {
			return
		}
		err := comeback.Later(ctx, r.Call, rec, rec.Restarts+1, code)
		if r.heard(err); err != nil {
			env.Warnf(r.Env, "job", "job %s comes back as Slurm has it: %v", rec.Ref(), err)
		}
	}
}

// keepAway carries out advice against bursting, once the jobs are requeued:
// they get the burst nodes excluded where their partition has others, or are
// held, or just come back. A job of which no node was given back, since others
// wait for them all, is requeued first.
func (r *resumption) keepAway(ctx context.Context, jobs []slurm.Record, back []string) {
	for _, rec := range jobs {
		if r.givenUp() {
			return
		}
		if len(overlap(rec.Nodes, back)) == 0 {
			err := r.Slurm.Requeue(ctx, rec)
			if r.heard(err); err != nil {
				env.Warnf(r.Env, "job", "job %s: %v", rec.Ref(), err)
				continue
			}
		}
		var err error
		switch r.Config.Plans.OnAdviceAgainst {
		case "requeue":
		case "hold":
			err = r.Slurm.Hold(ctx, rec)
		default:
			burst := r.burstNodes(rec.Partition)
			all, perr := r.Slurm.PartitionNodes(ctx, rec.Partition)
			switch {
			case perr != nil:
				err = perr
			case slices.ContainsFunc(all, func(n string) bool { return !burst[n] }):
				// One name that Slurm does not know would refuse them all.
				err = r.Slurm.Exclude(ctx, rec, slices.DeleteFunc(all, func(n string) bool { return !burst[n] }))
			default:
				err = r.Slurm.Hold(ctx, rec)
			}
		}
		if r.heard(err); err != nil {
			env.Warnf(r.Env, "job", "job %s: %v", rec.Ref(), err)
		}
	}
}

// burstNodes are the cloud nodes of a partition: those that the configuration
// names, and those of this call, also where they are not launched.
func (r *resumption) burstNodes(partition string) map[string]bool {
	burst := setOf(r.request.Nodes)
	for _, g := range r.Config.Groups {
		if g.Partition == partition {
			for _, n := range g.Nodes {
				burst[n] = true
			}
		}
	}
	return burst
}
