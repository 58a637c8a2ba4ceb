package ctld

import (
	"slices"
	"strings"

	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/workload"
)

// teller puts what happens into the trace and hands it to the sink. It makes no
// garbage: an Event's Nodes and Spec are good until it returns.
type teller struct {
	d     *Daemon
	names []string
	spec  record.Spec
}

// node tells of a node.
func (t *teller) node(kind record.Kind, i int32, instance, cause string) {
	n := t.d.table.Node(i)
	t.d.engine.Trace(kind.String(), simulator.Text(n.Name), simulator.Text(instance), simulator.Text(cause))
	if t.d.opt.Sink == nil {
		return
	}
	e := record.Event{At: t.d.now(), Kind: kind, Node: n.Name, Instance: instance, Cause: cause}
	if kind == record.NodeResumed {
		e.CPUs = int(n.CPUs)
	}
	t.d.opt.Sink(e)
}

// job tells of a job; state and cause are the kind's.
func (t *teller) job(kind record.Kind, k int32, attempt int, state, cause string) {
	id := t.d.table.Job(k).ID
	t.d.engine.Trace(kind.String(), simulator.Number(uint64(id)), simulator.Text(state), simulator.Text(cause))
	if t.d.opt.Sink != nil {
		t.d.opt.Sink(record.Event{At: t.d.now(), Kind: kind, Job: int64(id), Attempt: attempt, State: state, Cause: cause})
	}
}

// submitted tells of a job that was handed in.
func (t *teller) submitted(k int32, w *workload.Job, partition string) {
	id := t.d.table.Job(k).ID
	t.d.engine.Trace(record.JobSubmitted.String(), simulator.Number(uint64(id)))
	if t.d.opt.Sink == nil {
		return
	}
	t.spec = record.Spec{
		User: w.User, Account: w.Account, Partition: partition, Procs: int(w.Procs), Nodes: int(w.Nodes),
		LimitS: w.Limit.Seconds(), RunS: w.Run.Seconds(),
	}
	t.d.opt.Sink(record.Event{At: t.d.now(), Kind: record.JobSubmitted, Job: int64(id), Spec: &t.spec})
}

// allocated tells of a job that has its nodes.
func (t *teller) allocated(k int32, nodes []int32) {
	j := t.d.table.Job(k)
	t.d.engine.Trace(record.JobAllocated.String(), simulator.Number(uint64(j.ID)), simulator.Number(digest(nodes)))
	if t.d.opt.Sink == nil {
		return
	}
	t.names = t.d.table.AppendNames(t.names[:0], nodes)
	t.d.opt.Sink(record.Event{At: t.d.now(), Kind: record.JobAllocated, Job: int64(j.ID), Attempt: int(j.Restarts), Partition: t.partition(j.Origin, nodes), Nodes: t.names})
}

// partition is the first of those that a job was handed in to that has all of its
// nodes.
func (t *teller) partition(origin int32, nodes []int32) string {
	asked := t.d.table.Origin(origin).Partition
	if strings.IndexByte(asked, ',') < 0 {
		return asked
	}
	for name := range strings.SplitSeq(asked, ",") {
		if !slices.ContainsFunc(nodes, func(i int32) bool { return !listed(t.d.table.Node(i).Partitions, name) }) {
			return name
		}
	}
	return asked
}

// listed reports whether a list "a,b" has a name.
func listed(list, name string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one == name {
			return true
		}
	}
	return false
}

// digest is a number for a list of nodes (FNV-1a, 64 bits).
func digest(nodes []int32) uint64 {
	h := uint64(14695981039346656037)
	for _, i := range nodes {
		h = (h ^ uint64(i)) * 1099511628211
	}
	return h
}
