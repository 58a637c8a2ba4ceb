// Package state is what slurmctld remembers: nodes and jobs, in tables that both
// scontrol's face (simulator/slurm) and the scheduling daemon (simulator/slurm/ctld)
// read and change.
//
// It keeps them consistent, found fast and small: a job is found by its id, by
// its array and by its nodes without a look at others. It decides nothing, keeps
// no time and writes no text.
package state

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"aws-slurm-burst/executor/hostlist"
)

// None is no job and no node.
const None int32 = -1

// Table is the nodes and jobs of a cluster. Both are named by numbers: a node's
// is its own for ever, a job's until it is dropped.
type Table struct {
	nodes  []Node
	byName map[string]int32
	order  []int32 // of known nodes, as Slurm sorts names; nil: to be made
	parts  map[string][]int32

	chunks []*[chunk]Job
	free   []int32
	byID   map[int32]int32
	groups map[int32]int32 // id of an array -> its first job

	texts    []string
	textOf   map[string]int32
	origins  []Origin
	originOf map[Origin]int32
}

// chunk is how many jobs are allocated at once: jobs never move, and the table
// never doubles.
const chunk = 256

// New returns an empty table.
func New() *Table {
	return &Table{
		byName: map[string]int32{}, parts: map[string][]int32{},
		byID: map[int32]int32{}, groups: map[int32]int32{},
		texts: []string{""}, textOf: map[string]int32{"": 0}, originOf: map[Origin]int32{},
	}
}

// SetNode adds a node or replaces one of its name, which keeps its number and
// its jobs.
func (t *Table) SetNode(n Node) int32 {
	i := t.nodeNumber(n.Name)
	old := &t.nodes[i]
	if old.known {
		for _, name := range split(old.Partitions) {
			t.parts[name] = slices.DeleteFunc(t.parts[name], func(k int32) bool { return k == i })
		}
	} else {
		t.order = nil
	}
	n.Jobs, n.known = old.Jobs, true
	*old = n
	for _, name := range split(n.Partitions) {
		t.parts[name] = append(t.parts[name], i)
	}
	return i
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// nodeNumber is a node's number, known or only named by a job.
func (t *Table) nodeNumber(name string) int32 {
	i, ok := t.byName[name]
	if !ok {
		i = int32(len(t.nodes))
		t.nodes = append(t.nodes, Node{Name: name})
		t.byName[name] = i
	}
	return i
}

// FindNode returns a node's number, None for a name that is not known.
func (t *Table) FindNode(name string) int32 {
	if i, ok := t.byName[name]; ok && t.nodes[i].known {
		return i
	}
	return None
}

// Node returns a node. The pointer is good until the next SetNode.
func (t *Table) Node(i int32) *Node { return &t.nodes[i] }

// Nodes returns all nodes, in Slurm's order. It is the table's own.
func (t *Table) Nodes() []int32 {
	if t.order == nil {
		for i := range t.nodes {
			if t.nodes[i].known {
				t.order = append(t.order, int32(i))
			}
		}
		slices.SortStableFunc(t.order, func(a, b int32) int { return hostlist.Compare(t.nodes[a].Name, t.nodes[b].Name) })
	}
	return t.order
}

// Partition returns the nodes of a partition, in no order; nil where there is
// none.
func (t *Table) Partition(name string) []int32 { return t.parts[name] }

// Names returns the names of nodes.
func (t *Table) Names(nodes []int32) []string { return t.AppendNames(nil, nodes) }

// AppendNames appends the names of nodes.
func (t *Table) AppendNames(names []string, nodes []int32) []string {
	for _, i := range nodes {
		names = append(names, t.nodes[i].Name)
	}
	return names
}

// Numbers returns the numbers of nodes. Names that are not known get one, too:
// a job may name what slurm.conf does not.
func (t *Table) Numbers(names []string) []int32 {
	var nodes []int32
	for _, name := range names {
		nodes = append(nodes, t.nodeNumber(name))
	}
	return nodes
}

// NewJob adds a job with an id that no other has, and returns its number. All
// else of it is zero, but for the room of its Nodes.
func (t *Table) NewJob(id int32) int32 {
	if len(t.free) == 0 {
		first := int32(len(t.chunks)) * chunk
		t.chunks = append(t.chunks, new([chunk]Job))
		for k := first + chunk - 1; k >= first; k-- {
			t.free = append(t.free, k)
		}
	}
	k := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	j := t.Job(k)
	*j = Job{ID: id, next: None, prev: None}
	t.byID[id] = k
	return k
}

// Job returns a job. The pointer is good until it is dropped.
func (t *Table) Job(k int32) *Job { return &t.chunks[k/chunk][k%chunk] }

// FindJob returns a job's number, None where there is none.
func (t *Table) FindJob(id int32) int32 {
	if k, ok := t.byID[id]; ok {
		return k
	}
	return None
}

// Jobs returns how many jobs there are.
func (t *Table) Jobs() int { return len(t.byID) }

// Sorted returns all jobs by id: for whoever asks for all of them.
func (t *Table) Sorted() []int32 {
	jobs := make([]int32, 0, len(t.byID))
	for _, id := range slices.Sorted(maps.Keys(t.byID)) {
		jobs = append(jobs, t.byID[id])
	}
	return jobs
}

// Drop forgets a job.
func (t *Table) Drop(k int32) {
	t.Unplace(k)
	t.Ungroup(k)
	delete(t.byID, t.Job(k).ID)
	t.free = append(t.free, k)
}

// Group makes a job one of an array, or of a heterogeneous job.
func (t *Table) Group(k, array int32) {
	j := t.Job(k)
	j.Array, j.prev, j.next = array, None, None
	if first, ok := t.groups[array]; ok {
		j.next = first
		t.Job(first).prev = k
	}
	t.groups[array] = k
}

// Ungroup takes a job out of its array.
func (t *Table) Ungroup(k int32) {
	j := t.Job(k)
	if j.Array == 0 {
		return
	}
	switch {
	case j.prev != None:
		t.Job(j.prev).next = j.next
	case j.next != None:
		t.groups[j.Array] = j.next
	default:
		delete(t.groups, j.Array)
	}
	if j.next != None {
		t.Job(j.next).prev = j.prev
	}
	j.Array, j.next, j.prev = 0, None, None
}

// Members yields the jobs of an array, or of a heterogeneous job, the latest
// first.
func (t *Table) Members(array int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		k, ok := t.groups[array]
		for ok && k != None {
			next := t.Job(k).next
			if !yield(k) {
				return
			}
			k = next
		}
	}
}

// Place gives a job nodes. The slice becomes the job's.
func (t *Table) Place(k int32, nodes []int32) {
	t.Job(k).Nodes = nodes
	for _, i := range nodes {
		t.nodes[i].Jobs = append(t.nodes[i].Jobs, k)
	}
}

// Unplace takes a job off its nodes; what they were stays to be read in the
// job. It does nothing for a job that is on none.
func (t *Table) Unplace(k int32) {
	for _, i := range t.Job(k).Nodes {
		n := &t.nodes[i]
		if at := slices.Index(n.Jobs, k); at >= 0 {
			n.Jobs = slices.Delete(n.Jobs, at, at+1)
		}
	}
}

// Text returns a text by its number.
func (t *Table) Text(i int32) string { return t.texts[i] }

// Intern returns a text's number; "" has 0.
func (t *Table) Intern(s string) int32 {
	if s == "" {
		return 0
	}
	i, ok := t.textOf[s]
	if !ok {
		i = int32(len(t.texts))
		t.texts = append(t.texts, s)
		t.textOf[s] = i
	}
	return i
}

// Origin returns an origin by its number.
func (t *Table) Origin(i int32) *Origin { return &t.origins[i] }

// InternOrigin returns an origin's number.
func (t *Table) InternOrigin(o Origin) int32 {
	i, ok := t.originOf[o]
	if !ok {
		i = int32(len(t.origins))
		t.origins = append(t.origins, o)
		t.originOf[o] = i
	}
	return i
}
