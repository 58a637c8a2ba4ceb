//go:build trials

package features

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aws-slurm-burst/features/report"
	"aws-slurm-burst/features/runner"
	"aws-slurm-burst/features/site"
	"aws-slurm-burst/features/steps"
)

// TestTrials builds the programs without one safeguard after the other and runs
// the feature that should notice, on the embedded EC2. ASBA_TRIAL selects one;
// ASBA_TRIAL_FEATURES=all runs every feature and tells all who noticed.
func TestTrials(t *testing.T) {
	only, all := os.Getenv("ASBA_TRIAL"), os.Getenv("ASBA_TRIAL_FEATURES") == "all"
	ran := 0
	for _, tr := range trials(t) {
		if only != "" && tr.name != only {
			continue
		}
		ran++
		t.Run(tr.name, func(t *testing.T) {
			bin := buildWithout(t, tr)
			paths := []string{tr.feature}
			if all {
				paths = []string{"."}
			}
			failed := failures(t, bin, paths)
			fmt.Printf("%s\n  %s\n", tr.name, tr.why)
			for _, f := range failed {
				fmt.Printf("  noticed by %s\n", f)
			}
			wanted := tr.feature + ": " + tr.scenario + "\n"
			if !slices.ContainsFunc(failed, func(f string) bool { return strings.HasPrefix(f, wanted) }) {
				t.Errorf("%q did not notice", tr.scenario)
			}
		})
	}
	if ran == 0 {
		t.Errorf("there is no trial %q", only)
	}
}

// buildWithout builds the programs from a copy of the module that the trial's
// patch was applied to, and returns their folder.
func buildWithout(t *testing.T, tr trial) string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join("..", name))
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(module, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.apply(module); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(module, "bin")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", bin+"/", "./cmd/...")
	build.Dir = module
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// failures runs features on the embedded EC2 and returns what failed: feature,
// scenario and, on a line of its own, why.
func failures(t *testing.T, bin string, paths []string) []string {
	t.Helper()
	e, err := site.StartEmbedded(context.WithoutCancel(t.Context()), bin, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Stop()
	s, err := site.Open(t.Context(), site.Options{Bin: bin, Endpoint: e.URL})
	if err != nil {
		t.Fatal(err)
	}
	sum, _ := runner.Run(t.Context(), runner.Options{ // that scenarios fail is the point
		FS: Files, Paths: paths, Tags: Tags(), KnownTags: Needs,
		Backend: report.Backend{Name: "embedded", URL: e.URL}, KnownBackends: Backends,
		Steps: steps.On(s, Files), Concurrency: atOnce, Timeout: scenarioWithin,
	})
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	var out []string
	for _, f := range sum.Features {
		for _, sc := range f.Scenarios {
			if sc.Status == report.Passed || sc.Status == report.LeftOut {
				continue
			}
			why := sc.Problem
			for _, st := range sc.Steps {
				if why == "" {
					why = st.Problem
				}
			}
			name := sc.Name
			if i := strings.LastIndex(name, " / "); i >= 0 { // after its rule
				name = name[i+3:]
			}
			out = append(out, fmt.Sprintf("%s: %s\n    %s", f.File, name, strings.ReplaceAll(why, "\n", "\n    ")))
		}
	}
	return out
}
