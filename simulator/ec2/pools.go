package ec2

import (
	"strconv"
	"strings"

	"aws-slurm-burst/executor/cloud"
)

// DefaultSpotRatio is the spot price as a part of the on-demand price where no
// better is known. AWS advertises savings of up to 90 %; most types of its Spot
// Instance Advisor save 50 to 70 %.
const DefaultSpotRatio = 0.4

// SetCapacity sets how many instances of the pool are free from now on; a
// negative number lifts the limit. What is terminated later is free again.
func (m *Model) SetCapacity(p Pool, free int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if free < 0 {
		delete(m.headroom, p)
		return
	}
	m.headroom[p] = free
}

// free is how many of want instances the pool has.
func (m *Model) free(p Pool, want int) int {
	if n, limited := m.headroom[p]; limited {
		return min(want, n)
	}
	return want
}

func (m *Model) offered(typeName, az string) bool {
	return m.opt.Offered == nil || m.opt.Offered(typeName, az)
}

func (m *Model) spotPrice(kind, az string) (float64, bool) {
	if m.opt.SpotPrice != nil {
		return m.opt.SpotPrice(kind, az)
	}
	usd, known := m.opt.Types.Price(kind, m.opt.Region)
	return usd * DefaultSpotRatio, known
}

// fit chooses the zone and subnet where the request leaves them open, and
// returns how many instances can be launched: at least least, at most most.
func (m *Model) fit(l *launch, least, most int) (int, error) {
	open := l.az == ""
	if open {
		m.chooseZone(l, most)
	}
	if !m.offered(l.Type, l.az) {
		return 0, Refuse("Unsupported", "Your requested instance type (%s) is not supported in your requested Availability Zone (%s). Please retry your request by not specifying an Availability Zone or choosing %s.", l.Type, l.az, m.others(l, func(p Pool) bool { return m.offered(p.Type, p.AZ) }))
	}
	if l.subnet == nil {
		for _, s := range m.subnets {
			if s.DefaultForAZ && s.AZ == l.az {
				l.subnet = s
			}
		}
	}
	if l.Market == cloud.Spot && l.MaxPrice != "" {
		limit, _ := strconv.ParseFloat(l.MaxPrice, 64) // checked before
		if price, known := m.spotPrice(l.Type, l.az); known && limit < price {
			return 0, Refuse("SpotMaxPriceTooLow", "Your Spot request price of %s is lower than the minimum required Spot request fulfillment price of %.4f.", l.MaxPrice, price)
		}
	}
	n := most
	if limit, limited := m.opt.VCPUs[l.Market]; limited {
		if n = min(n, (limit-m.vcpus[l.Market])/max(1, l.facts.VCPUs)); n < least {
			if l.Market == cloud.Spot {
				return 0, Refuse("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
			}
			return 0, Refuse("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of %d allows for the instance bucket that the specified instance type belongs to.", limit)
		}
	}
	if l.group != nil { // a full spread group is answered as a lack of capacity
		if n = l.group.room(l.az, n); n < least {
			return 0, m.exhausted(l, open)
		}
	}
	if n = m.free(Pool{l.Type, l.az, l.Market}, n); n < least {
		return 0, m.exhausted(l, open)
	}
	return m.addressed(l, n, least)
}

// addressed bounds n by the free addresses of every subnet of the launch.
func (m *Model) addressed(l *launch, n, least int) (int, error) {
	need := map[*Subnet]int{}
	for _, nic := range l.nics {
		s := l.subnet
		if nic.SubnetID != "" {
			s, _ = m.subnet(nic.SubnetID)
		}
		if nic.Kind == "efa-only" {
			continue
		}
		need[s]++
	}
	for s, each := range need {
		n = min(n, s.Free/each)
	}
	if n < least {
		return 0, Refuse("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.", l.subnet.ID)
	}
	return n, nil
}

// chooseZone takes the zone of the placement group's other members, else the
// first zone with room for all, else the first that sells the type.
func (m *Model) chooseZone(l *launch, want int) {
	if l.group != nil {
		if l.az = l.group.zone(); l.az != "" {
			return
		}
	}
	for _, z := range m.zones {
		if m.offered(l.Type, z.Name) && m.free(Pool{l.Type, z.Name, l.Market}, want) == want {
			l.az = z.Name
			return
		}
	}
	for _, z := range m.zones {
		if m.offered(l.Type, z.Name) {
			l.az = z.Name
			return
		}
	}
	l.az = m.zones[0].Name
}

// exhausted is EC2's answer where a pool cannot give what was asked for.
func (m *Model) exhausted(l *launch, open bool) *Error {
	const code = "InsufficientInstanceCapacity"
	switch {
	case l.Market == cloud.Spot:
		return Refuse(code, "There is no Spot capacity available that matches your request.")
	case open:
		return Refuse(code, "We currently do not have sufficient %s capacity in the region you requested (%s). Our system will be working on provisioning additional capacity.", l.Type, m.opt.Region)
	}
	return Refuse(code, "We currently do not have sufficient %s capacity in the Availability Zone you requested (%s). Our system will be working on provisioning additional capacity. You can currently get %s capacity by not specifying an Availability Zone in your request or choosing %s.",
		l.Type, l.az, l.Type, m.others(l, func(p Pool) bool { return m.offered(p.Type, p.AZ) && m.free(p, 1) > 0 }))
}

// others lists the other zones for which ok holds, as EC2's messages do.
func (m *Model) others(l *launch, ok func(Pool) bool) string {
	var out []string
	for _, z := range m.zones {
		if z.Name != l.az && ok(Pool{l.Type, z.Name, l.Market}) {
			out = append(out, z.Name)
		}
	}
	return strings.Join(out, ", ")
}

// occupy books an instance, vacate gives back what it held: EC2 counts it
// until it is terminated.
func (m *Model) occupy(i *Instance) {
	if n, limited := m.headroom[i.Pool()]; limited {
		m.headroom[i.Pool()] = n - 1
	}
	m.vcpus[i.Market] += i.VCPUs
}

func (m *Model) vacate(i *Instance) {
	if n, limited := m.headroom[i.Pool()]; limited {
		m.headroom[i.Pool()] = n + 1
	}
	m.vcpus[i.Market] -= i.VCPUs
	if i.group != nil {
		i.group.members[i.Placement.AZ]--
	}
	for _, nic := range i.Interfaces {
		if s, err := m.subnet(nic.SubnetID); err == nil && nic.IP.IsValid() {
			s.give(nic.IP)
		}
	}
}
