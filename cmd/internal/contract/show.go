package contract

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/render"
	"aws-slurm-burst/asba/plan/check"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// shown is a form in which findings are shown.
type shown interface {
	file(r check.Result, text []byte, mended int) error
	unread(name string, err error)
	diff(text []byte) error
	end(t total, exit int) error
}

// show chooses the form that -o names.
func (v *validation) show() (shown, error) {
	switch v.output {
	case "text", "":
		if v.output == "" && !app.Terminal(v.Stdout) {
			break
		}
		color := app.Colors(v.Stdout, v.Getenv)
		return &streamed{validation: v, summaries: v.Stdout, print: func(w io.Writer, r check.Result, text []byte) error {
			return render.Compiler{W: w, Color: color, Width: app.Columns(v.Stdout), Fix: check.Mend}.Print(render.Document{Text: text, Findings: r.Findings})
		}}, nil
	case "lines":
	case "github":
		return v.lines(render.GitHub), nil
	case "table", "json", "yaml", "markdown":
		return &collected{validation: v}, nil
	default:
		return nil, app.Exitf(report.ExitUsage, "-o %q is not one of text, lines, table, json, yaml, github, markdown", v.output)
	}
	return v.lines(render.Line), nil
}

func (v *validation) lines(line func(finding.Finding) string) *streamed {
	return &streamed{validation: v, summaries: v.Stderr, print: func(w io.Writer, r check.Result, _ []byte) error {
		for _, f := range r.Findings {
			if _, err := fmt.Fprintln(w, line(f)); err != nil {
				return err
			}
		}
		return nil
	}}
}

// counts says how many findings a plan has.
func counts(r check.Result) string { return render.Counts(r.Findings) }

// streamed are the forms that are printed as files are judged. Summaries are
// for people: beside findings that a program reads they go to stderr.
type streamed struct {
	*validation
	summaries io.Writer
	print     func(io.Writer, check.Result, []byte) error
}

func (s *streamed) file(r check.Result, text []byte, mended int) error {
	w := bufio.NewWriter(s.Stdout)
	if err := s.print(w, r, text); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return s.summary(summary(r, mended, s.options.Catalog))
}

// summary prints a line for people. A closed stderr changes nothing.
func (s *streamed) summary(line string) error {
	if s.quiet {
		return nil
	}
	_, err := fmt.Fprintln(s.summaries, render.Clean(line))
	if s.summaries == s.Stderr {
		return nil
	}
	return err
}

func (s *streamed) unread(string, error) {}

// diff prints a diff; on a terminal it is made harmless, and coloured.
func (s *streamed) diff(text []byte) error {
	if !app.Terminal(s.Stdout) {
		_, err := s.Stdout.Write(text)
		return err
	}
	color := app.Colors(s.Stdout, s.Getenv)
	var b strings.Builder
	for line := range bytes.Lines(text) {
		parts := strings.Split(string(bytes.TrimRight(line, "\r\n")), "\t")
		clean := strings.Join(clean(parts...), "\t")
		switch {
		case color && strings.HasPrefix(clean, "+"):
			clean = "\x1b[32m" + clean + "\x1b[0m"
		case color && strings.HasPrefix(clean, "-"):
			clean = "\x1b[31m" + clean + "\x1b[0m"
		}
		b.WriteString(clean + "\n")
	}
	_, err := io.WriteString(s.Stdout, b.String())
	return err
}

func (s *streamed) end(t total, _ int) error {
	if t.files < 2 {
		return nil
	}
	words := render.Tally(t.errors, t.warnings, t.notes)
	if t.mended > 0 {
		words = fmt.Sprintf("%d mended, %s", t.mended, words)
	}
	return s.summary(fmt.Sprintf("%d plans: %s", t.files, words))
}

// collected are the forms that are one piece.
type collected struct {
	*validation
	files []judged
}

// judged is a file in the JSON of validate-plan (docs/validate.schema.json).
type judged struct {
	check.Result
	Mended int `json:"mended,omitzero"`
	// Error says why the file could not be read.
	Error string `json:"error,omitempty"`
}

func (c *collected) file(r check.Result, _ []byte, mended int) error {
	r.Plan = nil // only its findings are shown
	c.files = append(c.files, judged{Result: r, Mended: mended})
	return nil
}

func (c *collected) unread(name string, err error) {
	c.files = append(c.files, judged{Result: check.Result{File: name, Findings: []finding.Finding{}}, Error: err.Error()})
}

func (c *collected) diff([]byte) error { return nil } // run refuses -o beside --diff

func (c *collected) end(t total, exit int) error {
	if c.output == "json" || c.output == "yaml" {
		return app.Print(c.Stdout, c.output, struct {
			Files     []judged `json:"files"`
			Errors    int      `json:"errors"`
			Warnings  int      `json:"warnings"`
			Catalogue string   `json:"catalogue"`
			ExitCode  int      `json:"exit_code"`
		}{append([]judged{}, c.files...), t.errors, t.warnings, c.options.Catalog.Date(), exit})
	}
	var b bytes.Buffer
	if err := c.tables(&b); err != nil {
		return err
	}
	_, err := c.Stdout.Write(b.Bytes())
	return err
}

// tables are that of the findings, where there are any, and that of the files.
func (c *collected) tables(b *bytes.Buffer) error {
	var findings, files [][]string
	for _, j := range c.files {
		for _, f := range j.Findings {
			findings = append(findings, clean(f.Where(), f.Level.String(), f.ID, f.Message, f.Suggestion))
		}
		nodes := "-"
		if j.Nodes > 0 {
			nodes = fmt.Sprint(j.Nodes)
		}
		dialect := j.Dialect
		if dialect == "" {
			dialect = "-"
		}
		what := counts(j.Result)
		if j.Error != "" {
			what = j.Error
		}
		files = append(files, clean(j.File, dialect, nodes, what))
	}
	markdown := c.output == "markdown"
	if len(findings) > 0 {
		if err := app.Table(b, markdown, []string{"place", "level", "id", "what is wrong", "what to do"}, findings); err != nil {
			return err
		}
	}
	if c.quiet {
		return nil
	}
	if len(findings) > 0 {
		b.WriteByte('\n')
	}
	return app.Table(b, markdown, []string{"plan", "dialect", "nodes", "findings"}, files)
}

func clean(row ...string) []string {
	for i := range row {
		row[i] = render.Clean(row[i])
	}
	return row
}
