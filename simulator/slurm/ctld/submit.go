package ctld

import (
	"fmt"
	"strings"
	"time"

	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/slurm/state"
	"aws-slurm-burst/simulator/workload"
)

// asked is what a job asks for, for people.
func asked(w *workload.Job) string {
	what := fmt.Sprintf("%d CPUs", max(w.Procs, 1))
	if w.Nodes > 0 {
		what += fmt.Sprintf(" on %d nodes", w.Nodes)
	}
	for _, more := range []struct {
		n    int64
		unit string
	}{{int64(w.GPUsPerNode), "GPUs"}, {w.MemoryPerNode, "MiB"}} {
		if more.n > 0 {
			what += fmt.Sprintf(", %d %s each", more.n, more.unit)
		}
	}
	if w.Constraint != "" {
		what += ", " + w.Constraint
	}
	return what
}

// Submit hands a job in at the present instant, under its own id. It fails with
// ErrRefused where sbatch would, and the job is not there.
func (d *Daemon) Submit(w workload.Job) error {
	d.purge()
	if w.ID <= 0 || w.ID > maxJobID {
		return fmt.Errorf("%w: %d is no job id (1 to %d)", ErrRefused, w.ID, maxJobID)
	}
	id := int32(w.ID)
	if d.table.FindJob(id) != state.None {
		return fmt.Errorf("%w: there is a job %d", ErrRefused, id)
	}
	partition := w.Partition
	if partition == "" {
		partition = d.fallback
	}
	origin := d.table.InternOrigin(state.Origin{
		User: w.User, UID: d.uid(w.User), Account: w.Account, Partition: partition, QOS: w.QOS, Constraint: w.Constraint,
	})
	place, err := d.place(origin, nil)
	if err != nil {
		return fmt.Errorf("%w: %d: %w", ErrRefused, id, err)
	}
	k := d.table.NewJob(id)
	r, j := d.table.Job(k), d.job(k)
	*j = job{
		Job: sched.Job{
			ID: w.ID, Submit: d.now(), Limit: max(w.Limit, 0), Memory: w.MemoryPerNode, GPUs: w.GPUsPerNode,
			MinNodes: max(w.Nodes, 1), MaxNodes: w.Nodes, CPUs: max(w.Procs, 1),
			Place: place, Assoc: d.sched.Assoc(w.User, w.Account), QOS: int32(d.conf.Priority.QOSPriority[w.QOS]),
			Exclusive: w.Exclusive, Owner: k, Nodes: j.Nodes[:0],
		},
		run: max(w.Run, 0),
	}
	if why := d.sched.Check(&j.Job); why == sched.BadConstraints {
		d.forget(k)
		return fmt.Errorf("%w: %d: Requested node configuration is not available (%s, in %s)", ErrRefused, id, asked(&w), partition)
	}
	r.Origin, r.Name = origin, d.table.Intern(w.Name)
	r.NumNodes, r.NumCPUs = max(w.Nodes, 1), max(w.Procs, 1)
	r.Bits = state.Batch
	if d.conf.JobRequeue && !w.NoRequeue {
		r.Bits |= state.Requeue
	}
	if w.Array > 0 && w.Array <= maxJobID {
		d.table.Group(k, int32(w.Array))
		r.Task = w.Task
	}
	if w.Begin > 0 {
		r.NotBefore = max(d.epoch.Add(w.Begin), 1)
	}
	d.counts.Submitted++
	d.tell.submitted(k, &w, partition)
	if w.After > 0 && d.await(k, w.After, dependency{w.Think, w.AfterOK}) {
		return nil
	}
	d.ready(k)
	return nil
}

// uid is a user's number: from 1000, in the order in which they come.
func (d *Daemon) uid(user string) int32 {
	n, ok := d.uids[user]
	if !ok {
		n = 1000 + int32(len(d.uids))
		d.uids[user] = n
	}
	return n
}

// await makes a job wait for another's end and reports whether it has to.
func (d *Daemon) await(k int32, after int64, dep dependency) bool {
	r := d.table.Job(k)
	other := state.None
	if after <= maxJobID {
		other = d.table.FindJob(int32(after))
	}
	switch {
	case other == state.None:
		// Slurm takes a job that it has forgotten for one that it need not wait
		// for. It ended a MinJobAge ago, or before.
		if dep.think > d.conf.MinJobAge {
			r.NotBefore = max(r.NotBefore, d.now().Add(dep.think-d.conf.MinJobAge))
		}
		return false
	case other == k:
		return false
	case !d.table.Job(other).State.Ended():
		r.Reason = d.textDepends
		d.waiters[int32(after)] = append(d.waiters[int32(after)], waiter{k, r.ID})
		d.depends[k] = dep
		return true
	}
	return d.follow(k, other, dep)
}

// follow is what the end of a job means for one that waits for it; it reports
// whether it waits for ever.
func (d *Daemon) follow(k, other int32, dep dependency) bool {
	r := d.table.Job(k)
	if dep.ok && d.table.Job(other).State != state.Completed {
		r.Reason = d.textNever
		d.depends[k] = dep
		d.tell.job(record.JobHeld, k, int(r.Restarts), "", "DependencyNeverSatisfied")
		return true
	}
	r.NotBefore = max(r.NotBefore, d.job(other).ended.Add(dep.think))
	return false
}

// ready queues a job that may start, or waits until it may.
func (d *Daemon) ready(k int32) {
	r, j := d.table.Job(k), d.job(k)
	if _, depends := d.depends[k]; depends || r.Is(state.Held) || j.phase != waiting {
		return
	}
	if j.life != nil {
		d.engine.Cancel(j.timer)
	}
	if r.NotBefore > d.now() {
		r.Reason = d.textBegin
		d.latest = max(d.latest, r.NotBefore)
		d.live(k).timer = d.engine.At(r.NotBefore, j.fire)
		return
	}
	r.Reason, j.phase = 0, queued
	if j.Eligible == 0 {
		j.Eligible = d.now()
		d.tell.job(record.JobEligible, k, int(r.Restarts), "", "")
	}
	if d.sched.Submit(&j.Job, d.now()); j.Limit >= endless {
		j.traits |= unlimited
	}
	d.wake()
}

// endless is the limit that the scheduler takes for a job without one.
const endless = 365 * 24 * time.Hour

// placeKey names what jobs may use: where they were sent, and what is excluded.
type placeKey struct {
	partition, constraint, without string
}

// place returns the scheduler's number for where a job may be.
func (d *Daemon) place(origin int32, without []int32) (int32, error) {
	o := d.table.Origin(origin)
	key := placeKey{o.Partition, o.Constraint, ""}
	if len(without) > 0 {
		key.without = hostlist.Fold(d.table.Names(without))
	}
	if at, ok := d.places[key]; ok {
		return at, nil
	}
	var all []int32
	for name := range strings.SplitSeq(o.Partition, ",") {
		at, err := d.sched.Place(name, o.Constraint)
		if err != nil {
			return 0, err
		}
		if len(without) > 0 {
			at = d.sched.Without(at, without)
		}
		all = append(all, at)
	}
	at := all[0]
	if len(all) > 1 {
		at = d.sched.Alternatives(all...)
	}
	d.places[key] = at
	return at, nil
}
