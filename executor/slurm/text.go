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

// fields splits what Slurm itself wrote, "Key=value Key=value ...", and keeps
// the first value of each key; "(null)" is none. Such values hold no blank:
// Slurm writes those of a job's reason as underscores.
func fields(text string) map[string]string {
	m := map[string]string{}
	for _, word := range strings.Fields(text) {
		key, value, ok := strings.Cut(word, "=")
		if _, seen := m[key]; ok && !seen {
			m[key] = strings.TrimSuffix(value, "(null)")
		}
	}
	return m
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
