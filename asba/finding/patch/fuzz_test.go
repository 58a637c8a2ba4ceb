package patch

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"testing"

	"aws-slurm-burst/asba/finding"
)

// FuzzApply: what comes out is JSON as far as what went in was, and differs only
// where the fix is.
func FuzzApply(f *testing.F) {
	f.Add("{\n  \"a\": [1, 2], // x\n  \"b\": {}\n}", "replace", "/a/0", "", "3")
	f.Add(`{"a":{"b":1,"c":2}}`, "move", "/a/d", "/a/b", "")
	f.Add("{\r\n\t\"a\": [\"x\",\r\n\t\t\"y\"]\r\n}", "remove", "/a/1", "", "")
	f.Add("{\"a\": [\"x\"\t\r\n\t,\"y\"]\r\n}", "remove", "/a/1", "", "")
	f.Add("{\"a\": 1 /* c */, \"b\": 2}", "remove", "/b", "", "")
	f.Add(`{"a": []}`, "add", "/a/-", "", `{"z": null}`)
	f.Add("{\"a\": 1,} // end", "add", "/b", "", "true")
	f.Fuzz(func(t *testing.T, text, kind, path, from, value string) {
		op := finding.Op{Op: kind, Path: path, From: from}
		if kind == "add" || kind == "replace" {
			op.Value = []byte(value)
		}
		plain, _ := Plain([]byte(text))
		out, err := Apply([]byte(text), []finding.Op{op})
		if err != nil {
			return
		}
		after, changed := Plain(out)
		if changed && string(plain) == text {
			t.Errorf("plain JSON is none any more: %q", out)
		}
		was, err := decode(plain)
		if err != nil {
			return // it begins with a byte order mark
		}
		is, err := decode(after)
		if err != nil {
			t.Fatalf("%v: %q", err, out)
		}
		// Without what the fix speaks of, both are the same.
		for _, p := range paths(op) {
			was, is = without(was, p), without(is, p)
		}
		if !reflect.DeepEqual(was, is) {
			t.Errorf("%s %s %s: %q became %q", kind, path, from, text, out)
		}
	})
}

// decode keeps numbers as they are written.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// without takes the value at a pointer out of a document; of an array, which
// moves, all of it.
func without(v any, pointer string) any {
	if pointer == "" {
		return nil
	}
	parent, name := split(pointer)
	var walk func(v any, at string) any
	walk = func(v any, at string) any {
		switch c := v.(type) {
		case map[string]any:
			if at == parent {
				delete(c, name)
			}
			for k := range c {
				c[k] = walk(c[k], at+"/"+escape.Replace(k))
			}
		case []any:
			if at == parent {
				return nil
			}
			for i := range c {
				c[i] = walk(c[i], at+"/"+strconv.Itoa(i))
			}
		}
		return v
	}
	return walk(v, "")
}

// FuzzPlain: comments and commas go, and nothing else does.
func FuzzPlain(f *testing.F) {
	f.Add("{\n  // x\n  \"a\": [1, 2,], /* y */\n}\n")
	f.Add("\uFEFF{\"a\": \"// no\"} // yes")
	f.Fuzz(func(t *testing.T, text string) {
		out, changed := Plain([]byte(text))
		if !changed {
			if string(out) != text {
				t.Errorf("%q became %q", text, out)
			}
			return
		}
		if again, changed := Plain(out); changed {
			t.Errorf("%q is not plain: %q", out, again)
		}
		d, err := parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		was := d.tree.Clone()
		was.Minimize()
		e, err := parse(out)
		if err != nil {
			t.Fatal(err)
		}
		e.tree.Minimize()
		if a, b := was.Pack(), e.tree.Pack(); string(a) != string(b) {
			t.Errorf("%q became %q", a, b)
		}
	})
}
