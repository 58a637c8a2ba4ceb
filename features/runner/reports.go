package runner

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// writeReports writes the files that were asked for, green run or not.
func writeReports(s Summary, o Options) error {
	var errs []error
	if o.JUnitFile != "" {
		errs = append(errs, writeFile(o.JUnitFile, s, WriteJUnit))
	}
	if o.CucumberFile != "" {
		errs = append(errs, writeFile(o.CucumberFile, s, WriteCucumberJSON))
	}
	return errors.Join(errs...)
}

// writeFile writes aside and renames, so that nobody reads half a report.
func writeFile(file string, s Summary, write func(io.Writer, Summary) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return fmt.Errorf("features: report: %w", err)
	}
	err = errors.Join(write(f, s), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("features: report %s: %w", file, err)
	}
	return nil
}

// The JUnit dialect is the one Jenkins, GitLab and GitHub's annotators share:
// testsuite = feature, testcase = scenario with its Rule in the name.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	File       string          `xml:"file,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	File      string        `xml:"file,attr"`
	Line      int64         `xml:"line,attr"`
	Skipped   *junitSkipped `xml:"skipped"`
	Failure   *junitFailure `xml:"failure"`
	SystemOut string        `xml:"system-out,omitempty"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Body    string `xml:",chardata"`
}

// WriteJUnit writes a summary as JUnit XML. Scenarios that the tag expression did
// not select are not in it.
func WriteJUnit(w io.Writer, s Summary) error {
	out := junitSuites{Name: s.Name, Time: seconds(s.Elapsed)}
	for _, f := range s.Features {
		suite := junitSuite{
			Name: f.Name, File: f.File, Time: seconds(f.Elapsed()),
			Timestamp: s.Started.UTC().Format("2006-01-02T15:04:05"),
			Properties: []junitProperty{
				{"backend", s.Backend.Name}, {"url", s.Backend.URL}, {"why", s.Backend.Why},
				{"tags", s.Tags}, {"seed", strconv.FormatInt(s.Seed, 10)},
			},
		}
		for _, sc := range f.Scenarios {
			c := junitCase{
				Name: sc.FullName(), ClassName: strings.TrimSuffix(f.File, ".feature"),
				Time: seconds(sc.Elapsed), File: f.File, Line: sc.Line,
				SystemOut: strings.Join(sc.Log, "\n"),
			}
			suite.Tests++
			switch sc.Status {
			case Passed:
			case LeftOut:
				suite.Skipped++
				c.Skipped = &junitSkipped{Message: sc.Problem}
			default:
				suite.Failures++
				c.Failure = &junitFailure{Message: sc.headline(), Type: string(sc.Status), Body: "\n" + sc.steps() + sc.Problem}
			}
			suite.Cases = append(suite.Cases, c)
		}
		out.Tests += suite.Tests
		out.Failures += suite.Failures
		out.Skipped += suite.Skipped
		out.Suites = append(out.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// headline is the failure on one line: the step it happened in, and the first
// line of what was wrong.
func (s Scenario) headline() string {
	for _, st := range s.Steps {
		if st.Status == Passed || st.Status == NotRun {
			continue
		}
		what := st.Problem
		if what == "" {
			what = s.Problem
		}
		what, _, _ = strings.Cut(what, "\n")
		return fmt.Sprintf("%s %s: %s", st.Keyword, st.Text, what)
	}
	what, _, _ := strings.Cut(s.Problem, "\n")
	return what
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(max(0, d).Seconds(), 'f', 3, 64)
}

// Cucumber's legacy JSON, as its own formatters write it: the Rule is in the id,
// as the part between feature and scenario, and steps carry base64 embeddings.
type cukeFeature struct {
	URI         string        `json:"uri"`
	ID          string        `json:"id"`
	Keyword     string        `json:"keyword"`
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Line        int64         `json:"line"`
	Tags        []cukeTag     `json:"tags,omitempty"`
	Elements    []cukeElement `json:"elements"`
}

type cukeTag struct {
	Name string `json:"name"`
}

type cukeElement struct {
	ID          string     `json:"id"`
	Keyword     string     `json:"keyword"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Line        int64      `json:"line"`
	Type        string     `json:"type"`
	Tags        []cukeTag  `json:"tags,omitempty"`
	Steps       []cukeStep `json:"steps"`
}

type cukeStep struct {
	Keyword    string          `json:"keyword"`
	Name       string          `json:"name"`
	Line       int64           `json:"line"`
	DocString  *cukeDocString  `json:"doc_string,omitempty"`
	Rows       []cukeRow       `json:"rows,omitempty"`
	Result     cukeResult      `json:"result"`
	Embeddings []cukeEmbedding `json:"embeddings,omitempty"`
}

type cukeDocString struct {
	Value       string `json:"value"`
	ContentType string `json:"content_type"`
}

type cukeRow struct {
	Cells []string `json:"cells"`
}

type cukeResult struct {
	Status   string `json:"status"`
	Duration int64  `json:"duration"` // nanoseconds
	Error    string `json:"error_message,omitempty"`
}

type cukeEmbedding struct {
	Name     string `json:"name,omitempty"`
	MimeType string `json:"mime_type"`
	Data     []byte `json:"data"` // base64 by encoding/json
}

// WriteCucumberJSON writes a summary as Cucumber's legacy JSON. A scenario that
// was left out has its steps skipped: the format has no word for it.
func WriteCucumberJSON(w io.Writer, s Summary) error {
	out := []cukeFeature{}
	for _, f := range s.Features {
		cf := cukeFeature{URI: f.File, ID: cukeID(f.Name), Keyword: "Feature", Name: f.Name,
			Description: f.Description, Line: f.Line, Tags: cukeTags(f.Tags)}
		for _, sc := range f.Scenarios {
			id := cf.ID + ";"
			if sc.Rule != "" {
				id += cukeID(sc.Rule) + ";"
			}
			el := cukeElement{ID: id + cukeID(sc.Name), Keyword: sc.Keyword, Name: sc.Name,
				Description: sc.Description, Line: sc.Line, Type: "scenario", Tags: cukeTags(sc.Tags), Steps: []cukeStep{}}
			for _, st := range sc.Steps {
				el.Steps = append(el.Steps, newCukeStep(st))
			}
			if i := sc.blame(); i >= 0 {
				el.Steps[i].Result.Status, el.Steps[i].Result.Error = string(Failed), sc.Problem
			}
			cf.Elements = append(cf.Elements, el)
		}
		out = append(out, cf)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// blame is the step that carries a failure which no step owns (a hook's, or a
// scenario that skipped itself): readers of this format look at steps alone.
// It is -1 where there is none to carry.
func (s Scenario) blame() int {
	if s.Status == Passed || s.Status == LeftOut {
		return -1
	}
	for i, st := range s.Steps {
		switch st.Status {
		case Passed:
		case Skipped, NotRun:
			return i
		default:
			return -1
		}
	}
	return len(s.Steps) - 1
}

func newCukeStep(st Step) cukeStep {
	c := cukeStep{Keyword: st.Keyword + " ", Name: st.Text, Line: st.Line,
		Result: cukeResult{Status: string(st.Status), Duration: int64(max(0, st.Elapsed)), Error: st.Problem}}
	if st.Status == NotRun {
		c.Result.Status = "skipped"
	}
	if st.DocString != "" {
		c.DocString = &cukeDocString{Value: st.DocString, ContentType: st.MediaType}
	}
	for _, row := range st.Table {
		c.Rows = append(c.Rows, cukeRow{Cells: row})
	}
	for _, a := range st.Attachments {
		c.Embeddings = append(c.Embeddings, cukeEmbedding{Name: a.Name, MimeType: a.MediaType, Data: a.Body})
	}
	return c
}

func cukeTags(names []string) []cukeTag {
	var tags []cukeTag
	for _, n := range names {
		tags = append(tags, cukeTag{Name: n})
	}
	return tags
}

func cukeID(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }
