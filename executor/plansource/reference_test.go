package plansource

import (
	"context"
	"testing"
	"time"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/env"
)

// ticking is an Env whose time passes in Sleep alone, and to which things happen
// then.
type ticking struct {
	env.Env
	now    env.Time
	then   func(now env.Time)
	sleeps int
}

func (e *ticking) Now() env.Time { return e.now }

func (e *ticking) Sleep(ctx context.Context, d time.Duration) error {
	e.now, e.sleeps = e.now.Add(d), e.sleeps+1
	if e.then != nil {
		e.then(e.now)
	}
	return context.Cause(ctx)
}

func TestAFileThatIsReferredToIsWaitedFor(t *testing.T) {
	ref := plan.Refer([]byte(good))
	whole, half, other := file{text: good}, file{text: good[:9]}, file{text: good + " "}
	at := func(s float64) env.Time { return env.Time(s * 1e9) }
	for name, c := range map[string]struct {
		file    file
		there   bool
		becomes file
		when    env.Time
		outcome Outcome
		took    env.Time // and no longer
	}{
		"there":                {file: whole, there: true},
		"never there":          {when: at(9), outcome: Missing, took: at(2)},
		"comes late":           {becomes: whole, when: at(1), took: at(1)},
		"comes too late":       {becomes: whole, when: at(2.1), outcome: Missing, took: at(2)},
		"half, then whole":     {file: half, there: true, becomes: whole, when: at(0.6), took: at(0.75)},
		"half for ever":        {file: half, there: true, when: at(9), outcome: Invalid, took: at(2)},
		"another":              {file: other, there: true, when: at(9), outcome: Invalid, took: at(2)},
		"unreadable, no wait":  {file: file{err: ErrUnreadable}, there: true, outcome: Missing},
		"world-writable, same": {file: file{text: good, info: FileInfo{WorldWritable: true}}, there: true, outcome: Invalid},
		"too large, same":      {file: file{err: ErrTooLarge}, there: true, outcome: Invalid},
	} {
		d := &folder{files: map[string]file{}}
		if c.there {
			d.files[ref.File()] = c.file
		}
		e := &ticking{then: func(now env.Time) {
			if c.when > 0 && now >= c.when {
				d.files[ref.File()] = c.becomes
			}
		}}
		a := FromReference(t.Context(), e, d, "plans", ref, -1, at(2))
		if a.Outcome != c.outcome || a.Source != "plans/"+ref.File() || (a.Outcome == Found) != (a.Plan != nil) {
			t.Errorf("%s: %+v", name, a)
		}
		if (a.Cause == "") == (a.Outcome == Missing) {
			t.Errorf("%s: cause %q", name, a.Cause)
		}
		if e.now != c.took {
			t.Errorf("%s: it took %v", name, e.now.Sub(0))
		}
	}
}

// Who may not wait any more still looks once; who is told to stop, no more.
func TestAFileThatIsReferredToIsLookedForOnceInAnyCase(t *testing.T) {
	ref := plan.Refer([]byte(good))
	e := &ticking{now: 5e9}
	d := &folder{files: map[string]file{ref.File(): {text: good}}}
	if a := FromReference(t.Context(), e, d, "plans", ref, -1, 2e9); a.Outcome != Found {
		t.Errorf("%+v", a)
	}
	told, stop := context.WithCancel(t.Context())
	stop()
	e = &ticking{}
	if a := FromReference(told, e, &folder{}, "plans", ref, -1, 60e9); a.Outcome != Missing || e.sleeps != 1 {
		t.Errorf("%+v after %d sleeps", a, e.sleeps)
	}
}

func TestTheOwnerOfAFileThatIsReferredTo(t *testing.T) {
	ref := plan.Refer([]byte(good))
	for user, want := range map[int]bool{1000: true, 1001: false, -1: false} {
		d := &folder{files: map[string]file{ref.File(): {text: good, info: FileInfo{UID: 1000}}}}
		if a := FromReference(t.Context(), &ticking{}, d, "plans", ref, user, 0); a.Outcome != Found || a.Trusted != want {
			t.Errorf("a file of 1000's, a job of %d: %+v", user, a)
		}
	}
}
