package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// exact is an amount of money in units of 1e-9 USD an hour for a second: sums of
// it are exact, whatever their order.
type exact struct{ high, low uint64 }

// add adds a price, in 1e-9 USD an hour, for so many seconds.
func (x *exact) add(nanoUSDPerHour, seconds uint64) {
	high, low := bits.Mul64(nanoUSDPerHour, seconds)
	var carry uint64
	x.low, carry = bits.Add64(x.low, low, 0)
	x.high, _ = bits.Add64(x.high, high, carry)
}

// usd rounds to millionths of a dollar, half up.
func (x exact) usd() USD {
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

// kept is how many values a series keeps one by one.
const kept = 1 << 20

// series is one figure of many jobs. Four bytes a job are enough for quantiles;
// the mean is of what was added. Above so many values they are counted in bins of
// a 2048th of a value's size or less, so that a log of any length takes no more.
type series struct {
	sum    float64
	count  int
	values []float32
	bins   map[uint32]*bin
}

// bin has values that are nearly the same, and the largest of them.
type bin struct {
	count int
	most  float32
}

func (s *series) add(v float64) {
	s.sum += v
	s.count++
	if s.bins != nil {
		s.bin(float32(v))
		return
	}
	if s.values = append(s.values, float32(v)); len(s.values) == kept {
		s.bins = map[uint32]*bin{}
		for _, v := range s.values {
			s.bin(v)
		}
		s.values = nil
	}
}

func (s *series) bin(v float32) {
	key := math.Float32bits(v) >> 12 // 11 of 23 bits of its fraction
	b := s.bins[key]
	if b == nil {
		b = &bin{most: v}
		s.bins[key] = b
	}
	b.count++
	b.most = max(b.most, v)
}

func (s *series) mean() float64 {
	if s.count == 0 {
		return 0
	}
	return s.sum / float64(s.count)
}

// distribution sorts the series.
func (s *series) distribution() Distribution {
	d := Distribution{Count: s.count, Mean: round(s.mean())}
	if d.Count == 0 {
		return d
	}
	slices.Sort(s.values)
	bins := slices.SortedFunc(maps.Values(s.bins), func(a, b *bin) int { return cmp.Compare(a.most, b.most) })
	at := func(q float64) float64 {
		rank := max(1, int(math.Ceil(q*float64(d.Count))))
		if s.bins == nil {
			return round(float64(s.values[rank-1]))
		}
		i := 0
		for ; rank > bins[i].count; i++ {
			rank -= bins[i].count
		}
		return round(float64(bins[i].most))
	}
	d.Median, d.P95, d.P99, d.Max = at(0.5), at(0.95), at(0.99), at(1)
	return d
}

// round keeps a millionth: what is behind it is the machine's, not the cluster's.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// peak is a number that goes up and down, and how high it was.
type peak struct{ now, most int }

func (p *peak) add(n int) {
	p.now += n
	p.most = max(p.most, p.now)
}

// quota is what EC2 counts vCPUs by.
type quota struct{ family, market string }

// depths are how far down their ladders gangs came.
type depths struct{ gangs, first, sum, most int }

func (d *depths) add(depth int) {
	d.gangs++
	d.sum += depth
	d.most = max(d.most, depth)
	if depth == 0 {
		d.first++
	}
}

// group is what the jobs of a user, an account or a partition add up to.
type group struct {
	jobs, ran                     int
	waitS, slowdown               float64
	procNS, usefulNS, lostNS, usd float64
}

type groups map[string]*group

func (g groups) of(name string) *group {
	one := g[name]
	if one == nil {
		one = &group{}
		g[name] = one
	}
	return one
}
