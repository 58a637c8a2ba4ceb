package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"pgregory.net/rapid"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
)

var update = flag.Bool("update", false, "write plan.schema.json, the tables of docs/PLAN.md and what the schema refuses anew")

const (
	repo      = "../../.."
	published = "../plan.schema.json"
)

// same compares a file with what it has to be, and writes it with -update.
func same(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s is not what the keys are, write it anew with -update:\n%s", path, diff)
	}
}

func TestPublishedSchemaIsThatOfTheKeys(t *testing.T) {
	same(t, published, JSON(plan.Keys()))
	if !*update && !bytes.Equal(plan.Schema(), JSON(plan.Keys())) {
		t.Error("plan.Schema is another one")
	}
}

const from, to = "<!-- keys: written by go test ./asba/plan/schema -update -->\n", "<!-- end of keys -->\n"

func TestReferenceHasEveryKey(t *testing.T) {
	path := filepath.Join(repo, "docs/PLAN.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), from)
	_, after, closed := strings.Cut(rest, to)
	if !ok || !closed {
		t.Fatalf("%s has no place for the keys, between %q and %q", path, from, to)
	}
	same(t, path, []byte(before+from+"\n"+Reference(plan.Keys())+"\n"+to+after))
}

// each calls f for every key, objects before what is in them.
func each(keys []plan.Key, f func(plan.Key)) {
	for _, k := range keys {
		f(k)
		each(k.Keys, f)
	}
}

func TestEveryKeySaysWhatItMeansInOneLine(t *testing.T) {
	each(plan.Keys(), func(k plan.Key) {
		if k.Means == "" || strings.ContainsAny(k.Means+k.Unset, "\n|") || strings.HasSuffix(k.Means, ".") {
			t.Errorf("%s: %q, %q", k.Path, k.Means, k.Unset)
		}
		for _, pattern := range []string{k.Pattern, durationPattern, timePattern} {
			if _, err := regexp.Compile(pattern); err != nil {
				t.Errorf("%s: %v", k.Path, err)
			}
		}
	})
}

func TestSecondPlacesNameAKeyOfTheSameKind(t *testing.T) {
	kinds := map[string]plan.Kind{}
	each(plan.Keys(), func(k plan.Key) { kinds[k.Path] = k.Kind })
	seconds := 0
	each(plan.Keys(), func(k plan.Key) {
		if k.First == "" {
			return
		}
		seconds++
		first, known := kinds[k.First]
		if boolean := k.Name == "enable_spot"; !known || first != k.Kind && !boolean {
			t.Errorf("%s is a second place for %s", k.Path, k.First)
		}
	})
	if seconds == 0 {
		t.Error("no second places")
	}
}

// compiled is the published schema as others use it.
func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(published)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refused returns where a schema refuses a document, as JSON Pointers, with the
// keyword that does.
func refused(t rapid.TB, s *jsonschema.Schema, text []byte) map[string]string {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	out := map[string]string{}
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		at := pointer(e.InstanceLocation)
		keyword := strings.Join(e.ErrorKind.KeywordPath(), "/")
		if k, unknown := e.ErrorKind.(*kind.AdditionalProperties); unknown {
			for _, name := range k.Properties {
				out[at+pointer([]string{name})] = keyword
			}
		} else if len(e.Causes) == 0 {
			out[at] = keyword
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	if e, ok := s.Validate(v).(*jsonschema.ValidationError); ok {
		walk(e)
	}
	return out
}

func pointer(path []string) string {
	var b strings.Builder
	for _, name := range path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return b.String()
}

// The published file is checked against JSON Schema's own schema as it is
// compiled.
func TestEveryKeysExampleIsAPlan(t *testing.T) {
	s := compiled(t)
	each(plan.Keys(), func(k plan.Key) {
		if k.Example == "" || k.Kind == plan.KindObject {
			return
		}
		text := document(k.Path, json.RawMessage(k.Example))
		if r := refused(t, s, text); len(r) != 0 {
			t.Errorf("%s: the schema refuses %v", text, r)
		}
		if _, fs := plan.Read(text, k.Path); len(fs) != 0 {
			t.Errorf("%s: %v", text, fs)
		}
	})
}

// document is a plan with one value.
func document(path string, v any) []byte {
	names := strings.Split(path, "/")
	for i := len(names) - 1; i >= 0; i-- {
		v = map[string]any{names[i]: v}
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// Read is what the reader says to a text as the value of a key.
func read(path, text string) []finding.Finding {
	_, fs := plan.Read(document(path, text), "p")
	return fs
}

func TestPatternOfDurationsIsThatOfTheReader(t *testing.T) {
	pattern, long := regexp.MustCompile(durationPattern), regexp.MustCompile(`[0-9]{5}`)
	check := func(t rapid.TB, s string) {
		if ok := len(read("performance_target/expected_runtime", s)) == 0; ok != pattern.MatchString(s) {
			t.Errorf("%q: read %v, matches %v", s, ok, !ok)
		}
	}
	for _, s := range []string{"", "0", "+0", "2h30m", "1.5h", ".5s", "1.s", "1µs", "1μs", "5", "h", ".h", "-2h", "1 h", "1d", "2h30", "1H", "+", "++1s"} {
		check(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		// Four numbers of four digits are at most 40,000 hours; ten years are
		// 87,600.
		short := func(s string) bool { return !long.MatchString(s) }
		check(t, rapid.StringMatching(`[+]?([0-9]{0,2}[.]?[0-9]{0,2}(ns|us|µs|ms|s|m|h|d|)){0,4}`).Filter(short).Draw(t, "duration"))
	})
}

func TestPatternOfTimesIsThatOfTheReader(t *testing.T) {
	pattern := regexp.MustCompile(timePattern)
	for _, s := range []string{"", "2026-01-02T15:04:05Z", "2026-01-02T15:04:05", "2026-01-02T15:04:05.123456+01:00", "2026-12-31T23:59:59-23:59",
		"2026-13-02T15:04:05Z", "2026-01-32T15:04:05Z", "2026-00-02T15:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T15:60:05Z", "2026-01-02 15:04:05", "2026-01-02", "26-01-02T15:04:05Z",
		"2026-01-02T15:04:05+0100", "yesterday"} {
		if ok := len(read("generated_at", s)) == 0; ok != pattern.MatchString(s) {
			t.Errorf("%q: read %v, matches %v", s, ok, !ok)
		}
	}
}
