package market

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
)

// epoch is when runs begin.
var epoch = env.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

const day = 24 * time.Hour

func named(t testing.TB, name string) Supply {
	t.Helper()
	s, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func always(s Supply) Supplies { return func(Pool) (Supply, bool) { return s, true } }

func spot(az string) Pool { return Pool{"p3.2xlarge", az, cloud.Spot} }

// kolmogorov is the greatest distance between what was drawn and what a
// distribution says.
func kolmogorov(drawn []float64, cdf func(float64) float64) float64 {
	slices.Sort(drawn)
	d, n := 0.0, float64(len(drawn))
	for i, x := range drawn {
		f := cdf(x)
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	return d
}

// Times up and down are the Weibull distributions that they are said to be: a
// Kolmogorov-Smirnov test at the level of 1 %, and means within 3 %.
func TestTimesUpAndDownAreWeibull(t *testing.T) {
	const n = 40_000
	for _, s := range presets {
		r := newRenewal(s, epoch, simulator.NewStream(1, "test", s.Name))
		var times [2][]float64
		for len(times[0]) < n {
			from, up := r.until, 0
			r.turn()
			if r.isUp {
				up = 1
			}
			times[up] = append(times[up], r.until.Sub(from).Seconds())
		}
		for up, w := range []Weibull{s.Down, s.Up} {
			mean := 0.0
			for _, x := range times[up] {
				mean += x / float64(len(times[up]))
			}
			if want := w.Mean.Seconds(); math.Abs(mean/want-1) > .03 {
				t.Errorf("%s: the mean of %+v is %.0f s", s.Name, w, mean)
			}
			cdf := func(x float64) float64 { return 1 - math.Exp(-math.Pow(x/w.Scale(), w.Shape)) }
			if d, most := kolmogorov(times[up], cdf), 1.63/math.Sqrt(n); d > most {
				t.Errorf("%s: what was drawn of %+v is %.4f from it, at most %.4f", s.Name, w, d, most)
			}
		}
	}
}

// sampled asks pools every so often for a while; it returns how many each had.
func sampled(m *Market, pools []Pool, every, during time.Duration) [][]int {
	out := make([][]int, len(pools))
	for at := time.Duration(0); at < during; at += every {
		for i, p := range pools {
			out[i] = append(out[i], m.Pool(p).Free(epoch.Add(at)))
		}
	}
	return out
}

func share(list []int, test func(int) bool) float64 {
	n := 0
	for _, x := range list {
		if test(x) {
			n++
		}
	}
	return float64(n) / float64(len(list))
}

func atLeast(n int) func(int) bool { return func(x int) bool { return x >= n } }

// phi is the correlation of two pools' having anything.
func phi(a, b []int) float64 {
	both := 0.0
	for i := range a {
		if a[i] > 0 && b[i] > 0 {
			both += 1 / float64(len(a))
		}
	}
	pa, pb := share(a, atLeast(1)), share(b, atLeast(1))
	return (both - pa*pb) / math.Sqrt(pa*(1-pa)*pb*(1-pb))
}

func TestPoolsAreThereAsOftenAndAsTogetherAsMeasured(t *testing.T) {
	var pools []Pool
	for _, az := range strings.Fields("us-east-1a us-east-1b us-east-1c us-west-2a us-west-2b us-west-2c eu-west-1a eu-west-1b eu-west-1c") {
		pools = append(pools, spot(az))
	}
	for _, name := range []string{"scarce", "common"} {
		s := named(t, name)
		var there, within, across, n, k float64
		for seed := range uint64(4) {
			m := New(seed, epoch, always(s), Recorded{})
			got := sampled(m, pools, 40*time.Minute, 1200*day)
			for i := range pools {
				there += share(got[i], atLeast(1)) / float64(4*len(pools))
				for j := range i {
					if pools[i].region() == pools[j].region() {
						within += phi(got[i], got[j])
						n++
					} else {
						across += phi(got[i], got[j])
						k++
					}
				}
			}
		}
		if want := s.Available(); math.Abs(there-want) > .01 {
			t.Errorf("%s: there %.3f of the time, want %.3f", name, there, want)
		}
		if got := within / n; math.Abs(got-PhiInRegion) > .04 {
			t.Errorf("%s: phi within a region is %.3f, want %.2f", name, got, PhiInRegion)
		}
		if got := across / k; math.Abs(got-PhiInWorld) > .04 {
			t.Errorf("%s: phi across regions is %.3f, want %.2f", name, got, PhiInWorld)
		}
	}
}

// The bands are those of the measured series: one GPU type and the CPU type's
// better zones.
func TestGangsFindAndLoseWhatWasMeasured(t *testing.T) {
	for name, want := range map[string]float64{"scarce": .73, "common": .94} {
		m := New(3, epoch, always(named(t, name)), Recorded{})
		got := sampled(m, []Pool{spot("us-east-1a")}, 5*time.Minute, 2000*day)[0]
		if p := share(got, atLeast(16)) / share(got, atLeast(1)); math.Abs(p-want) > .02 {
			t.Errorf("%s: all 16 are there in %.3f of the time that any is, want %.2f", name, p, want)
		}
		drops, whole, lost := 0.0, 0.0, 0.0
		for i := range got[1:] {
			was, is := min(16, got[i]), min(16, got[i+1])
			if was == 0 || is >= was {
				continue
			}
			drops++
			lost += float64(was-is) / float64(was)
			if is == 0 {
				whole++
			}
		}
		if p := whole / drops; p < .36 || p > .72 {
			t.Errorf("%s: %.2f of the drops of 16 lose everything, want 0.36 to 0.72", name, p)
		}
		if p := lost / drops; p < .61 || p > .90 {
			t.Errorf("%s: a drop of 16 loses %.2f of what was up, want 0.61 to 0.90", name, p)
		}
	}
}

// Whoever asks, and when, changes nothing: not for the pool, and not for others.
func TestCapacityDoesNotDependOnWhoAsksWhen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		s := presets[rapid.IntRange(0, 1).Draw(t, "preset")]
		busy, quiet := New(seed, epoch, always(s), Recorded{}), New(seed, epoch, always(s), Recorded{})
		now := epoch
		for range rapid.IntRange(1, 40).Draw(t, "questions") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(40*time.Hour)).Draw(t, "gap")))
			p := spot("us-east-1" + string(rune('a'+rapid.IntRange(0, 2).Draw(t, "zone"))))
			busy.Pool(p).Room(now)
			busy.Price(p).At(now)
		}
		for _, az := range []string{"us-east-1b", "us-east-1a"} {
			b, q := busy.Pool(spot(az)), quiet.Pool(spot(az))
			if b.Free(now) != q.Free(now) || b.Room(now) != q.Room(now) || b.Part(now) != q.Part(now) || b.Next() != q.Next() {
				t.Fatalf("%s at %v: %d, asked before; %d, asked for the first time", az, now, b.Free(now), q.Free(now))
			}
			f, since := busy.Price(spot(az)).At(now)
			if g, at := quiet.Price(spot(az)).At(now); f != g || since != at {
				t.Fatalf("%s: a price of %v, asked before; %v, asked for the first time", az, f, g)
			}
		}
	})
}

func TestNothingChangesBeforeNext(t *testing.T) {
	m := New(5, epoch, always(named(t, "scarce")), Recorded{})
	c := m.Pool(spot("us-east-1a"))
	for now := epoch; now < epoch.Add(60*day); {
		free, next := c.Free(now), c.Next()
		if next <= now {
			t.Fatalf("at %v the next change is at %v", now, next)
		}
		part := c.Part(now)
		if c.Free(next-1) != free || c.Part(next-1) != part {
			t.Fatalf("%d, %v at %v and %d, %v before %v", free, part, now, c.Free(next-1), c.Part(next-1), next)
		}
		now = next
	}
}

func TestGroupsFindLessTheLargerTheyAre(t *testing.T) {
	s := named(t, "scarce")
	m := New(1, epoch, always(s), Recorded{})
	c := m.Pool(spot("us-east-1a"))
	var room, free []int
	for at := time.Duration(0); at < 400*day; at += 10 * time.Minute {
		free = append(free, c.Free(epoch.Add(at)))
		room = append(room, c.Room(epoch.Add(at)))
		if room[len(room)-1] > free[len(free)-1] {
			t.Fatalf("room for %d among %d", room[len(room)-1], free[len(free)-1])
		}
	}
	there := share(free, atLeast(1))
	for _, n := range []int{2, 8, 32} {
		// What is near is of what there is: both have to be enough.
		want := math.Pow(float64(n), -s.Tail-s.GroupTail)
		if got := share(room, atLeast(n)) / there; math.Abs(got-want) > .03 {
			t.Errorf("%d side by side: %.3f, want %.3f", n, got, want)
		}
	}
}

func TestAPartIsOneAtLeastNeverAllAndTheFewerTheLikelier(t *testing.T) {
	c := New(1, epoch, always(named(t, "scarce")), Recorded{}).Pool(spot("us-east-1a"))
	var taken [4]float64
	held, last := time.Duration(0), Part{}
	if last.Of(4) != 0 {
		t.Errorf("%d are taken before anything is", last.Of(4))
	}
	for at := epoch; at < epoch.Add(4000*day); at = at.Add(time.Hour) {
		p := c.Part(at)
		if p == last || p.At == 0 {
			continue
		}
		last = p
		if p.Of(1) != 0 || p.Of(2) != 1 {
			t.Fatalf("of one %d are taken, of two %d", p.Of(1), p.Of(2))
		}
		taken[p.Of(4)]++
		held += p.Until.Sub(p.At)
	}
	n := taken[1] + taken[2] + taken[3]
	for j, want := range []float64{0, math.Log(2) / math.Log(4), math.Log(1.5) / math.Log(4), math.Log(4./3) / math.Log(4)} {
		if got := taken[j] / n; math.Abs(got-want) > .01 {
			t.Errorf("%d of four are taken in %.3f of the cases, want %.3f", j, got, want)
		}
	}
	if got := held / time.Duration(n); got < 570*time.Second || got > 630*time.Second {
		t.Errorf("no more is given for %v, want 10 min", got)
	}
}

func TestMostInterruptionsOfADropComeWithinThreeMinutes(t *testing.T) {
	c := New(1, epoch, always(named(t, "scarce")), Recorded{}).Pool(spot("us-east-1a"))
	const n = 20_000
	within := 0.0
	for range n {
		if c.Lag() <= 3*time.Minute {
			within++
		}
	}
	if got := within / n; math.Abs(got-.92) > .01 {
		t.Errorf("%.3f, want 0.92", got)
	}
}

func TestAnAdvisorsShareIsInterruptedInAMonth(t *testing.T) {
	for _, want := range []float64{.05, .2} {
		s, err := Interrupted(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := 1 - math.Exp(-(30*day).Hours()/s.Up.Mean.Hours()); math.Abs(got-want) > .001 {
			t.Errorf("%.3f are interrupted, want %.2f", got, want)
		}
	}
	for _, bad := range []float64{0, 1, -1, math.NaN()} {
		if _, err := Interrupted(bad); err == nil {
			t.Errorf("%v a month is taken", bad)
		}
	}
}

func TestPricesMoveInSmallStepsBetweenBounds(t *testing.T) {
	p := New(1, epoch, always(named(t, "common")), Recorded{}).Price(spot("us-east-1a"))
	last, _ := p.At(epoch)
	end, steps := epoch.Add(1000*day), 0
	for now := p.Next(); now < end; now = p.Next() {
		f, since := p.At(now)
		if since != now {
			t.Fatalf("the price of %v holds since %v", now, since)
		}
		if step := max(f/last, last/f) - 1; step < .02-1e-9 || step > .10+1e-9 {
			t.Fatalf("a step of %.1f %%", 100*step)
		}
		if f < .6 || f > 1.6 {
			t.Fatalf("%v times the usual price", f)
		}
		last = f
		steps++
	}
	if mean := 1000 * 24 / float64(steps); math.Abs(mean-4) > .2 {
		t.Errorf("a step every %.2f h, want 4", mean)
	}
}

func TestDefaultsTellScarceFromCommon(t *testing.T) {
	for name, want := range map[string]string{
		"p5.48xlarge": "scarce", "hpc7a.96xlarge": "scarce", "g5.xlarge": "scarce", "u7i-12tb.224xlarge": "scarce",
		"c6i.xlarge": ">20%", "r7iz.metal-16xl": ">20%", "x2idn.16xlarge": ">20%", "": ">20%",
	} {
		onDemand := "common-on-demand"
		if want == "scarce" {
			onDemand = "scarce-on-demand"
		}
		for market, want := range map[cloud.Market]string{cloud.Spot: want, cloud.OnDemand: onDemand} {
			if s, ok := Default(Pool{name, "us-east-1a", market}); !ok || s.Name != want {
				t.Errorf("%q %s: %s, want %s", name, market, s.Name, want)
			}
		}
	}
	if _, err := Named("plenty"); err == nil || !strings.Contains(err.Error(), "there are scarce, common,") {
		t.Error(err)
	}
}

// A gang on a pool of the Advisor's bands is interrupted the more, the higher the
// band, and less than on the pools that were measured.
func TestBandsOfTheAdvisorAreRisingInterruptions(t *testing.T) {
	last := named(t, "common")
	for _, word := range []string{">20%", "15-20%", "10-15%", "5-10%", "<5%"} {
		s := named(t, word)
		if s.Name != word || s.Up.Mean <= last.Up.Mean || s.PartEvery <= last.PartEvery || s.Tail >= last.Tail {
			t.Errorf("%+v is not rarer than %+v", s, last)
		}
		m := New(1, epoch, always(s), Recorded{})
		got := sampled(m, []Pool{spot("us-east-1a")}, time.Hour, 400*day)[0]
		if p := share(got, atLeast(16)); p < .99 {
			t.Errorf("%s: 16 are there in %.4f of the time", word, p)
		}
		last = s
	}
}

func TestWhatNobodyMeasuredIsSaid(t *testing.T) {
	for _, s := range presets {
		list := strings.Join(s.Assumed(), "\n")
		if strings.Contains(list, "up for") == s.measured || !strings.Contains(list, "at most") {
			t.Errorf("%s: %s", s.Name, list)
		}
	}
}

func TestAPoolWithoutASupplyNeverRunsDry(t *testing.T) {
	m := New(1, epoch, func(Pool) (Supply, bool) { return Supply{}, false }, Recorded{})
	if m.Pool(spot("us-east-1a")) != nil {
		t.Error("it has a capacity")
	}
}

func BenchmarkAYearOfAPoolThatWasNotAsked(b *testing.B) {
	for b.Loop() {
		m := New(1, epoch, Default, Recorded{})
		m.Pool(spot("us-east-1a")).Free(epoch.Add(365 * day))
	}
}
