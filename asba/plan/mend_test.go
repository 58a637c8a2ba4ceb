package plan

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// patched applies a fix to a document: as much of RFC 6902 as fixes are made of.
func patched(t rapid.TB, text string, fix []finding.Op) string {
	t.Helper()
	doc := decoded(t, []byte(text))
	for _, op := range fix {
		var value any
		if op.Op == "add" || op.Op == "replace" {
			value = decoded(t, op.Value)
		}
		switch op.Op {
		case "add", "replace":
			doc = change(t, doc, op.Path, func(any) (any, bool) { return value, true }, op.Op == "replace")
		case "remove":
			doc = change(t, doc, op.Path, func(any) (any, bool) { return nil, false }, true)
		case "move":
			doc = change(t, doc, op.From, func(v any) (any, bool) { value = v; return nil, false }, true)
			doc = change(t, doc, op.Path, func(any) (any, bool) { return value, true }, false)
		default:
			t.Fatalf("no operation: %+v", op)
		}
	}
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// decoded keeps numbers as they are written.
func decoded(t rapid.TB, text []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// change changes the value at a pointer; with says what stands there instead,
// and whether anything does.
func change(t rapid.TB, doc any, pointer string, with func(any) (any, bool), there bool) any {
	t.Helper()
	name, rest, deeper := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	next := func(v any) (any, bool) {
		if deeper {
			return change(t, v, "/"+rest, with, there), true
		}
		return with(v)
	}
	switch in := doc.(type) {
	case map[string]any:
		old, ok := in[name]
		if !ok && (there || deeper) {
			t.Fatalf("nothing at %s", pointer)
		}
		if v, stays := next(old); stays {
			in[name] = v
		} else {
			delete(in, name)
		}
		return in
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i >= len(in) {
			t.Fatalf("no item at %s", pointer)
		}
		if v, stays := next(in[i]); stays {
			in[i] = v
			return in
		}
		return slices.Delete(in, i, i+1)
	}
	t.Fatalf("%s leads nowhere", pointer)
	return nil
}

func TestPlainMeaningIsTheFix(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"boolean in a string":   {`{"should_burst":"true"}`, `{"should_burst":true}`},
		"a shell's word":        {`{"should_burst":" No "}`, `{"should_burst":false}`},
		"number in a string":    {`{"mpi_configuration":{"process_count":"8"}}`, `{"mpi_configuration":{"process_count":8}}`},
		"price in a string":     {`{"instance_specification":{"max_spot_price":"2.50 "}}`, `{"instance_specification":{"max_spot_price":2.50}}`},
		"hours in a string":     {`{"cost_constraints":{"max_duration_hours":"2.5"}}`, `{"cost_constraints":{"max_duration_hours":2.5}}`},
		"one string":            {`{"instance_specification":{"instance_types":"c6i.large"}}`, `{"instance_specification":{"instance_types":["c6i.large"]}}`},
		"commas":                {`{"instance_specification":{"instance_types":"c6i.large, c6a.large,"}}`, `{"instance_specification":{"instance_types":["c6i.large","c6a.large"]}}`},
		"no item":               {`{"instance_specification":{"instance_types":""}}`, `{"instance_specification":{"instance_types":[]}}`},
		"prose":                 {`{"execution_metadata":{"decision_factors":"the queue is long, and so is the job"}}`, `{"execution_metadata":{"decision_factors":["the queue is long, and so is the job"]}}`},
		"number for an item":    {`{"execution_metadata":{"decision_factors":["a",7]}}`, `{"execution_metadata":{"decision_factors":["a","7"]}}`},
		"blank item":            {`{"instance_specification":{"instance_types":["c6i.large"," ","c6a.large"]}}`, `{"instance_specification":{"instance_types":["c6i.large","c6a.large"]}}`},
		"null item":             {`{"instance_specification":{"instance_types":[null,"c6a.large"]}}`, `{"instance_specification":{"instance_types":["c6a.large"]}}`},
		"boolean for a text":    {`{"execution_metadata":{"tags":{"a/b~c":true}}}`, `{"execution_metadata":{"tags":{"a/b~c":"true"}}}`},
		"misspelt":              {`{"should_brust":true}`, `{"should_burst":true}`},
		"misspelt in a section": {`{"instance_specification":{"instance_type":["c6i.large"]}}`, `{"instance_specification":{"instance_types":["c6i.large"]}}`},
		"a section misspelt":    {`{"cost_constraint":{"max_total_cost":5}}`, `{"cost_constraints":{"max_total_cost":5}}`},
		"misplaced":             {`{"max_total_cost":5,"cost_constraints":{"prefer_spot":true}}`, `{"cost_constraints":{"max_total_cost":5,"prefer_spot":true}}`},
		"section is absent":     {`{"max_total_cost":5}`, `{"cost_constraints":{"max_total_cost":5}}`},
		"section is null":       {`{"max_total_cost":5,"cost_constraints":null}`, `{"cost_constraints":{"max_total_cost":5}}`},
		"two levels down":       {`{"network_latency":"2ms"}`, `{"execution_metadata":{"expected_performance":{"network_latency":"2ms"}}}`},
		"up to the plan":        {`{"instance_specification":{"should_burst":false}}`, `{"instance_specification":{},"should_burst":false}`},
		"misspelt, misplaced":   {`{"max_cost_per_hours":5}`, `{"cost_constraints":{"max_cost_per_hour":5}}`},
		"first of two places":   {`{"availability_zones":["us-east-1a"]}`, `{"network_configuration":{"availability_zones":["us-east-1a"]}}`},
	} {
		_, fs := Read([]byte(c.text), "p")
		if len(fs) != 1 || fs[0].ID != rule.Type && fs[0].ID != rule.Unknown || fs[0].Fix == nil {
			t.Errorf("%s: %+v", name, fs)
			continue
		}
		got := patched(t, c.text, fs[0].Fix)
		if diff := cmp.Diff(patched(t, c.want, nil), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if _, fs := Read([]byte(got), "p"); len(fs) != 0 {
			t.Errorf("%s: %s still has %v", name, got, fs)
		}
	}
}

func TestWhatIsNotPlainHasNoFix(t *testing.T) {
	for name, text := range map[string]string{
		"a word for a boolean":   `{"should_burst":"perhaps"}`,
		"a number for a boolean": `{"should_burst":1}`,
		"a word for a number":    `{"mpi_configuration":{"process_count":"many"}}`,
		"half a process":         `{"mpi_configuration":{"process_count":"1.5"}}`,
		"hexadecimal":            `{"mpi_configuration":{"process_count":"0x10"}}`,
		"negative":               `{"mpi_configuration":{"process_count":"-8"}}`,
		"absurd":                 `{"cost_constraints":{"max_total_cost":"1e300"}}`,
		"seconds or nanoseconds": `{"performance_target":{"expected_runtime":"3600"}}`,
		"part of a nanosecond":   `{"performance_target":{"expected_runtime":1.5}}`,
		"an object for a list":   `{"instance_specification":{"instance_types":{}}}`,
		"a list in a list":       `{"instance_specification":{"instance_types":[[]]}}`,
		"the right key is there": `{"should_brust":true,"should_burst":true}`,
		"... and is null":        `{"should_brust":true,"should_burst":null}`,
		"... elsewhere":          `{"max_total_cost":5,"cost_constraints":{"max_total_cost":6}}`,
		"a name not to be shown": `{"execution_metadata":{"tags":{"a\u0007":true}}}`,
		"unlike any other":       `{"banana":1}`,
	} {
		_, fs := Read([]byte(text), "p")
		if len(fs) != 1 || fs[0].Fix != nil {
			t.Errorf("%s: %+v", name, fs)
		}
	}
}

// A section that is no object is told of itself; a key cannot be moved there.
func TestKeyIsNotMovedToWhatIsNoObject(t *testing.T) {
	_, fs := Read([]byte(`{"max_total_cost":5,"cost_constraints":[]}`), "p")
	if len(fs) != 2 || fs[0].Fix != nil || fs[0].Suggestion != "it belongs in cost_constraints" {
		t.Errorf("%+v", fs)
	}
}

// Two keys that mean the same one: a move of the second would drop the first.
func TestOneKeyIsMovedToAPlace(t *testing.T) {
	_, fs := Read([]byte(`{"should_brust":true,"shuold_burst":false}`), "p")
	if len(fs) != 2 || fs[0].Fix == nil || fs[1].Fix != nil {
		t.Errorf("%+v", fs)
	}
}

func TestKeyOfAnotherPlaceIsNamedWithIt(t *testing.T) {
	for text, want := range map[string]string{
		`{"instance_types":[]}`:                           "it belongs in instance_specification",
		`{"cost_constraints":{"should_burst":true}}`:      "it belongs in the plan itself",
		`{"fallback_to_on_demand":true}`:                  "it belongs in instance_specification/spot_instance_config",
		`{"instance_specification":{"max_total_cots":1}}`: "did you mean max_total_cost in cost_constraints?",
	} {
		if _, fs := Read([]byte(text), "p"); len(fs) != 1 || fs[0].Suggestion != want {
			t.Errorf("%s: %v, want %s", text, fs, want)
		}
	}
}

// broken draws a plan with keys that are misspelt or misplaced, and values of
// any type.
func broken(t *rapid.T) map[string]any {
	values := rapid.SampledFrom([]string{
		"null", "true", "7", "1.5", "-1", `""`, `" "`, `"yes"`, `"8"`, `"-8"`, `"x, y"`, `"a sentence, and more"`, `"2h30m"`, `"spot"`,
		`[]`, `[" ",null,7,"x"," "]`, `[[]]`, `{}`, `{"a/b~c":true,"\u0007":true,"max_total_cots":"5"}`,
	})
	var paths [][]string
	var walk func(keys []Key)
	walk = func(keys []Key) {
		for _, k := range keys {
			paths = append(paths, strings.Split(k.Path, "/"))
			walk(k.Keys)
		}
	}
	walk(Keys())
	plan := map[string]any{}
	for range rapid.IntRange(1, 6).Draw(t, "keys") {
		path := rapid.SampledFrom(paths).Draw(t, "path")
		name := path[len(path)-1]
		if rapid.Bool().Draw(t, "misspelt") {
			i := rapid.IntRange(0, len(name)-1).Draw(t, "letter")
			name = name[:i] + name[i+1:]
		}
		if rapid.Bool().Draw(t, "misplaced") {
			path = rapid.SampledFrom(paths).Draw(t, "place")
		}
		object := plan
		for _, section := range path[:len(path)-1] {
			next, ok := object[section].(map[string]any)
			if !ok {
				next = map[string]any{}
				object[section] = next
			}
			object = next
		}
		object[name] = json.RawMessage(values.Draw(t, "value"))
	}
	return plan
}

// fixed: whatever is wrong, a fix can be applied, and what it is for is gone.
func fixed(t *rapid.T) {
	text, err := json.Marshal(broken(t))
	if err != nil {
		t.Fatal(err)
	}
	_, fs := Read(text, "p")
	for _, f := range fs {
		if f.Fix != nil {
			fixes(t, string(text), f, fs)
		}
	}
}

func TestFixTakesItsFindingAway(t *testing.T) { rapid.Check(t, fixed) }

func FuzzFix(f *testing.F) { f.Fuzz(rapid.MakeFuzz(fixed)) }

func fixes(t *rapid.T, text string, x finding.Finding, before []finding.Finding) {
	t.Helper()
	got := patched(t, text, x.Fix)
	_, after := Read([]byte(got), "p")
	there := func(fs []finding.Finding) (n int) {
		for _, f := range fs {
			if f.ID == x.ID && (f.Pointer == x.Pointer || x.Fix[0].Op == "remove") {
				n++
			}
		}
		return n
	}
	// Where an item is removed, another takes its place.
	if n := there(after); n >= there(before) {
		t.Errorf("%v\n%+v\n%s\n%s\n%v", x, x.Fix, text, got, after)
	}
}
