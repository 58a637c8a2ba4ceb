package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Terminal is where people see a run go by. What it cannot write it forgets: a
// closed stdout stops no run.
type Terminal struct {
	W     io.Writer
	Color bool
}

// ColorOn reports whether colours are wanted on w: only on a terminal, and not
// where NO_COLOR is set or TERM says that there are none.
func ColorOn(w io.Writer, getenv func(string) string) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && isatty.IsTerminal(f.Fd()) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// The colours that every terminal has.
const (
	red   = "31"
	green = "32"
	faint = "2"
)

func (t Terminal) paint(color, text string) string {
	if !t.Color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// Header says what is about to run, and where.
func (t Terminal) Header(s Summary, running int) {
	line := fmt.Sprintf("%s: %s on %s", s.Name, plural(running, "scenario"), s.Backend)
	if s.Tags != "" {
		line += ", tags " + s.Tags
	}
	if s.Seed != 0 {
		line += fmt.Sprintf(", in random order of seed %d", s.Seed)
	}
	fmt.Fprintln(t.W, cleanText(line))
}

// Progress is the one line a scenario gets when it ends.
func (t Terminal) Progress(feature string, s Scenario) {
	word := t.paint(green, "ok  ")
	if s.Status != Passed {
		word = t.paint(red, "FAIL")
	}
	fmt.Fprintf(t.W, "%s  %s %s\n", word, cleanText(feature+": "+s.FullName()), t.paint(faint, fmt.Sprintf("(%s)", s.Elapsed.Round(time.Millisecond))))
}

// End is the end of a run's output: failures in full, what was left out by
// reason, and the counts on a line that CI systems read.
func (t Terminal) End(s Summary) {
	s = clean([]Summary{s})[0]
	left, never := map[string]int{}, map[string]int{}
	for _, f := range s.Features {
		for _, sc := range f.Scenarios {
			switch {
			case sc.Status == LeftOut:
				left[sc.Problem]++
			case sc.Status == NotRun:
				never[sc.Problem]++
			case sc.Status.Bad():
				t.failure(f, sc)
			}
		}
	}
	fmt.Fprintln(t.W)
	for _, why := range slices.Sorted(maps.Keys(never)) {
		fmt.Fprintf(t.W, "%s: %d, %s\n", t.paint(red, "never run"), never[why], why)
	}
	for _, why := range slices.Sorted(maps.Keys(left)) {
		fmt.Fprintf(t.W, "left out: %d, %s\n", left[why], why)
	}
	if s.Filtered > 0 {
		fmt.Fprintf(t.W, "not selected by tags %s: %d\n", s.Tags, s.Filtered)
	}
	fmt.Fprintf(t.W, "backend: %s\n", s.Backend)
	fmt.Fprintf(t.W, "time: %s\n", s.Elapsed.Round(time.Millisecond))
	fmt.Fprintf(t.W, "scenarios: %d passed, %d failed, %d skipped\n", s.Passed, s.Failed, s.LeftOut)
}

func (t Terminal) failure(f Feature, s Scenario) {
	fmt.Fprintf(t.W, "\n%s %s: %s\n", t.paint(red, strings.ToUpper(string(s.Status))), f.Name, s.FullName())
	// The Scenario's own line, for that is what selects it.
	fmt.Fprintf(t.W, "  alone: %s", s.Alone(f.File))
	if s.Outline != 0 && s.Line != s.Outline {
		fmt.Fprintf(t.W, " (the row of line %d)", s.Line)
	}
	fmt.Fprintln(t.W)
	fmt.Fprint(t.W, indent(s.steps(), "  "))
	if s.Problem != "" {
		fmt.Fprint(t.W, indent(s.Problem+"\n", "  "))
	}
	for _, line := range s.Log {
		fmt.Fprint(t.W, indent(line+"\n", "  | "))
	}
}

// Table is the end of a run on several backends: a row for each.
func (t Terminal) Table(runs ...Summary) error {
	runs = clean(runs)
	titles := titles(runs)
	rows := make([][]string, 0, len(runs))
	for n, s := range runs {
		row := []string{titles[n], fmt.Sprint(s.Passed), fmt.Sprint(s.Failed), fmt.Sprint(s.LeftOut), duration(s.Elapsed), strings.Join(s.Backend.facts(), ", ")}
		if s.Backend.Missing != "" {
			row = []string{titles[n], "-", "-", "all", "-", "LEFT OUT: " + s.Backend.Missing}
		}
		rows = append(rows, row)
	}
	var b strings.Builder
	right := tw.CellAlignment{PerColumn: []tw.Align{tw.AlignLeft, tw.AlignRight, tw.AlignRight, tw.AlignRight, tw.AlignRight, tw.AlignLeft}}
	table := tablewriter.NewTable(&b,
		tablewriter.WithHeaderAutoFormat(tw.Off), tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAlignmentConfig(right), tablewriter.WithRowAlignmentConfig(right),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone, Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})))
	table.Header("backend", "passed", "failed", "left out", "time", "what, where and why")
	if err := table.Bulk(rows); err != nil {
		return err
	}
	if err := table.Render(); err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimRight(line, " \n"); n > 0 && n <= len(runs) && runs[n-1].Failed > 0 {
			line = t.paint(red, line)
		}
		n++
		if _, err := fmt.Fprintln(t.W, line); err != nil {
			return err
		}
	}
	return nil
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
