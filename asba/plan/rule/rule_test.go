package rule

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"aws-slurm-burst/asba/finding"
)

// ids returns the constants of ids.go by their values.
func ids(t *testing.T) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "ids.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || len(v.Names) != 1 {
			return true
		}
		b, ok := v.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		id, err := strconv.Unquote(b.Value)
		if err != nil {
			t.Fatal(err)
		}
		if out[id] != "" {
			t.Errorf("%s is %s and %s", id, out[id], v.Names[0].Name)
		}
		out[id] = v.Names[0].Name
		return true
	})
	return out
}

func TestEveryIdHasItsSectionWithItsLevel(t *testing.T) {
	known := ids(t)
	for id, name := range known {
		text, ok := Explain(id)
		if !ok || len(text) < 80 {
			t.Errorf("%s (%s) has no section worth reading in rules.md: %q", id, name, text)
		}
		if heading, _, _ := strings.Cut(text, "\n"); !strings.Contains(page, "\n"+heading+"\n") {
			t.Errorf("rules.md has another heading than %q: its level belongs to the id", heading)
		}
	}
	seen := map[string]bool{}
	for _, s := range Sections() {
		if known[s.ID] == "" {
			t.Errorf("rules.md explains %s, which is no finding", s.ID)
		}
		if seen[s.ID] {
			t.Errorf("%s has two sections", s.ID)
		}
		seen[s.ID] = true
	}
}

func TestWhatDropsATypeIsAnError(t *testing.T) {
	for _, id := range IDs() {
		if DropsType(id) && Level(id) != finding.Error {
			t.Errorf("%s costs a plan a type and is no error", id)
		}
		if ForAuthors(id) && Level(id) != finding.Warning {
			t.Errorf("%s would be kept from whoever carries a plan out", id)
		}
	}
}

func TestAReportKeepsAFindingBehindAnyNumberOfOthers(t *testing.T) {
	var r Report
	for i := range 1000 {
		r.Add(Unknown, Place{File: "p", Line: i + 1}, "m", "")
	}
	r.Add(Syntax, Place{File: "p", Line: 5000}, "m", "")
	fs := r.Findings()
	if len(fs) != maxFindings+1 || fs[maxFindings].ID != Syntax {
		t.Errorf("%d findings", len(fs))
	}
}

func TestAnIdThatIsNoneHasNoSection(t *testing.T) {
	if text, ok := Explain("PLAN999"); ok || text != "" {
		t.Error(text)
	}
	if n := len(IDs()); n != len(ids(t)) {
		t.Errorf("%d ids", n)
	}
}
