package app

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/ladder"
	"aws-slurm-burst/executor/report"
)

// Formats are what -o takes.
var Formats = []string{"table", "json", "yaml", "markdown"}

// CheckFormat refuses an unknown -o.
func CheckFormat(format string) error {
	for _, f := range Formats {
		if f == format {
			return nil
		}
	}
	return Exitf(report.ExitUsage, "-o %q is not one of %s", format, strings.Join(Formats, ", "))
}

// PrintReport writes a report on stdout in one piece. A stdout that is closed
// does not change what was done, so its error changes nothing either.
func PrintReport(w io.Writer, format string, r *report.Report) error {
	if format == "json" || format == "yaml" {
		return Print(w, format, r)
	}
	var b bytes.Buffer
	if err := reportTable(&b, r, format == "markdown"); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// readable is how values are written for programs: in one order, and with a sign
// for what is not UTF-8, as the names of files may be.
var readable = json.JoinOptions(json.Deterministic(true), jsontext.AllowInvalidUTF8(true))

// Print writes a value as json or yaml in one piece.
func Print(w io.Writer, format string, v any) error {
	var b bytes.Buffer
	var err error
	if format == "yaml" {
		err = asYAML(&b, v)
	} else {
		err = json.MarshalWrite(&b, v, readable, jsontext.WithIndent("  "))
		b.WriteByte('\n')
	}
	if err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// asYAML writes the JSON form as YAML, so that both have the same names.
func asYAML(w io.Writer, v any) error {
	data, err := json.Marshal(v, readable)
	if err != nil {
		return err
	}
	var node yaml.Node // keeps the order of the keys
	if err := yaml.Unmarshal(data, &node); err != nil {
		return err
	}
	block(&node)
	out, err := yaml.Marshal(&node)
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// block takes the flow style of JSON off a tree.
func block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	for _, c := range n.Content {
		block(c)
	}
}

func reportTable(w io.Writer, r *report.Report, markdown bool) error {
	if len(r.Actions) > 0 || r.Command == "reconcile" {
		rows := make([][]string, len(r.Actions))
		for i, a := range r.Actions {
			rows[i] = []string{a.Kind, a.Node, a.Instance, a.Text, done(a)}
		}
		return Table(w, markdown, []string{"kind", "node", "instance", "what", "done"}, rows)
	}
	rows := make([][]string, len(r.Nodes))
	for i, n := range r.Nodes {
		rows[i] = []string{n.Name, n.State, n.InstanceID, n.InstanceType, string(n.Market), n.AZ, n.PrivateIP, n.Error}
	}
	if err := Table(w, markdown, []string{"node", "state", "instance", "type", "market", "az", "address", "error"}, rows); err != nil {
		return err
	}
	// Where a zone does not sell a type there is nothing to mend.
	if r.DryRun != "" || slices.ContainsFunc(r.Excluded, func(x ladder.Excluded) bool { return !x.Unsold }) {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
		return rungTable(w, r, markdown)
	}
	return nil
}

func done(a report.Action) string {
	switch {
	case a.Error != "":
		return a.Error
	case a.Done:
		return "yes"
	}
	return "no"
}

// rungTable shows the ladder: what would be tried in which order, and what was
// ruled out and why.
func rungTable(w io.Writer, r *report.Report, markdown bool) error {
	var rows [][]string
	for i, g := range r.Rungs {
		rows = append(rows, []string{fmt.Sprint(i + 1), g.Type, string(g.Market), g.AZ, usd(g.MaxPrice), usd(g.Price), g.Group, g.Outcome, g.Code})
	}
	for _, x := range r.Excluded {
		rows = append(rows, []string{"-", x.Type, string(x.Market), x.AZ, usd(x.MaxPrice), usd(x.Price), x.Strategy, "ruled out", x.Why})
	}
	if err := Table(w, markdown, []string{"rung", "type", "market", "az", "cap $/h", "price $/h", "placement", "outcome", "why"}, rows); err != nil {
		return err
	}
	return Ages(w, priceDates(r), time.Now())
}

// priceDates are the days of the on-demand prices of a report's rungs.
func priceDates(r *report.Report) []string {
	var dates []string
	for _, g := range r.Rungs {
		dates = append(dates, g.PriceDate)
	}
	for _, x := range r.Excluded {
		dates = append(dates, x.PriceDate)
	}
	return dates
}

// Ages says below a table how old the prices in it are, a line a day; "" is no
// day.
func Ages(w io.Writer, dates []string, now time.Time) error {
	dates = slices.Compact(slices.Sorted(slices.Values(dates)))
	before := "\n"
	for _, d := range dates {
		if d == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%son-demand %s\n", before, catalog.Aged("price", d, now)); err != nil {
			return err
		}
		before = ""
	}
	return nil
}

func usd(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.4f", v)
}

// Table writes rows under a header, without borders for people, or as
// Markdown. The columns of numbers, from 0, are flush right.
func Table(w io.Writer, markdown bool, header []string, rows [][]string, numbers ...int) error {
	var sides tw.Alignment
	for i := range header {
		if slices.Contains(numbers, i) {
			sides = append(sides, tw.AlignRight)
		} else {
			sides = append(sides, tw.AlignLeft)
		}
	}
	options := []tablewriter.Option{tablewriter.WithHeaderAutoFormat(tw.Off), tablewriter.WithAlignment(sides), tablewriter.WithHeaderAlignment(tw.AlignLeft), tablewriter.WithRowAlignment(tw.AlignLeft)}
	if markdown {
		options = append(options, tablewriter.WithRenderer(renderer.NewMarkdown()))
		for _, row := range rows { // the renderer escapes no bars
			for i := range row {
				row[i] = strings.ReplaceAll(strings.ReplaceAll(row[i], "|", `\|`), "\n", " ")
			}
		}
	} else {
		options = append(options, tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})))
	}
	var b bytes.Buffer
	t := tablewriter.NewTable(&b, options...)
	t.Header(header)
	if err := t.Bulk(rows); err != nil {
		return err
	}
	if err := t.Render(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
