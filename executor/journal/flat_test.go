package journal

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// read reads a line by hand, into what the library would.
func byHand(line []byte) (map[string]any, bool) {
	got := map[string]any{}
	ok := flatten(line, func(key, value string, quoted bool) bool {
		switch {
		case quoted:
			got[key] = value
		case value == "true":
			got[key] = true
		default:
			var n float64
			_, err := fmt.Sscan(value, &n)
			got[key] = n
			return err == nil
		}
		return true
	})
	return got, ok
}

func TestAPlainObjectIsReadAsTheLibraryReadsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f flat
		for i := range rapid.IntRange(1, 6).Draw(t, "members") {
			key := fmt.Sprintf("k%d", i)
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				f.text(key, "x"+rapid.String().Draw(t, "text"))
			case 1:
				f.number(key, rapid.Int64Range(-1e15, 1e15).Draw(t, "number"))
			default:
				f.yes(key, true)
			}
		}
		line := f.line()
		line = line[:len(line)-1]
		var want map[string]any
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("%s is no JSON: %v", line, err)
		}
		if got, ok := byHand(line); ok && !cmp.Equal(want, got) {
			t.Fatalf("%s: %s", line, cmp.Diff(want, got))
		}
	})
	for _, plain := range []string{`{"a":"b"}`, `{"a":1}`, `{"a":true,"b":"larger, {[]}:"}`, `{"a":"x=y z","c":20}`} {
		if _, ok := byHand([]byte(plain)); !ok {
			t.Errorf("%s is left to the library", plain)
		}
	}
}

func TestWhatIsNotPlainIsLeftToTheLibrary(t *testing.T) {
	for _, line := range []string{
		``, `{`, `{}`, `[]`, `{"a"`, `{"a":`, `{"a":}`, `{"a":"b`, `{"a":"b"`, `{"a":1`, `{"a":1,}`, `{"a":"b",}`, `{"a":"b"} `, `{"a":"b"}x`, `{"a":"b"}}`,
		`{ "a":1}`, `{"a": 1}`, `{"a":1.5}`, `{"a":-1}`, `{"a":null}`, `{"a":false}`, `{"a":tru}`, `{"a":[1]}`, `{"a":{"b":1}}`, `{"a":"\n"}`, `{"a":"größer"}`, "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}", `{"a":"b""c":1}`, `{"a"b":1}`, "{\"a\n\":1}", `a":1}`, `{""":1}`, "{\"a\":\"\x80\"}",
	} {
		if got, ok := byHand([]byte(line)); ok {
			t.Errorf("%q was read as %v", line, got)
		}
	}
}

// FuzzFlatten holds that nothing is read by hand that the library refuses, but for
// members of one name.
func FuzzFlatten(f *testing.F) {
	for _, s := range []string{`{"a":"b","c":12,"d":true}`, `{"a":"b""c":1}`, `{"a":01}`, `{"":""}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var seen []string
		fresh := true
		ok := flatten(line, func(key, value string, quoted bool) bool {
			for _, k := range seen {
				fresh = fresh && k != key
			}
			seen = append(seen, key)
			return quoted || value == "true" || value == "0" || value[0] != '0'
		})
		if ok && fresh && !jsontext.Value(line).IsValid() {
			t.Fatalf("%q is no JSON", line)
		}
	})
}
