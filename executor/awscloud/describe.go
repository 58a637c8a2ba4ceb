package awscloud

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// pageSize is the largest page EC2 gives. EC2 refuses it beside ids.
const pageSize = 1000

// Describe is one page of DescribeInstances.
func (c *Cloud) Describe(ctx context.Context, q cloud.InstanceQuery) (cloud.InstancePage, error) {
	var f filters
	// The state first: EC2 does not mind, and an endpoint that tries filters in
	// turn (LocalStack's looks through all tags for each instance it still
	// remembers) is done with the ended ones at once.
	f.add("instance-state-name", words(q.States)...)
	f.tags(q.Tags)
	if err := f.check("DescribeInstances"); err != nil {
		return cloud.InstancePage{}, err
	}
	out, err := call(ctx, c, "DescribeInstances", c.ec2.DescribeInstances, &ec2.DescribeInstancesInput{
		InstanceIds: q.IDs, Filters: f.list, NextToken: text(q.Page), MaxResults: page(q.IDs),
	})
	if err != nil {
		return cloud.InstancePage{}, err
	}
	p := cloud.InstancePage{Next: aws.ToString(out.NextToken)}
	// A reservation is one launch; a page may hold many of them.
	for _, r := range out.Reservations {
		p.Instances = instances(p.Instances, r.Instances)
	}
	return p, nil
}

// Terminate is TerminateInstances.
func (c *Cloud) Terminate(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return refuse("TerminateInstances", "MissingParameter", "no instance ids")
	}
	_, err := call(ctx, c, "TerminateInstances", c.ec2.TerminateInstances,
		&ec2.TerminateInstancesInput{InstanceIds: ids})
	return err
}

// Tag is CreateTags.
func (c *Cloud) Tag(ctx context.Context, ids []string, tags []cloud.Tag) error {
	if len(ids) == 0 || len(tags) == 0 {
		return refuse("CreateTags", "MissingParameter", "%d resources, %d tags", len(ids), len(tags))
	}
	_, err := call(ctx, c, "CreateTags", c.ec2.CreateTags,
		&ec2.CreateTagsInput{Resources: ids, Tags: sdkTags(tags)})
	return err
}

// page returns the page size, nil for a query by ids.
func page(ids []string) *int32 {
	if len(ids) > 0 {
		return nil
	}
	return aws.Int32(pageSize)
}

func instances(to []cloud.Instance, from []types.Instance) []cloud.Instance {
	for _, i := range from {
		to = append(to, instance(i))
	}
	return to
}

func instance(i types.Instance) cloud.Instance {
	out := cloud.Instance{
		ID:          aws.ToString(i.InstanceId),
		Type:        string(i.InstanceType),
		SubnetID:    aws.ToString(i.SubnetId),
		Market:      cloud.OnDemand, // EC2 names only the other markets
		PrivateIP:   primaryIP(i),
		LaunchIndex: int(aws.ToInt32(i.AmiLaunchIndex)),
		Tags:        ourTags(i.Tags),
	}
	if i.InstanceLifecycle == types.InstanceLifecycleTypeSpot {
		out.Market = cloud.Spot
	}
	if i.State != nil {
		out.State = cloud.State(i.State.Name)
	}
	if i.StateReason != nil {
		out.StateReason = aws.ToString(i.StateReason.Code)
	}
	if i.Placement != nil {
		out.AZ = aws.ToString(i.Placement.AvailabilityZone)
		out.Group = aws.ToString(i.Placement.GroupName)
	}
	if i.LaunchTime != nil {
		out.LaunchTime = env.At(*i.LaunchTime)
	}
	return out
}

// primaryIP is the address of device 0 on card 0: EC2 lists interfaces in any
// order, and slurmd answers on the primary one alone.
func primaryIP(i types.Instance) string {
	for _, n := range i.NetworkInterfaces {
		a := n.Attachment
		if a != nil && aws.ToInt32(a.NetworkCardIndex) == 0 && aws.ToInt32(a.DeviceIndex) == 0 && n.PrivateIpAddress != nil {
			return *n.PrivateIpAddress
		}
	}
	return aws.ToString(i.PrivateIpAddress)
}

func ourTags(tags []types.Tag) []cloud.Tag {
	var out []cloud.Tag
	for _, t := range tags {
		out = append(out, cloud.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	slices.SortFunc(out, func(a, b cloud.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return out
}
