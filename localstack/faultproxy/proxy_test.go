package faultproxy

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/wire"
	"aws-slurm-burst/simulator/faults"
)

const x86 = "ami-0a120230000086640"

type clock struct{ t env.Time }

func (c *clock) Now() env.Time { return c.t }

type bench struct {
	*Proxy
	*ec2.Model
	clock  *clock
	client interface {
		Do(*http.Request) (*http.Response, error)
	}
	base string
}

// before puts a proxy with these rules before a fresh endpoint, in memory.
func before(t testing.TB, rules string) *bench {
	t.Helper()
	r, err := faults.Parse([]byte(rules), "f.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{env.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))}
	m, err := ec2.New(ec2.Options{Clock: c, Types: ec2.Catalog(catalog.Default())})
	if err != nil {
		t.Fatal(err)
	}
	p := New(wire.New(m), Options{Rules: r, Now: c.Now, Sleep: func(ctx context.Context, d time.Duration) error {
		c.t = c.t.Add(d)
		return context.Cause(ctx)
	}})
	return &bench{p, m, c, wire.Client(p, nil), "http://memory"}
}

type answer struct {
	Status int
	Code   string   `xml:"Errors>Error>Code"`
	IDs    []string `xml:"instancesSet>item>instanceId"`
}

func (b *bench) ask(t testing.TB, action string, params ...string) (answer, error) {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for _, p := range params {
		k, v, _ := strings.Cut(p, "=")
		form.Set(k, v)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", b.base+"/", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := b.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := answer{Status: res.StatusCode}
	if err := xml.Unmarshal(body, &out); err != nil && res.StatusCode == 200 {
		t.Fatalf("%v: %s", err, body)
	}
	return out, nil
}

func (b *bench) launch(t testing.TB, more ...string) (answer, error) {
	t.Helper()
	return b.ask(t, "RunInstances", append([]string{"ImageId=" + x86, "InstanceType=c6i.xlarge", "MinCount=4", "MaxCount=4", "ClientToken=t"}, more...)...)
}

func (b *bench) running(t testing.TB) int {
	t.Helper()
	p, err := b.DescribeInstances(api.Query{})
	if err != nil {
		t.Fatal(err)
	}
	return len(p.Items)
}

func (b *bench) subnet(t testing.TB, az string) string {
	t.Helper()
	p, err := b.DescribeSubnets(api.Query{Filters: []api.Filter{{Name: "availability-zone", Values: []string{az}}}})
	if err != nil || len(p.Items) != 1 {
		t.Fatalf("%v, %v", p, err)
	}
	return p.Items[0].ID
}

func TestEffects(t *testing.T) {
	for effect, c := range map[string]struct {
		status   int
		code     string
		lost     bool
		launched int
		applied  bool
		took     time.Duration
	}{
		"error: InsufficientInstanceCapacity": {500, "InsufficientInstanceCapacity", false, 0, false, 0},
		"error: VcpuLimitExceeded":            {400, "VcpuLimitExceeded", false, 0, false, 0},
		"throttle: true":                      {503, "RequestLimitExceeded", false, 0, false, 0},
		"status: 500":                         {500, "InternalError", false, 0, false, 0},
		"status: 502":                         {502, "", false, 0, false, 0},
		"lost-answer: true":                   {0, "", true, 4, true, 0},
		"capacity: 3":                         {500, "InsufficientInstanceCapacity", false, 0, false, 0},
		"delay: 5s":                           {200, "", false, 4, true, 5 * time.Second},
	} {
		t.Run(effect, func(t *testing.T) {
			b := before(t, "faults:\n- {type: c6i.*, market: on-demand, size: 4, times: 1, "+effect+"}")
			start := b.clock.t
			got, err := b.launch(t)
			if (err != nil) != c.lost || got.Status != c.status || got.Code != c.code {
				t.Errorf("answer %+v, %v", got, err)
			}
			if n := b.running(t); n != c.launched || b.clock.t.Sub(start) != c.took {
				t.Errorf("%d launched after %v", n, b.clock.t.Sub(start))
			}
			call := b.Proxy.Calls()[0]
			if call.Params.Get("InstanceType") != "c6i.xlarge" {
				t.Errorf("parameters %v", call.Params)
			}
			if len(call.Instances) != c.launched {
				t.Errorf("the log names the instances %v", call.Instances)
			}
			call.Params, call.Instances = nil, nil
			if d := cmp.Diff(Call{Time: start, Took: c.took, Action: "RunInstances", Status: c.status, Code: c.code, Applied: c.applied, Rule: "f.yaml:2"}, call); d != "" {
				t.Error(d)
			}
			if effect == "capacity: 3" {
				return
			}
			if got, err := b.launch(t); err != nil || got.Status != 200 || len(got.IDs) != 4 || b.running(t) != 4 {
				t.Errorf("the same call again: %+v, %v", got, err)
			}
		})
	}
}

func TestZonesComeFromPlacementOrSubnet(t *testing.T) {
	b := before(t, "faults: [{az: us-east-1c, throttle: true}]")
	here, there := b.subnet(t, "us-east-1c"), b.subnet(t, "us-east-1d")
	count := b.Model.Calls()["DescribeSubnets"]
	for params, status := range map[string]int{
		"Placement.AvailabilityZone=us-east-1c": 503,
		"Placement.AvailabilityZone=us-east-1d": 200,
		"SubnetId=" + here:                      503,
		"SubnetId=" + there:                     200,
		"NetworkInterface.1.SubnetId=" + here:   503,
		"SubnetId=subnet-0123456789abcdef0":     400,
	} {
		more := []string{params, "ClientToken=" + url.QueryEscape(params)[:30]}
		if strings.HasPrefix(params, "Net") {
			more = append(more, "NetworkInterface.1.DeviceIndex=0")
		}
		if got, err := b.launch(t, more...); err != nil || got.Status != status {
			t.Errorf("%s: %+v, %v", params, got, err)
		}
	}
	if n := b.Model.Calls()["DescribeSubnets"] - count; n != 3 {
		t.Errorf("asked %d times about 3 subnets", n)
	}
	if d := cmp.Diff(map[string]int{"RunInstances": 6}, b.Counts()); d != "" {
		t.Errorf("its own questions are in the log: %s", d)
	}
}

func TestAScarcePoolGivesWhatIsLeft(t *testing.T) {
	b := before(t, "faults: [{capacity: 6}]")
	if got, _ := b.launch(t); len(got.IDs) != 4 {
		t.Errorf("%+v", got)
	}
	for range 2 { // the second is a retry
		if got, _ := b.launch(t, "MinCount=1", "ClientToken=u"); len(got.IDs) != 2 {
			t.Errorf("%+v", got)
		}
	}
	if got, _ := b.launch(t, "MinCount=1", "ClientToken=v"); got.Code != "InsufficientInstanceCapacity" {
		t.Errorf("%+v", got)
	}
	calls := b.Proxy.Calls()
	if calls[1].Grant != 2 || calls[1].Params.Get("MaxCount") != "4" || b.running(t) != 6 {
		t.Errorf("%+v, %d running", calls[1], b.running(t))
	}
	r, err := http.NewRequest("GET", "http://memory/?"+url.Values{"Action": {"RunInstances"}, "ImageId": {x86}, "InstanceType": {"c6i.large"}, "MinCount": {"1"}, "MaxCount": {"9"}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b2 := before(t, "faults: [{capacity: 2}]")
	if res, err := b2.client.Do(r); err != nil || res.StatusCode != 200 || b2.running(t) != 2 {
		t.Errorf("by GET: %v, %v, %d running", res, err, b2.running(t))
	}
}

func TestRefusalsOfTheEndpointAreLogged(t *testing.T) {
	b := before(t, "")
	if got, _ := b.launch(t, "InstanceType=hpc7a.2xlarge"); got.Code != "InvalidParameterValue" {
		t.Errorf("%+v", got)
	}
	if c := b.Proxy.Calls()[0]; c.Status != 400 || c.Code != "InvalidParameterValue" || !c.Applied || c.Rule != "" {
		t.Errorf("%+v", c)
	}
	b.Forget()
	if len(b.Proxy.Calls())+len(b.Counts()) != 0 {
		t.Error("not forgotten")
	}
}

func TestTheLogKeepsTheNewestAndCountsAll(t *testing.T) {
	b := before(t, "")
	var heard int
	b.opt.Keep, b.opt.Log = 2, func(Call) { heard++ }
	for _, a := range []string{"DescribeVpcs", "DescribeRegions", "DescribeImages"} {
		if _, err := b.ask(t, a); err != nil {
			t.Fatal(err)
		}
	}
	calls := b.Proxy.Calls()
	if len(calls) != 2 || calls[0].Action != "DescribeRegions" || len(b.Counts()) != 3 || heard != 3 {
		t.Errorf("%+v, %v, %d", calls, b.Counts(), heard)
	}
}

func TestWhatIsNoCallPassesThrough(t *testing.T) {
	b := before(t, "faults: [{action: '*', throttle: true}]")
	r, err := http.NewRequest("GET", "http://memory/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.client.Do(r)
	if err != nil || res.StatusCode != 200 || len(b.Proxy.Calls()) != 0 {
		t.Errorf("%v, %v, %v", res, err, b.Proxy.Calls())
	}
	big := httptest.NewRecorder()
	b.Proxy.ServeHTTP(big, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1<<20+1))))
	if big.Code != 400 {
		t.Errorf("a body over the limit: %d", big.Code)
	}
}

func TestACallerWhoLeavesDuringADelayIsNotServed(t *testing.T) {
	b := before(t, "faults: [{action: '*', delay: 1h}]")
	ctx, cancel := context.WithCancel(t.Context())
	b.opt.Sleep = func(context.Context, time.Duration) error { cancel(); return context.Canceled }
	r, err := http.NewRequestWithContext(ctx, "GET", "http://memory/?Action=DescribeVpcs", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.client.Do(r); err == nil || b.Model.Calls()["DescribeVpcs"] != 0 {
		t.Errorf("%v, %v", err, b.Model.Calls())
	}
	if c := b.Proxy.Calls(); len(c) != 1 || c[0].Applied {
		t.Errorf("%+v", c)
	}
}

// Over real connections, through Reverse, as before LocalStack.
func TestBeforeAnEndpointElsewhere(t *testing.T) {
	inner := before(t, "")
	endpoint := httptest.NewServer(inner.Proxy)
	defer endpoint.Close()
	target, err := url.Parse(endpoint.URL)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := faults.Parse([]byte("faults: [{az: us-east-1c, times: 1, lost-answer: true}, {az: us-east-1c, market: spot, delay: 1ms}, {az: us-east-1c, market: spot, throttle: true}]"), "f.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := New(Reverse(target), Options{Rules: rules})
	front := httptest.NewServer(p)
	defer front.Close()
	b := &bench{p, inner.Model, nil, front.Client(), front.URL}
	subnet := "SubnetId=" + b.subnet(t, "us-east-1c")
	if _, err := b.launch(t, subnet); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a lost answer: %v", err)
	}
	if got, err := b.launch(t, subnet); err != nil || len(got.IDs) != 4 || b.running(t) != 4 {
		t.Errorf("the same call again: %+v, %v", got, err)
	}
	if got, err := b.launch(t, subnet, "ClientToken=u", "InstanceMarketOptions.MarketType=spot"); err != nil || got.Status != 503 {
		t.Errorf("%+v, %v", got, err)
	}
	endpoint.Close()
	if got, err := b.ask(t, "DescribeVpcs"); err != nil || got.Status != 503 || got.Code != "Unavailable" {
		t.Errorf("without an endpoint: %+v, %v", got, err)
	}
	if d := cmp.Diff(map[string]int{"RunInstances": 3, "DescribeVpcs": 1}, b.Counts()); d != "" {
		t.Error(d)
	}
}

// What a proxy adds to a call that no rule is about: the proxy, and nothing of
// the endpoint.
func BenchmarkPass(b *testing.B) {
	ok := []byte(`<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>`)
	endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write(ok)
	})
	launch := url.Values{"Action": {"RunInstances"}, "Version": {"2016-11-15"}, "ImageId": {x86}, "InstanceType": {"c6i.xlarge"}, "MinCount": {"8"}, "MaxCount": {"8"},
		"Placement.AvailabilityZone": {"us-east-1a"}, "ClientToken": {"t"}, "InstanceMarketOptions.MarketType": {"spot"}}.Encode()
	run := func(b *testing.B, h http.Handler, body string) {
		for b.Loop() {
			r := httptest.NewRequest("POST", "/", strings.NewReader(body))
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	rules := func(b *testing.B) *faults.Rules {
		r, err := faults.Parse([]byte("faults: [{type: x*, throttle: true}, {market: on-demand, quota: 3}, {az: us-east-1f, error: X}, {action: 'Delete*', delay: 1s}]"), "f")
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	b.Run("endpoint alone", func(b *testing.B) { run(b, endpoint, launch) })
	b.Run("proxy without rules", func(b *testing.B) { run(b, New(endpoint, Options{}), launch) })
	b.Run("proxy with 4 rules", func(b *testing.B) { run(b, New(endpoint, Options{Rules: rules(b)}), launch) })
	b.Run("describe", func(b *testing.B) {
		run(b, New(endpoint, Options{Rules: rules(b)}), "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag:x&Filter.1.Value.1=y")
	})
}

func FuzzProxy(f *testing.F) {
	f.Add("Action=RunInstances&MinCount=1&MaxCount=9&SubnetId=subnet-1&ClientToken=t", "")
	f.Add("Action=DescribeInstances", "Action=RunInstances&MinCount=x")
	f.Add("Action=DescribeInstances&Filter.1.Name=instance-state-name&Filter.1.Value.1=running&Filter.2.Name=x", "")
	f.Add("Action=CreateFleet&Type=instant&TargetCapacitySpecification.TotalTargetCapacity=5", "")
	f.Add("%zz", "%zz")
	f.Fuzz(func(t *testing.T, body, query string) {
		b := before(t, "faults: [{capacity: 3}, {action: CreateFleet, grant: 1}, {stale: 5s}, {action: '*', delay: 1s}]")
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		b.Proxy.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 {
			t.Fatalf("status %d", w.Code)
		}
	})
}
