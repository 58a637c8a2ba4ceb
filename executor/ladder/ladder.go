// Package ladder turns a wish (types, places, markets, limits) into a ladder:
// what is tried in which order, and what is ruled out, and why. It is a value:
// a dry run prints it, tests compare it, and executor/launch climbs it.
//
// It does not know Slurm, plans or configurations, and makes no calls.
package ladder

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/executor/cloud"
)

// Wish is everything a ladder is made of.
type Wish struct {
	// Types in order of preference, Places (subnets) in order of preference,
	// Markets in the order they are tried.
	Types   []Type
	Places  []cloud.Subnet
	Markets []cloud.Market
	// Nodes is how many instances are asked for, JobNodes how many the whole
	// job has: MaxHourly is for the job.
	Nodes, JobNodes int
	Gang            bool
	// Strategy is the placement group's (cluster, spread, partition), "" for
	// none. EFA asks for every EFA interface a type has.
	Strategy string
	EFA      bool
	// MaxPrice caps spot in USD an instance-hour; a Type may have its own.
	MaxPrice float64
	// MaxHourly is in USD an hour for all of the job's nodes; 0 is no limit.
	MaxHourly float64
	// PerNode says that every node is a job of its own, so that MaxHourly is for
	// each.
	PerNode bool
	// UnknownPrice lets a rung whose price nobody knows pass a limit.
	UnknownPrice bool
	// Group names a placement group that exists already; else every rung makes
	// one of its own.
	Group string
	// Like, where given, restricts the ladder to what live members of the gang
	// already have.
	Like *Like
}

// Like is what new members of a gang have to share with its live ones.
type Like struct {
	Type, AZ, Group string
}

// Type is an instance type with the facts a rung needs.
type Type struct {
	Name  string
	Image string
	// EFA is how many EFA interfaces the type has.
	EFA  int
	Spot bool // sold on the spot market
	// Price is the on-demand price in USD an hour, 0 where unknown. PriceDate is
	// the day on which it was so, YYYY-MM-DD.
	Price     float64
	PriceDate string
	// MaxPrice caps spot for this type, 0 for the wish's own cap.
	MaxPrice float64
	// Subnets restrict the type to these subnets, by id; empty: all places.
	Subnets []string
	// Unsold are zones, by name, that are said not to sell the type.
	Unsold []string
}

// Rung is one thing to try.
type Rung struct {
	Type     string       `json:"type"`
	Market   cloud.Market `json:"market"`
	AZ       string       `json:"az"`
	SubnetID string       `json:"subnet_id,omitempty"`
	Image    string       `json:"image_id,omitempty"`
	// MaxPrice is the spot cap sent with the call, 0 for none.
	MaxPrice float64 `json:"max_price,omitempty"`
	// Price is what one instance costs at most, in USD an hour: the on-demand
	// price, or the spot cap where that is lower; 0 where nobody knows.
	Price float64 `json:"price,omitempty"`
	// PriceDate is the day of the on-demand price, YYYY-MM-DD; "" where Price is
	// a cap.
	PriceDate string `json:"price_date,omitempty"`
	EFA       int    `json:"efa_interfaces,omitempty"`
	Strategy  string `json:"placement,omitempty"`
	// Group is an existing placement group to join; else a new one is made.
	Group string `json:"group,omitempty"`
}

// String names the rung as people do: "c6i.xlarge spot us-east-1a".
func (r Rung) String() string {
	return fmt.Sprintf("%s %s %s", r.Type, r.Market, r.AZ)
}

// Excluded is a rung that was ruled out, and why.
type Excluded struct {
	Rung
	// Why is a sentence; Limit says that price or budget is the reason.
	Why   string `json:"why"`
	Limit bool   `json:"limit,omitempty"`
	// Unsold says that the zone does not sell the type: nobody chose that.
	Unsold bool `json:"-"`
}

// Ladder is the decision: what will be tried in which order, and what not.
type Ladder struct {
	Rungs    []Rung     `json:"rungs"`
	Excluded []Excluded `json:"excluded,omitempty"`
	// MaxHourly is the wish's limit, for the climb to hold.
	MaxHourly float64 `json:"max_cost_per_hour,omitempty"`
	// PerNode says that the limit is for each node.
	PerNode bool `json:"per_node,omitempty"`
}

// Build makes the ladder: by market, then type, then place, so that a shortage
// in one zone first costs the zone, then the type, and the price last.
//
// A zone that is said not to sell a type is ruled out where another is said to, for
// what is said may be of some weeks ago: a type spreads to more zones, and hardly
// ever leaves one. Where none is said to, its rungs are the last.
func Build(w Wish) Ladder {
	l := Ladder{MaxHourly: w.MaxHourly, PerNode: w.PerNode}
	l.Rungs = make([]Rung, 0, len(w.Markets)*len(w.Types)*len(w.Places))
	var last []Rung
	for _, market := range w.Markets {
		for _, t := range w.Types {
			before := len(l.Rungs)
			var unsold []Rung
			for _, place := range w.Places {
				r := rung(w, market, t, place)
				if why, limit := w.excludes(r, t); why != "" {
					l.Excluded = append(l.Excluded, Excluded{Rung: r, Why: why, Limit: limit})
				} else if w.Like == nil && slices.Contains(t.Unsold, r.AZ) { // live members know better
					unsold = append(unsold, r)
				} else {
					l.Rungs = append(l.Rungs, r)
				}
			}
			if len(l.Rungs) == before {
				last = append(last, unsold...)
				continue
			}
			for _, r := range unsold {
				l.Excluded = append(l.Excluded, Excluded{Rung: r, Unsold: true, Why: "the catalogue says that " + r.AZ + " does not sell " + r.Type})
			}
		}
	}
	l.Rungs = append(l.Rungs, last...)
	return l
}

func rung(w Wish, market cloud.Market, t Type, place cloud.Subnet) Rung {
	r := Rung{Type: t.Name, Market: market, AZ: place.AZ, SubnetID: place.ID, Image: t.Image, Price: t.Price, PriceDate: t.PriceDate, Strategy: w.Strategy, Group: w.Group}
	if w.EFA {
		r.EFA = t.EFA
	}
	if w.Like != nil {
		r.Group = w.Like.Group
	}
	if market == cloud.Spot {
		r.MaxPrice = cmp.Or(t.MaxPrice, w.MaxPrice)
		// Without a cap EC2 never charges more for spot than for on-demand.
		if r.MaxPrice > 0 && (r.Price == 0 || r.MaxPrice < r.Price) {
			r.Price, r.PriceDate = r.MaxPrice, ""
		}
	}
	return r
}

// excludes says why a rung is not worth a call, "" where it is.
func (w Wish) excludes(r Rung, t Type) (why string, limit bool) {
	switch {
	case r.Market == cloud.Spot && !t.Spot:
		return r.Type + " has no spot market", false
	case w.EFA && t.EFA == 0:
		return r.Type + " has no EFA", false
	case len(t.Subnets) > 0 && r.SubnetID != "" && !slices.Contains(t.Subnets, r.SubnetID):
		return "the configuration keeps " + r.Type + " to " + strings.Join(t.Subnets, ", "), false
	case w.Like != nil && r.Type != w.Like.Type:
		return "live members of the gang are " + w.Like.Type, false
	case w.Like != nil && r.AZ != w.Like.AZ:
		return "live members of the gang are in " + w.Like.AZ, false
	case w.MaxHourly == 0:
		return "", false
	case r.Price == 0:
		if w.UnknownPrice {
			return "", false
		}
		return "its price is not known, and there is a limit", true
	case w.Gang && r.Price*float64(w.JobNodes) > w.MaxHourly*(1+1e-9),
		!w.Gang && r.Price > w.MaxHourly*(1+1e-9):
		return fmt.Sprintf("%.2f USD/h for %d nodes", r.Price*float64(w.JobNodes), w.JobNodes), true
	}
	return "", false
}

// Cheapest returns the excluded rung of the lowest known price among those
// that a limit ruled out.
func (l Ladder) Cheapest() (Excluded, bool) {
	var best Excluded
	found := false
	for _, x := range l.Excluded {
		if x.Limit && x.Price > 0 && (!found || x.Price < best.Price) {
			best, found = x, true
		}
	}
	return best, found
}

// PriceDate is the day of the oldest price that the ladder was judged by,
// YYYY-MM-DD; "" where none was a price of the market's.
func (l Ladder) PriceDate() string {
	oldest := ""
	for _, r := range l.Rungs {
		oldest = Older(oldest, r.PriceDate)
	}
	for _, x := range l.Excluded {
		if x.Limit {
			oldest = Older(oldest, x.PriceDate)
		}
	}
	return oldest
}

// Older returns the older of two dates (YYYY-MM-DD), of which "" is none.
func Older(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// Limited reports whether a limit ruled out every rung there was to rule out.
func (l Ladder) Limited() bool {
	return len(l.Rungs) == 0 && slices.ContainsFunc(l.Excluded, func(x Excluded) bool { return x.Limit })
}

// Demote moves the rungs in pools that a shortage or a quota has shown to be
// empty behind all others, keeping their order: memory only reorders.
func Demote(rungs []Rung, short []Shortage) []Rung {
	if len(short) == 0 {
		return rungs
	}
	var good, bad []Rung
	for _, r := range rungs {
		if slices.ContainsFunc(short, func(s Shortage) bool { return s.covers(r) }) {
			bad = append(bad, r)
		} else {
			good = append(good, r)
		}
	}
	return append(good, bad...)
}

// Shortage is a pool or a quota that had nothing to give. An empty field
// stands for all.
type Shortage struct {
	Type, AZ string
	Market   cloud.Market
	// Family stands for all types of a family, everywhere (a quota).
	Family bool
}

func (s Shortage) covers(r Rung) bool {
	if s.Market != "" && s.Market != r.Market || s.AZ != "" && s.AZ != r.AZ {
		return false
	}
	if s.Family {
		return family(s.Type) == family(r.Type)
	}
	return s.Type == "" || s.Type == r.Type
}

// family is the quota family of a type: EC2 counts vCPUs by the letters before
// the generation (c, m and r are one family there, "standard").
func family(name string) string {
	end := 0
	for end < len(name) && (name[end] < '0' || name[end] > '9') && name[end] != '.' && name[end] != '-' {
		end++
	}
	switch f := name[:end]; f {
	case "a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z":
		return "standard"
	default:
		return f
	}
}

// Learn says what an error on a rung teaches about others, if anything.
func Learn(r Rung, class cloud.Class) (Shortage, bool) {
	switch {
	case class == cloud.Quota || class == cloud.SpotQuota:
		return Shortage{Type: r.Type, Market: r.Market, Family: true}, true
	case class == cloud.Address: // the subnet is full, whatever the type
		return Shortage{AZ: r.AZ}, true
	case class.Shortage():
		return Shortage{Type: r.Type, AZ: r.AZ, Market: r.Market}, true
	}
	return Shortage{}, false
}
