// Command aws-slurm-burst-lab is what `aws-slurm-burst features` and `replay` run:
// trials of the programs on an EC2 that costs nothing. People call it by that name.
//
// It is a program of its own for what it links: godog runs `go` as it starts, a
// container engine's client is large, and neither has a place in a tool that
// operators run as root.
package main

import (
	"context"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
)

func main() { app.Main(run) }

func run(ctx context.Context, std app.IO) int {
	out := app.NewProduct(std.Stdout)
	l := &lab{IO: std}
	l.Stdout = out
	root := &cobra.Command{
		Use: "aws-slurm-burst", Short: "Try the programs on an EC2 that costs nothing",
		Version: app.Version, SilenceErrors: true, SilenceUsage: true,
	}
	root.AddCommand(l.features(), l.replay())
	if err := app.Execute(ctx, root, l.IO); err != nil {
		return app.Fail(std.Stderr, err)
	}
	return out.Exit(std.Stderr, l.code)
}

// lab is one run of the program.
type lab struct {
	app.IO
	code int
}
