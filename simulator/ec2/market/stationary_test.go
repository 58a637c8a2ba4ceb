package market

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/cloud"
)

// A run begins amid times up and down that began before it: what is left of one is
// then E[X^2] / 2 E[X] on average, by renewal theory, and not a whole one.
func TestARunBeginsAmidTheTimesUpAndDown(t *testing.T) {
	alone := named(t, "scarce")
	alone.InRegion, alone.InWorld = 0, 0
	const n = 6000
	for name, signal := range map[string]func(m *Market) *signal{
		"pool":   func(m *Market) *signal { return m.Pool(spot("us-east-1a")).signal },
		"region": func(m *Market) *signal { return m.region(spot("us-east-1a"), alone) },
	} {
		left, up := 0.0, 0.0
		for seed := range uint64(n) {
			r := signal(New(seed, epoch, always(alone), Recorded{})).own
			if r.until <= epoch {
				t.Fatalf("%s: a time that ended %v before the run", name, epoch.Sub(r.until))
			}
			if r.isUp {
				up++
				left += r.until.Sub(epoch).Hours()
			}
		}
		if got, want := up/n, alone.Available(); math.Abs(got-want) > .02 {
			t.Errorf("%s: %.3f are up, want %.3f", name, got, want)
		}
		k := alone.Up.Shape
		want := alone.Up.Mean.Hours() * math.Gamma(1+2/k) / math.Pow(math.Gamma(1+1/k), 2) / 2
		if got := left / up; math.Abs(got/want-1) > .1 {
			t.Errorf("%s: up for another %.2f h, want %.2f", name, got, want)
		}
	}
}

func TestAssumedAreTheNumbersOfThePoolsThatWereAskedForEachOnce(t *testing.T) {
	dry := map[string]string{"a": "scarce", "b": "scarce", "c": "common"}
	recorded := spot("us-east-1e")
	m := New(1, epoch, func(p Pool) (Supply, bool) {
		name, ok := dry[p.AZ[len(p.AZ)-1:]]
		if !ok {
			return Supply{}, false
		}
		return named(t, name), true
	}, Recorded{Capacity: map[Pool]*Series[int]{recorded: {Steps: []Step[int]{{0, 1}}}}, Price: map[Pool]*Series[float64]{recorded: {Steps: []Step[float64]{{0, 1}}}}})
	if got := m.Assumed(); len(got) != 0 {
		t.Errorf("before anything was asked for: %q", got)
	}
	m.Pool(recorded)
	m.Price(recorded)
	m.Pool(spot("us-east-1d")) // never runs dry
	if got := m.Assumed(); len(got) != 0 {
		t.Errorf("of what was recorded, or never runs dry: %q", got)
	}
	for _, az := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
		m.Pool(spot(az))
	}
	want := append(named(t, "common").Assumed(), named(t, "scarce").Assumed()...)
	if got := m.Assumed(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	m.Price(spot("us-east-1a"))
	m.Price(spot("us-east-1b"))
	if got := m.Assumed(); !slices.Equal(got, append(want, priceAssumed...)) {
		t.Errorf("with prices: %q", got)
	}
}

// On demand nothing is taken back in parts.
func TestWithoutTimesBetweenThemNoPartIsTaken(t *testing.T) {
	c := New(1, epoch, always(named(t, "scarce-on-demand")), Recorded{}).Pool(Pool{"p3.2xlarge", "us-east-1a", cloud.OnDemand})
	if p := c.Part(epoch.Add(4000 * day)); p != (Part{}) || p.Of(16) != 0 {
		t.Errorf("%+v", p)
	}
	if got := (Part{exponent: .5}).Of(16); got != 0 {
		t.Errorf("a part that was not taken yet is %d of 16", got)
	}
	for n, want := range map[int]int{0: 0, 1: 0, 2: 1, 4: 2, 16: 4} {
		if got := (Part{At: epoch, exponent: .5}).Of(n); got != want {
			t.Errorf("%d of %d are taken, want %d", got, n, want)
		}
	}
	if got := (Part{At: epoch, exponent: 1}).Of(16); got != 15 {
		t.Errorf("%d of 16 are taken, want all but one", got)
	}
}

func TestAPriceHoldsSinceItsStep(t *testing.T) {
	p := spot("us-east-1a")
	m := New(1, epoch, nil, Recorded{Price: map[Pool]*Series[float64]{p: {Period: time.Hour, Steps: []Step[float64]{{0, 0.1}, {time.Minute, 0.2}}}}})
	for at, want := range map[time.Duration]time.Duration{0: 0, time.Minute: time.Minute, 59 * time.Minute: time.Minute} {
		if f, since := New(1, epoch, nil, m.recorded).Price(p).At(epoch.Add(at)); f != 1 || since != epoch.Add(want) {
			t.Errorf("after %v: %v since %v", at, f, since.Sub(epoch))
		}
	}
	other := m.Price(spot("us-east-1b"))
	next := other.Next()
	before, since := other.At(next - 1)
	if after, at := other.At(next); since != epoch || at != next || before == after {
		t.Errorf("%v since %v, then %v since %v, at %v", before, since, after, at, next)
	}
}

// Between the bounds a walk is as likely to begin anywhere, and goes up as often as
// down.
func TestPricesBeginAnywhereBetweenTheirBounds(t *testing.T) {
	const n = 4000
	var low, up float64
	for seed := range uint64(n) {
		p := New(seed, epoch, nil, Recorded{}).Price(spot("us-east-1a"))
		first, _ := p.At(epoch)
		if first < leastPrice || first > topPrice {
			t.Fatalf("%v times the usual price", first)
		}
		if first < math.Sqrt(leastPrice*topPrice) {
			low++
		}
		if second, _ := p.At(p.Next()); second > first {
			up++
		}
	}
	if low/n < .47 || low/n > .53 || up/n < .47 || up/n > .53 {
		t.Errorf("%.3f begin in the lower half, %.3f go up", low/n, up/n)
	}
}

func TestASupplyIsNamedInWhatItAssumes(t *testing.T) {
	s := named(t, "5-10%")
	if s.measured || !strings.HasPrefix(s.Assumed()[0], "supply 5-10%: ") || len(s.Assumed()) != 3 {
		t.Errorf("%q", s.Assumed())
	}
	if s, err := Interrupted(.1); err != nil || s.Name != "interrupted 0.1 a month" {
		t.Errorf("%s %v", s.Name, err)
	}
}
