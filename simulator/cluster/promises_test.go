package cluster

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/billing"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/ec2/lag"
	"aws-slurm-burst/simulator/ec2/market"
	"aws-slurm-burst/simulator/ec2/quota"
	"aws-slurm-burst/simulator/ec2/throttle"
	"aws-slurm-burst/simulator/faults"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
	"aws-slurm-burst/simulator/slurm"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

var (
	seeds = flag.Int("seeds", 60, "how many random sites TestAHostileCloudBreaksNoPromise tries")
	only  = flag.Uint64("seed", 0, "the one site that it tries")
)

// groups are two node groups: the second has what spot takes away.
const groups = `
cluster: site
aws: {region: us-east-1}
slurm:
  resume_timeout: 600
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: od, nodes: "od-[1-8]", purchasing_option: on-demand, instance_types: [c6i.xlarge, c5.xlarge], subnets: {default_for_az: true}, image: {owner: amazon, name: "al2023-ami-2023*"}}
        - {node_group_name: spot, nodes: "spot-[1-8]", purchasing_option: spot, allow_mixed: true, instance_types: [c6i.xlarge, c5.xlarge, m6i.xlarge], subnets: {default_for_az: true}, image: {owner: amazon, name: "al2023-ami-2023*"}}
`

// hostile are rules of faults, of which a site meets some. None refuses launches
// for want of capacity: EC2 answers a token that it has served, and a rule that
// came before would have the executor believe that the launch was never made. The
// pools run dry by themselves.
var hostile = []string{
	`{action: RunInstances, probability: 0.2, lost-answer: true}`,
	`{action: TerminateInstances, probability: 0.3, lost-answer: true}`,
	`{action: TerminateInstances, probability: 0.2, error: InternalError}`,
	`{action: RunInstances, probability: 0.1, error: InternalError}`,
	`{action: "*", probability: 0.1, throttle: true}`,
	`{action: "*", probability: 0.05, status: 500}`,
	`{action: "Describe*", probability: 0.2, error: RequestLimitExceeded}`,
	`{action: "*PlacementGroup", probability: 0.3, lost-answer: true}`,
	`{action: CreateTags, probability: 0.3, error: InternalError}`,
	`{stale: 5s}`,
	`{action: RunInstances, probability: 0.2, delay: 40s}`,
	`{action: "*", from: 2h, until: 3h, status: 503}`,
}

// strange is the type of instances that are not the site's.
const strange = "t3.micro"

// someGang is the plan of every third job: together, or not at all.
const someGang = `{"should_burst": true,
 "instance_specification": {"instance_types": ["c6i.xlarge", "c5.xlarge"], "purchasing_option": "on-demand"},
 "mpi_configuration": {"is_mpi_job": true, "process_count": 4, "requires_gang_scheduling": true, "mpi_implementation": "openmpi"},
 "cost_constraints": {"max_duration_hours": 12.0},
 "network_configuration": {"placement_group_type": "cluster", "availability_zones": ["us-east-1a", "us-east-1b"], "single_az_required": true}}`

type planned struct{}

func (planned) Plan(j *workload.Job) ([]byte, bool) { return []byte(someGang), j.ID%3 == 0 }

// pick is one of a few values.
func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomSite draws a site, its faults and its jobs.
func randomSite(t *testing.T, seed uint64) (Options, []workload.Job) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	cfg, err := config.Parse([]byte(groups), "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := SlurmConf(Premises{Nodes: r.IntN(3), Cores: 4}, cfg, catalog.Default(), 4)
	if err != nil {
		t.Fatal(err)
	}
	settings := conf.Read([]byte(text), "slurm.conf", nil).Settings
	settings.Scheduler.WaitAllNodes = r.IntN(2) == 0
	profile, err := boot.Named("hpc")
	if err != nil {
		t.Fatal(err)
	}
	profile.Dies, profile.Never = pick(r, 0, 0.05), pick(r, 0, 0.01, 0.1)
	od, err := market.Named(pick(r, "common-on-demand", "scarce-on-demand"))
	if err != nil {
		t.Fatal(err)
	}
	spot, err := market.Named(pick(r, "common", "scarce"))
	if err != nil {
		t.Fatal(err)
	}
	c := &Cloud{
		Config: cfg, Types: catalog.Default(), Plans: planned{}, Reconcile: time.Hour,
		EC2: ec2.Options{
			Seed: seed, Zones: 2, Ledger: &billing.Ledger{}, Boot: &profile,
			ShuttingDownFor: pick(r, 0, 40*time.Second), VisibilityLag: pick(r, 0, 3*time.Second),
			Sight: pick(r, lag.Sight{}, lag.Usual(), lag.Around(time.Second), lag.Around(5*time.Second)),
			Supplies: func(p market.Pool) (market.Supply, bool) {
				if p.Market == cloud.Spot {
					return spot, true
				}
				return od, p.Type != strange
			},
		},
	}
	if r.IntN(2) == 0 {
		c.EC2.Throttle = throttle.Published()
	}
	if r.IntN(3) == 0 {
		c.EC2.Quotas = map[quota.Quota]int{{Family: quota.Standard, Market: cloud.OnDemand}: 4 * (2 + r.IntN(8))}
	}
	var rules []string
	for _, i := range r.Perm(len(hostile))[:r.IntN(5)] {
		rules = append(rules, "  - "+hostile[i])
	}
	if len(rules) > 0 {
		c.Faults, err = faults.Parse([]byte(fmt.Sprintf("seed: %d\nfaults:\n%s\n", seed, strings.Join(rules, "\n"))), "faults.yaml")
		if err != nil {
			t.Fatal(err)
		}
	}
	partitions := []string{}
	for _, p := range settings.Partitions {
		partitions = append(partitions, p.Name)
	}
	var jobs []workload.Job
	at := time.Duration(0)
	for id := int64(1); id <= 25; id++ {
		at += time.Duration(r.ExpFloat64() * float64(20*time.Minute))
		run := time.Duration(1+r.IntN(7200)) * time.Second
		jobs = append(jobs, workload.Job{
			ID: id, Submit: at, Run: run, Limit: 2 * run, Procs: int32(1 + r.IntN(24)),
			Partition: strings.Join(partitions, ","),
		})
	}
	return Options{Slurm: settings, Policy: pick(r, sched.Slurm, sched.EASY, sched.FIFO), Cloud: c}, jobs
}

// worse makes a site one whose people and machines get in each other's way: settings
// as sites have them, jobs that are cancelled, requeued and must not be, operators who
// power nodes down, a slurmctld that does not answer for a while, a disk that is full.
// What happens by the clock is told to the site before it runs.
func worse(seed uint64, opt *Options, jobs []workload.Job) (happens func(s *site)) {
	r := rand.New(rand.NewPCG(seed, 11))
	c := &opt.Slurm
	c.IdleOnNodeSuspend, c.ReturnToService = r.IntN(2) == 0, r.IntN(3)
	c.ResumeRate, c.SuspendRate = pick(r, 0, 0, 3), pick(r, 0, 0, 3)
	c.SuspendTime, c.SuspendTimeout = pick(r, time.Minute, 10*time.Minute, 3*time.Hour), pick(r, 10*time.Second, 30*time.Second)
	c.ResumeTimeout = pick(r, 2*time.Minute, 5*time.Minute, 10*time.Minute)
	cfg := *opt.Cloud.Config
	cfg.Slurm.ResumeTimeout = c.ResumeTimeout
	cfg.ReuseNodes = r.IntN(2) == 0
	opt.Cloud.Config = &cfg
	opt.Cloud.Reconcile = pick(r, 10*time.Minute, time.Hour)
	end := jobs[len(jobs)-1].Submit
	for i := range jobs {
		jobs[i].NoRequeue, jobs[i].Exclusive = r.IntN(6) == 0, r.IntN(3) == 0
		if r.IntN(4) == 0 && i > 0 {
			jobs[i].Submit = jobs[i-1].Submit // a burst
		}
	}
	slices.SortStableFunc(jobs, func(a, b workload.Job) int { return int(a.Submit - b.Submit) })
	nodes := []string{"od", "spot"}
	return func(s *site) {
		at := func(fn func()) { s.engine.After(time.Duration(r.Float64()*float64(end+time.Hour)), fn) }
		say := func(words ...string) func() {
			return func() {
				s.engine.Spawn("operator", func(ctx context.Context, _ env.Env) { _, _ = s.slurm.Scontrol(ctx, words...) })
			}
		}
		for range r.IntN(8) {
			id := int64(1 + r.IntN(len(jobs)))
			switch job := fmt.Sprint(id); r.IntN(4) {
			case 0:
				at(say("requeue", job))
			case 1:
				at(func() {
					say("requeuehold", job)()
					s.engine.After(time.Hour, say("release", job))
				})
			default:
				at(func() { s.slurm.Cancel(id) })
			}
		}
		for range r.IntN(5) {
			n := fmt.Sprintf("NodeName=%s-%d", pick(r, nodes...), 1+r.IntN(8))
			at(say("update", n, "State="+pick(r, "POWER_DOWN", "POWER_DOWN_ASAP", "POWER_DOWN_FORCE"), "Reason=operator"))
		}
		for range r.IntN(3) {
			out, long := pick(r, slurm.Dead, slurm.Hung), time.Duration(r.IntN(1200))*time.Second
			at(func() {
				s.slurm.Model().SetOutage(out)
				s.engine.After(long, func() { s.slurm.Model().SetOutage(slurm.Up) })
			})
		}
		for range r.IntN(2) {
			at(func() {
				s.cloud.disk.Full = true
				s.engine.After(10*time.Minute, func() { s.cloud.disk.Full = false })
			})
		}
	}
}

// promises watches a run. What is broken is kept, the first of each.
type promises struct {
	s      *site
	up     time.Duration // how long a power-up may take
	kills  float64       // the chance of a program to die of each of its calls
	chance *rand.Rand    // of that
	deaths int
	broken []string

	alive map[string]string   // instance -> node
	of    map[string][]string // node -> instances that live for it
	asked map[string]env.Time // node -> when Slurm asked for it, until it is ready or given back
	since map[string]env.Time // node -> since when Slurm does not want it
	told  *report.Collector
}

func (p *promises) breaks(at env.Time, which, format string, args ...any) {
	if !slices.ContainsFunc(p.broken, func(b string) bool { return strings.HasPrefix(b, which+" ") }) {
		p.broken = append(p.broken, which+" "+at.Sub(record.Begin).String()+": "+fmt.Sprintf(format, args...))
	}
}

// How long a promise may take to be kept: a power-up is over after ResumeTimeout,
// at the next scan; what nobody claims is gone with the second reconcile after its
// grace.
const (
	scanned = 15 * time.Second
	grace   = 10*time.Minute + 2*time.Hour + 5*time.Minute
)

func (p *promises) take(e record.Event) {
	if e.Type != strange {
		p.told.Take(e)
	}
	switch e.Kind {
	case record.InstanceLaunched:
		if len(e.Nodes) != 1 {
			if e.Type != strange {
				p.breaks(e.At, "I2", "%s is for %v", e.Instance, e.Nodes)
			}
			return
		}
		n := e.Nodes[0]
		p.alive[e.Instance] = n
		if p.of[n] = append(p.of[n], e.Instance); len(p.of[n]) > 1 {
			p.breaks(e.At, "I1", "%s has %v", n, p.of[n])
		}
	case record.InstanceEnding:
		n, ours := p.alive[e.Instance]
		if !ours && strings.HasPrefix(e.Cause, "Client.User") {
			p.breaks(e.At, "I8", "another's %s is ended", e.Instance)
		}
		delete(p.alive, e.Instance)
		p.of[n] = slices.DeleteFunc(p.of[n], func(id string) bool { return id == e.Instance })
	case record.NodeResumed:
		p.asked[e.Node] = e.At
		delete(p.since, e.Node)
	case record.NodeReady:
		delete(p.asked, e.Node)
	case record.NodeSuspended, record.NodeFailed:
		if _, up := p.asked[e.Node]; up && p.s.slurm.Model().Node(e.Node).Reason == "" {
			p.breaks(e.At, "I4", "%s is given back without a reason", e.Node)
		}
		delete(p.asked, e.Node)
		p.since[e.Node] = e.At
	case record.Gang:
		if e.Count != 0 && e.Count != len(e.Nodes) {
			p.breaks(e.At, "I3", "job %d has %d of %v", e.Job, e.Count, e.Nodes)
		}
	case record.Call:
		if p.kills > 0 && p.chance.Float64() < p.kills {
			// Where most die, reconcile is spared: each next pass may be the one that heals.
			if victim := p.s.engine.Running(); victim != nil && (p.kills < 0.1 || victim.Name() != "reconcile") {
				p.s.engine.After(time.Duration(p.chance.IntN(2000))*time.Millisecond, func() {
					if victim.Alive() {
						p.deaths++
					}
					p.s.engine.Crash(victim)
				})
			}
		}
		if e.Code == "IdempotentParameterMismatch" {
			p.breaks(e.At, "I6", "a token is used with other parameters")
		}
	}
}

// look checks what lasts.
func (p *promises) look(now env.Time) {
	for n, at := range p.asked {
		// One that is given back may wait for SuspendRate.
		if now.Sub(at) > p.up && !p.s.slurm.Model().Node(n).Has("POWER_DOWN") {
			p.breaks(now, "I4", "%s was asked for at %v and is neither ready nor given back", n, at.Sub(record.Begin))
		}
	}
	for id, n := range p.alive {
		if at, off := p.since[n]; off && now.Sub(at) > grace {
			p.breaks(now, "I2", "%s lives, and Slurm has not wanted %s since %v", id, n, at.Sub(record.Begin))
		}
	}
	if err := p.s.slurm.Check(); err != nil {
		p.breaks(now, "slurmctld", "%v", err)
	}
}

// A random site with a cloud that refuses, loses answers and takes away, whose
// programs die in the middle of their work, keeps what the executor promises: no
// node has two instances (I1), none lives that no node claims (I2), a gang is whole
// or gone (I3), every node that Slurm asks for is ready or given back with a reason
// in time (I4), no token is used with other parameters (I6), the ledger is the bill
// (I7), nothing of others is touched (I8), no placement group outlives its
// instances (I10), and all of it whoever has crashed (I9).
func TestAHostileCloudBreaksNoPromise(t *testing.T) {
	first, last := uint64(1), uint64(*seeds)
	if *only != 0 {
		first, last = *only, *only
	}
	launched, whole, died := 0, 0, 0
	for seed := first; seed <= last; seed++ {
		opt, jobs := randomSite(t, seed)
		p := &promises{
			alive: map[string]string{}, of: map[string][]string{}, asked: map[string]env.Time{}, since: map[string]env.Time{},
			told:   report.New(report.Options{Begin: record.Begin, Cloud: true}),
			chance: rand.New(rand.NewPCG(seed, 9)),
		}
		p.kills = pick(p.chance, 0, 0.02, 0.15)
		opt.Sink = func(e record.Event) {
			p.take(e)
			if e.Kind == record.InstanceLaunched {
				launched++
			} else if e.Kind == record.Gang && e.Count > 0 {
				whole++
			}
		}
		var happens func(*site)
		if seed%2 == 0 {
			happens = worse(seed, &opt, jobs)
		}
		p.up = opt.Slurm.ResumeTimeout + scanned
		for _, b := range try(t, seed, opt, jobs, p, happens) {
			t.Errorf("%s (go test ./simulator/cluster -run TestAHostileCloud -seed %d)", b, seed)
		}
		died += p.deaths
	}
	if *only == 0 && (launched < 20**seeds || whole < *seeds || died < *seeds) {
		t.Errorf("only %d instances, %d gangs and %d dead programs in %d runs: they try nothing", launched, whole, died, *seeds)
	}
}

// try runs a site, and returns what was broken.
func try(t *testing.T, seed uint64, opt Options, jobs []workload.Job, p *promises, happens func(*site)) []string {
	t.Helper()
	e := NewEngine(seed)
	defer e.Close()
	s, err := newSite(e, opt)
	if err != nil {
		t.Fatal(err)
	}
	p.s = s
	// Two instances of others: one of another cluster, for a node of the same name.
	strangers := others(t, s)
	i := 0
	s.next = func() (j workload.Job, err error, more bool) {
		if i == len(jobs) {
			return j, nil, false
		}
		i++
		return jobs[i-1], nil, true
	}
	s.opt.Progress = func(Progress) { p.look(e.Now()) }
	if happens != nil {
		happens(s)
	}
	s.opt.Until = 14 * 24 * time.Hour
	s.pull()
	out, err := s.run(context.Background())
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if out.Submitted != len(jobs) {
		t.Errorf("seed %d: %d of %d jobs were submitted", seed, out.Submitted, len(jobs))
	}
	// What dead calls left is healed by the next passes.
	for range 2 {
		if err := e.RunUntil(e.Now().Add(time.Hour)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		s.cloud.alive++ // that it runs
		s.cloud.reconcile()
		s.cloud.alive--
	}
	if err := e.RunUntil(e.Now().Add(30 * time.Minute)); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	now := e.Now()
	p.look(now)
	for id, n := range p.alive {
		if _, off := p.since[n]; off {
			p.breaks(now, "I2", "%s of %s lives when all is over", id, n)
		}
	}
	if count := s.slurm.Counts(); len(s.cloud.jobs) != 0 && len(s.cloud.jobs) != count.Submitted-count.Ended {
		p.breaks(now, "memory", "%d jobs are kept for their plans, %d of %d have ended", len(s.cloud.jobs), count.Ended, count.Submitted)
	}
	m := s.cloud.ec2
	if err := m.CheckBill(); err != nil {
		p.breaks(now, "I7", "the ledger and the meter: %v", err)
	}
	_, bill := m.Bill()
	ledger, seconds, runs := billing.Amount(0), int64(0), 0
	for _, sum := range bill {
		if sum.Type != strange {
			ledger, seconds, runs = ledger+sum.Amount, seconds+sum.Seconds, runs+sum.Instances
		}
	}
	figures := p.told.Report(now, 0)
	if cents := (int64(figures.Cost) + 5_000) / 10_000; cents != ledger.Cents() {
		p.breaks(now, "I7", "cost_usd is %s, and the ledger has %s", figures.Cost, ledger)
	}
	// A run is billed from one whole second to another, and for a minute at least.
	if up := figures.NodeHours.Powered() * 3600; up > float64(seconds+int64(runs)) || up < float64(seconds)-60*float64(runs) {
		p.breaks(now, "I7", "node-hours are %.0f s, and the ledger has %d s of %d runs", up, seconds, runs)
	}
	for _, id := range strangers {
		if i, ok := m.Metadata(id); ok && len(i.Tags) > 2 { // it may have died by itself
			p.breaks(now, "I8", "another's %s is tagged %v", id, i.Tags)
		}
	}
	left, err := m.DescribePlacementGroups(api.Query{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range left {
		if len(p.alive) == 0 {
			p.breaks(now, "I10", "placement group %s is left", g.Name)
		}
	}
	return p.broken
}

// others launches what is not the site's: an instance without tags, and one of
// another cluster for a node of the same name.
func others(t *testing.T, s *site) []string {
	t.Helper()
	var ids []string
	images, err := s.cloud.ec2.DescribeImages(api.Query{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tags := range [][]cloud.Tag{nil, {{Key: identity.Cluster, Value: "another"}, {Key: identity.Node, Value: "od-1"}}} {
		r := ec2.RunRequest{Min: 1, Max: 1}
		r.Type, r.ImageID = strange, images.Items[0].ID
		if tags != nil {
			r.Tags = []api.TagSpec{{Kind: "instance", Tags: tags}}
		}
		got, err := s.cloud.ec2.RunInstances(r)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, got.Instances[0].ID)
	}
	return ids
}
