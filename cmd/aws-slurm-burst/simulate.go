package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/cmd/internal/simulation"
	"aws-slurm-burst/simulator/enact"
	"aws-slurm-burst/simulator/nodeless"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/scenario"
)

// simulate runs clusters in virtual time.
func (t *tool) simulate() *cobra.Command {
	return simulation.Command(t.IO, &t.code, machines{})
}

// machines runs each scenario on the model of its machine.
type machines struct{}

func open(path string) (io.ReadCloser, error) { return os.Open(path) }

// Check has nothing to say of a machine without nodes.
func (machines) Check(s *scenario.Scenario) ([]finding.Finding, error) {
	if s.Cluster.Processors > 0 {
		return nil, nil
	}
	return enact.Simulator{Open: open}.Check(s)
}

func (machines) Run(ctx context.Context, s *scenario.Scenario, sink record.Sink, progress func(scenario.Progress)) (scenario.Outcome, error) {
	if s.Cluster.Processors > 0 {
		return nodeless.Simulator{Open: open}.Run(ctx, s, sink, progress)
	}
	return enact.Simulator{Open: open}.Run(ctx, s, sink, progress)
}
