package advise

import (
	"math"

	"aws-slurm-burst/asba/catalog"
)

// Confidence is how sure an advice is, by what it rests on. Each part is from 0
// to 1, and Value is their product.
type Confidence struct {
	Value float64 `json:"value"`
	// Told is the share of what decides that the job has told rather than left
	// to be guessed: nodes, CPUs, memory, time, coupling.
	Told float64 `json:"told"`
	// Fresh is the share of prices that are still what they were, by the age of
	// the first choice's.
	Fresh float64 `json:"fresh"`
	// Priced is the share of the choices whose price is known.
	Priced float64 `json:"priced"`
	// Margin is how far the second choice is behind the first.
	Margin float64 `json:"margin"`
}

// Prices on demand of us-east-1 of 2025-05-28 and of 2026-07-20, 418 days later,
// compared type by type: 879 of 908 were the same (docs/CATALOG.md has the two
// sources). Of the others those that rose did so by at most a tenth.
const (
	sameShare  = 879.0 / 908
	sameDays   = 418.0
	clearLead  = 0.10
	closestTie = 0.8 // what a Margin is for a second choice that costs the same
)

// confidence judges an advice by what was picked; of one against bursting, where
// p is nil, by what the job told alone.
func (n *need) confidence(p *pick) Confidence {
	c := Confidence{Told: n.told(p), Fresh: 1, Priced: 1, Margin: 1}
	if p != nil {
		c.Fresh = n.fresh(p.best)
		c.Priced = float64(p.known) / float64(p.serve)
		if p.next != nil {
			c.Margin = closestTie
			if p.best.known() && p.next.known() {
				lead := (p.next.cost - p.best.cost) / p.best.cost
				c.Margin += (1 - closestTie) * min(1, lead/clearLead)
			} else if p.best.known() {
				c.Margin = 1
			}
		}
	}
	c.Told, c.Fresh, c.Priced, c.Margin = cents(c.Told), cents(c.Fresh), cents(c.Priced), cents(c.Margin)
	c.Value = cents(c.Told * c.Fresh * c.Priced * c.Margin)
	return c
}

func cents(v float64) float64 { return math.Round(100*v) / 100 }

// told is the share of five facts that the job has told.
func (n *need) told(p *pick) float64 {
	j, count := n.job, 0.0
	for _, t := range []bool{
		j.MinNodes > 0 || j.Tasks > 0,
		j.Tasks > 0 || j.TasksPerNode > 0 || j.CPUsPerTask > 0,
		j.WholeMemory || j.MemoryPerNodeMiB+j.MemoryPerCPUMiB+j.MemoryPerGPUMiB > 0,
		j.TimeLimit > 0,
		j.Coupling != CouplingUnknown || p != nil && p.best.nodes == 1,
	} {
		if t {
			count++
		}
	}
	return count / 5
}

// fresh is how likely a candidate's price is still what it was.
func (n *need) fresh(c *candidate) float64 {
	o := &n.Market.offers[c.offer]
	date := o.price.Date
	if c.spot && o.spot.Date != "" {
		date = o.spot.Date
	}
	if date == "" || n.Now.IsZero() {
		return 1
	}
	return math.Pow(sameShare, float64(catalog.Age(date, n.Now))/sameDays)
}
