package awscloud

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

var _ cloud.Offers = (*Cloud)(nil)

// typePage is the largest page of DescribeInstanceTypes.
const typePage = 100

// availabilityZone is EC2's word for a zone of the region itself.
const availabilityZone = "availability-zone"

// Types is one page of DescribeInstanceTypes.
func (c *Cloud) Types(ctx context.Context, page string) (cloud.TypePage, error) {
	out, err := call(ctx, c, "DescribeInstanceTypes", c.ec2.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{
		NextToken: text(page), MaxResults: aws.Int32(typePage),
	})
	if err != nil {
		return cloud.TypePage{}, err
	}
	p := cloud.TypePage{Next: aws.ToString(out.NextToken)}
	for _, t := range out.InstanceTypes {
		p.Types = append(p.Types, instanceType(t))
	}
	return p, nil
}

func instanceType(t types.InstanceTypeInfo) catalog.Type {
	out := catalog.Type{
		Name:          string(t.InstanceType),
		OnDemand:      slices.Contains(t.SupportedUsageClasses, types.UsageClassTypeOnDemand),
		Spot:          slices.Contains(t.SupportedUsageClasses, types.UsageClassTypeSpot),
		CapacityBlock: slices.Contains(t.SupportedUsageClasses, types.UsageClassTypeCapacityBlock),
	}
	if v := t.VCpuInfo; v != nil {
		out.VCPUs, out.Cores = int(aws.ToInt32(v.DefaultVCpus)), int(aws.ToInt32(v.DefaultCores))
	}
	if m := t.MemoryInfo; m != nil {
		out.MemoryMiB = int(aws.ToInt64(m.SizeInMiB))
	}
	if p := t.ProcessorInfo; p != nil {
		for _, a := range p.SupportedArchitectures {
			out.Archs = append(out.Archs, string(a))
		}
		slices.Sort(out.Archs)
	}
	if g := t.GpuInfo; g != nil {
		for _, card := range g.Gpus {
			// The count of a fraction of a card is 0.
			out.GPUs += int(max(aws.ToInt32(card.Count), aws.ToInt32(card.LogicalGpuCount)))
			out.GPUModel = aws.ToString(card.Name)
			if card.MemoryInfo != nil {
				out.GPUMemoryMiB = int(aws.ToInt32(card.MemoryInfo.SizeInMiB))
			}
		}
	}
	if n := t.NetworkInfo; n != nil {
		out.Network, out.NetworkCards = aws.ToString(n.NetworkPerformance), int(aws.ToInt32(n.MaximumNetworkCards))
		if n.EfaInfo != nil {
			out.EFA = int(aws.ToInt32(n.EfaInfo.MaximumEfaInterfaces))
		}
		for _, card := range n.NetworkCards {
			out.BaselineGbps += aws.ToFloat64(card.BaselineBandwidthInGbps)
		}
		out = out.Shared()
	}
	if p := t.PlacementGroupInfo; p != nil {
		out.Cluster = slices.Contains(p.SupportedStrategies, types.PlacementGroupStrategyCluster)
		out.Partition = slices.Contains(p.SupportedStrategies, types.PlacementGroupStrategyPartition)
		out.Spread = slices.Contains(p.SupportedStrategies, types.PlacementGroupStrategySpread)
	}
	return out
}

// Offerings is one page of DescribeInstanceTypeOfferings, by the ids of zones.
func (c *Cloud) Offerings(ctx context.Context, page string) (cloud.OfferingPage, error) {
	out, err := call(ctx, c, "DescribeInstanceTypeOfferings", c.ec2.DescribeInstanceTypeOfferings, &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: types.LocationTypeAvailabilityZoneId, NextToken: text(page), MaxResults: aws.Int32(pageSize),
	})
	if err != nil {
		return cloud.OfferingPage{}, err
	}
	p := cloud.OfferingPage{Next: aws.ToString(out.NextToken)}
	for _, o := range out.InstanceTypeOfferings {
		p.Offerings = append(p.Offerings, cloud.OfferedIn{Type: string(o.InstanceType), ZoneID: aws.ToString(o.Location)})
	}
	return p, nil
}

// Zones is DescribeAvailabilityZones.
func (c *Cloud) Zones(ctx context.Context) ([]catalog.Zone, error) {
	out, err := call(ctx, c, "DescribeAvailabilityZones", c.ec2.DescribeAvailabilityZones, &ec2.DescribeAvailabilityZonesInput{})
	if err != nil {
		return nil, err
	}
	var zones []catalog.Zone
	for _, z := range out.AvailabilityZones {
		if kind := aws.ToString(z.ZoneType); kind != "" && kind != availabilityZone {
			continue
		}
		zones = append(zones, catalog.Zone{ID: aws.ToString(z.ZoneId), Name: aws.ToString(z.ZoneName), Region: aws.ToString(z.RegionName)})
	}
	return zones, nil
}

// SpotPrices is one page of DescribeSpotPriceHistory.
func (c *Cloud) SpotPrices(ctx context.Context, q cloud.SpotQuery) (cloud.SpotPage, error) {
	out, err := call(ctx, c, "DescribeSpotPriceHistory", c.ec2.DescribeSpotPriceHistory, &ec2.DescribeSpotPriceHistoryInput{
		ProductDescriptions: []string{"Linux/UNIX"}, StartTime: aws.Time(q.Since.Std()), NextToken: text(q.Page), MaxResults: aws.Int32(pageSize),
	})
	if err != nil {
		return cloud.SpotPage{}, err
	}
	p := cloud.SpotPage{Next: aws.ToString(out.NextToken)}
	for _, s := range out.SpotPriceHistory {
		usd, err := strconv.ParseFloat(aws.ToString(s.SpotPrice), 64)
		if err != nil {
			continue // no price that anybody could compare with
		}
		price := cloud.SpotPrice{Type: string(s.InstanceType), AZ: aws.ToString(s.AvailabilityZone), USD: usd}
		if s.Timestamp != nil {
			price.From = env.At(*s.Timestamp)
		}
		p.Prices = append(p.Prices, price)
	}
	return p, nil
}
