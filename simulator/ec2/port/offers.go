package port

import (
	"context"
	"strconv"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/faults"
)

var _ cloud.Offers = (*Port)(nil)

// Types is one page of DescribeInstanceTypes.
func (p *Port) Types(ctx context.Context, page string) (cloud.TypePage, error) {
	list, err := pageOf(ctx, p, "DescribeInstanceTypes", func() (api.Page[ec2.InstanceType], error) {
		return p.model.DescribeInstanceTypes(api.Query{Next: page, Max: ec2.MaxTypePage})
	})
	out := cloud.TypePage{Next: list.Next}
	for _, t := range list.Items {
		out.Types = append(out.Types, t.Type)
	}
	return out, err
}

// Offerings is one page of DescribeInstanceTypeOfferings.
func (p *Port) Offerings(ctx context.Context, page string) (cloud.OfferingPage, error) {
	list, err := pageOf(ctx, p, "DescribeInstanceTypeOfferings", func() (api.Page[ec2.Offering], error) {
		return p.model.DescribeInstanceTypeOfferings(api.Query{Next: page, Max: api.MaxPage}, "availability-zone-id")
	})
	out := cloud.OfferingPage{Next: list.Next}
	for _, o := range list.Items {
		out.Offerings = append(out.Offerings, cloud.OfferedIn{Type: o.Type, ZoneID: o.Location})
	}
	return out, err
}

// Zones is DescribeAvailabilityZones.
func (p *Port) Zones(ctx context.Context) ([]catalog.Zone, error) {
	var list []network.Zone
	err := p.call(ctx, faults.Fact{Action: "DescribeAvailabilityZones"}, func() (err error) {
		list, err = p.model.DescribeAvailabilityZones(nil)
		return err
	})
	var out []catalog.Zone
	for _, z := range list {
		out = append(out, catalog.Zone{ID: z.ID, Name: z.Name, Region: p.model.Region()})
	}
	return out, err
}

// SpotPrices is one page of DescribeSpotPriceHistory.
func (p *Port) SpotPrices(ctx context.Context, q cloud.SpotQuery) (cloud.SpotPage, error) {
	list, err := pageOf(ctx, p, "DescribeSpotPriceHistory", func() (api.Page[ec2.SpotPrice], error) {
		return p.model.DescribeSpotPriceHistory(api.Query{Next: q.Page, Max: api.MaxPage, Filters: []api.Filter{{Name: "product-description", Values: []string{ec2.Linux}}}}, nil)
	})
	out := cloud.SpotPage{Next: list.Next}
	for _, s := range list.Items {
		usd, _ := strconv.ParseFloat(s.USD, 64) // the model wrote it
		out.Prices = append(out.Prices, cloud.SpotPrice{Type: s.Type, AZ: s.AZ, USD: usd, From: s.From})
	}
	return out, err
}

// pageOf makes a describe call.
func pageOf[T any](ctx context.Context, p *Port, action string, ask func() (api.Page[T], error)) (page api.Page[T], err error) {
	err = p.call(ctx, faults.Fact{Action: action}, func() (err error) {
		page, err = ask()
		return err
	})
	return page, err
}
