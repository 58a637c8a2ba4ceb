package replay

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/features/report"
	"aws-slurm-burst/features/site"
)

func suite(t *testing.T) *site.Suite {
	t.Helper()
	bin := os.Getenv("ASBA_BIN")
	if bin == "" {
		bin = "../../bin"
	}
	if err := site.CheckPrograms(bin); err != nil {
		t.Fatal(err)
	}
	// The test's own context ends before its clean-up.
	e, err := site.StartEmbedded(context.WithoutCancel(t.Context()), bin, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	s, err := site.Open(t.Context(), site.Options{Bin: bin, Endpoint: e.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPlansAreCarriedOutAndTold(t *testing.T) {
	gang := read(t, "fixtures/plans/gang.json")
	var order []string
	results, summary, err := Run(t.Context(), Options{
		Suite: suite(t), Concurrency: 3, Timeout: time.Minute,
		Ended: func(r Result) { order = append(order, r.Plan) },
		Cases: []Case{
			{"plans/gang.json", gang, "aws-hpc-[001-008]", ""},
			{"invalid.json", read(t, "fixtures/plans/invalid.json"), "aws-cpu-[001-002]", ""},
			{"torn.json", nil, "", "torn.json cannot be read"},
			{"against.json", read(t, "fixtures/plans/against.json"), "aws-cpu-001", ""},
			{"too-expensive.json", read(t, "fixtures/plans/within-5-usd.json"), "aws-hpc-[001-008]", ""},
			{"dropped.json", []byte(`{"instance_specification":{"instance_types":["c6i.huge","c6i.xlarge"],"purchasing_option":"spot"},
				"mpi_configuration":{},"cost_constraints":{"max_cost_per_hour":9},"network_configuration":{}}`), "aws-cpu-001", ""},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	type told struct {
		Plan, Mode, Outcome, Gang string
		Launched, Wanted, Rung    int
		Types                     map[string]int
		RunInstances, Exit        int
		Fallbacks                 []string
	}
	var got []told
	for _, r := range results {
		if r.Problem != "" {
			t.Errorf("%s: %s", r.Plan, r.Problem)
		}
		got = append(got, told{r.Plan, r.Mode, r.Outcome, r.Gang, r.Launched, r.Wanted, r.Rung, r.Types, r.Calls["RunInstances"], r.ExitCode, r.Fallbacks})
	}
	none := map[string]int{}
	want := []told{
		{"plans/gang.json", "asba", "used", "whole", 8, 8, 1, map[string]int{"c5n.18xlarge": 8}, 1, 0, []string{}},
		{"invalid.json", "standalone", "invalid", "-", 0, 2, 0, none, 0, 4, []string{}},
		{"torn.json", "", "not-tried", "-", 0, 0, 0, none, 0, 2, []string{}},
		{"against.json", "asba", "advises-against", "-", 0, 1, 0, none, 0, 0, []string{}},
		{"too-expensive.json", "asba", "used", "none", 0, 8, 0, none, 0, 5, []string{}},
		{"dropped.json", "asba", "used", "-", 1, 1, 1, map[string]int{"c6i.xlarge": 1}, 1, 0, []string{"c6i.huge is not an EC2 instance type (did you mean c6i.large?), dropped"}},
	}
	// What the configuration fills in is told by lines of its own.
	for i := range got {
		var kept []string
		for _, f := range got[i].Fallbacks {
			if !strings.HasPrefix(f, "Using ") {
				kept = append(kept, f)
			}
		}
		got[i].Fallbacks = append([]string{}, kept...)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if d := cmp.Diff([]string{"plans/gang.json", "invalid.json", "torn.json", "against.json", "too-expensive.json", "dropped.json"}, order); d != "" {
		t.Errorf("told in another order than given (-want +got)\n%s", d)
	}
	if c := results[0].HourlyCost; c == nil || *c <= 0 {
		t.Errorf("cost of the gang: %v", c)
	}
	if code := ExitCode(results); code != 2 {
		t.Errorf("exit code %d of all", code)
	}
	if summary.Passed != 3 || summary.Failed != 3 {
		t.Errorf("%d passed, %d failed", summary.Passed, summary.Failed)
	}
	if s := summary.Features[0].Scenarios[2]; s.Status != report.NotRun || s.Problem != "torn.json cannot be read" {
		t.Errorf("the torn plan is told as %s: %s", s.Status, s.Problem)
	}
	for _, s := range summary.Features[0].Scenarios {
		if s.Status == report.NotRun {
			continue
		}
		if s.Elapsed <= 0 {
			t.Errorf("%s took no time", s.Name)
		}
		if len(s.Runs) != 2 {
			t.Errorf("%s has %d runs of programs in the report", s.Name, len(s.Runs))
		}
	}
}

func TestFaultsMeetEveryPlanAnew(t *testing.T) {
	results, _, err := Run(t.Context(), Options{
		Suite: suite(t), Faults: []byte("faults:\n  - {error: InsufficientInstanceCapacity, times: 1}\n"), FaultsFile: "f.yaml",
		Cases: []Case{
			{"a.json", read(t, "fixtures/plans/gang.json"), "aws-hpc-[001-002]", ""},
			{"b.json", read(t, "fixtures/plans/gang.json"), "aws-hpc-[001-002]", ""},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Problem != "" || r.ExitCode != 0 || r.Calls["RunInstances"] != 2 || r.Rung != 2 {
			t.Errorf("%s: rung %d, %d launches, exit %d, %s", r.Plan, r.Rung, r.Calls["RunInstances"], r.ExitCode, r.Problem)
		}
		if len(r.Fallbacks) == 0 || !strings.Contains(strings.Join(r.Fallbacks, "\n"), "InsufficientInstanceCapacity, trying ") {
			t.Errorf("%s fell back in silence: %q", r.Plan, r.Fallbacks)
		}
	}
}

func TestAUsersConfigurationDecidesWhatAPlanLeavesOpen(t *testing.T) {
	config := strings.Replace(string(read(t, "examples/config.yaml")), "nodes: aws-hpc-[001-512]", "nodes: mine-[1-9]\n          max_cost_per_hour: 3", 1)
	results, _, err := Run(t.Context(), Options{
		Suite: suite(t), Config: []byte(config), ConfigFolder: "/nowhere",
		Cases: []Case{{"gang.json", read(t, "fixtures/plans/gang.json"), "mine-[1-8]", ""}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := results[0]
	if r.ExitCode != 5 || r.Problem != "" || r.Launched != 0 || !strings.Contains(strings.Join(r.Lines, "\n"), "No launch within 3.00 USD/h for 8 nodes") {
		t.Errorf("%+v", r)
	}
}

func TestARunThatWasEndedSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	results, _, err := Run(ctx, Options{Suite: &site.Suite{}, Cases: []Case{{"a.json", nil, "aws-hpc-001", ""}}})
	if err == nil || len(results) != 1 || results[0].Problem != "the run was ended: context canceled" || results[0].Done() {
		t.Errorf("%v, %+v", err, results)
	}
	if got := results[0].Scenario.Status; got != report.NotRun {
		t.Errorf("a plan that was never begun is reported as %s", got)
	}
}

func TestAPlanMayBeCalledAsAFileOfItsSite(t *testing.T) {
	var cases []Case
	for _, name := range []string{"plans/config.yaml", "aws-credentials", "plan/x.json"} {
		cases = append(cases, Case{name, read(t, "fixtures/plans/gang.json"), "aws-hpc-[001-002]", ""})
	}
	results, _, err := Run(t.Context(), Options{Suite: suite(t), Cases: cases})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Problem != "" || r.ExitCode != 0 || r.Launched != 2 {
			t.Errorf("%s: %d launched, exit %d, %s %q", r.Plan, r.Launched, r.ExitCode, r.Problem, r.Lines)
		}
	}
}

func TestTheRungOfAPartIsTold(t *testing.T) {
	results, _, err := Run(t.Context(), Options{
		Suite: suite(t), Faults: []byte("faults:\n  - {grant: 1}\n"), FaultsFile: "f.yaml",
		Cases: []Case{
			{"part.json", read(t, "fixtures/plans/best-effort.json"), "aws-cpu-[001-002]", ""},
			{"none.json", read(t, "fixtures/plans/gang.json"), "aws-hpc-[001-002]", ""},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; r.Problem != "" || r.Launched != 1 || r.Rung == 0 || r.ExitCode != 3 {
		t.Errorf("a part: %+v", r)
	}
	if r := results[1]; r.Problem != "" || r.Launched != 0 || r.Rung != 0 {
		t.Errorf("none: %+v", r)
	}
}

func TestTheExitCodeIsTheOneThatNeedsAPersonMost(t *testing.T) {
	of := func(codes ...int) []Result {
		var out []Result
		for _, c := range codes {
			out = append(out, Result{ExitCode: c})
		}
		return out
	}
	for want, codes := range map[int][]int{0: {0, 0}, 4: {0, 5, 4, 3}, 5: {3, 5, 6}, 9: {4, 9, 7}, 3: {0, 3}} {
		if got := ExitCode(of(codes...)); got != want {
			t.Errorf("of %v it is %d", codes, got)
		}
	}
	if got := ExitCode(append(of(9), Result{Problem: "half a gang"})); got != 1 {
		t.Errorf("a promise that did not hold gives %d", got)
	}
	if (Result{Problem: "x", Scenario: report.Scenario{}}).Done() {
		t.Error("a plan with a problem is done")
	}
}
