package lint

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// FuzzPlans changes real plans here and there, and judges them. A seed and a
// number of changes are the whole input, so that what fails is a line.
func FuzzPlans(f *testing.F) {
	f.Add(uint64(1), uint8(1))
	try := mutated(f)
	f.Fuzz(func(t *testing.T, seed uint64, changes uint8) { try(t, seed, int(changes)%8+1) })
}

func TestMutatedPlansAreJudgedAndMended(t *testing.T) {
	try := mutated(t)
	for seed := range uint64(2000) {
		if try(t, seed, int(seed%6)+1); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// mutated judges plans that were changed by a seed: nothing panics, every
// finding has its place in the text and its section in the page, and every fix
// takes its finding away.
func mutated(tb testing.TB) func(t *testing.T, seed uint64, changes int) {
	all := trees(tb)
	o := parseOptions(tb, "nodes=8 policy=none line=cpus:8,memory:15000,gres:gpu:1,arch:x86_64")
	return func(t *testing.T, seed uint64, changes int) {
		rng := rand.New(rand.NewPCG(seed, 1))
		doc := deepCopy(all[rng.IntN(len(all))])
		for range changes {
			doc = mutate(rng, doc, all)
		}
		text, err := json.MarshalIndent(doc, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		judge := func(text []byte) []finding.Finding {
			p, fs := plan.Read(text, "p")
			return All(p, fs, o)
		}
		fs := judge(text)
		lines := strings.Split(string(text), "\n")
		for _, x := range fs {
			if x.Line < 1 || x.Line > len(lines) || x.Column < 1 || x.Column > len(lines[x.Line-1])+1 {
				t.Errorf("no place in the text: %v\n%s", x, text)
			}
			if strings.ContainsAny(x.String(), "\x1b\n\r\x00") || x.Message == "" {
				t.Errorf("%q", x)
			}
			if _, ok := rule.Explain(x.ID); !ok {
				t.Errorf("%s is not explained", x.ID)
			}
			if len(x.Fix) == 0 {
				continue
			}
			after, err := apply(text, x.Fix)
			if err != nil {
				t.Errorf("%v: %v: %v\n%s", x, x.Fix, err, text)
				continue
			}
			if again := judge(after); slices.ContainsFunc(again, func(a finding.Finding) bool {
				return a.ID == x.ID && a.Pointer == x.Pointer && a.Message == x.Message && count(again, x.ID) >= count(fs, x.ID)
			}) {
				t.Errorf("%v\nis still there after %v in\n%s\n%v", x, x.Fix, after, again)
			}
		}
	}
}

// trees are the plans there are, decoded.
func trees(t testing.TB) []any {
	t.Helper()
	var out []any
	for _, pattern := range []string{corpus + "/*.json", "../../../fixtures/plans/*.json", "../testdata/*.json", "../../../examples/*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if len(data) < 1<<16 && json.Unmarshal(data, &v) == nil {
				if _, is := v.(map[string]any); is {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

// odds are values that plans have had, or should not have.
var odds = []any{
	nil, true, false, 0.0, -1.0, 1.0, 0.01, 7.0, 8.0, 1e6, 1e18, 1.5, "", " ", "8", "true", "spot", "Spot", "on-demand", "mixed", "cluster", "spread", "none",
	"c6i.2xlarge", "c6i.huge", "hpc7a.2xlarge", "hpc7a.48xlarge", "c7g.16xlarge", "g5.xlarge", "t3.micro", "us-east-1a", "use1-az4", "us-west-2a", "us-east-1",
	"subnet-1", "subnet-0123456789abcdef0", "sg-0123456789abcdef0", "2h30m", "-1h", "2020-01-01T00:00:00Z", "é\u2028", "\x1b[31m", "a/b~c",
	[]any{}, map[string]any{}, []any{"c6i.2xlarge", "c6i.2xlarge"}, []any{"p5.48xlarge", "c7gn.16xlarge"}, []any{"use1-az1", "use2-az1"},
}

// mutate changes one thing of a plan.
func mutate(rng *rand.Rand, doc any, all []any) any {
	object, ok := doc.(map[string]any)
	if !ok || rng.IntN(12) == 0 {
		return deepCopy(odds[rng.IntN(len(odds))])
	}
	names := keys(object)
	if len(names) == 0 || rng.IntN(4) == 0 { // take over a member of another plan
		other, _ := all[rng.IntN(len(all))].(map[string]any)
		if from := keys(other); len(from) > 0 {
			name := from[rng.IntN(len(from))]
			object[name] = merged(object[name], deepCopy(other[name]))
		}
		return object
	}
	name := names[rng.IntN(len(names))]
	switch rng.IntN(6) {
	case 0:
		delete(object, name)
	case 1:
		object[misspelt(rng, name)] = object[name]
		if rng.IntN(2) == 0 {
			delete(object, name)
		}
	default:
		switch v := object[name].(type) {
		case []any:
			if len(v) > 0 && rng.IntN(2) == 0 {
				v[rng.IntN(len(v))] = deepCopy(odds[rng.IntN(len(odds))])
			} else {
				object[name] = append(v, deepCopy(odds[rng.IntN(len(odds))]))
			}
		default:
			object[name] = mutate(rng, v, all)
		}
	}
	return object
}

func misspelt(rng *rand.Rand, name string) string {
	i := rng.IntN(len(name) + 1)
	if i < len(name) && rng.IntN(2) == 0 {
		return name[:i] + name[i+1:]
	}
	return name[:i] + fmt.Sprint(rng.IntN(10)) + name[i:]
}

func merged(a, b any) any {
	x, ok := a.(map[string]any)
	y, both := b.(map[string]any)
	if !ok || !both {
		return b
	}
	for _, k := range keys(y) {
		x[k] = y[k]
	}
	return x
}

func keys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = deepCopy(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = deepCopy(x)
		}
		return out
	}
	return v
}
