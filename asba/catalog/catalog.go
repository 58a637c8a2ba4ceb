// Package catalog knows what EC2 sells: instance types with their size,
// architecture, network and accelerators, how they are sold and where they may
// be placed, which zone offers them, what they cost on demand, and how spot
// usually compares. The tables are embedded, made by asba/catalog/gen from
// public data (docs/CATALOG.md), and each is decoded when it is first asked: a
// program that asks nothing pays nothing, and one region's prices are read
// without the others'.
//
// Every fact has a date, and a price of last year is told as one. What EC2
// itself said more lately takes the place of the embedded facts (With).
//
// It asks nobody and does not know local zones, Wavelength, China's prices (they
// are not in USD), reservations, savings plans, or any system but Linux.
package catalog

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"aws-slurm-burst/asba/catalog/table"
)

// What the tables hold, by the names that everybody knows it by.
type (
	Type   = table.Type
	Zone   = table.Zone
	Offer  = table.Offer
	Source = table.Source
	Band   = table.Band
)

// The bands of interruption; BandUnknown where nothing is told.
const (
	BandUnknown = table.BandUnknown
	BandUnder5  = table.BandUnder5
	Band5To10   = table.Band5To10
	Band10To15  = table.Band10To15
	Band15To20  = table.Band15To20
	BandOver20  = table.BandOver20
)

//go:embed data
var embedded embed.FS

// The embedded tables: the types, and one table a region.
const (
	dataFolder = "data"
	typesFile  = "types"
	suffix     = ".tsv.gz"
)

// Default returns the embedded catalogue.
var Default = sync.OnceValue(func() *Catalog { return &Catalog{} })

// Catalog is what is known. It never changes, and is safe for concurrent use.
type Catalog struct {
	// newer is what EC2 said itself, nil where nobody asked.
	newer func() *Refreshed

	once  sync.Once
	types table.Table

	mu      sync.Mutex
	regions map[string]*regional
}

// With returns the catalogue with what EC2 said itself in the place of each kind
// of fact of which it is the newer. load is called once, at the first question;
// where it returns nil, nothing changes.
func (c *Catalog) With(load func() *Refreshed) *Catalog {
	return &Catalog{newer: sync.OnceValue(func() *Refreshed {
		if r := load(); r != nil {
			return r
		}
		return c.refreshed()
	})}
}

// refreshed is what EC2 said itself, nil where there is nothing.
func (c *Catalog) refreshed() *Refreshed {
	if c.newer == nil {
		return nil
	}
	return c.newer()
}

// regional is what is known of one region, each kind of fact from the newest
// table that has it.
type regional struct {
	zones                 []Zone
	offers, prices, spots table.Table
}

// typeTable is the table of types.
func (c *Catalog) typeTable() *table.Table {
	c.once.Do(func() {
		c.types, _ = embeddedTable(typesFile, table.ReadTypes)
		if r := c.refreshed(); r != nil && r.types.Date(table.HoldsTypes) >= c.types.Date(table.HoldsTypes) {
			c.types = c.types.Under(r.types)
		}
	})
	return &c.types
}

// region is what is known of a region, nil where nothing is.
func (c *Catalog) region(name string) *regional {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.regions[name]; ok {
		return r
	}
	var r *regional
	if name != typesFile {
		if t, ok := embeddedTable(name, table.ReadRegion); ok {
			r = &regional{zones: t.Zones(name), offers: t, prices: t, spots: t}
		}
	}
	if f := c.refreshed(); f != nil && f.Region == name {
		if r == nil {
			r = &regional{}
		}
		t := f.offers
		if date := t.Date(table.HoldsOfferings); date != "" && date >= r.offers.Date(table.HoldsOfferings) {
			r.zones, r.offers = t.Zones(name), t
		}
		if date := t.Date(table.HoldsSpot); date != "" && date >= r.spots.Date(table.HoldsSpot) {
			r.spots = t
		}
	}
	if c.regions == nil {
		c.regions = map[string]*regional{}
	}
	c.regions[name] = r
	return r
}

// embeddedTable decodes one of the embedded tables.
func embeddedTable(name string, read func(text string) (table.Table, error)) (table.Table, bool) {
	packed, err := embedded.ReadFile(dataFolder + "/" + name + suffix)
	if err != nil {
		return table.Table{}, false
	}
	text, err := table.Unpack(packed)
	if err == nil {
		var t table.Table
		if t, err = read(text); err == nil {
			return t, true
		}
	}
	// The files are part of the program, and its tests read every line of them.
	panic(fmt.Sprintf("catalog: the embedded table %s is broken: %v", name, err))
}

// Regions returns the regions of which anything is known, sorted.
func (c *Catalog) Regions() []string {
	entries, err := embedded.ReadDir(dataFolder)
	if err != nil {
		panic("catalog: no embedded tables: " + err.Error())
	}
	var out []string
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), suffix); name != typesFile {
			out = append(out, name)
		}
	}
	if r := c.refreshed(); r != nil && !slices.Contains(out, r.Region) {
		out = append(out, r.Region)
		slices.Sort(out)
	}
	return out
}

// Sources returns where the facts about types come from.
func (c *Catalog) Sources() []Source { return slices.Clone(c.typeTable().Sources) }

// RegionSources returns where the facts about a region come from, one a kind of
// fact: offerings, prices, spot, as far as they are known.
func (c *Catalog) RegionSources(region string) []Source {
	r := c.region(region)
	if r == nil {
		return nil
	}
	var out []Source
	for _, kind := range []struct {
		holds string
		of    table.Table
	}{{table.HoldsOfferings, r.offers}, {table.HoldsPrices, r.prices}, {table.HoldsSpot, r.spots}} {
		if s := kind.of.Source(kind.holds); s.Name != "" {
			out = append(out, s)
		}
	}
	return out
}

// Date returns the day of the facts about types, YYYY-MM-DD: a type that came
// later is not known.
func (c *Catalog) Date() string { return c.typeTable().Date(table.HoldsTypes) }
