package awscloud

import (
	"context"
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aws-slurm-burst/executor/cloud"
)

// Launch is RunInstances.
func (c *Cloud) Launch(ctx context.Context, r cloud.LaunchRequest) ([]cloud.Instance, error) {
	if r.Token == "" {
		// The SDK would invent a random one, and a repeated call would launch
		// everything twice.
		return nil, refuse("RunInstances", "MissingParameter", "the launch has no client token")
	}
	if r.MinCount < 1 || r.MaxCount < r.MinCount || r.MaxCount > math.MaxInt32 {
		return nil, refuse("RunInstances", "InvalidParameterValue", "between %d and %d instances", r.MinCount, r.MaxCount)
	}
	out, err := call(ctx, c, "RunInstances", c.ec2.RunInstances, runInput(r))
	if err != nil {
		if r.DryRun && cloud.Is(err, cloud.DryRunOK) {
			return nil, nil
		}
		e := cloud.AsError(err)
		e.Type, e.AZ = r.Type, r.AZ
		return nil, e
	}
	return instances(nil, out.Instances), nil
}

// runInput maps a request. Empty fields are not sent, so that a launch
// template's values hold.
func runInput(r cloud.LaunchRequest) *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		ClientToken:  aws.String(r.Token),
		MinCount:     aws.Int32(int32(r.MinCount)),
		MaxCount:     aws.Int32(int32(r.MaxCount)),
		InstanceType: types.InstanceType(r.Type),
		ImageId:      text(r.ImageID),
		KeyName:      text(r.KeyName),

		InstanceMarketOptions: market(r),
		IamInstanceProfile:    profile(r.InstanceProfile),
		LaunchTemplate:        template(r.Template, r.TemplateVersion),
		TagSpecifications:     tagged(r.Tags, types.ResourceTypeInstance, types.ResourceTypeVolume),

		// EC2's default, stop, leaves disks that are billed.
		InstanceInitiatedShutdownBehavior: types.ShutdownBehaviorTerminate,
		// A node learns its own name from its tags while it boots.
		MetadataOptions: &types.InstanceMetadataOptionsRequest{
			HttpTokens:           types.HttpTokensStateRequired,
			InstanceMetadataTags: types.InstanceMetadataTagsStateEnabled,
		},
	}
	if r.EFA > 0 {
		in.NetworkInterfaces = efaInterfaces(r)
	} else {
		in.SubnetId = text(r.SubnetID)
		in.SecurityGroupIds = r.SecurityGroups
	}
	if r.Group != "" {
		in.Placement = &types.Placement{GroupName: aws.String(r.Group)}
	}
	if r.UserData != "" {
		in.UserData = aws.String(base64.StdEncoding.EncodeToString([]byte(r.UserData)))
	}
	if r.DryRun {
		in.DryRun = aws.Bool(true)
	}
	return in
}

// efaInterfaces asks for one EFA a network card: device 0 on card 0, which
// carries the node's address, and device 1 on every further card. Subnet and
// security groups must be inside, and EC2 gives no public address to an
// instance with more than one interface.
func efaInterfaces(r cloud.LaunchRequest) []types.InstanceNetworkInterfaceSpecification {
	nics := make([]types.InstanceNetworkInterfaceSpecification, r.EFA)
	for i := range nics {
		nics[i] = types.InstanceNetworkInterfaceSpecification{
			InterfaceType:       aws.String("efa"),
			NetworkCardIndex:    aws.Int32(int32(i)),
			DeviceIndex:         aws.Int32(int32(min(i, 1))),
			SubnetId:            text(r.SubnetID),
			Groups:              r.SecurityGroups,
			DeleteOnTermination: aws.Bool(true),
		}
	}
	return nics
}

// market asks for a one-time spot request that ends with its interruption; nil
// is on-demand.
func market(r cloud.LaunchRequest) *types.InstanceMarketOptionsRequest {
	if r.Market != cloud.Spot {
		return nil
	}
	spot := &types.SpotMarketOptions{
		SpotInstanceType:             types.SpotInstanceTypeOneTime,
		InstanceInterruptionBehavior: types.InstanceInterruptionBehaviorTerminate,
	}
	if r.MaxPrice > 0 {
		// EC2 reads no exponents.
		spot.MaxPrice = aws.String(strconv.FormatFloat(r.MaxPrice, 'f', -1, 64))
	}
	return &types.InstanceMarketOptionsRequest{MarketType: types.MarketTypeSpot, SpotOptions: spot}
}

func profile(s string) *types.IamInstanceProfileSpecification {
	switch {
	case s == "":
		return nil
	case strings.HasPrefix(s, "arn:"):
		return &types.IamInstanceProfileSpecification{Arn: aws.String(s)}
	}
	return &types.IamInstanceProfileSpecification{Name: aws.String(s)}
}

func template(s, version string) *types.LaunchTemplateSpecification {
	if s == "" {
		return nil
	}
	t := &types.LaunchTemplateSpecification{Version: text(version)}
	if templateID(s) {
		t.LaunchTemplateId = aws.String(s)
	} else {
		t.LaunchTemplateName = aws.String(s)
	}
	return t
}

// templateID tells an id (lt- and at least 8 hexadecimal digits) from a name,
// which may begin with lt- too.
func templateID(s string) bool {
	hex, ok := strings.CutPrefix(s, "lt-")
	return ok && len(hex) >= 8 && strings.Trim(hex, "0123456789abcdef") == ""
}

// tagged returns the same tags for every kind of resource a call makes.
func tagged(tags []cloud.Tag, kinds ...types.ResourceType) []types.TagSpecification {
	if len(tags) == 0 {
		return nil
	}
	specs := make([]types.TagSpecification, len(kinds))
	for i, k := range kinds {
		specs[i] = types.TagSpecification{ResourceType: k, Tags: sdkTags(tags)}
	}
	return specs
}

func sdkTags(tags []cloud.Tag) []types.Tag {
	out := make([]types.Tag, len(tags))
	for i, t := range tags {
		out[i] = types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)}
	}
	return out
}

// text returns nil for "", which the SDK does not send.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
