// Package report holds what became of a run of scenarios, as plain values, and
// writes reports from them: the terminal's text and table, JUnit, Cucumber's
// JSON, and one HTML page.
//
// It runs nothing and reads no clock: the same values give the same bytes. It
// knows neither godog nor EC2, so that whatever can fill a Summary has all of
// its reports. A run on several backends is several Summaries.
package report

import (
	"fmt"
	"strings"
	"time"
)

// Status of a step or a scenario. For a scenario only Passed is good and only
// LeftOut is neutral; everything else fails the run.
type Status string

const (
	Passed    Status = "passed"
	Failed    Status = "failed"
	Skipped   Status = "skipped" // it skipped itself while it ran
	Undefined Status = "undefined"
	Pending   Status = "pending"
	Ambiguous Status = "ambiguous"
	NotRun    Status = "not run"
	LeftOut   Status = "left out" // by an exclusion tag, before the run
)

// Bad reports whether a scenario with this status fails the run.
func (s Status) Bad() bool { return s != Passed && s != LeftOut }

// Summary is what a run was and what came of it. It is complete: every report is
// written from it alone.
type Summary struct {
	Name        string
	Version     string // of the programs under test
	Backend     Backend
	Tags        string // the expression asked for
	Seed        int64  // 0: in the order of the files
	Concurrency int
	Started     time.Time
	Elapsed     time.Duration
	Features    []Feature // those with a scenario that ran or was left out

	Passed, Failed int
	// LeftOut counts scenarios that an exclusion tag keeps off this backend;
	// they are in Features. Filtered counts those the tag expression did not
	// select; they are not.
	LeftOut, Filtered int
}

// Count counts the scenarios of Features anew. Filtered is not of them.
func (s *Summary) Count() {
	s.Passed, s.Failed, s.LeftOut = 0, 0, 0
	for _, f := range s.Features {
		for _, sc := range f.Scenarios {
			switch {
			case sc.Status == LeftOut:
				s.LeftOut++
			case sc.Status.Bad():
				s.Failed++
			default:
				s.Passed++
			}
		}
	}
}

// Backend is what the scenarios talked to.
type Backend struct {
	Name string // "localstack", "embedded", ...: the NAME of an exclusion tag
	// Rung is the step of the ladder that was taken, in a word or two, where
	// several lead to the same Name: "localstack-container".
	Rung    string
	Product string // what answers there: "LocalStack 4.14.0"
	URL     string
	Why     string // it was taken
	// Missing says why there is none, where it was wanted and is left out: no
	// scenario ran.
	Missing string
}

// Title is what tells it from other backends in a table.
func (b Backend) Title() string {
	if b.Rung != "" {
		return b.Rung
	}
	return b.Name
}

func (b Backend) String() string {
	s := b.Title()
	if b.URL != "" {
		s += " at " + b.URL
	}
	b.URL = ""
	if more := b.facts(); len(more) > 0 {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	return s
}

// facts are what there is to know of it beside its title.
func (b Backend) facts() []string {
	var out []string
	for _, text := range []string{b.Product, b.URL, b.Why} {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

// Feature is one feature file.
type Feature struct {
	File, Name, Description string
	Line                    int64
	Tags                    []string
	Scenarios               []Scenario
}

// Elapsed is the time its scenarios took one by one. Those of a concurrent run
// overlap, so it may exceed the run's own.
func (f Feature) Elapsed() time.Duration {
	var sum time.Duration
	for _, s := range f.Scenarios {
		sum += max(0, s.Elapsed)
	}
	return sum
}

// Scenario is one scenario, or one row of an outline.
type Scenario struct {
	Name, Rule, Keyword, Description string
	// Line is that of the row, for an outline. Outline is that of the Scenario
	// keyword itself, by which it is run alone; 0 where that is Line.
	Line, Outline int64
	Tags          []string
	Steps         []Step
	Status        Status
	// Problem says why it did not pass, or why it was left out.
	Problem string
	Log     []string // what its steps noted
	Runs    []Run    // the programs that it ran
	Started time.Time
	Elapsed time.Duration
}

// FullName tells scenarios of different rules apart.
func (s Scenario) FullName() string {
	if s.Rule == "" {
		return s.Name
	}
	return s.Rule + " / " + s.Name
}

// Alone is how the scenario is selected to run by itself; "" for what came from
// no feature file.
func (s Scenario) Alone(file string) string {
	if file == "" {
		return ""
	}
	line := s.Outline
	if line == 0 {
		line = s.Line
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// Step is one step of a scenario, its Background's first.
type Step struct {
	Keyword, Text        string
	Line                 int64
	DocString, MediaType string
	Table                [][]string
	Status               Status
	Problem              string
	Elapsed              time.Duration
	Attachments          []Attachment
}

// Attachment is a file that a step left for the report.
type Attachment struct {
	Name, MediaType string
	Body            []byte
}

// Run is one run of a program in a scenario.
type Run struct {
	Command string
	Exit    int // -1 where a signal ended it
	// Began counts from the scenario's beginning.
	Began, Took time.Duration
	Stderr      []string // lines
	// Mode is the program's own word for where its launch came from; empty
	// where it printed no report.
	Mode  string
	Nodes []Node
	Calls []Call // made while it ran, in order of their answers
}

// Node is what a program reported of a node. Empty fields are what it did not
// say.
type Node struct {
	Name, State, Instance, Type, Market, AZ, Address string
}

// Call is one call to EC2 and what was answered.
type Call struct {
	At, Took time.Duration // At counts from the scenario's beginning
	Action   string
	Detail   string // what was asked for, in words
	Status   int    // HTTP's; 0: the answer never reached the program
	Code     string // EC2's error code
	Rule     string // the rule that acted on it; empty: EC2's own answer
	// Instances are those it launched, or asked to end.
	Instances []string
}
