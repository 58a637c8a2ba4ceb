package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/report"
)

// ProgramSpec is one of the programs that slurmctld calls: a hostlist, some
// flags, and one call of the Executor.
type ProgramSpec struct {
	Use, Short, Long, Example string
	// Flags adds flags of the program's own, Check refuses wrong ones.
	Flags func(*cobra.Command)
	Check func() error
	Do    func(ctx context.Context, s *Session, nodes []string) *report.Report
}

// Program runs one of Slurm's programs and returns its exit code.
func Program(ctx context.Context, std IO, spec ProgramSpec) int {
	var config, format string
	code := report.ExitDone
	c := &cobra.Command{
		Use: spec.Use, Short: spec.Short, Long: spec.Long, Example: spec.Example, Version: Version,
		SilenceErrors: true, SilenceUsage: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no hostlist given, such as 'aws-hpc-[001-008]'")
			}
			return nil // Slurm may add an argument of its own
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := CheckFormat(format); err != nil {
				return err
			}
			if spec.Check != nil {
				if err := spec.Check(); err != nil {
					return err
				}
			}
			nodes, err := hostlist.Expand(args[0])
			if err != nil {
				return err
			}
			s, err := Open(ctx, std, config)
			if err != nil {
				return err
			}
			defer s.Close()
			r := spec.Do(ctx, s, nodes)
			if std.Stop.Err() != nil && r.ExitCode != report.ExitDone {
				r.ExitCode = report.ExitInterrupted
			}
			code = r.ExitCode
			_ = PrintReport(std.Stdout, format, r) // a closed stdout changes nothing that was done
			return nil
		},
	}
	c.Flags().StringVarP(&config, "config", "c", "", "read the configuration from `FILE`")
	c.Flags().StringVarP(&format, "output", "o", "table", "print the result as table, json, yaml or markdown")
	if spec.Flags != nil {
		spec.Flags(c)
	}
	if err := Execute(ctx, c, std); err != nil {
		return Fail(std.Stderr, err)
	}
	return code
}

// Execute runs a cobra command on the given surroundings.
func Execute(ctx context.Context, c *cobra.Command, std IO) error {
	c.SetArgs(std.Args)
	c.SetIn(std.Stdin)
	c.SetOut(std.Stdout)
	c.SetErr(std.Stderr)
	c.CompletionOptions.HiddenDefaultCmd = true
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return Exitf(report.ExitUsage, "%v (see %s --help)", err, c.CommandPath())
	})
	c.DisableSuggestions = true // they are lines of their own; unknown has them in its own
	// Of a command that only has others below it cobra shows the help, whatever
	// stands behind it, and a misspelt one would have done its work.
	if of, rest, err := c.Find(std.Args); err == nil && !of.Runnable() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return unknown(of, rest)
	}
	err := c.ExecuteContext(ctx)
	if err != nil {
		if of, rest, bad := c.Find(std.Args); bad != nil {
			return unknown(of, rest)
		}
	}
	return err
}

// unknown is the error of a command that of does not have.
func unknown(of *cobra.Command, args []string) error {
	word := args[max(0, slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") }))]
	hint := "see " + of.CommandPath() + " --help"
	of.SuggestionsMinimumDistance = 2
	if near := of.SuggestionsFor(word); len(near) > 0 {
		hint = "did you mean " + near[0] + "?"
	}
	return Exitf(report.ExitUsage, "unknown command %q for %q (%s)", word, of.CommandPath(), hint)
}
