package report

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// escapes are a terminal's escape sequences: colours, titles, cursor moves.
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\))")

// clean makes text of programs fit for every report: terminal escapes are taken
// out, and what XML cannot hold stands as a picture (␀) or, where it is no UTF-8,
// as U+FFFD. Lines and tabs stay.
func clean(text string) string {
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
