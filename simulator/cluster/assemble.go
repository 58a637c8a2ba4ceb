package cluster

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/hostlist"
)

// Premises are nodes that stand all the time.
type Premises struct {
	Nodes, Cores int
	MemoryMB     int64 // 0: more than any job asks for
}

// Local is the partition of the premises, and how their nodes' names begin.
const Local = "local"

// head is what a site with cloud nodes writes into its slurm.conf, by what
// simulator/slurm/conf finds hostile: many of Slurm's defaults are, which here
// would hide what bursting does behind what a site mends in its first week. Ten
// minutes are that room's advice for ResumeTimeout, and after how long
// ParallelCluster ends an idle node.
const head = `SlurmctldParameters=idle_on_node_suspend
ResumeProgram=aws-slurm-burst-resume
SuspendProgram=aws-slurm-burst-suspend
ResumeFailProgram=aws-slurm-burst-resume-fail
ResumeRate=0
SuspendRate=0
SuspendTime=600
ReturnToService=2
TreeWidth=65533
PrivateData=cloud
BatchStartTimeout=60
`

// SlurmConf writes the slurm.conf of a cluster that has none: nodes on the
// premises in a partition of their own, and each node group of a configuration in
// one, in the file's order, with higher and higher weights. Jobs that may run in
// any partition go to the first that has room, the premises'.
//
// cores are the CPUs of a cloud node; 0 stands for those that its node group
// declares, else those cores that every type of the group has.
func SlurmConf(p Premises, cfg *config.Config, types *catalog.Catalog, cores int) (string, error) {
	var b strings.Builder
	if cfg != nil {
		if len(cfg.Groups) == 0 {
			return "", fmt.Errorf("%s: there is no node group: a cloud needs one", cfg.Base())
		}
		b.WriteString(head)
		fmt.Fprintf(&b, "ResumeTimeout=%d\n", seconds(cmp.Or(cfg.Slurm.ResumeTimeout, 10*time.Minute)))
		if t := cfg.Slurm.SuspendTimeout; t > 0 {
			fmt.Fprintf(&b, "SuspendTimeout=%d\n", seconds(t))
		}
	}
	if p.Nodes > 0 {
		if cfg != nil {
			fmt.Fprintf(&b, "SuspendExcParts=%s\n", Local) // else Slurm would power them down, too
		}
		names := numbered(Local, p.Nodes)
		fmt.Fprintf(&b, "NodeName=%s CPUs=%d RealMemory=%d Weight=1\n", names, p.Cores, memory(p.MemoryMB))
		fmt.Fprintf(&b, "PartitionName=%s Nodes=%s Default=YES\n", Local, names)
	}
	if cfg == nil {
		return b.String(), nil
	}
	for i, g := range cfg.Groups {
		var names string
		switch {
		case len(g.Nodes) > 0:
			names = hostlist.Fold(g.Nodes)
		case g.MaxNodes > 0:
			names = numbered(g.Partition+"-"+g.Name, g.MaxNodes)
		default:
			return "", fmt.Errorf("%s: node group %s has neither nodes nor max_nodes: a simulation needs to know how many there are", cfg.Base(), g)
		}
		cpus := cores
		if cpus == 0 {
			cpus = g.CPUs
		}
		for _, t := range g.Types {
			if facts, ok := types.Type(t.Name); ok && cores == 0 && g.CPUs == 0 && (cpus == 0 || facts.Cores < cpus) {
				cpus = facts.Cores
			}
		}
		if cpus == 0 {
			return "", fmt.Errorf("%s: node group %s: how many CPUs its nodes have is not known: give cpus, an instance type of the catalogue, or --cores-per-node", cfg.Base(), g)
		}
		gres := ""
		if g.Gres != "" {
			gres = " Gres=" + g.Gres
		}
		fmt.Fprintf(&b, "NodeName=%s NodeAddr=127.0.0.1 CPUs=%d RealMemory=%d%s Weight=%d State=CLOUD\n", names, cpus, memory(int64(g.MemoryMB)), gres, 10+i)
		fmt.Fprintf(&b, "PartitionName=%s-%s Nodes=%s\n", g.Partition, g.Name, names)
	}
	return b.String(), nil
}

// seconds is a time as slurm.conf has it, at least one.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// memory is a node's RealMemory where it may be left open.
func memory(mb int64) int64 {
	if mb == 0 {
		return 1 << 30
	}
	return mb
}

// numbered is a hostlist of n nodes.
func numbered(prefix string, n int) string {
	width := len(strconv.Itoa(n))
	return fmt.Sprintf("%s-[%0*d-%d]", prefix, width, 1, n)
}
