package decide

import (
	"slices"
	"strings"

	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/hostlist"
)

// Job is a job that waits for nodes of a call.
type Job struct {
	ID string
	// Resume are its nodes in this call, Alloc all of its nodes as far as they
	// are known.
	Resume, Alloc []string
}

// Group is a set of nodes that is launched together: the nodes of a job, or
// nodes without one. All of its nodes belong to one node group of the
// configuration.
type Group struct {
	// Jobs are the ids of the jobs that want these nodes, in the order of the
	// resume file; empty for nodes that nobody told us a job for.
	Jobs []string
	// Nodes are those of this call, in Slurm's order; Outside are the jobs'
	// other nodes, which are up already or come in another call.
	Nodes, Outside []string
	// Multi says that some job has more than one node: a gang, unless the plan
	// or the configuration says otherwise.
	Multi bool
	Site  *config.NodeGroup
}

// Name names the group in random streams.
func (g Group) Name() string {
	if len(g.Jobs) > 0 {
		return "job-" + strings.Join(g.Jobs, "+")
	}
	return "nodes-" + g.Site.Name
}

// Size is how many nodes the group's jobs have in all.
func (g Group) Size() int { return len(g.Nodes) + len(g.Outside) }

// Groups sorts the nodes of a call into groups. Jobs that share a node are
// one group, so that the node is launched once; single-node jobs and nodes
// without a job are put together by node group, best effort: none of them
// needs another.
//
// whole puts the nodes without a job into one group that counts as a job: an
// explicit plan speaks of all nodes of the call.
func Groups(nodes []string, jobs []Job, cfg *config.Config, whole bool) []Group {
	asked := map[string]bool{}
	for _, n := range nodes {
		asked[n] = true
	}
	owner := map[string]int{} // node -> index in merged
	var merged []Group
	for _, j := range jobs {
		mine, outside := jobNodes(j, asked)
		if len(mine) == 0 || len(mine)+len(outside) < 2 {
			continue
		}
		// Join the first group that shares a node, and take in the others.
		at := -1
		for _, n := range mine {
			i, shared := owner[n]
			if !shared || i == at {
				continue
			}
			if at < 0 {
				at = i
				continue
			}
			merged[at].take(merged[i])
			for _, n := range merged[i].Nodes {
				owner[n] = at
			}
			merged[i] = Group{}
		}
		if at < 0 {
			at = len(merged)
			merged = append(merged, Group{Multi: true})
		}
		fresh := slices.DeleteFunc(mine, func(n string) bool { _, owned := owner[n]; return owned })
		merged[at].take(Group{Jobs: []string{j.ID}, Nodes: fresh, Outside: outside})
		for _, n := range fresh {
			owner[n] = at
		}
	}

	var out []Group
	for _, g := range merged {
		if len(g.Nodes) > 0 {
			out = append(out, split(g, cfg)...)
		}
	}
	single := map[string]string{} // node -> job of one node
	for _, j := range jobs {
		if mine, outside := jobNodes(j, asked); len(mine) == 1 && len(outside) == 0 && single[mine[0]] == "" {
			single[mine[0]] = j.ID
		}
	}
	rest := Group{Multi: whole && len(nodes) > 1}
	for _, n := range nodes {
		if _, ok := owner[n]; ok {
			continue
		}
		rest.Nodes = append(rest.Nodes, n)
		if id := single[n]; id != "" { // of a job of one node: listed once
			rest.Jobs = append(rest.Jobs, id)
			rest.Multi = false
		}
	}
	if len(rest.Nodes) > 0 {
		out = append(out, split(rest, cfg)...)
	}
	return out
}

// take adds another group's jobs and nodes.
func (g *Group) take(h Group) {
	g.Jobs = append(g.Jobs, h.Jobs...)
	g.Nodes = append(g.Nodes, h.Nodes...)
	g.Outside = append(g.Outside, h.Outside...)
}

// jobNodes returns the nodes of a job that this call asks for, and its others.
func jobNodes(j Job, asked map[string]bool) (mine, outside []string) {
	for _, n := range j.Resume {
		if asked[n] {
			mine = append(mine, n)
		}
	}
	in := map[string]bool{}
	for _, n := range mine {
		in[n] = true
	}
	for _, n := range j.Alloc {
		if !in[n] {
			outside = append(outside, n)
		}
	}
	return mine, outside
}

// split cuts a group by node group, since each has its own subnets and images.
func split(g Group, cfg *config.Config) []Group {
	var out []Group
	at := map[*config.NodeGroup]int{}
	hostlist.Sort(g.Nodes)
	hostlist.Sort(g.Outside)
	for _, n := range hostlist.Unique(g.Nodes) {
		ng, _ := cfg.GroupOf(n)
		i, ok := at[ng]
		if !ok {
			i = len(out)
			at[ng] = i
			out = append(out, Group{Jobs: g.Jobs, Multi: g.Multi, Site: ng})
		}
		out[i].Nodes = append(out[i].Nodes, n)
	}
	for i := range out {
		for _, n := range hostlist.Unique(g.Outside) {
			if !slices.Contains(out[i].Nodes, n) {
				out[i].Outside = append(out[i].Outside, n)
			}
		}
		// A job over several node groups: the other parts are members too.
		for k := range out {
			if k != i {
				out[i].Outside = append(out[i].Outside, out[k].Nodes...)
			}
		}
	}
	return out
}
