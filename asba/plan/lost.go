package plan

import "github.com/go-json-experiment/json/jsontext"

// Lost returns where a text says something that Write leaves out, in order of
// place: keys that decide nothing, and keys that nobody knows. What a plan says
// of its should_burst, types, limits and the rest is never among them. A key
// that is left open says nothing.
func Lost(data []byte, file string) []Place {
	d, readable := newDocument(data, file)
	if !readable {
		return nil
	}
	tree, whole := d.parse()
	if !whole || tree.kind != '{' {
		return nil
	}
	return lost(tree, root)
}

func lost(n *node, object field) (places []Place) {
	for _, m := range n.members {
		f, known := field{}, false
		for _, k := range object.fields {
			if k.name == m.name {
				f, known = k, true
			}
		}
		switch {
		case open(m.node), m.name == "$schema": // of editors, not of the plan
		case known && f.fields != nil && m.kind == '{':
			places = append(places, lost(m.node, f)...)
		case !known, f.write == nil && f.first == "":
			places = append(places, m.at)
		}
	}
	return places
}

// open reports whether a value is one that programs write for what they never
// set.
func open(n *node) bool {
	switch n.kind {
	case jsontext.Kind('n'):
		return true
	case '"':
		return n.text == ""
	case '[':
		return len(n.items) == 0
	case '{':
		return len(n.members) == 0
	}
	return false
}
