package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Header says what is about to run, and where.
func (s Summary) Header(w io.Writer, running int) {
	fmt.Fprintf(w, "%s: %d scenarios on %s", s.Name, running, s.Backend)
	if s.Tags != "" {
		fmt.Fprintf(w, ", tags %s", s.Tags)
	}
	if s.Seed != 0 {
		fmt.Fprintf(w, ", in random order of seed %d", s.Seed)
	}
	fmt.Fprintln(w)
}

// Progress is the one line a scenario gets when it ends.
func Progress(w io.Writer, feature string, s Scenario) {
	word := "ok  "
	if s.Status != Passed {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%s  %s: %s (%s)\n", word, feature, s.FullName(), s.Elapsed.Round(time.Millisecond))
}

// Text is the end of the terminal's output: failures in full, what was left out
// by reason, and the counts on a line that CI systems read.
func (s Summary) Text(w io.Writer) {
	left := map[string]int{}
	for _, f := range s.Features {
		for _, sc := range f.Scenarios {
			switch {
			case sc.Status == LeftOut:
				left[sc.Problem]++
			case sc.Status.Bad():
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
	fmt.Fprintf(w, "  alone: %s", s.Alone(f.File))
	if s.Outline != 0 && s.Line != s.Outline {
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
