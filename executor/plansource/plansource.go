// Package plansource finds execution plans: of a call in a file or in the
// environment, of a job in a folder, by the job's name or by the reference that
// the job has, of either by asking the advisor over HTTP, over a pipe, or by
// running it. Its answer says
// whether there is a plan, whether it is fit for use, in which words to say so,
// and whether it can be trusted.
//
// No plan is ever half of one: what was cut short, is another question's, too
// large or too late is a plan that is missing, and the answer says why.
//
// It decides nothing about what follows (falling back, refusing): the executor
// does, with the site's configuration.
package plansource

import (
	"context"
	"errors"
	"fmt"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// Files reads plan files for this package.
type Files interface {
	// ReadPlan returns a file's bytes and whose it is. It follows symbolic
	// links, and info is about the very file that was read. Errors:
	// ErrNotFound, ErrTooLarge for more than limit bytes, ErrNotRegular, and
	// ErrUnreadable for all else, each possibly wrapped.
	ReadPlan(ctx context.Context, path string, limit int64) (data []byte, info FileInfo, err error)
}

// FileInfo is what trust in a file depends on.
type FileInfo struct {
	// OwnedByRootOrSelf: it belongs to root, the Slurm user or the caller.
	OwnedByRootOrSelf bool
	// UID is the owner's, -1 where it is not known.
	UID           int
	WorldWritable bool
}

// Errors of Files.
var (
	ErrNotFound   = errors.New("no such file")
	ErrTooLarge   = errors.New("file too large")
	ErrNotRegular = errors.New("not a regular file")
	ErrUnreadable = errors.New("cannot be read")
)

// Outcome is what came of looking for a plan.
type Outcome int8

// Found: there is a plan, and it could be read. Missing: there is none, or it
// cannot be got at. Invalid: there is one, and Findings says what is wrong with
// its text.
const (
	Found Outcome = iota
	Missing
	Invalid
)

// String returns the outcome as a word.
func (o Outcome) String() string {
	switch o {
	case Found:
		return "found"
	case Missing:
		return "missing"
	default:
		return "invalid"
	}
}

// Answer is what a source has to say.
type Answer struct {
	Outcome Outcome
	// Plan is set where the outcome is Found, and, for looking at and not for
	// use, where a plan could be read but is Invalid.
	Plan *plan.Plan
	// Findings are those of reading; what the plan says is for asba/plan/lint.
	Findings []finding.Finding
	// Cause says why a plan is Missing, as the beginning of a line for people:
	// "Execution plan not found". It is empty where a folder has none for the
	// job. Detail is what else is known of it, for the log.
	Cause, Detail string
	// Source is the file's path, "environment", or the way that the advisor
	// was asked; the folder where that has no plan for the job.
	Source string
	// Text is the plan of an advisor as it wrote it.
	Text []byte
	// Trusted is false where someone else may have written the plan: then
	// Restrict it before use.
	Trusted bool
}

// FromFile reads the plan in a file.
func FromFile(ctx context.Context, files Files, path string) Answer {
	a, ok := read(ctx, files, path, -1)
	if !ok {
		a.Outcome, a.Cause = Missing, "Execution plan not found"
	}
	return a
}

// read reads the plan in a file, which may also be of a user; -1 is nobody. ok
// is false where there is no such file.
func read(ctx context.Context, files Files, path string, user int) (a Answer, ok bool) {
	return readNamed(ctx, files, path, user, "")
}

// readNamed is read of a file that has to be the plan of a reference, where there
// is one.
func readNamed(ctx context.Context, files Files, path string, user int, ref plan.Reference) (a Answer, ok bool) {
	a.Source = path
	data, info, err := files.ReadPlan(ctx, path, plan.MaxSize)
	switch {
	case errors.Is(err, ErrNotFound):
		return a, false
	case errors.Is(err, ErrTooLarge):
		return a.judge(nil, []finding.Finding{plan.TooLarge(path)}), true
	case err != nil:
		a.Outcome, a.Cause = Missing, fmt.Sprintf("Execution plan not readable: %v", err)
		return a, true
	case info.WorldWritable:
		return a.judge(nil, []finding.Finding{WorldWritable(path)}), true
	case ref != "" && !ref.Names(data):
		return a.judge(nil, []finding.Finding{otherPlan(path, data)}), true
	}
	a.Trusted = info.OwnedByRootOrSelf || user >= 0 && info.UID == user
	return a.judge(plan.Read(data, path)), true
}

// WorldWritable is the finding about a file that anyone may write: whatever it
// says, and however well, anyone could have written it.
func WorldWritable(path string) finding.Finding {
	return rule.New(rule.WorldWritable, rule.Place{File: path},
		"the plan file is world-writable: anyone could have written it", "chmod o-w it")
}

// FromEnvironment reads the plan in the ASBA_* variables; ok is false where
// none is set. Who sets the variables of a call may also choose its arguments,
// so the plan is trusted.
func FromEnvironment(get func(string) string) (a Answer, ok bool) {
	p, fs, present := plan.FromEnv(get)
	if !present {
		return Answer{}, false
	}
	return Answer{Source: p.Source, Trusted: true}.judge(p, fs), true
}

// judge draws the conclusion from what reading found.
func (a Answer) judge(p *plan.Plan, fs []finding.Finding) Answer {
	a.Plan, a.Findings = p, fs
	if finding.Count(fs, finding.Error) > 0 {
		a.Outcome = Invalid
		return a
	}
	a.Outcome = Found
	return a
}
