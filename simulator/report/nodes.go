package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report/sums"
)

// cause is what a powered cloud node's time was for.
type cause uint8

const (
	useful   cause = iota // jobs worked on it
	boot                  // until slurmd registered
	noBoot                // of instances that never got so far
	gangWait              // a job had it, and others of its nodes were not there
	idle                  // nobody had it
	orphan                // no node claimed it
	noGang                // launched for a gang that did not become whole
	lostWork              // jobs worked, and had to begin again or ended with the node
	causes
)

var causeNames = [causes]string{"useful", "boot", "never_booted", "waiting_for_others", "idle", "orphan", "failed_gang", "lost_work"}

// spending is time of cloud nodes, and what it cost by the price an hour.
type spending struct{ ns, usd float64 }

func (s *spending) add(t spending) { s.ns += t.ns; s.usd += t.usd }

// idling is idle time of one kind of nodes.
type idling struct {
	spending
	nodes int // how often one was suspended
}

// node is one of Slurm's.
type node struct {
	number int // -1 until a job has had it
	cpus   int // as Slurm counts them; 0 of one that was never asked for
	jobs   []*job

	// powering is from when Slurm asks for the node until slurmd registers, or
	// nobody expects it any more; asked is when.
	powering bool
	asked    env.Time
	// down is a node that Slurm counts on no longer: what runs for it is orphaned.
	down bool

	inst *instance
	// settled is until when the instance's time is accounted for, idle its idle time
	// so far; single is a node that was set aside for one job.
	settled env.Time
	idle    spending
	single  bool
	// pending are instances launched for this node that have not come up.
	pending []*instance
}

func (n *node) drop(j *job) {
	if i := slices.Index(n.jobs, j); i >= 0 {
		n.jobs = slices.Delete(n.jobs, i, i+1)
	}
}

// instance is one of EC2's that has not gone.
type instance struct {
	usd   float64 // an hour
	procs int     // as Slurm counts them; the vCPUs of one that is no node of it
	vcpus int
	quota quota

	running, ended bool
	runningAt      env.Time
	charged        float64 // USD, if it ended now; 0 is what is not told
	ready          bool
	node           *node // whose it is
	nodes          []*node
	unwanted       bool // none of nodes expects it any more
	unwantedAt     env.Time
	orphaned       bool // its node took another
	orphanedAt     env.Time
}

// of is what a time of the instance costs.
func (i *instance) of(d time.Duration) spending {
	return spending{float64(d), i.usd * d.Hours()}
}

func (c *Collector) node(name string) *node {
	n := c.nodes[name]
	if n == nil {
		n = &node{number: -1}
		c.nodes[strings.Clone(name)] = n
	}
	return n
}

// numbered is the next number of a node that a job has.
func (c *Collector) numbered() int {
	c.numbers++
	return c.numbers - 1
}

// settle accounts for the time of a node's instance up to now. It comes before
// each change of what the node is doing.
func (c *Collector) settle(n *node) {
	i := n.inst
	if i == nil {
		return
	}
	d := c.now.Sub(n.settled)
	n.settled = c.now
	if d <= 0 || !i.running {
		return
	}
	s := i.of(d)
	working := 0
	for _, j := range n.jobs {
		if j.working {
			working++
		}
	}
	switch {
	case n.down:
		c.spent[orphan].add(s)
	case len(n.jobs) == 0:
		c.spent[idle].add(s)
		n.idle.add(s)
	case working == 0:
		c.spent[gangWait].add(s)
		for _, j := range n.jobs {
			j.waited.add(spending{s.ns / float64(len(n.jobs)), s.usd / float64(len(n.jobs))})
		}
	default: // those that work share the node
		for _, j := range n.jobs {
			if j.working {
				j.worked.add(spending{s.ns / float64(working), s.usd / float64(working)})
			}
		}
	}
}

func (c *Collector) takeNode(e record.Event) {
	n := c.node(e.Node)
	c.settle(n)
	switch e.Kind {
	case record.NodeResumed:
		c.part(n) // what it had before is nobody's now
		n.powering, n.asked, n.down, n.single = true, e.At, false, false
		n.cpus = e.CPUs
		for _, j := range n.jobs {
			j.miss(n)
		}
	case record.NodeReady:
		c.ready(n, e.Instance)
	case record.NodeFailed:
		c.giveUp(n)
		n.down = true
	case record.NodeSuspended:
		c.giveUp(n)
		n.single = e.Cause == record.SingleUse
		c.idleOf(n).nodes++
	case record.NodeDown:
		c.giveUp(n)
		n.down = true
	}
}

// part takes a node's instance from it.
func (c *Collector) part(n *node) {
	i := n.inst
	if i == nil {
		return
	}
	c.settle(n)
	c.idleOf(n).add(n.idle)
	n.inst, n.idle = nil, spending{}
	i.node, i.orphaned, i.orphanedAt = nil, true, c.now
}

// idleOf is where a node's idle time is counted.
func (c *Collector) idleOf(n *node) *idling {
	if n.single {
		return &c.single
	}
	return &c.together
}

// ready notes that slurmd of a node has registered, on an instance in the cloud.
func (c *Collector) ready(n *node, id string) {
	if i := c.live[id]; i != nil && !i.ended && i.node != n {
		c.part(n)
		if i.node != nil {
			c.part(i.node)
		}
		if i.running && !i.ready {
			s := i.of(c.now.Sub(i.runningAt))
			c.spent[boot].add(s)
			for _, j := range n.jobs {
				j.waited.add(spending{s.ns / float64(len(n.jobs)), s.usd / float64(len(n.jobs))})
			}
		}
		if i.orphaned {
			c.spent[orphan].add(i.of(c.billable(i, i.orphanedAt)))
		}
		i.ready, i.orphaned, i.node = true, false, n
		n.inst, n.settled, n.idle = i, c.now, spending{}
	}
	if !n.powering {
		return
	}
	c.giveUp(n)
	for _, j := range n.jobs {
		if j.missing--; j.missing == 0 {
			c.capacity.Add(c.now.Sub(j.asked).Seconds())
		}
	}
}

// giveUp notes that a node expects no instance any more.
func (c *Collector) giveUp(n *node) {
	n.powering = false
	for _, i := range n.pending {
		if !i.unwanted && !slices.ContainsFunc(i.nodes, func(n *node) bool { return n.powering }) {
			i.unwanted, i.unwantedAt = true, c.now
		}
	}
	n.pending = n.pending[:0]
}

func (c *Collector) takeInstance(e record.Event) {
	i := c.live[e.Instance]
	if e.Kind == record.InstanceLaunched {
		c.launch(e)
		return
	}
	if i == nil {
		return
	}
	switch e.Kind {
	case record.InstanceRunning:
		if i.node != nil {
			c.settle(i.node)
		}
		i.running, i.runningAt = true, e.At
		if e.USD > 0 { // the spot market's price may have moved since the launch
			i.usd = e.USD
		}
	case record.InstanceCharged:
		i.charged = e.Charged
	case record.InstanceEnding:
		c.ending(i, e.Cause, e.Charged)
	case record.InstanceGone:
		c.ending(i, e.Cause, e.Charged)
		c.instances.Add(-1)
		c.quotas[i.quota].Add(-i.vcpus)
		delete(c.live, e.Instance)
	}
}

func (c *Collector) launch(e record.Event) {
	c.launched++
	i := &instance{usd: max(0, e.USD), vcpus: e.VCPUs, procs: e.VCPUs, quota: quota{e.Family, e.Market}}
	for _, name := range e.Nodes {
		n := c.node(name)
		i.procs = cmp.Or(n.cpus, i.procs)
		i.nodes = append(i.nodes, n)
		n.pending = append(n.pending, i)
	}
	c.live[e.Instance] = i
	c.instances.Add(1)
	if c.quotas[i.quota] == nil {
		c.quotas[i.quota] = &sums.Peak{}
	}
	c.quotas[i.quota].Add(i.vcpus)
}

// ending books an instance that is billed no longer: what it was for, and what
// EC2 asks for it, in USD; 0 is what is not told, and worked out by its price.
func (c *Collector) ending(i *instance, why string, charged float64) {
	if i.ended {
		return
	}
	i.ended = true
	if strings.HasPrefix(why, "Server.SpotInstance") {
		c.interrupted++
	}
	if i.node != nil {
		c.part(i.node)
	}
	if !i.running {
		return // EC2 bills nothing before
	}
	up := c.now.Sub(i.runningAt)
	switch {
	case i.orphaned:
		c.spent[orphan].add(i.of(c.billable(i, i.orphanedAt)))
	case i.unwanted:
		wanted := max(0, i.unwantedAt.Sub(i.runningAt))
		c.spent[noBoot].add(i.of(min(up, wanted)))
		c.spent[orphan].add(i.of(up - min(up, wanted)))
	case len(i.nodes) == 0:
		c.spent[orphan].add(i.of(up))
	case strings.HasPrefix(why, "Client.User"):
		c.spent[noGang].add(i.of(up))
	default:
		c.spent[noBoot].add(i.of(up))
	}
	c.cloudProcNS += float64(i.procs) * float64(up)
	charged = cmp.Or(charged, i.charged)
	switch {
	case charged > 0:
		c.billed.Add(sums.Nano(charged), 3600)
	case i.usd > 0:
		c.billed.Add(sums.Nano(i.usd), billedSeconds(i.runningAt, c.now))
	default:
		c.unpriced++
	}
}

// billable is the time since an instant for which an instance is billed.
func (c *Collector) billable(i *instance, since env.Time) time.Duration {
	return c.now.Sub(max(since, i.runningAt))
}

// billedSeconds are what EC2 bills for a Linux instance that ran in between: sixty
// at least (EC2 User Guide, "On-Demand Instances"), by instants without parts of
// seconds, as EC2 tells them.
func billedSeconds(from, until env.Time) uint64 {
	return uint64(max(60, int64(until)/int64(time.Second)-int64(from)/int64(time.Second)))
}

// quota is what EC2 counts vCPUs by.
type quota struct{ family, market string }
