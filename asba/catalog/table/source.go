package table

// Source is where one kind of fact comes from.
type Source struct {
	Name    string `json:"name"` // moto, karpenter-provider-aws, ec2-instances-info, or EC2 itself
	Version string `json:"version"`
	Date    string `json:"date"`    // of the facts: YYYY-MM-DD
	Licence string `json:"licence"` // an SPDX identifier, "-" for what EC2 said
	Holds   string `json:"holds"`   // the kind of fact
}

// The kinds of facts.
const (
	HoldsTypes     = "types"     // sizes, architectures, network, GPUs, usage, placement
	HoldsOfferings = "offerings" // zones, and which of them offers a type
	HoldsPrices    = "prices"    // on demand
	HoldsSpot      = "spot"      // ratio or price, and interruption band
)
