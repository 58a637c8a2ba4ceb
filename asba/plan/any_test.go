package plan_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

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
