package plansource

import (
	"context"
	"path/filepath"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
	"aws-slurm-burst/executor/env"
)

// lookEvery is how long after one look for a file that is not there the next one
// follows.
const lookEvery = 250 * time.Millisecond

// FromReference reads the plan of a folder that a job refers to, and whose file
// is named after its bytes. The reference was made from the plan, so the file is
// on its way at worst, over a file system that shows it late: one that is not
// there, or is not whole, is looked for again until then. It is looked for once
// in any case. user is the job's, whose plans are trusted for it; -1 where it is
// not known for certain.
func FromReference(ctx context.Context, e env.Env, files Files, dir string, ref plan.Reference, user int, until env.Time) Answer {
	path := filepath.Join(dir, ref.File())
	for {
		a, ok := readNamed(ctx, files, path, user, ref)
		if !ok {
			a.Outcome, a.Cause = Missing, "Execution plan not found at "+path
		}
		if a.Outcome == Found || ok && !isOtherPlan(a) {
			return a
		}
		left := until.Sub(e.Now())
		if left <= 0 || e.Sleep(ctx, min(lookEvery, left)) != nil {
			return a
		}
	}
}

// Unsure is the answer where it is not certain which plan a job refers to, if to
// any, and why. The folder may have a plan for the job by its id, but a job that
// names its plan is launched by no other.
func Unsure(dir, why string) Answer {
	return Answer{Outcome: Missing, Source: dir, Cause: "Execution plan not known: " + why}
}

// otherPlan is the finding about a file whose bytes are not those that it is
// named after.
func otherPlan(path string, data []byte) finding.Finding {
	return rule.New(rule.OtherPlan, rule.Place{File: path},
		"the file is not the plan that the job refers to: its SHA-256 is "+string(plan.Refer(data)), "write plans aside and rename them, and change none: submit the job again with a new one")
}

func isOtherPlan(a Answer) bool {
	for _, f := range a.Findings {
		if f.ID == rule.OtherPlan {
			return true
		}
	}
	return false
}
