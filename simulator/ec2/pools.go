package ec2

import (
	"strconv"
	"strings"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/ec2/quota"
)

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

// free is how many of want instances the pool has: by Capacity where that has the
// pool, else by the market.
func (m *Model) free(p Pool, want int, now env.Time) int {
	if n, limited := m.headroom[p]; limited {
		return min(want, n)
	}
	return m.pool(p).room(want, now)
}

func (m *Model) offered(typeName, az string) bool {
	return m.opt.Offered == nil || m.opt.Offered(typeName, az)
}

// fit chooses the zone and subnet where the request leaves them open, and
// returns how many instances can be launched: at least least, at most most.
func (m *Model) fit(l *launch, least, most int) (int, error) {
	open := l.az == ""
	if open {
		m.chooseZone(l, most)
	}
	if !m.offered(l.Type, l.az) {
		return 0, api.Refuse("Unsupported", "Your requested instance type (%s) is not supported in your requested Availability Zone (%s). Please retry your request by not specifying an Availability Zone or choosing %s.", l.Type, l.az, m.others(l, func(p Pool) bool { return m.offered(p.Type, p.AZ) }))
	}
	if l.subnet == nil {
		for _, s := range m.network.Subnets {
			if s.DefaultForAZ && s.AZ == l.az {
				l.subnet = s
			}
		}
	}
	if l.Market == cloud.Spot && l.MaxPrice != "" {
		limit, _ := strconv.ParseFloat(l.MaxPrice, 64) // checked before
		if price, _, known := m.spotPrice(l.Type, l.az, l.now); known && limit < price {
			return 0, api.Refuse("SpotMaxPriceTooLow", "Your Spot request price of %s is lower than the minimum required Spot request fulfillment price of %.4f.", l.MaxPrice, price)
		}
	}
	n, err := m.allowed(l, least, most)
	if err != nil {
		return 0, err
	}
	if l.group != nil { // a full spread group is answered as a lack of capacity
		if n = l.group.room(l.az, n); n < least {
			return 0, m.exhausted(l, open)
		}
	}
	if n = m.free(l.pool(), n, l.now); n < least {
		return 0, m.exhausted(l, open)
	}
	if l.group != nil {
		if n = l.group.near(m.pool(l.pool()), n, l.now); n < least {
			return 0, m.exhausted(l, open)
		}
	}
	return m.addressed(l, n, least)
}

// pool is the launch's, once its zone is known.
func (l *launch) pool() Pool { return Pool{Type: l.Type, AZ: l.az, Market: l.Market} }

// allowed bounds most by the account's quotas.
func (m *Model) allowed(l *launch, least, most int) (int, error) {
	n, each := most, max(1, l.facts.VCPUs)
	bound := func(limit, used int) error {
		if n = min(n, (limit-used)/each); n >= least {
			return nil
		}
		if l.Market == cloud.Spot {
			return api.Refuse("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
		}
		return api.Refuse("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of %d allows for the instance bucket that the specified instance type belongs to.", limit)
	}
	if limit, limited := m.opt.VCPUs[l.Market]; limited {
		if err := bound(limit, m.vcpus[l.Market]); err != nil {
			return 0, err
		}
	}
	q := quota.Quota{Family: l.family, Market: l.Market}
	if limit, limited := m.opt.Quotas[q]; limited {
		if err := bound(limit, m.usage.of(q).now); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// addressed bounds n by the free addresses of every subnet of the launch.
func (m *Model) addressed(l *launch, n, least int) (int, error) {
	need := map[*network.Subnet]int{}
	for _, nic := range l.nics {
		s := l.subnet
		if nic.SubnetID != "" {
			s, _ = m.network.Subnet(nic.SubnetID)
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
		return 0, api.Refuse("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.", l.subnet.ID)
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
	for _, z := range m.network.Zones {
		if m.offered(l.Type, z.Name) && m.free(Pool{Type: l.Type, AZ: z.Name, Market: l.Market}, want, l.now) == want {
			l.az = z.Name
			return
		}
	}
	for _, z := range m.network.Zones {
		if m.offered(l.Type, z.Name) {
			l.az = z.Name
			return
		}
	}
	l.az = m.network.Zones[0].Name
}

// exhausted is EC2's answer where a pool cannot give what was asked for.
func (m *Model) exhausted(l *launch, open bool) *api.Error {
	const code = "InsufficientInstanceCapacity"
	switch {
	case l.Market == cloud.Spot:
		return api.Refuse(code, "There is no Spot capacity available that matches your request.")
	case open:
		return api.Refuse(code, "We currently do not have sufficient %s capacity in the region you requested (%s). Our system will be working on provisioning additional capacity.", l.Type, m.opt.Region)
	}
	return api.Refuse(code, "We currently do not have sufficient %s capacity in the Availability Zone you requested (%s). Our system will be working on provisioning additional capacity. You can currently get %s capacity by not specifying an Availability Zone in your request or choosing %s.",
		l.Type, l.az, l.Type, m.others(l, func(p Pool) bool { return m.offered(p.Type, p.AZ) && m.free(p, 1, l.now) > 0 }))
}

// others lists the other zones for which ok holds, as EC2's messages do.
func (m *Model) others(l *launch, ok func(Pool) bool) string {
	var out []string
	for _, z := range m.network.Zones {
		if z.Name != l.az && ok(Pool{Type: l.Type, AZ: z.Name, Market: l.Market}) {
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
	m.usage.of(quota.Quota{Family: i.family, Market: i.Market}).add(i.VCPUs)
	m.usage.addresses.add(i.addresses())
	if i.pool != nil {
		i.pool.used++
		m.watch(i.pool, i.Launched)
	}
}

func (m *Model) vacate(i *Instance) {
	if n, limited := m.headroom[i.Pool()]; limited {
		m.headroom[i.Pool()] = n + 1
	}
	m.vcpus[i.Market] -= i.VCPUs
	m.usage.of(quota.Quota{Family: i.family, Market: i.Market}).add(-i.VCPUs)
	m.usage.addresses.add(-i.addresses())
	if i.pool != nil {
		i.pool.used--
	}
	if i.group != nil {
		i.group.members[i.Placement.AZ]--
	}
	for _, nic := range i.Interfaces {
		if s, err := m.network.Subnet(nic.SubnetID); err == nil && nic.IP.IsValid() {
			s.Give(nic.IP)
		}
	}
}
