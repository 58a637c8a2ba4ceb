package catalog

import (
	"slices"
	"strings"

	"aws-slurm-burst/asba/catalog/table"
)

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

// regionOf is the region that a zone's id or name speaks of, "" where it is
// neither.
func (c *Catalog) regionOf(zone string) string {
	if region := table.RegionOfName(zone); region != "" {
		return region
	}
	code, _, ok := strings.Cut(zone, "-az")
	if !ok {
		return ""
	}
	regions := c.Regions()
	if i := slices.IndexFunc(regions, func(r string) bool { return table.RegionCode(r) == code }); i >= 0 {
		return regions[i]
	}
	return ""
}

// Offered reports whether a zone, by its id or its name, offers a type. known is
// false where nothing is known of the type or of the zone's offers. What is said
// of a name holds in the account that told it.
func (c *Catalog) Offered(name, zone string) (offered, known bool) {
	r, z, ok := c.zone(zone)
	if !ok {
		return false, false
	}
	if _, ok := c.typeTable().Row(name); !ok {
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
	row, ok := r.offers.Row(name)
	if !ok {
		return nil
	}
	var out []Zone
	for _, i := range table.ZonesOf(row) {
		out = append(out, r.zones[i])
	}
	return out
}
