package survey_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/survey"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/port"
	"aws-slurm-burst/simulator/faults"
)

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// ask surveys an EC2 in virtual time, and returns what was said meanwhile.
func ask(t *testing.T, region string, of func(e env.Env) cloud.Offers) (r *catalog.Refreshed, lines []string, asked map[string]int, err error) {
	t.Helper()
	engine := simulator.New(simulator.Options{Start: env.At(now), MaxEvents: 1e6, OnLog: func(ev simulator.Logged) {
		if ev.Level >= env.Warn {
			lines = append(lines, ev.Text)
		}
	}})
	engine.Spawn("test", func(ctx context.Context, e env.Env) {
		c := calls.New(e, nil, e.Now().Add(time.Hour))
		var data []byte
		if data, err = survey.Ask(ctx, c, of(e), region); err == nil {
			r, err = catalog.ReadRefreshed(data)
		}
		asked = c.Counts()
	})
	if failed := engine.Run(); failed != nil {
		t.Fatal(failed)
	}
	return r, lines, asked, err
}

func model(t *testing.T, change func(*ec2.Options), rules string) func(e env.Env) cloud.Offers {
	t.Helper()
	return func(e env.Env) cloud.Offers {
		o := ec2.Options{Clock: e, Types: ec2.Catalog(catalog.Default()), Seed: 1}
		if change != nil {
			change(&o)
		}
		m, err := ec2.New(o)
		if err != nil {
			t.Fatal(err)
		}
		door := port.New(m, e, nil)
		if rules == "" {
			return door
		}
		f, err := faults.Parse([]byte(rules), "faults.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return door.WithFaults(f)
	}
}

func TestWhatEC2SellsIsWhatTheCatalogueKnowsThen(t *testing.T) {
	r, lines, asked, err := ask(t, "us-east-1", model(t, func(o *ec2.Options) {
		o.Zones = 3
		o.Offered = func(kind, az string) bool { return kind != "c6i.large" || az == "us-east-1b" }
		o.SpotPrice = func(kind, az string) (float64, bool) {
			return map[string]float64{"us-east-1a": 0.3, "us-east-1b": 0.1, "us-east-1c": 0.2}[az], kind == "c6i.xlarge"
		}
	}, ""))
	if err != nil || len(lines) > 0 {
		t.Fatal(err, lines)
	}
	c := catalog.Default().With(func() *catalog.Refreshed { return r })
	if c.Date() != "2030-01-02" {
		t.Errorf("of %s", c.Date())
	}
	for _, name := range c.Names() {
		before, _ := catalog.Default().Type(name)
		after, _ := c.Type(name)
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("%s (-embedded +EC2):\n%s", name, d)
		}
	}
	if got := c.Offers("c6i.large", "us-east-1"); len(got) != 1 || got[0] != (catalog.Zone{ID: "use1-az2", Name: "us-east-1b", Region: "us-east-1"}) {
		t.Errorf("c6i.large is offered in %+v", got)
	}
	if got := c.Offers("c6i.xlarge", "us-east-1"); len(got) != 3 {
		t.Errorf("c6i.xlarge is offered in %+v", got)
	}
	if s, ok := c.Spot("c6i.xlarge", "us-east-1"); !ok || s.USD != 0.2 || s.Date != "2030-01-02" { // the middle
		t.Errorf("spot %+v", s)
	}
	// 1,395 types in pages of 100, as many a zone in pages of 1,000, four calls
	// at the least.
	want := map[string]int{"DescribeInstanceTypes": 14, "DescribeAvailabilityZones": 1, "DescribeInstanceTypeOfferings": 5, "DescribeSpotPriceHistory": 1}
	if d := cmp.Diff(want, asked); d != "" {
		t.Error(d)
	}
	if got := survey.Summary(r); got != fmt.Sprintf("%d types, 3 zones, 1 spot prices of us-east-1", len(c.Names())) {
		t.Error(got)
	}
}

func TestAThrottledSurveyGoesOn(t *testing.T) {
	_, _, asked, err := ask(t, "us-east-1", model(t, nil, "faults: [{action: DescribeInstanceTypes, times: 3, error: RequestLimitExceeded}]"))
	if err != nil || asked["DescribeInstanceTypes"] != 17 {
		t.Errorf("%v, %v", err, asked)
	}
}

func TestWithoutSpotPricesTheOlderOnesStay(t *testing.T) {
	for _, code := range []string{"UnauthorizedOperation", "InvalidAction"} {
		r, lines, _, err := ask(t, "us-east-1", model(t, nil, "faults: [{action: DescribeSpotPriceHistory, error: "+code+"}]"))
		if err != nil || len(lines) != 1 || !strings.HasPrefix(lines[0], "no spot prices, keeping the older ones: DescribeSpotPriceHistory: "+code) {
			t.Fatalf("%v: %q", err, lines)
		}
		c := catalog.Default().With(func() *catalog.Refreshed { return r })
		before, _ := catalog.Default().Spot("c6i.xlarge", "us-east-1")
		after, _ := c.Spot("c6i.xlarge", "us-east-1")
		if d := cmp.Diff(before, after); d != "" {
			t.Error(d)
		}
	}
}

func TestWhatIsRefusedIsSaid(t *testing.T) {
	for action, code := range map[string]string{"DescribeInstanceTypes": "UnauthorizedOperation", "DescribeInstanceTypeOfferings": "AuthFailure", "DescribeAvailabilityZones": "InvalidParameterValue", "DescribeSpotPriceHistory": "InvalidParameterValue"} {
		_, _, _, err := ask(t, "us-east-1", model(t, nil, "faults: [{action: "+action+", error: "+code+"}]"))
		if e := cloud.AsError(err); e == nil || e.Op != action || e.Code != code {
			t.Errorf("%s: %v", action, err)
		}
	}
}

// hostile is an EC2 that answers whatever a test wants.
type hostile struct {
	types     func(page string) cloud.TypePage
	offerings func(page string) cloud.OfferingPage
	zones     []catalog.Zone
	spot      func(page string) cloud.SpotPage
}

func (h *hostile) Types(_ context.Context, page string) (cloud.TypePage, error) {
	return h.types(page), nil
}
func (h *hostile) Offerings(_ context.Context, page string) (cloud.OfferingPage, error) {
	return h.offerings(page), nil
}
func (h *hostile) Zones(context.Context) ([]catalog.Zone, error) { return h.zones, nil }
func (h *hostile) SpotPrices(_ context.Context, q cloud.SpotQuery) (cloud.SpotPage, error) {
	return h.spot(q.Page), nil
}

// honest answers like an EC2 with one type and one zone.
func honest() *hostile {
	return &hostile{
		types: func(string) cloud.TypePage {
			return cloud.TypePage{Types: []catalog.Type{{Name: "zz9.large", VCPUs: 2, MemoryMiB: 4096, Archs: []string{"x86_64"}, Spot: true}}}
		},
		offerings: func(string) cloud.OfferingPage {
			return cloud.OfferingPage{Offerings: []cloud.OfferedIn{{Type: "zz9.large", ZoneID: "use1-az1"}, {Type: "zz9.large", ZoneID: "use1-az1"}, {Type: "zz9.large", ZoneID: "use1-bos1-az1"}, {Type: "other.large", ZoneID: "use1-az1"}}}
		},
		zones: []catalog.Zone{{ID: "use1-az1", Name: "us-east-1a", Region: "us-east-1"}},
		spot: func(string) cloud.SpotPage {
			at := env.At(now)
			return cloud.SpotPage{Prices: []cloud.SpotPrice{
				{Type: "zz9.large", AZ: "us-east-1a", USD: 5, From: at.Add(-time.Hour)}, {Type: "zz9.large", AZ: "us-east-1a", USD: 2, From: at}, {Type: "zz9.large", AZ: "us-east-1a", USD: 9, From: at.Add(-time.Minute)},
				{Type: "zz9.large", AZ: "us-east-1-bos-1a", USD: 100, From: at}, {Type: "zz9.large", AZ: "us-east-1a", USD: -1, From: at.Add(time.Hour)}, {Type: "other.large", AZ: "us-east-1a", USD: 1, From: at},
			}}
		},
	}
}

func TestOnlyTheRegionsOwnZonesAndTheNewestPricesCount(t *testing.T) {
	r, lines, _, err := ask(t, "us-east-1", func(env.Env) cloud.Offers { return honest() })
	if err != nil || len(lines) > 0 {
		t.Fatal(err, lines)
	}
	c := catalog.Default().With(func() *catalog.Refreshed { return r })
	s, _ := c.Spot("zz9.large", "us-east-1")
	if zones := c.Offers("zz9.large", "us-east-1"); len(zones) != 1 || s.USD != 2 {
		t.Errorf("%+v, %+v", zones, s)
	}
}

func TestHostileAnswersEnd(t *testing.T) {
	n := 0
	for name, c := range map[string]struct {
		change func(h *hostile)
		want   string // of the error, or of the first line
	}{
		"the same page for ever": {func(h *hostile) {
			types := h.types
			h.types = func(string) cloud.TypePage { p := types(""); p.Next = "again"; return p }
		}, "the same page again"},
		"pages for ever": {func(h *hostile) {
			h.spot = func(string) cloud.SpotPage { n++; return cloud.SpotPage{Next: fmt.Sprint(n)} }
		}, "more than 500 pages"},
		"types for ever": {func(h *hostile) {
			h.types = func(string) cloud.TypePage {
				p := cloud.TypePage{Next: fmt.Sprint(n)}
				for range 1000 {
					n++
					p.Types = append(p.Types, catalog.Type{Name: fmt.Sprintf("a%d.large", n), VCPUs: 1, MemoryMiB: 1})
				}
				return p
			}
		}, "more than 20000 types"},
		"offerings for ever": {func(h *hostile) {
			h.offerings = func(string) cloud.OfferingPage {
				n++
				return cloud.OfferingPage{Next: fmt.Sprint(n), Offerings: make([]cloud.OfferedIn, 10_000)}
			}
		}, "more than 500000 offerings"},
		"prices for ever": {func(h *hostile) {
			h.spot = func(string) cloud.SpotPage {
				n++
				return cloud.SpotPage{Next: fmt.Sprint(n), Prices: make([]cloud.SpotPrice, 10_000)}
			}
		}, "more than 500000 prices"},
		"no types":      {func(h *hostile) { h.types = func(string) cloud.TypePage { return cloud.TypePage{} } }, "EC2 names no type"},
		"no zones":      {func(h *hostile) { h.zones = nil }, "EC2 names 0 zones of us-east-1"},
		"no offerings":  {func(h *hostile) { h.offerings = func(string) cloud.OfferingPage { return cloud.OfferingPage{} } }, "EC2 names no offering"},
		"zones galore":  {func(h *hostile) { h.zones = make([]catalog.Zone, 100) }, "EC2 names 100 zones"},
		"an odd zone":   {func(h *hostile) { h.zones[0].Name = "\x1b[2J" }, "what EC2 says of us-east-1 cannot be"},
		"an odd region": {func(h *hostile) {}, "what EC2 says of moon cannot be"},
		"odd types": {func(h *hostile) {
			types := h.types
			h.types = func(string) cloud.TypePage {
				p := types("")
				for range 7 {
					p.Types = append(p.Types, catalog.Type{Name: "c6i.large", VCPUs: 2, MemoryMiB: 1, Network: strings.Repeat("fast ", 1000)})
				}
				return p
			}
		}, "EC2 names a type that cannot be, left out: c6i.large has words that are no words of EC2's"},
	} {
		h := honest()
		c.change(h)
		region := "us-east-1"
		if name == "an odd region" {
			region = "moon"
		}
		_, lines, _, err := ask(t, region, func(env.Env) cloud.Offers { return h })
		said := strings.Join(lines, "\n")
		if name == "odd types" {
			if err != nil || !strings.HasPrefix(said, c.want) || len(lines) != 6 || lines[5] != "2 more types that cannot be, left out" {
				t.Errorf("%s: %v, %q", name, err, lines)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestTheCacheOfOneEndpointIsNotAnothers(t *testing.T) {
	seen := map[string]bool{}
	for _, of := range [][2]string{{"http://a", "us-east-1"}, {"http://b", "us-east-1"}, {"http://a", "us-east-2"}} {
		seen[survey.File(of[0], of[1])] = true
	}
	if len(seen) != 3 {
		t.Errorf("%v", seen)
	}
}
