// Package replay carries out execution plans, each on a site of its own: it
// resumes the plan's nodes with the shipped program, looks at what came of it on
// EC2 itself, suspends the nodes, and sees that nothing is left.
//
// It reads no plan: which nodes a plan is for is its caller's to say, and what
// the plan means is the program's. It judges by the rules that hold after every
// scenario.
package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"aws-slurm-burst/features/report"
	"aws-slurm-burst/features/site"
)

// Case is one plan to carry out.
type Case struct {
	Name  string // as the user knows it: its path
	Text  []byte
	Nodes string // a hostlist
	// Unfit says why the plan cannot be carried out, such as that its file cannot
	// be read; it has a result all the same.
	Unfit string
}

// NotTried is the outcome of a plan that could not be carried out.
const NotTried = "not-tried"

// Options say how.
type Options struct {
	Suite *site.Suite
	Cases []Case
	// Faults is the text of a file of fault rules, FaultsFile its name. Each
	// case meets the rules anew.
	Faults     []byte
	FaultsFile string
	// Config is the user's configuration, nil for the example's; ConfigFolder
	// is where its relative paths start.
	Config       []byte
	ConfigFolder string
	// Concurrency is how many cases run side by side; 0 means one.
	Concurrency int
	// Timeout bounds a case; 0 means never.
	Timeout time.Duration
	// Ended is called with each result, in the order of Cases.
	Ended func(Result)
}

// Result is what happened to one plan.
type Result struct {
	Plan  string `json:"plan"`
	Nodes string `json:"nodes"`
	// Mode is asba where the plan decided, else standalone; Outcome is what
	// the program made of the plan: used, invalid, untrusted, advises-against. A
	// plan that is unfit has no mode, the outcome NotTried, and exit code 2.
	Mode    string `json:"mode"`
	Outcome string `json:"outcome"`
	// Gang is whole, none (nothing was launched, all or nothing) or broken;
	// "-" where no gang was asked for.
	Gang     string         `json:"gang"`
	Launched int            `json:"launched"`
	Wanted   int            `json:"wanted"`
	Types    map[string]int `json:"types"`   // launched instances by type
	Markets  map[string]int `json:"markets"` // by market
	Zones    map[string]int `json:"zones"`   // by availability zone
	// Rung counts from 1: the first that launched any of the nodes; 0 for none.
	Rung int `json:"rung"`
	// Calls counts EC2 calls of the resume, by operation.
	Calls map[string]int `json:"calls"`
	// HourlyCost is in USD an hour at most; null where a price is not known.
	HourlyCost *float64 `json:"hourly_cost"`
	// PriceDate is the day of the oldest on-demand price in it, YYYY-MM-DD.
	PriceDate string `json:"price_date,omitempty"`
	// Fallbacks are the lines by which the program told what it did otherwise
	// than the plan asks; Lines are all that it said.
	Fallbacks []string `json:"fallbacks"`
	Lines     []string `json:"lines"`
	ExitCode  int      `json:"exit_code"`
	// Problem is a promise that did not hold, whatever the plan said: instances
	// left, half a gang, a program that died. Empty where all held.
	Problem string `json:"problem,omitempty"`

	Scenario report.Scenario `json:"-"`
}

// Done reports whether the plan did what a plan is for: all of its nodes were
// launched by it, or it said that there is nothing to launch.
func (r Result) Done() bool { return r.Problem == "" && r.ExitCode == 0 }

// Run carries out every case and returns the results in the order of the cases,
// with the run as a report. It fails only where ctx ends.
func Run(ctx context.Context, o Options) ([]Result, report.Summary, error) {
	began := time.Now()
	results := make([]Result, len(o.Cases))
	ready := make([]chan struct{}, len(o.Cases))
	for i := range ready {
		ready[i] = make(chan struct{})
	}
	slots := make(chan struct{}, max(o.Concurrency, 1))
	var all sync.WaitGroup
	for i, c := range o.Cases {
		all.Go(func() {
			defer close(ready[i])
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = o.one(ctx, c)
		})
	}
	for i := range ready {
		if <-ready[i]; o.Ended != nil && ctx.Err() == nil {
			o.Ended(results[i])
		}
	}
	all.Wait()
	return results, summary(results, began), context.Cause(ctx)
}

// one carries out one case.
func (o Options) one(ctx context.Context, c Case) (r Result) {
	r = Result{Plan: c.Name, Nodes: c.Nodes, Gang: "-", Types: map[string]int{}, Markets: map[string]int{}, Zones: map[string]int{}, Calls: map[string]int{}, Fallbacks: []string{}, Lines: []string{}}
	r.Scenario = report.Scenario{Name: c.Name, Keyword: "Plan", Started: time.Now(), Status: report.Passed}
	if c.Unfit != "" {
		r.Outcome, r.ExitCode, r.Lines = NotTried, 2, append(r.Lines, "ERROR: "+c.Unfit)
		r.Scenario.Status, r.Scenario.Problem = report.NotRun, c.Unfit
		return r
	}
	if ctx.Err() != nil {
		r.fail(fmt.Errorf("the run was ended: %w", context.Cause(ctx)))
		r.Scenario.Status = report.NotRun
		return r
	}
	if o.Timeout > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	w, err := o.Suite.New(ctx)
	if err != nil {
		r.fail(err)
		return r
	}
	defer func() { r.Scenario.Elapsed = time.Since(r.Scenario.Started) }()
	err = o.carryOut(ctx, w, c, &r)
	r.Scenario.Runs = w.Told(r.Scenario.Started)
	if err := errors.Join(err, w.Close(ctx)); err != nil {
		r.fail(err)
	}
	return r
}

func (r *Result) fail(err error) {
	r.Problem = strings.ReplaceAll(err.Error(), "\n", "; ")
	r.Scenario.Status, r.Scenario.Problem = report.Failed, err.Error()
}

// planFile is what a plan is called on its site: lines of the program name it.
func planFile(name string) string {
	return name[strings.LastIndexByte(name, '/')+1:]
}

func (o Options) carryOut(ctx context.Context, w *site.Site, c Case, r *Result) error {
	if o.Config != nil {
		if err := w.Configure(o.Config, o.ConfigFolder); err != nil {
			return err
		}
	}
	if o.Faults != nil {
		w.RulesFile(o.Faults, o.FaultsFile)
	}
	plan := planFile(c.Name)
	if _, err := os.Lstat(filepath.Join(w.Dir, plan)); err == nil {
		plan = "plan/" + plan // a file of the site itself has this name
	}
	if err := w.Write(plan, c.Text); err != nil {
		return err
	}
	r.Scenario.Log = append(r.Scenario.Log, string(c.Text))

	if err := r.step("When", fmt.Sprintf("Slurm resumes %q with %q", c.Nodes, plan), func() error {
		return w.Program(ctx, "aws-slurm-burst-resume", c.Nodes, "--execution-plan="+plan)
	}); err != nil {
		return err
	}
	run, err := w.LastRun()
	if err != nil {
		return err
	}
	r.read(run)
	if err := r.step("Then", "one instance at most serves a node, none is unclaimed, gangs are whole or gone, no cap is passed", func() error {
		return w.CheckInvariants(ctx)
	}); err != nil {
		return err
	}
	// What has to be ended must end, whatever else was to be tried.
	w.Heal()
	if err := r.step("When", fmt.Sprintf("Slurm suspends %q", c.Nodes), func() error {
		if err := w.Program(ctx, "aws-slurm-burst-suspend", c.Nodes); err != nil {
			return err
		}
		last, err := w.LastRun()
		if err == nil && last.Exit != 0 && run.Exit != 2 && run.Exit != 9 { // the same configuration is refused twice
			err = fmt.Errorf("the suspend has exit code %d: %s", last.Exit, last.Text())
		}
		return err
	}); err != nil {
		return err
	}
	return r.step("Then", "nothing is left", func() error {
		if err := w.Running(ctx, nil); err != nil {
			return err
		}
		return w.CheckInvariants(ctx)
	})
}

// step does one thing and notes it for the reports.
func (r *Result) step(keyword, text string, do func() error) error {
	began := time.Now()
	err := do()
	s := report.Step{Keyword: keyword, Text: text, Status: report.Passed, Elapsed: time.Since(began)}
	if err != nil {
		s.Status, s.Problem = report.Failed, err.Error()
	}
	r.Scenario.Steps = append(r.Scenario.Steps, s)
	return err
}

// read takes a result from what the program reported.
func (r *Result) read(run *site.Run) {
	rep := run.Report
	r.ExitCode, r.Mode, r.Outcome, r.HourlyCost, r.PriceDate = run.Exit, rep.Mode, rep.Plan.Outcome, rep.HourlyCost, rep.PriceDate
	r.Wanted = len(rep.Nodes)
	for _, n := range rep.Nodes {
		if n.Instance == "" || n.State != "launched" && n.State != "adopted" {
			continue
		}
		r.Launched++
		r.Types[n.Type]++
		r.Markets[n.Market]++
		r.Zones[n.AZ]++
	}
	for _, d := range rep.Decisions {
		if !d.Gang {
			continue
		}
		switch r.Launched {
		case r.Wanted:
			r.Gang = "whole"
		case 0:
			r.Gang = "none"
		default:
			r.Gang = "broken"
		}
	}
	for i, g := range rep.Rungs {
		if (g.Outcome == "launched" || g.Outcome == "partial") && r.Launched > 0 && r.Rung == 0 {
			r.Rung = i + 1
		}
	}
	maps.Copy(r.Calls, rep.APICalls)
	for _, l := range run.Stderr {
		r.Lines = append(r.Lines, l.Text)
		if fallsBack(l.Text) {
			_, what, _ := strings.Cut(l.Text, ": ")
			r.Fallbacks = append(r.Fallbacks, what)
		}
	}
	if r.ExitCode != 0 {
		r.Scenario.Status = report.Failed
		if r.Scenario.Problem = strings.Join(r.Lines, "\n"); r.Scenario.Problem == "" {
			r.Scenario.Problem = fmt.Sprintf("exit code %d", r.ExitCode)
		}
	}
}

// fallsBack tells a line about something done otherwise than the plan asks, or
// in place of what it leaves out, from an error and from advice.
func fallsBack(line string) bool {
	return strings.HasPrefix(line, "WARN: ") || strings.HasPrefix(line, "INFO: Using ")
}

// ranks are exit codes, what needs a person most first.
var ranks = []int{1, 9, 7, 2, 4, 5, 6, 8, 3}

// ExitCode is that of a whole replay: 0 where every plan did what a plan is
// for, 1 where a promise did not hold, else the program's own code that needs a
// person most.
func ExitCode(results []Result) int {
	rank := func(code int) int {
		if i := slices.Index(ranks, code); i >= 0 {
			return i
		}
		return -1 // a signal, an interruption
	}
	worst := 0
	for _, r := range results {
		code := r.ExitCode
		if r.Problem != "" {
			code = 1
		}
		if code != 0 && (worst == 0 || rank(code) < rank(worst)) {
			worst = code
		}
	}
	return worst
}

// summary is the run as reports have it: a feature of one scenario a plan.
func summary(results []Result, began time.Time) report.Summary {
	s := report.Summary{Name: "replay", Started: began, Elapsed: time.Since(began)}
	f := report.Feature{Name: "Plans", Description: "Each plan is resumed, judged, and suspended again on a site of its own."}
	for _, r := range results {
		f.Scenarios = append(f.Scenarios, r.Scenario)
	}
	s.Features = []report.Feature{f}
	s.Count()
	return s
}
