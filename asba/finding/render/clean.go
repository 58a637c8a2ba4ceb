package render

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a text fit for a terminal's line: what is not for the eye (line
// breaks, escapes, marks that turn the direction of a text, bytes that are no
// UTF-8) is shown as Go writes it in a string, such as \x1b.
func Clean(s string) string {
	if !strings.ContainsFunc(s, unsafe) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case unsafe(r):
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unsafe characters are those that show nothing of their own. A blank is the
// only one that is let through.
func unsafe(r rune) bool { return !unicode.IsPrint(r) }
