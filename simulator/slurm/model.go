// Package slurm is a model of what scontrol does to nodes and jobs on Slurm
// 22.05.8: the same arguments, the same text, the same refusals, in virtual
// time. It stands in for slurmctld wherever executor/slurm's Runner is wanted.
//
// It schedules nothing and powers nothing: nodes and jobs change by scontrol's
// calls and by the methods that set them. A Daemon that does (simulator/slurm/ctld)
// shares the tables of simulator/slurm/state with it and is told what scontrol
// changed. What it does not model it refuses with an error that begins with
// "simulator/slurm".
//
// Every text and order of effects was observed on Debian's 22.05.8.
package slurm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/state"
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

// Daemon is told what scontrol did to nodes and jobs, once the tables have it.
// Times is what it knows of a job besides.
type Daemon interface {
	NodeChanged(node int32)
	// AddrChanged is a node that was given another NodeAddr.
	AddrChanged(node int32)
	// JobChanged is a pending job that was held, released, moved or restricted.
	JobChanged(job int32)
	// Requeued is a job that lost its nodes and is pending again, or one that had
	// ended and was revived; Ended is one that lost them for good.
	Requeued(job int32, cause string)
	Ended(job int32, cause string)
	Times(job int32) Times
}

// Times are a job's, each 0 where it is not known.
type Times struct {
	Submit, Eligible, Start, End env.Time
	Limit                        time.Duration
	// Why is why a pending job waits, where its record does not say.
	Why string
}

// Model is a slurmctld with its scontrol. It is not safe for concurrent use: in
// a simulation only one coroutine runs at a time.
type Model struct {
	env    env.Env
	table  *state.Table
	daemon Daemon
	calls  []Call
	terse  bool
	counts map[string]int

	outage  Outage
	refuse  map[string]string // node -> text
	deafFor map[string]int    // node -> address updates that get lost
}

// New returns a slurmctld without nodes and jobs.
func New(e env.Env) *Model { return Over(state.New(), e, nil) }

// Over returns the scontrol of tables that a daemon keeps; nil stands for none.
// It counts its calls, and keeps them where there is no daemon: one that runs
// for months is called often.
func Over(t *state.Table, e env.Env, d Daemon) *Model {
	return &Model{
		env: e, table: t, daemon: d, terse: d != nil,
		counts: map[string]int{}, refuse: map[string]string{}, deafFor: map[string]int{},
	}
}

// KeepCalls makes Calls keep calls, or no longer.
func (m *Model) KeepCalls(keep bool) { m.terse = !keep }

// SetNode adds or replaces a node. Hostname is the name, and State IDLE, where
// none is given. It panics at a state or flag that Slurm does not have.
func (m *Model) SetNode(n Node) {
	if n.Hostname == "" {
		n.Hostname = n.Name
	}
	r := state.Node{
		Name: n.Name, Addr: n.Addr, Hostname: n.Hostname, Partitions: n.Partition, Gres: n.Gres,
		Reason: n.Reason, ReasonAt: n.ReasonAt, Memory: int64(n.RealMemory), CPUs: int32(n.CPUs), Weight: 1,
	}
	ok := true
	if n.State != "" {
		r.Base, ok = state.ParseBase(n.State)
	}
	for _, name := range n.Flags {
		f, is := state.ParseFlag(name)
		r.Flags |= f
		ok = ok && is
	}
	if !ok {
		panic(fmt.Sprintf("simulator/slurm: node %s: no such state: %s %v", n.Name, n.State, n.Flags))
	}
	m.table.SetNode(r)
}

// SetJob adds or replaces a job. It panics at a state that Slurm does not have.
func (m *Model) SetJob(j Job) {
	st, ok := state.ParseJobState(j.State)
	if j.State == "" {
		st, ok = state.Pending, true
	}
	if !ok {
		panic(fmt.Sprintf("simulator/slurm: job %d: no such state: %s", j.ID, j.State))
	}
	if k := m.table.FindJob(int32(j.ID)); k != state.None {
		m.table.Drop(k)
	}
	k := m.table.NewJob(int32(j.ID))
	r := m.table.Job(k)
	r.Origin = m.table.InternOrigin(state.Origin{User: j.User, UID: int32(j.UID), Account: j.Account, Partition: j.Partition})
	r.Name, r.Reason = m.table.Intern(j.Name), m.table.Intern(j.Reason)
	r.NumNodes, r.NumCPUs, r.Restarts, r.State, r.NotBefore = int32(j.NumNodes), int32(j.NumCPUs), int16(j.Restarts), st, j.StartTime
	set := func(on bool, b state.Bits) {
		if on {
			r.Bits |= b
		}
	}
	set(j.Batch, state.Batch)
	set(j.Requeue, state.Requeue)
	set(st == state.Pending && isHeld(j.Reason), state.Held)
	more := state.More{
		ReqNodes: m.table.Numbers(j.ReqNodes), ExcNodes: m.table.Numbers(j.ExcNodes),
		AdminComment: j.AdminComment, Comment: j.Comment, Script: j.Script,
	}
	switch {
	case j.HetID != 0:
		set(true, state.Het)
		r.Task = int32(j.HetOffset)
		m.table.Group(k, int32(j.HetID))
	case j.ArrayID != 0:
		if n, err := strconv.ParseUint(j.Task, 10, 31); err == nil && strconv.FormatUint(n, 10) == j.Task {
			r.Task = int32(n)
		} else {
			more.Tasks = j.Task
		}
		m.table.Group(k, int32(j.ArrayID))
	}
	if more.Tasks != "" || more.ReqNodes != nil || more.ExcNodes != nil || more.AdminComment != "" || more.Comment != "" || more.Script != "" {
		r.More = &more
	}
	if nodes := m.table.Numbers(j.Nodes); st.HasNodes() {
		m.table.Place(k, nodes)
	} else {
		r.Nodes = nodes
	}
}

// isHeld reports whether a reason is one of a job that is held.
func isHeld(reason string) bool { return strings.Contains(strings.ToLower(reason), "held") }

// Node returns a node as it is now; its zero value if there is none.
func (m *Model) Node(name string) Node {
	i := m.table.FindNode(name)
	if i == state.None {
		return Node{}
	}
	n := m.table.Node(i)
	return Node{
		Name: n.Name, Addr: n.Addr, Hostname: n.Hostname, State: n.Base.String(), Flags: n.Flags.Names(),
		Reason: n.Reason, ReasonAt: n.ReasonAt, CPUs: int(n.CPUs), RealMemory: int(n.Memory), Gres: n.Gres, Partition: n.Partitions,
	}
}

// Job returns a job as it is now; its zero value if there is none.
func (m *Model) Job(id int) Job {
	k := m.table.FindJob(int32(id))
	if k == state.None {
		return Job{}
	}
	r := m.table.Job(k)
	o := m.table.Origin(r.Origin)
	j := Job{
		ID: id, Name: m.table.Text(r.Name), User: o.User, UID: int(o.UID), Account: o.Account, Partition: o.Partition,
		State: r.State.String(), Reason: m.table.Text(r.Reason), Requeue: r.Is(state.Requeue), Batch: r.Is(state.Batch),
		Restarts: int(r.Restarts), StartTime: r.NotBefore, Nodes: m.table.Names(r.Nodes),
		NumNodes: int(r.NumNodes), NumCPUs: int(r.NumCPUs),
	}
	switch {
	case r.Is(state.Het):
		j.HetID, j.HetOffset = int(r.Array), int(r.Task)
	case r.Array != 0:
		j.ArrayID, j.Task = int(r.Array), tasks(r)
	}
	if x := r.More; x != nil {
		j.ReqNodes, j.ExcNodes = m.table.Names(x.ReqNodes), m.table.Names(x.ExcNodes)
		j.AdminComment, j.Comment, j.Script = x.AdminComment, x.Comment, x.Script
	}
	return j
}

// Nodes returns the names of all nodes, in Slurm's order.
func (m *Model) Nodes() []string { return m.table.Names(m.table.Nodes()) }

// Calls returns the calls of scontrol so far that it kept.
func (m *Model) Calls() []Call { return m.calls }

// Counts counts the calls by verb: "update node", "show job", "requeuehold".
func (m *Model) Counts() map[string]int { return maps.Clone(m.counts) }

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
	v := verb(args)
	out, err := m.scontrol(ctx, v, slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-o" }))
	m.counts[v]++
	if !m.terse {
		call := Call{At: at, Args: slices.Clone(args)}
		if err != nil {
			call.Err = err.Error()
		}
		m.calls = append(m.calls, call)
	}
	return out, err
}

func (m *Model) scontrol(ctx context.Context, v string, args []string) ([]byte, error) {
	if m.outage != Up {
		return nil, m.wait(ctx, v, args)
	}
	subject := ""
	if len(args) > 2 {
		subject = args[2]
	}
	switch {
	case v == "show node":
		return m.showNodes(subject)
	case v == "show job":
		return m.showJobs(subject)
	case v == "show partition":
		return bytes(m.showPartition(subject))
	case v == "write batch_script" && len(args) == 4 && args[3] == "-":
		return []byte(m.script(subject)), nil
	case v == "update node":
		return nil, m.updateNodes(args[1:])
	case v == "update job":
		return nil, m.updateJob(args[1:])
	case (v == "requeuehold" || v == "requeue" || v == "hold" || v == "release") && len(args) == 2:
		var refusals []string
		for _, ref := range strings.Split(args[1], ",") {
			refusals = append(refusals, m.steer(v, ref)...)
		}
		if len(refusals) > 0 {
			return nil, exit(strings.Join(refusals, "\n"))
		}
		return nil, nil
	}
	return nil, fmt.Errorf("simulator/slurm: %q is not modelled", strings.Join(args, " "))
}

func bytes(s string, err error) ([]byte, error) { return []byte(s), err }

// wait is a call while slurmctld does not answer.
func (m *Model) wait(ctx context.Context, v string, args []string) error {
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
