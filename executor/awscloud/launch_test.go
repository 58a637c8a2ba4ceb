package awscloud_test

import (
	"context"
	"encoding/base64"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// The answer to a launch of two: listed in the wrong order, the primary
// interface of the first not listed first.
const launched = `
<reservationId>r-0abc</reservationId><instancesSet>
 <item>
  <instanceId>i-0000000000000002</instanceId><instanceType>hpc6a.48xlarge</instanceType><amiLaunchIndex>1</amiLaunchIndex>
  <instanceState><code>0</code><name>pending</name></instanceState>
  <privateIpAddress>10.0.0.12</privateIpAddress>
  <placement><availabilityZone>us-east-1a</availabilityZone><groupName>pg-1</groupName></placement>
  <launchTime>2026-01-02T03:04:05.000Z</launchTime><subnetId>subnet-1</subnetId><instanceLifecycle>spot</instanceLifecycle>
  <tagSet><item><key>job</key><value>7</value></item><item><key>cluster</key><value>c1</value></item></tagSet>
  <networkInterfaceSet>
   <item><privateIpAddress>10.0.0.99</privateIpAddress><attachment><deviceIndex>1</deviceIndex><networkCardIndex>1</networkCardIndex></attachment></item>
   <item><privateIpAddress>10.0.0.98</privateIpAddress><attachment><deviceIndex>1</deviceIndex><networkCardIndex>0</networkCardIndex></attachment></item>
   <item><privateIpAddress>10.0.0.11</privateIpAddress><attachment><deviceIndex>0</deviceIndex><networkCardIndex>0</networkCardIndex></attachment></item>
  </networkInterfaceSet>
 </item>
 <item>
  <instanceId>i-0000000000000001</instanceId><instanceType>hpc6a.48xlarge</instanceType>
  <instanceState><code>48</code><name>terminated</name></instanceState>
  <stateReason><code>Server.InternalError</code><message>...</message></stateReason>
 </item>
</instancesSet>`

var base = cloud.LaunchRequest{Token: "t-1", MinCount: 2, MaxCount: 4, Type: "c6i.xlarge", Market: cloud.OnDemand}

func TestLaunchSendsTheWholeRequestInOneCall(t *testing.T) {
	floor := map[string]string{
		"Action": "RunInstances", "ClientToken": "t-1", "MinCount": "2", "MaxCount": "4", "InstanceType": "c6i.xlarge",
		"InstanceInitiatedShutdownBehavior": "terminate",
		"MetadataOptions.HttpTokens":        "required", "MetadataOptions.InstanceMetadataTags": "enabled",
	}
	for _, tt := range []struct {
		name   string
		change func(*cloud.LaunchRequest)
		want   map[string]string
	}{
		{"a template's values hold where nothing is asked", func(*cloud.LaunchRequest) {}, nil},
		{"plain interface", func(r *cloud.LaunchRequest) {
			r.SubnetID, r.AZ, r.SecurityGroups = "subnet-1", "us-east-1a", []string{"sg-1", "sg-2"}
			r.ImageID, r.KeyName, r.Group = "ami-1", "key", "pg-1"
		}, map[string]string{
			"SubnetId": "subnet-1", "SecurityGroupId.1": "sg-1", "SecurityGroupId.2": "sg-2",
			"ImageId": "ami-1", "KeyName": "key", "Placement.GroupName": "pg-1",
		}},
		{"one EFA a card, with subnet and groups inside", func(r *cloud.LaunchRequest) {
			r.EFA, r.SubnetID, r.SecurityGroups = 3, "subnet-1", []string{"sg-1"}
		}, map[string]string{
			"NetworkInterface.1.InterfaceType": "efa", "NetworkInterface.1.NetworkCardIndex": "0", "NetworkInterface.1.DeviceIndex": "0",
			"NetworkInterface.1.SubnetId": "subnet-1", "NetworkInterface.1.SecurityGroupId.1": "sg-1", "NetworkInterface.1.DeleteOnTermination": "true",
			"NetworkInterface.2.InterfaceType": "efa", "NetworkInterface.2.NetworkCardIndex": "1", "NetworkInterface.2.DeviceIndex": "1",
			"NetworkInterface.2.SubnetId": "subnet-1", "NetworkInterface.2.SecurityGroupId.1": "sg-1", "NetworkInterface.2.DeleteOnTermination": "true",
			"NetworkInterface.3.InterfaceType": "efa", "NetworkInterface.3.NetworkCardIndex": "2", "NetworkInterface.3.DeviceIndex": "1",
			"NetworkInterface.3.SubnetId": "subnet-1", "NetworkInterface.3.SecurityGroupId.1": "sg-1", "NetworkInterface.3.DeleteOnTermination": "true",
		}},
		{"spot without a cap", func(r *cloud.LaunchRequest) { r.Market = cloud.Spot }, map[string]string{
			"InstanceMarketOptions.MarketType": "spot", "InstanceMarketOptions.SpotOptions.SpotInstanceType": "one-time",
			"InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior": "terminate",
		}},
		{"a tiny cap without an exponent", func(r *cloud.LaunchRequest) { r.Market, r.MaxPrice = cloud.Spot, 0.0000125 }, map[string]string{
			"InstanceMarketOptions.MarketType": "spot", "InstanceMarketOptions.SpotOptions.SpotInstanceType": "one-time",
			"InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior": "terminate", "InstanceMarketOptions.SpotOptions.MaxPrice": "0.0000125",
		}},
		{"template by id and version", func(r *cloud.LaunchRequest) { r.Template, r.TemplateVersion = "lt-0123456789abcdef0", "7" }, map[string]string{
			"LaunchTemplate.LaunchTemplateId": "lt-0123456789abcdef0", "LaunchTemplate.Version": "7",
		}},
		{"template by a name that looks like an id", func(r *cloud.LaunchRequest) { r.Template = "lt-gpu-nodes" }, map[string]string{
			"LaunchTemplate.LaunchTemplateName": "lt-gpu-nodes",
		}},
		{"profile by name", func(r *cloud.LaunchRequest) { r.InstanceProfile = "node" }, map[string]string{"IamInstanceProfile.Name": "node"}},
		{"profile by ARN", func(r *cloud.LaunchRequest) { r.InstanceProfile = "arn:aws:iam::1:instance-profile/node" }, map[string]string{
			"IamInstanceProfile.Arn": "arn:aws:iam::1:instance-profile/node",
		}},
		{"user data in base64", func(r *cloud.LaunchRequest) { r.UserData = "#!/bin/sh\necho ü\n" }, map[string]string{
			"UserData": base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\necho ü\n")),
		}},
		{"tags on instances and volumes", func(r *cloud.LaunchRequest) { r.Tags = tags("b", "2", "a", "") }, map[string]string{
			"TagSpecification.1.ResourceType": "instance",
			"TagSpecification.1.Tag.1.Key":    "b", "TagSpecification.1.Tag.1.Value": "2",
			"TagSpecification.1.Tag.2.Key": "a", "TagSpecification.1.Tag.2.Value": "",
			"TagSpecification.2.ResourceType": "volume",
			"TagSpecification.2.Tag.1.Key":    "b", "TagSpecification.2.Tag.1.Value": "2",
			"TagSpecification.2.Tag.2.Key": "a", "TagSpecification.2.Tag.2.Value": "",
		}},
		{"dry run", func(r *cloud.LaunchRequest) { r.DryRun = true }, map[string]string{"DryRun": "true"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, rec := connect(t, ok("RunInstances", launched))
			r := base
			tt.change(&r)
			if _, err := c.Launch(context.Background(), r); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for _, m := range []map[string]string{floor, tt.want} {
				for k, v := range m {
					want[k] = v
				}
			}
			if d := cmp.Diff(want, rec.form(t)); d != "" {
				t.Errorf("request (-want +got):\n%s", d)
			}
		})
	}
}

func TestLaunchReturnsEveryInstance(t *testing.T) {
	c, _ := connect(t, ok("RunInstances", launched))
	got, err := c.Launch(context.Background(), base)
	if err != nil {
		t.Fatal(err)
	}
	want := []cloud.Instance{
		{
			ID: "i-0000000000000002", Type: "hpc6a.48xlarge", AZ: "us-east-1a", SubnetID: "subnet-1", Market: cloud.Spot,
			State: cloud.Pending, PrivateIP: "10.0.0.11", LaunchIndex: 1, Group: "pg-1",
			LaunchTime: env.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
			Tags:       tags("cluster", "c1", "job", "7"),
		},
		{
			ID: "i-0000000000000001", Type: "hpc6a.48xlarge", Market: cloud.OnDemand,
			State: cloud.Terminated, StateReason: "Server.InternalError",
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("instances (-want +got):\n%s", d)
	}
}

func TestLaunchWithoutATokenIsNotSent(t *testing.T) {
	c, rec := connect(t, ok("RunInstances", launched))
	r := base
	r.Token = ""
	_, err := c.Launch(context.Background(), r)
	if e := asError(t, err); e.Class != cloud.Config || len(rec.forms) != 0 {
		t.Errorf("class %s after %d calls, want config and none", e.Class, len(rec.forms))
	}
}

func TestCountsBeyondTheWireAreRefusedBeforeTheCall(t *testing.T) {
	c, rec := connect(t, ok("RunInstances", launched))
	for _, n := range []int{0, -1, math.MaxInt32 + 1, 1<<32 + 4} {
		r := base
		r.MinCount, r.MaxCount = 1, n
		if e := asError(t, second(c.Launch(context.Background(), r))); e.Class != cloud.Config {
			t.Errorf("%d instances: class %s, want config", n, e.Class)
		}
	}
	if len(rec.forms) != 0 {
		t.Errorf("%d calls, want none", len(rec.forms))
	}
}

func TestDryRun(t *testing.T) {
	r := base
	r.DryRun = true
	for _, tt := range []struct {
		name   string
		answer answer
		want   cloud.Class
	}{
		{"allowed", refused(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set."), ""},
		{"an endpoint without dry runs", ok("RunInstances", ""), ""},
		{"not allowed", refused(403, "UnauthorizedOperation", "no"), cloud.Permission},
		{"a bad field", refused(400, "InvalidAMIID.NotFound", "no"), cloud.Config},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := connect(t, tt.answer)
			_, err := c.Launch(context.Background(), r)
			if got := cloud.ClassOf(err); got != tt.want {
				t.Errorf("class %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }
