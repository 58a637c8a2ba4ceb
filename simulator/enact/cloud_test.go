package enact

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
	"aws-slurm-burst/simulator/scenario"
)

// What a scenario says of its EC2 moves what a user would expect of it. Each test
// runs one scenario two ways.

const spotAlone = `
cluster: site
aws: {region: us-east-1}
slurm:
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: spot, nodes: "aws-spot-[01-40]", purchasing_option: spot, instance_types: [c6i.xlarge], subnets: {default_for_az: true}, image: {owner: amazon, name: "al2023-ami-2023*"}}
`

// clouded is a scenario with nothing on the premises and an EC2 that is always
// there, at once, without limits.
func clouded() *scenario.Scenario {
	s := drawn(0)
	s.Cluster.Premises = scenario.Premises{}
	s.Workload.Generator, s.Workload.JSONL = nil, "jobs.jsonl"
	c := s.Cluster.Cloud
	c.Boot, c.Dies, c.Never = scenario.Minimal, 0, 0
	c.Spot, c.Throttle, c.ShuttingDown, c.VisibilityLag = scenario.Always, false, 0, 0
	return s
}

// jobLines are jobs of four processors each, or of as many as said: an hour apart.
func jobLines(n int, procs int, run time.Duration) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, "{\"id\": %d, \"submit\": %d, \"run\": %d, \"limit\": %d, \"procs\": %d}\n", k+1, k*3600, int(run.Seconds()), 2*int(run.Seconds()), procs)
	}
	return b.String()
}

// outcome is a run: its figures, and what happened to instances.
type outcome struct {
	*report.Report
	events []record.Event
}

func (o outcome) count(k record.Kind, which func(record.Event) bool) (n int) {
	for _, e := range o.events {
		if e.Kind == k && (which == nil || which(e)) {
			n++
		}
	}
	return n
}

func carriedOut(t *testing.T, s *scenario.Scenario, f files) outcome {
	t.Helper()
	c := report.New(report.Options{Begin: record.Begin, Cloud: true})
	var o outcome
	out, err := Simulator{Open: f.open}.Run(context.Background(), s, func(e record.Event) {
		c.Take(e)
		if e.Instance != "" {
			e.Nodes = nil // they are the sender's
			o.events = append(o.events, e)
		}
	}, func(scenario.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	o.Report = c.Report(record.Begin.Add(out.Simulated), out.Procs)
	return o
}

// changed runs the scenario with a change.
func changed(t *testing.T, f files, change func(*scenario.Cloud)) outcome {
	t.Helper()
	s := clouded()
	change(s.Cluster.Cloud)
	return carriedOut(t, s, f)
}

func (o outcome) errors(op, code string) int { return o.Cloud.APIErrors[op][code] }

func TestTheScarcerSpotIsTheMoreIsInterrupted(t *testing.T) {
	f := files{"config.yaml": spotAlone, "jobs.jsonl": jobLines(300, 32, 50*time.Minute)}
	last := math.Inf(1)
	for _, word := range []scenario.Capacity{scenario.Scarce, scenario.Common, ">20%"} {
		o := changed(t, f, func(c *scenario.Cloud) { c.Spot = word })
		rate := float64(o.Cloud.Interruptions) / o.Cloud.NodeHours.Powered()
		if rate >= last {
			t.Errorf("%s: %.4f interruptions a node-hour, %.4f where it is scarcer", word, rate, last)
		}
		if o.Jobs != 300 {
			t.Errorf("%s: %d jobs ended", word, o.Jobs)
		}
		if text := strings.Join(o.Assumed, "\n"); !strings.Contains(text, "supply "+string(word)) {
			t.Errorf("%s: what it assumes is not said: %s", word, text)
		}
		last = rate
	}
	usual := changed(t, f, func(c *scenario.Cloud) { c.Spot = scenario.Usual })
	spot, _ := catalog.Default().Spot("c6i.xlarge", "us-east-1")
	told := changed(t, f, func(c *scenario.Cloud) { c.Spot = scenario.Capacity(spot.Interruption.String()) })
	if usual.MeanWait != told.MeanWait || usual.Cloud.Cost != told.Cloud.Cost {
		t.Errorf("c6i.xlarge is not usually as the Spot Instance Advisor tells it (%s)", spot.Interruption)
	}
}

func TestATypesOwnWordWinsOverTheMarkets(t *testing.T) {
	f := files{"config.yaml": strings.Replace(spotAlone, "[c6i.xlarge]", "[c6i.xlarge, c5.xlarge]", 1), "jobs.jsonl": jobLines(200, 16, 50*time.Minute)}
	o := changed(t, f, func(c *scenario.Cloud) {
		c.Types = []scenario.TypeCapacity{{Type: "c6i.xlarge", Spot: scenario.Scarce}}
	})
	of := func(name string) func(record.Event) bool { return func(e record.Event) bool { return e.Type == name } }
	if o.count(record.InstanceWarned, of("c6i.xlarge")) == 0 || o.count(record.InstanceLaunched, of("c5.xlarge")) == 0 {
		t.Errorf("nothing scarce is taken back, or nothing is launched in its place: %v", o.Cloud)
	}
	if n := o.count(record.InstanceWarned, of("c5.xlarge")); n > 0 {
		t.Errorf("%d instances of a type that is always there are taken back", n)
	}
}

func TestATypeThatEC2DoesNotHaveIsToldWithItsPlaceAndTheNearest(t *testing.T) {
	f := files{"config.yaml": spotAlone, "jobs.jsonl": jobLines(1, 1, time.Minute), "a.json": `{"metadata": {"gap_seconds": 300}, "data": [1]}`}
	for cloud, want := range map[string]string{
		"types: {c6i.xlrage: {spot: scarce}}":                          "s.yaml:2:48: error[SCN006] /cluster/cloud/types/c6i.xlrage: \"c6i.xlrage\" is not an EC2 instance type (did you mean c6i.xlarge?)",
		"recorded: [{file: a.json, type: c6i.huge, zone: us-east-1a}]": "s.yaml:2:66: error[SCN006] /cluster/cloud/recorded/0/type: \"c6i.huge\" is not an EC2 instance type (did you mean c6i.",
	} {
		s, err := scenario.Parse([]byte("workload: {jsonl: jobs.jsonl}\ncluster: {cloud: {config: config.yaml, "+cloud+"}}"), "s.yaml")
		if err != nil {
			t.Fatal(err)
		}
		_, judged := Simulator{Open: f.open}.Check(s)
		_, ran := Simulator{Open: f.open}.Run(context.Background(), s, func(record.Event) {}, func(scenario.Progress) {})
		for _, err := range []error{judged, ran} {
			if bad := new(scenario.Invalid); !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v\nwant %s", err, want)
			}
		}
	}
}

// poolOf is a table of what every zone has of c6i.xlarge.
func poolOf(steps ...string) string {
	text := "time,type,zone,capacity\n"
	for _, step := range steps {
		at, n, _ := strings.Cut(step, " ")
		for _, z := range "abcdef" {
			text += fmt.Sprintf("%s,c6i.xlarge,us-east-1%c,%s\n", at, z, n)
		}
	}
	return text
}

func TestARecordedPoolIsThereWhenItWas(t *testing.T) {
	f := files{"config.yaml": spotAlone, "jobs.jsonl": jobLines(1, 8, 90*time.Minute),
		"pool.csv": poolOf("0 down", "7200 up", "10800 0", "14400 16", "864000 16")}
	o := changed(t, f, func(c *scenario.Cloud) {
		c.Spot = scenario.Scarce // is not asked
		c.Recorded = []scenario.Recorded{{Path: "pool.csv"}}
	})
	first, lost := time.Duration(0), time.Duration(0)
	for _, e := range o.events {
		at := e.At.Sub(record.Begin)
		if e.Kind == record.InstanceLaunched {
			if first == 0 {
				first = at
			}
			if at < 2*time.Hour || at >= 3*time.Hour && at < 4*time.Hour {
				t.Errorf("launched after %v, when there was nothing", at)
			}
		}
		if e.Kind == record.InstanceWarned && lost == 0 {
			lost = at
		}
	}
	if first == 0 || first > 3*time.Hour || lost != 3*time.Hour {
		t.Errorf("first launched after %v, first taken back after %v", first, lost)
	}
	if o.Jobs != 1 || o.Requeues == 0 || o.Cloud.Interruptions == 0 {
		t.Errorf("%d jobs, %d requeues, %d interruptions", o.Jobs, o.Requeues, o.Cloud.Interruptions)
	}
	for _, a := range o.Assumed {
		if strings.Contains(a, "supply") {
			t.Errorf("a recorded pool assumes %s", a)
		}
	}
}

func TestRecordedPricesAreBilled(t *testing.T) {
	const price = `{"AvailabilityZone": "us-east-1%c", "InstanceType": "c6i.xlarge", "ProductDescription": "Linux/UNIX", "SpotPrice": "%s", "Timestamp": "2026-01-0%dT00:00:00Z"}`
	var quotes []string
	for _, z := range "abcdef" {
		quotes = append(quotes, fmt.Sprintf(price, z, "9.000000", 9), fmt.Sprintf(price, z, "3.600000", 1))
	}
	f := files{"config.yaml": spotAlone, "jobs.jsonl": jobLines(1, 2, 90*time.Minute), "prices.json": `{"SpotPriceHistory": [` + strings.Join(quotes, ",") + `]}`}
	o := changed(t, f, func(c *scenario.Cloud) { c.Recorded = []scenario.Recorded{{Path: "prices.json"}} })
	want := 0.
	for _, e := range o.events {
		switch e.Kind {
		case record.InstanceRunning:
			want -= 3.6 * e.At.Sub(record.Begin).Hours()
		case record.InstanceEnding:
			want += 3.6 * e.At.Sub(record.Begin).Hours()
		}
	}
	if got := float64(o.Cloud.Cost) / 1e6; want < 5 || math.Abs(got-want) > 0.01 {
		t.Errorf("it cost %.4f USD, want %.4f", got, want)
	}
}

func TestSpotCostsWhatTheCatalogueSaysAboutIt(t *testing.T) {
	f := files{"config.yaml": spotAlone, "jobs.jsonl": jobLines(50, 2, 50*time.Minute)}
	spot, _ := catalog.Default().Spot("c6i.xlarge", "us-east-1")
	for word, most := range map[scenario.Capacity]float64{scenario.Always: 1e-6, scenario.Usual: 0.6 * spot.USD} {
		o := changed(t, f, func(c *scenario.Cloud) { c.Spot = word })
		for _, e := range o.events {
			if e.Kind == record.InstanceLaunched && math.Abs(e.USD-spot.USD) > most {
				t.Errorf("%s: %v USD an hour, the usual price is %v", word, e.USD, spot.USD)
			}
		}
	}
}

func TestTypesAreLaunchedWhereTheCatalogueSaysThatTheyAreSold(t *testing.T) {
	one := strings.Replace(spotAlone, "subnets: {default_for_az: true}", "subnets: {default_for_az: true, azs: [%s]}", 1)
	if one == spotAlone {
		t.Fatal("the configuration has another form")
	}
	// c6i is not sold in the first: it is tried there where nothing else is left, since
	// the catalogue may be old.
	for zones, want := range map[string]int{"us-east-1e": 0, "us-east-1e, us-east-1f": 4} {
		f := files{"config.yaml": fmt.Sprintf(one, zones), "jobs.jsonl": jobLines(1, 8, time.Hour)}
		s := clouded()
		s.Until = 3 * time.Hour
		o := carriedOut(t, s, f)
		if n := o.Cloud.Instances; n != want || (o.errors("RunInstances", "Unsupported") > 0) != (want == 0) {
			t.Errorf("%s: %d instances, want %d; %v", zones, n, want, o.Cloud.APIErrors)
		}
	}
	if o := carriedOut(t, clouded(), files{"config.yaml": strings.Replace(spotAlone, "us-east-1", "eu-west-1", 1), "jobs.jsonl": jobLines(1, 8, time.Hour)}); o.Jobs != 1 {
		t.Error("in eu-west-1, which has three zones, no job ran")
	}
}

func TestABrokenRecordingIsToldWithItsLine(t *testing.T) {
	f := files{"config.yaml": spotAlone, "jobs.jsonl": jobLines(1, 1, time.Minute), "pool.csv": poolOf("0 up", "60 some"),
		"other.csv": "time,type,zone,capacity\n0,c6i.xlarge,eu-west-1a,up\n0,p3.2xlarge,us-east-1a,up\n"}
	s := clouded()
	s.Cluster.Cloud.Recorded = []scenario.Recorded{{Path: "pool.csv"}}
	_, err := Simulator{Open: f.open}.Check(s)
	if bad := new(scenario.Invalid); !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), `pool.csv:8: error[SCN010]`) || !strings.Contains(err.Error(), `"some" is no capacity (write how many`) {
		t.Errorf("%v", err)
	}
	s.Cluster.Cloud.Recorded = []scenario.Recorded{{Path: "other.csv"}}
	if found, err := (Simulator{Open: f.open}).Check(s); err != nil || len(found) == 0 || !strings.Contains(fmt.Sprint(found), "other.csv has no pool of a type of the catalogue in us-east-1") {
		t.Errorf("%v, %v", found, err)
	}
}

func TestQuotasOfTheirFamilyAndMarketRefuse(t *testing.T) {
	f := files{"config.yaml": siteConfig, "jobs.jsonl": jobLines(5, 40, 10*time.Minute)}
	for name, c := range map[string]struct {
		quota scenario.Quota
		code  string
		peak  int
	}{
		"spot":           {scenario.Quota{Family: "standard", Market: "spot", VCPUs: 16}, "MaxSpotInstanceCountExceeded", 16},
		"another family": {scenario.Quota{Family: "g-vt", Market: "spot", VCPUs: 0}, "", 80},
	} {
		o := changed(t, f, func(cloud *scenario.Cloud) { cloud.Quotas = []scenario.Quota{c.quota} })
		if n := o.errors("RunInstances", c.code); c.code != "" && n == 0 {
			t.Errorf("%s: no %s: %v", name, c.code, o.Cloud.APIErrors)
		}
		if c.code == "" && len(o.Cloud.APIErrors) > 0 {
			t.Errorf("%s: %v", name, o.Cloud.APIErrors)
		}
		for _, q := range o.Cloud.Peaks.Quotas {
			if q.Market == "spot" && q.VCPUs > c.peak {
				t.Errorf("%s: %d vCPUs on spot", name, q.VCPUs)
			}
		}
		if o.Jobs != 5 {
			t.Errorf("%s: %d jobs ended", name, o.Jobs)
		}
	}
}

func TestBothBucketsThrottleLaunches(t *testing.T) {
	// Six jobs of ten nodes at once.
	at0 := strings.NewReplacer(`"submit": 3600`, `"submit": 0`, `"submit": 7200`, `"submit": 0`, `"submit": 10800`, `"submit": 0`)
	f := files{"config.yaml": siteConfig, "jobs.jsonl": at0.Replace(jobLines(4, 20, 10*time.Minute))}
	free := changed(t, f, func(*scenario.Cloud) {})
	if len(free.Cloud.APIErrors) > 0 {
		t.Fatalf("without limits: %v", free.Cloud.APIErrors)
	}
	for name, limit := range map[string]scenario.Limit{
		"calls":     {Action: "RunInstances", Of: scenario.Calls, Holds: 1, PerSecond: 0.01},
		"instances": {Action: "RunInstances", Of: scenario.Instances, Holds: 12, PerSecond: 0.1},
	} {
		o := changed(t, f, func(c *scenario.Cloud) { c.Throttle, c.Limits = true, []scenario.Limit{limit} })
		if o.errors("RunInstances", "RequestLimitExceeded") == 0 {
			t.Errorf("%s: nothing is throttled: %v", name, o.Cloud.APIErrors)
		}
		if o.Cloud.TimeToCapacity.Max <= free.Cloud.TimeToCapacity.Max+5 || o.Jobs != 4 {
			t.Errorf("%s: the last has its nodes after %.0f s, without limits %.0f s; %d jobs", name, o.Cloud.TimeToCapacity.Max, free.Cloud.TimeToCapacity.Max, o.Jobs)
		}
	}
}

func TestImagesBootInTheirOrderAndFailAsOftenAsSaid(t *testing.T) {
	f := files{"config.yaml": siteConfig, "jobs.jsonl": jobLines(40, 8, 10*time.Minute)}
	last := -1.
	for _, b := range []scenario.Boot{scenario.Instant, scenario.Minimal, scenario.HPC, scenario.ParallelCluster} {
		o := changed(t, f, func(c *scenario.Cloud) { c.Boot = b })
		if o.Cloud.TimeToCapacity.Median <= last {
			t.Errorf("%s: nodes are there after %.0f s, those that boot faster after %.0f s", b, o.Cloud.TimeToCapacity.Median, last)
		}
		last = o.Cloud.TimeToCapacity.Median
	}
	died := func(e record.Event) bool { return strings.HasSuffix(e.Cause, ".InternalError") }
	spent := func(o outcome, cause string) float64 {
		for _, s := range o.Cloud.Spent {
			if string(s.Cause) == cause {
				return s.NodeHours
			}
		}
		return 0
	}
	dies := changed(t, f, func(c *scenario.Cloud) { c.Dies = 0.3 })
	if n, of := dies.count(record.InstanceEnding, died), dies.Cloud.Instances; n < of/5 || n > of/2 || dies.Jobs != 40 {
		t.Errorf("%d of %d die, of whom three in ten should; %d jobs", n, of, dies.Jobs)
	}
	never := changed(t, f, func(c *scenario.Cloud) { c.Never = 0.2 })
	if n := never.count(record.InstanceEnding, died); n > 0 || spent(never, "never_booted") == 0 || never.Jobs != 40 {
		t.Errorf("%d die, %.2f node-hours never booted, %d jobs", n, spent(never, "never_booted"), never.Jobs)
	}
	if well := changed(t, f, func(*scenario.Cloud) {}); well.Requeues > 0 || never.Requeues == 0 {
		t.Errorf("%d requeues where all boot, %d where two in ten never do", well.Requeues, never.Requeues)
	}
}

func TestWhatShutsDownStillCounts(t *testing.T) {
	f := files{"config.yaml": siteConfig, "jobs.jsonl": jobLines(3, 8, 10*time.Minute)}
	for _, d := range []time.Duration{0, 3 * time.Minute} {
		o := changed(t, f, func(c *scenario.Cloud) { c.ShuttingDown = d })
		began := map[string]record.Event{}
		gone := 0
		for _, e := range o.events {
			switch e.Kind {
			case record.InstanceEnding:
				began[e.Instance] = e
			case record.InstanceGone:
				gone++
				if got := e.At.Sub(began[e.Instance].At); got != d {
					t.Errorf("gone %v after it began to shut down, want %v", got, d)
				}
			}
		}
		if said := strings.Contains(strings.Join(o.Assumed, "\n"), "terminated 3m0s after"); gone == 0 || said != (d > 0) {
			t.Errorf("%v: %d are gone; it is said to be assumed: %v", d, gone, said)
		}
	}
}

func TestTheExecutorStandsWhatEC2DoesNotShowYet(t *testing.T) {
	s := drawn(120)
	s.Cluster.Plans.Advise = true                    // placement groups
	s.Cluster.Cloud.VisibilityLag = 20 * time.Second // much more than EC2 has
	late := carriedOut(t, s, files{"config.yaml": siteConfig})
	s.Cluster.Cloud.VisibilityLag = 0
	prompt := carriedOut(t, s, files{"config.yaml": siteConfig})
	unseen := func(o outcome) (n int) {
		for _, codes := range o.Cloud.APIErrors {
			n += codes["InvalidPlacementGroup.Unknown"] + codes["InvalidInstanceID.NotFound"]
		}
		return n
	}
	if unseen(prompt) > 0 || unseen(late) == 0 {
		t.Errorf("without a lag %v, with one %v", prompt.Cloud.APIErrors, late.Cloud.APIErrors)
	}
	if late.Jobs != prompt.Jobs || late.Unfinished > 0 {
		t.Errorf("%d jobs ended, %d where all is seen at once", late.Jobs, prompt.Jobs)
	}
	if live := late.count(record.InstanceLaunched, nil) - late.count(record.InstanceEnding, nil); live != 0 {
		t.Errorf("%d instances are left", live)
	}
}
