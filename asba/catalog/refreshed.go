package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
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
	types  table
	offers table
}

// Date is the day on which EC2 was asked.
func (r *Refreshed) Date() string { return r.types.date(HoldsTypes) }

// Counts says how much EC2 told: types, zones, and types with a spot price.
func (r *Refreshed) Counts() (types, zones, spots int) {
	for _, row := range r.offers.rows {
		if offerOf(row).SpotUSD > 0 {
			spots++
		}
	}
	return len(r.types.rows), len(r.offers.zoned), spots
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
	var b bytes.Buffer
	writeLine(&b, refreshedFormat)
	writeSources(&b, []Source{source(HoldsTypes)})
	writeTypes(&b, types)
	b.WriteString(regionPrefix + region + "\n")
	sources := []Source{source(HoldsOfferings)}
	if spot { // no price at all is no news of prices
		sources = append(sources, source(HoldsSpot))
	}
	writeSources(&b, sources)
	writeOffers(&b, zones, offers)
	packed, err := Pack(b.Bytes())
	if err != nil {
		return nil, err
	}
	_, err = ReadRefreshed(packed)
	return packed, err
}

var (
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
	zoneID     = regexp.MustCompile(`^[a-z0-9]{2,16}-az[0-9]{1,2}$`)
)

// ReadRefreshed reads and checks refreshed facts, every line of them: they come
// from outside.
func ReadRefreshed(packed []byte) (*Refreshed, error) {
	text, err := unpack(packed)
	if err != nil {
		return nil, err
	}
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
	r.Region, rest, _ = strings.Cut(rest, "\n")
	if !regionName.MatchString(r.Region) {
		return nil, fmt.Errorf("%.40q is no region", r.Region)
	}
	if r.types, err = readTable(typesText, typeColumns); err == nil {
		err = r.types.checkTypes()
	}
	if err != nil {
		return nil, fmt.Errorf("types: %w", err)
	}
	if r.offers, err = readTable(rest, offerColumns); err == nil {
		err = r.offers.checkOffers()
	}
	if err != nil {
		return nil, fmt.Errorf("region %s: %w", r.Region, err)
	}
	for _, z := range r.offers.zoned {
		if !zoneID.MatchString(z[0]) || z[1] != "" && !zoneName.MatchString(z[1]) {
			return nil, fmt.Errorf("%.40q, %.40q are no id and name of a zone", z[0], z[1])
		}
	}
	for _, t := range []table{r.types, r.offers} {
		for _, s := range t.sources {
			if _, err := time.Parse(time.DateOnly, s.Date); err != nil {
				return nil, fmt.Errorf("%.20q is no date", s.Date)
			}
		}
	}
	if r.Date() == "" || r.offers.date(HoldsOfferings) == "" {
		return nil, errors.New("it does not say when EC2 was asked")
	}
	return r, nil
}
