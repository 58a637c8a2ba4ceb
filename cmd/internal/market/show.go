package market

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/catalog/table"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// show prints types, or a summary.
func (m *Market) show(out io.Writer, names []string, o options) error {
	regions := m.Catalog.Regions()
	if !slices.Contains(regions, m.Region) {
		hint := "known are " + strings.Join(regions, ", ")
		if near := finding.Nearest(m.Region, regions); near != "" {
			hint = "did you mean " + near + "?"
		}
		return app.Exitf(report.ExitUsage, "nothing is known of region %q (%s)", m.Region, hint)
	}
	if o.family != "" {
		types := m.Catalog.InFamily(o.family)
		if len(types) == 0 {
			var near []string
			for _, name := range m.Catalog.NearestTypes(o.family+".large", 1) {
				near = append(near, table.Family(name))
			}
			return app.Exitf(report.ExitUsage, "no family %q among EC2's instance types%s", o.family, meant(near))
		}
		for _, x := range types {
			names = append(names, x.Name)
		}
	}
	if len(names) == 0 {
		return m.showSummary(out, o.format)
	}
	var unknown []string
	var shown []shownType
	for _, name := range names {
		x, ok := m.Catalog.Type(name)
		if !ok {
			unknown = append(unknown, fmt.Sprintf("%s is not an EC2 instance type%s", strconv.Quote(name), meant(m.Catalog.NearestTypes(name, nearestTold))))
			continue
		}
		shown = append(shown, m.shown(x))
	}
	if len(unknown) > 0 {
		return app.Exitf(report.ExitUsage, "%s", strings.Join(unknown, "\n"))
	}
	return m.showTypes(out, shown, o.format)
}

// nearestTold is how many types somebody may have meant are told.
const nearestTold = 3

// meant asks whether somebody meant one of some names.
func meant(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return " (did you mean " + names[0] + "?)"
	default:
		return " (did you mean " + strings.Join(names[:n-1], ", ") + " or " + names[n-1] + "?)"
	}
}

// aged is a fact's day and how long ago it was.
type aged struct {
	Date string `json:"date"`
	Age  int    `json:"age_days"`
}

func agedOf(date string, now time.Time) aged { return aged{date, catalog.Age(date, now)} }

// shownType is the JSON form of a type (docs/CLI.md).
type shownType struct {
	catalog.Type
	Region string         `json:"region"`
	Facts  aged           `json:"facts"`
	Zones  []catalog.Zone `json:"zones"`
	Price  *shownPrice    `json:"price"`
	// SpotMarket is null where nothing is known of one.
	SpotMarket *shownSpot `json:"spot_market"`
}

type shownPrice struct {
	catalog.Price
	Age int `json:"age_days"`
}

type shownSpot struct {
	catalog.Spot
	Age int `json:"age_days"`
}

func (m *Market) shown(x catalog.Type) shownType {
	now := time.Now()
	s := shownType{Type: x, Region: m.Region, Facts: agedOf(m.Catalog.Date(), now), Zones: m.Catalog.Offers(x.Name, m.Region)}
	if s.Zones == nil {
		s.Zones = []catalog.Zone{}
	}
	if p, ok := m.Catalog.Price(x.Name, m.Region); ok {
		s.Price = &shownPrice{p, catalog.Age(p.Date, now)}
	}
	if spot, ok := m.Catalog.Spot(x.Name, m.Region); ok && x.Spot {
		s.SpotMarket = &shownSpot{spot, catalog.Age(spot.Date, now)}
	}
	return s
}

func (m *Market) showTypes(out io.Writer, shown []shownType, format string) error {
	if format == "json" || format == "yaml" {
		_ = app.Print(out, format, shown)
		return nil
	}
	var rows [][]string
	var prices, spots, bands []string
	for _, s := range shown {
		price, spot, band := "", "", ""
		if s.Price != nil {
			price = fmt.Sprintf("%.4f", s.Price.USD)
			prices = append(prices, s.Price.Date)
		}
		if x := s.SpotMarket; x != nil {
			if x.USD > 0 {
				spot = fmt.Sprintf("%.4f", x.USD)
			}
			if x.Ratio > 0 {
				spot += fmt.Sprintf(" (%.0f %%)", 100*x.Ratio)
			}
			band = x.Interruption.String()
			spots, bands = append(spots, x.Date), append(bands, x.InterruptionDate)
		}
		gpus := ""
		if s.GPUs > 0 {
			gpus = fmt.Sprintf("%d %s %s", s.GPUs, s.GPUModel, gib(s.GPUMemoryMiB))
		}
		rows = append(rows, []string{s.Name, fmt.Sprintf("%d (%d)", s.VCPUs, s.Cores), gib(s.MemoryMiB), strings.Join(s.Archs, " "), gpus,
			s.Network, some(s.EFA), soldAs(s.Type), groups(s.Type), price, spot, band, zoneList(s.Zones)})
	}
	header := []string{"type", "vCPUs (cores)", "memory", "arch", "GPUs", "network", "EFA", "sold as", "groups", "$/h", "spot $/h", "interrupted", "zones of " + m.Region}
	var b bytes.Buffer
	if err := app.Table(&b, format == "markdown", header, rows); err != nil {
		return err
	}
	now := time.Now()
	if err := app.Ages(&b, prices, now); err != nil {
		return err
	}
	for _, fact := range []struct {
		what  string
		dates []string
	}{{"usual spot price", spots}, {"interruption", bands}} {
		for _, date := range slices.Compact(slices.Sorted(slices.Values(fact.dates))) {
			if date != "" {
				fmt.Fprintln(&b, catalog.Aged(fact.what, date, now))
			}
		}
	}
	_, _ = out.Write(b.Bytes())
	return nil
}

func gib(mib int) string {
	return strconv.FormatFloat(math.Round(float64(mib)/1024*100)/100, 'f', -1, 64) + " GiB"
}

func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func soldAs(x catalog.Type) string {
	return words([]string{"on-demand", "spot", "capacity-block"}, x.OnDemand, x.Spot, x.CapacityBlock)
}

func groups(x catalog.Type) string {
	return words([]string{"cluster", "partition", "spread"}, x.Cluster, x.Partition, x.Spread)
}

func words(all []string, have ...bool) string {
	var out []string
	for i, h := range have {
		if h {
			out = append(out, all[i])
		}
	}
	return strings.Join(out, " ")
}

func zoneList(zones []catalog.Zone) string {
	var out []string
	for _, z := range zones {
		out = append(out, z.ID)
	}
	return strings.Join(out, " ")
}

// shownSummary is the JSON form of what is known of a region (docs/CLI.md).
type shownSummary struct {
	Region  string         `json:"region"`
	Regions []string       `json:"regions"`
	Zones   []catalog.Zone `json:"zones"`
	Facts   []shownFacts   `json:"facts"`
}

// shownFacts is one kind of fact.
type shownFacts struct {
	catalog.Source
	Count int `json:"count"`
	Age   int `json:"age_days"`
}

func (m *Market) showSummary(out io.Writer, format string) error {
	c, now := m.Catalog, time.Now()
	count := map[string]int{}
	for _, name := range c.Names() {
		count[table.HoldsTypes]++
		count[table.HoldsOfferings] += len(c.Offers(name, m.Region))
		if _, ok := c.Price(name, m.Region); ok {
			count[table.HoldsPrices]++
		}
		if _, ok := c.Spot(name, m.Region); ok {
			count[table.HoldsSpot]++
		}
	}
	s := shownSummary{Region: m.Region, Regions: c.Regions(), Zones: c.Zones(m.Region)}
	var rows [][]string
	for _, x := range append(c.Sources()[:1], c.RegionSources(m.Region)...) {
		f := shownFacts{x, count[x.Holds], catalog.Age(x.Date, now)}
		s.Facts = append(s.Facts, f)
		rows = append(rows, []string{f.Holds, strconv.Itoa(f.Count), f.Date, fmt.Sprintf("%d days", f.Age), f.Name, f.Version, f.Licence})
	}
	if format == "json" || format == "yaml" {
		_ = app.Print(out, format, s)
		return nil
	}
	var b bytes.Buffer
	if err := app.Table(&b, format == "markdown", []string{"known of " + m.Region, "count", "of", "age", "source", "version", "licence"}, rows); err != nil {
		return err
	}
	var zones []string
	for _, z := range s.Zones {
		zones = append(zones, fmt.Sprintf("%s (%s)", z.ID, cmp.Or(z.Name, "name not known")))
	}
	fmt.Fprintf(&b, "\nzones of %s: %s\n", m.Region, cmp.Or(strings.Join(zones, ", "), "not known"))
	fmt.Fprintf(&b, "regions: %s\n", strings.Join(s.Regions, ", "))
	_, _ = out.Write(b.Bytes())
	return nil
}
