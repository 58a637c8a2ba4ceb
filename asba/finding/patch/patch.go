// Package patch applies the fixes of findings to the very text that they are
// about: what a fix does not speak of keeps every byte, its comments, its order
// and its blanks.
//
// It takes JSON with comments and trailing commas too, and reads no schema: that
// a fix makes sense is for whoever found it.
package patch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"aws-slurm-burst/asba/finding"
)

// maxNesting bounds arrays and objects within each other, since reading them is
// recursive.
const maxNesting = 1000

// bom begins a UTF-8 file of some editors; it is no JSON.
var bom = []byte("\uFEFF")

// Apply applies the operations of one fix, one after the other. Comments that
// stand before an entry that goes, or behind it on its line, go with it. A text
// that is no JSON, and a place that is not there or that two members answer to,
// are errors.
func Apply(text []byte, fix []finding.Op) ([]byte, error) {
	d, err := parse(text)
	if err != nil {
		return nil, err
	}
	if err := d.apply(fix); err != nil {
		return nil, err
	}
	return d.pack(), nil
}

// document is a text that was read.
type document struct {
	tree hujson.Value
	// marked: a byte order mark begins it. open: its last line has no end, which
	// a comment there must have for the reader.
	marked, open bool
}

func parse(text []byte) (d document, err error) {
	text, d.marked = bytes.CutPrefix(text, bom)
	if nesting(text) > maxNesting {
		return d, fmt.Errorf("more than %d values within each other", maxNesting)
	}
	d.open = !bytes.HasSuffix(text, []byte("\n"))
	text = bytes.Clone(text) // the tree holds on to it
	if d.open {
		text = append(text, '\n')
	}
	if d.tree, err = hujson.Parse(text); err != nil {
		return d, fmt.Errorf("not JSON: %w", err)
	}
	return d, nil
}

// apply applies a fix. After an error the document is of no use any more.
func (d *document) apply(fix []finding.Op) error {
	for _, op := range fix {
		if err := apply(&d.tree, op); err != nil {
			return err
		}
	}
	return nil
}

func (d document) pack() []byte {
	out := d.tree.Pack()
	if d.open {
		out = bytes.TrimSuffix(out, []byte("\n"))
	}
	if d.marked {
		out = append(bytes.Clone(bom), out...)
	}
	return out
}

// nesting is how deep the brackets of a text go, outside of strings at least.
func nesting(text []byte) (most int) {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
			if c == '\n' { // a quote in a comment, or text that is no JSON
				inString = false
			}
		case c == '{', c == '[':
			depth++
			most = max(most, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return most
}

// apply applies one operation, and lays the new text out as its neighbours are.
func apply(tree *hujson.Value, op finding.Op) error {
	for _, pointer := range paths(op) {
		if pointer != "" && pointer[0] != '/' || !utf8.ValidString(pointer) {
			return fmt.Errorf("%s: %q is no JSON Pointer", op.Op, pointer)
		}
		if err := unambiguous(tree, pointer); err != nil {
			return err
		}
	}
	switch op.Op {
	case "add", "replace":
		if v, err := hujson.Parse(op.Value); err != nil || !v.IsStandard() {
			return fmt.Errorf("%s %s: its value is no JSON", op.Op, op.Path)
		}
	case "remove", "move":
	default:
		return fmt.Errorf("%q is no operation of a fix (add, remove, replace, move)", op.Op)
	}
	one, err := json.Marshal([]finding.Op{op})
	if err != nil {
		return fmt.Errorf("%s %s: %w", op.Op, op.Path, err)
	}
	if op.Op == "move" && rename(tree, op) {
		return nil
	}
	around := look(tree, op)
	if err := tree.Patch(one); err != nil {
		return fmt.Errorf("%s %s: %s", op.Op, op.Path, strings.TrimPrefix(err.Error(), "hujson: patch operation 0: "))
	}
	around.tidy(tree, op)
	return nil
}

// rename gives a key of an object another name where it stands; the library
// would put it last. It reports false for all other moves.
func rename(tree *hujson.Value, op finding.Op) bool {
	from, old := split(op.From)
	to, name := split(op.Path)
	at := tree.Find(from)
	if from != to || at == nil {
		return false
	}
	object, ok := at.Value.(*hujson.Object)
	if i := index(at, old); ok && i >= 0 && index(at, name) < 0 {
		object.Members[i].Name.Value = hujson.String(name)
		return true
	}
	return false
}

// unambiguous refuses a pointer through a name that an object has twice:
// programs differ in which of the two they take.
func unambiguous(tree *hujson.Value, pointer string) error {
	for i := range len(pointer) {
		if pointer[i] != '/' {
			continue
		}
		at := tree.Find(pointer[:i])
		if at == nil {
			return nil // the operation says so better
		}
		object, ok := at.Value.(*hujson.Object)
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(pointer[i+1:], "/")
		name, found := unescape.Replace(name), 0
		for _, m := range object.Members {
			if m.Name.Value.(hujson.Literal).String() == name {
				found++
			}
		}
		if found > 1 {
			return fmt.Errorf("%s: the key stands %d times", pointer[:i+1+len(escape.Replace(name))], found)
		}
	}
	return nil
}

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)
