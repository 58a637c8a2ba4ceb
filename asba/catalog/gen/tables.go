package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"aws-slurm-burst/asba/catalog"
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
	add := func(name string, text []byte) error {
		data, err := catalog.Pack(text)
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
		if err := add(region, regionText(region, known, prices, rest)); err != nil {
			return nil, err
		}
	}
	sources := []catalog.Source{moto.source(known.date, motoLicence, catalog.HoldsTypes)}
	if err := add("types", catalog.TypesText(sources, known.types)); err != nil {
		return nil, err
	}
	return files, nil
}

// regionText is the table of a region. Of two sources of its prices the newer is
// taken, as a whole: what it no longer lists is no longer sold. Types of which
// nobody knows more than a price are left out.
func regionText(region string, known motoData, prices map[string]priceList, rest dumpData) []byte {
	var sources []catalog.Source
	zones := known.regions[region]
	if len(zones.zones) > 0 {
		sources = append(sources, moto.source(known.date, motoLicence, catalog.HoldsOfferings))
	}
	list, others := prices[region], rest.regions[region]
	newer := list.date > rest.date
	switch {
	case newer:
		sources = append(sources, karpenter.source(list.date, karpenterLicence, catalog.HoldsPrices))
	case len(others) > 0:
		sources = append(sources, dump.source(rest.date, dumpLicence, catalog.HoldsPrices))
	}
	if len(others) > 0 {
		sources = append(sources, dump.source(rest.date, dumpLicence, catalog.HoldsSpot))
	}
	var offers []catalog.Offer
	for _, t := range known.types {
		o, ok := others[t.Name]
		if !ok {
			o = catalog.Offer{Interruption: catalog.BandUnknown}
		}
		o.Type, o.Zones = t.Name, zones.zoned[t.Name]
		if newer {
			o.USD = list.usd[t.Name]
		}
		if len(o.Zones) > 0 || o.USD > 0 || o.SpotPercent > 0 {
			offers = append(offers, o)
		}
	}
	return catalog.RegionText(sources, zones.zones, offers)
}
