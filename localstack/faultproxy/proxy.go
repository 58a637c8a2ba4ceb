// Package faultproxy stands before an EC2 endpoint (LocalStack, or the embedded
// one) as an HTTP middleware. It reads each API call into facts, lets the rules
// of simulator/faults decide what happens to it, and keeps a log of every call
// with its parameters, which is what tests assert requests on.
//
// It knows EC2's query protocol as far as the rules need it and leaves all else
// alone: what is no API call passes through unlogged. What an endpoint lacks is
// for localstack/standin to add, behind it.
package faultproxy

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/localstack/query"
	"aws-slurm-burst/simulator/faults"
)

// Options configures a Proxy. Now and Sleep default to the real clock.
type Options struct {
	Rules *faults.Rules // nil injects nothing
	// Log is called with each call once it is answered; Calls has them too.
	Log   func(Call)
	Now   func() env.Time
	Sleep func(ctx context.Context, d time.Duration) error
	// Zone returns the zone of a subnet; nil means the endpoint is asked, once a
	// subnet, with a DescribeSubnets of its own.
	Zone func(subnet string) string
	// Keep is how many calls are remembered, the newest; 0 means 10,000.
	Keep int
}

// Proxy is the middleware. It is safe for concurrent use.
type Proxy struct {
	next  http.Handler
	opt   Options
	zones query.Zones
	past  past

	mu     sync.Mutex
	calls  []Call
	counts map[string]int
}

// New returns a Proxy before next.
func New(next http.Handler, o Options) *Proxy {
	if o.Now == nil {
		o.Now = func() env.Time { return env.At(time.Now()) }
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Keep <= 0 {
		o.Keep = 10_000
	}
	return &Proxy{next: next, opt: o, past: newPast(o.Rules.Stalest()), counts: map[string]int{}}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ServeHTTP passes a call on, or does to it what a rule says. A dropped answer
// is the panic with http.ErrAbortHandler, at which net/http closes the
// connection and an in-memory client reports one that was closed.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, body, err := query.Read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if form.Get("Action") == "" {
		query.Pass(p.next, w, r, body)
		return
	}
	c := Call{Time: p.opt.Now(), Action: form.Get("Action"), Params: form}
	answer := p.answer(&c, r, body)
	c.Took = p.opt.Now().Sub(c.Time)
	p.note(c)
	if answer == nil {
		panic(http.ErrAbortHandler)
	}
	answer.Send(w)
}

// answer has the call answered by a rule or by the endpoint, and notes how in
// c. It returns nil where the client gets no answer.
func (p *Proxy) answer(c *Call, r *http.Request, body []byte) *query.Answer {
	effect, _ := p.opt.Rules.Next(p.fact(r, c))
	c.Rule = effect.Rule
	if effect.Delay > 0 && p.opt.Sleep(r.Context(), effect.Delay) != nil {
		p.opt.Rules.Settle(effect, nil, nil)
		return nil // the caller has gone before the call got anywhere
	}
	a := p.refuse(c, effect)
	if a != nil {
		p.opt.Rules.Settle(effect, nil, nil)
		c.Status, c.Code = a.Status, a.Code()
		return a
	}
	c.Applied = true
	switch {
	case effect.Grant > 0:
		c.Grant = effect.Grant
		a = query.Ask(p.next, r, lower(c, effect.Grant))
		explain(c, a, effect)
	case effect.Stale > 0:
		a = p.past.describe(p.next, r, c, effect.Stale)
	default:
		a = query.Hand(p.next, r, body)
	}
	code := a.Code()
	p.settle(c, a, effect, code)
	if effect.Lost {
		return nil
	}
	c.Status, c.Code = a.Status, code
	return a
}

// settle notes which instances an answer names, and tells the rules. It keeps
// silent about a call of which nobody knows what it did.
func (p *Proxy) settle(c *Call, a *query.Answer, e faults.Effect, code string) {
	var launched, ended []string
	switch c.Action {
	case "RunInstances":
		c.Instances = a.Instances()
		launched = c.Instances
	case "CreateFleet":
		c.Instances = fleetInstances(a)
		launched = c.Instances
	case "TerminateInstances":
		c.Instances = a.Instances()
		ended = c.Instances
	default:
		return
	}
	if a.Status >= 500 && slices.Contains([]string{"", "InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable"}, code) {
		return
	}
	p.opt.Rules.Settle(e, launched, ended)
	p.past.note(p.opt.Now(), a, launched, ended)
}

// refuse is what is answered in EC2's place, nil where the call is passed on. A
// status without a code comes from whatever stands between the caller and EC2,
// and is no XML.
func (p *Proxy) refuse(c *Call, e faults.Effect) *query.Answer {
	switch {
	case !e.Refused():
		return nil
	case e.Code == "":
		a := query.NewAnswer()
		http.Error(a, e.Message, e.Status)
		return a
	case e.Limited && instant(c.Params) && minimum(c.Params) == 0:
		return emptyFleet(e)
	}
	return query.Refusal(e.Status, e.Code, e.Message)
}

// fact is what the rules may know of a call. What only a launch template says
// is not among it. Of a fleet it is what its first override says.
func (p *Proxy) fact(r *http.Request, c *Call) faults.Fact {
	f, form := faults.Fact{Time: c.Time, Action: c.Action}, c.Params
	var subnet string
	switch {
	case c.Action == "RunInstances":
		f.Type, f.AZ, subnet = form.Get("InstanceType"), form.Get("Placement.AvailabilityZone"), query.Subnet(form)
		f.Size, f.Max = query.Number(form, "MinCount"), query.Number(form, "MaxCount")
		f.Market = form.Get("InstanceMarketOptions.MarketType")
	case instant(form):
		f.Type, f.AZ, subnet = form.Get(override+"InstanceType"), form.Get(override+"AvailabilityZone"), form.Get(override+"SubnetId")
		f.Size, f.Max = minimum(form), query.Number(form, target+"TotalTargetCapacity")
		f.Market = fleetMarket(form)
	default:
		return f
	}
	f.Token = form.Get("ClientToken")
	if f.Market == "" {
		f.Market = "on-demand"
	}
	if f.AZ == "" {
		f.AZ = p.zone(r, subnet)
	}
	return f
}

func (p *Proxy) zone(r *http.Request, subnet string) string {
	switch {
	case subnet == "" || p.opt.Rules == nil:
		return ""
	case p.opt.Zone != nil:
		return p.opt.Zone(subnet)
	}
	return p.zones.Of(p.next, r, subnet)
}
