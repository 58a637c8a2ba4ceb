package wire

import (
	"slices"

	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/ec2/template"
)

// request is one API call being answered.
type request struct {
	reader
	model *ec2.Model
	doc   *doc
}

// actions holds what the endpoint knows. Each function reads its parameters,
// asks the model, and writes the body of the answer; after an error what it
// wrote is thrown away.
var actions = map[string]func(*request) error{
	"RunInstances": func(c *request) error {
		r := ec2.RunRequest{
			Spec: c.spec(c.params), Min: c.number(c.params, "MinCount"), Max: c.number(c.params, "MaxCount"),
			Token: c.str("ClientToken"), DryRun: c.truth("DryRun"),
		}
		if c.sub("LaunchTemplate") != nil {
			ref := templateRef(c.sub("LaunchTemplate"), "Version")
			r.Template = &ref
		}
		if c.err != nil {
			return c.err
		}
		res, err := c.model.RunInstances(r)
		if err == nil {
			c.reservation(res.Instances)
		}
		return err
	},
	"DescribeInstances": func(c *request) error {
		return describe(c, "InstanceId", "", nil, c.model.DescribeInstances, func(list []ec2.Instance) {
			c.doc.in("reservationSet", func() {
				for len(list) > 0 { // those of a launch stand together
					n := slices.IndexFunc(list, func(i ec2.Instance) bool { return i.Reservation != list[0].Reservation })
					if n < 0 {
						n = len(list)
					}
					c.doc.in("item", func() { c.reservation(list[:n]) })
					list = list[n:]
				}
			})
		})
	},
	"DescribeInstanceStatus": func(c *request) error {
		all := c.truth("IncludeAllInstances")
		ask := func(q api.Query) (api.Page[ec2.InstanceStatus], error) { return c.model.DescribeInstanceStatus(q, all) }
		return describe(c, "InstanceId", "instanceStatusSet", c.instanceStatus, ask, nil)
	},
	"TerminateInstances": func(c *request) error {
		list, err := c.model.TerminateInstances(c.strs("InstanceId"), c.truth("DryRun"))
		items(c.doc, "instancesSet", list, func(s ec2.StateChange) {
			c.doc.el("instanceId", s.ID)
			c.doc.state("currentState", s.Current)
			c.doc.state("previousState", s.Previous)
		})
		return err
	},

	"CreateTags": func(c *request) error {
		return c.done(c.model.CreateTags(c.strs("ResourceId"), tagList(c.params), c.truth("DryRun")))
	},
	"DeleteTags": func(c *request) error {
		var tags []ec2.TagMatch
		for _, t := range c.list("Tag") {
			m := ec2.TagMatch{Key: t.str("Key")}
			if v := t.sub("Value"); v != nil {
				m.Value = &v.value
			}
			tags = append(tags, m)
		}
		return c.done(c.model.DeleteTags(c.strs("ResourceId"), tags, c.truth("DryRun")))
	},
	"DescribeTags": func(c *request) error {
		return describe(c, "", "tagSet", func(t ec2.TagDescription) {
			c.doc.el("resourceId", t.ResourceID)
			c.doc.el("resourceType", t.Kind)
			c.doc.el("key", t.Key)
			c.doc.el("value", t.Value)
		}, c.model.DescribeTags, nil)
	},

	"CreatePlacementGroup": func(c *request) error {
		r := ec2.GroupRequest{Name: c.str("GroupName"), Strategy: c.str("Strategy"), Partitions: c.number(c.params, "PartitionCount"),
			Tags: tagSpecs(c.params), DryRun: c.truth("DryRun")}
		if c.err != nil {
			return c.err
		}
		g, err := c.model.CreatePlacementGroup(r)
		c.doc.flag("return", true)
		c.doc.in("placementGroup", func() { c.placementGroup(g) })
		return err
	},
	"DeletePlacementGroup": func(c *request) error {
		return c.done(c.model.DeletePlacementGroup(c.str("GroupName"), c.truth("DryRun")))
	},
	"DescribePlacementGroups": func(c *request) error {
		ask := func(q api.Query) (api.Page[ec2.Group], error) {
			list, err := c.model.DescribePlacementGroups(q, c.strs("GroupName"))
			return api.Page[ec2.Group]{Items: list}, err
		}
		return describe(c, "GroupId", "placementGroupSet", c.placementGroup, ask, nil)
	},

	"CreateVpc": func(c *request) error {
		v, err := c.model.CreateVPC(c.str("CidrBlock"), tagSpecs(c.params), c.truth("DryRun"))
		c.doc.in("vpc", func() { c.vpc(v) })
		return err
	},
	"DescribeVpcs": func(c *request) error {
		return describe(c, "VpcId", "vpcSet", c.vpc, c.model.DescribeVPCs, nil)
	},
	"CreateSubnet": func(c *request) error {
		s, err := c.model.CreateSubnet(network.SubnetRequest{VPC: c.str("VpcId"), CIDR: c.str("CidrBlock"), AZ: c.str("AvailabilityZone"),
			Tags: tagSpecs(c.params), DryRun: c.truth("DryRun")})
		c.doc.in("subnet", func() { c.subnet(s) })
		return err
	},
	"DescribeSubnets": func(c *request) error {
		return describe(c, "SubnetId", "subnetSet", c.subnet, c.model.DescribeSubnets, nil)
	},
	"CreateSecurityGroup": func(c *request) error {
		g, err := c.model.CreateSecurityGroup(network.SecurityGroupRequest{Name: c.str("GroupName"), Description: c.str("GroupDescription"),
			VPC: c.str("VpcId"), Tags: tagSpecs(c.params), DryRun: c.truth("DryRun")})
		c.doc.flag("return", true)
		c.doc.el("groupId", g.ID)
		c.doc.tags(g.Tags)
		return err
	},
	"DescribeSecurityGroups": func(c *request) error {
		ask := func(q api.Query) (api.Page[network.SecurityGroup], error) {
			return c.model.DescribeSecurityGroups(q, c.strs("GroupName"))
		}
		return describe(c, "GroupId", "securityGroupInfo", func(g network.SecurityGroup) {
			c.doc.el("groupId", g.ID)
			c.doc.el("groupName", g.Name)
			c.doc.el("groupDescription", g.Description)
			c.doc.el("ownerId", c.model.Account())
			c.doc.el("vpcId", g.VPC)
			c.doc.tags(g.Tags)
		}, ask, nil)
	},

	"CreateLaunchTemplate": func(c *request) error {
		r := template.Request{Name: c.str("LaunchTemplateName"), Description: c.str("VersionDescription"),
			Data: c.spec(c.sub("LaunchTemplateData")), Tags: tagSpecs(c.params), DryRun: c.truth("DryRun")}
		if c.err != nil {
			return c.err
		}
		t, err := c.model.CreateLaunchTemplate(r)
		c.doc.in("launchTemplate", func() { c.template(t) })
		return err
	},
	"CreateLaunchTemplateVersion": func(c *request) error {
		r := template.Request{Ref: templateRef(c.params, "SourceVersion"), Description: c.str("VersionDescription"),
			Data: c.spec(c.sub("LaunchTemplateData")), DryRun: c.truth("DryRun")}
		if c.err != nil {
			return c.err
		}
		v, err := c.model.CreateLaunchTemplateVersion(r)
		c.doc.in("launchTemplateVersion", func() { c.templateVersion(v) })
		return err
	},
	"DeleteLaunchTemplate": func(c *request) error {
		t, err := c.model.DeleteLaunchTemplate(templateRef(c.params, ""), c.truth("DryRun"))
		c.doc.in("launchTemplate", func() { c.template(t) })
		return err
	},
	"DescribeLaunchTemplates": func(c *request) error {
		ask := func(q api.Query) (api.Page[template.Template], error) {
			return c.model.DescribeLaunchTemplates(q, c.strs("LaunchTemplateName"))
		}
		return describe(c, "LaunchTemplateId", "launchTemplates", c.template, ask, nil)
	},
	"DescribeLaunchTemplateVersions": func(c *request) error {
		list, err := c.model.DescribeLaunchTemplateVersions(templateRef(c.params, ""), c.strs("LaunchTemplateVersion"))
		items(c.doc, "launchTemplateVersionSet", list, c.templateVersion)
		return err
	},

	"DescribeImages": func(c *request) error {
		ask := func(q api.Query) (api.Page[ec2.Image], error) { return c.model.DescribeImages(q, c.strs("Owner")) }
		return describe(c, "ImageId", "imagesSet", c.image, ask, nil)
	},
	"DescribeInstanceTypes": func(c *request) error {
		return describe(c, "InstanceType", "instanceTypeSet", c.instanceType, c.model.DescribeInstanceTypes, nil)
	},
	"DescribeInstanceTypeOfferings": func(c *request) error {
		ask := func(q api.Query) (api.Page[ec2.Offering], error) {
			return c.model.DescribeInstanceTypeOfferings(q, c.str("LocationType"))
		}
		return describe(c, "", "instanceTypeOfferingSet", func(o ec2.Offering) {
			c.doc.el("instanceType", o.Type)
			c.doc.el("locationType", o.LocationType)
			c.doc.el("location", o.Location)
		}, ask, nil)
	},
	"DescribeSpotPriceHistory": func(c *request) error {
		ask := func(q api.Query) (api.Page[ec2.SpotPrice], error) {
			if zone := c.str("AvailabilityZone"); zone != "" {
				q.Filters = append(q.Filters, api.Filter{Name: "availability-zone", Values: []string{zone}})
			}
			if products := c.strs("ProductDescription"); len(products) > 0 {
				q.Filters = append(q.Filters, api.Filter{Name: "product-description", Values: products})
			}
			return c.model.DescribeSpotPriceHistory(q, c.strs("InstanceType"))
		}
		return describe(c, "", "spotPriceHistorySet", func(s ec2.SpotPrice) {
			c.doc.el("instanceType", s.Type)
			c.doc.el("productDescription", "Linux/UNIX")
			c.doc.el("spotPrice", s.USD)
			c.doc.time("timestamp", s.From)
			c.doc.el("availabilityZone", s.AZ)
		}, ask, nil)
	},
	"DescribeAvailabilityZones": func(c *request) error {
		list, err := c.model.DescribeAvailabilityZones(c.strs("ZoneName"))
		items(c.doc, "availabilityZoneInfo", list, func(z network.Zone) {
			c.doc.el("zoneName", z.Name)
			c.doc.el("zoneId", z.ID)
			c.doc.el("zoneState", "available")
			c.doc.el("zoneType", "availability-zone")
			c.doc.el("optInStatus", "opt-in-not-required")
			c.doc.el("regionName", c.model.Region())
		})
		return err
	},
	"DescribeRegions": func(c *request) error {
		list, err := c.model.DescribeRegions(c.strs("RegionName"))
		items(c.doc, "regionInfo", list, func(name string) {
			c.doc.el("regionName", name)
			c.doc.el("regionEndpoint", "ec2."+name+".amazonaws.com")
			c.doc.el("optInStatus", "opt-in-not-required")
		})
		return err
	},
	// The model takes any key pair and holds none.
	"DescribeKeyPairs": func(c *request) error {
		if names := c.strs("KeyName"); len(names) > 0 {
			return api.Refuse("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", names[0])
		}
		c.doc.in("keySet", func() {})
		return nil
	},
}

// describe answers a describe call: query, page of items, token of the next.
// list writes the items in a shape of its own; else each is an item of set.
func describe[T any](c *request, ids, set string, item func(T), ask func(api.Query) (api.Page[T], error), list func([]T)) error {
	q := c.query(ids)
	if c.err != nil {
		return c.err
	}
	p, err := ask(q)
	if err != nil {
		return err
	}
	if list != nil {
		list(p.Items)
	} else {
		items(c.doc, set, p.Items, item)
	}
	c.doc.opt("nextToken", p.Next)
	return nil
}

// done answers a call that has nothing to say.
func (c *request) done(err error) error {
	c.doc.flag("return", true)
	return err
}

func (c *request) instanceStatus(s ec2.InstanceStatus) {
	d := c.doc
	d.el("instanceId", s.ID)
	d.el("availabilityZone", s.AZ)
	d.state("instanceState", s.State)
	for _, part := range []string{"systemStatus", "instanceStatus"} {
		d.in(part, func() {
			d.el("status", "ok")
			items(d, "details", []string{"reachability"}, func(name string) {
				d.el("name", name)
				d.el("status", "passed")
			})
		})
	}
}

// caller is the ARN of whoever calls: the endpoint looks at no signature.
func (c *request) caller() string { return "arn:aws:iam::" + c.model.Account() + ":root" }
