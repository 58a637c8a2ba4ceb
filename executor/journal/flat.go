package journal

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/executor/env"
)

// The records that every call writes and reads are JSON of the plainest form: one
// object of texts in ASCII, numbers and booleans, without blanks and escapes. These are
// written and read by hand, which takes a fifth of the time; what has another form,
// whoever wrote it, is read by the library.

// flat writes such an object.
type flat struct{ b []byte }

// text adds a member, none for an empty text.
func (f *flat) text(key, value string) {
	if value != "" {
		f.b, _ = jsontext.AppendQuote(f.key(key), value) // what is no UTF-8 is replaced
	}
}

func (f *flat) number(key string, value int64) { f.b = strconv.AppendInt(f.key(key), value, 10) }

// yes adds a member that is true, none where it is not.
func (f *flat) yes(key string, value bool) {
	if value {
		f.b = append(f.key(key), "true"...)
	}
}

func (f *flat) key(key string) []byte {
	if len(f.b) == 0 {
		f.b = append(make([]byte, 0, 512), '{')
	} else {
		f.b = append(f.b, ',')
	}
	return append(append(append(f.b, '"'), key...), '"', ':')
}

// line ends the object.
func (f *flat) line() []byte { return append(f.b, '}', '\n') }

// flatten calls member for each member of an object, with texts unquoted, and
// reports whether it had that form and every member was welcome.
func flatten(line []byte, member func(key, value string, quoted bool) bool) bool {
	rest, ok := bytes.CutPrefix(line, []byte(`{"`))
	if !ok || slices.ContainsFunc(line, func(c byte) bool { return c < ' ' || c == '\\' || c >= utf8.RuneSelf }) {
		return false // what needs an escape, or a look at its letters
	}
	text := string(rest)
	for more := true; more; {
		key, after, ok := strings.Cut(text, `":`)
		if !ok || after == "" || strings.IndexByte(key, '"') >= 0 {
			return false
		}
		var value string
		quoted := after[0] == '"'
		if quoted {
			if value, text, ok = strings.Cut(after[1:], `"`); !ok {
				return false
			}
		} else {
			end := strings.IndexAny(after, ",}")
			if end < 1 || strings.Trim(after[:end], "0123456789") != "" && after[:end] != "true" {
				return false
			}
			value, text = after[:end], after[end:]
		}
		if !member(key, value, quoted) {
			return false
		}
		if text, more = strings.CutPrefix(text, `,"`); !more && text != "}" {
			return false
		}
	}
	return true
}

// instant reads a time that flatten found.
func instant(value string, into *env.Time) bool {
	n, err := strconv.ParseInt(value, 10, 64)
	*into = env.Time(n)
	return err == nil && (len(value) == 1 || value[0] != '0')
}
