// Package render prints findings: as a good compiler does, with the line that is
// meant and a mark under the very token; one line each, for other programs; and
// as GitHub's workflow commands.
//
// Nothing that it prints makes a terminal do anything, whatever stands in the
// document, in a finding or in a file's name. It opens no file and knows of a
// document's format only where a token ends.
package render

import (
	"fmt"
	"io"
	"strings"

	"aws-slurm-burst/asba/finding"
)

// Document is what findings are about.
type Document struct {
	// Text is the document's, nil where it cannot be shown.
	Text     []byte
	Findings []finding.Finding // in order of place
}

// Compiler prints findings for people at a terminal.
type Compiler struct {
	W     io.Writer
	Color bool
	// Width is the terminal's, in columns; lines of the document are cut to it.
	// Below 40 it is taken for 80.
	Width int
	// Fix says in words what would be done about a finding, "" where nothing
	// would; nil says it of none.
	Fix func(finding.Finding) string
}

// The colours that every terminal has.
const (
	red    = "1;31"
	yellow = "1;33"
	cyan   = "1;36"
	blue   = "1;34"
	bold   = "1"
)

func (c Compiler) paint(color, text string) string {
	if !c.Color || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

func color(l finding.Level) string {
	switch l {
	case finding.Error:
		return red
	case finding.Warning:
		return yellow
	}
	return cyan
}

// Print prints each finding of a document, with an empty line after it.
func (c Compiler) Print(d Document) error {
	lines := cursor{text: d.Text}
	for _, f := range d.Findings {
		if _, err := io.WriteString(c.W, c.finding(f, &lines)); err != nil {
			return err
		}
	}
	return nil
}

func (c Compiler) finding(f finding.Finding, lines *cursor) string {
	var b strings.Builder
	head := f.Level.String()
	if f.ID != "" {
		head += "[" + Clean(f.ID) + "]"
	}
	b.WriteString(c.paint(color(f.Level), head) + c.paint(bold, ": "+Clean(f.Message)) + "\n")
	number := ""
	if f.Line > 0 {
		number = fmt.Sprint(f.Line)
	}
	gutter := strings.Repeat(" ", len(number)+1)
	if where := Clean(f.Where()); where != "" {
		b.WriteString(gutter[1:] + c.paint(blue, "-->") + " " + where + "\n")
	}
	bar := c.paint(blue, "|")
	if text, ok := lines.line(f.Line); ok && f.Column > 0 {
		room := c.Width
		if room < 40 {
			room = 80
		}
		shown, before, under := excerpt(text, f.Column-1, room-len(gutter)-2)
		b.WriteString(gutter + bar + "\n")
		b.WriteString(strings.TrimRight(c.paint(blue, number)+" "+bar+" "+shown, " ") + "\n")
		b.WriteString(gutter + bar + " " + strings.Repeat(" ", before) + c.paint(color(f.Level), strings.Repeat("^", under)) + "\n")
	}
	note := func(what, text string) {
		if text != "" {
			b.WriteString(gutter + c.paint(blue, "=") + " " + c.paint(bold, what+":") + " " + Clean(text) + "\n")
		}
	}
	note("help", f.Suggestion)
	if c.Fix != nil {
		note("fix", c.Fix(f))
	}
	b.WriteString("\n")
	return b.String()
}

// Line is a finding on one line: finding.String, made clean.
func Line(f finding.Finding) string { return Clean(f.String()) }

// Counts says how many findings there are: "3 errors, 1 warning".
func Counts(fs []finding.Finding) string {
	errors := finding.Count(fs, finding.Error)
	warnings := finding.Count(fs, finding.Warning) - errors
	return Tally(errors, warnings, len(fs)-errors-warnings)
}

// Tally says numbers of findings as Counts does.
func Tally(errors, warnings, infos int) string {
	var words []string
	for _, k := range []struct {
		n    int
		word string
	}{{errors, "error"}, {warnings, "warning"}, {infos, "note"}} {
		if k.n == 1 {
			words = append(words, "1 "+k.word)
		} else if k.n > 1 {
			words = append(words, fmt.Sprintf("%d %ss", k.n, k.word))
		}
	}
	if len(words) == 0 {
		return "no findings"
	}
	return strings.Join(words, ", ")
}
