package contract

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// explained is a finding's section in the JSON of explain-finding.
type explained struct {
	ID    string        `json:"id"`
	Level finding.Level `json:"level"`
	Title string        `json:"title"`
	Text  string        `json:"text"` // Markdown
}

// explain prints what there is to say about findings.
func (t *tool) explain() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "explain-finding [ID...]",
		Short: "Say what a finding of validate-plan means and what to do about it",
		Long: `Print the section about each finding that is named by its id, such as PLAN030;
without an id, list all findings there are.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "" {
				if err := app.CheckFormat(format); err != nil {
					return err
				}
			}
			var named []explained
			for _, id := range args {
				id = strings.ToUpper(id)
				if err := knownID("explain-finding", id); err != nil {
					return err
				}
				named = append(named, section(id))
			}
			if err := t.printExplained(format, named); err != nil && !errors.Is(err, syscall.EPIPE) {
				return app.Exitf(report.ExitFailed, "the explanation could not be written: %v", err)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "", "print it as table, json, yaml or markdown; default: text")
	return c
}

func section(id string) explained {
	for _, s := range rule.Sections() {
		if s.ID == id {
			return explained{id, rule.Level(id), s.Title, s.Text}
		}
	}
	return explained{ID: id, Level: rule.Level(id)} // a test of rule forbids it
}

// printExplained prints sections in full, and as a list where none is named.
func (t *tool) printExplained(format string, named []explained) error {
	list := len(named) == 0 || format == "table"
	if len(named) == 0 {
		for _, id := range rule.IDs() {
			named = append(named, section(id))
		}
	}
	switch {
	case format == "json" || format == "yaml":
		return app.Print(t.Stdout, format, struct {
			Findings []explained `json:"findings"`
		}{named})
	case list:
		rows := make([][]string, len(named))
		for i, e := range named {
			rows[i] = []string{e.ID, e.Level.String(), e.Title}
		}
		return app.Table(t.Stdout, format == "markdown", []string{"id", "level", "what is wrong"}, rows)
	}
	var texts []string
	for _, e := range named {
		text, _ := rule.Explain(e.ID)
		if format == "" && app.Terminal(t.Stdout) {
			text = withoutMarkdown(text)
		}
		texts = append(texts, text)
	}
	_, err := io.WriteString(t.Stdout, strings.Join(texts, "\n"))
	return err
}

var (
	headings = regexp.MustCompile(`(?m)^#+ `)
	marks    = regexp.MustCompile("\\*\\*|`")
	links    = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
)

// withoutMarkdown takes off what is noise to the eye.
func withoutMarkdown(text string) string {
	return marks.ReplaceAllString(links.ReplaceAllString(headings.ReplaceAllString(text, ""), "$1"), "")
}
