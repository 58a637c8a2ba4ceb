package ec2

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"aws-slurm-burst/asba/catalog/table"
	"aws-slurm-burst/executor/env"
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

// Subnet is a part of a VPC in one zone.
type Subnet struct {
	api.Resource
	VPC          string
	CIDR         netip.Prefix
	AZ, AZID     string
	DefaultForAZ bool
	Free         int // addresses

	used map[uint32]bool // offsets from the subnet's first address
	peak int             // most that ever were
	next uint32          // where the search for a free one begins
}

// SecurityGroup is a security group; its rules are not modelled.
type SecurityGroup struct {
	api.Resource
	Name, Description, VPC string
}

// AWS keeps the first four addresses of a subnet and the last one.
const (
	reservedFirst = 4
	reservedLast  = 1
)

// makeNetwork makes the zones and the default VPC with a subnet in each.
func (m *Model) makeNetwork() error {
	o := m.opt
	for i := range o.Zones {
		m.zones = append(m.zones, Zone{o.Region + string(rune('a'+i)), fmt.Sprintf("%s-az%d", table.RegionCode(o.Region), i+1)})
	}
	if o.CIDR != o.CIDR.Masked() || !o.CIDR.Addr().Is4() || o.CIDR.Bits() < 16 || o.CIDR.Bits() > 25 {
		return fmt.Errorf("ec2: the VPC's CIDR %s is none between /16 and /25", o.CIDR)
	}
	if bits := o.SubnetBits - o.CIDR.Bits(); bits < 0 || o.SubnetBits > 28 || 1<<bits < o.Zones {
		return fmt.Errorf("ec2: %d subnets of /%d do not fit into %s, or are smaller than /28", o.Zones, o.SubnetBits, o.CIDR)
	}
	now := o.Clock.Now()
	v := m.makeVPC(o.CIDR, true, nil, now)
	for i, z := range m.zones {
		base := binary.BigEndian.Uint32(o.CIDR.Addr().AsSlice()) + uint32(i)<<(32-o.SubnetBits)
		m.makeSubnet(v, netip.PrefixFrom(addr4(base), o.SubnetBits), z, true, nil, now)
	}
	return nil
}

func addr4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

func (m *Model) makeVPC(cidr netip.Prefix, isDefault bool, tags []api.TagSpec, now env.Time) *VPC {
	v := &VPC{CIDR: cidr, Default: isDefault}
	sorted, _ := api.TagsFor(tags, "vpc") // checked by the caller
	m.register(&v.Resource, m.id("vpc"), "vpc", sorted, now)
	m.vpcs = append(m.vpcs, v)
	g := &SecurityGroup{Name: "default", Description: "default VPC security group", VPC: v.ID}
	m.register(&g.Resource, m.id("sg"), "security-group", nil, now)
	m.secGroups = append(m.secGroups, g)
	return v
}

func (m *Model) makeSubnet(v *VPC, cidr netip.Prefix, z Zone, isDefault bool, tags []api.TagSpec, now env.Time) *Subnet {
	s := &Subnet{VPC: v.ID, CIDR: cidr, AZ: z.Name, AZID: z.ID, DefaultForAZ: isDefault, used: map[uint32]bool{}, next: reservedFirst}
	s.Free = 1<<(32-cidr.Bits()) - reservedFirst - reservedLast
	sorted, _ := api.TagsFor(tags, "subnet")
	m.register(&s.Resource, m.id("subnet"), "subnet", sorted, now)
	m.subnets = append(m.subnets, s)
	return s
}

// take hands out the next free address. Addresses given back come round last,
// as late as the subnet allows.
func (s *Subnet) take() netip.Addr {
	last := uint32(1)<<(32-s.CIDR.Bits()) - 1 - reservedLast
	for s.used[s.next] {
		if s.next++; s.next > last {
			s.next = reservedFirst
		}
	}
	n := s.next
	s.used[n] = true
	s.peak = max(s.peak, len(s.used))
	s.Free--
	if s.next++; s.next > last {
		s.next = reservedFirst
	}
	return addr4(binary.BigEndian.Uint32(s.CIDR.Addr().AsSlice()) + n)
}

// give takes an address back.
func (s *Subnet) give(a netip.Addr) {
	n := binary.BigEndian.Uint32(a.AsSlice()) - binary.BigEndian.Uint32(s.CIDR.Addr().AsSlice())
	if s.used[n] {
		delete(s.used, n)
		s.Free++
	}
}

// CreateVPC makes a VPC with its default security group.
func (m *Model) CreateVPC(cidr string, tags []api.TagSpec, dry bool) (VPC, error) {
	return call(m, Event{Action: "CreateVpc"}, func(now env.Time, ev *Event) (VPC, error) {
		if cidr == "" {
			return VPC{}, api.Missing("cidrBlock")
		}
		p, err := netip.ParsePrefix(cidr)
		if err != nil || !p.Addr().Is4() {
			return VPC{}, api.BadValue("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", cidr)
		}
		if p.Bits() < 16 || p.Bits() > 28 {
			return VPC{}, api.Refuse("InvalidVpc.Range", "The CIDR '%s' is invalid.", cidr)
		}
		if _, err := api.TagsFor(tags, "vpc"); err != nil {
			return VPC{}, err
		}
		if dry {
			return VPC{}, api.DryRun()
		}
		v := m.makeVPC(p.Masked(), false, tags, now)
		ev.IDs = []string{v.ID}
		return *v, nil
	})
}

// SubnetRequest is CreateSubnet; without AZ EC2 chooses, here the first.
type SubnetRequest struct {
	VPC, CIDR, AZ string
	Tags          []api.TagSpec
	DryRun        bool
}

// CreateSubnet makes a subnet.
func (m *Model) CreateSubnet(r SubnetRequest) (Subnet, error) {
	return call(m, Event{Action: "CreateSubnet", AZ: r.AZ}, func(now env.Time, ev *Event) (Subnet, error) {
		if r.VPC == "" {
			return Subnet{}, api.Missing("vpcId")
		}
		if r.CIDR == "" {
			return Subnet{}, api.Missing("cidrBlock")
		}
		v := m.vpc(r.VPC)
		if v == nil {
			return Subnet{}, noVPCs([]string{r.VPC})
		}
		p, err := netip.ParsePrefix(r.CIDR)
		if err != nil || !p.Addr().Is4() {
			return Subnet{}, api.BadValue("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", r.CIDR)
		}
		p = p.Masked()
		if p.Bits() < v.CIDR.Bits() || p.Bits() > 28 || !v.CIDR.Contains(p.Addr()) {
			return Subnet{}, api.Refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", r.CIDR)
		}
		for _, s := range m.subnets {
			if s.VPC == r.VPC && s.CIDR.Overlaps(p) {
				return Subnet{}, api.Refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", r.CIDR)
			}
		}
		z, err := m.zone(orDefault(r.AZ, m.zones[0].Name))
		if err != nil {
			return Subnet{}, err
		}
		if _, err := api.TagsFor(r.Tags, "subnet"); err != nil {
			return Subnet{}, err
		}
		if r.DryRun {
			return Subnet{}, api.DryRun()
		}
		s := m.makeSubnet(v, p, z, false, r.Tags, now)
		ev.IDs, ev.AZ = []string{s.ID}, s.AZ
		return *s, nil
	})
}

// SecurityGroupRequest is CreateSecurityGroup; without VPC the default one.
type SecurityGroupRequest struct {
	Name, Description, VPC string
	Tags                   []api.TagSpec
	DryRun                 bool
}

// CreateSecurityGroup makes a security group without rules.
func (m *Model) CreateSecurityGroup(r SecurityGroupRequest) (SecurityGroup, error) {
	return call(m, Event{Action: "CreateSecurityGroup"}, func(now env.Time, ev *Event) (SecurityGroup, error) {
		if r.Name == "" {
			return SecurityGroup{}, api.Missing("GroupName")
		}
		if r.Description == "" {
			return SecurityGroup{}, api.Missing("GroupDescription")
		}
		if len(r.Name) > 255 || strings.HasPrefix(r.Name, "sg-") || r.Name == "default" {
			return SecurityGroup{}, api.BadValue("Invalid security group name '%s'", r.Name)
		}
		r.VPC = orDefault(r.VPC, m.vpcs[0].ID)
		if m.vpc(r.VPC) == nil {
			return SecurityGroup{}, noVPCs([]string{r.VPC})
		}
		for _, g := range m.secGroups {
			if g.VPC == r.VPC && g.Name == r.Name {
				return SecurityGroup{}, api.Refuse("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", r.Name, r.VPC)
			}
		}
		tags, err := api.TagsFor(r.Tags, "security-group")
		if err != nil {
			return SecurityGroup{}, err
		}
		if r.DryRun {
			return SecurityGroup{}, api.DryRun()
		}
		g := &SecurityGroup{Name: r.Name, Description: r.Description, VPC: r.VPC}
		m.register(&g.Resource, m.id("sg"), "security-group", tags, now)
		m.secGroups = append(m.secGroups, g)
		ev.IDs = []string{g.ID}
		return *g, nil
	})
}

func noVPCs(ids []string) *api.Error {
	return api.Refuse("InvalidVpcID.NotFound", "The vpc ID %s does not exist", api.Quoted(ids))
}

func noSubnets(ids []string) *api.Error {
	return api.Refuse("InvalidSubnetID.NotFound", "The subnet ID %s does not exist", api.Quoted(ids))
}

func noSecurityGroups(ids []string) *api.Error {
	return api.Refuse("InvalidGroup.NotFound", "The security group %s does not exist", api.Quoted(ids))
}

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
func (m *Model) DescribeVPCs(q api.Query) (api.Page[VPC], error) {
	return call(m, Event{Action: "DescribeVpcs"}, func(env.Time, *Event) (api.Page[VPC], error) {
		return api.Views(api.Choose(m.vpcs, q, vpcFields.Named, noVPCs, nil))
	})
}

// DescribeSubnets lists subnets.
func (m *Model) DescribeSubnets(q api.Query) (api.Page[Subnet], error) {
	return call(m, Event{Action: "DescribeSubnets"}, func(env.Time, *Event) (api.Page[Subnet], error) {
		return api.Views(api.Choose(m.subnets, q, subnetFields.Named, noSubnets, nil))
	})
}

// DescribeSecurityGroups lists security groups; names are of the default VPC.
func (m *Model) DescribeSecurityGroups(q api.Query, names []string) (api.Page[SecurityGroup], error) {
	return call(m, Event{Action: "DescribeSecurityGroups"}, func(env.Time, *Event) (api.Page[SecurityGroup], error) {
		for _, n := range names {
			g := m.secGroupNamed(m.vpcs[0].ID, n)
			if g == nil {
				return api.Page[SecurityGroup]{}, noSecurityGroups([]string{n})
			}
			q.IDs = append(q.IDs[:len(q.IDs):len(q.IDs)], g.ID)
		}
		return api.Views(api.Choose(m.secGroups, q, secGroupFields.Named, noSecurityGroups, nil))
	})
}

// DescribeAvailabilityZones lists the zones with these names; none means all.
func (m *Model) DescribeAvailabilityZones(names []string) ([]Zone, error) {
	return call(m, Event{Action: "DescribeAvailabilityZones"}, func(env.Time, *Event) ([]Zone, error) {
		if len(names) == 0 {
			return m.zones, nil
		}
		var out []Zone
		for _, n := range names {
			z, err := m.zone(n)
			if err != nil {
				return nil, err
			}
			out = append(out, z)
		}
		return out, nil
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

func (m *Model) zone(name string) (Zone, error) {
	for _, z := range m.zones {
		if z.Name == name {
			return z, nil
		}
	}
	return Zone{}, api.BadValue("Invalid availability zone: [%s]", name)
}

func (m *Model) vpc(id string) *VPC {
	for _, v := range m.vpcs {
		if v.ID == id {
			return v
		}
	}
	return nil
}

func (m *Model) subnet(id string) (*Subnet, error) {
	for _, s := range m.subnets {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, noSubnets([]string{id})
}

func (m *Model) secGroup(id string) *SecurityGroup {
	for _, g := range m.secGroups {
		if g.ID == id {
			return g
		}
	}
	return nil
}

func (m *Model) secGroupNamed(vpc, name string) *SecurityGroup {
	for _, g := range m.secGroups {
		if g.VPC == vpc && g.Name == name {
			return g
		}
	}
	return nil
}

// ZoneOf returns the zone of a subnet, "" for one that does not exist.
func (m *Model) ZoneOf(subnet string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.subnet(subnet)
	if err != nil {
		return ""
	}
	return s.AZ
}
