package lint

import (
	"slices"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
)

// Keep takes dropped instance types off the plan's list.
func Keep(p *plan.Plan, drops []Drop) {
	dropped := namesOf(drops)
	var names []string
	var at []plan.Place
	for i, name := range p.InstanceTypes.Value {
		if !dropped[name] {
			names = append(names, name)
			at = append(at, p.InstanceTypes.ItemAt(i))
		}
	}
	p.InstanceTypes.Value, p.InstanceTypes.Items = names, at
}

// Relax lets go of the wishes that none of the plan's existing types can meet
// (EFA, a spot market, a cluster placement group), and returns a sentence for
// each. A type may still be impossible after it: one that does not exist, or
// where each wish is met by another type.
func Relax(p *plan.Plan, cat *catalog.Catalog) []string {
	var known []catalog.Type
	for _, name := range p.InstanceTypes.Value {
		if t, ok := cat.Type(name); ok {
			known = append(known, t)
		}
	}
	if len(known) == 0 {
		return nil
	}
	var gone []string
	if p.RequiresEFA.Value && !slices.ContainsFunc(known, func(t catalog.Type) bool { return t.EFA > 0 }) {
		p.RequiresEFA.Value = false
		gone = append(gone, "no instance type of the plan has EFA")
	}
	if p.SpotOnly() && !slices.ContainsFunc(known, catalog.Type.SpotOK) {
		p.Purchasing.Value = plan.OnDemand
		gone = append(gone, "no instance type of the plan has a spot market")
	}
	if s := p.Placement.Value; grouped(s) && !slices.ContainsFunc(known, func(t catalog.Type) bool { return t.Places(s) }) {
		p.Placement.Value = plan.None
		gone = append(gone, "no instance type of the plan can join a "+s+" placement group")
	}
	return gone
}
