package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/workload/trace"
)

// told is a Simulator that tells one job's story, on the premises or, with a
// cloud, on a node of it.
type told struct {
	scenarios []scenario.Scenario
	fail      error
	during    func(ctx context.Context) // called in the middle of the run
	notes     []finding.Finding         // of Check
	wrong     error                     // of Check
	waits     bool                      // the job does, to the end of the run
}

func (t *told) Check(*scenario.Scenario) ([]finding.Finding, error) { return t.notes, t.wrong }

func (t *told) Run(ctx context.Context, s *scenario.Scenario, sink record.Sink, progress func(scenario.Progress)) (scenario.Outcome, error) {
	t.scenarios = append(t.scenarios, *s)
	wait := 3600.0
	at := func(second float64, k record.Kind, e record.Event) {
		e.At, e.Kind = record.Begin.Add(time.Duration(second*1e9)), k
		sink(e)
	}
	at(0, record.JobSubmitted, record.Event{Job: 1, Spec: &record.Spec{User: "ann", Account: "physics", Partition: "p", Procs: 4, LimitS: 200}})
	if s.Cluster.Cloud != nil {
		wait = 60
		at(0, record.Assumed, record.Event{Cause: "boot: 75 s in the median"})
		at(0, record.JobAllocated, record.Event{Job: 1, Nodes: []string{"c1"}})
		at(0, record.NodeResumed, record.Event{Node: "c1"})
		at(1, record.Call, record.Event{Operation: "RunInstances"})
		at(1, record.Call, record.Event{Operation: "RunInstances", Code: "InsufficientInstanceCapacity"})
		at(1, record.InstanceLaunched, record.Event{Instance: "i-1", Nodes: []string{"c1"}, USD: 3.6, VCPUs: 4, Family: "standard", Market: "spot"})
		at(2, record.Gang, record.Event{Job: 1, Nodes: []string{"c1"}, Count: 1, Depth: 1})
		at(10, record.InstanceRunning, record.Event{Instance: "i-1"})
		at(60, record.NodeReady, record.Event{Node: "c1", Instance: "i-1"})
	}
	progress(scenario.Progress{Simulated: time.Minute, Submitted: 1})
	if t.during != nil {
		t.during(ctx)
	}
	if err := context.Cause(ctx); err != nil {
		return scenario.Outcome{}, err
	}
	if t.fail != nil {
		return scenario.Outcome{}, t.fail
	}
	if !t.waits {
		at(wait, record.JobStarted, record.Event{Job: 1})
		at(wait, record.JobWorking, record.Event{Job: 1})
		at(wait+100, record.JobEnded, record.Event{Job: 1, State: "COMPLETED"})
	}
	at(wait+100, record.NodeSuspended, record.Event{Node: "c1"})
	at(wait+110, record.InstanceEnding, record.Event{Instance: "i-1", Cause: "Client.UserInitiatedShutdown"})
	return scenario.Outcome{
		TraceHash: 0xabc, Simulated: time.Duration(wait+200) * time.Second, Procs: s.Cluster.Processors + s.Cluster.Premises.Nodes*s.Cluster.Premises.CoresPerNode,
		Repairs: []scenario.Repair{{Kind: "no_limit", Says: "no requested time", Count: 7, Lines: []int{3, 4}}},
	}, nil
}

type ran struct {
	code           int
	stdout, stderr string
}

// called runs the command in a folder that has a trace and a configuration.
func called(t *testing.T, sim Simulator, dir string, args ...string) ran {
	t.Helper()
	return stopped(t, t.Context(), sim, dir, args...)
}

func stopped(t *testing.T, stop context.Context, sim Simulator, dir string, args ...string) ran {
	t.Helper()
	t.Chdir(dir)
	for name, text := range map[string]string{"t.swf": "1 0 0 1 1", "config.yaml": "cluster: a", "s.yaml": scenarioText} {
		if _, err := os.Stat(name); err != nil {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var out, errs bytes.Buffer
	code := 0
	std := app.IO{Args: append([]string{"run"}, args...), Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Stop: stop}
	c := Command(std, &code, sim)
	c.SilenceErrors, c.SilenceUsage = true, true
	if err := app.Execute(t.Context(), c, std); err != nil {
		code = app.Fail(&errs, err)
	}
	return ran{code, out.String(), errs.String()}
}

const scenarioText = `name: small
seed: 5
workload: {trace: t.swf}
cluster:
  scheduler: slurm
  premises: {nodes: 2, cores_per_node: 4}
  cloud: {config: config.yaml, cores_per_node: 4}
run: {jobs_csv: jobs.csv}
`

func TestFiguresAreWhatTheSchemaSays(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/simulate.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"processors":     {"--trace=t.swf", "--procs=4"},
		"a cloud":        {"--trace=t.swf", "--nodes=1", "--cores-per-node=4", "--cloud=config.yaml"},
		"a scenario":     {"s.yaml"},
		"premises alone": {"s.yaml", "--premises-alone"},
	} {
		t.Run(name, func(t *testing.T) {
			got := called(t, &told{}, t.TempDir(), append(args, "-o", "json")...)
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(got.stdout))
			if err != nil {
				t.Fatalf("exit %d, %s, and %v", got.code, got.stderr, err)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%v\n%s", err, got.stdout)
			}
			// Keys that scripts rely on.
			keys := v.(map[string]any)
			for _, k := range []string{"jobs", "mean_wait_s", "mean_bounded_slowdown", "utilisation", "makespan_s", "simulated_s", "wall_s", "trace_hash"} {
				if _, ok := keys[k]; !ok {
					t.Errorf("no key %s", k)
				}
			}
			for _, k := range []string{"cost_usd", "node_hours", "gangs", "api_calls"} {
				if _, ok := keys[k]; ok != (name != "processors") {
					t.Errorf("%s: key %s is there: %v", name, k, ok)
				}
			}
		})
	}
}

func TestAScenarioIsRunAsItSays(t *testing.T) {
	dir, sim := t.TempDir(), &told{}
	got := called(t, sim, dir, "s.yaml", "-o", "json")
	var r struct {
		Scenario  string
		Seed      int
		Wait      float64            `json:"mean_wait_s"`
		Cost      float64            `json:"cost_usd"`
		TraceHash string             `json:"trace_hash"`
		NodeHours map[string]float64 `json:"node_hours"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || got.code != 0 || got.stderr != "" {
		t.Fatalf("exit %d, %v: %s%s", got.code, err, got.stderr, got.stdout)
	}
	if r.Scenario != "small" || r.Seed != 5 || r.Wait != 60 || r.Cost != 0.16 || r.TraceHash != "0000000000000abc" || r.NodeHours["boot"] != 0.013889 {
		t.Errorf("%+v", r)
	}
	if data, err := os.ReadFile("jobs.csv"); err != nil || !strings.Contains(string(data), "\n1,t.swf,1,0,1,200,1,COMPLETED_SUCCESSFULLY,60,100,160,60,160,1.600000,0,,\n") {
		t.Errorf("jobs.csv: %v, %s", err, data)
	}
	if got := called(t, sim, dir, "s.yaml", "--seed=9", "--until=2d", "--lenient", "--jobs-csv=other.csv"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if s := sim.scenarios[1]; s.Seed != 9 || s.Until != 48*time.Hour || !s.Workload.Lenient || s.Outputs.JobsCSV != "other.csv" {
		t.Errorf("flags that win over the scenario: %+v", s)
	}
}

func TestFlagsMakeAScenario(t *testing.T) {
	sim := &told{}
	dir := t.TempDir()
	for _, args := range [][]string{
		{"--trace=t.swf", "--procs=100", "--cloud=none"},
		{"--trace=t.swf", "--procs=100", "--scheduler=fifo", "--over-run=kill", "--load=1.5"},
		{"--trace=t.swf", "--nodes=8", "--cores-per-node=16", "--cloud=config.yaml", "--boot=minimal", "--spot=scarce", "--advise", "--coupled=0.25"},
		{"--jsonl=t.swf", "--nodes=0", "--cores-per-node=16", "--cloud=config.yaml"},
	} {
		if got := called(t, sim, dir, args...); got.code != 0 {
			t.Fatalf("%v: %+v", args, got)
		}
	}
	s := sim.scenarios
	if c := s[0].Cluster; c.Processors != 100 || c.Scheduler != scenario.EASY || c.Cloud != nil {
		t.Errorf("%+v", c)
	}
	if w := s[1].Workload; s[1].Cluster.Scheduler != scenario.FIFO || w.OverRun != scenario.Kill || w.Load != 1.5 {
		t.Errorf("%+v", s[1])
	}
	if c := s[2].Cluster; c.Scheduler != scenario.Slurm || c.Premises != (scenario.Premises{Nodes: 8, CoresPerNode: 16}) || c.Cloud.CoresPerNode != 16 || c.Cloud.Boot != scenario.Minimal || c.Cloud.Spot != scenario.Scarce || !c.Plans.Advise || s[2].Workload.Coupled.Share != 0.25 {
		t.Errorf("%+v", s[2])
	}
	if c := s[3].Cluster; c.Premises.Nodes != 0 || c.Cloud.CoresPerNode != 16 || s[3].Workload.JSONL != "t.swf" {
		t.Errorf("%+v", c)
	}
}

func TestWhatCannotBeRunIsRefusedBeforeItRuns(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"--nodes -2: give it 0 at least":                                      {"--trace=t.swf", "--nodes=-2"},
		"--nodes 65537: give it 65536 at most":                                {"--trace=t.swf", "--nodes=65537", "--cores-per-node=1"},
		"nothing to simulate: name a scenario":                                {},
		"--procs -1: give it 1 at least":                                      {"--trace=t.swf", "--procs=-1"},
		"--cores-per-node 0: give it 1 at least":                              {"--trace=t.swf", "--nodes=1", "--cores-per-node=0"},
		"no machine for the jobs: give --procs, --nodes":                      {"--trace=t.swf"},
		"--nodes 3: give --cores-per-node, too":                               {"--trace=t.swf", "--nodes=3"},
		"--cores-per-node is of nodes":                                        {"--trace=t.swf", "--procs=3", "--cores-per-node=1"},
		"--nodes is of nodes, and --procs makes a machine without any":        {"--trace=t.swf", "--procs=3", "--nodes=1"},
		"--trace and --jsonl: jobs come from one place":                       {"--trace=t.swf", "--jsonl=t.swf", "--procs=3"},
		"--scheduler slurm schedules nodes":                                   {"--trace=t.swf", "--procs=3", "--scheduler=slurm"},
		"--coupled is told to plans alone":                                    {"--trace=t.swf", "--nodes=3", "--cores-per-node=1", "--coupled=0.5"},
		"--coupled 2 is not from 0 to 1":                                      {"--trace=t.swf", "--nodes=3", "--cores-per-node=1", "--coupled=2"},
		"--boot is of a cloud":                                                {"--trace=t.swf", "--procs=3", "--boot=hpc"},
		"did you mean easy?":                                                  {"--trace=t.swf", "--procs=3", "--scheduler=esay"},
		"it is one of extend, kill":                                           {"--trace=t.swf", "--procs=3", "--over-run=perhaps"},
		"--load 0 is not above 0":                                             {"--trace=t.swf", "--procs=3", "--load=0"},
		"it is a time such as":                                                {"--trace=t.swf", "--procs=3", "--until=never"},
		`-o "xml" is not one of`:                                              {"--trace=t.swf", "--procs=3", "-o", "xml"},
		"--nodes, --trace beside a scenario: change it in s.yaml":             {"s.yaml", "--trace=t.swf", "--nodes=3"},
		"none.yaml: no such file":                                             {"none.yaml"},
		"error[SCN010] --trace: open none.swf: no such file or directory":     {"--trace=none.swf", "--procs=3"},
		"error[SCN010] --trace: . is a folder":                                {"--trace=.", "--procs=3"},
		"error[SCN010] --cloud: open none.yaml":                               {"--trace=t.swf", "--cores-per-node=1", "--cloud=none.yaml"},
		"--premises-alone is of a cluster that has nodes on the premises":     {"--trace=t.swf", "--cores-per-node=1", "--cloud=config.yaml", "--premises-alone"},
		"--premises-alone reads the workload twice, and /dev/null is no file": {"--trace=/dev/null", "--nodes=1", "--cores-per-node=1", "--cloud=config.yaml", "--premises-alone"},
		"t.swf is in use by this run: give what is written a file of its own": {"--trace=t.swf", "--procs=3", "--swf=t.swf"},
		"none/jobs.csv: no such file or directory":                            {"--trace=t.swf", "--procs=3", "--jobs-csv=none/jobs.csv"},
		"accepts at most 1 arg(s), received 2":                                {"s.yaml", "s.yaml"},
	} {
		sim := &told{}
		got := called(t, sim, dir, args...)
		if got.code != 2 || !strings.Contains(got.stderr, want) || got.stdout != "" || len(sim.scenarios) > 0 || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, %d runs\n%swant %s", args, got.code, len(sim.scenarios), got.stderr, want)
		}
	}
}

func TestWhatARunFindsOutIsToldInFlags(t *testing.T) {
	s := scenario.New()
	sim := &told{fail: s.Unfit("/cluster/processors", errors.New("job 2 asks for 80 processors"))}
	got := called(t, sim, t.TempDir(), "--trace=t.swf", "--procs=64")
	if want := "ERROR: error[SCN005] --procs: job 2 asks for 80 processors\n"; got.code != 2 || got.stderr != want {
		t.Errorf("exit %d\n%swant %s", got.code, got.stderr, want)
	}
}

func TestAMistakeInAScenarioIsToldWithItsPlace(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(strings.Replace(scenarioText, "premises", "premisses", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := called(t, &told{}, dir, "s.yaml")
	if want := "ERROR: s.yaml:6:3: error[SCN002] /cluster/premisses: unknown key \"premisses\" (did you mean premises?)\n"; got.code != 2 || got.stderr != want {
		t.Errorf("exit %d\n%swant %s", got.code, got.stderr, want)
	}
}

func TestCheckOnlyJudges(t *testing.T) {
	sim, dir := &told{}, t.TempDir()
	if got := called(t, sim, dir, "s.yaml", "--check"); got != (ran{}) || len(sim.scenarios) > 0 {
		t.Errorf("%+v, %d runs", got, len(sim.scenarios))
	}
	if got := called(t, sim, dir, "--check", "--trace=none", "--procs=1"); got.code != 2 {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsFoundInTheClusterIsToldBeforeItRuns(t *testing.T) {
	sim, dir := &told{}, t.TempDir()
	args := []string{"--trace=t.swf", "--nodes=2", "--cores-per-node=4"}
	sim.notes = []finding.Finding{
		{ID: "SLURM023", Level: finding.Warning, File: "slurm.conf", Line: 2, Message: "ResumeTimeout is short"},
		{ID: "SLURM030", Level: finding.Info, File: "slurm.conf", Line: 3, Message: "good to know"},
	}
	got := called(t, sim, dir, append(args, "--check")...)
	if got.code != 0 || !strings.Contains(got.stderr, "warning[SLURM023]") || !strings.Contains(got.stderr, "info[") {
		t.Errorf("exit %d\n%s", got.code, got.stderr)
	}
	if got = called(t, sim, dir, args...); got.code != 0 || !strings.Contains(got.stderr, "warning[SLURM023]") || strings.Contains(got.stderr, "info[") {
		t.Errorf("a run: exit %d\n%s", got.code, got.stderr)
	}
	sim.wrong = &scenario.Invalid{Findings: []finding.Finding{{ID: "SLURM003", Level: finding.Error, File: "slurm.conf", Line: 1, Message: "no hostlist"}}}
	if got = called(t, sim, dir, args...); got.code != 2 || !strings.Contains(got.stderr, "ERROR: slurm.conf:1:") || !strings.Contains(got.stderr, "error[SLURM003]") || len(sim.scenarios) != 1 {
		t.Errorf("exit %d, %d runs\n%s", got.code, len(sim.scenarios), got.stderr)
	}
	sim.wrong = &config.Invalid{}
	if got = called(t, sim, dir, append(args, "--check")...); got.code != 9 {
		t.Errorf("a bad configuration: exit %d\n%s", got.code, got.stderr)
	}
}

func TestTablesTellAllThatJSONDoes(t *testing.T) {
	got := called(t, &told{}, t.TempDir(), "s.yaml", "--premises-alone")
	for _, want := range []string{
		"scenario", "small", "1 ended", "2 nodes of 4 cores, the cloud of config.yaml, slurm", "jobs *", "time to capacity s",
		"idle", "0.16", "1 of 1 whole", "RunInstances", "1 InsufficientInstanceCapacity", "vCPUs, standard spot",
		"* assumed  nobody has measured it", "boot       75 s in the median", "7 no_limit", "no requested time (lines 3, 4, ...)",
		"1.0 hours", "0000000000000abc",
	} {
		if want == "1.0 hours" {
			want = "0.983 hours, of 1 jobs that ran on the premises alone too: there they wait 3,600 s in the mean, here 60.0; each hour cost 0.16 USD"
		}
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no %q in\n%s", want, got.stdout)
		}
	}
	if md := called(t, &told{}, t.TempDir(), "s.yaml", "-o", "markdown"); !strings.Contains(md.stdout, "| wait s ") {
		t.Errorf("markdown:\n%s", md.stdout)
	}
	if y := called(t, &told{}, t.TempDir(), "s.yaml", "-o", "yaml"); !strings.Contains(y.stdout, "mean_wait_s: 60\n") {
		t.Errorf("yaml:\n%s", y.stdout)
	}
}

func TestAWordStandsWhereNoJobEnded(t *testing.T) {
	got := called(t, &told{waits: true}, t.TempDir(), "s.yaml")
	if got.code != 0 || !regexp.MustCompile(`(?m)^ ended as +-$`).MatchString(got.stdout) {
		t.Errorf("exit %d, %s", got.code, got.stdout)
	}
}

func TestLongTextsAreBrokenForTheTerminal(t *testing.T) {
	r := &report.Report{Jobs: 1, Makespan: 1, Assumed: []string{}, Repairs: []report.Repair{{Kind: "no_limit", Says: "no requested time, of which there is a lot to say", Count: 1, Lines: []int{3}}}}
	p := &page{width: 50, r: r}
	p.remarks()
	want := " in the workload\n 1 no_limit       no requested time, of which\n                  there is a lot to say (line 3)\n"
	if got := p.b.String(); got != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	p = &page{r: r}
	p.remarks()
	if got := p.b.String(); strings.Count(got, "\n") != 2 {
		t.Errorf("where there is no terminal:\n%s", got)
	}
}

func TestTablesFitATerminal(t *testing.T) {
	groups := []report.Group{{Name: "aws-hpc", Jobs: 12_345, MeanWait: 12_345, MeanBoundedSlowdown: 123, ProcHours: 123_456, CloudNodeHours: 12_345, LostNodeHours: 12_345, Cost: 123_456_789_000}, {Name: "b"}}
	r := &report.Report{Jobs: 1, Partitions: groups, Cloud: &report.Cloud{Cost: 123_456_789_000, Spent: []report.Spent{{Cause: "billing", NodeHours: 12_345, Cost: 123_456_789_000}}}}
	p := &page{width: 80, r: r}
	p.money()
	p.calls()
	p.ask()
	p.groups("partition", r.Partitions)
	for line := range strings.Lines(p.b.String()) {
		if n := len(strings.TrimSpace(line)) + 1; n > 80 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if want := "  123,456.79\n"; strings.Count(p.b.String(), want) != 3 { // a row, all of it, the partition
		t.Errorf("no %q thrice in\n%s", want, p.b.String())
	}
}

func TestAScheduleCountsTheProcessorsThatStandThere(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"; MaxProcs: 3\n1 ":                    {"--procs=3"},
		"; MaxProcs: 8\n; MaxNodes: 2\n1 ":     {"--nodes=2", "--cores-per-node=4"},
		"by aws-slurm-burst simulate\n1 0 60 ": {"--nodes=2", "--cores-per-node=4", "--cloud=config.yaml"},
	} {
		got := called(t, &told{}, dir, append(args, "--trace=t.swf", "--swf=out.swf")...)
		if text, err := os.ReadFile(filepath.Join(dir, "out.swf")); err != nil || got.code != 0 || !strings.Contains(string(text), want) {
			t.Errorf("%v: exit %d, %v\n%swant %q", args, got.code, err, text, want)
		}
	}
}

func TestThePremisesRunAloneWhateverDescribesThem(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "slurm.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sim := &told{}
	got := called(t, sim, dir, "--trace=t.swf", "--slurm-conf=slurm.conf", "--cloud=config.yaml", "--premises-alone", "--jobs-csv=jobs.csv", "-o", "json")
	if got.code != 0 || len(sim.scenarios) != 2 || !strings.Contains(got.stdout, `"saved"`) {
		t.Fatalf("exit %d, %d runs\n%s%s", got.code, len(sim.scenarios), got.stdout, got.stderr)
	}
	with, alone := sim.scenarios[0].Cluster, sim.scenarios[1].Cluster
	if with.Cloud == nil || with.Alone || alone.Cloud != nil || !alone.Alone || alone.SlurmConf != "slurm.conf" {
		t.Errorf("with a cloud %+v\nalone %+v", with, alone)
	}
	if csv, err := os.ReadFile(filepath.Join(dir, "jobs.csv")); err != nil || !strings.Contains(string(csv), ",60,100,160,") {
		t.Errorf("jobs.csv is not of the run with the cloud: %s, %v", csv, err)
	}
}

func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// inputs are what called writes before it runs.
var inputs = []string{"config.yaml", "s.yaml", "t.swf"}

func TestAnInterruptedRunLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	stop, cancel := context.WithCancel(t.Context())
	sim := &told{during: func(ctx context.Context) {
		cancel()
		<-ctx.Done() // at once, not when the program's own context ends
	}}
	got := stopped(t, stop, sim, dir, "s.yaml", "--swf=out.swf", "--events=e.jsonl", "-o", "json")
	if got.code != 130 || got.stderr != "ERROR: interrupted after 1m0s of simulated time\n" || got.stdout != "" {
		t.Errorf("%+v", got)
	}
	if there := listed(t, dir); !slices.Equal(there, inputs) {
		t.Errorf("there is %v", there)
	}
}

func TestARunThatFailsLeavesNothingAndSaysWhyInOneLine(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code int
		want string
	}{
		"the trace":         {fmt.Errorf("reading: %w", &trace.Error{File: "t.swf", Line: 3, Msg: "cut short"}), 2, "ERROR: reading: t.swf:3: cut short\n"},
		"the configuration": {&config.Invalid{}, 9, "ERROR: "},
		"the model":         {errors.New("two instances of one node"), 1, "ERROR: two instances of one node\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			got := called(t, &told{fail: c.err}, dir, "s.yaml", "--swf=out.swf")
			if got.code != c.code || !strings.HasPrefix(got.stderr, strings.TrimSuffix(c.want, "ERROR: ")) || got.stdout != "" {
				t.Errorf("%+v, want exit %d, %s", got, c.code, c.want)
			}
			if there := listed(t, dir); !slices.Equal(there, inputs) {
				t.Errorf("there is %v", there)
			}
		})
	}
}

func TestProgressIsForTerminalsAlone(t *testing.T) {
	var out bytes.Buffer
	b := newBar(&out, 0)
	b.show(scenario.Progress{Simulated: 50 * time.Hour})
	b.clear()
	if out.Len() > 0 || b.reached() != "2 d 2 h" {
		t.Errorf("%q, %s", out.String(), b.reached())
	}
	now := time.Unix(0, 0)
	b = &bar{w: &out, now: func() time.Time { return now }, until: time.Hour}
	b.show(scenario.Progress{Simulated: 20 * time.Minute, Read: 0.5, Submitted: 12, Ended: 10})
	b.show(scenario.Progress{Simulated: 31 * time.Minute}) // too soon
	now = now.Add(often)
	b.show(scenario.Progress{Simulated: time.Hour})
	b.clear()
	lines := strings.Split(out.String(), "\r")
	if len(lines) != 5 || lines[1] != "[===============               ]  50 %  20m0s, 10 jobs ended, 2 under way" || !strings.HasPrefix(lines[2], "["+strings.Repeat("=", 30)+"] 100 %") || strings.TrimSpace(lines[3]) != "" {
		t.Errorf("%q", lines)
	}
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.12345: "0.123", 1.26: "1.3", 123.4: "123", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := figure(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}
