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

// misfits are cloud nodes that no node group owns, and instance types that have
// not the processors that their nodes are said to have.
func misfits(s *scenario.Scenario, cfg *config.Config, types *catalog.Catalog, slurm *conf.Settings) []finding.Finding {
	const at = "/cluster/cloud/config"
	var found []finding.Finding
	var nobodys []string
	small := map[string]bool{} // groups that were told
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
			if !owned {
				nobodys = append(nobodys, name)
				continue
			}
			if small[g.String()] {
				continue
			}
			for _, t := range g.Types {
				if facts, ok := types.Type(t.Name); ok && facts.VCPUs < n.CPUs {
					small[g.String()] = true
					found = append(found, s.Unwise(finding.Info, at, "", "%s of node group %s has %d vCPUs, and its nodes count as %d processors: work is cheaper than it would be", t.Name, g, facts.VCPUs, n.CPUs))
					break
				}
			}
		}
	}
	if nobodys != nil {
		found = append(found, s.Unwise(finding.Warning, at, "name them in a node group", "no node group of %s owns the cloud nodes %s: the executor gives them back, and their jobs are held", cfg.Base(), hostlist.Fold(nobodys)))
	}
	return found
}
