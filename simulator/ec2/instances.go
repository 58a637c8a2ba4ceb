package ec2

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/billing"
	"aws-slurm-burst/simulator/ec2/quota"
	"aws-slurm-burst/simulator/record"
)

// describedFor is how long a terminated instance can still be described.
const describedFor = time.Hour

// Instance is an instance, as of the call that returned it.
type Instance struct {
	api.Resource
	Reservation   string
	Index         int // AmiLaunchIndex
	Token         string
	Type          string
	ImageID, Arch string
	Market        cloud.Market
	SpotRequest   string
	SubnetID, VPC string
	Placement     Placement
	PrivateIP     netip.Addr // of device 0 on card 0
	Groups        []GroupRef // of the same
	Interfaces    []NIC
	Volume        string // root volume's id
	KeyName       string
	// InstanceProfile is the name or ARN that the launch gave.
	InstanceProfile string
	UserData        string
	Cores, VCPUs    int
	Launched        env.Time

	State cloud.State
	// ReasonCode and Reason say why it ended: EC2's StateReason.
	ReasonCode, Reason string
	// Ended is when it began to shut down; zero while it lives.
	Ended env.Time

	ip               string // PrivateIP as text
	runs, terminates env.Time
	family           quota.Family
	vacated          bool
	forgotten        bool
	doomed           bool // its capacity is gone, and it will hear of it
	volume           api.Resource
	group            *Group
	grant            *grant
	pool             *pool        // of the market; nil without one
	most             float64      // a spot instance's cap in USD an hour; 0 is none
	bill             *billing.Run // while it is billed
}

// at returns a view of the instance at an instant.
func (i *Instance) at(now env.Time) Instance {
	v := *i
	v.State = i.state(now)
	if now < i.Ended {
		v.Ended, v.ReasonCode, v.Reason = 0, "", ""
	}
	if v.State == cloud.Terminated {
		// EC2 takes the network away from a terminated instance.
		v.PrivateIP, v.Interfaces, v.SubnetID, v.VPC, v.Groups = netip.Addr{}, nil, "", "", nil
	}
	return v
}

func (i *Instance) state(now env.Time) cloud.State {
	switch {
	case i.Ended != 0 && now >= i.terminates:
		return cloud.Terminated
	case i.Ended != 0 && now >= i.Ended:
		return cloud.ShuttingDown
	case now >= i.runs:
		return cloud.Running
	}
	return cloud.Pending
}

// DescribeInstances lists instances grouped by launch. EC2 promises no order;
// here it is the order of launch.
func (m *Model) DescribeInstances(q api.Query) (api.Page[Instance], error) {
	return m.DescribeInstancesAgo(q, 0)
}

// DescribeInstancesAgo is DescribeInstances of a world so much older: what was
// launched since is not there, what began to end since still lives. Tags are
// those of today.
func (m *Model) DescribeInstancesAgo(q api.Query, age time.Duration) (api.Page[Instance], error) {
	return describeAgo(m, q, age, (*Instance).at)
}

// DescribeBriefly is DescribeInstancesAgo with what the executor wants to know of
// each.
func (m *Model) DescribeBriefly(q api.Query, age time.Duration) (api.Page[cloud.Instance], error) {
	return describeAgo(m, q, age, (*Instance).seen)
}

// describeAgo is DescribeInstancesAgo in the form that the caller needs: thousands
// of instances are not copied twice.
func describeAgo[T any](m *Model, q api.Query, age time.Duration, view func(*Instance, env.Time) T) (api.Page[T], error) {
	return answer(m, Event{Action: "DescribeInstances"}, q.Whole(), func(now env.Time, _ *Event) (api.Page[T], error) {
		return describe(m, q, now.Add(-age), view)
	})
}

func describe[T any](m *Model, q api.Query, now env.Time, view func(*Instance, env.Time) T) (api.Page[T], error) {
	for _, id := range q.IDs {
		if !api.WellFormed(id, "i") {
			return api.Page[T]{}, malformedInstance(id)
		}
	}
	p, err := api.Choose(m.instances, q, instanceFields(now), noInstances, func(i *Instance) bool { return m.visible(&i.Resource, now) })
	if err != nil {
		return api.Page[T]{}, err
	}
	out := api.Page[T]{Next: p.Next, Items: make([]T, len(p.Items))}
	for k, i := range p.Items {
		out.Items[k] = view(i, now)
	}
	return out, nil
}

// Brief is what the executor wants to know of an instance.
func (i *Instance) Brief() cloud.Instance {
	out := cloud.Instance{
		ID: i.ID, Type: i.Type, AZ: i.Placement.AZ, SubnetID: i.SubnetID, Market: i.Market,
		State: i.State, StateReason: i.ReasonCode, LaunchIndex: i.Index, LaunchTime: i.Launched,
		Group: i.Placement.Group, Tags: i.Tags,
	}
	if i.PrivateIP.IsValid() {
		out.PrivateIP = i.ip
	}
	return out
}

// seen is the instance at an instant as the executor's port has it.
func (i *Instance) seen(now env.Time) cloud.Instance {
	v := cloud.Instance{
		ID: i.ID, Type: i.Type, AZ: i.Placement.AZ, SubnetID: i.SubnetID, Market: i.Market, State: i.state(now),
		PrivateIP: i.ip, LaunchIndex: i.Index, LaunchTime: i.Launched, Group: i.Placement.Group, Tags: i.Tags,
	}
	if now >= i.Ended {
		v.StateReason = i.ReasonCode
	}
	if v.State == cloud.Terminated {
		v.PrivateIP, v.SubnetID = "", ""
	}
	return v
}

// instanceFields finds a filter; only the state depends on the time.
func instanceFields(now env.Time) func(string) func(*Instance, func(string) bool) bool {
	return func(name string) func(*Instance, func(string) bool) bool {
		if name == "instance-state-name" {
			return api.Value(func(i *Instance) string { return string(i.state(now)) })
		}
		return lastingFields[name]
	}
}

var lastingFields = api.Fields[*Instance]{
	"instance-id":          api.Value(func(i *Instance) string { return i.ID }),
	"instance-type":        api.Value(func(i *Instance) string { return i.Type }),
	"client-token":         api.Value(func(i *Instance) string { return i.Token }),
	"availability-zone":    api.Value(func(i *Instance) string { return i.Placement.AZ }),
	"placement-group-name": api.Value(func(i *Instance) string { return i.Placement.Group }),
	"subnet-id":            api.Value(func(i *Instance) string { return i.SubnetID }),
	"vpc-id":               api.Value(func(i *Instance) string { return i.VPC }),
	"private-ip-address":   api.Value(func(i *Instance) string { return i.address() }),
	"image-id":             api.Value(func(i *Instance) string { return i.ImageID }),
	"reservation-id":       api.Value(func(i *Instance) string { return i.Reservation }),
	"key-name":             api.Value(func(i *Instance) string { return i.KeyName }),
	"architecture":         api.Value(func(i *Instance) string { return i.Arch }),
	// On-demand instances have no lifecycle at all.
	"instance-lifecycle": func(i *Instance, pass func(string) bool) bool {
		return i.Market == cloud.Spot && pass("spot")
	},
}

// address is the private address while the instance has one.
func (i *Instance) address() string {
	if i.vacated || !i.PrivateIP.IsValid() {
		return ""
	}
	return i.PrivateIP.String()
}

// addresses counts the addresses that the instance took.
func (i *Instance) addresses() (n int) {
	for _, nic := range i.Interfaces {
		if nic.IP.IsValid() {
			n++
		}
	}
	return n
}

// InstanceStatus is one line of DescribeInstanceStatus.
type InstanceStatus struct {
	ID, AZ string
	State  cloud.State
}

// DescribeInstanceStatus lists the state of running instances, or of all. The
// model has no impaired instances and no scheduled events.
func (m *Model) DescribeInstanceStatus(q api.Query, all bool) (api.Page[InstanceStatus], error) {
	return answer(m, Event{Action: "DescribeInstanceStatus"}, q.Whole(), func(now env.Time, _ *Event) (api.Page[InstanceStatus], error) {
		if !all {
			q.Filters = append(q.Filters[:len(q.Filters):len(q.Filters)], api.Filter{Name: "instance-state-name", Values: []string{string(cloud.Running)}})
		}
		p, err := describe(m, q, now, (*Instance).at)
		out := api.Page[InstanceStatus]{Next: p.Next}
		for _, i := range p.Items {
			out.Items = append(out.Items, InstanceStatus{i.ID, i.Placement.AZ, i.State})
		}
		return out, err
	})
}

// StateChange is one line of the answer to TerminateInstances.
type StateChange struct {
	ID                string
	Previous, Current cloud.State
}

// TerminateInstances ends all of the instances, or none where an id is not
// known. Ending them again is no error.
func (m *Model) TerminateInstances(ids []string, dry bool) ([]StateChange, error) {
	return call(m, Event{Action: "TerminateInstances", IDs: ids}, func(now env.Time, _ *Event) ([]StateChange, error) {
		if len(ids) == 0 {
			return nil, api.Missing("InstanceId")
		}
		if len(ids) > api.MaxResources {
			return nil, api.BadValue("The maximum number of instances of one call is %d", api.MaxResources)
		}
		found := make([]*Instance, len(ids))
		var lost []string
		for k, id := range ids {
			if !api.WellFormed(id, "i") {
				return nil, malformedInstance(id)
			}
			if found[k] = m.instanceByID[id]; found[k] == nil || !m.visible(&found[k].Resource, now) {
				lost = append(lost, id)
			}
		}
		if lost != nil {
			return nil, noInstances(lost)
		}
		if dry {
			return nil, api.DryRun()
		}
		if m.throttle != nil {
			if !m.throttle.Resources(now, "TerminateInstances", len(found)) {
				return nil, api.Throttled()
			}
			m.throttle.Spend(now, "TerminateInstances", len(found))
		}
		out := make([]StateChange, 0, len(found))
		for k, i := range found {
			if slices.Contains(ids[:k], i.ID) {
				continue
			}
			c := StateChange{ID: i.ID, Previous: i.state(now)}
			if c.Current = c.Previous; c.Current != cloud.Terminated {
				c.Current = cloud.ShuttingDown
			}
			m.end(i, "Client.UserInitiatedShutdown", "User initiated shutdown", now)
			out = append(out, c)
		}
		return out, nil
	})
}

// Interrupt ends an instance from outside, as a spot interruption
// (Server.SpotInstanceTermination) or a failed start (Server.InternalError)
// does. It is no API call.
func (m *Model) Interrupt(id, code, text string) error {
	defer m.tell()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opt.Clock.Now()
	m.settle(now)
	i := m.instanceByID[id]
	if i == nil {
		return noInstances([]string{id})
	}
	m.end(i, code, text, now)
	m.wake()
	return nil
}

// Instance returns an instance that EC2 still describes. It is no API call, and
// neither throttled nor counted.
func (m *Model) Instance(id string) (Instance, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.instanceByID[id]
	if i == nil {
		return Instance{}, false
	}
	return i.at(m.opt.Clock.Now()), true
}

func (m *Model) end(i *Instance, code, text string, now env.Time) {
	if i.Ended != 0 {
		return
	}
	i.Ended, i.terminates = now, now.Add(m.opt.ShuttingDownFor)
	i.ReasonCode, i.Reason = code, code+": "+text
	m.ending = append(m.ending, i)
	m.lingered = m.lingered || m.opt.ShuttingDownFor > 0
	m.note(record.InstanceEnding, i, now, code, 0, m.charge(i, now))
}

func noInstances(ids []string) *api.Error {
	if len(ids) == 1 {
		return api.Refuse("InvalidInstanceID.NotFound", "The instance ID %s does not exist", api.Quoted(ids))
	}
	return api.Refuse("InvalidInstanceID.NotFound", "The instance IDs %s do not exist", api.Quoted(ids))
}

func malformedInstance(id string) *api.Error {
	return api.Refuse("InvalidInstanceID.Malformed", `Invalid id: "%s" (expecting "i-...")`, strings.ToValidUTF8(id, "?"))
}
