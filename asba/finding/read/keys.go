package read

import (
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
)

// null is the tag of a value that is not given: "key:" stands for no key.
const null = "!!null"

// longestKey is how much of somebody's word a pointer may carry, in bytes.
const longestKey = 64

// Reader reads one value into the place that it was made for.
type Reader func(v Value)

// Keyed is a key of a mapping, and how its value is read.
type Keyed struct {
	name string
	read Reader
}

// Key makes a row of a table of keys.
func Key(name string, read Reader) Keyed { return Keyed{name, read} }

// Mapping reads a mapping by its table of keys.
func Mapping(keys ...Keyed) Reader {
	return func(v Value) { v.Mapping(keys...) }
}

// Mapping reads a mapping by its table of keys, and returns the values that are
// given, by key; nil where there is no mapping.
func (v Value) Mapping(keys ...Keyed) map[string]Value {
	given := map[string]Value{}
	ok := v.each(func(k, child Value) {
		name := dealias(k.node).Value
		read := find(keys, name)
		switch {
		case read == nil:
			k.unknown(name, keys)
		case dealias(child.node).ShortTag() != null:
			given[name] = child
			read(child)
		}
	})
	if !ok {
		return nil
	}
	return given
}

func find(keys []Keyed, name string) Reader {
	for _, k := range keys {
		if k.name == name {
			return k.read
		}
	}
	return nil
}

func (v Value) unknown(name string, keys []Keyed) {
	ids := v.doc.format.IDs
	if v.doc.format.Ignored != nil {
		if why := v.doc.format.Ignored(v.ptr); why != "" {
			v.Note(finding.Info, ids.Ignored, "", "%s is accepted and not acted on: %s", name, why)
			return
		}
	}
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
	}
	hint := "known here: " + strings.Join(names, ", ")
	if near := finding.Nearest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	if name == "<<" {
		hint = "merge keys are not read; repeat the keys"
	}
	v.Fail(ids.Key, hint, "unknown key %s", Show(name))
}

// Pairs reads a mapping of free keys to texts, each judged by a check. It calls
// each with the place of the key.
func (v Value) Pairs(keys, values Check, each func(at Value, key, val string)) {
	v.each(func(k, child Value) {
		if name, ok := k.Text(keys); ok {
			if val, ok := child.Text(values); ok {
				each(k, name, val)
			}
		}
	})
}

// Each reads a mapping of free keys to values of any kind. It calls do with each key,
// its place and its value.
func (v Value) Each(keys Check, do func(key string, at, child Value)) {
	v.each(func(k, child Value) {
		if name, ok := k.Text(keys); ok {
			do(name, k, child)
		}
	})
}

// each calls do for each key and value of a mapping, and reports whether it is one.
// The key's place has the pointer of its value.
func (v Value) each(do func(k, child Value)) bool {
	n, ok := v.open()
	if !ok {
		return false
	}
	if n.Kind != yaml.MappingNode {
		v.Wants("keys with values")
		return false
	}
	ids, lines := v.doc.format.IDs, make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, child := Value{v.doc, n.Content[i], v.ptr}, Value{v.doc, n.Content[i+1], v.ptr}
		word, ok := k.open()
		if v.doc.full() {
			break
		}
		if !ok || word.Kind != yaml.ScalarNode {
			k.Fail(ids.Type, "", "a key must be text")
			continue
		}
		name := word.Value
		if OneLine(name) && len(name) <= longestKey { // else it would spoil the finding's line
			k.ptr += "/" + pointerEscapes.Replace(name)
			child.ptr = k.ptr
		}
		if line, twice := lines[name]; twice {
			k.Fail(ids.Twice, "remove one of the two", "%s is given twice, first in line %d", Show(name), line)
			continue
		}
		lines[name] = k.node.Line
		do(k, child)
	}
	return true
}

// List reads a list, each item of it by item.
func List(item Reader) Reader {
	return func(v Value) {
		n, ok := v.open()
		if !ok {
			return
		}
		if n.Kind != yaml.SequenceNode {
			v.Wants("a list")
			return
		}
		for i, child := range n.Content {
			if v.doc.full() {
				return
			}
			item(Value{v.doc, child, v.ptr + "/" + strconv.Itoa(i)})
		}
	}
}

// IsMapping tells a mapping from a list, where both are accepted.
func (v Value) IsMapping() bool { return dealias(v.node).Kind == yaml.MappingNode }

// Wants notes that another kind of value stands where one was wanted.
func (v Value) Wants(what string) {
	n := dealias(v.node)
	has := map[string]string{
		"!!map": "keys with values", "!!seq": "a list", "!!int": "the number " + Show(n.Value), "!!float": "the number " + Show(n.Value),
		"!!bool": strings.Trim(Show(n.Value), `"`), // true is a word, not a text
		"!!str":  "the text " + Show(n.Value),
	}[n.ShortTag()]
	if has == "" {
		has = "a value tagged " + Show(n.ShortTag())
	}
	v.Fail(v.doc.format.IDs.Type, "", "wants %s, has %s", what, has)
}

// open returns the value's node, behind an alias, and counts it. It returns false
// for null, which is the same as a key not given, and once there is too much.
func (v Value) open() (*yaml.Node, bool) {
	n, d := dealias(v.node), v.doc
	if d.values++; d.values == d.format.MaxValues {
		v.Fail(d.format.IDs.TooMuch, "remove aliases that repeat aliases", "more than %d values in one file", d.format.MaxValues)
	}
	return n, !d.full() && n.ShortTag() != null
}

// full reports whether all values have been read that may be.
func (d *Document) full() bool { return d.values >= d.format.MaxValues }

// Resolve makes a file's name one that counts from the document's folder: the
// folder that a program is started in is nobody's intention.
func (v Value) Resolve(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(filepath.Dir(v.doc.file), path)
}
