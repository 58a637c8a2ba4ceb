package runner

import (
	"fmt"
	"io"
	"maps"
	"slices"
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

// Summary is what a run was and what came of it. It is complete: every report is
// written from it alone.
type Summary struct {
	Name        string
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
		sum += s.Elapsed
	}
	return sum
}

// Scenario is one scenario, or one row of an outline.
type Scenario struct {
	Name, Rule, Keyword, Description string
	Line                             int64 // of the row, for an outline
	Tags                             []string
	Steps                            []Step
	Status                           Status
	// Problem says why it did not pass, or why it was left out.
	Problem string
	Log     []string // what its steps said through Logf
	Started time.Time
	Elapsed time.Duration

	outline int64 // line of the Scenario keyword, by which it is run alone
}

// FullName tells scenarios of different rules apart.
func (s Scenario) FullName() string {
	if s.Rule == "" {
		return s.Name
	}
	return s.Rule + " / " + s.Name
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

// Attachment is what a step attached with godog.Attach.
type Attachment struct {
	Name, MediaType string
	Body            []byte
}

// header says what is about to run, and where.
func (s Summary) header(w io.Writer, running int) {
	fmt.Fprintf(w, "%s: %d scenarios on %s", s.Name, running, s.Backend)
	if s.Tags != "" {
		fmt.Fprintf(w, ", tags %s", s.Tags)
	}
	if s.Seed != 0 {
		fmt.Fprintf(w, ", in random order of seed %d", s.Seed)
	}
	fmt.Fprintln(w)
}

// progress is the one line a scenario gets when it ends.
func progress(w io.Writer, feature string, s *Scenario) {
	word := "ok  "
	if s.Status != Passed {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%s  %s: %s (%s)\n", word, feature, s.FullName(), s.Elapsed.Round(time.Millisecond))
}

// write is the end of the terminal's output: failures in full, what was left out
// by reason, and the counts on a line that CI systems read.
func (s Summary) write(w io.Writer) {
	left := map[string]int{}
	for _, f := range s.Features {
		for _, sc := range f.Scenarios {
			switch sc.Status {
			case Passed:
			case LeftOut:
				left[sc.Problem]++
			default:
				writeFailure(w, f, sc)
			}
		}
	}
	fmt.Fprintln(w)
	for _, why := range slices.Sorted(maps.Keys(left)) {
		fmt.Fprintf(w, "left out: %d, %s\n", left[why], why)
	}
	if s.Filtered > 0 {
		fmt.Fprintf(w, "not selected by tags %s: %d\n", s.Tags, s.Filtered)
	}
	fmt.Fprintf(w, "backend: %s\n", s.Backend)
	fmt.Fprintf(w, "time: %s\n", s.Elapsed.Round(time.Millisecond))
	fmt.Fprintf(w, "scenarios: %d passed, %d failed, %d skipped\n", s.Passed, s.Failed, s.LeftOut)
}

func writeFailure(w io.Writer, f Feature, s Scenario) {
	fmt.Fprintf(w, "\n%s %s: %s\n", strings.ToUpper(string(s.Status)), f.Name, s.FullName())
	// The Scenario's own line, for that is what selects it.
	fmt.Fprintf(w, "  alone: %s:%d", f.File, s.outline)
	if s.Line != s.outline {
		fmt.Fprintf(w, " (the row of line %d)", s.Line)
	}
	fmt.Fprintln(w)
	fmt.Fprint(w, indent(s.steps(), "  "))
	if s.Problem != "" {
		fmt.Fprint(w, indent(s.Problem+"\n", "  "))
	}
	for _, line := range s.Log {
		fmt.Fprint(w, indent(line+"\n", "  | "))
	}
}

// steps lists the steps with what came of each.
func (s Scenario) steps() string {
	var b strings.Builder
	for _, st := range s.Steps {
		fmt.Fprintf(&b, "%-9s  %s %s\n", st.Status, st.Keyword, st.Text)
		if st.Problem != "" {
			b.WriteString(indent(st.Problem+"\n", "           "))
		}
	}
	return b.String()
}

func indent(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(by)
		b.WriteString(line)
	}
	return b.String()
}
