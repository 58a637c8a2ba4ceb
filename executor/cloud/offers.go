package cloud

import (
	"context"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
)

// Offers reads what EC2 sells in the region: what the catalogue is refreshed
// from. Nothing that Slurm waits for asks it, so it is no part of Cloud; the
// implementations of Cloud have it too, with the same errors.
//
// What it returns is EC2's own words, not yet checked.
type Offers interface {
	// Types is one page of DescribeInstanceTypes: the types that the region has.
	Types(ctx context.Context, page string) (TypePage, error)
	// Offerings is one page of DescribeInstanceTypeOfferings: which zone, by its
	// id, offers which type.
	Offerings(ctx context.Context, page string) (OfferingPage, error)
	// Zones is DescribeAvailabilityZones: the region's availability zones that
	// the account may use, without local ones (one call, never paged by EC2).
	Zones(ctx context.Context) ([]catalog.Zone, error)
	// SpotPrices is one page of DescribeSpotPriceHistory for Linux.
	SpotPrices(ctx context.Context, q SpotQuery) (SpotPage, error)
}

// TypePage is one page of DescribeInstanceTypes.
type TypePage struct {
	Types []catalog.Type
	Next  string // "" on the last page
}

// OfferedIn says that a zone offers a type.
type OfferedIn struct{ Type, ZoneID string }

// OfferingPage is one page of DescribeInstanceTypeOfferings.
type OfferingPage struct {
	Offerings []OfferedIn
	Next      string
}

// SpotQuery selects spot prices: those that hold at Since, and all later ones.
type SpotQuery struct {
	Since env.Time
	Page  string
}

// SpotPrice is what a type cost on the spot market of a zone from a time on.
type SpotPrice struct {
	Type string
	AZ   string  // the zone's name
	USD  float64 // an hour
	From env.Time
}

// SpotPage is one page of DescribeSpotPriceHistory.
type SpotPage struct {
	Prices []SpotPrice
	Next   string
}
