package advise

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
)

// headroom is what a plan's limits leave above the prices that are known: of
// those that changed in 418 days, the dearer ones rose by 6 to 10 %.
const headroom = 1.10

// longest is what a plan can say of hours.
const longest = 10 * 365 * 24 * time.Hour

func given[T any](v T) plan.Opt[T] { return plan.Opt[T]{Value: v, Given: true} }

func words(w []string) plan.List {
	return plan.List{Opt: plan.Opt[[]string]{Value: w, Given: len(w) > 0}, Items: make([]plan.Place, len(w))}
}

func text(s string) plan.Opt[string] { return plan.Opt[string]{Value: s, Given: s != ""} }

// about fills in what a plan says of its job, whatever the advice.
func about(p *plan.Plan, j *Job, now time.Time) {
	p.Dialect, p.Source = plan.DialectA, "asba"
	p.JobID, p.UserID, p.ProjectID = text(j.ID), text(j.User), text(j.Account)
	if !now.IsZero() {
		p.Made = given(now.UTC().Truncate(time.Second))
	}
}

// against is the advice not to burst.
func (n *need) against(why string) Advice {
	a := Advice{Confidence: n.confidence(nil)}
	reasons := []string{why}
	if s := n.unjudged(); s != "" {
		reasons = append(reasons, s)
	}
	reasons = append(reasons, n.local()...)
	p := &plan.Plan{ShouldBurst: given(false), Reasons: words(reasons)}
	about(p, &n.job, n.Now)
	a.Plan = p
	return a
}

// whyNothing says what the type that came nearest lacks.
func (n *need) whyNothing(why []Rule) string {
	if len(why) == 0 {
		return "the catalogue has no instance types"
	}
	var nearest Exclusion
	last := slices.Max(why)
	for i, rule := range why {
		if rule != last {
			continue
		}
		x := n.excluded(i, rule, nil)
		if nearest.Type == nil || cmp.Or(cmp.Compare(nearest.usd, x.usd), cmp.Compare(x.Type.Cores, nearest.Type.Cores), cmp.Compare(x.Type.MemoryMiB, nearest.Type.MemoryMiB)) > 0 {
			nearest = x
		}
	}
	return fmt.Sprintf("no instance type in %s will do; the nearest: %s", n.Market.Region, nearest.Why())
}

// plan writes what was picked as a plan.
func (n *need) plan(k *pick, why []Rule, c Confidence) *plan.Plan {
	var listed []Choice
	var names []string
	for _, c := range k.listed {
		listed = append(listed, n.choice(c))
		names = append(names, n.Market.offers[c.offer].Name)
	}
	best := &listed[0]
	near := n.tight && best.Nodes > 1
	efa := n.efa(best.Nodes)
	p := &plan.Plan{
		ShouldBurst:   given(true),
		InstanceTypes: words(names), InstanceCount: given(best.Nodes),
		IsMPI: given(n.tight), ProcessCount: given(n.tasks), ProcessesPerNode: given(best.TasksPerNode),
		// Slurm starts a job when all of its nodes are there.
		Gang:        given(best.Nodes > 1),
		RequiresEFA: given(efa), EnhancedNetworking: given(efa),
		Placement: given(plan.None), SingleAZ: given((near || efa) && best.Nodes > 1),
		AZs: words(n.zonesOf(listed)),
	}
	if near {
		p.Placement = given(plan.Cluster)
	}
	about(p, &n.job, n.Now)
	n.purchase(p, listed)
	n.limits(p, listed)
	p.Reasons = words(n.reasons(listed, why, c))
	return p
}

// purchase says how the listed types are bought.
func (n *need) purchase(p *plan.Plan, listed []Choice) {
	p.PreferSpot = given(listed[0].Usage == UsageSpot)
	mixed := slices.ContainsFunc(listed, func(c Choice) bool { return c.OnDemand })
	switch {
	case listed[0].Usage != UsageSpot:
		p.Purchasing, p.AllowMixed = given(plan.OnDemand), given(false)
		return
	case mixed:
		p.Purchasing, p.AllowMixed = given(plan.Mixed), given(true)
	default:
		p.Purchasing, p.AllowMixed = given(plan.Spot), given(false)
	}
	// EC2's own cap is the price on demand. Said, an executor counts by it.
	most, usual := 0.0, 0.0
	for _, c := range listed {
		if c.Price.USD == 0 {
			return
		}
		most, usual = max(most, c.Price.USD), max(usual, c.Spot.USD)
	}
	if each := n.hourly / float64(listed[0].Nodes); n.hourly > 0 && each < most {
		most = max(floor(each), usual)
	}
	p.MaxSpotPrice = given(most)
}

// limits say what the job may cost at most, and how long it may run.
func (n *need) limits(p *plan.Plan, listed []Choice) {
	if n.job.TimeLimit > 0 {
		p.MaxDuration = given(min(n.job.TimeLimit, longest))
	}
	if rate := n.rate(p, listed); rate > 0 {
		p.MaxCostPerHour = given(rate)
	}
	switch total := min(math.Ceil(p.MaxCostPerHour.Value*p.MaxDuration.Value.Hours()*100)/100, mostUSD); {
	case n.Budget > 0 && (total == 0 || n.Budget < total):
		p.MaxTotalCost = given(n.Budget)
	case total > 0:
		p.MaxTotalCost = given(total)
	}
}

// rate is the most that all nodes may cost in an hour, 0 where nobody knows what
// they cost and there is no limit to keep.
func (n *need) rate(p *plan.Plan, listed []Choice) float64 {
	nodes, most := float64(listed[0].Nodes), 0.0
	for _, c := range listed {
		each := p.MaxSpotPrice.Value // a spot instance is counted at its cap
		if c.OnDemand {
			each = max(each, c.Price.USD)
		}
		if each == 0 {
			return floor(n.hourly)
		}
		most = max(most, nodes*each)
	}
	rate, limit := ceil(headroom*most), mostUSD/n.hours
	if n.hourly > 0 {
		limit = min(limit, n.hourly)
	}
	if rate <= limit {
		return rate
	}
	// What the first costs has to pass, however it is rounded.
	least := listed[0].HourlyCost
	if p.MaxSpotPrice.Given {
		least = max(least, nodes*min(p.MaxSpotPrice.Value, listed[0].Price.USD))
	}
	return max(floor(limit), min(least, limit))
}

// floor and ceil round money to what people write.
func floor(v float64) float64 { return math.Floor(v*1e4) / 1e4 }
func ceil(v float64) float64  { return math.Ceil(v*100) / 100 }

// zonesOf are the site's zones that offer every listed type, by the words in
// which it named them; none where it named none.
func (n *need) zonesOf(listed []Choice) []string {
	var out []string
	for _, zone := range n.Zones {
		if !slices.ContainsFunc(listed, func(c Choice) bool {
			return !slices.ContainsFunc(c.Zones, func(z catalog.Zone) bool { return z.ID == zone || z.Name == zone })
		}) && !slices.Contains(out, zone) {
			out = append(out, zone)
		}
	}
	return out
}

// reasons are the sentences that a plan carries, the most important first.
func (n *need) reasons(listed []Choice, why []Rule, c Confidence) []string {
	best := &listed[0]
	out := []string{best.Reason()}
	if len(listed) > 1 {
		last := listed[len(listed)-1]
		line := fmt.Sprintf("where there is none of it: %s", strings.Join(typesOf(listed[1:]), ", "))
		if last.known() {
			line += fmt.Sprintf(", at most %.2f times the cost", last.Cost/best.Cost)
		}
		out = append(out, line)
	}
	switch {
	case n.tight && best.Nodes > 1 && n.wants:
		out = append(out, fmt.Sprintf("MPI over %d nodes: EFA, one zone and a cluster placement group", best.Nodes))
	case n.tight && best.Nodes > 1:
		out = append(out, fmt.Sprintf("MPI over %d nodes, but no type that fits has EFA: one zone and a cluster placement group", best.Nodes))
	case n.tight:
		out = append(out, "MPI on one node needs no network")
	case n.job.Coupling == CouplingUnknown && best.Nodes > 1:
		out = append(out, "nothing says that the job's nodes talk to each other all the time: no EFA and no placement group")
	}
	if n.job.TimeLimit == 0 {
		out = append(out, fmt.Sprintf("the job tells no time limit: costs are counted for %dh, and its instances do not expire", assumedHours))
	}
	switch {
	case n.Deadline.IsZero():
	case n.job.TimeLimit == 0:
		out = append(out, "without a time limit nobody knows whether the job is done by its deadline")
	default:
		out = append(out, fmt.Sprintf("done by %s, of a deadline of %s", n.Now.Add(n.boot()+n.job.TimeLimit).UTC().Format(time.RFC3339), n.Deadline.UTC().Format(time.RFC3339)))
	}
	if n.job.ArrayTasks > 1 {
		out = append(out, fmt.Sprintf("limits are for each of the array's %d tasks", n.job.ArrayTasks))
	}
	if s := n.unjudged(); s != "" {
		out = append(out, s)
	}
	out = append(out, n.local()...)
	if s := summary(why); s != "" {
		out = append(out, s)
	}
	if date := best.Price.Date; date != "" && !n.Now.IsZero() {
		out = append(out, "on-demand "+catalog.Aged("price", date, n.Now))
	}
	return append(out, fmt.Sprintf("confidence %.2f: told %.2f, fresh %.2f, priced %.2f, margin %.2f", c.Value, c.Told, c.Fresh, c.Priced, c.Margin))
}

// local says what the site has of its own. It decides nothing: whether to wait
// is the site's to say, by a deadline.
func (n *need) local() []string {
	switch l := n.Local; {
	case l.Wait > 0:
		return []string{fmt.Sprintf("on the site's own nodes the job would wait %s, instances take %s to boot", span(l.Wait), span(n.boot()))}
	case l.Nodes > 0:
		return []string{fmt.Sprintf("the partition has %s of the site's own", counted(l.Nodes, "node"))}
	}
	return nil
}

// summary counts what was left out, the most frequent rule first.
func summary(why []Rule) string {
	var count [rules]int
	for _, r := range why {
		count[r]++
	}
	var found []Rule
	for r := fits + 1; r < rules; r++ {
		if count[r] > 0 {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return ""
	}
	slices.SortStableFunc(found, func(a, b Rule) int { return cmp.Compare(count[b], count[a]) })
	var parts []string
	for _, r := range found {
		parts = append(parts, r.String()+" "+strconv.Itoa(count[r]))
	}
	return fmt.Sprintf("%s left out: %s", counted(len(why)-count[fits], "type"), strings.Join(parts, ", "))
}

func typesOf(choices []Choice) []string {
	var out []string
	for _, c := range choices {
		out = append(out, c.Type.Name)
	}
	return out
}
