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
	offers []offer  // sorted by name
	archs  []string // all that there are; the bits of offer.archs
	// families are the offers of each.
	families map[string][]int
}

// offer is a type as a region has it. What most types are left out for stands
// first: all offers are looked at for each job.
type offer struct {
	archs uint64 // of Market.archs
	// elsewhere is a type that the region does not offer.
	elsewhere bool
	// previous, bursts, other, part and metal say what kind of type it is.
	previous, bursts, other, part, metal bool
	catalog.Type
	price catalog.Price // of USD 0 where it is not known
	spot  catalog.Spot
	zones []catalog.Zone
	// larger are the offers of its family that cost the same on demand, with more
	// cores and no less memory.
	larger []int
}

// NewMarket looks up what EC2 sells in a region.
func NewMarket(c Catalog, region string) *Market {
	m := &Market{Region: region, families: map[string][]int{}}
	zoned := len(c.Zones(region)) > 0
	for _, name := range c.Names() {
		t, ok := c.Type(name)
		if !ok {
			continue
		}
		o := offer{Type: t, archs: m.bits(t.Archs), zones: c.Offers(name, region)}
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
		m.families[family] = append(m.families[family], len(m.offers))
		m.offers = append(m.offers, o)
	}
	for i := range m.offers {
		o := &m.offers[i]
		for _, at := range m.families[o.Family()] {
			if l := &m.offers[at]; o.price.USD > 0 && l.price.USD == o.price.USD && l.Cores > o.Cores && l.MemoryMiB >= o.MemoryMiB {
				o.larger = append(o.larger, at)
			}
		}
	}
	return m
}

// bits are the bits of some architectures, new ones among them.
func (m *Market) bits(archs []string) (bits uint64) {
	for _, a := range archs {
		i := slices.Index(m.archs, a)
		if i < 0 {
			i, m.archs = len(m.archs), append(m.archs, a)
		}
		bits |= 1 << i // EC2 has five
	}
	return bits
}

// bitsOf are the bits of those of some architectures that there are.
func (m *Market) bitsOf(archs []string) (bits uint64) {
	for i, a := range m.archs {
		if slices.Contains(archs, a) {
			bits |= 1 << i
		}
	}
	return bits
}
