package ladder

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/cloud"
)

var (
	places = []cloud.Subnet{{ID: "subnet-a", AZ: "us-east-1a"}, {ID: "subnet-b", AZ: "us-east-1b"}}
	small  = Type{Name: "c6i.xlarge", Spot: true, Price: 0.17, PriceDate: "2026-07-20"}
	large  = Type{Name: "c5n.18xlarge", Spot: true, Price: 3.888, PriceDate: "2025-05-28", EFA: 1}
	hpc    = Type{Name: "hpc7a.96xlarge", EFA: 2}
)

func names(rungs []Rung) []string {
	var out []string
	for _, r := range rungs {
		out = append(out, r.String())
	}
	return out
}

func TestTheZoneChangesFirstThenTheTypeThenTheMarket(t *testing.T) {
	l := Build(Wish{Types: []Type{small, large}, Places: places, Markets: []cloud.Market{cloud.Spot, cloud.OnDemand}, Nodes: 2, JobNodes: 2})
	want := []string{
		"c6i.xlarge spot us-east-1a", "c6i.xlarge spot us-east-1b", "c5n.18xlarge spot us-east-1a", "c5n.18xlarge spot us-east-1b",
		"c6i.xlarge on-demand us-east-1a", "c6i.xlarge on-demand us-east-1b", "c5n.18xlarge on-demand us-east-1a", "c5n.18xlarge on-demand us-east-1b",
	}
	if d := cmp.Diff(want, names(l.Rungs)); d != "" {
		t.Error(d)
	}
}

func TestASpotRungCostsAtMostItsCapOrTheOnDemandPrice(t *testing.T) {
	for _, c := range []struct {
		name       string
		typ        Type
		cap        float64
		price, max float64
	}{
		{"no cap", large, 0, 3.888, 0},
		{"cap below on-demand", large, 1.5, 1.5, 1.5},
		{"cap above on-demand", large, 9, 3.888, 9},
		{"a type's own cap", Type{Name: "x", Spot: true, Price: 2, MaxPrice: 0.5}, 1, 0.5, 0.5},
		{"price unknown", Type{Name: "x", Spot: true}, 1, 1, 1},
		{"neither known", Type{Name: "x", Spot: true}, 0, 0, 0},
	} {
		r := Build(Wish{Types: []Type{c.typ}, Places: places[:1], Markets: []cloud.Market{cloud.Spot}, MaxPrice: c.cap, JobNodes: 1}).Rungs[0]
		if r.Price != c.price || r.MaxPrice != c.max {
			t.Errorf("%s: price %v cap %v, want %v and %v", c.name, r.Price, r.MaxPrice, c.price, c.max)
		}
		if dated := r.Price == c.typ.Price && c.typ.PriceDate != ""; dated != (r.PriceDate != "") { // a cap has no day
			t.Errorf("%s: price %v is of %q", c.name, r.Price, r.PriceDate)
		}
	}
}

func TestALadderIsAsOldAsItsOldestPrice(t *testing.T) {
	for _, c := range []struct {
		name string
		wish Wish
		want string
	}{
		{"the older of two", Wish{Types: []Type{small, large}}, "2025-05-28"},
		{"whatever their order", Wish{Types: []Type{large, small}}, "2025-05-28"},
		{"of no price", Wish{Types: []Type{hpc}}, ""},
		{"beside no price", Wish{Types: []Type{hpc, small}, MaxHourly: 1}, "2026-07-20"},
		{"ruled out by it", Wish{Types: []Type{small}, MaxHourly: 0.01}, "2026-07-20"},
		{"ruled out for another reason", Wish{Types: []Type{small}, EFA: true}, ""},
	} {
		c.wish.Places, c.wish.Markets, c.wish.Nodes, c.wish.JobNodes = places, []cloud.Market{cloud.OnDemand}, 1, 1
		if got := Build(c.wish).PriceDate(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLimitsAndWishesRuleRungsOutWithAReason(t *testing.T) {
	both := []cloud.Market{cloud.Spot, cloud.OnDemand}
	for _, c := range []struct {
		name    string
		wish    Wish
		rungs   []string
		why     string
		limited bool
	}{
		{"no spot market", Wish{Types: []Type{hpc}, Markets: both}, []string{"hpc7a.96xlarge on-demand us-east-1a"}, "hpc7a.96xlarge has no spot market", false},
		{"no EFA", Wish{Types: []Type{small}, EFA: true, Markets: both[1:]}, nil, "c6i.xlarge has no EFA", false},
		{"the whole job counts", Wish{Types: []Type{large}, Markets: both[1:], Gang: true, JobNodes: 8, MaxHourly: 31}, nil, "31.10 USD/h for 8 nodes", true},
		{"just affordable", Wish{Types: []Type{large}, Markets: both[1:], Gang: true, JobNodes: 8, MaxHourly: 31.104}, []string{"c5n.18xlarge on-demand us-east-1a"}, "", false},
		{"best effort: one is enough", Wish{Types: []Type{large}, Markets: both[1:], JobNodes: 8, MaxHourly: 4}, []string{"c5n.18xlarge on-demand us-east-1a"}, "", false},
		{"an unknown price breaks a limit", Wish{Types: []Type{hpc}, Markets: both[1:], Gang: true, JobNodes: 2, MaxHourly: 100}, nil, "its price is not known, and there is a limit", true},
		{"unless policy says so", Wish{Types: []Type{hpc}, Markets: both[1:], Gang: true, JobNodes: 2, MaxHourly: 100, UnknownPrice: true}, []string{"hpc7a.96xlarge on-demand us-east-1a"}, "", false},
		{"like live members", Wish{Types: []Type{large}, Markets: both[1:], Like: &Like{Type: "c5n.18xlarge", AZ: "us-east-1b"}}, nil, "live members of the gang are in us-east-1b", false},
	} {
		c.wish.Places = places[:1]
		l := Build(c.wish)
		if d := cmp.Diff(c.rungs, names(l.Rungs)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		why := ""
		if len(l.Excluded) > 0 {
			why = l.Excluded[0].Why
		}
		if why != c.why || l.Limited() != c.limited {
			t.Errorf("%s: why %q limited %v, want %q %v", c.name, why, l.Limited(), c.why, c.limited)
		}
	}
}

// What is said of zones may be old: it rules out a zone only where another sells
// the type, and a live member of the gang says more.
func TestZonesThatDoNotSellATypeAreRuledOutOrLast(t *testing.T) {
	here, nowhere := small, large
	here.Unsold, nowhere.Unsold = []string{"us-east-1a"}, []string{"us-east-1a", "us-east-1b"}
	w := Wish{Types: []Type{nowhere, here}, Places: places, Markets: []cloud.Market{cloud.Spot, cloud.OnDemand}, JobNodes: 1}
	l := Build(w)
	want := []string{
		"c6i.xlarge spot us-east-1b", "c6i.xlarge on-demand us-east-1b",
		"c5n.18xlarge spot us-east-1a", "c5n.18xlarge spot us-east-1b", "c5n.18xlarge on-demand us-east-1a", "c5n.18xlarge on-demand us-east-1b",
	}
	if d := cmp.Diff(want, names(l.Rungs)); d != "" {
		t.Error(d)
	}
	if len(l.Excluded) != 2 || l.Excluded[0].Why != "the catalogue says that us-east-1a does not sell c6i.xlarge" || l.Limited() {
		t.Errorf("excluded: %+v", l.Excluded)
	}
	w.Like = &Like{Type: "c6i.xlarge", AZ: "us-east-1a"}
	if got := names(Build(w).Rungs); len(got) != 2 || got[0] != "c6i.xlarge spot us-east-1a" {
		t.Errorf("beside a live member: %v", got)
	}
}

func TestShortagesOnlyReorder(t *testing.T) {
	rungs := Build(Wish{Types: []Type{small, large}, Places: places, Markets: []cloud.Market{cloud.Spot, cloud.OnDemand}, JobNodes: 1}).Rungs
	zone := Demote(rungs, []Shortage{{AZ: "us-east-1a"}})
	if zone[0].AZ != "us-east-1b" || len(zone) != len(rungs) || zone[4].AZ != "us-east-1a" {
		t.Errorf("full subnet: %v", names(zone))
	}
	quota := Demote(rungs, []Shortage{{Type: "m5.large", Market: cloud.Spot, Family: true}})
	if quota[0].Market != cloud.OnDemand || len(quota) != len(rungs) {
		t.Errorf("a quota of the standard families covers c too: %v", names(quota))
	}
	gpu := Demote(rungs, []Shortage{{Type: "p5.48xlarge", Market: cloud.Spot, Family: true}})
	if d := cmp.Diff(names(rungs), names(gpu)); d != "" {
		t.Errorf("another family's quota: %s", d)
	}
}
