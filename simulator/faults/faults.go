// Package faults is a small rule language for the faults of a cloud: which
// calls fail, how, and how often. It knows calls only as neutral facts (when,
// action, type, zone, market, size), so that the EC2 model's port in virtual
// time and the HTTP proxy before a real endpoint obey one and the same file.
//
// A file is YAML (or JSON): a list of rules under faults, and perhaps a seed.
//
//	seed: 7                      # of all probabilities; default: 1
//	faults:
//	  # conditions: all given ones hold; * and ? are wildcards
//	  - action: RunInstances     # default: RunInstances
//	    type: c6i.*              # instance type
//	    az: us-east-1a
//	    market: spot             # spot or on-demand
//	    size: 8                  # at least so many instances are required; 2-8: and at most so many
//	    from: 10s                # since the first call that the rules saw
//	    until: 1m                # and before this
//	    # how often: of the calls that meet the conditions
//	    after: 1                 # let the first one pass
//	    probability: 0.3         # then fault with this chance
//	    times: 3                 # three faults in all; default: no end
//	    # the effect: one of error, throttle, status, lost-answer, capacity,
//	    # quota, grant, stale; delay alone or with one of them
//	    error: InsufficientInstanceCapacity
//	    message: no room         # the error's text
//	  - {type: hpc6a.48xlarge, capacity: 4}         # launches get 4 in all
//	  - {market: spot, quota: 16}                   # at most 16 live at once
//	  - {grant: 3}                                  # no launch gets more than 3
//	  - {action: "Describe*", throttle: true}       # RequestLimitExceeded, 503
//	  - {action: TerminateInstances, status: 500}   # InternalError
//	  - {lost-answer: true, times: 1}               # applied, but nobody hears
//	  - {stale: 5s}                                 # DescribeInstances shows what was
//	  - {action: "*", delay: 2s}
//
// Rules are tried from top to bottom. Delays add up, and of several stale the
// longest holds; the first other effect ends the search, and rules below it
// neither count nor act on that call. docs/FAULTS.md has each effect in detail.
//
// The same calls in the same order, at the same distances in time, meet the
// same faults: time is the facts' own, and chance comes from the seed.
package faults

import (
	"time"

	"aws-slurm-burst/executor/env"
)

// Fact is what a rule can know of a call. Only launches (RunInstances,
// CreateFleet) have more than Time and Action.
type Fact struct {
	Time   env.Time // when it came, by any clock
	Action string   // EC2's, such as RunInstances
	Type   string   // instance type
	AZ     string
	Market string // spot or on-demand, of a launch
	Size   int    // instances required (MinCount); a fleet may require none
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
	// Grant, where it is not 0, lowers the number of instances wanted; Code and
	// Message then say why, for answers that tell.
	Grant int
	// Limited says that Code is a limit's: there is not enough for the call.
	// A fleet that required nothing is answered with nothing, and why.
	Limited bool
	// Stale is how old the world is that a describe shows.
	Stale time.Duration

	// Rule is the file and line of the rule that ended the search, else of the
	// first one that delays or makes stale.
	Rule string

	booked []booking
}

// Refused reports whether the call is answered without being applied.
func (e Effect) Refused() bool { return e.Status != 0 }
