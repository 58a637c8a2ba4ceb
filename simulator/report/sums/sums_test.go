package sums

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantilesAreValuesThatOccurred(t *testing.T) {
	var s Series
	for i := range 200 {
		s.Add(float64(200 - i))
	}
	if got, want := s.Distribution(), (Distribution{Count: 200, Mean: 100.5, Median: 100, P95: 190, P99: 198, Max: 200}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (&Series{}).Distribution(); got != (Distribution{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestSeriesOfAnyLengthTakeNoMoreMemory(t *testing.T) {
	const n = kept + 200_000
	var s Series
	random, values := rand.New(rand.NewPCG(1, 1)), make([]float32, 0, n)
	for range n {
		v := math.Floor(random.ExpFloat64() * 5000)
		s.Add(v)
		values = append(values, float32(v))
	}
	slices.Sort(values)
	if got := len(s.values) + len(s.bins); got > 50_000 {
		t.Errorf("%d values are kept as %d", n, got)
	}
	d := s.Distribution()
	for q, got := range map[float64]float64{0.5: d.Median, 0.95: d.P95, 0.99: d.P99} {
		want := float64(values[int(math.Ceil(q*n))-1])
		if _, occurred := slices.BinarySearch(values, float32(got)); !occurred || math.Abs(got-want) > want/2048 {
			t.Errorf("quantile %g is %g, of values that are %g there", q, got, want)
		}
	}
	if d.Count != n || d.Max != float64(values[n-1]) || d.Mean < 4950 || d.Mean > 5050 {
		t.Errorf("%+v", d)
	}
}

func TestDollarsAsBillsHaveThem(t *testing.T) {
	for v, want := range map[USD][2]string{
		0: {"0.00", "0.000000"}, 4_999: {"0.00", "0.004999"}, 5_000: {"0.01", "0.005000"},
		1_234_567_890: {"1234.57", "1234.567890"}, -5_000: {"-0.01", "-0.005000"},
	} {
		text, err := v.MarshalJSON()
		if v.String() != want[0] || string(text) != want[1] || err != nil {
			t.Errorf("%d: %s and %s, want %s and %s", v, v, text, want[0], want[1])
		}
		var back USD
		if err := back.UnmarshalJSON(text); back != v || err != nil {
			t.Errorf("%s is read as %d, %v", text, back, err)
		}
	}
}

func TestMoneyIsAddedUpExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x Exact
		sum := new(big.Rat)
		for range rapid.IntRange(0, 300).Draw(t, "instances") {
			price := rapid.Uint64Range(0, 400e9).Draw(t, "price")
			seconds := rapid.Uint64Range(60, 400*24*3600).Draw(t, "seconds")
			x.Add(price, seconds)
			sum.Add(sum, new(big.Rat).Mul(big.NewRat(int64(price), 1e9), big.NewRat(int64(seconds), 3600)))
		}
		want := sum.Mul(sum, big.NewRat(1e6, 1)).FloatString(0)
		if got := fmt.Sprint(int64(x.USD())); got != want {
			t.Errorf("%s millionths, want %s", got, want)
		}
	})
}

func TestAPeakIsTheMostThereWas(t *testing.T) {
	var p Peak
	for _, n := range []int{3, -2, 4, -5, 1} {
		p.Add(n)
	}
	if p.Most != 5 {
		t.Errorf("%d at most", p.Most)
	}
}

func TestSumsOfMoneyAreExactPastSixtyFourBits(t *testing.T) {
	var x Exact
	const price, seconds, times = 400_000_000_000, 400 * 24 * 3600, 2_000_000
	for range times {
		x.Add(price, seconds)
	}
	want := new(big.Int).Mul(big.NewInt(price), big.NewInt(seconds))
	want.Mul(want, big.NewInt(times)).Div(want, big.NewInt(3600*1000))
	if got := fmt.Sprint(int64(x.USD())); got != want.String() {
		t.Errorf("%s millionths, want %s", got, want)
	}
	if got := (Exact{low: math.MaxUint64}).USD(); got != 5_124_095_576_030 { // rounding carries
		t.Errorf("%d", got)
	}
	for _, high := range []uint64{3600*1000 - 1, 3600 * 1000, math.MaxUint64} {
		if got := (Exact{high: high}).USD(); got != math.MaxInt64 {
			t.Errorf("more than there is money: %d", got)
		}
	}
}

func TestWhatIsNoAmountIsNotRead(t *testing.T) {
	u := USD(7)
	if err := u.UnmarshalJSON([]byte(`"1.00"`)); err == nil || u != 7 {
		t.Errorf("%v, %v", err, u)
	}
}

func TestFewValuesAreKeptAsTheyAre(t *testing.T) {
	var s Series
	for i := range 101 {
		s.Add(float64(1_000_000 + i)) // all of one bin
	}
	if d := s.Distribution(); d.Median != 1_000_050 || d.Max != 1_000_100 {
		t.Errorf("%+v", d)
	}
	for range kept {
		s.Add(1)
	}
	s.Add(2_000_000)
	s.Add(2_000_001)
	if d := s.Distribution(); s.values != nil || d.Max != 2_000_001 || d.Count != kept+103 {
		t.Errorf("%+v", d)
	}
}
