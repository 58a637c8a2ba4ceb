package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog/table"
)

func TestEmbeddedTablesHoldKnownFacts(t *testing.T) {
	c := Default()
	if n := len(c.Names()); n < 1300 {
		t.Fatalf("%d types", n)
	}
	if !slices.IsSorted(c.Names()) {
		t.Error("names are not sorted")
	}
	// From AWS's own pages on these types.
	for _, want := range []Type{
		{Name: "hpc7a.12xlarge", VCPUs: 24, Cores: 24, MemoryMiB: 786432, Archs: []string{"x86_64"}, Network: "300 Gigabit", BaselineGbps: 300, EFA: 2, NetworkCards: 2, OnDemand: true, Cluster: true, Partition: true, Spread: true},
		{Name: "c6i.2xlarge", VCPUs: 8, Cores: 4, MemoryMiB: 16384, Archs: []string{"x86_64"}, Network: "Up to 12.5 Gigabit", BaselineGbps: 3.125, NetworkCards: 1, OnDemand: true, Spot: true, Cluster: true, Partition: true, Spread: true},
		{Name: "p5.48xlarge", VCPUs: 192, Cores: 96, MemoryMiB: 2 << 20, Archs: []string{"x86_64"}, GPUs: 8, GPUModel: "H100", GPUMemoryMiB: 80 << 10, Network: "3200 Gigabit", BaselineGbps: 3200, EFA: 32, NetworkCards: 32, OnDemand: true, Spot: true, CapacityBlock: true, Cluster: true, Partition: true, Spread: true},
		{Name: "c7g.large", VCPUs: 2, Cores: 2, MemoryMiB: 4096, Archs: []string{"arm64"}, Network: "Up to 12.5 Gigabit", BaselineGbps: 0.937, NetworkCards: 1, OnDemand: true, Spot: true, Cluster: true, Partition: true, Spread: true},
		{Name: "t3.micro", VCPUs: 2, Cores: 1, MemoryMiB: 1024, Archs: []string{"x86_64"}, Network: "Up to 5 Gigabit", BaselineGbps: 0.064, NetworkCards: 1, OnDemand: true, Spot: true, Partition: true, Spread: true},
		// Two cards of 200 Gbit/s share the 200 Gbit/s of the machine.
		{Name: "c6in.32xlarge", VCPUs: 128, Cores: 64, MemoryMiB: 256 << 10, Archs: []string{"x86_64"}, Network: "200 Gigabit", BaselineGbps: 200, EFA: 2, NetworkCards: 2, OnDemand: true, Spot: true, Cluster: true, Partition: true, Spread: true},
	} {
		got, ok := c.Type(want.Name)
		if d := cmp.Diff(want, got); !ok || d != "" {
			t.Errorf("%s: (-want +got)\n%s", want.Name, d)
		}
	}
}

// Every line of every embedded table is one that a lookup can trust.
func TestEmbeddedTablesAreWholeAndSmall(t *testing.T) {
	c := Default()
	if err := c.typeTable().CheckTypes(); err != nil {
		t.Error(err)
	}
	regions := c.Regions()
	if len(regions) < 30 || !slices.IsSorted(regions) {
		t.Errorf("regions %v", regions)
	}
	for _, name := range regions {
		r := c.region(name)
		if err := r.offers.CheckOffers(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, row := range r.offers.Rows {
			if _, ok := c.Type(table.NameOf(row)); !ok {
				t.Errorf("%s has %s, which is no type", name, table.NameOf(row))
			}
		}
	}
	total := 0
	for _, name := range append(regions, typesFile) {
		data, err := embedded.ReadFile(dataFolder + "/" + name + suffix)
		if err != nil {
			t.Fatal(err)
		}
		total += len(data)
	}
	if total > 400_000 {
		t.Errorf("the tables take %d bytes", total)
	}
}

func TestEveryKindOfFactNamesItsSource(t *testing.T) {
	c := Default()
	all := c.Sources()
	for _, r := range c.Regions() {
		all = append(all, c.RegionSources(r)...)
	}
	kinds := map[string]bool{}
	for _, s := range all {
		if s.Name == "" || s.Version == "" || len(s.Date) != len("2006-01-02") || s.Licence == "" {
			t.Errorf("source is not named in full: %+v", s)
		}
		kinds[s.Holds] = true
	}
	for _, k := range []string{table.HoldsTypes, table.HoldsOfferings, table.HoldsPrices, table.HoldsSpot} {
		if !kinds[k] {
			t.Errorf("no source of %s", k)
		}
	}
	if c.Date() == "" {
		t.Error("no date of the types")
	}
	if c.RegionSources("moon-base-1") != nil {
		t.Error("sources of a region that is none")
	}
}

func TestPlaces(t *testing.T) {
	micro, _ := Default().Type("t3.micro")
	for strategy, want := range map[string]bool{"cluster": false, "partition": true, "spread": true, "none": false} {
		if micro.Places(strategy) != want {
			t.Errorf("t3.micro in a %s group: %v", strategy, !want)
		}
	}
}

func TestUnknownTypeIsNotFound(t *testing.T) {
	for _, name := range []string{"", "hpc7a.2xlarge", "zzz", "C6I.large", "c6i"} {
		if got, ok := Default().Type(name); ok {
			t.Errorf("%q: %+v", name, got)
		}
	}
}

func TestNearestKeepsTheFamilyThenTheSize(t *testing.T) {
	for name, want := range map[string]string{
		"hpc7a.2xlarge":    "hpc7a.12xlarge hpc7a.24xlarge hpc7a.48xlarge",
		"hpc6id.2xlarge":   "hpc6id.32xlarge",
		"c5n.3xlarge":      "c5n.2xlarge c5n.4xlarge c5n.xlarge", // as far to 8 as to 16 vCPUs: the smaller first
		"C6i.2xlarge":      "c6i.2xlarge c6i.xlarge c6i.large",
		"c6i.64xlarge":     "c6i.32xlarge c6i.24xlarge c6i.16xlarge",
		"c6i.2xlage":       "c6i.2xlarge c6i.xlarge c6i.large", // spelt alike
		"c6ilarge":         "c6i.large c6i.xlarge c6i.2xlarge",
		"c6i.banana":       "c6i.large c6i.xlarge c6i.2xlarge", // nothing near: the smallest
		"c5n.metal":        "c5n.metal c5n.18xlarge c5n.9xlarge",
		"c6id.metl":        "c6id.metal c6id.32xlarge c6id.24xlarge",
		"hcp7a.12xlarge":   "hpc7a.12xlarge hpc7a.24xlarge hpc7a.48xlarge",
		"r7izz.metal-16xl": "r7iz.metal-16xl r7iz.16xlarge r7iz.12xlarge",
		"quux.large":       "",
		"":                 "",
		".":                "",
	} {
		c := Default()
		if got := strings.Join(c.NearestTypes(name, 3), " "); got != want {
			t.Errorf("NearestTypes(%q) = %q, want %q", name, got, want)
		}
		first, _, _ := strings.Cut(want, " ")
		if got := c.Nearest(name); got != first {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, first)
		}
	}
}

func TestHasFamily(t *testing.T) {
	for name, want := range map[string]bool{"c6i": true, "hpc7a": true, "c7i-flex": true, "c6": false, "": false, "zz9": false} {
		if Default().HasFamily(name) != want || len(Default().InFamily(name)) > 0 != want {
			t.Errorf("family %q: %v", name, !want)
		}
	}
	var sizes []string
	for _, x := range Default().InFamily("c5n") {
		sizes = append(sizes, x.Name)
	}
	if got, want := strings.Join(sizes, " "), "c5n.large c5n.xlarge c5n.2xlarge c5n.4xlarge c5n.9xlarge c5n.metal c5n.18xlarge"; got != want {
		t.Errorf("c5n: %s, want %s", got, want)
	}
}

// What a process pays for its first question; before it pays nothing. A resume
// has 12 ms from its start to its first call of EC2, and asks both.
func BenchmarkFirstType(b *testing.B) {
	for b.Loop() {
		if _, ok := new(Catalog).Type("c6i.2xlarge"); !ok {
			b.Fatal("unknown")
		}
	}
}

func BenchmarkFirstPrice(b *testing.B) {
	for b.Loop() {
		if _, ok := new(Catalog).Price("c6i.2xlarge", "us-east-1"); !ok {
			b.Fatal("unknown")
		}
	}
}

// What the file of a refresh costs more: all of it is read and checked.
func BenchmarkFirstTypeRefreshed(b *testing.B) {
	c := Default()
	var types []Type
	var offers []Offer
	zones := c.Zones("us-east-1")
	for _, name := range c.Names() {
		t, _ := c.Type(name)
		o := Offer{Type: name, SpotUSD: 0.123456}
		for _, z := range c.Offers(name, "us-east-1") {
			o.Zones = append(o.Zones, z.ID)
		}
		types, offers = append(types, t), append(offers, o)
	}
	packed, err := EncodeRefreshed("us-east-1", "2030-01-02", types, zones, offers)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c := new(Catalog).With(func() *Refreshed {
			r, err := ReadRefreshed(packed)
			if err != nil {
				b.Fatal(err)
			}
			return r
		})
		if t, ok := c.Type("c6i.2xlarge"); !ok || c.Date() != "2030-01-02" {
			b.Fatal(t)
		}
	}
}

func BenchmarkType(b *testing.B) {
	c := Default()
	for b.Loop() {
		c.Type("c6i.2xlarge")
	}
}

func BenchmarkPrice(b *testing.B) {
	c := Default()
	for b.Loop() {
		c.Price("c6i.2xlarge", "us-east-1")
	}
}
