package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/report"
)

// catalog is about what is known of what EC2 sells.
func (t *tool) catalog() *cobra.Command {
	c := &cobra.Command{
		Use:   "catalog",
		Short: "What is known of EC2's instance types, zones and prices, and how old it is",
	}
	c.AddCommand(t.catalogShow(), t.catalogRefresh())
	return c
}

type catalogOptions struct{ config, region, family, format string }

func (o *catalogOptions) flags(c *cobra.Command) {
	c.Flags().StringVarP(&o.config, "config", "c", "", "take region, endpoint and caches from the configuration in `FILE`")
	c.Flags().StringVar(&o.region, "region", "", "the `REGION`; else the configuration's, else AWS_REGION's")
	c.Flags().StringVarP(&o.format, "output", "o", "table", "print the result as table, json, yaml or markdown")
}

func (t *tool) catalogShow() *cobra.Command {
	var o catalogOptions
	c := &cobra.Command{
		Use:   "show [TYPE...]",
		Short: "Show instance types with their facts, zones and prices; without TYPE what is known at all",
		Long: `Show what the programs know of instance types in a region: size, network, GPUs,
how they are sold, which zones offer them, what they cost on demand and, usually,
on the spot market, each with the day it is of. Without TYPE show how much is known
of the region, from where, and how old it is. Nobody is asked.`,
		Example: `  aws-slurm-burst catalog show
  aws-slurm-burst catalog show c6i.2xlarge hpc7a.96xlarge --region us-east-2
  aws-slurm-burst catalog show --family c5n -o json`,
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := app.CheckFormat(o.format); err != nil {
				return err
			}
			m, err := app.ShowMarket(cmd.Context(), t.IO, o.config, o.region)
			if err != nil {
				return err
			}
			return t.show(m, names, o)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.family, "family", "", "show all types of the `FAMILY`, such as c5n")
	return c
}

func (t *tool) catalogRefresh() *cobra.Command {
	var o catalogOptions
	c := &cobra.Command{
		Use:   "refresh",
		Short: "Ask EC2 itself what it sells in a region, and keep it for the programs",
		Long: `Ask EC2 for its instance types, zones, offers and today's spot prices in a
region, and keep them beside the journal's caches (without a configuration: among
the user's own caches). The programs then use, of each kind of fact, the newer.
Prices on demand stay those that are shipped: EC2 has no call for them.

It takes some fifty calls, all of which only read: DescribeInstanceTypes,
DescribeInstanceTypeOfferings, DescribeAvailabilityZones, DescribeSpotPriceHistory.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := app.CheckFormat(o.format); err != nil {
				return err
			}
			m, err := app.OpenMarket(cmd.Context(), t.IO, o.config, o.region)
			if err != nil {
				return err
			}
			return t.refresh(cmd.Context(), m, o)
		},
	}
	o.flags(c)
	return c
}

// show prints types, or a summary.
func (t *tool) show(m *app.Market, names []string, o catalogOptions) error {
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
			return app.Exitf(report.ExitUsage, "no family %q among EC2's instance types%s", o.family, meant(m.Catalog.NearestTypes(o.family+".large", 1)))
		}
		for _, x := range types {
			names = append(names, x.Name)
		}
	}
	if len(names) == 0 {
		return t.showSummary(m, o.format)
	}
	var unknown []string
	var shown []shownType
	for _, name := range names {
		x, ok := m.Catalog.Type(name)
		if !ok {
			unknown = append(unknown, fmt.Sprintf("%s is not an EC2 instance type%s", strconv.Quote(name), meant(m.Catalog.NearestTypes(name, nearestTold))))
			continue
		}
		shown = append(shown, shownOf(m, x))
	}
	if len(unknown) > 0 {
		return app.Exitf(report.ExitUsage, "%s", strings.Join(unknown, "\n"))
	}
	return t.showTypes(m, shown, o.format)
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

func shownOf(m *app.Market, x catalog.Type) shownType {
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

func (t *tool) showTypes(m *app.Market, shown []shownType, format string) error {
	if format == "json" || format == "yaml" {
		return app.Print(t.Stdout, format, shown)
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
	_, _ = t.Stdout.Write(b.Bytes()) // closed: nobody reads it
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

func (t *tool) showSummary(m *app.Market, format string) error {
	c, now := m.Catalog, time.Now()
	count := map[string]int{}
	for _, name := range c.Names() {
		count[catalog.HoldsTypes]++
		count[catalog.HoldsOfferings] += len(c.Offers(name, m.Region))
		if _, ok := c.Price(name, m.Region); ok {
			count[catalog.HoldsPrices]++
		}
		if _, ok := c.Spot(name, m.Region); ok {
			count[catalog.HoldsSpot]++
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
		return app.Print(t.Stdout, format, s)
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
	_, _ = t.Stdout.Write(b.Bytes()) // closed: nobody reads it
	return nil
}

// shownRefresh is the JSON form of a refresh (docs/CLI.md).
type shownRefresh struct {
	Region string `json:"region"`
	Date   string `json:"date"`
	File   string `json:"file"`
	Types  int    `json:"types"`
	Zones  int    `json:"zones"`
	Spot   int    `json:"spot_prices"`
	// New are the types that were not known, Changed those with other facts.
	New     []string `json:"new"`
	Changed []string `json:"changed"`
}

// refresh asks EC2, and says what came of it.
func (t *tool) refresh(ctx context.Context, m *app.Market, o catalogOptions) error {
	r, err := m.Refresh(ctx)
	if e := new(cloud.Error); errors.As(err, &e) {
		code := report.ExitOf(e.Class)
		if t.Stop.Err() != nil {
			code = report.ExitInterrupted
		}
		hint := ""
		if e.Hint != "" {
			hint = " (" + e.Hint + ")"
		}
		return app.Exitf(code, "catalogue not refreshed: %v%s", e, hint)
	}
	if err != nil {
		return app.Exitf(report.ExitFailed, "catalogue not refreshed: %v", err)
	}
	s := shownRefresh{Region: r.Region, Date: r.Date(), File: m.Path, New: []string{}, Changed: []string{}}
	s.Types, s.Zones, s.Spot = r.Counts()
	before, now := catalog.Default(), catalog.Default().With(func() *catalog.Refreshed { return r })
	for _, name := range now.Names() {
		is, _ := now.Type(name)
		switch was, ok := before.Type(name); {
		case !ok:
			s.New = append(s.New, name)
		case !reflect.DeepEqual(was, is):
			s.Changed = append(s.Changed, name)
		}
	}
	if o.format == "json" || o.format == "yaml" {
		return app.Print(t.Stdout, o.format, s)
	}
	rows := [][]string{{s.Region, s.Date, strconv.Itoa(s.Types), strconv.Itoa(s.Zones), strconv.Itoa(s.Spot), strconv.Itoa(len(s.New)), strconv.Itoa(len(s.Changed))}}
	var b bytes.Buffer
	if err := app.Table(&b, o.format == "markdown", []string{"region", "of", "types", "zones", "spot prices", "types new", "types changed"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\nkept in %s\n", s.File)
	_, _ = t.Stdout.Write(b.Bytes()) // closed: what was asked is kept all the same
	return nil
}
