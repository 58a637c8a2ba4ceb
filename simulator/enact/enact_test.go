package enact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
	"aws-slurm-burst/simulator/scenario"
)

const siteConfig = `
cluster: site
aws: {region: us-east-1}
slurm:
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: spot, nodes: "aws-spot-[01-40]", purchasing_option: spot, allow_mixed: true, instance_types: [c6i.xlarge, c5.xlarge], subnets: {default_for_az: true}, image: {owner: amazon, name: "al2023-ami-2023*"}}
        - {node_group_name: cpu, nodes: "aws-cpu-[01-40]", instance_types: [c6i.xlarge], subnets: {default_for_az: true}, image: {owner: amazon, name: "al2023-ami-2023*"}}
`

// files are what a Simulator opens in tests.
type files map[string]string

func (f files) open(path string) (io.ReadCloser, error) {
	text, ok := f[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// drawn is a scenario of jobs that are drawn, on few nodes and in the cloud.
func drawn(jobs int) *scenario.Scenario {
	s := scenario.New()
	s.Workload.Generator = &scenario.Generator{Model: scenario.Lublin, Jobs: jobs, MaxProcs: 32}
	s.Workload.LimitFactor = 2
	s.Cluster.Premises = scenario.Premises{Nodes: 8, CoresPerNode: 2}
	s.Cluster.Cloud = scenario.NewCloud()
	s.Cluster.Cloud.Config = "config.yaml"
	return s
}

// ran is a run with its figures.
type ran struct {
	out    scenario.Outcome
	report *report.Report
	events map[record.Kind]int
	alive  map[string]string // node -> the instance that lives for it
}

func run(t *testing.T, s *scenario.Scenario, f files) ran {
	t.Helper()
	r := ran{events: map[record.Kind]int{}, alive: map[string]string{}}
	c := report.New(report.Options{Begin: record.Begin, Cloud: true})
	var last record.Event
	of := map[string]string{} // instance -> node
	var err error
	r.out, err = Simulator{Open: f.open}.Run(context.Background(), s, func(e record.Event) {
		if e.At < last.At {
			t.Fatalf("%v at %v comes after %v at %v", e.Kind, e.At, last.Kind, last.At)
		}
		last = e
		r.events[e.Kind]++
		switch e.Kind {
		case record.InstanceLaunched:
			if len(e.Nodes) != 1 {
				t.Fatalf("instance %s is for %v", e.Instance, e.Nodes)
			}
			if other := r.alive[e.Nodes[0]]; other != "" {
				t.Errorf("%v: %s has %s and %s", e.At, e.Nodes[0], other, e.Instance)
			}
			r.alive[e.Nodes[0]], of[e.Instance] = e.Instance, e.Nodes[0]
		case record.InstanceEnding:
			delete(r.alive, of[e.Instance])
		}
		c.Take(e)
	}, func(scenario.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	r.report = c.Report(record.Begin.Add(r.out.Simulated), r.out.Procs)
	return r
}

func TestABurstingClusterRunsAllJobsAndLeavesNothingBehind(t *testing.T) {
	r := run(t, drawn(400), files{"config.yaml": siteConfig})
	if r.report.Jobs != 400 || r.report.Unfinished != 0 {
		t.Errorf("%d jobs ended, %d did not: %v, after %v", r.report.Jobs, r.report.Unfinished, r.events, r.out.Simulated)
	}
	if r.events[record.Resumed] == 0 || r.events[record.InstanceLaunched] == 0 {
		t.Fatalf("nobody burst: %v", r.events)
	}
	if len(r.alive) != 0 {
		t.Errorf("%d instances live when all is over: %v", len(r.alive), r.alive)
	}
	if r.report.Cloud == nil || r.report.Cloud.Cost <= 0 {
		t.Errorf("it cost nothing")
	}
}

func TestWhatRunsAtTheEndIsBilledByTheLedger(t *testing.T) {
	s := drawn(400)
	s.Cluster.Premises, s.Until = scenario.Premises{}, 6*time.Hour
	r := run(t, s, files{"config.yaml": siteConfig})
	if len(r.alive) == 0 || r.events[record.InstanceCharged] != len(r.alive) {
		t.Errorf("%d instances live when the run ends, and %d are told with their bill", len(r.alive), r.events[record.InstanceCharged])
	}
}

func TestTheSameSeedIsTheSameRunWhateverTheProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := run(t, drawn(150), files{"config.yaml": siteConfig})
	runtime.GOMAXPROCS(4)
	same := run(t, drawn(150), files{"config.yaml": siteConfig})
	if one.out.TraceHash != same.out.TraceHash || one.out.Simulated != same.out.Simulated {
		t.Errorf("%x after %v, then %x after %v", one.out.TraceHash, one.out.Simulated, same.out.TraceHash, same.out.Simulated)
	}
	other := drawn(150)
	other.Seed = 2
	if r := run(t, other, files{"config.yaml": siteConfig}); r.out.TraceHash == one.out.TraceHash {
		t.Error("another seed is the same run")
	}
}

func TestJobsGoToTheCloudOnlyWhereTheyWouldHaveToWait(t *testing.T) {
	const log = `; MaxProcs: 16
1 0 -1 600 8 -1 -1 8 1200 -1 1 1 1 -1 -1 -1 -1 -1
2 60 -1 600 8 -1 -1 8 1200 -1 1 1 1 -1 -1 -1 -1 -1
3 120 -1 600 8 -1 -1 8 1200 -1 1 1 1 -1 -1 -1 -1 -1
`
	s := drawn(0)
	s.Workload.Generator, s.Workload.Trace = nil, "log.swf"
	s.Cluster.Cloud.Boot, s.Cluster.Cloud.Spot = scenario.Minimal, scenario.Always
	r := run(t, s, files{"config.yaml": siteConfig, "log.swf": log})
	// Two jobs of four nodes fill the premises; the third has two of the cloud's
	// nodes, of four CPUs each.
	if r.events[record.InstanceLaunched] != 4 || r.events[record.JobEnded] != 3 {
		t.Errorf("%v", r.events)
	}
	if w := r.report.MeanWait; w <= 0 || w > 60 {
		t.Errorf("a mean wait of %v s: the third job waits for a boot alone", w)
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := fmt.Errorf("enough")
	seen := 0
	_, err := Simulator{Open: files{"config.yaml": siteConfig}.open}.Run(ctx, drawn(1e6), func(record.Event) {
		if seen++; seen == 1000 {
			cancel(why)
		}
	}, func(scenario.Progress) {})
	if err != why {
		t.Errorf("ended with %v", err)
	}
}

func TestPlansAreMadeMissedSpoiltAndCarriedOut(t *testing.T) {
	s := drawn(200)
	s.Cluster.Plans = scenario.Plans{Advise: true, Missing: 0.2, Invalid: 0.1, Partial: 0.2}
	r := run(t, s, files{"config.yaml": siteConfig})
	if r.report.Held == 0 {
		t.Error("no job was held for an invalid plan")
	}
	if r.report.Jobs+r.report.Unfinished != 200 || r.report.Jobs < 100 {
		t.Errorf("%d jobs ended, %d did not: %v, after %v", r.report.Jobs, r.report.Unfinished, r.events, r.out.Simulated)
	}
	if len(r.alive) != 0 {
		t.Errorf("%d instances live when all is over", len(r.alive))
	}
}

func TestWhatCannotBeReadIsSaidByItsName(t *testing.T) {
	s := drawn(1)
	_, err := Simulator{Open: files{}.open}.Run(context.Background(), s, func(record.Event) {}, func(scenario.Progress) {})
	if err == nil || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("%v", err)
	}
}

func TestSettingsWinOverTheSlurmConfThatNodeGroupsMake(t *testing.T) {
	s := drawn(1)
	check := func() string {
		found, err := Simulator{Open: files{"config.yaml": siteConfig}.open}.Check(s)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, f := range found {
			if f.Level > finding.Info {
				ids = append(ids, f.ID)
			}
		}
		return strings.Join(ids, " ")
	}
	if got := check(); got != "" {
		t.Errorf("what it makes itself is hostile to clouds: %s", got)
	}
	s.Cluster.Settings = []scenario.Setting{{Key: "ResumeTimeout", Value: "60"}, {Key: "ResumeRate", Value: "300"}}
	if got := check(); got != "SLURM023 SLURM025" && got != "SLURM025 SLURM023" {
		t.Errorf("ResumeTimeout=60 and ResumeRate=300: %q", got)
	}
	o, _, err := Simulator{Open: files{"config.yaml": siteConfig}.open}.site(s)
	if err != nil || o.Slurm.ResumeTimeout != time.Minute || !o.Slurm.IdleOnNodeSuspend {
		t.Errorf("ResumeTimeout %v, idle_on_node_suspend %v, %v", o.Slurm.ResumeTimeout, o.Slurm.IdleOnNodeSuspend, err)
	}
	s.Cluster.Settings = []scenario.Setting{{Key: "ResumeTimeout", Value: "soon"}}
	var bad *scenario.Invalid
	if _, err := (Simulator{Open: files{"config.yaml": siteConfig}.open}).Check(s); !errors.As(err, &bad) {
		t.Errorf("ResumeTimeout=soon: %v", err)
	}
}

func TestNodesThatSpotTookAwayComeBack(t *testing.T) {
	s := drawn(300)
	s.Cluster.Premises = scenario.Premises{}
	s.Cluster.Cloud.Spot = scenario.Scarce
	r := run(t, s, files{"config.yaml": siteConfig})
	if r.events[record.InstanceWarned] < 10 || r.events[record.NodeFailed] < 10 {
		t.Fatalf("hardly anything was taken away: %v", r.events)
	}
	if r.report.Jobs != 300 || r.report.Unfinished != 0 {
		t.Errorf("%d jobs ended, %d did not: %v, after %v", r.report.Jobs, r.report.Unfinished, r.events, r.out.Simulated)
	}
}

func TestWhatStandsOnThePremisesIsKnownWhateverDescribesIt(t *testing.T) {
	const log = "1 0 -1 600 8 -1 -1 8 1200 -1 1 1 1 -1 -1 -1 -1 -1\n"
	const nodes = "SuspendTime=300\nResumeProgram=r\nSuspendProgram=s\nNodeName=a[1-3] CPUs=4 RealMemory=1000\nNodeName=b1 CPUs=2 RealMemory=1000\nPartitionName=p Nodes=ALL Default=YES\n"
	const clouds = "NodeName=aws-cpu-[01-04] NodeAddr=127.0.0.1 State=CLOUD CPUs=2 RealMemory=1000\n"
	s := scenario.New()
	s.Workload.Trace, s.Cluster.SlurmConf = "a.swf", "slurm.conf"
	if r := run(t, s, files{"a.swf": log, "slurm.conf": nodes}); r.out.Procs != 14 {
		t.Errorf("%d processors, of a slurm.conf with 14", r.out.Procs)
	}
	both := files{"a.swf": log, "slurm.conf": nodes + clouds, "config.yaml": siteConfig}
	_, err := Simulator{Open: both.open}.Check(s)
	if bad := new(scenario.Invalid); !errors.As(err, &bad) || bad.Findings[0].Pointer != "/cluster/slurm/conf" {
		t.Errorf("cloud nodes without a cloud: %v", err)
	}
	s.Cluster.Cloud = scenario.NewCloud()
	s.Cluster.Cloud.Config = "config.yaml"
	if r := run(t, s, both); r.out.Procs != 14 {
		t.Errorf("%d processors stand, beside nodes in the cloud", r.out.Procs)
	}
	s = scenario.New()
	s.Workload.Trace, s.Cluster.Premises = "a.swf", scenario.Premises{Nodes: 3, CoresPerNode: 4}
	if r := run(t, s, files{"a.swf": log}); r.out.Procs != 12 || r.report.Utilisation < 0.66 || r.report.Utilisation > 0.67 {
		t.Errorf("%d processors of three nodes, utilisation %v", r.out.Procs, r.report.Utilisation)
	}
}

const mixedConf = `
SlurmctldParameters=idle_on_node_suspend
ResumeProgram=/r
SuspendProgram=/s
ResumeFailProgram=/f
ResumeTimeout=600
SuspendTime=300
ResumeRate=0
SuspendExcParts=rack
NodeName=rack[1-3] CPUs=4 Weight=1
NodeName=aws-cpu-[01-04],other-[1-2] NodeAddr=127.0.0.1 CPUs=8 Weight=9 State=CLOUD
PartitionName=rack Nodes=rack[1-3] Default=YES
PartitionName=aws Nodes=aws-cpu-[01-04],other-[1-2]
`

func TestASlurmConfsPremisesCountAndItsCloudNodesAreHeldAgainstTheConfiguration(t *testing.T) {
	s := drawn(5)
	s.Workload.Generator.MaxProcs = 4
	s.Cluster.Premises, s.Cluster.SlurmConf = scenario.Premises{}, "slurm.conf"
	f := files{"config.yaml": siteConfig, "slurm.conf": mixedConf}
	if r := run(t, s, f); r.out.Procs != 12 {
		t.Errorf("%d processors on the premises, of three nodes of four", r.out.Procs)
	}
	found, err := Simulator{Open: f.open}.Check(s)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(found)
	for _, want := range []string{"owns the cloud nodes other-[1-2]", "c6i.xlarge of node group aws/cpu has 4 vCPUs, and its nodes count as 8"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not there once: %s", want, text)
		}
	}
}

func TestThePremisesOfASlurmConfRunAlone(t *testing.T) {
	const log = `{"id": 1, "submit": 0, "run": 100, "limit": 200, "procs": 12, "partition": "rack"}
{"id": 2, "submit": 10, "run": 100, "limit": 200, "procs": 4, "partition": "aws"}
{"id": 3, "submit": 10, "run": 100, "limit": 200, "procs": 4, "partition": "both"}
`
	s := drawn(0)
	s.Workload.Generator, s.Workload.JSONL = nil, "jobs.jsonl"
	s.Cluster.Premises, s.Cluster.SlurmConf = scenario.Premises{}, "slurm.conf"
	f := files{"config.yaml": siteConfig, "jobs.jsonl": log, "slurm.conf": strings.Replace(mixedConf, ",other-[1-2]", "", 2) + "PartitionName=both Nodes=rack[1-2],aws-cpu-01\nPartitionName=all Nodes=ALL\n"}
	if r := run(t, s, f); r.report.Cost == 0 || r.report.Jobs != 3 {
		t.Fatalf("with the cloud: %d jobs, %v USD", r.report.Jobs, r.report.Cost)
	}
	r := run(t, s.Alone(), f)
	if r.report.States["COMPLETED"] != 3 || r.events[record.InstanceLaunched] != 0 || r.out.Procs != 12 {
		t.Errorf("alone: %v, %d launches, %d processors", r.report.States, r.events[record.InstanceLaunched], r.out.Procs)
	}
	// The first job has all of it, and the others wait, the one whose partition was
	// in the cloud with them.
	if r.report.Wait.Max < 90 || r.report.Wait.Median < 90 {
		t.Errorf("alone they wait %+v", r.report.Wait)
	}
	f["slurm.conf"] = "NodeName=aws-cpu-[01-04] CPUs=8 State=CLOUD\nPartitionName=aws Nodes=ALL\n"
	var bad *scenario.Invalid
	if _, err := (Simulator{Open: f.open}).Check(s.Alone()); !errors.As(err, &bad) || !strings.Contains(err.Error(), "all nodes of the slurm.conf are cloud nodes") {
		t.Errorf("premises that are none: %v", err)
	}
}

func TestInstancesOfWhichJobsUseLittleAreTold(t *testing.T) {
	s := drawn(1)
	s.Cluster.Cloud.CoresPerNode = 1
	check := func(types string) (levels []finding.Level) {
		f := files{"config.yaml": strings.ReplaceAll(siteConfig, "instance_types: [c6i.xlarge]", "instance_types: "+types)}
		found, err := Simulator{Open: f.open}.Check(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if strings.Contains(f.Message, "node group aws/cpu has") {
				levels = append(levels, f.Level)
			}
		}
		return levels
	}
	if got := check("[c5n.18xlarge, c6i.8xlarge]"); len(got) != 1 || got[0] != finding.Warning {
		t.Errorf("one core of 16: %v", got)
	}
	if got := check("[c5n.18xlarge, c6i.xlarge]"); got != nil {
		t.Errorf("one of them has two cores: %v", got)
	}
	s.Cluster.Plans.Advise = true
	if got := check("[c5n.18xlarge, c6i.8xlarge]"); got != nil {
		t.Errorf("plans name others: %v", got)
	}
	s.Cluster.Plans.Advise, s.Cluster.Cloud.CoresPerNode = false, 16
	if got := check("[c5n.18xlarge, c6i.8xlarge]"); got != nil {
		t.Errorf("all that they have: %v", got)
	}
	if got := check("[c5n.18xlarge, c6i.xlarge]"); len(got) != 1 || got[0] != finding.Info {
		t.Errorf("more than one of them has: %v", got)
	}
}

func TestANodeGroupOfUnknownSizeIsToldWithItsPlace(t *testing.T) {
	s := drawn(1)
	var bad *scenario.Invalid
	_, err := Simulator{Open: files{"config.yaml": strings.Replace(siteConfig, `nodes: "aws-cpu-[01-40]", `, "", 1)}.open}.Check(s)
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "/cluster/cloud/config") || !strings.Contains(err.Error(), "max_nodes") {
		t.Errorf("%v", err)
	}
}

func TestJobsThatRunLongerThanTheyAskedForGoOnWhereTheScenarioLetsThem(t *testing.T) {
	s := drawn(0)
	s.Workload.Generator, s.Workload.JSONL = nil, "jobs.jsonl"
	s.Cluster.Cloud, s.Cluster.Premises, s.Cluster.SlurmConf = nil, scenario.Premises{}, "slurm.conf"
	f := files{
		"jobs.jsonl": `{"id": 1, "submit": 0, "run": 3000, "limit": 600, "procs": 1, "partition": "own"}` + "\n" +
			`{"id": 2, "submit": 0, "run": 3000, "limit": 600, "procs": 1, "partition": "other"}` + "\n",
		"slurm.conf": "OverTimeLimit=5\nNodeName=n[1-2]\nPartitionName=own Nodes=n1 OverTimeLimit=3\nPartitionName=other Nodes=n2\n",
	}
	for over, want := range map[scenario.OverRun]string{scenario.Extend: "COMPLETED", scenario.Kill: "TIMEOUT"} {
		s.Workload.OverRun = over
		if r := run(t, s, f); r.report.States[want] != 2 {
			t.Errorf("%s: %v", over, r.report.States)
		}
	}
}

func TestARunWaitsForJobsWhoseTimeComesLate(t *testing.T) {
	const log = `{"id": 1, "submit": 0, "run": 100, "limit": 200, "procs": 1}
{"id": 2, "submit": 10, "run": 100, "limit": 200, "procs": 1, "begin": 604800}
{"id": 3, "submit": 10, "run": 100, "limit": 200, "procs": 1, "after": 2, "think": 777600}
`
	s := drawn(0)
	s.Workload.Generator, s.Workload.JSONL = nil, "jobs.jsonl"
	premises, cloud := *s, *s
	premises.Cluster.Cloud, cloud.Cluster.Premises = nil, scenario.Premises{}
	for name, s := range map[string]*scenario.Scenario{"premises": &premises, "cloud": &cloud} {
		if r := run(t, s, files{"config.yaml": siteConfig, "jobs.jsonl": log}); r.report.Jobs != 3 || r.report.Unfinished != 0 {
			t.Errorf("%s: %d jobs ended, %d did not, after %v", name, r.report.Jobs, r.report.Unfinished, r.out.Simulated)
		}
	}
}

func TestRulesOfFaultsAreJudgedBeforeTheRun(t *testing.T) {
	s := drawn(1)
	s.Cluster.Cloud.Faults = "faults.yaml"
	var bad *scenario.Invalid
	_, err := Simulator{Open: files{"config.yaml": siteConfig, "faults.yaml": "faults:\n  - {action: RunInstances, eror: X}\n"}.open}.Check(s)
	if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), "faults.yaml:2:28: error[FAULT003]") {
		t.Errorf("%v", err)
	}
}

func TestACloudThatSlurmNeverPowersUpIsAMistakeOfTheScenario(t *testing.T) {
	s := drawn(1)
	s.Cluster.Settings = []scenario.Setting{{Key: "SuspendTime", Value: "INFINITE"}}
	var bad *scenario.Invalid
	_, err := Simulator{Open: files{"config.yaml": siteConfig}.open}.Run(context.Background(), s, func(record.Event) {}, func(scenario.Progress) {})
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "power saving is off") {
		t.Errorf("%v", err)
	}
}
