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
		g := Group{Jobs: []string{j.ID}, Nodes: mine, Outside: outside, Multi: true}
		// Take in every earlier group that shares a node.
		for i := range merged {
			if slices.ContainsFunc(g.Nodes, func(n string) bool { at, ok := owner[n]; return ok && at == i }) {
				g.Jobs = append(slices.Clone(merged[i].Jobs), g.Jobs...)
				g.Nodes = append(g.Nodes, merged[i].Nodes...)
				g.Outside = append(g.Outside, merged[i].Outside...)
				merged[i] = Group{}
			}
		}
		for _, n := range g.Nodes {
			owner[n] = len(merged)
		}
		merged = append(merged, g)
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
		if id := single[n]; id != "" && !slices.Contains(rest.Jobs, id) {
			rest.Jobs = append(rest.Jobs, id)
			rest.Multi = false
		}
	}
	if len(rest.Nodes) > 0 {
		out = append(out, split(rest, cfg)...)
	}
	return out
}

// jobNodes returns the nodes of a job that this call asks for, and its others.
func jobNodes(j Job, asked map[string]bool) (mine, outside []string) {
	for _, n := range j.Resume {
		if asked[n] {
			mine = append(mine, n)
		}
	}
	for _, n := range j.Alloc {
		if !slices.Contains(mine, n) {
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
