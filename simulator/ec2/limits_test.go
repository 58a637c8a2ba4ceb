package ec2

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/quota"
	"aws-slurm-burst/simulator/ec2/throttle"
)

func TestCallsBeyondTheBucketAreThrottledAndDoNothing(t *testing.T) {
	var codes []string
	m, c := open(t, func(o *Options) {
		o.Throttle = throttle.Published()
		o.Observe = func(e Event) { codes = append(codes, e.Code) }
	})
	for range 5 {
		launch1(t, m, basic(1))
	}
	_, err := m.RunInstances(basic(1))
	want(t, err, "RequestLimitExceeded")
	if e := api.AsError(err); e.Status != 503 {
		t.Errorf("status %d", e.Status)
	}
	if codes[5] != "RequestLimitExceeded" || m.Calls()["RunInstances"] != 6 {
		t.Errorf("observed %q, counted %v", codes, m.Calls())
	}
	if p, err := m.DescribeInstances(api.Query{}); err != nil || len(p.Items) != 5 {
		t.Errorf("%d instances, %v", len(p.Items), err)
	}
	c.pass(time.Second)
	for range 2 {
		launch1(t, m, basic(1))
	}
	_, err = m.RunInstances(basic(1))
	want(t, err, "RequestLimitExceeded")
}

func TestDescribingEverythingIsThrottledSooner(t *testing.T) {
	calls := func(q api.Query) (n int) {
		m, _ := open(t, func(o *Options) { o.Throttle = throttle.Published() })
		for n < 1000 {
			if _, err := m.DescribeInstances(q); err != nil {
				want(t, err, "RequestLimitExceeded")
				break
			}
			n++
		}
		return n
	}
	for n, q := range map[int]api.Query{50: {}, 100: {Max: 1000}} {
		if got := calls(q); got != n {
			t.Errorf("%+v: %d calls, want %d", q, got, n)
		}
	}
	if got := calls(api.Query{Filters: []api.Filter{{Name: "instance-type", Values: []string{"c6i.xlarge"}}}}); got != 100 {
		t.Errorf("filtered: %d calls, want 100", got)
	}
}

func TestInstancesBeyondTheBucketAreThrottledWhole(t *testing.T) {
	m, c := open(t, func(o *Options) { o.Throttle = throttle.Published() })
	r := basic(1)
	r.Max = 1001
	_, err := m.RunInstances(r)
	want(t, err, "RequestLimitExceeded")
	first := launch1(t, m, basic(900))
	_, err = m.RunInstances(basic(101))
	want(t, err, "RequestLimitExceeded")
	_, err = m.TerminateInstances(instanceIDs(first), false)
	want(t, err, "")
	c.pass(3 * time.Second) // 6 more
	launch1(t, m, basic(106))
	_, err = m.RunInstances(basic(1))
	want(t, err, "RequestLimitExceeded")
}

func TestEndsBeyondTheBucketAreThrottledToo(t *testing.T) {
	m, c := open(t, func(o *Options) { o.Throttle = throttle.Published() })
	many := instanceIDs(launch1(t, m, basic(1000)))
	c.pass(5 * time.Second)
	few := instanceIDs(launch1(t, m, basic(10)))
	_, err := m.TerminateInstances(many, false)
	want(t, err, "")
	_, err = m.TerminateInstances(few, false)
	want(t, err, "RequestLimitExceeded")
	if i, _ := m.Instance(few[0]); i.State != cloud.Running {
		t.Errorf("it is %s", i.State)
	}
	c.pass(500 * time.Millisecond) // 20 a second
	_, err = m.TerminateInstances(few, false)
	want(t, err, "")
}

// A launch that EC2 refuses for another reason, or only rehearses, or has made
// before, launches nothing: it takes no tokens of instances.
func TestOnlyWhatIsLaunchedCountsAgainstTheBucketOfInstances(t *testing.T) {
	pool := Pool{Type: "c6i.xlarge", AZ: "us-east-1a", Market: cloud.OnDemand}
	m, c := open(t, func(o *Options) {
		o.Throttle = throttle.Published()
		o.Capacity = map[Pool]int{pool: 900}
	})
	r := basic(900)
	r.AZ, r.Token = "us-east-1a", "t"
	r.DryRun = true
	_, err := m.RunInstances(r)
	want(t, err, "DryRunOperation")
	r.DryRun = false
	launch1(t, m, r)
	launch1(t, m, r) // the same again
	c.pass(5 * time.Second)
	r = basic(1)
	r.AZ = "us-east-1a"
	_, err = m.RunInstances(r)
	want(t, err, "InsufficientInstanceCapacity")
	launch1(t, m, basic(100))
}

func TestQuotasCountByFamilyAndMarket(t *testing.T) {
	m, c := open(t, func(o *Options) {
		o.ShuttingDownFor = 30 * time.Second
		o.Quotas = map[quota.Quota]int{
			{Family: quota.Standard, Market: cloud.OnDemand}: 16,
			{Family: quota.Standard, Market: cloud.Spot}:     8,
			{Family: quota.P, Market: cloud.OnDemand}:        0,
		}
	})
	kind := func(name string, market cloud.Market, n int) RunRequest {
		r := basic(n)
		r.Type, r.Market = name, market
		return r
	}
	held := launch1(t, m, kind("c6i.xlarge", cloud.OnDemand, 3)) // 12 of 16
	_, err := m.RunInstances(kind("m6i.2xlarge", cloud.OnDemand, 1))
	want(t, err, "VcpuLimitExceeded")
	_, err = m.RunInstances(kind("p4d.24xlarge", cloud.OnDemand, 1))
	want(t, err, "VcpuLimitExceeded")
	_, err = m.RunInstances(kind("r6i.xlarge", cloud.Spot, 3))
	want(t, err, "MaxSpotInstanceCountExceeded")
	launch1(t, m, kind("r6i.xlarge", cloud.Spot, 2))
	launch1(t, m, kind("g5.xlarge", cloud.OnDemand, 20))     // no limit
	launch1(t, m, kind("hpc6a.48xlarge", cloud.OnDemand, 2)) // nor here

	part := kind("c6i.xlarge", cloud.OnDemand, 1)
	part.Max = 5
	if got := launch1(t, m, part); len(got) != 1 {
		t.Errorf("%d fit, want the one for which there is room", len(got))
	}
	_, err = m.TerminateInstances(instanceIDs(held), false)
	want(t, err, "")
	c.pass(29 * time.Second)
	_, err = m.RunInstances(kind("c6i.xlarge", cloud.OnDemand, 3))
	want(t, err, "VcpuLimitExceeded") // they still shut down
	c.pass(time.Second)
	launch1(t, m, kind("c6i.xlarge", cloud.OnDemand, 3))
}

func TestPeaksAreWhatToAskFor(t *testing.T) {
	m, c := open(t, nil)
	a := basic(6)
	a.SubnetID = subnetIn(t, m, "us-east-1b")
	list := launch1(t, m, a)
	spot := basic(1)
	spot.Type, spot.Market, spot.AZ = "p5.48xlarge", cloud.Spot, "us-east-1c"
	launch1(t, m, spot)
	_, err := m.TerminateInstances(instanceIDs(list), false)
	want(t, err, "")
	c.pass(time.Hour)
	a.Min, a.Max = 2, 2
	launch1(t, m, a)
	got := m.Peaks()
	wanted := Peaks{
		VCPUs: []QuotaPeak{
			{quota.Quota{Family: quota.Standard, Market: cloud.OnDemand}, 24},
			{quota.Quota{Family: quota.P5, Market: cloud.Spot}, 192},
		},
		Addresses: 7,
		Subnets:   []SubnetPeak{{a.SubnetID, "us-east-1b", 6}, {subnetIn(t, m, "us-east-1c"), "us-east-1c", 1}},
	}
	if d := cmp.Diff(wanted, got); d != "" {
		t.Error(d)
	}
}
