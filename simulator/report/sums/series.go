package sums

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Distribution is what there is to say of many values. Quantiles are values that
// occurred (nearest rank); of more than a million values they are the nearest rank's
// within a two thousandth.
type Distribution struct {
	Count  int     `json:"count"`
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// kept is how many values a series keeps one by one.
const kept = 1 << 20

// Series is one figure of many jobs. Four bytes a job are enough for quantiles;
// the mean is of what was added. Above so many values they are counted in bins of
// a 2048th of a value's size or less, so that a log of any length takes no more.
type Series struct {
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

// Add adds a value.
func (s *Series) Add(v float64) {
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

func (s *Series) bin(v float32) {
	key := math.Float32bits(v) >> 12 // 11 of 23 bits of its fraction
	b := s.bins[key]
	if b == nil {
		b = &bin{most: v}
		s.bins[key] = b
	}
	b.count++
	b.most = max(b.most, v)
}

func (s *Series) mean() float64 {
	if s.count == 0 {
		return 0
	}
	return s.sum / float64(s.count)
}

// Distribution sorts the series.
func (s *Series) Distribution() Distribution {
	d := Distribution{Count: s.count, Mean: Round(s.mean())}
	if d.Count == 0 {
		return d
	}
	slices.Sort(s.values)
	bins := slices.SortedFunc(maps.Values(s.bins), func(a, b *bin) int { return cmp.Compare(a.most, b.most) })
	at := func(q float64) float64 {
		rank := max(1, int(math.Ceil(q*float64(d.Count))))
		if s.bins == nil {
			return Round(float64(s.values[rank-1]))
		}
		i := 0
		for ; rank > bins[i].count; i++ {
			rank -= bins[i].count
		}
		return Round(float64(bins[i].most))
	}
	d.Median, d.P95, d.P99, d.Max = at(0.5), at(0.95), at(0.99), at(1)
	return d
}

// Round keeps a millionth: what is behind it is the machine's, not the cluster's.
func Round(v float64) float64 { return math.Round(v*1e6) / 1e6 }
