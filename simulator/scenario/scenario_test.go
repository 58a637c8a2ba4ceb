package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aws-slurm-burst/simulator/ec2/lag"
	"aws-slurm-burst/simulator/ec2/market"
	"aws-slurm-burst/simulator/ec2/quota"
)

const whole1 = `
name: last-month
seed: 7
workload:
  trace: kth.swf.gz
  lenient: true
  from: 1d
  to: 30d
  load: 1.2
  shake: 60
  missing_limit: 24h
  over_run: kill
  coupled: {share: 0.5, accounts: [physics, 7], partitions: [mpi]}
cluster:
  scheduler: easy
  premises: {nodes: 32, cores_per_node: 16, memory_mb: 64000}
  slurm:
    conf: /etc/slurm/slurm.conf
    settings: {ResumeTimeout: 600, SchedulerParameters: "bf_window=2880"}
  cloud:
    config: config.yaml
    cores_per_node: 8
    boot: minimal
    launch_failures: 0.1
    boot_failures: 0
    shutting_down: 2m
    visibility_lag: 1s
    spot: scarce
    on_demand: common
    types: {c6i.xlarge: {spot: "<5%"}, p5.48xlarge: {spot: scarce, on_demand: always}}
    recorded: [prices.json, {file: /seen/a.json, type: c6i.xlarge, zone: us-east-1a, market: spot}]
    quotas: [{family: standard, market: spot, vcpus: 640}, {family: g-vt, vcpus: 0}]
    throttle: true
    limits: [{action: RunInstances, of: instances, holds: 2000, per_second: 5.5}, {action: CreateTags, holds: 1, per_second: 1}]
    faults: rules.yaml
    reconcile: 1h
  failures: {mtbf: 180d, repair: 12h}
  plans: {advise: true, missing: 0.1, invalid: 0.05, partial: 0.5}
run: {until: 40d, jobs_csv: jobs.csv, swf: out.swf, events: events.jsonl}
`

func TestEveryKeyIsRead(t *testing.T) {
	got, err := Parse([]byte(whole1), "sites/a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	want := &Scenario{
		File: "sites/a.yaml", Name: "last-month", Seed: 7,
		Workload: Workload{Trace: "sites/kth.swf.gz", Lenient: true, From: day, To: 30 * day, Load: 1.2, Shake: time.Minute, LimitFactor: 1, MissingLimit: day, OverRun: Kill, Coupled: Coupled{0.5, []string{"physics", "7"}, []string{"mpi"}}},
		Cluster: Cluster{
			Scheduler: EASY, Premises: Premises{32, 16, 64000}, SlurmConf: "/etc/slurm/slurm.conf",
			Settings: []Setting{{"ResumeTimeout", "600"}, {"SchedulerParameters", "bf_window=2880"}},
			Cloud: &Cloud{
				Config: "sites/config.yaml", CoresPerNode: 8, Boot: Minimal, Dies: 0.1, Never: 0,
				ShuttingDown: 2 * time.Minute, VisibilityLag: time.Second, Spot: Scarce, OnDemand: Common,
				Types:    []TypeCapacity{{"c6i.xlarge", "<5%", ""}, {"p5.48xlarge", Scarce, Always}},
				Recorded: []Recorded{{Path: "sites/prices.json"}, {"/seen/a.json", "c6i.xlarge", "us-east-1a", "spot"}},
				Quotas:   []Quota{{"standard", "spot", 640}, {"g-vt", "on-demand", 0}}, Throttle: true,
				Limits: []Limit{{"RunInstances", Instances, 2000, 5.5}, {"CreateTags", Calls, 1, 1}}, Faults: "sites/rules.yaml",
				Reconcile: time.Hour,
			},
			Failures: Failures{180 * day, 12 * time.Hour},
			Plans:    Plans{Advise: true, Missing: 0.1, Invalid: 0.05, Partial: 0.5},
		},
		Until: 40 * day, Outputs: Outputs{"sites/jobs.csv", "sites/out.swf", "sites/events.jsonl"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Scenario{}), cmpopts.IgnoreFields(Scenario{}, "Notes")); diff != "" {
		t.Error(diff)
	}
	var paths []string
	for _, i := range got.Inputs() {
		paths = append(paths, i.Path)
	}
	if got := strings.Join(paths, " "); got != "sites/kth.swf.gz /etc/slurm/slurm.conf sites/config.yaml sites/rules.yaml sites/prices.json /seen/a.json" {
		t.Errorf("inputs %s", got)
	}
	if len(got.Notes) != 1 || got.Notes[0].ID != idUnwise || got.Notes[0].Pointer != "/cluster/premises" {
		t.Errorf("premises beside a slurm.conf: %v", got.Notes)
	}
	f := got.Unreadable(got.Inputs()[0], errors.New("no such file"))
	if f.Line != 5 || f.Column != 3 {
		t.Errorf("an unreadable trace is found at %s", f.Where())
	}
}

func TestMistakesAreToldWithTheirPlaceAndAWayOut(t *testing.T) {
	const machine = "cluster: {processors: 4, scheduler: easy}\n"
	const trace = "workload: {trace: a.swf}\n"
	for text, want := range map[string]string{
		"":                           "error[SCN001]: the file is empty (give it a workload and a cluster)",
		"a: [":                       "s.yaml:2:1: error[SCN001]: not YAML",
		"- 1":                        "1:1: error[SCN004]: wants keys with values, has a list",
		"a\xff":                      "error[SCN001]: the file is not UTF-8",
		trace + machine + "---\n{}":  "error[SCN001]: a second YAML document",
		trace + "clusterr: {}":       "2:1: error[SCN002] /clusterr: unknown key \"clusterr\" (did you mean cluster?)",
		trace + machine + "seed: x":  "3:7: error[SCN005] /seed: \"x\" is no seed",
		trace + machine + "seed: []": "3:7: error[SCN004] /seed: wants a whole number, has a list",
		trace + trace + machine:      "2:1: error[SCN003] /workload: \"workload\" is given twice, first in line 1",
		trace + "cluster: {processors: 4, scheduler: esay}":                     "2:37: error[SCN006] /cluster/scheduler: \"esay\" is not one of fifo, easy, slurm (did you mean easy?)",
		trace + "cluster: {processors: 0, scheduler: easy}":                     "2:23: error[SCN005] /cluster/processors: \"0\" is not a whole number in range (write a whole number from 1",
		trace + "cluster: {processors: four, scheduler: easy}":                  "2:23: error[SCN004] /cluster/processors: wants a whole number, has the text \"four\"",
		"workload: {generator: }\n" + machine:                                   "1:1: error[SCN007] /workload: no workload",
		trace + "cluster: {processors: 4}":                                      "2:11: error[SCN008] /cluster/processors: Slurm schedules nodes",
		trace + "cluster: {scheduler: easy}":                                    "2:1: error[SCN007] /cluster: no machine",
		trace + "cluster: {premises: {nodes: 65537, cores_per_node: 1}}":        "2:29: error[SCN005] /cluster/premises/nodes: \"65537\" is not a whole number in range (write a whole number from 0 to 65536)",
		trace + "cluster: {premises: {nodes: 4}}":                               "2:11: error[SCN007] /cluster/premises: premises without cores_per_node",
		trace + "cluster: {cloud: {spot: common}}":                              "error[SCN007] /cluster/cloud: a cloud without config",
		trace + "cluster: {processors: 4, scheduler: easy, cloud: {config: c}}": "error[SCN008] /cluster/cloud: processors make a machine without nodes",
		machine: "error[SCN007] /workload: no workload",
		"workload: {trace: a, sacct: b}\n" + machine:                                                                    "1:12: error[SCN008] /workload/trace: jobs come from one place, not from sacct and trace",
		"workload: {trace: a, coupled: {share: 1.5}}\n" + machine:                                                       "1:39: error[SCN005] /workload/coupled/share: \"1.5\" is not a number from 0 to 1",
		"workload: {trace: a, coupled: {acounts: [a]}}\n" + machine:                                                     "error[SCN002] /workload/coupled/acounts: unknown key \"acounts\" (did you mean accounts?)",
		"workload: {trace: a, from: 2d, to: 1d}\n" + machine:                                                            "error[SCN005] /workload/to: no job is handed in",
		"workload: {trace: a, load: 0}\n" + machine:                                                                     "error[SCN005] /workload/load: \"0\" is not a number in range",
		"workload: {trace: a, load: .nan}\n" + machine:                                                                  "error[SCN005] /workload/load: \".nan\"",
		"workload: {trace: a, shake: soon}\n" + machine:                                                                 "error[SCN005] /workload/shake: \"soon\" is not a duration",
		"workload: {trace: a, to: 1e300d}\n" + machine:                                                                  "error[SCN005] /workload/to: \"1e300d\" is not a duration",
		"workload: {trace: \"a\\nb\"}\n" + machine:                                                                      "error[SCN005] /workload/trace: \"a\\nb\" has a line break",
		"workload: {trace: a, lenient: 1}\n" + machine:                                                                  "error[SCN004] /workload/lenient: wants true or false, has the number \"1\"",
		trace + "cluster: {premises: {nodes: 1, cores_per_node: 1}, plans: {advise: true, missing: 0.6, invalid: 0.6}}": "error[SCN005] /cluster/plans: missing, invalid",
		trace + "cluster: {premises: {nodes: 1, cores_per_node: 1}, failures: {repair: 1h}}":                            "2:52: error[SCN007] /cluster/failures: failures without mtbf (such as",
		trace + "cluster: {processors: 4, scheduler: easy, failures: {mtbf: 1d}}":                                       "error[SCN008] /cluster/failures: processors make a machine without nodes",
		trace + "cluster: {cloud: {config: c, quotas: [{family: p}]}}":                                                  "error[SCN007] /cluster/cloud/quotas/0: a quota has",
		trace + "cluster: {cloud: {config: c, quotas: [{family: standart, vcpus: 1}]}}":                                 "error[SCN006] /cluster/cloud/quotas/0/family: \"standart\" is not one of standard, f,",
		trace + "cluster: {cloud: {config: c, spot: 5%}}":                                                               "error[SCN006] /cluster/cloud/spot: \"5%\" is not one of always, usual, common, scarce, <5%, 5-10%,",
		trace + "cluster: {cloud: {config: c, on_demand: 5-10%}}":                                                       "error[SCN006] /cluster/cloud/on_demand: \"5-10%\" is not one of always, usual, common, scarce",
		trace + "cluster: {cloud: {config: c, types: [c6i.xlarge]}}":                                                    "error[SCN004] /cluster/cloud/types: wants keys with values, has a list",
		trace + "cluster: {cloud: {config: c, types: {c6i.xlarge: {sport: always}}}}":                                   "error[SCN002] /cluster/cloud/types/c6i.xlarge/sport: unknown key \"sport\" (did you mean spot?)",
		trace + "cluster: {cloud: {config: c, types: {c6i.xlarge: {}, c6i.xlarge: {}}}}":                                "error[SCN003] /cluster/cloud/types/c6i.xlarge: \"c6i.xlarge\" is given twice",
		trace + "cluster: {cloud: {config: c, recorded: [{type: a}]}}":                                                  "error[SCN007] /cluster/cloud/recorded/0: a recording has a file",
		trace + "cluster: {cloud: {config: c, limits: [{action: RunInstances}]}}":                                       "error[SCN007] /cluster/cloud/limits/0: a limit has an action, holds and per_second",
		trace + "cluster: {cloud: {config: c, limits: [{action: RunInstance, holds: 1, per_second: 1}]}}":               "error[SCN006] /cluster/cloud/limits/0/action: \"RunInstance\" is not one of RunInstances,",
		trace + "cluster: {cloud: {config: c, limits: [{action: CreateTags, of: instances, holds: 1, per_second: 1}]}}": "error[SCN008] /cluster/cloud/limits/0: CreateTags neither launches nor ends instances",
		trace + "cluster: {cloud: {config: c, visibility_lag: 2h}}":                                                     "error[SCN005] /cluster/cloud/visibility_lag: \"2h\" is not a duration in range",
		trace + "cluster: {cloud: {config: c, boot_failures: 2}}":                                                       "error[SCN005] /cluster/cloud/boot_failures: \"2\" is not a number from 0 to 1",
	} {
		_, err := Parse([]byte(text), "s.yaml")
		var bad *Invalid
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestWhatIsUnwiseIsANote(t *testing.T) {
	for text, want := range map[string]string{
		"workload: {generator: {model: lublin, run: 1h}}\ncluster: {processors: 4, scheduler: fifo}":                                      "1:39: warning[SCN009] /workload/generator/run: Lublin's model",
		"workload: {trace: a, coupled: {}}\ncluster: {cloud: {config: c}}":                                                                "1:22: warning[SCN009] /workload/coupled: what is coupled is in the plans alone",
		"workload: {trace: a}\ncluster: {cloud: {config: c}, plans: {missing: 0.1}}":                                                      "2:31: warning[SCN009] /cluster/plans: jobs have no plans",
		"workload: {trace: a}\ncluster: {cloud: {config: c, throttle: false, limits: [{action: RunInstances, holds: 1, per_second: 1}]}}": "warning[SCN009] /cluster/cloud/limits: nothing is throttled",
		"workload: {trace: a}\ncluster: {cloud: {config: c, boot: instant, boot_failures: 0.1}}":                                          "warning[SCN009] /cluster/cloud/boot: with boot: instant no instance",
		"workload: {trace: a}\ncluster: {premises: {nodes: 1, cores_per_node: 1}, plans: {advise: true}}":                                 "warning[SCN009] /cluster/plans: plans are for cloud nodes",
		"workload: {trace: a}\ncluster: {cloud: {config: c}, failures: {mtbf: 1d}}":                                                       "2:31: warning[SCN009] /cluster/failures: failures are of nodes on the premises",
	} {
		s, err := Parse([]byte(text), "s.yaml")
		if err != nil || len(s.Notes) != 1 || !strings.Contains(s.Notes[0].String(), want) {
			t.Errorf("%q: %v, %+v, want %s", text, err, s, want)
		}
	}
}

func TestAKeyWithoutAValueIsAsIfNotGiven(t *testing.T) {
	s, err := Parse([]byte("workload: {trace: , sacct: jobs.txt}\ncluster: {processors: , cloud: {config: c}}"), "s.yaml")
	if err != nil || s.Workload.Sacct != "jobs.txt" || s.Cluster.Cloud == nil {
		t.Errorf("%v, %+v", err, s)
	}
}

func TestAScenarioOfFlagsIsJudgedAlike(t *testing.T) {
	s := New()
	s.Workload.Trace, s.Cluster.Processors = "a.swf", 4
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "error[SCN008] /cluster/processors: Slurm schedules nodes") {
		t.Errorf("got %v", err)
	}
	s.Cluster.Scheduler = EASY
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	s.Cluster.Cloud = NewCloud()
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "SCN008") || !strings.Contains(err.Error(), "SCN007") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole1))
	f.Add([]byte("workload: &a {generator: *a}\n"))
	f.Add([]byte("a: &b [*b]\ncluster: {cloud: {quotas: [{}]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data, "s.yaml")
		if err == nil {
			if s.Workload.Origin() == "" {
				t.Errorf("%q is taken without a workload", data)
			}
			return
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if !strings.HasPrefix(line, "s.yaml") {
				t.Errorf("%q: a finding is not on one line: %q", data, err)
			}
		}
	})
}

func TestExamplesAreFitToRun(t *testing.T) {
	files, err := filepath.Glob("../../examples/scenarios/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(data, file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, n := range s.Notes {
			t.Error(n)
		}
		for _, i := range s.Inputs() {
			if _, err := os.Stat(i.Path); err != nil {
				t.Error(s.Unreadable(i, err))
			}
		}
		if !strings.HasPrefix(string(data), "# ") || s.Name+".yaml" != filepath.Base(file) {
			t.Errorf("%s is called %s, and begins with what it proves", file, s.Name)
		}
	}
}

func TestFamiliesAreThoseOfTheModel(t *testing.T) {
	var want []Family
	for f := quota.Standard; f < quota.Families; f++ {
		want = append(want, Family(f.String()))
	}
	if !slices.Equal(Families, want) {
		t.Errorf("families %v, EC2's are %v", Families, want)
	}
}

func TestLagsAreThoseOfTheModelWhereNothingIsSaid(t *testing.T) {
	if c := NewCloud(); c.ShuttingDown != lag.ShuttingDown || c.VisibilityLag != lag.Usual().Median {
		t.Errorf("%v and %v", c.ShuttingDown, c.VisibilityLag)
	}
}

func TestWordsOfMarketsAreThoseOfTheModel(t *testing.T) {
	for suffix, words := range map[string][]Capacity{"": SpotWords, "-on-demand": OnDemandWords} {
		for _, w := range words {
			if _, err := market.Named(string(w) + suffix); err != nil && w != Always && w != Usual {
				t.Error(err)
			}
		}
	}
}

func TestEveryFindingIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/SIMULATOR.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{idSyntax, idKey, idTwice, idType, idValue, idWord, idMissing, idConflict, idUnwise, idFile} {
		if !strings.Contains(string(page), "| "+id+" |") {
			t.Errorf("docs/SIMULATOR.md has no row for %s", id)
		}
	}
}

// The table of keys is code: its words are looked for where it is written.
func TestEveryKeyIsDocumented(t *testing.T) {
	source, err := os.ReadFile("parse.go")
	if err != nil {
		t.Fatal(err)
	}
	words := ""
	for page, heading := range map[string]string{"SIMULATOR": "| key | meaning |\n", "WORKLOADS": "## Recorded markets\n\n"} {
		text, err := os.ReadFile("../../docs/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		_, section, found := strings.Cut(string(text), heading)
		if !found {
			t.Fatalf("docs/%s.md has no %q", page, heading)
		}
		if page == "SIMULATOR" {
			section, _, _ = strings.Cut(section, "\n\n")
		}
		words += strings.Join(regexp.MustCompile("`[^`]*`").FindAllString(section, -1), " ")
	}
	keys := regexp.MustCompile(`read\.Key\("(\w+)"`).FindAllSubmatch(source, -1)
	if len(keys) < 60 {
		t.Fatalf("%d keys", len(keys))
	}
	for _, key := range keys {
		if !regexp.MustCompile(`\b` + string(key[1]) + `\b`).MatchString(words) {
			t.Errorf("neither docs/SIMULATOR.md nor docs/WORKLOADS.md has the key %s", key[1])
		}
	}
}
