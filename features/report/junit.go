package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The JUnit dialect is the one Jenkins, GitLab and GitHub's annotators share:
// testsuite = a feature on a backend, testcase = scenario with its Rule in the
// name. All of them know a test by classname and name alone, over all files of a
// job, so the backend is part of the classname; Jenkins makes what stands before
// the last dot a package. Nothing that changes from run to run is part of either.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
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
	File       string          `xml:"file,attr,omitempty"`
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
	File      string        `xml:"file,attr,omitempty"`
	Line      int64         `xml:"line,attr,omitempty"`
	Skipped   *junitSkipped `xml:"skipped"`
	Failure   *junitProblem `xml:"failure"`
	Error     *junitProblem `xml:"error"`
	SystemOut string        `xml:"system-out,omitempty"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Body    string `xml:",chardata"`
}

// WriteJUnit writes runs as one JUnit XML file. A scenario that failed is a
// failure; one that could not be judged (undefined, pending, never run) is an
// error. Scenarios that the tag expression did not select are not in it.
func WriteJUnit(w io.Writer, runs ...Summary) error {
	out := junitSuites{Name: "features"}
	var elapsed time.Duration
	runs = clean(runs)
	titles := titles(runs)
	for n, s := range runs {
		if n == 0 {
			out.Name = s.Name
		}
		elapsed += max(0, s.Elapsed)
		if s.Backend.Missing != "" {
			s.Features = []Feature{{Name: "backend", File: "backend", Scenarios: []Scenario{{
				Name: "every scenario", Status: LeftOut, Problem: "no " + titles[n] + ": " + s.Backend.Missing,
			}}}}
		}
		for _, f := range s.Features {
			suite := newJUnitSuite(s, f, titles[n])
			out.Tests += suite.Tests
			out.Failures += suite.Failures
			out.Errors += suite.Errors
			out.Suites = append(out.Suites, suite)
		}
	}
	out.Time = seconds(elapsed)
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

func newJUnitSuite(s Summary, f Feature, title string) junitSuite {
	suite := junitSuite{
		Name: title + ": " + f.Name, File: f.File, Time: seconds(f.Elapsed()),
		Timestamp: s.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"version", s.Version}, {"backend", s.Backend.Name}, {"rung", s.Backend.Rung},
			{"product", s.Backend.Product}, {"url", s.Backend.URL}, {"why", s.Backend.Why},
			{"tags", s.Tags}, {"seed", strconv.FormatInt(s.Seed, 10)},
		},
	}
	class := className(title, f.File)
	for _, sc := range f.Scenarios {
		c := junitCase{
			Name: sc.FullName(), ClassName: class, Time: seconds(sc.Elapsed),
			File: f.File, Line: sc.Line, SystemOut: strings.Join(sc.Log, "\n"),
		}
		suite.Tests++
		switch {
		case sc.Status == Passed:
		case sc.Status == LeftOut:
			suite.Skipped++
			c.Skipped = &junitSkipped{Message: sc.Problem}
		default:
			p := &junitProblem{Message: sc.headline(), Type: string(sc.Status), Body: "\n" + sc.steps() + sc.Problem + "\n"}
			if alone := sc.Alone(f.File); alone != "" {
				p.Body += "alone: " + alone + "\n"
			}
			if sc.Status == Failed {
				suite.Failures++
				c.Failure = p
			} else {
				suite.Errors++
				c.Error = p
			}
		}
		suite.Cases = append(suite.Cases, c)
	}
	return suite
}

// className is BACKEND.FOLDER.FEATURE, each part without dots of its own.
func className(title, file string) string {
	parts := []string{title}
	for part := range strings.SplitSeq(strings.TrimSuffix(file, ".feature"), "/") {
		if part != "" && part != "." && part != ".." {
			parts = append(parts, part)
		}
	}
	for i, p := range parts {
		parts[i] = strings.Map(func(r rune) rune {
			if r == '.' || r <= ' ' {
				return '_'
			}
			return r
		}, p)
	}
	return strings.Join(parts, ".")
}

// titles are the backends' titles, told apart where two are the same.
func titles(runs []Summary) []string {
	out := make([]string, len(runs))
	seen := map[string]int{}
	for n, s := range runs {
		out[n] = s.Backend.Title()
		if seen[out[n]]++; seen[s.Backend.Title()] > 1 {
			out[n] += "-" + strconv.Itoa(seen[s.Backend.Title()])
		}
	}
	return out
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
