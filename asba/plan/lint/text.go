package lint

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// shown is a type's or a zone's name as it is, and quoted where it is none.
func shown(s string) string {
	if typeName.MatchString(s) || zone.MatchString(s) {
		return s
	}
	return finding.Quote(s)
}

// usd is an amount of money for people: cents, and finer where that matters.
func usd(v float64) string {
	if v < 1 {
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Fixes: none without a pointer, as in the environment.

func replace[T any](at plan.Place, v T) []finding.Op {
	if at.Pointer == "" {
		return nil
	}
	value, err := json.Marshal(v)
	if err != nil { // of a bool, a number or a string without a fault of its own
		panic("lint: " + err.Error())
	}
	return []finding.Op{{Op: "replace", Path: at.Pointer, Value: jsontext.Value(value)}}
}

// without removes an item of a list that has others.
func (l *linter) without(list plan.List, i int) []finding.Op {
	if len(list.Value) < 2 {
		return nil
	}
	return remove(list.ItemAt(i))
}

// keepOne takes the fixes from findings that would together remove every item of
// a list: without types a plan is none, and without zones it is for any zone.
func keepOne(fs []finding.Finding, list plan.List) {
	items, gone := map[string]bool{}, map[string]bool{}
	for _, at := range list.Items {
		items[at.Pointer] = true
	}
	removes := func(f finding.Finding) bool {
		return len(f.Fix) == 1 && f.Fix[0].Op == "remove" && items[f.Fix[0].Path]
	}
	for _, f := range fs {
		if removes(f) {
			gone[f.Fix[0].Path] = true
		}
	}
	if len(gone) < len(items) {
		return
	}
	for i, f := range fs {
		if removes(f) && f.ID != rule.Twice {
			fs[i].Fix = nil
		}
	}
}

func remove(at plan.Place) []finding.Op {
	if at.Pointer == "" {
		return nil
	}
	return []finding.Op{{Op: "remove", Path: at.Pointer}}
}

// counted is a number of things: 1 GPU, 4 GPUs.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
