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

// Where a launch's indexes are not one each of its nodes, they say nothing.
func TestIndexesSayWhoServesWhomOnlyAllTogether(t *testing.T) {
	for _, c := range []struct {
		indexes []int // of i-a, i-b, i-c
		want    map[string]string
	}{
		{[]int{2, 1, 0}, map[string]string{"n1": "i-c", "n2": "i-b", "n3": "i-a"}},
		{[]int{2, 0}, map[string]string{"n1": "i-b", "n3": "i-a"}},
		{[]int{-1, 1, 0}, map[string]string{"n1": "i-a", "n2": "i-b", "n3": "i-c"}},
		{[]int{3, 1, 0}, map[string]string{"n1": "i-a", "n2": "i-b", "n3": "i-c"}},
		{[]int{2, 0, 0}, map[string]string{"n1": "i-a", "n2": "i-b", "n3": "i-c"}},
		{[]int{1, 1, 0}, map[string]string{"n1": "i-a", "n2": "i-b", "n3": "i-c"}},
		{[]int{0, 3}, map[string]string{}},
		{[]int{-1, 0}, map[string]string{}},
	} {
		var all []cloud.Instance
		for k, index := range c.indexes {
			all = append(all, instance("i-"+string(rune('a'+k)), index, 1, "n1", "n2", "n3"))
		}
		f := New(all, nil)
		if d := cmp.Diff(c.want, owners(f, "n1", "n2", "n3")); d != "" || len(f.Strangers)+len(f.All()) != len(all) {
			t.Errorf("%v: %d strangers (-want +got)\n%s", c.indexes, len(f.Strangers), d)
		}
	}
}

func TestTheJournalComesBeforeTheTagAndTheTagBeforeTheIndex(t *testing.T) {
	journalled, tagged, other := instance("i-j", 0, 1, "n1", "n2", "n3"), instance("i-t", 0, 1, "n1", "n2", "n3"), instance("i-o", 2, 1, "n1", "n2", "n3")
	for _, i := range []*cloud.Instance{&journalled, &tagged} {
		i.Tags = append(i.Tags, cloud.Tag{Key: identity.Node, Value: "n2"})
	}
	launches := []journal.Launch{{}, {Placed: []journal.Placed{{Node: "n1", Instance: "i-j"}}}}
	want := map[string]string{"n1": "i-j", "n2": "i-t", "n3": "i-o"}
	all := []cloud.Instance{journalled, tagged, other}
	if d := cmp.Diff(want, owners(New(all, launches), "n1", "n2", "n3")); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	// An instance may name its node and no more, and still is found by it.
	all = append(all, cloud.Instance{ID: "i-n", State: cloud.Running, Tags: []cloud.Tag{{Key: identity.Node, Value: "n9"}}})
	if got := owners(Of([]string{"n9"}, all, launches), "n9"); got["n9"] != "i-n" {
		t.Errorf("n9 is served by %q", got["n9"])
	}
}

func TestStrangersAreInTheOrderOfTheirIDs(t *testing.T) {
	b := instance("i-b", 0, 1, "n1")
	b.Tags[1].Value = "t2"
	c := instance("i-c", 7, 1, "n1", "n2")
	f := New([]cloud.Instance{c, {ID: "i-d", State: cloud.Running}, {ID: "i-a", State: cloud.Running, Tags: []cloud.Tag{{Key: identity.Launch, Value: "t3"}}}, b}, nil)
	var ids []string
	for _, i := range f.Strangers {
		ids = append(ids, i.ID)
	}
	if !slices.Equal(ids, []string{"i-a", "i-c", "i-d"}) || !slices.Equal(f.Claimed(), []string{"n1"}) {
		t.Errorf("strangers %v, claimed %v", ids, f.Claimed())
	}
}

// The ids of EC2 say nothing about age.
func TestAdoptGoesByWhenAnInstanceWasLaunched(t *testing.T) {
	young, old := instance("i-1", 0, 30, "n"), instance("i-2", 0, 20, "n")
	old.Tags[1].Value = "t2"
	f := New([]cloud.Instance{young, old}, nil)
	keep, ok, end := f.Adopt("n", 10)
	if !ok || keep.ID != "i-2" || len(end) != 1 || end[0].ID != "i-1" {
		t.Errorf("kept %v (%v), ended %v", keep, ok, end)
	}
	if of := f.Of("n"); len(of) != 2 || of[0].ID != "i-1" || of[1].ID != "i-2" {
		t.Error("who asks after the instances of a node gets them by age, once one was adopted")
	}
}
