package advise

import (
	"fmt"
	"strings"

	"aws-slurm-burst/asba/catalog"
)

// Rule is why a type is left out.
type Rule uint8

// Of several the first is told, in this order: the later a rule, the nearer a
// type has come.
const (
	fits Rule = iota
	Denied
	NotAllowed
	Constrained
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
	rules // how many there are
)

var ruleWords = [rules]string{
	Denied: "denied", NotAllowed: "not-allowed", Constrained: "constraint", NotOffered: "not-offered", WrongArch: "architecture", Accelerated: "accelerator",
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

// excluded is the exclusion of an offer, by the rule that it was left out for.
func (n *need) excluded(at int, rule Rule, choices []candidate) Exclusion {
	o := &n.Market.offers[at]
	x := Exclusion{Type: &o.Type, Rule: rule, of: n}
	if rule < OffSpot {
		return x
	}
	c := candidate{offer: at} // anew: of those that are left out nothing is kept
	_ = n.lay(&c, o)
	_, x.usd = n.choose(&c, o)
	if rule == OffSpot {
		x.with = n.offSpot(&c)
	}
	for i := range choices { // the best first
		if k := &choices[i]; rule == SamePrice && n.replaces(k, &c) {
			x.with = n.Market.offers[k.offer].Name
			break
		}
	}
	return x
}

// Why says it in a sentence that begins with the type.
func (x Exclusion) Why() string {
	t, n := x.Type, x.of
	switch x.Rule {
	case Denied:
		return t.Name + " is denied"
	case NotAllowed:
		return t.Name + " is not among the types that are allowed"
	case Constrained:
		return fmt.Sprintf("%s is not what the job's nodes have to be (--constraint=%s)", t.Name, brief(n.job.Constraint))
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
		return n.Line.Misfit(*t)
	case FewCPUs:
		return fmt.Sprintf("%s has %s, the job needs %s", t.Name, n.cpuWords(t), n.wantsCPUs())
	case LittleMemory:
		return fmt.Sprintf("%s leaves jobs %s of memory, the job needs %s", t.Name, gib(usable(t)), n.wantsMemory())
	case NoGPUs:
		return t.Name + " has no GPU"
	case OtherGPUs:
		return fmt.Sprintf("%s has %s GPUs, the job asks for %s", t.Name, t.GPUModel, strings.Join(n.models, " and "))
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
		if n.Budget == 0 || n.Budget > mostUSD {
			return fmt.Sprintf("%s comes to %s USD, and a plan is for at most %.0f", t.Name, usd(x.usd), mostUSD)
		}
		return fmt.Sprintf("%s comes to %s USD, over the budget of %s", t.Name, usd(x.usd), usd(n.Budget))
	case OutOfBounds:
		return t.Name + " is outside " + n.Bounds.String()
	case SamePrice:
		return fmt.Sprintf("%s costs what %s does, which has more cores", t.Name, x.with)
	}
	return t.Name
}
