package advise

import (
	"fmt"
	"path"
	"slices"
	"strconv"

	"aws-slurm-burst/asba/catalog"
)

// memoryShare is how much of a type's memory a job can have: the rest is the
// kernel's and the system's. AWS ParallelCluster declares as much to Slurm (User
// Guide, memory-based scheduling).
const memoryShare = 0.95

// usable is the memory of a type that jobs can have, in MiB.
func usable(t *catalog.Type) int { return int(memoryShare * float64(t.MemoryMiB)) }

// need is what a job needs of a type, and what the options let it have.
type need struct {
	Options
	job Job

	cpus, tasks  int // of a task, and in all
	least, most  int // nodes
	nodeGPUs     int
	taskGPUs     int
	jobGPUs      int
	tight, wants bool // whether the job is Tight, and EFA is wanted for several nodes
	// hourly is the lowest limit by the hour, 0 for none.
	hourly float64
	hours  float64 // how long the job is counted to run

	// What is the same for every type that is looked at.
	bits     uint64          // of the image's architectures, as the market has them
	models   []string        // of GPUs
	asked    map[string]bool // whether a model of EC2's is all of these
	bounded  bool
	features constraint
	last     [bands]struct { // what spot means, by the band, for so many nodes
		nodes int
		spotTerms
	}
}

func (n *need) archs() []string {
	if len(n.Archs) == 0 {
		return []string{"x86_64"}
	}
	return n.Archs
}

// models are the GPUs that a job names, each once.
func (j Job) models() []string {
	var out []string
	for _, g := range j.GPUs {
		if g.Model != "" && !slices.Contains(out, g.Model) {
			out = append(out, g.Model)
		}
	}
	return out
}

// isAsked reports whether a model of EC2's is what the job asks for.
func (n *need) isAsked(model string) bool {
	if len(n.models) == 0 {
		return true
	}
	is, known := n.asked[model]
	if !known {
		is = !slices.ContainsFunc(n.models, func(m string) bool { return !isModel(m, model) })
		n.asked[model] = is
	}
	return is
}

// mostNodes is how many nodes a cluster can have: more than that asba/protocol
// does not take either.
const mostNodes = 1 << 16

// nodeLimit is the most nodes that the job, the policy and Slurm allow.
func (n *need) nodeLimit() int {
	limit := mostNodes
	for _, l := range []int{n.Policy.MaxNodes, n.most} {
		if l > 0 {
			limit = min(limit, l)
		}
	}
	return limit
}

// cpusOf is how many of the job's CPUs a node of a type has. Where Slurm's own
// line for the nodes is known, Slurm counts by it; else each CPU is a core,
// unless the job said that threads will do.
func (n *need) cpusOf(t *catalog.Type) int {
	switch {
	case n.Line != nil && n.Line.CPUs > 0 && !n.job.OneThread:
		return n.Line.CPUs
	case n.Line != nil && n.Line.CPUs > 0:
		return min(t.Cores, n.Line.CPUs)
	case n.threads():
		return t.VCPUs
	}
	return t.Cores
}

func (n *need) threads() bool { return n.job.Threads && !n.job.OneThread }

// cpuWords says what cpusOf counts.
func (n *need) cpuWords(t *catalog.Type) string {
	if c := n.cpusOf(t); c > t.Cores {
		return counted(c, "thread")
	}
	return counted(n.cpusOf(t), "core")
}

// onOne is how many tasks a node has to hold, where the job's nodes are all that
// it may have.
func (n *need) onOne() int {
	if n.job.TasksPerNode > 0 {
		return min(n.job.TasksPerNode, n.tasks)
	}
	if n.most > 0 {
		return 1 + (n.tasks-1)/n.most
	}
	return 1
}

func (n *need) wantsCPUs() string {
	out := strconv.Itoa(max(n.onOne()*n.cpus, n.job.MinCPUs)) + " on a node"
	if n.job.MinCores > 1 {
		out += fmt.Sprintf(", of %s at least", counted(n.job.MinCores, "core"))
	}
	if n.job.ThreadsPerCore > 1 {
		out += fmt.Sprintf(", of %s each", counted(n.job.ThreadsPerCore, "thread"))
	}
	return out
}

func (n *need) wantsMemory() string {
	if n.job.MemoryPerNodeMiB > 0 {
		return gib(n.job.MemoryPerNodeMiB)
	}
	return gib(n.memory(n.onOne()))
}

// memory is what so many tasks need on one node, in MiB.
func (n *need) memory(tasks int) int {
	switch {
	case n.job.MemoryPerCPUMiB > 0:
		return tasks * n.cpus * n.job.MemoryPerCPUMiB
	case n.job.MemoryPerGPUMiB > 0:
		return max(n.nodeGPUs, tasks*n.taskGPUs, min(1, n.jobGPUs)) * n.job.MemoryPerGPUMiB
	}
	return n.job.MemoryPerNodeMiB
}

// kind judges what a type is, whatever its size.
func (n *need) kind(o *offer) Rule {
	asked := len(n.Allow) > 0 && matched(n.Allow, o.Name) || len(n.features.words) > 0 && n.features.meets(o)
	switch {
	case len(n.Deny) > 0 && matched(n.Deny, o.Name):
		return Denied
	case len(n.Allow) > 0 && !matched(n.Allow, o.Name):
		return NotAllowed
	case n.features.chooses() && !n.features.meets(o):
		return Constrained
	case n.bits&o.archs == 0:
		return WrongArch
	case o.elsewhere, len(n.Zones) > 0 && !inZones(o, n.Zones):
		return NotOffered
	case o.other && !asked:
		return Accelerated
	case !o.OnDemand && !o.Spot:
		return NotForSale
	case o.previous && !asked && !n.Previous && len(n.models) == 0: // who names a GPU asks for its generation
		return Previous
	case o.bursts && !asked && !n.Burstable:
		return Burstable
	case o.metal && !asked && !n.BareMetal:
		return Metal
	case n.Line != nil && !n.Line.Fits(o.Type):
		return NodeLine
	case n.bounded && n.Bounds.outside(o.Type):
		return OutOfBounds
	}
	return n.gpus(o, asked)
}

func (n *need) gpus(o *offer, asked bool) Rule {
	switch wanted := n.nodeGPUs+n.taskGPUs+n.jobGPUs > 0; {
	case !wanted && (o.GPUs == 0 || asked || n.Bounds.GPUs.Least > 0):
		return fits
	case !wanted:
		return IdleGPUs
	case o.GPUs == 0:
		return NoGPUs
	case !n.isAsked(o.GPUModel):
		return OtherGPUs
	case o.part && !asked:
		return PartGPUs
	case o.GPUs < max(n.nodeGPUs, n.taskGPUs):
		return FewGPUs
	}
	return fits
}

// lay finds the fewest nodes of an offer on which the job fits.
func (n *need) lay(c *candidate, o *offer) Rule {
	cpus, onOne := n.cpusOf(&o.Type), n.onOne()
	room := cpus / n.cpus
	if room < onOne || cpus < n.job.MinCPUs || o.Cores < n.job.MinCores || n.job.ThreadsPerCore > 1 && o.VCPUs < n.job.ThreadsPerCore*o.Cores {
		return FewCPUs
	}
	if n.job.TasksPerNode > 0 {
		room = min(room, n.job.TasksPerNode)
	}
	if n.taskGPUs > 0 {
		if room = min(room, o.GPUs/n.taskGPUs); room < onOne {
			return FewGPUs
		}
	}
	for room > 0 && n.memory(room) > usable(&o.Type) {
		if each := n.memory(2) - n.memory(1); each > 0 {
			room = min(room-1, usable(&o.Type)/each)
		} else {
			room = 0
		}
	}
	if room < onOne {
		return LittleMemory
	}
	c.nodes = max(n.least, 1+(n.tasks-1)/room)
	if n.jobGPUs > 0 {
		c.nodes = max(c.nodes, 1+(n.jobGPUs-1)/o.GPUs)
	}
	if c.nodes > n.nodeLimit() {
		return ManyNodes
	}
	c.tasks = 1 + (n.tasks-1)/c.nodes
	return fits
}

// coupled judges the network that a Tight job of several nodes needs.
func (n *need) coupled(c *candidate, o *offer) Rule {
	switch {
	case n.EFARequired && o.EFA == 0:
		return NoEFA
	case !n.tight || c.nodes < 2:
		return fits
	case n.wants && o.EFA == 0:
		return NoEFA
	case !o.Cluster:
		return NoCluster
	}
	return fits
}

func inZones(o *offer, zones []string) bool {
	return slices.ContainsFunc(o.zones, func(z catalog.Zone) bool {
		return slices.Contains(zones, z.ID) || z.Name != "" && slices.Contains(zones, z.Name)
	})
}

// matched reports whether one of some globs matches a type's name. A glob that
// cannot be read matches nothing: CheckGlobs refuses it.
func matched(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		ok, err := path.Match(g, name)
		return ok && err == nil
	})
}

// CheckGlobs says which of some globs cannot be read.
func CheckGlobs(globs []string) error {
	for _, g := range globs {
		if _, err := path.Match(g, "c6i.large"); err != nil {
			return fmt.Errorf("%q is no pattern for types (write c6i.*, or *.metal)", g)
		}
	}
	return nil
}
