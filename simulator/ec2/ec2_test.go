package ec2

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/ec2/template"
)

const (
	x86 = "ami-0a120230000086640"
	arm = "ami-0a120230000a64000"
)

type clock struct{ t env.Time }

func (c *clock) Now() env.Time { return c.t }

func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }

// open returns a model at noon of some day.
func open(t testing.TB, change func(*Options)) (*Model, *clock) {
	t.Helper()
	c := &clock{env.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))}
	o := Options{Clock: c, Types: Catalog(catalog.Default()), Seed: 7}
	if change != nil {
		change(&o)
	}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m, c
}

func subnetIn(t testing.TB, m *Model, az string) string {
	t.Helper()
	p, err := m.DescribeSubnets(api.Query{Filters: []api.Filter{{Name: "availability-zone", Values: []string{az}}, {Name: "default-for-az", Values: []string{"true"}}}})
	if err != nil || len(p.Items) != 1 {
		t.Fatalf("subnets in %s: %v, %v", az, p.Items, err)
	}
	return p.Items[0].ID
}

func want(t testing.TB, err error, code string) {
	t.Helper()
	var e *api.Error
	switch {
	case code == "" && err != nil:
		t.Fatalf("refused: %v", err)
	case code != "" && !errors.As(err, &e):
		t.Fatalf("got %v, want %s", err, code)
	case code != "" && e.Code != code:
		t.Fatalf("got %v, want %s", e, code)
	}
}

func launch1(t testing.TB, m *Model, r RunRequest) []Instance {
	t.Helper()
	res, err := m.RunInstances(r)
	want(t, err, "")
	return res.Instances
}

func basic(n int) RunRequest {
	return RunRequest{Spec: template.Spec{Type: "c6i.xlarge", ImageID: x86}, Min: n, Max: n}
}

func TestLaunchDescribeTerminateForget(t *testing.T) {
	m, c := open(t, func(o *Options) { o.PendingFor, o.ShuttingDownFor = 20*time.Second, 30*time.Second })
	r := basic(3)
	r.SubnetID = subnetIn(t, m, "us-east-1b")
	r.Tags = []api.TagSpec{{Kind: "instance", Tags: []cloud.Tag{{Key: "z", Value: "1"}, {Key: "a", Value: "2"}}}, {Kind: "volume", Tags: []cloud.Tag{{Key: "v", Value: "3"}}}}
	list := launch1(t, m, r)
	for n, i := range list {
		if i.Index != n || i.State != cloud.Pending || i.Placement.AZ != "us-east-1b" || !api.WellFormed(i.ID, "i") {
			t.Errorf("instance %d: %+v", n, i)
		}
		if want := netip.MustParseAddr(fmt.Sprintf("172.31.16.%d", 4+n)); i.PrivateIP != want {
			t.Errorf("address %v, want %v", i.PrivateIP, want)
		}
	}
	if d := cmp.Diff([]cloud.Tag{{Key: "a", Value: "2"}, {Key: "z", Value: "1"}}, list[0].Tags); d != "" {
		t.Error(d)
	}
	states := func() string {
		p, err := m.DescribeInstances(api.Query{})
		want(t, err, "")
		var out []string
		for _, i := range p.Items {
			out = append(out, string(i.State))
		}
		return strings.Join(out, " ")
	}
	step := func(d time.Duration, want string) {
		t.Helper()
		c.pass(d)
		if got := states(); got != want {
			t.Errorf("at %v: %q, want %q", c.t, got, want)
		}
	}
	step(19*time.Second, "pending pending pending")
	step(time.Second, "running running running")
	ch, err := m.TerminateInstances([]string{list[0].ID, list[2].ID}, false)
	want(t, err, "")
	if d := cmp.Diff([]StateChange{{list[0].ID, "running", "shutting-down"}, {list[2].ID, "running", "shutting-down"}}, ch); d != "" {
		t.Error(d)
	}
	step(29*time.Second, "shutting-down running shutting-down")
	step(time.Second, "terminated running terminated")
	ch, err = m.TerminateInstances([]string{list[0].ID}, false)
	want(t, err, "")
	if ch[0].Previous != cloud.Terminated || ch[0].Current != cloud.Terminated {
		t.Errorf("again: %+v", ch)
	}
	step(time.Hour-time.Nanosecond, "terminated running terminated")
	step(time.Nanosecond, "running")
	if tags, _ := m.DescribeTags(api.Query{}); len(tags.Items) != 3 {
		t.Errorf("tags of forgotten instances stay: %v", tags.Items)
	}
}

func TestWithoutDelaysTheNextDescribeShowsTheNextState(t *testing.T) {
	m, _ := open(t, nil)
	id := launch1(t, m, basic(1))[0].ID
	if p, _ := m.DescribeInstances(api.Query{IDs: []string{id}}); p.Items[0].State != cloud.Running {
		t.Errorf("after launch: %s", p.Items[0].State)
	}
	ch, _ := m.TerminateInstances([]string{id}, false)
	if ch[0].Current != cloud.ShuttingDown {
		t.Errorf("answer: %s", ch[0].Current)
	}
	p, _ := m.DescribeInstances(api.Query{IDs: []string{id}})
	if i := p.Items[0]; i.State != cloud.Terminated || i.ReasonCode != "Client.UserInitiatedShutdown" || i.PrivateIP.IsValid() {
		t.Errorf("after termination: %+v", i)
	}
}

func TestOneUnknownIDFailsTheWholeTermination(t *testing.T) {
	m, _ := open(t, nil)
	id := launch1(t, m, basic(1))[0].ID
	_, err := m.TerminateInstances([]string{id, "i-0123456789abcdef0"}, false)
	want(t, err, "InvalidInstanceID.NotFound")
	_, err = m.TerminateInstances([]string{id, "x"}, false)
	want(t, err, "InvalidInstanceID.Malformed")
	if p, _ := m.DescribeInstances(api.Query{IDs: []string{id}}); p.Items[0].State != cloud.Running {
		t.Error("the known one was ended")
	}
}

func TestRunInstancesRefuses(t *testing.T) {
	efa := func(n int) []template.Interface {
		var out []template.Interface
		for i := range n {
			out = append(out, template.Interface{Card: i, Device: min(i, 1), Kind: "efa"})
		}
		return out
	}
	many := make([]cloud.Tag, 51)
	for i := range many {
		many[i].Key = fmt.Sprint(i)
	}
	tag := func(k, v string) func(*RunRequest) {
		return func(r *RunRequest) { r.Tags = []api.TagSpec{{Kind: "instance", Tags: []cloud.Tag{{Key: k, Value: v}}}} }
	}
	for name, c := range map[string]struct {
		change func(*RunRequest)
		code   string
	}{
		"nothing wrong":              {func(*RunRequest) {}, ""},
		"no minimum":                 {func(r *RunRequest) { r.Min = 0 }, "MissingParameter"},
		"negative minimum":           {func(r *RunRequest) { r.Min = -1 }, "InvalidParameterValue"},
		"maximum below minimum":      {func(r *RunRequest) { r.Max = 1 }, "InvalidParameterValue"},
		"unknown type":               {func(r *RunRequest) { r.Type = "hpc7a.2xlarge" }, "InvalidParameterValue"},
		"no image":                   {func(r *RunRequest) { r.ImageID = "" }, "MissingParameter"},
		"no image id":                {func(r *RunRequest) { r.ImageID = "centos" }, "InvalidAMIID.Malformed"},
		"unknown image":              {func(r *RunRequest) { r.ImageID = "ami-12345678" }, "InvalidAMIID.NotFound"},
		"image of another arch":      {func(r *RunRequest) { r.ImageID = arm }, "InvalidParameterValue"},
		"unknown subnet":             {func(r *RunRequest) { r.SubnetID = "subnet-12345678" }, "InvalidSubnetID.NotFound"},
		"unknown zone":               {func(r *RunRequest) { r.AZ = "us-east-1z" }, "InvalidParameterValue"},
		"unknown security group":     {func(r *RunRequest) { r.SecurityGroups = []string{"sg-1"} }, "InvalidGroup.NotFound"},
		"unknown placement group":    {func(r *RunRequest) { r.Group = "none" }, "InvalidPlacementGroup.Unknown"},
		"unknown template":           {func(r *RunRequest) { r.Template = &template.Ref{Name: "none"} }, "InvalidLaunchTemplateName.NotFoundException"},
		"token too long":             {func(r *RunRequest) { r.Token = strings.Repeat("x", 65) }, "InvalidClientToken"},
		"token not ASCII":            {func(r *RunRequest) { r.Token = "ä" }, "InvalidClientToken"},
		"spot of a type without it":  {func(r *RunRequest) { r.Type, r.Market = "hpc6a.48xlarge", cloud.Spot }, "Unsupported"},
		"cap below the market":       {func(r *RunRequest) { r.Market, r.MaxPrice = cloud.Spot, "0.0001" }, "SpotMaxPriceTooLow"},
		"cap above the market":       {func(r *RunRequest) { r.Market, r.MaxPrice = cloud.Spot, "9" }, ""},
		"cap that is no price":       {func(r *RunRequest) { r.Market, r.MaxPrice = cloud.Spot, "NaN" }, "InvalidParameterValue"},
		"unknown market":             {func(r *RunRequest) { r.Market = "barter" }, "InvalidParameterValue"},
		"EFA on a type without":      {func(r *RunRequest) { r.Interfaces = efa(1) }, "InvalidParameterCombination"},
		"EFA on a type with one":     {func(r *RunRequest) { r.Type, r.Interfaces = "c5n.18xlarge", efa(1) }, ""},
		"two EFA on a type with one": {func(r *RunRequest) { r.Type, r.Interfaces = "c5n.18xlarge", efa(2) }, "InvalidParameterValue"},
		"two EFA on one card": {func(r *RunRequest) {
			r.Type, r.Interfaces = "c5n.18xlarge", []template.Interface{{Kind: "efa"}, {Device: 1, Kind: "efa"}}
		}, "AttachmentLimitExceeded"},
		"four EFA on four cards":      {func(r *RunRequest) { r.Type, r.Interfaces = "p4d.24xlarge", efa(4) }, ""},
		"a slot used twice":           {func(r *RunRequest) { r.Interfaces = []template.Interface{{}, {}} }, "InvalidParameterValue"},
		"no primary interface":        {func(r *RunRequest) { r.Interfaces = []template.Interface{{Device: 1}} }, "InvalidParameterCombination"},
		"interfaces and a subnet":     {func(r *RunRequest) { r.Interfaces, r.SubnetID = []template.Interface{{}}, "subnet-1" }, "InvalidParameterCombination"},
		"interfaces and groups":       {func(r *RunRequest) { r.Interfaces, r.SecurityGroups = []template.Interface{{}}, []string{"sg-1"} }, "InvalidParameterCombination"},
		"51 tags":                     {func(r *RunRequest) { r.Tags = []api.TagSpec{{Kind: "instance", Tags: many}} }, "TagLimitExceeded"},
		"50 tags":                     {func(r *RunRequest) { r.Tags = []api.TagSpec{{Kind: "instance", Tags: many[:50]}} }, ""},
		"reserved tag":                {tag("AWS:x", ""), "InvalidParameterValue"},
		"empty tag key":               {tag("", ""), "InvalidParameterValue"},
		"tag key of 128 characters":   {tag(strings.Repeat("ä", 128), strings.Repeat("ä", 256)), ""},
		"tag key of 129 characters":   {tag(strings.Repeat("a", 129), ""), "InvalidParameterValue"},
		"tag value of 257 characters": {tag("a", strings.Repeat("a", 257)), "InvalidParameterValue"},
		"tags for what it cannot tag": {func(r *RunRequest) { r.Tags = []api.TagSpec{{Kind: "vpc", Tags: nil}} }, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := open(t, nil)
			r := basic(2)
			c.change(&r)
			_, err := m.RunInstances(r)
			want(t, err, c.code)
			p, _ := m.DescribeInstances(api.Query{})
			if c.code != "" && len(p.Items) > 0 {
				t.Error("launched all the same")
			}
			if c.code == "" && len(p.Items) != 2 {
				t.Errorf("launched %d", len(p.Items))
			}
			// What is refused, is refused in a dry run; what is not, is not done.
			m, _ = open(t, nil)
			r.DryRun = true
			_, err = m.RunInstances(r)
			if c.code == "SpotMaxPriceTooLow" { // a matter of the market, not of the request
				return
			}
			want(t, err, cmpOr(c.code, "DryRunOperation"))
			if p, _ := m.DescribeInstances(api.Query{}); len(p.Items) > 0 {
				t.Error("a dry run launched")
			}
		})
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestCapacityIsAllOrNothingUpToTheMinimum(t *testing.T) {
	pool := Pool{Type: "c6i.xlarge", AZ: "us-east-1a", Market: cloud.OnDemand}
	m, _ := open(t, func(o *Options) { o.Capacity = map[Pool]int{pool: 5} })
	r := basic(6)
	r.AZ = "us-east-1a"
	_, err := m.RunInstances(r)
	want(t, err, "InsufficientInstanceCapacity")
	if e := api.AsError(err); e.Status != 500 || !strings.Contains(e.Message, "us-east-1b, us-east-1c") {
		t.Errorf("%d %s", e.Status, e.Message)
	}
	r.Min = 2
	list := launch1(t, m, r)
	if len(list) != 5 {
		t.Fatalf("%d instances of a pool of 5", len(list))
	}
	r.Min, r.Max = 1, 1
	_, err = m.RunInstances(r)
	want(t, err, "InsufficientInstanceCapacity")
	r.Market = cloud.Spot // another pool
	launch1(t, m, r)
	r.Market = ""
	_, err = m.TerminateInstances([]string{list[0].ID}, false)
	want(t, err, "")
	launch1(t, m, r)
	// Without a zone EC2 finds one with room.
	if at := launch1(t, m, basic(8))[0].Placement.AZ; at != "us-east-1b" {
		t.Errorf("launched in %s", at)
	}
}

func TestQuota(t *testing.T) {
	m, _ := open(t, func(o *Options) { o.VCPUs = map[cloud.Market]int{cloud.OnDemand: 10, cloud.Spot: 3} })
	_, err := m.RunInstances(basic(3)) // 4 vCPUs each
	want(t, err, "VcpuLimitExceeded")
	r := basic(1)
	r.Market = cloud.Spot
	_, err = m.RunInstances(r)
	want(t, err, "MaxSpotInstanceCountExceeded")
	r = basic(1)
	r.Max = 5
	if n := len(launch1(t, m, r)); n != 2 {
		t.Errorf("%d instances within 10 vCPUs", n)
	}
}

func TestTypeThatTheZoneDoesNotSell(t *testing.T) {
	m, _ := open(t, func(o *Options) {
		o.Offered = func(_, az string) bool { return az == "us-east-1c" }
	})
	r := basic(1)
	r.AZ = "us-east-1a"
	_, err := m.RunInstances(r)
	want(t, err, "Unsupported")
	if at := launch1(t, m, basic(1))[0].Placement.AZ; at != "us-east-1c" {
		t.Errorf("launched in %s", at)
	}
}

func TestClientTokens(t *testing.T) {
	m, c := open(t, nil)
	r := basic(2)
	r.Token, r.SubnetID = "t1", subnetIn(t, m, "us-east-1a")
	first := launch1(t, m, r)
	m.SetCapacity(Pool{Type: "c6i.xlarge", AZ: "us-east-1a", Market: cloud.OnDemand}, 0)
	again := launch1(t, m, r) // no capacity is needed to answer again
	if again[0].ID != first[0].ID || again[1].ID != first[1].ID || again[0].State != cloud.Running {
		t.Errorf("again: %+v", again)
	}
	other := r
	other.Max = 3
	_, err := m.RunInstances(other)
	want(t, err, "IdempotentParameterMismatch")
	elsewhere := r
	elsewhere.SubnetID = subnetIn(t, m, "us-east-1b")
	if launch1(t, m, elsewhere)[0].ID == first[0].ID {
		t.Error("a token is known in another zone")
	}
	end := func(id string) {
		_, err := m.TerminateInstances([]string{id}, false)
		want(t, err, "")
	}
	end(first[0].ID)
	launch1(t, m, r) // one still lives
	end(first[1].ID)
	_, err = m.RunInstances(r)
	want(t, err, "IdempotentInstanceTerminated")
	c.pass(24*time.Hour - time.Nanosecond)
	_, err = m.RunInstances(r)
	want(t, err, "IdempotentInstanceTerminated")
	_, err = m.RunInstances(other)
	want(t, err, "IdempotentParameterMismatch")
	c.pass(time.Nanosecond)
	m.SetCapacity(Pool{Type: "c6i.xlarge", AZ: "us-east-1a", Market: cloud.OnDemand}, -1)
	launch1(t, m, r)
	if len(m.spent) != 0 {
		t.Errorf("%d tokens kept for ever", len(m.spent))
	}
}

func TestAFailedLaunchDoesNotUseUpItsToken(t *testing.T) {
	pool := Pool{Type: "c6i.xlarge", AZ: "us-east-1a", Market: cloud.OnDemand}
	m, _ := open(t, func(o *Options) { o.Capacity = map[Pool]int{pool: 0} })
	r := basic(1)
	r.Token, r.AZ = "t", "us-east-1a"
	_, err := m.RunInstances(r)
	want(t, err, "InsufficientInstanceCapacity")
	m.SetCapacity(pool, 1)
	launch1(t, m, r)
}

func TestAddresses(t *testing.T) {
	m, _ := open(t, func(o *Options) { o.CIDR, o.SubnetBits = netip.MustParsePrefix("127.0.0.0/16"), 24 })
	r := basic(252)
	r.SubnetID = subnetIn(t, m, "us-east-1b")
	_, err := m.RunInstances(r)
	want(t, err, "InsufficientFreeAddressesInSubnet")
	r = RunRequest{Spec: r.Spec, Min: 251, Max: 251}
	list := launch1(t, m, r)
	if a, b := list[0].PrivateIP.String(), list[250].PrivateIP.String(); a != "127.0.1.4" || b != "127.0.1.254" {
		t.Errorf("%s to %s", a, b)
	}
	_, err = m.TerminateInstances([]string{list[9].ID}, false)
	want(t, err, "")
	p, _ := m.DescribeSubnets(api.Query{IDs: []string{r.SubnetID}})
	if p.Items[0].Free != 1 {
		t.Errorf("%d free", p.Items[0].Free)
	}
	r.Min, r.Max = 1, 5 // as many as have an address
	if list := launch1(t, m, r); len(list) != 1 || list[0].PrivateIP.String() != "127.0.1.13" {
		t.Errorf("%d with %v", len(list), list[0].PrivateIP)
	}
}

func TestPlacementGroups(t *testing.T) {
	m, c := open(t, func(o *Options) { o.ShuttingDownFor = time.Minute })
	mk := func(name, strategy string, parts int) error {
		_, err := m.CreatePlacementGroup(GroupRequest{Name: name, Strategy: strategy, Partitions: parts})
		return err
	}
	want(t, mk("gang", "", 0), "")
	want(t, mk("gang", "cluster", 0), "InvalidPlacementGroup.Duplicate")
	want(t, mk("s", "spread", 0), "")
	want(t, mk("p", "partition", 3), "")
	want(t, mk("p8", "partition", 8), "InvalidParameterValue")
	want(t, mk("x", "heap", 0), "InvalidParameterValue")
	want(t, mk("c", "cluster", 2), "InvalidParameterCombination")

	r := basic(2)
	r.Group, r.AZ = "gang", "us-east-1c"
	gang := launch1(t, m, r)
	r.AZ = "us-east-1d"
	_, err := m.RunInstances(r)
	want(t, err, "InvalidPlacementGroup.InUse")
	r.AZ = ""
	if at := launch1(t, m, r)[0].Placement.AZ; at != "us-east-1c" {
		t.Errorf("the group is spread over zones: %s", at)
	}
	r.Type = "t3.micro"
	_, err = m.RunInstances(r)
	want(t, err, "InvalidParameterCombination")

	r = basic(7)
	r.Group, r.AZ = "s", "us-east-1a"
	launch1(t, m, r)
	r.Min, r.Max = 1, 1
	_, err = m.RunInstances(r)
	want(t, err, "InsufficientInstanceCapacity")
	r = basic(4)
	r.Group = "p"
	var parts []int
	for _, i := range launch1(t, m, r) {
		parts = append(parts, i.Placement.Partition)
	}
	if !slices.Equal(parts, []int{1, 2, 3, 1}) {
		t.Errorf("partitions %v", parts)
	}

	list, err := m.DescribeInstances(api.Query{Filters: []api.Filter{{Name: "placement-group-name", Values: []string{"gang"}}}})
	want(t, err, "")
	if len(list.Items) != 4 {
		t.Fatalf("%d members", len(list.Items))
	}
	want(t, m.DeletePlacementGroup("gang", false), "InvalidPlacementGroup.InUse")
	_, err = m.TerminateInstances(instanceIDs(list.Items), false)
	want(t, err, "")
	c.pass(59 * time.Second)
	want(t, m.DeletePlacementGroup("gang", false), "InvalidPlacementGroup.InUse")
	c.pass(time.Second)
	want(t, m.DeletePlacementGroup("gang", false), "")
	want(t, m.DeletePlacementGroup("gang", false), "InvalidPlacementGroup.Unknown")
	_ = gang
	for n := len(m.groups); n < 500; n++ {
		want(t, mk(fmt.Sprintf("g%d", n), "", 0), "")
	}
	want(t, mk("g500", "", 0), "PlacementGroupLimitExceeded")
	g, err := m.DescribePlacementGroups(api.Query{Filters: []api.Filter{{Name: "strategy", Values: []string{"spread"}}}}, nil)
	want(t, err, "")
	if len(g) != 1 || g[0].Name != "s" {
		t.Errorf("%v", g)
	}
}

func TestVisibilityLag(t *testing.T) {
	m, c := open(t, func(o *Options) { o.VisibilityLag = 2 * time.Second })
	want(t, func() error { _, err := m.CreatePlacementGroup(GroupRequest{Name: "g"}); return err }(), "")
	r := basic(1)
	r.Group = "g"
	_, err := m.RunInstances(r)
	want(t, err, "InvalidPlacementGroup.Unknown")
	c.pass(2 * time.Second)
	id := launch1(t, m, r)[0].ID
	_, err = m.DescribeInstances(api.Query{IDs: []string{id}})
	want(t, err, "InvalidInstanceID.NotFound")
	_, err = m.TerminateInstances([]string{id}, false)
	want(t, err, "InvalidInstanceID.NotFound")
	if p, err := m.DescribeInstances(api.Query{}); err != nil || len(p.Items) != 0 {
		t.Errorf("%v, %v", p, err)
	}
	c.pass(2 * time.Second)
	if p, err := m.DescribeInstances(api.Query{IDs: []string{id}}); err != nil || len(p.Items) != 1 {
		t.Errorf("%v, %v", p, err)
	}
}

func TestFilters(t *testing.T) {
	m, _ := open(t, nil)
	r := basic(2)
	r.Tags = []api.TagSpec{{Kind: "instance", Tags: []cloud.Tag{{Key: "cluster", Value: "hpc"}, {Key: "odd*", Value: "a?b"}}}}
	a := launch1(t, m, r)
	b := launch1(t, m, RunRequest{Spec: template.Spec{Type: "m7g.large", ImageID: arm, Market: cloud.Spot, AZ: "us-east-1f"}, Min: 1, Max: 1, Token: "tok"})
	for name, c := range map[string]struct {
		fs   []api.Filter
		n    int
		code string
	}{
		"tag":                   {[]api.Filter{{Name: "tag:cluster", Values: []string{"hpc"}}}, 2, ""},
		"tag that differs":      {[]api.Filter{{Name: "tag:cluster", Values: []string{"HPC"}}}, 0, ""},
		"tag with wildcard":     {[]api.Filter{{Name: "tag:cluster", Values: []string{"h*"}}}, 2, ""},
		"tag value, escaped":    {[]api.Filter{{Name: "tag:odd*", Values: []string{`a\?b`}}}, 2, ""},
		"escape is no wildcard": {[]api.Filter{{Name: "tag:cluster", Values: []string{`h\*`}}}, 0, ""},
		"tag-key":               {[]api.Filter{{Name: "tag-key", Values: []string{"clust?r"}}}, 2, ""},
		"values are or":         {[]api.Filter{{Name: "instance-type", Values: []string{"c6i.xlarge", "m7g.*"}}}, 3, ""},
		"filters are and":       {[]api.Filter{{Name: "instance-type", Values: []string{"*"}}, {Name: "availability-zone", Values: []string{"us-east-1f"}}}, 1, ""},
		"state":                 {[]api.Filter{{Name: "instance-state-name", Values: []string{"running", "pending"}}}, 3, ""},
		"lifecycle":             {[]api.Filter{{Name: "instance-lifecycle", Values: []string{"spot"}}}, 1, ""},
		"token":                 {[]api.Filter{{Name: "client-token", Values: []string{"tok"}}}, 1, ""},
		"id":                    {[]api.Filter{{Name: "instance-id", Values: []string{a[0].ID}}}, 1, ""},
		"subnet":                {[]api.Filter{{Name: "subnet-id", Values: []string{b[0].SubnetID}}}, 1, ""},
		"address":               {[]api.Filter{{Name: "private-ip-address", Values: []string{b[0].PrivateIP.String()}}}, 1, ""},
		"unknown":               {[]api.Filter{{Name: "colour", Values: []string{"red"}}}, 0, "InvalidParameterValue"},
		"no values":             {[]api.Filter{{Name: "tag:cluster", Values: nil}}, 0, "InvalidParameterValue"},
		"201 values":            {[]api.Filter{{Name: "tag:cluster", Values: make([]string, 201)}}, 0, "FilterLimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := m.DescribeInstances(api.Query{Filters: c.fs})
			want(t, err, c.code)
			if len(p.Items) != c.n {
				t.Errorf("%d instances, want %d", len(p.Items), c.n)
			}
		})
	}
}

func TestPagesHoldEverythingOnce(t *testing.T) {
	m, _ := open(t, nil)
	launch1(t, m, basic(23))
	var got []string
	for q := (api.Query{Max: 5}); ; {
		p, err := m.DescribeInstances(q)
		want(t, err, "")
		if len(p.Items) > 5 {
			t.Fatalf("a page of %d", len(p.Items))
		}
		got = append(got, instanceIDs(p.Items)...)
		if q.Next = p.Next; q.Next == "" {
			break
		}
		if len(got) == 10 { // what comes between pages does not shift them
			_, err := m.TerminateInstances(got[:3], false)
			want(t, err, "")
		}
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 23 {
		t.Errorf("%d instances", len(got))
	}
	for _, q := range []api.Query{{Max: 4}, {Max: 1001}, {Max: -1}} {
		_, err := m.DescribeInstances(q)
		want(t, err, "InvalidParameterValue")
	}
	_, err := m.DescribeInstances(api.Query{Next: "?"})
	want(t, err, "InvalidNextToken")
	_, err = m.DescribeInstances(api.Query{Max: 5, IDs: got[:1]})
	want(t, err, "InvalidParameterCombination")
}

func TestLaunchTemplates(t *testing.T) {
	m, _ := open(t, nil)
	data := template.Spec{Type: "c6i.xlarge", ImageID: x86, Tags: []api.TagSpec{{Kind: "instance", Tags: []cloud.Tag{{Key: "a", Value: "t"}, {Key: "b", Value: "t"}}}}}
	tpl, err := m.CreateLaunchTemplate(template.Request{Name: "burst", Data: data})
	want(t, err, "")
	_, err = m.CreateLaunchTemplate(template.Request{Name: "burst"})
	want(t, err, "InvalidLaunchTemplateName.AlreadyExistsException")
	_, err = m.CreateLaunchTemplateVersion(template.Request{Ref: template.Ref{ID: tpl.ID, Version: "1"}, Data: template.Spec{Type: "c6i.2xlarge"}})
	want(t, err, "")
	run := func(ref template.Ref, s template.Spec) Instance {
		t.Helper()
		return launch1(t, m, RunRequest{Spec: s, Min: 1, Max: 1, Template: &ref})[0]
	}
	for version, typ := range map[string]string{"": "c6i.xlarge", "$Default": "c6i.xlarge", "$Latest": "c6i.2xlarge", "2": "c6i.2xlarge"} {
		if i := run(template.Ref{Name: "burst", Version: version}, template.Spec{}); i.Type != typ || i.ImageID != x86 {
			t.Errorf("version %q: %s of %s", version, i.Type, i.ImageID)
		}
	}
	i := run(template.Ref{ID: tpl.ID}, template.Spec{Type: "m6i.large", Tags: []api.TagSpec{{Kind: "instance", Tags: []cloud.Tag{{Key: "b", Value: "r"}}}}})
	if d := cmp.Diff([]cloud.Tag{{Key: "a", Value: "t"}, {Key: "b", Value: "r"}}, i.Tags); d != "" || i.Type != "m6i.large" {
		t.Errorf("the request does not win: %s %s", i.Type, d)
	}
	vs, err := m.DescribeLaunchTemplateVersions(template.Ref{Name: "burst"}, nil)
	want(t, err, "")
	if len(vs) != 2 || vs[0].Number != 2 || !vs[1].Default || vs[1].Data.Type != "c6i.xlarge" {
		t.Errorf("%+v", vs)
	}
	for code, ref := range map[string]template.Ref{
		"InvalidLaunchTemplateId.VersionNotFound":     {Name: "burst", Version: "3"},
		"InvalidLaunchTemplateId.NotFound":            {ID: "lt-0123456789abcdef0"},
		"InvalidLaunchTemplateId.Malformed":           {ID: "burst"},
		"InvalidLaunchTemplateName.NotFoundException": {Name: "other"},
		"InvalidParameterCombination":                 {ID: tpl.ID, Name: "burst"},
		"InvalidParameterValue":                       {Name: "burst", Version: "newest"},
		"MissingParameter":                            {},
	} {
		_, err := m.RunInstances(RunRequest{Min: 1, Max: 1, Template: &ref})
		want(t, err, code)
	}
	_, err = m.DeleteLaunchTemplate(template.Ref{Name: "burst"}, false)
	want(t, err, "")
	p, err := m.DescribeLaunchTemplates(api.Query{}, nil)
	want(t, err, "")
	if len(p.Items) != 0 {
		t.Error("not deleted")
	}
}

func TestTags(t *testing.T) {
	m, _ := open(t, nil)
	id := launch1(t, m, basic(1))[0].ID
	want(t, m.CreateTags([]string{id, subnetIn(t, m, "us-east-1a")}, []cloud.Tag{{Key: "k", Value: "v"}, {Key: "a", Value: ""}}, false), "")
	want(t, m.CreateTags([]string{id, "i-0123456789abcdef0"}, []cloud.Tag{{Key: "k", Value: "w"}}, false), "InvalidInstanceID.NotFound")
	want(t, m.CreateTags([]string{"eni-1"}, []cloud.Tag{{Key: "k", Value: "w"}}, false), "InvalidID")
	want(t, m.CreateTags([]string{id}, []cloud.Tag{{Key: "k", Value: "w"}}, true), "DryRunOperation")
	p, err := m.DescribeTags(api.Query{Filters: []api.Filter{{Name: "resource-id", Values: []string{id}}}})
	want(t, err, "")
	if d := cmp.Diff([]TagDescription{{id, "instance", "a", ""}, {id, "instance", "k", "v"}}, p.Items); d != "" {
		t.Error(d)
	}
	other := "other"
	want(t, m.DeleteTags([]string{id}, []TagMatch{{Key: "k", Value: &other}, {Key: "a"}}, false), "")
	p, _ = m.DescribeTags(api.Query{Filters: []api.Filter{{Name: "resource-type", Values: []string{"instance"}}}})
	if d := cmp.Diff([]TagDescription{{id, "instance", "k", "v"}}, p.Items); d != "" {
		t.Error(d)
	}
}

func TestNetworks(t *testing.T) {
	m, _ := open(t, nil)
	v, err := m.CreateVPC("127.0.0.0/16", nil, false)
	want(t, err, "")
	s, err := m.CreateSubnet(network.SubnetRequest{VPC: v.ID, CIDR: "127.0.1.0/24", AZ: "us-east-1b"})
	want(t, err, "")
	if s.Free != 251 || s.AZID != "use1-az2" {
		t.Errorf("%+v", s)
	}
	for code, r := range map[string]network.SubnetRequest{
		"InvalidSubnet.Conflict": {VPC: v.ID, CIDR: "127.0.1.128/25"},
		"InvalidSubnet.Range":    {VPC: v.ID, CIDR: "10.0.0.0/24"},
		"InvalidVpcID.NotFound":  {VPC: "vpc-1", CIDR: "127.0.2.0/24"},
		"InvalidParameterValue":  {VPC: v.ID, CIDR: "x"},
		"MissingParameter":       {VPC: v.ID},
		"DryRunOperation":        {VPC: v.ID, CIDR: "127.0.3.0/24", DryRun: true},
	} {
		_, err := m.CreateSubnet(r)
		want(t, err, code)
	}
	r := basic(1)
	r.SubnetID = s.ID
	if ip := launch1(t, m, r)[0].PrivateIP.String(); ip != "127.0.1.4" {
		t.Error(ip)
	}
	g, err := m.CreateSecurityGroup(network.SecurityGroupRequest{Name: "efa", Description: "d", VPC: v.ID})
	want(t, err, "")
	r.SecurityGroups = []string{g.ID}
	if got := launch1(t, m, r)[0].Groups; len(got) != 1 || got[0].Name != "efa" {
		t.Errorf("%v", got)
	}
	r.SubnetID = subnetIn(t, m, "us-east-1a") // of the other VPC
	_, err = m.RunInstances(r)
	want(t, err, "InvalidParameterValue")
	for _, o := range []Options{{CIDR: netip.MustParsePrefix("10.0.0.0/8")}, {SubnetBits: 18}, {SubnetBits: 29}, {Zones: 7}, {CIDR: netip.MustParsePrefix("10.0.0.1/16")}} {
		o.Clock, o.Types = &clock{}, Catalog(catalog.Default())
		if _, err := New(o); err == nil {
			t.Errorf("took %+v", o)
		}
	}
}

func TestLookUps(t *testing.T) {
	m, _ := open(t, nil)
	p, err := m.DescribeImages(api.Query{Filters: []api.Filter{{Name: "name", Values: []string{"al2023-ami-2023.*-kernel-6.1-arm64"}}, {Name: "architecture", Values: []string{"arm64"}}}}, []string{"amazon"})
	want(t, err, "")
	if len(p.Items) != 1 || p.Items[0].ID != arm {
		t.Errorf("%+v", p.Items)
	}
	if p, _ := m.DescribeImages(api.Query{}, []string{"self"}); len(p.Items) != 0 {
		t.Errorf("own images: %v", p.Items)
	}
	types, err := m.DescribeInstanceTypes(api.Query{IDs: []string{"p4d.24xlarge"}})
	want(t, err, "")
	if len(types.Items) != 1 || types.Items[0].EFA != 4 {
		t.Errorf("%+v", types.Items)
	}
	_, err = m.DescribeInstanceTypes(api.Query{IDs: []string{"hpc7a.2xlarge"}})
	want(t, err, "InvalidInstanceType")
	_, err = m.DescribeInstanceTypes(api.Query{Max: 101})
	want(t, err, "InvalidParameterValue")
	for region, id := range map[string]string{"us-east-1": "use1-az1", "ap-northeast-2": "apne2-az1", "eu-central-1": "euc1-az1", "us-gov-west-1": "usgw1-az1"} {
		m, _ := open(t, func(o *Options) { o.Region = region })
		z, err := m.DescribeAvailabilityZones(nil)
		want(t, err, "")
		if z[0].Name != region+"a" || z[0].ID != id {
			t.Errorf("%v", z[0])
		}
	}
}

func TestOffersAndSpotPricesAreThoseOfThePools(t *testing.T) {
	m, _ := open(t, func(o *Options) {
		o.Zones = 2
		o.Offered = func(kind, az string) bool { return kind != "c6i.xlarge" || az == "us-east-1b" }
		o.SpotPrice = func(kind, az string) (float64, bool) { return 0.0625, kind != "c6i.large" }
	})
	only := func(kind string) api.Query {
		return api.Query{Filters: []api.Filter{{Name: "instance-type", Values: []string{kind}}}}
	}
	for location, places := range map[string][]string{"": {"us-east-1"}, "region": {"us-east-1"}, "availability-zone": {"us-east-1b"}, "availability-zone-id": {"use1-az2"}} {
		p, err := m.DescribeInstanceTypeOfferings(only("c6i.xlarge"), location)
		want(t, err, "")
		var got []string
		for _, o := range p.Items {
			got = append(got, o.Location)
		}
		if !slices.Equal(got, places) || p.Items[0].Type != "c6i.xlarge" {
			t.Errorf("%s: %v, want %v", location, got, places)
		}
	}
	_, err := m.DescribeInstanceTypeOfferings(api.Query{}, "outpost")
	want(t, err, "InvalidParameterValue")
	for kind, zones := range map[string]int{"c6i.2xlarge": 2, "c6i.xlarge": 1, "c6i.large": 0, "hpc7a.96xlarge": 0} { // one pool; no price; no spot market
		p, err := m.DescribeSpotPriceHistory(api.Query{}, []string{kind})
		want(t, err, "")
		if len(p.Items) != zones || zones > 0 && (p.Items[zones-1].AZ != "us-east-1b" || p.Items[0].USD != "0.062500") {
			t.Errorf("%s: %+v", kind, p.Items)
		}
	}
}

func TestInterruptedInstanceSaysWhy(t *testing.T) {
	m, _ := open(t, nil)
	id := launch1(t, m, basic(1))[0].ID
	want(t, m.Interrupt(id, "Server.SpotInstanceTermination", "Spot instance termination"), "")
	p, _ := m.DescribeInstances(api.Query{IDs: []string{id}})
	if p.Items[0].ReasonCode != "Server.SpotInstanceTermination" || p.Items[0].State != cloud.Terminated {
		t.Errorf("%+v", p.Items[0])
	}
}

func TestEveryCallIsObservedAndCounted(t *testing.T) {
	var seen []string
	m, _ := open(t, func(o *Options) {
		o.Observe = func(e Event) { seen = append(seen, e.Action+" "+e.Code+" "+e.AZ+" "+string(e.Market)) }
	})
	r := basic(1)
	r.AZ = "us-east-1d"
	launch1(t, m, r)
	r.Type = "no.such"
	_, err := m.RunInstances(r)
	want(t, err, "InvalidParameterValue")
	if d := cmp.Diff([]string{"RunInstances  us-east-1d on-demand", "RunInstances InvalidParameterValue us-east-1d on-demand"}, seen); d != "" {
		t.Error(d)
	}
	if m.Calls()["RunInstances"] != 2 {
		t.Errorf("%v", m.Calls())
	}
}

func TestIDsDependOnSeedAndKindAlone(t *testing.T) {
	first := func(seed uint64, groups int) string {
		m, _ := open(t, func(o *Options) { o.Seed = seed })
		for i := range groups {
			_, err := m.CreatePlacementGroup(GroupRequest{Name: fmt.Sprint("g", i)})
			want(t, err, "")
		}
		return launch1(t, m, basic(1))[0].ID
	}
	if first(1, 0) != first(1, 3) || first(1, 0) == first(2, 0) {
		t.Error("ids are not a function of the seed")
	}
	m, _ := open(t, nil)
	seen := map[string]bool{}
	for range 8 {
		for _, i := range launch1(t, m, basic(500)) {
			if seen[i.ID] {
				t.Fatal("an id came twice")
			}
			seen[i.ID] = true
		}
	}
}

// What was taken is given back: after any sequence of launches and endings the
// books agree with the instances that are left.
func TestBooksBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &clock{1}
		pool := Pool{Type: "c6i.xlarge", AZ: "us-east-1a", Market: cloud.OnDemand}
		m, err := New(Options{Clock: c, Types: Catalog(catalog.Default()), ShuttingDownFor: 30 * time.Second,
			Capacity: map[Pool]int{pool: 40}, VCPUs: map[cloud.Market]int{cloud.OnDemand: 200}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.CreatePlacementGroup(GroupRequest{Name: "g"}); err != nil {
			t.Fatal(err)
		}
		var live []string
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			c.pass(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			if len(live) > 0 && rapid.Bool().Draw(t, "end") {
				k := rapid.IntRange(0, len(live)-1).Draw(t, "which")
				if _, err := m.TerminateInstances(live[k:k+1], false); err != nil {
					t.Fatal(err)
				}
				live = slices.Delete(live, k, k+1)
				continue
			}
			r := RunRequest{Spec: template.Spec{Type: "c6i.xlarge", ImageID: x86, AZ: "us-east-1a", Group: "g"}, Min: rapid.IntRange(1, 20).Draw(t, "min")}
			r.Max = r.Min + rapid.IntRange(0, 20).Draw(t, "more")
			res, err := m.RunInstances(r)
			if err != nil && api.AsError(err).Code != "InsufficientInstanceCapacity" && api.AsError(err).Code != "VcpuLimitExceeded" {
				t.Fatal(err)
			}
			if err == nil && (len(res.Instances) < r.Min || len(res.Instances) > r.Max) {
				t.Fatalf("%d instances for %d to %d", len(res.Instances), r.Min, r.Max)
			}
			live = append(live, instanceIDs(res.Instances)...)
			p, err := m.DescribeInstances(api.Query{Filters: []api.Filter{{Name: "instance-state-name", Values: []string{"pending", "running", "shutting-down"}}}})
			if err != nil {
				t.Fatal(err)
			}
			n := len(p.Items)
			if m.headroom[pool] != 40-n || m.vcpus[cloud.OnDemand] != 4*n || m.group("g").members["us-east-1a"] != n || m.network.Subnets[0].Free != 4091-n {
				t.Fatalf("%d instances: %d free of 40, %d vCPUs, %d members, %d addresses", n, m.headroom[pool], m.vcpus[cloud.OnDemand], m.group("g").members["us-east-1a"], m.network.Subnets[0].Free)
			}
		}
	})
}

func BenchmarkLaunchAndTerminate64(b *testing.B) {
	m, c := open(b, nil)
	for b.Loop() {
		res, err := m.RunInstances(basic(64))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.TerminateInstances(instanceIDs(res.Instances), false); err != nil {
			b.Fatal(err)
		}
		c.pass(2 * time.Hour)
	}
}
