// Package fleet looks at a cluster's live instances and says which node each
// one serves, which may go on serving it, and which has to go. It decides on
// what EC2 and the journal say, and makes no calls.
package fleet

import (
	"cmp"
	"maps"
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
	byNode map[string][]cloud.Instance
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
	mine := make([]cloud.Instance, 0, len(nodes))
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
		mine = append(mine, *i)
	}
	slices.SortFunc(mine, byID)
	return of(mine, placed)
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

// of maps instances, in the order of their ids.
func of(instances []cloud.Instance, placed map[string]string) *Fleet {
	f := &Fleet{byNode: map[string][]cloud.Instance{}}
	var tokens []string
	byToken := map[string][]cloud.Instance{}
	for _, i := range instances {
		if i.State.Ended() {
			continue
		}
		node := cmp.Or(placed[i.ID], i.TagValue(identity.Node))
		if node != "" {
			f.byNode[node] = append(f.byNode[node], i)
			continue
		}
		t := i.TagValue(identity.Launch)
		if byToken[t] == nil {
			tokens = append(tokens, t)
		}
		byToken[t] = append(byToken[t], i)
	}
	for _, t := range tokens {
		f.addLaunch(byToken[t])
	}
	return f
}

// addLaunch maps the instances of one launch by index or by order.
func (f *Fleet) addLaunch(is []cloud.Instance) {
	nodes, err := identity.NodesOf(is[0])
	if err != nil {
		f.Strangers = append(f.Strangers, is...)
		return
	}
	seen := map[int]bool{}
	indexed := true
	for _, i := range is {
		indexed = indexed && i.LaunchIndex >= 0 && i.LaunchIndex < len(nodes) && !seen[i.LaunchIndex]
		seen[i.LaunchIndex] = true
	}
	for n, i := range is { // in the order of their ids
		switch {
		case indexed:
			f.byNode[nodes[i.LaunchIndex]] = append(f.byNode[nodes[i.LaunchIndex]], i)
		case len(is) == len(nodes):
			f.byNode[nodes[n]] = append(f.byNode[nodes[n]], i)
		default:
			f.Strangers = append(f.Strangers, i)
		}
	}
}

// Of returns the live instances of a node, by id.
func (f *Fleet) Of(node string) []cloud.Instance { return f.byNode[node] }

// All returns every instance that serves a node, by id.
func (f *Fleet) All() []cloud.Instance {
	var out []cloud.Instance
	for _, node := range slices.Sorted(maps.Keys(f.byNode)) {
		out = append(out, f.byNode[node]...)
	}
	return sorted(out)
}

// Claimed returns the nodes with a live instance, sorted as text.
func (f *Fleet) Claimed() []string { return slices.Sorted(maps.Keys(f.byNode)) }

// Adopt says for one node which instance may go on serving it (ok), and which
// have to go first. Slurm never accepts a node that registered before its
// power-up, so only what was launched since the node was last suspended and is
// not going away is kept; of several the oldest, which may be booted.
func (f *Fleet) Adopt(node string, suspended env.Time) (keep cloud.Instance, ok bool, end []cloud.Instance) {
	all := f.byNode[node]
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
