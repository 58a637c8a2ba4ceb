package advise

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"aws-slurm-burst/asba/plan"
)

// candidate is an offer that serves the job, with what ranking needs of it. All
// offers of a region are looked at for each job, so that it is small.
type candidate struct {
	offer        int // in Market.offers
	nodes, tasks int // tasks on each node, at most
	// As in Choice.
	cost, hourly, hours, loss float64
	spot, onDemand            bool
	off                       off
}

func (c *candidate) known() bool { return c.hourly > 0 }

// paper is where an advice is worked out. Nothing on it outlives the advice, and
// it is larger than all that does.
type paper struct {
	serve []candidate
	why   []Rule
}

var papers = sync.Pool{New: func() any { return new(paper) }}

// rank returns all offers that serve the job, by name, and for each offer of the
// market the rule that it was left out for.
func (n *need) rank(p *paper) (serve []candidate, why []Rule) {
	why = slices.Grow(p.why[:0], len(n.Market.offers))[:len(n.Market.offers)]
	serve = p.serve[:0]
	defer func() { p.serve, p.why = serve, why }()
	for i := range n.Market.offers {
		o := &n.Market.offers[i]
		c := candidate{offer: i}
		rule := n.kind(o)
		if rule == fits {
			rule = n.lay(&c, o)
		}
		if rule == fits {
			rule = n.coupled(&c, o)
		}
		if rule == fits {
			rule, _ = n.choose(&c, o)
		}
		if why[i] = rule; rule == fits {
			serve = append(serve, c)
		}
	}
	serve = n.whole(serve, why)
	return serve, why
}

// whole leaves out the smaller sizes of a family that cost what a larger one
// does: the whole machine is there for the same money (hpc7a).
func (n *need) whole(serve []candidate, why []Rule) []candidate {
	var small []int
	for i := range serve {
		c := &serve[i]
		for _, at := range n.Market.offers[c.offer].larger {
			k, found := slices.BinarySearchFunc(serve, at, func(k candidate, at int) int { return cmp.Compare(k.offer, at) })
			if found && n.replaces(&serve[k], c) {
				small = append(small, c.offer)
				break
			}
		}
	}
	for _, at := range small {
		why[at] = SamePrice
	}
	if len(small) == 0 {
		return serve
	}
	return slices.DeleteFunc(serve, func(c candidate) bool { return why[c.offer] == SamePrice })
}

// replaces reports whether a candidate is the better one of a smaller size of
// its family that costs the same.
func (n *need) replaces(k, c *candidate) bool {
	return k.spot == c.spot && k.nodes <= c.nodes && c.known() && slices.Contains(n.Market.offers[c.offer].larger, k.offer) && n.better(k, c) < 0
}

// better orders candidates: by cost, then by what the same money buys.
func (n *need) better(a, b *candidate) int {
	switch {
	case a.known() != b.known() && a.known():
		return -1
	case a.known() != b.known():
		return 1
	case a.cost != b.cost:
		return cmp.Compare(a.cost, b.cost)
	}
	s, t := &n.Market.offers[a.offer].Type, &n.Market.offers[b.offer].Type
	return cmp.Or(cmp.Compare(t.Cores, s.Cores), cmp.Compare(t.MemoryMiB, s.MemoryMiB), strings.Compare(s.Name, t.Name))
}

// choose finds the market on which an offer serves the job best; usd is what
// broke a limit.
func (n *need) choose(c *candidate, o *offer) (rule Rule, usd float64) {
	nodes := float64(c.nodes)
	rule = NoSpot
	if o.OnDemand && n.Usage != UsageSpot {
		hourly := o.price.USD * nodes
		if rule, usd = n.limited(hourly, hourly*n.hours); rule == fits {
			c.onDemand = true
			c.hourly, c.hours, c.cost = hourly, n.hours, hourly*n.hours
		}
	}
	if !o.Spot || n.Usage == UsageOnDemand {
		return rule, usd
	}
	terms := n.terms(o.spot.Interruption, c.nodes)
	if c.off = n.unbearable(o, c.nodes, terms.loss); c.off != allowed {
		if rule == NoSpot {
			rule = OffSpot
		}
		return rule, usd
	}
	hourly := cmp.Or(o.spot.USD, o.price.USD) * nodes // spot is never dearer
	cost := hourly * terms.hours
	switch r, v := n.limited(hourly, cost); {
	case r != fits && !c.onDemand:
		return r, v
	case r == UnknownPrice, o.spot.USD == 0 && c.onDemand:
		c.off = spotUnpriced
	case r != fits:
		c.off = spotOverLimit
	case c.onDemand && cost >= c.cost && c.known():
		c.off = spotNoGain
	default:
		c.spot, c.hourly, c.hours, c.cost, c.loss = true, hourly, terms.hours, cost, terms.loss
	}
	return fits, 0
}

// mostUSD is the most that a plan can name.
var mostUSD = plan.KindUSD.Max()

// limited judges a cost, by the hour and in all, against the limits.
func (n *need) limited(hourly, cost float64) (Rule, float64) {
	switch most := n.Policy.MaxCostPerHour; {
	case hourly == 0 && n.hourly > 0 && !n.Policy.UnknownPrice:
		return UnknownPrice, 0
	case most > 0 && hourly > most:
		return OverHourly, hourly
	case n.Budget > 0 && cost > n.Budget, cost > mostUSD:
		return OverBudget, cost
	}
	return fits, 0
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
func (n *need) like(best, c *candidate) bool {
	first, price := n.Market.offers[best.offer].price.USD, n.Market.offers[c.offer].price.USD
	switch {
	case first == 0 || price == 0:
		return c.cost <= likeOnDemand*best.cost
	case !c.spot:
		return price <= likeOnDemand*first
	}
	return price <= likeSpot*first && c.hourly <= first*float64(best.nodes)
}

// apart is why a type cannot stand in for the best.
type apart uint8

const (
	standsIn apart = iota // it can
	otherMarket
	otherNodes
	priceUnknown
	dearer
	otherArch
)

func (n *need) apart(best, c *candidate) apart {
	switch {
	case c.spot != best.spot:
		return otherMarket
	case c.nodes != best.nodes:
		return otherNodes
	case c.known() != best.known():
		return priceUnknown
	case c != best && !n.like(best, c):
		return dearer
	case n.Market.offers[c.offer].archs&n.Market.offers[best.offer].archs == 0:
		return otherArch
	}
	return standsIn
}

// listed is how many types a plan names at most.
func (c *candidate) listed() int {
	if c.spot {
		return listedSpot
	}
	return listedOnDemand
}

// pick is what a plan is made of: the best, the next, and how many serve the job
// and at how many of them the price is known.
type pick struct {
	best, next   *candidate // next is nil where there is one alone
	listed       []*candidate
	serve, known int
}

// pick takes the best out without sorting the others.
func (n *need) pick(serve []candidate) pick {
	p := pick{best: &serve[0], serve: len(serve)}
	for i := range serve {
		c := &serve[i]
		if c.known() {
			p.known++
		}
		switch {
		case i == 0:
		case n.better(c, p.best) < 0:
			p.best, p.next = c, p.best
		case p.next == nil || n.better(c, p.next) < 0:
			p.next = c
		}
	}
	limit := p.best.listed()
	p.listed = make([]*candidate, 0, limit+1)
	for i := range serve {
		c := &serve[i]
		if len(p.listed) == limit && n.better(c, p.listed[limit-1]) > 0 || n.apart(p.best, c) != standsIn {
			continue
		}
		at, _ := slices.BinarySearchFunc(p.listed, c, n.better)
		p.listed = slices.Insert(p.listed, at, c)
		p.listed = p.listed[:min(limit, len(p.listed))]
	}
	return p
}

// efa reports whether a plan for so many nodes asks for EFA.
func (n *need) efa(nodes int) bool { return n.EFARequired || n.wants && nodes > 1 }
