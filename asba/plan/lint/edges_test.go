package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// What is just as large as it may be is not too large.
func TestLimitsThatAreMetExactlyAreMet(t *testing.T) {
	spec := func(members string) string {
		return `{"instance_specification":{"instance_types":["c6i.32xlarge"]` + members + `}`
	}
	for name, text := range map[string]string{
		"as old as it may be": `{"generated_at":"2026-10-26T12:00:00Z",` + spec("")[1:] + `}`,
		"a tag's key":         spec("") + `,"execution_metadata":{"tags":{"` + strings.Repeat("k", maxTagKey) + `":"v"}}}`,
		"user data":           spec(`,"user_data":"`+strings.Repeat("#", 16<<10)+`"`) + `}`,
		"the runtime":         spec("") + `,"cost_constraints":{"max_duration_hours":2},"performance_target":{"expected_runtime":"2h"}}`,
		// 3.3334 USD for 3 hours is a rounded third of 10.
		"a rounded rate": spec(`,"max_spot_price":3,"purchasing_option":"spot"`) + `,"cost_constraints":{"max_duration_hours":3,"max_cost_per_hour":3.3334,"max_total_cost":10}}`,
		"one zone":       spec("") + `,"mpi_configuration":{"requires_efa":true},"network_configuration":{"availability_zones":["use1-az4"],"single_az_required":false}}`,
	} {
		p := mustRead(t, text)
		if fs := Lint(p, Options{Catalog: catalog.Default(), Now: today}); len(fs) != 0 {
			t.Errorf("%s: %v", name, fs)
		}
	}
}

func TestGPUsThatALineDeclares(t *testing.T) {
	for gres, want := range map[string]int{
		"": 0, "gpu": 1, "gpu:4": 4, "gpu:a100": 1, "gpu:h100:8": 8, "gpu:h100:8,nic:2": 8, "nic:2": 0,
		"gpu:a10g:2(S:0-1)": 2, "gpu:a:1, gpu:b:2": 3,
	} {
		if got := (NodeLine{Gres: gres}).gpus(); got != want {
			t.Errorf("%q: %d, want %d", gres, got, want)
		}
	}
}

func TestAMisspeltListIsAnAbsentOneToo(t *testing.T) {
	p, read := plan.Read([]byte(`{"instance_specification":{"instance_types_":["c6i.large"]}}`), "p")
	if fs := All(p, read, Options{}); !slices.ContainsFunc(fs, func(f finding.Finding) bool { return f.ID == rule.NoTypes }) {
		t.Error(fs)
	}
}

// What a limit pays is judged by the cheapest type, and not at all where a price
// is not known: it may be cheaper.
func TestTheCheapestTypeIsJudged(t *testing.T) {
	const limit = `,"purchasing_option":"on-demand"},"cost_constraints":{"max_cost_per_hour":0.01}}`
	for types, want := range map[string]string{
		`["c6i.2xlarge","c6i.large","c6i.xlarge"]`: "c6i.large costs",
		`["c6i.large","` + priceless(t) + `"]`:     "",
	} {
		got := ""
		for _, f := range Lint(mustRead(t, `{"instance_specification":{"instance_types":`+types+limit), Options{Catalog: catalog.Default(), Region: "us-east-1"}) {
			if f.ID == rule.HourlyCap {
				got = f.Message
			}
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", types, got, want)
		}
	}
}

// priceless is a type that is sold on spot, but has no price in us-east-1.
func priceless(t *testing.T) string {
	t.Helper()
	c := catalog.Default()
	for _, name := range c.Names() {
		_, priced := c.Price(name, "us-east-1")
		if x, _ := c.Type(name); x.SpotOK() && !priced {
			return name
		}
	}
	t.Fatal("every type has a price")
	return ""
}

func TestAGangThatIsOftenInterrupted(t *testing.T) {
	c := catalog.Default()
	var often, seldom string
	for _, name := range c.Names() {
		s, ok := c.Spot(name, "us-east-1")
		switch {
		case ok && s.Interruption == catalog.BandOver20 && often == "":
			often = name
		case ok && s.Interruption == catalog.BandUnder5 && seldom == "":
			seldom = name
		}
	}
	for name, c := range map[string]struct {
		types string
		nodes int
		want  bool
	}{
		"each type often": {fmt.Sprintf(`["%s"]`, often), 2, true},
		"one of them":     {fmt.Sprintf(`["%s","%s"]`, often, seldom), 2, false},
		"nobody knows":    {fmt.Sprintf(`["%s","%s"]`, often, priceless(t)), 2, false},
		"one node":        {fmt.Sprintf(`["%s"]`, often), 1, false},
	} {
		p := mustRead(t, `{"instance_specification":{"instance_types":`+c.types+`,"purchasing_option":"spot"},"mpi_configuration":{"requires_gang_scheduling":true,"process_count":1}}`)
		fs := Lint(p, Options{Catalog: catalog.Default(), Region: "us-east-1", Nodes: c.nodes, Now: today.Add(time.Hour)})
		if got := slices.ContainsFunc(fs, func(f finding.Finding) bool { return f.ID == rule.Interrupted }); got != c.want {
			t.Errorf("%s: %v, want %v: %v", name, got, c.want, fs)
		}
	}
}

// The type that was meant stands there already: writing it again would only make
// another finding.
func TestATypeIsNotMendedToOneThatIsThere(t *testing.T) {
	for types, want := range map[string]string{`["c6i.large","c6i.lrge"]`: "remove", `["c6i.xlarge","c6i.lrge"]`: "replace"} {
		got := ""
		for _, f := range Lint(mustRead(t, `{"instance_specification":{"instance_types":`+types+`}}`), Options{Catalog: catalog.Default()}) {
			if f.ID == rule.UnknownType && len(f.Fix) == 1 {
				got = f.Fix[0].Op
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", types, got, want)
		}
	}
}

func TestATypeFitsALineUnlessThereIsAReasonAgainst(t *testing.T) {
	fitting := 0
	for _, n := range []NodeLine{{}, {CPUs: 16}, {MemoryMiB: 64_000}, {Gres: "gpu:h100:8"}, {Arch: "arm64"}, {Name: "hpc", CPUs: 8, MemoryMiB: 16_000, Gres: "gpu:1", Arch: "x86_64"}} {
		for _, name := range catalog.Default().Names() {
			ty, _ := catalog.Default().Type(name)
			if n.Fits(ty) != (n.Misfit(ty) == "") {
				t.Errorf("%s fits %+v: %t, but %q", name, n, n.Fits(ty), n.Misfit(ty))
			}
			if n.Fits(ty) {
				fitting++
			}
		}
	}
	if fitting == 0 {
		t.Error("no type fits any line")
	}
}
