// Package billing is what EC2 charges for instances: by the second, for at least
// a minute, from the instant at which an instance runs until it begins to shut
// down, at a rate by the hour ("Amazon EC2 On-Demand Pricing": Linux instances
// are billed per second with a minimum of 60 seconds).
//
// It keeps the same bill twice, and each without the other: a Ledger has one line
// an instance, a Meter sweeps over time and knows only what all that runs costs
// in a second. Sums are exact.
//
// It leaves out disks, addresses, traffic, other systems than Linux, reservations
// and savings plans. AWS does not charge for Linux spot instances that it
// interrupts in their first hour, as others report it; that is not modelled, so
// that bills of interrupted work are too high rather than too low.
package billing

import (
	"fmt"
	"math"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// Minimum is what a run is billed for at least, in seconds.
const Minimum = 60

// Rate is a price in micro-dollars (USD) an hour. EC2's prices have at most six
// decimals.
type Rate int64

// PerHour returns the Rate of a price in USD an hour.
func PerHour(usd float64) Rate { return Rate(math.Round(usd * 1e6)) }

// USD returns the price in USD an hour.
func (r Rate) USD() float64 { return float64(r) / 1e6 }

// For is what so many seconds cost.
func (r Rate) For(seconds int64) Amount { return Amount(int64(r) * seconds) }

// Amount is money, in the smallest part that a bill can have: what a second
// costs at a micro-dollar an hour. It holds 2.5 billion USD.
type Amount int64

// cent is a hundredth of a USD.
const cent = 10_000 * 3600

// Cents rounds to whole cents, half a cent up.
func (a Amount) Cents() int64 {
	n := int64(a) + cent/2
	c := n / cent
	if n%cent < 0 {
		c--
	}
	return c
}

// USD returns the amount as a number, for figures; sums are made of Amounts.
func (a Amount) USD() float64 { return float64(a) / (cent * 100) }

// String returns the amount to the cent, such as 12.30 USD.
func (a Amount) String() string {
	c, sign := a.Cents(), ""
	if c < 0 {
		c, sign = -c, "-"
	}
	return fmt.Sprintf("%s%d.%02d USD", sign, c/100, c%100)
}

// second is the whole second that an instant is in; EC2's times have no parts of
// one, and none is before 1970.
func second(t env.Time) int64 { return int64(t) / int64(time.Second) }

// instant is the beginning of a second.
func instant(second int64) env.Time { return env.Time(second * int64(time.Second)) }

// Line is what one instance was billed.
type Line struct {
	Instance, Type, AZ string
	Market             cloud.Market
	// From and Until bound the run, in whole seconds; Seconds is what is billed
	// of it, at least Minimum.
	From, Until env.Time
	Seconds     int64
	Amount      Amount
	// Unpriced says that no price is known for the type: Amount is 0.
	Unpriced bool
}

// Sum is what a kind of instance was billed.
type Sum struct {
	Type, AZ  string
	Market    cloud.Market
	Instances int
	Seconds   int64
	Amount    Amount
	Unpriced  bool
}
