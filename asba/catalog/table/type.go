package table

import (
	"strconv"
	"strings"
)

// Type is what is known of one instance type.
type Type struct {
	Name      string `json:"name"`
	VCPUs     int    `json:"vcpus"` // with all threads on, as EC2 starts it by default
	Cores     int    `json:"cores"`
	MemoryMiB int    `json:"memory_mib"`
	// Archs are EC2's names: x86_64, arm64, i386, x86_64_mac, arm64_mac.
	Archs []string `json:"archs"`
	// GPUs counts what the system sees: a fraction of a card is one GPU.
	GPUs         int    `json:"gpus,omitzero"`
	GPUModel     string `json:"gpu_model,omitzero"`      // such as H100; "" without GPUs
	GPUMemoryMiB int    `json:"gpu_memory_mib,omitzero"` // of each GPU
	// Network is the performance in EC2's words, such as "Up to 12.5 Gigabit".
	Network string `json:"network,omitzero"`
	// BaselineGbps is what lasts, in Gbit/s over all cards; 0 where EC2 does not
	// say. GbpsAtMost is what the words say.
	BaselineGbps float64 `json:"baseline_gbps,omitzero"`
	// EFA is the greatest number of EFA interfaces, 0 where there are none.
	EFA          int `json:"efa_interfaces"`
	NetworkCards int `json:"network_cards"`

	// How it is sold.
	OnDemand      bool `json:"on_demand"`
	Spot          bool `json:"spot"`
	CapacityBlock bool `json:"capacity_block"`
	// The placement groups that it may join.
	Cluster   bool `json:"cluster"`
	Partition bool `json:"partition"`
	Spread    bool `json:"spread"`
}

// SpotOK reports whether the type has a spot market.
func (t Type) SpotOK() bool { return t.Spot }

// Places reports whether the type may join a placement group of this strategy:
// cluster, partition or spread.
func (t Type) Places(strategy string) bool {
	switch strategy {
	case "cluster":
		return t.Cluster
	case "partition":
		return t.Partition
	case "spread":
		return t.Spread
	}
	return false
}

// Family returns the part of the name before the dot.
func (t Type) Family() string { return Family(t.Name) }

// GbpsAtMost is the number in the words of Network, in Gbit/s, with all cards
// together ("4x 100 Gigabit" is 400); 0 where they name none ("Moderate").
func (t Type) GbpsAtMost() float64 { return gigabits(t.Network) }

// Shared returns the type with a baseline that is no more than its words say:
// EC2 tells cards that share one limit with the limit each.
func (t Type) Shared() Type {
	if most := t.GbpsAtMost(); most > 0 {
		t.BaselineGbps = min(t.BaselineGbps, most)
	}
	return t
}

// Family is the part of a type's name before the dot.
func Family(name string) string {
	f, _, _ := strings.Cut(name, ".")
	return f
}

// gigabits is the number in EC2's words for network performance, 0 for none.
func gigabits(words string) float64 {
	words = strings.TrimPrefix(words, "Up to ")
	words, ok := strings.CutSuffix(words, " Gigabit")
	if !ok {
		return 0
	}
	cards := 1
	if n, each, multiple := strings.Cut(words, "x "); multiple { // 4x 100 Gigabit
		var err error
		if cards, err = strconv.Atoi(n); err != nil {
			return 0
		}
		words = each
	}
	x, err := strconv.ParseFloat(words, 64)
	if err != nil {
		return 0
	}
	return float64(cards) * x
}
