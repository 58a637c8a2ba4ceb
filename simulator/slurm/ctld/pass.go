package ctld

import (
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/slurm/sched"
)

// passes is when the scheduler is asked. FIFO and EASY are asked at each change,
// once an instant. Slurm's main pass comes batch_sched_delay after the last one
// at the soonest, and one that tests all jobs every sched_interval; backfill
// comes every bf_interval. None is made that could not start a job.
type passes struct {
	timer simulator.Timer
	at    env.Time // when timer fires; -1 where it does not
	run   func()

	main, full, backfill env.Time // when the last ones were made
}

// never is no instant.
const never = env.Time(-1)

func (d *Daemon) initPasses() {
	p := &d.pass
	p.run = d.schedule
	p.at = never
	// Of intervals of 0 slurmctld makes as many passes as it can.
	c := &d.conf.Scheduler
	c.Delay, c.Interval, c.BackfillInterval = max(c.Delay, time.Millisecond), max(c.Interval, time.Second), max(c.BackfillInterval, time.Second)
	start := d.now()
	p.main, p.full, p.backfill = start, start, start
}

// wake asks for the passes that something which has just changed may be worth, as
// soon as the policy has them.
func (d *Daemon) wake() {
	p, now, c := &d.pass, d.now(), &d.conf.Scheduler
	switch {
	case p.run == nil: // New has not ended
	case d.opt.Policy != sched.Slurm:
		if d.sched.Dirty(now) {
			d.passAt(now)
		}
	default:
		if d.sched.Dirty(now) {
			d.passAt(max(now, p.main.Add(c.Delay)))
		}
		if d.sched.Deep() {
			d.passAt(max(now, p.full.Add(c.Interval), p.main.Add(c.Delay)))
		}
		if c.Backfill && d.sched.BackfillDirty(now) {
			d.passAt(max(now, p.backfill.Add(c.BackfillInterval)))
		}
	}
}

// passAt makes a pass come at an instant, or before.
func (d *Daemon) passAt(at env.Time) {
	p := &d.pass
	if p.at != never && p.at <= at {
		return
	}
	d.engine.Cancel(p.timer)
	p.at = at
	p.timer = d.engine.At(at, p.run)
}

// schedule makes the passes that are due.
func (d *Daemon) schedule() {
	p, now, c := &d.pass, d.now(), &d.conf.Scheduler
	p.at = never
	if d.opt.Policy != sched.Slurm {
		if d.sched.Dirty(now) {
			d.counts.Passes++
			d.start(d.sched.Pass(now, true))
		}
		return
	}
	full := now >= p.full.Add(c.Interval)
	if now >= p.main.Add(c.Delay) && (d.sched.Dirty(now) || full && d.sched.Deep()) {
		p.main = now
		if full {
			p.full = now
		}
		d.counts.Passes++
		d.start(d.sched.Pass(now, full))
	}
	if c.Backfill && now >= p.backfill.Add(c.BackfillInterval) && d.sched.BackfillDirty(now) {
		p.backfill = now
		d.counts.Backfills++
		d.start(d.sched.Backfill(now))
	}
	// What is left to be tried is tried when its time has come; nothing else keeps
	// time running.
	d.wake()
}

// start lets jobs have the nodes that they were given.
func (d *Daemon) start(jobs []*sched.Job) {
	for _, j := range jobs {
		d.allocate(j.Owner)
	}
}
