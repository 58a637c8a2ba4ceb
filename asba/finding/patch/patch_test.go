package patch

import (
	"strings"
	"testing"

	"aws-slurm-burst/asba/finding"
)

func op(kind, path string, value ...string) finding.Op {
	o := finding.Op{Op: kind, Path: path}
	if kind == "move" {
		o.From = value[0]
	} else if len(value) > 0 {
		o.Value = []byte(value[0])
	}
	return o
}

func TestAFixKeepsWhatItDoesNotSpeakOf(t *testing.T) {
	const lines = "{\n  // why\n  \"a\": 1, // one\n  \"b\": [\"x\", \"y\",  \"z\"],\n\n  \"c\": {}\n}\n"
	for name, c := range map[string]struct {
		text string
		fix  []finding.Op
		want string
	}{
		"replace":              {lines, []finding.Op{op("replace", "/a", "2")}, strings.Replace(lines, "1,", "2,", 1)},
		"replace an item":      {lines, []finding.Op{op("replace", "/b/1", `"why"`)}, strings.Replace(lines, `"y"`, `"why"`, 1)},
		"remove":               {lines, []finding.Op{op("remove", "/b")}, "{\n  // why\n  \"a\": 1, // one\n  \"c\": {}\n}\n"},
		"remove with comments": {lines, []finding.Op{op("remove", "/a")}, "{\n  \"b\": [\"x\", \"y\",  \"z\"],\n\n  \"c\": {}\n}\n"},
		"remove the first":     {`["x", "y"]`, []finding.Op{op("remove", "/0")}, `["y"]`},
		"remove the last":      {lines, []finding.Op{op("remove", "/c")}, "{\n  // why\n  \"a\": 1, // one\n  \"b\": [\"x\", \"y\",  \"z\"]\n}\n"},
		"remove the only":      {"{\n\t\"a\": 1\n}", []finding.Op{op("remove", "/a")}, "{}"},
		"two items":            {lines, []finding.Op{op("remove", "/b/2"), op("remove", "/b/0")}, strings.Replace(lines, `"x", "y",  "z"`, `"y"`, 1)},
		"add":                  {lines, []finding.Op{op("add", "/d", "[1]")}, strings.Replace(lines, "\"c\": {}\n", "\"c\": {},\n  \"d\": [1]\n", 1)},
		"add inside":           {lines, []finding.Op{op("add", "/c/e", "true")}, strings.Replace(lines, "{}", "{\n    \"e\": true\n  }", 1)},
		"add an item":          {lines, []finding.Op{op("add", "/b/-", `"w"`)}, strings.Replace(lines, `"z"`, `"z",  "w"`, 1)},
		"add the first item":   {`{"b": ["x"]}`, []finding.Op{op("add", "/b/0", `"w"`)}, `{"b": ["w", "x"]}`},
		"add a second item":    {`{"b": ["x"]}`, []finding.Op{op("add", "/b/-", `"w"`)}, `{"b": ["x", "w"]}`},
		"add on one line":      {`{"b":1}`, []finding.Op{op("add", "/c", "2")}, `{"b":1, "c":2}`},
		"add to nothing":       {`{}`, []finding.Op{op("add", "/c", "2")}, `{"c": 2}`},
		"add what is there":    {lines, []finding.Op{op("add", "/a", "3")}, strings.Replace(lines, "1,", "3,", 1)},
		"rename":               {"{\n  \"a\": 1,\n  \"b\": 2\n}", []finding.Op{op("move", "/c", "/a")}, "{\n  \"c\": 1,\n  \"b\": 2\n}"},
		"rename over another":  {`{"a": 1, "b": 2}`, []finding.Op{op("move", "/b", "/a")}, `{"b": 1}`},
		"move with section": {"{\n  \"a\": {\n    \"x\": 1,\n    \"y\": 2\n  }\n}\n", []finding.Op{op("add", "/n", "{}"), op("move", "/n/x", "/a/x")},
			"{\n  \"a\": {\n    \"y\": 2\n  },\n  \"n\": {\n    \"x\": 1\n  }\n}\n"},
		"escaped names":     {`{"a/b~": {"c": 1}}`, []finding.Op{op("replace", "/a~1b~0/c", "2")}, `{"a/b~": {"c": 2}}`},
		"byte order mark":   {"\uFEFF{\"a\": 1}", []finding.Op{op("replace", "/a", "2")}, "\uFEFF{\"a\": 2}"},
		"Windows' line end": {"{\r\n  \"a\": 1\r\n}\r\n", []finding.Op{op("add", "/b", "2")}, "{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n"},
	} {
		got, err := Apply([]byte(c.text), c.fix)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\ngot  %q\nwant %q", name, err, got, c.want)
		}
	}
}

func TestAFixThatDoesNotFitIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		fix  finding.Op
		want string
	}{
		"nothing there":  {`{"a": 1}`, op("remove", "/b"), "remove /b: "},
		"no JSON":        {`{"a": `, op("remove", "/a"), "not JSON: "},
		"no value":       {`{"a": 1}`, op("replace", "/a", "{"), "replace /a: its value is no JSON"},
		"a comment":      {`{"a": 1}`, op("replace", "/a", "2 // two"), "replace /a: its value is no JSON"},
		"no pointer":     {`{"": 1}`, op("move", "/a", "b"), `move: "b" is no JSON Pointer`},
		"no UTF-8":       {`{"": 1}`, op("move", "/\xff", "/"), `is no JSON Pointer`},
		"no operation":   {`{"a": 1}`, op("test", "/a", "1"), `"test" is no operation of a fix`},
		"the whole":      {`{"a": 1}`, op("remove", ""), "remove : "},
		"a key twice":    {`{"s": {"a": 1, "a": 2}}`, op("remove", "/s/a"), "/s/a: the key stands 2 times"},
		"inside of twos": {`{"s": {"a": 1}, "s": {}}`, op("remove", "/s/a"), "/s: the key stands 2 times"},
		"too deep":       {strings.Repeat("[", 100_000), op("remove", "/0"), "within each other"},
	} {
		if got, err := Apply([]byte(c.text), []finding.Op{c.fix}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v, want %s", name, got, err, c.want)
		}
	}
}

func TestARoundAppliesWhatDoesNotTouch(t *testing.T) {
	fixes := func(each ...[]finding.Op) (fs []finding.Finding) {
		for _, fix := range each {
			fs = append(fs, finding.Finding{ID: fix[0].Path, Fix: fix})
		}
		return fs
	}
	for name, c := range map[string]struct {
		text, want string
		fs         []finding.Finding
		applied    string
	}{
		"items of one array": {`["a","b","c","d"]`, `["b","d"]`,
			fixes([]finding.Op{op("remove", "/0")}, []finding.Op{op("remove", "/2")}), "/0 /2"},
		"the same twice": {`["a","b"]`, `["b"]`,
			fixes([]finding.Op{op("remove", "/0")}, []finding.Op{op("remove", "/0")}), "/0"},
		"a part of what goes": {`{"a":{"b":1},"c":2}`, `{"a":{"b":3},"c":2}`,
			fixes([]finding.Op{op("remove", "/a")}, []finding.Op{op("replace", "/a/b", "3")}), "/a/b"},
		"to and from": {`{"a":1,"b":2}`, `{"c":1,"b":2}`,
			fixes([]finding.Op{op("move", "/c", "/a")}, []finding.Op{op("replace", "/a", "3")}), "/c"},
		"one cannot be applied": {`{"a":1}`, `{"a":2}`,
			fixes([]finding.Op{op("remove", "/x")}, []finding.Op{op("replace", "/a", "2")}), "/a"},
		"one breaks off half-way": {`{"a":1,"b":2,"z":3}`, `{"a":4,"b":2,"z":5}`,
			fixes([]finding.Op{op("replace", "/a", "4")}, []finding.Op{op("remove", "/b"), op("remove", "/c")}, []finding.Op{op("replace", "/z", "5")}), "/a /z"},
		"one comes, one goes": {`{"x":["a", "b"]}`, `{"x":["b", "c"]}`,
			fixes([]finding.Op{op("remove", "/x/0")}, []finding.Op{op("add", "/x/-", `"c"`)}), "/x/0 /x/-"},
		"order of arrays wins": {`{"x":["a","b"]}`, `{"x":["b"]}`,
			fixes([]finding.Op{op("remove", "/x/0")}, []finding.Op{op("replace", "/x/0", `"c"`)}), "/x/0"},
		"nothing to do": {`{"a" :1}`, `{"a" :1}`, fixes([]finding.Op{op("remove", "/x")}), ""},
		"no JSON":       {`{"a"`, `{"a"`, fixes([]finding.Op{op("remove", "/a")}), ""},
	} {
		got, applied := Round([]byte(c.text), c.fs)
		var ids []string
		for _, f := range applied {
			ids = append(ids, f.ID)
		}
		if string(got) != c.want || strings.Join(ids, " ") != c.applied {
			t.Errorf("%s: %s by %v\nwant %s by %s", name, got, ids, c.want, c.applied)
		}
	}
}

func TestPlainTakesCommentsAndTrailingCommasOut(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"lines":           {"{\n  // one\n  \"a\": 1, // two\n  \"b\": \"// three\"\n  // four\n}\n", "{\n  \"a\": 1,\n  \"b\": \"// three\"\n}\n"},
		"blank lines":     {"{\n\n  \"a\": 1 // x\n\n}", "{\n\n  \"a\": 1\n\n}"},
		"trailing commas": {"{\n  \"a\": [1, 2,],\n}\n", "{\n  \"a\": [1, 2]\n}\n"},
		"blocks":          {"{ /* one\n two */ \"a\": 1}", "{\n        \"a\": 1}"},
		"before and end":  {"// one\n{}\n// two", "{}"},
		"Windows":         {"{\r\n  // x\r\n  \"a\": 1 // y\r\n}\r\n", "{\r\n  \"a\": 1\r\n}\r\n"},
	} {
		got, changed := Plain([]byte(c.text))
		if !changed || string(got) != c.want {
			t.Errorf("%s: %v\ngot  %q\nwant %q", name, changed, got, c.want)
		}
		if again, changed := Plain(got); changed {
			t.Errorf("%s: it is still not plain: %q", name, again)
		}
	}
	for _, text := range []string{`{"a": 1}`, `{"a": `, "", "// all"} {
		if got, changed := Plain([]byte(text)); changed || string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestAFixIsSaidInWords(t *testing.T) {
	got := Describe([]finding.Op{op("add", "/n", "{}"), op("move", "/n/x", "/a/x"), op("replace", "/b", `"c"`), op("remove", "/d")})
	if want := `add /n: {}, move /a/x to /n/x, write "c" at /b, remove /d`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if long := Describe([]finding.Op{op("replace", "/b", `"`+strings.Repeat("é", 1<<20)+`"`)}); len(long) > 200 || !strings.HasSuffix(long, "... at /b") {
		t.Errorf("%d bytes", len(long))
	}
}
