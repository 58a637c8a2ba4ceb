package wire

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/port"
)

const x86 = "ami-0a120230000086640"

type clock struct{ t env.Time }

func (c *clock) Now() env.Time { return c.t }

func endpoint(t testing.TB) *Handler {
	t.Helper()
	m, err := ec2.New(ec2.Options{
		Clock: &clock{env.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))}, Types: ec2.Catalog(catalog.Default()),
		CIDR: netip.MustParsePrefix("127.0.0.0/16"), SubnetBits: 24,
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(m)
}

// ask posts an action and decodes the answer into out. It returns the status
// and the error's code.
func ask(t testing.TB, h http.Handler, out any, action string, params ...string) (int, string) {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for _, p := range params {
		k, v, _ := strings.Cut(p, "=")
		form.Set(k, v)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://ec2.us-east-1.amazonaws.com/", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	res, err := Client(h, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 {
		var e struct {
			XMLName xml.Name `xml:"Response"`
			Code    string   `xml:"Errors>Error>Code"`
			Message string   `xml:"Errors>Error>Message"`
			ID      string   `xml:"RequestID"`
		}
		if err := xml.Unmarshal(body, &e); err != nil || e.Message == "" || e.ID == "" {
			t.Fatalf("%s: %v: %s", action, err, body)
		}
		return res.StatusCode, e.Code
	}
	if out != nil {
		if err := xml.Unmarshal(body, out); err != nil {
			t.Fatalf("%s: %v: %s", action, err, body)
		}
	}
	return 200, ""
}

type instance struct {
	ID       string `xml:"instanceId"`
	State    string `xml:"instanceState>name"`
	Code     int    `xml:"instanceState>code"`
	Index    int    `xml:"amiLaunchIndex"`
	IP       string `xml:"privateIpAddress"`
	AZ       string `xml:"placement>availabilityZone"`
	Group    string `xml:"placement>groupName"`
	Market   string `xml:"instanceLifecycle"`
	Launched string `xml:"launchTime"`
	Profile  string `xml:"iamInstanceProfile>arn"`
	Tags     []struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	} `xml:"tagSet>item"`
	NICs []struct {
		Kind string `xml:"interfaceType"`
		Card int    `xml:"attachment>networkCardIndex"`
		Dev  int    `xml:"attachment>deviceIndex"`
		SG   string `xml:"groupSet>item>groupName"`
	} `xml:"networkInterfaceSet>item"`
}

type launched struct {
	XMLName   xml.Name   `xml:"http://ec2.amazonaws.com/doc/2016-11-15/ RunInstancesResponse"`
	RequestID string     `xml:"requestId"`
	Instances []instance `xml:"instancesSet>item"`
}

type described struct {
	XMLName      xml.Name `xml:"http://ec2.amazonaws.com/doc/2016-11-15/ DescribeInstancesResponse"`
	Reservations []struct {
		Instances []instance `xml:"instancesSet>item"`
	} `xml:"reservationSet>item"`
	Next string `xml:"nextToken"`
}

func firstSubnet(t testing.TB, h http.Handler, az string) string {
	t.Helper()
	var out struct {
		IDs []string `xml:"subnetSet>item>subnetId"`
	}
	ask(t, h, &out, "DescribeSubnets", "Filter.1.Name=availability-zone", "Filter.1.Value.1="+az, "Filter.2.Name=default-for-az", "Filter.2.Value.1=true")
	if len(out.IDs) != 1 {
		t.Fatalf("subnets: %v", out.IDs)
	}
	return out.IDs[0]
}

func TestAWholeLaunch(t *testing.T) {
	h := endpoint(t)
	if s, c := ask(t, h, nil, "CreatePlacementGroup", "GroupName=gang", "Strategy=cluster", "TagSpecification.1.ResourceType=placement-group", "TagSpecification.1.Tag.1.Key=cluster", "TagSpecification.1.Tag.1.Value=hpc"); s != 200 {
		t.Fatal(c)
	}
	subnet := firstSubnet(t, h, "us-east-1b")
	params := []string{
		"ImageId=" + x86, "InstanceType=p4d.24xlarge", "MinCount=2", "MaxCount=2", "ClientToken=tok",
		"InstanceMarketOptions.MarketType=spot", "InstanceMarketOptions.SpotOptions.MaxPrice=50", "InstanceMarketOptions.SpotOptions.SpotInstanceType=one-time",
		"Placement.GroupName=gang", "IamInstanceProfile.Name=node",
		"NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.NetworkCardIndex=0", "NetworkInterface.1.SubnetId=" + subnet, "NetworkInterface.1.InterfaceType=efa",
		"NetworkInterface.2.DeviceIndex=1", "NetworkInterface.2.NetworkCardIndex=1", "NetworkInterface.2.SubnetId=" + subnet, "NetworkInterface.2.InterfaceType=efa-only",
		"TagSpecification.1.ResourceType=instance", "TagSpecification.1.Tag.1.Key=b", "TagSpecification.1.Tag.1.Value=<&\"é>", "TagSpecification.1.Tag.2.Key=a", "TagSpecification.1.Tag.2.Value=1",
	}
	var out launched
	if s, c := ask(t, h, &out, "RunInstances", params...); s != 200 {
		t.Fatal(c)
	}
	if len(out.Instances) != 2 || out.RequestID == "" {
		t.Fatalf("%+v", out)
	}
	i := out.Instances[1]
	if i.State != "pending" || i.Index != 1 || i.IP != "127.0.1.5" || i.AZ != "us-east-1b" || i.Group != "gang" || i.Market != "spot" || i.Launched != "2026-11-23T12:00:00.000Z" || i.Profile != "arn:aws:iam::000000000000:instance-profile/node" {
		t.Errorf("%+v", i)
	}
	if len(i.Tags) != 2 || i.Tags[1].Key != "b" || i.Tags[1].Value != "<&\"é>" {
		t.Errorf("tags %+v", i.Tags)
	}
	if len(i.NICs) != 2 || i.NICs[0].Kind != "efa" || i.NICs[1].Kind != "efa-only" || i.NICs[1].Card != 1 || i.NICs[1].Dev != 1 || i.NICs[0].SG != "default" {
		t.Errorf("interfaces %+v", i.NICs)
	}
	var again launched
	ask(t, h, &again, "RunInstances", params...)
	if len(again.Instances) != 2 || again.Instances[1].ID != i.ID {
		t.Errorf("the same token launched again: %+v", again)
	}
	if s, c := ask(t, h, nil, "RunInstances", append(params, "MaxCount=3")...); s != 400 || c != "IdempotentParameterMismatch" {
		t.Errorf("%d %s", s, c)
	}
	ask(t, h, nil, "RunInstances", "ImageId="+x86, "InstanceType=c6i.large", "MinCount=1", "MaxCount=1")
	var all described
	ask(t, h, &all, "DescribeInstances", "MaxResults=1000")
	if len(all.Reservations) != 2 || len(all.Reservations[0].Instances) != 2 || len(all.Reservations[1].Instances) != 1 {
		t.Errorf("reservations %+v", all.Reservations)
	}
	var some described
	ask(t, h, &some, "DescribeInstances", "Filter.1.Name=tag:a", "Filter.1.Value.1=0", "Filter.1.Value.2=1", "Filter.2.Name=instance-state-name", "Filter.2.Value.1=running")
	if len(some.Reservations) != 1 || some.Reservations[0].Instances[0].Code != 16 {
		t.Errorf("filtered %+v", some.Reservations)
	}
	var ended struct {
		Items []struct {
			ID   string `xml:"instanceId"`
			Now  string `xml:"currentState>name"`
			Then string `xml:"previousState>name"`
		} `xml:"instancesSet>item"`
	}
	ask(t, h, &ended, "TerminateInstances", "InstanceId.1="+i.ID)
	if len(ended.Items) != 1 || ended.Items[0].Now != "shutting-down" || ended.Items[0].Then != "running" {
		t.Errorf("%+v", ended)
	}
}

func TestPagesOverTheWire(t *testing.T) {
	h := endpoint(t)
	ask(t, h, nil, "RunInstances", "ImageId="+x86, "InstanceType=c6i.large", "MinCount=12", "MaxCount=12")
	seen, next := map[string]bool{}, ""
	for pages := 1; ; pages++ {
		var d described
		params := []string{"MaxResults=5"}
		if next != "" {
			params = append(params, "NextToken="+next)
		}
		ask(t, h, &d, "DescribeInstances", params...)
		for _, r := range d.Reservations {
			for _, i := range r.Instances {
				seen[i.ID] = true
			}
		}
		if next = d.Next; next == "" {
			if pages != 3 || len(seen) != 12 {
				t.Errorf("%d instances on %d pages", len(seen), pages)
			}
			return
		}
	}
}

func TestErrorsHaveEC2sCodesAndStatuses(t *testing.T) {
	h := endpoint(t)
	for _, c := range []struct {
		action string
		params []string
		status int
		code   string
	}{
		{"RunInstances", nil, 400, "MissingParameter"},
		{"RunInstances", []string{"MinCount=x", "MaxCount=1"}, 400, "InvalidParameterValue"},
		{"RunInstances", []string{"MinCount=99999999999", "MaxCount=1"}, 400, "InvalidParameterValue"},
		{"RunInstances", []string{"MinCount=1", "MaxCount=1", "ImageId=" + x86, "InstanceType=c6i.large", "DryRun=true"}, 412, "DryRunOperation"},
		{"RunInstances", []string{"MinCount=1", "MaxCount=1", "ImageId=" + x86, "InstanceType=c6i.large", "DryRun=maybe"}, 400, "InvalidParameterValue"},
		{"RunInstances", []string{"MinCount=1", "MaxCount=1", "LaunchTemplate.LaunchTemplateName=no"}, 400, "InvalidLaunchTemplateName.NotFoundException"},
		{"RunInstances", []string{"MinCount=1", "MaxCount=1", "ImageId=" + x86, "InstanceType=p4d.24xlarge", "NetworkInterface.1.DeviceIndex=-1"}, 400, "InvalidParameterValue"},
		{"DescribeInstances", []string{"DryRun=true"}, 412, "DryRunOperation"},
		{"DescribeInstances", []string{"InstanceId.1=i-0123456789abcdef0"}, 400, "InvalidInstanceID.NotFound"},
		{"DescribeInstances", []string{"MaxResults=0"}, 400, "InvalidParameterValue"},
		{"DescribeInstances", []string{"Filter.1.Name=x", "Filter.1.Value.1=y"}, 400, "InvalidParameterValue"},
		{"DescribeInstances", []string{"A.1.2.3.4.5.6.7.8.9=x"}, 400, "UnknownParameter"},
		{"TerminateInstances", nil, 400, "MissingParameter"},
		{"DeletePlacementGroup", []string{"GroupName=no"}, 400, "InvalidPlacementGroup.Unknown"},
		{"DescribeKeyPairs", []string{"KeyName.1=k"}, 400, "InvalidKeyPair.NotFound"},
		{"StopInstances", nil, 400, "InvalidAction"},
		{"", nil, 400, "MissingAction"},
		{"DescribeVpcs", []string{"Version=2001-01-01"}, 400, "NoSuchVersion"},
	} {
		if s, code := ask(t, h, nil, c.action, c.params...); s != c.status || code != c.code {
			t.Errorf("%s %v: %d %s, want %d %s", c.action, c.params, s, code, c.status, c.code)
		}
	}
}

func TestRequestsThatAreNoForm(t *testing.T) {
	h := endpoint(t)
	for _, c := range []struct {
		method, target, kind, body string
		status                     int
	}{
		{"GET", "/?Action=DescribeRegions&Version=2016-11-15", "", "", 200},
		{"POST", "/any/path?Action=DescribeRegions", "application/x-www-form-urlencoded", "", 200},
		{"GET", "/", "", "", 400},
		{"GET", "/?Action=%zz", "", "", 400},
		{"POST", "/", "application/x-www-form-urlencoded", "Action=%zz", 400},
		{"POST", "/", "application/json", "{}", 400},
		{"PUT", "/", "", "", 405},
		{"POST", "/", "application/x-www-form-urlencoded", strings.Repeat("x", maxBody+1), 413},
	} {
		r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s: %d, want %d: %.200s", c.method, c.target, w.Code, c.status, w.Body)
		}
	}
}

func TestWhatIsSoldOverTheWire(t *testing.T) {
	h := endpoint(t)
	var offerings struct {
		Items []struct {
			Type string `xml:"instanceType"`
			Kind string `xml:"locationType"`
			At   string `xml:"location"`
		} `xml:"instanceTypeOfferingSet>item"`
	}
	if s, c := ask(t, h, &offerings, "DescribeInstanceTypeOfferings", "LocationType=availability-zone-id", "Filter.1.Name=instance-type", "Filter.1.Value.1=c6i.large", "Filter.2.Name=location", "Filter.2.Value.1=use1-az[12]", "Filter.2.Value.2=use1-az2"); s != 200 {
		t.Fatal(s, c)
	}
	if len(offerings.Items) != 1 || offerings.Items[0].Type != "c6i.large" || offerings.Items[0].Kind != "availability-zone-id" || offerings.Items[0].At != "use1-az2" {
		t.Errorf("%+v", offerings.Items)
	}
	var spot struct {
		Items []struct {
			Type    string `xml:"instanceType"`
			Product string `xml:"productDescription"`
			USD     string `xml:"spotPrice"`
			AZ      string `xml:"availabilityZone"`
			Time    string `xml:"timestamp"`
		} `xml:"spotPriceHistorySet>item"`
	}
	if s, c := ask(t, h, &spot, "DescribeSpotPriceHistory", "InstanceType.1=c6i.large", "AvailabilityZone=us-east-1c", "ProductDescription.1=Linux/UNIX", "StartTime=2026-11-23T00:00:00Z"); s != 200 {
		t.Fatal(s, c)
	}
	if len(spot.Items) != 1 || spot.Items[0].AZ != "us-east-1c" || spot.Items[0].USD != "0.034000" || spot.Items[0].Product != "Linux/UNIX" || spot.Items[0].Time != "2026-11-23T12:00:00.000Z" {
		t.Errorf("%+v", spot.Items)
	}
	spot.Items = nil
	if s, c := ask(t, h, &spot, "DescribeSpotPriceHistory", "ProductDescription.1=Windows"); s != 200 || len(spot.Items) != 0 {
		t.Error(s, c, spot.Items)
	}
	if s, c := ask(t, h, nil, "DescribeInstanceTypeOfferings", "LocationType=outpost"); s != 400 || c != "InvalidParameterValue" {
		t.Error(s, c)
	}
}

func TestLaunchTemplatesOverTheWire(t *testing.T) {
	h := endpoint(t)
	var made struct {
		ID string `xml:"launchTemplate>launchTemplateId"`
	}
	ask(t, h, &made, "CreateLaunchTemplate", "LaunchTemplateName=burst", "LaunchTemplateData.ImageId="+x86, "LaunchTemplateData.InstanceType=c6i.large",
		"LaunchTemplateData.NetworkInterface.1.DeviceIndex=0", "LaunchTemplateData.NetworkInterface.1.SubnetId="+firstSubnet(t, h, "us-east-1d"),
		"LaunchTemplateData.TagSpecification.1.ResourceType=instance", "LaunchTemplateData.TagSpecification.1.Tag.1.Key=k", "LaunchTemplateData.TagSpecification.1.Tag.1.Value=v")
	ask(t, h, nil, "CreateLaunchTemplateVersion", "LaunchTemplateId="+made.ID, "SourceVersion=1", "LaunchTemplateData.InstanceType=c6i.xlarge")
	var out launched
	if s, c := ask(t, h, &out, "RunInstances", "MinCount=1", "MaxCount=1", "LaunchTemplate.LaunchTemplateName=burst", "LaunchTemplate.Version=$Latest"); s != 200 || out.Instances[0].AZ != "us-east-1d" || len(out.Instances[0].Tags) != 1 {
		t.Errorf("%d %s %+v", s, c, out)
	}
	var vs struct {
		Items []struct {
			N       int    `xml:"versionNumber"`
			Default bool   `xml:"defaultVersion"`
			Type    string `xml:"launchTemplateData>instanceType"`
			Tag     string `xml:"launchTemplateData>tagSpecificationSet>item>tagSet>item>value"`
		} `xml:"launchTemplateVersionSet>item"`
	}
	ask(t, h, &vs, "DescribeLaunchTemplateVersions", "LaunchTemplateId="+made.ID)
	if len(vs.Items) != 2 || vs.Items[0].N != 2 || vs.Items[0].Type != "c6i.xlarge" || vs.Items[0].Tag != "v" || !vs.Items[1].Default {
		t.Errorf("%+v", vs)
	}
}

func TestCallerIdentity(t *testing.T) {
	var out struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Account string   `xml:"GetCallerIdentityResult>Account"`
	}
	if s, c := ask(t, endpoint(t), &out, "GetCallerIdentity", "Version=2011-06-15"); s != 200 || out.Account != "000000000000" {
		t.Errorf("%d %s %+v", s, c, out)
	}
}

func TestEveryActionAnswersWithoutParameters(t *testing.T) {
	h := endpoint(t)
	for action := range actions {
		s, code := ask(t, h, nil, action)
		if describes := strings.HasPrefix(action, "Describe") && action != "DescribeLaunchTemplateVersions"; describes != (s == 200) {
			t.Errorf("%s: %d %s", action, s, code)
		}
	}
}

func TestTheCallLog(t *testing.T) {
	h := endpoint(t)
	ask(t, h, nil, "DescribeVpcs")
	for range lastCalls {
		ask(t, h, nil, "DescribeRegions")
	}
	ask(t, h, nil, "Frobnicate")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/_asb/calls", nil))
	text := w.Body.String()
	if !strings.HasPrefix(text, `{"counts":{"(unknown)":1,"DescribeRegions":256,"DescribeVpcs":1},"calls":[{"time":"2026-11-23T12:00:00.000Z","action":"DescribeRegions","status":200},`) ||
		!strings.HasSuffix(text, `{"time":"2026-11-23T12:00:00.000Z","action":"(unknown)","status":400,"code":"InvalidAction"}]}`+"\n") {
		t.Errorf("%.200s ... %s", text, text[len(text)-200:])
	}
	if n := strings.Count(text, `"time"`); n != lastCalls {
		t.Errorf("%d calls kept", n)
	}
}

func TestMemoryClientHeedsContextAndLatency(t *testing.T) {
	h := endpoint(t)
	request := func(ctx context.Context) *http.Request {
		r, err := http.NewRequestWithContext(ctx, "GET", "http://x/?Action=DescribeRegions", nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	var order []string
	c := Client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { order = append(order, "call"); h.ServeHTTP(w, r) }),
		func(context.Context) error { order = append(order, "before"); return nil })
	c.After = func(context.Context) error { order = append(order, "after"); return nil }
	res, err := c.Do(request(ctx))
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v, %v", res, err)
	}
	if d := cmp.Diff([]string{"before", "call", "after"}, order); d != "" {
		t.Error(d)
	}
	c.before = func(context.Context) error { cancel(gone); return nil }
	if _, err := c.Do(request(ctx)); !errors.Is(err, gone) || len(order) != 3 {
		t.Errorf("cut off before the call: %v, %v", err, order)
	}
	cut := Client(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), nil)
	if _, err := cut.Do(request(t.Context())); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("aborted: %v", err)
	}
	defer func() {
		if p := recover(); p != "bug" {
			t.Errorf("a panic was hidden: %v", p)
		}
	}()
	Client(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("bug") }), nil).Do(request(t.Context()))
}

func TestServeStopsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, endpoint(t)) }()
	for _, path := range []string{"/health", "/?Action=DescribeRegions"} {
		res, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %v, %v", path, res, err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stopped with %v", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("still listening")
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("Action=RunInstances&MinCount=1&MaxCount=2&InstanceType=c6i.large&ImageId=" + x86 + "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&ClientToken=t")
	f.Add("Action=RunInstances&MinCount=1&MaxCount=1&InstanceType=p4d.24xlarge&ImageId=" + x86 + "&NetworkInterface.1.InterfaceType=efa&NetworkInterface.2.NetworkCardIndex=1&NetworkInterface.2.DeviceIndex=1&InstanceMarketOptions.MarketType=spot&InstanceMarketOptions.SpotOptions.MaxPrice=1")
	f.Add("Action=DescribeInstances&Filter.1.Name=tag:a&Filter.1.Value.1=b*&MaxResults=5&NextToken=x")
	f.Add("Action=TerminateInstances&InstanceId.1=i-0123456789abcdef0")
	f.Add("Action=CreateLaunchTemplate&LaunchTemplateName=abc&LaunchTemplateData.InstanceType=c6i.large")
	f.Add("Action=CreatePlacementGroup&GroupName=g&Strategy=partition&PartitionCount=3")
	f.Add("Action=CreateVpc&CidrBlock=10.0.0.0/16")
	f.Add("Action=GetCallerIdentity&Version=2011-06-15")
	f.Add("Action=&%zz")
	f.Fuzz(func(t *testing.T, body string) {
		h := endpoint(t)
		for range 2 { // the second meets what the first has made
			r := httptest.NewRequest("POST", "/", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			var any struct{ XMLName xml.Name }
			if err := xml.Unmarshal(w.Body.Bytes(), &any); err != nil {
				t.Fatalf("%d, no XML: %v: %s", w.Code, err, w.Body)
			}
			if (w.Code == 200) == (any.XMLName.Local == "Response") {
				t.Fatalf("%d with %s", w.Code, any.XMLName.Local)
			}
		}
	})
}

func BenchmarkLaunch64(b *testing.B) {
	h := endpoint(b)
	for n := 0; b.Loop(); n++ {
		var out launched
		if s, c := ask(b, h, &out, "RunInstances", "ImageId="+x86, "InstanceType=c6i.large", "MinCount=64", "MaxCount=64", fmt.Sprintf("ClientToken=%d", n)); s != 200 {
			b.Fatal(c)
		}
		params := make([]string, len(out.Instances))
		for k, i := range out.Instances {
			params[k] = fmt.Sprintf("InstanceId.%d=%s", k+1, i.ID)
		}
		ask(b, h, nil, "TerminateInstances", params...)
	}
}

// Many connections at once: every call is whole, and nothing is handed out
// twice.
func TestManyCallersAtOnce(t *testing.T) {
	h := endpoint(t)
	const callers, each = 8, 5
	addresses := make(chan string, callers*each*3)
	done := make(chan struct{})
	for n := range callers {
		go func() {
			defer func() { done <- struct{}{} }()
			for k := range each {
				var out launched
				ask(t, h, &out, "RunInstances", "ImageId="+x86, "InstanceType=c6i.large", "MinCount=3", "MaxCount=3", fmt.Sprintf("ClientToken=%d-%d", n, k))
				for _, i := range out.Instances {
					addresses <- i.IP
					ask(t, h, nil, "CreateTags", "ResourceId.1="+i.ID, "Tag.1.Key=n", "Tag.1.Value=v")
				}
				ask(t, h, nil, "DescribeInstances", "Filter.1.Name=tag:n", "Filter.1.Value.1=v")
			}
		}()
	}
	for range callers {
		<-done
	}
	close(addresses)
	seen := map[string]bool{}
	for a := range addresses {
		if seen[a] {
			t.Errorf("%s was handed out twice", a)
		}
		seen[a] = true
	}
	if len(seen) != callers*each*3 {
		t.Errorf("%d addresses", len(seen))
	}
}

// The executor's port and the wire are two doors to one model: the same calls
// leave the same events and ids behind.
func TestPortAndWireMakeTheSameEvents(t *testing.T) {
	world := func(seen *[]ec2.Event) *ec2.Model {
		m, err := ec2.New(ec2.Options{
			Clock: &clock{1}, Types: ec2.Catalog(catalog.Default()), Seed: 3,
			Capacity: map[ec2.Pool]int{{Type: "p4d.24xlarge", AZ: "us-east-1b", Market: cloud.Spot}: 3},
			Observe:  func(e ec2.Event) { *seen = append(*seen, e) },
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	var direct, wired []ec2.Event
	door := port.New(world(&direct), nil, nil)
	ctx := t.Context()
	if err := door.CreateGroup(ctx, cloud.Group{Name: "g", Strategy: "cluster"}); err != nil {
		t.Fatal(err)
	}
	page, err := door.Subnets(ctx, cloud.SubnetQuery{DefaultForAZ: true, AZs: []string{"us-east-1b"}})
	if err != nil {
		t.Fatal(err)
	}
	r := cloud.LaunchRequest{Token: "a", MinCount: 2, MaxCount: 2, Type: "p4d.24xlarge", SubnetID: page.Subnets[0].ID, Market: cloud.Spot,
		MaxPrice: 30.5, ImageID: x86, EFA: 2, Group: "g", Tags: []cloud.Tag{{Key: "cluster", Value: "hpc"}}}
	list, err := door.Launch(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	r.Token = "b"
	if _, err := door.Launch(ctx, r); !cloud.Is(err, cloud.Capacity) {
		t.Fatal(err)
	}
	if err := door.Terminate(ctx, []string{list[0].ID, list[1].ID}); err != nil {
		t.Fatal(err)
	}

	h := New(world(&wired))
	ask(t, h, nil, "CreatePlacementGroup", "GroupName=g", "Strategy=cluster")
	subnet := firstSubnet(t, h, "us-east-1b")
	params := func(token string) []string {
		p := []string{"ClientToken=" + token, "MinCount=2", "MaxCount=2", "InstanceType=p4d.24xlarge", "ImageId=" + x86, "Placement.GroupName=g",
			"InstanceMarketOptions.MarketType=spot", "InstanceMarketOptions.SpotOptions.MaxPrice=30.5"}
		for n, device := range []string{"0", "1"} {
			nic := fmt.Sprintf("NetworkInterface.%d.", n+1)
			p = append(p, nic+"InterfaceType=efa", nic+"DeviceIndex="+device, nic+"NetworkCardIndex="+device, nic+"SubnetId="+subnet)
		}
		for n, kind := range []string{"instance", "volume"} {
			spec := fmt.Sprintf("TagSpecification.%d.", n+1)
			p = append(p, spec+"ResourceType="+kind, spec+"Tag.1.Key=cluster", spec+"Tag.1.Value=hpc")
		}
		return p
	}
	var out launched
	ask(t, h, &out, "RunInstances", params("a")...)
	ask(t, h, nil, "RunInstances", params("b")...)
	ask(t, h, nil, "TerminateInstances", "InstanceId.1="+out.Instances[0].ID, "InstanceId.2="+out.Instances[1].ID)
	if d := cmp.Diff(direct, wired); d != "" {
		t.Error(d)
	}
}
