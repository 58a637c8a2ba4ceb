package lint

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
	"aws-slurm-burst/fixtures"
)

var update = flag.Bool("update", false, "write the corpus' findings as they are now")

const corpus = "../../../fixtures/plans/findings"

// today is when the corpus is judged: ages in its findings count to it.
var today = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// a specimen is a plan of the corpus with the first line of its findings, which
// says what else is known.
type specimen struct {
	id, file string
	data     []byte
	options  Options
	first    string
	want     string
}

func specimens(t testing.TB) []specimen {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpus, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	var out []specimen
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		golden, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		s := specimen{id: strings.TrimSuffix(filepath.Base(file), ".json"), file: filepath.Base(file), data: data}
		s.first, s.want, _ = strings.Cut(string(golden), "\n")
		words, ok := strings.CutPrefix(s.first, "options:")
		if !ok {
			t.Fatalf("%s: its first line is %q, not options:", file, s.first)
		}
		s.options = parseOptions(t, words)
		out = append(out, s)
	}
	return out
}

func parseOptions(t testing.TB, words string) Options {
	t.Helper()
	o := Options{Catalog: catalog.Default(), Now: today}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for word := range strings.FieldsSeq(words) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "nodes":
			o.Nodes = number(value)
		case "region":
			o.Region = value
		case "policy":
			o.Policy = &plan.Policy{}
			if value == "default" {
				o.Policy = new(plan.DefaultPolicy)
			}
		case "line":
			o.Line = &NodeLine{Name: "hpc"}
			for part := range strings.SplitSeq(value, ",") {
				switch name, v, _ := strings.Cut(part, ":"); name {
				case "cpus":
					o.Line.CPUs = number(v)
				case "memory":
					o.Line.MemoryMiB = number(v)
				case "gres":
					o.Line.Gres = v
				case "arch":
					o.Line.Arch = v
				default:
					t.Fatalf("%q is no part of a line", part)
				}
			}
		default:
			t.Fatalf("%q is no option", word)
		}
	}
	return o
}

func (s specimen) judge(data []byte) []finding.Finding {
	p, fs := plan.Read(data, s.file)
	return All(p, fs, s.options)
}

// TestCorpus: each finding's plan has the findings that are written beside it.
func TestCorpus(t *testing.T) {
	for _, s := range specimens(t) {
		var b strings.Builder
		for _, f := range s.judge(s.data) {
			fmt.Fprintln(&b, f)
			if len(f.Fix) > 0 {
				fix, err := json.Marshal(f.Fix)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "    fix: %s\n", fix)
			}
		}
		if *update {
			if err := os.WriteFile(filepath.Join(corpus, s.id+".txt"), []byte(s.first+"\n"+b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(s.want, b.String()); diff != "" {
			t.Errorf("%s (go test ./asba/plan/lint -run Corpus -update writes what there is): %s", s.file, diff)
		}
	}
}

func TestEveryFindingHasItsPlan(t *testing.T) {
	all := specimens(t)
	for _, id := range rule.IDs() {
		if !strings.HasPrefix(id, "PLAN") {
			continue // of a file, whatever it says
		}
		i := slices.IndexFunc(all, func(s specimen) bool { return s.id == id })
		if i < 0 {
			t.Errorf("the corpus has no plan for %s", id)
			continue
		}
		if !strings.Contains(all[i].want, "["+id+"]") {
			t.Errorf("%s has another finding than its own:\n%s", all[i].file, all[i].want)
		}
	}
}

// TestAFixTakesItsFindingAway: applied alone, it leaves fewer of its kind, no
// new error, and a plan that can be read.
func TestAFixTakesItsFindingAway(t *testing.T) {
	fixed := 0
	for _, s := range specimens(t) {
		fs := s.judge(s.data)
		for _, f := range fs {
			if len(f.Fix) == 0 {
				continue
			}
			fixed++
			text, err := apply(s.data, f.Fix)
			if err != nil {
				t.Errorf("%s: %s: %v", s.file, f, err)
				continue
			}
			after := s.judge(text)
			if count(after, f.ID) >= count(fs, f.ID) {
				t.Errorf("%s: %s\n  is still there in\n%s\n%v", s.file, f, text, after)
			}
			for _, x := range after {
				if x.Level == finding.Error && count(after, x.ID) > count(fs, x.ID) {
					t.Errorf("%s: the fix of %s\n  makes %s", s.file, f, x)
				}
			}
		}
	}
	if fixed < 20 {
		t.Errorf("only %d findings of the corpus have a fix", fixed)
	}
}

func count(fs []finding.Finding, id string) int {
	n := 0
	for _, f := range fs {
		if f.ID == id {
			n++
		}
	}
	return n
}

// apply is enough of RFC 6902 for the fixes there are, on decoded values.
func apply(data []byte, fix []finding.Op) ([]byte, error) {
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	for _, op := range fix {
		if op.Op == "move" {
			v, err := edit(&doc, op.From, func(any) (any, bool) { return nil, false })
			if err != nil {
				return nil, err
			}
			if _, err = edit(&doc, op.Path, func(any) (any, bool) { return v, true }); err != nil {
				return nil, err
			}
			continue
		}
		var v any
		if op.Op != "remove" {
			if err := json.Unmarshal(op.Value, &v); err != nil {
				return nil, err
			}
		}
		if _, err := edit(&doc, op.Path, func(any) (any, bool) { return v, op.Op != "remove" }); err != nil {
			return nil, err
		}
	}
	return json.MarshalIndent(doc, "", "  ")
}

// edit puts what with makes of the value at a pointer there, or takes it out,
// and returns what was there.
func edit(doc *any, pointer string, with func(any) (any, bool)) (was any, err error) {
	parts := strings.Split(pointer, "/")[1:]
	for i, p := range parts {
		p = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
		last := i == len(parts)-1
		switch n := (*doc).(type) {
		case map[string]any:
			if last {
				was = n[p]
				if v, keep := with(was); keep {
					n[p] = v
				} else {
					delete(n, p)
				}
				return was, nil
			}
			child, ok := n[p]
			if !ok {
				return nil, fmt.Errorf("nothing at %s", pointer)
			}
			if k, isList := child.([]any); isList {
				return editList(n, p, k, parts[i+1:], pointer, with)
			}
			doc = &child
		default:
			return nil, fmt.Errorf("%s leads through a %T", pointer, n)
		}
	}
	return nil, fmt.Errorf("%q names the document", pointer)
}

func editList(in map[string]any, name string, list []any, rest []string, pointer string, with func(any) (any, bool)) (any, error) {
	k, err := strconv.Atoi(rest[0])
	if err != nil || k >= len(list) || len(rest) != 1 {
		return nil, fmt.Errorf("no item %s", pointer)
	}
	was := list[k]
	if v, keep := with(was); keep {
		list[k] = v
	} else {
		in[name] = slices.Delete(list, k, k+1)
	}
	return was, nil
}

// The seed's eight variables, beside what they should have said.
func TestTheSeedsVariables(t *testing.T) {
	read := func(name string) []string {
		vars, err := fixtures.Environment(name)
		if err != nil {
			t.Fatal(err)
		}
		p, fs, ok := plan.FromEnv(func(want string) string {
			for _, v := range vars {
				if name, value, _ := strings.Cut(v, "="); name == want {
					return value
				}
			}
			return ""
		})
		if !ok {
			t.Fatalf("%s is no plan", name)
		}
		var got []string
		for _, f := range All(p, fs, Options{Catalog: catalog.Default(), Now: today}) {
			got = append(got, f.String())
		}
		return got
	}
	want := []string{
		"ASBA_INSTANCE_TYPES: error[PLAN030]: hpc7a.2xlarge is not an EC2 instance type (did you mean hpc7a.12xlarge?) (hpc7a.12xlarge has no spot market: write on-demand or mixed as the purchasing_option, or another type)",
		"ASBA_INSTANCE_TYPES: error[PLAN031]: no possible instance type is left: hpc7a.2xlarge is not an EC2 instance type (did you mean hpc7a.12xlarge?) (run 'asba recommend-instances' for types that fit)",
		"ASBA_INSTANCE_TYPES: error[PLAN033]: c6i.2xlarge has no EFA (c6i.32xlarge has it)",
	}
	if diff := cmp.Diff(want, read("asba.env")); diff != "" {
		t.Error(diff)
	}
	if got := read("asba-corrected.env"); got != nil {
		t.Errorf("corrected, and still: %v", got)
	}
}
