package read

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/finding"
)

var format = Format{
	IDs:      IDs{"T001", "T002", "T003", "T004", "T005", "T006", "T007", "T008"},
	MaxBytes: 10_000, MaxValues: 1000, Empty: "write something",
	Ignored: func(pointer string) string {
		if pointer == "/old" {
			return "it was never needed"
		}
		return ""
	},
}

type sort string

// sample has one place for each kind of value.
type sample struct {
	Text, Lines, Path string
	Texts             []string
	Word              sort
	Boolean           bool
	Whole             int
	Huge              int64
	Pairs             []string
	Inner             []sample
}

func (s *sample) keys() Reader {
	return Mapping(
		Key("text", Text(&s.Text, NotEmpty)),
		Key("lines", Lines(&s.Lines)),
		Key("path", Path(&s.Path)),
		Key("texts", Texts(&s.Texts)),
		Key("word", Word(&s.Word, "fast", "slow")),
		Key("boolean", Boolean(&s.Boolean)),
		Key("whole", Whole(&s.Whole, 1, 10)),
		Key("huge", Whole(&s.Huge, math.MinInt64, math.MaxInt64)),
		Key("pairs", func(v Value) {
			v.Pairs(NotEmpty, NotEmpty, func(_ Value, key, val string) { s.Pairs = append(s.Pairs, key+"="+val) })
		}),
		Key("inner", List(func(v Value) {
			var in sample
			in.keys()(v)
			s.Inner = append(s.Inner, in)
		})),
	)
}

func parse(text string) (*sample, *Document) {
	s, d := &sample{Text: "default"}, New("folder/t.yaml", &format)
	if root, ok := d.Load([]byte(text)); ok {
		s.keys()(root)
	}
	return s, d
}

func TestValuesAreReadIntoTheirPlaces(t *testing.T) {
	got, d := parse(`
text: 2024-01-31
lines: "a\nb"
path: ../x.conf
texts: [a, 007, 1.50]
word: slow
boolean: TRUE
whole: "7"
huge: -9223372036854775808
pairs: {a: &one 1, b: *one, c: }
inner: [{path: /a/../b}, {text: }, {whole: 10}]
`)
	if wrong, notes := d.Findings(); wrong != nil || notes != nil || d.Failed() {
		t.Fatal(finding.Lines(append(wrong, notes...)))
	}
	want := &sample{
		Text: "2024-01-31", Lines: "a\nb", Path: "x.conf", Texts: []string{"a", "007", "1.50"}, Word: "slow", Boolean: true,
		Whole: 7, Huge: math.MinInt64, Pairs: []string{"a=1", "b=1"}, Inner: []sample{{Path: "/b"}, {}, {Whole: 10}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s, _ := parse("text:\nboolean: false"); s.Text != "default" {
		t.Errorf("a key without a value took %q from what stood there", s.Text)
	}
}

func TestMistakesAreToldAtTheirPlaceInOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "error[T001]: the file is empty (write something)",
		"~":                           "error[T001]: the file is empty (write something)",
		"text: a\xff":                 "error[T001]: the file is not UTF-8 text (save it as UTF-8)",
		strings.Repeat("#", 10_001):   "error[T001]: the file is larger than 10000 bytes (is it the right file?)",
		"text: *x":                    "1:7: error[T001]: not YAML: unknown anchor 'x' referenced",
		"text: a\n---\n{}":            "2:1: error[T001]: a second YAML document begins here (keep one)",
		"[]":                          "1:1: error[T004]: wants keys with values, has a list",
		"txet: a":                     "1:1: error[T002] /txet: unknown key \"txet\" (did you mean text?)",
		"a/b~c: a":                    "1:1: error[T002] /a~1b~0c: unknown key \"a/b~c\" (known here: text, lines, path, texts, word, boolean, whole, huge, pairs, inner)",
		"{\"a\\nb\": 1}":              "1:2: error[T002]: unknown key \"a\\nb\" (known here: text,",
		strings.Repeat("k", 65) + ":": "1:1: error[T002]: unknown key \"" + strings.Repeat("k", 60) + "...\" (known here: text,",
		"<<: {text: a}":               "1:1: error[T002] /<<: unknown key \"<<\" (merge keys are not read; repeat the keys)",
		"? [a]\n: b":                  "1:3: error[T004]: a key must be text",
		"text: a\ntext: b":            "2:1: error[T003] /text: \"text\" is given twice, first in line 1 (remove one of the two)",
		"text: ' '":                   "1:7: error[T005] /text: \" \" is empty (give it a value or remove the key)",
		"text: \"a\\tb\"":             "1:7: error[T005] /text: \"a\\tb\" has a line break or a control character (write it on one line)",
		"text: true":                  "1:7: error[T004] /text: wants text, has true",
		"text: !!bool \"a\\nb\"":      "1:7: error[T004] /text: wants text, has a\\nb",
		"text: !!str [a]":             "1:7: error[T004] /text: wants text, has the text \"\"",
		"text: !x a":                  "1:7: error[T004] /text: wants text, has a value tagged \"!x\"",
		"path: []":                    "1:7: error[T004] /path: wants a file's name, has a list",
		"texts: 1.5":                  "1:8: error[T004] /texts: wants a list, has the number \"1.5\"",
		"texts: [a, {}]":              "1:12: error[T004] /texts/1: wants text, has keys with values",
		"word: Fats":                  "1:7: error[T006] /word: \"Fats\" is not one of fast, slow (did you mean fast?)",
		"word: medium":                "1:7: error[T006] /word: \"medium\" is not one of fast, slow (write fast or slow)",
		"word: {}":                    "1:7: error[T004] /word: wants a word, has keys with values",
		"boolean: yes":                "1:10: error[T004] /boolean: wants true or false, has the text \"yes\"",
		"whole: 0":                    "1:8: error[T005] /whole: \"0\" is not a whole number in range (write a whole number from 1 to 10)",
		"whole: 11":                   "1:8: error[T005] /whole: \"11\" is not a whole number in range (write a whole number from 1 to 10)",
		"whole: 010":                  "1:8: error[T005] /whole: \"010\" is not a whole number in range (write a whole number from 1 to 10)",
		"whole: four":                 "1:8: error[T004] /whole: wants a whole number, has the text \"four\"",
		"huge: 9223372036854775808":   "1:7: error[T005] /huge: \"9223372036854775808\" is not a whole number in range",
		"boolean: !!bool x":           "1:10: error[T004] /boolean: wants true or false, has x",
		"lines: []":                   "1:8: error[T004] /lines: wants text, has a list",
		"whole: []":                   "1:8: error[T004] /whole: wants a whole number, has a list",
		"pairs: [a]":                  "1:8: error[T004] /pairs: wants keys with values, has a list",
		"pairs: {a: ''}":              "1:12: error[T005] /pairs/a: \"\" is empty",
		"pairs: {'': a}":              "1:9: error[T005] /pairs/: \"\" is empty",
		"inner: [{}, {path: }, 1]":    "1:23: error[T004] /inner/2: wants keys with values, has the number \"1\"",
		"text: [&a x, *a]":            "1:7: error[T004] /text: wants text, has a list",
		"texts: [&a {}, a]":           "1:9: error[T004] /texts/0: wants text",
		"lines: &a x\nwhole: *a":      "2:8: error[T004] /whole: wants a whole number, has the text \"x\"",
		"whole: 'http://u:p@h?t=1'":   "1:8: error[T004] /whole: wants a whole number, has the text \"http://...@h?...\"",
	} {
		_, d := parse(text)
		wrong, _ := d.Findings()
		if got := strings.TrimPrefix(finding.Lines(wrong), "folder/t.yaml:"); len(wrong) != 1 || !d.Failed() || !strings.HasPrefix(strings.TrimSpace(got), want) {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestFreeKeysHaveValuesOfAnyKind(t *testing.T) {
	d := New("f", &format)
	root, _ := d.Load([]byte("a: {text: x}\nb: {text: ''}\n'': {}\n"))
	var got []string
	root.Each(NotEmpty, func(key string, at, child Value) {
		text := ""
		child.Mapping(Key("text", Text(&text, NotEmpty)))
		got = append(got, at.Finding(finding.Info, "T", "", "%s=%s", key, text).String())
	})
	if want := "f:1:1: info[T] /a: a=x f:2:1: info[T] /b: b="; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if wrong, _ := d.Findings(); len(wrong) != 2 || wrong[0].Pointer != "/b/text" || wrong[1].Line != 3 {
		t.Errorf("%v", wrong)
	}
}

func TestOnlyTheFirstOfTwoKeysCounts(t *testing.T) {
	if s, _ := parse("boolean: true\ntext: a\ntext: b\nboolean: false"); s.Text != "a" || !s.Boolean {
		t.Errorf("%+v", s)
	}
}

func TestAMappingTellsWhichKeysAreGiven(t *testing.T) {
	d := New("t", &format)
	root, ok := d.Load([]byte("list: []\nmap: &m {a: 1}\nalias: *m\nnone:\nother: 1\n"))
	if !ok {
		t.Fatal(d.Findings())
	}
	any := func(Value) {}
	given := root.Mapping(Key("list", any), Key("map", any), Key("alias", any), Key("none", any))
	if len(given) != 3 || given["list"].IsMapping() || !given["map"].IsMapping() || !given["alias"].IsMapping() {
		t.Errorf("%v", given)
	}
	if !given["map"].Mapping(Key("a", any))["a"].Is("1") || given["list"].Mapping() != nil || given["list"].Is("") {
		t.Error("values are not what they are")
	}
	given["alias"].Fail("E", "", "late")
	given["list"].Fail("E", "", "early")
	wrong, _ := d.Findings()
	var lines []int
	for _, f := range wrong {
		lines = append(lines, f.Line)
	}
	if !slices.Equal(lines, []int{1, 1, 3, 5}) {
		t.Errorf("findings of lines %v", lines)
	}
}

func TestIgnoredKeysAreNotes(t *testing.T) {
	_, d := parse("old: 1\ntext: a")
	wrong, notes := d.Findings()
	if wrong != nil || len(notes) != 1 || notes[0].String() != "folder/t.yaml:1:1: info[T008] /old: old is accepted and not acted on: it was never needed" {
		t.Errorf("%v, %v", wrong, notes)
	}
}

func TestErrorsAndNotesAreBoundedEachByItself(t *testing.T) {
	d := New("t", &format)
	v, _ := d.At("")
	for i := range 3 * MaxFindings {
		v.Note(finding.Info, "N", "", "%03d", i)
	}
	for i := range 3 * MaxFindings {
		v.Fail("E", "", "%03d", i)
	}
	v.Note(finding.Warning, "W", "", "late")
	wrong, notes := d.Findings()
	if len(wrong) != MaxFindings || len(notes) != MaxFindings || wrong[MaxFindings-1].Message != "099" || notes[MaxFindings-1].Message != "099" {
		t.Errorf("%d errors, %d notes", len(wrong), len(notes))
	}
}

func TestAliasesThatRepeatAliasesEnd(t *testing.T) {
	text := "texts: &a [" + strings.Repeat("x, ", 29) + "x]\ninner: [&b {texts: *a, inner: &c [" + strings.Repeat("{texts: *a}, ", 29) + "{}]}, *b, *b, {inner: *c}]"
	_, d := parse(text)
	wrong, _ := d.Findings()
	if len(wrong) != 1 || wrong[0].ID != "T007" || wrong[0].Line == 0 || wrong[0].Message != "more than 1000 values in one file" {
		t.Error(finding.Lines(wrong))
	}
	_, d = parse(strings.Repeat("? [x]\n: y\n", 60) + "texts: &a [" + strings.Repeat("x, ", 990) + "x]\npairs: {a: b}\n")
	if wrong, _ := d.Findings(); len(wrong) != 61 || wrong[60].ID != "T007" {
		t.Error(finding.Lines(wrong)) // nothing is said of what is no longer read
	}
	if _, d := parse("inner: &x [{inner: *x}]"); !d.Failed() { // within itself, as deep as the tables go
		t.Error("an alias within itself is taken")
	}
}

func TestAPointerLeadsToItsKeyOrAsFarAsThereIsOne(t *testing.T) {
	_, d := parse("inner:\n- {a/b~: 1}\n- &x\n  path: p\n- *x\ntext:\nlines: ~\n")
	for pointer, want := range map[string]string{
		"":                "1:1 true",
		"/inner":          "1:1 true",
		"/inner/0/a~1b~0": "2:4 true",
		"/inner/1/path":   "4:3 true",
		"/inner/2/path":   "4:3 true",
		"/inner/2":        "5:3 true",
		"/inner/3":        "1:1 false",
		"/inner/-1":       "1:1 false",
		"/inner/x":        "1:1 false",
		"/inner/1/word":   "3:3 false",
		"/text":           "6:1 false", // it has no value
		"/lines":          "7:1 false",
		"/text/a":         "6:1 false",
		"/nothing/here":   "1:1 false",
	} {
		v, given := d.At(pointer)
		f := v.Finding(finding.Warning, "W", "", "odd")
		if got := fmt.Sprintf("%d:%d %v", f.Line, f.Column, given); got != want || f.Pointer != pointer {
			t.Errorf("%s is at %s, want %s", pointer, got, want)
		}
	}
	var none *Document
	v, given := none.At("/a")
	if f := v.Finding(finding.Error, "E", "do", "odd"); given || f.String() != "error[E] /a: odd (do)" {
		t.Errorf("%v %v", f, given)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("text: a\nlines: |\n  a\n  b\npath: x\ntexts: [a]\nword: fast\nboolean: true\nwhole: 3\npairs: {a: b}\ninner: [{text: c}]"))
	f.Add([]byte("a: &x [*x, *x]\ntext: !!int x\nlines: ~\n? [d]\n: e\n"))
	f.Add([]byte("text: !!bool \"a\\nb\"\npairs: {\"\\u2028\": !!null x}\ninner: &i [{inner: *i}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, d := parse(string(data))
		wrong, notes := d.Findings()
		if d.Failed() != (len(wrong) > 0) || len(wrong) > MaxFindings || len(notes) > MaxFindings {
			t.Fatalf("%d errors, %d notes", len(wrong), len(notes))
		}
		for _, f := range append(wrong, notes...) {
			if f.Message == "" || strings.ContainsAny(f.String(), "\n\r") || f.Line > len(data)+1 {
				t.Fatalf("not one clear line: %q", f)
			}
		}
		if !d.Failed() && (s.Whole < 0 || s.Whole > 10 || !OneLine(s.Text+s.Path)) {
			t.Fatalf("%+v", s)
		}
	})
}
