package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog/table"
)

// The first line of a file of refreshed facts, and the one between its tables.
const (
	refreshedFormat = "#asba-catalog\t1"
	formatPrefix    = "#asba-catalog\t"
	regionPrefix    = "#region\t"
)

// ErrFormat is the error for a file of refreshed facts in a form that this
// version does not read: of a newer version, say.
var ErrFormat = errors.New("its format is not this version's")

// Refreshed is what EC2 itself said of a region.
type Refreshed struct {
	Region string
	types  table.Table
	offers table.Table
}

// Date is the day on which EC2 was asked.
func (r *Refreshed) Date() string { return r.types.Date(table.HoldsTypes) }

// Counts says how much EC2 told: types, zones, and types with a spot price.
func (r *Refreshed) Counts() (types, zones, spots int) {
	for _, row := range r.offers.Rows {
		if table.OfferOf(row).SpotUSD > 0 {
			spots++
		}
	}
	return len(r.types.Rows), len(r.offers.Zoned), spots
}

// EncodeRefreshed writes what EC2 said of a region on a day (YYYY-MM-DD) as
// ReadRefreshed reads it. Of an offer, on-demand price and interruption are not
// EC2's to tell, and left out. What no type or zone can be like is an error.
func EncodeRefreshed(region, date string, types []Type, zones []Zone, offers []Offer) ([]byte, error) {
	source := func(holds string) Source {
		return Source{Name: "EC2", Version: region, Date: date, Licence: "-", Holds: holds}
	}
	spot := false
	for i := range offers {
		offers[i].USD, offers[i].SpotPercent, offers[i].Interruption = 0, 0, BandUnknown
		spot = spot || offers[i].SpotUSD > 0
	}
	sources := []Source{source(table.HoldsOfferings)}
	if spot { // no price at all is no news of prices
		sources = append(sources, source(table.HoldsSpot))
	}
	text := slices.Concat(
		[]byte(refreshedFormat+"\n"), table.TypesText([]Source{source(table.HoldsTypes)}, types),
		[]byte(regionPrefix+region+"\n"), table.RegionText(sources, zones, offers))
	packed, err := table.Pack(text)
	if err != nil {
		return nil, err
	}
	_, err = ReadRefreshed(packed)
	return packed, err
}

// ReadRefreshed reads and checks refreshed facts, every line of them: they come
// from outside.
func ReadRefreshed(packed []byte) (*Refreshed, error) {
	text, err := table.Unpack(packed)
	if err != nil {
		return nil, err
	}
	return parseRefreshed(text)
}

func parseRefreshed(text string) (*Refreshed, error) {
	format, text, _ := strings.Cut(text, "\n")
	if format != refreshedFormat {
		if strings.HasPrefix(format, formatPrefix) {
			return nil, ErrFormat
		}
		return nil, errors.New("it holds no refreshed catalogue")
	}
	typesText, rest, ok := strings.Cut(text, "\n"+regionPrefix)
	if !ok {
		return nil, errors.New("it names no region")
	}
	r := &Refreshed{}
	var err error
	r.Region, rest, _ = strings.Cut(rest, "\n")
	if !table.IsRegion(r.Region) {
		return nil, fmt.Errorf("%.40q is no region", r.Region)
	}
	if r.types, err = table.ReadTypes(typesText); err == nil {
		err = r.types.CheckTypes()
	}
	if err != nil {
		return nil, fmt.Errorf("types: %w", err)
	}
	if r.offers, err = table.ReadRegion(rest); err == nil {
		err = r.offers.CheckOffers()
	}
	if err != nil {
		return nil, fmt.Errorf("region %s: %w", r.Region, err)
	}
	for _, z := range r.offers.Zoned {
		if !table.IsZoneID(z[0]) || z[1] != "" && table.RegionOfName(z[1]) == "" {
			return nil, fmt.Errorf("%.40q, %.40q are no id and name of a zone", z[0], z[1])
		}
	}
	for _, t := range []table.Table{r.types, r.offers} {
		for _, s := range t.Sources {
			if _, err := time.Parse(time.DateOnly, s.Date); err != nil {
				return nil, fmt.Errorf("%.20q is no date", s.Date)
			}
		}
	}
	if r.Date() == "" || r.offers.Date(table.HoldsOfferings) == "" {
		return nil, errors.New("it does not say when EC2 was asked")
	}
	return r, nil
}
