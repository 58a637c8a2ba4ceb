// Package finding is a diagnosis about a document that a person wrote: what is
// wrong, where, and what to write instead. Plans and configurations are
// diagnosed with it alike. It knows no document format and prints nothing.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Level says how bad a finding is. A level belongs to the finding's id.
type Level int8

// A Warning is unwise, an Error is refused.
const (
	Info Level = iota
	Warning
	Error
)

// String returns the level as compilers write it.
func (l Level) String() string {
	switch l {
	case Info:
		return "info"
	case Warning:
		return "warning"
	default:
		return "error"
	}
}

// MarshalText writes the level as its word.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a level's word.
func (l *Level) UnmarshalText(text []byte) error {
	for _, k := range []Level{Info, Warning, Error} {
		if k.String() == string(text) {
			*l = k
			return nil
		}
	}
	return fmt.Errorf("%q is not a level (info, warning, error)", text)
}

// Finding is one diagnosis.
type Finding struct {
	// ID is stable across releases: letters and three digits, such as PLAN001.
	ID    string `json:"id"`
	Level Level  `json:"level"`
	// File, Line and Column (both from 1, in bytes) say where; a Line of 0
	// means the document as a whole. Pointer is a JSON Pointer (RFC 6901).
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitzero"`
	Column  int    `json:"column,omitzero"`
	Pointer string `json:"pointer,omitempty"`
	// Message says what is wrong, Suggestion what to do about it.
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
	// Fix takes the finding away, where a program can know how; a document it
	// is applied to must be the very one that the finding is about.
	Fix []Op `json:"fix,omitempty"`
}

// Op is an operation of a JSON Patch (RFC 6902).
type Op struct {
	Op    string         `json:"op"` // add, remove, replace or move
	Path  string         `json:"path"`
	From  string         `json:"from,omitempty"`  // of a move
	Value jsontext.Value `json:"value,omitempty"` // of add and replace
}

// Where formats the place as "file:line:column", as far as it is known.
func (f Finding) Where() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		b.WriteString(":" + strconv.Itoa(f.Line))
		if f.Column > 0 {
			b.WriteString(":" + strconv.Itoa(f.Column))
		}
	}
	return b.String()
}

// String formats the finding on one line:
// "plan.json:12:21: error[PLAN003] /instance_types/0: message (suggestion)".
func (f Finding) String() string {
	var b strings.Builder
	if w := f.Where(); w != "" {
		b.WriteString(w + ": ")
	}
	b.WriteString(f.Level.String())
	if f.ID != "" {
		b.WriteString("[" + f.ID + "]")
	}
	if f.Pointer != "" {
		b.WriteString(" " + f.Pointer)
	}
	b.WriteString(": " + f.Message)
	if f.Suggestion != "" {
		b.WriteString(" (" + f.Suggestion + ")")
	}
	return b.String()
}

// Lines formats findings, one a line.
func Lines(fs []Finding) string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Count returns how many findings are at this level or above.
func Count(fs []Finding, at Level) int {
	n := 0
	for _, f := range fs {
		if f.Level >= at {
			n++
		}
	}
	return n
}

// Sort orders findings by place, then id, then message.
func Sort(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Message, b.Message))
	})
}
