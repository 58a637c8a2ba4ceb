package ctld

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/state"
)

// powerSave is slurmctld's power saving thread (power_save.c of 22.05). Once a
// second it asks whether a node has changed since its last scan, or the
// interval is over; if so it scans. Its arithmetic is in whole seconds, and its
// comparisons are strict: SuspendTime=60 suspends after 61 s, at the next scan.
//
// Here a scan is made only where it has something to do. When those between
// would have been is worked out, for they decide when the next one is.
type powerSave struct {
	on       bool
	minGap   time.Duration
	interval time.Duration

	last  env.Time // instant of the last scan, made or not
	timer simulator.Timer
	at    env.Time // when timer fires; 0 where it does not
	scan  func()

	queue  []int32 // nodes by due, a heap
	resume []resuming

	// How many nodes were resumed and suspended within about a minute.
	resumed, suspended float64
	worked             env.Time // instant of the last scan that those stand for

	due, wake, sleep, failed []int32
	file                     []resumeJob
	partial                  []partialExempt
}

// resuming is a job whose nodes are to be powered up.
type resuming struct {
	job int32
	id  int32
}

// partialExempt is a set of nodes of which count are kept up.
type partialExempt struct {
	nodes []int32
	count int
}

// initPower works out what power saving means for each node.
func (d *Daemon) initPower() {
	p, c := &d.power, &d.conf
	p.interval, p.minGap = max(c.PowerSaveInterval, time.Second), c.PowerSaveMinInterval
	p.last = d.second(d.now())
	p.scan = d.scan
	partition := false
	for i := range d.nodes {
		n := &d.nodes[i]
		n.suspendTime, n.suspendTimeout, n.resumeTimeout = c.SuspendTime, c.SuspendTimeout, c.ResumeTimeout
		own := [3]bool{}
		for k := range c.Partitions {
			q := &c.Partitions[k]
			if !slices.Contains(strings.Split(d.table.Node(int32(i)).Partitions, ","), q.Name) {
				continue
			}
			for w, t := range [3]*time.Duration{q.SuspendTime, q.SuspendTimeout, q.ResumeTimeout} {
				if t == nil {
					continue
				}
				to := [3]*time.Duration{&n.suspendTime, &n.suspendTimeout, &n.resumeTimeout}[w]
				partition = partition || w == 0 && *t != conf.Infinite
				if !own[w] {
					*to = *t
				} else {
					*to = longest(*to, *t)
				}
				own[w] = true
			}
		}
	}
	p.on = (c.SuspendTime != conf.Infinite || partition) && c.ResumeProgram != "" && c.SuspendProgram != "" && d.opt.Programs != nil
	for _, list := range c.SuspendExcNodes {
		list, text, some := strings.Cut(list, ":")
		names, _ := hostlist.Expand(list)
		count, _ := strconv.Atoi(text)
		var nodes []int32
		for _, name := range names {
			if i := d.table.FindNode(name); i != state.None {
				nodes = append(nodes, i)
			}
		}
		if some && count > 0 && count < len(nodes) {
			p.partial = append(p.partial, partialExempt{nodes, count})
			continue
		}
		for _, i := range nodes {
			d.nodes[i].exempt = true
		}
	}
	for _, name := range c.SuspendExcParts {
		for _, i := range d.table.Partition(name) {
			d.nodes[i].exempt = true
		}
	}
	for i := range d.nodes {
		d.reckon(int32(i))
	}
	d.rearm()
}

func longest(a, b time.Duration) time.Duration {
	if a == conf.Infinite || b == conf.Infinite {
		return conf.Infinite
	}
	return max(a, b)
}

// checkPower refuses cloud nodes that nothing would ever power up.
func (d *Daemon) checkPower() error {
	if d.power.on {
		return nil
	}
	for i := range d.nodes {
		if n := d.table.Node(int32(i)); n.Has(state.Cloud) {
			return fmt.Errorf("%w: node %s is a cloud node, but power saving is off: it needs SuspendTime (not INFINITE), ResumeProgram and SuspendProgram", ErrConf, n.Name)
		}
	}
	return nil
}

// nodeChanged is any change of a node: the thread scans in the second after.
func (d *Daemon) nodeChanged(i int32) {
	p := &d.power
	if !p.on {
		return
	}
	d.touch()
	d.reckon(i)
	for _, e := range p.partial {
		for _, k := range e.nodes {
			d.reckon(k) // one that was kept may not be any more
		}
	}
	d.rearm()
}

// touch notes that a node has changed: last_node_update.
func (d *Daemon) touch() {
	p := &d.power
	p.catchUp(d.now())
	if p.last <= d.now() {
		p.last = max(d.second(d.now()).Add(time.Second), p.last.Add(p.minGap))
	}
}

// catchUp moves last over the scans that nothing came of.
func (p *powerSave) catchUp(now env.Time) {
	if gap := now - p.last; gap >= env.Time(p.interval) {
		p.last += gap / env.Time(p.interval) * env.Time(p.interval)
	}
}

// next is the first scan at or after an instant, as things stand.
func (p *powerSave) next(t env.Time) env.Time {
	if t <= p.last {
		return p.last
	}
	n := (t - p.last + env.Time(p.interval) - 1) / env.Time(p.interval)
	return p.last + n*env.Time(p.interval)
}

// rearm sets the timer for the next scan that has something to do.
func (d *Daemon) rearm() {
	p := &d.power
	var at env.Time
	switch {
	case !p.on:
		return
	case len(p.resume) > 0:
		at = p.next(d.now() + 1)
	case len(p.queue) > 0:
		at = p.next(max(d.nodes[p.queue[0]].due, d.now()+1))
	}
	if at == p.at {
		return
	}
	d.engine.Cancel(p.timer)
	if p.at = at; at != 0 {
		p.timer = d.engine.At(at, p.scan)
	}
}

// reckon works out when the thread has to look at a node, and puts it into the
// heap, or takes it out.
func (d *Daemon) reckon(i int32) {
	n, x := d.table.Node(i), &d.nodes[i]
	var due env.Time
	switch {
	case n.Has(state.PoweringUp | state.NotResponding):
		due = x.booted.Add(x.resumeTimeout + time.Second)
	case n.Has(state.PoweringDown):
		due = x.saved.Add(x.suspendTimeout + time.Second)
	case len(n.Jobs) > 0 || n.Any(state.Completing|state.PoweringUp):
	case n.Has(state.PowerDown):
		due = 1
	case n.Has(state.PoweredDown), x.busy == 0, x.exempt, x.suspendTime == conf.Infinite:
	default:
		due = x.busy.Add(x.suspendTime + time.Second)
	}
	x.due = due
	d.power.sift(d.nodes, i, due != 0)
}

// scan is one scan of the power saving thread.
func (d *Daemon) scan() {
	p, now := &d.power, d.now()
	d.counts.Scans++
	p.at = 0
	p.decay(now)
	p.last = now
	d.resumeJobs()
	file := d.resumeFile()

	p.due = p.due[:0]
	for len(p.queue) > 0 && d.nodes[p.queue[0]].due <= now {
		i := p.queue[0]
		p.due = append(p.due, i)
		p.sift(d.nodes, i, false)
	}
	slices.Sort(p.due)
	p.sleep, p.failed = p.sleep[:0], p.failed[:0]
	for _, i := range p.due {
		d.examine(i, now)
	}
	p.last = now // what it changes itself is no reason to look again
	// In the order in which slurmctld starts its programs.
	if len(p.sleep) > 0 {
		d.opt.Programs.Suspend(d.table.Names(p.sleep))
	}
	if len(p.wake) > 0 {
		d.opt.Programs.Resume(d.table.Names(p.wake), file)
	}
	if len(p.failed) > 0 && d.conf.ResumeFailProgram != "" {
		d.opt.Programs.ResumeFail(d.table.Names(p.failed))
	}
	d.rearm()
}

// decay lets the counts of the rates fade, as it did in each scan since the last
// one that was made.
func (p *powerSave) decay(now env.Time) {
	const minute = env.Time(time.Minute)
	for p.worked < now && p.resumed+p.suspended > 0 {
		step := min(now-p.worked, env.Time(p.interval))
		rate := max(0, float64(minute-step)/float64(minute))
		if p.resumed, p.suspended = p.resumed*rate, p.suspended*rate; p.resumed+p.suspended < 0.01 {
			p.resumed, p.suspended = 0, 0
		}
		p.worked += step
	}
	p.worked = now
}

// may reports whether a rate (nodes a minute) allows one node more.
func may(count float64, rate int) bool { return rate <= 0 || int(count+0.5) < rate }

// resumeJobs marks the nodes that are powered up for jobs, at most as many as
// ResumeRate allows.
func (d *Daemon) resumeJobs() {
	p, now := &d.power, d.now()
	p.wake = p.wake[:0]
	p.file = p.file[:0]
	left := p.resume[:0]
	for at, r := range p.resume {
		if !may(p.resumed, d.conf.ResumeRate) {
			left = append(left, p.resume[at:]...)
			break
		}
		j := d.table.Job(r.job)
		if j.ID != r.id || !j.State.HasNodes() {
			continue
		}
		from, rest := len(p.wake), false
		var own []int32
		for _, i := range j.Nodes {
			n := d.table.Node(i)
			switch {
			case n.Has(state.PoweringUp) && d.nodes[i].booted == now:
				own = append(own, i) // another job's of this very call, too
			case !n.Has(state.PoweredDown):
			case !may(p.resumed, d.conf.ResumeRate):
				rest = true
			default:
				p.resumed++
				n.Flags = n.Flags&^state.PoweredDown | state.PoweringUp | state.NotResponding
				d.nodes[i].booted = now
				p.wake = append(p.wake, i)
			}
		}
		if own = append(own, p.wake[from:]...); len(own) > 0 {
			slices.Sort(own)
			p.file = append(p.file, resumeJob{JobID: r.id, Nodes: hostlist.Fold(d.table.Names(own))})
		}
		if rest {
			left = append(left, r)
		}
	}
	clear(p.resume[len(left):])
	p.resume = left
	slices.Sort(p.wake)
	for _, i := range p.wake {
		d.tell.node(record.NodeResumed, i, "", "")
		d.reckon(i)
		d.offer(i)
	}
}

// examine does what is due for a node.
func (d *Daemon) examine(i int32, now env.Time) {
	p, n, x := &d.power, d.table.Node(i), &d.nodes[i]
	switch {
	case n.Has(state.PoweringUp | state.NotResponding):
		// NOT_RESPONDING stays, up to 22.05.
		n.Flags = n.Flags&^(state.Drain|state.PowerDown|state.PoweringUp) | state.PoweredDown
		x.busy, x.booted, x.up = 0, 0, false
		d.down(i, "ResumeTimeout reached")
		x.busy = 0 // of the jobs that it was taken from
		p.failed = append(p.failed, i)
	case n.Has(state.PoweringDown):
		n.Flags = n.Flags&^state.PoweringDown | state.PoweredDown
		x.busy, x.saved = 0, 0
		d.tell.node(record.NodeDown, i, "", "")
	default:
		if !may(p.suspended, d.conf.SuspendRate) {
			x.due = now + 1
			p.sift(d.nodes, i, true)
			return
		}
		if !n.Has(state.PowerDown) && d.kept(i) {
			return // until a node of its set changes
		}
		p.suspended++
		d.suspend(i, now)
	}
	d.reckon(i)
	d.offer(i)
}

// suspend begins to power a node down.
func (d *Daemon) suspend(i int32, now env.Time) {
	n, x := d.table.Node(i), &d.nodes[i]
	cause := ""
	if n.Has(state.PowerDown) {
		if n.Has(state.Drain) {
			cause = record.SingleUse
		}
		n.Flags &^= state.Drain // POWER_DOWN_ASAP's own
	}
	n.Flags = n.Flags&^(state.PowerDown|state.NotResponding|state.PoweredDown) | state.PoweringDown
	if d.conf.IdleOnNodeSuspend {
		n.Base = state.Idle
		n.Flags &^= state.Drain
	}
	x.saved, x.up = now, false
	d.engine.Cancel(x.silent)
	d.power.sleep = append(d.power.sleep, i)
	d.tell.node(record.NodeSuspended, i, x.instance, cause)
	x.instance = ""
}

// kept reports whether a node is one of so many that SuspendExcNodes keeps up:
// the first usable ones that are idle.
func (d *Daemon) kept(i int32) bool {
	for _, e := range d.power.partial {
		left := e.count
		for _, k := range e.nodes {
			n := d.table.Node(k)
			if n.Base == state.Down || len(n.Jobs) > 0 || n.Any(state.Drain|state.PoweringUp|state.PoweringDown|state.PoweredDown) {
				continue
			}
			if k == i {
				return true
			}
			if left--; left == 0 {
				break
			}
		}
	}
	return false
}
