package awscloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aws-slurm-burst/executor/cloud"
)

// CreateGroup is CreatePlacementGroup.
func (c *Cloud) CreateGroup(ctx context.Context, g cloud.Group) error {
	in := &ec2.CreatePlacementGroupInput{
		GroupName:         aws.String(g.Name),
		Strategy:          types.PlacementStrategy(g.Strategy),
		TagSpecifications: tagged(g.Tags, types.ResourceTypePlacementGroup),
	}
	if g.Partitions > 0 {
		in.PartitionCount = aws.Int32(int32(g.Partitions))
	}
	_, err := call(ctx, c, "CreatePlacementGroup", c.ec2.CreatePlacementGroup, in)
	return err
}

// DeleteGroup is DeletePlacementGroup.
func (c *Cloud) DeleteGroup(ctx context.Context, name string) error {
	_, err := call(ctx, c, "DeletePlacementGroup", c.ec2.DeletePlacementGroup,
		&ec2.DeletePlacementGroupInput{GroupName: aws.String(name)})
	return err
}

// DescribeGroups is DescribePlacementGroups, which EC2 does not page.
func (c *Cloud) DescribeGroups(ctx context.Context, tags []cloud.Tag) ([]cloud.Group, error) {
	var f filters
	f.tags(tags)
	if err := f.check("DescribePlacementGroups"); err != nil {
		return nil, err
	}
	out, err := call(ctx, c, "DescribePlacementGroups", c.ec2.DescribePlacementGroups,
		&ec2.DescribePlacementGroupsInput{Filters: f.list})
	if err != nil {
		return nil, err
	}
	var groups []cloud.Group
	for _, g := range out.PlacementGroups {
		groups = append(groups, cloud.Group{
			Name:       aws.ToString(g.GroupName),
			Strategy:   string(g.Strategy),
			Partitions: int(aws.ToInt32(g.PartitionCount)),
			State:      string(g.State),
			Tags:       ourTags(g.Tags),
		})
	}
	return groups, nil
}
