// Package processors simulates a machine of so many processors, without nodes:
// jobs take any of them that are free, first come, first served or with EASY
// backfilling. It is what most studies of scheduling simulate, and so what
// published figures and queueing theory can be held against.
//
// It knows no partitions, priorities or dependencies (the submit times of a
// trace have those in them already); simulator/slurm/sched does, on nodes.
//
// EASY is that of Mu'alem and Feitelson (IEEE TPDS 12(6), 2001): the first job
// that has to wait is promised its processors for the instant at which running
// jobs leave enough of them if each takes all of the time that it asked for.
// Others overtake it where they fit and either end by then or take processors
// that it leaves. Jobs are considered once for each instant, after all that
// happens in it.
package processors

import (
	"fmt"
	"iter"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/workload"
)

// Policy is the order in which jobs get processors.
type Policy uint8

const (
	// FIFO lets nobody overtake.
	FIFO Policy = iota
	// EASY backfills behind a promise to the first that waits.
	EASY
)

// Options of a Machine.
type Options struct {
	// Processors is how many there are.
	Processors int
	Policy     Policy
	// Cut ends a job when it has had the time that it asked for, as Slurm does.
	// Else it goes on for as long as it runs, and the scheduler, to which it is
	// overdue, expects its end at any moment.
	Cut bool
	// MissingLimit is what a job asks for that does not say; 0 is the time that it
	// runs, as if it knew.
	MissingLimit time.Duration
	// Sink takes JobSubmitted, JobEligible, JobStarted and JobEnded, whose State is
	// COMPLETED, or TIMEOUT for a job that was cut; nil for none.
	Sink record.Sink
}

// Result is what became of a job. Instants are the engine's; the workload begins
// at the instant of Start.
type Result struct {
	Job *workload.Job // good during the call
	// Eligible is its submission, or its Begin where that is later.
	Eligible, Started, Ended env.Time
	// Cut says that it was ended at its limit.
	Cut bool
}

// Wait is how long the job was eligible and did not run.
func (r *Result) Wait() time.Duration { return r.Started.Sub(r.Eligible) }

// BoundedSlowdown is max(1, (wait+run)/max(run, tau)): by how much longer than
// its run a job took, where runs shorter than tau count as tau. 10 s is usual
// (Feitelson, JSSPP 2001).
func (r *Result) BoundedSlowdown(tau time.Duration) float64 {
	run := r.Ended.Sub(r.Started)
	return max(1, float64(r.Wait()+run)/float64(max(run, tau)))
}

// Machine runs a workload.
type Machine struct {
	engine *simulator.Engine
	opt    Options
	begin  env.Time
	next   func() (workload.Job, error, bool)
	stop   func()
	ended  func(Result)
	err    error

	coming  workload.Job // the next to be submitted
	arrive  func()
	finish  func()
	decide  func()
	decides bool // a decision is due in this instant

	jobs  []job
	spare []int32 // numbers of jobs that nobody has
	free  int
	queue []waiting
	gone  int       // entries at the queue's beginning that have started
	holes int       // and behind it
	runs  []running // by the end that is expected
	ends  []ending  // heap by the end that comes
	seq   int64

	// What was promised to the head, while nothing but submissions happened.
	tested   int // entries of the queue that cannot start as things are
	promised bool
	shadow   env.Time
	extra    int
}

// job is a job in the machine.
type job struct {
	workload.Job
	eligible, started env.Time
	limit             time.Duration
	seq               int64
}

// waiting is a job in the queue; procs 0 is one that has started.
type waiting struct {
	limit time.Duration
	job   int32
	procs int32
}

// Start submits a workload to a new machine, from the engine's present instant
// on, and calls ended, if there is one, for each job when it has ended. The source is read as the
// jobs come. When the engine has run, Err says whether all went well.
func Start(e *simulator.Engine, src workload.Source, opt Options, ended func(Result)) *Machine {
	m := &Machine{engine: e, opt: opt, begin: e.Now(), ended: ended, free: opt.Processors}
	m.arrive, m.finish, m.decide = m.arrived, m.finished, m.decided
	m.next, m.stop = iter.Pull2(src)
	m.pull()
	return m
}

// Run submits a workload to a new machine and runs the engine until it is done.
func Run(e *simulator.Engine, src workload.Source, opt Options, ended func(Result)) error {
	m := Start(e, src, opt, ended)
	defer m.Close()
	if err := e.Run(); err != nil {
		return err
	}
	return m.Err()
}

// Err returns why the machine stopped reading its source, nil where it came to
// its end.
func (m *Machine) Err() error { return m.err }

// Close lets go of the source. Only a machine whose engine is dropped before its
// end needs it.
func (m *Machine) Close() { m.stop() }

// pull gets the next job and waits for its submission.
func (m *Machine) pull() {
	if m.read() {
		m.engine.At(m.begin.Add(m.coming.Submit), m.arrive)
	}
}

// read gets the next job and reports whether there is one.
func (m *Machine) read() bool {
	j, err, ok := m.next()
	if !ok {
		return false
	}
	if err == nil && int(j.Procs) > m.opt.Processors {
		err = fmt.Errorf("job %d asks for %d processors, and the machine has %d: give it more, or leave such jobs out (lenient)", j.ID, j.Procs, m.opt.Processors)
	}
	if err != nil {
		m.err = err
		m.stop()
		return false
	}
	m.coming = j
	return true
}

// arrived takes all jobs that are submitted in this instant.
func (m *Machine) arrived() {
	now := m.engine.Now()
	for {
		m.submit(now)
		if !m.read() {
			return
		}
		if at := m.begin.Add(m.coming.Submit); at > now {
			m.engine.At(at, m.arrive)
			return
		}
	}
}

func (m *Machine) submit(now env.Time) {
	k := m.place()
	j := &m.jobs[k]
	j.Job, j.limit, j.seq = m.coming, m.coming.Limit, m.seq
	m.seq++
	m.tell(record.JobSubmitted, j)
	if j.limit <= 0 {
		j.limit = m.opt.MissingLimit
	}
	if j.limit <= 0 {
		j.limit = j.Run
	}
	if begin := m.begin.Add(j.Begin); begin > now {
		m.engine.At(begin, func() { m.enqueue(k) })
		return
	}
	m.enqueue(k)
}

// place returns the number of a job that nobody has.
func (m *Machine) place() int32 {
	if n := len(m.spare); n > 0 {
		k := m.spare[n-1]
		m.spare = m.spare[:n-1]
		return k
	}
	m.jobs = append(m.jobs, job{})
	return int32(len(m.jobs) - 1)
}

func (m *Machine) enqueue(k int32) {
	j := &m.jobs[k]
	j.eligible = m.engine.Now()
	m.tell(record.JobEligible, j)
	m.queue = append(m.queue, waiting{j.limit, k, max(j.Procs, 1)})
	m.due()
}

// due makes the machine decide when all of this instant has happened.
func (m *Machine) due() {
	if !m.decides {
		m.decides = true
		m.engine.At(m.engine.Now(), m.decide)
	}
}

// finished ends the jobs whose time it is.
func (m *Machine) finished() {
	now := m.engine.Now()
	for len(m.ends) > 0 && m.ends[0].at <= now {
		k := m.popEnd()
		j := &m.jobs[k]
		procs := max(j.Procs, 1)
		m.free += int(procs)
		m.forget(j.started.Add(j.limit), j.seq)
		m.tell(record.JobEnded, j)
		if m.ended != nil {
			m.ended(Result{Job: &j.Job, Eligible: j.eligible, Started: j.started, Ended: now, Cut: m.cuts(j)})
		}
		*j = job{}
		m.spare = append(m.spare, k)
		m.tested, m.promised = 0, false
		m.due()
	}
}

func (m *Machine) decided() {
	m.decides = false
	now := m.engine.Now()
	if m.promised && m.shadow <= now {
		m.tested, m.promised = 0, false // the promise was not kept: look again
	}
	if m.free == 0 {
		return
	}
	for ; m.tested < len(m.queue)-m.gone; m.tested++ {
		w := &m.queue[m.gone+m.tested]
		p := int(w.procs)
		switch {
		case p == 0:
		case !m.promised && p <= m.free:
			m.start(w)
		case !m.promised:
			if m.opt.Policy == FIFO {
				return
			}
			m.promise(p)
		case p <= m.free && now.Add(w.limit) <= m.shadow:
			m.start(w)
		case p <= m.free && p <= m.extra:
			m.extra -= p
			m.start(w)
		}
		if m.free == 0 {
			break
		}
	}
	m.tidy()
}
