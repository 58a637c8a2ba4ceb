// Command aws-slurm-burst is the operator's and the CI's tool: the embedded
// EC2, a proxy with faults before any other, reconcile, plans judged and
// converted, the scenarios, and a demonstration of the whole.
package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/cmd/internal/contract"
	"aws-slurm-burst/cmd/internal/market"
)

func main() { app.Main(run) }

func run(ctx context.Context, std app.IO) int {
	out := app.NewProduct(std.Stdout)
	t := &tool{IO: std, deeds: std.Stdout}
	t.Stdout = out
	root := &cobra.Command{
		Use:   "aws-slurm-burst",
		Short: "Burst Slurm clusters to EC2: the operator's and the CI's tool",
		Long: `aws-slurm-burst serves an embedded EC2, reconciles what went wrong, judges and
converts execution plans, runs the scenarios of the programs, and shows what they
do. Slurm itself calls aws-slurm-burst-resume,
aws-slurm-burst-suspend and aws-slurm-burst-resume-fail.`,
		Version: app.Version, SilenceErrors: true, SilenceUsage: true,
	}
	root.AddCommand(t.ec2(), t.proxy(), t.reconcile(), market.Command(t.IO), t.simulate(), t.demo(),
		t.inLab("features [PATH...]", "Run the Gherkin scenarios, the shipped ones or your own, and report"),
		t.inLab("replay PLAN...", "Carry execution plans out on a local EC2, and say what happened to each"))
	root.AddCommand(contract.Commands(t.IO, &t.code)...)
	if err := app.Execute(ctx, root, t.IO); err != nil {
		return app.Fail(std.Stderr, err)
	}
	return out.Exit(std.Stderr, t.code)
}

// tool is one run of the program.
type tool struct {
	app.IO
	// deeds is stdout for a report of what was done: a failed write undoes nothing.
	deeds io.Writer
	code  int
}
