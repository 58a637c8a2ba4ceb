package runner

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/report"
)

// recorder notes what godog does, through hooks rather than a formatter: a
// formatter is registered for the whole process and hears of a scenario only
// after it ended, which loses the times.
type recorder struct {
	ctx context.Context
	o   Options

	mu        sync.Mutex // for what scenarios that run at once share: out and the map's values
	scenarios map[key]*recorded
}

// recorded is a scenario on its way. Only the goroutine that runs it touches it,
// until the run is over.
type recorded struct {
	feature string
	s       *report.Scenario
	begun   int // how often; anything but once is a failure
	ended   bool
	late    bool // it was its turn after the run had been ended
	step    int  // the one that runs, or ran last
	began   time.Time
	notes   notes
}

// over says what ended the run.
func (r *recorder) over() error { return fmt.Errorf("the run was ended: %w", context.Cause(r.ctx)) }

func newRecorder(ctx context.Context, o Options, scenarios map[key]*recorded) *recorder {
	return &recorder{ctx: ctx, o: o, scenarios: scenarios}
}

// scenario registers our hooks around those of the steps: godog calls hooks in
// the order of registration, so ours begin first and hear every error last.
func (r *recorder) scenario(sc *godog.ScenarioContext) {
	var rec *recorded
	cancel := func() {}
	sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
		rec = r.begin(p)
		if rec == nil {
			return ctx, fmt.Errorf("%s: scenario %q was not selected", p.Uri, p.Name)
		}
		if r.o.Timeout > 0 {
			ctx, cancel = context.WithTimeout(ctx, r.o.Timeout)
		}
		if r.ctx.Err() != nil {
			rec.late = true
			return ctx, r.over()
		}
		return context.WithValue(ctx, notesKey{}, &rec.notes), nil
	})
	sc.StepContext().Before(func(ctx context.Context, st *godog.Step) (context.Context, error) {
		if rec != nil && isOwn(st) {
			rec.began = time.Now()
		}
		return ctx, nil
	})

	if problem := register(r.o.Steps, sc); problem != nil {
		sc.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) { return ctx, problem })
	}

	sc.StepContext().After(func(ctx context.Context, st *godog.Step, status godog.StepResultStatus, err error) (context.Context, error) {
		if rec != nil && isOwn(st) {
			rec.stepEnded(ctx, status, err)
		}
		return ctx, nil
	})
	sc.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
		cancel()
		if rec != nil {
			r.end(ctx, rec, err)
		}
		return ctx, nil
	})
}

// isOwn tells a step of the scenario from one that a step definition runs inside
// itself: those have no place in the file.
func isOwn(st *godog.Step) bool { return len(st.AstNodeIds) > 0 }

// register calls the caller's function. A panic in it (a bad expression, say)
// fails the scenario instead of ending the program without a report.
func register(steps func(*godog.ScenarioContext), sc *godog.ScenarioContext) (problem error) {
	defer func() {
		if p := recover(); p != nil {
			problem = fmt.Errorf("registering the steps panicked: %v", p)
		}
	}()
	steps(sc)
	return nil
}

func (r *recorder) begin(p *godog.Scenario) *recorded {
	r.mu.Lock()
	rec := r.scenarios[key{File(p), p.Name}]
	r.mu.Unlock()
	if rec != nil {
		rec.begun++
		rec.step = -1
		rec.s.Started = time.Now()
		rec.notes.began = rec.s.Started
	}
	return rec
}

var statuses = map[godog.StepResultStatus]report.Status{
	godog.StepPassed: report.Passed, godog.StepFailed: report.Failed, godog.StepSkipped: report.Skipped,
	godog.StepUndefined: report.Undefined, godog.StepPending: report.Pending, godog.StepAmbiguous: report.Ambiguous,
}

func (rec *recorded) stepEnded(ctx context.Context, status godog.StepResultStatus, err error) {
	rec.step++
	st := &rec.s.Steps[rec.step]
	if status == godog.StepSkipped && rec.step > 0 && rec.s.Steps[rec.step-1].Status != report.Passed {
		return // the scenario was over before this step: it stays "not run"
	}
	st.Status = statuses[status]
	if err != nil {
		st.Problem = strings.TrimSpace(err.Error())
		if st.Status == report.Undefined {
			st.Problem = "there is no such sentence: `aws-slurm-burst features --steps` lists those there are"
		}
		if st.Status == report.Passed { // a hook after the step failed it
			st.Status = report.Failed
		}
	}
	if !rec.ended {
		st.Elapsed = max(0, time.Since(rec.began))
		st.Attachments = attachments(ctx)
	}
}

func attachments(ctx context.Context) []report.Attachment {
	var out []report.Attachment
	for _, a := range godog.Attachments(ctx) {
		out = append(out, report.Attachment{Name: a.FileName, MediaType: a.MediaType, Body: a.Body})
	}
	return out
}

// end is called after the last step, or the first that failed.
func (r *recorder) end(ctx context.Context, rec *recorded, err error) {
	s := rec.s
	rec.ended = true
	s.Elapsed = max(0, time.Since(s.Started))
	if rec.step >= 0 { // hooks after the scenario attach to its last step
		s.Steps[rec.step].Attachments = attachments(ctx)
	}
	s.Status = report.Passed
	for _, st := range s.Steps {
		if st.Status != report.Passed {
			s.Status = st.Status
			break
		}
	}
	if s.Status == report.NotRun { // no step did; the error says why
		s.Status = report.Failed
	}
	switch {
	case s.Status == report.Skipped:
		s.Problem = "it skipped itself while it ran: leave it out before the run, with a tag " + exclusionPrefix + "BACKEND:REASON"
	case err == nil:
	case s.Status == report.Passed: // only a hook can have failed
		s.Status, s.Problem = report.Failed, strings.TrimSpace(err.Error())
	case s.Status == report.Undefined: // its step says so
	case rec.step < 0 || s.Steps[rec.step].Problem != strings.TrimSpace(err.Error()):
		s.Problem = strings.TrimSpace(err.Error()) // a hook's error beside the step's
	}
	if rec.late {
		return // the end of the output counts it
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.o.terminal().Progress(rec.feature, *s)
}

// settle judges, once godog is done, the scenarios it passed over or ran twice.
func (r *recorder) settle() {
	for _, rec := range r.scenarios {
		rec.notes.into(rec.s)
		switch {
		case rec.begun == 0:
			rec.s.Status, rec.s.Problem = report.NotRun, "godog never ran it"
		case rec.late:
			rec.s.Status, rec.s.Problem = report.NotRun, r.over().Error()
			for i := range rec.s.Steps {
				rec.s.Steps[i].Status, rec.s.Steps[i].Problem = report.NotRun, ""
			}
		case rec.begun > 1:
			rec.s.Status, rec.s.Problem = report.Failed, fmt.Sprintf("godog ran it %d times", rec.begun)
		case !rec.ended:
			rec.s.Status, rec.s.Problem = report.Failed, "it began and never ended"
		}
	}
}
