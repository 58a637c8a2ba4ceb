package plan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aws-slurm-burst/asba/plan/rule"
)

// sameWords compares what plans say, not where or in which dialect.
var sameWords = cmp.Options{
	cmpopts.IgnoreTypes(Place{}, []Place{}),
	cmpopts.IgnoreFields(Plan{}, "Digest", "Source", "Dialect", "root", "sectionAt"),
	cmpopts.EquateEmpty(),
}

func TestWrittenPlanSaysTheSame(t *testing.T) {
	for _, name := range []string{"dialect-a.json", "dialect-b.json"} {
		p, _ := Read(load(t, name), name)
		text := Write(p)
		back, fs := Read(text, "back")
		if len(fs) != 0 {
			t.Fatalf("%s: %v\n%s", name, fs, text)
		}
		if back.Dialect != DialectA {
			t.Errorf("%s: written as dialect %s", name, back.Dialect)
		}
		if p.Dialect == DialectB {
			// fallback_to_on_demand becomes allow_mixed_pricing, which stands
			// in a section of its own.
			p.Sections = append(p.Sections[:2:2], CostConstraints, NetworkConfiguration)
		}
		if diff := cmp.Diff(p, back, sameWords); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if again := Write(back); !bytes.Equal(again, text) {
			t.Errorf("%s: not canonical:\n%s\n%s", name, text, again)
		}
	}
}

func TestOpenValuesAreNotWritten(t *testing.T) {
	p, _, _ := FromEnv(environment("ASBA_INSTANCE_TYPES", "c6i.large", "ASBA_MAX_SPOT_PRICE", "0"))
	want := `{
  "should_burst": true,
  "instance_specification": {
    "instance_types": [
      "c6i.large"
    ],
    "max_spot_price": 0
  }
}
`
	if diff := cmp.Diff(want, string(Write(p))); diff != "" {
		t.Error(diff)
	}
}

func TestOddPlanIsWrittenForReadToJudge(t *testing.T) {
	twice := []Tag{{Key: "k"}, {Key: "k"}}
	p := &Plan{UserID: Opt[string]{Value: "a\xff", Given: true}, Tags: Opt[[]Tag]{Value: twice, Given: true}}
	text := Write(p)
	if !strings.Contains(string(text), "a\uFFFD") {
		t.Errorf("text that is not UTF-8 must be replaced: %s", text)
	}
	if _, fs := Read(text, "p"); len(fs) != 1 || fs[0].ID != rule.Duplicate {
		t.Error(fs)
	}
}
