package catalog

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog/table"
)

func TestPriceIsOfItsRegionAndKnowsItsDay(t *testing.T) {
	c := Default()
	for _, p := range []struct {
		name, region string
		least, most  float64 // USD; 0: not known
		source       string
	}{
		{"c6i.2xlarge", "us-east-1", 0.2, 0.6, "karpenter-provider-aws"},
		{"c6i.2xlarge", "eu-central-1", 0.3, 0.6, "ec2-instances-info"},
		{"c6i.2xlarge", "us-gov-west-1", 0.3, 0.6, "karpenter-provider-aws"},
		{"hpc7a.12xlarge", "us-east-2", 5, 10, "ec2-instances-info"},
		{"hpc7a.12xlarge", "us-east-1", 0, 0, ""}, // not sold there
		{"c6i.2xlarge", "cn-north-1", 0, 0, ""},   // not in USD
		{"c6i.2xlarge", "", 0, 0, ""},
		{"zzz.large", "us-east-1", 0, 0, ""},
		{"c6i.2xlarge", "types", 0, 0, ""}, // a table, but no region
		{"c6i.2xlarge", "../data/us-east-1", 0, 0, ""},
	} {
		got, known := c.Price(p.name, p.region)
		if known != (p.most > 0) || got.USD < p.least || got.USD > p.most || got.Source != p.source {
			t.Errorf("%s in %s: %+v %v", p.name, p.region, got, known)
		}
		if _, err := time.Parse(time.DateOnly, got.Date); known && err != nil {
			t.Errorf("%s in %s: %v", p.name, p.region, err)
		}
	}
	east, _ := c.Price("c6i.2xlarge", "us-east-1")
	rest, _ := c.Price("c6i.2xlarge", "us-east-2")
	if east.Date <= rest.Date {
		t.Errorf("us-east-1 is of %s, us-east-2 of %s: the newer source has us-east-1", east.Date, rest.Date)
	}
}

func TestSpotIsARatioOfTodaysPrice(t *testing.T) {
	c := Default()
	s, known := c.Spot("c6i.2xlarge", "us-east-1")
	demand, _ := c.Price("c6i.2xlarge", "us-east-1")
	if !known || s.Ratio <= 0 || s.Ratio >= 1 || math.Abs(s.USD-s.Ratio*demand.USD) > 1e-9 || s.Date == "" || s.Source != "ec2-instances-info" {
		t.Errorf("%+v %v, on demand %+v", s, known, demand)
	}
	if s.Interruption.String() == "" || s.InterruptionDate == "" {
		t.Errorf("no interruption band: %+v", s)
	}
	for _, none := range [][2]string{{"hpc7a.12xlarge", "us-east-2"}, {"c6i.2xlarge", "moon-base-1"}, {"zzz.large", "us-east-1"}} {
		if s, known := c.Spot(none[0], none[1]); known {
			t.Errorf("%v has a spot market: %+v", none, s)
		}
	}
}

func TestZonesAreKnownByIDAndByName(t *testing.T) {
	c := Default()
	zones := c.Zones("us-east-1")
	if len(zones) != 6 || zones[3].ID != "use1-az4" || zones[3].Region != "us-east-1" {
		t.Fatalf("%+v", zones)
	}
	names := map[string]bool{}
	for _, z := range zones {
		names[z.Name] = true
		for _, word := range []string{z.ID, z.Name} {
			if got, ok := c.Zone(word); !ok || got != z {
				t.Errorf("%s is %+v, %v", word, got, ok)
			}
		}
	}
	if len(names) != 6 || names[""] {
		t.Errorf("names %v", names)
	}
	for _, none := range []string{"", "use1-az9", "us-east-1z", "us-east-1-bos-1a", "use1-bos1-az1", "moon1-az1", "a", "-az1"} {
		if z, ok := c.Zone(none); ok {
			t.Errorf("%q is %+v", none, z)
		}
	}
	if len(c.Zones("us-gov-west-1")) != 0 || c.Zones("moon-base-1") != nil {
		t.Error("zones from nowhere")
	}
}

// The zones' ids of every region begin as RegionCode says: by it a zone's region
// is found.
func TestEveryZoneLeadsToItsRegion(t *testing.T) {
	c := Default()
	n := 0
	for _, region := range c.Regions() {
		for _, z := range c.Zones(region) {
			n++
			if got, ok := c.Zone(z.ID); !ok || got.Region != region {
				t.Errorf("%s of %s leads to %+v", z.ID, region, got)
			}
		}
	}
	if n < 90 {
		t.Errorf("%d zones", n)
	}
	if got := table.RegionCode("us-gov-west-1") + " " + table.RegionCode("ap-northeast-2") + " " + table.RegionCode("il-central-1") + table.RegionCode(""); got != "usgw1 apne2 ilc1" {
		t.Error(got)
	}
}

func TestOfferedSaysWhatItDoesNotKnow(t *testing.T) {
	c := Default()
	for _, o := range []struct {
		name, zone     string
		offered, known bool
	}{
		{"hpc7a.12xlarge", "use2-az2", true, true},
		{"hpc7a.12xlarge", "use2-az1", false, true},
		{"hpc7a.12xlarge", "use1-az1", false, true},
		{"c6i.2xlarge", "use1-az3", false, true}, // an old zone
		{"c6i.2xlarge", "use1-az9", false, false},
		{"c6i.2xlarge", "usgw1-az1", false, false}, // prices alone are known there
		{"zzz.large", "use1-az1", false, false},
	} {
		if offered, known := c.Offered(o.name, o.zone); offered != o.offered || known != o.known {
			t.Errorf("%s in %s: %v, known %v", o.name, o.zone, offered, known)
		}
	}
	zones := c.Offers("hpc7a.12xlarge", "us-east-2")
	if len(zones) != 1 || zones[0].ID != "use2-az2" {
		t.Fatalf("hpc7a.12xlarge is offered in %+v", zones)
	}
	if offered, known := c.Offered("hpc7a.12xlarge", zones[0].Name); !offered || !known {
		t.Errorf("in %s: %v, known %v", zones[0].Name, offered, known)
	}
	if got := c.Offers("hpc7a.12xlarge", "us-east-1"); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestAgeIsToldInDays(t *testing.T) {
	now := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	for date, want := range map[string]string{
		"2025-05-06": "price of 2025-05-06, 568 days old",
		"2026-11-24": "price of 2026-11-24, 1 day old",
		"2026-11-25": "price of 2026-11-25, today's",
		"2026-11-26": "price of 2026-11-26, today's", // a clock that is behind, or a zone
		"2027-01-01": "price of 2027-01-01, a day that is still to come",
		"":           "price of an unknown day",
	} {
		if got := Aged("price", date, now); got != want {
			t.Errorf("%q: %s, want %s", date, got, want)
		}
	}
}

// what EC2 said in a test: one type more, one that changed, and two zones.
func sampleRefresh(t *testing.T, region, date string) []byte {
	t.Helper()
	types := []Type{
		{Name: "zz9.large", VCPUs: 2, Cores: 1, MemoryMiB: 4096, Archs: []string{"x86_64"}, OnDemand: true, Spot: true},
		{Name: "c6i.2xlarge", VCPUs: 8, Cores: 4, MemoryMiB: 16384, Archs: []string{"x86_64"}, OnDemand: true, EFA: 1},
	}
	zones := []Zone{{ID: table.RegionCode(region) + "-az1", Name: region + "b"}, {ID: table.RegionCode(region) + "-az7", Name: region + "g"}}
	offers := []Offer{
		{Type: "c6i.2xlarge", Zones: []string{zones[1].ID}, SpotUSD: 0.2, USD: 99, SpotPercent: 3, Interruption: table.BandOver20},
		{Type: "zz9.large", Zones: []string{zones[0].ID, zones[1].ID}},
	}
	packed, err := EncodeRefreshed(region, date, types, zones, offers)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func withRefresh(t *testing.T, region, date string) *Catalog {
	t.Helper()
	packed := sampleRefresh(t, region, date)
	loads := 0
	return Default().With(func() *Refreshed {
		if loads++; loads > 1 {
			t.Error("loaded twice")
		}
		r, err := ReadRefreshed(packed)
		if err != nil {
			t.Fatal(err)
		}
		return r
	})
}

func TestWhatEC2SaidLatelyTakesThePlaceOfItsKind(t *testing.T) {
	c := withRefresh(t, "us-east-1", "2030-01-02")
	if _, ok := c.Type("zz9.large"); !ok {
		t.Error("a new type is not known")
	}
	if x, _ := c.Type("c6i.2xlarge"); x.EFA != 1 || x.Spot {
		t.Errorf("a changed type: %+v", x)
	}
	if x, _ := c.Type("hpc7a.12xlarge"); x.EFA != 2 { // of other regions
		t.Errorf("a type that EC2 did not name: %+v", x)
	}
	if len(c.Names()) != len(Default().Names())+1 || c.Date() != "2030-01-02" {
		t.Errorf("%d types of %s", len(c.Names()), c.Date())
	}
	if got := c.Offers("c6i.2xlarge", "us-east-1"); len(got) != 1 || got[0] != (Zone{ID: "use1-az7", Name: "us-east-1g", Region: "us-east-1"}) {
		t.Errorf("offered in %+v", got)
	}
	if offered, known := c.Offered("c6i.2xlarge", "us-east-1b"); offered || !known {
		t.Errorf("us-east-1b: %v, known %v", offered, known)
	}
	embeddedPrice, _ := Default().Price("c6i.2xlarge", "us-east-1")
	price, ok := c.Price("c6i.2xlarge", "us-east-1")
	if d := cmp.Diff(embeddedPrice, price); !ok || d != "" { // EC2 has no price list
		t.Error(d)
	}
	spot, _ := c.Spot("c6i.2xlarge", "us-east-1")
	before, _ := Default().Spot("c6i.2xlarge", "us-east-1")
	if spot.USD != 0.2 || spot.Date != "2030-01-02" || math.Abs(spot.Ratio-0.2/price.USD) > 1e-9 ||
		spot.Interruption != before.Interruption || spot.InterruptionDate != before.InterruptionDate {
		t.Errorf("spot %+v", spot)
	}
	if a, b := c.Zones("us-east-2"), Default().Zones("us-east-2"); cmp.Diff(a, b) != "" {
		t.Error("another region has changed")
	}
	sources := c.RegionSources("us-east-1")
	if len(sources) != 3 || sources[0].Name != "EC2" || sources[1].Name != embeddedPrice.Source || sources[2].Name != "EC2" {
		t.Errorf("%+v", sources)
	}
}

func TestWhatEC2SaidLongAgoChangesNothing(t *testing.T) {
	c := withRefresh(t, "us-east-1", "2020-01-02")
	if _, ok := c.Type("zz9.large"); ok {
		t.Error("an old answer has won")
	}
	if len(c.Zones("us-east-1")) != 6 || c.Date() != Default().Date() {
		t.Errorf("%+v", c.Zones("us-east-1"))
	}
	if s, _ := c.Spot("c6i.2xlarge", "us-east-1"); s.USD == 0.2 {
		t.Errorf("%+v", s)
	}
}

func TestARegionThatOnlyEC2KnowsIsKnown(t *testing.T) {
	c := withRefresh(t, "us-moon-1", "2030-01-02")
	if z, ok := c.Zone("usm1-az7"); !ok || z.Region != "us-moon-1" {
		t.Errorf("%+v", z)
	}
	if _, ok := c.Price("c6i.2xlarge", "us-moon-1"); ok {
		t.Error("a price from nowhere")
	}
	if s, ok := c.Spot("c6i.2xlarge", "us-moon-1"); !ok || s.USD != 0.2 || s.Ratio != 0 || s.Interruption != BandUnknown {
		t.Errorf("%+v", s)
	}
	if got := c.Regions(); len(got) != len(Default().Regions())+1 {
		t.Errorf("%v", got)
	}
}

func TestNothingSaidChangesNothing(t *testing.T) {
	c := Default().With(func() *Refreshed { return nil })
	if c.Date() != Default().Date() || len(c.Zones("us-east-1")) != 6 {
		t.Error(c.Date())
	}
}

func TestHostileRefreshedFactsAreRefused(t *testing.T) {
	text, err := table.Unpack(sampleRefresh(t, "us-east-1", "2030-01-02"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"newer format":    {"#asba-catalog\t1\n", "#asba-catalog\t2\n", ErrFormat.Error()},
		"another file":    {"#asba-catalog\t1\n", "hello\n", "no refreshed catalogue"},
		"no region":       {"#region", "#realm", "it names no region"},
		"odd region":      {"#region\tus-east-1", "#region\t../../etc", "is no region"},
		"odd zone":        {"use1-az7", "use1 az7", "are no id and name of a zone"},
		"odd zone's name": {"us-east-1g", "\x1b[2J", "are no id and name of a zone"},
		"odd date":        {"2030-01-02", "tomorrow", "is no date"},
		"odd mark":        {"\t-+\t", "\t-?\t", "says nothing of 2 zones"},
		"marks missing":   {"\t-+\t", "\t-\t", "says nothing of 2 zones"},
		"odd spot":        {"\t0.2\n", "\t-1\n", "is no amount"},
		"odd type":        {"zz9.large\t2", "zz9.lar ge\t2", "is no name"},
		"no types' date":  {"\ttypes\n", "\ttaps\n", "does not say when"},
	} {
		changed := strings.ReplaceAll(text, c.from, c.to)
		if changed == text {
			t.Fatalf("%s: nothing to change in\n%s", name, text)
		}
		packed, err := table.Pack([]byte(changed))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRefreshed(packed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for name, packed := range map[string][]byte{"nothing": nil, "no gzip": []byte("hello"), "cut short": sampleRefresh(t, "us-east-1", "2030-01-02")[:60]} {
		if _, err := ReadRefreshed(packed); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// FuzzReadRefreshed: a cache holds what anybody put there.
func FuzzReadRefreshed(f *testing.F) {
	packed, err := EncodeRefreshed("us-east-1", "2030-01-02", []Type{{Name: "a.b", VCPUs: 1, MemoryMiB: 1}}, []Zone{{ID: "use1-az1"}}, []Offer{{Type: "a.b", SpotUSD: 1}})
	if err != nil {
		f.Fatal(err)
	}
	text, err := table.Unpack(packed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRefreshed(text)
		if err != nil {
			return
		}
		for _, row := range r.types.Rows {
			if x := table.TypeOf(row); x.Check() != nil {
				t.Errorf("%+v", x)
			}
		}
		own := regional{zones: r.offers.Zones(r.Region), offers: r.offers}
		for _, row := range r.offers.Rows {
			own.offering(table.NameOf(row))
		}
	})
}
