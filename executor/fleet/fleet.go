// Package fleet looks at a cluster's live instances and says which node each
// one serves, which may go on serving it, and which has to go. It decides on
// what EC2 and the journal say, and makes no calls.
package fleet

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
)

// Query finds every instance of a cluster that is not gone or certainly going.
func Query(cluster string) cloud.InstanceQuery {
	return cloud.InstanceQuery{
		Tags:   []cloud.Tag{{Key: identity.Cluster, Value: cluster}},
		States: []cloud.State{cloud.Pending, cloud.Running, cloud.Stopping, cloud.Stopped},
	}
}

// Fleet is the live instances of a cluster, by node.
type Fleet struct {
	// instances are in the order of their nodes, as text, and then of their ids;
	// nodes[k] is that of instances[k].
	nodes     []string
	instances []cloud.Instance
	// Strangers carry our cluster's tag but name no node we can read.
	Strangers []cloud.Instance
}

// New maps instances to nodes. The journal's records come first, then the tag
// of a single instance, then its launch index, then, for a whole launch whose
// indexes say nothing, the order of the ids: the same order in which a launch
// assigns them.
func New(instances []cloud.Instance, launches []journal.Launch) *Fleet {
	return of(sorted(instances), placements(launches))
}

// Of is New for a call that is about some nodes, and all the fleet knows are those:
// what was launched for none of them is passed over unread. launches are those of
// the nodes (journal.LaunchesOf).
func Of(nodes []string, instances []cloud.Instance, launches []journal.Launch) *Fleet {
	placed := placements(launches)
	finder := hostlist.NewFinder(nodes)
	var few [64]int
	mine := few[:0]
	last, found := "", false // of the instance before: those of a launch come together
	for k := range instances {
		i := &instances[k]
		if placed[i.ID] == "" {
			list := cloud.TagValue(i.Tags, identity.Nodes)
			if list != last {
				last, found = list, finder.MayBeIn(list)
			}
			// Without the tag nobody knows, and the list may go on in others.
			if !found && list != "" && cloud.TagValue(i.Tags, identity.MoreNodes) == "" {
				continue
			}
		}
		mine = append(mine, k)
	}
	out := make([]cloud.Instance, len(mine))
	for n, k := range mine {
		out[n] = instances[k]
	}
	slices.SortFunc(out, byID)
	return of(out, placed)
}

// placements is which node each instance serves, as the journal has it.
func placements(launches []journal.Launch) map[string]string {
	placed := map[string]string{}
	for _, l := range launches {
		for _, p := range l.Placed {
			placed[p.Instance] = p.Node
		}
	}
	return placed
}

// of maps instances, which are in the order of their ids.
func of(instances []cloud.Instance, placed map[string]string) *Fleet {
	f := &Fleet{}
	nodeOf := make([]string, len(instances)) // "" for those that serve none
	var tokens []string
	var byToken map[string][]int
	for k := range instances {
		i := &instances[k]
		if i.State.Ended() {
			continue
		}
		node := placed[i.ID]
		if node == "" {
			node = cloud.TagValue(i.Tags, identity.Node)
		}
		if nodeOf[k] = node; node != "" {
			continue
		}
		t := cloud.TagValue(i.Tags, identity.Launch)
		if byToken == nil {
			byToken = map[string][]int{}
		}
		if byToken[t] == nil {
			tokens = append(tokens, t)
		}
		byToken[t] = append(byToken[t], k)
	}
	for _, t := range tokens {
		f.addLaunch(instances, byToken[t], nodeOf)
	}
	order := make([]int, 0, len(instances))
	for k, node := range nodeOf {
		if node != "" {
			order = append(order, k)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(nodeOf[a], nodeOf[b]) })
	f.nodes, f.instances = make([]string, len(order)), make([]cloud.Instance, len(order))
	for n, k := range order {
		f.nodes[n], f.instances[n] = nodeOf[k], instances[k]
	}
	return f
}

// addLaunch maps the instances of one launch by index or by order.
func (f *Fleet) addLaunch(instances []cloud.Instance, of []int, nodeOf []string) {
	stranger := func(k int) { f.Strangers = append(f.Strangers, instances[k]) }
	nodes, err := identity.NodesOf(instances[of[0]])
	if err != nil {
		for _, k := range of {
			stranger(k)
		}
		return
	}
	seen := map[int]bool{}
	indexed := true
	for _, k := range of {
		index := instances[k].LaunchIndex
		indexed = indexed && index >= 0 && index < len(nodes) && !seen[index]
		seen[index] = true
	}
	for n, k := range of { // in the order of their ids
		switch {
		case indexed:
			nodeOf[k] = nodes[instances[k].LaunchIndex]
		case len(of) == len(nodes):
			nodeOf[k] = nodes[n]
		default:
			stranger(k)
		}
	}
}

// Of returns the live instances of a node, by id.
func (f *Fleet) Of(node string) []cloud.Instance {
	from, ok := slices.BinarySearch(f.nodes, node)
	if !ok {
		return nil
	}
	to := from
	for to < len(f.nodes) && f.nodes[to] == node {
		to++
	}
	return f.instances[from:to:to]
}

// All returns every instance that serves a node, by id.
func (f *Fleet) All() []cloud.Instance { return sorted(f.instances) }

// Claimed returns the nodes with a live instance, sorted as text.
func (f *Fleet) Claimed() []string { return slices.Compact(slices.Clone(f.nodes)) }

// Adopt says for one node which instance may go on serving it (ok), and which
// have to go first. Slurm never accepts a node that registered before its
// power-up, so only what was launched since the node was last suspended and is
// not going away is kept; of several the oldest, which may be booted.
func (f *Fleet) Adopt(node string, suspended env.Time) (keep cloud.Instance, ok bool, end []cloud.Instance) {
	all := f.Of(node)
	if len(all) > 1 {
		all = slices.Clone(all)
		slices.SortStableFunc(all, func(a, b cloud.Instance) int {
			return cmp.Compare(identity.LaunchedAt(a), identity.LaunchedAt(b))
		})
	}
	for _, i := range all {
		if !ok && i.State.Alive() && identity.LaunchedAt(i) > suspended {
			keep, ok = i, true
		} else {
			end = append(end, i)
		}
	}
	return keep, ok, end
}

func sorted(is []cloud.Instance) []cloud.Instance {
	is = slices.Clone(is)
	slices.SortFunc(is, byID)
	return is
}

func byID(a, b cloud.Instance) int { return cmp.Compare(a.ID, b.ID) }
