package lookup_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/lookup"
	"aws-slurm-burst/simulator"
)

// paged is an EC2 whose answers come in pages of one; after the last one it gives
// that one's own token again, as a few servers do, where it is told to.
type paged struct {
	cloud.Cloud
	subnets []cloud.Subnet
	images  []cloud.Image
	again   bool
	err     error
	asked   int
}

// page is which of n pages a token asks for, and the token of the next one.
func (p *paged) page(token string, n int) (at int, next string, err error) {
	p.asked++
	if p.asked > n {
		return 0, "", errors.New("asked for more than there is")
	}
	for at = range n {
		if strings.Repeat("x", at) == token {
			break
		}
	}
	switch {
	case at < n-1:
		next = token + "x"
	case p.again:
		next = token
	}
	return at, next, p.err
}

func (p *paged) Subnets(_ context.Context, q cloud.SubnetQuery) (cloud.SubnetPage, error) {
	at, next, err := p.page(q.Page, len(p.subnets))
	if err != nil {
		return cloud.SubnetPage{}, err
	}
	return cloud.SubnetPage{Subnets: p.subnets[at : at+1], Next: next}, nil
}

func (p *paged) Images(_ context.Context, q cloud.ImageQuery) (cloud.ImagePage, error) {
	at, next, err := p.page(q.Page, len(p.images))
	if err != nil {
		return cloud.ImagePage{}, err
	}
	return cloud.ImagePage{Images: p.images[at : at+1], Next: next}, nil
}

// asking runs fn with look-ups in a cloud, and returns what was said of the cache.
func asking(t *testing.T, a cloud.Cloud, d *simulator.Disk, fn func(ctx context.Context, l *lookup.Lookup, e env.Env)) (said []string) {
	t.Helper()
	engine := simulator.New(simulator.Options{Start: 1e18, MaxEvents: 1e5, OnLog: func(ev simulator.Logged) {
		if ev.Name == "lookup.cache" {
			said = append(said, ev.Text)
		}
	}})
	engine.Spawn("test", func(ctx context.Context, e env.Env) {
		fn(ctx, &lookup.Lookup{Calls: calls.New(e, a, e.Now().Add(time.Hour)), Cache: d.For(e), Endpoint: "http://ec2"}, e)
	})
	if err := engine.Run(); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestTheNewestImageOfAllPagesIsTaken(t *testing.T) {
	const old, young = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
	for want, images := range map[string][]cloud.Image{
		"ami-1": {{ID: "ami-1", Created: young}, {ID: "ami-2", Created: old}},
		"ami-2": {{ID: "ami-1", Created: old}, {ID: "ami-2", Created: young}, {ID: "ami-3", Created: old}},
		"ami-3": {{ID: "ami-1", Created: old}, {ID: "ami-2", Created: old}, {ID: "ami-3", Created: old}}, // of one instant
		"ami-4": {{ID: "ami-4", Created: old}, {ID: "ami-3", Created: old}},
		"ami-5": {{ID: "ami-9", Created: old}, {ID: "ami-5", Created: young}},
	} {
		for _, again := range []bool{false, true} {
			a := &paged{images: images, again: again}
			asking(t, a, simulator.NewDisk(), func(ctx context.Context, l *lookup.Lookup, _ env.Env) {
				if got, err := l.Image(ctx, cloud.ImageQuery{Name: "x"}); got != want || err != nil || a.asked != len(images) {
					t.Errorf("%s %v after %d pages, want %s of %d", got, err, a.asked, want, len(images))
				}
			})
		}
	}
}

func TestAPageThatNamesItselfAsTheNextIsTheLast(t *testing.T) {
	a := &paged{subnets: []cloud.Subnet{{ID: "subnet-a"}, {ID: "subnet-b"}}, again: true}
	asking(t, a, simulator.NewDisk(), func(ctx context.Context, l *lookup.Lookup, _ env.Env) {
		if got, err := l.Subnets(ctx, cloud.SubnetQuery{VPC: "v"}); len(got) != 2 || err != nil || a.asked != 2 {
			t.Errorf("%v %v after %d pages", got, err, a.asked)
		}
	})
}

// A mistake is not an empty answer, and nothing that was answered.
func TestAnErrorOfEC2IsPassedOnAndNotKept(t *testing.T) {
	denied := cloud.Errorf("Describe", cloud.Permission, "denied")
	d := simulator.NewDisk()
	asking(t, &paged{subnets: make([]cloud.Subnet, 1), images: make([]cloud.Image, 9), err: denied}, d, func(ctx context.Context, l *lookup.Lookup, _ env.Env) {
		if got, err := l.Subnets(ctx, cloud.SubnetQuery{VPC: "v"}); len(got) != 0 || !cloud.Is(err, cloud.Permission) {
			t.Errorf("%v %v", got, err)
		}
		if got, err := l.Image(ctx, cloud.ImageQuery{Name: "x"}); got != "" || !cloud.Is(err, cloud.Permission) {
			t.Errorf("%v %v", got, err)
		}
	})
	if names := d.Names("cache"); len(names) != 0 {
		t.Errorf("kept: %v", names)
	}
}

func TestFindingNoSubnetNamesTheNarrowestOfTheFilter(t *testing.T) {
	tags := []cloud.Tag{{Key: "tier", Value: "hpc"}}
	for want, q := range map[string]cloud.SubnetQuery{
		"no subnet matches ids [subnet-9];":                      {IDs: []string{"subnet-9"}, Tags: tags, VPC: "vpc-1", AZs: []string{"us-east-1a"}},
		"no subnet matches tags [{tier hpc}];":                   {Tags: tags, VPC: "vpc-1", AZs: []string{"us-east-1a"}},
		"no subnet matches VPC vpc-1;":                           {VPC: "vpc-1", AZs: []string{"us-east-1a"}},
		"no subnet matches zones [us-east-1a];":                  {AZs: []string{"us-east-1a"}, DefaultForAZ: true},
		"no subnet matches default subnets (one for each zone);": {DefaultForAZ: true},
	} {
		asking(t, &account{}, simulator.NewDisk(), func(ctx context.Context, l *lookup.Lookup, _ env.Env) {
			if _, err := l.Subnets(ctx, q); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// The clock was set back, or is another machine's: nobody knows how old it is.
func TestAnAnswerFromTheFutureIsAskedForAgain(t *testing.T) {
	a := &account{images: []cloud.Image{{ID: "ami-1"}}}
	asking(t, a, simulator.NewDisk(), func(ctx context.Context, l *lookup.Lookup, e env.Env) {
		q := cloud.ImageQuery{Name: "x"}
		ask := func() string {
			id, err := l.Image(ctx, q)
			if err != nil {
				t.Error(err)
			}
			return id
		}
		ask()
		disk := l.Cache.(*simulator.Files)
		names, _ := disk.List("cache")
		_ = disk.Write(names[0], []byte("1000000000000000001 1\nami-9\n"))
		if got := ask(); got != "ami-1" || a.asked != 2 {
			t.Errorf("%s, asked %d times", got, a.asked)
		}
		_ = disk.Write(names[0], []byte("1000000000000000000 1\nami-9\n"))
		if got := ask(); got != "ami-9" || a.asked != 2 {
			t.Errorf("of this instant: %s, asked %d times", got, a.asked)
		}
	})
}

func TestAnAnswerThatCannotBeKeptIsAnAnswer(t *testing.T) {
	a, d := &account{images: []cloud.Image{{ID: "ami-1"}}}, simulator.NewDisk()
	said := asking(t, a, d, func(ctx context.Context, l *lookup.Lookup, _ env.Env) {
		q := cloud.ImageQuery{Name: "x"}
		for _, full := range []bool{true, true, false, false} {
			d.Full = full
			if got, err := l.Image(ctx, q); got != "ami-1" || err != nil {
				t.Errorf("%s %v", got, err)
			}
		}
		l.Forget("image", q)
		l.Forget("image", q) // another call was faster
	})
	if a.asked != 3 || len(said) != 3 || !strings.HasPrefix(said[0], "answer not kept: ") || !strings.HasPrefix(said[1], "answer not kept: ") || !strings.HasSuffix(said[2], "does not exist") {
		t.Errorf("asked %d times, said %q", a.asked, said)
	}
}
