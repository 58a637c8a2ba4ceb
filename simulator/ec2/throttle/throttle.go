// Package throttle is how often EC2 lets an account call it: token buckets for
// requests, one an action, and for the instances that requests launch or end.
//
// It decides and counts; it neither waits nor knows what a call is about.
package throttle

import (
	"math"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
)

// Bucket is a token bucket: it holds Capacity tokens at first and at most, and
// gets PerSecond more each second, fractions included.
type Bucket struct {
	Capacity  int
	PerSecond float64
}

// Limits are the buckets of an account in a region.
type Limits struct {
	// Requests holds the buckets of actions by their names; Reads and Writes are
	// the ones of any other action, each action has one of its own. WholeReads
	// are those of Describe calls that name nothing, filter nothing and do not
	// page, beside the action's usual bucket.
	Requests                  map[string]Bucket
	Reads, Writes, WholeReads Bucket
	// Resources holds the buckets of instances: those that an action launches or
	// ends.
	Resources map[string]Bucket
}

// Published returns EC2's limits as its API guide has them ("Request throttling
// for the Amazon EC2 API", tables of request and resource token buckets, read
// 2026-11).
func Published() *Limits {
	return &Limits{
		Requests: map[string]Bucket{
			"RunInstances":                   {5, 2},
			"StartInstances":                 {5, 2},
			"TerminateInstances":             {100, 5},
			"CreateTags":                     {100, 10},
			"CreateLaunchTemplateVersion":    {100, 5},
			"DescribeInstanceTopology":       {1, 1},
			"DescribeCapacityBlockOfferings": {10, 0.15},
		},
		Reads:      Bucket{100, 20},
		Writes:     Bucket{50, 5},
		WholeReads: Bucket{50, 10},
		Resources: map[string]Bucket{
			"RunInstances":       {1000, 2},
			"StartInstances":     {1000, 2},
			"StopInstances":      {1000, 20},
			"TerminateInstances": {1000, 20},
		},
	}
}

// wholeReads are the actions whose unfiltered, unpaged calls have a bucket of
// their own.
var wholeReads = map[string]string{
	"DescribeInstances":            "DescribeInstances, whole",
	"DescribeInstanceStatus":       "DescribeInstanceStatus, whole",
	"DescribeNetworkInterfaces":    "DescribeNetworkInterfaces, whole",
	"DescribeSpotInstanceRequests": "DescribeSpotInstanceRequests, whole",
	"DescribeVolumes":              "DescribeVolumes, whole",
}

// Throttle is an account's buckets as they are filled.
type Throttle struct {
	limits              *Limits
	requests, resources map[string]*level
}

// New returns full buckets.
func New(l *Limits) *Throttle {
	return &Throttle{limits: l, requests: map[string]*level{}, resources: map[string]*level{}}
}

// Request takes a token for one call and reports whether there was one; a call
// that is refused takes none. whole says that a Describe call names nothing,
// filters nothing and does not page. Calls come in order of time.
func (t *Throttle) Request(now env.Time, action string, whole bool) bool {
	key, bucket := action, t.limits.Writes
	switch b, own := t.limits.Requests[action]; {
	case whole && wholeReads[action] != "":
		key, bucket = wholeReads[action], t.limits.WholeReads
	case own:
		bucket = b
	case strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "Get"):
		bucket = t.limits.Reads
	}
	l := t.requests[key]
	if l == nil {
		l = newLevel(bucket, now)
		t.requests[key] = l
	}
	l.fill(now)
	return l.take(1)
}

// Resources reports whether the action's bucket has tokens for n instances; an
// action without a bucket always has. It takes none: Spend does, for what the
// call brought about.
func (t *Throttle) Resources(now env.Time, action string, n int) bool {
	l := t.resource(now, action)
	return l == nil || l.has(n)
}

// Spend takes the tokens of n instances.
func (t *Throttle) Spend(now env.Time, action string, n int) {
	if l := t.resource(now, action); l != nil {
		l.take(n)
	}
}

func (t *Throttle) resource(now env.Time, action string) *level {
	l := t.resources[action]
	if l == nil {
		b, ok := t.limits.Resources[action]
		if !ok {
			return nil
		}
		l = newLevel(b, now)
		t.resources[action] = l
	}
	l.fill(now)
	return l
}

// A token is divided so finely that a nanosecond at a millionth of a token a
// second is a whole number: levels are exact, however often they are filled.
const (
	micro = 1_000_000
	token = int64(time.Second) * micro
)

// maxTokens bounds a bucket's capacity, or its level would not fit.
const maxTokens = math.MaxInt64 / token

// level is how full a bucket is.
type level struct {
	most, left int64 // in parts of a token
	rate       int64 // in millionths of a token a second: parts a nanosecond
	at         env.Time
}

func newLevel(b Bucket, now env.Time) *level {
	most := min(max(int64(b.Capacity), 0), maxTokens) * token
	return &level{most: most, left: most, rate: int64(math.Round(max(b.PerSecond, 0) * micro)), at: now}
}

func (l *level) fill(now env.Time) {
	passed := int64(now - l.at)
	if passed <= 0 {
		return
	}
	l.at = now
	if lack := l.most - l.left; l.rate > 0 && passed > lack/l.rate {
		l.left = l.most
	} else {
		l.left += passed * l.rate
	}
}

func (l *level) has(n int) bool { return int64(n) <= l.left/token }

func (l *level) take(n int) bool {
	if !l.has(n) {
		return false
	}
	l.left -= int64(n) * token
	return true
}
