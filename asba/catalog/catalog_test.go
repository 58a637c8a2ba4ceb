package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	if err := c.typeTable().checkTypes(); err != nil {
		t.Error(err)
	}
	regions := c.Regions()
	if len(regions) < 30 || !slices.IsSorted(regions) {
		t.Errorf("regions %v", regions)
	}
	for _, name := range regions {
		r := c.region(name)
		if err := r.offers.checkOffers(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, row := range r.offers.rows {
			if _, ok := c.Type(nameOf(row)); !ok {
				t.Errorf("%s has %s, which is no type", name, nameOf(row))
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
	for _, k := range []string{HoldsTypes, HoldsOfferings, HoldsPrices, HoldsSpot} {
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

func TestWordsForNetworkPerformanceAreNumbers(t *testing.T) {
	for words, want := range map[string]float64{
		"Up to 12.5 Gigabit": 12.5, "100 Gigabit": 100, "4x 100 Gigabit": 400, "16x 200 Gigabit": 3200,
		"Moderate": 0, "Low to Moderate": 0, "": 0, "fast Gigabit": 0, "ax 3 Gigabit": 0,
	} {
		if got := (Type{Network: words}).GbpsAtMost(); got != want {
			t.Errorf("%q: %v, want %v", words, got, want)
		}
	}
}

func TestNearestKeepsTheFamilyThenTheSize(t *testing.T) {
	for name, want := range map[string]string{
		"hpc7a.2xlarge":  "hpc7a.12xlarge hpc7a.24xlarge hpc7a.48xlarge",
		"hpc6id.2xlarge": "hpc6id.32xlarge",
		"c5n.3xlarge":    "c5n.2xlarge c5n.4xlarge c5n.xlarge", // as far to 8 as to 16 vCPUs: the smaller first
		"C6i.2xlarge":    "c6i.2xlarge c6i.xlarge c6i.large",
		"c6i.64xlarge":   "c6i.32xlarge c6i.24xlarge c6i.16xlarge",
		"c6i.2xlage":     "c6i.2xlarge c6i.xlarge c6i.large", // spelt alike
		"c6ilarge":       "c6i.large c6i.xlarge c6i.2xlarge",
		"c6i.banana":     "c6i.large c6i.xlarge c6i.2xlarge", // nothing near: the smallest
		"c5n.metal":      "c5n.metal c5n.18xlarge c5n.9xlarge",
		"c6id.metl":      "c6id.metal c6id.32xlarge c6id.24xlarge",
		"hcp7a.12xlarge": "hpc7a.12xlarge hpc7a.24xlarge hpc7a.48xlarge",
		"quux.large":     "",
		"":               "",
		".":              "",
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

func TestBrokenTableIsRefusedWithItsLine(t *testing.T) {
	row := "c6i.large\t2\t1\t4096\tx86_64\t\t\t\t10 Gigabit\t1\t\t1\tos\tcps\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":        {"", "the table has no columns"},
		"other columns":  {"type\tvcpus\n", "line 1: these are not the columns of this version"},
		"short source":   {"#source\tmoto\n" + typeColumns + "\n", "line 1: a source has 5 fields"},
		"short zone":     {"#zone\tuse1-az1\n" + typeColumns + "\n", "line 1: a zone has 2 fields"},
		"short row":      {typeColumns + "\nc6i.large\t2\n", "line 2: wrong number of columns"},
		"twice the same": {typeColumns + "\n" + row + row, "line 3: c6i.large is out of order"},
		"no types":       {typeColumns + "\n", "the table holds no types"},
		"not a number":   {typeColumns + "\n" + strings.Replace(row, "4096", "4 GB", 1), `c6i.large: "4 GB" is no count`},
		"below nothing":  {typeColumns + "\n" + strings.Replace(row, "4096", "-1", 1), `c6i.large: "-1" is no count`},
		"no amount":      {typeColumns + "\n" + strings.Replace(row, "t\t1\t", "t\tNaN\t", 1), `c6i.large: "NaN" is no amount`},
		"no CPUs":        {typeColumns + "\n" + strings.Replace(row, "\t2\t1", "\t\t1", 1), `c6i.large has no vCPUs, or no memory`},
		"no name":        {typeColumns + "\n" + strings.Replace(row, "c6i.large", "c6i large", 1), `c6i large: "c6i large" is no name of an instance type`},
		"odd words":      {typeColumns + "\n" + strings.Replace(row, "10 Gigabit", "\x1b[31m", 1), `c6i.large has words that are no words of EC2's`},
		"out of reason":  {typeColumns + "\n" + strings.Replace(row, "4096", "99999999999", 1), `c6i.large has a number that is out of all reason`},
	} {
		tab, err := readTable(c.text, typeColumns)
		if err == nil {
			err = tab.checkTypes()
		}
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestABombIsNotUnpacked(t *testing.T) {
	packed, err := Pack(make([]byte, maxText+1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(packed); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%d bytes unpacked: %v", maxText+1, err)
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
