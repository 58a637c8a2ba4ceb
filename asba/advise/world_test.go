package advise

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
)

// today is the day of all advice in these tests.
var today = time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC)

// changed is the catalogue with some things otherwise.
type changed struct {
	*catalog.Catalog
	without map[string]bool
	price   map[string]float64 // a factor
	types   map[string]catalog.Type
}

func (c changed) Names() []string {
	names := slices.DeleteFunc(c.Catalog.Names(), func(n string) bool { return c.without[n] })
	return append(names, slices.Sorted(maps.Keys(c.types))...)
}

func (c changed) Type(name string) (catalog.Type, bool) {
	if t, ok := c.types[name]; ok {
		return t, true
	}
	return c.Catalog.Type(name)
}

// A new type costs what the type does that its Network names.
func (c changed) like(name string) string {
	if t, ok := c.types[name]; ok {
		return t.Network
	}
	return name
}

func (c changed) Price(name, region string) (catalog.Price, bool) {
	p, ok := c.Catalog.Price(c.like(name), region)
	if f, there := c.price[name]; there {
		p.USD *= f
	}
	return p, ok
}

func (c changed) Spot(name, region string) (catalog.Spot, bool) {
	s, ok := c.Catalog.Spot(c.like(name), region)
	if f, there := c.price[name]; there {
		s.USD *= f
	}
	return s, ok
}

func (c changed) Offers(name, region string) []catalog.Zone {
	return c.Catalog.Offers(c.like(name), region)
}

func in(region string) *Market { return NewMarket(catalog.Default(), region) }

var regions = []string{"us-east-1", "us-east-2", "eu-central-1", "us-gov-west-1", "ap-southeast-7"}

var markets = func() map[string]*Market {
	out := map[string]*Market{}
	for _, r := range regions {
		out[r] = in(r)
	}
	return out
}()

// jobs draws any job that Slurm could tell of.
func jobs(t *rapid.T) Job {
	some := func(name string, least, most int) int {
		if !rapid.Bool().Draw(t, name+" is told") {
			return 0
		}
		return rapid.IntRange(least, most).Draw(t, name)
	}
	j := Job{
		ID: rapid.SampledFrom([]string{"", "4711", "8_3"}).Draw(t, "id"), User: "ada", Account: "waves",
		MinNodes: some("nodes", 1, 40), Tasks: some("tasks", 1, 3000), TasksPerNode: some("tasks per node", 1, 128), CPUsPerTask: some("cpus", 1, 64),
		OneThread: rapid.Bool().Draw(t, "one thread"), Threads: rapid.Bool().Draw(t, "threads"),
		TimeLimit: time.Duration(some("minutes", 1, 30*24*60)) * time.Minute,
		Coupling:  rapid.SampledFrom([]Coupling{CouplingUnknown, Loose, Tight}).Draw(t, "coupling"),
		Requeue:   rapid.Bool().Draw(t, "requeue"), ArrayTasks: some("array", 1, 100),
	}
	if rapid.IntRange(0, 9).Draw(t, "beyond what there is") == 0 { // as Slurm takes it
		j.MinNodes, j.Tasks, j.TimeLimit = some("very many nodes", 1, 1<<30), some("very many tasks", 1, 1<<30), time.Duration(some("years", 1, 10))*365*24*time.Hour
	}
	if j.MinNodes > 0 && rapid.Bool().Draw(t, "a range of nodes") {
		j.MaxNodes = j.MinNodes + rapid.IntRange(0, 10).Draw(t, "more nodes")
	}
	switch rapid.IntRange(0, 4).Draw(t, "memory") {
	case 1:
		j.MemoryPerNodeMiB = rapid.IntRange(1, 2<<20).Draw(t, "MiB a node")
	case 2:
		j.MemoryPerCPUMiB = rapid.IntRange(1, 64<<10).Draw(t, "MiB a CPU")
	case 3:
		j.MemoryPerGPUMiB = rapid.IntRange(1, 256<<10).Draw(t, "MiB a GPU")
	case 4:
		j.WholeMemory = true
	}
	if rapid.IntRange(0, 4).Draw(t, "shape of nodes") == 0 {
		j.MinCPUs, j.MinCores, j.ThreadsPerCore = rapid.IntRange(0, 64).Draw(t, "CPUs of a node"), rapid.IntRange(0, 64).Draw(t, "cores"), rapid.IntRange(0, 2).Draw(t, "threads a core")
		j.Constraint = rapid.SampledFrom([]string{"", "c6i", "efa", "c6i.4xlarge|c6a.4xlarge", "[rack1|rack2]", "intel&efa", "r6i\x00&&|"}).Draw(t, "constraint")
		j.Unjudged = rapid.SampledFrom([][]string{nil, {"--licenses=ansys:2", "--tmp=10G\n\xff"}}).Draw(t, "unjudged")
	}
	if rapid.IntRange(0, 3).Draw(t, "GPUs") == 0 {
		j.GPUs = []GPU{{rapid.SampledFrom([]string{"", "h100", "nvidia_a100-sxm4-80gb", "tesla_t4", "l40s"}).Draw(t, "model"), rapid.IntRange(1, 9).Draw(t, "count"), rapid.SampledFrom([]Per{PerNode, PerTask, PerJob}).Draw(t, "per")}}
	}
	return j
}

// settings draws what is known beside a job.
func settings(t *rapid.T) Options {
	region := rapid.SampledFrom(regions).Draw(t, "region")
	o := Options{Market: markets[region], Now: today}
	often := func(name string) bool { return rapid.IntRange(0, 4).Draw(t, name) == 0 }
	o.Archs = rapid.SampledFrom([][]string{nil, {"arm64"}, {"x86_64", "arm64"}}).Draw(t, "archs")
	o.Usage = rapid.SampledFrom([]string{UsageAny, UsageAny, UsageSpot, UsageOnDemand}).Draw(t, "usage")
	o.Previous, o.Burstable, o.BareMetal, o.EFARequired = often("previous"), often("burstable"), often("metal"), often("EFA")
	if often("allow") {
		o.Allow = []string{rapid.SampledFrom([]string{"c6i.*", "hpc7a.*", "c*", "trn1.*", "t3.*", "*.metal"}).Draw(t, "allowed")}
	}
	if often("deny") {
		o.Deny = []string{rapid.SampledFrom([]string{"c6a.*", "*.medium", "r*"}).Draw(t, "denied")}
	}
	if often("budget") {
		o.Budget = float64(rapid.IntRange(1, 1_000_000).Draw(t, "cents")) / 100
	}
	if often("policy") {
		o.Policy = Policy{MaxCostPerHour: float64(rapid.IntRange(1, 20_000).Draw(t, "cents an hour")) / 100, MaxNodes: rapid.IntRange(0, 30).Draw(t, "most nodes"), NoSpot: rapid.Bool().Draw(t, "no spot"), UnknownPrice: rapid.Bool().Draw(t, "unknown price")}
	}
	if often("deadline") {
		o.Deadline = today.Add(time.Duration(rapid.IntRange(1, 60*24*60).Draw(t, "minutes")) * time.Minute)
	}
	if often("line") {
		o.Line = &lint.NodeLine{Name: "node group hpc", CPUs: rapid.IntRange(0, 96).Draw(t, "CPUs"), MemoryMiB: rapid.IntRange(0, 200_000).Draw(t, "RealMemory")}
	}
	if zones := o.Market.offers[0].zones; often("zones") && len(zones) > 0 {
		o.Zones = []string{zones[0].ID}
	}
	if often("bounds") {
		o.Bounds.MemoryMiB = Range{1024, float64(rapid.IntRange(1024, 1<<20).Draw(t, "at most MiB"))}
	}
	return o
}

// findings are what is wrong with an advice's plan, as the executor and
// validate-plan see it: read from its text, on the nodes that it is for.
func findings(a Advice, o Options) []finding.Finding {
	p, fs := plan.Read(plan.Write(a.Plan), "advice.json")
	if p == nil {
		return fs
	}
	return lint.All(p, fs, lint.Options{Catalog: catalog.Default(), Region: o.Market.Region, Nodes: a.Nodes, Policy: &plan.Policy{}, Line: o.Line, Now: today})
}

func names(choices []Choice) []string { return typesOf(choices) }

// best is the advice's first choice, which there has to be.
func best(t *testing.T, a Advice) Choice {
	t.Helper()
	if len(a.Choices()) == 0 || !a.Plan.Bursts() {
		t.Fatalf("advises against it: %v", a.Plan.Reasons.Value)
	}
	return a.Choices()[0]
}

// excluded is why a type was left out, "" where it was not.
func excluded(a Advice, name string) string {
	for _, x := range a.Excluded() {
		if x.Type.Name == name {
			return x.Why()
		}
	}
	return ""
}
