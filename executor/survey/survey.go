// Package survey asks EC2 what it sells in a region: its types, zones, offers and
// today's spot prices, as the catalogue takes them. It is slow (some fifty calls)
// and for people: nothing that Slurm waits for asks it.
//
// It does not know on-demand prices, since EC2 has no call for them, and keeps
// nothing itself.
package survey

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// Bounds of what an endpoint may answer, far above what EC2 has (1,400 types,
// six zones): a hostile or broken one must not fill memory or go on for ever.
const (
	maxPages = 500
	maxTypes = 20_000
	maxZones = 64
	maxLines = 500_000 // offerings, or spot prices
	maxUSD   = 1e6     // an hour

	// toldAtOnce is how many types that cannot be are told one by one.
	toldAtOnce = 5
)

// File is the name of the cache of what an endpoint says of a region: what
// LocalStack says is not AWS's.
func File(endpoint, region string) string {
	sum := sha256.Sum256([]byte(endpoint + "\n" + region))
	return "cache/catalog-" + hex.EncodeToString(sum[:8]) + ".tsv.gz"
}

// Ask asks EC2 for all that it sells in a region, and returns it in the form that
// catalog.ReadRefreshed reads. Spot prices may be missing, with a WARN: an
// endpoint need not know them, nor the caller be allowed to see them.
func Ask(ctx context.Context, c *calls.Caller, ec2 cloud.Offers, region string) ([]byte, error) {
	types, err := askTypes(ctx, c, ec2)
	if err != nil {
		return nil, err
	}
	var zones []catalog.Zone
	err = c.Repeat(ctx, "DescribeAvailabilityZones", func() (err error) {
		zones, err = ec2.Zones(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(zones) == 0 || len(zones) > maxZones {
		return nil, odd("DescribeAvailabilityZones", "EC2 names %d zones of %s", len(zones), region)
	}
	slices.SortFunc(zones, func(a, b catalog.Zone) int { return cmp.Compare(a.ID, b.ID) })
	zoned, err := askOfferings(ctx, c, ec2, types, zones)
	if err != nil {
		return nil, err
	}
	spot, err := askSpot(ctx, c, ec2, zoned, zones)
	if cloud.Is(err, cloud.Unsupported, cloud.Permission) {
		env.Warnf(c.Env, "survey.spot", "no spot prices, keeping the older ones: %v", err)
	} else if err != nil {
		return nil, err
	}
	var offers []catalog.Offer
	for _, t := range types {
		o := catalog.Offer{Type: t.Name, Zones: zoned[t.Name]}
		if t.Spot {
			o.SpotUSD = spot[t.Name]
		}
		offers = append(offers, o)
	}
	day := c.Env.Now().Std().UTC().Format(time.DateOnly)
	data, err := catalog.EncodeRefreshed(region, day, types, zones, offers)
	if err != nil {
		return nil, odd("", "what EC2 says of %s cannot be: %v", region, err)
	}
	return data, nil
}

// odd is the error for an answer that EC2 would not give.
func odd(op, format string, args ...any) error {
	return cloud.Errorf(cmp.Or(op, "DescribeInstanceTypes"), cloud.Ambiguous, format, args...)
}

// pages walks the pages of a call.
func pages(ctx context.Context, c *calls.Caller, op string, ask func(page string) (next string, err error)) error {
	page := ""
	for range maxPages {
		next := ""
		err := c.Repeat(ctx, op, func() (err error) {
			next, err = ask(page)
			return err
		})
		if err != nil || next == "" {
			return err
		}
		if next == page {
			return odd(op, "EC2 answers with the same page again")
		}
		page = next
	}
	return odd(op, "EC2 answers with more than %d pages", maxPages)
}

// askTypes returns the types that the region has, by name, without those that
// cannot be: a new one with words that nobody knows keeps no other out.
func askTypes(ctx context.Context, c *calls.Caller, ec2 cloud.Offers) ([]catalog.Type, error) {
	found := map[string]catalog.Type{}
	dropped := 0
	err := pages(ctx, c, "DescribeInstanceTypes", func(page string) (string, error) {
		p, err := ec2.Types(ctx, page)
		for _, t := range p.Types {
			if why := t.Check(); why != nil {
				if dropped++; dropped <= toldAtOnce {
					env.Warnf(c.Env, "survey.type", "EC2 names a type that cannot be, left out: %v", why)
				}
				continue
			}
			found[t.Name] = t
		}
		if len(found) > maxTypes {
			return "", odd("DescribeInstanceTypes", "EC2 names more than %d types", maxTypes)
		}
		return p.Next, err
	})
	if err != nil {
		return nil, err
	}
	if more := dropped - toldAtOnce; more > 0 {
		env.Warnf(c.Env, "survey.type", "%d more types that cannot be, left out", more)
	}
	if len(found) == 0 {
		return nil, odd("DescribeInstanceTypes", "EC2 names no type")
	}
	var out []catalog.Type
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[name])
	}
	return out, nil
}

// askOfferings returns the ids of the zones that offer a type, those of the
// region's own zones and of known types.
func askOfferings(ctx context.Context, c *calls.Caller, ec2 cloud.Offers, types []catalog.Type, zones []catalog.Zone) (map[string][]string, error) {
	zoned := map[string][]string{}
	for _, t := range types {
		zoned[t.Name] = nil
	}
	lines := 0
	err := pages(ctx, c, "DescribeInstanceTypeOfferings", func(page string) (string, error) {
		p, err := ec2.Offerings(ctx, page)
		for _, o := range p.Offerings {
			ids, known := zoned[o.Type]
			if known && !slices.Contains(ids, o.ZoneID) && slices.ContainsFunc(zones, func(z catalog.Zone) bool { return z.ID == o.ZoneID }) {
				zoned[o.Type] = append(ids, o.ZoneID)
			}
		}
		if lines += len(p.Offerings); lines > maxLines {
			return "", odd("DescribeInstanceTypeOfferings", "EC2 answers with more than %d offerings", maxLines)
		}
		return p.Next, err
	})
	if err == nil && lines == 0 {
		// A region without any offer is an endpoint that does not know them.
		err = odd("DescribeInstanceTypeOfferings", "EC2 names no offering")
	}
	return zoned, err
}

// askSpot returns the usual spot price of each type now, in USD an hour: the
// middle of its zones' newest prices.
func askSpot(ctx context.Context, c *calls.Caller, ec2 cloud.Offers, types map[string][]string, zones []catalog.Zone) (map[string]float64, error) {
	type pool struct{ name, az string }
	newest := map[pool]cloud.SpotPrice{}
	lines := 0
	q := cloud.SpotQuery{Since: c.Env.Now()}
	err := pages(ctx, c, "DescribeSpotPriceHistory", func(page string) (string, error) {
		q.Page = page
		p, err := ec2.SpotPrices(ctx, q)
		for _, s := range p.Prices {
			key := pool{s.Type, s.AZ}
			_, known := types[s.Type]
			known = known && slices.ContainsFunc(zones, func(z catalog.Zone) bool { return z.Name == s.AZ })
			if known && s.USD > 0 && s.USD < maxUSD && (newest[key].USD == 0 || newest[key].From < s.From) {
				newest[key] = s
			}
		}
		if lines += len(p.Prices); lines > maxLines {
			return "", odd("DescribeSpotPriceHistory", "EC2 answers with more than %d prices", maxLines)
		}
		return p.Next, err
	})
	if err != nil {
		return nil, err
	}
	byType := map[string][]float64{}
	for _, key := range slices.SortedFunc(maps.Keys(newest), func(a, b pool) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.az, b.az))
	}) {
		byType[key.name] = append(byType[key.name], newest[key].USD)
	}
	out := map[string]float64{}
	for _, name := range slices.Sorted(maps.Keys(byType)) {
		prices := byType[name]
		slices.Sort(prices)
		out[name] = middle(prices)
	}
	return out, nil
}

// middle is the median of sorted numbers, to a millionth, as EC2 tells prices.
func middle(sorted []float64) float64 {
	n := len(sorted)
	m := (sorted[(n-1)/2] + sorted[n/2]) / 2
	return float64(int64(m*1e6+0.5)) / 1e6
}

// Summary says what a survey came to, for people.
func Summary(r *catalog.Refreshed) string {
	types, zones, spots := r.Counts()
	return fmt.Sprintf("%d types, %d zones, %d spot prices of %s", types, zones, spots, r.Region)
}
