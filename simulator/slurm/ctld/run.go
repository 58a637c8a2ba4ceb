package ctld

import (
	"math"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/state"
)

// allocate gives a job the nodes that the scheduler chose.
func (d *Daemon) allocate(k int32) {
	r, j := d.table.Job(k), d.live(k)
	nodes := j.Nodes
	if !slices.IsSorted(nodes) {
		nodes = slices.Sorted(slices.Values(nodes)) // the scheduler keeps its own order
	}
	d.table.Place(k, nodes)
	r.NumNodes, r.Reason, r.State = int32(len(nodes)), 0, state.Configuring
	j.phase, j.waits, j.began, j.works = placed, 0, 0, 0
	off := false
	for _, i := range nodes {
		if !d.nodes[i].up {
			j.waits++
			off = off || d.table.Node(i).Has(state.PoweredDown)
		}
	}
	if j.waits > 0 {
		j.traits |= configured
	}
	d.tell.allocated(k, nodes)
	if off {
		d.power.resume = append(d.power.resume, resuming{k, r.ID})
	}
	if d.power.on {
		d.touch()
		for _, i := range nodes {
			d.reckon(i)
		}
		d.rearm()
	}
	d.proceed(k)
}

// periodic is how often slurmctld looks whether the nodes of a job that is
// CONFIGURING are up, and whether a job has reached its limit (PERIODIC_TIMEOUT;
// seen on 22.05.8, where a job of booted nodes starts up to half a minute after
// them).
const periodic = 30 * time.Second

// tick is the first such look at or after an instant.
func (d *Daemon) tick(t env.Time) env.Time {
	if t >= forever-env.Time(periodic) {
		return t
	}
	n := (t - d.born + env.Time(periodic) - 1) / env.Time(periodic)
	return d.born + n*env.Time(periodic)
}

// proceed starts a job's script once enough of its nodes are up, and its work
// once all are.
func (d *Daemon) proceed(k int32) {
	r, j := d.table.Job(k), d.job(k)
	if j.began == 0 {
		if !d.bootedEnough(k) {
			return
		}
		if j.traits&configured != 0 {
			d.engine.Cancel(j.timer)
			j.timer = d.engine.At(d.tick(d.now()), j.fire)
			return
		}
		d.begin(k)
	}
	if j.waits == 0 && j.works == 0 {
		j.works = d.now()
		d.tell.job(record.JobWorking, k, int(r.Restarts), "", "")
	}
	d.engine.Cancel(j.timer)
	if end, _ := d.ends(j); end < forever {
		j.timer = d.engine.At(end, j.fire)
	}
}

// bootedEnough reports whether a batch script may start: on its first node, or
// on all of them.
func (d *Daemon) bootedEnough(k int32) bool {
	j := d.job(k)
	return j.waits == 0 || !d.conf.Scheduler.WaitAllNodes && d.nodes[d.table.Job(k).Nodes[0]].up
}

// begin starts a job's script.
func (d *Daemon) begin(k int32) {
	r, j := d.table.Job(k), d.job(k)
	j.began = d.now()
	j.traits &^= configured
	r.State = state.Running
	d.tell.job(record.JobStarted, k, int(r.Restarts), "", "")
	if j.traits&unlimited == 0 {
		if end := sum(j.began, j.Limit); end != j.EndsBy() {
			d.sched.Extend(&j.Job, end)
		}
	}
}

// forever is the end of time.
const forever = env.Time(math.MaxInt64)

// ends is when a job ends, as things stand, and whether by itself. A job that
// reaches its limit, and OverTimeLimit after it, gets SIGTERM; it is taken to
// go on until SIGKILL, KillWait later, where it does not end by itself before.
func (d *Daemon) ends(j *job) (at env.Time, itself bool) {
	own, limit := forever, d.limit(j)
	if j.works != 0 {
		own = sum(j.works, j.run)
	}
	switch {
	case own <= limit:
		return own, true
	case own == forever:
		return limit, false // srun that waits for nodes does not mind dying
	}
	return min(own, sum(limit, d.conf.KillWait)), false
}

// limit is the instant of a job's SIGTERM: when slurmctld sees that the limit is
// over.
func (d *Daemon) limit(j *job) env.Time {
	over := d.overTimeLimit(j)
	if j.traits&unlimited != 0 || over < 0 {
		return forever
	}
	return d.tick(sum(sum(j.began, j.Limit), over))
}

// overTimeLimit is that of a job's partition, the first that it names.
func (d *Daemon) overTimeLimit(j *job) time.Duration {
	if !d.ownOverTimeLimits {
		return d.conf.OverTimeLimit
	}
	name, _, _ := strings.Cut(d.table.Origin(d.table.Job(j.Owner).Origin).Partition, ",")
	return d.partitions[name].overTimeLimit
}

// sum is an instant later, or the end of time.
func sum(t env.Time, d time.Duration) env.Time {
	if s := t.Add(d); s >= t {
		return s
	}
	return forever
}

// timeout is a job's timer: it may start now, or it ends.
func (d *Daemon) timeout(k int32) {
	j := d.job(k)
	switch j.phase {
	case waiting:
		d.ready(k)
	case placed:
		if j.began == 0 {
			if d.bootedEnough(k) {
				d.begin(k)
				d.proceed(k)
			}
			return
		}
		_, itself := d.ends(j)
		switch {
		case !itself, j.traits&stalled != 0:
			d.finish(k, state.Timeout, "TimeLimit")
		case j.waits > 0:
			// Nobody tells of its end: a node that is silent should. At its limit
			// it is killed all the same.
			j.traits |= stalled
			if limit := d.limit(j); limit < forever {
				j.timer = d.engine.At(limit, j.fire)
			}
		default:
			d.finish(k, state.Completed, "")
		}
	}
}

// nodeUp is a node of a job that has come up, or back.
func (d *Daemon) nodeUp(k int32) {
	j := d.job(k)
	if j.waits--; j.traits&stalled != 0 {
		if j.waits == 0 {
			d.finish(k, state.Completed, "")
		}
		return
	}
	d.proceed(k)
}

// nodeGone is a node of a job that has fallen silent.
func (d *Daemon) nodeGone(k int32) { d.job(k).waits++ }

// Cancel is scancel of one job. It reports whether there is one that has not
// ended.
func (d *Daemon) Cancel(id int64) bool {
	k := state.None
	if id > 0 && id <= maxJobID {
		k = d.table.FindJob(int32(id))
	}
	if k == state.None || d.table.Job(k).State.Ended() {
		return false
	}
	d.finish(k, state.Cancelled, "")
	return true
}

// finish ends a job for good.
func (d *Daemon) finish(k int32, st state.JobState, reason string) {
	r := d.table.Job(k)
	r.State, r.Reason = st, d.table.Intern(reason)
	d.table.Unplace(k)
	d.conclude(k, reason)
}

// conclude is what follows from a job's end.
func (d *Daemon) conclude(k int32, cause string) {
	d.leave(k)
	r, j := d.table.Job(k), d.live(k)
	j.phase, j.ended = finished, d.now()
	d.counts.Ended++
	d.tell.job(record.JobEnded, k, int(r.Restarts), r.State.String(), cause)
	d.over = append(d.over, ended{k, r.ID, j.ended})
	delete(d.depends, k)
	if len(d.waiters) == 0 {
		return
	}
	others := d.waiters[r.ID]
	delete(d.waiters, r.ID)
	for _, w := range others {
		dep, ok := d.depends[w.job]
		if !ok || d.table.Job(w.job).ID != w.id {
			continue // cancelled meanwhile
		}
		delete(d.depends, w.job)
		if !d.follow(w.job, k, dep) {
			d.ready(w.job)
		}
	}
}

// leave takes a job out of the queue, or off its nodes.
func (d *Daemon) leave(k int32) {
	j := d.job(k)
	if j.life != nil {
		d.engine.Cancel(j.timer)
	}
	switch j.phase {
	case queued:
		d.sched.Withdraw(&j.Job)
	case placed:
		nodes := d.table.Job(k).Nodes
		d.sched.Release(&j.Job, d.now())
		for _, i := range nodes {
			d.freed(i)
		}
	}
	j.phase, j.waits = waiting, 0
	j.traits &^= stalled | configured
	d.wake()
}
