// Package cluster is a whole site in virtual time: a slurmctld, nodes on the
// premises and in the cloud, an EC2 with its machines, and between them the
// executor, the very code that Slurm calls in production.
//
// It composes and decides nothing: who starts when is slurmctld's
// (simulator/slurm/ctld), what is launched the executor's, what EC2 has its
// model's (simulator/ec2). What happens is told as record.Events.
package cluster

import (
	"context"
	"fmt"
	"iter"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/ctld"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// Options of a run.
type Options struct {
	// Slurm is what slurm.conf says, Policy who starts when.
	Slurm  conf.Settings
	Policy sched.Policy
	// Cloud is nil where all nodes stand on the premises.
	Cloud *Cloud
	// Failures are nil where nodes on the premises never fail.
	Failures *Failures
	// Until ends the run, counted from its beginning; 0 is when the last job has
	// ended and what was launched is gone.
	Until time.Duration

	// Sink takes what happens; nil stands for nobody. Progress is told now and
	// then how far the run is.
	Sink     record.Sink
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	Simulated        time.Duration
	Submitted, Ended int
}

// Outcome is what a run leaves beside its events.
type Outcome struct {
	// TraceHash is the engine's hash over all events.
	TraceHash uint64
	// Simulated is the time from the beginning to the last event.
	Simulated time.Duration
	// Submitted and Ended count jobs: those that are left wait for what never
	// comes, or run where the run was ended.
	Submitted, Ended int
	// Refused counts jobs that sbatch would not take, FirstRefusal says why the
	// first was not.
	Refused      int
	FirstRefusal error
}

// step is how often a run looks up: at its context, and whether it has ended.
const step = time.Hour

// patience is how long nothing may happen, when all jobs were submitted and the
// time of each has come, until a run ends that has jobs left: they wait for what
// never comes.
const patience = 48 * time.Hour

// site is one run.
type site struct {
	opt    Options
	engine *simulator.Engine
	slurm  *ctld.Daemon
	cloud  *machines // nil without a cloud

	premises *premises // nil where they never fail

	next     func() (workload.Job, error, bool)
	job      workload.Job // the next one to be submitted
	more     bool
	err      error
	last     env.Time           // of the last event
	running  map[int64]struct{} // jobs that have nodes
	refusals int
	refusal  error             // the first
	fields   []simulator.Field // of trace, used again
}

// NewEngine returns the engine of a run: the seed determines every random number
// of it. What programs say is not kept.
func NewEngine(seed uint64) *simulator.Engine {
	return simulator.New(simulator.Options{Seed: seed, Start: record.Begin, Mute: true})
}

// Run runs the jobs of a source on a site, from record.Begin on, on an engine of
// its own (NewEngine). It ends with ctx's cause soon after ctx is done.
func Run(ctx context.Context, e *simulator.Engine, jobs workload.Source, opt Options) (Outcome, error) {
	defer e.Close()
	s, err := newSite(e, opt)
	if err != nil {
		return Outcome{}, err
	}
	next, stop := iter.Pull2(jobs)
	defer stop()
	s.next = next
	s.pull()
	return s.run(ctx)
}

// newSite builds a site that nobody has handed a job to.
func newSite(e *simulator.Engine, opt Options) (*site, error) {
	s := &site{opt: opt, engine: e, last: record.Begin, running: map[int64]struct{}{}}
	options := ctld.Options{Engine: e, Conf: opt.Slurm, Policy: opt.Policy, Sink: s.told}
	var err error
	if opt.Cloud != nil {
		if s.cloud, err = newMachines(s, *opt.Cloud); err != nil {
			return nil, err
		}
		options.Programs, options.AddrChanged = s.cloud, s.cloud.addrChanged
	}
	if s.slurm, err = ctld.New(options); err == nil && opt.Failures != nil {
		err = s.fail(*opt.Failures, &opt.Slurm)
	}
	return s, err
}

// pull takes the next job from the source and waits for its time.
func (s *site) pull() {
	s.job, s.err, s.more = s.next()
	if s.more && s.err == nil {
		s.engine.At(record.Begin.Add(s.job.Submit), s.submit)
	}
}

// submit hands in the job whose time has come, and all others of this instant.
func (s *site) submit() {
	at := s.job.Submit
	for s.more && s.err == nil && s.job.Submit <= at {
		if s.cloud != nil {
			s.cloud.submitted(&s.job)
		}
		if err := s.slurm.Submit(s.job); err != nil {
			s.refused(err)
		}
		s.job, s.err, s.more = s.next()
	}
	if s.more && s.err == nil {
		s.engine.At(record.Begin.Add(s.job.Submit), s.submit)
	}
}

// refused is a job that sbatch does not take: it is told as one that ended at once.
func (s *site) refused(err error) {
	if s.refusals++; s.refusals == 1 {
		s.refusal = err
	}
	j := &s.job
	spec := record.Spec{User: j.User, Account: j.Account, Partition: j.Partition, Procs: int(j.Procs), Nodes: int(j.Nodes), LimitS: j.Limit.Seconds(), RunS: j.Run.Seconds()}
	s.take(record.Event{At: s.engine.Now(), Kind: record.JobSubmitted, Job: j.ID, Spec: &spec})
	s.take(record.Event{At: s.engine.Now(), Kind: record.JobEnded, Job: j.ID, State: "REFUSED", Cause: err.Error()})
}

// run runs step by step until nothing is left to happen.
func (s *site) run(ctx context.Context) (Outcome, error) {
	end := env.Time(1<<63 - 1)
	if s.opt.Until > 0 {
		end = record.Begin.Add(s.opt.Until)
	}
	var over env.Time // when the last job had ended; 0 before
	for now := s.engine.Now(); now < end; now = s.engine.Now() {
		if s.err != nil {
			return Outcome{}, s.err
		}
		if ctx.Err() != nil {
			return Outcome{}, context.Cause(ctx)
		}
		count := s.slurm.Counts()
		if s.opt.Progress != nil {
			s.opt.Progress(Progress{now.Sub(record.Begin), count.Submitted, count.Ended})
		}
		latest := max(s.last, s.slurm.Latest())
		if s.premises != nil {
			latest = max(latest, s.premises.back)
		}
		if !s.more {
			idle := count.Submitted == count.Ended
			if idle && over == 0 {
				over = now
			}
			switch alive := s.cloud != nil && s.cloud.alive > 0; {
			case idle && !alive, idle && now >= over.Add(s.tail()):
				return s.outcome(s.last), nil
			case now >= latest.Add(patience) && len(s.running) == 0:
				return s.outcome(s.last), nil
			}
		}
		if err := s.engine.RunUntil(min(now.Add(step), end)); err != nil {
			return Outcome{}, fmt.Errorf("the simulation failed: %w", err)
		}
	}
	return s.outcome(s.engine.Now()), s.err
}

// tail is how long a site may need, when the last job has ended, to power its
// nodes down. Where it never does, the run ends with the last job.
func (s *site) tail() time.Duration {
	c := s.opt.Slurm
	if c.SuspendTime == conf.Infinite {
		return 0
	}
	return c.SuspendTime + c.SuspendTimeout + 4*step
}

// outcome ends the run.
func (s *site) outcome(end env.Time) Outcome {
	var assumed []string
	if s.cloud != nil {
		s.cloud.ec2.Charges()
		assumed = s.cloud.assumed()
	}
	if s.opt.Failures != nil {
		assumed = append(assumed, s.opt.Failures.assumed())
	}
	for _, a := range assumed {
		s.take(record.Event{At: s.engine.Now(), Kind: record.Assumed, Cause: a})
	}
	count := s.slurm.Counts()
	return Outcome{TraceHash: s.engine.Hash(), Simulated: end.Sub(record.Begin), Submitted: count.Submitted, Ended: count.Ended, Refused: s.refusals, FirstRefusal: s.refusal}
}

// take adds an event to the run's hash, and passes it on.
func (s *site) take(e record.Event) {
	s.trace(&e)
	s.told(e)
}

// told passes an event on that is in the hash: slurmctld's model has added its own.
func (s *site) told(e record.Event) {
	switch e.Kind {
	case record.JobAllocated:
		s.running[e.Job] = struct{}{}
	case record.JobRequeued:
		delete(s.running, e.Job)
	case record.JobEnded:
		delete(s.running, e.Job)
		if s.cloud != nil {
			delete(s.cloud.jobs, e.Job)
		}
	}
	if !s.premises.its(&e) {
		s.last = e.At
	}
	if s.opt.Sink != nil {
		s.opt.Sink(e)
	}
}

// trace adds what tells one run from another to its hash: what happened, to whom
// and why. Names of nodes of one event are one field each.
func (s *site) trace(e *record.Event) {
	f := append(s.fields[:0], simulator.Number(uint64(e.Job)), simulator.Number(uint64(e.Attempt)), simulator.Number(uint64(e.Count)), simulator.Text(e.Node))
	for _, n := range e.Nodes {
		f = append(f, simulator.Text(n))
	}
	f = append(f, simulator.Text(e.Instance), simulator.Text(e.Type), simulator.Text(e.AZ), simulator.Text(e.State), simulator.Text(e.Cause), simulator.Text(e.Operation), simulator.Text(e.Code))
	s.engine.Trace(e.Kind.String(), f...)
	s.fields = f
}
