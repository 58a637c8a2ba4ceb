package ec2

import (
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/quota"
)

// counter is a number with the most that it ever was.
type counter struct{ now, peak int }

func (c *counter) add(n int) {
	c.now += n
	c.peak = max(c.peak, c.now)
}

// usage is what the account holds, and held at most.
type usage struct {
	vcpus     [quota.Families][2]counter // on demand, spot
	addresses counter
}

// of returns the counter of a quota.
func (u *usage) of(q quota.Quota) *counter {
	if q.Market == cloud.Spot {
		return &u.vcpus[q.Family][1]
	}
	return &u.vcpus[q.Family][0]
}

// Peaks is the most that an account held at once: what it has to ask AWS for.
type Peaks struct {
	VCPUs []QuotaPeak // by family, on demand before spot; none without use
	// Addresses counts those in all subnets, Subnets those of each that had any.
	Addresses int
	Subnets   []SubnetPeak
}

// QuotaPeak is the most vCPUs that counted against a quota, those of instances
// that shut down included, as EC2 does.
type QuotaPeak struct {
	quota.Quota
	VCPUs int
}

// SubnetPeak is the most addresses in use in a subnet.
type SubnetPeak struct {
	ID, AZ    string
	Addresses int
}

// Peaks returns the most that the account held at once so far.
func (m *Model) Peaks() Peaks {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := Peaks{Addresses: m.usage.addresses.peak}
	for f := range quota.Families {
		for _, market := range []cloud.Market{cloud.OnDemand, cloud.Spot} {
			q := quota.Quota{Family: f, Market: market}
			if n := m.usage.of(q).peak; n > 0 {
				out.VCPUs = append(out.VCPUs, QuotaPeak{q, n})
			}
		}
	}
	for _, s := range m.network.Subnets {
		if s.Peak > 0 {
			out.Subnets = append(out.Subnets, SubnetPeak{s.ID, s.AZ, s.Peak})
		}
	}
	return out
}
