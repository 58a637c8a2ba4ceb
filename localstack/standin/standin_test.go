package standin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/localstack"
	"aws-slurm-burst/localstack/faultproxy"
	"aws-slurm-burst/localstack/localstacktest"
	"aws-slurm-burst/localstack/query"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/wire"
)

func TestMain(m *testing.M) { localstacktest.Main(m) }

// localStack is the real one, started once.
func localStack(t *testing.T) http.Handler {
	t.Helper()
	return faultproxy.Reverse(localstacktest.URL(t))
}

type wallClock struct{}

func (wallClock) Now() env.Time { return env.At(time.Now()) }

// imageOf holds an image of each kind of endpoint: LocalStack takes a second to
// list its own.
var imageOf = map[string]string{}

func anyImage(t *testing.T, h *Handler) string {
	t.Helper()
	kind := fmt.Sprintf("%T", h.next)
	if imageOf[kind] == "" {
		imageOf[kind] = site{t, h, ""}.good("DescribeImages", "Owner.1=amazon").Read().Get("imagesSet>item>imageId")
	}
	if imageOf[kind] == "" {
		t.Fatal("no image")
	}
	return imageOf[kind]
}

// lacking is the embedded EC2 made as poor as LocalStack is, for machines
// without one.
func lacking(t *testing.T) http.Handler {
	t.Helper()
	m, err := ec2.New(ec2.Options{Clock: wallClock{}, Types: ec2.Catalog(catalog.Default())})
	if err != nil {
		t.Fatal(err)
	}
	whole := wire.New(m)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, _, err := query.Read(r)
		if err != nil {
			t.Error(err)
		}
		unsupported := strings.Contains(form.Get("Action"), "PlacementGroup")
		for _, name := range []string{"client-token", "placement-group-name"} {
			for n := range 3 {
				unsupported = unsupported || form.Get(fmt.Sprintf("Filter.%d.Name", n+1)) == name
			}
		}
		if unsupported {
			query.Refusal(http.StatusNotImplemented, "InternalFailure", "not implemented").Send(w)
			return
		}
		if form.Get("Action") == "RunInstances" {
			form.Set("MaxCount", form.Get("MinCount"))
			for _, ignored := range []string{"ClientToken", "Placement.GroupName", "Placement.GroupId"} {
				form.Del(ignored)
			}
		}
		query.Ask(whole, r, form).Send(w)
	})
}

// site is an endpoint with stand-ins.
type site struct {
	*testing.T
	h     *Handler
	image string
}

// onBoth runs a test before the embedded endpoint made poor, and before
// LocalStack.
func onBoth(t *testing.T, test func(t *testing.T, s site)) {
	t.Helper()
	for name, endpoint := range map[string]func(*testing.T) http.Handler{"embedded made poor": lacking, "LocalStack": localStack} {
		t.Run(name, func(t *testing.T) { test(t, open(t, endpoint(t))) })
	}
}

func open(t *testing.T, endpoint http.Handler) site {
	t.Helper()
	needed, err := Needed(t.Context(), endpoint)
	if err != nil || !needed {
		t.Fatalf("stand-ins needed: %v, %v", needed, err)
	}
	s := site{t, New(endpoint), ""}
	if needed, err := Needed(t.Context(), s.h); err != nil || needed {
		t.Fatalf("stand-ins before stand-ins: %v, %v", needed, err)
	}
	s.image = anyImage(t, s.h)
	return s
}

func (s site) ask(action string, params ...string) *query.Answer {
	s.Helper()
	form := url.Values{"Action": {action}}
	for _, p := range params {
		k, v, _ := strings.Cut(p, "=")
		form.Set(k, v)
	}
	return query.Ask(s.h, httptest.NewRequest("POST", "/", nil).WithContext(s.Context()), form)
}

// good is an answer that has to be one.
func (s site) good(action string, params ...string) *query.Answer {
	s.Helper()
	a := s.ask(action, params...)
	if !a.OK() {
		s.Fatalf("%s %v: %d %s", action, params, a.Status, a.Body())
	}
	return a
}

func (s site) refused(code, action string, params ...string) {
	s.Helper()
	if a := s.ask(action, params...); a.Code() != code {
		s.Errorf("%s %v: %d %s, want %s", action, params, a.Status, a.Code(), code)
	}
}

// launch are the parameters of one, and more.
func (s site) launch(least, most int, more ...string) []string {
	return append([]string{"ImageId=" + s.image, "InstanceType=c6i.xlarge", fmt.Sprint("MinCount=", least), fmt.Sprint("MaxCount=", most)}, more...)
}

func (s site) end(ids []string) {
	s.Helper()
	var params []string
	for n, id := range ids {
		params = append(params, fmt.Sprintf("InstanceId.%d=%s", n+1, id))
	}
	if got := s.good("TerminateInstances", params...).Instances(); len(got) != len(ids) {
		s.Errorf("%d ids were to be ended, the answer names %v", len(ids), got)
	}
}

// shown are the ids in a DescribeInstances answer.
func (s site) shown(params ...string) []string {
	s.Helper()
	return slices.Sorted(slices.Values(s.good("DescribeInstances", params...).Instances()))
}

func sorted(ids []string) []string { return slices.Sorted(slices.Values(ids)) }

func TestPlacementGroups(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		s.good("CreatePlacementGroup", "GroupName=a", "Strategy=cluster", "TagSpecification.1.ResourceType=placement-group",
			"TagSpecification.1.Tag.1.Key=cluster", "TagSpecification.1.Tag.1.Value=x")
		id := s.good("CreatePlacementGroup", "GroupName=b", "Strategy=partition", "PartitionCount=3").Read().Get("placementGroup>groupId")
		names := func(params ...string) (out []string) {
			for _, g := range s.good("DescribePlacementGroups", params...).Read().Items("placementGroupSet") {
				out = append(out, g.Get("groupName")+" "+g.Get("strategy")+g.Get("partitionCount")+" "+g.Get("state"))
			}
			return out
		}
		a, b := []string{"a cluster available"}, []string{"b partition3 available"}
		for params, want := range map[string][]string{
			"":                               {a[0], b[0]},
			"GroupName.1=b":                  b,
			"GroupId.1=" + id:                b,
			"Filter.1.Name=group-name=a":     a,
			"Filter.1.Name=tag:cluster=x":    a,
			"Filter.1.Name=tag:cluster=y":    nil,
			"Filter.1.Name=tag-key=clus*":    a,
			"Filter.1.Name=strategy=cluster": a,
			"Filter.1.Name=state=deleted":    nil,
		} {
			var list []string
			if name, value, filter := strings.Cut(strings.TrimPrefix(params, "Filter.1.Name="), "="); filter && strings.HasPrefix(params, "Filter") {
				list = []string{"Filter.1.Name=" + name, "Filter.1.Value.1=" + value}
			} else if params != "" {
				list = []string{params}
			}
			if d := cmp.Diff(want, names(list...)); d != "" {
				t.Errorf("%s: %s", params, d)
			}
		}
		s.refused("InvalidPlacementGroup.Duplicate", "CreatePlacementGroup", "GroupName=a")
		s.refused("InvalidPlacementGroup.Unknown", "DescribePlacementGroups", "GroupName.1=c")
		s.refused("InvalidPlacementGroup.Unknown", "DeletePlacementGroup", "GroupName=c")
		s.refused("InvalidParameterValue", "DescribePlacementGroups", "Filter.1.Name=colour", "Filter.1.Value.1=red")
		s.refused("InvalidParameterValue", "CreatePlacementGroup", "GroupName=c", "Strategy=near")
		s.refused("InvalidParameterValue", "CreatePlacementGroup", "GroupName=c", "Strategy=partition", "PartitionCount=8")
		s.refused("MissingParameter", "CreatePlacementGroup")
		s.refused("DryRunOperation", "CreatePlacementGroup", "GroupName=c", "DryRun=true")
		s.refused("DryRunOperation", "DeletePlacementGroup", "GroupName=a", "DryRun=true")
		if d := cmp.Diff([]string{a[0], b[0]}, names()); d != "" {
			t.Errorf("after refusals: %s", d)
		}
	})
}

func TestAGroupIsInUseUntilItsInstancesAreTerminated(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		s.refused("InvalidPlacementGroup.Unknown", "RunInstances", s.launch(1, 1, "Placement.GroupName=g")...)
		id := s.good("CreatePlacementGroup", "GroupName=g").Read().Get("placementGroup>groupId")
		alone := s.good("RunInstances", s.launch(1, 1)...).Instances()
		by := map[string]string{"Placement.GroupName=g": "", "Placement.GroupId=" + id: ""}
		var ids []string
		for param := range by {
			a := s.good("RunInstances", s.launch(2, 2, param)...)
			for _, i := range a.Read().Items("instancesSet") {
				if i.Get("placement>groupName") != "g" || i.Get("placement>availabilityZone") == "" {
					t.Errorf("%s: %s", param, i.Bytes())
				}
			}
			ids = append(ids, a.Instances()...)
		}
		if d := cmp.Diff(sorted(ids), s.shown("Filter.1.Name=instance-state-name", "Filter.1.Value.1=running", "Filter.1.Value.2=pending", "Filter.2.Name=placement-group-name", "Filter.2.Value.1=g")); d != "" {
			t.Errorf("by the filter: %s", d)
		}
		for id, group := range map[string]string{ids[0]: "g", alone[0]: ""} {
			if got := s.good("DescribeInstances", "InstanceId.1="+id).Read().Get("reservationSet>item>instancesSet>item>placement>groupName"); got != group {
				t.Errorf("%s is shown in group %q", id, got)
			}
		}
		s.refused("InvalidPlacementGroup.InUse", "DeletePlacementGroup", "GroupName=g")
		s.end(ids[:3])
		s.refused("InvalidPlacementGroup.InUse", "DeletePlacementGroup", "GroupName=g")
		s.end(append(ids, alone...))
		s.good("DeletePlacementGroup", "GroupName=g")
		s.refused("InvalidPlacementGroup.Unknown", "RunInstances", s.launch(1, 1, "Placement.GroupName=g")...)
	})
}

func TestATokenLaunchesOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		token := "ClientToken=" + t.Name()
		first := s.good("RunInstances", s.launch(3, 3, token)...)
		again := s.good("RunInstances", s.launch(3, 3, token)...)
		ids := first.Instances()
		if d := cmp.Diff(ids, again.Instances()); d != "" || len(ids) != 3 {
			t.Errorf("the same again: %s", d)
		}
		if a, b := first.Read().Get("reservationId"), again.Read().Get("reservationId"); a == "" || a != b {
			t.Errorf("reservations %q and %q", a, b)
		}
		if strings.HasSuffix(t.Name(), "LocalStack") { // the poor endpoint forgets tokens
			if d := cmp.Diff(sorted(ids), s.shown("Filter.1.Name=client-token", "Filter.1.Value.1="+t.Name())); d != "" {
				t.Errorf("by the filter: %s", d)
			}
		}
		if got := s.shown("Filter.1.Name=client-token", "Filter.1.Value.1=nobody's"); got != nil {
			t.Errorf("a token nobody used finds %v", got)
		}
		s.refused("IdempotentParameterMismatch", "RunInstances", s.launch(2, 2, token)...)
		s.refused("DryRunOperation", "RunInstances", s.launch(2, 2, token, "DryRun=true")...)
		s.end(ids[:2])
		if got := s.good("RunInstances", s.launch(3, 3, token)...).Instances(); len(got) != 3 {
			t.Errorf("after two ended: %v", got)
		}
		s.end(ids)
		s.refused("IdempotentInstanceTerminated", "RunInstances", s.launch(3, 3, token)...)
		// The same token in two zones is two tokens.
		subnet := func(az string) string {
			return "SubnetId=" + s.good("DescribeSubnets", "Filter.1.Name=availability-zone", "Filter.1.Value.1="+az).Read().Get("subnetSet>item>subnetId")
		}
		for _, az := range []string{"us-east-1a", "us-east-1b"} {
			s.end(s.good("RunInstances", s.launch(1, 1, token+"2", subnet(az))...).Instances())
		}
	})
}

func TestARefusedLaunchLeavesItsTokenFree(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		token := "ClientToken=" + t.Name()
		s.refused("InvalidPlacementGroup.Unknown", "RunInstances", s.launch(1, 1, token, "Placement.GroupName=none")...)
		s.end(s.good("RunInstances", s.launch(1, 1, token)...).Instances())
	})
}

func TestCallsWithOneTokenAtOnceAreOneLaunch(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		answers := make([][]string, 8)
		var all sync.WaitGroup
		for n := range answers {
			all.Go(func() {
				answers[n] = s.ask("RunInstances", s.launch(2, 2, "ClientToken="+t.Name())...).Instances()
			})
		}
		all.Wait()
		for _, ids := range answers {
			if d := cmp.Diff(answers[0], ids); d != "" || len(ids) != 2 {
				t.Errorf("%v: %s", ids, d)
			}
		}
		s.end(answers[0])
	})
}

func TestLaunchesTakeTurns(t *testing.T) {
	var under, most atomic.Int32
	h := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, _, _ := query.Read(r)
		if form.Get("Action") == "RunInstances" {
			most.Store(max(most.Load(), under.Add(1)))
			time.Sleep(time.Millisecond)
			under.Add(-1)
		}
		query.Document(query.Root(form.Get("Action"))).Send(w)
	}))
	s := site{t, h, "ami-1"}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { s.ask("RunInstances", s.launch(1, 1)...) })
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d launches at once", most.Load())
	}
}

func TestAsManyAreLaunchedAsAreWanted(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		a := s.good("RunInstances", s.launch(1, 4)...)
		if got := a.Instances(); len(got) != 4 {
			t.Errorf("%v", got)
		}
		for n, i := range a.Read().Items("instancesSet") {
			if i.Get("amiLaunchIndex") != fmt.Sprint(n) {
				t.Errorf("instance %d has index %s", n, i.Get("amiLaunchIndex"))
			}
		}
		s.refused("InvalidParameterValue", "RunInstances", s.launch(4, 1)...)
		s.end(a.Instances())
	})
}

func TestAnInstanceMayBeEndedTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		subnet := s.good("DescribeSubnets", "Filter.1.Name=default-for-az", "Filter.1.Value.1=true").Read().Get("subnetSet>item>subnetId")
		ids := s.good("RunInstances", s.launch(3, 3, "NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.SubnetId="+subnet)...).Instances()
		live := []string{"Filter.1.Name=instance-state-name", "Filter.1.Value.1=running", "Filter.1.Value.2=pending", "Filter.2.Name=instance-id"}
		for n, id := range ids {
			live = append(live, fmt.Sprintf("Filter.2.Value.%d=%s", n+1, id))
		}
		s.end(ids[:1])
		for range 2 {
			s.end(ids)
			if got := s.shown(live...); got != nil {
				t.Errorf("%v live on", got)
			}
		}
		s.refused("InvalidInstanceID.NotFound", "TerminateInstances", "InstanceId.1=i-0123456789abcdef0")
	})
}

func TestInstancesAreFoundByTheirTags(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		tagged := func(values ...string) []string {
			params := []string{"TagSpecification.1.ResourceType=instance"}
			for n, kv := range values {
				k, v, _ := strings.Cut(kv, "=")
				params = append(params, fmt.Sprintf("TagSpecification.1.Tag.%d.Key=%s", n+1, k), fmt.Sprintf("TagSpecification.1.Tag.%d.Value=%s", n+1, v))
			}
			return s.good("RunInstances", s.launch(1, 1, params...)...).Instances()
		}
		a := tagged("tagtest=a", "role=x*y")
		b := tagged("tagtest=b", "role=xzy")
		both := sorted(append(slices.Clone(a), b...))
		for filters, want := range map[string][]string{
			"tag:tagtest=a":                                  a,
			"tag:tagtest=a|b":                                both,
			"tag:tagtest=?":                                  both,
			"tag:tagtest=c":                                  nil,
			"tag:tagtest=":                                   nil,
			`tag:tagtest=a|b;tag:role=x\*y`:                  a,
			"tag:tagtest=a|b;tag:role=x*y":                   both,
			"tag:tagtest=a;tag:role=xzy":                     nil,
			"tag:tagtest=a|b;instance-state-name=terminated": nil,
			"tag:Tagtest=a":                                  nil,
		} {
			form := url.Values{}
			for f := range strings.SplitSeq(filters, ";") {
				name, values, _ := strings.Cut(f, "=")
				query.AppendFilter(form, name, strings.Split(values, "|")...)
			}
			var params []string
			for k := range form {
				params = append(params, k+"="+form.Get(k))
			}
			if d := cmp.Diff(want, s.shown(params...)); d != "" {
				t.Errorf("%s: %s", filters, d)
			}
		}
		s.refused("InvalidInstanceID.NotFound", "DescribeInstances", "InstanceId.1=i-0123456789abcdef0", "Filter.1.Name=tag:tagtest", "Filter.1.Value.1=c")
		s.end(both)
	})
}

func TestImagesAreAskedForUntilOneChanges(t *testing.T) {
	asked := 0
	h := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, _, _ := query.Read(r)
		switch {
		case form.Get("Action") != "DescribeImages":
			query.Document(query.Root(form.Get("Action"))).Send(w)
		case form.Get("ImageId.1") == "ami-0":
			asked++
			query.Refusal(400, "InvalidAMIID.NotFound", "").Send(w)
		default:
			asked++
			query.Document(query.Root("DescribeImages", query.Text("asked", fmt.Sprint(asked)))).Send(w)
		}
	}))
	s := site{t, h, ""}
	for _, c := range []struct {
		call string
		want int // times asked so far
	}{
		{"DescribeImages", 1}, {"DescribeImages", 1}, {"DescribeImages Owner.1=amazon", 2}, {"DescribeImages Owner.1=amazon", 2},
		{"DescribeImages ImageId.1=ami-0", 3}, {"DescribeImages ImageId.1=ami-0", 4},
		{"DescribeTags", 4}, {"DescribeImages", 4}, {"CreateTags ResourceId.1=ami-1", 4}, {"DescribeImages", 5},
		{"RegisterImage", 5}, {"DescribeImages", 6}, {"DeregisterImage", 6}, {"DescribeImages", 7}, {"DescribeImages", 7},
	} {
		call := strings.Fields(c.call)
		if s.ask(call[0], call[1:]...); asked != c.want {
			t.Errorf("%s: asked %d times, want %d", c.call, asked, c.want)
			asked = c.want
		}
	}
}

func TestAnImageHasToExist(t *testing.T) {
	onBoth(t, func(t *testing.T, s site) {
		s.refused("InvalidAMIID.NotFound", "RunInstances", "ImageId=ami-0123456789abcdef0", "InstanceType=c6i.xlarge", "MinCount=1", "MaxCount=1")
	})
}

// LocalStack alone: the embedded endpoint makes no subnets and has no fleets.
func TestAFullSubnetRefusesAndLeavesNothing(t *testing.T) {
	s := open(t, localStack(t))
	vpc := s.good("DescribeVpcs").Read().Get("vpcSet>item>vpcId")
	subnet := s.good("CreateSubnet", "VpcId="+vpc, "CidrBlock=172.31.250.0/28").Read().Get("subnet>subnetId")
	in := "SubnetId=" + subnet
	ids := s.good("RunInstances", s.launch(8, 8, in)...).Instances()
	s.refused("InsufficientFreeAddressesInSubnet", "RunInstances", s.launch(4, 4, in)...)
	rest := s.good("RunInstances", s.launch(1, 9, in)...).Instances() // a /28 has 11 addresses to give
	if len(rest) != 3 {
		t.Errorf("%d of the last 3 addresses were used", len(rest))
	}
	s.refused("InsufficientFreeAddressesInSubnet", "RunInstances", s.launch(1, 1, in)...)
	if got := s.shown("Filter.1.Name=subnet-id", "Filter.1.Value.1="+subnet); len(got) != 11 {
		t.Errorf("%d instances are in it", len(got))
	}
	s.end(append(ids, rest...))
}

func TestAnInstantFleetIsNamedWhole(t *testing.T) {
	s := open(t, localStack(t))
	s.good("CreateLaunchTemplate", "LaunchTemplateName="+t.Name(), "LaunchTemplateData.ImageId="+s.image, "LaunchTemplateData.InstanceType=c6i.large")
	fleet := func(more ...string) []string {
		return append([]string{"Type=instant", "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName=" + t.Name(),
			"LaunchTemplateConfigs.1.LaunchTemplateSpecification.Version=$Latest", override + "InstanceType=c6i.xlarge",
			override + "AvailabilityZone=us-east-1c", "LaunchTemplateConfigs.1.Overrides.2.InstanceType=c6i.2xlarge"}, more...)
	}
	for name, c := range map[string]struct {
		params []string
		want   map[string]int
	}{
		"on demand":           {[]string{target + "TotalTargetCapacity=3"}, map[string]int{"on-demand": 3}},
		"spot":                {[]string{target + "TotalTargetCapacity=3", target + "DefaultTargetCapacityType=spot"}, map[string]int{"spot": 3}},
		"spot alone, said so": {[]string{target + "TotalTargetCapacity=2", target + "SpotTargetCapacity=2"}, map[string]int{"spot": 2}},
		"both": {[]string{target + "TotalTargetCapacity=5", target + "SpotTargetCapacity=2", target + "OnDemandTargetCapacity=2",
			target + "DefaultTargetCapacityType=on-demand"}, map[string]int{"spot": 2, "on-demand": 3}},
	} {
		t.Run(name, func(t *testing.T) {
			params := fleet(append(c.params, "ClientToken="+t.Name())...)
			a := s.good("CreateFleet", params...)
			got := map[string]int{}
			var ids []string
			for _, item := range a.Read().Items("fleetInstanceSet") {
				market := item.Get("lifecycle")
				for _, id := range item.Items("instanceIds") {
					got[market]++
					ids = append(ids, id.Value)
					i := s.good("DescribeInstances", "InstanceId.1="+id.Value).Read().At("reservationSet>item>instancesSet>item")
					if spot := i.Get("instanceLifecycle") == "spot"; spot != (market == "spot") || i.Get("instanceType") != "c6i.xlarge" || i.Get("placement>availabilityZone") != "us-east-1c" {
						t.Errorf("named %s, it is: %s", market, i.Bytes())
					}
				}
				if item.Get("launchTemplateAndOverrides>overrides>instanceType") != "c6i.xlarge" {
					t.Errorf("%s", item.Bytes())
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if again := s.good("CreateFleet", params...); string(again.Body()) != string(a.Body()) {
				t.Errorf("the same token again: %s", again.Body())
			}
			s.refused("IdempotentParameterMismatch", "CreateFleet", append(params, target+"TotalTargetCapacity=9")...)
			s.end(ids)
		})
	}
}

// boto3 comes with LocalStack: a client that nobody here wrote.
func TestBoto3FindsNothingMissing(t *testing.T) {
	front := httptest.NewServer(New(localStack(t)))
	defer front.Close()
	cmd := exec.CommandContext(t.Context(), filepath.Join(localstack.DefaultDir(), "bin", "python"), "-I", "testdata/gang.py", front.URL)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true"}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "ok\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWhatIsNotMendedPassesThrough(t *testing.T) {
	var seen []string
	h := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, body, _ := query.Read(r)
		seen = append(seen, r.Method+" "+r.URL.Path+" "+string(body))
		w.WriteHeader(http.StatusTeapot)
	}))
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "/_localstack/health", nil),
		httptest.NewRequest("POST", "/", strings.NewReader("Action=DescribeVpcs&x=%zz")),
		httptest.NewRequest("POST", "/", strings.NewReader("Action=CreateFleet&Type=maintain")),
		httptest.NewRequest("POST", "/", strings.NewReader("Action=DescribeInstances")),
	} {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusTeapot {
			t.Errorf("%s: %d", r.URL, w.Code)
		}
	}
	if d := cmp.Diff([]string{"GET /_localstack/health ", "POST / Action=DescribeVpcs&x=%zz", "POST / Action=CreateFleet&Type=maintain", "POST / Action=DescribeInstances"}, seen); d != "" {
		t.Error(d)
	}
}

func TestNeededSaysWhereNobodyAnswers(t *testing.T) {
	nobody := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	if _, err := Needed(t.Context(), nobody); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("%v", err)
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("Action=RunInstances&MinCount=1&MaxCount=3&ClientToken=t&Placement.GroupName=g")
	f.Add("Action=CreatePlacementGroup&GroupName=g&TagSpecification.1.ResourceType=placement-group&TagSpecification.1.Tag.1.Key=k")
	f.Add("Action=DescribeInstances&Filter.1.Name=client-token&Filter.1.Value.1=*")
	f.Add("Action=CreateFleet&Type=instant&TargetCapacitySpecification.TotalTargetCapacity=2")
	f.Fuzz(func(t *testing.T, body string) {
		endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			query.Document(query.Root("X", query.Elem("reservationSet", query.Elem("item", query.Elem("instancesSet",
				query.Elem("item", query.Text("instanceId", "i-1"))))))).Send(w)
		})
		w := httptest.NewRecorder()
		New(endpoint).ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(body)))
		if w.Code < 200 || w.Code > 599 {
			t.Fatalf("status %d", w.Code)
		}
	})
}
