package catalog

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
)

func TestEmbeddedTableHoldsKnownFacts(t *testing.T) {
	c := Default()
	if n := len(c.Names()); n < 1300 {
		t.Fatalf("%d types", n)
	}
	if !slices.IsSorted(c.Names()) {
		t.Error("names are not sorted")
	}
	if len(embedded) > 150_000 {
		t.Errorf("the table takes %d bytes", len(embedded))
	}
	// From AWS's own pages on these types.
	for _, want := range []Type{
		{Name: "hpc7a.12xlarge", VCPUs: 24, Cores: 24, MemoryMiB: 786432, Archs: []string{"x86_64"}, EFA: 2, NetworkCards: 2, OnDemand: true, Cluster: true, Partition: true, Spread: true},
		{Name: "c6i.2xlarge", VCPUs: 8, Cores: 4, MemoryMiB: 16384, Archs: []string{"x86_64"}, NetworkCards: 1, OnDemand: true, Spot: true, Cluster: true, Partition: true, Spread: true},
		{Name: "p5.48xlarge", VCPUs: 192, Cores: 96, MemoryMiB: 2 << 20, Archs: []string{"x86_64"}, GPUs: 8, GPUModel: "H100", EFA: 32, NetworkCards: 32, OnDemand: true, Spot: true, CapacityBlock: true, Cluster: true, Partition: true, Spread: true},
		{Name: "c7g.large", VCPUs: 2, Cores: 2, MemoryMiB: 4096, Archs: []string{"arm64"}, NetworkCards: 1, OnDemand: true, Spot: true, Cluster: true, Partition: true, Spread: true},
		{Name: "t3.micro", VCPUs: 2, Cores: 1, MemoryMiB: 1024, Archs: []string{"x86_64"}, NetworkCards: 1, OnDemand: true, Spot: true, Partition: true, Spread: true},
	} {
		got, ok := c.Type(want.Name)
		want.usd, want.priced = got.usd, got.priced
		if !ok || !equal(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", want.Name, got, want)
		}
	}
	for _, s := range c.Sources() {
		if s.Name == "" || s.Version == "" || len(s.Date) != len("2006-01-02") || s.Licence == "" || s.Holds == "" {
			t.Errorf("source is not named in full: %+v", s)
		}
	}
	if c.Date() == "" {
		t.Error("no date")
	}
}

func equal(a, b Type) bool {
	archs := slices.Equal(a.Archs, b.Archs)
	a.Archs, b.Archs = nil, nil
	return archs && a.Name == b.Name && a.VCPUs == b.VCPUs && a.Cores == b.Cores && a.MemoryMiB == b.MemoryMiB &&
		a.GPUs == b.GPUs && a.GPUModel == b.GPUModel && a.EFA == b.EFA && a.NetworkCards == b.NetworkCards &&
		a.OnDemand == b.OnDemand && a.Spot == b.Spot && a.CapacityBlock == b.CapacityBlock &&
		a.Cluster == b.Cluster && a.Partition == b.Partition && a.Spread == b.Spread
}

func TestPriceIsKnownOnlyWhereTheTypeIsSold(t *testing.T) {
	c := Default()
	c6i, _ := c.Type("c6i.2xlarge")
	if usd, known := c6i.Price(); !known || usd < 0.2 || usd > 0.6 {
		t.Errorf("c6i.2xlarge: %v %v", usd, known)
	}
	hpc, _ := c.Type("hpc7a.12xlarge") // not in us-east-1
	if usd, known := hpc.Price(); known || usd != 0 {
		t.Errorf("hpc7a.12xlarge: %v %v", usd, known)
	}
	if hpc.SpotOK() {
		t.Error("hpc7a has a spot market")
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
	for _, name := range []string{"", "hpc7a.2xlarge", "zzz", "C6I.large"} {
		if got, ok := Default().Type(name); ok {
			t.Errorf("%q: %+v", name, got)
		}
	}
}

func TestNearestKeepsTheFamilyThenTheSpelling(t *testing.T) {
	for name, want := range map[string]string{
		"hpc7a.2xlarge":  "hpc7a.12xlarge",
		"hpc6id.2xlarge": "hpc6id.32xlarge",
		"C6i.2xlarge":    "c6i.2xlarge",
		"c6i.2xlage":     "c6i.2xlarge",
		"c6ilarge":       "c6i.large",
		"c6i.banana":     "c6i.large", // nothing near: the smallest
		"hcp7a.12xlarge": "hpc7a.12xlarge",
		"quux.large":     "",
		"":               "",
		".":              "",
	} {
		if got := Default().Nearest(name); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestHasFamily(t *testing.T) {
	for name, want := range map[string]bool{"c6i": true, "hpc7a": true, "c7i-flex": true, "c6": false, "": false, "zz9": false} {
		if Default().HasFamily(name) != want {
			t.Errorf("HasFamily(%q) = %v", name, !want)
		}
	}
}

func packed(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.Bytes()
}

func TestBrokenTableIsRefusedWithItsLine(t *testing.T) {
	row := "c6i.large\t2\t1\t4096\tx86_64\t0\t\t0\t1\tos\tcps\t0.085\n"
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"not gzip":       {[]byte("type\tvcpus"), "gzip: invalid header"},
		"cut short":      {embedded[:len(embedded)/2], "unexpected EOF"},
		"no types":       {packed(Columns + "\n"), "the table holds no types"},
		"other columns":  {packed("type\tvcpus\n"), "line 1: these are not the columns of this version"},
		"short source":   {packed("#source\tmoto\n" + Columns + "\n"), "line 1: a source has 5 fields"},
		"short row":      {packed(Columns + "\nc6i.large\t2\n"), "line 2: wrong number of columns"},
		"not a number":   {packed(Columns + "\n" + strings.Replace(row, "4096", "4 GB", 1)), `line 2: strconv.Atoi: parsing "4 GB": invalid syntax`},
		"twice the same": {packed(Columns + "\n" + row + row), "line 3: c6i.large is out of order"},
	} {
		if _, err := Read(bytes.NewReader(c.data)); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// BenchmarkRead is what the first look-up of a process costs: the executor's
// start-up budget leaves 3 ms for it.
func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := Read(bytes.NewReader(embedded)); err != nil {
			b.Fatal(err)
		}
	}
}
