package network

import "aws-slurm-burst/simulator/ec2/api"

func truth(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

var vpcFields = api.Fields[*VPC]{
	"vpc-id":     api.Value(func(v *VPC) string { return v.ID }),
	"cidr":       api.Value(func(v *VPC) string { return v.CIDR.String() }),
	"cidr-block": api.Value(func(v *VPC) string { return v.CIDR.String() }),
	"is-default": api.Value(func(v *VPC) string { return truth(v.Default) }),
	"isDefault":  api.Value(func(v *VPC) string { return truth(v.Default) }),
	"state":      api.Value(func(*VPC) string { return "available" }),
}

var subnetFields = api.Fields[*Subnet]{
	"subnet-id":            api.Value(func(s *Subnet) string { return s.ID }),
	"vpc-id":               api.Value(func(s *Subnet) string { return s.VPC }),
	"availability-zone":    api.Value(func(s *Subnet) string { return s.AZ }),
	"availabilityZone":     api.Value(func(s *Subnet) string { return s.AZ }),
	"availability-zone-id": api.Value(func(s *Subnet) string { return s.AZID }),
	"cidr":                 api.Value(func(s *Subnet) string { return s.CIDR.String() }),
	"cidr-block":           api.Value(func(s *Subnet) string { return s.CIDR.String() }),
	"default-for-az":       api.Value(func(s *Subnet) string { return truth(s.DefaultForAZ) }),
	"defaultForAz":         api.Value(func(s *Subnet) string { return truth(s.DefaultForAZ) }),
	"state":                api.Value(func(*Subnet) string { return "available" }),
}

var secGroupFields = api.Fields[*SecurityGroup]{
	"group-id":    api.Value(func(g *SecurityGroup) string { return g.ID }),
	"group-name":  api.Value(func(g *SecurityGroup) string { return g.Name }),
	"description": api.Value(func(g *SecurityGroup) string { return g.Description }),
	"vpc-id":      api.Value(func(g *SecurityGroup) string { return g.VPC }),
}

// DescribeVPCs lists VPCs.
func (n *Network) DescribeVPCs(q api.Query) (api.Page[VPC], error) {
	return api.Views(api.Choose(n.VPCs, q, vpcFields.Named, NoVPCs, nil))
}

// DescribeSubnets lists subnets.
func (n *Network) DescribeSubnets(q api.Query) (api.Page[Subnet], error) {
	return api.Views(api.Choose(n.Subnets, q, subnetFields.Named, NoSubnets, nil))
}

// DescribeSecurityGroups lists security groups; names are of the default VPC.
func (n *Network) DescribeSecurityGroups(q api.Query, names []string) (api.Page[SecurityGroup], error) {
	for _, name := range names {
		g := n.GroupNamed(n.DefaultVPC().ID, name)
		if g == nil {
			return api.Page[SecurityGroup]{}, NoSecurityGroups([]string{name})
		}
		q.IDs = append(q.IDs[:len(q.IDs):len(q.IDs)], g.ID)
	}
	return api.Views(api.Choose(n.Groups, q, secGroupFields.Named, NoSecurityGroups, nil))
}

// DescribeAvailabilityZones lists the zones with these names; none means all.
func (n *Network) DescribeAvailabilityZones(names []string) ([]Zone, error) {
	if len(names) == 0 {
		return n.Zones, nil
	}
	var out []Zone
	for _, name := range names {
		z, err := n.Zone(name)
		if err != nil {
			return nil, err
		}
		out = append(out, z)
	}
	return out, nil
}
