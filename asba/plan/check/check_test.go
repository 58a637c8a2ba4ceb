package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/asba/plan/rule"
)

func options() Options {
	policy := plan.DefaultPolicy
	return Options{Options: lint.Options{Catalog: catalog.Default(), Policy: &policy, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
}

func ids(fs []finding.Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, f.ID)
	}
	return strings.Join(out, " ")
}

func TestATextIsJudgedWhole(t *testing.T) {
	r := Text([]byte(`{"instance_specification": {"instance_types": ["c6i.huge", "c6i.large"], "purchasing_option": "spott", "insance_count": 2},
		"mpi_configuration": {"process_count": 8}}`), "plan.json", options())
	if got := ids(r.Findings); got != "PLAN030 PLAN021 PLAN009" {
		t.Errorf("findings %s", got)
	}
	if r.Dialect != "A" || len(r.Digest) != 16 || r.Nodes != 4 || r.Plan == nil || r.File != "plan.json" {
		t.Errorf("%+v", r)
	}
	o := options()
	o.Nodes, o.Suppress = 8, []string{"PLAN009", "PLAN030"}
	if r := Text([]byte(`{"instance_specification": {"instance_types": ["c6i.huge", "c6i.large"], "x": 2}}`), "plan.json", o); len(r.Findings) != 0 || r.Nodes != 8 {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsNoPlanHasItsFinding(t *testing.T) {
	for name, c := range map[string]struct {
		r    Result
		want string
	}{
		"too large": {TooLarge("plan.json", options()), "PLAN001"},
		"so it is":  {Text(make([]byte, plan.MaxSize+1), "plan.json", options()), "PLAN001"},
		"variables": {Text(make([]byte, plan.MaxSize+1), "plan.env", options()), "PLAN001"},
		"broken":    {Text([]byte(`{"a"`), "plan.json", options()), "PLAN004"},
		"empty":     {Text(nil, "plan.json", options()), "PLAN002"},
	} {
		if got := ids(c.r.Findings); got != c.want || c.r.Plan != nil || c.r.Dialect != "" {
			t.Errorf("%s: %s, %+v", name, got, c.r)
		}
	}
}

// A partition's node groups differ in size; a type may be too small for one.
func TestSeveralNodeGroupsAreToldApart(t *testing.T) {
	o := options()
	o.Lines = []lint.NodeLine{{Name: "small", CPUs: 2}, {Name: "large", CPUs: 64}, {Name: "huge", CPUs: 128}}
	r := Text([]byte(`{"instance_specification": {"instance_types": ["c6i.4xlarge", "c6i.32xlarge"], "purchasing_option": "spott"}}`), "plan.json", o)
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.ID+" "+f.Message)
		if f.ID == rule.TooSmall && f.Fix != nil {
			t.Errorf("a type that is right for one group is taken from all: %v", f)
		}
	}
	want := []string{
		"PLAN037 for node group huge: c6i.4xlarge has 16 CPUs, nodes of huge are declared with 128",
		"PLAN037 for node group large: c6i.4xlarge has 16 CPUs, nodes of large are declared with 64",
		`PLAN021 "spott" is not a purchasing option`,
	}
	slices.Sort(got[:min(2, len(got))])
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	o.Lines = o.Lines[1:2]
	if r := Text([]byte(`{"instance_specification": {"instance_types": ["c6i.4xlarge"]}}`), "plan.json", o); !strings.Contains(ids(r.Findings), "PLAN037") {
		t.Errorf("%v", r.Findings)
	}
}

func TestVariablesInAFileHaveTheirLine(t *testing.T) {
	text := `# a comment
export ASBA_INSTANCE_TYPES="c6i.large, c6i.huge"  # another
PATH=/bin
 ASBA_PURCHASING_OPTION='spott'
ASBA_MAX_SPOT_PRICE=cheap # too cheap
ASBA_MPI_PROCESS=8
ASBA_GANG_SCHEDULING="true
ASBA_MAX_SPOT_PRICE=1
what is this
`
	r := Text([]byte(text), "plan.env", options())
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Where()+" "+f.ID)
	}
	want := []string{"plan.env:2:40 PLAN030", "plan.env:4:25 PLAN021", "plan.env:5:21 PLAN007", "plan.env:6:1 PLAN009",
		"plan.env:7:22 PLAN004", "plan.env:7:22 PLAN040", "plan.env:8:1 PLAN006", "plan.env:9:1 PLAN004"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v\n%v", got, want, r.Findings)
	}
	if r.Dialect != "env" || r.File != "plan.env" {
		t.Errorf("%+v", r)
	}
}

func TestVariablesAreKnownByTheirLines(t *testing.T) {
	for text, want := range map[string]string{
		"\n# x\nexport ASBA_INSTANCE_TYPES=c6i.large": "env",
		`ASBA_INSTANCE_TYPES=c6i.large`:               "env",
		"\uFEFFASBA_INSTANCE_TYPES=c6i.large\r\n":     "env",
		`{"instance_specification": {}}`:              "A",
		"// ASBA_INSTANCE_TYPES=c6i.large\n{}":        "A",
	} {
		if r := Text([]byte(text), "stdin", options()); r.Dialect != want {
			t.Errorf("%q: dialect %q, want %q", text, r.Dialect, want)
		}
	}
	for text, want := range map[string]string{"": "PLAN002", "# nothing\n": "PLAN002", "PATH=/bin\n": "PLAN002", "ASBA_\xff=1": "PLAN003"} {
		if r := Text([]byte(text), "x.env", options()); ids(r.Findings) != want {
			t.Errorf("%q: %v, want %s", text, r.Findings, want)
		}
	}
}

func TestTheEnvironmentIsAPlanWhereItHoldsOne(t *testing.T) {
	if _, present := Environment(func(string) string { return "" }, options()); present {
		t.Error("a plan without variables")
	}
	r, present := Environment(func(name string) string {
		return map[string]string{"ASBA_INSTANCE_TYPES": "c6i.huge"}[name]
	}, options())
	if !present || r.File != "environment" || len(r.Findings) == 0 || r.Findings[0].File != "ASBA_INSTANCE_TYPES" {
		t.Errorf("%+v", r)
	}
}

func TestFixMendsWhatItCanAndKeepsTheRest(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
		n          int
		left       string
	}{
		"comments and words": {
			"{\n  // why\n  \"instance_specification\": {\n    \"instance_types\": [\"c6i.large\"], // one\n    \"purchasing_option\": \"Spot\"\n  }\n}\n",
			"{\n  \"instance_specification\": {\n    \"instance_types\": [\"c6i.large\"],\n    \"purchasing_option\": \"spot\"\n  }\n}\n", 2, ""},
		"a trailing comma": {
			"{\n  \"instance_specification\": {\n    \"instance_types\": [\"c6i.large\",]\n  }\n}\n",
			"{\n  \"instance_specification\": {\n    \"instance_types\": [\"c6i.large\"]\n  }\n}\n", 1, ""},
		"the same type again and again": {
			`{"instance_specification": {"instance_types": ["c6i.large", "c6i.large", "c6i.xlarge", "c6i.large"]}}`,
			`{"instance_specification": {"instance_types": ["c6i.large", "c6i.xlarge"]}}`, 2, ""},
		"nothing has a fix": {`{"instance_specification": {}}`, `{"instance_specification": {}}`, 0, "PLAN020"},
		"broken otherwise":  {"{ // x\n \"a\"", "{ // x\n \"a\"", 0, "PLAN010 PLAN004"},
		"variables":         {"ASBA_PURCHASING_OPTION=Spot\n", "ASBA_PURCHASING_OPTION=Spot\n", 0, "PLAN020 PLAN021"},
	} {
		out, r, n := Fix([]byte(c.text), "plan.json", options())
		if string(out) != c.want || n != c.n || ids(r.Findings) != c.left {
			t.Errorf("%s: %d, left %s\ngot\n%s\nwant\n%s", name, n, ids(r.Findings), out, c.want)
		}
	}
}

// What no fix can settle is left, and none may make a text too large.
func TestFixEnds(t *testing.T) {
	o := options()
	o.Nodes = 4
	const needs8 = `{"instance_specification": {"instance_types": ["c5n.18xlarge"], "instance_count": 4}, "mpi_configuration": {"process_count": 512}}`
	if out, _, n := Fix([]byte(needs8), "plan.json", o); n != 0 || string(out) != needs8 {
		t.Errorf("%d mended: %s", n, out)
	}
	full := []byte(`{"instance_specification": {"instance_types": "c6i.large"}}`)
	full = append(full, bytes.Repeat([]byte(" "), plan.MaxSize-len(full))...)
	if out, r, n := Fix(full, "plan.json", options()); n != 0 || !bytes.Equal(out, full) || r.Plan == nil {
		t.Errorf("%d mended, to %d bytes: %v", n, len(out), r.Findings)
	}
}

// Whatever has a fix is gone once it was mended, and the fix is said before.
func TestMendedTextsHaveNoFixLeft(t *testing.T) {
	for _, name := range []string{"../testdata/dialect-a.json", "../testdata/dialect-b.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		broken := strings.ReplaceAll(string(text), `"spot"`, `"spott"`)
		out, r, _ := Fix([]byte(broken), name, options())
		for _, f := range r.Findings {
			if Mend(f) != "" {
				t.Errorf("%s: not mended: %v", name, f)
			}
		}
		if r.Plan == nil || strings.Contains(string(out), "spott") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
	if Mend(finding.Finding{ID: rule.Comment}) == "" || Mend(finding.Finding{ID: rule.NoTypes}) != "" {
		t.Error("what would be done is not said")
	}
}

// The corpus has a plan for each finding: what has a fix is gone after Fix, and
// lines that nothing was said of are as they were.
func TestTheCorpusIsMended(t *testing.T) {
	files, err := filepath.Glob("../../../fixtures/plans/findings/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	mended := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		o := options()
		o.Policy = &plan.Policy{} // lets a plan set nothing
		before := Text(data, file, o)
		out, after, n := Fix(data, file, o)
		for _, f := range after.Findings {
			if Mend(f) != "" {
				t.Errorf("%s: not mended: %v\n%s", file, f, out)
			}
		}
		if again := Text(out, file, o); fmt.Sprint(again.Findings) != fmt.Sprint(after.Findings) {
			t.Errorf("%s: judged %v, and again %v", file, after.Findings, again.Findings)
		}
		said := slices.ContainsFunc(before.Findings, func(f finding.Finding) bool { return Mend(f) != "" })
		if said != (n > 0) && !slices.ContainsFunc(before.Findings, func(f finding.Finding) bool { return f.ID == rule.Syntax }) {
			t.Errorf("%s: a fix is promised: %v, and %d were made", file, said, n)
		}
		if n == 0 {
			continue
		}
		mended++
		if after.Plan == nil || !json.Valid(out) {
			t.Errorf("%s: no plan any more:\n%s", file, out)
		}
		lines := strings.Split(string(data), "\n")
		if first, _, _ := strings.Cut(string(out), "\n"); first != lines[0] {
			t.Errorf("%s begins %q, and not %q", file, first, lines[0])
		}
		if !strings.HasSuffix(string(out), "\n}\n") {
			t.Errorf("%s ends otherwise:\n%s", file, out)
		}
	}
	if mended < 25 {
		t.Errorf("only %d plans were mended", mended)
	}
}

// FuzzFix: whatever a plan holds, what is mended is a plan, and needs no more.
func FuzzFix(f *testing.F) {
	files, err := filepath.Glob("../../../fixtures/plans/findings/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) < 4096 {
			f.Add(data)
		}
	}
	f.Add([]byte("export ASBA_INSTANCE_TYPES='c6i.large, c6i.huge' # x\nASBA_X=1\n"))
	o := options()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		before := Text(data, "p.json", o)
		for _, x := range before.Findings {
			if x.File != "p.json" {
				t.Errorf("no place: %v", x)
			}
		}
		out, after, n := Fix(data, "p.json", o)
		if n == 0 && !bytes.Equal(out, data) || before.Plan != nil && after.Plan == nil {
			t.Errorf("%d mended: %q became %q", n, data, out)
		}
		if n > 0 && !json.Valid(bytes.TrimPrefix(out, []byte("\uFEFF"))) {
			t.Errorf("no JSON any more: %q became %q", data, out)
		}
	})
}
