package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/features"
	reports "aws-slurm-burst/features/report"
	"aws-slurm-burst/features/runner"
	"aws-slurm-burst/features/site"
	"aws-slurm-burst/features/steps"
	"aws-slurm-burst/localstack"
)

// features runs scenarios against the programs beside this one.
func (l *lab) features() *cobra.Command {
	f := &featuresRun{lab: l}
	var list, sentences bool
	c := &cobra.Command{
		Use:   "features [PATH...]",
		Short: "Run the Gherkin scenarios, the shipped ones or your own, and report",
		Long: `Run scenarios against the programs that lie beside this one, on an EC2 that
costs nothing: the embedded one, or LocalStack. Without PATH the scenarios are
those shipped in this program. A PATH is a *.feature file, a folder of them, or
FILE:LINE of one scenario, on disk; else one of the shipped ones by its name.

A scenario's files (plans, fault rules) are looked for beside its feature file
first, then among the plans and examples that are shipped. --steps prints the
sentences there are.

The exit code is 0 where all passed, 1 where scenarios failed or a backend could
not be had, 2 where nothing could be run as asked, 130 where it was interrupted.`,
		Example: `  aws-slurm-burst features --html features.html
  aws-slurm-burst features mine/ --backend embedded --backend localstack --junit junit.xml
  aws-slurm-burst features gang.feature:7`,
		RunE: func(_ *cobra.Command, args []string) error {
			if sentences {
				return f.sentences()
			}
			if err := f.check(args); err != nil {
				return err
			}
			if list {
				return f.list()
			}
			return f.run(l.Stop)
		},
	}
	c.Flags().StringArrayVar(&f.backends, "backend", []string{"auto"}, "run on `BACKEND`: "+strings.Join(localstack.Names, ", ")+", or the URL of one that runs; may be repeated")
	reportFlags(c, &f.files)
	c.Flags().StringVar(&f.options.Tags, "tags", "", "only scenarios that match `EXPR`: @tag and ~@tag, joined by && (and) or commas (or)")
	c.Flags().Int64Var(&f.options.Seed, "seed", 0, "shuffle the scenarios of each feature by a seed; 0 keeps the order of the files, -1 picks one and tells it")
	c.Flags().IntVar(&f.options.Concurrency, "concurrency", 4, "run so many scenarios at a time")
	c.Flags().DurationVar(&f.options.Timeout, "timeout", time.Minute, "end a scenario that takes longer; 0: never")
	c.Flags().BoolVar(&list, "list", false, "only list the scenarios that would run")
	c.Flags().BoolVar(&sentences, "steps", false, "only list the sentences that scenarios may use")
	return c
}

// featuresRun is one run of the command.
type featuresRun struct {
	*lab
	backends []string
	files    reports.Files
	options  runner.Options
	bin      string
}

// check refuses, before anything is started, whatever can be known to be wrong.
func (f *featuresRun) check(paths []string) error {
	o := &f.options
	switch {
	case o.Concurrency < 1:
		return fmt.Errorf("--concurrency %d: give at least 1", o.Concurrency)
	case o.Seed < -1:
		return fmt.Errorf("--seed %d: give 0, -1 or a positive number", o.Seed)
	case o.Timeout < 0:
		return fmt.Errorf("--timeout %s is below zero", o.Timeout)
	}
	for _, word := range f.backends {
		if _, err := localstack.Parse(word); err != nil {
			return fmt.Errorf("--backend: %w", err)
		}
	}
	if err := f.find(paths); err != nil {
		return err
	}
	o.Name, o.Version, o.KnownBackends = "features", app.Version, features.Backends
	if possible := features.Tags(); possible != "" {
		if o.Tags != "" {
			possible = " && " + possible
		}
		o.Tags, o.KnownTags = o.Tags+possible, features.Needs
	}
	o.Out, o.Color = f.Stdout, reports.ColorOn(f.Stdout, f.Getenv)
	all, err := runner.List(*o)
	if err != nil {
		return err
	}
	var reads []string
	for _, feature := range all {
		if o.FS == nil {
			reads = append(reads, feature.File)
		}
	}
	return f.files.Check(reads...)
}

// find says where the scenarios are: on disk, else in this program.
func (f *featuresRun) find(paths []string) error {
	f.options.FS, f.options.Paths = features.Files, []string{"."}
	if len(paths) == 0 {
		return nil
	}
	f.options.Paths = paths
	shipped := 0
	for _, p := range paths {
		file := runner.PathOf(p)
		if _, err := os.Stat(file); err == nil {
			continue
		}
		if _, err := fs.Stat(features.Files, file); err != nil {
			return fmt.Errorf("%s is not there, and no shipped feature: see --list", p)
		}
		shipped++
	}
	switch shipped {
	case 0:
		f.options.FS = nil
	case len(paths):
	default:
		return errors.New("some of these are on disk and some are shipped: name the shipped features in a run of their own")
	}
	return nil
}

// list prints a line for each scenario, with what selects it alone.
func (f *featuresRun) list() error {
	all, err := runner.List(f.options)
	if err != nil {
		return err
	}
	for _, feature := range all {
		for _, s := range feature.Scenarios {
			line := s.Alone(feature.File) + "  " + s.FullName()
			if len(s.Tags) > 0 {
				line += "  " + strings.Join(s.Tags, " ")
			}
			if _, err := fmt.Fprintln(f.Stdout, line); err != nil {
				return nil // nobody reads on, or main tells of it
			}
		}
	}
	return nil
}

// sentences prints what scenarios may say, as regular expressions.
func (f *featuresRun) sentences() error {
	all := steps.Sentences()
	for _, keyword := range []string{"Given", "When", "Then"} {
		for _, s := range all[keyword] {
			if _, err := fmt.Fprintf(f.Stdout, "%-5s %s\n", keyword, s); err != nil {
				return nil // nobody reads on, or main tells of it
			}
		}
	}
	return nil
}

// run runs the scenarios on each backend, one after the other, and reports.
func (f *featuresRun) run(ctx context.Context) error {
	var err error
	if f.bin, err = programs(); err != nil {
		return err
	}
	var sums []reports.Summary
	var errs []error
	for _, word := range f.backends {
		if ctx.Err() == nil {
			sum, err := f.on(ctx, word)
			sums, errs = append(sums, sum), append(errs, err)
		}
	}
	var table strings.Builder
	if err := (reports.Terminal{W: &table, Color: f.options.Color}).Table(sums...); err != nil {
		errs = append(errs, app.Exitf(report.ExitFailed, "features: %v", err))
	}
	_, _ = fmt.Fprintf(f.Stdout, "\n%s", table.String()) // main tells of a failed write
	if err := f.files.Write(sums...); err != nil {
		errs = append(errs, app.Exitf(report.ExitFailed, "%v", err))
	}
	if ctx.Err() != nil {
		f.code = app.Fail(f.Stderr, app.Exitf(report.ExitInterrupted, "features: interrupted"))
		return nil
	}
	for _, err := range errs {
		if err != nil {
			f.code = max(f.code, app.Fail(f.Stderr, oneLine(err)))
		}
	}
	return nil
}

// on runs the scenarios on one backend. A backend that cannot be had, or on
// which there is nothing to run, is in the summary as missing.
func (f *featuresRun) on(ctx context.Context, word string) (sum reports.Summary, err error) {
	sum = reports.Summary{Name: f.options.Name, Version: f.options.Version}
	b, err := f.try(ctx, bench{bin: f.bin, word: word}, func(ctx context.Context, b reports.Backend, suite *site.Suite) error {
		o := f.options
		o.Backend, o.Steps = b, steps.On(suite, o.FS)
		ran, err := runner.Run(ctx, o)
		switch failed, usage := new(runner.FailedError), new(runner.UsageError); {
		case errors.As(err, &usage):
			sum.Backend = b
			sum.Backend.Missing = oneLine(err).Error()
			return err
		case errors.As(err, &failed):
			err = app.Exitf(report.ExitFailed, "features on %s: %d of %d scenarios failed", b.Title(), failed.Failed, failed.Ran)
		case err != nil:
			err = app.Exitf(report.ExitFailed, "%w", err)
		}
		sum = ran
		return err
	})
	if b.Missing != "" {
		sum.Backend = b
	}
	return sum, err
}
