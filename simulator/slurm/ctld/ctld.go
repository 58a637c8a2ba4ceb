// Package ctld is a slurmctld in virtual time: it takes jobs, schedules them
// over nodes on the premises and in the cloud, saves power by calling programs,
// and keeps what scontrol shows and changes. What it does follows Slurm 22.05.
//
// It starts no program and no machine: whoever composes a cluster runs the
// programs that it calls (Programs), lets machines boot, and tells it when a
// slurmd registers or falls silent. Who starts when is simulator/slurm/sched's to
// decide; nodes and jobs are kept in simulator/slurm/state, where scontrol
// (simulator/slurm) finds them.
//
// Everything happens when something changes: nothing ticks while nothing can
// come of it, so that an idle month costs nothing and a simulation ends.
//
// Left out: COMPLETING (a node is free the instant its job ends), prologs and
// epilogs, steps, job suspension, preemption, reservations, heterogeneous jobs
// that are submitted, and messages that take time: slurmctld pings a node, and
// launches a script, at once.
package ctld

import (
	"context"
	"errors"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/slurm/state"
)

// Programs are what slurmctld calls to power nodes up and down. It does not wait
// for them: a method starts its program and returns. nodes are the Daemon's own
// until then.
type Programs interface {
	// Resume is ResumeProgram; file is what SLURM_RESUME_FILE holds.
	Resume(nodes []string, file []byte)
	Suspend(nodes []string)
	// ResumeFail is called for nodes that were not up within ResumeTimeout.
	ResumeFail(nodes []string)
}

// Options of a Daemon.
type Options struct {
	Engine *simulator.Engine
	Conf   conf.Settings
	// Policy is who starts when: sched.Slurm is slurmctld's own.
	Policy sched.Policy
	// Programs may be nil where no node is ever powered down or up.
	Programs Programs
	// Sink takes what happens to jobs and nodes; nil stands for nobody.
	Sink record.Sink
	// Epoch is the instant from which the jobs' Begin counts; 0 stands for that of
	// New.
	Epoch env.Time
	// AddrChanged is told of each NodeAddr that scontrol sets; nil for nobody.
	AddrChanged func(node, addr string)
}

// Daemon is a slurmctld. Like all models it belongs to its engine's goroutine.
type Daemon struct {
	opt    Options
	engine *simulator.Engine
	conf   conf.Settings
	table  *state.Table
	model  *slurm.Model
	sched  *sched.Scheduler

	nodes []node
	power powerSave
	jobs  []*[jobChunk]job
	lives []*life // of nobody
	tell  teller

	epoch      env.Time
	born       env.Time // when slurmctld started
	partitions map[string]*partition
	uids       map[string]int32
	// ownOverTimeLimits is whether a partition has another OverTimeLimit.
	ownOverTimeLimits bool
	fallback          string // the partition of jobs that name none
	places            map[placeKey]int32
	textBegin         int32 // reasons, as numbers of the table
	textDepends       int32
	textNever         int32

	waiters map[int32][]waiter   // a job's id -> jobs that wait for its end
	depends map[int32]dependency // what those jobs wait for
	over    []ended              // jobs that ended, until they are forgotten
	first   int                  // of over

	pass   passes
	counts Counts
	latest env.Time // at which a job's time comes
}

// Counts are how much work there was.
type Counts struct {
	Submitted, Ended, Requeued int
	// Passes and Backfills were made; most changes need none.
	Passes, Backfills int
	Scans             int // of the power saving thread that had something to do
}

// partition is what the scheduler does not know of one.
type partition struct{ overTimeLimit time.Duration }

// ErrConf is the error of settings that make no cluster.
var ErrConf = errors.New("slurm.conf")

// New returns a slurmctld at the engine's present instant: nodes on the premises
// are up, cloud nodes are powered down.
func New(opt Options) (*Daemon, error) {
	c := opt.Conf
	d := &Daemon{
		opt: opt, engine: opt.Engine, conf: c, table: state.New(),
		partitions: map[string]*partition{}, uids: map[string]int32{}, places: map[placeKey]int32{},
		waiters: map[int32][]waiter{}, depends: map[int32]dependency{},
	}
	d.born = d.now()
	if d.epoch = opt.Epoch; d.epoch == 0 {
		d.epoch = d.now()
	}
	d.model = slurm.Over(d.table, opt.Engine.Env(), hooks{d})
	d.tell = teller{d: d}
	d.textBegin = d.table.Intern("BeginTime")
	d.textDepends = d.table.Intern("Dependency")
	d.textNever = d.table.Intern("DependencyNeverSatisfied")
	d.sched = sched.New(sched.Options{
		Policy: opt.Policy, Shared: c.Shared, Memory: c.SelectMemory,
		Params: sched.Params{
			Depth: c.Scheduler.QueueDepth, Window: c.Scheduler.BackfillWindow, Resolution: c.Scheduler.BackfillResolution,
			WindowLinear: c.Scheduler.BackfillLinear,
			MaxTest:      c.Scheduler.BackfillMaxJobs,
		},
		Priority: sched.Weights{
			Age: int64(c.Priority.WeightAge), FairShare: int64(c.Priority.WeightFairshare), JobSize: int64(c.Priority.WeightJobSize),
			Partition: int64(c.Priority.WeightPartition), QOS: int64(c.Priority.WeightQOS),
			MaxAge: c.Priority.MaxAge, FavorSmall: c.Priority.FavorSmall, HalfLife: c.Priority.DecayHalf, Period: c.Priority.CalcPeriod,
		},
	})
	if err := d.addPartitions(); err != nil {
		return nil, err
	}
	if err := d.addNodes(); err != nil {
		return nil, err
	}
	d.initPower()
	if err := d.checkPower(); err != nil {
		return nil, err
	}
	d.initPasses()
	return d, nil
}

// Model is the daemon's scontrol, with what it can do to its tables besides.
func (d *Daemon) Model() *slurm.Model { return d.model }

// Scontrol is scontrol's command line (executor/slurm.Runner).
func (d *Daemon) Scontrol(ctx context.Context, args ...string) ([]byte, error) {
	d.purge()
	return d.model.Scontrol(ctx, args...)
}

// Counts returns how much work there was so far.
func (d *Daemon) Counts() Counts { return d.counts }

// Latest is the last instant that a job has waited for until now, or waits for:
// its own beginning, a while after another's end, or after a requeue. Before it
// something will happen, however quiet it is.
func (d *Daemon) Latest() env.Time { return d.latest }

// now is the present instant.
func (d *Daemon) now() env.Time { return d.engine.Now() }

// idleSince is the present instant for a node's last_busy, which is never 0.
func (d *Daemon) idleSince() env.Time { return max(d.second(d.now()), 1) }

// second is an instant as slurmctld keeps it: in whole seconds.
func (*Daemon) second(t env.Time) env.Time { return t - t%env.Time(time.Second) }
