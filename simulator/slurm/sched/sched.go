// Package sched decides which pending jobs start when, and on which nodes, as a
// scheduler of Slurm does: in order of priority, with backfilling, on whole
// nodes or on shared ones.
//
// It is pure: it keeps no clock, starts no program and knows no names. Whoever
// owns the cluster (simulator/slurm/ctld) tells it what happened and asks for a
// Pass; it answers with the jobs that have their nodes now. What becomes of
// them, whether a node has to boot first, and when a job ends are the owner's.
//
// Nodes come in classes: nodes of a class differ in nothing that a job can ask
// for. Partitions, constraints, users and accounts are resolved to small
// numbers when a job is made (Place, Assoc), so that a pass compares integers.
//
// What there is has rooms of its own: site (nodes and places), pick (which of them
// serve a job), ahead (when they could), queue (who waits) and share (limits and
// fair shares). Here is who is next, and for whom something is kept.
//
// Left out: preemption, advance reservations, licences, generic resources other
// than GPUs, topology, heterogeneous jobs, and whatever depends on which cores
// of a node a job has.
package sched

import (
	"fmt"
	"math"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/ahead"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/queue"
	"aws-slurm-burst/simulator/slurm/sched/share"
	"aws-slurm-burst/simulator/slurm/sched/site"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// Policy is the order in which jobs get nodes.
type Policy uint8

const (
	// FIFO starts jobs strictly in order: nobody overtakes the first that has to
	// wait.
	FIFO Policy = iota
	// EASY reserves nodes for the first job that has to wait, at the earliest
	// instant at which the limits of running jobs promise them, and lets others
	// overtake as long as that instant does not move (Mu'alem and Feitelson,
	// IEEE TPDS 12(6), 2001).
	EASY
	// Slurm is slurmctld's pair: a main pass that stops in each partition at the
	// first job that has to wait, and a backfill pass that reserves nodes for
	// every job that it tests.
	Slurm
)

var policies = [...]string{"fifo", "easy", "slurm"}

func (p Policy) String() string { return policies[p] }

// ParsePolicy reads a policy's name: fifo, easy or slurm.
func ParsePolicy(s string) (Policy, error) {
	for i, name := range policies {
		if s == name {
			return Policy(i), nil
		}
	}
	return 0, fmt.Errorf("scheduler %q: it is one of fifo, easy, slurm", s)
}

// Options of a Scheduler. The zero value is FIFO on whole nodes.
type Options struct {
	Policy Policy
	// Shared lets jobs share nodes by CPUs, memory and GPUs (select/cons_tres);
	// else each job has its nodes to itself (select/linear).
	Shared bool
	// Memory makes memory a thing to share (CR_Core_Memory, CR_CPU_Memory). Where
	// it is false a node's memory only says which jobs it can serve.
	Memory bool
	// Params are slurm.conf's SchedulerParameters; only Slurm has them.
	Params Params
	// Priority makes priorities of factors. Its zero value is priority/basic:
	// first submitted, first served.
	Priority Weights
	// Limits are every user's, until SetAssoc.
	Limits Limits
}

// Params are the SchedulerParameters that matter to decisions, by Slurm's
// names. When passes are made (batch_sched_delay, sched_interval, bf_interval) is
// the owner's to keep. What bounds the time that a pass takes (bf_max_time,
// bf_yield_interval, bf_continue) is left out: here a pass takes none.
type Params struct {
	// Depth is default_queue_depth: how many jobs a Pass tests that is not full.
	Depth int

	// Window is bf_window: reservations begin no later than that from now.
	Window time.Duration
	// Resolution is bf_resolution: backfill rounds instants to it, up on whole nodes
	// and down on shared ones.
	Resolution time.Duration
	// WindowLinear is bf_window_linear: by how much more backfill looks at together,
	// of the ends of jobs on shared nodes, the farther away they are. 0 doubles it
	// each time. Ends of jobs on whole nodes are told apart exactly.
	WindowLinear time.Duration
	// MaxTest is bf_max_job_test: how many jobs a Backfill tests. MaxStart is
	// bf_max_job_start: how many it starts, 0 for no limit.
	MaxTest, MaxStart int
	// MinAge is bf_min_age_reserve: a job that is eligible for less gets no
	// reservation.
	MinAge time.Duration
}

// DefaultParams are the values of a slurm.conf without SchedulerParameters, as
// slurm.conf(5) of 22.05 has them.
func DefaultParams() Params {
	return Params{Depth: 100, Window: 24 * time.Hour, Resolution: time.Minute, MaxTest: 500}
}

// Job is a job as the scheduler sees it. The owner fills in the exported fields,
// keeps it in memory and does not change them between Submit and Release or
// Withdraw.
type Job struct {
	// ID and Submit order jobs of equal priority: first submitted, then lowest.
	ID     int64
	Submit env.Time
	// Eligible is the instant since which it may start: its age counts from it.
	Eligible env.Time
	// Limit is its time limit; 0 takes the partition's.
	Limit time.Duration
	// Memory is MiB on each node, GPUs a count on each node.
	Memory int64
	GPUs   int32
	// MinNodes is at least 1 and MaxNodes 0 for as many as it takes. CPUs are
	// what it asks for in all, PerNode at least on each node. Whole nodes that
	// have less than an even share do not serve it: a job of 3 CPUs on 2 nodes takes
	// none of 1.
	MinNodes, MaxNodes int32
	CPUs, PerNode      int32

	Place int32 // from Place, Alternatives or Without
	Assoc int32 // from Assoc
	QOS   int32 // its quality of service's priority
	Nice  int32
	// Exclusive shares its nodes with no other.
	Exclusive bool
	// Owner is the owner's own number for it; the scheduler never reads it.
	Owner int32

	// Nodes are what it has while it runs: whole ones in the order in which they were
	// taken, shared ones in that of their numbers.
	// The slice is the job's own until its Release.
	Nodes []int32
	// Why is why it waits, as of the last pass that met it.
	Why Reason
	// Expected is when it has nodes at the latest, by the last pass that reserved
	// some for it; 0 where none did.
	Expected env.Time

	state     state
	shape     int32 // what it comes to in each of its options
	allocated int32 // CPUs that it has
	priority  int64
	end       env.Time
	charged   env.Time   // until when its use is booked
	use       *ahead.Use // what it has while it runs
}

type state uint8

const (
	outside state = iota
	pending
	running
)

// EndsBy returns the instant at which a running job's limit ends.
func (j *Job) EndsBy() env.Time { return j.end }

// Pending and Running say where the job is; it is neither before Submit and
// after Withdraw or Release.
func (j *Job) Pending() bool { return j.state == pending }
func (j *Job) Running() bool { return j.state == running }

// PriorityNow is the priority by which it waits, as of the last calculation.
func (j *Job) PriorityNow() int64 { return j.priority }

// endless is a limit for who has none: Slurm's backfill takes a year.
const endless = 365 * 24 * time.Hour

// hole is a number of nodes that there cannot be.
const hole = math.MaxInt32

// never is later than every instant that is planned for.
const never = ahead.Never

// Scheduler has the nodes of a cluster, the queue, and who runs where.
type Scheduler struct {
	opt Options

	site              site.Site
	pick              pick.Picker
	waiting           []int32 // pending jobs of each partition
	maxFactor, maxQOS int32

	shares   share.Tree
	nextCalc env.Time // of priorities

	queue   queue.Queue[Job]
	ahead   ahead.Planner
	running []*Job       // by end, where their use is charged
	unused  []*ahead.Use // of jobs that have ended
	started []*Job       // of the present pass

	// Where the last pass stood: entries of the queue before tested cannot start
	// unless something happens that changed() hears of. epoch counts these.
	epoch   uint64
	tested  int
	stuck   bool   // nor can any that is submitted later
	deep    bool   // as many as may be were tested: the rest waits for a full pass
	blocked []bool // partitions whose first waiting job was met
	caps    []int32
	head    *Job        // EASY's first job that has to wait
	shadow  env.Time    // when it has its nodes at the latest; never: nobody knows
	spare   []int32     // nodes of each class that it leaves then
	held    slots.Nodes // what it has reserved where nodes are shared
	planned bool        // nothing happened since the last Backfill

	// Scratch.
	plan         ahead.Plan
	future       slots.Map
	plans        uint64 // counts plans, and what has started since one began
	busy, booked slots.Nodes
}

// New returns a scheduler without nodes. Partitions and classes come first,
// then nodes, then jobs.
func New(opt Options) *Scheduler {
	if opt.Params == (Params{}) {
		opt.Params = DefaultParams()
	}
	s := &Scheduler{opt: opt, site: site.New(), shares: share.Tree{HalfLife: opt.Priority.HalfLife, Default: opt.Limits}}
	s.pick = pick.New(&s.site, opt.Shared, opt.Memory)
	s.ahead = ahead.Planner{Site: &s.site, Pick: &s.pick, Linear: opt.Params.WindowLinear}
	s.plan.Resolution = opt.Params.Resolution
	return s
}
