package ec2

import (
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
)

// made is call for what makes a resource: it is returned as it is then.
func made[T any](m *Model, ev Event, fn func() (*T, error), id func(*T) string) (T, error) {
	return call(m, ev, func(_ env.Time, ev *Event) (none T, err error) {
		r, err := fn()
		if err != nil {
			return none, err
		}
		ev.IDs = []string{id(r)}
		return *r, nil
	})
}

// CreateVPC makes a VPC with its default security group.
func (m *Model) CreateVPC(cidr string, tags []api.TagSpec, dry bool) (network.VPC, error) {
	return made(m, Event{Action: "CreateVpc"}, func() (*network.VPC, error) { return m.network.CreateVPC(cidr, tags, dry) },
		func(v *network.VPC) string { return v.ID })
}

// CreateSubnet makes a subnet.
func (m *Model) CreateSubnet(r network.SubnetRequest) (network.Subnet, error) {
	return call(m, Event{Action: "CreateSubnet", AZ: r.AZ}, func(_ env.Time, ev *Event) (network.Subnet, error) {
		s, err := m.network.CreateSubnet(r)
		if err != nil {
			return network.Subnet{}, err
		}
		ev.IDs, ev.AZ = []string{s.ID}, s.AZ
		return *s, nil
	})
}

// CreateSecurityGroup makes a security group without rules.
func (m *Model) CreateSecurityGroup(r network.SecurityGroupRequest) (network.SecurityGroup, error) {
	return made(m, Event{Action: "CreateSecurityGroup"}, func() (*network.SecurityGroup, error) { return m.network.CreateSecurityGroup(r) },
		func(g *network.SecurityGroup) string { return g.ID })
}

// DescribeVPCs lists VPCs.
func (m *Model) DescribeVPCs(q api.Query) (api.Page[network.VPC], error) {
	return call(m, Event{Action: "DescribeVpcs"}, func(env.Time, *Event) (api.Page[network.VPC], error) { return m.network.DescribeVPCs(q) })
}

// DescribeSubnets lists subnets.
func (m *Model) DescribeSubnets(q api.Query) (api.Page[network.Subnet], error) {
	return call(m, Event{Action: "DescribeSubnets"}, func(env.Time, *Event) (api.Page[network.Subnet], error) { return m.network.DescribeSubnets(q) })
}

// DescribeSecurityGroups lists security groups; names are of the default VPC.
func (m *Model) DescribeSecurityGroups(q api.Query, names []string) (api.Page[network.SecurityGroup], error) {
	return call(m, Event{Action: "DescribeSecurityGroups"}, func(env.Time, *Event) (api.Page[network.SecurityGroup], error) {
		return m.network.DescribeSecurityGroups(q, names)
	})
}

// DescribeAvailabilityZones lists the zones with these names; none means all.
func (m *Model) DescribeAvailabilityZones(names []string) ([]network.Zone, error) {
	return call(m, Event{Action: "DescribeAvailabilityZones"}, func(env.Time, *Event) ([]network.Zone, error) {
		return m.network.DescribeAvailabilityZones(names)
	})
}

// DescribeRegions lists the model's own region, the only one it answers for.
func (m *Model) DescribeRegions(names []string) ([]string, error) {
	return call(m, Event{Action: "DescribeRegions"}, func(env.Time, *Event) ([]string, error) {
		for _, n := range names {
			if n != m.opt.Region {
				return nil, api.BadValue("Invalid region name: [%s]", n)
			}
		}
		return []string{m.opt.Region}, nil
	})
}

// ZoneOf returns the zone of a subnet, "" for one that does not exist.
func (m *Model) ZoneOf(subnet string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.network.Subnet(subnet)
	if err != nil {
		return ""
	}
	return s.AZ
}
