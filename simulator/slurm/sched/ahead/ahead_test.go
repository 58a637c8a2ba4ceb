package ahead

import (
	"slices"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/site"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

func minute(n int) env.Time { return env.Time(time.Duration(n) * time.Minute) }

// bed is 3 nodes of 4 CPUs: the first is in use until 10, of the second 3 CPUs until
// 20, the third is powered down until 30.
func bed(t *testing.T, shared bool) (*Planner, func(pick.Ask) (*pick.Ask, *pick.Want)) {
	t.Helper()
	s := site.New()
	s.AddPartition(site.Partition{Name: "batch"})
	class, err := s.AddClass(site.Class{Partitions: []string{"batch"}, CPUs: 4})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.AddNode(class)
	}
	place, err := s.Place("batch", "")
	if err != nil {
		t.Fatal(err)
	}
	pk := pick.New(&s, shared, false)
	p := &Planner{Site: &s, Pick: &pk}
	for i, use := range []*Use{{Nodes: []int32{0}, CPUs: []int32{4}}, {Nodes: []int32{1}, CPUs: []int32{3}}} {
		if use.Whole = !shared; use.Whole {
			use.CPUs[0] = 4
		}
		s.Leave(int32(i))
		s.Nodes[i].CPUs -= use.CPUs[0]
		s.Nodes[i].Jobs++
		s.Enter(int32(i))
		p.Expect(Ending{At: minute(10 + 10*i), ID: int64(9 - i), Use: use})
	}
	s.SetNode(2, site.Back, minute(30))
	return p, func(a pick.Ask) (*pick.Ask, *pick.Want) {
		a.Place = place
		sh := &pk.Shapes[pk.Hold(a)]
		return &sh.Ask, &sh.Wants[0]
	}
}

func TestWholeNodesAreThereWhenJobsEndAndNodesComeBack(t *testing.T) {
	p, asks := bed(t, false)
	for nodes, want := range []env.Time{1: minute(10), 2: minute(20), 3: minute(30)} {
		if nodes == 0 {
			continue
		}
		k, w := asks(pick.Ask{MinNodes: int32(nodes), MaxNodes: int32(nodes)})
		if at, free := p.Whole(k, w, minute(1)); at != want || free[0] != int32(nodes) {
			t.Errorf("%d nodes at %v, %v free", nodes, at.Sub(0), free)
		}
	}
	p.Site.SetNode(2, site.Out, 0)
	k, w := asks(pick.Ask{MinNodes: 3, MaxNodes: 3})
	if at, _ := p.Whole(k, w, minute(1)); at != Never {
		t.Errorf("3 nodes of 2 at %v", at.Sub(0))
	}
}

func TestSharedNodesAreThereWhenEnoughOfThemIsFree(t *testing.T) {
	p, asks := bed(t, true)
	avoid := slots.Of(3)
	avoid.Add(0)
	for _, c := range []struct {
		ask   pick.Ask
		avoid slots.Nodes
		at    env.Time
		nodes []int32
	}{
		{pick.Ask{MinNodes: 1, CPUs: 1}, nil, minute(1), []int32{1}},
		{pick.Ask{MinNodes: 1, MaxNodes: 1, CPUs: 4}, nil, minute(10), []int32{0}},
		{pick.Ask{MinNodes: 1, MaxNodes: 1, CPUs: 4}, avoid, minute(20), []int32{1}},
		{pick.Ask{MinNodes: 2, MaxNodes: 2, CPUs: 8}, nil, minute(20), []int32{0, 1}},
		{pick.Ask{MinNodes: 2, MaxNodes: 2, CPUs: 8}, avoid, minute(30), []int32{1, 2}},
		{pick.Ask{MinNodes: 3, MaxNodes: 3, CPUs: 3}, avoid, Never, nil},
	} {
		k, w := asks(c.ask)
		at := p.Shared(k, w, minute(1), c.avoid)
		if at != c.at || at < Never && !slices.Equal(p.Pick.Chosen, c.nodes) {
			t.Errorf("%+v: at %v on %v, want %v on %v", c.ask, at.Sub(0), p.Pick.Chosen, c.at.Sub(0), c.nodes)
		}
	}
	// What was looked at is as it was.
	if n := p.Site.Nodes[0]; n.CPUs != 0 || n.Jobs != 1 || p.Site.Nodes[2].Availability != site.Back {
		t.Errorf("%+v", p.Site.Nodes)
	}
}

func TestAPromiseTakesWhatComesLast(t *testing.T) {
	p, asks := bed(t, true)
	k, w := asks(pick.Ask{MinNodes: 1, MaxNodes: 1, CPUs: 1})
	if at, nodes := p.Promise(k, w, minute(1)); at != minute(1) || !nodes.Has(1) {
		t.Errorf("at %v", at.Sub(0))
	}
	k, w = asks(pick.Ask{MinNodes: 2, MaxNodes: 2, CPUs: 2})
	if at, nodes := p.Promise(k, w, minute(1)); at != minute(10) || !nodes.Has(0) || !nodes.Has(1) {
		t.Errorf("2 nodes at %v", at.Sub(0))
	}
}

func TestJobsThatEndAtTheSameInstantAreToldApart(t *testing.T) {
	p := &Planner{}
	a, b, c := &Use{}, &Use{}, &Use{}
	p.Expect(Ending{minute(5), 2, b})
	p.Expect(Ending{minute(5), 1, a})
	p.Expect(Ending{minute(4), 3, c})
	if at := p.Forget(Ending{minute(5), 1, a}); at != 1 || p.Running[0].Use != c || p.Running[1].Use != b {
		t.Errorf("%d: %v", at, p.Running)
	}
}

func TestAPlanIsCutWhereItChanges(t *testing.T) {
	p, asks := bed(t, false)
	plan := Plan{Resolution: time.Minute}
	p.LayOut(&plan, minute(1))
	k, w := asks(pick.Ask{MinNodes: 1, MaxNodes: 1})
	// None is free at once, one from 10 on.
	if step := plan.Fits(p.Pick, k, w, 0, minute(5)); step != 1 || plan.At[step] != minute(10) || plan.Fits(p.Pick, k, w, 1, minute(60)) != -1 {
		t.Errorf("%+v", plan)
	}
	steps := len(plan.At)
	if at := plan.Cut(minute(15)); at != 2 || len(plan.At) != steps+1 || plan.Free[2] != plan.Free[1] || plan.Cut(minute(15)) != 2 {
		t.Errorf("%+v", plan)
	}
	if plan.Round(minute(1), minute(2)+1) != minute(3) {
		t.Error("instants are not rounded up")
	}
}
