package conf

import (
	"slices"
	"strings"
	"time"
)

// partitions are the lines about partitions, as they come.
type partitions struct {
	standard []pair // of PartitionName=DEFAULT
	all      []Partition
	named    map[string]bool
	at       []value // of the name, and of Nodes
	nodes    []value
}

func (ps *partitions) line(r *reader, pairs []pair) {
	if strings.EqualFold(pairs[0].text, "DEFAULT") {
		ps.standard = append(ps.standard, pairs[1:]...)
		return
	}
	if ps.named == nil {
		ps.named = map[string]bool{}
	}
	if ps.named[pairs[0].text] {
		r.add(idTwiceNode, pairs[0].value, "give each partition one line", "partition %s is there twice", pairs[0].text)
		return
	}
	ps.named[pairs[0].text] = true
	part := DefaultPartition(pairs[0].text)
	part.Nodes = nil
	nodesAt := pairs[0].value
	own := func(v value, read func(value, *time.Duration)) *time.Duration {
		var d time.Duration
		read(v, &d)
		return &d
	}
	for _, p := range append(slices.Clone(ps.standard), pairs[1:]...) {
		switch strings.ToLower(p.key) {
		case "nodes":
			part.Nodes, nodesAt = words(p.text), p.value
		case "default":
			r.yes(p.value, &part.Default)
		case "state":
			switch strings.ToUpper(p.text) {
			case "UP":
				part.Up = true
			case "DOWN", "DRAIN", "INACTIVE":
				part.Up = false
			default:
				r.bad(p.value, "UP, DOWN, DRAIN or INACTIVE")
			}
		case "maxtime":
			r.span(p.value, &part.MaxTime)
		case "defaulttime":
			r.span(p.value, &part.DefaultTime)
		case "maxnodes":
			if endless(p.text) {
				part.MaxNodes = 0
			} else {
				r.number(p.value, &part.MaxNodes)
			}
		case "minnodes":
			r.number(p.value, &part.MinNodes)
		case "prioritytier":
			r.number(p.value, &part.Tier)
		case "priorityjobfactor":
			r.number(p.value, &part.JobFactor)
		case "priority":
			r.number(p.value, &part.Tier)
			part.JobFactor = part.Tier
		case "oversubscribe", "shared":
			part.Exclusive = strings.EqualFold(p.text, "EXCLUSIVE")
			if word, _, _ := strings.Cut(p.text, ":"); strings.EqualFold(word, "FORCE") {
				r.add(idNotModelled, p.value, "", "nodes hold no more jobs in the simulation than they have CPUs for")
			}
		case "overtimelimit":
			part.OverTimeLimit = own(p.value, r.minutes)
		case "suspendtime":
			part.SuspendTime = own(p.value, r.seconds)
		case "suspendtimeout":
			part.SuspendTimeout = own(p.value, r.seconds)
		case "resumetimeout":
			part.ResumeTimeout = own(p.value, r.seconds)
		case "allocnodes", "allowaccounts", "allowgroups", "allowqos", "alternate", "cpubind", "defcpupergpu", "defmempercpu",
			"defmempergpu", "defmempernode", "denyaccounts", "denygroups", "denyqos", "disablerootjobs", "exclusiveuser", "exclusivetopo", "gracetime",
			"hidden", "jobdefaults", "lln", "maxcpuspernode", "maxcpuspersocket", "maxmempercpu", "maxmempernode", "powerdownonidle", "preemptmode", "qos",
			"reqresv", "resumefailprogram", "rootonly", "selecttypeparameters", "topology", "tresbillingweights":
			r.pass("PartitionName", p)
		default:
			r.unknown("PartitionName", p, partitionKeys)
		}
	}
	ps.all, ps.at, ps.nodes = append(ps.all, part), append(ps.at, pairs[0].value), append(ps.nodes, nodesAt)
}

var partitionKeys = []string{
	"Default", "DefaultTime", "DefMemPerCPU", "DefMemPerNode", "MaxMemPerNode", "MaxNodes", "MaxTime", "MinNodes", "Nodes", "OverSubscribe",
	"OverTimeLimit", "PreemptMode", "PriorityJobFactor", "PriorityTier", "QOS", "ResumeTimeout", "State", "SuspendTime", "SuspendTimeout",
}

// apply makes the settings' partitions, with node sets resolved, and says which
// nodes of theirs there are not.
func (ps *partitions) apply(r *reader) {
	for i := range ps.all {
		if r.names > maxNames {
			return // it was told
		}
		part, at := &ps.all[i], ps.nodes[i]
		var lists []string
		for _, w := range part.Nodes {
			switch set, ok := r.nodes.of(w); {
			case ok:
				lists = append(lists, set...)
			case strings.EqualFold(w, "ALL"):
				lists = append(lists, "ALL")
			default:
				lists = append(lists, w)
			}
		}
		part.Nodes = lists
		for _, l := range lists {
			if l == "ALL" || r.names > maxNames {
				continue
			}
			for _, name := range r.expand(l, at) {
				if _, ok := r.nodes.at[name]; !ok {
					r.add(idNoSuchNode, at, "add a NodeName line for it", "partition %s has node %s, which no NodeName line names", part.Name, name)
					break // the first one will do
				}
			}
		}
	}
	r.settings.Partitions = ps.all
	if len(ps.all) == 0 {
		r.add(idNothing, value{}, "add a PartitionName line", "there is no partition")
	}
}
