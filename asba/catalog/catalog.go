// Package catalog knows the EC2 instance types: size, architecture, network,
// how they are sold and where they may be placed, and what they cost on demand
// in us-east-1. The table is embedded, made by asba/catalog/gen from public
// data, and read on first use; nothing is fetched at run time.
//
// It does not know which zone offers a type, spot prices, or the prices of
// other regions.
package catalog

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"aws-slurm-burst/asba/finding"
)

//go:embed catalog.tsv.gz
var embedded []byte

// Default returns the embedded catalogue, decoded once a process.
var Default = sync.OnceValue(func() *Catalog {
	c, err := Read(bytes.NewReader(embedded))
	if err != nil {
		// The file is part of the program and read by its tests.
		panic("catalog: the embedded table is broken: " + err.Error())
	}
	return c
})

// Catalog is a table of instance types. It never changes once read.
type Catalog struct {
	types   []Type // sorted by name
	sources []Source
}

// Source is one origin of the table.
type Source struct {
	Name    string // moto, karpenter-provider-aws
	Version string
	Date    string // of the data: YYYY-MM-DD
	Licence string // an SPDX identifier
	Holds   string // types, or prices and their region: "prices us-east-1"
}

// Type is what is known of one instance type.
type Type struct {
	Name      string
	VCPUs     int // with all threads on, as EC2 starts it by default
	Cores     int
	MemoryMiB int
	// Archs are EC2's names: x86_64, arm64, i386, x86_64_mac, arm64_mac.
	Archs []string
	// GPUs counts what the system sees: a fraction of a card is one GPU.
	GPUs     int
	GPUModel string // such as H100; "" without GPUs
	// EFA is the greatest number of EFA interfaces, 0 where there are none.
	EFA          int
	NetworkCards int

	OnDemand, Spot, CapacityBlock bool // how it is sold
	Cluster, Partition, Spread    bool // placement groups it may join

	usd    float64
	priced bool
}

// SpotOK reports whether the type has a spot market.
func (t Type) SpotOK() bool { return t.Spot }

// PriceRegion is the region of all prices.
const PriceRegion = "us-east-1"

// Price returns the on-demand price in USD an hour, Linux, in PriceRegion. Types
// that are not sold there, such as hpc7a, have no known price.
func (t Type) Price() (usd float64, known bool) { return t.usd, t.priced }

// Places reports whether the type may join a placement group of this strategy:
// cluster, partition or spread.
func (t Type) Places(strategy string) bool {
	switch strategy {
	case "cluster":
		return t.Cluster
	case "partition":
		return t.Partition
	case "spread":
		return t.Spread
	}
	return false
}

// Family returns the part of the name before the dot.
func (t Type) Family() string { return family(t.Name) }

// Type looks an instance type up by its exact name.
func (c *Catalog) Type(name string) (Type, bool) {
	i, ok := slices.BinarySearchFunc(c.types, name, func(t Type, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return Type{}, false
	}
	return c.types[i], true
}

// Names returns the name of every type, sorted.
func (c *Catalog) Names() []string {
	out := make([]string, len(c.types))
	for i, t := range c.types {
		out[i] = t.Name
	}
	return out
}

// Sources returns where the table comes from.
func (c *Catalog) Sources() []Source { return slices.Clone(c.sources) }

// Date returns the day of the type data, YYYY-MM-DD: a type that came later is
// not in the table.
func (c *Catalog) Date() string {
	for _, s := range c.sources {
		if s.Holds == "types" {
			return s.Date
		}
	}
	return ""
}

// HasFamily reports whether any type of this family is known.
func (c *Catalog) HasFamily(name string) bool {
	i, _ := slices.BinarySearchFunc(c.types, name+".", func(t Type, prefix string) int { return strings.Compare(t.Name, prefix) })
	return i < len(c.types) && c.types[i].Family() == name
}

// Nearest returns the type that someone who wrote name most plausibly meant,
// or "". A known family is taken at its word, since sizes are what people make
// up; only then is the family itself thought to be misspelt.
func (c *Catalog) Nearest(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	fam, size, dotted := strings.Cut(name, ".")
	if !dotted {
		return finding.Nearest(name, c.Names())
	}
	if !c.HasFamily(fam) {
		if fam = finding.Nearest(fam, c.families()); fam == "" {
			return ""
		}
	}
	want := fam + "." + size
	if _, ok := c.Type(want); ok {
		return want
	}
	var names []string
	smallest := Type{}
	for _, t := range c.types {
		if t.Family() != fam {
			continue
		}
		names = append(names, t.Name)
		if smallest.Name == "" || t.MemoryMiB < smallest.MemoryMiB {
			smallest = t
		}
	}
	if near := finding.Nearest(want, names); near != "" {
		return near
	}
	return smallest.Name
}

func (c *Catalog) families() []string {
	var out []string
	for _, t := range c.types {
		// Names of one family share a prefix, so they stand together.
		if f := t.Family(); len(out) == 0 || out[len(out)-1] != f {
			out = append(out, f)
		}
	}
	return out
}

func family(name string) string {
	f, _, _ := strings.Cut(name, ".")
	return f
}
