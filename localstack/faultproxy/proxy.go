// Package faultproxy stands before an EC2 endpoint (LocalStack, or the embedded
// one) as an HTTP middleware. It reads each API call into facts, lets the rules
// of simulator/faults decide what happens to it, and keeps a log of every call
// with its parameters, which is what tests assert requests on.
//
// It knows EC2's query protocol as far as the facts need it and leaves all else
// alone: what is no API call passes through unlogged.
package faultproxy

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/faults"
)

// maxBody bounds a request.
const maxBody = 1 << 20

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

// Call is one API call in the log.
type Call struct {
	Time   env.Time // when it came
	Action string
	// Params are the call's own parameters, decoded, as they came. Grant is
	// the count that a rule put in place of MaxCount, else 0.
	Params url.Values
	Grant  int
	// Status and Code are the answer's; both are empty where the answer was
	// dropped on its way.
	Status int
	Code   string
	// Applied says that the call reached the endpoint, Rule which rule had an
	// effect on it ("" for none).
	Applied bool
	Rule    string
}

// Proxy is the middleware. It is safe for concurrent use.
type Proxy struct {
	next http.Handler
	opt  Options

	mu     sync.Mutex
	calls  []Call
	counts map[string]int
	zones  map[string]string // of subnets
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
	return &Proxy{next: next, opt: o, counts: map[string]int{}, zones: map[string]string{}}
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

// Calls returns the calls so far, in the order of their answers.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

// Counts returns how many calls there were of each action.
func (p *Proxy) Counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

// Forget empties the log, as between two scenarios.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = nil
	clear(p.counts)
}

// ServeHTTP passes a call on, or does to it what a rule says. A dropped answer
// is the panic with http.ErrAbortHandler, at which net/http closes the
// connection and an in-memory client reports one that was closed.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, body, err := read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if form.Get("Action") == "" {
		p.pass(w, r, body)
		return
	}
	c := Call{Time: p.opt.Now(), Action: form.Get("Action"), Params: form}
	answer := p.answer(&c, r, body)
	p.note(c)
	if answer == nil {
		panic(http.ErrAbortHandler)
	}
	answer.send(w)
}

// answer has the call answered by a rule or by the endpoint, and notes how in
// c. It returns nil where the client gets no answer.
func (p *Proxy) answer(c *Call, r *http.Request, body []byte) *recorder {
	effect, _ := p.opt.Rules.Next(p.fact(r, c.Params))
	c.Rule = effect.Rule
	if effect.Delay > 0 && p.opt.Sleep(r.Context(), effect.Delay) != nil {
		return nil // the caller has gone before the call got anywhere
	}
	rec := &recorder{header: http.Header{}}
	if effect.Refused() {
		c.Status, c.Code = effect.Status, effect.Code
		refuse(rec, effect)
		return rec
	}
	if effect.Grant > 0 {
		c.Grant = effect.Grant
		r, body = lower(r, c.Params, effect.Grant)
	}
	c.Applied = true
	p.pass(rec, r, body)
	if effect.Lost {
		return nil
	}
	rec.WriteHeader(http.StatusOK) // where the endpoint wrote nothing at all
	c.Status, c.Code = rec.status, rec.code()
	return rec
}

// pass hands a request on with the body that was read from it.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	p.next.ServeHTTP(w, r)
}

func (p *Proxy) note(c Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts[c.Action]++; len(p.calls) >= p.opt.Keep {
		p.calls = slices.Delete(p.calls, 0, 1+len(p.calls)-p.opt.Keep)
	}
	p.calls = append(p.calls, c)
	if p.opt.Log != nil {
		p.opt.Log(c)
	}
}

// read returns the parameters of query and body, and the body itself. What is
// no form has only those of the query.
func read(r *http.Request) (url.Values, []byte, error) {
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		form = url.Values{} // the endpoint's business
	}
	if r.Body == nil {
		return form, nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, nil, fmt.Errorf("the request ends early: %w", err)
	}
	if len(body) > maxBody {
		return nil, nil, errors.New("the request is larger than 1 MiB")
	}
	if r.Method == http.MethodPost {
		if posted, err := url.ParseQuery(string(body)); err == nil {
			maps.Copy(form, posted)
		}
	}
	return form, body, nil
}

// fact is what the rules may know of a call. What only a launch template says
// is not among it.
func (p *Proxy) fact(r *http.Request, form url.Values) faults.Fact {
	f := faults.Fact{Action: form.Get("Action")}
	if f.Action != "RunInstances" {
		return f
	}
	f.Type, f.Token = form.Get("InstanceType"), form.Get("ClientToken")
	f.Size, _ = strconv.Atoi(form.Get("MinCount")) // a bad count is the endpoint's business
	f.Max, _ = strconv.Atoi(form.Get("MaxCount"))
	if f.Market = form.Get("InstanceMarketOptions.MarketType"); f.Market == "" {
		f.Market = "on-demand"
	}
	if f.AZ = form.Get("Placement.AvailabilityZone"); f.AZ == "" {
		subnet := form.Get("SubnetId")
		if subnet == "" {
			subnet = form.Get("NetworkInterface.1.SubnetId")
		}
		f.AZ = p.zone(r, subnet)
	}
	return f
}

// zone asks the endpoint once where a subnet is. The question carries the
// headers of the call, since LocalStack tells services apart by the scope in
// Authorization; its signature is wrong for it, which neither endpoint checks.
func (p *Proxy) zone(r *http.Request, subnet string) string {
	switch {
	case subnet == "" || p.opt.Rules == nil:
		return ""
	case p.opt.Zone != nil:
		return p.opt.Zone(subnet)
	}
	p.mu.Lock()
	az, known := p.zones[subnet]
	p.mu.Unlock()
	if known {
		return az
	}
	form := url.Values{"Action": {"DescribeSubnets"}, "Version": {"2016-11-15"}, "SubnetId.1": {subnet}}.Encode()
	ask := r.Clone(r.Context())
	ask.Method = http.MethodPost
	ask.URL.RawQuery = ""
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	ask.Header.Del("Content-Length")
	ask.Header.Del("Accept-Encoding")
	rec := &recorder{header: http.Header{}}
	p.pass(rec, ask, []byte(form))
	var answer struct {
		AZ string `xml:"subnetSet>item>availabilityZone"`
	}
	if xml.Unmarshal(rec.body.Bytes(), &answer) != nil || answer.AZ == "" {
		return "" // the endpoint will say itself what is wrong with the subnet
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.zones[subnet] = answer.AZ
	return answer.AZ
}

// lower puts a smaller MaxCount into a launch.
func lower(r *http.Request, form url.Values, most int) (*http.Request, []byte) {
	less := maps.Clone(form)
	less.Set("MaxCount", strconv.Itoa(most))
	out := r.Clone(r.Context())
	out.Header.Del("Content-Length")
	if r.Method == http.MethodGet {
		out.URL.RawQuery = less.Encode()
		return out, nil
	}
	out.URL.RawQuery = ""
	return out, []byte(less.Encode())
}

// refuse answers in EC2's place; a status without a code comes from whatever
// stands between the caller and EC2, and is no XML.
func refuse(w http.ResponseWriter, e faults.Effect) {
	if e.Code == "" {
		http.Error(w, e.Message, e.Status)
		return
	}
	writeError(w, e.Status, e.Code, e.Message)
}

func writeError(w http.ResponseWriter, status int, code, message string) {
	type fault struct {
		Code    string
		Message string
	}
	answer, err := xml.Marshal(struct {
		XMLName   xml.Name `xml:"Response"`
		Errors    []fault  `xml:"Errors>Error"`
		RequestID string
	}{Errors: []fault{{code, message}}, RequestID: "00000000-0000-4000-8000-000000000000"})
	if err != nil { // it holds nothing but strings
		panic(err)
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	io.WriteString(w, xml.Header)
	w.Write(answer)
}
