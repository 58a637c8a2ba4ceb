package plan

import (
	"math"
	"testing"

	"aws-slurm-burst/asba/catalog"
)

func TestNodesThatAPlanIsFor(t *testing.T) {
	types := func(names ...string) List {
		return List{Opt: Opt[[]string]{Value: names, Given: true}}
	}
	count := func(n int) Opt[int] { return Opt[int]{Value: n, Given: true} }
	for name, c := range map[string]struct {
		plan Plan
		want int
	}{
		"it says":                         {Plan{InstanceCount: count(5), ProcessCount: count(1000)}, 5},
		"processes on each":               {Plan{ProcessCount: count(9), ProcessesPerNode: count(4), InstanceTypes: types("c5n.18xlarge")}, 3},
		"the largest type's vCPUs":        {Plan{ProcessCount: count(288), InstanceTypes: types("c5n.18xlarge", "c6in.32xlarge")}, 3},
		"all that fit":                    {Plan{ProcessCount: count(144), InstanceTypes: types("c5n.18xlarge")}, 2},
		"types that nobody sells":         {Plan{ProcessCount: count(8), InstanceTypes: types("c6i.huge")}, 0},
		"nothing":                         {Plan{InstanceTypes: types("c5n.18xlarge")}, 0},
		"more processes than are counted": {Plan{ProcessCount: count(math.MaxInt), ProcessesPerNode: count(1)}, math.MaxInt},
	} {
		if got := c.plan.Nodes(catalog.Default()); got != c.want {
			t.Errorf("%s: %d nodes, want %d", name, got, c.want)
		}
	}
}
