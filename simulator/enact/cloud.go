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
	"aws-slurm-burst/simulator/ec2/market"
	"aws-slurm-burst/simulator/ec2/quota"
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
	out := &cluster.Cloud{Config: cfg, Types: types, Reconcile: c.Reconcile}
	out.EC2 = ec2.Options{Seed: s.Seed, Region: cfg.AWS.Region, Ledger: &billing.Ledger{}, Supplies: supplies(c)}
	if c.Boot != scenario.Instant {
		p, err := boot.Named(string(c.Boot))
		if err != nil {
			return nil, err
		}
		out.EC2.Boot = &p
	}
	if c.Throttle {
		out.EC2.Throttle = throttle.Published()
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

// supplies says how the capacity of pools comes and goes: by market, as the
// scenario says; nil where it never does.
func supplies(c *scenario.Cloud) market.Supplies {
	named := map[cloud.Market]string{}
	if c.Spot != scenario.Always {
		named[cloud.Spot] = string(c.Spot)
	}
	if c.OnDemand != scenario.Always {
		named[cloud.OnDemand] = string(c.OnDemand) + "-on-demand"
	}
	if len(named) == 0 {
		return nil
	}
	return func(p market.Pool) (market.Supply, bool) {
		s, err := market.Named(named[p.Market])
		return s, err == nil
	}
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
