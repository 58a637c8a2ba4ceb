package slurm

import (
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/executor/hostlist"
)

const noSuchNode = "slurm_update error: Invalid node name specified"

// updateNodes is "scontrol update NodeName=LIST ...".
func (m *Model) updateNodes(args []string) error {
	var names, addrs []string
	var state, reason string
	for _, a := range args {
		key, value, _ := strings.Cut(a, "=")
		var err error
		switch strings.ToLower(key) {
		case "nodename":
			names, err = hostlist.Expand(value)
		case "nodeaddr":
			addrs, err = hostlist.Expand(value)
		case "state":
			state = strings.ToUpper(value)
		case "reason":
			reason = value
		default:
			return exit("Update of this parameter is not supported: " + a + "\nRequest aborted")
		}
		if err != nil {
			return exit(noSuchNode)
		}
	}
	switch state {
	case "", "RESUME", "POWER_DOWN", "POWER_DOWN_ASAP", "POWER_DOWN_FORCE":
	case "DOWN", "DRAIN":
		if reason == "" {
			return exit("You must specify a reason when DOWNING or DRAINING a node. Request denied")
		}
	default:
		return fmt.Errorf("simulator/slurm: State=%s is not modelled", state)
	}
	// With addresses the list is taken as it is written, and must be as long;
	// without, Slurm sorts it first. Both end at an unknown name.
	if addrs == nil {
		hostlist.Sort(names)
		names = hostlist.Unique(names)
	} else if len(addrs) != len(names) {
		return exit(noSuchNode)
	}
	var refused error
	for i, name := range names {
		n := m.nodes[name]
		if n == nil {
			return exit(noSuchNode)
		}
		if text := m.refuse[name]; text != "" {
			return exit("slurm_update error: " + text)
		}
		if addrs != nil {
			if m.deafFor[name] > 0 {
				m.deafFor[name]--
			} else {
				n.Addr = addrs[i]
			}
		}
		if !m.setState(n, state, reason) {
			// Unlike an unknown name, this does not end the list.
			refused = exit("slurm_update error: Invalid node state specified")
		}
	}
	return refused
}

// setState applies a State= and its Reason=, and reports whether Slurm takes it.
func (m *Model) setState(n *Node, state, reason string) bool {
	if reason != "" && state != "RESUME" {
		n.Reason, n.ReasonAt = reason, m.env.Now()
	}
	switch state {
	case "":
		// Any update forgets the reason of a node that is in order.
		if n.State != "DOWN" && !n.Has("DRAIN") {
			n.Reason = ""
		}
	case "POWER_DOWN":
		n.clear("POWERING_UP")
		n.clear("NOT_RESPONDING")
		n.set("POWER_DOWN")
	case "POWER_DOWN_ASAP":
		// The node keeps its job, takes no other, and goes when it is idle.
		if n.Reason == "" {
			n.Reason, n.ReasonAt = state, m.env.Now()
		}
		n.set("DRAIN", "POWER_DOWN")
	case "POWER_DOWN_FORCE":
		m.evict(n.Name)
		n.State = "IDLE"
		n.clear("POWERING_UP")
		n.set("POWER_DOWN")
	case "DOWN":
		m.evict(n.Name)
		n.State = "DOWN"
	case "DRAIN":
		n.set("DRAIN")
	case "RESUME":
		// NOT_RESPONDING stays: after the next reconfigure such a node is out
		// of use. A refused RESUME forgets the reason too.
		n.Reason = ""
		if n.State != "DOWN" && !n.Has("DRAIN") {
			return false
		}
		n.clear("DRAIN")
		if n.State == "DOWN" {
			n.State = "IDLE"
		}
	}
	return true
}

// evict takes a node from its jobs: a batch job is requeued, with all of its
// components, unless it said --no-requeue; any other dies.
func (m *Model) evict(node string) {
	for _, j := range m.sortedJobs() {
		if !j.hasNodes() || !slices.Contains(j.Nodes, node) {
			continue
		}
		if !j.Batch || !j.Requeue {
			j.State, j.Reason = "NODE_FAIL", "NodeDown"
			continue
		}
		for _, k := range m.sortedJobs() {
			if k == j || j.HetID != 0 && k.HetID == j.HetID && k.hasNodes() {
				k.requeue()
				k.Nodes = nil
			}
		}
	}
}

// flagOrder is the order in which Slurm writes flags (node_state_string_complete).
var flagOrder = []string{"CLOUD", "COMPLETING", "DRAIN", "POWER_DOWN", "NOT_RESPONDING", "POWERED_DOWN", "POWERING_DOWN", "POWERING_UP"}

func (n *Node) set(flags ...string) {
	for _, f := range flags {
		if !n.Has(f) {
			n.Flags = append(n.Flags, f)
		}
	}
	slices.SortStableFunc(n.Flags, func(a, b string) int {
		return slices.Index(flagOrder, a) - slices.Index(flagOrder, b)
	})
}

func (n *Node) clear(flag string) {
	n.Flags = slices.DeleteFunc(n.Flags, func(f string) bool { return f == flag })
}

// showNodes is "scontrol -o show node [LIST]".
func (m *Model) showNodes(list string) (string, error) {
	names := m.Nodes()
	if list != "" {
		var err error
		if names, err = hostlist.Expand(list); err != nil {
			return "", exit("")
		}
	}
	on := map[string][]*Job{}
	for _, j := range m.sortedJobs() {
		for _, name := range j.Nodes {
			if j.hasNodes() {
				on[name] = append(on[name], j)
			}
		}
	}
	var b strings.Builder
	var failed error
	for _, name := range names {
		if n := m.nodes[name]; n != nil {
			b.WriteString(nodeLine(n, on[name]))
			continue
		}
		fmt.Fprintf(&b, "Node %s not found\n", name)
		failed = exit("")
	}
	return b.String(), failed
}

// nodeLine is what "scontrol -o show node" prints of a node with its jobs.
func nodeLine(n *Node, jobs []*Job) string {
	cpus := 0
	for _, j := range jobs {
		cpus += max(1, j.NumCPUs/len(j.Nodes))
	}
	state := n.State
	if state == "IDLE" && len(jobs) > 0 {
		if state = "MIXED"; cpus >= n.CPUs {
			state = "ALLOCATED"
		}
	}
	allocated := ""
	if len(jobs) > 0 {
		allocated = fmt.Sprintf("cpu=%d", cpus)
	}
	s := fmt.Sprintf("NodeName=%s CoresPerSocket=1  CPUAlloc=%d CPUEfctv=%d CPUTot=%[3]d CPULoad=N/A"+
		" AvailableFeatures=(null) ActiveFeatures=(null) Gres=%s NodeAddr=%s NodeHostName=%s Port=6818 "+
		" RealMemory=%d AllocMem=0 FreeMem=N/A Sockets=%[3]d Boards=1 State=%[8]s ThreadsPerCore=1 TmpDisk=0 Weight=1"+
		" Owner=N/A MCS_label=N/A Partitions=%[9]s  BootTime=None SlurmdStartTime=None LastBusyTime=Unknown"+
		" CfgTRES=cpu=%[3]d,mem=%[7]dM,billing=%[3]d AllocTRES=%[10]s CapWatts=n/a CurrentWatts=0 AveWatts=0"+
		" ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s",
		n.Name, cpus, n.CPUs, null(n.Gres), n.Addr, n.Hostname, n.RealMemory,
		strings.Join(append([]string{state}, n.Flags...), "+"), n.Partition, allocated)
	if n.Reason != "" {
		s += fmt.Sprintf(" Reason=%s [slurm@%s]", n.Reason, clock(n.ReasonAt))
	}
	return s + "\n"
}

// showPartition is "scontrol -o show partition NAME".
func (m *Model) showPartition(name string) (string, error) {
	nodes := slices.DeleteFunc(m.Nodes(), func(n string) bool { return m.nodes[n].Partition != name })
	if len(nodes) == 0 || name == "" {
		return "Partition " + name + " not found\n", exit("")
	}
	cpus := 0
	for _, n := range nodes {
		cpus += m.nodes[n].CPUs
	}
	return fmt.Sprintf("PartitionName=%s AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default=NO QoS=N/A"+
		" DefaultTime=NONE DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO MaxNodes=UNLIMITED MaxTime=01:00:00"+
		" MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED Nodes=%s PriorityJobFactor=1 PriorityTier=1 RootOnly=NO ReqResv=NO"+
		" OverSubscribe=NO OverTimeLimit=NONE PreemptMode=OFF State=UP TotalCPUs=%d TotalNodes=%d SelectTypeParameters=NONE"+
		" JobDefaults=(null) DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED TRES=cpu=%[3]d,node=%[4]d,billing=%[3]d\n",
		name, hostlist.Fold(nodes), cpus, len(nodes)), nil
}
