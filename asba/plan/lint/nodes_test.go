package lint

import (
	"math"
	"testing"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
)

func TestNodesThatAPlanIsFor(t *testing.T) {
	types := func(names ...string) plan.List {
		return plan.List{Opt: plan.Opt[[]string]{Value: names, Given: true}}
	}
	count := func(n int) plan.Opt[int] { return plan.Opt[int]{Value: n, Given: true} }
	for name, c := range map[string]struct {
		plan plan.Plan
		want int
	}{
		"it says":                         {plan.Plan{InstanceCount: count(5), ProcessCount: count(1000)}, 5},
		"processes on each":               {plan.Plan{ProcessCount: count(9), ProcessesPerNode: count(4), InstanceTypes: types("c5n.18xlarge")}, 3},
		"the largest type's vCPUs":        {plan.Plan{ProcessCount: count(288), InstanceTypes: types("c5n.18xlarge", "c6in.32xlarge")}, 3},
		"all that fit":                    {plan.Plan{ProcessCount: count(144), InstanceTypes: types("c5n.18xlarge")}, 2},
		"types that nobody sells":         {plan.Plan{ProcessCount: count(8), InstanceTypes: types("c6i.huge")}, 0},
		"nothing":                         {plan.Plan{InstanceTypes: types("c5n.18xlarge")}, 0},
		"more processes than are counted": {plan.Plan{ProcessCount: count(math.MaxInt), ProcessesPerNode: count(1)}, math.MaxInt},
	} {
		if got := Nodes(&c.plan, catalog.Default()); got != c.want {
			t.Errorf("%s: %d nodes, want %d", name, got, c.want)
		}
	}
}
