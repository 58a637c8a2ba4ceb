package faults

import (
	"math/rand/v2"
	"sync"
	"time"

	"aws-slurm-burst/executor/env"
)

// Rules is a file of rules with its counts. It is safe for concurrent use; the
// nil Rules have no effect.
type Rules struct {
	mu    sync.Mutex
	rules []*rule
	began bool
	first env.Time // when the first call came
}

type rule struct {
	where string

	action, typ, az, market string // patterns
	size, sizeMost          int    // of instances required; sizeMost 0: no end
	from, until             time.Duration

	after, times   int // times 0: always
	probability    float64
	chance         *rand.Rand // of this rule alone
	matched, acted int

	delay, stale  time.Duration
	code, message string
	status        int
	lost          bool
	limit         limit
}

// Next returns what happens to a call, and counts it. It reports false where
// no rule has an effect.
func (r *Rules) Next(f Fact) (Effect, bool) {
	if r == nil {
		return Effect{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.began {
		r.began, r.first = true, f.Time
	}
	var out Effect
	for _, k := range r.rules {
		if !k.holds(f, f.Time.Sub(r.first)) || !k.due(f) {
			continue
		}
		ends := k.act(f, &out)
		if ends || (k.delay > 0 || k.stale > 0) && out.Rule == "" {
			out.Rule = k.where
		}
		if ends {
			return out, true
		}
	}
	return out, out.Delay > 0 || out.Stale > 0
}

// Settle tells the rules what came of a call that Next let pass: the instances
// that it launched or ended, as far as limits count them. Without it a launch
// is taken to have had all that it was let have, which is the safe side for one
// whose outcome nobody knows. A call that was refused, here or by EC2, launched
// nothing.
func (r *Rules) Settle(e Effect, launched, ended []string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range e.booked {
		b.limit.settle(b, launched)
	}
	for _, k := range r.rules {
		k.limit.free(ended)
	}
}

// Stalest is the oldest world that a rule may show; 0 where none is stale.
func (r *Rules) Stalest() time.Duration {
	var out time.Duration
	if r != nil {
		for _, k := range r.rules {
			out = max(out, k.stale)
		}
	}
	return out
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

func (k *rule) holds(f Fact, since time.Duration) bool {
	return fits(k.action, f.Action) && fits(k.typ, f.Type) && fits(k.az, f.AZ) && fits(k.market, f.Market) &&
		f.Size >= k.size && (k.sizeMost == 0 || f.Size <= k.sizeMost) &&
		since >= k.from && (k.until == 0 || since < k.until)
}

// due counts a match and reports whether the rule acts on it. A token that the
// rule has limited before is limited again, whatever the counts say: to EC2 the
// two are one launch.
func (k *rule) due(f Fact) bool {
	k.matched++
	if _, again := k.limit.before(f.Token); again {
		return true
	}
	if k.matched <= k.after || k.times > 0 && k.acted >= k.times {
		return false
	}
	if k.probability > 0 && k.chance.Float64() >= k.probability {
		return false
	}
	k.acted++
	return true
}

// act adds the rule's effect to out and reports whether it ends the search.
func (k *rule) act(f Fact, out *Effect) bool {
	out.Delay += k.delay
	out.Stale = max(out.Stale, k.stale)
	switch {
	case k.limit.kind != "":
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

func fits(pattern, s string) bool { return pattern == "" || Match(pattern, s) }
