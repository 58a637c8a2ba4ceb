package catalog

import (
	"fmt"
	"time"

	"aws-slurm-burst/asba/catalog/table"
)

// Price is what a type costs on demand.
type Price struct {
	// USD an hour, for Linux, without what a licence or a disk costs.
	USD float64 `json:"usd"`
	// Date is the day on which it was so, YYYY-MM-DD.
	Date   string `json:"date"`
	Source string `json:"source"`
}

// PriceRegion is the region whose prices stand in where nobody names one: with
// the most types, and the newest prices.
const PriceRegion = "us-east-1"

// Price returns what a type costs on demand in a region, where that is known.
func (c *Catalog) Price(name, region string) (Price, bool) {
	r := c.region(region)
	if r == nil {
		return Price{}, false
	}
	row, ok := r.prices.Row(name)
	if !ok {
		return Price{}, false
	}
	usd := table.OfferOf(row).USD
	if usd == 0 {
		return Price{}, false
	}
	s := r.prices.Source(table.HoldsPrices)
	return Price{USD: usd, Date: s.Date, Source: s.Name}, true
}

// Spot is what the spot market of a type in a region is like.
type Spot struct {
	// USD an hour is the usual price, 0 where it is not known.
	USD float64 `json:"usd,omitzero"`
	// Ratio is the usual price over the price on demand, 0 where it is not known.
	Ratio float64 `json:"ratio,omitzero"`
	// Date is the day on which it was so, YYYY-MM-DD.
	Date   string `json:"date,omitzero"`
	Source string `json:"source,omitzero"`
	// Interruption is how often instances were taken back in the month before
	// InterruptionDate.
	Interruption     Band   `json:"interruption"`
	InterruptionDate string `json:"interruption_date,omitzero"`
}

// Spot returns what is known of a type's spot market in a region.
func (c *Catalog) Spot(name, region string) (Spot, bool) {
	r := c.region(region)
	if r == nil {
		return Spot{}, false
	}
	out := Spot{Interruption: BandUnknown}
	known := false
	demand, priced := c.Price(name, region)
	if row, ok := r.spots.Row(name); ok {
		s, o := r.spots.Source(table.HoldsSpot), table.OfferOf(row)
		switch {
		case o.SpotUSD > 0:
			out.USD = o.SpotUSD
			if priced {
				out.Ratio = o.SpotUSD / demand.USD
			}
		case o.SpotPercent > 0:
			out.Ratio = float64(o.SpotPercent) / 100
			out.USD = out.Ratio * demand.USD
		}
		if out.USD > 0 || out.Ratio > 0 {
			out.Date, out.Source, known = s.Date, s.Name, true
		}
	}
	// EC2's own answers hold no band: that one is always the embedded table's.
	if row, ok := r.prices.Row(name); ok {
		if out.Interruption = table.OfferOf(row).Interruption; out.Interruption != BandUnknown {
			out.InterruptionDate, known = r.prices.Date(table.HoldsSpot), true
		}
	}
	return out, known
}

// Age is how many days lie between a date (YYYY-MM-DD) and now; 0 for a date
// that is none, or still to come.
func Age(date string, now time.Time) int {
	d, err := time.Parse(time.DateOnly, date)
	if err != nil || now.Before(d) {
		return 0
	}
	return int(now.Sub(d) / (24 * time.Hour))
}

// Aged says how old a fact is: "price of 2025-05-06, 568 days old". Tomorrow's is
// today's of another time zone.
func Aged(what, date string, now time.Time) string {
	switch days := Age(date, now); {
	case date == "":
		return what + " of an unknown day"
	case date > now.UTC().AddDate(0, 0, 1).Format(time.DateOnly): // somebody's clock is wrong
		return what + " of " + date + ", a day that is still to come"
	case days == 0:
		return what + " of " + date + ", today's"
	case days == 1:
		return what + " of " + date + ", 1 day old"
	default:
		return fmt.Sprintf("%s of %s, %d days old", what, date, days)
	}
}
