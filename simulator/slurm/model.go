// Package slurm is a model of what scontrol does to nodes and jobs on Slurm
// 22.05.8: the same arguments, the same text, the same refusals, in virtual
// time. It stands in for slurmctld wherever executor/slurm's Runner is wanted.
//
// It schedules nothing and powers nothing: nodes and jobs change by scontrol's
// calls and by the methods that set them. What it does not model it refuses
// with an error that begins with "simulator/slurm".
//
// Every text and order of effects was observed on Debian's 22.05.8.
package slurm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
)

// Node is a node as slurmctld knows it.
type Node struct {
	Name, Addr, Hostname string
	// State is the base state: IDLE, ALLOCATED, MIXED or DOWN. Flags are what
	// follows it, such as CLOUD and POWERING_UP.
	State      string
	Flags      []string
	Reason     string
	ReasonAt   env.Time
	CPUs       int
	RealMemory int // MB
	Gres       string
	Partition  string
}

// Has reports whether the node has a flag.
func (n Node) Has(flag string) bool { return slices.Contains(n.Flags, flag) }

// Job is a job as slurmctld knows it: each task of an array and each component
// of a heterogeneous job is one. Tasks that have not begun share one, whose
// Task is a set.
type Job struct {
	ID        int
	ArrayID   int    // 0: not of an array
	Task      string // "3", or "4-6,9%2"
	HetID     int    // 0: not heterogeneous
	HetOffset int
	Name      string
	User      string
	UID       int
	Account   string
	Partition string
	State     string // PENDING, CONFIGURING, RUNNING, CANCELLED, ...
	Reason    string
	Requeue   bool // not --no-requeue
	Batch     bool // not srun or salloc
	Restarts  int
	StartTime env.Time // not before, as "update StartTime=" set it
	// Nodes are the job's nodes; a requeued job keeps what it had.
	Nodes        []string
	NumNodes     int
	NumCPUs      int
	ReqNodes     []string
	ExcNodes     []string
	AdminComment string
	Comment      string
	// Script is the batch script that Slurm keeps, "" for none.
	Script string
}

// Call is one call of scontrol.
type Call struct {
	At   env.Time
	Args []string
	// Err is what it failed with, "" for nothing.
	Err string
}

// Model is a slurmctld with its scontrol. It is not safe for concurrent use: in
// a simulation only one coroutine runs at a time.
type Model struct {
	env   env.Env
	nodes map[string]*Node
	jobs  map[int]*Job
	calls []Call

	outage  Outage
	refuse  map[string]string // node -> text
	deafFor map[string]int    // node -> address updates that get lost
}

// New returns a slurmctld without nodes and jobs.
func New(e env.Env) *Model {
	return &Model{env: e, nodes: map[string]*Node{}, jobs: map[int]*Job{}, refuse: map[string]string{}, deafFor: map[string]int{}}
}

// SetNode adds or replaces a node. Hostname is the name, and State IDLE, where
// none is given.
func (m *Model) SetNode(n Node) {
	if n.Hostname == "" {
		n.Hostname = n.Name
	}
	if n.State == "" {
		n.State = "IDLE"
	}
	n.Flags = slices.Clone(n.Flags)
	m.nodes[n.Name] = &n
}

// SetJob adds or replaces a job.
func (m *Model) SetJob(j Job) { m.jobs[j.ID] = &j }

// Node returns a node as it is now; its zero value if there is none.
func (m *Model) Node(name string) Node {
	if n := m.nodes[name]; n != nil {
		c := *n
		c.Flags = slices.Clone(n.Flags)
		return c
	}
	return Node{}
}

// Job returns a job as it is now; its zero value if there is none.
func (m *Model) Job(id int) Job {
	if j := m.jobs[id]; j != nil {
		return *j
	}
	return Job{}
}

// Nodes returns the names of all nodes, in Slurm's order.
func (m *Model) Nodes() []string {
	names := slices.Collect(maps.Keys(m.nodes))
	hostlist.Sort(names)
	return names
}

// Calls returns the calls of scontrol so far.
func (m *Model) Calls() []Call { return m.calls }

// Counts counts the calls by verb: "update node", "show job", "requeuehold".
func (m *Model) Counts() map[string]int {
	counts := map[string]int{}
	for _, c := range m.calls {
		counts[verb(c.Args)]++
	}
	return counts
}

// Outage is a way in which slurmctld does not answer.
type Outage int

// Up answers. Dead has no process behind its port, Hung one that is stopped.
const (
	Up Outage = iota
	Dead
	Hung
)

// How long scontrol waits: it asks a dead slurmctld again for 9 s, twice as
// long for jobs, and waits 10 s (MessageTimeout) for a hung one.
const (
	deadWait = 9 * time.Second
	hungWait = 10 * time.Second
)

// SetOutage makes slurmctld unreachable, or reachable again.
func (m *Model) SetOutage(o Outage) { m.outage = o }

// Refuse makes every update that names a node fail at it with a text, such as
// "Invalid node name specified"; an empty text ends that.
func (m *Model) Refuse(node, text string) {
	delete(m.refuse, node)
	if text != "" {
		m.refuse[node] = text
	}
}

// LoseAddresses makes the next n updates of a node's address succeed without
// effect.
func (m *Model) LoseAddresses(node string, n int) { m.deafFor[node] = n }

// Scontrol is scontrol's command line. Its errors read as a Runner's do: the
// exit status, then what scontrol writes to stderr.
func (m *Model) Scontrol(ctx context.Context, args ...string) ([]byte, error) {
	at := m.env.Now()
	out, err := m.scontrol(ctx, slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-o" }))
	call := Call{At: at, Args: slices.Clone(args)}
	if err != nil {
		call.Err = err.Error()
	}
	m.calls = append(m.calls, call)
	return []byte(out), err
}

func (m *Model) scontrol(ctx context.Context, args []string) (string, error) {
	if m.outage != Up {
		return "", m.wait(ctx, args)
	}
	subject := ""
	if len(args) > 2 {
		subject = args[2]
	}
	switch v := verb(args); {
	case v == "show node":
		return m.showNodes(subject)
	case v == "show job":
		return m.showJobs(subject)
	case v == "show partition":
		return m.showPartition(subject)
	case v == "write batch_script" && len(args) == 4 && args[3] == "-":
		return m.script(subject), nil
	case v == "update node":
		return "", m.updateNodes(args[1:])
	case v == "update job":
		return "", m.updateJob(args[1:])
	case (v == "requeuehold" || v == "requeue" || v == "hold" || v == "release") && len(args) == 2:
		var refusals []string
		for _, ref := range strings.Split(args[1], ",") {
			refusals = append(refusals, m.steer(v, ref)...)
		}
		if len(refusals) > 0 {
			return "", exit(strings.Join(refusals, "\n"))
		}
		return "", nil
	}
	return "", fmt.Errorf("simulator/slurm: %q is not modelled", strings.Join(args, " "))
}

// wait is a call while slurmctld does not answer.
func (m *Model) wait(ctx context.Context, args []string) error {
	v := verb(args)
	d, text := deadWait, "Unable to contact slurm controller (connect failure)"
	if m.outage == Hung {
		d, text = hungWait, "Socket timed out on send/recv operation"
	} else if v == "show job" {
		d *= 2
	}
	if err := m.env.Sleep(ctx, d); err != nil {
		return fmt.Errorf("scontrol was stopped: %w", err)
	}
	switch v {
	case "show node":
		return exit("slurm_load_node error: " + text)
	case "show partition":
		return exit("slurm_load_partitions error: " + text)
	case "show job":
		return exit("slurm_load_jobs error: " + text)
	case "update node":
		return exit("slurm_update error: " + text)
	}
	ref := strings.TrimPrefix(args[1], "JobId=")
	return exit("Unexpected message received for job " + ref)
}

// verb names a command line: "show node", "update job", "requeuehold".
func verb(args []string) string {
	var words []string
	for _, a := range args {
		switch key, _, _ := strings.Cut(a, "="); strings.ToLower(key) {
		case "-o":
			continue
		case "nodename":
			return "update node"
		case "jobid":
			return "update job"
		}
		words = append(words, a)
	}
	switch {
	case len(words) == 0:
		return ""
	case (words[0] == "show" || words[0] == "write") && len(words) > 1:
		return words[0] + " " + words[1]
	}
	return words[0]
}

// exit is how scontrol fails: with status 1 whatever happened.
func exit(stderr string) error { return fmt.Errorf("exit status 1: %s", stderr) }
