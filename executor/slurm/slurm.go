// Package slurm is everything the executor hears from Slurm and says to it: the
// resume file, the records of jobs and nodes, and the updates that set
// addresses, give nodes back and hold jobs. All of it goes through scontrol,
// the one interface that every release has.
//
// It decides nothing: which nodes are given back, and why, is the caller's. It
// starts no process either; executor/host does, behind Runner.
//
// What scontrol prints and refuses was observed on Slurm 22.05.8. testdata holds
// what it said, with other names of users and paths.
package slurm

import (
	"context"
	"maps"
	"slices"
	"time"

	"aws-slurm-burst/executor/env"
)

// callTimeout ends one call of scontrol. It gives up on a dead slurmctld by
// itself after 9 s and on a hung one after 10 s, but takes 18 s for "show job".
const callTimeout = 10 * time.Second

// batch is the number of nodes in one update, as AWS ParallelCluster has it:
// slurmctld holds its node lock for the whole of a call.
const batch = 100

// Runner runs scontrol with arguments as they are (no shell) and returns what
// it printed, also beside an error. Where scontrol exits with another status
// than 0, the error's text holds what it wrote to stderr: that is the only
// place where scontrol says why.
type Runner interface {
	Scontrol(ctx context.Context, args ...string) (stdout []byte, err error)
}

// Controller speaks to slurmctld. It belongs to one line of work; Fork gives a
// concurrent one its own. The nil *Controller is one that is off.
type Controller struct {
	run         Runner
	env         env.Env
	placeholder string
	counts      map[string]int
}

// New returns a Controller. A nil r means that there is no Slurm: every method
// then does nothing and succeeds. placeholder is the NodeAddr that slurm.conf
// gives to nodes without an instance; %n in it stands for the node's name, and
// an empty one for %n.
func New(r Runner, e env.Env, placeholder string) *Controller {
	return &Controller{run: r, env: e, placeholder: placeholder, counts: map[string]int{}}
}

// Off reports whether there is no Slurm to speak to.
func (c *Controller) Off() bool { return c == nil || c.run == nil }

// Fork returns a Controller for a concurrent line of work.
func (c *Controller) Fork() *Controller {
	if c.Off() {
		return c
	}
	f := *c
	f.counts = map[string]int{}
	return &f
}

// Join adds the counts of forks that have ended.
func (c *Controller) Join(forks ...*Controller) {
	if c.Off() {
		return
	}
	for _, f := range forks {
		for _, verb := range slices.Sorted(maps.Keys(f.counts)) {
			c.counts[verb] += f.counts[verb]
		}
	}
}

// Counts returns how often scontrol was called, by verb: "show node",
// "update node", "requeuehold", ...
func (c *Controller) Counts() map[string]int {
	if c.Off() {
		return nil
	}
	return c.counts
}

// call runs scontrol once. what, verb apart, is for the error: the nodes or
// the job that the call is about.
func (c *Controller) call(ctx context.Context, verb string, what subject, args ...string) ([]byte, error) {
	c.counts[verb]++
	start := c.env.Now()
	limited, cancel := c.env.WithDeadline(ctx, start.Add(callTimeout))
	defer cancel()
	out, err := c.run.Scontrol(limited, args...)
	took := c.env.Now().Sub(start).Milliseconds()
	if err == nil && !c.env.Hears(env.Debug) {
		return out, nil
	}
	ev := env.Event{Level: env.Debug, Name: "slurm.scontrol", Text: "scontrol " + verb, Attrs: []env.Attr{
		env.A("verb", verb), env.A("job", what.job), env.A("nodes", len(what.nodes)), env.A("ms", took)}}
	if err != nil {
		ev.Attrs = append(ev.Attrs, env.A("error", err.Error()))
		err = classify(ctx, verb, what, err)
	}
	c.env.Log(ev)
	return out, err
}
