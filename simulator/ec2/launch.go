package ec2

import (
	"net/netip"
	"slices"
	"strconv"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/ec2/quota"
	"aws-slurm-burst/simulator/ec2/template"
	"aws-slurm-burst/simulator/record"
)

// RunRequest is RunInstances.
type RunRequest struct {
	template.Spec
	Min, Max int
	Template *template.Ref
	Token    string
	DryRun   bool
}

// Reservation is the answer to RunInstances, and what DescribeInstances groups
// instances by.
type Reservation struct {
	ID        string
	Instances []Instance
}

// launch is a request with every name in it resolved.
type launch struct {
	template.Spec
	now    env.Time
	facts  catalog.Type
	family quota.Family
	image  *Image
	group  *Group
	az     string          // "" where EC2 may choose
	subnet *network.Subnet // nil where EC2 may choose
	nics   []nicPlan       // at least one
	tags   []cloud.Tag
	volume []cloud.Tag
}

type nicPlan struct {
	template.Interface
	groups []GroupRef
}

// RunInstances launches between Min and Max instances, or none.
func (m *Model) RunInstances(r RunRequest) (Reservation, error) {
	ev := Event{Action: "RunInstances", Type: r.Type, AZ: r.AZ, Market: orDefault(r.Market, cloud.OnDemand), Min: r.Min, Max: r.Max, Token: r.Token}
	return call(m, ev, func(now env.Time, ev *Event) (Reservation, error) {
		if err := r.check(); err != nil {
			return Reservation{}, err
		}
		l, err := m.resolve(r, now)
		if err != nil {
			return Reservation{}, err
		}
		ev.Type, ev.Market, ev.AZ = l.Type, l.Market, l.az
		if r.Token != "" && !r.DryRun {
			if again, found, err := m.replay(r, l.az, now); found || err != nil {
				ev.IDs = instanceIDs(again.Instances)
				return again, err
			}
		}
		if err := m.validate(l); err != nil {
			return Reservation{}, err
		}
		if r.DryRun {
			return Reservation{}, api.DryRun()
		}
		// It is refused whole where its bucket has not enough, as AWS says; whether
		// for MaxCount or for MinCount AWS does not say.
		if m.throttle != nil && !m.throttle.Resources(now, "RunInstances", r.Max) {
			return Reservation{}, api.Throttled()
		}
		zone := l.az // the token's scope is what was asked for
		n, err := m.fit(l, r.Min, r.Max)
		if err != nil {
			return Reservation{}, err
		}
		res := m.start(l, n, r.Token, now)
		if m.throttle != nil {
			m.throttle.Spend(now, "RunInstances", n)
		}
		if r.Token != "" {
			m.remember(r, zone, res)
		}
		ev.AZ, ev.IDs = l.az, instanceIDs(res.Instances)
		return res, nil
	})
}

func instanceIDs(list []Instance) []string {
	ids := make([]string, len(list))
	for i, inst := range list {
		ids[i] = inst.ID
	}
	return ids
}

// check looks at the request alone.
func (r RunRequest) check() error {
	switch {
	case r.Min == 0:
		return api.Missing("MinCount")
	case r.Max == 0:
		return api.Missing("MaxCount")
	case r.Min < 0:
		return api.BadValue("Value (%d) for parameter minCount is invalid. Minimum value is 1.", r.Min)
	case r.Max < r.Min:
		return api.BadValue("Value (%d) for parameter maxCount is invalid. It must not be less than minCount (%d).", r.Max, r.Min)
	case len(r.Token) > 64 || !api.ASCII(r.Token):
		return api.Refuse("InvalidClientToken", "The client token must be at most 64 ASCII characters.")
	}
	return nil
}

// resolve merges the template and finds what the request names; where it
// leads is known then, what may be launched there is not.
func (m *Model) resolve(r RunRequest, now env.Time) (*launch, error) {
	l := &launch{Spec: r.Spec, now: now}
	if r.Template != nil {
		t, err := m.templates.Find(*r.Template)
		if err != nil {
			return nil, err
		}
		v, err := t.Version(r.Template.Version)
		if err != nil {
			return nil, err
		}
		l.Spec = r.Spec.Over(v.Data)
	}
	l.Market = orDefault(l.Market, cloud.OnDemand)
	l.Type = orDefault(l.Type, "m1.small") // EC2's default
	if len(l.Interfaces) == 0 {
		l.Interfaces = []template.Interface{{SubnetID: l.SubnetID, Groups: l.SecurityGroups}}
	} else {
		if l.SubnetID != "" {
			return nil, api.BadCombination("Network interfaces and an instance-level subnet ID may not be specified on the same request")
		}
		if len(l.SecurityGroups)+len(l.SecurityGroupNames) > 0 {
			return nil, api.BadCombination("Network interfaces and an instance-level security groups may not be specified on the same request")
		}
	}
	for _, nic := range l.Interfaces {
		if nic.SubnetID == "" {
			continue
		}
		s, err := m.network.Subnet(nic.SubnetID)
		if err != nil {
			return nil, err
		}
		if l.subnet != nil && l.subnet.AZ != s.AZ {
			return nil, api.BadCombination("All network interfaces must be in the same availability zone")
		}
		if l.subnet == nil {
			l.subnet, l.az = s, s.AZ
		}
	}
	if l.AZ != "" {
		if _, err := m.network.Zone(l.AZ); err != nil {
			return nil, err
		}
		if l.subnet != nil && l.subnet.AZ != l.AZ {
			return nil, api.BadValue("The availability zone '%s' is not the one of subnet '%s' (%s)", l.AZ, l.subnet.ID, l.subnet.AZ)
		}
		l.az = l.AZ
	}
	if l.Group != "" || l.GroupID != "" {
		for _, g := range m.groups {
			if (g.Name == l.Group || g.ID == l.GroupID) && m.visible(&g.Resource, now) {
				l.group = g
			}
		}
		if l.group == nil {
			return nil, noGroup(l.Group + l.GroupID)
		}
	}
	return l, nil
}

// validate checks the request against the account, but for capacity.
func (m *Model) validate(l *launch) error {
	var known bool
	if l.facts, known = m.opt.Types.Type(l.Type); !known {
		return api.BadValue("Invalid value '%s' for InstanceType.", l.Type)
	}
	l.family = quota.Of(l.Type, l.Market)
	if l.ImageID == "" {
		return api.Missing("ImageId")
	}
	var err error
	if l.image, err = m.image(l.ImageID); err != nil {
		return err
	}
	if !slices.Contains(l.facts.Archs, l.image.Arch) {
		return api.BadValue("The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.", l.facts.Archs[0], l.image.Arch)
	}
	if err := l.checkMarket(); err != nil {
		return err
	}
	if err := m.plan(l); err != nil {
		return err
	}
	if l.group != nil {
		if err := l.group.admits(l.Type, l.facts, l.az); err != nil {
			return err
		}
	}
	if l.tags, err = api.TagsFor(l.Tags, "instance", "volume", "network-interface", "spot-instances-request"); err != nil {
		return err
	}
	l.volume, err = api.TagsFor(l.Tags, "volume", "instance", "network-interface", "spot-instances-request")
	return err
}

func (l *launch) checkMarket() error {
	switch l.Market {
	case cloud.OnDemand:
		if l.MaxPrice != "" {
			return api.BadCombination("A maximum price is for spot instances only")
		}
		if !l.facts.OnDemand {
			return unsupported()
		}
	case cloud.Spot:
		if !l.facts.Spot {
			return unsupported()
		}
		if p, err := strconv.ParseFloat(l.MaxPrice, 64); l.MaxPrice != "" && (err != nil || !(p > 0)) {
			return api.BadValue("Invalid value '%s' for SpotPrice.", l.MaxPrice)
		}
	default:
		return api.BadValue("Invalid value '%s' for MarketType.", l.Market)
	}
	return nil
}

func unsupported() *api.Error {
	return api.Refuse("Unsupported", "The requested configuration is currently not supported. Please check the documentation for supported configurations.")
}

// plan checks the network interfaces and looks up their security groups.
func (m *Model) plan(l *launch) error {
	vpc := m.network.DefaultVPC().ID
	if l.subnet != nil {
		vpc = l.subnet.VPC
	}
	if n := len(l.Interfaces); n > max(1, l.facts.NetworkCards)*maxDevices {
		return api.Refuse("AttachmentLimitExceeded", "Interface count %d exceeds the limit for %s", n, l.Type)
	}
	efa, primary := 0, false
	type slot struct{ card, device int }
	taken := map[slot]bool{}
	for _, nic := range l.Interfaces {
		if taken[slot{nic.Card, nic.Device}] {
			return api.BadValue("Each network interface requires a unique device index. Device index %d of network card %d is given twice.", nic.Device, nic.Card)
		}
		taken[slot{nic.Card, nic.Device}] = true
		primary = primary || nic.Card == 0 && nic.Device == 0 && nic.Kind != "efa-only"
		if nic.Card < 0 || nic.Card >= max(1, l.facts.NetworkCards) || nic.Device < 0 {
			return api.BadValue("Network card index %d is not valid for instance type %s, which has %d.", nic.Card, l.Type, l.facts.NetworkCards)
		}
		switch nic.Kind {
		case "", "interface":
		case "efa", "efa-only":
			efa++
		default:
			return api.BadValue("Value (%s) for parameter InterfaceType is invalid.", nic.Kind)
		}
		p := nicPlan{Interface: nic}
		for _, id := range nic.Groups {
			g := m.network.Group(id)
			if g == nil {
				return network.NoSecurityGroups([]string{id})
			}
			if g.VPC != vpc {
				return api.BadValue("The security group '%s' and the subnet belong to different networks.", id)
			}
			p.groups = append(p.groups, GroupRef{g.ID, g.Name})
		}
		for _, name := range l.SecurityGroupNames {
			g := m.network.GroupNamed(vpc, name)
			if g == nil {
				return network.NoSecurityGroups([]string{name})
			}
			p.groups = append(p.groups, GroupRef{g.ID, g.Name})
		}
		if p.groups == nil {
			g := m.network.GroupNamed(vpc, "default")
			p.groups = []GroupRef{{g.ID, g.Name}}
		}
		l.nics = append(l.nics, p)
	}
	switch {
	case !primary:
		return api.BadCombination("The first network interface must be device index 0 of network card 0")
	case efa > 0 && l.facts.EFA == 0:
		return api.BadCombination("EFA interfaces are not supported on %s", l.Type)
	case efa > l.facts.EFA:
		return api.Refuse("AttachmentLimitExceeded", "EFA interface count %d exceeds the limit for %s", efa, l.Type)
	}
	return nil
}

// maxDevices bounds the interfaces of a network card: 15 is the most that any
// type has, and the catalogue does not say it type by type.
const maxDevices = 15

// start makes the instances of a launch that fits.
func (m *Model) start(l *launch, n int, token string, now env.Time) Reservation {
	res := Reservation{ID: m.id("r"), Instances: make([]Instance, 0, n)}
	pool := m.pool(l.pool())
	most, usd := 0.0, 0.0
	if l.MaxPrice != "" {
		most, _ = strconv.ParseFloat(l.MaxPrice, 64) // checked before
	}
	if m.opt.Sink != nil {
		rate, _ := m.rate(l.pool(), now)
		usd = rate.USD()
	}
	for index := range n {
		i := &Instance{
			Reservation: res.ID, Index: index, Token: token,
			Type: l.Type, ImageID: l.image.ID, Arch: l.image.Arch, Market: l.Market,
			SubnetID: l.subnet.ID, VPC: l.subnet.VPC,
			Placement: Placement{AZ: l.az},
			KeyName:   l.KeyName, InstanceProfile: l.InstanceProfile, UserData: l.UserData,
			Launched: now, Cores: l.facts.Cores, VCPUs: l.facts.VCPUs,
			family: l.family, pool: pool, most: most,
		}
		m.register(&i.Resource, m.id("i"), "instance", l.tags, now)
		m.register(&i.volume, m.id("vol"), "volume", l.volume, now)
		i.Volume = i.volume.ID
		if l.Market == cloud.Spot {
			i.SpotRequest = m.id("sir")
		}
		if l.group != nil {
			i.group = l.group
			i.Placement.Group, i.Placement.GroupID = l.group.Name, l.group.ID
			i.Placement.Partition = l.group.member(l.az)
		}
		for _, p := range l.nics {
			s := l.subnet
			if p.SubnetID != "" && p.SubnetID != s.ID {
				s, _ = m.network.Subnet(p.SubnetID) // resolved before
			}
			nic := NIC{ID: m.id("eni"), Device: p.Device, Card: p.Card, SubnetID: s.ID, Kind: orDefault(p.Kind, "interface"), Groups: p.groups}
			if p.Kind != "efa-only" { // has no IP of its own
				nic.IP = s.Take()
			}
			i.Interfaces = append(i.Interfaces, nic)
			if p.Device == 0 && p.Card == 0 {
				i.PrivateIP, i.Groups = nic.IP, p.groups
				if nic.IP.IsValid() {
					i.ip = nic.IP.String()
				}
			}
		}
		m.occupy(i)
		m.boots(i, now)
		m.note(record.InstanceLaunched, i, now, "", usd, 0)
		m.instances = append(m.instances, i)
		m.instanceByID[i.ID] = i
		v := *i
		v.State = cloud.Pending
		res.Instances = append(res.Instances, v)
	}
	if l.group != nil {
		l.group.fill(pool, n)
	}
	return res
}

// NIC is a network interface of an instance.
type NIC struct {
	ID           string
	Device, Card int
	SubnetID     string
	IP           netip.Addr // none on an efa-only interface
	Kind         string     // interface, efa or efa-only
	Groups       []GroupRef
}

// GroupRef names a security group.
type GroupRef struct{ ID, Name string }
