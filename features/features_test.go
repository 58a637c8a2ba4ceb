package features

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/features/report"
	"aws-slurm-burst/features/runner"
	"aws-slurm-burst/features/site"
	"aws-slurm-burst/features/steps"
	"aws-slurm-burst/localstack"
	"aws-slurm-burst/localstack/container"
)

const (
	// atOnce is how many scenarios run side by side: most of a scenario is
	// waiting, for processes, for EC2 and for pauses that are due. Each has a
	// cluster of its own.
	atOnce = 8
	// scenarioWithin bounds one scenario. The slowest takes some seconds, but two
	// hundred nodes keep LocalStack busy for most of a minute when others ask too.
	scenarioWithin = 3 * time.Minute
)

// TestFeatures runs every scenario against the programs in ASBA_BIN (else
// ../bin), on every backend this machine can have. ASBA_FEATURES selects files or
// scenarios ("gang.feature trouble.feature:5"), ASBA_REQUIRE_LOCALSTACK=1 fails
// where a backend is missing, ASBA_REPORTS names a folder for
// the reports: JUnit, Cucumber JSON and one page for people.
func TestFeatures(t *testing.T) {
	bin := os.Getenv("ASBA_BIN")
	if bin == "" {
		bin = "../bin"
	}
	if err := site.CheckPrograms(bin); err != nil {
		t.Fatal(err)
	}
	var runs []report.Summary
	defer func() {
		fmt.Println()
		if err := (report.Terminal{W: os.Stdout}).Table(runs...); err != nil {
			t.Error(err)
		}
		if dir := os.Getenv("ASBA_REPORTS"); dir != "" {
			base := filepath.Join(dir, "features")
			if err := (report.Files{JUnit: base + ".xml", Cucumber: base + ".json", HTML: base + ".html"}).Write(runs...); err != nil {
				t.Error(err)
			}
		}
	}()

	for _, name := range []string{"embedded", "localstack-host", "localstack-container"} {
		t.Run(name, func(t *testing.T) {
			want, err := localstack.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			want.Container = container.Rung
			want.Embedded = func(ctx context.Context) (string, func() error, error) {
				e, err := site.StartEmbedded(context.WithoutCancel(ctx), bin, os.Stderr)
				if err != nil {
					return "", nil, err
				}
				return e.URL, func() error { e.Stop(); return nil }, nil
			}
			b, err := localstack.Find(t.Context(), want)
			if localstack.Missing(err) && os.Getenv("ASBA_REQUIRE_LOCALSTACK") != "1" {
				runs = append(runs, report.Summary{Name: "features", Backend: report.Backend{Name: name, Missing: err.Error()}})
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := b.Stop(); err != nil {
					t.Error(err)
				}
			}()
			ctx, cancel := b.Watch(t.Context())
			defer cancel()
			runs = append(runs, runOn(ctx, t, bin, report.Backend{Name: b.Name, Rung: name, URL: b.URL, Product: b.Product, Why: b.Why}))
			if err := b.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// runOn runs the scenarios on one backend, until ctx ends with it.
func runOn(ctx context.Context, t *testing.T, bin string, backend report.Backend) report.Summary {
	s, err := site.Open(ctx, site.Options{Bin: bin, Endpoint: backend.URL})
	if err != nil {
		t.Fatal(err)
	}
	paths := strings.Fields(os.Getenv("ASBA_FEATURES"))
	if len(paths) == 0 {
		paths = []string{"."}
	}
	sum, err := runner.Run(ctx, runner.Options{
		Name: "features", FS: Files, Paths: paths, Tags: Tags(), KnownTags: Needs,
		Backend: backend, KnownBackends: Backends, Steps: steps.On(s, Files), Out: os.Stdout, Concurrency: atOnce, Timeout: scenarioWithin,
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	return sum
}

// The README of the seed and its feature must not drift apart.
func TestEveryCommandLineOfTheSeedHasAScenario(t *testing.T) {
	readme, err := os.ReadFile("../examples/seed/README.md")
	if err != nil {
		t.Fatal(err)
	}
	feature, err := Files.ReadFile("seed.feature")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(readme)) {
		command, code := strings.CutPrefix(line, "    ")
		command = strings.TrimSpace(command)
		about := strings.HasPrefix(command, "aws-slurm-burst-resume ") || strings.Contains(command, "ASBA_")
		if !code || !about {
			continue
		}
		lines++
		if !strings.Contains(string(feature), command) {
			t.Errorf("seed.feature has no %q", command)
		}
	}
	if lines < 9 {
		t.Errorf("only %d command lines found in the README", lines)
	}
}
