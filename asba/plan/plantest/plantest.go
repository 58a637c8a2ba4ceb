// Package plantest draws random execution plans for tests: any that a program
// could have meant, with every field of the model. It judges nothing.
package plantest

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"aws-slurm-burst/asba/plan"
)

// ofReading are the fields that say how a plan was read, not what it says.
var ofReading = []string{"Dialect", "Source", "Digest", "Sections"}

// words are the values of fields that take only some.
var words = map[string]*rapid.Generator[string]{
	"Purchasing":       rapid.SampledFrom([]string{plan.Spot, plan.OnDemand, plan.Mixed}),
	"Placement":        rapid.SampledFrom([]string{plan.Cluster, plan.Partition, plan.Spread, plan.None}),
	"InstanceTypes":    rapid.StringMatching(plan.TypePattern),
	"AZs":              rapid.StringMatching(plan.ZonePattern),
	"SubnetIDs":        rapid.StringMatching(`subnet-([0-9a-f]{8}|[0-9a-f]{17})`),
	"SecurityGroupIDs": rapid.StringMatching(`sg-([0-9a-f]{8}|[0-9a-f]{17})`),
	"LaunchTemplateID": rapid.StringMatching(`lt-([0-9a-f]{8}|[0-9a-f]{17})`),
}

// Plan draws a plan. Each field is open, or says something that a plan can say:
// no empty text, list or limit, for those leave a field open. It fails on a
// field of a type that it does not know.
func Plan(t *rapid.T) *plan.Plan {
	p := &plan.Plan{}
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || slices.Contains(ofReading, f.Name) || !rapid.Bool().Draw(t, f.Name+" is given") {
			continue
		}
		v.Field(i).Set(reflect.ValueOf(field(t, f.Name, v.Field(i).Interface())))
	}
	return p
}

func field(t *rapid.T, name string, zero any) any {
	text := words[name]
	if text == nil {
		text = rapid.StringN(1, 40, -1)
	}
	switch zero.(type) {
	case plan.Opt[bool]:
		return given(rapid.Bool().Draw(t, name))
	case plan.Opt[string]:
		return given(text.Draw(t, name))
	case plan.Opt[int]:
		return given(rapid.IntRange(1, int(plan.KindCount.Max())).Draw(t, name))
	case plan.Opt[float64]:
		least := math.SmallestNonzeroFloat64
		if name == "MaxSpotPrice" { // of which 0 is an answer
			least = 0
		}
		return given(rapid.Float64Range(least, plan.KindUSD.Max()).Draw(t, name) + 0) // -0 becomes 0
	case plan.Opt[time.Duration]:
		// Limits by the hour are kept to the millisecond.
		most := int64(plan.KindDuration.Max()) / int64(time.Millisecond)
		return given(time.Duration(rapid.Int64Range(1, most).Draw(t, name)) * time.Millisecond)
	case plan.Opt[time.Time]:
		return given(time.Unix(rapid.Int64Range(0, 1<<36).Draw(t, name), rapid.Int64Range(0, 999_999_999).Draw(t, name+", nanoseconds")).UTC())
	case plan.Opt[[]plan.Tag]:
		keys := rapid.SliceOfNDistinct(rapid.StringN(0, 10, -1), 1, 5, rapid.ID[string]).Draw(t, name)
		slices.Sort(keys)
		var tags []plan.Tag
		for _, k := range keys {
			tags = append(tags, plan.Tag{Key: k, Value: rapid.String().Draw(t, name+", value")})
		}
		return given(tags)
	case plan.List:
		// Blanks around an item are not part of it.
		item := rapid.Custom(func(t *rapid.T) string { return strings.TrimSpace(text.Draw(t, "item")) }).Filter(func(s string) bool { return s != "" })
		return plan.List{Opt: given(rapid.SliceOfN(item, 1, 4).Draw(t, name))}
	}
	t.Fatalf("%s is a %s: say here what a plan can say there", name, fmt.Sprintf("%T", zero))
	return nil
}

func given[T any](v T) plan.Opt[T] { return plan.Opt[T]{Value: v, Given: true} }
