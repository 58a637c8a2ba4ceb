package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"

	"aws-slurm-burst/features/report"
)

// feature is one feature file as it was read, with the scenarios of it that were
// asked for by path.
type feature struct {
	report.Feature                    // what reports say of it; its Scenarios are filled after the run
	runs           []*report.Scenario // outline rows expanded, in the order of the file
	targets        []string           // how godog is told of it: FILE, or FILE:LINE
}

// key finds a scenario again when godog runs it. Names are unique in a file:
// load sees to it.
type key struct{ file, name string }

// osFS opens what the operating system opens, absolute paths too.
type osFS struct{}

func (osFS) Open(name string) (fs.File, error) { return os.Open(name) }

// load reads every feature file below paths and refuses what godog would pass
// over in silence: files without a scenario, scenarios without steps, outlines
// without rows, and names that make two scenarios one in a report.
func load(fsys fs.FS, paths []string) ([]*feature, error) {
	wanted, order, err := expand(fsys, paths)
	if err != nil {
		return nil, err
	}
	var problems []error
	features := make([]*feature, 0, len(order))
	for _, file := range order {
		f, err := read(fsys, file, wanted[file])
		if err != nil {
			problems = append(problems, err)
			continue
		}
		features = append(features, f)
	}
	return features, errors.Join(problems...)
}

// expand turns paths into files, each with the lines asked for (none: all).
func expand(fsys fs.FS, paths []string) (map[string][]int64, []string, error) {
	wanted, order := map[string][]int64{}, []string{}
	add := func(file string, line int64) {
		lines, seen := wanted[file]
		switch {
		case !seen:
			order = append(order, file)
			if line > 0 {
				lines = []int64{line}
			}
		case line == 0 || len(lines) == 0:
			lines = nil // the whole file was asked for as well
		case !slices.Contains(lines, line):
			lines = append(lines, line)
		}
		wanted[file] = lines
	}
	for _, p := range paths {
		name, line := splitLine(p)
		name = path.Clean(name)
		info, err := fs.Stat(fsys, name)
		if err != nil {
			return nil, nil, usagef("features: %v", err)
		}
		if !info.IsDir() {
			add(name, line)
			continue
		}
		if line > 0 {
			return nil, nil, usagef("features: %s is a folder and has no line %d", name, line)
		}
		found := false
		err = fs.WalkDir(fsys, name, func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && path.Ext(file) == ".feature" {
				found = true
				add(file, 0)
			}
			return err
		})
		if err != nil {
			return nil, nil, usagef("features: %v", err)
		}
		if !found {
			return nil, nil, usagef("features: no *.feature file in %s", name)
		}
	}
	return wanted, order, nil
}

// PathOf is FILE where a path is FILE:LINE, else the path itself.
func PathOf(p string) string {
	name, _ := splitLine(p)
	return name
}

// splitLine reads FILE:LINE; line is 0 where there is none.
func splitLine(p string) (string, int64) {
	if i := strings.LastIndexByte(p, ':'); i > 0 {
		if n, err := strconv.ParseInt(p[i+1:], 10, 64); err == nil && n > 0 {
			return p[:i], n
		}
	}
	return p, 0
}

func read(fsys fs.FS, file string, lines []int64) (*feature, error) {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, usagef("features: %v", err)
	}
	newID := (&messages.Incrementing{}).NewId
	doc, err := gherkin.ParseGherkinDocument(bytes.NewReader(text), newID)
	if err != nil {
		return nil, usagef("%s: %s", file, strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " "))
	}
	if doc.Feature == nil {
		return nil, usagef("%s: there is no Feature in it", file)
	}
	f := &feature{
		Feature: report.Feature{File: file, Name: doc.Feature.Name, Line: doc.Feature.Location.Line,
			Description: strings.TrimSpace(doc.Feature.Description), Tags: tagNames(doc.Feature.Tags)},
	}
	if len(lines) == 0 {
		f.targets = []string{file}
	}
	index := indexOf(doc.Feature)
	taken := map[string]int64{}
	expanded := map[string]bool{}
	seen := map[int64]bool{}
	for _, p := range gherkin.Pickles(*doc, file, newID) {
		node := index.scenarios[p.AstNodeIds[0]]
		expanded[node.Id] = true
		s := newScenario(p, node, index)
		if err := checkScenario(file, s, taken); err != nil {
			return nil, err
		}
		taken[s.Name] = s.Line
		seen[s.Outline] = true
		if len(lines) == 0 || slices.Contains(lines, s.Outline) {
			f.runs = append(f.runs, s)
		}
	}
	for _, node := range index.inOrder {
		if !expanded[node.Id] {
			return nil, usagef("%s:%d: outline %q has no row in its Examples and would never run", file, node.Location.Line, node.Name)
		}
	}
	if len(index.inOrder) == 0 {
		return nil, usagef("%s: feature %q has no scenario", file, f.Name)
	}
	for _, line := range lines {
		if !seen[line] {
			return nil, usagef("%s:%d: no scenario begins on this line", file, line)
		}
		f.targets = append(f.targets, fmt.Sprintf("%s:%d", file, line))
	}
	return f, nil
}

func checkScenario(file string, s *report.Scenario, taken map[string]int64) error {
	if s.Name == "" {
		return usagef("%s:%d: a scenario has no name", file, s.Line)
	}
	if len(s.Steps) == 0 {
		return usagef("%s:%d: scenario %q has no steps", file, s.Line, s.Name)
	}
	if first, dup := taken[s.Name]; dup {
		return usagef("%s:%d: scenario %q has the name of the one on line %d: in an outline, put a <placeholder> into the name", file, s.Line, s.Name, first)
	}
	for _, tag := range s.Tags {
		if strings.ContainsAny(tag, ",&~") {
			return usagef("%s:%d: tag %s: a tag with a comma, & or ~ cannot be filtered by", file, s.Line, tag)
		}
	}
	return nil
}

// astIndex finds what a compiled scenario (a pickle) was made from.
type astIndex struct {
	scenarios map[string]*messages.Scenario
	rules     map[string]string // scenario id -> name of its Rule
	steps     map[string]*messages.Step
	rows      map[string]int64 // Examples row id -> line
	inOrder   []*messages.Scenario
}

func indexOf(f *messages.Feature) *astIndex {
	x := &astIndex{scenarios: map[string]*messages.Scenario{}, rules: map[string]string{},
		steps: map[string]*messages.Step{}, rows: map[string]int64{}}
	for _, child := range f.Children {
		x.background(child.Background)
		x.scenario(child.Scenario, "")
		if child.Rule == nil {
			continue
		}
		for _, inner := range child.Rule.Children {
			x.background(inner.Background)
			x.scenario(inner.Scenario, child.Rule.Name)
		}
	}
	return x
}

func (x *astIndex) background(b *messages.Background) {
	if b == nil {
		return
	}
	for _, s := range b.Steps {
		x.steps[s.Id] = s
	}
}

func (x *astIndex) scenario(s *messages.Scenario, rule string) {
	if s == nil {
		return
	}
	x.scenarios[s.Id] = s
	x.rules[s.Id] = rule
	x.inOrder = append(x.inOrder, s)
	for _, step := range s.Steps {
		x.steps[step.Id] = step
	}
	for _, examples := range s.Examples {
		for _, row := range examples.TableBody {
			x.rows[row.Id] = row.Location.Line
		}
	}
}

// newScenario is a scenario before its run: every step is known and not run.
func newScenario(p *messages.Pickle, node *messages.Scenario, x *astIndex) *report.Scenario {
	s := &report.Scenario{
		Name: p.Name, Rule: x.rules[node.Id], Keyword: node.Keyword,
		Description: strings.TrimSpace(node.Description),
		Line:        node.Location.Line, Outline: node.Location.Line, Status: report.NotRun,
	}
	if len(p.AstNodeIds) > 1 {
		s.Line = x.rows[p.AstNodeIds[1]]
	}
	for _, t := range p.Tags {
		s.Tags = append(s.Tags, t.Name)
	}
	for _, ps := range p.Steps {
		node := x.steps[ps.AstNodeIds[0]]
		step := report.Step{Keyword: strings.TrimSpace(node.Keyword), Text: ps.Text, Line: node.Location.Line, Status: report.NotRun}
		if arg := ps.Argument; arg != nil {
			if arg.DocString != nil {
				step.DocString, step.MediaType = arg.DocString.Content, arg.DocString.MediaType
			}
			if arg.DataTable != nil {
				for _, row := range arg.DataTable.Rows {
					cells := make([]string, 0, len(row.Cells))
					for _, c := range row.Cells {
						cells = append(cells, c.Value)
					}
					step.Table = append(step.Table, cells)
				}
			}
		}
		s.Steps = append(s.Steps, step)
	}
	return s
}

func tagNames(tags []*messages.Tag) []string {
	var names []string
	for _, t := range tags {
		names = append(names, t.Name)
	}
	return names
}
