package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJUnitIsWhatReadersExpect(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJUnit(&b, sample()); err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="asba" tests="5" failures="2" errors="1" time="1.500">
  <testsuite name="localstack-host: Gangs" tests="4" failures="1" errors="1" skipped="1" time="0.750" timestamp="2026-01-02T03:04:05" file="f/gang.feature">
    <properties>
      <property name="version" value="v1.2.3"></property>
      <property name="backend" value="localstack"></property>
      <property name="rung" value="localstack-host"></property>
      <property name="product" value="LocalStack 4.14.0"></property>
      <property name="url" value="http://127.0.0.1:1"></property>
      <property name="why" value="no container engine"></property>
      <property name="tags" value="~@slow"></property>
      <property name="seed" value="7"></property>
    </properties>
    <testcase name="whole or gone / a gang of 2" classname="localstack-host.f.gang" time="0.250" file="f/gang.feature" line="10">
      <system-out>launched</system-out>
    </testcase>
    <testcase name="whole or gone / it &lt;breaks&gt; &amp; &#34;ends&#34;" classname="localstack-host.f.gang" time="0.250" file="f/gang.feature" line="24">
      <failure message="When it fails: no capacity" type="failed">&#xA;passed     Given the execution plan &#34;gang.json&#34;&#xA;failed     When it fails&#xA;           no capacity&#xA;           in any zone&#xA;not run    Then it works&#xA;&#xA;alone: f/gang.feature:20&#xA;</failure>
      <system-out>$ aws-slurm-burst-resume n1  -&gt; exit 5</system-out>
    </testcase>
    <testcase name="whole or gone / skips itself" classname="localstack-host.f.gang" time="0.250" file="f/gang.feature" line="26">
      <error message="When it skips: skipped" type="skipped">&#xA;passed     Given the execution plan &#34;gang.json&#34;&#xA;skipped    When it skips&#xA;           skipped&#xA;it skipped itself&#xA;alone: f/gang.feature:26&#xA;</error>
    </testcase>
    <testcase name="in a group" classname="localstack-host.f.gang" time="0.000" file="f/gang.feature" line="31">
      <skipped message="not on localstack: has-no-placement-groups"></skipped>
    </testcase>
  </testsuite>
  <testsuite name="localstack-host: Other" tests="1" failures="1" errors="0" skipped="0" time="0.250" timestamp="2026-01-02T03:04:05" file="f/other.feature">
    <properties>
      <property name="version" value="v1.2.3"></property>
      <property name="backend" value="localstack"></property>
      <property name="rung" value="localstack-host"></property>
      <property name="product" value="LocalStack 4.14.0"></property>
      <property name="url" value="http://127.0.0.1:1"></property>
      <property name="why" value="no container engine"></property>
      <property name="tags" value="~@slow"></property>
      <property name="seed" value="7"></property>
    </properties>
    <testcase name="leaves something behind" classname="localstack-host.f.other" time="0.250" file="f/other.feature" line="2">
      <failure message="2 instances left" type="failed">&#xA;passed     When it works&#xA;2 instances left&#xA;alone: f/other.feature:2&#xA;</failure>
    </testcase>
  </testsuite>
</testsuites>
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("JUnit (-want +got):\n%s", diff)
	}
}

// The elements and attributes of junit-10.xsd, by which Jenkins's xUnit step
// judges a file, and two that it does not know: GitLab and GitHub's annotators
// link by a testcase's file and line, and Jenkins's junit step leaves them alone.
var (
	junitAttributes = map[string][]string{
		"testsuites": {"name", "time", "tests", "failures", "errors"},
		"testsuite":  {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
		"properties": {}, "property": {"name", "value"},
		"testcase": {"name", "time", "classname", "file", "line"},
		"failure":  {"type", "message"}, "error": {"type", "message"}, "skipped": {"type", "message"},
		"system-out": {},
	}
	junitRequired = map[string][]string{
		"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name", "classname", "time"}, "property": {"name", "value"},
	}
	junitParents = map[string][]string{
		"testsuites": {""}, "testsuite": {"testsuites"}, "properties": {"testsuite"}, "property": {"properties"}, "testcase": {"testsuite"},
		"failure": {"testcase"}, "error": {"testcase"}, "skipped": {"testcase"}, "system-out": {"testcase"},
	}
)

// checkJUnit reads a file as its readers do, and returns its tests by classname
// and name.
func checkJUnit(t *testing.T, data []byte) map[string]string {
	t.Helper()
	var stack []string
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		tok, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			name, parent := e.Name.Local, ""
			if len(stack) > 0 {
				parent = stack[len(stack)-1]
			}
			if !slices.Contains(junitParents[name], parent) {
				t.Errorf("<%s> in <%s>", name, parent)
			}
			var has []string
			for _, a := range e.Attr {
				has = append(has, a.Name.Local)
				if !slices.Contains(junitAttributes[name], a.Name.Local) {
					t.Errorf("<%s> has an attribute %s", name, a.Name.Local)
				}
				if v, err := strconv.ParseFloat(a.Value, 64); a.Name.Local == "time" && (err != nil || v < 0 || strings.ContainsAny(a.Value, "eE-")) {
					t.Errorf("<%s> has time %q", name, a.Value)
				}
			}
			for _, a := range junitRequired[name] {
				if !slices.Contains(has, a) {
					t.Errorf("<%s> has no %s", name, a)
				}
			}
			stack = append(stack, name)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
	var all junitSuites
	if err := xml.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{}
	var sum junitSuite
	suites := map[string]bool{}
	for _, s := range all.Suites {
		if suites[s.Name] {
			t.Errorf("two suites %q", s.Name)
		}
		suites[s.Name] = true
		var count junitSuite
		for _, c := range s.Cases {
			key, outcome := c.ClassName+" "+c.Name, "passed"
			if _, twice := tests[key]; twice {
				t.Errorf("two tests %q: readers keep one of them", key)
			}
			count.Tests++
			if c.Failure != nil {
				count.Failures++
				outcome = "failure"
			}
			if c.Error != nil {
				count.Errors++
				outcome = "error"
			}
			if c.Skipped != nil {
				count.Skipped++
				outcome = "skipped"
			}
			tests[key] = outcome
		}
		if s.Tests != count.Tests || s.Failures != count.Failures || s.Errors != count.Errors || s.Skipped != count.Skipped {
			t.Errorf("%s says %d/%d/%d/%d and has %d/%d/%d/%d", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, count.Tests, count.Failures, count.Errors, count.Skipped)
		}
		sum.Tests += count.Tests
		sum.Failures += count.Failures
		sum.Errors += count.Errors
	}
	if all.Tests != sum.Tests || all.Failures != sum.Failures || all.Errors != sum.Errors {
		t.Errorf("the whole says %d/%d/%d and has %d/%d/%d", all.Tests, all.Failures, all.Errors, sum.Tests, sum.Failures, sum.Errors)
	}
	return tests
}

func TestSeveralBackendsAreOneJUnitFileInWhichNoTestHidesAnother(t *testing.T) {
	other := sample() // a second LocalStack, taken by the same rung
	var b bytes.Buffer
	missing := Summary{Backend: Backend{Name: "localstack", Rung: "localstack-container", Missing: "no container engine"}}
	if err := WriteJUnit(&b, sample(), wellOn("embedded"), other, missing); err != nil {
		t.Fatal(err)
	}
	tests := checkJUnit(t, b.Bytes())
	if len(tests) != 16 {
		t.Errorf("%d tests, want 16", len(tests))
	}
	for test, outcome := range map[string]string{
		"localstack-host.f.other leaves something behind":     "failure",
		"embedded.f.other leaves something behind":            "passed",
		"localstack-host-2.f.other leaves something behind":   "failure",
		"localstack-host.f.gang whole or gone / skips itself": "error",
		"localstack-host.f.gang in a group":                   "skipped",
		"localstack-container.backend every scenario":         "skipped",
	} {
		if tests[test] != outcome {
			t.Errorf("%s: %q, want %s", test, tests[test], outcome)
		}
	}
}

func TestJUnitHasNoTimeBelowZero(t *testing.T) {
	sum := sample()
	sum.Elapsed = -time.Second // as a clock set back would have it
	sum.Features[0].Scenarios[0].Elapsed = -5 * time.Second
	var b bytes.Buffer
	if err := WriteJUnit(&b, sum); err != nil {
		t.Fatal(err)
	}
	checkJUnit(t, b.Bytes())
}

// unfit is text that JUnit's XML, JSON or HTML cannot hold or would misread.
var unfit = []string{
	"a \x1b[31mcolour\x1b[0m and a \x1b]0;title\x07",
	"nul \x00 bell \a del \x7f c1 \u0085 \u009b31m",
	"not UTF-8 \xff\xfe\xc3(",
	"no characters \ufffe \uffff and a lone half \xed\xa0\x80",
	"]]> <!-- --> & < > \" ' </script><script>alert(1)</script> {{.}} ` ${x}",
	"lines\r\nof\rWindows\n\ttabs \u2028 \u2029",
}

func TestWhatXMLCannotHoldDoesNotBreakJUnit(t *testing.T) {
	for _, text := range unfit {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteJUnit(&b, hostile(text)); err != nil {
				t.Fatal(err)
			}
			for i, r := range b.String() {
				if ok := r == '\t' || r == '\n' || r >= 0x20 && r < 0x7f || r >= 0xa0 && r < 0xd800 || r >= 0xe000 && r < 0xfffe || r >= 0x10000; !ok {
					t.Fatalf("character %#x at %d", r, i)
				}
			}
			if strings.Contains(b.String(), "[31m") {
				t.Error("a colour is left in it")
			}
			var got junitSuites
			if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
				t.Fatalf("not well-formed: %v", err)
			}
			if said := got.Suites[0].Cases[0].SystemOut; strings.TrimSpace(said) == "" {
				t.Error("nothing is left of what was said")
			}
		})
	}
}
