package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/asba/plan/plantest"
	"aws-slurm-burst/asba/plan/rule"
)

// sameWords compares what plans say, not where or how it was written.
var sameWords = cmp.Options{
	cmpopts.IgnoreTypes(plan.Place{}, []plan.Place{}),
	cmpopts.IgnoreFields(plan.Plan{}, "Digest", "Source", "Dialect", "Sections"),
	cmpopts.IgnoreUnexported(plan.Plan{}),
	cmpopts.EquateEmpty(),
}

func TestWhateverIsWrittenTheSchemaLetsPass(t *testing.T) {
	s := compiled(t)
	rapid.Check(t, func(t *rapid.T) {
		text := plan.Write(plantest.Plan(t))
		if r := refused(t, s, text); len(r) != 0 {
			t.Fatalf("refused: %v\n%s", r, text)
		}
	})
}

// drawn draws a document by the published schema.
func drawn(tb testing.TB) *rapid.Generator[map[string]any] {
	tb.Helper()
	var k keywords
	if err := strict(plan.Schema(), &k); err != nil {
		tb.Fatal(err)
	}
	return rapid.Custom(func(t *rapid.T) map[string]any { return k.object(t).(map[string]any) })
}

func marshal(t rapid.TB, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// unmarshal keeps numbers as they are written.
func unmarshal(t rapid.TB, text []byte) (v map[string]any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhateverTheSchemaLetsPassIsReadAndArrives(t *testing.T) {
	s, documents := compiled(t), drawn(t)
	rapid.Check(t, func(t *rapid.T) {
		text := marshal(t, documents.Draw(t, "document"))
		if r := refused(t, s, text); len(r) != 0 {
			t.Fatalf("drawn, but refused: %v\n%s", r, text)
		}
		p, fs := plan.Read(text, "p")
		for _, f := range fs {
			if f.ID != rule.Disagree { // two places, each good by itself
				t.Errorf("%v\n%s", f, text)
			}
		}
		written := plan.Write(p)
		back, fs := plan.Read(written, "back")
		if diff := cmp.Diff(p, back, sameWords, cmpopts.IgnoreFields(plan.Plan{}, "ShouldBurst")); len(fs) != 0 || diff != "" || p.Bursts() != back.Bursts() {
			t.Fatalf("%v %s\n%s", fs, diff, text)
		}
		arrives(t, unmarshal(t, text), unmarshal(t, written))
	})
}

// arrives compares each value of a document with what was written of the plan
// that was read from it.
func arrives(t *rapid.T, document, written map[string]any) {
	second := map[string]string{} // the second place of a first
	each(plan.Keys(), func(k plan.Key) {
		if k.First != "" {
			second[k.First] = k.Path
		}
	})
	each(plan.Keys(), func(k plan.Key) {
		decides := k.Kind != plan.KindAny && k.Kind != plan.KindObject && !strings.Contains(k.Path, "/expected_performance/")
		said := means(k, at(document, k.Path))
		switch {
		case !decides, k.Path == "should_burst": // which is written in any case
			return
		case k.First == "":
			if other, ok := second[k.Path]; !ok || at(document, other) == nil {
				if got := means(k, at(written, k.Path)); !cmp.Equal(got, said) {
					t.Errorf("%s: %v became %v", k.Path, said, got)
				}
			}
			return
		case at(document, k.First) != nil: // settled with what is there
			return
		case k.Name == "enable_spot":
			if said == true {
				said = any(plan.Spot)
			} else {
				said = nil
			}
			k.Kind = plan.KindText
		}
		if got := means(k, at(written, k.First)); !cmp.Equal(got, said) {
			t.Errorf("%s: %v became %v at %s", k.Path, said, got, k.First)
		}
	})
}

// at is the value at a path, nil where there is none.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, "/") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// means is what a value says, nil for what leaves it open, whatever its
// spelling.
func means(k plan.Key, v any) any {
	text := fmt.Sprint(v)
	number, _ := strconv.ParseFloat(text, 64)
	spoken, _ := time.ParseDuration(text)
	switch {
	case v == nil, text == "":
		return nil
	case k.Kind == plan.KindBoolean:
		return v
	case k.Kind == plan.KindText:
		return text
	case k.Kind == plan.KindUSD && (number != 0 || k.Name == "max_spot_price"):
		return number
	case k.Kind == plan.KindCount && number != 0:
		return number
	case k.Kind == plan.KindHours && (number != 0 || spoken != 0):
		ms := number*3.6e6 + float64(spoken.Nanoseconds())/1e6
		return max(math.Round(ms), 1)
	case k.Kind == plan.KindDuration && (number != 0 || spoken != 0):
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return time.Duration(n)
		}
		return spoken
	case k.Kind == plan.KindTime:
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
			if at, err := time.Parse(layout, text); err == nil && !at.IsZero() {
				return at.UTC()
			}
		}
	case k.Kind == plan.KindList:
		var items []string
		for _, item := range v.([]any) {
			items = append(items, strings.TrimSpace(item.(string)))
		}
		if items != nil {
			return items
		}
	case k.Kind == plan.KindTags:
		tags := map[string]string{}
		for name, v := range v.(map[string]any) {
			if v != nil {
				tags[name] = fmt.Sprint(v)
			}
		}
		if len(tags) > 0 {
			return tags
		}
	}
	return nil
}

// odd are values of every kind, good and bad. Text that is good by its form
// alone is not among them: a pattern cannot refuse 99999999h, or a 31st of June.
var odd = []any{
	nil, true, false,
	0, 1, -1, 1.5, 7, 87600, 87600.5, 999_999, 1_000_001, 1e9, 1.1e9, 3e17, 4e17, -1e300, 1e300,
	"", " ", "x", "true", "8", "-1", "1.5", "2h30m", "-2h", "2h30", "2026-01-02T15:04:05Z", "2026-13-02T15:04:05Z",
	[]any{}, []any{" "}, []any{nil}, []any{7}, []any{[]any{}}, []any{map[string]any{}},
	map[string]any{}, map[string]any{"zzzzzzzz": nil}, map[string]any{"zzzzzzzz": true}, map[string]any{"a/b~": []any{}, "zz": "x"},
}

// ofForm are the findings about one value, and about a key.
var ofForm = []string{rule.Type, rule.Range, rule.Unknown}

func places(fs []finding.Finding, ids ...string) []string {
	var out []string
	for _, f := range fs {
		if slices.Contains(ids, f.ID) {
			out = append(out, f.Pointer)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// broken puts an odd value into a document, and reports whether it is one to
// try: whether a word is one of those there are is for lint to say.
func broken(document map[string]any, k plan.Key, v any) bool {
	switch v.(type) {
	case string, int, float64:
		if k.Words != nil || k.Pattern != "" {
			return false
		}
	}
	object, name := document, k.Path
	for section, rest, inside := strings.Cut(name, "/"); inside; section, rest, inside = strings.Cut(name, "/") {
		next, ok := object[section].(map[string]any)
		if !ok {
			next = map[string]any{}
			object[section] = next
		}
		object, name = next, rest
	}
	object[name] = v
	return true
}

// agrees compares where the schema refuses a document with where the reader
// finds something, and returns the places.
func agrees(t rapid.TB, s *jsonschema.Schema, document map[string]any) []string {
	text := marshal(t, document)
	_, fs := plan.Read(text, "p")
	found := places(fs, ofForm...)
	if diff := cmp.Diff(found, slices.Sorted(maps.Keys(refused(t, s, text))), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the reader finds something at -, the schema at +:\n%s%s\n%v", diff, text, fs)
	}
	return found
}

func TestWhatIsBrokenIsRefusedWhereTheReaderFindsIt(t *testing.T) {
	s := compiled(t)
	each(plan.Keys(), func(k plan.Key) {
		refusals := 0
		for _, v := range odd {
			if document := map[string]any{}; broken(document, k, v) {
				refusals += len(agrees(t, s, document))
			}
		}
		if (refusals == 0) != (k.Kind == plan.KindAny) {
			t.Errorf("%s: %d refusals", k.Path, refusals)
		}
	})
}

func TestWhatIsBrokenAmongOthersIsRefusedWhereTheReaderFindsIt(t *testing.T) {
	s, documents := compiled(t), drawn(t)
	var keys []plan.Key
	each(plan.Keys(), func(k plan.Key) { keys = append(keys, k) })
	rapid.Check(t, func(t *rapid.T) {
		document := documents.Draw(t, "document")
		if broken(document, rapid.SampledFrom(keys).Draw(t, "key"), rapid.SampledFrom(odd).Draw(t, "value")) {
			agrees(t, s, document)
		}
	})
}

func TestPlanThatIsNoObjectIsRefusedAsAWhole(t *testing.T) {
	s := compiled(t)
	for _, text := range []string{"[]", "null", "7", `"plan"`} {
		_, fs := plan.Read([]byte(text), "p")
		if where := refused(t, s, []byte(text)); len(where) != 1 || where[""] == "" || !slices.Equal(places(fs, rule.Type), []string{""}) {
			t.Errorf("%s: %v, %v", text, where, fs)
		}
	}
}

// Words and names are for lint to judge; an editor should say no sooner and no
// later.
func TestWordsAndNamesAreThoseOfLint(t *testing.T) {
	s := compiled(t)
	word := rapid.OneOf(
		rapid.SampledFrom([]string{"spot", "Spot", "on-demand", "on_demand", "mixed", "cluster", "Cluster", "none", "spread", "rack", "us-east-1a", "us-east-1", "use1-az4", "use1-4",
			"us-west-2-lax-1a", "c6i.xlarge", "u7in-16tb.224xlarge", "c6i", "C6I.xlarge", "c6i..large", "subnet-0a1b2c3d", "subnet-0a1b2c3", "sg-0a1b2c3d", "sg-0a1b2c3d4e5f60718", "lt-0a1b2c3d", "lt-xyz"}),
		rapid.StringMatching(`(subnet|sg|lt|c6i|us-east|use1)[-.]([0-9a-f]{7,9}|1[a-z]?|az[0-9]|large)`),
	)
	var keys []plan.Key
	each(plan.Keys(), func(k plan.Key) {
		if k.Words != nil || k.Pattern != "" {
			keys = append(keys, k)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(keys).Draw(t, "key")
		var v any = word.Draw(t, "word")
		if k.Kind == plan.KindList {
			v = []any{v}
		}
		text := document(k.Path, v)
		p, fs := plan.Read(text, "p")
		fs = lint.All(p, fs, lint.Options{})
		found := places(fs, rule.Purchasing, rule.Placement, rule.TypeName, rule.Zone, rule.ResourceID)
		if diff := cmp.Diff(found, slices.Sorted(maps.Keys(refused(t, s, text))), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("lint finds something at -, the schema at +:\n%s%s", diff, text)
		}
	})
}

func TestNoPatternRefusesARealName(t *testing.T) {
	s := compiled(t)
	zones := []string{
		"us-east-1a", "us-gov-west-1b", "us-iso-east-1a", "us-isob-east-1a", "cn-northwest-1c", "ap-southeast-5a", "mx-central-1a", "eusc-de-east-1a",
		"us-west-2-lax-1a", "us-east-1-dfw-2a", "us-east-1-wl1-bos-wlz-1", "eu-west-2-wl1-lon-wlz-1",
		"use1-az4", "usgw1-az1", "apse7-az2", "usw2-lax1-az1", "use1-wl1-bos-wlz1",
	}
	for path, names := range map[string][]string{
		"instance_specification/instance_types":    catalog.Default().Names(),
		"network_configuration/availability_zones": zones,
	} {
		if r := refused(t, s, document(path, names)); len(r) != 0 || len(names) == 0 {
			t.Errorf("%s: %v", path, r)
		}
	}
}
