package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	//go:embed page.gohtml
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"duration": duration, "plural": plural, "mark": mark, "class": class, "some": some, "outcome": Call.outcome, "letter": Call.letter,
	"answer": Call.answer, "outcomes": func() []outcome { return outcomes }, "name": outcome.class,
}).Parse(pageText))

// page is the whole of it. Nothing in the page comes from anywhere but here: its
// policy lets no other script or style in, whatever a program has said.
type page struct {
	Title, Name, Version string
	Policy               template.HTMLAttr
	Style                template.CSS
	Script               template.JS
	Backends             []backendRow
	Failures             []failure
	Features             []*featureView
	LeftOut              []leftOut
	Ran, Failed          int
	Total                int
}

type backendRow struct {
	Summary
	Title string
}

// Facts are what else there is to know of a run on a backend.
func (b backendRow) Facts() []string { return b.Backend.facts() }

// When is the beginning, in one zone for everybody.
func (b backendRow) When() string { return b.Started.UTC().Format("2006-01-02 15:04:05 UTC") }

// Moment is When for machines.
func (b backendRow) Moment() string { return b.Started.UTC().Format(time.RFC3339) }

type failure struct{ ID, Backend, Feature, Scenario, Headline string }

type leftOut struct {
	Reason string
	Count  int
}

type featureView struct {
	Feature
	Rules []*ruleView
}

type ruleView struct {
	Name      string
	Scenarios []*scenarioView
}

// scenarioView is one scenario with what came of it on each backend.
type scenarioView struct {
	Name, Description, File string
	Line                    int64
	Tags                    []string
	Results                 []result
}

type result struct {
	Scenario
	ID, Backend, Alone string
	Chart              *chart
	Open               bool
}

// Group is the status as the filter knows it: passed, failed or left out.
func (r result) Group() string {
	switch {
	case r.Status == Passed:
		return "passed"
	case r.Status == LeftOut:
		return "left-out"
	}
	return "failed"
}

// What is what was wrong, in full: of each step that did not pass, and of the
// whole.
func (r result) What() string {
	var parts []string
	for _, st := range r.Steps {
		if st.Problem != "" && st.Status != Passed && st.Status != NotRun {
			parts = append(parts, st.Keyword+" "+st.Text+"\n"+st.Problem)
		}
	}
	if r.Problem != "" {
		parts = append(parts, r.Problem)
	}
	return strings.Join(parts, "\n\n")
}

// WriteHTML writes runs as one page that needs nothing else: no network, no
// script to be read, no viewer.
func WriteHTML(w io.Writer, runs ...Summary) error {
	runs = clean(runs)
	p := newPage(runs)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func newPage(runs []Summary) *page {
	// Attributes hold text of their own choosing, so the hashes cover the very
	// bytes between the tags.
	p := &page{Style: template.CSS(pageStyle), Script: template.JS(pageScript)}
	p.Policy = template.HTMLAttr(fmt.Sprintf(`content="default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'"`,
		digest(pageStyle), digest(pageScript)))
	titles := titles(runs)
	features := map[string]*featureView{}
	reasons := map[string]int{}
	for n, s := range runs {
		if n == 0 {
			p.Name, p.Version = s.Name, s.Version
		}
		p.Backends = append(p.Backends, backendRow{s, titles[n]})
		p.Ran += s.Passed + s.Failed
		p.Failed += s.Failed
		p.Total += s.Passed + s.Failed + s.LeftOut
		for _, f := range s.Features {
			view := features[f.File]
			if view == nil {
				view = &featureView{Feature: f}
				features[f.File] = view
				p.Features = append(p.Features, view)
			}
			for _, sc := range f.Scenarios {
				place := view.scenario(sc)
				r := result{Scenario: sc, Backend: titles[n], Alone: sc.Alone(f.File), Open: sc.Status.Bad()}
				r.ID = fmt.Sprintf("f%d-%d-%d", slices.Index(p.Features, view)+1, sc.Line, n+1)
				if c, ok := newChart(sc); ok {
					r.Chart = c
				}
				place.Results = append(place.Results, r)
				switch {
				case sc.Status == LeftOut:
					reasons[sc.Problem]++
				case sc.Status.Bad():
					p.Failures = append(p.Failures, failure{r.ID, r.Backend, f.Name, sc.FullName(), sc.headline()})
				}
			}
		}
	}
	for reason, count := range reasons {
		p.LeftOut = append(p.LeftOut, leftOut{reason, count})
	}
	slices.SortFunc(p.LeftOut, func(a, b leftOut) int { return strings.Compare(a.Reason, b.Reason) })
	p.Title = fmt.Sprintf("%d passed: %s", p.Ran, p.Name)
	if p.Failed > 0 {
		p.Title = fmt.Sprintf("%d failed: %s", p.Failed, p.Name)
	}
	return p
}

// scenario finds the place of a scenario, after those that came before it.
func (f *featureView) scenario(s Scenario) *scenarioView {
	i := slices.IndexFunc(f.Rules, func(r *ruleView) bool { return r.Name == s.Rule })
	if i < 0 {
		i = len(f.Rules)
		f.Rules = append(f.Rules, &ruleView{Name: s.Rule})
	}
	rule := f.Rules[i]
	j := slices.IndexFunc(rule.Scenarios, func(v *scenarioView) bool { return v.Name == s.Name && v.Line == s.Line })
	if j < 0 {
		j = len(rule.Scenarios)
		rule.Scenarios = append(rule.Scenarios, &scenarioView{Name: s.Name, Description: s.Description, File: f.File, Line: s.Line, Tags: s.Tags})
	}
	return rule.Scenarios[j]
}

// digest is a source as a content security policy names it.
func digest(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// mark is a status as one sign, for those who do not see its colour.
func mark(s Status) string {
	switch s {
	case Passed:
		return "✓"
	case LeftOut, NotRun:
		return "–"
	}
	return "✗"
}

func class(s Status) string {
	switch s {
	case Passed:
		return "passed"
	case LeftOut, NotRun:
		return "neutral"
	}
	return "failed"
}

// textLimit bounds what is shown of an attachment.
const textLimit = 64 << 10

// Text is an attachment that can be read, as far as it is shown.
func (a Attachment) Text() string {
	if !strings.HasPrefix(a.MediaType, "text/") && !strings.Contains(a.MediaType, "json") || !utf8.Valid(a.Body) {
		return fmt.Sprintf("%s, %d bytes, in the Cucumber report", a.MediaType, len(a.Body))
	}
	text := cleanText(string(a.Body))
	if len(text) > textLimit {
		text = strings.ToValidUTF8(text[:textLimit], "") + "\n…"
	}
	return text
}
