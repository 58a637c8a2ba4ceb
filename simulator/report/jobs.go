package report

import (
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
)

// tau is below which a run time makes no slowdown worse: 10 s, as Feitelson's
// bounded slowdown has it.
const tau = 10 * time.Second

// job is one that has not ended.
type job struct {
	id        int64
	spec      record.Spec
	requeues  int
	submitted env.Time
	// eligible is when it might first have started.
	eligible, started, workingAt env.Time
	isEligible, isStarted        bool
	working                      bool
	nodes                        []*node

	// asked is when Slurm first asked for a node that the attempt waits for, missing
	// how many of those are not ready yet.
	asked   env.Time
	missing int

	// worked is what the attempt's work took of cloud nodes, waited what they cost
	// while it had them and could not work yet.
	worked, waited spending
}

func (c *Collector) takeJob(e record.Event) {
	j := c.jobs[e.Job]
	if j == nil {
		if e.Kind != record.JobSubmitted {
			return // it had ended, or was never handed in
		}
		j = c.newJob(e)
	}
	switch e.Kind {
	case record.JobEligible:
		if !j.isEligible {
			j.eligible, j.isEligible = e.At, true
		}
	case record.JobAllocated:
		if e.Partition != "" {
			j.spec.Partition = e.Partition
		}
		c.allocate(j, e.Nodes)
	case record.JobStarted:
		j.started, j.isStarted = e.At, true
	case record.JobWorking:
		c.work(j)
	case record.JobRequeued:
		c.requeues++
		j.requeues++
		c.release(j, lostWork)
	case record.JobHeld:
		c.held++
	case record.JobEnded:
		c.end(j, e.State)
	}
}

func (c *Collector) newJob(e record.Event) *job {
	var j *job
	if n := len(c.free); n > 0 {
		j, c.free = c.free[n-1], c.free[:n-1]
		*j = job{nodes: j.nodes[:0]}
	} else {
		j = &job{}
	}
	j.id, j.spec, j.submitted, j.eligible = e.Job, *e.Spec, e.At, e.At
	if len(c.jobs) == 0 && c.ended == 0 {
		c.firstSubmit = e.At
	}
	c.jobs[e.Job] = j
	return j
}

// allocate gives nodes to a job.
func (c *Collector) allocate(j *job, names []string) {
	for _, name := range names {
		n := c.node(name)
		if n.number < 0 {
			n.number = c.numbered()
		}
		c.settle(n)
		n.jobs = append(n.jobs, j)
		j.nodes = append(j.nodes, n)
		if n.powering {
			j.miss(n)
		}
	}
}

// miss notes that a job waits for a node to come up.
func (j *job) miss(n *node) {
	if j.missing == 0 || n.asked < j.asked {
		j.asked = n.asked
	}
	j.missing++
}

// work notes that all that a job needs is there.
func (c *Collector) work(j *job) {
	for _, n := range j.nodes {
		c.settle(n)
	}
	c.gangWaits.Add(c.now.Sub(j.started).Seconds())
	j.working, j.workingAt = true, c.now
}

// release takes a job's nodes from it; worth is useful or lostWork.
func (c *Collector) release(j *job, worth cause) {
	for _, n := range j.nodes {
		c.settle(n)
		n.drop(j)
	}
	if j.isStarted {
		c.procNS += float64(j.spec.Procs) * float64(c.now.Sub(j.started))
	}
	c.spent[worth].add(j.worked)
	for _, g := range c.groupsOf(j) {
		g.usd += j.worked.usd + j.waited.usd
		if worth == lostWork {
			g.lostNS += j.worked.ns
		} else {
			g.usefulNS += j.worked.ns
		}
	}
	j.worked, j.waited = spending{}, spending{}
	j.nodes, j.missing = j.nodes[:0], 0
	j.isStarted, j.working = false, false
}

// end counts a job that has ended.
func (c *Collector) end(j *job, state string) {
	out := Job{
		ID: j.id, Spec: j.spec, State: state, Requeues: j.requeues, Started: j.isStarted,
		Submit: c.since(j.submitted), Eligible: c.since(j.eligible), End: c.since(c.now),
	}
	out.Start, out.Working = out.End, out.End
	if j.isStarted {
		out.Start, out.Working = c.since(j.started), c.since(j.started)
		if j.working {
			out.Working = c.since(j.workingAt)
		}
	}
	if c.opt.OnJob != nil {
		for _, n := range j.nodes {
			out.Nodes = append(out.Nodes, n.number)
		}
		c.opt.OnJob(out)
	}
	c.ended++
	c.states[state]++
	c.lastEnd = max(c.lastEnd, c.now)
	c.count(&out, j)
	c.release(j, worth(state))
	delete(c.jobs, j.id)
	c.free = append(c.free, j)
}

// worth says of what use the work of a job was that ended so. A job that reached its
// limit, failed by itself or was cancelled has had what it asked for: whether
// that was of use is its owner's to say. One whose machine went away has not.
func worth(state string) cause {
	switch state {
	case "NODE_FAIL", "BOOT_FAIL":
		return lostWork
	}
	return useful
}

func (c *Collector) count(out *Job, j *job) {
	for _, g := range c.groupsOf(j) {
		g.jobs++
	}
	if !out.Started {
		c.neverStarted++
		return
	}
	wait, run := out.Wait(), out.Run()
	slowdown := max(1, float64(wait+run)/float64(max(run, tau)))
	c.waits.Add(wait.Seconds())
	if c.waitOf != nil {
		c.waitOf[out.ID] = float32(wait.Seconds())
	}
	c.sinceSubmit.Add((out.Start - out.Submit).Seconds())
	c.responses.Add((out.End - out.Eligible).Seconds())
	c.slowdowns.Add(slowdown)
	for _, g := range c.groupsOf(j) {
		g.ran++
		g.waitS += wait.Seconds()
		g.slowdown += slowdown
		g.procNS += float64(j.spec.Procs) * float64(run)
	}
}

// groupsOf are the groups that a job is counted in.
func (c *Collector) groupsOf(j *job) [3]*group {
	return [3]*group{c.users.of(j.spec.User), c.accounts.of(j.spec.Account), c.parts.of(j.spec.Partition)}
}
