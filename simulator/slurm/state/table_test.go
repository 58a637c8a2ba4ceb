package state

import (
	"slices"
	"testing"
	"unsafe"
)

func TestAJobIsFoundByItsIdItsArrayAndItsNodes(t *testing.T) {
	tab := New()
	var nodes []int32
	for _, name := range []string{"n10", "n2", "n1"} {
		nodes = append(nodes, tab.SetNode(Node{Name: name, Partitions: "a,b"}))
	}
	if got := tab.Names(tab.Nodes()); !slices.Equal(got, []string{"n1", "n2", "n10"}) {
		t.Error(got)
	}
	var jobs []int32
	for id := int32(1); id <= 3; id++ {
		k := tab.NewJob(id)
		tab.Group(k, 1)
		jobs = append(jobs, k)
	}
	tab.Place(jobs[1], nodes[:2])
	tab.Place(jobs[2], nodes[1:])
	if got := tab.Node(nodes[1]).Jobs; !slices.Equal(got, jobs[1:]) {
		t.Error(got)
	}
	// A node that is set anew keeps its number, its jobs, and leaves partitions.
	if i := tab.SetNode(Node{Name: "n2", Partitions: "b"}); i != nodes[1] || len(tab.Node(i).Jobs) != 2 {
		t.Error(i, tab.Node(i).Jobs)
	}
	if got := tab.Names(tab.Partition("a")); !slices.Equal(got, []string{"n10", "n1"}) || tab.Partition("c") != nil {
		t.Error(got)
	}
	tab.Unplace(jobs[1])
	if got := tab.Node(nodes[0]).Jobs; len(got) != 0 || len(tab.Job(jobs[1]).Nodes) != 2 {
		t.Error(got, "what a job's nodes were is still to be read")
	}
	tab.Drop(jobs[1]) // from the middle of its array
	if got := slices.Collect(tab.Members(1)); !slices.Equal(got, []int32{jobs[2], jobs[0]}) {
		t.Error(got)
	}
	tab.Drop(jobs[0])
	tab.Drop(jobs[2])
	if got := slices.Collect(tab.Members(1)); got != nil || tab.Jobs() != 0 || tab.FindJob(2) != None || len(tab.Node(nodes[1]).Jobs) != 0 {
		t.Error(got, tab.Jobs(), tab.Node(nodes[1]).Jobs)
	}
	if k := tab.NewJob(9); !slices.Contains(jobs, k) || tab.Job(k).Nodes != nil || tab.Job(k).Array != 0 {
		t.Errorf("job %d: the number of a dropped job is used again, and all else is new", k)
	}
}

func TestANameThatSlurmConfDoesNotHaveIsNoNode(t *testing.T) {
	tab := New()
	if got := tab.Names(tab.Numbers([]string{"ghost"})); !slices.Equal(got, []string{"ghost"}) {
		t.Error(got)
	}
	if tab.FindNode("ghost") != None || len(tab.Nodes()) != 0 {
		t.Error("a name in a job made a node")
	}
	if tab.SetNode(Node{Name: "ghost"}) != tab.FindNode("ghost") || len(tab.Nodes()) != 1 {
		t.Error("it can become one")
	}
}

func TestFlagsAreWrittenInSlurmsOrder(t *testing.T) {
	n := Node{Flags: PoweringUp | NotResponding | PowerDown | Drain | Cloud}
	if got := n.State(Mixed); got != "MIXED+CLOUD+DRAIN+POWER_DOWN+NOT_RESPONDING+POWERING_UP" {
		t.Error(got)
	}
	for _, name := range n.Flags.Names() {
		if f, ok := ParseFlag(name); !ok || !n.Has(f) {
			t.Error(name)
		}
	}
	if _, ok := ParseFlag("REBOOT"); ok || n.Any(PoweredDown|Completing) || n.Has(Cloud|PoweredDown) {
		t.Error("a flag that it has not")
	}
}

// Millions of jobs may wait: see BenchmarkPending of simulator/slurm/ctld for all
// that one takes.
func TestAJobIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Job{}); size > 96 {
		t.Errorf("%d bytes", size)
	}
}
