package awscloud_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// Each method is one call; what is asked and what is understood of the answer.
func TestCallsOnTheWire(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		name   string
		answer answer
		call   func(*awscloud.Cloud) (any, error)
		sent   map[string]string
		want   any
	}{
		{
			"describe by tags and states", ok("DescribeInstances", `<reservationSet>
				<item><instancesSet><item><instanceId>i-1</instanceId></item><item><instanceId>i-2</instanceId></item></instancesSet></item>
				<item><instancesSet/></item>
				<item><instancesSet><item><instanceId>i-3</instanceId><privateIpAddress>10.0.0.3</privateIpAddress></item></instancesSet></item>
			</reservationSet><nextToken>p2</nextToken>`),
			func(c *awscloud.Cloud) (any, error) {
				return c.Describe(ctx, cloud.InstanceQuery{
					Tags: tags("cluster", `prod*?\`, "empty", "", "cluster", "test"), States: []cloud.State{cloud.Pending, cloud.Running}, Page: "p1",
				})
			},
			map[string]string{
				"Action": "DescribeInstances", "MaxResults": "1000", "NextToken": "p1",
				"Filter.1.Name": "instance-state-name", "Filter.1.Value.1": "pending", "Filter.1.Value.2": "running",
				"Filter.2.Name": "tag:cluster", "Filter.2.Value.1": `prod\*\?\\`, "Filter.2.Value.2": "test",
				"Filter.3.Name": "tag:empty", "Filter.3.Value.1": "",
			},
			cloud.InstancePage{Next: "p2", Instances: []cloud.Instance{
				{ID: "i-1", Market: cloud.OnDemand}, {ID: "i-2", Market: cloud.OnDemand}, {ID: "i-3", Market: cloud.OnDemand, PrivateIP: "10.0.0.3"},
			}},
		},
		{
			"describe by ids, unpaged", ok("DescribeInstances", `<reservationSet/>`),
			func(c *awscloud.Cloud) (any, error) {
				return c.Describe(ctx, cloud.InstanceQuery{IDs: []string{"i-1", "i-2"}})
			},
			map[string]string{"Action": "DescribeInstances", "InstanceId.1": "i-1", "InstanceId.2": "i-2"},
			cloud.InstancePage{},
		},
		{
			"an empty page with a next one", ok("DescribeInstances", `<reservationSet/><nextToken>p2</nextToken>`),
			func(c *awscloud.Cloud) (any, error) { return c.Describe(ctx, cloud.InstanceQuery{}) },
			map[string]string{"Action": "DescribeInstances", "MaxResults": "1000"},
			cloud.InstancePage{Next: "p2"},
		},
		{
			"terminate", ok("TerminateInstances", `<instancesSet/>`),
			func(c *awscloud.Cloud) (any, error) { return nil, c.Terminate(ctx, []string{"i-1", "i-2"}) },
			map[string]string{"Action": "TerminateInstances", "InstanceId.1": "i-1", "InstanceId.2": "i-2"}, nil,
		},
		{
			"tag", ok("CreateTags", `<return>true</return>`),
			func(c *awscloud.Cloud) (any, error) { return nil, c.Tag(ctx, []string{"i-1"}, tags("k", "")) },
			map[string]string{"Action": "CreateTags", "ResourceId.1": "i-1", "Tag.1.Key": "k", "Tag.1.Value": ""}, nil,
		},
		{
			"create a partition group", ok("CreatePlacementGroup", `<return>true</return>`),
			func(c *awscloud.Cloud) (any, error) {
				return nil, c.CreateGroup(ctx, cloud.Group{Name: "pg", Strategy: "partition", Partitions: 3, Tags: tags("k", "v")})
			},
			map[string]string{
				"Action": "CreatePlacementGroup", "GroupName": "pg", "Strategy": "partition", "PartitionCount": "3",
				"TagSpecification.1.ResourceType": "placement-group", "TagSpecification.1.Tag.1.Key": "k", "TagSpecification.1.Tag.1.Value": "v",
			}, nil,
		},
		{
			"create a cluster group", ok("CreatePlacementGroup", ``),
			func(c *awscloud.Cloud) (any, error) {
				return nil, c.CreateGroup(ctx, cloud.Group{Name: "pg", Strategy: "cluster"})
			},
			map[string]string{"Action": "CreatePlacementGroup", "GroupName": "pg", "Strategy": "cluster"}, nil,
		},
		{
			"delete a group", ok("DeletePlacementGroup", `<return>true</return>`),
			func(c *awscloud.Cloud) (any, error) { return nil, c.DeleteGroup(ctx, "pg") },
			map[string]string{"Action": "DeletePlacementGroup", "GroupName": "pg"}, nil,
		},
		{
			"describe groups", ok("DescribePlacementGroups", `<placementGroupSet><item><groupName>pg</groupName><strategy>partition</strategy>
				<state>available</state><partitionCount>3</partitionCount><tagSet><item><key>b</key><value>2</value></item><item><key>a</key><value>1</value></item></tagSet></item></placementGroupSet>`),
			func(c *awscloud.Cloud) (any, error) { return c.DescribeGroups(ctx, tags("cluster", "c1")) },
			map[string]string{"Action": "DescribePlacementGroups", "Filter.1.Name": "tag:cluster", "Filter.1.Value.1": "c1"},
			[]cloud.Group{{Name: "pg", Strategy: "partition", State: "available", Partitions: 3, Tags: tags("a", "1", "b", "2")}},
		},
		{
			"subnets by conditions", ok("DescribeSubnets", `<subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><cidrBlock>10.0.0.0/24</cidrBlock>
				<availableIpAddressCount>250</availableIpAddressCount><availabilityZone>us-east-1a</availabilityZone><availabilityZoneId>use1-az1</availabilityZoneId></item></subnetSet><nextToken>p2</nextToken>`),
			func(c *awscloud.Cloud) (any, error) {
				return c.Subnets(ctx, cloud.SubnetQuery{DefaultForAZ: true, VPC: "vpc-1", AZs: []string{"us-east-1a", "us-east-1b"}, Tags: tags("k", "v"), Page: "p1"})
			},
			map[string]string{
				"Action": "DescribeSubnets", "MaxResults": "1000", "NextToken": "p1",
				"Filter.1.Name": "default-for-az", "Filter.1.Value.1": "true", "Filter.2.Name": "vpc-id", "Filter.2.Value.1": "vpc-1",
				"Filter.3.Name": "availability-zone", "Filter.3.Value.1": "us-east-1a", "Filter.3.Value.2": "us-east-1b",
				"Filter.4.Name": "tag:k", "Filter.4.Value.1": "v",
			},
			cloud.SubnetPage{Next: "p2", Subnets: []cloud.Subnet{{ID: "subnet-1", AZ: "us-east-1a", AZID: "use1-az1", VPC: "vpc-1", CIDR: "10.0.0.0/24", FreeAddresses: 250}}},
		},
		{
			"subnets by ids", ok("DescribeSubnets", `<subnetSet/>`),
			func(c *awscloud.Cloud) (any, error) {
				return c.Subnets(ctx, cloud.SubnetQuery{IDs: []string{"subnet-1"}})
			},
			map[string]string{"Action": "DescribeSubnets", "SubnetId.1": "subnet-1"}, cloud.SubnetPage{},
		},
		{
			"images by name, wildcards kept", ok("DescribeImages", `<imagesSet><item><imageId>ami-1</imageId><name>burst-1</name><architecture>arm64</architecture>
				<creationDate>2026-01-01T00:00:00.000Z</creationDate></item></imagesSet>`),
			func(c *awscloud.Cloud) (any, error) {
				return c.Images(ctx, cloud.ImageQuery{Owners: []string{"self"}, Name: "burst-*", Arch: "arm64", Tags: tags("k", "v")})
			},
			map[string]string{
				"Action": "DescribeImages", "MaxResults": "1000", "Owner.1": "self",
				"Filter.1.Name": "state", "Filter.1.Value.1": "available", "Filter.2.Name": "name", "Filter.2.Value.1": "burst-*",
				"Filter.3.Name": "architecture", "Filter.3.Value.1": "arm64", "Filter.4.Name": "tag:k", "Filter.4.Value.1": "v",
			},
			cloud.ImagePage{Images: []cloud.Image{{ID: "ami-1", Name: "burst-1", Arch: "arm64", Created: "2026-01-01T00:00:00.000Z"}}},
		},
		{
			"images by ids, in any state", ok("DescribeImages", `<imagesSet/>`),
			func(c *awscloud.Cloud) (any, error) { return c.Images(ctx, cloud.ImageQuery{IDs: []string{"ami-1"}}) },
			map[string]string{"Action": "DescribeImages", "ImageId.1": "ami-1"}, cloud.ImagePage{},
		},
		{
			"instance types", ok("DescribeInstanceTypes", `<instanceTypeSet><item><instanceType>p5.48xlarge</instanceType>
				<supportedUsageClasses><item>spot</item><item>on-demand</item><item>capacity-block</item></supportedUsageClasses>
				<processorInfo><supportedArchitectures><item>x86_64</item><item>i386</item></supportedArchitectures></processorInfo>
				<vCpuInfo><defaultVCpus>192</defaultVCpus><defaultCores>96</defaultCores></vCpuInfo><memoryInfo><sizeInMiB>2097152</sizeInMiB></memoryInfo>
				<gpuInfo><gpus><item><name>H100</name><count>8</count><memoryInfo><sizeInMiB>81920</sizeInMiB></memoryInfo></item></gpus></gpuInfo>
				<networkInfo><networkPerformance>200 Gigabit</networkPerformance><maximumNetworkCards>32</maximumNetworkCards><efaInfo><maximumEfaInterfaces>32</maximumEfaInterfaces></efaInfo>
				<networkCards><item><baselineBandwidthInGbps>150.0</baselineBandwidthInGbps></item><item><baselineBandwidthInGbps>150.0</baselineBandwidthInGbps></item></networkCards></networkInfo>
				<placementGroupInfo><supportedStrategies><item>cluster</item><item>spread</item></supportedStrategies></placementGroupInfo></item>
				<item><instanceType>bare.thing</instanceType></item></instanceTypeSet><nextToken>p2</nextToken>`),
			func(c *awscloud.Cloud) (any, error) { return c.Types(ctx, "p1") },
			map[string]string{"Action": "DescribeInstanceTypes", "MaxResults": "100", "NextToken": "p1"},
			cloud.TypePage{Next: "p2", Types: []catalog.Type{
				{Name: "p5.48xlarge", VCPUs: 192, Cores: 96, MemoryMiB: 2 << 20, Archs: []string{"i386", "x86_64"}, GPUs: 8, GPUModel: "H100", GPUMemoryMiB: 81920,
					Network: "200 Gigabit", BaselineGbps: 200, EFA: 32, NetworkCards: 32, OnDemand: true, Spot: true, CapacityBlock: true, Cluster: true, Spread: true},
				{Name: "bare.thing"},
			}},
		},
		{
			"a fraction of a card is a GPU", ok("DescribeInstanceTypes", `<instanceTypeSet><item><instanceType>g6f.large</instanceType>
				<gpuInfo><gpus><item><name>L4</name><count>0</count><logicalGpuCount>1</logicalGpuCount></item></gpus></gpuInfo></item></instanceTypeSet>`),
			func(c *awscloud.Cloud) (any, error) { return c.Types(ctx, "") },
			map[string]string{"Action": "DescribeInstanceTypes", "MaxResults": "100"},
			cloud.TypePage{Types: []catalog.Type{{Name: "g6f.large", GPUs: 1, GPUModel: "L4"}}},
		},
		{
			"offerings by the ids of zones", ok("DescribeInstanceTypeOfferings", `<instanceTypeOfferingSet><item><instanceType>c6i.large</instanceType>
				<locationType>availability-zone-id</locationType><location>use1-az4</location></item></instanceTypeOfferingSet><nextToken>p2</nextToken>`),
			func(c *awscloud.Cloud) (any, error) { return c.Offerings(ctx, "p1") },
			map[string]string{"Action": "DescribeInstanceTypeOfferings", "LocationType": "availability-zone-id", "MaxResults": "1000", "NextToken": "p1"},
			cloud.OfferingPage{Next: "p2", Offerings: []cloud.OfferedIn{{Type: "c6i.large", ZoneID: "use1-az4"}}},
		},
		{
			"zones, not local ones", ok("DescribeAvailabilityZones", `<availabilityZoneInfo>
				<item><zoneName>us-east-1d</zoneName><zoneId>use1-az4</zoneId><zoneType>availability-zone</zoneType><regionName>us-east-1</regionName></item>
				<item><zoneName>us-east-1-bos-1a</zoneName><zoneId>use1-bos1-az1</zoneId><zoneType>local-zone</zoneType><regionName>us-east-1</regionName></item></availabilityZoneInfo>`),
			func(c *awscloud.Cloud) (any, error) { return c.Zones(ctx) },
			map[string]string{"Action": "DescribeAvailabilityZones"},
			[]catalog.Zone{{ID: "use1-az4", Name: "us-east-1d", Region: "us-east-1"}},
		},
		{
			"spot prices", ok("DescribeSpotPriceHistory", `<spotPriceHistorySet>
				<item><instanceType>c6i.large</instanceType><productDescription>Linux/UNIX</productDescription><spotPrice>0.034100</spotPrice><timestamp>2026-01-02T03:04:05.000Z</timestamp><availabilityZone>us-east-1d</availabilityZone></item>
				<item><instanceType>c6i.xlarge</instanceType><spotPrice>none</spotPrice></item></spotPriceHistorySet><nextToken>p2</nextToken>`),
			func(c *awscloud.Cloud) (any, error) {
				return c.SpotPrices(ctx, cloud.SpotQuery{Since: env.At(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)), Page: "p1"})
			},
			map[string]string{"Action": "DescribeSpotPriceHistory", "ProductDescription.1": "Linux/UNIX", "StartTime": "2026-01-02T03:00:00Z", "MaxResults": "1000", "NextToken": "p1"},
			cloud.SpotPage{Next: "p2", Prices: []cloud.SpotPrice{{Type: "c6i.large", AZ: "us-east-1d", USD: 0.0341, From: env.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, rec := connect(t, tt.answer)
			got, err := tt.call(c)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.sent, rec.form(t)); d != "" {
				t.Errorf("request (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
			if d := cmp.Diff(map[string]int{tt.sent["Action"]: 1}, c.Counts()); d != "" {
				t.Errorf("counts (-want +got):\n%s", d)
			}
		})
	}
}

func TestWhatEC2WouldRefuseIsNotSent(t *testing.T) {
	ctx := context.Background()
	var many []cloud.State
	var zones []string
	var values []cloud.Tag
	for i := range 201 {
		values = append(values, cloud.Tag{Key: "k", Value: fmt.Sprint(i)})
		many = append(many, cloud.State(fmt.Sprint(i)))
		zones = append(zones, fmt.Sprint(i))
	}
	for name, do := range map[string]func(*awscloud.Cloud) error{
		"no ids to terminate": func(c *awscloud.Cloud) error { return c.Terminate(ctx, nil) },
		"no ids to tag":       func(c *awscloud.Cloud) error { return c.Tag(ctx, nil, tags("k", "v")) },
		"no tags":             func(c *awscloud.Cloud) error { return c.Tag(ctx, []string{"i-1"}, nil) },
		"201 values": func(c *awscloud.Cloud) error {
			return second(c.Describe(ctx, cloud.InstanceQuery{States: many}))
		},
		"201 values of a tag": func(c *awscloud.Cloud) error { return second(c.DescribeGroups(ctx, values)) },
		"201 values of an image's": func(c *awscloud.Cloud) error {
			return second(c.Images(ctx, cloud.ImageQuery{Tags: values}))
		},
		"201 zones": func(c *awscloud.Cloud) error { return second(c.Subnets(ctx, cloud.SubnetQuery{AZs: zones})) },
	} {
		t.Run(name, func(t *testing.T) {
			c, rec := connect(t, ok("Any", ""))
			if e := asError(t, do(c)); e.Class != cloud.Config || e.Code == "" || len(rec.forms) != 0 {
				t.Errorf("%v (class %s) after %d calls, want config with a code and no call", e, e.Class, len(rec.forms))
			}
		})
	}
}
