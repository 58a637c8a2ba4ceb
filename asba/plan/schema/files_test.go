package schema

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
)

// plansOf returns the plans in some folders of the project.
func plansOf(t *testing.T, folders ...string) []string {
	t.Helper()
	var out []string
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(repo, folder), func(path string, d fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".json") {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Those that are wrong on purpose are listed with what the schema says of them;
// the reader and lint have to find something too.
func TestEveryPlanOfTheProjectIsAPlanOrListed(t *testing.T) {
	s := compiled(t)
	var list bytes.Buffer
	plans := plansOf(t, "examples", "fixtures", "asba/plan/testdata")
	if len(plans) < 12 {
		t.Fatalf("plans: %v", plans)
	}
	for _, path := range plans {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var wrong []string
		if _, err := jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
			wrong = []string{"not JSON"}
		} else {
			where := refused(t, s, text)
			for _, at := range slices.Sorted(maps.Keys(where)) {
				wrong = append(wrong, fmt.Sprintf("%s: %s", at, where[at]))
			}
		}
		name, err := filepath.Rel(repo, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range wrong {
			fmt.Fprintf(&list, "%s: %s\n", filepath.ToSlash(name), w)
		}
		p, found := plan.Read(text, name)
		if found = lint.All(p, found, lint.Options{}); len(wrong) > 0 && finding.Count(found, finding.Warning) == 0 {
			t.Errorf("%s: the schema refuses %v, and nobody else finds anything", name, wrong)
		}
	}
	same(t, "testdata/refused.txt", list.Bytes())
}

// An editor finds the schema by the path that a plan names, relative to itself.
func TestExamplesNameTheirSchema(t *testing.T) {
	plans, err := filepath.Glob(filepath.Join(repo, "examples/*.json"))
	if err != nil || len(plans) == 0 {
		t.Fatalf("%v %v", plans, err)
	}
	for _, path := range plans {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		named, _ := unmarshal(t, text)["$schema"].(string)
		s, err := jsonschema.NewCompiler().Compile(filepath.Join(filepath.Dir(path), filepath.FromSlash(named)))
		if err != nil || s.ID != ID {
			t.Errorf("%s names %q: %v", path, named, err)
			continue
		}
		if r := refused(t, s, text); len(r) != 0 {
			t.Errorf("%s: %v", path, r)
		}
	}
}

// What docs/PLAN.md shows as a plan is one, and what it shows in both dialects
// says the same.
func TestExamplesOfThePageArePlans(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repo, "docs/PLAN.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := compiled(t)
	var shown []*plan.Plan
	for _, block := range strings.Split(string(page), "```json\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if r := refused(t, s, []byte(text)); len(r) != 0 {
			t.Errorf("the schema refuses %v\n%s", r, text)
		}
		p, found := plan.Read([]byte(text), "docs/PLAN.md")
		if found = lint.All(p, found, lint.Options{}); len(found) != 0 {
			t.Errorf("%v\n%s", found, text)
		}
		shown = append(shown, p)
	}
	if len(shown) != 3 || shown[1].Dialect != plan.DialectA || shown[2].Dialect != plan.DialectB {
		t.Fatalf("not a plan with its schema, one in A and one in B: %v", shown)
	}
	if diff := cmp.Diff(shown[1], shown[2], sameWords); diff != "" {
		t.Errorf("A and B differ: %s", diff)
	}
}

func TestPageHasEverySecondPlace(t *testing.T) {
	lines := strings.Split(pageBeforeKeys(t), "\n")
	last := func(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
	each(plan.Keys(), func(k plan.Key) {
		if k.First != "" && !slices.ContainsFunc(lines, func(l string) bool {
			cells := strings.Split(l, "|")
			return len(cells) > 3 && strings.Contains(cells[1], last(k.First)) && strings.Contains(cells[2], k.Name)
		}) {
			t.Errorf("no line for %s and %s", k.First, k.Path)
		}
	})
}

func TestPageSaysWhichKeyAVariableIs(t *testing.T) {
	page := pageBeforeKeys(t)
	for _, name := range plan.Variables {
		_, row, _ := strings.Cut(page, "| `"+name+"`")
		_, row, _ = strings.Cut(row, "| `")
		path, _, _ := strings.Cut(row, "`")
		p, _, _ := plan.FromEnv(func(n string) string {
			return map[string]string{name: "1"}[n] // also true, and a text
		})
		if at(unmarshal(t, plan.Write(p)), path) == nil {
			t.Errorf("%s is not %q:\n%s", name, path, plan.Write(p))
		}
	}
}

func pageBeforeKeys(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(repo, "docs/PLAN.md"))
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(page), from)
	return before
}
