package wire

import (
	"strconv"
	"strings"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/ec2/template"
)

// reservation writes a launch: its own fields and its instances.
func (c *request) reservation(list []ec2.Instance) {
	d := c.doc
	d.el("reservationId", list[0].Reservation)
	d.el("ownerId", c.model.Account())
	d.in("groupSet", func() {})
	items(d, "instancesSet", list, c.instance)
}

func (c *request) instance(i ec2.Instance) {
	d := c.doc
	d.el("instanceId", i.ID)
	d.el("imageId", i.ImageID)
	d.state("instanceState", i.State)
	switch {
	case i.Ended.IsZero():
		d.el("reason", "")
	case i.ReasonCode == "Client.UserInitiatedShutdown":
		d.el("reason", "User initiated ("+gmt(i.Ended)+")")
	default:
		d.el("reason", i.ReasonCode)
	}
	if !i.Ended.IsZero() {
		d.in("stateReason", func() {
			d.el("code", i.ReasonCode)
			d.el("message", i.Reason)
		})
	}
	ip := ""
	if i.PrivateIP.IsValid() {
		ip = i.PrivateIP.String()
	}
	d.el("privateDnsName", c.hostname(ip))
	d.el("dnsName", "")
	d.opt("keyName", i.KeyName)
	d.num("amiLaunchIndex", i.Index)
	d.in("productCodes", func() {})
	d.el("instanceType", i.Type)
	d.time("launchTime", i.Launched)
	d.in("placement", func() {
		d.el("availabilityZone", i.Placement.AZ)
		d.el("groupName", i.Placement.Group)
		d.opt("groupId", i.Placement.GroupID)
		if i.Placement.Partition > 0 {
			d.num("partitionNumber", i.Placement.Partition)
		}
		d.el("tenancy", "default")
	})
	d.in("monitoring", func() { d.el("state", "disabled") })
	d.opt("subnetId", i.SubnetID)
	d.opt("vpcId", i.VPC)
	d.opt("privateIpAddress", ip)
	d.flag("sourceDestCheck", true)
	items(d, "groupSet", i.Groups, c.group)
	d.el("architecture", i.Arch)
	d.el("rootDeviceType", "ebs")
	d.el("rootDeviceName", "/dev/xvda")
	items(d, "blockDeviceMapping", []string{i.Volume}, func(volume string) {
		d.el("deviceName", "/dev/xvda")
		d.in("ebs", func() {
			d.el("volumeId", volume)
			d.el("status", "attached")
			d.time("attachTime", i.Launched)
			d.flag("deleteOnTermination", true)
		})
	})
	d.el("virtualizationType", "hvm")
	d.el("clientToken", i.Token)
	if i.Market == cloud.Spot {
		d.el("instanceLifecycle", "spot")
		d.el("spotInstanceRequestId", i.SpotRequest)
	}
	d.tags(i.Tags)
	d.el("hypervisor", "xen")
	if i.InstanceProfile != "" {
		d.in("iamInstanceProfile", func() { d.el("arn", c.profile(i.InstanceProfile)) })
	}
	items(d, "networkInterfaceSet", i.Interfaces, func(n ec2.NIC) { c.nic(i, n) })
	d.flag("ebsOptimized", false)
	d.flag("enaSupport", true)
	d.in("cpuOptions", func() {
		d.num("coreCount", i.Cores)
		d.num("threadsPerCore", max(1, i.VCPUs/max(1, i.Cores)))
	})
}

func (c *request) nic(i ec2.Instance, n ec2.NIC) {
	d := c.doc
	d.el("networkInterfaceId", n.ID)
	d.opt("subnetId", n.SubnetID)
	d.opt("vpcId", i.VPC)
	d.el("ownerId", c.model.Account())
	d.el("status", "in-use")
	d.el("interfaceType", n.Kind)
	d.flag("sourceDestCheck", true)
	items(d, "groupSet", n.Groups, c.group)
	d.in("attachment", func() {
		d.el("attachmentId", "eni-attach-"+strings.TrimPrefix(n.ID, "eni-"))
		d.num("deviceIndex", n.Device)
		d.num("networkCardIndex", n.Card)
		d.el("status", "attached")
		d.time("attachTime", i.Launched)
		d.flag("deleteOnTermination", true)
	})
	if n.IP.IsValid() {
		ip := n.IP.String()
		d.el("privateIpAddress", ip)
		d.el("privateDnsName", c.hostname(ip))
		items(d, "privateIpAddressesSet", []string{ip}, func(ip string) {
			d.el("privateIpAddress", ip)
			d.flag("primary", true)
		})
	}
}

func (c *request) group(g ec2.GroupRef) {
	c.doc.el("groupId", g.ID)
	c.doc.el("groupName", g.Name)
}

// hostname is the private DNS name that AWS gives an address.
func (c *request) hostname(ip string) string {
	if ip == "" {
		return ""
	}
	domain := c.model.Region() + ".compute.internal"
	if c.model.Region() == "us-east-1" {
		domain = "ec2.internal"
	}
	return "ip-" + strings.ReplaceAll(ip, ".", "-") + "." + domain
}

func (c *request) profile(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN
	}
	return "arn:aws:iam::" + c.model.Account() + ":instance-profile/" + nameOrARN
}

func (c *request) placementGroup(g ec2.Group) {
	d := c.doc
	d.el("groupName", g.Name)
	d.el("groupId", g.ID)
	d.el("groupArn", "arn:aws:ec2:"+c.model.Region()+":"+c.model.Account()+":placement-group/"+g.Name)
	d.el("state", "available")
	d.el("strategy", g.Strategy)
	switch g.Strategy {
	case "partition":
		d.num("partitionCount", g.Partitions)
	case "spread":
		d.el("spreadLevel", "rack")
	}
	d.tags(g.Tags)
}

func (c *request) vpc(v network.VPC) {
	d := c.doc
	d.el("vpcId", v.ID)
	d.el("ownerId", c.model.Account())
	d.el("state", "available")
	d.el("cidrBlock", v.CIDR.String())
	d.el("instanceTenancy", "default")
	d.flag("isDefault", v.Default)
	d.tags(v.Tags)
}

func (c *request) subnet(s network.Subnet) {
	d := c.doc
	d.el("subnetId", s.ID)
	d.el("subnetArn", "arn:aws:ec2:"+c.model.Region()+":"+c.model.Account()+":subnet/"+s.ID)
	d.el("ownerId", c.model.Account())
	d.el("state", "available")
	d.el("vpcId", s.VPC)
	d.el("cidrBlock", s.CIDR.String())
	d.num("availableIpAddressCount", s.Free)
	d.el("availabilityZone", s.AZ)
	d.el("availabilityZoneId", s.AZID)
	d.flag("defaultForAz", s.DefaultForAZ)
	d.flag("mapPublicIpOnLaunch", false)
	d.tags(s.Tags)
}

func (c *request) image(i ec2.Image) {
	d := c.doc
	d.el("imageId", i.ID)
	d.el("imageLocation", "amazon/"+i.Name)
	d.el("imageState", "available")
	d.el("imageOwnerId", i.Owner)
	d.el("imageOwnerAlias", i.Alias)
	d.el("creationDate", i.Created.String())
	d.flag("isPublic", true)
	d.el("architecture", i.Arch)
	d.el("imageType", "machine")
	d.el("name", i.Name)
	d.el("rootDeviceType", "ebs")
	d.el("rootDeviceName", "/dev/xvda")
	d.el("virtualizationType", "hvm")
	d.el("hypervisor", "xen")
	d.el("platformDetails", "Linux/UNIX")
	d.flag("enaSupport", true)
	d.tags(i.Tags)
}

func (c *request) template(t template.Template) {
	d := c.doc
	d.el("launchTemplateId", t.ID)
	d.el("launchTemplateName", t.Name)
	d.time("createTime", t.Created)
	d.el("createdBy", c.caller())
	d.num("defaultVersionNumber", t.Default)
	d.num("latestVersionNumber", t.Latest)
	d.tags(t.Tags)
}

func (c *request) templateVersion(v template.Version) {
	d := c.doc
	d.el("launchTemplateId", v.ID)
	d.el("launchTemplateName", v.Name)
	d.num("versionNumber", v.Number)
	d.opt("versionDescription", v.Description)
	d.time("createTime", v.Created)
	d.el("createdBy", c.caller())
	d.flag("defaultVersion", v.Default)
	d.in("launchTemplateData", func() { c.templateData(v.Data) })
}

func (c *request) templateData(s template.Spec) {
	d := c.doc
	d.opt("instanceType", s.Type)
	d.opt("imageId", s.ImageID)
	d.opt("keyName", s.KeyName)
	d.opt("userData", s.UserData)
	if s.InstanceProfile != "" {
		d.in("iamInstanceProfile", func() {
			if strings.HasPrefix(s.InstanceProfile, "arn:") {
				d.el("arn", s.InstanceProfile)
			} else {
				d.el("name", s.InstanceProfile)
			}
		})
	}
	d.in("placement", func() {
		d.opt("availabilityZone", s.AZ)
		d.opt("groupName", s.Group)
		d.opt("groupId", s.GroupID)
	})
	if s.Market != "" {
		d.in("instanceMarketOptions", func() {
			d.el("marketType", string(s.Market))
			d.in("spotOptions", func() { d.opt("maxPrice", s.MaxPrice) })
		})
	}
	d.texts("securityGroupIdSet", s.SecurityGroups)
	d.texts("securityGroupSet", s.SecurityGroupNames)
	items(d, "networkInterfaceSet", s.Interfaces, func(n template.Interface) {
		d.num("deviceIndex", n.Device)
		d.num("networkCardIndex", n.Card)
		d.opt("subnetId", n.SubnetID)
		d.opt("interfaceType", n.Kind)
		d.in("groupSet", func() {
			for _, g := range n.Groups {
				d.el("groupId", g)
			}
		})
	})
	items(d, "tagSpecificationSet", s.Tags, func(t api.TagSpec) {
		d.el("resourceType", t.Kind)
		d.tags(t.Tags)
	})
}

func (c *request) instanceType(t ec2.InstanceType) {
	d := c.doc
	d.el("instanceType", t.ID)
	var usage, placement []string
	for _, u := range []struct {
		ok   bool
		name string
		to   *[]string
	}{
		{t.OnDemand, "on-demand", &usage}, {t.Spot, "spot", &usage}, {t.CapacityBlock, "capacity-block", &usage},
		{t.Cluster, "cluster", &placement}, {t.Partition, "partition", &placement}, {t.Spread, "spread", &placement},
	} {
		if u.ok {
			*u.to = append(*u.to, u.name)
		}
	}
	d.texts("supportedUsageClasses", usage)
	d.in("processorInfo", func() { d.texts("supportedArchitectures", t.Archs) })
	d.in("vCpuInfo", func() {
		d.num("defaultVCpus", t.VCPUs)
		d.num("defaultCores", t.Cores)
		d.num("defaultThreadsPerCore", max(1, t.VCPUs/max(1, t.Cores)))
	})
	d.in("memoryInfo", func() { d.num("sizeInMiB", t.MemoryMiB) })
	d.in("networkInfo", func() {
		d.opt("networkPerformance", t.Network)
		d.num("maximumNetworkCards", t.NetworkCards)
		if t.BaselineGbps > 0 { // of all cards: the catalogue knows no more
			items(d, "networkCards", []float64{t.BaselineGbps}, func(gbps float64) {
				d.num("networkCardIndex", 0)
				d.el("baselineBandwidthInGbps", strconv.FormatFloat(gbps, 'f', -1, 64))
			})
		}
		d.flag("efaSupported", t.EFA > 0)
		if t.EFA > 0 {
			d.in("efaInfo", func() { d.num("maximumEfaInterfaces", t.EFA) })
		}
	})
	if t.GPUs > 0 {
		d.in("gpuInfo", func() {
			items(d, "gpus", []int{t.GPUs}, func(n int) {
				d.el("name", t.GPUModel)
				d.num("count", n)
				d.in("memoryInfo", func() { d.num("sizeInMiB", t.GPUMemoryMiB) })
			})
		})
	}
	d.in("placementGroupInfo", func() { d.texts("supportedStrategies", placement) })
}
