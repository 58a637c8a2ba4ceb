package enact

import (
	"cmp"
	"fmt"
	"maps"
	"strings"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/ec2/market"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/slurm/conf"
)

// Check reads what a scenario's cluster is made of, without a run. It returns what
// is unwise in its slurm.conf, mostly what is hostile to cloud nodes, and where
// that and the executor's configuration do not fit; what is wrong is an error:
// *scenario.Invalid, or of the executor's configuration *config.Invalid.
func (r Simulator) Check(s *scenario.Scenario) ([]finding.Finding, error) {
	cfg, err := r.config(s)
	if err != nil {
		return nil, err
	}
	f, err := r.slurmConf(s, cfg)
	if err != nil {
		return nil, err
	}
	if cfg == nil {
		return f.Findings, nil
	}
	if _, err := r.faults(s.Cluster.Cloud.Faults); err != nil {
		return nil, err
	}
	found := append(f.Findings, misfits(s, cfg, catalog.Default(), &f.Settings)...)
	if err := known(s, catalog.Default()); err != nil {
		return nil, err
	}
	unused, err := r.unused(s, cfg, catalog.Default())
	return append(found, unused...), err
}

// known reports the first instance type of a scenario's markets that there is not.
func known(s *scenario.Scenario, types *catalog.Catalog) error {
	c := s.Cluster.Cloud
	is := func(pointer, name string) error {
		if _, ok := types.Type(name); ok {
			return nil
		}
		hint := ""
		if near := types.Nearest(name); near != "" {
			hint = "did you mean " + near + "?"
		}
		return s.NoSuch(pointer, hint, "%s is not an EC2 instance type", finding.Quote(name))
	}
	for _, t := range c.Types {
		if err := is("/cluster/cloud/types/"+t.Type, t.Type); err != nil {
			return err
		}
	}
	for i, rec := range c.Recorded {
		if rec.Type == "" {
			continue
		}
		if err := is(fmt.Sprintf("/cluster/cloud/recorded/%d/type", i), rec.Type); err != nil {
			return err
		}
	}
	return nil
}

// unused are recordings without a pool that the cluster could have: of types that
// are sold no more, or of another region.
func (r Simulator) unused(s *scenario.Scenario, cfg *config.Config, types *catalog.Catalog) ([]finding.Finding, error) {
	region := cmp.Or(cfg.AWS.Region, catalog.PriceRegion)
	var found []finding.Finding
	var all market.Recorded
	for i, rec := range s.Cluster.Cloud.Recorded {
		before := market.Recorded{Capacity: maps.Clone(all.Capacity), Price: maps.Clone(all.Price)}
		if err := r.recorded(s, &all, rec); err != nil {
			return nil, err
		}
		ours := func(p market.Pool) bool {
			_, sold := types.Type(p.Type)
			return sold && strings.HasPrefix(p.AZ, region)
		}
		if !some(all.Capacity, before.Capacity, ours) && !some(all.Price, before.Price, ours) {
			found = append(found, s.Unwise(finding.Warning, fmt.Sprintf("/cluster/cloud/recorded/%d", i), "record pools of "+region, "%s has no pool of a type of the catalogue in %s: it changes nothing", rec.Path, region))
		}
	}
	return found, nil
}

// inConfig is where findings about the executor's configuration point to.
const inConfig = "/cluster/cloud/config"

// misfits are cloud nodes that no node group owns, and node groups whose instances
// are not what their nodes count as.
func misfits(s *scenario.Scenario, cfg *config.Config, types *catalog.Catalog, slurm *conf.Settings) []finding.Finding {
	var found []finding.Finding
	var nobodys []string
	judged := map[string]bool{} // groups, by their first node
	for _, n := range slurm.Nodes {
		if !n.Cloud {
			continue
		}
		all, err := hostlist.Expand(n.Names)
		if err != nil {
			continue // conf has said so
		}
		for _, name := range all {
			g, owned := cfg.GroupOf(name)
			switch {
			case !owned:
				nobodys = append(nobodys, name)
			case !judged[g.String()]:
				judged[g.String()] = true
				found = append(found, misfit(s, g, types, n.CPUs)...)
			}
		}
	}
	if nobodys != nil {
		found = append(found, s.Unwise(finding.Warning, inConfig, "name them in a node group", "no node group of %s owns the cloud nodes %s: the executor gives them back, and their jobs are held", cfg.Base(), hostlist.Fold(nobodys)))
	}
	return found
}

// misfit says of a node group that a type has fewer vCPUs than its nodes count as,
// or that all have many more cores.
func misfit(s *scenario.Scenario, g *config.NodeGroup, types *catalog.Catalog, cpus int) []finding.Finding {
	least := 0 // cores that each type has
	for _, t := range g.Types {
		facts, ok := types.Type(t.Name)
		switch {
		case !ok:
			return nil
		case facts.VCPUs < cpus:
			return []finding.Finding{s.Unwise(finding.Info, inConfig, "", "%s of node group %s has %d vCPUs, and its nodes count as %d processors: work is cheaper than it would be", t.Name, g, facts.VCPUs, cpus)}
		case least == 0 || facts.Cores < least:
			least = facts.Cores
		}
	}
	if least < 4*cpus || s.Cluster.Plans.Advise { // plans name types of their own
		return nil
	}
	return []finding.Finding{s.Unwise(finding.Warning, inConfig, "name smaller types, or more cores_per_node", "each type of node group %s has %d cores or more, and its nodes count as %d: jobs leave the rest idle, and all of it is paid for", g, least, cpus)}
}

// some reports whether the test holds for a key of m that was not there before.
func some[V any](m, before map[market.Pool]V, test func(market.Pool) bool) bool {
	for p := range m {
		if _, was := before[p]; !was && test(p) {
			return true
		}
	}
	return false
}
