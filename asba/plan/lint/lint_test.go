package lint

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
)

func load(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustRead(t testing.TB, text string) *plan.Plan {
	t.Helper()
	p, fs := plan.Read([]byte(text), "plan.json")
	if finding.Count(fs, finding.Warning) > 0 {
		t.Fatalf("%s: %v", text, fs)
	}
	return p
}

func TestGoodPlansHaveNothingToSay(t *testing.T) {
	for _, name := range []string{"dialect-a.json", "dialect-b.json"} {
		p, _ := plan.Read(load(t, name), name)
		if fs := Lint(p, Options{Nodes: 4}); len(fs) != 0 {
			t.Errorf("%s: %v", name, fs)
		}
	}
}

func TestPlanAgainstBurstingNeedsNothing(t *testing.T) {
	// What dialect B writes beside a no: structs of zeros.
	p := mustRead(t, `{"should_burst":false,"instance_specification":{"instance_types":null,"purchasing_option":"","max_spot_price":0},"cost_constraints":{"max_total_cost":0}}`)
	if fs := Lint(p, Options{Catalog: catalog.Default(), Nodes: 8}); len(fs) != 0 {
		t.Error(fs)
	}
}

func TestLint(t *testing.T) {
	spec := func(members string) string {
		return `{"instance_specification":{"instance_types":["c6i.large"]` + members + `}`
	}
	tags := func(n int, key, value string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"%s%d":"%s"`, key, i, value))
		}
		return spec("") + `,"execution_metadata":{"tags":{` + strings.Join(all, ",") + `}}}`
	}
	for name, c := range map[string]struct {
		text  string
		nodes int
		want  string // of the only finding; "" for none
	}{
		"no types":          {`{}`, 0, "plan.json:1:1: error[PLAN020]: no instance types specified (list at least one in instance_specification/instance_types)"},
		"types empty":       {"{\"should_burst\":true,\"instance_specification\":{\n\"instance_types\":[]}}", 0, "plan.json:2:18: error[PLAN020] /instance_specification/instance_types: no instance types specified"},
		"purchasing":        {spec(`,"purchasing_option":"spott"`) + `}`, 0, `error[PLAN021] /instance_specification/purchasing_option: "spott" is not a purchasing option (did you mean spot?)`},
		"purchasing far":    {spec(`,"purchasing_option":"reserved"`) + `}`, 0, `(write spot, on-demand or mixed)`},
		"placement":         {spec("") + `,"network_configuration":{"placement_group_type":"clutser"}}`, 0, `error[PLAN022] /network_configuration/placement_group_type: "clutser" is not a placement group type (did you mean cluster?)`},
		"type name":         {`{"instance_specification":{"instance_types":["c6i.large","C6I large"]}}`, 0, `plan.json:1:58: error[PLAN023] /instance_specification/instance_types/1: "C6I large" is not an instance type's name`},
		"odd names":         {`{"instance_specification":{"instance_types":["p6-b200.48xlarge","c7i.metal-24xl","u-6tb1.112xlarge"]}}`, 0, ""},
		"a region":          {spec("") + `,"network_configuration":{"availability_zones":["us-east-1"]}}`, 0, `error[PLAN024] /network_configuration/availability_zones/0: "us-east-1" is not an availability zone (`},
		"zones":             {spec("") + `,"network_configuration":{"availability_zones":["us-west-2a","us-west-2-lax-1a","usw2-az1","us-west-2-wl1-den-wlz-1"]}}`, 0, ""},
		"budget":            {spec("") + `,"cost_constraints":{"max_total_cost":10,"max_cost_per_hour":4,"max_duration_hours":3}}`, 0, "error[PLAN026] /cost_constraints/max_total_cost: max_total_cost is 10.00 USD, but max_cost_per_hour for max_duration_hours comes to 12.00"},
		"price on demand":   {spec(`,"purchasing_option":"on-demand","max_spot_price":0.1`) + `}`, 0, "warning[PLAN027]"},
		"no cap on demand":  {spec(`,"purchasing_option":"on-demand","max_spot_price":0`) + `}`, 0, ""},
		"spread":            {spec("") + `,"network_configuration":{"placement_group_type":"spread","availability_zones":["us-east-1a"]}}`, 8, "error[PLAN028] /network_configuration/placement_group_type: a spread placement group holds 7 instances in a zone, not 8 nodes in 1"},
		"spread fits":       {spec("") + `,"network_configuration":{"placement_group_type":"spread","availability_zones":["us-east-1a","us-east-1b"]}}`, 14, ""},
		"spread, one of 2":  {spec("") + `,"network_configuration":{"placement_group_type":"spread","single_az_required":true,"availability_zones":["us-east-1a","us-east-1b"]}}`, 14, "PLAN028"},
		"count":             {spec(`,"instance_count":4`) + `}`, 8, "warning[PLAN029] /instance_specification/instance_count: the plan is for 4 instances, but there are 8 nodes"},
		"count, no nodes":   {spec(`,"instance_count":4`) + `}`, 0, ""},
		"aws tag":           {tags(1, "AWS:x", ""), 0, `error[PLAN025] /execution_metadata/tags/AWS:x0: EC2 keeps tags that begin with aws: for itself: "AWS:x0"`},
		"tag with blank":    {tags(1, "a b", ""), 0, `instance metadata cannot serve the tag "a b0"`},
		"tag without key":   {spec("") + `,"execution_metadata":{"tags":{"":"x"}}}`, 0, "a tag's key is empty"},
		"long key":          {tags(1, strings.Repeat("k", 128), ""), 0, "a tag's key is longer than 128 characters"},
		"long value":        {tags(1, "k", strings.Repeat("é", 257)), 0, `the value of tag "k0" is longer than 256 characters`},
		"value just fits":   {tags(1, "k", strings.Repeat("é", 256)), 0, ""},
		"too many":          {tags(51, "k", "v"), 0, "error[PLAN025] /execution_metadata/tags: 51 tags are more than the 40 that a plan may add"},
		"as many as may be": {tags(40, "k", "v"), 0, ""},
	} {
		p := mustRead(t, c.text)
		fs := Lint(p, Options{Nodes: c.nodes})
		if c.want == "" {
			if len(fs) != 0 {
				t.Errorf("%s: %v", name, fs)
			}
			continue
		}
		if len(fs) != 1 || !strings.Contains(fs[0].String(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", name, fs, c.want)
		}
	}
}

func TestImpossibleTypesAndWhy(t *testing.T) {
	cat := catalog.Default()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"unknown":      {`{"instance_specification":{"instance_types":["hpc7a.2xlarge","c6i.2xlarge"],"purchasing_option":"on-demand"}}`, []string{"hpc7a.2xlarge is not an EC2 instance type (did you mean hpc7a.12xlarge?)"}},
		"far off":      {`{"instance_specification":{"instance_types":["quux.large"]}}`, []string{"quux.large is not an EC2 instance type"}},
		"no spot":      {`{"instance_specification":{"instance_types":["hpc7a.48xlarge","c6i.large"],"purchasing_option":"spot"}}`, []string{"hpc7a.48xlarge has no spot market"}},
		"spot or else": {`{"instance_specification":{"instance_types":["hpc7a.48xlarge"],"purchasing_option":"spot"},"cost_constraints":{"allow_mixed_pricing":true}}`, nil},
		"mixed":        {`{"instance_specification":{"instance_types":["hpc7a.48xlarge"],"purchasing_option":"mixed"}}`, nil},
		"no EFA":       {`{"instance_specification":{"instance_types":["c6i.2xlarge","c6i.32xlarge"]},"mpi_configuration":{"requires_efa":true}}`, []string{"c6i.2xlarge has no EFA"}},
		"no cluster":   {`{"instance_specification":{"instance_types":["t3.micro"]},"network_configuration":{"placement_group_type":"cluster"}}`, []string{"t3.micro cannot join a cluster placement group"}},
		"spread":       {`{"instance_specification":{"instance_types":["t3.micro"]},"network_configuration":{"placement_group_type":"spread"}}`, nil},
		"no name":      {`{"instance_specification":{"instance_types":["C6I.2XLARGE","machine","c6i.large"]}}`, []string{`"C6I.2XLARGE" is not an instance type's name (did you mean c6i.2xlarge?)`, `"machine" is not an instance type's name`}},
	} {
		p := mustRead(t, c.text)
		var got []string
		for _, d := range Impossible(p, Options{Catalog: cat}) {
			got = append(got, d.Why)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if fs := Lint(p, Options{Catalog: cat}); finding.Count(fs, finding.Error) < len(c.want) {
			t.Errorf("%s: EC2 would refuse them: %v", name, fs)
		}
	}
}

func TestPlanWithoutAnyPossibleTypeIsInvalid(t *testing.T) {
	cat := catalog.Default()
	p := mustRead(t, `{"instance_specification":{"instance_types":["hpc7a.2xlarge","c6i.banana"]}}`)
	f, none := NoneLeft(p, Impossible(p, Options{Catalog: cat}))
	if !none || f.Level != finding.Error || f.Message != "no possible instance type is left: hpc7a.2xlarge is not an EC2 instance type (did you mean hpc7a.12xlarge?)" {
		t.Errorf("%v %v", f, none)
	}
	for _, text := range []string{`{"instance_specification":{"instance_types":["hpc7a.2xlarge","c6i.large"]}}`, `{}`} {
		p := mustRead(t, text)
		drops := Impossible(p, Options{Catalog: cat})
		if f, none := NoneLeft(p, drops); none {
			t.Errorf("%s: %v", text, f)
		}
		Keep(p, drops)
		if f, none := NoneLeft(p, drops); none {
			t.Errorf("%s, dropped: %v", text, f)
		}
	}
}

func TestAVariableIsNamedWhereItIsWrong(t *testing.T) {
	p, _, _ := plan.FromEnv(func(name string) string {
		return map[string]string{"ASBA_PURCHASING_OPTION": "Spot"}[name]
	})
	var got []string
	for _, f := range Lint(p, Options{}) {
		got = append(got, f.String())
		if f.Fix != nil {
			t.Errorf("a patch of no document: %v", f.Fix)
		}
	}
	want := []string{
		`ASBA_PURCHASING_OPTION: error[PLAN021]: "Spot" is not a purchasing option (did you mean spot?)`,
		"environment: error[PLAN020]: no instance types specified (list at least one in ASBA_INSTANCE_TYPES)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The nodes that there are and the processes pull an instance_count both ways:
// no fix may undo another's.
func TestFixesDoNotUndoEachOther(t *testing.T) {
	p := mustRead(t, `{"instance_specification":{"instance_types":["c5n.18xlarge"],"instance_count":2},"mpi_configuration":{"process_count":512}}`)
	for nodes, want := range map[int]int{0: 1, 4: 1, 8: 2} { // with 8, both write 8
		fixes := 0
		for _, f := range Lint(p, Options{Catalog: catalog.Default(), Nodes: nodes}) {
			if len(f.Fix) > 0 {
				fixes++
			}
		}
		if fixes != want {
			t.Errorf("%d nodes: %d fixes, want %d", nodes, fixes, want)
		}
	}
}

func TestTheAgeOfAPlan(t *testing.T) {
	for made, want := range map[string]string{
		"2026-11-25T00:00:00Z":      "",
		"2026-10-26T13:00:00Z":      "",
		"2026-10-26T11:00:00Z":      "the plan was made 30 days ago",
		"2026-10-01 10:00:00+0200":  "the plan was made 55 days ago",
		"2026-11-26T11:00:00":       "",
		"2026-11-27 13:00:00":       "the plan is of a day to come: by the clock here it is made in 2 days",
		"2099-01-01T00:00:00+01:00": "the plan is of a day to come",
	} {
		p := mustRead(t, `{"should_burst": false, "generated_at": "`+made+`"}`)
		var got string
		for _, f := range Lint(p, Options{Now: today}) {
			got += f.String()
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", made, got, want)
		}
	}
}
