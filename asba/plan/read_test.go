package plan

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/finding"
)

func load(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// said keeps of a plan's lists and options what the tests compare.
func said[T any](o Opt[T]) any {
	if !o.Given {
		return "open"
	}
	return o.Value
}

func TestDialectAIsReadWhole(t *testing.T) {
	p, fs := Read(load(t, "dialect-a.json"), "plan.json")
	if len(fs) != 0 {
		t.Fatalf("findings: %v", fs)
	}
	for name, c := range map[string]struct{ got, want any }{
		"dialect":   {p.Dialect, "A"},
		"source":    {p.Source, "plan.json"},
		"bursts":    {p.Bursts(), true},
		"types":     {p.InstanceTypes.Value, []string{"hpc7a.12xlarge", "c6in.32xlarge"}},
		"market":    {said(p.Purchasing), "spot"},
		"price":     {said(p.MaxSpotPrice), 4.25},
		"subnets":   {p.SubnetIDs.Value, []string{"subnet-0a1b2c3d", "subnet-0e5f6a7b"}},
		"template":  {said(p.LaunchTemplateName), "mpi-nodes"},
		"no id":     {said(p.LaunchTemplateID), "open"},
		"groups":    {p.SecurityGroupIDs.Value, []string{"sg-0123abcd"}},
		"profile":   {said(p.IAMInstanceProfile), "compute-node"},
		"user data": {said(p.UserData), "#!/bin/sh\necho \"https://example.org // not a comment\"\n"},
		"mpi":       {said(p.IsMPI), true},
		"processes": {said(p.ProcessCount), 256},
		"gang":      {said(p.Gang), true},
		"efa":       {said(p.RequiresEFA), true},
		"efa gen":   {said(p.EFAGeneration), 2},
		"total":     {said(p.MaxTotalCost), 120.5},
		"duration":  {said(p.MaxDuration), 150 * time.Minute},
		"rate":      {said(p.MaxCostPerHour), 40.0},
		"prefer":    {said(p.PreferSpot), true},
		"mixed":     {said(p.AllowMixed), true},
		"terminate": {said(p.AutoTerminate), 6 * time.Hour},
		"placement": {said(p.Placement), "cluster"},
		"no group":  {said(p.PlacementGroupName), "open"},
		"enhanced":  {said(p.EnhancedNetworking), true},
		"zones":     {p.AZs.Value, []string{"us-east-2b", "us-east-2a"}},
		"single":    {said(p.SingleAZ), true},
		"job":       {said(p.JobID), "4711"},
		"user":      {said(p.UserID), "ada"},
		"project":   {said(p.ProjectID), "turbulence"},
		"reasons":   {p.Reasons.Value, []string{"long queue", "tightly coupled"}},
		"missing":   {len(p.Missing()), 0},
		"digest":    {len(p.Digest), 16},
		"tag order": {p.Tags.Value[0].Key + p.Tags.Value[1].Key, "cost-centerproject"},
		"place":     {p.MaxSpotPrice.At, Place{File: "plan.json", Line: 6, Column: 23, Pointer: "/instance_specification/max_spot_price"}},
		"item":      {p.InstanceTypes.ItemAt(1), Place{File: "plan.json", Line: 4, Column: 42, Pointer: "/instance_specification/instance_types/1"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestDialectBIsReadAndItsSecondPlacesSettled(t *testing.T) {
	p, fs := Read(load(t, "dialect-b.json"), "b.json")
	want := []string{
		`b.json:11:23: error[PLAN011] /instance_specification/max_spot_price: 0.5 here, but 0.4 at /instance_specification/spot_instance_config/max_spot_price (say it once)`,
		`b.json:26:53: error[PLAN011] /network_configuration/placement_group_type: "spread" here, but "cluster" at /instance_specification/placement_group`,
	}
	if len(fs) != len(want) {
		t.Fatal(fs)
	}
	for i, f := range fs {
		if !strings.Contains(f.String(), want[i]) {
			t.Errorf("got  %s\nwant %s", f, want[i])
		}
	}
	for name, c := range map[string]struct{ got, want any }{
		"dialect":   {p.Dialect, "B"},
		"price":     {said(p.MaxSpotPrice), 0.4},
		"placement": {said(p.Placement), "cluster"},
		"mixed":     {said(p.AllowMixed), true},
		"zones":     {p.AZs.Value, []string{"us-east-1a"}},
		"count":     {said(p.InstanceCount), 4},
		"per node":  {said(p.ProcessesPerNode), 8},
		"total":     {said(p.MaxTotalCost), "open"},
		"runtime":   {said(p.ExpectedRuntime), 90 * time.Minute},
		"user":      {said(p.UserID), "ada"},
		"project":   {said(p.ProjectID), "turbulence"},
		"missing":   {p.Missing(), []string{"cost_constraints"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestPartialPlanNamesTheMissingSections(t *testing.T) {
	p, fs := Read([]byte(`{"instance_specification":{"instance_types":["c6i.large"]},"cost_constraints":{},"mpi_configuration":null}`), "p")
	if len(fs) != 0 {
		t.Fatal(fs)
	}
	want := []string{"mpi_configuration", "cost_constraints", "network_configuration"}
	if diff := cmp.Diff(want, p.Missing()); diff != "" {
		t.Error(diff)
	}
	if !p.Bursts() || p.ShouldBurst.Given {
		t.Error("a plan that does not say should_burst is for bursting")
	}
}

func TestNullAndAbsenceLeaveAValueOpen(t *testing.T) {
	p, fs := Read([]byte(`{"should_burst":null,"instance_specification":{"instance_types":["c6i.large"],"max_spot_price":null},"mpi_configuration":{"is_mpi_job":false}}`), "p")
	if len(fs) != 0 {
		t.Fatal(fs)
	}
	if p.ShouldBurst.Given || p.MaxSpotPrice.Given || p.RequiresEFA.Given {
		t.Error("null gave a value")
	}
	if !p.IsMPI.Given || p.IsMPI.Value {
		t.Error("false is an answer")
	}
}

func TestZeroSpotPriceMeansNoCap(t *testing.T) {
	p, _ := Read([]byte(`{"instance_specification":{"max_spot_price":0}}`), "p")
	if said(p.MaxSpotPrice) != 0.0 {
		t.Errorf("%+v", p.MaxSpotPrice)
	}
	p, fs := Read([]byte(`{"instance_specification":{"max_spot_price":0, "spot_instance_config":{"max_spot_price":0.3}}}`), "p")
	if said(p.MaxSpotPrice) != 0.3 || len(fs) != 0 {
		t.Errorf("0 is no cap, and says nothing against one: %+v %v", p.MaxSpotPrice, fs)
	}
}

func mustRead(t testing.TB, text string) *Plan {
	t.Helper()
	p, fs := Read([]byte(text), "plan.json")
	if finding.Count(fs, finding.Warning) > 0 {
		t.Fatalf("%s: %v", text, fs)
	}
	return p
}

func TestTinyDurationIsStillALimit(t *testing.T) {
	p := mustRead(t, `{"cost_constraints":{"max_duration_hours":1e-12}}`)
	if said(p.MaxDuration) != time.Millisecond {
		t.Errorf("%+v", p.MaxDuration)
	}
}

func TestDurationsAreTextOrNanoseconds(t *testing.T) {
	for text, want := range map[string]any{
		`"2h30m"`:            150 * time.Minute,
		`"0.5h"`:             30 * time.Minute,
		`""`:                 "open",
		`"0"`:                "open",
		`0`:                  "open",
		`null`:               "open",
		`9000000000000`:      150 * time.Minute,
		`9e12`:               150 * time.Minute,
		`90000000000000001`:  25*time.Hour*1000 + 1, // more than a float64 can tell
		`315360000000000000`: 10 * 365 * 24 * time.Hour,
	} {
		p := mustRead(t, `{"performance_target":{"expected_runtime":`+text+`},"execution_metadata":{"expected_performance":{"storage_latency":`+text+`}}}`)
		if said(p.ExpectedRuntime) != want {
			t.Errorf("%s: %v, want %v", text, said(p.ExpectedRuntime), want)
		}
	}
}

func TestHoursAreNumbersOrDurations(t *testing.T) {
	for text, want := range map[string]any{
		`2.5`: 150 * time.Minute, `"2h30m"`: 150 * time.Minute, `"90m"`: 90 * time.Minute, `""`: "open", `0`: "open", `null`: "open", `"1ns"`: time.Millisecond,
	} {
		p := mustRead(t, `{"cost_constraints":{"max_duration_hours":`+text+`,"auto_terminate_hours":`+text+`}}`)
		if said(p.MaxDuration) != want || said(p.AutoTerminate) != want {
			t.Errorf("%s: %v, %v, want %v", text, said(p.MaxDuration), said(p.AutoTerminate), want)
		}
	}
	for text, want := range map[string]string{
		`"-2h"`:         `PLAN008] /cost_constraints/max_duration_hours: max_duration_hours is "-2h", less than nothing (it must be a number of hours, or a duration such as "2h30m")`,
		`"99999h"`:      `PLAN008] /cost_constraints/max_duration_hours: max_duration_hours is "99999h", more than any plan can mean (it must be at most 87600h)`,
		`7200000000000`: `PLAN008]`, // nanoseconds where hours are meant
		`"two"`:         `PLAN007] /cost_constraints/max_duration_hours: max_duration_hours must be a number of hours, or a duration such as "2h30m", not a string`,
	} {
		_, fs := Read([]byte(`{"cost_constraints":{"max_duration_hours":`+text+`}}`), "p")
		if len(fs) != 1 || !strings.Contains(fs[0].String(), want) {
			t.Errorf("%s: %v, want %s", text, fs, want)
		}
	}
}

// Whatever a plan has a key for may also be null, absent, or what programs write
// for a field they never set.
func TestWhatSaysNothingLeavesEveryValueOpen(t *testing.T) {
	empty := map[Kind]string{KindText: `""`, KindCount: "0", KindUSD: "0", KindHours: "0", KindDuration: "0", KindTime: `"0001-01-01T00:00:00Z"`, KindList: "[]", KindTags: "{}", KindObject: "{}"}
	var check func(keys []Key)
	check = func(keys []Key) {
		for _, k := range keys {
			for _, value := range []string{"null", empty[k.Kind]} {
				if value == "" || k.Name == "max_spot_price" && value == "0" {
					continue // of which 0 is an answer
				}
				text := `{"` + strings.ReplaceAll(k.Path, "/", `":{"`) + `":` + value + strings.Repeat("}", strings.Count(k.Path, "/")+1)
				p := mustRead(t, text)
				if got := string(Write(p)); got != "{\n  \"should_burst\": true\n}\n" || len(p.Missing()) != 4 {
					t.Errorf("%s says %s", text, got)
				}
			}
			check(k.Keys)
		}
	}
	check(Keys())
}

func TestNullTagIsNone(t *testing.T) {
	p := mustRead(t, `{"execution_metadata":{"tags":{"a":null,"b":"1"}}}`)
	if len(p.Tags.Value) != 1 || p.Tags.Value[0].Key != "b" {
		t.Errorf("%+v", p.Tags)
	}
}

func TestTagThatCannotBeShownHasALineAndNoPointer(t *testing.T) {
	p := mustRead(t, `{"execution_metadata":{"tags":{"aws:\u0007":"x","aws:b":"y"}}}`)
	if odd, plain := p.Tags.Value[0].At, p.Tags.Value[1].At; odd.Pointer != "" || odd.Line != 1 || plain.Pointer != "/execution_metadata/tags/aws:b" {
		t.Errorf("%+v, %+v", odd, plain)
	}
}

func TestSchemaMayBeNamed(t *testing.T) {
	for _, name := range []string{`"../asba/plan/plan.schema.json"`, `"urn:aws-slurm-burst:plan:1"`, "null"} {
		p := mustRead(t, `{"$schema":`+name+`,"instance_specification":{"instance_types":["c6i.large"]}}`)
		if p.Dialect != DialectA || strings.Contains(string(Write(p)), "$schema") {
			t.Errorf("%s: dialect %s\n%s", name, p.Dialect, Write(p))
		}
	}
}

func TestDialectIsThatOfMostOfItsOwnKeys(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                        DialectA,
		`{"asba_version":"0.3.0"}`:  DialectB,
		`{"execution_metadata":{}}`: DialectA,
		`{"job_metadata":null}`:     DialectA, // null is as good as absent
		`{"job_metadata":{"user":"ada"},"cost_constraints":{"max_cost_per_hour":5}}`:                     DialectB,
		`{"instance_specification":{"instance_count":4},"performance_target":{"expected_runtime":"1h"}}`: DialectA, // written of A too
		`{"job_metadata":{},"cost_constraints":{"max_cost_per_hour":5}}`:                                 DialectA,
	} {
		if p := mustRead(t, text); p.Dialect != want {
			t.Errorf("%s: dialect %s, want %s", text, p.Dialect, want)
		}
	}
}

func TestMixedDialectsAreOnePlan(t *testing.T) {
	p := mustRead(t, `{
		"generated_at": "2031-02-03T04:05:06",
		"recommendation_reasoning": ["from B"],
		"instance_specification": {"instance_types": ["c6i.large"], "placement_group": "cluster", "iam_instance_profile": "node"},
		"cost_constraints": {"max_cost_per_hour": 5, "budget_account": "x"},
		"execution_metadata": {"decision_factors": ["from A"], "tags": {"a": 1}},
		"job_metadata": {"user": "ada", "account": "physics"},
		"performance_target": {"expected_runtime": "1h"}
	}`)
	for name, c := range map[string]struct{ got, want any }{
		"made":      {said(p.Made), time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)},
		"reasons":   {p.Reasons.Value, []string{"from B", "from A"}},
		"placement": {said(p.Placement), "cluster"},
		"profile":   {said(p.IAMInstanceProfile), "node"},
		"rate":      {said(p.MaxCostPerHour), 5.0},
		"tag":       {p.Tags.Value[0].Value, "1"},
		"user":      {said(p.UserID), "ada"},
		"project":   {said(p.ProjectID), "physics"},
		"runtime":   {said(p.ExpectedRuntime), time.Hour},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSecondPlacesAreReadAsThePageSays(t *testing.T) {
	both := func(first, firstValue, second, secondValue string) string {
		wrap := func(path, value string) string {
			section, key, _ := strings.Cut(path, "/")
			if inner, key, deeper := strings.Cut(key, "/"); deeper {
				return `"` + section + `":{"` + inner + `":{"` + key + `":` + value + `}}`
			}
			return `"` + section + `":{"` + key + `":` + value + `}`
		}
		a, b := wrap(first, firstValue), wrap(second, secondValue)
		if section, _, _ := strings.Cut(first, "/"); strings.HasPrefix(second, section+"/") { // one object
			return "{" + strings.TrimSuffix(a, "}") + "," + strings.TrimPrefix(b, `"`+section+`":{`) + "}"
		}
		return "{" + a + "," + b + "}"
	}
	const (
		price, spotPrice = "instance_specification/max_spot_price", "instance_specification/spot_instance_config/max_spot_price"
		option, enable   = "instance_specification/purchasing_option", "instance_specification/spot_instance_config/enable_spot"
		mixed, fallback  = "cost_constraints/allow_mixed_pricing", "instance_specification/spot_instance_config/fallback_to_on_demand"
		kind, group      = "network_configuration/placement_group_type", "instance_specification/placement_group"
		user, project    = "execution_metadata/user_id", "execution_metadata/project_id"
	)
	for name, c := range map[string]struct {
		text      string
		got       func(*Plan) any
		want      any
		disagrees bool
	}{
		"lower second price": {both(price, "2", spotPrice, "1"), func(p *Plan) any { return said(p.MaxSpotPrice) }, 1.0, true},
		"lower first price":  {both(price, "1", spotPrice, "2"), func(p *Plan) any { return said(p.MaxSpotPrice) }, 1.0, true},
		"no cap, a cap":      {both(price, "0", spotPrice, "2"), func(p *Plan) any { return said(p.MaxSpotPrice) }, 2.0, false},
		"a cap, no cap":      {both(price, "2", spotPrice, "0"), func(p *Plan) any { return said(p.MaxSpotPrice) }, 2.0, false},
		"on demand, spot":    {both(option, `"on-demand"`, enable, "true"), func(p *Plan) any { return said(p.Purchasing) }, OnDemand, true},
		"mixed, spot":        {both(option, `"mixed"`, enable, "true"), func(p *Plan) any { return said(p.Purchasing) }, Mixed, false},
		"on demand, no spot": {both(option, `"on-demand"`, enable, "false"), func(p *Plan) any { return said(p.Purchasing) }, OnDemand, false},
		"no fallback":        {both(mixed, "true", fallback, "false"), func(p *Plan) any { return said(p.AllowMixed) }, false, true},
		"no mixed pricing":   {both(mixed, "false", fallback, "true"), func(p *Plan) any { return said(p.AllowMixed) }, false, true},
		"cluster second":     {both(kind, `"spread"`, group, `"cluster"`), func(p *Plan) any { return said(p.Placement) }, Cluster, true},
		"cluster first":      {both(kind, `"cluster"`, group, `"spread"`), func(p *Plan) any { return said(p.Placement) }, Cluster, true},
		"no cluster":         {both(kind, `"spread"`, group, `"partition"`), func(p *Plan) any { return said(p.Placement) }, Spread, true},
		"users":              {both(user, `"ada"`, "job_metadata/user", `"bob"`), func(p *Plan) any { return said(p.UserID) }, "ada", true},
		"an account":         {both(project, `"waves"`, "job_metadata/account", `"physics"`), func(p *Plan) any { return said(p.ProjectID) }, "waves", false},
	} {
		p, fs := Read([]byte(c.text), "p")
		if p == nil || c.got(p) != c.want || len(fs) > 1 || (len(fs) == 1) != c.disagrees || c.disagrees && fs[0].ID != "PLAN011" {
			t.Errorf("%s: %s: %v, %v", name, c.text, p, fs)
		}
	}
}

// The partial plan of the project's first description, its comment included.
func TestPartialPlanWithACommentIsRead(t *testing.T) {
	data, err := os.ReadFile("../../examples/seed/partial.json")
	if err != nil {
		t.Fatal(err)
	}
	p, fs := Read(data, "partial.json")
	if len(fs) != 1 || fs[0].ID != "PLAN010" || fs[0].Level != finding.Warning {
		t.Error(fs)
	}
	if p == nil || !cmp.Equal(p.InstanceTypes.Value, []string{"c6i.xlarge"}) || len(p.Missing()) != 3 {
		t.Errorf("%+v", p)
	}
}

func TestEveryMistakeIsFoundWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // of each finding, in order
	}{
		"empty":     {"", []string{`p:1:1: error[PLAN002]: the plan is empty`}},
		"blank":     {" \n\t", []string{`p:1:1: error[PLAN002]: the plan is empty`}},
		"comments":  {"// only\n", []string{`p:1:1: error[PLAN002]`, `p:1:1: warning[PLAN010]`}},
		"not UTF-8": {"{\n \"a\xff\": 1}", []string{`p:2:4: error[PLAN003]: the plan is not UTF-8 text`}},
		"too large": {strings.Repeat(" ", MaxSize+1), []string{`p:1:1: error[PLAN001]: the plan has more than 1048576 bytes`}},
		"an array":  {"[]", []string{`p:1:1: error[PLAN007]: the plan must be an object, not an array`}},
		"cut short": {"{\n\"should_burst\": tr", []string{`p:2:19: error[PLAN004] /should_burst: the plan ends too early`}},
		"no end":    {`{"should_burst": true`, []string{`p:1:22: error[PLAN004]: the plan ends too early`}},
		"trailing comma": {"{\"instance_specification\": {\n\"instance_types\": [\"c6i.large\" , ]}}",
			[]string{`p:2:32: error[PLAN004] /instance_specification/instance_types: a comma before the closing bracket is not JSON (remove the comma)`}},
		"comma missing":  {"{\"a\": 1\n\"b\": 2}", []string{`p:1:2: warning[PLAN009] /a: the key "a" is not known`, `p:2:1: error[PLAN004]`}},
		"NaN":            {`{"instance_specification":{"max_spot_price": NaN}}`, []string{`p:1:46: error[PLAN004] /instance_specification/max_spot_price: not valid JSON`}},
		"two documents":  {"{}\n{}", []string{`p:2:1: error[PLAN004]: text follows the end of the plan`}},
		"deep":           {strings.Repeat("[", 100), []string{`p:1:66: error[PLAN005]`}},
		"key twice":      {"{\"should_burst\": true,\n \"should_burst\": false}", []string{`p:2:2: error[PLAN006] /should_burst: the key "should_burst" stands twice, first on line 1`}},
		"wrong types":    {`{"should_burst":"yes","instance_specification":{"instance_types":"c6i.large","max_spot_price":"1"}}`, []string{`p:1:17: error[PLAN007] /should_burst: should_burst must be true or false, not a string`, `must be an array of strings, not a string`, `max_spot_price must be a number of USD, not a string`}},
		"item types":     {`{"instance_specification":{"instance_types":["c6i.large", 7, " "]}}`, []string{`p:1:59: error[PLAN007] /instance_specification/instance_types/1: each item`, `/instance_types/2: each item`}},
		"section type":   {`{"cost_constraints": 5}`, []string{`cost_constraints must be an object, not a number`}},
		"negative":       {`{"cost_constraints":{"max_cost_per_hour":-1}}`, []string{`error[PLAN008] /cost_constraints/max_cost_per_hour: max_cost_per_hour is -1, less than nothing`}},
		"absurd":         {`{"cost_constraints":{"max_total_cost":1e300,"max_duration_hours":1e999}}`, []string{`max_total_cost is 1e300, more than any plan can mean`, `max_duration_hours is 1e999, more than`}},
		"half a process": {`{"mpi_configuration":{"process_count":1.5}}`, []string{`process_count must be a whole number, not 1.5`}},
		"durations":      {`{"performance_target":{"expected_runtime":"soon"},"execution_metadata":{"expected_performance":{"network_latency":"-2ms","storage_latency":true,"aws_provision_time":"999999h"}}}`, []string{`expected_runtime must be a duration`, `network_latency is "-2ms", less than nothing`, `storage_latency must be a duration`, `aws_provision_time is "999999h", more than`}},
		"unknown keys":   {`{"should_brust":true,"instance_types":[],"instance_specification":{"banana":1}}`, []string{`the key "should_brust" is not known and has no effect (did you mean should_burst?)`, `(it belongs in instance_specification)`, `(nothing reads it)`}},
		"tags":           {`{"execution_metadata":{"tags":{"a":[]}}}`, []string{`/execution_metadata/tags/a: a must be a string, not an array`}},
		"tags type":      {`{"execution_metadata":{"tags":[]}}`, []string{`tags must be an object of strings, not an array`}},
		"odd key":        {"{\"\\u001b[31m\": 1}", []string{`p:1:2: warning[PLAN009]: the key "\x1b[31m" is not known`}},
		"purchase":       {`{"instance_specification":{"purchasing_option":"on-demand","spot_instance_config":{"enable_spot":true}}}`, []string{`PLAN011] /instance_specification/spot_instance_config/enable_spot: "spot" here, but "on-demand" at /instance_specification/purchasing_option`}},
		"zones":          {`{"instance_specification":{"availability_zones":["us-east-1b"]},"network_configuration":{"availability_zones":["us-east-1a"]}}`, []string{`[us-east-1b] here, but [us-east-1a] at /network_configuration/availability_zones`}},
	} {
		_, fs := Read([]byte(c.text), "p")
		if len(fs) != len(c.want) {
			t.Errorf("%s: %d findings, want %d: %v", name, len(fs), len(c.want), fs)
			continue
		}
		for i, f := range fs {
			if !strings.Contains(f.String(), c.want[i]) {
				t.Errorf("%s:\ngot  %s\nwant %s", name, f, c.want[i])
			}
		}
	}
}

func TestBrokenPlanIsNil(t *testing.T) {
	for _, text := range []string{"", "[]", "null", `{"should_burst":`, "{} {}"} {
		if p, fs := Read([]byte(text), "p"); p != nil || finding.Count(fs, finding.Error) == 0 {
			t.Errorf("%q: %v %v", text, p, fs)
		}
	}
}

func TestCommentsAreBlankedInPlace(t *testing.T) {
	text := "// why\n{ \"should_burst\": true, // yes\n  \"execution_metadata\": {\"tags\": {\"url\": \"http://x\\\"//y\"}} }"
	p, fs := Read([]byte(text), "p")
	if len(fs) != 1 || fs[0].ID != "PLAN010" || fs[0].Line != 1 {
		t.Fatalf("want one warning for all comments: %v", fs)
	}
	if got := p.Tags.Value[0]; got.Value != `http://x"//y` || got.At.Line != 3 {
		t.Errorf("%+v", got)
	}
}

func TestByteOrderMarkIsIgnored(t *testing.T) {
	if p, fs := Read([]byte("\uFEFF{\"should_burst\":false}"), "p"); len(fs) != 0 || p.Bursts() {
		t.Errorf("%v %v", p, fs)
	}
}

func TestErrorsAreNotLostBehindWarnings(t *testing.T) {
	var b strings.Builder
	b.WriteString("{")
	for range 5000 {
		b.WriteString(`"` + strings.Repeat("x", b.Len()%97+3) + string(rune('a'+b.Len()%26)) + `":1,`)
	}
	b.WriteString(`"should_burst":3}`)
	_, fs := Read([]byte(b.String()), "p")
	if n := finding.Count(fs, finding.Error); n == 0 || len(fs) > 4*50 {
		t.Errorf("%d errors of %d findings", n, len(fs))
	}
}

func TestHostileInputIsRefusedFast(t *testing.T) {
	for name, text := range map[string]string{
		"10 MB":        strings.Repeat("a", 10<<20),
		"deep arrays":  strings.Repeat("[", 10000),
		"deep objects": strings.Repeat(`{"a":`, 10000),
		"empty lists":  "[" + strings.Repeat("[],", 340000) + "1]",
		"many keys":    `{"` + strings.Repeat(`a":1,"`, 170000) + `":0}`,
		"long number":  `{"cost_constraints":{"max_total_cost":` + strings.Repeat("9", 1000000) + `}}`,
		"long key":     `{"` + strings.Repeat("k", 1000000) + `":1}`,
		"open string":  `{"` + strings.Repeat("\\", 1000000),
	} {
		start := time.Now()
		_, fs := Read([]byte(text), "p")
		if d := time.Since(start); d > 3*time.Second { // some 100 ms; generous for -race
			t.Errorf("%s: %v", name, d)
		}
		if len(fs) == 0 {
			t.Errorf("%s: nothing found", name)
		}
		for _, f := range fs {
			if len(f.String()) > 1000 {
				t.Errorf("%s: a finding of %d bytes", name, len(f.String()))
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	data := load(b, "dialect-a.json")
	for b.Loop() {
		Read(data, "plan.json")
	}
}
