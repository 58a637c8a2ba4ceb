package ctld

import (
	"errors"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/slurm/sched"
)

// job is what the daemon knows of a job beside the table: what the scheduler
// sees, and how far it has come.
type job struct {
	sched.Job
	run time.Duration
	*life
	waits  int32 // nodes whose slurmd has not registered, or is silent
	phase  phase
	traits traits
}

// life is what a job needs once something has happened to it: a million that
// wait in the queue have none.
type life struct {
	job   int32
	began env.Time // since when it is RUNNING; 0: it is not
	works env.Time // since when all of its nodes are there
	ended env.Time
	// requeued is when it lost a node and was requeued, which scontrol shows as its
	// submission; 0 for never.
	requeued env.Time
	timer    simulator.Timer
	fire     func()
}

// live gives a job its life.
func (d *Daemon) live(k int32) *job {
	j := d.job(k)
	if j.life != nil {
		return j
	}
	if n := len(d.lives); n > 0 {
		j.life = d.lives[n-1]
		d.lives = d.lives[:n-1]
		*j.life = life{job: k, fire: j.fire}
		return j
	}
	l := &life{job: k}
	l.fire = func() { d.timeout(l.job) }
	j.life = l
	return j
}

// forget drops a job.
func (d *Daemon) forget(k int32) {
	if j := d.job(k); j.life != nil {
		d.lives = append(d.lives, j.life)
		j.life = nil
	}
	d.table.Drop(k)
}

// phase is where a job is.
type phase uint8

const (
	waiting  phase = iota // not eligible: held, before its time, or for another job
	queued                // in the scheduler's queue
	placed                // it has nodes: CONFIGURING or RUNNING
	finished              // until it is forgotten
)

// traits are what a job is.
type traits uint8

const (
	unlimited  traits = 1 << iota // no time limit
	configured                    // some of its nodes had to boot
	stalled                       // its time is over, but for a node that is silent
	onHold                        // it is held, and that was told
)

// jobChunk is how many jobs are allocated at once, as in the table.
const jobChunk = 256

// dependency is what a job waits for.
type dependency struct {
	think time.Duration
	ok    bool // only if that ended well
}

// waiter is a job that waits for another's end. Its id tells it from a later one
// of its number.
type waiter struct{ job, id int32 }

// ended is a job that is to be forgotten.
type ended struct {
	job, id int32
	at      env.Time
}

// maxJobID is Slurm's default MaxJobId.
const maxJobID = 0x03ff0000

// ErrRefused is the error of a job that sbatch would not take.
var ErrRefused = errors.New("job refused")

func (d *Daemon) job(k int32) *job {
	for int(k/jobChunk) >= len(d.jobs) {
		d.jobs = append(d.jobs, new([jobChunk]job))
	}
	return &d.jobs[k/jobChunk][k%jobChunk]
}

// purge forgets jobs that ended MinJobAge ago. It is done when somebody could see
// the difference, not by the clock: slurmctld looks every minute.
func (d *Daemon) purge() {
	for d.first < len(d.over) && d.over[d.first].at.Add(d.conf.MinJobAge) <= d.now() {
		o := d.over[d.first]
		d.first++
		// It may have been revived, and ended again.
		if r := d.table.Job(o.job); r.ID == o.id && r.State.Ended() && d.job(o.job).ended == o.at {
			d.forget(o.job)
		}
	}
	if d.first > 1024 && d.first > len(d.over)/2 {
		d.over = append(d.over[:0], d.over[d.first:]...)
		d.first = 0
	}
}
