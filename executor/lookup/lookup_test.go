package lookup_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/lookup"
	"aws-slurm-burst/simulator"
)

// account is what an EC2 has; it counts how often it is asked.
type account struct {
	cloud.Cloud
	subnets []cloud.Subnet
	images  []cloud.Image
	asked   int
}

func (a *account) Subnets(_ context.Context, q cloud.SubnetQuery) (cloud.SubnetPage, error) {
	a.asked++
	if q.Page == "" && len(a.subnets) > 1 { // two pages
		return cloud.SubnetPage{Subnets: a.subnets[:1], Next: "2"}, nil
	}
	return cloud.SubnetPage{Subnets: a.subnets[min(1, len(a.subnets)):]}, nil
}

func (a *account) Images(context.Context, cloud.ImageQuery) (cloud.ImagePage, error) {
	a.asked++
	return cloud.ImagePage{Images: a.images}, nil
}

func run(t *testing.T, a *account, fn func(ctx context.Context, l *lookup.Lookup, e env.Env)) {
	t.Helper()
	engine := simulator.New(simulator.Options{Start: 1e18})
	d := simulator.NewDisk()
	engine.Spawn("test", func(ctx context.Context, e env.Env) {
		fn(ctx, &lookup.Lookup{Calls: calls.New(e, a, e.Now().Add(time.Hour*9)), Cache: d.For(e), Endpoint: "http://ec2"}, e)
	})
	if err := engine.Run(); err != nil {
		t.Fatal(err)
	}
}

func TestAnswersAreRememberedForAnHourAndByEndpoint(t *testing.T) {
	a := &account{images: []cloud.Image{{ID: "ami-1", Created: "2026-01-01T00:00:00Z"}, {ID: "ami-2", Created: "2026-02-01T00:00:00Z"}}}
	run(t, a, func(ctx context.Context, l *lookup.Lookup, e env.Env) {
		ask := func(l *lookup.Lookup, want int, why string) {
			t.Helper()
			i, err := l.Image(ctx, cloud.ImageQuery{Name: "x"})
			if err != nil || i != "ami-2" || a.asked != want {
				t.Errorf("%s: %v %v, asked %d times, want %d", why, i, err, a.asked, want)
			}
		}
		ask(l, 1, "first")
		ask(l, 1, "remembered")
		other := *l
		other.Endpoint = "http://other"
		ask(&other, 2, "another endpoint")
		_ = e.Sleep(ctx, time.Hour)
		ask(l, 3, "an hour later")
		l.Forget("image", cloud.ImageQuery{Name: "x"})
		ask(l, 4, "forgotten")
	})
}

func TestAnAnswerThatIsNotWholeIsAskedForAgain(t *testing.T) {
	a := &account{subnets: []cloud.Subnet{{ID: "subnet-a", AZ: "us-east-1a", AZID: "use1-az1"}, {ID: "subnet-b", AZ: "us-east-1b"}}}
	run(t, a, func(ctx context.Context, l *lookup.Lookup, e env.Env) {
		disk := l.Cache.(*simulator.Files)
		ask := func() []cloud.Subnet {
			got, err := l.Subnets(ctx, cloud.SubnetQuery{DefaultForAZ: true})
			if err != nil {
				t.Error(err)
			}
			return got
		}
		want := ask()
		if diff := cmp.Diff(a.subnets, want); diff != "" {
			t.Error(diff)
		}
		names, _ := disk.List("cache")
		whole, _ := disk.Read(names[0])
		asked := a.asked
		for cut := range whole {
			_ = disk.Write(names[0], whole[:cut])
			if diff := cmp.Diff(want, ask()); diff != "" {
				t.Fatalf("%d of %d bytes: %s", cut, len(whole), diff)
			}
		}
		if got := (a.asked - asked) / 2; got != len(whole) { // two pages
			t.Errorf("asked %d times for an answer that was cut %d times", got, len(whole))
		}
	})
}

func TestSubnetsComeInTheOrderAskedFor(t *testing.T) {
	a := &account{subnets: []cloud.Subnet{{ID: "subnet-b", AZ: "us-east-1b"}, {ID: "subnet-c", AZ: "us-east-1c"}, {ID: "subnet-a", AZ: "us-east-1a"}}}
	run(t, a, func(ctx context.Context, l *lookup.Lookup, _ env.Env) {
		for want, q := range map[string]cloud.SubnetQuery{
			"subnet-a subnet-b subnet-c": {DefaultForAZ: true},
			"subnet-c subnet-a subnet-b": {IDs: []string{"subnet-c", "subnet-a", "subnet-b"}},
			"subnet-b subnet-c subnet-a": {AZs: []string{"us-east-1b", "us-east-1c", "us-east-1a"}},
		} {
			got, err := l.Subnets(ctx, q)
			var ids []string
			for _, s := range got {
				ids = append(ids, s.ID)
			}
			if err != nil || strings.Join(ids, " ") != want {
				t.Errorf("%v %v, want %s", ids, err, want)
			}
		}
	})
}

func TestFindingNothingSaysWhatWasLookedFor(t *testing.T) {
	run(t, &account{}, func(ctx context.Context, l *lookup.Lookup, _ env.Env) {
		if _, err := l.Subnets(ctx, cloud.SubnetQuery{VPC: "vpc-1"}); !cloud.Is(err, cloud.Config) || !strings.Contains(err.Error(), "VPC vpc-1") {
			t.Errorf("got %v", err)
		}
		if _, err := l.Image(ctx, cloud.ImageQuery{Name: "slurm-*"}); !cloud.Is(err, cloud.Config) || !strings.Contains(err.Error(), `"slurm-*"`) {
			t.Errorf("got %v", err)
		}
	})
}
