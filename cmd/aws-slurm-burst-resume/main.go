// Command aws-slurm-burst-resume is Slurm's ResumeProgram: it powers cloud
// nodes up on EC2, from an execution plan or from the configuration alone.
package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
)

func main() { app.Main(run) }

func run(ctx context.Context, io app.IO) int {
	var plan, dryRun string
	var ask executor.Ask
	var cmd *cobra.Command
	return app.Program(ctx, io, app.ProgramSpec{
		Use:   "aws-slurm-burst-resume HOSTLIST",
		Short: "Power cloud nodes up on EC2 (Slurm's ResumeProgram)",
		Long: `Power the nodes of HOSTLIST up on EC2. slurmctld calls it with nothing but the
hostlist; SLURM_RESUME_FILE, where given, says which job wants which nodes.
A second argument is ignored, and flags may follow the hostlist.

At most one of --execution-plan, --asba-pipe, --asba-url and --auto-asba names the
plan for all nodes of the call. Without them it is taken from the ASBA_* variables,
else each job's from where the configuration says.`,
		Example: `  aws-slurm-burst-resume 'aws-hpc-[001-008]' --execution-plan=plan.json
  aws-slurm-burst-resume 'aws-hpc-[001-008]' --asba-url=http://localhost:8080
  aws-slurm-burst-resume 'aws-cpu-[001-004]' --dry-run`,
		Flags: func(c *cobra.Command) {
			cmd = c
			c.Flags().StringVar(&plan, "execution-plan", "", "take the execution plan from `FILE`")
			c.Flags().StringVar(&ask.Pipe, "asba-pipe", "", "ask the advisor for the plan over the named `PIPE`")
			c.Flags().StringVar(&ask.URL, "asba-url", "", "ask the advisor for the plan at `URL`, over HTTP")
			c.Flags().BoolVar(&ask.Auto, "auto-asba", false, "ask the advisor for the plan by running it: the configuration's command, else asba in PATH")
			c.Flags().DurationVar(&ask.Timeout, "asba-timeout", 0, "wait so long for the advisor, such as 10s (default: the configuration's)")
			c.Flags().StringVar(&dryRun, "dry-run", "", "only say what would be done: client asks neither EC2 nor Slurm, server asks EC2 whether it would be allowed")
			c.Flags().Lookup("dry-run").NoOptDefVal = executor.DryRunClient
		},
		Check: func() error {
			switch dryRun {
			case "", executor.DryRunClient, executor.DryRunServer:
			default:
				return app.Exitf(report.ExitUsage, "--dry-run %q is neither client nor server", dryRun)
			}
			return check(cmd, ask)
		},
		Do: func(ctx context.Context, s *app.Session, nodes []string) *report.Report {
			return s.Executor.Resume(ctx, executor.ResumeRequest{
				Nodes: nodes, ResumeFile: s.ResumeFile, PlanFile: plan, Ask: ask, Getenv: io.Getenv, DryRun: dryRun,
			})
		},
	})
}

// plans are the flags that name the plan of a call.
var plans = []string{"execution-plan", "asba-pipe", "asba-url", "auto-asba"}

// check refuses flags that name two plans, or one by nothing: an empty variable
// of a script would choose another source.
func check(c *cobra.Command, ask executor.Ask) error {
	var named []string
	for _, name := range plans {
		if !c.Flags().Changed(name) {
			continue
		}
		if c.Flags().Lookup(name).Value.String() == "" {
			return app.Exitf(report.ExitUsage, "--%s is empty: name one, or leave the flag out", name)
		}
		named = append(named, "--"+name)
	}
	switch {
	case len(named) > 1:
		return app.Exitf(report.ExitUsage, "%s exclude each other: keep one", strings.Join(named, " and "))
	case c.Flags().Changed("asba-timeout") && ask.Timeout <= 0:
		return app.Exitf(report.ExitUsage, "--asba-timeout %s is no time to wait", ask.Timeout)
	case ask.URL != "":
		if err := plansource.CheckURL(ask.URL); err != nil {
			return app.Exitf(report.ExitUsage, "--asba-url %w", err)
		}
	}
	return nil
}
