package ctld

import (
	"slices"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/slurm/state"
)

// node is what the daemon knows of a node beside the table.
type node struct {
	up       bool // slurmd has registered and answers
	exempt   bool // SuspendExcNodes, SuspendExcParts
	instance string

	suspendTime, suspendTimeout, resumeTimeout time.Duration

	busy   env.Time // last_busy: since when it is idle, in seconds; 0 for never
	booted env.Time // when ResumeProgram was called for it
	saved  env.Time // when SuspendProgram was called for it
	due    env.Time // when the power saving thread has to look at it
	place  int32    // in the thread's heap, from 1; 0 is outside

	silent simulator.Timer // until SlurmdTimeout
	fire   func()
}

// Addr returns a node's NodeAddr; "" for a node that there is not.
func (d *Daemon) Addr(name string) string {
	if i := d.table.FindNode(name); i != state.None {
		return d.table.Node(i).Addr
	}
	return ""
}

// Booting reports whether slurmctld waits for a node's slurmd to register after
// a power-up: only then does it take one of a machine that has just booted.
func (d *Daemon) Booting(name string) bool {
	i := d.table.FindNode(name)
	return i != state.None && d.table.Node(i).Has(state.PoweringUp)
}

// State returns a node's state as scontrol shows it but for what jobs make of
// it: IDLE+CLOUD+POWERED_DOWN.
func (d *Daemon) State(name string) string {
	i := d.table.FindNode(name)
	if i == state.None {
		return ""
	}
	n := d.table.Node(i)
	return n.State(n.Base)
}

// offer tells the scheduler what can be done with a node, and wakes whoever may
// want it.
func (d *Daemon) offer(i int32) {
	n := d.table.Node(i)
	a, at := sched.Up, env.Time(0)
	switch {
	case n.Base == state.Down:
		a = sched.Out
	case n.Has(state.PoweringDown):
		a, at = sched.Back, d.nodes[i].saved.Add(d.nodes[i].suspendTimeout+time.Second)
	case n.Has(state.PowerDown):
		// It goes when its jobs have ended, and comes back.
		a, at = sched.Back, d.now()
		for _, k := range n.Jobs {
			at = max(at, d.job(k).EndsBy())
		}
		at = at.Add(d.nodes[i].suspendTimeout + 2*time.Second)
	case n.Has(state.Drain), n.Has(state.NotResponding) && !n.Any(state.PoweringUp|state.PoweredDown):
		a = sched.Out
	case n.Has(state.PoweringUp):
		a = sched.Booting
	case n.Has(state.PoweredDown):
		a = sched.Off
	}
	d.sched.SetNode(i, a, at)
	d.wake()
}

// Register is a node's slurmd that has come up on an instance ("" on the
// premises) and registers. It reports whether slurmctld has use for it: one that
// it powered down, or gave up on, stays as it is whatever registers. The
// caller has seen to it that the NodeAddr is that instance's, or slurmctld could
// not talk to it.
func (d *Daemon) Register(name, instance string) bool {
	i := d.table.FindNode(name)
	if i == state.None {
		return false
	}
	n, x := d.table.Node(i), &d.nodes[i]
	if n.Any(state.PoweringDown | state.PoweredDown) {
		// Without a power-up it is nothing but a machine too many. A node that is
		// down may come back to service all the same, powered down as it is.
		if n.Base == state.Down && d.returns(n) {
			n.Base, n.Reason = state.Idle, ""
			d.offer(i)
		}
		return false
	}
	booting, was := n.Has(state.PoweringUp), n.Any(state.NotResponding) || !x.up || n.Base == state.Down
	n.Flags &^= state.PoweringUp | state.NotResponding
	d.engine.Cancel(x.silent)
	up := x.up
	x.up, x.instance, x.booted = true, instance, 0
	if n.Base == state.Down && (booting || d.returns(n)) {
		n.Base, n.Reason = state.Idle, ""
	}
	if booting && !n.Has(state.Drain) {
		n.Reason = "" // of the last time that it was given back
	}
	if len(n.Jobs) == 0 {
		x.busy = d.idleSince()
	}
	if booting || was {
		d.tell.node(record.NodeReady, i, instance, "")
	}
	d.offer(i)
	d.nodeChanged(i)
	if !up {
		for _, k := range slices.Clone(n.Jobs) {
			d.nodeUp(k)
		}
	}
	return n.Base != state.Down
}

// returns reports whether ReturnToService brings a node back that is down.
func (d *Daemon) returns(n *state.Node) bool {
	return d.conf.ReturnToService == 2 || d.conf.ReturnToService == 1 && n.Reason == notResponding
}

// notResponding is the reason of nodes that are down because they were silent.
const notResponding = "Not responding"

// Lost is a node whose slurmd answers no more, because its machine is gone. It
// is DOWN after SlurmdTimeout, unless it registers before; then its jobs are
// requeued, or die. Until then they make no progress.
func (d *Daemon) Lost(name string) {
	i := d.table.FindNode(name)
	if i == state.None || !d.nodes[i].up {
		return
	}
	x := &d.nodes[i]
	x.up = false
	n := d.table.Node(i)
	if n.Any(state.PoweringDown | state.PoweredDown) {
		return // as it should
	}
	n.Flags |= state.NotResponding
	for _, k := range n.Jobs {
		d.nodeGone(k)
	}
	if x.fire == nil {
		x.fire = func() { d.silent(i) }
	}
	x.silent = d.engine.After(d.conf.SlurmdTimeout, x.fire)
	d.offer(i)
	d.nodeChanged(i)
}

// silent is SlurmdTimeout of a node.
func (d *Daemon) silent(i int32) {
	n := d.table.Node(i)
	if d.nodes[i].up || n.Any(state.PoweringUp|state.PoweringDown|state.PoweredDown) {
		return
	}
	d.down(i, notResponding)
	d.nodes[i].busy = d.idleSince()
	d.offer(i)
	d.nodeChanged(i)
}

// down sets a node DOWN and takes it from its jobs.
func (d *Daemon) down(i int32, reason string) {
	n := d.table.Node(i)
	n.Base, n.Reason, n.ReasonAt = state.Down, reason, d.now()
	d.tell.node(record.NodeFailed, i, d.nodes[i].instance, reason)
	d.model.Evict(i)
}

// freed is a node that one job less has.
func (d *Daemon) freed(i int32) {
	if len(d.table.Node(i).Jobs) > 0 {
		return
	}
	d.nodes[i].busy = d.idleSince()
	d.nodeChanged(i)
}
