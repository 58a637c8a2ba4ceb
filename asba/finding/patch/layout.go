package patch

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"

	"aws-slurm-burst/asba/finding"
)

// split parts a pointer into that of the container and the last name.
func split(pointer string) (parent, name string) {
	i := strings.LastIndexByte(pointer, '/')
	if i < 0 {
		return "", ""
	}
	return pointer[:i], unescape.Replace(pointer[i+1:])
}

// entries are what stands before each entry of a container, and before its
// closing bracket. The pointers go into the tree.
func entries(container *hujson.Value) (before []*hujson.Extra, end *hujson.Extra) {
	switch c := container.Value.(type) {
	case *hujson.Object:
		for i := range c.Members {
			before = append(before, &c.Members[i].Name.BeforeExtra)
		}
		return before, &c.AfterExtra
	case *hujson.Array:
		for i := range c.Elements {
			before = append(before, &c.Elements[i].BeforeExtra)
		}
		return before, &c.AfterExtra
	}
	return nil, nil
}

// lastOf is the last value of a container, nil where it has none.
func lastOf(container *hujson.Value) *hujson.Value {
	switch c := container.Value.(type) {
	case *hujson.Object:
		if n := len(c.Members); n > 0 {
			return &c.Members[n-1].Value
		}
	case *hujson.Array:
		if n := len(c.Elements); n > 0 {
			return &c.Elements[n-1]
		}
	}
	return nil
}

// index finds an entry of a container by its name; -1 where there is none.
func index(container *hujson.Value, name string) int {
	switch c := container.Value.(type) {
	case *hujson.Object:
		for i, m := range c.Members {
			if m.Name.Value.(hujson.Literal).String() == name {
				return i
			}
		}
	case *hujson.Array:
		if name == "-" {
			return len(c.Elements) - 1 // of what was appended
		}
		if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(c.Elements) {
			return n
		}
	}
	return -1
}

// surroundings are the blanks where an operation works, before it does.
type surroundings struct {
	// first are those before the entry that goes, where it is the first of its
	// container; nil where it is not.
	first hujson.Extra
	// ends are those before the closing brackets, of the container where
	// something goes and of that where something comes.
	ends [2]hujson.Extra
	// commas: a comma stands before those closing brackets.
	commas [2]bool
	// replaces: nothing new comes, a value takes the place of another.
	replaces bool
}

func look(tree *hujson.Value, op finding.Op) (s surroundings) {
	for i, pointer := range [2]string{leaves(op), comes(op)} {
		parent, name := split(pointer)
		at := tree.Find(parent)
		if pointer == "" || at == nil {
			continue
		}
		before, end := entries(at)
		if end == nil {
			continue
		}
		s.ends[i] = append(hujson.Extra{}, *end...)
		if last := lastOf(at); last != nil {
			s.commas[i] = last.AfterExtra != nil
		}
		switch _, object := at.Value.(*hujson.Object); {
		case i == 0 && index(at, name) == 0:
			s.first = append(hujson.Extra{}, *before[0]...)
		case i == 1 && object:
			s.replaces = index(at, name) >= 0
		}
	}
	return s
}

// leaves is where something goes, comes where something comes; "" for nowhere.
func leaves(op finding.Op) string {
	switch op.Op {
	case "remove":
		return op.Path
	case "move":
		return op.From
	}
	return ""
}

func comes(op finding.Op) string {
	if op.Op == "add" || op.Op == "move" {
		return op.Path
	}
	return ""
}

// tidy lays out what an operation has left: the library puts new entries down
// without blanks, and takes some that it should leave.
func (s surroundings) tidy(tree *hujson.Value, op finding.Op) {
	for i, pointer := range [2]string{leaves(op), comes(op)} {
		parent, _ := split(pointer)
		if at := tree.Find(parent); pointer != "" && at != nil {
			_, end := entries(at)
			if end != nil && blank(*end) && blank(s.ends[i]) {
				*end = s.ends[i]
			}
			// What stood between an entry and its comma makes a comma of the
			// library's where the entry is now the last.
			if last := lastOf(at); last != nil && !s.commas[i] && last.AfterExtra != nil {
				if !blank(last.AfterExtra) {
					*end = append(last.AfterExtra, *end...)
				}
				last.AfterExtra = nil
			}
		}
	}
	if pointer := leaves(op); pointer != "" && s.first != nil && blank(s.first) {
		parent, _ := split(pointer)
		if at := tree.Find(parent); at != nil {
			closeUp(at, s.first)
		}
	}
	if pointer := comes(op); pointer != "" && !s.replaces {
		layOut(tree, pointer)
	}
}

// closeUp lets the new first entry of a container stand where the old one stood,
// and closes a container that has become empty.
func closeUp(container *hujson.Value, first hujson.Extra) {
	switch before, end := entries(container); {
	case end == nil:
	case len(before) > 0 && blank(*before[0]) && !bytes.ContainsRune(*before[0], '\n'):
		*before[0] = first
	case len(before) == 0 && blank(*end):
		*end = nil
	}
}

func blank(b hujson.Extra) bool { return b.IsStandard() }

// layOut gives a new entry the blanks of its neighbours.
func layOut(tree *hujson.Value, pointer string) {
	parent, name := split(pointer)
	at := tree.Find(parent)
	if at == nil {
		return
	}
	i := index(at, name)
	before, end := entries(at)
	if i < 0 {
		return
	}
	if o, ok := at.Value.(*hujson.Object); ok {
		o.Members[i].Value.BeforeExtra = afterColon(tree, o, i)
	}
	switch {
	case !blank(*before[i]): // it came with a comment of its own
	case i > 0:
		*before[i] = blanksOf(*before[i-1])
		// In ["a", "b"] the first has no blank before it.
		if i == 1 && len(*before[0]) == 0 {
			*before[i] = hujson.Extra(" ")
		}
	case len(before) > 1: // it is the new first
		*before[0] = blanksOf(*before[1])
		if !bytes.ContainsRune(*before[1], '\n') {
			*before[1] = hujson.Extra(" ")
		}
	default: // it is alone
		if indent := indentOf(tree, parent); indent != "" && blank(*end) {
			*before[0] = hujson.Extra(indent)
			outer := indentOf(tree, trimLast(parent))
			if outer == "" {
				outer = "\n"
			}
			*end = hujson.Extra(outer)
		}
	}
}

// blanksOf is the last line break of what stands before an entry, and what
// indents it: comments belong to the entry that they stand before.
func blanksOf(b hujson.Extra) hujson.Extra {
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		if i > 0 && b[i-1] == '\r' {
			i--
		}
		return append(hujson.Extra{}, b[i:]...)
	}
	if blank(b) {
		return append(hujson.Extra{}, b...)
	}
	return hujson.Extra(" ")
}

// afterColon is what stands between the colon and the value of a neighbour.
func afterColon(tree *hujson.Value, o *hujson.Object, i int) hujson.Extra {
	for k := range o.Members {
		if k != i {
			return blanksOf(o.Members[k].Value.BeforeExtra)
		}
	}
	if root, ok := tree.Value.(*hujson.Object); ok && root != o && len(root.Members) > 0 {
		return blanksOf(root.Members[0].Value.BeforeExtra)
	}
	return hujson.Extra(" ")
}

// indentOf is the line break and the indentation of the entries of a container,
// guessed from where the container itself stands where it has none; "" where the
// text has no lines.
func indentOf(tree *hujson.Value, container string) string {
	depth := strings.Count(container, "/") + 1
	root, ok := tree.Value.(*hujson.Object)
	if !ok || len(root.Members) == 0 {
		return ""
	}
	first := string(blanksOf(root.Members[0].Name.BeforeExtra))
	unit, broken := strings.CutPrefix(strings.TrimPrefix(first, "\r"), "\n")
	if !broken {
		return ""
	}
	if container == "-" { // above the root
		return strings.TrimSuffix(first, unit)
	}
	return first + strings.Repeat(unit, depth-1)
}

// trimLast is the container of a container; "-" stands for that of the root.
func trimLast(pointer string) string {
	if pointer == "" {
		return "-"
	}
	parent, _ := split(pointer)
	return parent
}
