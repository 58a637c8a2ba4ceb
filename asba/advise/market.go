package advise

import (
	"slices"

	"aws-slurm-burst/asba/catalog"
)

// Catalog is what the advisor asks of the catalogue of instance types;
// *catalog.Catalog has it.
type Catalog interface {
	Names() []string
	Type(name string) (catalog.Type, bool)
	Price(name, region string) (catalog.Price, bool)
	Spot(name, region string) (catalog.Spot, bool)
	Offers(name, region string) []catalog.Zone
	Zones(region string) []catalog.Zone
}

// Market is what EC2 sells in one region. It is made once and asked often, and
// safe for concurrent use.
type Market struct {
	Region string
	// Known is false where nothing at all is known of the region.
	Known  bool
	offers []offer // sorted by name
}

// offer is a type as a region has it.
type offer struct {
	catalog.Type
	zones []catalog.Zone
	// elsewhere is a type that the region does not offer.
	elsewhere bool
	price     catalog.Price // of USD 0 where it is not known
	spot      catalog.Spot
	// previous, bursts, other, part and metal say what kind of type it is.
	previous, bursts, other, part, metal bool
}

// NewMarket looks up what EC2 sells in a region.
func NewMarket(c Catalog, region string) *Market {
	m := &Market{Region: region}
	zoned := len(c.Zones(region)) > 0
	for _, name := range c.Names() {
		t, ok := c.Type(name)
		if !ok {
			continue
		}
		o := offer{Type: t, zones: c.Offers(name, region)}
		o.price, _ = c.Price(name, region)
		if t.Spot {
			o.spot, _ = c.Spot(name, region)
		}
		// Where no zones are known, a price says that there is something to buy.
		o.elsewhere = len(o.zones) == 0 && (zoned || o.price.USD == 0)
		m.Known = m.Known || !o.elsewhere
		family := t.Family()
		o.previous = slices.Contains(previousFamilies, family)
		o.bursts = slices.Contains(burstableFamilies, family)
		o.other = slices.Contains(acceleratedFamilies, family)
		o.part = slices.Contains(fractionFamilies, family)
		o.metal = isMetal(name)
		m.offers = append(m.offers, o)
	}
	return m
}
