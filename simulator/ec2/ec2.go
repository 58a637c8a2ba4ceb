// Package ec2 is a model of EC2 in memory, as far as launching, finding and
// ending the instances of a cluster needs it: capacity pools, client tokens,
// placement groups, subnets with addresses, launch templates, images, spot
// prices and quotas, with EC2's own error codes.
//
// It is deterministic: time comes from a Clock, ids from a seed, and states
// are worked out from the clock when somebody asks. Its methods are safe for
// concurrent use, never block and never call back, Observe aside; with Sink and
// At it tells what happens at the instant at which it does.
//
// It is generous by default: all capacity, no quota, no throttle, no delay, no
// lag, no bill. What makes it scarce, slow and dear is optional, each alone:
// throttle, quota, boot, lag, market, recording and billing are rooms of their own
// (docs/EC2-MODEL.md has their numbers), as are api, network, template and agenda,
// which know no instance; port and wire are the doors to it. It does not model
// disks, routing, IAM or stopped instances, and it takes any key pair and instance
// profile.
package ec2

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/netip"
	"sync"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/agenda"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/billing"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/ec2/lag"
	"aws-slurm-burst/simulator/ec2/market"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/ec2/quota"
	"aws-slurm-burst/simulator/ec2/template"
	"aws-slurm-burst/simulator/ec2/throttle"
	"aws-slurm-burst/simulator/record"
)

// Clock tells the time; env.Env is one.
type Clock interface{ Now() env.Time }

// Pool is what capacity is counted by.
type Pool = market.Pool

// Options configures a Model. Only Clock and Types are required.
type Options struct {
	Clock Clock
	Types Types
	Seed  uint64 // of all ids

	Region  string // default us-east-1
	Account string // default 000000000000, as LocalStack has it
	// Zones counts the availability zones, 1 to 6; the default is 6.
	Zones int
	// ZoneIDs are the ids of zones by their names, of all or none: which zone a name
	// stands for differs from account to account. Nil is az1, az2 and so on.
	ZoneIDs map[string]string
	// CIDR is the default VPC's, between /16 and /25; the default is
	// 172.31.0.0/16. SubnetBits is the prefix length of the default subnet in
	// each zone; the default is four more than the VPC's (AWS's own /20).
	CIDR       netip.Prefix
	SubnetBits int

	// PendingFor and ShuttingDownFor are how long an instance stays in these
	// states. With 0 the call's own answer still shows the state, and the next
	// describe the one after it.
	PendingFor, ShuttingDownFor time.Duration
	// VisibilityLag hides new instances and placement groups from other calls
	// for so long, as EC2's eventual consistency does; Sight in addition, each for a
	// time of its own.
	VisibilityLag time.Duration
	Sight         lag.Sight

	// Capacity holds the free instances of pools; a pool not in it never runs
	// dry. SetCapacity changes it later.
	Capacity map[Pool]int
	// VCPUs limits the running vCPUs by market; a market not in it has no
	// limit.
	VCPUs map[cloud.Market]int
	// Offered reports whether a zone sells a type; nil means every zone does.
	Offered func(instanceType, az string) bool
	// SpotPrice is the market price in USD an hour. nil means DefaultSpotRatio
	// of the on-demand price where that is known; a price that is not known
	// fulfils every cap.
	SpotPrice func(instanceType, az string) (usd float64, known bool)

	// Throttle is how often the account may call; nil is as often as it likes.
	Throttle *throttle.Limits
	// Quotas limits the vCPUs by family and market, beside VCPUs; a quota not in
	// it has no limit.
	Quotas map[quota.Quota]int
	// Boot is how instances come up, in place of PendingFor; nil is that all do.
	Boot *boot.Profile
	// Supplies is how the capacity of pools comes and goes, where Capacity does
	// not have them: spot instances are interrupted when it drops, and spot prices
	// move about SpotPrice. nil is that it never does.
	Supplies market.Supplies
	// Recorded is what pools had and what spot cost, in place of Supplies and
	// SpotPrice.
	Recorded market.Recorded
	// Ledger takes what instances cost; nil is that they cost nothing. The Model
	// locks it: ask Bill.
	Ledger *billing.Ledger

	// Sink is told, in order of time, what becomes of instances and of each call:
	// outside of the Model's lock, so that it may ask the Model. It needs At.
	Sink record.Sink
	// At calls fn at an instant, as simulator.Engine does: what happens by itself
	// then happens on time and not when somebody asks next. While spot instances
	// live there is always something to come: an engine does not run out of
	// events.
	At func(t env.Time, fn func())

	// Observe is called once a call, in order, before its answer is returned.
	// It must not call the Model.
	Observe func(Event)
}

// Event is one call with its outcome: the line of a call log, and what a trace
// hash is made of.
type Event struct {
	Time   env.Time
	Action string
	Code   string // EC2's error code, "" where the call succeeded

	// These are set where the action knows them.
	IDs      []string // instances launched or ended, or the resource made
	Type, AZ string
	Market   cloud.Market
	Min, Max int
	Token    string
}

// Model is one account in one region.
type Model struct {
	opt Options

	mu      sync.Mutex
	calls   map[string]int
	streams map[string]*uint64 // of ids, by prefix
	seq     uint64
	byID    map[string]*api.Resource

	network   *network.Network
	images    []*Image
	groups    []*Group
	templates *template.List

	instances    []*Instance // in launch order, until an hour after their end
	instanceByID map[string]*Instance
	ending       []*Instance // shutting down
	ended        []*Instance // terminated and still described
	lingered     bool        // something took ShuttingDownFor

	tokens   map[tokenKey]*grant
	spent    []*grant // all of whose instances are terminated
	headroom map[Pool]int
	vcpus    map[cloud.Market]int // in use
	usage    usage

	throttle *throttle.Throttle // nil without limits
	market   *market.Market     // nil without supplies
	pools    map[Pool]*pool     // of the market
	meter    billing.Meter

	agenda  agenda.Agenda[due]
	alarm   env.Time // for which At was last called
	ring    func()   // what it calls
	outbox  []record.Event
	telling bool // somebody empties the outbox
}

// New returns a Model with a default VPC, its default subnets and security
// group, and Amazon's images.
func New(o Options) (*Model, error) {
	if o.Clock == nil || o.Types == nil {
		return nil, fmt.Errorf("ec2: a model needs a Clock and Types")
	}
	if o.Sink != nil && o.At == nil {
		return nil, fmt.Errorf("ec2: a Sink is told of things when they happen, which needs At")
	}
	o.Region = orDefault(o.Region, "us-east-1")
	o.Account = orDefault(o.Account, "000000000000")
	o.Zones = orDefault(o.Zones, 6)
	if o.Zones < 1 || o.Zones > 6 {
		return nil, fmt.Errorf("ec2: %d availability zones: a region has 1 to 6", o.Zones)
	}
	if !o.CIDR.IsValid() {
		o.CIDR = netip.MustParsePrefix("172.31.0.0/16")
	}
	o.SubnetBits = orDefault(o.SubnetBits, o.CIDR.Bits()+4)
	m := &Model{
		opt:     o,
		calls:   map[string]int{},
		streams: map[string]*uint64{},
		byID:    map[string]*api.Resource{},
		tokens:  map[tokenKey]*grant{},

		instanceByID: map[string]*Instance{},
		headroom:     maps.Clone(o.Capacity),
		vcpus:        map[cloud.Market]int{},
		pools:        map[Pool]*pool{},
		alarm:        agenda.Never,
	}
	m.ring = m.tick
	if o.Throttle != nil {
		m.throttle = throttle.New(o.Throttle)
	}
	if o.Supplies != nil || o.Recorded.Capacity != nil || o.Recorded.Price != nil {
		m.market = market.New(o.Seed, o.Clock.Now(), o.Supplies, o.Recorded)
	}
	if m.headroom == nil {
		m.headroom = map[Pool]int{}
	}
	m.makeImages()
	register := func(r *api.Resource, prefix, kind string, tags []cloud.Tag) {
		m.register(r, m.id(prefix), kind, tags, o.Clock.Now())
	}
	m.templates = template.New(register)
	var err error
	m.network, err = network.New(o.Region, o.Zones, o.ZoneIDs, o.CIDR, o.SubnetBits, register)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Region returns the region's name.
func (m *Model) Region() string { return m.opt.Region }

// Account returns the account's id.
func (m *Model) Account() string { return m.opt.Account }

// Now returns the model's time.
func (m *Model) Now() env.Time { return m.opt.Clock.Now() }

// Calls counts the calls so far, by action.
func (m *Model) Calls() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.calls)
}

// RequestID returns a fresh id for an answer, in the form of a UUID.
func (m *Model) RequestID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, b := m.draw("request"), m.draw("request")
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

// call runs one API call: under the lock, at one instant, with everything
// that the clock has brought about since the last call done, and observed.
func call[T any](m *Model, ev Event, fn func(now env.Time, ev *Event) (T, error)) (T, error) {
	return answer(m, ev, false, fn)
}

// answer is call for a Describe that may ask for the whole of something: that is
// throttled sooner.
func answer[T any](m *Model, ev Event, whole bool, fn func(now env.Time, ev *Event) (T, error)) (out T, err error) {
	defer m.tell()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opt.Clock.Now()
	m.settle(now)
	ev.Time = now
	if m.throttle == nil || m.throttle.Request(now, ev.Action, whole) {
		out, err = fn(now, &ev)
	} else {
		err = api.Throttled()
	}
	if err != nil {
		var none T
		out = none
		ev.Code = api.AsError(err).Code
	}
	m.calls[ev.Action]++
	if m.opt.Observe != nil {
		m.opt.Observe(ev)
	}
	m.noteCall(now, ev.Action, ev.Code)
	m.wake()
	return out, err
}

// do is call for actions without an answer.
func do(m *Model, ev Event, fn func(now env.Time, ev *Event) error) error {
	_, err := call(m, ev, func(now env.Time, ev *Event) (struct{}, error) { return struct{}{}, fn(now, ev) })
	return err
}

// register fills in a new resource and files it under its id.
func (m *Model) register(t *api.Resource, id, kind string, tags []cloud.Tag, now env.Time) {
	m.seq++
	*t = api.Resource{ID: id, Kind: kind, Tags: tags, Seq: m.seq, Seen: now.Add(m.opt.VisibilityLag)}
	if kind != "volume" { // it comes with its instance
		t.Seen = t.Seen.Add(m.opt.Sight.Of(m.opt.Seed, id))
	}
	m.byID[id] = t
}

// visible reports whether others see the resource already.
func (m *Model) visible(t *api.Resource, now env.Time) bool { return now >= t.Seen }

// id makes the next id with this prefix, such as i-0123456789abcdef0. Ids of
// one prefix never repeat, since draw never does, and do not depend on how
// many were made of another.
func (m *Model) id(prefix string) string {
	const hex = "0123456789abcdef"
	n := m.draw(prefix)
	b := make([]byte, 0, 24) // fmt would be half the cost of a launch
	b = append(append(b, prefix...), "-0"...)
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hex[n>>shift&0xf])
	}
	return string(b)
}

// draw returns the next number of a stream: a permutation (the finalizer of
// SplitMix64) of a counter that starts where seed and stream say.
func (m *Model) draw(name string) uint64 {
	const golden = 0x9e3779b97f4a7c15
	s := m.streams[name]
	if s == nil {
		h := fnv.New64a()
		h.Write([]byte(name))
		s = new(uint64)
		*s = h.Sum64() ^ m.opt.Seed*golden
		m.streams[name] = s
	}
	*s += golden
	z := *s
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
