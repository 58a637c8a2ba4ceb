// Package faults is a small rule language for the faults of a cloud: which
// calls fail, how, and how often. It knows calls only as neutral facts (action,
// type, zone, market, size), so that the EC2 model's port in virtual time and
// the HTTP proxy before a real endpoint obey one and the same file.
//
// A file is YAML (or JSON) with one key, faults: a list of rules.
//
//	faults:
//	  # conditions: all given ones hold; * and ? are wildcards
//	  - action: RunInstances     # default: RunInstances
//	    type: c6i.*              # instance type
//	    az: us-east-1a
//	    market: spot             # spot or on-demand
//	    size: 8                  # at least so many instances are required
//	    # how often: of the calls that meet the conditions
//	    after: 1                 # let the first one pass
//	    times: 3                 # then fault three; default: all
//	    # the effect: one of error, throttle, status, lost-answer, capacity;
//	    # delay alone or with one of them
//	    error: InsufficientInstanceCapacity
//	    message: no room         # the error's text
//	  - {type: hpc6a.48xlarge, capacity: 4}         # launches get 4 in all
//	  - {action: "Describe*", throttle: true}       # RequestLimitExceeded, 503
//	  - {action: TerminateInstances, status: 500}   # InternalError
//	  - {lost-answer: true, times: 1}               # applied, but nobody hears
//	  - {action: "*", delay: 2s}
//
// Rules are tried from top to bottom. Delays add up; the first other effect
// ends the search, and rules below it neither count nor act on that call. A
// capacity is never given back: it says how many instances the rule lets
// through, fewer than were asked for where the call takes fewer, and answers
// InsufficientInstanceCapacity from then on. A repeated client token is given
// what it was given before.
//
// The package has no randomness: the same calls in the same order meet the
// same faults.
package faults

import (
	"sync"
	"time"
)

// Fact is what a rule can know of a call. Only launches have more than Action.
type Fact struct {
	Action string // EC2's, such as RunInstances
	Type   string // instance type
	AZ     string
	Market string // spot or on-demand, of a launch
	Size   int    // instances required (MinCount)
	Max    int    // instances wanted (MaxCount); 0 means Size
	Token  string // client token
}

// Effect is what happens to a call.
type Effect struct {
	Delay time.Duration // before anything else

	// Code and Status, where Status is not 0, are answered in place of the
	// call; Code is "" for a status that does not come from EC2 itself.
	Code    string
	Status  int
	Message string

	// Lost applies the call and drops its answer.
	Lost bool
	// Grant, where it is not 0, lowers the number of instances wanted.
	Grant int

	// Rule is the file and line of the rule that ended the search, else of the
	// first one that delays.
	Rule string
}

// Refused reports whether the call is answered without being applied.
func (e Effect) Refused() bool { return e.Status != 0 }

// Rules is a file of rules with its counts. It is safe for concurrent use; the
// nil Rules have no effect.
type Rules struct {
	mu    sync.Mutex
	rules []*rule
}

type rule struct {
	where                   string
	action, typ, az, market string // patterns
	size, after, times      int    // times 0: always
	delay                   time.Duration
	code, message           string
	status                  int
	lost                    bool
	capacity                int // left of it
	limited                 bool
	granted                 map[string]int // by client token
	matched                 int
}

// Next returns what happens to a call, and counts it. It reports false where
// no rule has an effect.
func (r *Rules) Next(f Fact) (Effect, bool) {
	if r == nil {
		return Effect{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out Effect
	for _, k := range r.rules {
		if !k.holds(f) || !k.due() {
			continue
		}
		ends := k.act(f, &out)
		if ends || k.delay > 0 && out.Rule == "" {
			out.Rule = k.where
		}
		if ends {
			return out, true
		}
	}
	return out, out.Delay > 0
}

// Matched returns how many calls met the conditions of each rule so far, in
// the order of the file.
func (r *Rules) Matched() []int {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]int, len(r.rules))
	for i, k := range r.rules {
		out[i] = k.matched
	}
	return out
}

func (k *rule) holds(f Fact) bool {
	return fits(k.action, f.Action) && fits(k.typ, f.Type) && fits(k.az, f.AZ) && fits(k.market, f.Market) && f.Size >= k.size
}

// due counts a match and reports whether the rule acts on it.
func (k *rule) due() bool {
	k.matched++
	n := k.matched - k.after
	return n > 0 && (k.times == 0 || n <= k.times)
}

// act adds the rule's effect to out and reports whether it ends the search.
func (k *rule) act(f Fact, out *Effect) bool {
	out.Delay += k.delay
	switch {
	case k.limited:
		return k.ration(f, out)
	case k.lost:
		out.Lost = true
	case k.status != 0:
		out.Code, out.Status, out.Message = k.code, k.status, k.message
	default:
		return false
	}
	return true
}

// ration lets a launch have what is left of the capacity. A launch that gets
// all it wants goes on to the rules below.
func (k *rule) ration(f Fact, out *Effect) bool {
	most := max(f.Size, f.Max)
	n, again := k.granted[f.Token]
	if !again || f.Token == "" {
		n = min(k.capacity, most)
		if n < f.Size || n == 0 {
			out.Code, out.Status, out.Message = k.code, k.status, k.message
			return true
		}
		k.capacity -= n
		if f.Token != "" {
			k.granted[f.Token] = n
		}
	}
	if n < most {
		out.Grant = n
		return true
	}
	return false
}

func fits(pattern, s string) bool { return pattern == "" || Match(pattern, s) }

// Match matches s against a pattern in which * stands for any text, ? for any
// byte, and a backslash takes their meaning away: the wildcards of EC2's
// filters. It takes time of the product of their lengths at most: after a mismatch
// only the last * is tried again, one byte further on.
func Match(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			p, i = p+1, i+1
		case p+1 < len(pattern) && pattern[p] == '\\' && pattern[p+1] == s[i]:
			p, i = p+2, i+1
		case p < len(pattern) && pattern[p] != '\\' && pattern[p] == s[i]:
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
