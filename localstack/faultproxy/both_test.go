package faultproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/localstack/localstacktest"
	"aws-slurm-burst/localstack/query"
	"aws-slurm-burst/localstack/standin"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/wire"
	"aws-slurm-burst/simulator/faults"
)

func TestMain(m *testing.M) { localstacktest.Main(m) }

// localStack is the real one with its stand-ins, started once.
func localStack(t *testing.T) http.Handler {
	t.Helper()
	return standin.New(Reverse(localstacktest.URL(t)))
}

func embedded(t *testing.T) http.Handler {
	t.Helper()
	m, err := ec2.New(ec2.Options{Clock: &clock{env.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))}, Types: ec2.Catalog(catalog.Default())})
	if err != nil {
		t.Fatal(err)
	}
	return wire.New(m)
}

// play is one endpoint behind rules. Its steps are written as a person would
// tell them: what was asked, what came of it.
type play struct {
	*testing.T
	*Proxy
	clock *clock
	name  string
	image string
	last  []string // ids of the last launch
}

func (p *play) ask(action string, params ...string) (a *query.Answer) {
	p.Helper()
	form := url.Values{"Action": {action}}
	for _, kv := range params {
		k, v, _ := strings.Cut(kv, "=")
		form.Set(k, v)
	}
	defer func() {
		if r := recover(); r == http.ErrAbortHandler {
			a = nil // lost
		} else if r != nil {
			panic(r)
		}
	}()
	return query.Ask(p.Proxy, httptest.NewRequest("POST", "/", nil).WithContext(p.Context()), form)
}

// outcome is an answer in a word.
func outcome(a *query.Answer, n int) string {
	switch {
	case a == nil:
		return "lost"
	case a.OK():
		return fmt.Sprint(n)
	case a.Code() == "":
		return fmt.Sprint("status ", a.Status)
	}
	return a.Code()
}

// do performs one step: "launch MIN MAX TOKEN MARKET", "look", "look at them",
// "end", "wait D", and tells what came of it.
func (p *play) do(step string) string {
	p.Helper()
	word := append(strings.Fields(step), "", "", "", "")
	tag := []string{"TagSpecification.1.ResourceType=instance", "TagSpecification.1.Tag.1.Key=test", "TagSpecification.1.Tag.1.Value=" + p.Name()}
	look := []string{"Filter.1.Name=instance-state-name", "Filter.1.Value.1=pending", "Filter.1.Value.2=running", "Filter.2.Name=tag:test", "Filter.2.Value.1=" + p.Name()}
	var ids []string
	for n, id := range p.last {
		ids = append(ids, fmt.Sprintf("InstanceId.%d=%s", n+1, id))
	}
	switch word[0] {
	case "launch":
		params := append(tag, "ImageId="+p.image, "InstanceType=c6i.xlarge", "MinCount="+word[1], "MaxCount="+word[2], "ClientToken="+p.name+word[3], "Placement.AvailabilityZone=us-east-1a")
		if word[4] == "spot" {
			params = append(params, "InstanceMarketOptions.MarketType=spot")
		}
		a := p.ask("RunInstances", params...)
		if a != nil && a.OK() {
			p.last = a.Instances()
		}
		return outcome(a, len(p.last))
	case "look":
		if word[1] != "" {
			look = ids
		}
		a := p.ask("DescribeInstances", look...)
		if a == nil || !a.OK() {
			return outcome(a, 0)
		}
		var states []string
		for _, launch := range a.Read().Items("reservationSet") {
			for _, i := range launch.Items("instancesSet") {
				states = append(states, i.Get("instanceState>name"))
				if i.Get("privateIpAddress") == "" && i.Get("instanceState>name") == "running" {
					p.Errorf("%s: running, without an address", step)
				}
			}
		}
		slices.Sort(states)
		return fmt.Sprint(len(states), " ", strings.Join(slices.Compact(states), "+"))
	case "end":
		a := p.ask("TerminateInstances", ids...)
		return outcome(a, len(ids))
	case "wait":
		d, err := time.ParseDuration(word[1])
		if err != nil {
			p.Fatal(err)
		}
		p.clock.t = p.clock.t.Add(d)
		return ""
	}
	p.Fatalf("no step: %q", step)
	return ""
}

// The same rules do the same to the same calls, whatever is behind the proxy.
func TestFaultsAreTheSameBeforeEveryEndpoint(t *testing.T) {
	const ice = "InsufficientInstanceCapacity"
	images := map[string]string{} // by endpoint; LocalStack takes a second to list its own
	type steps = [][2]string      // what is done, and what comes of it
	for name, c := range map[string]struct {
		rules string
		steps steps
	}{
		"a shortage of spot": {"{market: spot, error: " + ice + "}", steps{
			{"launch 4 4 a spot", ice}, {"launch 4 4 b", "4"}, {"look", "4 running"}}},
		"a shortage of large launches": {"{size: 3-8, error: " + ice + "}", steps{
			{"launch 4 4 a", ice}, {"launch 2 2 b", "2"}}},
		"throttles that end": {"{throttle: true, times: 2}", steps{
			{"launch 1 1 a", "RequestLimitExceeded"}, {"launch 1 1 a", "RequestLimitExceeded"}, {"launch 1 1 a", "1"}}},
		"an outage of a minute": {"{action: '*', from: 10s, until: 1m, status: 503}", steps{
			{"look", "0 "}, {"wait 10s", ""}, {"launch 1 1 a", "Unavailable"}, {"look", "Unavailable"}, {"wait 50s", ""}, {"launch 1 1 a", "1"}}},
		"a gateway's error": {"{status: 502, times: 1}", steps{
			{"launch 1 1 a", "status 502"}, {"launch 1 1 a", "1"}, {"look", "1 running"}}},
		"a lost answer": {"{lost-answer: true, times: 1}", steps{
			{"launch 4 4 a", "lost"}, {"look", "4 running"}, {"launch 4 4 a", "4"}, {"look", "4 running"}, {"launch 2 2 a", "IdempotentParameterMismatch"}}},
		"a chance": {"{probability: 0.5, throttle: true}", steps{
			{"launch 1 1 a", "1"}, {"launch 1 1 b", "1"}, {"launch 1 1 c", "RequestLimitExceeded"}, {"look", "2 running"}}},
		"a pool of six": {"{capacity: 6}", steps{
			{"launch 4 4 a", "4"}, {"launch 3 3 b", ice}, {"launch 1 4 c", "2"}, {"launch 1 4 c", "2"}, {"launch 1 1 d", ice},
			{"end", "2"}, {"launch 1 1 e", ice}}},
		"a quota of four": {"{market: spot, quota: 4}", steps{
			{"launch 4 4 a spot", "4"}, {"launch 1 1 b spot", "MaxSpotInstanceCountExceeded"}, {"launch 1 1 c", "1"},
			{"launch 4 4 a spot", "4"}, {"end", "4"}, {"launch 4 4 d spot", "4"}}},
		"a quota with a code of its own": {"{quota: 1, error: InstanceLimitExceeded}", steps{
			{"launch 2 2 a", "InstanceLimitExceeded"}, {"launch 1 2 b", "1"}}},
		"launches cut short": {"{grant: 3}", steps{
			{"launch 1 4 a", "3"}, {"launch 4 4 b", ice}, {"launch 1 4 c", "3"}, {"look", "6 running"}}},
		"a world of a minute ago": {"{stale: 1m}", steps{
			{"launch 2 2 a", "2"}, {"look", "0 "}, {"look at them", "InvalidInstanceID.NotFound"}, {"wait 1m", ""}, {"look", "2 running"},
			{"end", "2"}, {"look", "2 running"}, {"look at them", "2 running"}, {"wait 1m1s", ""}, {"look", "0 "}, {"look at them", "2 terminated"}}},
	} {
		for endpoint, open := range map[string]func(*testing.T) http.Handler{"embedded": embedded, "LocalStack": localStack} {
			t.Run(endpoint+"/"+name, func(t *testing.T) {
				rules, err := faults.Parse([]byte("faults: ["+c.rules+"]"), "f.yaml")
				if err != nil {
					t.Fatal(err)
				}
				clock := &clock{env.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))}
				next := open(t)
				p := &play{T: t, clock: clock, name: name, Proxy: New(next, Options{Rules: rules, Now: clock.Now, Sleep: func(ctx context.Context, d time.Duration) error {
					clock.t = clock.t.Add(d)
					return context.Cause(ctx)
				}})}
				if images[endpoint] == "" {
					ask := httptest.NewRequest("POST", "/", nil).WithContext(t.Context())
					images[endpoint] = query.Ask(next, ask, url.Values{"Action": {"DescribeImages"}, "Owner.1": {"amazon"}}).Read().Get("imagesSet>item>imageId")
				}
				p.image = images[endpoint]
				var want, got []string
				for _, s := range c.steps {
					want = append(want, s[0]+": "+s[1])
					got = append(got, s[0]+": "+p.do(s[0]))
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// fleets is an endpoint that answers instant fleets, as EC2 does.
func fleets(w http.ResponseWriter, r *http.Request) {
	form, _, _ := query.Read(r)
	list := query.Elem("instanceIds")
	for n := range query.Number(form, target+"TotalTargetCapacity") {
		list.Kids = append(list.Kids, query.Text("item", fmt.Sprint("i-", n)))
	}
	query.Document(query.Root("CreateFleet", query.Elem("fleetInstanceSet", query.Elem("item",
		query.Text("lifecycle", form.Get(target+"SpotTargetCapacity")+" spot"), list)))).Send(w)
}

func TestAFleetThatIsCutShortSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		rule string
		more []string
		want string // instances, spot target, status or errors
	}{
		"some":              {"action: CreateFleet, capacity: 3", nil, "3, of them 1 spot, because InsufficientInstanceCapacity"},
		"none":              {"action: CreateFleet, market: spot, capacity: 0", nil, "0, of them nobody, because InsufficientInstanceCapacity"},
		"over a quota":      {"action: CreateFleet, type: c6i.*, quota: 2", nil, "2, of them 0 spot, because MaxSpotInstanceCountExceeded"},
		"all":               {"action: CreateFleet, capacity: 9", nil, "5, of them 3 spot"},
		"of another type":   {"action: CreateFleet, type: c7i.*, capacity: 0", nil, "5, of them 3 spot"},
		"fewer than needed": {"action: CreateFleet, capacity: 3", []string{"OnDemandOptions.MinTargetCapacity=4"}, "InsufficientInstanceCapacity"},
		"refused":           {"action: CreateFleet, throttle: true", nil, "RequestLimitExceeded"},
		"a launch's rule":   {"capacity: 0", nil, "5, of them 3 spot"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := faults.Parse([]byte("faults: [{"+c.rule+"}]"), "f.yaml")
			if err != nil {
				t.Fatal(err)
			}
			p := &play{T: t, Proxy: New(http.HandlerFunc(fleets), Options{Rules: rules})}
			a := p.ask("CreateFleet", append(c.more, "Type=instant", override+"InstanceType=c6i.xlarge", target+"TotalTargetCapacity=5",
				target+"SpotTargetCapacity=3", target+"OnDemandTargetCapacity=2", target+"DefaultTargetCapacityType=on-demand")...)
			got := a.Code()
			if a.OK() {
				root := a.Read()
				list := root.At("fleetInstanceSet>item")
				got = fmt.Sprintf("%d, of them %s", len(list.Items("instanceIds")), orNobody(list.Get("lifecycle")))
				if why := root.Get("errorSet>item>errorCode"); why != "" {
					got += ", because " + why
				}
				if log := p.Calls()[0]; len(log.Instances) != len(list.Items("instanceIds")) {
					t.Errorf("the log names %v", log.Instances)
				}
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func orNobody(s string) string {
	if s == "" {
		return "nobody"
	}
	return s
}

func TestTheLogIsJSONForReports(t *testing.T) {
	b := before(t, "faults: [{delay: 1500ms}]")
	if got, err := b.launch(t); err != nil || len(got.IDs) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	b.ask(t, "TerminateInstances", "InstanceId.1="+b.Proxy.Calls()[0].Instances[0])
	data, err := json.Marshal(b.Proxy.Calls())
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	ids := got[0]["instances"].([]any)
	if len(ids) != 4 || got[0]["params"].(map[string]any)["InstanceType"] != "c6i.xlarge" {
		t.Errorf("%v", got[0])
	}
	delete(got[0], "instances")
	for _, c := range got {
		delete(c, "params")
	}
	want := []map[string]any{
		{"time": "2026-11-23T12:00:00.000Z", "took_ms": 1500.0, "action": "RunInstances", "status": 200.0, "applied": true, "rule": "f.yaml:1"},
		{"time": "2026-11-23T12:00:01.500Z", "took_ms": 0.0, "action": "TerminateInstances", "status": 200.0, "applied": true, "instances": []any{ids[0]}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
