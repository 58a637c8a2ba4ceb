package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cucumber/godog"
	"github.com/google/go-cmp/cmp"
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
func runMixed(t *testing.T) Summary {
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
	// Times are the machine's; everything else is compared to the letter.
	sum.Started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	sum.Elapsed = 1500 * time.Millisecond
	for _, f := range sum.Features {
		for i := range f.Scenarios {
			f.Scenarios[i].Elapsed = 250 * time.Millisecond
			for j := range f.Scenarios[i].Steps {
				f.Scenarios[i].Steps[j].Elapsed = 0
			}
		}
	}
	return sum
}

func afterHook(ctx context.Context, s *godog.Scenario, _ error) (context.Context, error) {
	if strings.HasPrefix(s.Name, "leaves") {
		return ctx, errors.New("2 instances left")
	}
	return ctx, nil
}

func TestJUnitIsWhatReadersExpect(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJUnit(&b, runMixed(t)); err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="asba" tests="5" failures="3" errors="0" skipped="1" time="1.500">
  <testsuite name="Gangs" tests="4" failures="2" errors="0" skipped="1" time="1.000" timestamp="2026-01-02T03:04:05" file="f/a.feature">
    <properties>
      <property name="backend" value="localstack"></property>
      <property name="url" value="http://127.0.0.1:1"></property>
      <property name="why" value="started here"></property>
      <property name="tags" value="~@slow"></property>
      <property name="seed" value="0"></property>
    </properties>
    <testcase name="whole or gone / a gang of 8" classname="f/a" time="0.250" file="f/a.feature" line="10">
      <system-out>worked</system-out>
    </testcase>
    <testcase name="whole or gone / it &lt;breaks&gt; &amp; &#34;ends&#34;" classname="f/a" time="0.250" file="f/a.feature" line="20">
      <failure message="When it fails: no capacity" type="failed">&#xA;passed     Given it works&#xA;failed     When it fails&#xA;           no capacity&#xA;           in any zone&#xA;not run    Then it works&#xA;</failure>
      <system-out>worked</system-out>
    </testcase>
    <testcase name="whole or gone / skips itself" classname="f/a" time="0.250" file="f/a.feature" line="24">
      <failure message="When it skips: skipped" type="skipped">&#xA;passed     Given it works&#xA;skipped    When it skips&#xA;           skipped&#xA;not run    Then it works&#xA;it skipped itself while it ran: leave it out before the run, with a tag @not-BACKEND:REASON</failure>
      <system-out>worked</system-out>
    </testcase>
    <testcase name="whole or gone / in a group" classname="f/a" time="0.250" file="f/a.feature" line="29">
      <skipped message="not on localstack: no-placement-groups"></skipped>
    </testcase>
  </testsuite>
  <testsuite name="Other" tests="1" failures="1" errors="0" skipped="0" time="0.250" timestamp="2026-01-02T03:04:05" file="f/b.feature">
    <properties>
      <property name="backend" value="localstack"></property>
      <property name="url" value="http://127.0.0.1:1"></property>
      <property name="why" value="started here"></property>
      <property name="tags" value="~@slow"></property>
      <property name="seed" value="0"></property>
    </properties>
    <testcase name="leaves something behind" classname="f/b" time="0.250" file="f/b.feature" line="2">
      <failure message="2 instances left" type="failed">&#xA;passed     When it works&#xA;2 instances left</failure>
      <system-out>worked</system-out>
    </testcase>
  </testsuite>
</testsuites>
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("JUnit (-want +got):\n%s", diff)
	}
}

func TestJUnitHasNoTimeBelowZeroAndAddsUp(t *testing.T) {
	sum := runMixed(t)
	sum.Elapsed = -time.Second // as a clock set back would have it
	sum.Features[0].Scenarios[0].Elapsed = -5 * time.Second
	sum.Features[0].Scenarios[0].Log = []string{"a \x1b[31mcolour\x00"} // not allowed in XML
	var b bytes.Buffer
	if err := WriteJUnit(&b, sum); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("not well-formed: %v", err)
	}
	times := []string{got.Time}
	for _, s := range got.Suites {
		times = append(times, s.Time)
		for _, c := range s.Cases {
			times = append(times, c.Time)
		}
		if s.Tests != len(s.Cases) {
			t.Errorf("%s: tests=%d, %d cases", s.Name, s.Tests, len(s.Cases))
		}
	}
	for _, text := range times {
		if v, err := strconv.ParseFloat(text, 64); err != nil || v < 0 {
			t.Errorf("time %q", text)
		}
	}
}

func TestCucumberJSONKeepsRulesAndFailures(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCucumberJSON(&b, runMixed(t)); err != nil {
		t.Fatal(err)
	}
	var got []cukeFeature
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range got {
		for _, el := range f.Elements {
			line := el.ID + ":"
			for _, st := range el.Steps {
				line += " " + st.Result.Status
			}
			lines = append(lines, line)
		}
	}
	want := []string{
		"gangs;whole-or-gone;a-gang-of-8: passed passed passed passed",
		`gangs;whole-or-gone;it-<breaks>-&-"ends": passed failed skipped`,
		"gangs;whole-or-gone;skips-itself: passed failed skipped",
		"gangs;whole-or-gone;in-a-group: skipped skipped",
		"other;leaves-something-behind: failed",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("scenarios (-want +got):\n%s", diff)
	}
	gang := got[0].Elements[0]
	wantSteps := []cukeStep{
		{Keyword: "When ", Name: "it attaches", Line: 11, Result: cukeResult{Status: "passed"},
			Embeddings: []cukeEmbedding{{Name: "calls.txt", MimeType: "text/plain", Data: []byte("RunInstances")}}},
		{Keyword: "Then ", Name: "it has", Line: 12, Result: cukeResult{Status: "passed"},
			Rows: []cukeRow{{Cells: []string{"node", "type"}}, {Cells: []string{"n1", "c6i.xlarge"}}}},
		{Keyword: "And ", Name: "it reads", Line: 15, Result: cukeResult{Status: "passed"},
			DocString: &cukeDocString{Value: `{"n": 1}`, ContentType: "json"}},
	}
	if diff := cmp.Diff(wantSteps, gang.Steps[1:]); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if got[0].Description != "Whole or not at all." || got[0].Tags[0].Name != "@gang" {
		t.Errorf("feature %+v", got[0])
	}
	if problem := got[1].Elements[0].Steps[0].Result.Error; problem != "2 instances left" {
		t.Errorf("the after hook's failure reads %q", problem)
	}
}

func TestReportsAreWrittenAsideAndForFailedRunsToo(t *testing.T) {
	dir := t.TempDir()
	o := options(files(one("it fails")))
	o.JUnitFile, o.CucumberFile = filepath.Join(dir, "junit.xml"), filepath.Join(dir, "cucumber.json")
	var failed *FailedError
	if _, err := Run(t.Context(), o); !errors.As(err, &failed) {
		t.Fatal(err)
	}
	for file, says := range map[string]string{o.JUnitFile: `failures="1"`, o.CucumberFile: `"status": "failed"`} {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), says) {
			t.Errorf("%s: %v, does not say %s", file, err, says)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("%d files in the folder, want 2", len(left))
	}

	// A report that cannot be written fails even a green run.
	o = options(files(one("it works")))
	o.JUnitFile = filepath.Join(dir, "missing", "junit.xml")
	if sum, err := Run(t.Context(), o); err == nil || sum.Passed != 1 {
		t.Errorf("passed %d, %v", sum.Passed, err)
	}
}
