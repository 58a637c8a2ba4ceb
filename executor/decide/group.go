package decide

import (
	"slices"
	"strings"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/hostlist"
)

// Job is a job that waits for nodes of a call.
type Job struct {
	ID string
	// Resume are its nodes in this call, Alloc all of its nodes as far as they
	// are known.
	Resume, Alloc []string
	// Plan is the job's own, nil for none. Jobs with the same plan hold the
	// same one, and may be launched together.
	Plan *plan.Plan
}

// Size is how many nodes the job has in all, as far as they are known.
func (j Job) Size() int {
	all := append(slices.Clone(j.Resume), j.Alloc...)
	hostlist.Sort(all)
	return len(hostlist.Unique(all))
}

// Group is a set of nodes that is launched together: the nodes of a job, or
// nodes without one. All of its nodes belong to one node group of the
// configuration.
type Group struct {
	// Jobs are the ids of the jobs that want these nodes; empty for nodes that
	// nobody told us a job for.
	Jobs []string
	// Nodes are those of this call, in Slurm's order; Outside are the jobs'
	// other nodes, which are up already or come in another call.
	Nodes, Outside []string
	// Multi says that some job has more than one node: a gang, unless the plan
	// or the configuration says otherwise.
	Multi bool
	Site  *config.NodeGroup
	// Plan is nil where the configuration decides alone.
	Plan *plan.Plan
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

// single reports whether the group is of jobs of one node each, none of which
// needs another.
func (g Group) single() bool { return !g.Multi && len(g.Jobs) > 0 }

// Groups sorts the nodes of a call into groups. Jobs that share a node are
// one group, so that the node is launched once, by the plan of the first of
// them that has one; single-node jobs and nodes without a job are put together
// by plan and node group, best effort: none of them needs another.
//
// A plan of the call is that of all of its nodes, whatever jobs have. Nodes
// without a job are then one group that counts as a job.
func Groups(nodes []string, jobs []Job, cfg *config.Config, ofCall *plan.Plan) []Group {
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

	// Jobs of one node: with those that share theirs, or by plan.
	single := map[string][]Job{} // by node
	for _, j := range jobs {
		mine, outside := jobNodes(j, asked)
		if len(mine) == 0 {
			continue
		}
		i, ok := owner[mine[0]]
		alone := len(mine) == 1 && len(outside) == 0
		switch {
		case ok && alone:
			merged[i].take(Group{Jobs: []string{j.ID}})
		case alone:
			single[mine[0]] = append(single[mine[0]], j)
		}
		if ok && merged[i].Plan == nil {
			merged[i].Plan = j.Plan
		}
	}
	rest := []Group{{Multi: ofCall != nil && len(jobs) == 0 && len(nodes) > 1}} // without a plan
	with := map[*plan.Plan]int{}
	for _, n := range nodes {
		if _, ok := owner[n]; ok {
			continue
		}
		var p *plan.Plan
		var ids []string
		for _, j := range single[n] {
			ids = append(ids, j.ID)
			if p == nil {
				p = j.Plan
			}
		}
		i, ok := with[p]
		if !ok && p != nil {
			i = len(rest)
			with[p] = i
			rest = append(rest, Group{Plan: p})
		}
		rest[i].take(Group{Jobs: ids, Nodes: []string{n}})
	}

	var out []Group
	for _, g := range append(merged, rest...) {
		if len(g.Nodes) == 0 {
			continue
		}
		if ofCall != nil {
			g.Plan = ofCall
		}
		out = append(out, split(g, cfg)...)
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
	for _, n := range hostlist.Unique(g.Nodes) {
		ng, _ := cfg.GroupOf(n)
		i, ok := at[ng]
		if !ok {
			i = len(out)
			at[ng] = i
			out = append(out, Group{Jobs: g.Jobs, Multi: g.Multi, Site: ng, Plan: g.Plan})
		}
		out[i].Nodes = append(out[i].Nodes, n)
	}
	for i := range out {
		outside := slices.Clone(g.Outside)
		// A job over several node groups: the other parts are members too.
		for k := range out {
			if k != i {
				outside = append(outside, out[k].Nodes...)
			}
		}
		hostlist.Sort(outside)
		out[i].Outside = slices.DeleteFunc(hostlist.Unique(outside), func(n string) bool { return slices.Contains(out[i].Nodes, n) })
	}
	return out
}
