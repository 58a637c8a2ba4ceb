package report

import (
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// escapes are a terminal's escape sequences: colours, titles, cursor moves.
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\))")

// clean copies runs with every text in them made fit for a report.
func clean(runs []Summary) []Summary {
	var out []Summary
	cleanInto(reflect.ValueOf(&out).Elem(), reflect.ValueOf(runs))
	return out
}

// cleanInto fills what is new of a type, depth first. Bytes (attachments) and
// times are taken as they are.
func cleanInto(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.String:
		to.SetString(cleanText(from.String()))
	case reflect.Struct:
		if from.Type() == reflect.TypeFor[time.Time]() {
			to.Set(from)
			return
		}
		for i := range from.NumField() {
			cleanInto(to.Field(i), from.Field(i))
		}
	case reflect.Slice:
		if from.IsNil() || from.Type().Elem().Kind() == reflect.Uint8 {
			to.Set(from)
			return
		}
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			cleanInto(to.Index(i), from.Index(i))
		}
	default:
		to.Set(from)
	}
}

// cleanText makes text of programs fit for every report: terminal escapes are taken
// out, and what XML cannot hold stands as a picture (␀) or, where it is no UTF-8,
// as U+FFFD. Lines and tabs stay.
func cleanText(text string) string {
	if plain(text) {
		return text
	}
	text = escapes.ReplaceAllString(strings.ReplaceAll(text, "\r\n", "\n"), "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		case r >= 0x80 && r < 0xa0, r == 0xfffe, r == 0xffff: // C1 controls and what is no character
			return utf8.RuneError
		}
		return r // strings.Map itself turns what is no UTF-8 into U+FFFD
	}, text)
}

// plain: printable ASCII and lines, which is nearly all there is.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\n' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}
