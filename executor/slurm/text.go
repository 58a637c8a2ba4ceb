package slurm

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on what we write, in bytes. Accounting keeps 255 of a node's reason
// (slurmdbd's column is a tinytext). A kilobyte of comment is ten lines.
const (
	maxReason  = 255
	maxComment = 1024
	// maxComments bounds what a job's AdminComment grows to: a job that is
	// requeued for ever says the same over and over.
	maxComments = 16 << 10
)

// clean makes text safe for a field of a node or a job, at most limit bytes
// long: no control characters, and none that scontrol, sinfo's readers or
// shell scripts take for quoting. scontrol gets its arguments without a shell,
// and a reason is a field like any other for who parses "show node".
func clean(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\'' || r == '`' || r == '\\':
			return -1
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError:
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= limit {
		return text
	}
	const more = "..."
	cut := limit - len(more)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.TrimSpace(text[:cut]) + more
}

// reason is what sinfo -R shows of a node that was given back. It is never
// empty.
func reason(code, text string) string {
	if code != "" {
		text = "(Code:" + code + ") " + text
	}
	if text = clean(text, maxReason); text == "" {
		return "(Code:Unknown)"
	}
	return text
}

// fields is what Slurm itself wrote, "Key=value Key=value ...". Its values hold no
// blank: Slurm writes those of a job's reason as underscores.
type fields string

// of returns the first value of a key; "(null)" is none. Few of the fifty keys of
// a line are ever asked for: each is looked for where it is.
func (f fields) of(key string) string {
	for at := 0; ; at += len(key) {
		i := strings.Index(string(f[at:]), key)
		if i < 0 {
			return ""
		}
		at += i
		value, ok := strings.CutPrefix(string(f[at+len(key):]), "=")
		if before, _ := utf8.DecodeLastRuneInString(string(f[:at])); !ok || at > 0 && !unicode.IsSpace(before) {
			continue
		}
		if end := strings.IndexFunc(value, unicode.IsSpace); end >= 0 {
			value = value[:end]
		}
		return strings.TrimSuffix(value, "(null)")
	}
}

// number reads a count. A pending job's NumNodes is a range, "4-4", of which
// the lower end counts.
func number(s string) int {
	low, _, _ := strings.Cut(s, "-")
	n, err := strconv.Atoi(low)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
