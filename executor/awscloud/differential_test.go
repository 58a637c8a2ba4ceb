package awscloud_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/port"
	"aws-slurm-burst/simulator/ec2/wire"
)

type clock struct{ now env.Time }

func (c *clock) Now() env.Time { return c.now }

// everything is all that an implementation of the port has.
type everything interface {
	cloud.Cloud
	cloud.Offers
}

// tiers returns two ports to two equal models: one asked directly (tier A), one
// through the SDK and EC2's wire protocol (tier B). pass moves both clocks.
func tiers(t *testing.T, change func(*ec2.Options)) (a, b everything, pass func(time.Duration)) {
	t.Helper()
	clocks := [2]*clock{}
	models := [2]*ec2.Model{}
	for i := range models {
		clocks[i] = &clock{env.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}
		o := ec2.Options{Clock: clocks[i], Types: ec2.Catalog(catalog.Default()), Seed: 7}
		if change != nil {
			change(&o)
		}
		m, err := ec2.New(o)
		if err != nil {
			t.Fatal(err)
		}
		models[i] = m
	}
	adapter, err := awscloud.New(context.Background(), awscloud.Options{
		Region: models[1].Region(), HTTPClient: wire.Client(wire.New(models[1]), nil),
		Credentials: credentials.NewStaticCredentialsProvider("sim", "sim", ""), Getenv: environ(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	return port.New(models[0], nil, nil), adapter, func(d time.Duration) {
		for _, c := range clocks {
			c.now = c.now.Add(d)
		}
	}
}

// outcome is what a caller can see of a call.
type outcome struct {
	Answer any
	Failed *cloud.Error
	Text   string
}

func see(t *testing.T, answer any, err error) outcome {
	t.Helper()
	if err == nil {
		return outcome{Answer: answer}
	}
	var e *cloud.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T, want *cloud.Error", err)
	}
	return outcome{Failed: &cloud.Error{Op: e.Op, Class: e.Class, Code: e.Code, Status: e.Status, Type: e.Type, AZ: e.AZ}, Text: e.Error()}
}

// The same calls, on tier A and on tier B, have the same answers and errors.
func TestTheWireChangesNothing(t *testing.T) {
	ctx := context.Background()
	const image = "ami-0a120230000086640"
	a, b, pass := tiers(t, func(o *ec2.Options) {
		o.PendingFor, o.ShuttingDownFor, o.VisibilityLag = 20*time.Second, 10*time.Second, time.Second
		o.Capacity = map[ec2.Pool]int{{Type: "c6i.2xlarge", AZ: "us-east-1a", Market: cloud.OnDemand}: 3}
		o.VCPUs = map[cloud.Market]int{cloud.Spot: 64}
		o.Offered = func(kind, az string) bool { return kind != "c6i.4xlarge" }
	})
	subnets, err := a.Subnets(ctx, cloud.SubnetQuery{DefaultForAZ: true, AZs: []string{"us-east-1a"}})
	if err != nil || len(subnets.Subnets) != 1 {
		t.Fatalf("%v, %v", subnets, err)
	}
	subnet := subnets.Subnets[0].ID
	request := func(token, kind string, least, most int, change func(*cloud.LaunchRequest)) cloud.LaunchRequest {
		r := cloud.LaunchRequest{Token: token, Type: kind, MinCount: least, MaxCount: most, Market: cloud.OnDemand,
			SubnetID: subnet, AZ: "us-east-1a", ImageID: image, UserData: "#!/bin/sh\necho \"ü & <tag>\"\n",
			Tags: tags("cluster", "prod*", "nodes", "n[001-004],m-[1,2]", "odd", `a&b <"c"> d\e`)}
		if change != nil {
			change(&r)
		}
		return r
	}
	launch := func(r cloud.LaunchRequest) func(cloud.Cloud) (any, error) {
		return func(c cloud.Cloud) (any, error) { return c.Launch(ctx, r) }
	}
	describe := func(q cloud.InstanceQuery) func(cloud.Cloud) (any, error) {
		return func(c cloud.Cloud) (any, error) { return c.Describe(ctx, q) }
	}
	// every instance of a tag, found anew on each side
	each := func(c cloud.Cloud, value string) []string {
		p, err := c.Describe(ctx, cloud.InstanceQuery{Tags: tags("cluster", value)})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, i := range p.Instances {
			ids = append(ids, i.ID)
		}
		return ids
	}
	do := func(f func(cloud.Cloud) error) func(cloud.Cloud) (any, error) {
		return func(c cloud.Cloud) (any, error) { return nil, f(c) }
	}
	group := cloud.Group{Name: "pg-1", Strategy: "cluster", Tags: tags("cluster", "prod*")}

	for _, step := range []struct {
		name string
		call func(cloud.Cloud) (any, error)
		fail cloud.Class // "" for success
		then time.Duration
	}{
		{"default subnets", func(c cloud.Cloud) (any, error) { return c.Subnets(ctx, cloud.SubnetQuery{DefaultForAZ: true}) }, "", 0},
		{"a subnet by id", func(c cloud.Cloud) (any, error) { return c.Subnets(ctx, cloud.SubnetQuery{IDs: []string{subnet}}) }, "", 0},
		{"no such subnet", func(c cloud.Cloud) (any, error) {
			return c.Subnets(ctx, cloud.SubnetQuery{IDs: []string{"subnet-0123456789abcdef0"}})
		}, cloud.Config, 0},
		{"images by pattern", func(c cloud.Cloud) (any, error) {
			return c.Images(ctx, cloud.ImageQuery{Owners: []string{"amazon"}, Name: "al2023-*", Arch: "x86_64"})
		}, "", 0},
		{"an image by id", func(c cloud.Cloud) (any, error) { return c.Images(ctx, cloud.ImageQuery{IDs: []string{image}}) }, "", 0},
		{"no such image", func(c cloud.Cloud) (any, error) {
			return c.Images(ctx, cloud.ImageQuery{IDs: []string{"ami-0123456789abcdef0"}})
		}, cloud.Config, 0},
		{"a group", do(func(c cloud.Cloud) error { return c.CreateGroup(ctx, group) }), "", 0},
		{"the group again", do(func(c cloud.Cloud) error { return c.CreateGroup(ctx, group) }), cloud.Duplicate, time.Minute},
		{"a partition group", do(func(c cloud.Cloud) error {
			return c.CreateGroup(ctx, cloud.Group{Name: "pg-2", Strategy: "partition", Partitions: 3})
		}), "", time.Minute},
		{"groups by tag", func(c cloud.Cloud) (any, error) { return c.DescribeGroups(ctx, tags("cluster", "prod*")) }, "", 0},
		{"all groups", func(c cloud.Cloud) (any, error) { return c.DescribeGroups(ctx, nil) }, "", 0},
		{"would it launch", launch(request("t-dry", "c6i.xlarge", 1, 1, func(r *cloud.LaunchRequest) { r.DryRun = true })), "", 0},
		{"two of four", launch(request("t-1", "c6i.2xlarge", 1, 2, nil)), "", 0},
		{"the same again", launch(request("t-1", "c6i.2xlarge", 1, 2, nil)), "", 0},
		{"the token for something else", launch(request("t-1", "c6i.2xlarge", 1, 3, nil)), cloud.Token, 0},
		{"not visible yet", describe(cloud.InstanceQuery{Tags: tags("cluster", "prod*")}), "", 2 * time.Second},
		{"pending", describe(cloud.InstanceQuery{Tags: tags("cluster", "prod*"), States: []cloud.State{cloud.Pending}}), "", time.Minute},
		{"running", describe(cloud.InstanceQuery{Tags: tags("cluster", "prod*", "odd", `a&b <"c"> d\e`), States: []cloud.State{cloud.Pending, cloud.Running}}), "", 0},
		{"a longer name is another", describe(cloud.InstanceQuery{Tags: tags("cluster", "prod")}), "", 0},
		{"the pool is dry", launch(request("t-2", "c6i.2xlarge", 2, 2, nil)), cloud.Capacity, 0},
		{"not sold here", launch(request("t-3", "c6i.4xlarge", 1, 1, nil)), cloud.Offering, 0},
		{"spot", launch(request("t-4", "c6i.xlarge", 2, 2, func(r *cloud.LaunchRequest) { r.Market = cloud.Spot })), "", 0},
		{"spot below the market", launch(request("t-5", "c6i.xlarge", 1, 1, func(r *cloud.LaunchRequest) { r.Market, r.MaxPrice = cloud.Spot, 0.0000125 })), cloud.Price, 0},
		{"spot beyond the quota", launch(request("t-6", "c6i.32xlarge", 1, 1, func(r *cloud.LaunchRequest) { r.Market = cloud.Spot })), cloud.SpotQuota, 0},
		{"EFA in a group", launch(request("t-7", "p4d.24xlarge", 2, 2, func(r *cloud.LaunchRequest) { r.EFA, r.Group = 4, "pg-1" })), "", 0},
		{"too many EFA", launch(request("t-8", "c6i.xlarge", 1, 1, func(r *cloud.LaunchRequest) { r.EFA = 2 })), cloud.Config, 0},
		{"no such group", launch(request("t-9", "c6i.xlarge", 1, 1, func(r *cloud.LaunchRequest) { r.Group = "pg-9" })), cloud.Consistency, 0},
		{"no such type", launch(request("t-10", "hpc7a.2xlarge", 1, 1, nil)), cloud.Config, 0},
		{"the wrong architecture", launch(request("t-11", "c7g.xlarge", 1, 1, nil)), cloud.Config, 0},
		{"no such template", launch(request("t-12", "c6i.xlarge", 1, 1, func(r *cloud.LaunchRequest) { r.Template = "nodes" })), cloud.Config, 0},
		{"a token that is too long", launch(request(string(make([]byte, 65)), "c6i.xlarge", 1, 1, nil)), cloud.Config, time.Minute},
		{"all of them", describe(cloud.InstanceQuery{}), "", 0},
		{"a tag more", do(func(c cloud.Cloud) error { return c.Tag(ctx, each(c, "prod*")[:1], tags("Name", "n001", "empty", "")) }), "", 0},
		{"a tag for nobody", do(func(c cloud.Cloud) error { return c.Tag(ctx, []string{"i-0123456789abcdef0"}, tags("k", "v")) }), cloud.Consistency, 0},
		{"by an empty tag", describe(cloud.InstanceQuery{Tags: tags("empty", "")}), "", 0},
		{"by id", func(c cloud.Cloud) (any, error) {
			return c.Describe(ctx, cloud.InstanceQuery{IDs: each(c, "prod*")[1:3]})
		}, "", 0},
		{"no such instance", describe(cloud.InstanceQuery{IDs: []string{"i-0123456789abcdef0"}}), cloud.Consistency, 0},
		{"not an id", describe(cloud.InstanceQuery{IDs: []string{"n001"}}), cloud.Config, 0},
		{"not a page", describe(cloud.InstanceQuery{Page: "x"}), cloud.Config, 0},
		{"the group is in use", do(func(c cloud.Cloud) error { return c.DeleteGroup(ctx, "pg-1") }), cloud.InUse, 0},
		{"ending one that is not there ends none", do(func(c cloud.Cloud) error {
			return c.Terminate(ctx, append(each(c, "prod*")[:1], "i-0123456789abcdef0"))
		}), cloud.Consistency, 0},
		{"ending all", do(func(c cloud.Cloud) error { return c.Terminate(ctx, each(c, "prod*")) }), "", 0},
		{"shutting down", describe(cloud.InstanceQuery{Tags: tags("cluster", "prod*")}), "", time.Minute},
		{"terminated", describe(cloud.InstanceQuery{Tags: tags("cluster", "prod*"), States: []cloud.State{cloud.Terminated}}), "", 0},
		{"a token of the dead", launch(request("t-1", "c6i.2xlarge", 1, 2, nil)), cloud.Token, 0},
		{"the group goes", do(func(c cloud.Cloud) error { return c.DeleteGroup(ctx, "pg-1") }), "", 0},
		{"and is gone", do(func(c cloud.Cloud) error { return c.DeleteGroup(ctx, "pg-1") }), cloud.Consistency, 0},
	} {
		viaA, errA := step.call(a)
		viaB, errB := step.call(b)
		if got := cloud.ClassOf(errA); got != step.fail {
			t.Errorf("%s: tier A: class %q (%v), want %q", step.name, got, errA, step.fail)
		}
		if d := cmp.Diff(see(t, viaA, errA), see(t, viaB, errB), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-tier A +tier B):\n%s", step.name, d)
		}
		pass(step.then)
	}
}

// Large answers come in pages of 1000, and both tiers cut them alike.
func TestTheWireKeepsPages(t *testing.T) {
	ctx := context.Background()
	a, b, _ := tiers(t, nil)
	r := base
	r.MinCount, r.MaxCount, r.ImageID = 600, 600, "ami-0a120230000086640"
	for _, c := range []everything{a, b} {
		for _, token := range []string{"t-1", "t-2"} {
			r.Token = token
			if _, err := c.Launch(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	var next string
	for _, want := range []int{1000, 200} {
		pa, errA := a.Describe(ctx, cloud.InstanceQuery{Page: next})
		pb, errB := b.Describe(ctx, cloud.InstanceQuery{Page: next})
		if d := cmp.Diff(see(t, pa, errA), see(t, pb, errB), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("page %q (-tier A +tier B):\n%s", next, d)
		}
		if len(pa.Instances) != want {
			t.Errorf("page %q has %d instances, want %d", next, len(pa.Instances), want)
		}
		next = pa.Next
	}
	if next != "" {
		t.Errorf("a third page %q", next)
	}
}

// What EC2 sells is the same on both tiers, page by page, and is the catalogue's.
func TestTheWireKeepsWhatIsSold(t *testing.T) {
	ctx := context.Background()
	a, b, _ := tiers(t, func(o *ec2.Options) {
		o.Zones = 2
		o.Offered = func(kind, az string) bool { return kind != "c6i.large" || az != "us-east-1b" }
	})
	want := catalog.Default()
	for name, pages := range map[string]func(c everything, page string) (answer any, next string, items int, err error){
		"types": func(c everything, page string) (any, string, int, error) {
			p, err := c.Types(ctx, page)
			for _, got := range p.Types {
				if x, _ := want.Type(got.Name); cmp.Diff(x, got) != "" {
					t.Errorf("%s (-catalogue +EC2):\n%s", got.Name, cmp.Diff(x, got))
				}
			}
			return p, p.Next, len(p.Types), err
		},
		"offerings": func(c everything, page string) (any, string, int, error) {
			p, err := c.Offerings(ctx, page)
			return p, p.Next, len(p.Offerings), err
		},
		"zones": func(c everything, page string) (any, string, int, error) {
			z, err := c.Zones(ctx)
			return z, "", len(z), err
		},
		"spot prices": func(c everything, page string) (any, string, int, error) {
			p, err := c.SpotPrices(ctx, cloud.SpotQuery{Page: page})
			return p, p.Next, len(p.Prices), err
		},
	} {
		total, next := 0, ""
		for n := 0; n == 0 || next != ""; n++ {
			pa, nextA, items, errA := pages(a, next)
			pb, _, _, errB := pages(b, next)
			if d := cmp.Diff(see(t, pa, errA), see(t, pb, errB), cmpopts.EquateEmpty()); d != "" || errA != nil {
				t.Fatalf("%s, page %q: %v (-tier A +tier B):\n%s", name, next, errA, d)
			}
			total, next = total+items, nextA
		}
		types := len(want.Names())
		least := map[string]int{"types": types, "offerings": 2*types - 1, "zones": 2, "spot prices": types}[name]
		if total < least || name != "spot prices" && total > least {
			t.Errorf("%d %s, want %d", total, name, least)
		}
	}
}
