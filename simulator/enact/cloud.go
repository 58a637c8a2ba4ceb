package enact

import (
	"cmp"
	"errors"
	"fmt"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/simulator/cluster"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/billing"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/ec2/lag"
	"aws-slurm-burst/simulator/ec2/market"
	"aws-slurm-burst/simulator/ec2/quota"
	"aws-slurm-burst/simulator/ec2/recording"
	"aws-slurm-burst/simulator/ec2/throttle"
	"aws-slurm-burst/simulator/faults"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/planner"
)

// cloud makes the EC2 of a scenario, and the advisor of its plans.
func (r Simulator) cloud(s *scenario.Scenario, cfg *config.Config, types *catalog.Catalog, slurm *conf.Settings) (*cluster.Cloud, error) {
	c := s.Cluster.Cloud
	if err := known(s, types); err != nil {
		return nil, err
	}
	region := cmp.Or(cfg.AWS.Region, catalog.PriceRegion)
	out := &cluster.Cloud{Config: cfg, Types: types, Reconcile: c.Reconcile}
	out.EC2 = ec2.Options{
		Seed: s.Seed, Region: cfg.AWS.Region, Ledger: &billing.Ledger{},
		ShuttingDownFor: c.ShuttingDown, Supplies: supplies(c, types, region),
		SpotPrice: usual(types, region), Offered: offered(types),
	}
	out.EC2.Zones, out.EC2.ZoneIDs = ec2.Zones(types, region)
	if c.VisibilityLag > 0 {
		out.EC2.Sight = lag.Around(c.VisibilityLag)
	}
	if c.Boot != scenario.Instant {
		p, err := boot.Named(string(c.Boot))
		if err != nil {
			return nil, err
		}
		if c.Dies >= 0 {
			p.Dies = c.Dies
		}
		if c.Never >= 0 {
			p.Never = c.Never
		}
		out.EC2.Boot = &p
	}
	if c.Throttle {
		out.EC2.Throttle = limits(c)
	}
	if err := r.recorded(s, &out.EC2.Recorded, c.Recorded...); err != nil {
		return nil, err
	}
	for _, q := range c.Quotas {
		family, ok := quota.Parse(string(q.Family))
		if !ok {
			return nil, fmt.Errorf("quota family %q: EC2 has none", q.Family)
		}
		if out.EC2.Quotas == nil {
			out.EC2.Quotas = map[quota.Quota]int{}
		}
		out.EC2.Quotas[quota.Quota{Family: family, Market: cloud.Market(q.Market)}] = q.VCPUs
	}
	var err error
	if out.Faults, err = r.faults(c.Faults); err != nil {
		return nil, err
	}
	if s.Cluster.Plans.Advise {
		p, err := advisor(s, cfg, types, slurm)
		if err != nil {
			return nil, err
		}
		out.Plans = p
	}
	return out, nil
}

// faults reads a file of rules; "" has none.
func (r Simulator) faults(path string) (*faults.Rules, error) {
	if path == "" {
		return nil, nil
	}
	data, err := r.read(path)
	if err != nil {
		return nil, err
	}
	rules, err := faults.Parse(data, path)
	var wrong faults.Mistakes
	if errors.As(err, &wrong) {
		return nil, &scenario.Invalid{Findings: wrong}
	}
	return rules, err
}

// supplies says how the capacity of pools comes and goes: by type and market, as the
// scenario says; nil where it never does.
func supplies(c *scenario.Cloud, types *catalog.Catalog, region string) market.Supplies {
	words := map[market.Pool]scenario.Capacity{} // no zones, and no type for all others
	say := func(kind string, spot, onDemand scenario.Capacity) {
		if spot != "" {
			words[market.Pool{Type: kind, Market: cloud.Spot}] = spot
		}
		if onDemand != "" {
			words[market.Pool{Type: kind, Market: cloud.OnDemand}] = onDemand
		}
	}
	say("", c.Spot, c.OnDemand)
	for _, t := range c.Types {
		say(t.Type, t.Spot, t.OnDemand)
	}
	dry := false
	for _, w := range words {
		dry = dry || w != scenario.Always
	}
	if !dry {
		return nil
	}
	return func(p market.Pool) (market.Supply, bool) {
		word, own := words[market.Pool{Type: p.Type, Market: p.Market}]
		if !own {
			word = words[market.Pool{Market: p.Market}]
		}
		switch {
		case word == scenario.Always:
			return market.Supply{}, false
		case word == scenario.Usual && p.Market == cloud.Spot && !market.Scarce(p.Type):
			// What the Spot Instance Advisor told of the type.
			if s, _ := types.Spot(p.Type, region); s.Interruption != catalog.BandUnknown {
				word = scenario.Capacity(s.Interruption.String())
				break
			}
			return market.Default(p)
		case word == scenario.Usual:
			return market.Default(p)
		case p.Market == cloud.OnDemand:
			word += "-on-demand"
		}
		s, err := market.Named(string(word))
		return s, err == nil
	}
}

// offered says which zones sell a type, as the catalogue has it; where it has nothing,
// all do. Each is looked up once.
func offered(types *catalog.Catalog) func(kind, az string) bool {
	type offer struct{ kind, az string }
	seen := map[offer]bool{}
	return func(kind, az string) bool {
		o := offer{kind, az}
		sold, again := seen[o]
		if !again {
			is, known := types.Offered(kind, az)
			sold = is || !known
			seen[o] = sold
		}
		return sold
	}
}

// usual says what spot costs of a type, as the catalogue has it. Each type is looked
// up once: it is asked for with every launch and hour.
func usual(types *catalog.Catalog, region string) func(kind, az string) (float64, bool) {
	type price struct {
		usd   float64
		known bool
	}
	seen := map[string]price{}
	return func(kind, _ string) (float64, bool) {
		p, again := seen[kind]
		if !again {
			onDemand, known := types.Price(kind, region)
			p = price{onDemand.USD * ec2.DefaultSpotRatio, known}
			if s, _ := types.Spot(kind, region); s.USD > 0 {
				p = price{s.USD, true}
			}
			seen[kind] = p
		}
		return p.usd, p.known
	}
}

// limits are the published ones, but for the scenario's own.
func limits(c *scenario.Cloud) *throttle.Limits {
	l := throttle.Published()
	for _, own := range c.Limits {
		b := throttle.Bucket{Capacity: own.Holds, PerSecond: own.PerSecond}
		if own.Of == scenario.Instances {
			l.Resources[own.Action] = b
		} else {
			l.Requests[own.Action] = b
		}
	}
	return l
}

// recorded adds what files say was seen of markets.
func (r Simulator) recorded(s *scenario.Scenario, into *market.Recorded, files ...scenario.Recorded) error {
	for _, rec := range files {
		err := r.record(rec, into)
		if bad := new(recording.Error); errors.As(err, &bad) {
			return s.Broken(bad.File, bad.Line, bad.Hint, bad.Says)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r Simulator) record(rec scenario.Recorded, into *market.Recorded) error {
	f, err := r.Open(rec.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	return recording.Read(f, rec.Path, market.Pool{Type: rec.Type, AZ: rec.Zone, Market: cloud.Market(rec.Market)}, into)
}

// plans is an advisor as a site runs one.
type plans struct {
	planner *planner.Planner
	cpus    int            // of a cloud node
	line    *lint.NodeLine // of the group that jobs are tried on first
}

// Plan makes a job's plan.
func (p *plans) Plan(j *workload.Job) ([]byte, bool) {
	got := p.planner.Plan(j, j.NodesOf(p.cpus), p.line)
	return got.Text, got.Text != nil
}

// advisor makes an advisor that knows the configuration's region and limits, and
// the first node group's line of slurm.conf.
func advisor(s *scenario.Scenario, cfg *config.Config, types *catalog.Catalog, slurm *conf.Settings) (*plans, error) {
	out := &plans{cpus: 1}
	for _, n := range slurm.Nodes {
		if n.Cloud {
			out.cpus, out.line = n.CPUs, &lint.NodeLine{Name: n.Names, CPUs: n.CPUs, Gres: n.Gres}
			break
		}
	}
	w := s.Cluster.Plans
	var err error
	out.planner, err = planner.New(planner.Options{
		Advise: advise.Options{
			Market: advise.NewMarket(types, cmp.Or(cfg.AWS.Region, catalog.PriceRegion)), Now: record.Begin.Std(),
			Policy: advise.Policy{MaxCostPerHour: cfg.Policy.MaxCostPerHour, MaxNodes: cfg.Policy.MaxNodes, UnknownPrice: cfg.Policy.AllowUnknownPrice},
		},
		Missing: w.Missing, Invalid: w.Invalid, Partial: w.Partial, Seed: s.Seed,
	})
	return out, err
}
