package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// Read reads a plan. file is its name, for findings and as its Source. Findings
// come in order of place, all at once. The plan is as complete as the text
// allows, so that it can be linted in any case, but it is fit for use only
// where no finding is an error; it is nil where the text is no JSON object.
//
// Comments from // to the line's end are let through with one warning, unknown
// keys with one each. Two keys that say the same thing differently are an error;
// the plan then has the lower max_spot_price, a cluster rather than any other
// placement, and else what the key says that both dialects have.
func Read(data []byte, file string) (*Plan, []finding.Finding) {
	d, readable := newDocument(data, file)
	if !readable {
		return nil, d.Findings()
	}
	tree, whole := d.parse()
	r := reader{Report: &d.Report, other: &Plan{}, tree: tree}
	p := &Plan{Source: file, Digest: digest(data), root: tree.at}
	if tree.kind == '{' {
		r.object(p, tree, root)
		r.settle(p)
	} else if whole {
		r.wrong(tree, "an object")
	}
	if !whole || tree.kind != '{' {
		return nil, d.Findings()
	}
	p.Dialect = DialectA
	if r.marks[DialectB] > r.marks[DialectA] {
		p.Dialect = DialectB
	}
	return p, d.Findings()
}

// digest is 16 hexadecimal digits: enough to tell the plans of a site apart.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

type reader struct {
	*rule.Report
	// other takes the values of second places.
	other *Plan
	// marks counts the keys that only one dialect has.
	marks map[string]int
	// tree is the whole plan; moved are the pointers that fixes move keys to.
	tree     *node
	moved    map[string]bool
	unknowns int // keys
}

// object reads the members of an object, and reports whether any says
// anything.
func (r *reader) object(p *Plan, n *node, f field) (says bool) {
	for _, m := range n.members {
		i := slices.IndexFunc(f.fields, func(f field) bool { return f.name == m.name })
		if i < 0 {
			r.unknown(m, n, f)
			continue
		}
		if r.member(p, m, f.fields[i]) {
			says = true
		}
	}
	return says
}

func (r *reader) member(p *Plan, m member, f field) (says bool) {
	if m.kind == 'n' {
		return false
	}
	if f.in == DialectA || f.in == DialectB && !f.written() {
		if r.marks == nil {
			r.marks = map[string]int{}
		}
		r.marks[f.in]++
	}
	into := p
	if f.first != "" {
		into = r.other
	}
	switch {
	case f.read != nil:
		return f.read(r, into, m.node)
	case f.fields == nil: // known, but it decides nothing
		return false
	case m.kind != '{':
		r.wrong(m.node, "an object")
		return false
	}
	if slices.Contains(sections, f.name) {
		if p.sectionAt == nil {
			p.sectionAt = map[string]Place{}
		}
		p.sectionAt[f.name] = m.node.at
	}
	says = r.object(p, m.node, f)
	if says && slices.Contains(sections, f.name) {
		p.Sections = append(p.Sections, f.name)
		slices.SortFunc(p.Sections, func(a, b string) int { return slices.Index(sections, a) - slices.Index(sections, b) })
	}
	return says
}
