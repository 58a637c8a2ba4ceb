// Package report makes figures of what a simulated cluster told: how long jobs
// waited, what the machines did meanwhile, what EC2 billed and for what, and how
// often its calls failed. docs/SIMULATOR.md has the formulas, and what they leave
// out.
//
// A Collector takes the events of one run. It keeps some bytes of a job that has
// ended, so a run may have millions of them. The package schedules nothing, reads
// no file and writes none: simulator/report/files does.
package report

import (
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report/sums"
)

// Options are how events are to be read.
type Options struct {
	// Begin is the instant at which the workload begins: times count from it.
	Begin env.Time
	// Cloud says that there was one: its figures are told, though they be 0.
	Cloud bool
	// Compared keeps each job's wait, for Compare.
	Compared bool
	// OnJob takes each job that has ended, in the order in which they end. It must
	// not keep Nodes longer than the call.
	OnJob func(Job)
}

// Job is a job that has ended. Instants count from the workload's beginning.
type Job struct {
	ID   int64
	Spec record.Spec
	// State is Slurm's word for how it ended, such as COMPLETED.
	State string
	// Submit is when it was handed in, Eligible when it might first have started.
	// Start is when its last attempt's script began, Working when all that the
	// attempt needed was there, End when it ended. Started is false for a job that
	// never began: its Start, Working and End are the same.
	Submit, Eligible, Start, Working, End time.Duration
	Started                               bool
	// Requeues counts the attempts that were lost before.
	Requeues int
	// Nodes are those of the last attempt, numbered in the order in which jobs were
	// first given them; none on a machine without nodes.
	Nodes []int
}

// Wait is the time in the queue since the job might have started. Attempts that
// were lost are waiting too: they brought the job nowhere.
func (j *Job) Wait() time.Duration { return j.Start - j.Eligible }

// Run is how long the last attempt took.
func (j *Job) Run() time.Duration { return j.End - j.Start }

// Collector takes the events of one run, in their order.
type Collector struct {
	opt Options
	now env.Time

	jobs  map[int64]*job // that have not ended
	free  []*job         // to be used again
	nodes map[string]*node
	// numbers counts the nodes that jobs have had.
	numbers int
	live    map[string]*instance // launched and not gone

	ended, neverStarted, requeues, held int
	states                              map[string]int
	firstSubmit, lastEnd                env.Time
	waits, sinceSubmit, responses       sums.Series
	waitOf                              map[int64]float32 // in seconds, by job; nil where nobody asks
	slowdowns                           sums.Series
	gangWaits, capacity                 sums.Series
	procNS                              float64 // processors that jobs held, by nanoseconds

	spent                  [causes]spending
	billed                 sums.Exact
	cloudProcNS            float64 // processors of billed instances, by nanoseconds
	launched, interrupted  int
	unpriced               int
	single, together       idling
	instances              sums.Peak
	quotas                 map[quota]*sums.Peak
	gangs                  Gangs
	depth                  depths
	calls                  map[string]int
	errors                 map[string]map[string]int
	resumes, suspends      int
	users, accounts, parts groups
	assumed                []string
}

// New returns a Collector that has seen nothing.
func New(o Options) *Collector {
	c := &Collector{
		opt: o, now: o.Begin,
		jobs: map[int64]*job{}, nodes: map[string]*node{}, live: map[string]*instance{},
		states: map[string]int{}, quotas: map[quota]*sums.Peak{},
		calls: map[string]int{}, errors: map[string]map[string]int{},
		users: groups{}, accounts: groups{}, parts: groups{},
	}
	if o.Compared {
		c.waitOf = map[int64]float32{}
	}
	return c
}

// Take takes an event. It is a record.Sink.
func (c *Collector) Take(e record.Event) {
	c.now = e.At
	switch e.Kind {
	case record.JobSubmitted, record.JobEligible, record.JobAllocated, record.JobStarted, record.JobWorking,
		record.JobEnded, record.JobRequeued, record.JobHeld:
		c.takeJob(e)
	case record.NodeResumed, record.NodeReady, record.NodeFailed, record.NodeSuspended, record.NodeDown:
		c.takeNode(e)
	case record.InstanceLaunched, record.InstanceRunning, record.InstanceEnding, record.InstanceGone, record.InstanceCharged:
		c.takeInstance(e)
	case record.InstanceWarned: // what comes of it is told by its ending
	case record.Resumed:
		c.resumes++
	case record.Suspended:
		c.suspends++
	case record.Gang:
		c.gangs.Asked++
		if e.Count == len(e.Nodes) {
			c.gangs.Whole++
		}
		if e.Count > 0 || e.Depth > 0 { // else it was given back, and nothing was tried
			c.depth.add(e.Depth)
		}
	case record.Call:
		c.calls[e.Operation]++
		if e.Code != "" {
			if c.errors[e.Operation] == nil {
				c.errors[e.Operation] = map[string]int{}
			}
			c.errors[e.Operation][e.Code]++
		}
	case record.Assumed:
		c.assume(e.Cause)
	}
}

// assume notes a number that nobody has measured, once.
func (c *Collector) assume(what string) {
	for _, a := range c.assumed {
		if a == what {
			return
		}
	}
	c.assumed = append(c.assumed, what)
}

// since is an instant as the workload counts it.
func (c *Collector) since(t env.Time) time.Duration { return t.Sub(c.opt.Begin) }

// depths are how far down their ladders gangs came.
type depths struct{ gangs, first, sum, most int }

func (d *depths) add(depth int) {
	d.gangs++
	d.sum += depth
	d.most = max(d.most, depth)
	if depth == 0 {
		d.first++
	}
}
