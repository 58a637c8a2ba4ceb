package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestNoVariableIsNoPlan(t *testing.T) {
	if p, fs, present := FromEnv(environment("ASBA_INSTANCE_TYPES", " ")); p != nil || fs != nil || present {
		t.Errorf("%v %v %v", p, fs, present)
	}
}

func TestAllEightVariablesAreRead(t *testing.T) {
	p, fs, present := FromEnv(environment(
		"ASBA_SHOULD_BURST", "TRUE", "ASBA_INSTANCE_TYPES", "c6i.2xlarge, c6a.2xlarge,,", "ASBA_PURCHASING_OPTION", "spot",
		"ASBA_MAX_SPOT_PRICE", "0.25", "ASBA_REQUIRES_EFA", "no", "ASBA_PLACEMENT_GROUP", "cluster",
		"ASBA_MPI_PROCESSES", "64", "ASBA_GANG_SCHEDULING", "1"))
	if len(fs) != 0 || !present {
		t.Fatal(fs)
	}
	for name, c := range map[string]struct{ got, want any }{
		"bursts":    {said(p.ShouldBurst), true},
		"types":     {p.InstanceTypes.Value, []string{"c6i.2xlarge", "c6a.2xlarge"}},
		"market":    {said(p.Purchasing), "spot"},
		"price":     {said(p.MaxSpotPrice), 0.25},
		"efa":       {said(p.RequiresEFA), false},
		"placement": {said(p.Placement), "cluster"},
		"processes": {said(p.ProcessCount), 64},
		"mpi":       {said(p.IsMPI), true},
		"gang":      {said(p.Gang), true},
		"dialect":   {p.Dialect, "env"},
		"missing":   {p.Missing(), []string{"cost_constraints"}},
		"digest":    {len(p.Digest), 16},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTypesAloneMeanBurst(t *testing.T) {
	p, _, _ := FromEnv(environment("ASBA_INSTANCE_TYPES", "c6i.large"))
	if !p.Bursts() || p.MaxSpotPrice.Given || p.IsMPI.Given {
		t.Errorf("%+v", p)
	}
}

func TestBadVariableIsNamed(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"ASBA_MAX_SPOT_PRICE", "NaN", `ASBA_MAX_SPOT_PRICE: error[PLAN007]: ASBA_MAX_SPOT_PRICE must be a number of USD, not "NaN"`},
		{"ASBA_MAX_SPOT_PRICE", "-1", "ASBA_MAX_SPOT_PRICE: error[PLAN008]: ASBA_MAX_SPOT_PRICE is -1, less than nothing"},
		{"ASBA_MAX_SPOT_PRICE", "Inf", "ASBA_MAX_SPOT_PRICE: error[PLAN008]"},
		{"ASBA_MAX_SPOT_PRICE", "1e999", "ASBA_MAX_SPOT_PRICE: error[PLAN008]"},
		{"ASBA_MAX_SPOT_PRICE", "cheap", "ASBA_MAX_SPOT_PRICE: error[PLAN007]"},
		{"ASBA_SHOULD_BURST", "perhaps", `ASBA_SHOULD_BURST: error[PLAN007]: ASBA_SHOULD_BURST must be true or false, not "perhaps"`},
		{"ASBA_MPI_PROCESSES", "1.5", "ASBA_MPI_PROCESSES must be a whole number, not 1.5"},
		{"ASBA_MPI_PROCESSES", "many", "ASBA_MPI_PROCESSES: error[PLAN007]"},
	} {
		_, fs, present := FromEnv(environment(c.name, c.value))
		if !present || len(fs) != 1 || !strings.Contains(fs[0].String(), c.want) {
			t.Errorf("%s=%s: %v, want %s", c.name, c.value, fs, c.want)
		}
	}
}

// As in JSON, 0 processes are what a program writes that never counted them.
func TestNoProcessesSayNothing(t *testing.T) {
	p, fs, present := FromEnv(func(name string) string { return map[string]string{"ASBA_MPI_PROCESSES": "0"}[name] })
	if !present || len(fs) != 0 || p.ProcessCount.Given || p.IsMPI.Given || len(p.Sections) != 0 {
		t.Errorf("%v %v: %+v", present, fs, p)
	}
}
