package advise

import (
	"cmp"
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

// rank returns all types that serve the job, the best first, and the others.
func (n *need) rank() (choices []Choice, excluded []Exclusion) {
	excluded = make([]Exclusion, 0, len(n.Market.offers))
	for i := range n.Market.offers {
		o := &n.Market.offers[i]
		rule := n.kind(o)
		var f fit
		if rule == fits {
			f, rule = n.lay(o.Type)
		}
		if rule == fits {
			rule = n.coupled(o.Type, f)
		}
		x := Exclusion{Type: &o.Type, Rule: rule, of: n}
		if rule == fits {
			c := Choice{}
			if x.Rule, x.usd = n.choose(&c, o, f); x.Rule == fits {
				choices = append(choices, c)
				continue
			}
			x.with = c.OffSpot
		}
		excluded = append(excluded, x)
	}
	return n.whole(sorted(choices), excluded)
}

// sorted are the choices, the best first. A choice is large: it is moved once.
func sorted(choices []Choice) []Choice {
	order := make([]*Choice, len(choices))
	for i := range choices {
		order[i] = &choices[i]
	}
	slices.SortFunc(order, better)
	out := make([]Choice, len(choices))
	for i, c := range order {
		out[i] = *c
	}
	return out
}

// better orders choices: by cost, then by what the same money buys.
func better(a, b *Choice) int {
	if a.known() != b.known() {
		if a.known() {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(b.Type.Cores, a.Type.Cores), cmp.Compare(b.Type.MemoryMiB, a.Type.MemoryMiB), strings.Compare(a.Type.Name, b.Type.Name))
}

// choose finds the market on which a type serves the job best; usd is what broke
// a limit.
func (n *need) choose(c *Choice, o *offer, f fit) (rule Rule, usd float64) {
	nodes := float64(f.nodes)
	*c = Choice{Type: o.Type, Nodes: f.nodes, TasksPerNode: f.tasks, Price: o.price, Spot: o.spot, Zones: o.zones, of: n}
	rule = NoSpot
	if o.OnDemand && n.Usage != UsageSpot {
		hourly := o.price.USD * nodes
		if rule, usd = n.limited(hourly, hourly*n.hours); rule == fits {
			c.OnDemand, c.Usage = true, UsageOnDemand
			c.HourlyCost, c.Hours, c.Cost = hourly, n.hours, hourly*n.hours
		}
	}
	if !o.Spot || n.Usage == UsageOnDemand {
		c.Spot = catalog.Spot{Interruption: catalog.BandUnknown}
		return rule, usd
	}
	terms := onSpot(o.spot.Interruption, f.nodes, n.hours, n.boot())
	if c.OffSpot = n.unbearable(o, f, terms); c.OffSpot != "" {
		if rule == NoSpot {
			rule = OffSpot
		}
		return rule, usd
	}
	hourly := cmp.Or(o.spot.USD, o.price.USD) * nodes // spot is never dearer
	cost := hourly * terms.hours
	switch r, v := n.limited(hourly, cost); {
	case r != fits && !c.OnDemand:
		return r, v
	case r == UnknownPrice, o.spot.USD == 0 && c.OnDemand:
		c.OffSpot = "the price there is not known"
	case r != fits:
		c.OffSpot = "with the time that is lost to restarts it would cost too much"
	case c.OnDemand && cost >= c.Cost && c.known():
		c.OffSpot = "spot would not be cheaper"
	default:
		c.Usage, c.HourlyCost, c.Hours, c.Cost, c.Loss = UsageSpot, hourly, terms.hours, cost, terms.loss
	}
	return fits, 0
}

// limited judges a cost, by the hour and in all, against the limits.
func (n *need) limited(hourly, cost float64) (Rule, float64) {
	switch most := n.Policy.MaxCostPerHour; {
	case hourly == 0 && n.hourly > 0 && !n.Policy.UnknownPrice:
		return UnknownPrice, 0
	case most > 0 && hourly > most:
		return OverHourly, hourly
	case n.Budget > 0 && cost > n.Budget:
		return OverBudget, cost
	}
	return fits, 0
}

// whole leaves out the smaller sizes of a family that cost what a larger one
// does: the whole machine is there for the same money (hpc7a).
func (n *need) whole(choices []Choice, excluded []Exclusion) ([]Choice, []Exclusion) {
	kept := choices[:0]
	families := map[string][]int{} // where in kept, so that a choice meets its own family alone
	for i := range choices {
		c := choices[i]
		family := c.Type.Family()
		larger := slices.IndexFunc(families[family], func(at int) bool {
			k := &kept[at]
			return k.Price.USD == c.Price.USD && c.known() && k.Usage == c.Usage && k.Nodes <= c.Nodes &&
				k.Type.Cores > c.Type.Cores && k.Type.MemoryMiB >= c.Type.MemoryMiB
		})
		if larger < 0 {
			families[family] = append(families[family], len(kept))
			kept = append(kept, c)
			continue
		}
		excluded = append(excluded, Exclusion{Type: &c.Type, Rule: SamePrice, of: n, with: kept[families[family][larger]].Type.Name})
	}
	slices.SortFunc(excluded, func(a, b Exclusion) int { return strings.Compare(a.Type.Name, b.Type.Name) })
	return kept, excluded
}

// How many types a plan lists: on spot EC2 asks for ten or more (EC2 User Guide,
// best practices for spot), a gang is launched of one type at a time, and the
// others are what is tried when there is none of it.
const (
	listedSpot     = 10
	listedOnDemand = 5
)

// How much more than the best a type of the plan may cost on demand. The next
// size of a family costs twice as much: on spot it may stand in.
const (
	likeOnDemand = 1.5
	likeSpot     = 2
)

// like reports whether a type is of a size with the best, by what it costs on
// demand. On spot, where prices differ more, it must not cost more than the best
// does on demand, which is what is left without it.
func (n *need) like(best, c *Choice) bool {
	switch {
	case best.Price.USD == 0 || c.Price.USD == 0:
		return c.Cost <= likeOnDemand*best.Cost
	case c.Usage == UsageOnDemand:
		return c.Price.USD <= likeOnDemand*best.Price.USD
	}
	return c.Price.USD <= likeSpot*best.Price.USD && c.HourlyCost <= best.Price.USD*float64(best.Nodes)
}

// list marks the types of the plan: those like the best, on its market, for as
// many nodes; and keeps of the others why they are not in it.
func (n *need) list(choices []Choice) {
	best := choices[0]
	limit := listedOnDemand
	if best.Usage == UsageSpot {
		limit = listedSpot
	}
	listed := 0
	otherNodes := fmt.Sprintf("not in the plan, which is for %s", counted(best.Nodes, "node"))
	otherMarket := "not in the plan, which buys " + market(best.Usage)
	full := fmt.Sprintf("not in the plan, which names %d", limit)
	for i := range choices {
		c := &choices[i]
		why := ""
		switch {
		case c.Usage != best.Usage:
			why = otherMarket
		case c.Nodes != best.Nodes:
			why = otherNodes
		case c.known() != best.known():
			why = "not in the plan: its price is not known"
		case i > 0 && !n.like(&best, c):
			why = "not in the plan: it is dearer than what can stand in for the first"
		case !slices.ContainsFunc(c.Type.Archs, func(a string) bool { return slices.Contains(best.Type.Archs, a) }):
			why = "not in the plan: it is of another architecture than the first"
		case listed == limit:
			why = full
		default:
			c.Listed = true
			listed++
		}
		c.place, c.unlisted = i, why
	}
}

// efa reports whether a choice's plan asks for EFA.
func (n *need) efa(c *Choice) bool { return n.EFARequired || n.wants && c.Nodes > 1 }

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
	fmt.Fprintf(&b, ", %s for %s", n.cpuWords(c.Type), counted(c.TasksPerNode, "task"))
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
	if n.efa(c) {
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
