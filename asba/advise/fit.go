package advise

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/catalog"
)

// memoryShare is how much of a type's memory a job can have: the rest is the
// kernel's and the system's. AWS ParallelCluster declares as much to Slurm (User
// Guide, memory-based scheduling).
const memoryShare = 0.95

// usable is the memory of a type that jobs can have, in MiB.
func usable(t catalog.Type) int { return int(memoryShare * float64(t.MemoryMiB)) }

// Rule is why a type is left out.
type Rule int

// Of several the first is told, in this order: the later a rule, the nearer a
// type has come.
const (
	fits Rule = iota
	Denied
	NotAllowed
	WrongArch
	NotOffered
	Accelerated
	NotForSale
	Previous
	Burstable
	Metal
	IdleGPUs
	NodeLine
	OutOfBounds
	NoGPUs
	OtherGPUs
	PartGPUs
	FewGPUs
	FewCPUs
	LittleMemory
	ManyNodes
	NoEFA
	NoCluster
	NoSpot
	OffSpot
	UnknownPrice
	OverHourly
	OverBudget
	SamePrice
)

var ruleWords = map[Rule]string{
	Denied: "denied", NotAllowed: "not-allowed", NotOffered: "not-offered", WrongArch: "architecture", Accelerated: "accelerator",
	NotForSale: "not-for-sale", Previous: "previous-generation", Burstable: "burstable", Metal: "bare-metal", NodeLine: "node-line",
	FewCPUs: "cpus", LittleMemory: "memory", NoGPUs: "gpus", OtherGPUs: "gpu-model", FewGPUs: "gpu-count", PartGPUs: "gpu-part",
	IdleGPUs: "idle-gpus", NoEFA: "efa", NoCluster: "placement", ManyNodes: "nodes", NoSpot: "spot-market", OffSpot: "spot", UnknownPrice: "unknown-price",
	OverHourly: "hourly-limit", OverBudget: "budget", OutOfBounds: "bounds", SamePrice: "same-price",
}

// String returns the rule's word.
func (r Rule) String() string { return ruleWords[r] }

// Exclusion is a type that was left out.
type Exclusion struct {
	Type *catalog.Type
	Rule Rule
	of   *need
	usd  float64 // what it came to, of a limit of money
	with string  // the type that was kept in its place, or a reason
}

// Why says it in a sentence that begins with the type.
func (x Exclusion) Why() string {
	t, n := *x.Type, x.of
	switch x.Rule {
	case Denied:
		return t.Name + " is denied"
	case NotAllowed:
		return t.Name + " is not among the types that are allowed"
	case NotOffered:
		if len(n.Zones) > 0 {
			return fmt.Sprintf("%s is not offered in %s", t.Name, strings.Join(n.Zones, ", "))
		}
		return fmt.Sprintf("%s is not offered in %s", t.Name, n.Market.Region)
	case WrongArch:
		return fmt.Sprintf("%s is %s, the image is %s", t.Name, strings.Join(t.Archs, " and "), strings.Join(n.archs(), " or "))
	case Accelerated:
		return t.Name + " has accelerators that the job does not ask for"
	case NotForSale:
		return t.Name + " is sold neither on demand nor on spot"
	case Previous:
		return t.Name + " is of a previous generation"
	case Burstable:
		return t.Name + " has its whole CPU for a part of the time alone"
	case Metal:
		return t.Name + " is bare metal, which boots slowly"
	case NodeLine:
		return n.Line.Misfit(t)
	case FewCPUs:
		return fmt.Sprintf("%s has %s, the job needs %s", t.Name, n.cpuWords(t), n.wantsCPUs())
	case LittleMemory:
		return fmt.Sprintf("%s leaves jobs %s of memory, the job needs %s", t.Name, gib(usable(t)), n.wantsMemory())
	case NoGPUs:
		return t.Name + " has no GPU"
	case OtherGPUs:
		return fmt.Sprintf("%s has %s GPUs, the job asks for %s", t.Name, t.GPUModel, strings.Join(n.models(), " and "))
	case FewGPUs:
		return fmt.Sprintf("%s has %s, the job needs more on a node", t.Name, counted(t.GPUs, "GPU"))
	case PartGPUs:
		return t.Name + " has a part of a GPU"
	case IdleGPUs:
		return t.Name + " has GPUs that the job does not ask for"
	case NoEFA:
		return t.Name + " has no EFA"
	case NoCluster:
		return t.Name + " cannot join a cluster placement group"
	case ManyNodes:
		return fmt.Sprintf("%s: the job needs more of them than the %s that are allowed", t.Name, counted(n.nodeLimit(), "node"))
	case NoSpot:
		return t.Name + " has no spot market"
	case OffSpot:
		return t.Name + ": " + x.with
	case UnknownPrice:
		return t.Name + " has no known price, and there is a limit to keep"
	case OverHourly:
		return fmt.Sprintf("%s comes to %s USD an hour, over the limit of %s", t.Name, usd(x.usd), usd(n.Policy.MaxCostPerHour))
	case OverBudget:
		return fmt.Sprintf("%s comes to %s USD, over the budget of %s", t.Name, usd(x.usd), usd(n.Budget))
	case OutOfBounds:
		return t.Name + " is outside " + n.Bounds.String()
	case SamePrice:
		return fmt.Sprintf("%s costs what %s does, which has more cores", t.Name, x.with)
	}
	return t.Name
}

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
}

// fit is how a job lies on the nodes of one type.
type fit struct {
	nodes, tasks int // tasks on each node, at most
}

func (n *need) archs() []string {
	if len(n.Archs) == 0 {
		return []string{"x86_64"}
	}
	return n.Archs
}

func (n *need) models() []string {
	var out []string
	for _, g := range n.job.GPUs {
		if g.Model != "" && !slices.Contains(out, g.Model) {
			out = append(out, g.Model)
		}
	}
	return out
}

// nodeLimit is the most nodes that the job or the policy allow, 0 for no limit.
func (n *need) nodeLimit() int {
	if n.Policy.MaxNodes > 0 && (n.most == 0 || n.Policy.MaxNodes < n.most) {
		return n.Policy.MaxNodes
	}
	return n.most
}

// cpusOf is how many of the job's CPUs a node of a type has. Where Slurm's own
// line for the nodes is known, Slurm counts by it; else each CPU is a core,
// unless the job said that threads will do.
func (n *need) cpusOf(t catalog.Type) int {
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
func (n *need) cpuWords(t catalog.Type) string {
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

func (n *need) wantsCPUs() string { return strconv.Itoa(n.onOne()*n.cpus) + " on a node" }

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
	asked := matched(n.Allow, o.Name)
	switch {
	case matched(n.Deny, o.Name):
		return Denied
	case len(n.Allow) > 0 && !asked:
		return NotAllowed
	case !slices.ContainsFunc(n.archs(), func(a string) bool { return slices.Contains(o.Archs, a) }):
		return WrongArch
	case o.elsewhere, len(n.Zones) > 0 && !inZones(o, n.Zones):
		return NotOffered
	case o.other && !asked:
		return Accelerated
	case !o.OnDemand && !o.Spot:
		return NotForSale
	case o.previous && !asked && !n.Previous && len(n.models()) == 0: // who names a GPU asks for its generation
		return Previous
	case o.bursts && !asked && !n.Burstable:
		return Burstable
	case o.metal && !asked && !n.BareMetal:
		return Metal
	case n.Line != nil && n.Line.Misfit(o.Type) != "":
		return NodeLine
	case n.Bounds.outside(o.Type):
		return OutOfBounds
	}
	return n.gpus(o, asked)
}

func (n *need) gpus(o *offer, asked bool) Rule {
	switch models := n.models(); {
	case !n.job.wantsGPUs() && (o.GPUs == 0 || asked || n.Bounds.GPUs.Least > 0):
		return fits
	case !n.job.wantsGPUs():
		return IdleGPUs
	case o.GPUs == 0:
		return NoGPUs
	case slices.ContainsFunc(models, func(m string) bool { return !isModel(m, o.GPUModel) }):
		return OtherGPUs
	case o.part && !asked:
		return PartGPUs
	case o.GPUs < max(n.nodeGPUs, n.taskGPUs):
		return FewGPUs
	}
	return fits
}

// lay finds the fewest nodes of a type on which the job fits.
func (n *need) lay(t catalog.Type) (fit, Rule) {
	room := n.cpusOf(t) / n.cpus
	if room < n.onOne() {
		return fit{}, FewCPUs
	}
	if n.job.TasksPerNode > 0 {
		room = min(room, n.job.TasksPerNode)
	}
	if n.taskGPUs > 0 {
		if room = min(room, t.GPUs/n.taskGPUs); room < n.onOne() {
			return fit{}, FewGPUs
		}
	}
	for room > 0 && n.memory(room) > usable(t) {
		if each := n.memory(2) - n.memory(1); each > 0 {
			room = min(room-1, usable(t)/each)
		} else {
			room = 0
		}
	}
	if room < n.onOne() {
		return fit{}, LittleMemory
	}
	f := fit{nodes: max(n.least, 1+(n.tasks-1)/room)}
	if n.jobGPUs > 0 {
		f.nodes = max(f.nodes, 1+(n.jobGPUs-1)/t.GPUs)
	}
	if limit := n.nodeLimit(); limit > 0 && f.nodes > limit {
		return fit{}, ManyNodes
	}
	f.tasks = 1 + (n.tasks-1)/f.nodes
	return f, fits
}

// coupled judges the network that a Tight job of several nodes needs.
func (n *need) coupled(t catalog.Type, f fit) Rule {
	switch {
	case n.EFARequired && t.EFA == 0:
		return NoEFA
	case !n.tight || f.nodes < 2:
		return fits
	case n.wants && t.EFA == 0:
		return NoEFA
	case !t.Cluster:
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
