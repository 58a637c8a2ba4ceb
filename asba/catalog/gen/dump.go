package main

import (
	"archive/zip"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/catalog/table"
)

const (
	dumpLicence = "MIT" // of the data
	dumpFile    = "/data/instances.json"
)

// dumpItem is the part we read of one type.
type dumpItem struct {
	Type    string `json:"instance_type"`
	Pricing map[string]struct {
		Linux *dumpPrice `json:"linux"`
	} `json:"pricing"`
}

type dumpPrice struct {
	OnDemand  string `json:"ondemand"`
	Interrupt string `json:"pct_interrupt"`
	// Savings is in percent of the price on demand; null without spot.
	Savings *int `json:"pct_savings_od"`
}

// dumpData holds, by region and type, what the dump says.
type dumpData struct {
	date    string
	regions map[string]map[string]table.Offer
}

// readDump reads the dump as a stream, one type at a time: as a whole it is
// 96 MB, of which a hundredth is wanted.
func readDump(file string, version string) (dumpData, error) {
	d := dumpData{regions: map[string]map[string]table.Offer{}}
	var err error
	if d.date, err = versionDate(version); err != nil {
		return d, err
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		return d, err
	}
	defer z.Close()
	found := entries(z, "", dumpFile)
	if len(found) == 0 {
		return d, fmt.Errorf("no file *%s in it: the format has changed", dumpFile)
	}
	r, err := found[0].Open()
	if err != nil {
		return d, err
	}
	defer r.Close()
	if err := d.read(r); err != nil {
		return d, fmt.Errorf("%s: %w", dumpFile, err)
	}
	return d, nil
}

func (d *dumpData) read(r io.Reader) error {
	dec := jsontext.NewDecoder(r)
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '[' {
		return fmt.Errorf("it is no list of types: the format has changed (%v)", err)
	}
	for dec.PeekKind() != ']' {
		var item dumpItem
		if err := json.UnmarshalDecode(dec, &item); err != nil {
			return err
		}
		if !table.IsTypeName(item.Type) {
			return fmt.Errorf("%.60q is no instance type: the format has changed", item.Type)
		}
		for region, p := range item.Pricing {
			if p.Linux == nil || !table.IsRegion(region) { // local zones have names of their own
				continue
			}
			o, err := p.Linux.offer(item.Type)
			if err != nil {
				return fmt.Errorf("%s in %s: %w", item.Type, region, err)
			}
			if d.regions[region] == nil {
				d.regions[region] = map[string]table.Offer{}
			}
			d.regions[region][item.Type] = o
		}
	}
	if len(d.regions) == 0 {
		return fmt.Errorf("no prices in it: the format has changed")
	}
	return nil
}

func (p *dumpPrice) offer(name string) (table.Offer, error) {
	o := table.Offer{Type: name, Interruption: table.BandUnknown}
	if p.OnDemand != "" {
		usd, err := strconv.ParseFloat(p.OnDemand, 64)
		if err != nil || usd < 0 {
			return o, fmt.Errorf("%.20q is not a price", p.OnDemand)
		}
		o.USD = usd
	}
	if p.Savings == nil {
		return o, nil
	}
	if *p.Savings < 0 || *p.Savings > 99 {
		return o, fmt.Errorf("spot saves %d %%", *p.Savings)
	}
	o.SpotPercent = 100 - *p.Savings
	if o.Interruption = table.ParseBand(p.Interrupt); o.Interruption == table.BandUnknown {
		return o, fmt.Errorf("%.20q is no interruption band", p.Interrupt)
	}
	return o, nil
}

// versionDate is the day in a pseudo-version: v0.0.0-20250528091325-32acf84f42eb.
// The data was committed on it, and may be some days older.
func versionDate(version string) (string, error) {
	const from, to = len("v0.0.0-"), len("v0.0.0-20060102")
	if len(version) < to {
		return "", fmt.Errorf("the version %s names no day", version)
	}
	day, err := time.Parse("20060102", version[from:to])
	if err != nil {
		return "", fmt.Errorf("the version %s names no day", version)
	}
	return day.Format(time.DateOnly), nil
}
