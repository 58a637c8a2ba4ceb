// Command aws-slurm-burst-resume-fail is Slurm's ResumeFailProgram: it ends
// the instances of nodes that did not come up in time and makes the nodes
// usable again.
package main

import (
	"context"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

func main() { app.Main(run) }

func run(ctx context.Context, io app.IO) int {
	return app.Program(ctx, io, app.ProgramSpec{
		Use:   "aws-slurm-burst-resume-fail HOSTLIST",
		Short: "Clean up after nodes that did not come up (Slurm's ResumeFailProgram)",
		Long: `End the EC2 instances of the nodes of HOSTLIST, which did not register within
ResumeTimeout, and set the nodes to RESUME: Slurm calls no other program for
them.`,
		Example: "  aws-slurm-burst-resume-fail 'aws-hpc-[003,007]'",
		Do: func(ctx context.Context, s *app.Session, nodes []string) *report.Report {
			return s.Executor.ResumeFail(ctx, nodes)
		},
	})
}
