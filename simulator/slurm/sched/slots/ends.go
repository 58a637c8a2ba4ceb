package slots

import (
	"time"

	"aws-slurm-burst/executor/env"
)

// Ends is which ends of jobs backfill looks at together, as select/cons_tres
// does it: those up to half a minute after the next full half minute, and from then
// on in steps that grow.
type Ends struct {
	// Linear is bf_window_linear: by how much the steps grow; 0 doubles them.
	Linear time.Duration
	base   env.Time // 0 before the first end
	window time.Duration
}

const halfMinute = 30 * time.Second

// Begin says when a job ends.
func (e *Ends) Begin(at env.Time) {
	if e.base == 0 {
		e.base, e.window = at.Add(halfMinute-time.Duration(at)%halfMinute), halfMinute
	}
}

// Until is the end of the present group.
func (e *Ends) Until() env.Time { return e.base.Add(e.window) }

// Grow begins the next group, up to an end at least.
func (e *Ends) Grow(at env.Time) {
	for grown := false; !grown || at > e.Until(); grown = true {
		if e.Linear > 0 {
			e.window += e.Linear
		} else {
			e.window *= 2
		}
	}
}
