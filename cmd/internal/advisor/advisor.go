// Package advisor is the commands of asba. Those that advise once and end are
// analyze, recommend-instances and slurm-prolog; serve and daemon answer until they
// are told to stop. They find out what a job asks for, from their flags, from a
// question or from Slurm's own record, have asba/advise judge it by what the site's
// configuration and the catalogue say, and show what came of it.
package advisor

import (
	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
)

// Commands returns the commands. What they print on std.Stdout is what they are
// for: std.Stdout is to remember by itself what could not be written.
func Commands(std app.IO) []*cobra.Command {
	t := &tool{std}
	return []*cobra.Command{t.analyze(), t.recommend(), t.prolog(), t.serve(), t.daemon()}
}

// tool is one run of a command.
type tool struct{ app.IO }
