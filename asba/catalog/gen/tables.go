package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"aws-slurm-burst/asba/catalog/table"
)

// tables makes all tables, in the order of their names.
func tables(say io.Writer, from packages) ([]file, error) {
	known, err := readMoto(from.moto)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from.moto, err)
	}
	prices, err := readKarpenter(from.karpenter)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from.karpenter, err)
	}
	begin := time.Now()
	rest, err := readDump(from.dump, dump.Version)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from.dump, err)
	}
	fmt.Fprintf(say, "%s read in %.1f s\n", dump.Name, time.Since(begin).Seconds())

	files := []file{}
	add := func(name string, text []byte, check func(text string) error) error {
		// What the programs could not read must not replace what they can.
		if err := check(string(text)); err != nil {
			return fmt.Errorf("the new table %s: %w", name, err)
		}
		data, err := table.Pack(text)
		files = append(files, file{name + ".tsv.gz", data})
		return err
	}
	regions := map[string]bool{}
	for r := range known.regions {
		regions[r] = true
	}
	for r := range rest.regions {
		regions[r] = true
	}
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		if err := add(region, regionText(region, known, prices, rest), checkRegion); err != nil {
			return nil, err
		}
	}
	sources := []table.Source{moto.source(known.date, motoLicence, table.HoldsTypes)}
	if err := add("types", table.TypesText(sources, known.types), checkTypes); err != nil {
		return nil, err
	}
	return files, nil
}

func checkTypes(text string) error {
	t, err := table.ReadTypes(text)
	if err != nil {
		return err
	}
	return t.CheckTypes()
}

func checkRegion(text string) error {
	t, err := table.ReadRegion(text)
	if err != nil {
		return err
	}
	return t.CheckOffers()
}

// regionText is the table of a region. Of two sources of its prices the newer is
// taken, as a whole: what it no longer lists is no longer sold. Types of which
// nobody knows more than a price are left out.
func regionText(region string, known motoData, prices map[string]priceList, rest dumpData) []byte {
	var sources []table.Source
	zones := known.regions[region]
	if len(zones.zones) > 0 {
		sources = append(sources, moto.source(known.date, motoLicence, table.HoldsOfferings))
	}
	list, others := prices[region], rest.regions[region]
	newer := list.date > rest.date
	switch {
	case newer:
		sources = append(sources, karpenter.source(list.date, karpenterLicence, table.HoldsPrices))
	case len(others) > 0:
		sources = append(sources, dump.source(rest.date, dumpLicence, table.HoldsPrices))
	}
	if len(others) > 0 {
		sources = append(sources, dump.source(rest.date, dumpLicence, table.HoldsSpot))
	}
	var offers []table.Offer
	for _, t := range known.types {
		o, ok := others[t.Name]
		if !ok {
			o = table.Offer{Interruption: table.BandUnknown}
		}
		o.Type, o.Zones = t.Name, zones.zoned[t.Name]
		if newer {
			o.USD = list.usd[t.Name]
		}
		if len(o.Zones) > 0 || o.USD > 0 || o.SpotPercent > 0 {
			offers = append(offers, o)
		}
	}
	return table.RegionText(sources, zones.zones, offers)
}
