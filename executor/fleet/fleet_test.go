package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
)

func instance(id string, index int, at env.Time, nodes ...string) cloud.Instance {
	return cloud.Instance{ID: id, LaunchIndex: index, State: cloud.Running,
		Tags: identity.Tags(identity.Facts{Cluster: "c", Token: "t", Nodes: nodes, At: at}, nil)}
}

func owners(f *Fleet, nodes ...string) map[string]string {
	out := map[string]string{}
	for _, n := range nodes {
		for _, i := range f.Of(n) {
			out[n] += i.ID
		}
	}
	return out
}

func TestNodesAreFoundByLaunchIndex(t *testing.T) {
	f := New([]cloud.Instance{instance("i-b", 0, 1, "n1", "n2", "n3"), instance("i-a", 2, 1, "n1", "n2", "n3")}, nil)
	want := map[string]string{"n1": "i-b", "n3": "i-a"}
	if d := cmp.Diff(want, owners(f, "n1", "n2", "n3")); d != "" {
		t.Error(d)
	}
}

func TestIndexesThatSayNothingFallBackToTheOrderOfIDs(t *testing.T) {
	a, b := instance("i-b", 0, 1, "n1", "n2"), instance("i-a", 0, 1, "n1", "n2")
	f := New([]cloud.Instance{a, b}, nil)
	if d := cmp.Diff(map[string]string{"n1": "i-a", "n2": "i-b"}, owners(f, "n1", "n2")); d != "" {
		t.Error(d)
	}
	f = New([]cloud.Instance{a, b, instance("i-c", 0, 1, "n1", "n2")}, nil)
	if len(f.Strangers) != 3 {
		t.Errorf("three instances of a launch for two nodes are nobody's, got %d strangers", len(f.Strangers))
	}
}

func TestTheJournalAndASingleTagComeFirst(t *testing.T) {
	tagged := instance("i-t", 0, 1, "n1", "n2")
	tagged.Tags = append(tagged.Tags, cloud.Tag{Key: identity.Node, Value: "n2"})
	f := New([]cloud.Instance{tagged, instance("i-j", 0, 1, "n1", "n2")},
		[]journal.Launch{{Placed: []journal.Placed{{Node: "n1", Instance: "i-j"}}}})
	if d := cmp.Diff(map[string]string{"n1": "i-j", "n2": "i-t"}, owners(f, "n1", "n2")); d != "" {
		t.Error(d)
	}
}

func TestAdoptKeepsOnlyWhatBelongsToThisPowerUp(t *testing.T) {
	before, first, second := instance("i-0", 0, 5, "n"), instance("i-1", 0, 20, "n"), instance("i-2", 0, 30, "n")
	for i, inst := range []*cloud.Instance{&before, &first, &second} {
		inst.Tags = append(inst.Tags, cloud.Tag{Key: identity.Node, Value: "n"})
		inst.Tags[1].Value = string(rune('a' + i)) // launches of their own
	}
	stopping := second
	stopping.State = cloud.Stopping

	keep, ok, end := New([]cloud.Instance{second, first, before}, nil).Adopt("n", 10)
	if !ok || keep.ID != "i-1" || len(end) != 2 {
		t.Errorf("kept %q (%v), ended %d: want the oldest of this power-up, and the two others ended", keep.ID, ok, len(end))
	}
	if _, ok, end := New([]cloud.Instance{before}, nil).Adopt("n", 5); ok || len(end) != 1 {
		t.Error("an instance from the instant of the suspend was kept")
	}
	if _, ok, end := New([]cloud.Instance{stopping}, nil).Adopt("n", 0); ok || len(end) != 1 {
		t.Error("a stopping instance was kept")
	}
}

func TestInstancesWithoutReadableTagsAreStrangers(t *testing.T) {
	f := New([]cloud.Instance{{ID: "i-x", State: cloud.Running}, {ID: "i-dead", State: cloud.Terminated}}, nil)
	if len(f.Strangers) != 1 || f.Strangers[0].ID != "i-x" || len(f.Claimed()) != 0 {
		t.Errorf("strangers %v, claimed %v", f.Strangers, f.Claimed())
	}
}

func TestAFleetOfSomeNodesShowsThemAsTheWholeOneDoes(t *testing.T) {
	var long []string
	for i := range 120 {
		long = append(long, fmt.Sprintf("%s-n%03d", strings.Repeat("x", i%7+1), i*2))
	}
	moved := instance("i-m", 0, 1, "n7", "n8")
	live := []cloud.Instance{
		instance("i-b", 1, 1, "n1", "n2", "n3"), instance("i-a", 0, 1, "n1", "n2", "n3"), instance("i-s", 0, 1, "n4"),
		instance("i-z", 119, 1, long...), moved, {ID: "i-x", State: cloud.Running},
	}
	for k := range live { // each list of nodes is a launch of its own
		if len(live[k].Tags) > 1 {
			live[k].Tags = slices.Clone(live[k].Tags)
			live[k].Tags[1].Value = live[k].TagValue(identity.Nodes)
		}
	}
	// The journal comes first: what its tags say is another node's.
	launches := []journal.Launch{{Placed: []journal.Placed{{Node: "n1", Instance: "i-m"}}}}
	whole := New(live, launches)
	nodes := append([]string{"n1", "n2", "n3", "n4", "n5", "n7", "n8"}, long...)
	for _, n := range nodes {
		if d := cmp.Diff(whole.Of(n), Of([]string{n}, live, launches).Of(n)); d != "" {
			t.Errorf("%s: %s", n, d)
		}
	}
	if n := len(Of([]string{"n4"}, live, nil).All()); n != 2 { // with the one whose list is not whole in its tag
		t.Errorf("a fleet of one node knows %d instances", n)
	}
}
