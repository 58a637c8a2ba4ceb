package port

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/faults"
	"aws-slurm-burst/simulator/record"
)

// world is an Env of which the port needs the time alone.
type world struct {
	env.Env
	*clock
	slept []time.Duration
}

func (w *world) Now() env.Time { return w.clock.Now() }

func (w *world) Sleep(ctx context.Context, d time.Duration) error {
	w.slept = append(w.slept, d)
	w.pass(d)
	return context.Cause(ctx)
}

const x86 = "ami-0a120230000086640"

var noon = env.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

type clock struct{ t env.Time }

func (c *clock) Now() env.Time { return c.t }

func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }

func port(t testing.TB, rules string) (*Port, *ec2.Model, *world) {
	t.Helper()
	c := &clock{noon}
	m, err := ec2.New(ec2.Options{Clock: c, Types: ec2.Catalog(catalog.Default()), Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	r, err := faults.Parse([]byte(rules), "faults.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{clock: c}
	return New(m, w, func(string) time.Duration { return time.Second }).WithFaults(r), m, w
}

func request(n int) cloud.LaunchRequest {
	return cloud.LaunchRequest{Token: "t", MinCount: n, MaxCount: n, Type: "c6i.xlarge", Market: cloud.OnDemand, ImageID: x86}
}

func TestPortLaunchesFindsTagsAndEnds(t *testing.T) {
	p, m, w := port(t, "")
	ctx := t.Context()
	subnets, err := p.Subnets(ctx, cloud.SubnetQuery{DefaultForAZ: true, AZs: []string{"us-east-1b"}})
	if err != nil || len(subnets.Subnets) != 1 {
		t.Fatalf("%v, %v", subnets, err)
	}
	if err := p.CreateGroup(ctx, cloud.Group{Name: "g", Strategy: "cluster", Tags: []cloud.Tag{{Key: "cluster", Value: "hpc"}}}); err != nil {
		t.Fatal(err)
	}
	r := request(2)
	r.Type, r.EFA, r.SubnetID, r.Group, r.Market = "p4d.24xlarge", 4, subnets.Subnets[0].ID, "g", cloud.Spot
	r.Tags = []cloud.Tag{{Key: "cluster", Value: "h*c"}}
	w.slept = nil
	list, err := p.Launch(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]time.Duration{500 * time.Millisecond, 500 * time.Millisecond}, w.slept); d != "" {
		t.Errorf("latency: %s", d)
	}
	got := list[1]
	want := cloud.Instance{ID: got.ID, Type: "p4d.24xlarge", AZ: "us-east-1b", SubnetID: r.SubnetID, Market: cloud.Spot,
		State: cloud.Pending, PrivateIP: "172.31.16.8", LaunchIndex: 1, LaunchTime: w.Now().Add(-500 * time.Millisecond), Group: "g", Tags: r.Tags}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for tag, n := range map[string]int{"h*c": 2, "hpc": 0} { // values are no patterns
		page, err := p.Describe(ctx, cloud.InstanceQuery{Tags: []cloud.Tag{{Key: "cluster", Value: tag}}, States: []cloud.State{cloud.Running}})
		if err != nil || len(page.Instances) != n {
			t.Errorf("%q: %v, %v", tag, page, err)
		}
	}
	if err := p.Tag(ctx, []string{got.ID}, []cloud.Tag{{Key: "Name", Value: "n1"}}); err != nil {
		t.Fatal(err)
	}
	if err := p.DeleteGroup(ctx, "g"); !cloud.Is(err, cloud.InUse) {
		t.Errorf("%v", err)
	}
	if err := p.Terminate(ctx, []string{list[0].ID, list[1].ID}); err != nil {
		t.Fatal(err)
	}
	page, err := p.Describe(ctx, cloud.InstanceQuery{IDs: []string{got.ID}})
	if err != nil || page.Instances[0].TagValue("Name") != "n1" || page.Instances[0].State != cloud.Terminated {
		t.Errorf("%v, %v", page, err)
	}
	if gs, err := p.DescribeGroups(ctx, []cloud.Tag{{Key: "cluster", Value: "hpc"}}); err != nil || len(gs) != 1 || gs[0].State != "available" {
		t.Errorf("%v, %v", gs, err)
	}
	if err := p.DeleteGroup(ctx, "g"); err != nil {
		t.Error(err)
	}
	images, err := p.Images(ctx, cloud.ImageQuery{Owners: []string{"amazon"}, Name: "al2023-*", Arch: "x86_64"})
	if err != nil || len(images.Images) != 1 || images.Images[0].ID != x86 {
		t.Errorf("%v, %v", images, err)
	}
	if d := cmp.Diff(map[string]int{"DescribeSubnets": 1, "CreatePlacementGroup": 1, "RunInstances": 1, "DescribeInstances": 3, "CreateTags": 1,
		"DeletePlacementGroup": 2, "TerminateInstances": 1, "DescribePlacementGroups": 1, "DescribeImages": 1}, m.Calls()); d != "" {
		t.Errorf("one method is not one call: %s", d)
	}
}

func TestPortClassifiesErrors(t *testing.T) {
	p, _, _ := port(t, "")
	r := request(1)
	r.Type = "hpc7a.2xlarge"
	_, err := p.Launch(t.Context(), r)
	if e := cloud.AsError(err); e.Class != cloud.Config || e.Op != "RunInstances" || e.Status != 400 || e.Type != r.Type {
		t.Errorf("%+v", e)
	}
	if err := p.Terminate(t.Context(), []string{"i-0123456789abcdef0"}); !cloud.Is(err, cloud.Consistency) {
		t.Errorf("%v", err)
	}
	r = request(1)
	r.DryRun = true
	if list, err := p.Launch(t.Context(), r); err != nil || list != nil {
		t.Errorf("dry run: %v, %v", list, err)
	}
}

func TestPortFaults(t *testing.T) {
	for effect, c := range map[string]struct {
		class    cloud.Class
		code     string
		launched int
		took     time.Duration
	}{
		"error: VcpuLimitExceeded": {cloud.Quota, "VcpuLimitExceeded", 0, time.Second},
		"throttle: true":           {cloud.Throttle, "RequestLimitExceeded", 0, time.Second},
		"status: 500":              {cloud.Ambiguous, "InternalError", 0, time.Second},
		"status: 502":              {cloud.Ambiguous, "", 0, time.Second},
		"status: 501":              {cloud.Unsupported, "NotImplemented", 0, time.Second},
		"lost-answer: true":        {cloud.Ambiguous, "", 4, time.Second},
		"capacity: 3":              {cloud.Capacity, "InsufficientInstanceCapacity", 0, time.Second},
		"capacity: 4":              {"", "", 4, time.Second},
		"delay: 5s":                {"", "", 4, 6 * time.Second},
	} {
		t.Run(effect, func(t *testing.T) {
			p, m, w := port(t, fmt.Sprintf("faults: [{az: us-east-1c, times: 1, %s}]", effect))
			r := request(4)
			subnets, err := m.DescribeSubnets(api.Query{Filters: []api.Filter{{Name: "availability-zone", Values: []string{"us-east-1c"}}}})
			if err != nil {
				t.Fatal(err)
			}
			r.SubnetID = subnets.Items[0].ID
			start := w.Now()
			_, err = p.Launch(t.Context(), r)
			if cloud.ClassOf(err) != c.class || err != nil && cloud.AsError(err).Code != c.code {
				t.Errorf("got %v, want %s %s", err, c.class, c.code)
			}
			if took := w.Now().Sub(start); took != c.took {
				t.Errorf("took %v", took)
			}
			list, _ := m.DescribeInstances(api.Query{})
			if len(list.Items) != c.launched {
				t.Errorf("%d launched, want %d", len(list.Items), c.launched)
			}
			if again, err := p.Launch(t.Context(), r); effect != "capacity: 3" && (err != nil || len(again) != 4) {
				t.Errorf("the same call again: %v, %v", again, err)
			}
		})
	}
}

func TestPortGetsPartOfAScarcePool(t *testing.T) {
	p, _, _ := port(t, "faults: [{capacity: 3}]")
	r := request(1)
	r.MaxCount = 5
	if list, err := p.Launch(t.Context(), r); err != nil || len(list) != 3 {
		t.Errorf("%d, %v", len(list), err)
	}
}

func TestPortHearsTheContext(t *testing.T) {
	p, m, _ := port(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Launch(ctx, request(1)); !cloud.Is(err, cloud.Ambiguous) {
		t.Errorf("%v", err)
	}
	if m.Calls()["RunInstances"] != 0 {
		t.Error("called all the same")
	}
}

// A stale describe is a world so much older, whatever the answer's filters: a
// launch is not there yet, an end has not begun.
func TestPortShowsAStaleWorld(t *testing.T) {
	p, m, w := port(t, "faults: [{stale: 10s}]")
	shown := func(q cloud.InstanceQuery) (out []string) {
		t.Helper()
		page, err := p.Describe(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Instances {
			out = append(out, string(i.State)+" "+i.PrivateIP+i.StateReason)
		}
		return out
	}
	live := cloud.InstanceQuery{States: []cloud.State{cloud.Pending, cloud.Running}}
	list, err := p.Launch(t.Context(), request(1))
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(live); got != nil {
		t.Errorf("a launch of one second ago: %v", got)
	}
	if _, err := p.Describe(t.Context(), cloud.InstanceQuery{IDs: []string{list[0].ID}}); !cloud.Is(err, cloud.Consistency) {
		t.Errorf("by its id: %v", err)
	}
	w.pass(time.Minute)
	if d := cmp.Diff([]string{"running " + list[0].PrivateIP}, shown(live)); d != "" {
		t.Error(d)
	}
	if err := p.Terminate(t.Context(), []string{list[0].ID}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"running " + list[0].PrivateIP}, shown(live)); d != "" {
		t.Errorf("an end of one second ago: %s", d)
	}
	if page, err := m.DescribeInstances(api.Query{}); err != nil || page.Items[0].State != cloud.Terminated {
		t.Errorf("the model itself is not stale: %v, %v", page, err)
	}
	w.pass(time.Minute)
	if d := cmp.Diff([]string{"terminated Client.UserInitiatedShutdown"}, shown(cloud.InstanceQuery{})); d != "" {
		t.Errorf("an end of a minute ago: %s", d)
	}
}

func TestPortTellsQuotasWhatLives(t *testing.T) {
	p, _, _ := port(t, "faults: [{quota: 4}]")
	bad := request(4)
	bad.Type = "hpc7a.2xlarge"
	if _, err := p.Launch(t.Context(), bad); !cloud.Is(err, cloud.Config) {
		t.Fatalf("%v", err)
	}
	r := request(4)
	r.Token = "u"
	list, err := p.Launch(t.Context(), r)
	if err != nil {
		t.Fatalf("a refused launch counts: %v", err)
	}
	r.Token = "v"
	if _, err := p.Launch(t.Context(), r); !cloud.Is(err, cloud.Quota) {
		t.Errorf("%v", err)
	}
	var ids []string
	for _, i := range list {
		ids = append(ids, i.ID)
	}
	if err := p.Terminate(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Launch(t.Context(), r); err != nil {
		t.Errorf("after their end: %v", err)
	}
}

// A call that a fault keeps from EC2 was made all the same.
func TestCallsThatFaultsRefuseAreTold(t *testing.T) {
	var codes []string
	engine := simulator.New(simulator.Options{Seed: 1, Start: noon})
	m, err := ec2.New(ec2.Options{Clock: engine, Types: ec2.Catalog(catalog.Default()), At: func(at env.Time, fn func()) { engine.At(at, fn) }, Sink: func(e record.Event) {
		if e.Kind == record.Call {
			codes = append(codes, e.Operation+" "+e.Code)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := faults.Parse([]byte("faults: [{throttle: true, times: 1}]"), "faults.yaml")
	if err != nil {
		t.Fatal(err)
	}
	engine.Spawn("resume", func(ctx context.Context, e env.Env) {
		p := New(m, e, nil).WithFaults(rules)
		if _, err := p.Launch(ctx, request(1)); !cloud.Is(err, cloud.Throttle) {
			t.Errorf("%v", err)
		}
		if _, err := p.Launch(ctx, request(1)); err != nil {
			t.Error(err)
		}
	})
	if err := engine.RunUntil(noon); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"RunInstances RequestLimitExceeded", "RunInstances "}, codes); d != "" {
		t.Error(d)
	}
}
