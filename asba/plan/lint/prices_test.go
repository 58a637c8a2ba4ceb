package lint

import (
	"fmt"
	"strings"
	"testing"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan/rule"
)

// An executor holds spot to a limit by what it can cost at most: its cap, else
// the price on demand.
func TestSpotIsHeldToALimitByWhatItCanCost(t *testing.T) {
	price, ok := catalog.Default().Price("c6i.2xlarge", "us-east-1")
	if !ok {
		t.Fatal("c6i.2xlarge has no price")
	}
	four := fmt.Sprintf("%.2f", 4*price.USD)
	for name, c := range map[string]struct {
		spec, limits string
		want         string // in the finding; "" for none
	}{
		"without a cap":          {`"purchasing_option":"spot"`, `"max_cost_per_hour":1`, "4 x c6i.2xlarge on spot is counted at " + four},
		"a total over hours":     {`"purchasing_option":"spot"`, `"max_total_cost":8,"max_duration_hours":8`, "max_total_cost over max_duration_hours is 1.00 USD"},
		"mixed":                  {`"purchasing_option":"mixed"`, `"max_cost_per_hour":1`, "write at most 0.25 as max_spot_price"},
		"a cap that is too high": {`"purchasing_option":"spot","max_spot_price":0.3`, `"max_cost_per_hour":1`, "is counted at 1.20"},
		"a cap over the price":   {`"purchasing_option":"spot","max_spot_price":9`, `"max_cost_per_hour":1`, "is counted at " + four},
		"a cap within the limit": {`"purchasing_option":"spot","max_spot_price":0.25`, `"max_cost_per_hour":1`, ""},
		"enough":                 {`"purchasing_option":"spot"`, `"max_cost_per_hour":` + four, ""},
		"on demand":              {`"purchasing_option":"on-demand"`, `"max_cost_per_hour":1`, ""}, // PLAN044
		"no limit":               {`"purchasing_option":"spot"`, `"prefer_spot":true`, ""},
	} {
		p := mustRead(t, `{"instance_specification":{"instance_types":["c6i.2xlarge"],`+c.spec+`},"cost_constraints":{`+c.limits+`}}`)
		got := ""
		for _, f := range Lint(p, Options{Catalog: catalog.Default(), Nodes: 4}) {
			if f.ID == rule.SpotCounted {
				got = f.String()
			}
		}
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
