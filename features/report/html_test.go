package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func html(t *testing.T, runs ...Summary) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(&b, runs...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The golden page is the whole contract of the page's bytes; look at it in a
// browser after `go test ./features/report -run Golden -update`.
func TestHTMLIsTheGoldenPage(t *testing.T) {
	const golden = "testdata/page.html"
	runs := []Summary{sample(), wellOn("embedded"), {Backend: Backend{Name: "localstack", Rung: "localstack-container", Missing: "no container engine"}}}
	got := html(t, runs...)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.SplitAfter(string(want), ">"), strings.SplitAfter(got, ">")); diff != "" {
		t.Errorf("page (-want +got); -update writes it anew:\n%.4000s", diff)
	}
	if again := html(t, runs...); again != got {
		t.Error("the same run gives two pages")
	}
}

func TestTheHTMLPageNeedsNoNetwork(t *testing.T) {
	page := html(t, sample())
	for _, from := range []string{"src=", "<link", "@import", "url(", "fetch(", "<iframe", "<base"} {
		if strings.Contains(page, from) {
			t.Errorf("the page has %q", from)
		}
	}
}

func TestWhatProgramsSayStaysTextInHTML(t *testing.T) {
	for _, text := range append(unfit, `"><script>alert(1)</script>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `</style><script>alert(1)</script>`, `</svg></title><script>alert(1)</script>`) {
		page := html(t, hostile(text))
		if n := strings.Count(page, "<script"); n != 1 {
			t.Errorf("%q: the page has %d scripts", text, n)
		}
		for _, r := range page {
			if r < ' ' && r != '\n' && r != '\t' {
				t.Errorf("%q: the page has character %#x", text, r)
				break
			}
		}
		for _, attribute := range []string{` onmouseover='`, `href="javascript:`, ` onmouseover="`} {
			if strings.Contains(page, attribute) {
				t.Errorf("%q: the page has %s", text, attribute)
			}
		}
	}
}

// large is a run as others will have it: 40 features of 3 scenarios, each with
// its programs and calls.
func large(backend string) Summary {
	s := sample()
	s.Backend = Backend{Name: backend, URL: "http://127.0.0.1:4566", Why: "asked for"}
	s.Features = nil
	for f := range 40 {
		feature := Feature{File: fmt.Sprintf("f/%02d.feature", f), Name: fmt.Sprintf("Feature %d", f), Line: 1}
		for n := range 3 {
			sc := sample().Features[0].Scenarios[n]
			sc.Name, sc.Line = fmt.Sprintf("%s, the %d.", sc.Name, n), int64(10+n)
			if backend != "localstack" || f > 0 {
				sc.Status, sc.Problem = Passed, ""
			}
			run := sc.Runs
			for range 2 {
				sc.Runs = append(sc.Runs, run...)
			}
			if f == 0 && n == 0 {
				sc.Runs = append(sc.Runs, manyNodes())
			}
			feature.Scenarios = append(feature.Scenarios, sc)
		}
		s.Features = append(s.Features, feature)
	}
	s.Count()
	return s
}

// manyNodes is a gang of 200 that EC2 throttled at first.
func manyNodes() Run {
	r := Run{Command: "aws-slurm-burst-resume aws-hpc-[001-200] --execution-plan=gang.json", Began: 300 * time.Millisecond, Took: 9 * time.Second, Mode: "asba"}
	var ids []string
	for n := range 200 {
		id := fmt.Sprintf("i-%017d", n)
		ids = append(ids, id)
		r.Nodes = append(r.Nodes, Node{fmt.Sprintf("aws-hpc-%03d", n+1), "launched", id, "c5n.18xlarge", "spot", "us-east-1b", fmt.Sprintf("10.0.%d.%d", n/250, n%250+4)})
	}
	for n := range 30 {
		r.Calls = append(r.Calls, Call{At: r.Began + time.Duration(n)*time.Duration(n)*9*time.Millisecond, Took: 2 * time.Millisecond, Action: "RunInstances", Detail: "200 × c5n.18xlarge spot us-east-1b", Status: 503, Code: "RequestLimitExceeded", Rule: "rules:1"})
	}
	r.Calls = append(r.Calls, Call{At: 9 * time.Second, Took: 90 * time.Millisecond, Action: "RunInstances", Detail: "200 × c5n.18xlarge spot us-east-1b", Status: 200, Instances: ids})
	return r
}

func TestALargeHTMLPageStaysSmall(t *testing.T) {
	began := time.Now()
	page := html(t, large("embedded"), large("localstack"), large("localstack-container"))
	const most = 4 << 20
	t.Logf("%d kB in %s", len(page)>>10, time.Since(began).Round(time.Millisecond))
	if len(page) > most {
		t.Errorf("%d bytes for 360 scenarios", len(page))
	}
}

func TestTimelinesShowWhatBecameOfEveryInstance(t *testing.T) {
	c, ok := newChart(sample().Features[0].Scenarios[0])
	if !ok {
		t.Fatal("no timeline")
	}
	var rows []string
	for _, r := range c.Rows {
		row := r.Label + ":"
		for _, m := range r.Marks {
			row += " " + m.Letter + " " + m.Class
		}
		if r.Instances {
			row += " " + r.Title
		}
		rows = append(rows, row)
	}
	want := []string{
		"resume n[1-2]: D answered L refused L launched",
		"suspend n2: T no-answer T ended",
		"1 × c6i.xlarge spot us-east-1b: 1 × c6i.xlarge spot us-east-1b: launched at 120 ms, still there at the end: i-1",
		"1 × c6i.xlarge spot us-east-1b: 1 × c6i.xlarge spot us-east-1b: launched at 120 ms, ended at 215 ms: i-2",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if _, ok := newChart(Scenario{Elapsed: time.Second}); ok {
		t.Error("a timeline of nothing")
	}
}

func TestMarksOfATimelineCoverEachOtherOnlyWhereThereIsNoRoom(t *testing.T) {
	c, _ := newChart(Scenario{Elapsed: 10 * time.Second, Runs: []Run{manyNodes()}})
	if h := c.Rows[0].Height; h != 6+chartLane*chartLanes {
		t.Errorf("row height %d", h)
	}
	seen := map[string]bool{}
	for _, m := range c.Rows[0].Marks[:chartLanes] { // all within a few units
		if seen[m.Y] {
			t.Errorf("two marks at %s", m.Y)
		}
		seen[m.Y] = true
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for end, step := range map[time.Duration]time.Duration{
		250 * time.Millisecond: 50 * time.Millisecond, time.Second: 200 * time.Millisecond,
		9 * time.Second: 2 * time.Second, 61 * time.Second: 10 * time.Second, time.Nanosecond: time.Microsecond,
	} {
		if got := tickStep(end); got != step {
			t.Errorf("%s: a tick each %s", end, got)
		}
	}
}

func TestOutcomesOfCalls(t *testing.T) {
	for want, c := range map[outcome]Call{
		answered:  {Action: "DescribeInstances", Status: 200},
		launched:  {Action: "RunInstances", Status: 200, Instances: []string{"i-1"}},
		ended:     {Action: "TerminateInstances", Status: 200},
		throttled: {Action: "RunInstances", Status: 503, Code: "RequestLimitExceeded"},
		refused:   {Action: "RunInstances", Status: 400, Code: "VcpuLimitExceeded"},
		lost:      {Action: "RunInstances"},
	} {
		if got := c.outcome(); got != want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
