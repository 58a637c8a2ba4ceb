package slurm

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/slurm/state"
)

const noSuchNode = "slurm_update error: Invalid node name specified"

// updateNodes is "scontrol update NodeName=LIST ...".
func (m *Model) updateNodes(args []string) error {
	var names, addrs []string
	var to, reason string
	for _, a := range args {
		key, value, _ := strings.Cut(a, "=")
		var err error
		switch strings.ToLower(key) {
		case "nodename":
			names, err = hostlist.Expand(value)
		case "nodeaddr":
			addrs, err = hostlist.Expand(value)
		case "state":
			to = strings.ToUpper(value)
		case "reason":
			reason = value
		default:
			return exit("Update of this parameter is not supported: " + a + "\nRequest aborted")
		}
		if err != nil {
			return exit(noSuchNode)
		}
	}
	switch to {
	case "", "RESUME", "POWER_DOWN", "POWER_DOWN_ASAP", "POWER_DOWN_FORCE":
	case "DOWN", "DRAIN":
		if reason == "" {
			return exit("You must specify a reason when DOWNING or DRAINING a node. Request denied")
		}
	default:
		return fmt.Errorf("simulator/slurm: State=%s is not modelled", to)
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
		k := m.table.FindNode(name)
		if k == state.None {
			return exit(noSuchNode)
		}
		if text := m.refuse[name]; text != "" {
			return exit("slurm_update error: " + text)
		}
		if addrs != nil {
			if m.deafFor[name] > 0 {
				m.deafFor[name]--
			} else {
				m.setAddr(k, addrs[i])
			}
		}
		if !m.setState(k, to, reason) {
			// Unlike an unknown name, this does not end the list.
			refused = exit("slurm_update error: Invalid node state specified")
		}
	}
	return refused
}

// setAddr gives a node an address.
func (m *Model) setAddr(k int32, addr string) {
	n := m.table.Node(k)
	if n.Addr == addr {
		return
	}
	n.Addr = addr
	if m.daemon != nil {
		m.daemon.AddrChanged(k)
	}
}

// setState applies a State= and its Reason=, and reports whether Slurm takes it.
func (m *Model) setState(k int32, to, reason string) bool {
	n := m.table.Node(k)
	if reason != "" && to != "RESUME" {
		n.Reason, n.ReasonAt = reason, m.env.Now()
	}
	switch to {
	case "":
		// Any update forgets the reason of a node that is in order.
		if n.Base != state.Down && !n.Has(state.Drain) {
			n.Reason = ""
		}
		return true
	case "POWER_DOWN":
		// One that boots goes on, and so does its job: it goes when it is up and
		// idle. One that is off is powered down once more.
		n.Flags = n.Flags&^state.PoweredDown | state.PowerDown
	case "POWER_DOWN_ASAP":
		// The node keeps its job, takes no other, and goes when it is idle.
		if n.Reason == "" {
			n.Reason, n.ReasonAt = to, m.env.Now()
		}
		n.Flags |= state.Drain | state.PowerDown
	case "POWER_DOWN_FORCE":
		m.Evict(k)
		n.Base = state.Idle
		n.Flags = n.Flags&^state.PoweringUp | state.PowerDown
	case "DOWN":
		m.Evict(k)
		n.Base = state.Down
	case "DRAIN":
		n.Flags |= state.Drain
	case "RESUME":
		// NOT_RESPONDING stays: after the next reconfigure such a node is out
		// of use. A refused RESUME forgets the reason too.
		n.Reason = ""
		if n.Base != state.Down && !n.Has(state.Drain) {
			return false
		}
		n.Flags &^= state.Drain
		if n.Base == state.Down {
			n.Base = state.Idle
		}
	}
	if m.daemon != nil {
		m.daemon.NodeChanged(k)
	}
	return true
}

// Evict takes a node from its jobs, as slurmctld does when it is lost or given
// back: a batch job is requeued, with all of its components, unless it said
// --no-requeue; any other dies of NODE_FAIL. The cause is the node's reason.
func (m *Model) Evict(node int32) {
	cause := m.table.Node(node).Reason
	if cause == "" {
		cause = "NodeDown"
	}
	jobs := slices.Clone(m.table.Node(node).Jobs)
	slices.SortFunc(jobs, func(a, b int32) int { return cmp.Compare(m.table.Job(a).ID, m.table.Job(b).ID) })
	for _, k := range jobs {
		j := m.table.Job(k)
		switch {
		case !j.State.HasNodes(): // a component that went with its leader
		case !j.Is(state.Batch | state.Requeue):
			j.State, j.Reason = state.NodeFail, m.table.Intern("NodeDown")
			m.table.Unplace(k)
			if m.daemon != nil {
				m.daemon.Ended(k, cause)
			}
		case j.Is(state.Het):
			for c := range m.table.Members(j.Array) {
				if c == k || m.table.Job(c).State.HasNodes() {
					m.lose(c, cause)
				}
			}
		default:
			m.lose(k, cause)
		}
	}
}

// lose requeues a job whose nodes are lost.
func (m *Model) lose(k int32, cause string) {
	m.requeue(k, "", cause)
	m.table.Job(k).Nodes = nil
}

// lineLength is about what a node's line takes.
const lineLength = 720

// showNodes is "scontrol -o show node [LIST]".
func (m *Model) showNodes(list string) ([]byte, error) {
	if list == "" {
		out := make([]byte, 0, lineLength*len(m.table.Nodes()))
		for _, k := range m.table.Nodes() {
			out = m.appendNode(out, k)
		}
		return out, nil
	}
	names, err := hostlist.Expand(list)
	if err != nil {
		return nil, exit("")
	}
	out := make([]byte, 0, lineLength*len(names))
	var failed error
	for _, name := range names {
		if k := m.table.FindNode(name); k != state.None {
			out = m.appendNode(out, k)
			continue
		}
		out = fmt.Appendf(out, "Node %s not found\n", name)
		failed = exit("")
	}
	return out, failed
}

// appendNode appends what "scontrol -o show node" prints of a node. It is what an
// executor asks for most, so it is put together by hand.
func (m *Model) appendNode(b []byte, k int32) []byte {
	n := m.table.Node(k)
	var used int32
	for _, k := range n.Jobs {
		j := m.table.Job(k)
		used += max(1, j.NumCPUs/int32(len(j.Nodes)))
	}
	base := n.Base
	if len(n.Jobs) > 0 && base == state.Idle {
		if base = state.Mixed; used >= n.CPUs {
			base = state.Allocated
		}
	}
	number := func(key string, v int64) { b = strconv.AppendInt(append(b, key...), v, 10) }
	text := func(key, v string) { b = append(append(b, key...), v...) }
	cpus := int64(n.CPUs)
	text("NodeName=", n.Name)
	number(" CoresPerSocket=1  CPUAlloc=", int64(used))
	number(" CPUEfctv=", cpus)
	number(" CPUTot=", cpus)
	text(" CPULoad=N/A AvailableFeatures=", null(n.Features))
	text(" ActiveFeatures=", null(n.Features))
	text(" Gres=", null(n.Gres))
	text(" NodeAddr=", n.Addr)
	text(" NodeHostName=", n.Hostname)
	number(" Port=6818  RealMemory=", n.Memory)
	number(" AllocMem=0 FreeMem=N/A Sockets=", cpus)
	text(" Boards=1 State=", n.State(base))
	number(" ThreadsPerCore=1 TmpDisk=0 Weight=", int64(n.Weight))
	text(" Owner=N/A MCS_label=N/A Partitions=", n.Partitions)
	number("  BootTime=None SlurmdStartTime=None LastBusyTime=Unknown CfgTRES=cpu=", cpus)
	number(",mem=", n.Memory)
	number("M,billing=", cpus)
	text(" AllocTRES=", "")
	if len(n.Jobs) > 0 {
		number("cpu=", int64(used))
	}
	text(" CapWatts=n/a CurrentWatts=0 AveWatts=0 ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s", "")
	if n.Reason != "" {
		text(" Reason=", n.Reason)
		text(" [slurm@", clock(n.ReasonAt))
		text("]", "")
	}
	return append(b, '\n')
}

// showPartition is "scontrol -o show partition NAME".
func (m *Model) showPartition(name string) (string, error) {
	part := slices.Clone(m.table.Partition(name))
	if len(part) == 0 || name == "" {
		return "Partition " + name + " not found\n", exit("")
	}
	nodes := m.table.Names(part)
	hostlist.Sort(nodes)
	var cpus int32
	for _, k := range part {
		cpus += m.table.Node(k).CPUs
	}
	return fmt.Sprintf("PartitionName=%s AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default=NO QoS=N/A"+
		" DefaultTime=NONE DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO MaxNodes=UNLIMITED MaxTime=01:00:00"+
		" MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED Nodes=%s PriorityJobFactor=1 PriorityTier=1 RootOnly=NO ReqResv=NO"+
		" OverSubscribe=NO OverTimeLimit=NONE PreemptMode=OFF State=UP TotalCPUs=%d TotalNodes=%d SelectTypeParameters=NONE"+
		" JobDefaults=(null) DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED TRES=cpu=%[3]d,node=%[4]d,billing=%[3]d\n",
		name, hostlist.Fold(nodes), cpus, len(nodes)), nil
}
