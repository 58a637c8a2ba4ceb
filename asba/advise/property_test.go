package advise

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
)

// Whatever the job, the plan has no finding, is whole, says the same when it is
// read, and keeps the limits; and every type has its reason.
func TestEveryPlanIsWholeAndWithoutAFinding(t *testing.T) {
	bursts := 0
	rapid.Check(t, func(t *rapid.T) {
		j, o := jobs(t), settings(t)
		a := Advise(j, o)
		if fs := findings(a, o); len(fs) > 0 {
			t.Fatalf("%v\n%s", fs, plan.Write(a.Plan))
		}
		if len(a.Plan.Reasons.Value) == 0 || strings.Contains(strings.Join(a.Plan.Reasons.Value, "\n"), "\n\n") {
			t.Fatal("no reason")
		}
		if c := a.Confidence; c.Value < 0 || c.Value > 1 || math.IsNaN(c.Value) {
			t.Fatalf("%+v", c)
		}
		if !a.Plan.Bursts() {
			if len(a.Choices()) > 0 || a.Nodes != 0 {
				t.Fatalf("there are choices, but %v", a.Plan.Reasons.Value)
			}
			return
		}
		bursts++
		back, _ := plan.Read(plan.Write(a.Plan), "")
		if back.Dialect != plan.DialectA || len(back.Missing()) > 0 || !bytes.Equal(plan.Write(back), plan.Write(a.Plan)) {
			t.Fatalf("dialect %s, missing %v\n%s", back.Dialect, back.Missing(), plan.Write(a.Plan))
		}
		if len(a.Choices())+len(a.Excluded()) != len(o.Market.offers) {
			t.Fatalf("%d choices and %d excluded of %d types", len(a.Choices()), len(a.Excluded()), len(o.Market.offers))
		}
		choices := a.Choices()
		for i := range choices {
			if c := &choices[i]; !strings.Contains(c.Reason(), c.Type.Name) || math.IsInf(c.Cost, 0) || math.IsNaN(c.Cost) || c.Reason() != strings.TrimSpace(c.Reason()) {
				t.Fatalf("%q", c.Reason())
			}
		}
		for _, x := range a.Excluded() {
			if why := x.Why(); x.Rule.String() == "" || !strings.Contains(why, x.Type.Name) || len(why) < len(x.Type.Name)+8 {
				t.Fatalf("%s: %q", x.Rule, why)
			}
		}
		limits(t, j, o, a)
		alike(t, a)
	})
	if bursts == 0 {
		t.Error("no job was advised to burst")
	}
}

// limits checks what a plan's first choice costs against all limits, and that a
// launch of it is within the plan's own.
func limits(t *rapid.T, j Job, o Options, a Advice) {
	c, p := a.Choices()[0], a.Plan
	if o.Budget > 0 && c.Cost > o.Budget || o.Policy.MaxCostPerHour > 0 && c.HourlyCost > o.Policy.MaxCostPerHour || o.Policy.MaxNodes > 0 && a.Nodes > o.Policy.MaxNodes {
		t.Fatalf("over a limit: %s", c.Reason())
	}
	if m := o.Policy.MaxCostPerHour; m > 0 && p.MaxCostPerHour.Value > m+1e-9 {
		t.Fatalf("max_cost_per_hour %v, the policy's is %v", p.MaxCostPerHour.Value, m)
	}
	if o.Budget > 0 && p.MaxTotalCost.Given && p.MaxTotalCost.Value > o.Budget {
		t.Fatalf("max_total_cost %v, the budget is %v", p.MaxTotalCost.Value, o.Budget)
	}
	// As an executor counts: a spot instance at its cap.
	each := c.Price.USD
	if c.Usage == UsageSpot {
		each = p.MaxSpotPrice.Value
		if each < c.Spot.USD {
			t.Fatalf("cap %v below the usual price %v", each, c.Spot.USD)
		}
	}
	if p.MaxCostPerHour.Given && each*float64(a.Nodes) > p.MaxCostPerHour.Value+1e-9 {
		t.Fatalf("%v x %d is over max_cost_per_hour %v: an executor would launch nothing", each, a.Nodes, p.MaxCostPerHour.Value)
	}
	if p.MaxDuration.Given != (j.TimeLimit > 0) {
		t.Fatal("max_duration_hours")
	}
}

// alike checks that the types of a plan can stand in for each other.
func alike(t *rapid.T, a Advice) {
	first, listed := a.Choices()[0], 0
	choices := a.Choices()
	for i := range choices {
		c := &choices[i]
		if !c.Listed {
			continue
		}
		listed++
		dear := c.Price.USD > likeOnDemand*first.Price.USD
		if c.Usage == UsageSpot && first.Price.USD > 0 {
			dear = c.Price.USD > likeSpot*first.Price.USD || c.HourlyCost > first.Price.USD*float64(a.Nodes)
		}
		if c.Nodes != first.Nodes || c.Usage != first.Usage || c.known() != first.known() || i > 0 && dear ||
			a.Plan.RequiresEFA.Value && c.Type.EFA == 0 || a.Plan.Placement.Value == plan.Cluster && !c.Type.Cluster ||
			!slices.ContainsFunc(c.Type.Archs, func(arch string) bool { return slices.Contains(first.Type.Archs, arch) }) {
			t.Fatalf("listed beside %s:\n%s", first.Reason(), c.Reason())
		}
	}
	if !first.Listed || listed != len(a.Plan.InstanceTypes.Value) || listed > listedSpot || first.Usage == UsageOnDemand && listed > listedOnDemand {
		t.Fatalf("%d types: %v", listed, a.Plan.InstanceTypes.Value)
	}
}

func TestTheSameJobGivesTheSameAdvice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j, o := jobs(t), settings(t)
		a, b := Advise(j, o), Advise(j, o)
		if d := cmp.Diff(string(plan.Write(a.Plan)), string(plan.Write(b.Plan))); d != "" || !slices.Equal(names(a.Choices()), names(b.Choices())) {
			t.Fatal(d)
		}
	})
}

func TestMoreMemoryNeverGivesATypeOfLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j, o := jobs(t), settings(t)
		j.WholeMemory, j.MemoryPerCPUMiB, j.MemoryPerGPUMiB = false, 0, 0
		j.MinNodes, j.MaxNodes = max(1, j.MinNodes), 0
		j.MemoryPerNodeMiB = rapid.IntRange(1, 1<<20).Draw(t, "MiB")
		a := Advise(j, o)
		j.MemoryPerNodeMiB += rapid.IntRange(0, 1<<20).Draw(t, "more MiB")
		b := Advise(j, o)
		if !b.Plan.Bursts() {
			return
		}
		if !a.Plan.Bursts() {
			t.Fatalf("more memory can be had, less cannot: %v", a.Plan.Reasons.Value)
		}
		if a.Choices()[0].Type.MemoryMiB > b.Choices()[0].Type.MemoryMiB && a.Plan.RequiresEFA == b.Plan.RequiresEFA {
			t.Fatalf("%s, with more memory %s", a.Choices()[0].Reason(), b.Choices()[0].Reason())
		}
	})
}

func TestADearerTypeNeverRanksHigher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j, o := jobs(t), settings(t)
		a := Advise(j, o)
		if len(a.Choices()) == 0 {
			return
		}
		name := rapid.SampledFrom(names(a.Choices())).Draw(t, "type")
		o.Market = NewMarket(changed{Catalog: catalog.Default(), price: map[string]float64{name: rapid.Float64Range(1, 3).Draw(t, "dearer")}}, o.Market.Region)
		b := Advise(j, o)
		// Places are among the same types: a dearer one can set free those that
		// were left out beside it.
		before, after := names(a.Choices()), names(b.Choices())
		after = slices.DeleteFunc(after, func(n string) bool { return !slices.Contains(before, n) })
		if i := slices.Index(after, name); i >= 0 && i < slices.Index(before, name) {
			t.Fatalf("%s rose from %d to %d", name, slices.Index(before, name), i)
		}
	})
}

func TestAStricterBudgetNeverGivesADearerPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j, o := jobs(t), settings(t)
		o.Budget = float64(rapid.IntRange(2, 1_000_000).Draw(t, "cents")) / 100
		a := Advise(j, o)
		o.Budget *= rapid.Float64Range(0.01, 1).Draw(t, "stricter")
		b := Advise(j, o)
		if !b.Plan.Bursts() {
			return
		}
		if !a.Plan.Bursts() || a.Plan.RequiresEFA == b.Plan.RequiresEFA && b.Choices()[0].Cost > a.Choices()[0].Cost {
			t.Fatalf("with less money: %s", b.Choices()[0].Reason())
		}
		if b.Plan.MaxTotalCost.Given && b.Plan.MaxTotalCost.Value > o.Budget {
			t.Fatalf("max_total_cost %v of %v", b.Plan.MaxTotalCost.Value, o.Budget)
		}
	})
}

func TestAnotherTypeNeverMakesTheBestWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j, o := jobs(t), settings(t)
		all := catalog.Default().Names()
		without := map[string]bool{}
		for _, n := range rapid.SliceOfN(rapid.SampledFrom(all), 1, 60).Draw(t, "without") {
			// A feature with the name of a type that is no more is the site's own.
			without[n] = !strings.Contains(j.Constraint, n)
		}
		whole := o
		o.Market = NewMarket(changed{Catalog: catalog.Default(), without: without}, o.Market.Region)
		a, b := Advise(j, o), Advise(j, whole)
		switch {
		case !a.Plan.Bursts():
		case !b.Plan.Bursts():
			t.Fatalf("with more types there is none: %v", b.Plan.Reasons.Value)
		case b.Plan.RequiresEFA.Value && !a.Plan.RequiresEFA.Value: // better in kind
		case a.Choices()[0].known() && (!b.Choices()[0].known() || b.Choices()[0].Cost > a.Choices()[0].Cost):
			t.Fatalf("%s, with more types %s", a.Choices()[0].Reason(), b.Choices()[0].Reason())
		}
	})
}
