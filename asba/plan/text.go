package plan

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// MaxSize is the greatest plan that is read, in bytes; real ones take some
// kilobytes.
const MaxSize = 1 << 20

// TooLarge is the finding about a plan of more than MaxSize bytes, also for
// those who notice it before they have read it all.
func TooLarge(file string) finding.Finding {
	return rule.New(rule.TooLarge, Place{File: file, Line: 1, Column: 1}, tooLarge, tooLargeWay)
}

const (
	tooLarge    = "the plan has more than 1048576 bytes"
	tooLargeWay = "a plan takes some kilobytes: is this the right file?"
)

// document is a plan's text with the way from an offset to its line.
type document struct {
	rule.Report
	file  string
	text  []byte // blanks stand for comments, so offsets stay true
	lines []int  // offset of each line's first byte
}

// newDocument checks what can be said before parsing. It reports whether it is
// worth going on.
func newDocument(data []byte, file string) (*document, bool) {
	d := &document{file: file}
	whole := Place{File: file, Line: 1, Column: 1}
	if len(data) > MaxSize {
		d.Add(rule.TooLarge, whole, tooLarge, tooLargeWay)
		return d, false
	}
	d.text = bytes.Clone(data)
	d.lines = []int{0}
	for i, c := range data {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	if bytes.HasPrefix(d.text, []byte("\uFEFF")) {
		copy(d.text, "   ") // editors of Windows begin a UTF-8 file so
	}
	if bad := firstInvalid(d.text); bad >= 0 {
		d.Add(rule.Encoding, d.place(bad, ""), "the plan is not UTF-8 text", "save it as UTF-8")
		return d, false
	}
	d.blankComments()
	if len(bytes.TrimSpace(d.text)) == 0 {
		d.Add(rule.Empty, whole, "the plan is empty", "run 'asba analyze' to generate one")
		return d, false
	}
	return d, true
}

// place locates an offset.
func (d *document) place(offset int, pointer string) Place {
	line, exact := slices.BinarySearch(d.lines, offset)
	if !exact {
		line-- // the line that began before the offset
	}
	return Place{File: d.file, Line: line + 1, Column: offset - d.lines[line] + 1, Pointer: pointer}
}

// blankComments turns // comments into blanks. JSON has none, but people
// explain plans with them. A string never spans lines, so one that is not
// closed hides no comment of a later line.
func (d *document) blankComments() {
	first, inString := -1, false
	for i := 0; i < len(d.text); i++ {
		switch c := d.text[i]; {
		case c == '\n':
			inString = false
		case inString && c == '\\' && i+1 < len(d.text) && d.text[i+1] != '\n':
			i++
		case c == '"':
			inString = !inString
		case !inString && c == '/' && i+1 < len(d.text) && d.text[i+1] == '/':
			if first < 0 {
				first = i
			}
			for ; i < len(d.text) && d.text[i] != '\n'; i++ {
				d.text[i] = ' '
			}
		}
	}
	if first >= 0 {
		d.Add(rule.Comment, d.place(first, ""), "JSON has no comments: they are ignored here, but other programs refuse them", "remove lines and line ends that begin with //")
	}
}

// firstInvalid returns the offset of the first byte that is not UTF-8, or -1.
func firstInvalid(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
}

// pointerTo appends a member's name to a JSON Pointer. A name that cannot be
// shown as it is leaves the pointer at its parent.
func pointerTo(parent, name string) string {
	if !showable(name) {
		return parent
	}
	return parent + "/" + pointerEscapes.Replace(name)
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func showable(s string) bool {
	return len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
