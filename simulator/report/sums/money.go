// Package sums adds up: money without losing any of it, many values in bounded
// memory, and a number that goes up and down. It knows no cluster.
package sums

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// Exact is an amount of money in units of 1e-9 USD an hour for a second: sums of
// it are exact, whatever their order.
type Exact struct{ high, low uint64 }

// Add adds a price, in 1e-9 USD an hour, for so many seconds.
func (x *Exact) Add(nanoUSDPerHour, seconds uint64) {
	high, low := bits.Mul64(nanoUSDPerHour, seconds)
	var carry uint64
	x.low, carry = bits.Add64(x.low, low, 0)
	x.high, _ = bits.Add64(x.high, high, carry)
}

// USD rounds to millionths of a dollar, half up.
func (x Exact) USD() USD {
	const unit = 3600 * 1000 // of 1e-9 USD an hour for a second, in 1e-6 USD
	low, carry := bits.Add64(x.low, unit/2, 0)
	high := x.high + carry
	if high >= unit { // 1e13 USD
		return math.MaxInt64
	}
	q, _ := bits.Div64(high, low, unit)
	return USD(min(q, math.MaxInt64))
}

// USD is an amount in millionths of a dollar.
type USD int64

// Dollars rounds an amount to millionths.
func Dollars(v float64) USD { return USD(math.Round(v * 1e6)) }

// Float is the amount in dollars.
func (u USD) Float() float64 { return float64(u) / 1e6 }

// String has two digits of cents, as bills do.
func (u USD) String() string {
	cents := (int64(u) + 5_000) / 10_000
	if u < 0 {
		cents = (int64(u) - 5_000) / 10_000
	}
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

// MarshalJSON writes dollars as a number with all its digits.
func (u USD) MarshalJSON() ([]byte, error) {
	sign, n := "", uint64(u)
	if u < 0 {
		sign, n = "-", -uint64(u)
	}
	return fmt.Appendf(nil, "%s%d.%06d", sign, n/1e6, n%1e6), nil
}

// UnmarshalJSON reads a number of dollars.
func (u *USD) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return fmt.Errorf("%s is no amount of dollars", data)
	}
	*u = Dollars(v)
	return nil
}

// Nano is an amount in 1e-9 USD.
func Nano(usd float64) uint64 { return uint64(math.Round(usd * 1e9)) }
