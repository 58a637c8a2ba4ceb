package billing

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

func at(d time.Duration) env.Time { return env.Time(d) }

func TestARunIsBilledByTheSecondAndForAMinuteAtLeast(t *testing.T) {
	for name, c := range map[string]struct {
		from, until time.Duration
		seconds     int64
	}{
		"an hour":               {0, time.Hour, 3600},
		"an hour and a bit":     {0, time.Hour + 999*time.Millisecond, 3600},
		"a second":              {0, time.Second, 60},
		"nothing at all":        {5 * time.Second, 5 * time.Second, 60},
		"a minute and a second": {0, 61 * time.Second, 61},
		"parts of seconds":      {1900 * time.Millisecond, 91100 * time.Millisecond, 90},
	} {
		var l Ledger
		run := l.Open(Line{}, at(c.from), PerHour(0.17), true)
		before := run.Charge(at(c.until))
		line := run.Close(at(c.until))
		if before != line.Amount {
			t.Errorf("%s: %d billed, and before it would have been %d", name, line.Amount, before)
		}
		if line.Seconds != c.seconds {
			t.Errorf("%s: %d seconds billed, want %d", name, line.Seconds, c.seconds)
		}
		if want := at(c.until.Truncate(time.Second)); line.Until != want || line.From != at(c.from.Truncate(time.Second)) {
			t.Errorf("%s: from %v until %v", name, line.From, line.Until)
		}
		if want := Amount(170_000 * c.seconds); line.Amount != want {
			t.Errorf("%s: %d, want %d", name, line.Amount, want)
		}
	}
}

func TestAnHourCostsItsRateToTheCent(t *testing.T) {
	for usd, cents := range map[float64]int64{21.957642: 2196, 0.17: 17, 3.65904: 366, 0.005: 1, 0.0049: 0} {
		a := PerHour(usd).For(3600)
		if a.Cents() != cents {
			t.Errorf("%v USD: %d cents, want %d", usd, a.Cents(), cents)
		}
		if d := a.USD() - usd; d > 1e-9 || d < -1e-9 {
			t.Errorf("%v USD: %v", usd, a.USD())
		}
	}
	for a, want := range map[Amount]string{-123 * cent: "-1.23 USD", -123*cent - cent/4: "-1.23 USD", -123*cent - 3*cent/4: "-1.24 USD", -3 * cent / 2: "-0.01 USD", -cent / 4: "0.00 USD"} {
		if got := a.String(); got != want {
			t.Errorf("%d: %s, want %s", a, got, want)
		}
	}
	if got := PerHour(12.3).For(3600).String(); got != "12.30 USD" {
		t.Error(got)
	}
}

func TestANewRateHoldsFromItsInstantOn(t *testing.T) {
	var l Ledger
	r := l.Open(Line{}, 0, PerHour(1), true)
	r.Reprice(at(time.Hour), PerHour(2))
	r.Reprice(at(2*time.Hour), PerHour(3))
	if line := r.Close(at(150 * time.Minute)); line.Amount.Cents() != 450 {
		t.Errorf("%v, want 1 + 2 + 3/2", line.Amount)
	}
}

func TestLinesAreAddedUpByKind(t *testing.T) {
	var lines []string
	l := Ledger{Closed: func(n Line) { lines = append(lines, n.Instance) }}
	a := l.Open(Line{Instance: "a", Type: "t", AZ: "z", Market: cloud.Spot}, 0, PerHour(1), true)
	b := l.Open(Line{Instance: "b", Type: "t", AZ: "y", Market: cloud.Spot}, 0, PerHour(1), true)
	c := l.Open(Line{Instance: "c", Type: "t", AZ: "z", Market: cloud.Spot}, 0, PerHour(9), false)
	if got := l.Total(at(time.Hour)); got.Cents() != 200 {
		t.Errorf("while they run: %v", got)
	}
	for _, r := range []*Run{c, a, b} {
		r.Close(at(time.Hour))
	}
	want := []Sum{
		{Type: "t", AZ: "y", Market: cloud.Spot, Instances: 1, Seconds: 3600, Amount: 100 * cent},
		{Type: "t", AZ: "z", Market: cloud.Spot, Instances: 2, Seconds: 7200, Amount: 100 * cent, Unpriced: true},
	}
	if d := cmp.Diff(want, l.Sums()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c", "a", "b"}, lines); d != "" {
		t.Error(d)
	}
	if l.Total(at(99*time.Hour)).Cents() != 200 || len(l.open) != 0 {
		t.Errorf("after their end: %v, %d open", l.Total(0), len(l.open))
	}
}

// Two sums of the same thing, made in different ways, agree at every instant.
func TestLedgerEqualsMeter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Ledger
		var m Meter
		var runs []*Run
		now := env.Time(rapid.Int64Range(0, 4e18).Draw(t, "start"))
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 120e9).Draw(t, "gap")))
			rate := Rate(rapid.Int64Range(0, 500e6).Draw(t, "rate"))
			switch n := len(runs); {
			case n == 0 || rapid.Bool().Draw(t, "starts"):
				runs = append(runs, l.Open(Line{}, now, rate, true))
				m.On(now, rate)
			default:
				k := rapid.IntRange(0, n-1).Draw(t, "which")
				r := runs[k]
				if rapid.Bool().Draw(t, "ends") {
					m.Off(now, r.From(), r.Rate())
					r.Close(now)
					runs = append(runs[:k], runs[k+1:]...)
				} else {
					m.Change(now, r.Rate(), rate)
					r.Reprice(now, rate)
				}
			}
			if a, b := l.Total(now), m.Total(now); a != b {
				t.Fatalf("at %v the ledger has %d, the meter %d", now, a, b)
			}
		}
		for later := range 3 {
			now := now.Add(time.Duration(later) * 45 * time.Second)
			if a, b := l.Total(now), m.Total(now); a != b {
				t.Fatalf("later, at %v: the ledger has %d, the meter %d", now, a, b)
			}
		}
	})
}
