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

// Fleet is the live instances of a cluster, by node. It points to those that it was
// made of.
type Fleet struct {
	// instances are in the order of their nodes, as text, and then of their ids;
	// nodes[k] is that of instances[k].
	nodes     []string
	instances []*cloud.Instance
	// Strangers carry our cluster's tag but name no node we can read.
	Strangers []*cloud.Instance
}

// New maps instances to nodes. The journal's records come first, then the tag
// of a single instance, then its launch index, then, for a whole launch whose
// indexes say nothing, the order of the ids: the same order in which a launch
// assigns them.
func New(instances []cloud.Instance, launches []journal.Launch) *Fleet {
	all := make([]*cloud.Instance, len(instances))
	for k := range instances {
		all[k] = &instances[k]
	}
	return of(all, placements(launches))
}

// Of is New for a call that is about some nodes, and all the fleet knows are those:
// what was launched for none of them is passed over unread. launches are those of
// the nodes (journal.LaunchesOf).
func Of(nodes []string, instances []cloud.Instance, launches []journal.Launch) *Fleet {
	placed := placements(launches)
	finder := hostlist.NewFinder(nodes)
	mine := make([]*cloud.Instance, 0, 2*len(nodes))
	last, found := "", false // of the instance before: those of a launch come together
	for k := range instances {
		i := &instances[k]
		list := cloud.TagValue(i.Tags, identity.Nodes)
		if list != last {
			last, found = list, finder.MayBeIn(list)
		}
		// Without the tag nobody knows, and the list may go on in others.
		if found || list == "" || placed[i.ID] != "" || cloud.TagValue(i.Tags, identity.MoreNodes) != "" {
			mine = append(mine, i)
		}
	}
	return of(mine, placed)
}

// placements is which node each instance serves, as the journal has it.
func placements(launches []journal.Launch) map[string]string {
	n := 0
	for i := range launches {
		n += len(launches[i].Placed)
	}
	placed := make(map[string]string, n)
	for i := range launches {
		for _, p := range launches[i].Placed {
			placed[p.Instance] = p.Node
		}
	}
	return placed
}

// serving is an instance on its way into a Fleet; node is "" for one that serves none.
type serving struct {
	node string
	*cloud.Instance
}

func byID(a, b *cloud.Instance) int { return cmp.Compare(a.ID, b.ID) }

// of maps instances.
func of(instances []*cloud.Instance, placed map[string]string) *Fleet {
	f := &Fleet{}
	all := make([]serving, 0, len(instances))
	for _, i := range instances {
		if !i.State.Ended() {
			all = append(all, serving{placed[i.ID], i})
		}
	}
	var tokens []string
	var byToken map[string][]*serving
	for k := range all {
		i := &all[k]
		if i.node == "" {
			i.node = cloud.TagValue(i.Tags, identity.Node)
		}
		if i.node != "" {
			continue
		}
		t := cloud.TagValue(i.Tags, identity.Launch)
		if byToken == nil {
			byToken = map[string][]*serving{}
		}
		if byToken[t] == nil {
			tokens = append(tokens, t)
		}
		byToken[t] = append(byToken[t], i)
	}
	for _, t := range tokens {
		f.addLaunch(byToken[t])
	}
	slices.SortFunc(f.Strangers, byID)
	all = slices.DeleteFunc(all, func(i serving) bool { return i.node == "" })
	slices.SortFunc(all, func(a, b serving) int { return cmp.Or(cmp.Compare(a.node, b.node), byID(a.Instance, b.Instance)) })
	f.nodes, f.instances = make([]string, len(all)), make([]*cloud.Instance, len(all))
	for k, i := range all {
		f.nodes[k], f.instances[k] = i.node, i.Instance
	}
	return f
}

// addLaunch maps the instances of one launch, by index or by the order of their ids.
func (f *Fleet) addLaunch(launch []*serving) {
	slices.SortFunc(launch, func(a, b *serving) int { return byID(a.Instance, b.Instance) })
	nodes, err := identity.NodesOf(launch[0].Instance)
	if err != nil {
		for _, i := range launch {
			f.Strangers = append(f.Strangers, i.Instance)
		}
		return
	}
	seen := map[int]bool{}
	indexed := true
	for _, i := range launch {
		indexed = indexed && i.LaunchIndex >= 0 && i.LaunchIndex < len(nodes) && !seen[i.LaunchIndex]
		seen[i.LaunchIndex] = true
	}
	for n, i := range launch {
		switch {
		case indexed:
			i.node = nodes[i.LaunchIndex]
		case len(launch) == len(nodes):
			i.node = nodes[n]
		default:
			f.Strangers = append(f.Strangers, i.Instance)
		}
	}
}

// Of returns the live instances of a node, by id.
func (f *Fleet) Of(node string) []*cloud.Instance {
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
func (f *Fleet) All() []*cloud.Instance {
	return slices.SortedFunc(slices.Values(f.instances), byID)
}

// Claimed returns the nodes with a live instance, sorted as text.
func (f *Fleet) Claimed() []string { return slices.Compact(slices.Clone(f.nodes)) }

// Adopt says for one node which instance may go on serving it (ok), and which
// have to go first. Slurm never accepts a node that registered before its
// power-up, so only what was launched since the node was last suspended and is
// not going away is kept; of several the oldest, which may be booted.
func (f *Fleet) Adopt(node string, suspended env.Time) (keep *cloud.Instance, ok bool, end []*cloud.Instance) {
	all := f.Of(node)
	if len(all) > 1 {
		all = slices.Clone(all)
		slices.SortStableFunc(all, func(a, b *cloud.Instance) int {
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
