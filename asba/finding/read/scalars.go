package read

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
)

// A Check says what is wrong with a text and what to write; "" is fine.
type Check func(s string) (wrong, instead string)

// NotEmpty is the check of a text that has to say something.
func NotEmpty(s string) (wrong, instead string) {
	if strings.TrimSpace(s) == "" {
		return "is empty", "give it a value or remove the key"
	}
	return "", ""
}

// OneLine reports whether a text has neither line breaks nor other characters that
// a terminal would obey.
func OneLine(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

// Show quotes what somebody wrote, short enough for one line, and of a URL no
// password.
func Show(s string) string {
	if strings.Contains(s, "://") {
		s = finding.Address(s)
	}
	return finding.Quote(s)
}

// scalar returns a value as it is written, and its tag where that is one of tags;
// any other is told not to be what is wanted.
func (v Value) scalar(what string, tags ...string) (s, tag string, ok bool) {
	n, ok := v.open()
	if !ok {
		return "", "", false
	}
	if tag = n.ShortTag(); n.Kind != yaml.ScalarNode || !slices.Contains(tags, tag) {
		v.Wants(what)
		return "", "", false
	}
	return n.Value, tag, true
}

// Lines returns a text of any number of lines. Bare numbers and dates count as
// text, as they are written: an account id needs no quotes.
func (v Value) Lines() (string, bool) { return v.lines("text") }

func (v Value) lines(what string) (string, bool) {
	s, _, ok := v.scalar(what, "!!str", "!!int", "!!float", "!!timestamp")
	return s, ok
}

// Text returns a text of one line that meets the checks.
func (v Value) Text(checks ...Check) (string, bool) { return v.text("text", checks...) }

func (v Value) text(what string, checks ...Check) (string, bool) {
	s, ok := v.lines(what)
	if !ok {
		return "", false
	}
	id := v.doc.format.IDs.Value
	if !OneLine(s) {
		v.Fail(id, "write it on one line", "%s has a line break or a control character", Show(s))
		return "", false
	}
	for _, check := range checks {
		if wrong, instead := check(s); wrong != "" {
			v.Fail(id, instead, "%s %s", Show(s), wrong)
			return "", false
		}
	}
	return s, true
}

// Number returns what may be a number: a bare one, or a text, which quoted tells.
func (v Value) Number(what string) (s string, quoted, ok bool) {
	s, tag, ok := v.scalar(what, "!!int", "!!float", "!!str")
	return s, tag == "!!str", ok
}

// Is reports whether the value is this word, in quotes or without.
func (v Value) Is(word string) bool {
	n := dealias(v.node)
	return n.Kind == yaml.ScalarNode && n.Value == word
}

// Text reads a text of one line.
func Text(to *string, checks ...Check) Reader {
	return func(v Value) {
		if s, ok := v.Text(checks...); ok {
			*to = s
		}
	}
}

// Lines reads a text of any number of lines.
func Lines(to *string) Reader {
	return func(v Value) {
		if s, ok := v.Lines(); ok {
			*to = s
		}
	}
}

// Texts reads a list of texts.
func Texts(to *[]string, checks ...Check) Reader {
	return List(func(v Value) {
		if s, ok := v.Text(checks...); ok {
			*to = append(*to, s)
		}
	})
}

// Path reads a file's name, which counts from the document's folder.
func Path(to *string) Reader {
	return func(v Value) {
		if s, ok := v.text("a file's name", NotEmpty); ok {
			*to = v.Resolve(s)
		}
	}
}

// Word reads one of a few words.
func Word[S ~string](to *S, words ...S) Reader {
	return func(v Value) {
		s, ok := v.text("a word")
		if !ok {
			return
		}
		var names []string
		for _, w := range words {
			if S(s) == w {
				*to = w
				return
			}
			names = append(names, string(w))
		}
		hint := "write " + strings.Join(names, " or ")
		if near := finding.Nearest(strings.ToLower(s), names); near != "" {
			hint = "did you mean " + near + "?"
		}
		v.Fail(v.doc.format.IDs.Word, hint, "%s is not one of %s", Show(s), strings.Join(names, ", "))
	}
}

// Boolean reads true or false.
func Boolean(to *bool) Reader {
	const what = "true or false"
	return func(v Value) {
		s, _, ok := v.scalar(what, "!!bool")
		switch {
		case !ok:
		case strings.EqualFold(s, "true"):
			*to = true
		case strings.EqualFold(s, "false"):
			*to = false
		default:
			v.Wants(what)
		}
	}
}

// Whole reads a whole number between low and high, in decimal digits: YAML's octal
// and hexadecimal forms are slips more often than wishes. Quotes do no harm.
func Whole[I int | int64](to *I, low, high I) Reader {
	const what = "a whole number"
	return func(v Value) {
		s, quoted, ok := v.Number(what)
		if !ok {
			return
		}
		n, err := strconv.ParseInt(s, 10, 64)
		switch {
		case err != nil && quoted:
			v.Wants(what)
		case err != nil || n < int64(low) || n > int64(high) || strconv.FormatInt(n, 10) != s:
			v.Fail(v.doc.format.IDs.Value, fmt.Sprintf("write a whole number from %d to %d", low, high), "%s is not a whole number in range", Show(s))
		default:
			*to = I(n)
		}
	}
}
