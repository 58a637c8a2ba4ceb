package main

import (
	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor"
)

// reconcile heals, in one pass, what dead processes and lost answers left.
func (t *tool) reconcile() *cobra.Command {
	var config, format string
	var dry bool
	c := &cobra.Command{
		Use:   "reconcile",
		Short: "End orphans and expired instances, close unfinished launches, push pending addresses (one pass)",
		Long: `Compare EC2, the journal and Slurm, and heal in one pass what dead processes,
lost answers and lost files left behind: open intents, orphans, second
instances of a node, expired instances, stale placement groups, addresses that
slurmctld does not have, missing Name tags. Run it from cron or a timer; with
--dry-run it only says what it would do.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := app.CheckFormat(format); err != nil {
				return err
			}
			s, err := app.Open(cmd.Context(), t.IO, config)
			if err != nil {
				return err
			}
			defer s.Close()
			r := s.Executor.Reconcile(cmd.Context(), executor.ReconcileRequest{DryRun: dry})
			t.code = r.ExitCode
			_ = app.PrintReport(t.deeds, format, r) // a closed stdout changes nothing that was done
			return nil
		},
	}
	c.Flags().StringVarP(&config, "config", "c", "", "read the configuration from `FILE`")
	c.Flags().StringVarP(&format, "output", "o", "table", "print the result as table, json, yaml or markdown")
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	return c
}
