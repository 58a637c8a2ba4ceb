package runner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/report"
)

// steps are enough to make a scenario end in every way there is.
func steps(sc *godog.ScenarioContext) {
	sc.Step(`^it works$`, func(ctx context.Context) { Logf(ctx, "worked") })
	sc.Step(`^it works (\d+) times$`, func(int) {})
	sc.Step(`^it fails$`, func() error { return errors.New("no capacity\nin any zone") })
	sc.Step(`^it is pending$`, func() error { return godog.ErrPending })
	sc.Step(`^it skips$`, func(ctx context.Context) { godog.T(ctx).SkipNow() })
	sc.Step(`^it returns a skip$`, func() error { return godog.ErrSkip })
	sc.Step(`^it fails and then skips$`, func(ctx context.Context) {
		godog.T(ctx).Fail()
		godog.T(ctx).SkipNow()
	})
	sc.Step(`^it panics$`, func() { panic("out of range") })
	sc.Step(`^it is two things$`, func() {})
	sc.Step(`^it is two .*$`, func() {})
	sc.Step(`^it waits for its end$`, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	sc.Step(`^it takes a while$`, func() { time.Sleep(20 * time.Millisecond) })
	sc.Step(`^it attaches$`, func(ctx context.Context) context.Context {
		return godog.Attach(ctx, godog.Attachment{FileName: "calls.txt", MediaType: "text/plain", Body: []byte("RunInstances")})
	})
	sc.Step(`^it runs steps of its own$`, func() godog.Steps { return godog.Steps{"it works", "it works 2 times"} })
	sc.Step(`^it has$`, func(*godog.Table) {})
	sc.Step(`^it reads$`, func(*godog.DocString) {})
}

func files(contents ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i, text := range contents {
		fsys["f/"+string(rune('a'+i))+".feature"] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// one is a feature of one scenario with the given steps.
func one(lines ...string) string {
	return "Feature: F\n  Scenario: S\n    When " + strings.Join(lines, "\n    And ") + "\n"
}

func options(fsys fstest.MapFS) Options {
	return Options{FS: fsys, Paths: []string{"f"}, Steps: steps,
		Backend: report.Backend{Name: "localstack", URL: "http://127.0.0.1:1", Why: "started here"}, KnownBackends: []string{"embedded"}}
}

// plain is what godog answers by itself, as it comes: the trap is that this is 0.
func plain(fsys fstest.MapFS, tags string) int {
	return godog.TestSuite{ScenarioInitializer: steps, Options: &godog.Options{
		Format: "progress", Output: io.Discard, FS: fsys, Paths: []string{"f"}, Tags: tags}}.Run()
}

func TestScenariosThatGodogPassesOverFail(t *testing.T) {
	for _, tc := range []struct {
		name, step string
		status     report.Status
		says       string
	}{
		{"undefined step", "nobody wrote this", report.Undefined, "there is no such sentence"},
		{"pending step", "it is pending", report.Pending, "pending"},
		{"ambiguous step", "it is two things", report.Ambiguous, "^it is two .*$"},
		{"skip by the test handle", "it skips", report.Skipped, "@not-BACKEND:REASON"},
		{"skip by the error", "it returns a skip", report.Skipped, "@not-BACKEND:REASON"},
		{"a failure hidden by a skip", "it fails and then skips", report.Skipped, "@not-BACKEND:REASON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fsys := files(one("it works", tc.step, "it works"))
			if code := plain(fsys, ""); code != 0 {
				t.Fatalf("plain godog exits %d: this is no trap any more", code)
			}
			var out bytes.Buffer
			o := options(fsys)
			o.Out = &out
			sum, err := Run(t.Context(), o)
			var failed *FailedError
			if !errors.As(err, &failed) || sum.Failed != 1 || sum.Passed != 0 {
				t.Fatalf("passed %d, failed %d, %v", sum.Passed, sum.Failed, err)
			}
			if got := sum.Features[0].Scenarios[0].Status; got != tc.status {
				t.Errorf("status %s, want %s", got, tc.status)
			}
			if !strings.Contains(out.String(), tc.says) {
				t.Errorf("the terminal does not say %q:\n%s", tc.says, out.String())
			}
			if !strings.HasSuffix(out.String(), "\nscenarios: 0 passed, 1 failed, 0 skipped\n") {
				t.Errorf("last line:\n%s", out.String())
			}
		})
	}
}

func TestTagExpressionsThatGodogMisreadsAreRefused(t *testing.T) {
	fsys := files("Feature: F\n  @a\n  Scenario: S\n    When it fails\n")
	for _, tc := range []struct{ tags, says string }{
		{"not @a", `cannot read "not @a"`},
		{"@a and @a", `cannot read "@a and @a"`},
		{"@a or @a", "the words not, and, or are not understood"},
		{"@b", "no scenario has @b; there are: @a"},
		{"(@a)", "cannot read"},
		{"a", "cannot read"},
		{"@a &&", `cannot read ""`},
		{"@a,", `cannot read ""`},
		{"@a & @a", "cannot read"},
		{"~~@a", "cannot read"},
		{"@", "cannot read"},
	} {
		t.Run(tc.tags, func(t *testing.T) {
			o := options(fsys)
			o.Tags = tc.tags
			_, err := Run(t.Context(), o)
			var usage *UsageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, tc.says)
			}
		})
	}
	for _, tags := range []string{"not @a", "@a and @a", "@b"} {
		if code := plain(fsys, tags); code != 0 {
			t.Errorf("plain godog exits %d for %q: this is no trap any more", code, tags)
		}
	}
}

func TestTagExpressionsSelectAsWritten(t *testing.T) {
	fsys := files(`
@f
Feature: F
  @a
  Scenario: A
    When it works
  @b
  Scenario: B
    When it works
  @a @b
  Scenario: AB
    When it works
  Scenario: none
    When it works
`)
	for tags, want := range map[string]string{
		"":                "A B AB none",
		"@a":              "A AB",
		"~@a":             "B none",
		"@a && @b":        "AB",
		"@a,@b":           "A B AB",
		"@a,@b && ~@b":    "A",
		"@f&&~@a , @b":    "B AB none",
		" @a\t&&\t~@b ":   "A",
		"@elsewhere,@a":   "A AB",
		"~@elsewhere&&@b": "B AB",
	} {
		t.Run(tags, func(t *testing.T) {
			o := options(fsys)
			o.Tags, o.KnownTags = tags, []string{"@elsewhere"}
			sum, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(sum, report.Passed); got != want {
				t.Errorf("ran %q, want %q", got, want)
			}
			if sum.Passed+sum.Filtered != 4 {
				t.Errorf("%d passed and %d filtered of 4", sum.Passed, sum.Filtered)
			}
		})
	}
}

func names(sum report.Summary, status report.Status) string {
	var out []string
	for _, f := range sum.Features {
		for _, s := range f.Scenarios {
			if s.Status == status {
				out = append(out, s.Name)
			}
		}
	}
	return strings.Join(out, " ")
}

func TestExclusionTagsLeaveOutBeforeTheRun(t *testing.T) {
	fsys := files(`
Feature: F
  @not-localstack:no-placement-groups
  Scenario: PG
    When it fails
  @not-embedded:no-sts
  Scenario: STS
    When it works
  Scenario Outline: row <n>
    When it works
    @not-localstack:no-capacity-errors
    Examples:
      | n |
      | 1 |
    Examples:
      | n |
      | 2 |
`)
	var out bytes.Buffer
	o := options(fsys)
	o.Out = &out
	sum, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Passed != 2 || sum.LeftOut != 2 || sum.Failed != 0 {
		t.Errorf("%d passed, %d left out, %d failed", sum.Passed, sum.LeftOut, sum.Failed)
	}
	if got := names(sum, report.LeftOut); got != "PG row 1" {
		t.Errorf("left out %q", got)
	}
	for _, want := range []string{"left out: 1, not on localstack: no-placement-groups\n", "left out: 1, not on localstack: no-capacity-errors\n", "scenarios: 2 passed, 0 failed, 2 skipped\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the terminal does not say %q:\n%s", want, out.String())
		}
	}

	o.Backend.Name, o.KnownBackends = "embedded", []string{"localstack"}
	if sum, _ := Run(t.Context(), o); names(sum, report.LeftOut) != "STS" || names(sum, report.Failed) != "PG" {
		t.Errorf("on the other backend: left out %q, failed %q", names(sum, report.LeftOut), names(sum, report.Failed))
	}
}

func TestRunsThatProveNothingAreRefused(t *testing.T) {
	works := one("it works")
	for _, tc := range []struct {
		name string
		fsys fstest.MapFS
		tags string
		says string
	}{
		{"everything filtered", files("Feature: F\n  @a\n  Scenario: S\n    When it works\n"), "~@a", "no scenario to run in f: 1 not selected"},
		{"everything left out", files("@not-localstack:x\n" + works), "", "1 left out on localstack"},
		{"folder without features", fstest.MapFS{"f/readme.md": {}}, "", "no *.feature file in f"},
		{"no such path", fstest.MapFS{}, "", "f: file does not exist"},
		{"empty file", files(""), "", "f/a.feature: there is no Feature in it"},
		{"feature without scenarios", files("Feature: F\n"), "", "has no scenario"},
		{"scenario without steps", files("Feature: F\n  Scenario: S\n"), "", `f/a.feature:2: scenario "S" has no steps`},
		{"outline without rows", files("Feature: F\n  Scenario Outline: S\n    When it works\n    Examples:\n      | n |\n"), "", `f/a.feature:2: outline "S" has no row`},
		{"scenario without name", files("Feature: F\n  Scenario:\n    When it works\n"), "", "f/a.feature:2: a scenario has no name"},
		{"two scenarios of a name", files(works + "  Scenario: S\n    When it works\n"), "", `f/a.feature:4: scenario "S" has the name of the one on line 2`},
		{"two scenarios of a name in two rules", files("Feature: F\n Rule: R1\n  Example: S\n   When it works\n Rule: R2\n  Example: S\n   When it works\n"), "", "has the name of the one on line 3"},
		{"outline rows of a name", files("Feature: F\n  Scenario Outline: S\n    When it works <n> times\n    Examples:\n      | n |\n      | 1 |\n      | 2 |\n"), "", "put a <placeholder> into the name"},
		{"exclusion without reason", files("@not-localstack\n" + works), "", "give the reason after a colon, like @not-localstack:no-"},
		{"exclusion with empty reason", files("@not-localstack:\n" + works), "", "give the reason after a colon, like @not-localstack:no-"},
		{"exclusion on no backend", files("@not-localstak:x\n" + works), "", `there is no backend "localstak"; there are: embedded localstack`},
		{"tag that cannot be filtered by", files("@a,b\n" + works), "", "tag @a,b"},
		{"syntax error", files("Feature: F\n  Scenario: S\n    When it works\n  Scenari: T\n"), "", "f/a.feature: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := options(tc.fsys)
			o.Tags = tc.tags
			o.Steps = func(*godog.ScenarioContext) { t.Error("something ran") }
			_, err := Run(t.Context(), o)
			var usage *UsageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, tc.says)
			}
		})
	}
	if code := plain(files("Feature: F\n", "Feature: G\n  Scenario Outline: S\n    When it fails\n    Examples:\n      | n |\n"), ""); code != 0 {
		t.Errorf("plain godog exits %d where nothing runs: this is no trap any more", code)
	}
}

func TestEveryProblemOfTheFeaturesIsToldAtOnce(t *testing.T) {
	_, err := Run(t.Context(), options(files("", "Feature: F\n")))
	if err == nil || !strings.Contains(err.Error(), "f/a.feature") || !strings.Contains(err.Error(), "f/b.feature") {
		t.Errorf("got %v", err)
	}
}

func TestFailuresAreTold(t *testing.T) {
	for _, tc := range []struct {
		name  string
		text  string
		steps func(*godog.ScenarioContext)
		want  []string
	}{
		{"by a step", one("it works", "it fails", "it works", "nobody wrote this"), steps, []string{
			"FAILED F: S\n  alone: f/a.feature:2\n",
			"  passed     When it works\n  failed     And it fails\n             no capacity\n             in any zone\n  not run    And it works\n  undefined  And nobody wrote this\n",
			"  | worked\n", // what the scenario logged
		}},
		{"by a panic", one("it panics"), steps, []string{"failed     When it panics\n", "out of range"}},
		{"by a before hook", one("it works"), func(sc *godog.ScenarioContext) {
			steps(sc)
			sc.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) {
				return ctx, errors.New("no endpoint")
			})
		}, []string{"failed     When it works\n", "before scenario hook failed: no endpoint"}},
		{"by an after hook", one("it works"), func(sc *godog.ScenarioContext) {
			steps(sc)
			sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
				return ctx, errors.New("2 instances left")
			})
		}, []string{"passed     When it works\n  2 instances left\n"}},
		{"by an after hook of a failed step", one("it fails"), func(sc *godog.ScenarioContext) {
			steps(sc)
			sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
				return ctx, errors.New("2 instances left")
			})
		}, []string{"no capacity\n", "2 instances left"}},
		{"by an after-step hook", one("it works", "it works"), func(sc *godog.ScenarioContext) {
			steps(sc)
			sc.StepContext().After(func(ctx context.Context, _ *godog.Step, _ godog.StepResultStatus, _ error) (context.Context, error) {
				return ctx, errors.New("nobody looked at exit 3")
			})
		}, []string{"failed     When it works\n             nobody looked at exit 3\n  not run    And it works\n"}},
		{"by a bad step expression", one("it works"), func(sc *godog.ScenarioContext) { sc.Step(`^(`, func() {}) },
			[]string{"registering the steps panicked"}},
		{"in an outline, by its own line and the row's", "Feature: F\n  Scenario Outline: row <n>\n    When it <how>\n    Examples:\n      | n | how |\n      | 1 | works |\n      | 2 | fails |\n", steps,
			[]string{"FAILED F: row 2\n  alone: f/a.feature:2 (the row of line 7)\n", "scenarios: 1 passed, 1 failed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			o := options(files(tc.text))
			o.Out, o.Steps = &out, tc.steps
			sum, err := Run(t.Context(), o)
			var failed *FailedError
			if !errors.As(err, &failed) || sum.Failed != 1 {
				t.Errorf("%d failed, %v", sum.Failed, err)
			}
			for _, want := range tc.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the terminal does not say\n%s\nbut\n%s", want, out.String())
				}
			}
		})
	}
}

func TestStepsThatRunStepsOfTheirOwnCountOnce(t *testing.T) {
	sum, err := Run(t.Context(), options(files(one("it runs steps of its own", "it works"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range sum.Features[0].Scenarios[0].Steps {
		if st.Status != report.Passed {
			t.Errorf("%s: %s", st.Text, st.Status)
		}
	}
}

func TestOneScenarioRunsByItsLine(t *testing.T) {
	fsys := files(one("it fails")+"  Scenario Outline: row <n>\n    When it works\n    Examples:\n      | n |\n      | 1 |\n      | 2 |\n  Scenario: last\n    When it works\n", one("it fails"))
	o := options(fsys)
	o.Paths = []string{"f/a.feature:4", "f/a.feature:10"}
	sum, err := Run(t.Context(), o)
	if err != nil || names(sum, report.Passed) != "row 1 row 2 last" || sum.Failed != 0 {
		t.Errorf("passed %q, %v", names(sum, report.Passed), err)
	}
	o.Paths = []string{"f/a.feature:4", "f"} // the whole includes the part, once
	if sum, _ = Run(t.Context(), o); sum.Passed != 3 || sum.Failed != 2 {
		t.Errorf("%d passed, %d failed", sum.Passed, sum.Failed)
	}
	for path, says := range map[string]string{"f/a.feature:3": "no scenario begins on this line", "f:3": "is a folder"} {
		o.Paths = []string{path}
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestConcurrentScenariosShareNothing(t *testing.T) {
	var text strings.Builder
	text.WriteString("Feature: F\n  Scenario Outline: row <n>\n    Given the node <n>\n    When it takes a while\n    Then the node is <n>\n    Examples:\n      | n |\n")
	for i := range 16 {
		text.WriteString("      | " + string(rune('a'+i)) + " |\n")
	}
	type nodeKey struct{}
	o := options(files(text.String(), one("it takes a while")))
	o.Concurrency, o.Seed = 8, -1
	o.Steps = func(sc *godog.ScenarioContext) {
		steps(sc)
		sc.Step(`^the node (.)$`, func(ctx context.Context, n string) context.Context {
			Logf(ctx, "%s", n)
			return context.WithValue(ctx, nodeKey{}, n)
		})
		sc.Step(`^the node is (.)$`, func(ctx context.Context, n string) error {
			if got := ctx.Value(nodeKey{}); got != n {
				return errors.New("another scenario's state")
			}
			return nil
		})
	}
	sum, err := Run(t.Context(), o)
	if err != nil || sum.Passed != 17 {
		t.Fatalf("%d passed, %v", sum.Passed, err)
	}
	if sum.Seed <= 0 {
		t.Errorf("the seed that was picked is not told: %d", sum.Seed)
	}
	for i, s := range sum.Features[0].Scenarios {
		// Reports keep the order of the file, whatever the order of the run.
		want := string(rune('a' + i))
		if s.Name != "row "+want || len(s.Log) != 1 || s.Log[0] != want {
			t.Errorf("scenario %d is %q with log %q", i, s.Name, s.Log)
		}
		if s.Elapsed < 20*time.Millisecond || s.Elapsed < s.Steps[1].Elapsed {
			t.Errorf("%s took %s, its step %s", s.Name, s.Elapsed, s.Steps[1].Elapsed)
		}
	}
	if sum.Elapsed >= sum.Features[0].Elapsed() {
		t.Errorf("the run took %s, its scenarios one by one %s: they did not run at once", sum.Elapsed, sum.Features[0].Elapsed())
	}
}

func TestTheSameSeedGivesTheSameOrder(t *testing.T) {
	text := "Feature: F\n  Scenario Outline: row <n>\n    When it works\n    Examples:\n      | n |\n      | 1 |\n      | 2 |\n      | 3 |\n      | 4 |\n      | 5 |\n"
	order := func(seed int64) string {
		var ran []string
		o := options(files(text))
		o.Seed = seed
		o.Steps = func(sc *godog.ScenarioContext) {
			steps(sc)
			sc.Before(func(ctx context.Context, s *godog.Scenario) (context.Context, error) {
				ran = append(ran, s.Name)
				return ctx, nil
			})
		}
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		return strings.Join(ran, " ")
	}
	if got := order(0); got != "row 1 row 2 row 3 row 4 row 5" {
		t.Errorf("seed 0 ran %s", got)
	}
	if a, b := order(7), order(7); a != b || a == order(0) {
		t.Errorf("seed 7 ran %s, then %s", a, b)
	}
}

func TestATimeoutAndAnInterruptFailWhatTheyCutShort(t *testing.T) {
	o := options(files(one("it waits for its end")))
	o.Timeout = 20 * time.Millisecond
	sum, err := Run(t.Context(), o)
	if err == nil || !strings.Contains(sum.Features[0].Scenarios[0].Steps[0].Problem, "deadline exceeded") {
		t.Errorf("timeout: %v", err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	o = options(files(one("it waits for its end"), "Feature: G\n  Scenario: never begun\n    When it works\n"))
	time.AfterFunc(20*time.Millisecond, func() { cancel(errors.New("interrupted")) })
	sum, err = Run(ctx, o)
	if err == nil || sum.Failed != 2 {
		t.Fatalf("interrupt: %d failed, %v", sum.Failed, err)
	}
	if got := sum.Features[1].Scenarios[0]; got.Status != report.NotRun || got.Problem != "the run was ended: interrupted" || got.Steps[0].Status != report.NotRun {
		t.Errorf("a scenario after the interrupt: %+v", got)
	}
}
