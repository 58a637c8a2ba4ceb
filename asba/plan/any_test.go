package plan_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/plantest"
)

// Every field of the model: plantest draws them all, whichever are added.
func TestAnyPlanSurvivesWritingAndReading(t *testing.T) {
	said := cmp.Options{
		cmpopts.IgnoreTypes(plan.Place{}, []plan.Place{}),
		cmpopts.IgnoreFields(plan.Plan{}, "Digest", "Source", "Dialect", "Sections"),
		cmpopts.IgnoreUnexported(plan.Plan{}),
	}
	rapid.Check(t, func(t *rapid.T) {
		p := plantest.Plan(t)
		text := plan.Write(p)
		back, fs := plan.Read(text, "back")
		if len(fs) != 0 {
			t.Fatalf("%v\n%s", fs, text)
		}
		p.ShouldBurst = plan.Opt[bool]{Value: p.Bursts(), Given: true} // which is always written
		if diff := cmp.Diff(p, back, said); diff != "" {
			t.Errorf("%s\n%s", diff, text)
		}
		if back.Dialect != plan.DialectA {
			t.Errorf("written as dialect %s\n%s", back.Dialect, text)
		}
		if again := plan.Write(back); !bytes.Equal(again, text) {
			t.Errorf("written otherwise the second time:\n%s\n%s", text, again)
		}
	})
}

// What a plan says in the variables is what is read from them, and a variable
// that it leaves open says nothing.
func TestAPlanIsReadFromTheEnvironmentItGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plantest.Plan(t)
		set := map[string]string{}
		for i, v := range plan.Environment(p) {
			if v.Name != plan.Variables[i] || v.Set != (v.Value != "") {
				t.Fatalf("%+v", v)
			}
			set[v.Name] = v.Value
		}
		got, fs, present := plan.FromEnv(func(name string) string { return set[name] })
		if !present || finding.Count(fs, finding.Error) > 0 {
			t.Fatalf("%v of %v", fs, set)
		}
		if got.Bursts() != p.Bursts() {
			t.Fatal("should_burst")
		}
		if !p.Bursts() {
			if set["ASBA_INSTANCE_TYPES"] != "" || set["ASBA_MPI_PROCESSES"] != "" {
				t.Fatalf("%v", set)
			}
			return
		}
		mpi := p.ProcessCount.Given && p.IsMPI.Or(true)
		same(t, "instance_types", fmt.Sprint(p.InstanceTypes.Value), fmt.Sprint(got.InstanceTypes.Value))
		same(t, "purchasing_option", p.Purchasing.Value, got.Purchasing.Value)
		same(t, "max_spot_price", p.MaxSpotPrice.Given, got.MaxSpotPrice.Given)
		same(t, "max_spot_price", p.MaxSpotPrice.Value, got.MaxSpotPrice.Value)
		same(t, "requires_efa", p.RequiresEFA.Value, got.RequiresEFA.Value)
		same(t, "placement_group_type", p.Placement.Value, got.Placement.Value)
		same(t, "requires_gang_scheduling", p.Gang.Given, got.Gang.Given)
		same(t, "process_count", mpi, got.ProcessCount.Given)
	})
}

func same[T comparable](t *rapid.T, what string, want, got T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}
