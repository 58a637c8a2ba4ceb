// Command aws-slurm-burst-resume is Slurm's ResumeProgram: it powers cloud
// nodes up on EC2, from an execution plan or from the configuration alone.
package main

import (
	"context"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/report"
)

func main() { app.Main(run) }

func run(ctx context.Context, io app.IO) int {
	var plan, dryRun string
	return app.Program(ctx, io, app.ProgramSpec{
		Use:   "aws-slurm-burst-resume HOSTLIST",
		Short: "Power cloud nodes up on EC2 (Slurm's ResumeProgram)",
		Long: `Power the nodes of HOSTLIST up on EC2. slurmctld calls it with nothing but the
hostlist; SLURM_RESUME_FILE, where given, says which job wants which nodes.
A second argument is ignored, and flags may follow the hostlist.`,
		Example: `  aws-slurm-burst-resume 'aws-hpc-[001-008]' --execution-plan=plan.json
  aws-slurm-burst-resume 'aws-cpu-[001-004]' --dry-run`,
		Flags: func(c *cobra.Command) {
			c.Flags().StringVar(&plan, "execution-plan", "", "take the execution plan from `FILE`")
			c.Flags().StringVar(&dryRun, "dry-run", "", "only say what would be done: client asks nobody, server asks EC2 whether it would be allowed")
			c.Flags().Lookup("dry-run").NoOptDefVal = executor.DryRunClient
		},
		Check: func() error {
			switch dryRun {
			case "", executor.DryRunClient, executor.DryRunServer:
				return nil
			}
			return app.Exitf(report.ExitUsage, "--dry-run %q is neither client nor server", dryRun)
		},
		Do: func(ctx context.Context, s *app.Session, nodes []string) *report.Report {
			return s.Executor.Resume(ctx, executor.ResumeRequest{
				Nodes: nodes, ResumeFile: s.ResumeFile, PlanFile: plan, Getenv: io.Getenv, DryRun: dryRun,
			})
		},
	})
}
