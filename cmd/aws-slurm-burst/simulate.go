package main

import (
	"context"
	"io"
	"os"
	"time"

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

// opener opens the files that a run reads. Who waits for a pipe, to be opened or to
// be written into, waits no longer when ctx is done.
func opener(ctx context.Context) func(path string) (io.ReadCloser, error) {
	return func(path string) (io.ReadCloser, error) {
		if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
			return os.Open(path)
		}
		type opened struct {
			*os.File
			err error
		}
		done := make(chan opened, 1)
		go func() {
			f, err := os.Open(path)
			done <- opened{f, err}
		}()
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case o := <-done:
			if o.err != nil {
				return nil, o.err
			}
			context.AfterFunc(ctx, func() { _ = o.SetReadDeadline(time.Now()) }) // what has none does not wait
			return o.File, nil
		}
	}
}

// Check has nothing to say of a machine without nodes.
func (machines) Check(s *scenario.Scenario) ([]finding.Finding, error) {
	if s.Cluster.Processors > 0 {
		return nil, nil
	}
	return enact.Simulator{Open: opener(context.Background())}.Check(s)
}

func (machines) Run(ctx context.Context, s *scenario.Scenario, sink record.Sink, progress func(scenario.Progress)) (scenario.Outcome, error) {
	if s.Cluster.Processors > 0 {
		return nodeless.Simulator{Open: opener(ctx)}.Run(ctx, s, sink, progress)
	}
	return enact.Simulator{Open: opener(ctx)}.Run(ctx, s, sink, progress)
}
