package faultproxy

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"time"

	"aws-slurm-burst/executor/env"
)

// Call is one API call in the log.
type Call struct {
	Time   env.Time      // when it came
	Took   time.Duration // until its answer, with what rules added
	Action string
	// Params are the call's own parameters, decoded, as they came. Grant is
	// the count that a rule put in place of the number wanted, else 0.
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
	// Instances are those that EC2 launched or ended, as its answer names them,
	// also where that answer was dropped.
	Instances []string
}

// MarshalJSON writes a call for reports: times in RFC 3339, durations in
// milliseconds, of each parameter the value that counts.
func (c Call) MarshalJSON() ([]byte, error) {
	params := make(map[string]string, len(c.Params))
	for name := range c.Params {
		params[name] = c.Params.Get(name)
	}
	return json.Marshal(struct {
		Time      string            `json:"time"`
		Took      float64           `json:"took_ms"`
		Action    string            `json:"action"`
		Params    map[string]string `json:"params"`
		Grant     int               `json:"grant,omitempty"`
		Status    int               `json:"status"`
		Code      string            `json:"code,omitempty"`
		Applied   bool              `json:"applied"`
		Rule      string            `json:"rule,omitempty"`
		Instances []string          `json:"instances,omitempty"`
	}{c.Time.String(), float64(c.Took) / float64(time.Millisecond), c.Action, params, c.Grant, c.Status, c.Code, c.Applied, c.Rule, c.Instances})
}

// Calls returns the calls so far, in the order of their answers.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls[max(0, len(p.calls)-p.opt.Keep):])
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

func (p *Proxy) note(c Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[c.Action]++
	if p.calls = append(p.calls, c); len(p.calls) >= 2*p.opt.Keep { // so that few are moved
		p.calls = slices.Delete(p.calls, 0, len(p.calls)-p.opt.Keep)
	}
	if p.opt.Log != nil {
		p.opt.Log(c)
	}
}
