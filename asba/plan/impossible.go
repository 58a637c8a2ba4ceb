package plan

import (
	"fmt"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
)

// Drop is an instance type that can never be launched as the plan wants it.
type Drop struct {
	Type string
	Why  string // a sentence that begins with the type
	At   Place
}

// Impossible returns the types of the plan that do not exist, or that can
// never meet what it asks for: a spot market (where nothing but spot will do),
// EFA, a cluster placement group. One reason is given for each.
//
// A type that is younger than the catalogue counts as impossible: see
// catalog.Date.
func (p *Plan) Impossible(cat *catalog.Catalog) []Drop {
	var out []Drop
	for i, name := range p.InstanceTypes.Value {
		if why := p.whyNot(cat, name, len(out) < suggested); why != "" {
			out = append(out, Drop{Type: name, Why: why, At: p.InstanceTypes.ItemAt(i)})
		}
	}
	return out
}

// suggested is for how many types the nearest real one is looked up: nobody
// reads on, and a hostile plan names tens of thousands.
const suggested = 50

func (p *Plan) whyNot(cat *catalog.Catalog, name string, suggest bool) string {
	t, known := cat.Type(name)
	switch {
	case !known:
		shown := name
		if !typeName.MatchString(name) {
			shown = quote(name)
		}
		why := shown + " is not an EC2 instance type"
		if near := nearest(cat, name, suggest); near != "" {
			why += fmt.Sprintf(" (did you mean %s?)", near)
		}
		return why
	case p.SpotOnly() && !t.SpotOK():
		return name + " has no spot market"
	case p.RequiresEFA.Value && t.EFA == 0:
		return name + " has no EFA"
	case p.Placement.Value == Cluster && !t.Cluster:
		return name + " cannot join a cluster placement group"
	}
	return ""
}

func namesOf(drops []Drop) map[string]bool {
	names := make(map[string]bool, len(drops))
	for _, d := range drops {
		names[d.Type] = true
	}
	return names
}

func nearest(cat *catalog.Catalog, name string, suggest bool) string {
	if !suggest {
		return ""
	}
	return cat.Nearest(name)
}

// NoneLeft returns the error about a plan all of whose types are impossible,
// whether or not they are off its list already.
func (p *Plan) NoneLeft(drops []Drop) (f finding.Finding, none bool) {
	dropped := namesOf(drops)
	for _, name := range p.InstanceTypes.Value {
		if !dropped[name] {
			return f, false
		}
	}
	if len(drops) == 0 {
		return f, false
	}
	return newFinding(idNoneLeft, p.orSource(p.InstanceTypes.At), "no possible instance type is left: "+drops[0].Why, "run 'asba recommend-instances' for types that fit"), true
}
