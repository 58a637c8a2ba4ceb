package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// What a value of the wrong type plainly means, as the fix of the finding about
// it; nil where that is not plain.

func meantBoolean(n *node) []finding.Op {
	if on, plain := truth(strings.TrimSpace(n.text)); n.kind == '"' && plain {
		return n.replace(on)
	}
	return nil
}

func meantText(n *node) []finding.Op {
	if n.kind != 't' && n.kind != 'f' {
		return nil
	}
	return n.replace(strconv.FormatBool(n.kind == 't'))
}

func meantNumber(n *node, limit float64, whole bool) []finding.Op {
	number := jsontext.Value(strings.TrimSpace(n.text))
	if n.kind != '"' || number.Kind() != '0' || !number.IsValid() {
		return nil
	}
	v, err := strconv.ParseFloat(string(number), 64)
	if err != nil || v < 0 || v > limit || whole && v != float64(int64(v)) {
		return nil
	}
	return n.replace(number)
}

// meantList takes a text for the one item, or, where nothing in it has blanks
// but around its commas, for several.
func meantList(n *node) []finding.Op {
	if n.kind != '"' {
		return nil
	}
	items := []string{}
	for item := range strings.SplitSeq(n.text, ",") {
		if item = strings.TrimSpace(item); strings.ContainsAny(item, blanks) {
			return n.replace([]string{strings.TrimSpace(n.text)}) // prose
		} else if item != "" {
			items = append(items, item)
		}
	}
	return n.replace(items)
}

// meantItem: a number is a text as it is written, and an item that says nothing
// is none.
func meantItem(n *node) []finding.Op {
	switch n.kind {
	case '0':
		return n.replace(n.text)
	case '"', 'n':
		return []finding.Op{{Op: "remove", Path: n.at.Pointer}}
	}
	return nil
}

func (n *node) replace(v any) []finding.Op {
	if n.nameless {
		return nil
	}
	value, err := json.Marshal(v)
	if err != nil { // of a bool, a number, or text that was read
		panic("plan: " + err.Error())
	}
	return []finding.Op{{Op: "replace", Path: n.at.Pointer, Value: value}}
}

// suggested is for how many unknown keys a known one is looked for: nobody reads
// on, and a hostile plan has thousands.
const suggested = 50

// unknown warns of a key that nobody reads: most are misspelt, or stand in the
// wrong section.
func (r *reader) unknown(m member, in *node, f field) {
	suggestion, fix := "", []finding.Op(nil)
	if r.unknowns++; r.unknowns <= suggested {
		suggestion, fix = r.meantKey(m, in, f)
	}
	r.Add(rule.Unknown, m.at, fmt.Sprintf("the key %s is not known and has no effect", finding.Quote(m.name)), suggestion, fix...)
}

// meantKey looks for a key that is spelt alike in the same object, then for one
// of this name in another, then for one that is spelt alike there.
func (r *reader) meantKey(m member, in *node, f field) (suggestion string, fix []finding.Op) {
	var names []string
	for _, known := range f.fields {
		names = append(names, known.name)
	}
	if near := finding.Nearest(m.name, names); near != "" {
		return "did you mean " + near + "?", r.move(m, pathOf(in), near)
	}
	where := homes()
	if home, ok := where[m.name]; ok {
		return "it belongs in " + homeName(home), r.move(m, home, m.name)
	}
	names = names[:0]
	for name := range where {
		names = append(names, name)
	}
	slices.Sort(names) // of equally near ones the first is taken
	if near := finding.Nearest(m.name, names); near != "" {
		home := where[near]
		return fmt.Sprintf("did you mean %s in %s?", near, homeName(home)), r.move(m, home, near)
	}
	return "nothing reads it", nil
}

// pathOf names the objects down to a known one.
func pathOf(n *node) []string { return strings.Split(n.at.Pointer, "/")[1:] }

func homeName(path []string) string {
	if len(path) == 0 {
		return "the plan itself"
	}
	return strings.Join(path, "/")
}

// homes returns where each key belongs: the objects down to it. Of several
// places it is the first that says more than another does.
func homes() map[string][]string {
	out := map[string][]string{}
	second := map[string]bool{}
	var walk func(path []string, f field)
	walk = func(path []string, f field) {
		for _, k := range f.fields {
			if _, known := out[k.name]; !known || second[k.name] && k.first == "" {
				out[k.name], second[k.name] = path, k.first != ""
			}
		}
		for _, k := range f.fields {
			walk(append(slices.Clip(path), k.name), k)
		}
	}
	walk(nil, root)
	return out
}

// move is the fix that moves a key to an object, which it makes where there is
// none; nil where the key is there, or another fix moves one there.
func (r *reader) move(m member, home []string, name string) []finding.Op {
	if m.nameless {
		return nil
	}
	var ops []finding.Op
	at := r.tree
	pointer := ""
	for _, section := range home {
		pointer = pointerTo(pointer, section)
		if at != nil {
			at = at.member(section)
		}
		switch {
		case at == nil || at.kind == 'n':
			at = nil
			ops = append(ops, finding.Op{Op: "add", Path: pointer, Value: jsontext.Value("{}")})
		case at.kind != '{':
			return nil
		}
	}
	pointer = pointerTo(pointer, name)
	if at != nil && at.member(name) != nil || r.moved[pointer] {
		return nil
	}
	if r.moved == nil {
		r.moved = map[string]bool{}
	}
	r.moved[pointer] = true
	return append(ops, finding.Op{Op: "move", From: m.at.Pointer, Path: pointer})
}

// member returns the value of a member, nil where there is none.
func (n *node) member(name string) *node {
	for _, m := range n.members {
		if m.name == name {
			return m.node
		}
	}
	return nil
}
