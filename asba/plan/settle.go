package plan

import (
	"fmt"
	"slices"
	"strconv"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// settle brings second places together with the first ones.
func (r *reader) settle(p *Plan) {
	o := r.other
	// No cap is the loosest cap, so a positive price beats 0.
	// Nor does it say anything against one: programs write it for what they
	// never set.
	if o.MaxSpotPrice.Value == 0 && p.MaxSpotPrice.Given {
		o.MaxSpotPrice.Given = false
	}
	if p.MaxSpotPrice.Value == 0 && o.MaxSpotPrice.Given {
		p.MaxSpotPrice = o.MaxSpotPrice
	}
	settle(r, &p.MaxSpotPrice, o.MaxSpotPrice, formatUSD, func(a, b float64) bool { return a < b })
	// A cluster is what a tightly coupled job cannot do without.
	settle(r, &p.Placement, o.Placement, finding.Quote, func(a, _ string) bool { return a == Cluster })
	settle(r, &p.AllowMixed, o.AllowMixed, strconv.FormatBool, func(a, _ bool) bool { return !a })
	settle(r, &p.UserID, o.UserID, finding.Quote, never[string])
	if p.Purchasing.Value != Mixed { // mixed begins with spot
		settle(r, &p.Purchasing, o.Purchasing, finding.Quote, never[string])
	}
	if !p.Made.Given { // each dialect has a key of its own
		p.Made = o.Made
	}
	p.Reasons = join(o.Reasons, p.Reasons)
	// An account is not a project, but the next best thing.
	if !p.ProjectID.Given {
		p.ProjectID = o.ProjectID
	}
	switch {
	case !o.AZs.Given:
	case !p.AZs.Given:
		p.AZs = o.AZs
	case !slices.Equal(p.AZs.Value, o.AZs.Value):
		r.disagree(o.AZs.At, p.AZs.At, fmt.Sprint(o.AZs.Value), fmt.Sprint(p.AZs.Value))
	}
}

func join(a, b List) List {
	if !a.Given {
		return b
	}
	a.Value, a.Items = append(a.Value, b.Value...), append(a.Items, b.Items...)
	return a
}

// settle takes over what only the second place says. Where both speak and
// differ, the second wins if wins(second, first).
func settle[T comparable](r *reader, first *Opt[T], second Opt[T], show func(T) string, wins func(second, first T) bool) {
	switch {
	case !second.Given:
	case !first.Given:
		*first = second
	case first.Value != second.Value:
		kept, dropped := *first, second
		if wins(second.Value, first.Value) {
			kept, dropped = second, *first
		}
		r.disagree(dropped.At, kept.At, show(dropped.Value), show(kept.Value))
		*first = kept
	}
}

func (r *reader) disagree(dropped, kept Place, was, is string) {
	r.Add(rule.Disagree, dropped, fmt.Sprintf("%s here, but %s at %s", was, is, kept.Pointer), "say it once",
		finding.Op{Op: "remove", Path: dropped.Pointer})
}

func formatUSD(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func never[T any](T, T) bool { return false }
