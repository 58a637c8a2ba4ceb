package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cucumber/godog"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aws-slurm-burst/features/report"
)

const mixed = `@gang
Feature: Gangs

  Whole or not at all.

  Background:
    Given it works

  Rule: whole or gone
    Scenario: a gang of 8
      When it attaches
      Then it has
        | node | type       |
        | n1   | c6i.xlarge |
      And it reads
        """json
        {"n": 1}
        """

    Scenario: it <breaks> & "ends"
      When it fails
      Then it works

  Scenario: skips itself
    When it skips
    Then it works

  @not-localstack:no-placement-groups
  Scenario: in a group
    When it works

  @slow
  Scenario: not selected
    When it fails
`

// runMixed is a run with every outcome, concurrent as godog's own JUnit file
// cannot bear it: there the suite's time goes below zero.
func runMixed(t *testing.T) report.Summary {
	t.Helper()
	o := options(files(mixed, "Feature: Other\n  Scenario: leaves something behind\n    When it works\n"))
	o.Tags, o.Concurrency, o.Name = "~@slow", 4, "asba"
	o.Steps = func(sc *godog.ScenarioContext) {
		steps(sc)
		sc.After(afterHook)
	}
	sum, err := Run(t.Context(), o)
	var failed *FailedError
	if !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return sum
}

func afterHook(ctx context.Context, s *godog.Scenario, _ error) (context.Context, error) {
	if strings.HasPrefix(s.Name, "leaves") {
		return ctx, errors.New("2 instances left")
	}
	return ctx, nil
}

func TestWhatHappenedIsRecordedInTheOrderOfTheFiles(t *testing.T) {
	sum := runMixed(t)
	var lines []string
	for _, f := range sum.Features {
		for _, s := range f.Scenarios {
			line := fmt.Sprintf("%s %d %s: %s", s.Alone(f.File), s.Line, s.FullName(), s.Status)
			for _, st := range s.Steps {
				line += ", " + string(st.Status)
			}
			lines = append(lines, line)
		}
	}
	want := []string{
		"f/a.feature:10 10 whole or gone / a gang of 8: passed, passed, passed, passed, passed",
		`f/a.feature:20 20 whole or gone / it <breaks> & "ends": failed, passed, failed, not run`,
		"f/a.feature:24 24 whole or gone / skips itself: skipped, passed, skipped, not run",
		"f/a.feature:29 29 whole or gone / in a group: left out, not run, not run",
		"f/b.feature:2 2 leaves something behind: failed, passed",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("scenarios (-want +got):\n%s", diff)
	}
	if sum.Passed != 1 || sum.Failed != 3 || sum.LeftOut != 1 || sum.Filtered != 1 {
		t.Errorf("counts %d %d %d %d", sum.Passed, sum.Failed, sum.LeftOut, sum.Filtered)
	}
	gang := sum.Features[0].Scenarios[0]
	wantSteps := []report.Step{
		{Keyword: "When", Text: "it attaches", Line: 11, Status: report.Passed,
			Attachments: []report.Attachment{{Name: "calls.txt", MediaType: "text/plain", Body: []byte("RunInstances")}}},
		{Keyword: "Then", Text: "it has", Line: 12, Status: report.Passed, Table: [][]string{{"node", "type"}, {"n1", "c6i.xlarge"}}},
		{Keyword: "And", Text: "it reads", Line: 15, Status: report.Passed, DocString: `{"n": 1}`, MediaType: "json"},
	}
	if diff := cmp.Diff(wantSteps, gang.Steps[1:], cmpopts.IgnoreFields(report.Step{}, "Elapsed")); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if f := sum.Features[0]; f.Description != "Whole or not at all." || f.Tags[0] != "@gang" || f.Line != 2 {
		t.Errorf("feature %+v", f)
	}
	if s := sum.Features[1].Scenarios[0]; s.Problem != "2 instances left" {
		t.Errorf("the after hook's failure reads %q", s.Problem)
	}
}

func TestNotesBelongToTheirScenario(t *testing.T) {
	o := options(files(one("it runs a program") + "  Scenario: another\n    When it works\n"))
	o.Concurrency = 2
	o.Steps = func(sc *godog.ScenarioContext) {
		steps(sc)
		sc.Step(`^it runs a program$`, func(ctx context.Context) {
			Note(ctx, report.Run{Command: "aws-slurm-burst-resume n1", Exit: 5})
		})
	}
	sum, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	got := sum.Features[0].Scenarios
	if len(got[0].Runs) != 1 || got[0].Runs[0].Exit != 5 || len(got[1].Runs) != 0 {
		t.Errorf("runs %v and %v", got[0].Runs, got[1].Runs)
	}
	if len(got[1].Log) != 1 || got[1].Log[0] != "worked" {
		t.Errorf("log %q", got[1].Log)
	}
	Note(t.Context(), report.Run{}) // outside a scenario: nothing
	Logf(t.Context(), "nobody hears")
}
