// Package network is where EC2's instances are: zones, VPCs, subnets with their
// addresses, and security groups.
//
// It routes nothing, and the rules of security groups are not modelled. It has no
// lock and no clock: the EC2 model calls it, and numbers what it makes.
package network

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"aws-slurm-burst/asba/catalog/table"
	"aws-slurm-burst/simulator/ec2/api"
)

// Zone is an availability zone: us-east-1a, use1-az1.
type Zone struct{ Name, ID string }

// VPC is a network.
type VPC struct {
	api.Resource
	CIDR    netip.Prefix
	Default bool
}

// SecurityGroup is a security group; its rules are not modelled.
type SecurityGroup struct {
	api.Resource
	Name, Description, VPC string
}

// Network is all networks of an account in a region. Its lists are in order of
// creation, and read only.
type Network struct {
	Zones   []Zone
	VPCs    []*VPC
	Subnets []*Subnet
	Groups  []*SecurityGroup

	register api.Register
}

// New returns so many zones of a region, and the default VPC with a subnet of
// /bits in each. ids are those of zones by their names; the others are az1, az2 and
// so on.
func New(region string, zones int, ids map[string]string, cidr netip.Prefix, bits int, register api.Register) (*Network, error) {
	n := &Network{register: register}
	for i := range zones {
		name := region + string(rune('a'+i))
		n.Zones = append(n.Zones, Zone{name, cmp.Or(ids[name], fmt.Sprintf("%s-az%d", table.RegionCode(region), i+1))})
	}
	if cidr != cidr.Masked() || !cidr.Addr().Is4() || cidr.Bits() < 16 || cidr.Bits() > 25 {
		return nil, fmt.Errorf("ec2: the VPC's CIDR %s is none between /16 and /25", cidr)
	}
	if more := bits - cidr.Bits(); more < 0 || bits > 28 || 1<<more < zones {
		return nil, fmt.Errorf("ec2: %d subnets of /%d do not fit into %s, or are smaller than /28", zones, bits, cidr)
	}
	v := n.makeVPC(cidr, true, nil)
	for i, z := range n.Zones {
		base := binary.BigEndian.Uint32(cidr.Addr().AsSlice()) + uint32(i)<<(32-bits)
		n.makeSubnet(v, netip.PrefixFrom(addr4(base), bits), z, true, nil)
	}
	return n, nil
}

func (n *Network) makeVPC(cidr netip.Prefix, isDefault bool, tags []api.TagSpec) *VPC {
	v := &VPC{CIDR: cidr, Default: isDefault}
	sorted, _ := api.TagsFor(tags, "vpc") // checked by the caller
	n.register(&v.Resource, "vpc", "vpc", sorted)
	n.VPCs = append(n.VPCs, v)
	g := &SecurityGroup{Name: "default", Description: "default VPC security group", VPC: v.ID}
	n.register(&g.Resource, "sg", "security-group", nil)
	n.Groups = append(n.Groups, g)
	return v
}

func (n *Network) makeSubnet(v *VPC, cidr netip.Prefix, z Zone, isDefault bool, tags []api.TagSpec) *Subnet {
	s := &Subnet{VPC: v.ID, CIDR: cidr, AZ: z.Name, AZID: z.ID, DefaultForAZ: isDefault, used: map[uint32]bool{}, next: reservedFirst}
	s.Free = 1<<(32-cidr.Bits()) - reservedFirst - reservedLast
	sorted, _ := api.TagsFor(tags, "subnet")
	n.register(&s.Resource, "subnet", "subnet", sorted)
	n.Subnets = append(n.Subnets, s)
	return s
}

// CreateVPC makes a VPC with its default security group.
func (n *Network) CreateVPC(cidr string, tags []api.TagSpec, dry bool) (*VPC, error) {
	if cidr == "" {
		return nil, api.Missing("cidrBlock")
	}
	p, err := netip.ParsePrefix(cidr)
	if err != nil || !p.Addr().Is4() {
		return nil, api.BadValue("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", cidr)
	}
	if p.Bits() < 16 || p.Bits() > 28 {
		return nil, api.Refuse("InvalidVpc.Range", "The CIDR '%s' is invalid.", cidr)
	}
	if _, err := api.TagsFor(tags, "vpc"); err != nil {
		return nil, err
	}
	if dry {
		return nil, api.DryRun()
	}
	return n.makeVPC(p.Masked(), false, tags), nil
}

// SubnetRequest is CreateSubnet; without AZ EC2 chooses, here the first.
type SubnetRequest struct {
	VPC, CIDR, AZ string
	Tags          []api.TagSpec
	DryRun        bool
}

// CreateSubnet makes a subnet.
func (n *Network) CreateSubnet(r SubnetRequest) (*Subnet, error) {
	if r.VPC == "" {
		return nil, api.Missing("vpcId")
	}
	if r.CIDR == "" {
		return nil, api.Missing("cidrBlock")
	}
	v := n.VPC(r.VPC)
	if v == nil {
		return nil, NoVPCs([]string{r.VPC})
	}
	p, err := netip.ParsePrefix(r.CIDR)
	if err != nil || !p.Addr().Is4() {
		return nil, api.BadValue("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", r.CIDR)
	}
	p = p.Masked()
	if p.Bits() < v.CIDR.Bits() || p.Bits() > 28 || !v.CIDR.Contains(p.Addr()) {
		return nil, api.Refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", r.CIDR)
	}
	for _, s := range n.Subnets {
		if s.VPC == r.VPC && s.CIDR.Overlaps(p) {
			return nil, api.Refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", r.CIDR)
		}
	}
	z, err := n.Zone(cmp.Or(r.AZ, n.Zones[0].Name))
	if err != nil {
		return nil, err
	}
	if _, err := api.TagsFor(r.Tags, "subnet"); err != nil {
		return nil, err
	}
	if r.DryRun {
		return nil, api.DryRun()
	}
	return n.makeSubnet(v, p, z, false, r.Tags), nil
}

// SecurityGroupRequest is CreateSecurityGroup; without VPC the default one.
type SecurityGroupRequest struct {
	Name, Description, VPC string
	Tags                   []api.TagSpec
	DryRun                 bool
}

// CreateSecurityGroup makes a security group without rules.
func (n *Network) CreateSecurityGroup(r SecurityGroupRequest) (*SecurityGroup, error) {
	if r.Name == "" {
		return nil, api.Missing("GroupName")
	}
	if r.Description == "" {
		return nil, api.Missing("GroupDescription")
	}
	if len(r.Name) > 255 || strings.HasPrefix(r.Name, "sg-") || r.Name == "default" {
		return nil, api.BadValue("Invalid security group name '%s'", r.Name)
	}
	r.VPC = cmp.Or(r.VPC, n.VPCs[0].ID)
	if n.VPC(r.VPC) == nil {
		return nil, NoVPCs([]string{r.VPC})
	}
	for _, g := range n.Groups {
		if g.VPC == r.VPC && g.Name == r.Name {
			return nil, api.Refuse("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", r.Name, r.VPC)
		}
	}
	tags, err := api.TagsFor(r.Tags, "security-group")
	if err != nil {
		return nil, err
	}
	if r.DryRun {
		return nil, api.DryRun()
	}
	g := &SecurityGroup{Name: r.Name, Description: r.Description, VPC: r.VPC}
	n.register(&g.Resource, "sg", "security-group", tags)
	n.Groups = append(n.Groups, g)
	return g, nil
}

// DefaultVPC is the one that was there from the beginning.
func (n *Network) DefaultVPC() *VPC { return n.VPCs[0] }

// Zone finds a zone by its name.
func (n *Network) Zone(name string) (Zone, error) {
	for _, z := range n.Zones {
		if z.Name == name {
			return z, nil
		}
	}
	return Zone{}, api.BadValue("Invalid availability zone: [%s]", name)
}

// VPC finds a VPC; nil where there is none.
func (n *Network) VPC(id string) *VPC {
	for _, v := range n.VPCs {
		if v.ID == id {
			return v
		}
	}
	return nil
}

// Subnet finds a subnet.
func (n *Network) Subnet(id string) (*Subnet, error) {
	for _, s := range n.Subnets {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, NoSubnets([]string{id})
}

// Group finds a security group; nil where there is none.
func (n *Network) Group(id string) *SecurityGroup {
	for _, g := range n.Groups {
		if g.ID == id {
			return g
		}
	}
	return nil
}

// GroupNamed finds a security group of a VPC; nil where there is none.
func (n *Network) GroupNamed(vpc, name string) *SecurityGroup {
	for _, g := range n.Groups {
		if g.VPC == vpc && g.Name == name {
			return g
		}
	}
	return nil
}

// NoVPCs refuses ids of no VPC.
func NoVPCs(ids []string) *api.Error {
	return api.Refuse("InvalidVpcID.NotFound", "The vpc ID %s does not exist", api.Quoted(ids))
}

// NoSubnets refuses ids of no subnet.
func NoSubnets(ids []string) *api.Error {
	return api.Refuse("InvalidSubnetID.NotFound", "The subnet ID %s does not exist", api.Quoted(ids))
}

// NoSecurityGroups refuses ids or names of no security group.
func NoSecurityGroups(ids []string) *api.Error {
	return api.Refuse("InvalidGroup.NotFound", "The security group %s does not exist", api.Quoted(ids))
}
