package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// siteOf is a configuration with node groups, and more keys of its section slurm.
func siteOf(t *testing.T, slurm, group string) *config.Config {
	t.Helper()
	text := "aws: {region: us-east-1}\nslurm: {" + slurm + "partitions: [{partition_name: aws, node_groups: [" + group + "]}]}\n"
	cfg, err := config.Parse([]byte(text), "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestASiteWithoutASlurmConfGetsOne(t *testing.T) {
	const group = "{node_group_name: g, nodes: 'n[1-2]', instance_types: [c6i.xlarge, c6i.4xlarge]}"
	for name, c := range map[string]struct {
		premises     Premises
		slurm, group string
		cores        int
		want         string // behind the head; an error where it begins with "config.yaml:"
	}{
		"premises alone":               {Premises{Nodes: 3, Cores: 8, MemoryMB: 64000}, "", "", 0, "NodeName=local-[1-3] CPUs=8 RealMemory=64000 Weight=1\nPartitionName=local Nodes=local-[1-3] Default=YES\n"},
		"cores of the smallest type":   {Premises{}, "", group, 0, "ResumeTimeout=600\nNodeName=n[1-2] NodeAddr=127.0.0.1 CPUs=2 RealMemory=1073741824 Weight=10 State=CLOUD\nPartitionName=aws-g Nodes=n[1-2]\n"},
		"cores as told":                {Premises{}, "", group, 7, "ResumeTimeout=600\nNodeName=n[1-2] NodeAddr=127.0.0.1 CPUs=7 RealMemory=1073741824 Weight=10 State=CLOUD\nPartitionName=aws-g Nodes=n[1-2]\n"},
		"cores as the group declares":  {Premises{}, "", "{node_group_name: g, max_nodes: 4, cpus: 96, memory_mb: 1000, gres: 'gpu:2', instance_types: [c6i.xlarge]}", 0, "ResumeTimeout=600\nNodeName=aws-g-[1-4] NodeAddr=127.0.0.1 CPUs=96 RealMemory=1000 Gres=gpu:2 Weight=10 State=CLOUD\nPartitionName=aws-g Nodes=aws-g-[1-4]\n"},
		"a later group is heavier":     {Premises{}, "", "{node_group_name: a, max_nodes: 1, cpus: 1, memory_mb: 1}, {node_group_name: b, max_nodes: 1, cpus: 1, memory_mb: 1}", 0, "ResumeTimeout=600\nNodeName=aws-a-[1-1] NodeAddr=127.0.0.1 CPUs=1 RealMemory=1 Weight=10 State=CLOUD\nPartitionName=aws-a Nodes=aws-a-[1-1]\nNodeName=aws-b-[1-1] NodeAddr=127.0.0.1 CPUs=1 RealMemory=1 Weight=11 State=CLOUD\nPartitionName=aws-b Nodes=aws-b-[1-1]\n"},
		"its own times":                {Premises{Nodes: 1, Cores: 1, MemoryMB: 1}, "resume_timeout: 300, suspend_timeout: 1500ms, ", "{node_group_name: a, max_nodes: 1, cpus: 1, memory_mb: 1}", 0, "ResumeTimeout=300\nSuspendTimeout=2\nSuspendExcParts=local\nNodeName=local-[1-1] CPUs=1 RealMemory=1 Weight=1\nPartitionName=local Nodes=local-[1-1] Default=YES\nNodeName=aws-a-[1-1] NodeAddr=127.0.0.1 CPUs=1 RealMemory=1 Weight=10 State=CLOUD\nPartitionName=aws-a Nodes=aws-a-[1-1]\n"},
		"no group":                     {Premises{}, "", " ", 0, "config.yaml: there is no node group"},
		"a group of nobody knows what": {Premises{}, "", "{node_group_name: g, cpus: 1}", 0, "config.yaml: node group aws/g has neither nodes nor max_nodes"},
		"nodes of nobody knows what":   {Premises{}, "", "{node_group_name: g, max_nodes: 1}", 0, "config.yaml: node group aws/g: how many CPUs its nodes have is not known"},
		"types that nobody knows":      {Premises{}, "", "{node_group_name: g, max_nodes: 1, instance_types: [z99.xlarge]}", 0, "config.yaml: node group aws/g: how many CPUs"},
	} {
		var cfg *config.Config
		if c.group != "" {
			cfg = siteOf(t, c.slurm, strings.TrimSpace(c.group))
		}
		got, err := SlurmConf(c.premises, cfg, catalog.Default(), c.cores)
		if err != nil {
			got = err.Error()
		} else if cfg != nil {
			for _, f := range conf.Read([]byte(got), "slurm.conf", nil).Findings {
				if f.Level > finding.Info {
					t.Errorf("%s: %s", name, f)
				}
			}
			var ok bool
			if got, ok = strings.CutPrefix(got, head); !ok {
				t.Errorf("%s: it does not begin with what is wise:\n%s", name, got)
			}
		}
		if got != c.want && !(strings.HasPrefix(c.want, "config.yaml:") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestProgramsAndGangsAreToldWithWhatTheyGot(t *testing.T) {
	cfg := siteOf(t, "", "{node_group_name: g, nodes: 'n[1-3]', instance_types: [c6i.xlarge], subnets: {default_for_az: true}, image: {owner: amazon, name: 'al2023-ami-2023*'}}")
	text, err := SlurmConf(Premises{}, cfg, catalog.Default(), 4)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := boot.Named("hpc")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	opt := Options{
		Slurm: conf.Read([]byte(text), "slurm.conf", nil).Settings, Policy: sched.Slurm,
		Cloud: &Cloud{Config: cfg, Types: catalog.Default(), EC2: ec2.Options{Seed: 1, Zones: 2, Boot: &profile}},
		Sink: func(e record.Event) {
			switch e.Kind {
			case record.Resumed, record.Suspended:
				if !e.Began.Before(e.At) {
					t.Errorf("%v began at %v and was over at %v", e.Kind, e.Began, e.At)
				}
				fallthrough
			case record.Gang:
				nodes := slices.Sorted(slices.Values(e.Nodes))
				got = append(got, fmt.Sprintf("%v of %d: %d of %s, exit %d, depth %d", e.Kind, e.Job, e.Count, strings.Join(nodes, "+"), e.Exit, e.Depth))
			}
		},
	}
	jobs := func(yield func(workload.Job, error) bool) {
		for id := int64(1); id <= 2; id++ {
			if !yield(workload.Job{ID: id, Submit: time.Duration(id-1) * time.Minute, Run: time.Hour, Limit: time.Hour, Procs: int32(12 - 8*id), Nodes: int32(3 - id), Partition: "aws-g"}, nil) {
				return
			}
		}
	}
	out, err := Run(context.Background(), NewEngine(1), jobs, opt)
	if err != nil || out.Submitted != 2 || out.Ended != 2 || out.Refused != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	want := []string{
		"resumed of 0: 2 of n1+n2, exit 0, depth 0", "gang of 1: 2 of n1+n2, exit 0, depth 0", "resumed of 0: 1 of n3, exit 0, depth 0",
		"suspended of 0: 2 of n1+n2, exit 0, depth 0", "suspended of 0: 1 of n3, exit 0, depth 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAJobThatIsRefusedEndsAtOnceAndIsCounted(t *testing.T) {
	text, err := SlurmConf(Premises{Nodes: 2, Cores: 4}, nil, catalog.Default(), 0)
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	run := func(until time.Duration, jobs ...workload.Job) (out Outcome, events []string, at []Progress) {
		opt := Options{Slurm: conf.Read([]byte(text), "slurm.conf", nil).Settings, Policy: sched.FIFO, Until: until, Progress: func(p Progress) { at = append(at, p) },
			Sink: func(e record.Event) {
				if e.Kind == record.JobSubmitted || e.Kind == record.JobEnded {
					events = append(events, fmt.Sprintf("%v %v %d %s", e.At.Sub(record.Begin), e.Kind, e.Job, e.State))
				}
			}}
		out, err := Run(context.Background(), NewEngine(1), sourceOf(jobs), opt)
		if err != nil {
			t.Fatal(err)
		}
		return out, events, at
	}
	job := workload.Job{ID: 1, Run: time.Hour, Limit: 2 * time.Hour, Procs: 4, Partition: Local}
	large, elsewhere := job, job
	large.ID, large.Submit, large.Nodes = 2, time.Minute, 9
	elsewhere.ID, elsewhere.Submit, elsewhere.Partition = 3, time.Minute, "elsewhere"
	out, events, at := run(0, job, large, elsewhere)
	want := []string{"0s job_submitted 1 ", "1m0s job_submitted 2 ", "1m0s job_ended 2 REFUSED", "1m0s job_submitted 3 ", "1m0s job_ended 3 REFUSED", "1h0m0s job_ended 1 COMPLETED"}
	if !slices.Equal(events, want) || out.Refused != 2 || out.Submitted != 1 || out.Ended != 1 || out.FirstRefusal == nil || !strings.Contains(out.FirstRefusal.Error(), "9 nodes") {
		t.Errorf("%+v\n%s", out, strings.Join(events, "\n"))
	}
	if last := at[len(at)-1]; len(at) < 2 || last.Submitted != 1 || last.Ended != 1 || last.Simulated < time.Hour {
		t.Errorf("progress %+v", at)
	}
	if out.Simulated != time.Hour {
		t.Errorf("the run takes %v", out.Simulated)
	}
	again, _, _ := run(0, job, large, elsewhere)
	other, _, _ := run(0, job, large)
	if again.TraceHash != out.TraceHash || other.TraceHash == out.TraceHash {
		t.Error("the hash does not tell runs apart by their jobs")
	}
	late := job
	late.ID, late.Submit = 4, day
	if out, events, _ := run(30*time.Minute, job, late); out.Simulated != 30*time.Minute || out.Submitted != 1 || out.Ended != 0 {
		t.Errorf("%+v\n%s", out, strings.Join(events, "\n"))
	}
}

// sourceOf is jobs as a source.
func sourceOf(jobs []workload.Job) workload.Source {
	return func(yield func(workload.Job, error) bool) {
		for _, j := range jobs {
			if !yield(j, nil) {
				return
			}
		}
	}
}
