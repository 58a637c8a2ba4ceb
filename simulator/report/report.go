package report

import (
	"maps"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/report/sums"
)

// Report is the figures of a run, as -o json prints them (docs/simulate.schema.json,
// docs/SIMULATOR.md). Times are seconds unless a name says otherwise.
type Report struct {
	Scenario string `json:"scenario,omitempty"`
	Seed     uint64 `json:"seed"`

	// Jobs counts those that have ended; the means are of those that ran.
	Jobs                int     `json:"jobs"`
	MeanWait            float64 `json:"mean_wait_s"`
	MeanBoundedSlowdown float64 `json:"mean_bounded_slowdown"`
	Utilisation         float64 `json:"utilisation"`
	Makespan            float64 `json:"makespan_s"`
	Simulated           float64 `json:"simulated_s"`
	Wall                float64 `json:"wall_s"`
	TraceHash           string  `json:"trace_hash"`

	Wait            sums.Distribution `json:"wait_s"`
	WaitSinceSubmit sums.Distribution `json:"wait_since_submit_s"`
	Response        sums.Distribution `json:"response_s"`
	BoundedSlowdown sums.Distribution `json:"bounded_slowdown"`

	// Unfinished jobs had not ended when the run did; NeverStarted ended without
	// having run.
	Unfinished   int            `json:"unfinished"`
	NeverStarted int            `json:"never_started"`
	Requeues     int            `json:"requeues"`
	Held         int            `json:"held"`
	States       map[string]int `json:"states"`

	// Cloud is nil where the run had none; its keys stand beside the others.
	*Cloud

	Users      []Group `json:"users"`
	Accounts   []Group `json:"accounts"`
	Partitions []Group `json:"partitions"`

	// Saved compares with the premises alone, where that was asked for.
	Saved *Saved `json:"saved,omitempty"`
	// Assumed are numbers that nobody has measured and that figures rest on.
	Assumed []string `json:"assumed"`
	// Repairs are what was mended in the workload, with how often.
	Repairs []Repair `json:"repairs"`

	waitOf map[int64]float32
}

// Cloud is the figures of a run with cloud nodes.
type Cloud struct {
	Cost      sums.USD  `json:"cost_usd"`
	NodeHours NodeHours `json:"node_hours"`
	Gangs     Gangs     `json:"gangs"`
	// APICalls counts EC2's calls by operation, APIErrors those that failed, by
	// operation and EC2's code.
	APICalls  map[string]int            `json:"api_calls"`
	APIErrors map[string]map[string]int `json:"api_errors"`

	// Goodput is the useful share of powered node-hours.
	Goodput float64 `json:"goodput"`
	// CostPerUsefulNodeHour is null where no node-hour was of use.
	CostPerUsefulNodeHour *sums.USD `json:"cost_per_useful_node_hour_usd"`
	Spent                 []Spent   `json:"spent"`
	// TimeToCapacity is from Slurm's first call for a node that a job waited for
	// until all of its nodes were ready; GangWait from a job's start until then.
	TimeToCapacity sums.Distribution `json:"time_to_capacity_s"`
	GangWait       sums.Distribution `json:"working_wait_s"`
	Fallback       FallbackDepth     `json:"fallback_depth"`
	Idle           Idle              `json:"idle"`
	Peaks          Peaks             `json:"peaks"`

	// Instances that were launched, of which Interruptions were ended by EC2 for its
	// spot market, and Unpriced have a price that is not known: they are in no cost.
	Instances     int `json:"instances"`
	Interruptions int `json:"interruptions"`
	Unpriced      int `json:"unpriced"`
	ResumeCalls   int `json:"resume_calls"`
	SuspendCalls  int `json:"suspend_calls"`
}

// NodeHours is what powered cloud nodes did. The five add up to all of it.
type NodeHours struct {
	Useful float64 `json:"useful"`
	Boot   float64 `json:"boot"`
	Idle   float64 `json:"idle"`
	Orphan float64 `json:"orphan"`
	Lost   float64 `json:"lost"`
}

// Powered is the sum.
func (h NodeHours) Powered() float64 { return h.Useful + h.Boot + h.Idle + h.Orphan + h.Lost }

// Gangs counts multi-node groups that the executor was to launch whole.
type Gangs struct {
	Asked int `json:"asked"`
	Whole int `json:"whole"`
}

// Spent is what cloud nodes' time went into, by the price when it began to run. A
// last row, billing, is what the bill has beside that: EC2's minimum, its whole
// seconds, and prices of the spot market that moved, up or down.
type Spent struct {
	Cause     string   `json:"cause"`
	NodeHours float64  `json:"node_hours"`
	Cost      sums.USD `json:"cost_usd"`
}

// FallbackDepth is how many rungs gangs tried before the one that they got, or that
// there were. Those for which nothing was tried are not counted.
type FallbackDepth struct {
	First int     `json:"first_rung"`
	Mean  float64 `json:"mean"`
	Max   int     `json:"max"`
}

// Idle is idle time of nodes that one job had for itself, and of those that any
// job could have had next.
type Idle struct {
	SingleUse IdleNodes `json:"single_use"`
	Shared    IdleNodes `json:"shared"`
}

// IdleNodes is the idle time of one kind of nodes.
type IdleNodes struct {
	Suspended int      `json:"suspended"`
	NodeHours float64  `json:"node_hours"`
	Cost      sums.USD `json:"cost_usd"`
}

// Peaks is what to ask AWS for.
type Peaks struct {
	// Instances that EC2 counted at once; each has an address of a subnet.
	Instances int     `json:"instances"`
	Addresses int     `json:"addresses"`
	Quotas    []Quota `json:"quotas"`
}

// Quota is the most vCPUs of a quota that EC2 counted at once.
type Quota struct {
	Family string `json:"family"`
	Market string `json:"market"`
	VCPUs  int    `json:"vcpus"`
}

// Repair is a kind of mistake in a workload that was mended, or passed over.
type Repair struct {
	Kind  string `json:"kind"`
	Says  string `json:"says"`
	Count int    `json:"count"`
	Lines []int  `json:"lines"` // the first ones
}

// Report returns the figures at an instant, which is the run's end: instances
// that still live are billed until then. procs are the processors that stood on
// the premises all the time; 0 where all of the cluster was in the cloud. It is
// called once.
func (c *Collector) Report(end env.Time, procs int) *Report {
	c.now = max(c.now, end)
	for _, id := range slices.Sorted(maps.Keys(c.live)) {
		c.ending(c.live[id], "", 0)
	}
	unfinished := len(c.jobs)
	for _, id := range slices.Sorted(maps.Keys(c.jobs)) {
		c.release(c.jobs[id], useful)
	}
	r := &Report{
		Jobs: c.ended, Unfinished: unfinished, NeverStarted: c.neverStarted, Requeues: c.requeues, Held: c.held, States: c.states,
		Wait: c.waits.Distribution(), WaitSinceSubmit: c.sinceSubmit.Distribution(),
		Response: c.responses.Distribution(), BoundedSlowdown: c.slowdowns.Distribution(),
		Simulated: c.now.Sub(c.opt.Begin).Seconds(),
		Users:     c.users.list(), Accounts: c.accounts.list(), Partitions: c.parts.list(),
		Assumed: append([]string{}, c.assumed...), Repairs: []Repair{}, waitOf: c.waitOf,
	}
	r.MeanWait, r.MeanBoundedSlowdown = r.Wait.Mean, r.BoundedSlowdown.Mean
	if c.ended > 0 {
		r.Makespan = c.lastEnd.Sub(c.firstSubmit).Seconds()
	}
	last := c.lastEnd
	if unfinished > 0 { // they held their processors until now
		last = c.now
	}
	if stood := float64(procs)*float64(last.Sub(c.firstSubmit)) + c.cloudProcNS; stood > 0 {
		r.Utilisation = sums.Round(c.procNS / stood)
	}
	if c.opt.Cloud {
		r.Cloud = c.cloudFigures()
	}
	return r
}

func (c *Collector) cloudFigures() *Cloud {
	f := &Cloud{
		Cost: c.billed.USD(), Gangs: c.gangs, APICalls: c.calls, APIErrors: c.errors,
		TimeToCapacity: c.capacity.Distribution(), GangWait: c.gangWaits.Distribution(),
		Idle:      Idle{c.single.figures(), c.together.figures()},
		Instances: c.launched, Interruptions: c.interrupted, Unpriced: c.unpriced, ResumeCalls: c.resumes, SuspendCalls: c.suspends,
		Fallback: FallbackDepth{First: c.depth.first, Max: c.depth.most},
		Peaks:    Peaks{Instances: c.instances.Most, Addresses: c.instances.Most, Quotas: []Quota{}},
	}
	if c.depth.gangs > 0 {
		f.Fallback.Mean = sums.Round(float64(c.depth.sum) / float64(c.depth.gangs))
	}
	var explained float64
	for k, s := range c.spent {
		explained += s.usd
		f.Spent = append(f.Spent, Spent{causeNames[k], hours(s.ns), sums.Dollars(s.usd)})
	}
	f.Spent = append(f.Spent, Spent{Cause: "billing", Cost: f.Cost - sums.Dollars(explained)})
	sum := func(of ...cause) (ns float64) {
		for _, k := range of {
			ns += c.spent[k].ns
		}
		return ns
	}
	f.NodeHours = NodeHours{
		Useful: hours(sum(useful)), Boot: hours(sum(boot, noBoot, gangWait)), Idle: hours(sum(idle)),
		Orphan: hours(sum(orphan)), Lost: hours(sum(noGang, lostWork)),
	}
	if all := f.NodeHours.Powered(); all > 0 {
		f.Goodput = sums.Round(f.NodeHours.Useful / all)
	}
	if c.spent[useful].ns > 0 {
		each := sums.Dollars(f.Cost.Float() / (c.spent[useful].ns / float64(time.Hour)))
		f.CostPerUsefulNodeHour = &each
	}
	for q, p := range c.quotas {
		f.Peaks.Quotas = append(f.Peaks.Quotas, Quota{q.family, q.market, p.Most})
	}
	slices.SortFunc(f.Peaks.Quotas, func(a, b Quota) int {
		return strings.Compare(a.Family+"\x00"+a.Market, b.Family+"\x00"+b.Market)
	})
	return f
}

func hours(ns float64) float64 { return sums.Round(ns / float64(time.Hour)) }

func (i idling) figures() IdleNodes {
	return IdleNodes{i.nodes, hours(i.ns), sums.Dollars(i.usd)}
}
