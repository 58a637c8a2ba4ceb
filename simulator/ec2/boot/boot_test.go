package boot

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func named(t *testing.T, name string) Profile {
	t.Helper()
	p, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fates(p Profile, n int) []Fate {
	out := make([]Fate, n)
	for i := range out {
		out[i] = p.Fate(1, "i-"+strconv.Itoa(i))
	}
	return out
}

// quantile of the times at which those that come up are ready, in seconds.
func quantile(list []Fate, q float64) float64 {
	var s []float64
	for _, f := range list {
		if f.Ready > 0 {
			s = append(s, f.Ready.Seconds())
		}
	}
	slices.Sort(s)
	return s[int(q*float64(len(s)-1))]
}

func TestPresetsComeUpWhenTheirSourcesDid(t *testing.T) {
	for name, want := range map[string][3]float64{ // 5 %, median, 95 %, in seconds
		"minimal":         {23, 25, 27.1},
		"hpc":             {49.7, 75, 113.2},
		"parallelcluster": {180, 228, 290},
	} {
		list := fates(named(t, name), 20_000)
		for i, q := range []float64{.05, .5, .95} {
			if got := quantile(list, q); math.Abs(got/want[i]-1) > .02 {
				t.Errorf("%s: %.0f %% are ready after %.1f s, want %.1f", name, 100*q, got, want[i])
			}
		}
		for _, f := range list {
			if s := f.Running.Seconds(); s < 13 || s > 22 {
				t.Fatalf("%s: running after %.1f s", name, s)
			}
		}
	}
}

func TestNoSlurmdAnswersBeforeItsInstanceRuns(t *testing.T) {
	p := Profile{Running: Lognormal{30 * time.Second, .5}, Ready: Lognormal{30 * time.Second, .5}}
	for _, f := range fates(p, 1000) {
		if f.Ready <= f.Running {
			t.Fatalf("%+v", f)
		}
	}
}

func TestSomeDieAndSomeNeverAnswer(t *testing.T) {
	p := named(t, "hpc")
	p.Dies, p.Never = .2, .1
	const n = 20_000
	count := map[string]int{}
	for _, f := range fates(p, n) {
		switch {
		case f.Dies != "":
			count[f.Dies]++
			if f.Ready != 0 {
				t.Fatalf("%+v died and is ready", f)
			}
		case f.Ready == 0:
			count["never"]++
		}
	}
	for what, want := range map[string]float64{"Server.InternalError": .15, "Client.InternalError": .05, "never": .08} {
		if got := float64(count[what]) / n; math.Abs(got-want) > .01 {
			t.Errorf("%s: %.3f, want %.3f", what, got, want)
		}
	}
	p.Dies, p.Never = 0, 0
	for _, f := range fates(p, 1000) {
		if f.Dies != "" || f.Ready == 0 {
			t.Fatalf("without a chance of it: %+v", f)
		}
	}
}

func TestAFateIsTheInstancesOwn(t *testing.T) {
	p := named(t, "hpc")
	a := p.Fate(1, "i-1")
	if p.Fate(1, "i-1") != a {
		t.Error("drawn twice, two fates")
	}
	if p.Fate(1, "i-2") == a || p.Fate(2, "i-1") == a {
		t.Error("another instance or another seed, the same fate")
	}
	p.Never = 1
	if b := p.Fate(1, "i-1"); b.Running != a.Running {
		t.Error("another chance shifted the times")
	}
}

func TestUnknownPresetsAreRefused(t *testing.T) {
	if _, err := Named("fast"); err == nil || !strings.Contains(err.Error(), `"fast": there are minimal, hpc, parallelcluster`) {
		t.Error(err)
	}
}

func TestWhatNobodyMeasuredIsSaid(t *testing.T) {
	for _, p := range presets {
		list := strings.Join(p.Assumed(), "\n")
		if !strings.Contains(list, "0.002 of instances die") || !strings.Contains(list, "slurmd of 0.01 never answers") {
			t.Errorf("%s: %s", p.Name, list)
		}
		if strings.Contains(list, "slurmd answers after") != (p.Name == "hpc") {
			t.Errorf("%s: %s", p.Name, list)
		}
	}
	// A site's own numbers are its own: they are assumed all the same.
	own := Profile{Name: "own", Ready: Lognormal{time.Minute, .1}}
	if list := strings.Join(own.Assumed(), "\n"); !strings.Contains(list, "slurmd answers after 1m0s") {
		t.Error(list)
	}
}

func BenchmarkFate(b *testing.B) {
	p := presets[1]
	b.ReportAllocs()
	for b.Loop() {
		p.Fate(1, "i-0123456789abcdef0")
	}
}
