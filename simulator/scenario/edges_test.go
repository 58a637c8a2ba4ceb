package scenario

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Each of these is one finding, or none where want is "".
func TestValuesAreTakenToTheirBounds(t *testing.T) {
	const machine = "cluster: {processors: 4, scheduler: easy}\n"
	const nodes = "workload: {trace: a}\ncluster: {premises: {nodes: 1, cores_per_node: 1}, cloud: {config: c}, "
	for text, want := range map[string]string{
		"seed: []":                                                                             "SCN004",
		"seed: 18446744073709551615":                                                           "",
		"seed: 18446744073709551616":                                                           "SCN005",
		"workload: {trace: a, load: []}\n" + machine:                                           "SCN004",
		"workload: {trace: a, load: 1000}\n" + machine:                                         "",
		"workload: {trace: a, load: 1000.001}\n" + machine:                                     "SCN005",
		"workload: {trace: a, load: -1}\n" + machine:                                           "SCN005",
		"workload: {trace: a, load: much}\n" + machine:                                         "SCN005",
		"workload: {trace: a, limit_factor: 0.001}\n" + machine:                                "",
		"workload: {trace: a, shake: {}}\n" + machine:                                          "SCN004",
		"workload: {trace: a, shake: 0}\n" + machine:                                           "",
		"workload: {trace: a, shake: 365d}\n" + machine:                                        "",
		"workload: {trace: a, shake: 365.1d}\n" + machine:                                      "SCN005",
		"workload: {trace: a, shake: -1s}\n" + machine:                                         "SCN005",
		"workload: {trace: a, to: 36500d}\n" + machine:                                         "",
		"workload: {trace: a, to: 36501d}\n" + machine:                                         "SCN005",
		"workload: {trace: a, to: 0}\n" + machine:                                              "SCN005",
		"workload: {trace: a, from: 1h, to: 3600}\n" + machine:                                 "SCN005",
		"workload: {trace: a, from: 1h, to: 3600.5}\n" + machine:                               "",
		"workload: {generator: {jobs: 0}}\n" + machine:                                         "SCN005",
		"workload: {generator: {model: poisson, run: 1h}}\n" + machine:                         "",
		"workload: {trace: a}\ncluster: {processors: 4, scheduler: esay, cloud: {}}":           "SCN006", // and no more, until that is mended
		"workload: {trace: a}\ncluster: {processors: 4, scheduler: easy, premises: {}}":        "SCN008",
		"workload: {trace: a}\ncluster: {premises: {nodes: 0, cores_per_node: 4}}":             "SCN007",
		"workload: {trace: a}\ncluster: {slurm: {conf: c}}":                                    "",
		"workload: {trace: a}\ncluster: {slurm: {conf: c}, premises: {nodes: 0}}":              "",
		"workload: {trace: a}\ncluster: {slurm: {conf: c}, failures: {mtbf: 1d}}":              "",
		"workload: {trace: a}\ncluster: {slurm: {conf: c}, plans: {advise: true}}":             "",
		"workload: {trace: a}\ncluster: {slurm: {conf: c, settings: {A: ''}}}":                 "SCN005",
		nodes + "plans: {advise: true, missing: 0.5, invalid: 0.25, partial: 0.25}}":           "",
		nodes + "plans: {advise: true, missing: 0, invalid: 1}}":                               "",
		nodes + "plans: {advise: true, missing: 1.1}}":                                         "SCN005",
		nodes + "plans: {advise: true, missing: -0.1}}":                                        "SCN005",
		nodes + "plans: {advise: true, missing: [1]}}":                                         "SCN004",
		nodes + "plans: {advise: true, missing: .nan}}":                                        "SCN005",
		nodes + "failures: {repair: 1h}}":                                                      "SCN007",
		"workload: {trace: a}\ncluster: {cloud: {config: c, quotas: [{vcpus: 1}]}}":            "SCN007",
		"workload: {trace: a}\ncluster: {cloud: {config: c, quotas: [{family: p, vcpus: 0}]}}": "",
		"name: []\nworkload: {trace: a}\n" + machine:                                           "SCN004",
		"name: ''\nworkload: {trace: a}\n" + machine:                                           "SCN005",
	} {
		if strings.HasPrefix(text, "seed") {
			text += "\nworkload: {trace: a}\n" + machine
		}
		s, err := Parse([]byte(text), "s.yaml")
		var bad *Invalid
		if want == "" {
			if err != nil || len(s.Notes) > 0 {
				t.Errorf("%q: %v, %+v", text, err, s)
			}
			continue
		}
		if !errors.As(err, &bad) || len(bad.Findings) != 1 || bad.Findings[0].ID != want {
			t.Errorf("%q: %v, want one %s", text, err, want)
		}
	}
}

func TestAGeneratorHasDefaultsAndKeys(t *testing.T) {
	const machine = "\ncluster: {processors: 4, scheduler: easy}\n"
	for text, want := range map[string]Generator{
		"{}": {Model: Lublin, Jobs: 10_000, MaxProcs: 128, Interarrival: 5 * time.Minute, Run: time.Hour, Shape: 1},
		"{model: weibull, jobs: 7, max_procs: 8, interarrival: 90, run: 2h, shape: 0.5}": {
			Model: Weibull, Jobs: 7, MaxProcs: 8, Interarrival: 90 * time.Second, Run: 2 * time.Hour, Shape: 0.5},
	} {
		s, err := Parse([]byte("workload: {generator: "+text+"}"+machine), "s.yaml")
		if err != nil || *s.Workload.Generator != want || s.Workload.Origin() == "" {
			t.Errorf("%s: %v, %+v", text, err, s)
		}
	}
}

func TestAWorkloadSaysWhereItIsFrom(t *testing.T) {
	for want, w := range map[string]Workload{"": {}, "a.swf": {Trace: "a.swf"}, "b.txt": {Sacct: "b.txt"}, "c.jsonl": {JSONL: "c.jsonl"}} {
		if got := w.Origin(); got != want {
			t.Errorf("%+v is from %q", w, got)
		}
	}
}

func TestAnUnreadableFileOfFlagsHasNoFolderToCountFrom(t *testing.T) {
	s := New()
	s.Workload.Trace, s.Cluster.Processors, s.Cluster.Scheduler = "a.swf", 4, EASY
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if f := s.Unreadable(s.Inputs()[0], errors.New("no such file")); f.Suggestion != "" || f.Line != 0 || f.Pointer != "/workload/trace" {
		t.Errorf("%+v", f)
	}
	s, err := Parse([]byte(whole1), "sites/a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if f := s.Unreadable(s.Inputs()[0], errors.New("no such file")); f.Suggestion == "" {
		t.Errorf("%+v", f)
	}
}

func TestThePremisesAloneHaveTheSameWork(t *testing.T) {
	s, err := Parse([]byte(whole1), "sites/a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	alone := s.Alone()
	want := *s
	want.Cluster.Cloud, want.Cluster.Plans, want.Cluster.Alone, want.Outputs = nil, Plans{}, true, Outputs{}
	if d := cmp.Diff(&want, alone, cmpopts.IgnoreUnexported(Scenario{})); d != "" || s.Cluster.Cloud == nil {
		t.Error(d)
	}
}
