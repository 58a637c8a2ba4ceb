package lint

import (
	"cmp"
	"fmt"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// Nodes returns how many nodes a plan is for, as far as it says: its
// instance_count, else as many as its processes need, else 0. Processes go by
// processes_per_node, else by the vCPUs of the largest type the catalogue
// knows: the fewest nodes that can hold them.
func Nodes(p *plan.Plan, c *catalog.Catalog) int {
	if p.InstanceCount.Given {
		return p.InstanceCount.Value
	}
	each := processesEach(p, c)
	if each <= 0 || p.ProcessCount.Value <= 0 {
		return 0
	}
	return 1 + (p.ProcessCount.Value-1)/each // no sum that could overflow
}

// processesEach is how many processes one node holds, 0 where nothing says.
func processesEach(p *plan.Plan, c *catalog.Catalog) int {
	if p.ProcessesPerNode.Value > 0 || c == nil {
		return p.ProcessesPerNode.Value
	}
	most := 0
	for _, name := range p.InstanceTypes.Value {
		if t, ok := c.Type(name); ok {
			most = max(most, t.VCPUs)
		}
	}
	return most
}

// spreadLimit is how many instances of a spread placement group EC2 runs in
// one zone.
const spreadLimit = 7

// nodes judges what depends on how many nodes there are.
func (l *linter) nodes() {
	p := l.plan
	l.processes()
	nodes := cmp.Or(l.Nodes, p.InstanceCount.Value)
	if nodes == 0 && l.Catalog != nil {
		nodes = Nodes(p, l.Catalog)
	}
	if n := p.InstanceCount; n.Given && n.Value != nodes {
		l.Add(rule.Count, n.At, fmt.Sprintf("the plan is for %d instances, but there are %d nodes", n.Value, nodes), "the nodes count", replace(n.At, nodes)...)
	}
	if zones := l.spreadZones(); p.Placement.Value == plan.Spread && zones > 0 && nodes > spreadLimit*zones {
		way := "write cluster, partition or none"
		if !l.inOneZone() {
			way += ", or name more zones"
		}
		l.Add(rule.Spread, p.Placement.At, fmt.Sprintf("a spread placement group holds %d instances in a zone, not %d nodes in %d", spreadLimit, nodes, zones), way)
	}
}

// inOneZone reports whether all nodes have to be in one zone: EFA does not reach
// across zones, and a gang is launched in one call for one zone.
func (l *linter) inOneZone() bool {
	p := l.plan
	return p.SingleAZ.Value || p.RequiresEFA.Value || p.Gang.Value
}

// spreadZones is how many zones the nodes may be in, 0 where nothing says.
func (l *linter) spreadZones() int {
	if l.inOneZone() {
		return 1
	}
	zones := map[string]bool{}
	for _, zone := range l.plan.AZs.Value {
		zones[zone] = true
	}
	return len(zones)
}

// processes judges whether they have room: in the plan's own terms, where it is
// an error, and on the nodes that there are, where a plan may have been meant
// for more.
func (l *linter) processes() {
	p := l.plan
	if p.Gang.Value && !p.ProcessCount.Given {
		at := p.Gang.At
		l.Add(rule.NoProcesses, at, "a gang without a process_count: nobody can check that its processes have room", "write how many processes the job starts as process_count")
		return
	}
	each := processesEach(p, l.Catalog)
	if !p.ProcessCount.Given || each <= 0 {
		return
	}
	what := "processes_per_node is " + fmt.Sprint(each)
	if !p.ProcessesPerNode.Given {
		what = fmt.Sprintf("the largest type has %d vCPUs", each)
	}
	room := func(nodes int) bool { return nodes <= 0 || (p.ProcessCount.Value-1)/each < nodes }
	switch n := p.InstanceCount; {
	case n.Given && !room(n.Value):
		wanted := 1 + (p.ProcessCount.Value-1)/each
		fix := replace(n.At, wanted)
		if l.Nodes > 0 && l.Nodes != wanted {
			fix = nil // these nodes are what there is
		}
		l.Add(rule.Processes, p.ProcessCount.At, fmt.Sprintf("%d processes have no room on %d instances: %s", p.ProcessCount.Value, n.Value, what),
			fmt.Sprintf("write %d as the instance_count, larger types, or fewer processes", wanted), fix...)
	case !room(l.Nodes):
		l.Add(rule.TooFewNodes, p.ProcessCount.At, fmt.Sprintf("%d processes have no room on %d nodes: %s", p.ProcessCount.Value, l.Nodes, what), "ask for more nodes, larger types, or fewer processes")
	}
}
