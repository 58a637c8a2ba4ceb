package enact

import (
	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/hostlist"
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
	return append(f.Findings, misfits(s, cfg, catalog.Default(), &f.Settings)...), nil
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
