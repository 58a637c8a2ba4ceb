// Package read reads YAML that people wrote: by tables of keys, into the places
// that the caller gives, with a finding at its line for each thing that is wrong,
// all of them in one run. It knows no format of ours: which keys there are, what
// their values mean and how findings are called is the caller's. It descends no
// deeper than the tables, so neither nesting nor an alias within itself can
// overflow it.
package read

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
)

// MaxFindings is how many findings are told at once: of errors, and of the rest.
const MaxFindings = 100

// Format is a kind of documents: what is too much for one, and what is said of it.
type Format struct {
	IDs       IDs
	MaxBytes  int    // of a file
	MaxValues int    // read in all; an alias counts each time it is used
	Empty     string // what to give an empty file
	// Ignored says why a key that no table has is accepted and not acted on, by the
	// key's pointer, "" for all others. It is nil where there are no such keys.
	Ignored func(pointer string) string
}

// IDs are what a format calls the findings of this package.
type IDs struct {
	Syntax  string // not readable at all
	Key     string // an unknown key
	Twice   string // a key given twice
	Type    string // another kind of value is wanted
	Value   string // out of range or ill-formed
	Word    string // none of the words
	TooMuch string // more than MaxValues
	Ignored string // accepted, not acted on (info)
}

// Document is one that is being read, and what is wrong with it so far.
type Document struct {
	file   string
	format *Format
	root   *yaml.Node
	found  []finding.Finding
	errors int // so far, told or not
	notes  int // findings below errors, likewise
	values int // read so far
}

// New returns a document without values, for Load, or for findings about what no
// file says. file is its name, for findings and for the folder that relative paths
// count from.
func New(file string, format *Format) *Document {
	return &Document{file: file, format: format}
}

// Load takes a file's text, and returns the root of the only document in it; false
// after a finding.
func (d *Document) Load(data []byte) (Value, bool) {
	whole := Value{doc: d}
	fail := func(v Value, suggestion, format string, args ...any) (Value, bool) {
		v.Fail(d.format.IDs.Syntax, suggestion, format, args...)
		return Value{}, false
	}
	switch {
	case len(data) > d.format.MaxBytes:
		return fail(whole, "is it the right file?", "the file is larger than %d bytes", d.format.MaxBytes)
	case !utf8.Valid(data):
		return fail(whole, "save it as UTF-8", "the file is not UTF-8 text")
	}
	var docs []yaml.Node
	if err := yaml.Load(data, &docs, yaml.WithAllDocuments()); err != nil {
		at, says := whole, err.Error()
		if bad := new(yaml.LoadError); errors.As(err, &bad) {
			at.node, says = &yaml.Node{Line: bad.Mark.Line, Column: bad.Mark.Column}, bad.Message
		}
		return fail(at, "", "not YAML: %s", strings.Join(strings.Fields(says), " "))
	}
	switch {
	case len(docs) > 1:
		return fail(Value{doc: d, node: &docs[1]}, "keep one", "a second YAML document begins here")
	case len(docs) == 0 || len(docs[0].Content) == 0 || docs[0].Content[0].ShortTag() == null:
		return fail(whole, d.format.Empty, "the file is empty")
	}
	d.root = docs[0].Content[0]
	return Value{doc: d, node: d.root}, true
}

// Findings are those so far, by place: the errors, and what is below them.
func (d *Document) Findings() (wrong, notes []finding.Finding) {
	finding.Sort(d.found)
	for _, f := range d.found {
		if f.Level == finding.Error {
			wrong = append(wrong, f)
		} else {
			notes = append(notes, f)
		}
	}
	return wrong, notes
}

// Failed reports whether anything is wrong so far.
func (d *Document) Failed() bool { return d.errors > 0 }

// At returns where a JSON Pointer (RFC 6901) leads, for findings about it: to the
// key, or as far as there are keys. given is false where there is no such key, and
// where it has no value. A nil document has no keys.
func (d *Document) At(pointer string) (at Value, given bool) {
	at = Value{doc: d, ptr: pointer}
	if d == nil || d.root == nil {
		return at, false
	}
	at.node = d.root
	inside := d.root
	for _, token := range strings.Split(pointer, "/")[1:] {
		key, child := member(inside, unescape(token))
		if key == nil {
			return at, false
		}
		at.node, inside = key, child
	}
	return at, inside.ShortTag() != null
}

// member finds what a token of a pointer names in a mapping or a list, with where
// it stands; nil where there is none.
func member(of *yaml.Node, token string) (key, child *yaml.Node) {
	switch of.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(of.Content); i += 2 {
			if dealias(of.Content[i]).Value == token {
				return of.Content[i], dealias(of.Content[i+1])
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(of.Content) {
			return of.Content[i], dealias(of.Content[i])
		}
	}
	return nil, nil
}

func dealias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// Value is a value of a document, and the JSON Pointer that leads to it.
type Value struct {
	doc  *Document
	node *yaml.Node
	ptr  string
}

// Finding is one about the value, which is not noted.
func (v Value) Finding(level finding.Level, id, suggestion, format string, args ...any) finding.Finding {
	f := finding.Finding{ID: id, Level: level, Pointer: v.ptr, Message: fmt.Sprintf(format, args...), Suggestion: suggestion}
	if v.doc != nil {
		f.File = v.doc.file
	}
	if v.node != nil {
		f.Line, f.Column = v.node.Line, v.node.Column
	}
	return f
}

// Note notes a finding about the value.
func (v Value) Note(level finding.Level, id, suggestion, format string, args ...any) {
	// Errors have a hundred of their own: notes must not hide the first one.
	count := &v.doc.notes
	if level == finding.Error {
		count = &v.doc.errors
	}
	if *count++; *count <= MaxFindings {
		v.doc.found = append(v.doc.found, v.Finding(level, id, suggestion, format, args...))
	}
}

// Fail notes that the value is wrong.
func (v Value) Fail(id, suggestion, format string, args ...any) {
	v.Note(finding.Error, id, suggestion, format, args...)
}
