package ec2

import (
	"slices"
	"strconv"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
)

// Types knows the instance types that exist.
type Types interface {
	Type(name string) (catalog.Type, bool)
	// Price returns what a type costs on demand in a region, in USD an hour.
	Price(name, region string) (usd float64, known bool)
	// Names returns every type's name, sorted.
	Names() []string
}

// Catalog returns the instance types of the project's catalogue.
func Catalog(c *catalog.Catalog) Types { return catalogTypes{c} }

type catalogTypes struct{ *catalog.Catalog }

func (t catalogTypes) Price(name, region string) (usd float64, known bool) {
	p, known := t.Catalog.Price(name, region)
	return p.USD, known
}

// InstanceType is one line of DescribeInstanceTypes.
type InstanceType struct {
	api.Resource
	catalog.Type
}

var typeFields = api.Fields[*InstanceType]{
	"instance-type": api.Value(func(t *InstanceType) string { return t.ID }),
	"processor-info.supported-architecture": func(t *InstanceType, pass func(string) bool) bool {
		for _, a := range t.Archs {
			if pass(a) {
				return true
			}
		}
		return false
	},
	"supported-usage-class": func(t *InstanceType, pass func(string) bool) bool {
		return t.OnDemand && pass("on-demand") || t.Spot && pass("spot") || t.CapacityBlock && pass("capacity-block")
	},
	"network-info.efa-supported": api.Value(func(t *InstanceType) string {
		if t.EFA > 0 {
			return "true"
		}
		return "false"
	}),
}

// MaxTypePage is EC2's largest page of instance types.
const MaxTypePage = 100

// DescribeInstanceTypes lists instance types in the order of their names.
func (m *Model) DescribeInstanceTypes(q api.Query) (api.Page[InstanceType], error) {
	return call(m, Event{Action: "DescribeInstanceTypes"}, func(env.Time, *Event) (api.Page[InstanceType], error) {
		if q.Max > MaxTypePage {
			return api.Page[InstanceType]{}, api.BadValue("Value ( %d ) for parameter maxResults is invalid. Expecting a value less than or equal to %d.", q.Max, MaxTypePage)
		}
		var rows []*InstanceType
		for i, name := range m.opt.Types.Names() {
			f, _ := m.opt.Types.Type(name)
			rows = append(rows, &InstanceType{api.Resource{ID: name, Seq: uint64(i) + 1}, f})
		}
		return api.Views(api.Choose(rows, q, typeFields.Named, func(ids []string) *api.Error {
			return api.Refuse("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", ids[0])
		}, nil))
	})
}

// Offering is one line of DescribeInstanceTypeOfferings.
type Offering struct {
	api.Resource
	Type         string
	LocationType string
	Location     string
}

var offeringFields = api.Fields[*Offering]{
	"instance-type": api.Value(func(o *Offering) string { return o.Type }),
	"location":      api.Value(func(o *Offering) string { return o.Location }),
}

// DescribeInstanceTypeOfferings lists which types are offered where: in the
// region, or in its zones by name or by id, as locationType says.
func (m *Model) DescribeInstanceTypeOfferings(q api.Query, locationType string) (api.Page[Offering], error) {
	return call(m, Event{Action: "DescribeInstanceTypeOfferings"}, func(env.Time, *Event) (api.Page[Offering], error) {
		var name func(network.Zone) string
		switch locationType = orDefault(locationType, "region"); locationType {
		case "region":
			name = func(network.Zone) string { return m.opt.Region }
		case "availability-zone":
			name = func(z network.Zone) string { return z.Name }
		case "availability-zone-id":
			name = func(z network.Zone) string { return z.ID }
		default:
			return api.Page[Offering]{}, api.BadValue("Invalid value '%s' for LocationType.", locationType)
		}
		var rows []*Offering
		m.everyPool(func(kind string, z network.Zone) bool {
			rows = append(rows, &Offering{api.Resource{Seq: uint64(len(rows)) + 1}, kind, locationType, name(z)})
			return locationType != "region" // where one zone is enough
		})
		return api.Views(api.Choose(rows, q, offeringFields.Named, nil, nil))
	})
}

// everyPool calls fn for each type and each zone that offers it, until fn has
// enough of a type.
func (m *Model) everyPool(fn func(kind string, z network.Zone) (more bool)) {
	for _, kind := range m.opt.Types.Names() {
		for _, z := range m.network.Zones {
			if m.offered(kind, z.Name) && !fn(kind, z) {
				break
			}
		}
	}
}

// SpotPrice is one line of DescribeSpotPriceHistory.
type SpotPrice struct {
	api.Resource
	Type, AZ string
	USD      string // an hour, as EC2 writes it
	From     env.Time
}

var spotFields = api.Fields[*SpotPrice]{
	"instance-type":       api.Value(func(p *SpotPrice) string { return p.Type }),
	"availability-zone":   api.Value(func(p *SpotPrice) string { return p.AZ }),
	"product-description": api.Value(func(*SpotPrice) string { return Linux }),
	"spot-price":          api.Value(func(p *SpotPrice) string { return p.USD }),
}

// Linux is the only product of the model.
const Linux = "Linux/UNIX"

// DescribeSpotPriceHistory lists the spot prices of now and since when they hold,
// those of some types where they are named. It has no older ones.
func (m *Model) DescribeSpotPriceHistory(q api.Query, types []string) (api.Page[SpotPrice], error) {
	if len(types) > 0 {
		q.Filters = append(q.Filters[:len(q.Filters):len(q.Filters)], api.Filter{Name: "instance-type", Values: types})
	}
	return call(m, Event{Action: "DescribeSpotPriceHistory"}, func(now env.Time, _ *Event) (api.Page[SpotPrice], error) {
		var rows []*SpotPrice
		m.everyPool(func(kind string, z network.Zone) bool {
			if t, _ := m.opt.Types.Type(kind); !t.Spot {
				return false
			}
			if usd, since, known := m.spotPrice(kind, z.Name, now); known {
				rows = append(rows, &SpotPrice{api.Resource{Seq: uint64(len(rows)) + 1}, kind, z.Name, strconv.FormatFloat(usd, 'f', 6, 64), since})
			}
			return true
		})
		return api.Views(api.Choose(rows, q, spotFields.Named, nil, nil))
	})
}

// Zones returns how many zones the catalogue has of a region, six at most, and their
// ids by their names, so that the executor finds by ids who sells what. There are no
// ids where the names are not a, b, c and so on.
func Zones(c *catalog.Catalog, region string) (n int, ids map[string]string) {
	known := c.Zones(region)
	n = min(6, len(known))
	ids = map[string]string{}
	for i := range n {
		name := region + string(rune('a'+i))
		at := slices.IndexFunc(known, func(z catalog.Zone) bool { return z.Name == name })
		if at < 0 {
			return n, nil
		}
		ids[name] = known[at].ID
	}
	return n, ids
}
