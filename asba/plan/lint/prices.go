package lint

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// leastSpot is the least that spot has ever cost, of the price on demand: "up to
// 90 % less" (Amazon EC2 Spot Instances pricing).
const leastSpot = 0.1

// priceRegion stands for a region that nothing says.
const priceRegion = "us-east-1"

// offer is a type at a price.
type offer struct {
	catalog.Type
	usd  float64 // an hour
	when string  // "price of 2026-01-02, 7 days old"
}

// cheapest returns the type of the plan that costs least, by a way of pricing
// them; known is false where one of them has no known price: it may be cheaper.
func (l *linter) cheapest(price func(t catalog.Type, region string) (offer, bool)) (best offer, known bool) {
	region := cmp.Or(l.region(), priceRegion)
	for _, t := range l.possible {
		o, ok := price(t, region)
		if !ok {
			return offer{}, false
		}
		if best.usd == 0 || o.usd < best.usd {
			best = o
		}
	}
	return best, best.usd > 0
}

func (l *linter) onDemand(t catalog.Type, region string) (offer, bool) {
	p, ok := l.Catalog.Price(t.Name, region)
	return offer{t, p.USD, l.aged("price", p.Date)}, ok
}

func (l *linter) usualSpot(t catalog.Type, region string) (offer, bool) {
	s, ok := l.Catalog.Spot(t.Name, region)
	return offer{t, s.USD, l.aged("price", s.Date)}, ok && s.USD > 0
}

func (l *linter) aged(what, date string) string {
	if l.Now.IsZero() {
		return what + " of " + date
	}
	return catalog.Aged(what, date, l.Now)
}

// prices judges the plan's limits of money against what its types cost.
func (l *linter) prices() {
	if len(l.possible) == 0 {
		return
	}
	p := l.plan
	spot := p.Purchasing.Value != plan.OnDemand // without a word, a site may
	demand, known := l.cheapest(l.onDemand)
	usual, usualKnown := l.cheapest(l.usualSpot)

	if limit := p.MaxSpotPrice; p.SpotOnly() && known && limit.Value > 0 && limit.Value < leastSpot*demand.usd {
		l.Add(rule.SpotCap, limit.At, fmt.Sprintf("max_spot_price is %s USD, no spot price is so low: %s costs %s on demand (%s)", usd(limit.Value), demand.Name, usd(demand.usd), demand.when), l.usually(usual, usualKnown))
	} else if spot && usualKnown && limit.Value > 0 && limit.Value < usual.usd {
		l.Add(rule.UsualSpot, limit.At, fmt.Sprintf("max_spot_price is %s USD, spot usually costs more: %s for %s (%s)", usd(limit.Value), usd(usual.usd), usual.Name, usual.when), "write more, or allow_mixed_pricing true")
	}
	if known {
		l.hourly(demand, spot)
		l.total(demand, usual, usualKnown && spot)
	}
	l.interrupted()
}

func (l *linter) usually(usual offer, known bool) string {
	if !known {
		return "write more"
	}
	return fmt.Sprintf("spot usually costs %s for %s (%s)", usd(usual.usd), usual.Name, usual.when)
}

// size is how many nodes the plan is for, at least one.
func (l *linter) size() int {
	return max(1, cmp.Or(l.Nodes, Nodes(l.plan, l.Catalog)))
}

// hourly judges the lower of the limits by the hour.
func (l *linter) hourly(demand offer, spot bool) {
	p := l.plan
	limit, at, name := p.MaxCostPerHour.Value, p.MaxCostPerHour.At, "max_cost_per_hour is"
	if hours := p.MaxDuration.Value.Hours(); p.MaxTotalCost.Value > 0 && hours > 0 {
		if by := p.MaxTotalCost.Value / hours; limit == 0 || by < limit {
			limit, at, name = by, p.MaxTotalCost.At, "max_total_cost over max_duration_hours is"
		}
	}
	if limit == 0 {
		return
	}
	n := l.size()
	least, what := demand.usd*float64(n), "on demand"
	if spot {
		least, what = least*leastSpot, "even at the lowest that spot can cost"
	}
	// Spot is held to the limit by what it can cost at most (executor/ladder).
	counted := demand.usd
	if most := p.MaxSpotPrice.Value; most > 0 {
		counted = min(counted, most)
	}
	switch most := counted * float64(n); {
	case least > limit:
		l.Add(rule.HourlyCap, at, fmt.Sprintf("%s %s USD an hour, but %s costs %s, %s (%s)", name, usd(limit), times(n, demand.Name), usd(least), what, demand.when), "raise the limit, or write smaller types or fewer nodes")
	case spot && most > limit*(1+1e-9):
		each := math.Floor(limit/float64(n)*1e4) / 1e4
		l.Add(rule.SpotCounted, at, fmt.Sprintf("%s %s USD an hour, but %s on spot is counted at %s, the most that it can cost (%s)", name, usd(limit), times(n, demand.Name), usd(most), demand.when),
			fmt.Sprintf("write at most %s as max_spot_price, or raise the limit", strconv.FormatFloat(each, 'f', -1, 64)))
	}
}

// total judges whether the job can be paid for to its expected end.
func (l *linter) total(demand, usual offer, spot bool) {
	p := l.plan
	if !p.MaxTotalCost.Given || !p.ExpectedRuntime.Given {
		return
	}
	by, what := demand, "on demand"
	if spot {
		by, what = usual, "on spot"
	}
	n := l.size()
	if all := by.usd * float64(n) * p.ExpectedRuntime.Value.Hours(); all > p.MaxTotalCost.Value {
		l.Add(rule.TotalTooSmall, p.MaxTotalCost.At, fmt.Sprintf("max_total_cost is %s USD, but %s for the expected_runtime of %s costs %s %s (%s)", usd(p.MaxTotalCost.Value), times(n, by.Name), p.ExpectedRuntime.Value, usd(all), what, by.when), "raise the limit, or write smaller types or fewer nodes")
	}
}

func times(n int, name string) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%d x %s", n, name)
}

// interrupted judges a gang that one lost instance ends.
func (l *linter) interrupted() {
	p := l.plan
	if !p.Gang.Value || !p.SpotOnly() || l.size() < 2 {
		return
	}
	region := cmp.Or(l.region(), priceRegion)
	when := ""
	for _, t := range l.possible {
		s, ok := l.Catalog.Spot(t.Name, region)
		if !ok || s.Interruption != catalog.BandOver20 {
			return
		}
		when = s.InterruptionDate
	}
	l.Add(rule.Interrupted, p.Purchasing.At, fmt.Sprintf("a gang on spot alone, of types of which more than 20%% are taken back within a month (%s)", l.aged("figure", when)), "write mixed as the purchasing_option, or other types")
}
