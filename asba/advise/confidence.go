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

// confidence judges an advice by its choices; of one against bursting, without
// any, by what the job told alone.
func (n *need) confidence(choices []Choice) Confidence {
	c := Confidence{Told: n.told(choices), Fresh: 1, Priced: 1, Margin: 1}
	if len(choices) > 0 {
		first := choices[0]
		c.Fresh = n.fresh(first)
		known := 0
		for _, x := range choices {
			if x.known() {
				known++
			}
		}
		c.Priced = float64(known) / float64(len(choices))
		if len(choices) > 1 {
			c.Margin = closestTie
			if first.known() && choices[1].known() {
				lead := (choices[1].Cost - first.Cost) / first.Cost
				c.Margin += (1 - closestTie) * min(1, lead/clearLead)
			} else if first.known() {
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
func (n *need) told(choices []Choice) float64 {
	j, count := n.job, 0.0
	for _, t := range []bool{
		j.MinNodes > 0 || j.Tasks > 0,
		j.Tasks > 0 || j.TasksPerNode > 0 || j.CPUsPerTask > 0,
		j.WholeMemory || j.MemoryPerNodeMiB+j.MemoryPerCPUMiB+j.MemoryPerGPUMiB > 0,
		j.TimeLimit > 0,
		j.Coupling != CouplingUnknown || len(choices) > 0 && choices[0].Nodes == 1,
	} {
		if t {
			count++
		}
	}
	return count / 5
}

// fresh is how likely a choice's price is still what it was.
func (n *need) fresh(c Choice) float64 {
	date := c.Price.Date
	if c.Usage == UsageSpot && c.Spot.Date != "" {
		date = c.Spot.Date
	}
	if date == "" || n.Now.IsZero() {
		return 1
	}
	return math.Pow(sameShare, float64(catalog.Age(date, n.Now))/sameDays)
}
