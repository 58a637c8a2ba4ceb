// Command aws-slurm-burst-suspend is Slurm's SuspendProgram: it ends the
// instances of idle cloud nodes.
package main

import (
	"context"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

func main() { app.Main(run) }

func run(ctx context.Context, io app.IO) int {
	return app.Program(ctx, io, app.ProgramSpec{
		Use:     "aws-slurm-burst-suspend HOSTLIST",
		Short:   "End the instances of cloud nodes (Slurm's SuspendProgram)",
		Long:    "End the EC2 instances that serve the nodes of HOSTLIST. Nodes without one are left as they are.",
		Example: "  aws-slurm-burst-suspend 'aws-hpc-[001-004]'",
		Do: func(ctx context.Context, s *app.Session, nodes []string) *report.Report {
			return s.Executor.Suspend(ctx, nodes)
		},
	})
}
