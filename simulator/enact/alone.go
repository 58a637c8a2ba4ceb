package enact

import (
	"errors"
	"slices"

	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/slurm/conf"
)

var errAllCloud = errors.New("all nodes of the slurm.conf are cloud nodes: there are no premises that could be alone")

// alone leaves of a cluster the nodes that stand on the premises. A partition that
// had others alone is gone: its jobs may go wherever there is one.
func alone(s *conf.Settings) error {
	cloud := map[string]bool{}
	s.Nodes = slices.Clone(s.Nodes)
	s.Nodes = slices.DeleteFunc(s.Nodes, func(n conf.Node) bool {
		names, err := hostlist.Expand(n.Names)
		if err != nil || !n.Cloud { // slurmctld will say what is wrong with it
			return false
		}
		for _, name := range names {
			cloud[name] = true
		}
		return true
	})
	if len(s.Nodes) == 0 {
		return errAllCloud
	}
	s.Partitions = slices.Clone(s.Partitions)
	for i := range s.Partitions {
		p := &s.Partitions[i]
		var kept []string
		for _, list := range p.Nodes {
			names, err := hostlist.Expand(list)
			if list == "ALL" || err != nil {
				kept = append(kept, list)
				continue
			}
			if names = slices.DeleteFunc(names, func(n string) bool { return cloud[n] }); len(names) > 0 {
				kept = append(kept, hostlist.Fold(names))
			}
		}
		p.Nodes = kept
	}
	s.Partitions = slices.DeleteFunc(s.Partitions, func(p conf.Partition) bool { return len(p.Nodes) == 0 })
	return nil
}
