package ec2

import (
	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
)

// TypeFacts is what the model needs to know of an instance type.
type TypeFacts struct {
	VCPUs, Cores, MemoryMiB    int
	Archs                      []string // x86_64, arm64, ...
	GPUs                       int
	GPUModel                   string
	EFA                        int // greatest number of EFA interfaces
	NetworkCards               int
	OnDemand, Spot             bool // how it is sold
	Cluster, Partition, Spread bool // placement groups it may join
}

// Types knows the instance types that exist.
type Types interface {
	Type(name string) (TypeFacts, bool)
	// Price returns what a type costs on demand in a region, in USD an hour.
	Price(name, region string) (usd float64, known bool)
	// Names returns every type's name, sorted.
	Names() []string
}

// Catalog returns the instance types of the project's catalogue.
func Catalog(c *catalog.Catalog) Types { return catalogTypes{c} }

type catalogTypes struct{ c *catalog.Catalog }

func (t catalogTypes) Names() []string { return t.c.Names() }

func (t catalogTypes) Price(name, region string) (usd float64, known bool) {
	p, known := t.c.Price(name, region)
	return p.USD, known
}

func (t catalogTypes) Type(name string) (TypeFacts, bool) {
	c, ok := t.c.Type(name)
	if !ok {
		return TypeFacts{}, false
	}
	f := TypeFacts{
		VCPUs: c.VCPUs, Cores: c.Cores, MemoryMiB: c.MemoryMiB, Archs: c.Archs,
		GPUs: c.GPUs, GPUModel: c.GPUModel, EFA: c.EFA, NetworkCards: c.NetworkCards,
		OnDemand: c.OnDemand, Spot: c.Spot,
		Cluster: c.Cluster, Partition: c.Partition, Spread: c.Spread,
	}
	return f, true
}

// InstanceType is one line of DescribeInstanceTypes.
type InstanceType struct {
	tagged
	TypeFacts
}

var typeFields = fields[*InstanceType]{
	"instance-type": value(func(t *InstanceType) string { return t.ID }),
	"processor-info.supported-architecture": func(t *InstanceType, pass func(string) bool) bool {
		for _, a := range t.Archs {
			if pass(a) {
				return true
			}
		}
		return false
	},
	"supported-usage-class": func(t *InstanceType, pass func(string) bool) bool {
		return t.OnDemand && pass("on-demand") || t.Spot && pass("spot")
	},
	"network-info.efa-supported": value(func(t *InstanceType) string {
		if t.EFA > 0 {
			return "true"
		}
		return "false"
	}),
}

// DescribeInstanceTypes lists instance types in the order of their names.
func (m *Model) DescribeInstanceTypes(q Query) (Page[InstanceType], error) {
	return call(m, Event{Action: "DescribeInstanceTypes"}, func(env.Time, *Event) (Page[InstanceType], error) {
		var rows []*InstanceType
		for i, name := range m.opt.Types.Names() {
			f, _ := m.opt.Types.Type(name)
			rows = append(rows, &InstanceType{tagged{ID: name, seq: uint64(i) + 1}, f})
		}
		return views(choose(rows, q, typeFields.named, func(ids []string) *Error {
			return Refuse("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", ids[0])
		}, nil))
	})
}
