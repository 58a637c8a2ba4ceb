// Command asba is the advisor: it says what to launch for a job, as an
// execution plan that aws-slurm-burst carries out. It launches nothing itself.
package main

import (
	"context"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/advisor"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

func main() { app.Main(run) }

func run(ctx context.Context, std app.IO) int {
	out := app.NewProduct(std.Stdout)
	std.Stdout = out
	root := &cobra.Command{
		Use:   "asba",
		Short: "Advise what to launch on EC2 for a Slurm job",
		Long: `asba says what to launch on EC2 for a Slurm job: an execution plan, which
aws-slurm-burst carries out, with the reason of every choice. It launches nothing.`,
		Version: app.Version, SilenceErrors: true, SilenceUsage: true,
	}
	root.AddCommand(advisor.Commands(std)...)
	if err := app.Execute(ctx, root, std); err != nil {
		return out.Exit(std.Stderr, app.Fail(std.Stderr, err))
	}
	return out.Exit(std.Stderr, report.ExitDone)
}
