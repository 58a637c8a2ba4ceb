package lint

import (
	"math"
	"strings"
	"testing"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// A spread placement group takes seven nodes a zone: of so many zones as they
// may be in.
func TestRoomInASpreadPlacementGroup(t *testing.T) {
	for name, c := range map[string]struct {
		members string
		nodes   int
		want    string // of the message and suggestion; "" for none
	}{
		"two zones":            {`"network_configuration":{"placement_group_type":"spread","availability_zones":["us-east-1a","us-east-1b"]}`, 14, ""},
		"two zones, too many":  {`"network_configuration":{"placement_group_type":"spread","availability_zones":["us-east-1a","us-east-1b"]}`, 15, "not 15 nodes in 2 (write cluster, partition or none, or name more zones)"},
		"one zone, said twice": {`"network_configuration":{"placement_group_type":"spread","availability_zones":["us-east-1a","us-east-1a"]}`, 8, "not 8 nodes in 1 (write cluster, partition or none, or name more zones)"},
		"any zones":            {`"network_configuration":{"placement_group_type":"spread"}`, 100, ""},
		"one zone, whichever":  {`"network_configuration":{"placement_group_type":"spread","single_az_required":true}`, 8, "not 8 nodes in 1 (write cluster, partition or none)"},
		"EFA": {`"mpi_configuration":{"requires_efa":true},
			"network_configuration":{"placement_group_type":"spread","availability_zones":["us-east-1a","us-east-1b"]}`, 8, "not 8 nodes in 1 (write cluster, partition or none)"},
		"a gang": {`"mpi_configuration":{"requires_gang_scheduling":true,"process_count":8}, "network_configuration":{"placement_group_type":"spread"}`, 8,
			"not 8 nodes in 1 (write cluster, partition or none)"},
	} {
		p := mustRead(t, `{"instance_specification":{"instance_types":["c6i.32xlarge"]},`+c.members+`}`)
		got := ""
		for _, f := range Lint(p, Options{Catalog: catalog.Default(), Nodes: c.nodes}) {
			if f.ID == rule.Spread {
				got = f.String()
			}
		}
		if (c.want == "") != (got == "") || !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

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
