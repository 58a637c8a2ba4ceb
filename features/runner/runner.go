// Package runner runs Gherkin features with godog, strictly: a run is green only
// if every selected scenario ran and passed, and at least one did.
//
// godog by itself reports success for undefined and pending steps, for scenarios
// that skip themselves, for tag expressions it cannot read, and for runs in which
// nothing ran; its JUnit file has skips as errors and negative times. The runner
// checks the features before godog sees them and records what happens through
// godog's hooks; reports are written from that record (features/report).
//
// It knows nothing of EC2, Slurm or the steps. Scenarios may run at the same
// time: a step keeps its state in the context it returns, never in a variable
// that two scenarios see. A panic in a step fails its scenario; godog offers no
// place to catch one in an After hook, which ends the program.
package runner

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/report"
)

// Options say what to run, where, and where to report it.
type Options struct {
	// Name of the run in reports; empty means "features". Version is that of
	// what is tested.
	Name, Version string
	// FS holds the features; nil means the operating system's files.
	FS fs.FS
	// Paths are files, folders, or FILE:LINE of a scenario's first line.
	Paths []string
	// Tags selects scenarios: @tag and ~@tag, joined by && (and) or commas (or).
	Tags string
	// KnownTags may be used in Tags though none of Paths has them.
	KnownTags []string
	// Backend is a fact for the report, and decides which scenarios are left
	// out: those tagged @not-NAME:REASON.
	Backend report.Backend
	// KnownBackends are the names that exclusion tags may use beside Backend's:
	// any other is refused as a typing error.
	KnownBackends []string
	// Steps registers steps and hooks; it is called once for each scenario.
	Steps func(*godog.ScenarioContext)
	// Out gets progress and the summary, with colours where Color is set; nil
	// discards them.
	Out   io.Writer
	Color bool
	// Concurrency is how many scenarios run at the same time; 0 means one.
	Concurrency int
	// Seed shuffles the scenarios of each feature: 0 keeps the order of the
	// file, -1 picks a seed, which the summary tells.
	Seed int64
	// Timeout ends a scenario's context; 0 means never. A step that does not
	// look at its context is not stopped by it.
	Timeout time.Duration
}

// UsageError is a run that was refused before any scenario ran.
type UsageError struct{ Problem string }

func (e *UsageError) Error() string { return e.Problem }

func usagef(format string, args ...any) error {
	return &UsageError{Problem: fmt.Sprintf(format, args...)}
}

// FailedError is a run in which scenarios failed.
type FailedError struct{ Failed, Ran int }

func (e *FailedError) Error() string {
	return fmt.Sprintf("features: %d of %d scenarios failed", e.Failed, e.Ran)
}

// Run runs the selected scenarios and returns nil only if all of them passed.
// It fails with a *UsageError (nothing ran) or a *FailedError; the summary is
// whole unless nothing ran.
func Run(ctx context.Context, o Options) (report.Summary, error) {
	o = o.defaults()
	if o.Seed == -1 {
		o.Seed = 1 + rand.Int64N(1_000_000) // short enough to type again
	}
	sum := report.Summary{Name: o.Name, Version: o.Version, Backend: o.Backend, Tags: o.Tags, Seed: o.Seed, Concurrency: o.Concurrency}
	if o.Steps == nil {
		return sum, usagef("features: no steps were given")
	}
	features, sel, err := prepare(o)
	if err != nil {
		return sum, err
	}

	o.terminal().Header(sum, len(sel.scenarios))
	sum.Started = time.Now()
	r := newRecorder(ctx, o, sel.scenarios)
	code := godog.TestSuite{
		Name:                o.Name,
		ScenarioInitializer: r.scenario,
		Options: &godog.Options{
			// godog's own output is not used; progress is its smallest.
			Format: "progress", Output: io.Discard, NoColors: true,
			Strict: true, FS: o.FS, Paths: sel.targets, Tags: sel.filter,
			Concurrency: o.Concurrency, Randomize: o.Seed, DefaultContext: ctx,
		},
	}.Run()
	sum.Elapsed = time.Since(sum.Started)
	r.settle()
	fill(&sum, features, sel)
	o.terminal().End(sum)

	var failure error
	switch {
	case sum.Failed > 0:
		failure = &FailedError{Failed: sum.Failed, Ran: sum.Passed + sum.Failed}
	case code != 0:
		// The record and godog disagree: trust the worse news.
		failure = fmt.Errorf("features: godog failed (exit %d) though every scenario passed", code)
	}
	return sum, failure
}

func (o Options) defaults() Options {
	if o.Name == "" {
		o.Name = "features"
	}
	if o.FS == nil {
		o.FS = osFS{}
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	o.Concurrency = max(o.Concurrency, 1)
	return o
}

func (o Options) terminal() report.Terminal { return report.Terminal{W: o.Out, Color: o.Color} }

// List returns what Run would run and leave out, and runs nothing. It fails with
// a *UsageError.
func List(o Options) ([]report.Feature, error) {
	o = o.defaults()
	features, sel, err := prepare(o)
	if err != nil {
		return nil, err
	}
	var sum report.Summary
	fill(&sum, features, sel)
	return sum.Features, nil
}

// prepare reads the features and selects of them what is to run.
func prepare(o Options) ([]*feature, *selection, error) {
	if len(o.Paths) == 0 {
		return nil, nil, usagef("features: no feature file or folder was given")
	}
	features, err := load(o.FS, o.Paths)
	if err != nil {
		return nil, nil, err
	}
	sel, err := choose(features, o)
	return features, sel, err
}

// selection is what of the features is going to run.
type selection struct {
	scenarios map[key]*recorded
	targets   []string // for godog
	filter    string   // for godog: the tags asked for and no excluded scenario
	filtered  map[*report.Scenario]bool
}

// choose applies the tag expression and the exclusions. godog gets both as one
// expression, so that nothing has to skip itself during the run.
func choose(features []*feature, o Options) (*selection, error) {
	known := append([]string(nil), o.KnownTags...)
	for _, f := range features {
		for _, s := range f.runs {
			known = append(known, s.Tags...)
		}
	}
	expr, err := parseTags(o.Tags, known)
	if err != nil {
		return nil, err
	}
	backends := append([]string{o.Backend.Name}, o.KnownBackends...)
	sel := &selection{scenarios: map[key]*recorded{}, filtered: map[*report.Scenario]bool{}}
	filter, left := expr, 0
	barred := map[string]bool{}
	for _, f := range features {
		before := len(sel.scenarios)
		for _, s := range f.runs {
			for _, tag := range s.Tags {
				backend, reason, ok, err := exclusion(tag, backends)
				if err != nil {
					return nil, usagef("%s:%d: %v", f.File, s.Line, err)
				}
				if !ok || backend != o.Backend.Name {
					continue
				}
				s.Status, s.Problem = report.LeftOut, fmt.Sprintf("not on %s: %s", backend, reason)
				if !barred[tag] {
					barred[tag] = true
					filter = append(filter, []term{{tag: tag, negate: true}})
				}
			}
			switch {
			case !expr.match(s.Tags):
				sel.filtered[s] = true
			case s.Status == report.LeftOut:
				left++
			default:
				sel.scenarios[key{f.File, s.Name}] = &recorded{feature: f.Name, s: s}
			}
		}
		if len(sel.scenarios) > before {
			sel.targets = append(sel.targets, f.targets...)
		}
	}
	if len(sel.scenarios) == 0 {
		return nil, usagef("features: no scenario to run in %s: %d not selected by tags %q, %d left out on %s",
			strings.Join(o.Paths, " "), len(sel.filtered), o.Tags, left, o.Backend.Name)
	}
	sel.filter = filter.String()
	return sel, nil
}

// fill copies what was recorded into the summary.
func fill(sum *report.Summary, features []*feature, sel *selection) {
	for _, f := range features {
		out := f.Feature
		for _, sc := range f.runs {
			if sel.filtered[sc] {
				sum.Filtered++
				continue
			}
			out.Scenarios = append(out.Scenarios, *sc)
		}
		if len(out.Scenarios) > 0 {
			sum.Features = append(sum.Features, out)
		}
	}
	sum.Count()
}
