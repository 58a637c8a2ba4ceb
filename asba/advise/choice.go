package advise

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
)

// Choice is a type that serves the job.
type Choice struct {
	Type catalog.Type
	// Nodes is how many of them the job takes, TasksPerNode the most tasks on one.
	Nodes, TasksPerNode int
	// Usage is the market on which the type is best.
	Usage string
	// Cost is what the job is expected to cost there, in USD, restarts included;
	// HourlyCost is that of all nodes. Both are 0 where no price is known.
	Cost, HourlyCost float64
	// Hours is how long the job is expected to hold its nodes, Loss the chance
	// that it loses one of them, 0 on demand.
	Hours, Loss float64
	// Price is on demand, of one instance; of USD 0 where it is not known.
	Price catalog.Price
	// Spot is the usual market; of USD 0 where nothing is known, or there is none.
	Spot catalog.Spot
	// OffSpot says why the job is not put on spot, "" where it may be.
	OffSpot string
	// OnDemand reports whether the type may be had on demand within the limits.
	OnDemand bool
	Zones    []catalog.Zone
	// Listed is a type of the plan.
	Listed bool

	of       *need
	place    int    // from 0, the best
	unlisted string // why it is not in the plan
}

// Reason says in a sentence what the type costs and why it is where it is.
func (c *Choice) Reason() string { return c.of.reason(c) }

// known reports whether a choice has a price.
func (c Choice) known() bool { return c.HourlyCost > 0 }

// choice is a candidate as people see it.
func (n *need) choice(c *candidate) Choice {
	o := &n.Market.offers[c.offer]
	x := Choice{
		Type: o.Type, Nodes: c.nodes, TasksPerNode: c.tasks, Usage: UsageOnDemand, Cost: c.cost, HourlyCost: c.hourly, Hours: c.hours, Loss: c.loss,
		Price: o.price, Spot: o.spot, OffSpot: n.offSpot(c), OnDemand: c.onDemand, Zones: o.zones, of: n,
	}
	if c.spot {
		x.Usage = UsageSpot
	}
	if !o.Spot || n.Usage == UsageOnDemand {
		x.Spot = catalog.Spot{Interruption: catalog.BandUnknown}
	}
	return x
}

// again is the need by itself: an advice may be shared.
func (n *need) again() *need {
	own := *n
	own.asked = map[string]bool{}
	return &own
}

// ranked are the candidates, the best first.
func (n *need) ranked() ([]candidate, []Rule) {
	serve, why := n.rank(new(paper))
	slices.SortFunc(serve, func(a, b candidate) int { return n.better(&a, &b) })
	return serve, why
}

// Choices are all types that serve the job, the best first. Those that are in the
// plan are Listed. They are made anew at each call.
func (a Advice) Choices() []Choice {
	if a.of == nil {
		return nil
	}
	n := a.of.again()
	serve, _ := n.ranked()
	choices := make([]Choice, len(serve))
	for i := range serve {
		choices[i] = n.choice(&serve[i])
	}
	if len(choices) > 0 {
		n.list(serve, choices)
	}
	return choices
}

// Excluded are all other types, by name; none where they were not looked at. They
// are made anew at each call.
func (a Advice) Excluded() []Exclusion {
	if a.of == nil {
		return nil
	}
	n := a.of.again()
	serve, why := n.ranked()
	excluded := make([]Exclusion, 0, len(why)-len(serve))
	for i, rule := range why {
		if rule != fits {
			excluded = append(excluded, n.excluded(i, rule, serve))
		}
	}
	return excluded
}

// list marks the types of the plan: those that can stand in for the best; and
// keeps of the others why they are not in it.
func (n *need) list(serve []candidate, choices []Choice) {
	best, limit, listed := &serve[0], serve[0].listed(), 0
	words := [...]string{
		otherMarket:  "not in the plan, which buys " + market(choices[0].Usage),
		otherNodes:   fmt.Sprintf("not in the plan, which is for %s", counted(best.nodes, "node")),
		priceUnknown: "not in the plan: its price is not known",
		dearer:       "not in the plan: it is dearer than what can stand in for the first",
		otherArch:    "not in the plan: it is of another architecture than the first",
	}
	full := fmt.Sprintf("not in the plan, which names %d", limit)
	for i := range choices {
		c := &choices[i]
		c.place, c.unlisted = i, words[n.apart(best, &serve[i])]
		switch {
		case c.unlisted != "":
		case listed == limit:
			c.unlisted = full
		default:
			c.Listed = true
			listed++
		}
	}
}

// reason is the sentence about a choice.
func (n *need) reason(c *Choice) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", times(c.Nodes, c.Type.Name), market(c.Usage))
	switch {
	case !c.known():
		b.WriteString("its price is not known")
	case n.job.TimeLimit > 0:
		fmt.Fprintf(&b, "%s USD for %s", usd(c.Cost), span(time.Duration(c.Hours*float64(time.Hour))))
	default:
		fmt.Fprintf(&b, "%s USD an hour", usd(c.HourlyCost))
	}
	fmt.Fprintf(&b, ", %s for %s", n.cpuWords(&c.Type), counted(c.TasksPerNode, "task"))
	if n.cpus > 1 {
		fmt.Fprintf(&b, " of %s", counted(n.cpus, "CPU"))
	}
	if c.Nodes > 1 {
		b.WriteString(" on each")
	}
	fmt.Fprintf(&b, ", %s of memory", gib(c.Type.MemoryMiB))
	if n.job.wantsGPUs() || n.Bounds.GPUs.Least > 0 {
		fmt.Fprintf(&b, ", %s", counted(c.Type.GPUs, c.Type.GPUModel+" GPU"))
	}
	if n.efa(c.Nodes) {
		fmt.Fprintf(&b, ", EFA at %s Gbit/s", number(c.Type.GbpsAtMost()))
	}
	switch {
	case c.Usage == UsageSpot && c.Spot.Interruption != catalog.BandUnknown:
		fmt.Fprintf(&b, "; %s of its instances are taken back in a month, a chance of %s for this job", c.Spot.Interruption, percent(c.Loss))
	case c.Usage == UsageSpot:
		fmt.Fprintf(&b, "; how often its instances are taken back is not known, a chance of %s is counted", percent(c.Loss))
	case c.OffSpot != "" && c.place == 0:
		b.WriteString("; not on spot: " + c.OffSpot)
	}
	if c.unlisted != "" {
		b.WriteString("; " + c.unlisted)
	}
	return b.String()
}
