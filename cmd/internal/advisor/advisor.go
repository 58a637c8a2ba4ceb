// Package advisor is the commands of asba. Those that advise once and end are
// analyze, recommend-instances and slurm-prolog; serve and daemon answer until they
// are told to stop. They find out what a job asks for, from their flags, from a
// question or from Slurm's own record, have asba/advise judge it by what the site's
// configuration and the catalogue say, and show what came of it.
package advisor

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// Commands returns the commands. What they print on std.Stdout is what they are
// for: std.Stdout is to remember by itself what could not be written.
func Commands(std app.IO) []*cobra.Command {
	t := &tool{std}
	return []*cobra.Command{t.analyze(), t.recommend(), t.prolog(), t.serve(), t.daemon()}
}

// tool is one run of a command.
type tool struct{ app.IO }

// announce prints where questions are taken: without that line nobody finds the
// way. Of a failure that stdout remembers no more is said than it says itself; that
// its reader has gone it does not.
func (t *tool) announce(where string) error {
	_, err := fmt.Fprintln(t.Stdout, where)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return app.Exitf(report.ExitFailed, "%s could not be told: nobody reads stdout", where)
	}
	return &app.ExitError{Code: report.ExitFailed, Err: errors.New("")}
}
