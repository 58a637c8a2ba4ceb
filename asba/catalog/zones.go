package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// Zone is an availability zone.
type Zone struct {
	// ID is the same in every account, such as use1-az4.
	ID string `json:"id"`
	// Name is what the account that told it calls the zone, such as us-east-1d;
	// "" where that is not known. Another account may call another zone so.
	Name   string `json:"name,omitempty"`
	Region string `json:"region"`
}

// Zones returns the availability zones of a region, by id; none where they are
// not known.
func (c *Catalog) Zones(region string) []Zone {
	if r := c.region(region); r != nil {
		return slices.Clone(r.zones)
	}
	return nil
}

// Zone finds an availability zone by its id or by its name.
func (c *Catalog) Zone(idOrName string) (Zone, bool) {
	_, z, ok := c.zone(idOrName)
	return z, ok
}

func (c *Catalog) zone(idOrName string) (*regional, Zone, bool) {
	name := c.regionOf(idOrName)
	if name == "" {
		return nil, Zone{}, false
	}
	r := c.region(name)
	if r == nil {
		return nil, Zone{}, false
	}
	i := slices.IndexFunc(r.zones, func(z Zone) bool { return z.ID == idOrName || z.Name == idOrName })
	if i < 0 {
		return nil, Zone{}, false
	}
	return r, r.zones[i], true
}

// zoneName is a zone's name: its region's, and a letter.
var zoneName = regexp.MustCompile(`^([a-z]{2}(?:-[a-z]+)+-[0-9]+)[a-z]$`)

// regionOf is the region that a zone's id or name speaks of, "" where it is
// neither.
func (c *Catalog) regionOf(zone string) string {
	if m := zoneName.FindStringSubmatch(zone); m != nil {
		return m[1]
	}
	code, _, ok := strings.Cut(zone, "-az")
	if !ok {
		return ""
	}
	regions := c.Regions()
	if i := slices.IndexFunc(regions, func(r string) bool { return RegionCode(r) == code }); i >= 0 {
		return regions[i]
	}
	return ""
}

// RegionCode is what the ids of a region's zones begin with: us-east-1's with
// use1, ap-northeast-2's with apne2, us-gov-west-1's with usgw1.
func RegionCode(region string) string {
	parts := strings.Split(region, "-")
	var b strings.Builder
	for i, p := range parts {
		switch {
		case p == "":
		case i == 0 || i == len(parts)-1:
			b.WriteString(p)
		default:
			for _, word := range []string{"north", "south", "central"} { // northeast is two words
				if rest, ok := strings.CutPrefix(p, word); ok && rest != "" {
					b.WriteByte(p[0])
					p = rest
				}
			}
			b.WriteByte(p[0])
		}
	}
	return b.String()
}

// Offered reports whether a zone, by its id or its name, offers a type. known is
// false where nothing is known of the type or of the zone's offers. What is said
// of a name holds in the account that told it.
func (c *Catalog) Offered(name, zone string) (offered, known bool) {
	r, z, ok := c.zone(zone)
	if !ok {
		return false, false
	}
	if _, ok := c.typeTable().row(name); !ok {
		return false, false
	}
	return slices.Contains(r.offering(name), z), true
}

// Offers returns the zones of a region that offer a type, by id.
func (c *Catalog) Offers(name, region string) []Zone {
	if r := c.region(region); r != nil {
		return r.offering(name)
	}
	return nil
}

// offering returns the zones that offer a type.
func (r *regional) offering(name string) []Zone {
	row, ok := r.offers.row(name)
	if !ok {
		return nil
	}
	var out []Zone
	for i, mark := range offeredIn(row) {
		if mark == offeredMark && i < len(r.zones) {
			out = append(out, r.zones[i])
		}
	}
	return out
}
