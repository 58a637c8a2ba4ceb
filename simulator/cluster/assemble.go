package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/slurm/conf"
)

// Premises are nodes that stand all the time.
type Premises struct {
	Nodes, Cores int
	MemoryMB     int64 // 0: more than any job asks for
}

// Local is the partition of the premises, and how their nodes' names begin.
const Local = "local"

// How a cloud's nodes are saved where no slurm.conf says it: Slurm's own
// SuspendTime is never, and its ResumeTimeout of a minute is over before most
// instances have booted (simulator/slurm/conf warns of both). Idle nodes go after
// five minutes, as ParallelCluster's after ten; half an hour is ParallelCluster's
// ResumeTimeout, too.
const (
	SuspendTime   = 5 * time.Minute
	ResumeTimeout = 30 * time.Minute
)

// Assemble makes the settings of a cluster that no slurm.conf describes: nodes on
// the premises in a partition of their own, and each node group of a
// configuration in one, in the file's order, with higher and higher weights. It
// returns the partitions as a job names them that may run in any: the premises
// first, so that jobs go to the cloud that would have to wait.
//
// cores are the CPUs of a cloud node; 0 stands for those that its node group
// declares, else those cores that every type of the group has.
func Assemble(name string, p Premises, cfg *config.Config, types *catalog.Catalog, cores int) (conf.Settings, string, error) {
	s := conf.Defaults()
	s.ClusterName = name
	var partitions []string
	add := func(partition string, n conf.Node) {
		part := conf.DefaultPartition(partition)
		part.Nodes = []string{n.Names}
		part.Default = len(partitions) == 0
		s.Partitions = append(s.Partitions, part)
		s.Nodes = append(s.Nodes, n)
		partitions = append(partitions, partition)
	}
	if p.Nodes > 0 {
		add(Local, conf.Node{Names: numbered(Local, p.Nodes), CPUs: p.Cores, Memory: memory(p.MemoryMB), Weight: 1})
	}
	if cfg == nil {
		return s, strings.Join(partitions, ","), nil
	}
	if len(cfg.Groups) == 0 {
		return s, "", fmt.Errorf("%s: there is no node group: a cloud needs one", cfg.Base())
	}
	s.ResumeProgram, s.SuspendProgram, s.ResumeFailProgram = "aws-slurm-burst-resume", "aws-slurm-burst-suspend", "aws-slurm-burst-resume-fail"
	s.SuspendTime, s.ResumeTimeout = SuspendTime, ResumeTimeout
	if p.Nodes > 0 {
		s.SuspendExcParts = []string{Local} // else Slurm would power them down, too
	}
	if cfg.Slurm.ResumeTimeout > 0 {
		s.ResumeTimeout = cfg.Slurm.ResumeTimeout
	}
	if cfg.Slurm.SuspendTimeout > 0 {
		s.SuspendTimeout = cfg.Slurm.SuspendTimeout
	}
	for i, g := range cfg.Groups {
		n := conf.Node{CPUs: cores, Memory: memory(int64(g.MemoryMB)), Gres: g.Gres, GPUs: gpus(g.Gres), Weight: 10 + i, Cloud: true}
		switch {
		case len(g.Nodes) > 0:
			n.Names = hostlist.Fold(g.Nodes)
		case g.MaxNodes > 0:
			n.Names = numbered(g.Partition+"-"+g.Name, g.MaxNodes)
		default:
			return s, "", fmt.Errorf("%s: node group %s has neither nodes nor max_nodes: a simulation needs to know how many there are", cfg.Base(), g)
		}
		if n.CPUs == 0 {
			n.CPUs = g.CPUs
		}
		for _, t := range g.Types {
			if facts, ok := types.Type(t.Name); ok && cores == 0 && g.CPUs == 0 && (n.CPUs == 0 || facts.Cores < n.CPUs) {
				n.CPUs = facts.Cores
			}
		}
		if n.CPUs == 0 {
			return s, "", fmt.Errorf("%s: node group %s: how many CPUs its nodes have is not known: give cpus, an instance type of the catalogue, or --cores-per-node", cfg.Base(), g)
		}
		add(g.Partition+"-"+g.Name, n)
	}
	return s, strings.Join(partitions, ","), nil
}

// memory is a node's RealMemory where it may be left open.
func memory(mb int64) int64 {
	if mb == 0 {
		return 1 << 40
	}
	return mb
}

// gpus counts the GPUs of a Gres such as gpu:a100:8.
func gpus(gres string) int {
	total := 0
	for _, g := range strings.Split(gres, ",") {
		kind, rest, _ := strings.Cut(g, ":")
		if kind != "gpu" {
			continue
		}
		last := rest[strings.LastIndexByte(rest, ':')+1:]
		if n, err := strconv.Atoi(last); err == nil {
			total += n
		} else {
			total++
		}
	}
	return total
}

// numbered is a hostlist of n nodes.
func numbered(prefix string, n int) string {
	width := len(strconv.Itoa(n))
	return fmt.Sprintf("%s-[%0*d-%d]", prefix, width, 1, n)
}
