package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/render"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/config"
	exits "aws-slurm-burst/executor/report"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
	"aws-slurm-burst/simulator/report/files"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/workload/trace"
)

func (t *tool) run() *cobra.Command {
	var o *options
	c := &cobra.Command{
		Use:   "run [SCENARIO.yaml]",
		Short: "Run a scenario, or a trace on a machine that flags describe, and print its figures",
		Long: `Run a workload on a cluster in virtual time: what would jobs have waited, what
would EC2 have billed, and for what.

SCENARIO.yaml says what is simulated (docs/SIMULATOR.md). Without it flags do: a
trace on so many processors, or on nodes on the premises with the node groups of
a configuration behind them, to which jobs go that would have to wait.

The same seed gives the same run, and the same trace_hash. Files are written
whole at the end or not at all.`,
		Example: `  aws-slurm-burst simulate run examples/scenarios/burst.yaml
  aws-slurm-burst simulate run --trace kth.swf.gz --scheduler easy --procs 100 -o json
  aws-slurm-burst simulate run --trace kth.swf.gz --nodes 64 --cores-per-node 1 --cloud config.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := app.CheckFormat(o.output); err != nil {
				return err
			}
			s, text, err := o.scenario(cmd.Flags(), args)
			if err != nil {
				return t.refused(err, text)
			}
			notes, err := t.sim.Check(s)
			if err == nil && o.alone {
				_, err = t.sim.Check(s.Alone())
			}
			if err != nil {
				return t.refused(failed(err), nil)
			}
			t.notes(slices.Concat(s.Notes, notes), o.check)
			if o.check {
				return nil
			}
			r, err := t.simulate(s, o.alone)
			if err == nil && o.alone {
				err = t.alone(s, r)
			}
			if err != nil {
				return err
			}
			return unwritable(show(t.Stdout, o.output, s, r))
		},
	}
	o = newOptions(c.Flags())
	return c
}

// unwritable is the error of figures that could not be written. A reader that has
// gone has what it wants.
func unwritable(err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return app.Exitf(exits.ExitFailed, "the figures could not be written: %v", err)
}

// refused tells why a scenario is not run: at a terminal with the lines that are
// meant, else a line a finding.
func (t *tool) refused(err error, text []byte) error {
	var bad *scenario.Invalid
	if !errors.As(err, &bad) {
		return err
	}
	bad.Findings = asFlags(bad.Findings)
	if text != nil && app.Terminal(t.Stderr) {
		c := render.Compiler{W: t.Stderr, Color: app.Colors(t.Stderr, t.Getenv), Width: app.Columns(t.Stderr)}
		if err := c.Print(render.Document{Text: text, Findings: bad.Findings}); err == nil {
			return app.Exitf(exits.ExitUsage, "the scenario is not run: %s", render.Counts(bad.Findings))
		}
	}
	return app.Exitf(exits.ExitUsage, "%w", bad)
}

// notes tells what is unwise; what is only good to know too, where all is wanted.
func (t *tool) notes(notes []finding.Finding, all bool) {
	for _, f := range asFlags(notes) {
		if all || f.Level > finding.Info {
			t.say(render.Line(f))
		}
	}
}

// alone compares with a run on the premises alone.
func (t *tool) alone(s *scenario.Scenario, r *report.Report) error {
	other, err := t.simulate(s.Alone(), true)
	if err != nil {
		return fmt.Errorf("the premises alone: %w", err)
	}
	r.Compare(other)
	r.Wall += other.Wall
	return nil
}

// collectAt is the garbage collector's percentage while a scenario runs. What a
// call of the executor leaves behind is garbage when it ends, and little lives on
// beside the tables of the cluster: the default would spend a third of the run on
// looking through them.
const collectAt = 1600

// calmly sets collectAt, unless GOGC says something else, and returns what sets it
// back.
func (t *tool) calmly() func() {
	if t.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(collectAt)
	return func() { debug.SetGCPercent(before) }
}

// simulate runs a scenario; its report can be compared where that is wanted. Its
// files are there when it returns no error.
func (t *tool) simulate(s *scenario.Scenario, compared bool) (*report.Report, error) {
	set, err := files.Open(files.Names(s.Outputs), about(s))
	if err != nil {
		return nil, app.Exitf(exits.ExitUsage, "%v", err)
	}
	defer set.Abort()
	// Not the program's own context: what is under way here is worth nothing to
	// anybody once it was told to stop.
	ctx, cancel := context.WithCancelCause(t.Stop)
	defer cancel(nil)
	c := report.New(report.Options{Begin: record.Begin, Compared: compared, Cloud: s.Cluster.Cloud != nil, OnJob: func(j report.Job) {
		if err := set.Job(j); err != nil {
			cancel(err)
		}
	}})
	defer t.calmly()()
	bar := newBar(t.Stderr, s.Until)
	began := time.Now()
	outcome, err := t.sim.Run(ctx, s, func(e record.Event) {
		set.Event(e)
		c.Take(e)
	}, bar.show)
	bar.clear()
	switch {
	case t.Stop.Err() != nil:
		return nil, app.Exitf(exits.ExitInterrupted, "interrupted after %s of simulated time", bar.reached())
	case set.Err() != nil:
		return nil, app.Exitf(exits.ExitFailed, "%v", set.Err())
	case err != nil:
		return nil, t.refused(failed(err), nil)
	}
	r := c.Report(record.Begin.Add(outcome.Simulated), outcome.Procs)
	r.Scenario, r.Seed = s.Name, s.Seed
	r.TraceHash = fmt.Sprintf("%016x", outcome.TraceHash)
	r.Wall = time.Since(began).Seconds()
	for _, m := range outcome.Repairs {
		r.Repairs = append(r.Repairs, report.Repair(m))
	}
	if err := set.Commit(); err != nil {
		return nil, app.Exitf(exits.ExitFailed, "%v", err)
	}
	return r, nil
}

// about is what the files say of the run, and what they must leave alone.
func about(s *scenario.Scenario) files.Options {
	o := files.Options{Begin: record.Begin, Workload: filepath.Base(s.Workload.Origin())}
	if c := &s.Cluster; c.Cloud == nil { // with one there are more than stand here
		o.Procs, o.Nodes = cmp.Or(c.Processors, c.Premises.Nodes*c.Premises.CoresPerNode), c.Premises.Nodes
	}
	o.Reads = []string{"/dev/stdout"}
	for _, i := range s.Inputs() {
		o.Reads = append(o.Reads, i.Path)
	}
	if s.File != "" {
		o.Reads = append(o.Reads, s.File)
	}
	return o
}

// failed gives an error of a run its exit code.
func failed(err error) error {
	var badTrace *trace.Error
	var badConfig *config.Invalid
	var badScenario *scenario.Invalid
	switch {
	case errors.As(err, &badConfig):
		return app.Exitf(exits.ExitConfig, "%w", err)
	case errors.As(err, &badTrace), errors.As(err, &badScenario), errors.Is(err, os.ErrNotExist):
		return app.Exitf(exits.ExitUsage, "%w", err)
	}
	return app.Exitf(exits.ExitFailed, "%w", err)
}
