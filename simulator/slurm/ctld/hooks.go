package ctld

import (
	"cmp"

	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/slurm/state"
)

// hooks are what scontrol's changes lead to (slurm.Daemon).
type hooks struct{ d *Daemon }

// NodeChanged is a node whose state scontrol set.
func (h hooks) NodeChanged(i int32) {
	d, n := h.d, h.d.table.Node(i)
	if n.Has(state.PowerDown | state.PoweringDown) {
		n.Flags &^= state.PowerDown // it is under way
	}
	if n.Base == state.Idle && !n.Any(state.PoweredDown|state.PoweringDown|state.PoweringUp) && len(n.Jobs) == 0 && d.nodes[i].busy == 0 {
		d.nodes[i].busy = d.idleSince()
	}
	if !n.Any(state.PoweringUp) {
		d.nodes[i].booted = 0
	}
	d.offer(i)
	d.nodeChanged(i)
}

// AddrChanged is a node that was given another address.
func (h hooks) AddrChanged(i int32) {
	if f := h.d.opt.AddrChanged; f != nil {
		n := h.d.table.Node(i)
		f(n.Name, n.Addr)
	}
}

// Requeued is a job that lost its nodes, or was revived.
func (h hooks) Requeued(k int32, cause string) {
	d := h.d
	r, j := d.table.Job(k), d.job(k)
	if j.phase == finished {
		d.counts.Ended--
	}
	d.leave(k)
	d.counts.Requeued++
	d.tell.job(record.JobRequeued, k, int(r.Restarts)-1, "", cause)
	j.Eligible, j.began, j.works, j.ended = 0, 0, 0, 0
	if cause != "requeue" && cause != "requeuehold" {
		j.requeued = d.now()
	}
	r.NumNodes = j.MinNodes
	r.NotBefore = max(r.NotBefore, d.now().Add(d.conf.RequeueDelay))
	if !d.held(k, cause) {
		d.ready(k)
	}
}

// held tells of a job that is held, the first time, and reports whether it is.
func (d *Daemon) held(k int32, cause string) bool {
	r, j := d.table.Job(k), d.job(k)
	if !r.Is(state.Held) {
		j.traits &^= onHold
		return false
	}
	if j.traits&onHold == 0 {
		j.traits |= onHold
		d.tell.job(record.JobHeld, k, int(r.Restarts), "", cause)
	}
	return true
}

// Ended is a job that lost its nodes for good.
func (h hooks) Ended(k int32, cause string) { h.d.conclude(k, cause) }

// JobChanged is a pending job that scontrol held, released, moved or restricted.
func (h hooks) JobChanged(k int32) {
	d := h.d
	r, j := d.table.Job(k), d.job(k)
	d.leave(k)
	if r.NotBefore > d.now() {
		j.Eligible = 0
	}
	if d.held(k, d.table.Text(r.Reason)) {
		j.Eligible = 0
		return
	}
	var without []int32
	if r.More != nil {
		without = r.More.ExcNodes
	}
	if at, err := d.place(r.Origin, without); err == nil {
		j.Place = at
	}
	d.ready(k)
}

// Times are what scontrol shows of a job.
func (h hooks) Times(k int32) slurm.Times {
	j := h.d.job(k)
	t := slurm.Times{Submit: j.Submit, Eligible: j.Eligible, Limit: j.Limit}
	if j.life != nil {
		t.Start, t.End = j.began, j.ended
		t.Submit = cmp.Or(j.requeued, t.Submit)
	}
	if j.traits&unlimited != 0 {
		t.Limit = conf.Infinite
	}
	if j.phase == placed && t.Start != 0 {
		if j.traits&unlimited == 0 {
			t.End = sum(j.began, j.Limit)
		}
	}
	if j.phase == queued && j.Why != sched.None {
		t.Why = j.Why.String()
	}
	return t
}
