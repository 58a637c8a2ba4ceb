// Package simulation is `aws-slurm-burst simulate run`: from a scenario or flags
// to a run in virtual time, its figures and its files. Who simulates is handed to
// it.
package simulation

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/render"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/scenario"
)

// Simulator runs a scenario that has been judged. It tells the sink what happens,
// in order of time from record.Begin on, and now and then how far it is; it ends
// soon after ctx is done, with ctx's cause. What is wrong with the workload is an
// error of type *trace.Error, what is wrong with the executor's configuration one
// of type *config.Invalid.
type Simulator interface {
	// Check reads what the scenario's cluster is made of. It returns what is unwise
	// in it; what is wrong is an error as Run's are, or a *scenario.Invalid.
	Check(s *scenario.Scenario) ([]finding.Finding, error)
	Run(ctx context.Context, s *scenario.Scenario, sink record.Sink, progress func(scenario.Progress)) (scenario.Outcome, error)
}

// Command returns the command, whose runs sim carries out. Its exit code is left
// in code where it ends without an error.
func Command(std app.IO, code *int, sim Simulator) *cobra.Command {
	t := &tool{IO: std, code: code, sim: sim}
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Run months of a cluster that bursts to EC2, in virtual time",
		Long: `Simulate a cluster that bursts to EC2: Slurm, EC2 and the machines are models,
the executor is the one that Slurm calls, and time is virtual.`,
	}
	c.AddCommand(t.run())
	return c
}

// tool is one run of the command.
type tool struct {
	app.IO
	code *int
	sim  Simulator
}

// say prints a line for people. A closed stderr changes nothing.
func (t *tool) say(line string) { _, _ = fmt.Fprintln(t.Stderr, render.Clean(line)) }
