package advise

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
)

func options(region string) Options { return Options{Market: markets[region], Now: today} }

func TestMPIOverSeveralNodesGetsEFAOneZoneAndACluster(t *testing.T) {
	job := Job{MinNodes: 8, TasksPerNode: 36, Coupling: Tight, TimeLimit: 4 * time.Hour}
	a := Advise(job, options("us-east-1"))
	p := a.Plan
	if c := best(t, a); c.Type.EFA == 0 || c.Type.Cores < 36 || a.Nodes != 8 {
		t.Error(c.Reason())
	}
	if !p.RequiresEFA.Value || !p.SingleAZ.Value || !p.Gang.Value || p.Placement.Value != plan.Cluster || p.ProcessCount.Value != 288 || p.ProcessesPerNode.Value != 36 {
		t.Errorf("%s", plan.Write(p))
	}
	job.Coupling = Loose
	a = Advise(job, options("us-east-1"))
	if p := a.Plan; p.RequiresEFA.Value || p.Placement.Value != plan.None || p.SingleAZ.Value || !p.Gang.Value || p.IsMPI.Value {
		t.Errorf("%s", plan.Write(p))
	}
	job.Coupling, job.MinNodes = Tight, 1
	a = Advise(job, options("us-east-1"))
	if p := a.Plan; p.RequiresEFA.Value || p.Gang.Value || p.Placement.Value != plan.None || !p.IsMPI.Value || best(t, a).Nodes != 1 {
		t.Errorf("%s", plan.Write(p))
	}
}

func TestMPIWithoutATypeThatHasEFAIsStillNear(t *testing.T) {
	o := options("us-east-1")
	o.Allow = []string{"c6i.4xlarge", "t3.2xlarge"}
	job := Job{MinNodes: 2, TasksPerNode: 4, Coupling: Tight}
	a := Advise(job, o)
	if p := a.Plan; best(t, a).Type.Name != "c6i.4xlarge" || p.RequiresEFA.Value || p.Placement.Value != plan.Cluster || !p.SingleAZ.Value {
		t.Errorf("%s", plan.Write(p))
	}
	if why := excluded(a, "t3.2xlarge"); why != "t3.2xlarge cannot join a cluster placement group" {
		t.Error(why)
	}
	o.EFARequired = true
	if a := Advise(job, o); a.Plan.Bursts() || a.Plan.Reasons.Value[0] != "no instance type in us-east-1 will do; the nearest: c6i.4xlarge has no EFA" {
		t.Errorf("%s", plan.Write(a.Plan))
	}
}

func TestACPUIsACoreUnlessThreadsWillDo(t *testing.T) {
	o := options("us-east-1")
	o.Allow = []string{"c6i.*"}
	job := Job{MinNodes: 1, Tasks: 16, TimeLimit: time.Hour}
	if c := best(t, Advise(job, o)); c.Type.Cores != 16 || !strings.Contains(c.Reason(), "16 cores for 16 tasks") {
		t.Error(c.Reason())
	}
	job.Threads = true
	if c := best(t, Advise(job, o)); c.Type.VCPUs != 16 || !strings.Contains(c.Reason(), "16 threads for 16 tasks") {
		t.Error(c.Reason())
	}
	job.OneThread = true // says the opposite, and it is the job's own word
	if c := best(t, Advise(job, o)); c.Type.Cores != 16 {
		t.Error(c.Reason())
	}
	// Slurm counts by its own line.
	job.OneThread, job.Threads = false, false
	o.Line = &lint.NodeLine{Name: "node group hpc", CPUs: 16, MemoryMiB: 30_000}
	a := Advise(job, o)
	if c := best(t, a); c.Type.VCPUs != 16 || !strings.Contains(c.Reason(), "16 threads") {
		t.Error(c.Reason())
	}
	if why := excluded(a, "c6i.2xlarge"); why != "c6i.2xlarge has 8 CPUs, nodes of node group hpc are declared with 16" {
		t.Error(why)
	}
}

func TestTheSystemsMemoryIsNotTheJobs(t *testing.T) {
	o := options("us-east-1")
	o.Allow = []string{"m6a.*"}
	job := Job{MinNodes: 1, MemoryPerNodeMiB: 15564} // 95 % of 16 GiB
	if c := best(t, Advise(job, o)); c.Type.Name != "m6a.xlarge" {
		t.Error(c.Reason())
	}
	job.MemoryPerNodeMiB++
	a := Advise(job, o)
	if c := best(t, a); c.Type.Name != "m6a.2xlarge" {
		t.Error(c.Reason())
	}
	if why := excluded(a, "m6a.xlarge"); why != "m6a.xlarge leaves jobs 15.2 GiB of memory, the job needs 15.2 GiB" {
		t.Error(why)
	}
	// 10 tasks of 2 CPUs of 4 GiB: 80 GiB, on one node or over several.
	job = Job{Tasks: 10, CPUsPerTask: 2, MemoryPerCPUMiB: 4096}
	for _, c := range Advise(job, o).Choices() {
		if need := c.TasksPerNode * 2 * 4096; need > usable(&c.Type) || c.TasksPerNode*2 > c.Type.Cores || c.Nodes*c.TasksPerNode < 10 || (c.Nodes-1)*c.TasksPerNode >= 10 {
			t.Error(c.Reason())
		}
	}
}

func TestTheWholeMachineForTheSameMoney(t *testing.T) {
	job := Job{MinNodes: 4, TasksPerNode: 20, Coupling: Tight, TimeLimit: time.Hour}
	o := options("us-east-2")
	o.Allow = []string{"hpc7a.*"}
	a := Advise(job, o)
	if got := a.Plan.InstanceTypes.Value; !slices.Equal(got, []string{"hpc7a.96xlarge"}) || a.Plan.Purchasing.Value != plan.OnDemand {
		t.Errorf("%v %s", got, a.Plan.Purchasing.Value)
	}
	if why := excluded(a, "hpc7a.24xlarge"); why != "hpc7a.24xlarge costs what hpc7a.96xlarge does, which has more cores" {
		t.Error(why)
	}
	if c := best(t, a); !slices.ContainsFunc(c.Zones, func(z catalog.Zone) bool { return z.ID == "use2-az2" }) {
		t.Errorf("%+v", c.Zones)
	}
	if a := Advise(job, Options{Market: markets["us-east-1"], Allow: o.Allow}); a.Plan.Bursts() || !strings.Contains(a.Plan.Reasons.Value[0], "is not offered in us-east-1") {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
}

func TestGPUsAreOfTheModelThatWasAskedFor(t *testing.T) {
	o := options("us-east-1")
	for model, want := range map[string]string{
		"h100": "p5.", "nvidia_a100-sxm4-40gb": "p4d", "tesla_t4": "g4dn.", "A10G": "g5.", "l40s": "g6e.", "": "g",
	} {
		a := Advise(Job{MinNodes: 1, GPUs: []GPU{{model, 1, PerNode}}, TimeLimit: time.Hour}, o)
		if c := best(t, a); !strings.HasPrefix(c.Type.Name, want) || c.Type.GPUs < 1 {
			t.Errorf("%s: %s", model, c.Reason())
		}
	}
	a := Advise(Job{MinNodes: 1, GPUs: []GPU{{"l4", 1, PerNode}}}, o)
	if why := excluded(a, "g6f.large"); why != "g6f.large has a part of a GPU" {
		t.Error(why)
	}
	if why := excluded(a, "g6e.xlarge"); why != "g6e.xlarge has L40S GPUs, the job asks for l4" {
		t.Error(why)
	}
	if a := Advise(Job{MinNodes: 1, GPUs: []GPU{{"h900", 1, PerNode}}}, o); a.Plan.Bursts() || !strings.Contains(a.Plan.Reasons.Value[0], "the job asks for h900") {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
	if why := excluded(Advise(Job{MinNodes: 1}, o), "g6.xlarge"); why != "g6.xlarge has GPUs that the job does not ask for" {
		t.Error(why)
	}
	// 16 GPUs in all, on machines of 8.
	a = Advise(Job{GPUs: []GPU{{"h200", 16, PerJob}}, Tasks: 16}, options("us-east-2"))
	if c := best(t, a); c.Nodes != 2 || c.Type.GPUs != 8 {
		t.Error(c.Reason())
	}
}

func TestKindsOfTypesThatHaveToBeAskedFor(t *testing.T) {
	job := Job{MinNodes: 1, Tasks: 1}
	for name, ask := range map[string]func(*Options){
		"m5.large":    func(o *Options) { o.Previous = true },
		"t3.large":    func(o *Options) { o.Burstable = true },
		"c6i.metal":   func(o *Options) { o.BareMetal = true },
		"inf2.xlarge": func(o *Options) { o.Allow = []string{"inf2.*", "c6i.*"} },
		"g6.xlarge":   func(o *Options) { o.Bounds.GPUs = Range{Least: 1} },
	} {
		o := options("us-east-1")
		if excluded(Advise(job, o), name) == "" {
			t.Errorf("%s is there unasked", name)
		}
		ask(&o)
		if a := Advise(job, o); !slices.Contains(names(a.Choices()), name) {
			t.Errorf("%s: %s", name, excluded(a, name))
		}
	}
}

func TestSpotOnlyWhereLosingANodeIsBearable(t *testing.T) {
	day := Job{MinNodes: 1, Tasks: 8, TimeLimit: 24 * time.Hour, Requeue: true}
	with := func(f func(*Job)) Job { j := day; f(&j); return j }
	for name, c := range map[string]struct {
		job  Job
		set  func(*Options)
		want string // of the reason against spot; "" is on spot
	}{
		"requeued":                 {day, nil, ""},
		"short, not requeued":      {with(func(j *Job) { j.Requeue, j.TimeLimit = false, time.Hour }), nil, ""},
		"long, not requeued":       {with(func(j *Job) { j.Requeue = false }), nil, "may not be started again, and runs longer than 1h"},
		"of unknown length":        {with(func(j *Job) { j.Requeue, j.TimeLimit = false, 0 }), nil, "does not say how long it runs"},
		"a small gang":             {with(func(j *Job) { j.MinNodes, j.Tasks, j.TimeLimit = 4, 32, 2*time.Hour }), nil, ""},
		"a large gang":             {with(func(j *Job) { j.MinNodes, j.Tasks = 9, 72 }), nil, "a gang of 9 nodes is too large for spot (at most 8)"},
		"a gang for a month":       {with(func(j *Job) { j.MinNodes, j.Tasks, j.TimeLimit = 8, 64, 30*24*time.Hour }), nil, "would be taken back with a chance of"},
		"the policy":               {day, func(o *Options) { o.Policy.NoSpot = true }, "the policy keeps jobs off spot"},
		"no time to start again":   {day, func(o *Options) { o.Deadline = today.Add(30 * time.Hour) }, "no time to start again before the deadline"},
		"time to start again":      {day, func(o *Options) { o.Deadline = today.Add(49 * time.Hour) }, ""},
		"asked for, whatever else": {with(func(j *Job) { j.Requeue = false }), func(o *Options) { o.Usage = UsageSpot }, ""},
	} {
		o := options("us-east-1")
		if c.set != nil {
			c.set(&o)
		}
		a := Advise(c.job, o)
		got := best(t, a)
		if (got.Usage == UsageSpot) != (c.want == "") || !strings.Contains(got.Reason(), c.want) {
			t.Errorf("%s: %s", name, got.Reason())
		}
		if spot := a.Plan.Purchasing.Value != plan.OnDemand; spot != (c.want == "") || a.Plan.PreferSpot.Value != spot {
			t.Errorf("%s: %s", name, a.Plan.Purchasing.Value)
		}
		if c.want == "" && (len(a.Plan.InstanceTypes.Value) < 5 || a.Plan.Purchasing.Value != plan.Mixed && o.Usage == UsageAny) {
			t.Errorf("%s: %v, %s", name, a.Plan.InstanceTypes.Value, a.Plan.Purchasing.Value)
		}
	}
}

func TestAPlanIsForOneMarket(t *testing.T) {
	// As a gang m6a.48xlarge is not on spot, since more than 20 % of it is taken
	// back; its price on demand is made to be near the other's on spot.
	cheap := changed{Catalog: catalog.Default(), price: map[string]float64{"m6a.48xlarge": 0.3}}
	o := Options{Market: NewMarket(cheap, "us-east-1"), Now: today, Allow: []string{"c6a.48xlarge", "m6a.48xlarge"}}
	a := Advise(Job{MinNodes: 2, Tasks: 192, TimeLimit: time.Hour, Requeue: true}, o)
	if got := a.Plan.InstanceTypes.Value; len(a.Choices()) != 2 || !slices.Equal(got, []string{"c6a.48xlarge"}) || a.Choices()[1].Usage != UsageOnDemand ||
		!strings.HasSuffix(a.Choices()[1].Reason(), "not in the plan, which buys on spot") {
		t.Errorf("%v: %s", got, a.Choices()[len(a.Choices())-1].Reason())
	}
}

func TestInterruptionsAreWeighedIntoTheCost(t *testing.T) {
	// Of the time without a loss: with none it is the job's own, and it grows
	// with nodes, hours and the band.
	if s := onSpot(catalog.BandUnder5, 1, 1, DefaultBoot); math.Abs(s.hours-1) > 0.001 || s.loss > 0.0001 {
		t.Errorf("%+v", s)
	}
	last := spotTerms{}
	for _, s := range []spotTerms{
		onSpot(catalog.BandUnder5, 1, 100, DefaultBoot), onSpot(catalog.Band15To20, 1, 100, DefaultBoot),
		onSpot(catalog.BandOver20, 1, 100, DefaultBoot), onSpot(catalog.BandUnknown, 8, 100, DefaultBoot),
	} {
		if s.hours <= last.hours || s.loss <= last.loss {
			t.Errorf("%+v after %+v", s, last)
		}
		last = s
	}
	// By hand: 20 % a month of 730 h is 0.000306 an hour; of 4 nodes 0.00122. A
	// run of 100 h is lost with 1 - exp(-0.122) = 11.5 %, and is through after
	// (1/0.00122 + 7/60) (exp(0.122) - 1) = 106.4 h.
	s := onSpot(catalog.Band15To20, 4, 100, 5*time.Minute)
	if math.Abs(s.loss-0.115) > 0.001 || math.Abs(s.hours-106.4) > 0.1 {
		t.Errorf("%+v", s)
	}
	// Of two types at one spot price the one that is taken back less comes first.
	c := catalog.Default()
	for _, x := range Advise(Job{MinNodes: 4, Tasks: 64, TimeLimit: 40 * time.Hour, Requeue: true}, options("us-east-1")).Choices() {
		if x.Usage != UsageSpot {
			continue
		}
		spot, _ := c.Spot(x.Type.Name, "us-east-1")
		if plainly := 4 * spot.USD * 40; x.Cost <= plainly {
			t.Errorf("%s: %v USD, without a restart it is %v", x.Type.Name, x.Cost, plainly)
		}
	}
}

func TestLimitsOfMoney(t *testing.T) {
	o := options("us-east-1")
	job := Job{MinNodes: 2, Tasks: 32, TimeLimit: 10 * time.Hour}
	free := Advise(job, o)
	cost := best(t, free).Cost
	if p := free.Plan; !p.MaxCostPerHour.Given || p.MaxTotalCost.Value < cost || p.MaxTotalCost.Value > 2*cost || p.MaxDuration.Value != 10*time.Hour {
		t.Errorf("cost %v: %s", cost, plan.Write(p))
	}
	o.Budget = cost
	if a := Advise(job, o); best(t, a).Type.Name != free.Choices()[0].Type.Name || len(a.Choices()) > 2 || a.Plan.MaxTotalCost.Value != cost {
		t.Errorf("of just enough: %s", plan.Write(a.Plan))
	}
	o.Budget = cost * 0.99
	a := Advise(job, o)
	if a.Plan.Bursts() || !strings.Contains(a.Plan.Reasons.Value[0], "over the budget of "+usd(o.Budget)) || !strings.Contains(a.Plan.Reasons.Value[0], free.Choices()[0].Type.Name) {
		t.Errorf("of too little: %v", a.Plan.Reasons.Value)
	}
	// What cannot be had on demand may be had on spot, and then on spot alone.
	job.Requeue = true
	a = Advise(job, o)
	if p := a.Plan; p.Purchasing.Value != plan.Spot && p.Purchasing.Value != plan.Mixed || p.MaxSpotPrice.Value*2 > p.MaxCostPerHour.Value+1e-9 || p.MaxCostPerHour.Value > o.Budget/10 {
		t.Errorf("on spot: %s", plan.Write(p))
	}
	o = options("us-east-1")
	o.Policy.MaxCostPerHour = 0.01
	if a := Advise(job, o); a.Plan.Bursts() || !strings.Contains(a.Plan.Reasons.Value[0], "over the limit of 0.0100") {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
	o.Policy = Policy{MaxNodes: 1}
	if a := Advise(job, o); a.Plan.Bursts() || a.Plan.Reasons.Value[0] != "the job takes 2 nodes, the policy allows 1" {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
}

// sbatch takes jobs of a thousand million nodes. What no cluster has and no plan
// can say is advised against.
func TestAJobOfMoreThanThereIsForbids(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, c := range []struct {
		job Job
		why string // "" where it bursts
	}{
		{Job{MinNodes: 65536}, ""},
		{Job{MinNodes: 65537}, "the job takes 65537 nodes, a cluster of Slurm's has at most 65536"},
		{Job{MinNodes: 999_999_999, MaxNodes: 1 << 30}, "the job takes 999999999 nodes, a cluster of Slurm's has at most 65536"},
		{Job{Tasks: 1_000_000}, ""},
		{Job{Tasks: 1_000_001}, "the job starts 1000001 processes, a plan is for at most 1000000"},
		{Job{Tasks: 1_000_000, CPUsPerTask: 65533}, "cores, the job needs 65533 on a node"},
		{Job{Tasks: 900_000, TasksPerNode: 2}, "the job needs more of them than the 65536 nodes that are allowed"},
		{Job{MinNodes: 200, GPUs: []GPU{{Model: "h100", Count: 8}}, TimeLimit: 10 * year}, ""},
		{Job{MinNodes: 300, GPUs: []GPU{{Model: "h100", Count: 8}}, TimeLimit: 10 * year}, " USD, and a plan is for at most 1000000000"},
	} {
		o := options("us-east-1")
		a := Advise(c.job, o)
		if fs := findings(a, o); len(fs) > 0 {
			t.Errorf("%+v: %v", c.job, fs)
		}
		if why := a.Plan.Reasons.Value[0]; a.Plan.Bursts() != (c.why == "") || !a.Plan.Bursts() && !strings.HasSuffix(why, c.why) {
			t.Errorf("%+v: %s", c.job, why)
		}
	}
}

// A limit that the policy lets types of unknown price pass is still the plan's.
func TestTypesOfUnknownPriceComeLastAndKeepTheLimits(t *testing.T) {
	o := options("us-east-2")
	job := Job{MinNodes: 1, TimeLimit: 2 * time.Hour}
	all := Advise(job, o)
	i := slices.IndexFunc(all.Choices(), func(c Choice) bool { return !c.known() })
	if i < 1 || slices.ContainsFunc(all.Choices()[i:], Choice.known) {
		t.Fatalf("the first of unknown price is %d. of %d", i, len(all.Choices()))
	}
	name := all.Choices()[i].Type.Name
	o.Allow = []string{name}
	if p := Advise(job, o).Plan; p.MaxCostPerHour.Given || p.MaxTotalCost.Given || p.InstanceTypes.Value[0] != name {
		t.Errorf("%s", plan.Write(p))
	}
	o.Budget = 10
	if p := Advise(job, o).Plan; p.Bursts() || p.Reasons.Value[0] != "no instance type in us-east-2 will do; the nearest: "+name+" has no known price, and there is a limit to keep" {
		t.Errorf("%s", plan.Write(p))
	}
	o.Policy.UnknownPrice = true
	if p := Advise(job, o).Plan; p.MaxCostPerHour.Value != 5 || p.MaxTotalCost.Value != 10 {
		t.Errorf("%s", plan.Write(p))
	}
}

func TestADeadlineThatCannotBeMetForbids(t *testing.T) {
	o := options("us-east-1")
	job := Job{MinNodes: 1, TimeLimit: time.Hour}
	o.Deadline = today.Add(time.Hour + DefaultBoot)
	if a := Advise(job, o); !a.Plan.Bursts() {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
	o.Deadline = o.Deadline.Add(-time.Second)
	if a := Advise(job, o); a.Plan.Bursts() || !strings.HasPrefix(a.Plan.Reasons.Value[0], "the job cannot be done by 2026-11-25T15:04:59Z: it runs for 1h, and nodes take 5m to boot") {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
}

func TestADeadlineBeforeNodesAreUpForbidsAnyJob(t *testing.T) {
	o := options("us-east-1")
	o.Deadline = today.Add(time.Minute)
	want := "no job can be done by " + o.Deadline.Format(time.RFC3339) + ": nodes take 5m to boot"
	if a := Advise(Job{MinNodes: 1}, o); a.Plan.Bursts() || a.Plan.Reasons.Value[0] != want {
		t.Errorf("%v, want %s", a.Plan.Reasons.Value, want)
	}
}

func TestADeadlineOfAJobOfUnknownLengthIsTold(t *testing.T) {
	o := options("us-east-1")
	o.Deadline = today.Add(time.Hour)
	if a := Advise(Job{MinNodes: 1}, o); !slices.Contains(a.Plan.Reasons.Value, "without a time limit nobody knows whether the job is done by its deadline") {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
}

func TestAnUnknownRegionForbids(t *testing.T) {
	if a := Advise(Job{}, Options{Market: in("moon-base-1")}); a.Plan.Bursts() || a.Plan.Reasons.Value[0] != "nothing is known of what EC2 sells in moon-base-1" {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
}

func TestWhatTheSiteHasItselfIsToldAndDecidesNothing(t *testing.T) {
	o := options("us-east-1")
	job := Job{MinNodes: 1, TimeLimit: time.Hour}
	before := Advise(job, o)
	o.Local = Local{Nodes: 4, Wait: 2 * time.Hour}
	a := Advise(job, o)
	if !slices.Equal(a.Plan.InstanceTypes.Value, before.Plan.InstanceTypes.Value) ||
		!slices.Contains(a.Plan.Reasons.Value, "on the site's own nodes the job would wait 2h, instances take 5m to boot") {
		t.Errorf("%v", a.Plan.Reasons.Value)
	}
}

func TestConfidenceFollowsWhatItRestsOn(t *testing.T) {
	o := options("us-east-1")
	whole := Job{MinNodes: 2, Tasks: 72, MemoryPerNodeMiB: 100 << 10, TimeLimit: 2 * time.Hour, Coupling: Tight}
	a := Advise(whole, o)
	if c := a.Confidence; c.Told != 1 || c.Fresh != 0.99 || c.Priced <= 0.5 || c.Value != cents(c.Told*c.Fresh*c.Priced*c.Margin) {
		t.Errorf("%+v", c)
	}
	for name, less := range map[string]func(*Job, *Options){
		"no memory":   func(j *Job, _ *Options) { j.MemoryPerNodeMiB = 0 },
		"no time":     func(j *Job, _ *Options) { j.TimeLimit = 0 },
		"no coupling": func(j *Job, _ *Options) { j.Coupling = CouplingUnknown },
	} {
		j, o := whole, o
		less(&j, &o)
		if c := Advise(j, o).Confidence; c.Told != 0.8 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	o.Now = today.AddDate(3, 0, 0)
	if c := Advise(whole, o).Confidence; c.Fresh > 0.92 || c.Fresh < 0.85 || c.Value >= a.Confidence.Value {
		t.Errorf("three years later: %+v", c)
	}
	// On one node coupling does not matter; all else is a guess.
	if c := Advise(Job{}, options("us-east-2")).Confidence; c.Told != 0.2 || c.Priced == 1 || c.Fresh > 0.96 {
		t.Errorf("of nothing: %+v", c)
	}
}

func TestModelsOfGPUs(t *testing.T) {
	for _, c := range []struct {
		name, model string
		want        bool
	}{
		{"h100", "H100", true}, {"nvidia_a100-sxm4-80gb", "A100", true}, {"tesla_v100", "V100", true}, {"l40s", "L4", false}, {"l4", "L40S", false},
		{"a10", "A10G", false}, {"t4g", "T4", false}, {"rtx_pro_server_6000", "RTX PRO Server 6000", true}, {"rtxpro4500", "RTX PRO 4500", true}, {"h100", "", false}, {"", "H100", false},
	} {
		if got := isModel(c.name, c.model); got != c.want {
			t.Errorf("%q is %q: %v", c.name, c.model, got)
		}
	}
}

func TestGlobsAreChecked(t *testing.T) {
	if err := CheckGlobs([]string{"c6i.*", "[a-c]*.metal"}); err != nil {
		t.Error(err)
	}
	if err := CheckGlobs([]string{"c6i.*", "[a"}); err == nil || err.Error() != `"[a" is no pattern for types (write c6i.*, or *.metal)` {
		t.Error(err)
	}
}

// The lists of families are about types that there are: a family that is
// misspelt would let through what it is to keep out.
func TestKindsNameFamiliesOfTheCatalogue(t *testing.T) {
	gone := []string{"dl1", "f1"} // of other regions, or no longer sold
	for _, f := range slices.Concat(previousFamilies, burstableFamilies, acceleratedFamilies, fractionFamilies) {
		if !catalog.Default().HasFamily(f) && !slices.Contains(gone, f) {
			t.Errorf("no family %s", f)
		}
	}
}

func BenchmarkAdvise(b *testing.B) {
	for name, j := range map[string]Job{
		"mpi":   {Tasks: 288, Coupling: Tight, TimeLimit: 4 * time.Hour, Requeue: true},
		"loose": {MinNodes: 4, Tasks: 64, TimeLimit: 2 * time.Hour, Requeue: true},
		"gpu":   {MinNodes: 2, GPUs: []GPU{{"nvidia_a100-sxm4-80gb", 4, PerNode}}, TimeLimit: 4 * time.Hour},
	} {
		o := options("us-east-1")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Advise(j, o)
			}
		})
	}
}

func BenchmarkNewMarket(b *testing.B) {
	for b.Loop() {
		in("us-east-1")
	}
}
