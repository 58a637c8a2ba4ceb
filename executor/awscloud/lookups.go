package awscloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aws-slurm-burst/executor/cloud"
)

// Subnets is one page of DescribeSubnets.
func (c *Cloud) Subnets(ctx context.Context, q cloud.SubnetQuery) (cloud.SubnetPage, error) {
	var f filters
	if q.DefaultForAZ {
		f.word("default-for-az", "true")
	}
	f.word("vpc-id", q.VPC)
	f.add("availability-zone", words(q.AZs)...)
	f.tags(q.Tags)
	if err := f.check("DescribeSubnets"); err != nil {
		return cloud.SubnetPage{}, err
	}
	out, err := call(ctx, c, "DescribeSubnets", c.ec2.DescribeSubnets, &ec2.DescribeSubnetsInput{
		SubnetIds: q.IDs, Filters: f.list, NextToken: text(q.Page), MaxResults: page(q.IDs),
	})
	if err != nil {
		return cloud.SubnetPage{}, err
	}
	p := cloud.SubnetPage{Next: aws.ToString(out.NextToken)}
	for _, s := range out.Subnets {
		p.Subnets = append(p.Subnets, cloud.Subnet{
			ID:            aws.ToString(s.SubnetId),
			AZ:            aws.ToString(s.AvailabilityZone),
			AZID:          aws.ToString(s.AvailabilityZoneId),
			VPC:           aws.ToString(s.VpcId),
			CIDR:          aws.ToString(s.CidrBlock),
			FreeAddresses: int(aws.ToInt32(s.AvailableIpAddressCount)),
		})
	}
	return p, nil
}

// Images is one page of DescribeImages. A search finds images that can be
// launched now; an id finds its image in any state, so that EC2's own refusal
// says what is wrong with it.
func (c *Cloud) Images(ctx context.Context, q cloud.ImageQuery) (cloud.ImagePage, error) {
	var f filters
	if len(q.IDs) == 0 {
		f.word("state", "available")
	}
	if q.Name != "" {
		f.add("name", q.Name) // wildcards are meant here
	}
	f.word("architecture", q.Arch)
	f.tags(q.Tags)
	if err := f.check("DescribeImages"); err != nil {
		return cloud.ImagePage{}, err
	}
	out, err := call(ctx, c, "DescribeImages", c.ec2.DescribeImages, &ec2.DescribeImagesInput{
		ImageIds: q.IDs, Owners: q.Owners, Filters: f.list, NextToken: text(q.Page), MaxResults: page(q.IDs),
	})
	if err != nil {
		return cloud.ImagePage{}, err
	}
	p := cloud.ImagePage{Next: aws.ToString(out.NextToken)}
	for _, i := range out.Images {
		p.Images = append(p.Images, cloud.Image{
			ID:      aws.ToString(i.ImageId),
			Name:    aws.ToString(i.Name),
			Arch:    string(i.Architecture),
			Created: aws.ToString(i.CreationDate),
		})
	}
	return p, nil
}
