package decide

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
)

const site = `
aws: {region: us-east-1}
slurm:
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: hpc, nodes: "hpc-[1-9]", instance_types: [c5n.18xlarge], max_cost_per_hour: 50, security_group_ids: [sg-00000001], tags: [{key: Owner, value: site}], image: {id: ami-00000001}}
        - {node_group_name: cpu, nodes: "cpu-[1-9]", instance_types: [c6i.large, c6i.xlarge], purchasing_option: spot, allow_mixed: true, max_spot_price: 0.1, cpus: 4, image: {id: ami-00000001}}
`

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text), "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readPlan(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, fs := plan.Read([]byte(text), "plan.json")
	if finding.Count(fs, finding.Error) > 0 {
		t.Fatal(fs)
	}
	return p
}

// subnets are what the account has.
type subnets []cloud.Subnet

func (s subnets) Subnets(context.Context, cloud.SubnetQuery) ([]cloud.Subnet, error) { return s, nil }
func (s subnets) Image(context.Context, cloud.ImageQuery) (string, error)            { return "", nil }

func nodes(prefix string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s-%d", prefix, i+1))
	}
	return out
}

func TestJobsBecomeGroups(t *testing.T) {
	cfg := parse(t, site)
	one, two := readPlan(t, `{"instance_specification": {"instance_types": ["c5n.18xlarge"]}}`), readPlan(t, `{"instance_specification": {"instance_types": ["c5n.9xlarge"]}}`)
	names := map[*plan.Plan]string{nil: "", one: " by one", two: " by two"}
	for _, c := range []struct {
		name   string
		nodes  []string
		jobs   []Job
		ofCall *plan.Plan
		want   []string // jobs: nodes / outside, multi, by a plan
	}{
		{"a job of many nodes", nodes("hpc", 3), []Job{{ID: "1", Resume: nodes("hpc", 3)}}, nil, []string{"1: hpc-1 hpc-2 hpc-3 / multi"}},
		{"single-node jobs go together", nodes("hpc", 2), []Job{{ID: "1", Resume: []string{"hpc-1"}}, {ID: "2", Resume: []string{"hpc-2"}}}, nil, []string{"1 2: hpc-1 hpc-2 /"}},
		{"nodes for nobody", nodes("hpc", 2), nil, nil, []string{": hpc-1 hpc-2 /"}},
		{"nodes for a plan", nodes("hpc", 2), nil, one, []string{": hpc-1 hpc-2 / multi by one"}},
		{"jobs that share a node are one group", nodes("hpc", 3), []Job{{ID: "1", Resume: nodes("hpc", 2)}, {ID: "2", Resume: []string{"hpc-2", "hpc-3"}}}, nil, []string{"1 2: hpc-1 hpc-2 hpc-3 / multi"}},
		{"a node of two jobs counts once, over two node groups too", []string{"hpc-1", "cpu-1"}, []Job{{ID: "1", Resume: []string{"hpc-1"}, Alloc: []string{"hpc-1", "cpu-1"}}, {ID: "2", Resume: []string{"hpc-1", "cpu-1"}}}, nil,
			[]string{"1 2: cpu-1 / hpc-1 multi", "1 2: hpc-1 / cpu-1 multi"}},
		{"members that are up already are outside", []string{"hpc-2"}, []Job{{ID: "1", Resume: []string{"hpc-2"}, Alloc: nodes("hpc", 3)}}, nil, []string{"1: hpc-2 / hpc-1 hpc-3 multi"}},
		{"the command line is the authority", []string{"hpc-1"}, []Job{{ID: "1", Resume: nodes("hpc", 2)}}, nil, []string{"1: hpc-1 /"}},
		{"a job over two node groups", []string{"hpc-1", "cpu-1"}, []Job{{ID: "1", Resume: []string{"hpc-1", "cpu-1"}}}, nil, []string{"1: cpu-1 / hpc-1 multi", "1: hpc-1 / cpu-1 multi"}},
		{"jobs that share their only node", nodes("hpc", 1), []Job{{ID: "1", Resume: nodes("hpc", 1)}, {ID: "2", Resume: nodes("hpc", 1)}}, nil, []string{"1 2: hpc-1 /"}},
		{"a job of one node that a larger one shares", nodes("hpc", 2), []Job{{ID: "1", Resume: []string{"hpc-2"}}, {ID: "2", Resume: nodes("hpc", 2)}}, nil, []string{"2 1: hpc-1 hpc-2 / multi"}},
		{"jobs with plans of their own are apart", nodes("hpc", 4), []Job{{ID: "1", Resume: []string{"hpc-1"}, Plan: one}, {ID: "2", Resume: []string{"hpc-2"}}, {ID: "3", Resume: []string{"hpc-3"}, Plan: two}, {ID: "4", Resume: []string{"hpc-4"}, Plan: one}}, nil,
			[]string{"2: hpc-2 /", "1 4: hpc-1 hpc-4 / by one", "3: hpc-3 / by two"}},
		{"a larger job brings its plan", nodes("hpc", 3), []Job{{ID: "1", Resume: nodes("hpc", 2), Plan: one}, {ID: "2", Resume: []string{"hpc-3"}}}, nil, []string{"1: hpc-1 hpc-2 / multi by one", "2: hpc-3 /"}},
		{"on a shared node the first job that has a plan decides", nodes("hpc", 1), []Job{{ID: "1", Resume: nodes("hpc", 1)}, {ID: "2", Resume: nodes("hpc", 1), Plan: two}, {ID: "3", Resume: nodes("hpc", 1), Plan: one}}, nil, []string{"1 2 3: hpc-1 / by two"}},
		{"in a chain of shared nodes too", nodes("hpc", 4), []Job{{ID: "1", Resume: []string{"hpc-1", "hpc-2"}, Plan: one}, {ID: "2", Resume: []string{"hpc-3", "hpc-4"}, Plan: two}, {ID: "3", Resume: []string{"hpc-4", "hpc-1"}}}, nil, []string{"2 1 3: hpc-1 hpc-2 hpc-3 hpc-4 / multi by one"}},
		{"the plan of a job of one node counts as well", nodes("hpc", 2), []Job{{ID: "1", Resume: []string{"hpc-2"}, Plan: one}, {ID: "2", Resume: nodes("hpc", 2), Plan: two}}, nil, []string{"2 1: hpc-1 hpc-2 / multi by one"}},
		{"a plan of the call is everyone's", nodes("hpc", 3), []Job{{ID: "1", Resume: nodes("hpc", 2), Plan: two}, {ID: "2", Resume: []string{"hpc-3"}}}, one, []string{"1: hpc-1 hpc-2 / multi by one", "2: hpc-3 / by one"}},
		{"a plan over two node groups", []string{"hpc-1", "cpu-1"}, []Job{{ID: "1", Resume: []string{"hpc-1", "cpu-1"}, Plan: one}}, nil, []string{"1: cpu-1 / hpc-1 multi by one", "1: hpc-1 / cpu-1 multi by one"}},
	} {
		var got []string
		for _, g := range Groups(c.nodes, c.jobs, cfg, c.ofCall) {
			multi := ""
			if g.Multi {
				multi = "multi"
			}
			text := fmt.Sprintf("%s: %s / %s", strings.Join(g.Jobs, " "), strings.Join(g.Nodes, " "), strings.TrimSpace(strings.Join(g.Outside, " ")+" "+multi))
			got = append(got, strings.TrimSuffix(text, " ")+names[g.Plan])
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, d)
		}
	}
}

func decideFor(t *testing.T, m *Maker, p *plan.Plan, prefix string, n int, jobs ...string) Decision {
	t.Helper()
	if m.Types == nil {
		m.Types = catalog.Default()
	}
	if m.Lookups == nil {
		m.Lookups = subnets{{ID: "subnet-a", AZ: "us-east-1a", AZID: "use1-az1"}, {ID: "subnet-b", AZ: "us-east-1b", AZID: "use1-az2"}}
	}
	ns := nodes(prefix, n)
	site, _ := m.Config.GroupOf(ns[0])
	d, err := m.For(t.Context(), Group{Jobs: jobs, Nodes: ns, Multi: n > 1, Site: site, Plan: p})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func from(d Decision, name string) string {
	for _, s := range d.Sources {
		if s.Name == name {
			return s.From + " " + s.Value
		}
	}
	return ""
}

func TestThePlanComesBeforeTheConfigurationBeforeTheDefaults(t *testing.T) {
	p := readPlan(t, `{"instance_specification": {"instance_types": ["c6in.32xlarge"], "purchasing_option": "spot", "max_spot_price": 2},
		"mpi_configuration": {"requires_gang_scheduling": true, "requires_efa": true}, "cost_constraints": {"max_cost_per_hour": 30},
		"network_configuration": {"availability_zones": ["us-east-1b"]}, "execution_metadata": {"tags": {"Owner": "plan", "App": "x"}}}`)
	d := decideFor(t, &Maker{Config: parse(t, site)}, p, "hpc", 4, "1")
	for name, want := range map[string]string{
		"instance_types": "plan c6in.32xlarge", "purchasing_option": "plan spot", "max_spot_price": "plan 2", "gang": "plan true", "efa": "plan true",
		"security_groups": "config sg-00000001", "placement": "default none", "availability_zones": "plan us-east-1b", "max_cost_per_hour": "plan 30",
	} {
		if got := from(d, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !d.Gang || !d.SingleUse || len(d.Wish.Places) != 1 || d.Wish.Places[0].ID != "subnet-b" || d.Wish.MaxHourly != 30 {
		t.Errorf("decision: %+v", d.Wish)
	}
	if got := cloud.TagValue(d.Ask.Tags, "Owner") + cloud.TagValue(d.Ask.Tags, "App"); got != "sitex" {
		t.Errorf("the site's tags come before the plan's, got %q", got)
	}
}

func TestWithoutAPlanTheConfigurationDecides(t *testing.T) {
	d := decideFor(t, &Maker{Config: parse(t, site)}, nil, "cpu", 3, "1")
	if d.SingleUse || !d.Gang || len(d.Wish.Markets) != 2 || d.Wish.Markets[0] != cloud.Spot || d.Wish.MaxPrice != 0.1 {
		t.Errorf("decision: %+v", d)
	}
	if d := cmp.Diff([]string{"c6i.large has 2 CPUs, nodes of cpu are declared with 4"}, d.Dropped); d != "" {
		t.Errorf("a smaller machine would register as invalid, for ever: %s", d)
	}
	if len(decideFor(t, &Maker{Config: parse(t, site)}, nil, "cpu", 3).Wish.Types) != 1 {
		t.Error("the type that is large enough was lost")
	}
	if decideFor(t, &Maker{Config: parse(t, site)}, nil, "cpu", 3).Gang {
		t.Error("nodes that no job wants need each other")
	}
}

func TestTheLowestLimitCounts(t *testing.T) {
	policy := site + "policy: {max_cost_per_hour: 20}\n"
	for _, c := range []struct {
		name, config, plan string
		want               float64
	}{
		{"node group", site, `{"instance_specification": {"instance_types": ["c5n.18xlarge"]}}`, 50},
		{"plan's hours", site, `{"instance_specification": {"instance_types": ["c5n.18xlarge"]}, "cost_constraints": {"max_cost_per_hour": 40}}`, 40},
		{"plan's total over its duration", site, `{"instance_specification": {"instance_types": ["c5n.18xlarge"]}, "cost_constraints": {"max_cost_per_hour": 40, "max_total_cost": 100, "max_duration_hours": 4}}`, 25},
		{"policy", policy, `{"instance_specification": {"instance_types": ["c5n.18xlarge"]}, "cost_constraints": {"max_cost_per_hour": 40}}`, 20},
	} {
		if got := decideFor(t, &Maker{Config: parse(t, c.config)}, readPlan(t, c.plan), "hpc", 2, "1").Wish.MaxHourly; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestInstancesExpireAnHourAfterTheLongestDuration(t *testing.T) {
	start := env.Time(1e18)
	for text, want := range map[string]time.Duration{
		`{"instance_specification": {"instance_types": ["c5n.18xlarge"]}, "cost_constraints": {"max_duration_hours": 4}}`:                              5 * time.Hour,
		`{"instance_specification": {"instance_types": ["c5n.18xlarge"]}, "cost_constraints": {"max_duration_hours": 4, "auto_terminate_hours": 4.5}}`: 4*time.Hour + 30*time.Minute,
	} {
		m := &Maker{Config: parse(t, site), Start: start}
		if got := decideFor(t, m, readPlan(t, text), "hpc", 1).Ask.Expires.Sub(start); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if !decideFor(t, &Maker{Config: parse(t, site), Start: start}, nil, "hpc", 1).Ask.Expires.IsZero() {
		t.Error("without a duration nothing expires")
	}
}

func TestPricesAreThoseOfTheRegion(t *testing.T) {
	seen := map[float64]bool{}
	for _, region := range []string{"us-east-1", "eu-central-1", "us-moon-1"} {
		d := decideFor(t, &Maker{Config: parse(t, strings.Replace(site, "us-east-1", region, 1))}, nil, "cpu", 2)
		want, known := catalog.Default().Price(d.Wish.Types[0].Name, region)
		if got := d.Wish.Types[0]; got.Price != want.USD || got.PriceDate != want.Date || known != (region != "us-moon-1") {
			t.Errorf("%s: %v of %q, want %+v", region, got.Price, got.PriceDate, want)
		}
		seen[d.Wish.Types[0].Price] = true
	}
	if len(seen) != 3 {
		t.Errorf("one price in all regions: %v", seen)
	}
}

// Zones' names differ from account to account, their ids do not; what the catalogue
// does not know says nothing.
func TestZonesThatDoNotSellATypeAreKnownByTheirID(t *testing.T) {
	types := catalog.Default()
	sold := types.Offers("hpc7a.96xlarge", "us-east-2")
	if len(sold) == 0 || len(sold) == len(types.Zones("us-east-2")) {
		t.Fatalf("hpc7a.96xlarge is sold in %d zones of us-east-2: it shows nothing", len(sold))
	}
	other := types.Zones("us-east-2")
	other = slices.DeleteFunc(other, func(z catalog.Zone) bool { return slices.Contains(sold, z) })
	cfg := parse(t, strings.ReplaceAll(site, "us-east-1", "us-east-2"))
	m := &Maker{Config: cfg, Types: types, Lookups: subnets{
		{ID: "subnet-1", AZ: "us-east-2x", AZID: sold[0].ID}, {ID: "subnet-2", AZ: "us-east-2y", AZID: other[0].ID},
		{ID: "subnet-3", AZ: "us-east-2z"}, // an endpoint that tells no ids
	}}
	d := decideFor(t, m, readPlan(t, `{"should_burst": true, "instance_specification": {"instance_types": ["hpc7a.96xlarge"]}}`), "hpc", 1)
	if len(d.Wish.Types) != 1 || !slices.Equal(d.Wish.Types[0].Unsold, []string{"us-east-2y"}) {
		t.Errorf("types: %+v", d.Wish.Types)
	}
}

func TestPolicyBindsATrustedPlan(t *testing.T) {
	text := `{"instance_specification": {"instance_types": ["c5n.18xlarge"], "user_data": "#!/bin/sh", "iam_instance_profile": "Admin", "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"], "launch_template_name": "t"}}`
	p := readPlan(t, text)
	if d := cmp.Diff([]string{"user_data", "iam_instance_profile"}, parse(t, site).Policy.Bind(p)); d != "" {
		t.Errorf("by default: %s", d)
	}
	if p.UserData.Given || p.IAMInstanceProfile.Given || !p.SubnetIDs.Given {
		t.Error("what was named is not what was taken")
	}
	p = readPlan(t, text)
	if got := (config.Policy{}).Bind(p); len(got) != 5 || p.SubnetIDs.Given {
		t.Errorf("where nothing is allowed: %v", got)
	}
}

func TestSectionsThatTheConfigurationFillsInAreSaid(t *testing.T) {
	cfg := parse(t, site)
	got := FilledIn(readPlan(t, `{"instance_specification": {"instance_types": ["c6i.xlarge"]}}`), cfg)
	want := []string{"Using mpi configuration from config.yaml", "Using ASBA instance types with default cost constraints", "Using network configuration from config.yaml"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Jobs of one node that are launched together are still jobs of one node.
func TestAPlanSpeaksOfTheNodesOfItsJob(t *testing.T) {
	m := &Maker{Config: parse(t, site)}
	p := readPlan(t, `{"instance_specification": {"instance_types": ["c5n.18xlarge"]}, "mpi_configuration": {"requires_gang_scheduling": true},
		"network_configuration": {"placement_group_type": "cluster", "single_az_required": true}, "cost_constraints": {"max_cost_per_hour": 4}}`)
	if d := decideFor(t, m, p, "hpc", 2, "1"); !d.Gang || !d.SingleUse || !d.Ask.OneAZ || d.Wish.Strategy != plan.Cluster || d.Wish.PerNode {
		t.Errorf("a job of two nodes: %+v", d)
	}
	m.Types = catalog.Default()
	m.Lookups = subnets{{ID: "subnet-a", AZ: "us-east-1a", AZID: "use1-az1"}}
	hpc, _ := m.Config.GroupOf("hpc-1")
	d, err := m.For(t.Context(), Group{Jobs: []string{"1", "2"}, Nodes: nodes("hpc", 2), Site: hpc, Plan: p})
	if err != nil || d.Gang || d.SingleUse || d.Ask.OneAZ || d.Wish.Strategy != "" || !d.Wish.PerNode || d.Ask.Plan != p.Digest {
		t.Errorf("two jobs of one node: %+v %v", d, err)
	}
}

func TestSizeOfAJob(t *testing.T) {
	for want, j := range map[int]Job{
		0: {},
		2: {Resume: nodes("hpc", 2)},
		3: {Resume: nodes("hpc", 2), Alloc: nodes("hpc", 3)},
		4: {Resume: []string{"hpc-9"}, Alloc: nodes("hpc", 3)},
	} {
		if got := j.Size(); got != want {
			t.Errorf("%+v: %d, want %d", j, got, want)
		}
	}
}
