package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// clouded builds a site of cloud nodes alone; change may be nil.
func clouded(t *testing.T, change func(*Cloud), sink record.Sink) (*site, error) {
	t.Helper()
	cfg, err := config.Parse([]byte(groups), "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := SlurmConf(Premises{}, cfg, catalog.Default(), 4)
	if err != nil {
		t.Fatal(err)
	}
	c := &Cloud{Config: cfg, Types: catalog.Default(), EC2: ec2.Options{Seed: 1, Zones: 2}}
	if change != nil {
		change(c)
	}
	e := NewEngine(1)
	t.Cleanup(func() { e.Close() })
	return newSite(e, Options{Slurm: conf.Read([]byte(text), "slurm.conf", nil).Settings, Policy: sched.Slurm, Cloud: c, Sink: sink})
}

// Somebody ends an instance on which a job runs: its slurmd is silent, and after
// SlurmdTimeout (300 s) the node is down and the job in the queue again.
func TestAJobWhoseInstanceIsTakenAwayStartsAgain(t *testing.T) {
	var id, state string
	launched, gone, requeued := 0, time.Duration(0), time.Duration(0)
	s, err := clouded(t, nil, func(e record.Event) {
		switch e.Kind {
		case record.InstanceLaunched:
			if launched++; launched == 1 {
				id = e.Instance
				if !slices.Equal(e.Nodes, []string{"od-1"}) {
					t.Errorf("%s is launched for %v", id, e.Nodes)
				}
			}
		case record.InstanceEnding:
			if e.Instance == id {
				gone = e.At.Sub(record.Begin)
			}
		case record.JobRequeued:
			requeued = e.At.Sub(record.Begin)
		case record.JobEnded:
			state = e.State
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	jobs := []workload.Job{{ID: 1, Run: 2 * time.Hour, Limit: 3 * time.Hour, Procs: 4, Partition: "aws-od"}}
	s.next = func() (j workload.Job, err error, more bool) {
		if len(jobs) == 0 {
			return j, nil, false
		}
		j, jobs = jobs[0], jobs[1:]
		return j, nil, true
	}
	s.engine.At(record.Begin.Add(time.Hour), func() {
		if _, err := s.cloud.ec2.TerminateInstances([]string{id}, false); err != nil {
			t.Error(err)
		}
	})
	s.pull()
	if _, err := s.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if launched != 2 || gone != time.Hour || requeued < gone+300*time.Second || requeued > gone+330*time.Second || state != "COMPLETED" {
		t.Errorf("%d instances; the first gone after %v, the job requeued after %v, and in the end %s", launched, gone, requeued, state)
	}
	if len(s.cloud.serves) != 0 || len(s.cloud.waiting) != 0 || s.cloud.alive != 0 {
		t.Errorf("in the end %d live, %v serve and %v wait", s.cloud.alive, s.cloud.serves, s.cloud.waiting)
	}
}

func TestAnInstanceLearnsItsNodeFromItsTags(t *testing.T) {
	s, err := clouded(t, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	images, err := s.cloud.ec2.DescribeImages(api.Query{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	launch := func(n int, tags ...cloud.Tag) (names []string) {
		r := ec2.RunRequest{Min: n, Max: n}
		r.Type, r.ImageID = "c6i.xlarge", images.Items[0].ID
		if len(tags) > 0 {
			r.Tags = []api.TagSpec{{Kind: "instance", Tags: tags}}
		}
		got, err := s.cloud.ec2.RunInstances(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range got.Instances {
			names = append(names, strings.Join(s.cloud.namesOf(i.ID), "+"))
		}
		return names
	}
	ours := cloud.Tag{Key: identity.Cluster, Value: "site"}
	tag := func(key, value string) cloud.Tag { return cloud.Tag{Key: key, Value: value} }
	var long []string // for more than one tag
	for i := range 100 {
		long = append(long, fmt.Sprintf("x%dy", i))
	}
	for _, c := range []struct {
		what string
		n    int
		tags []cloud.Tag
		want []string
	}{
		{"its own place in the list", 3, []cloud.Tag{ours, tag(identity.Nodes, "od-[1-3]")}, []string{"od-1", "od-2", "od-3"}},
		{"of another list", 2, []cloud.Tag{ours, tag(identity.Nodes, "od-[5-6]")}, []string{"od-5", "od-6"}},
		{"more instances than nodes", 2, []cloud.Tag{ours, tag(identity.Nodes, "od-1")}, []string{"od-1", ""}},
		{"a tag of its own", 1, []cloud.Tag{ours, tag(identity.Nodes, "od-1"), tag(identity.Node, "od-2")}, []string{"od-2"}},
		{"a list that cannot be read", 1, []cloud.Tag{ours, tag(identity.Nodes, "od-[1-")}, []string{""}},
		{"no list", 1, []cloud.Tag{ours}, []string{""}},
		{"another cluster's", 1, []cloud.Tag{tag(identity.Cluster, "another"), tag(identity.Nodes, "od-1")}, []string{""}},
		{"nobody's", 1, nil, []string{""}},
		{"a list in several tags", 100, identity.Tags(identity.Facts{Cluster: "site", Token: "t", Nodes: long}, nil), long},
		{"another that begins alike", 1, []cloud.Tag{ours, tag(identity.Nodes, "od-"), tag(identity.MoreNodes, "7")}, []string{"od-7"}},
		{"and one more", 1, []cloud.Tag{ours, tag(identity.Nodes, "od-"), tag(identity.MoreNodes, "8")}, []string{"od-8"}},
	} {
		if diff := cmp.Diff(c.want, launch(c.n, c.tags...)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.what, diff)
		}
	}
	if names := s.cloud.namesOf("i-0"); names != nil {
		t.Errorf("an instance that never was is %v", names)
	}
}

func TestAConfigurationIsTheSitesButForWhereItsPlansComeFrom(t *testing.T) {
	for _, plans := range []Planner{nil, planned{}} {
		s, err := clouded(t, func(c *Cloud) {
			c.Plans = plans
			c.Config.ASBA.URL, c.Config.Plans.Dir, c.Config.AWS.Region = "http://localhost:8080", "/etc/plans", "eu-west-1"
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, theirs := s.cloud.config, s.opt.Cloud.Config
		if got.ASBA.URL != "" || (got.Plans.Dir == plansDir) != (plans != nil) || plans == nil && got.Plans.Dir != "" || got.Cluster != "site" {
			t.Errorf("asks %q, reads %q", got.ASBA.URL, got.Plans.Dir)
		}
		if theirs.ASBA.URL == "" || theirs.Plans.Dir != "/etc/plans" {
			t.Error("the configuration that was handed in is another now")
		}
		zones, err := s.cloud.ec2.DescribeSubnets(api.Query{})
		if err != nil || len(zones.Items) == 0 || !strings.HasPrefix(zones.Items[0].AZ, "eu-west-1") {
			t.Errorf("%+v %v: the region is not the configuration's", zones.Items, err)
		}
	}
	if _, err := clouded(t, func(c *Cloud) { c.EC2.Zones = 7 }, nil); err == nil || !strings.HasPrefix(err.Error(), "the EC2 of the simulation: ") {
		t.Errorf("seven zones: %v", err)
	}
}

func TestTheLatencyOfCallsIsAssumedWhereNobodyGaveIt(t *testing.T) {
	const line = "EC2 answers after 0.333 s, all calls but RunInstances"
	for _, latency := range []func(string) time.Duration{nil, func(string) time.Duration { return time.Second }} {
		s, err := clouded(t, func(c *Cloud) { c.Latency = latency }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.cloud.opt.Latency("DescribeInstances"); latency != nil && got != time.Second || latency == nil && got != DefaultLatency("") {
			t.Errorf("a call takes %v", got)
		}
		if got := s.cloud.assumed(); slices.Contains(got, line) != (latency == nil) {
			t.Errorf("%q", got)
		}
	}
}

// A slurmd registers when it is ready and slurmctld has its address, whichever is
// later, and never once its instance is gone.
func TestASlurmdRegistersOnceItIsReadyAndKnown(t *testing.T) {
	s, err := clouded(t, func(c *Cloud) {
		c.EC2.Boot = &boot.Profile{Running: boot.Lognormal{Median: 17 * time.Second}, Ready: boot.Lognormal{Median: 5 * time.Minute}}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	images, err := s.cloud.ec2.DescribeImages(api.Query{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	launch := func(node string) *ec2.Instance {
		r := ec2.RunRequest{Min: 1, Max: 1}
		r.Type, r.ImageID = "c6i.xlarge", images.Items[0].ID
		r.Tags = []api.TagSpec{{Kind: "instance", Tags: []cloud.Tag{{Key: identity.Cluster, Value: "site"}, {Key: identity.Nodes, Value: node}}}}
		got, err := s.cloud.ec2.RunInstances(r)
		if err != nil {
			t.Fatal(err)
		}
		return &got.Instances[0]
	}
	after := func(d time.Duration) {
		if err := s.engine.RunUntil(s.engine.Now().Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	known := func(node, addr string) {
		s.engine.Spawn("scontrol", func(ctx context.Context, _ env.Env) {
			if _, err := s.slurm.Scontrol(ctx, "update", "NodeName="+node, "NodeAddr="+addr); err != nil {
				t.Error(err)
			}
		})
		after(time.Minute)
	}
	end := func(id string) {
		if _, err := s.cloud.ec2.TerminateInstances([]string{id}, false); err != nil {
			t.Error(err)
		}
		after(time.Second)
	}
	want := func(when string, serves, waiting map[string]string) {
		t.Helper()
		if diff := cmp.Diff([]map[string]string{serves, waiting}, []map[string]string{s.cloud.serves, s.cloud.waiting}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", when, diff)
		}
	}
	none := map[string]string{}

	early, late, gone, never := launch("od-1"), launch("od-2"), launch("od-3"), launch("od-4")
	known("od-1", early.PrivateIP.String())
	end(never.ID)
	want("before any is ready", none, none)
	after(5 * time.Minute)
	want("when they are", map[string]string{early.ID: "od-1"}, map[string]string{"od-2": late.ID, "od-3": gone.ID})
	known("od-2", "10.9.9.9")
	want("another's address", map[string]string{early.ID: "od-1"}, map[string]string{"od-2": late.ID, "od-3": gone.ID})
	known("od-2", late.PrivateIP.String())
	want("its own", map[string]string{early.ID: "od-1", late.ID: "od-2"}, map[string]string{"od-3": gone.ID})
	end(gone.ID)
	known("od-3", gone.PrivateIP.String())
	want("that of an instance that has gone", map[string]string{early.ID: "od-1", late.ID: "od-2"}, none)
	end(early.ID)
	want("in the end", map[string]string{late.ID: "od-2"}, none)
}

func TestAPlanIsReadByTheNumberOfItsJob(t *testing.T) {
	s, err := clouded(t, func(c *Cloud) { c.Plans = planned{} }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for id := int64(1); id <= 3; id++ {
		s.cloud.submitted(&workload.Job{ID: id})
	}
	for _, c := range []struct {
		name  string
		limit int
		want  error
	}{
		{plansDir + "/3.json", len(someGang), nil},
		{plansDir + "/3.json", len(someGang) - 1, plansource.ErrTooLarge},
		{plansDir + "/1.json", len(someGang), plansource.ErrNotFound}, // it has none
		{plansDir + "/9.json", len(someGang), plansource.ErrNotFound}, // no such job
		{plansDir + "/3_1.json", len(someGang), plansource.ErrNotFound},
		{"/etc/3.json", len(someGang), plansource.ErrNotFound},
	} {
		text, info, err := planFiles{s.cloud}.ReadPlan(context.Background(), c.name, int64(c.limit))
		if !errors.Is(err, c.want) || err == nil && (string(text) != someGang || !info.OwnedByRootOrSelf) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}
