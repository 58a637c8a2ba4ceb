// Package contract is the commands about plans as what two programs agree on:
// validate-plan, explain-finding and convert-plan. They read what people name,
// have it judged, and show what came of it; the judging itself is
// asba/plan/check's.
package contract

import (
	"fmt"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/finding/render"
	"aws-slurm-burst/cmd/internal/app"
)

// Commands returns the commands. Each leaves its exit code in code, where it
// ends without an error.
func Commands(std app.IO, code *int) []*cobra.Command {
	t := &tool{IO: std, code: code}
	return []*cobra.Command{t.validate(), t.explain(), t.convert()}
}

// tool is one run of a command.
type tool struct {
	app.IO
	code *int
}

// say prints a line for people. A closed stderr changes nothing.
func (t *tool) say(line string) { _, _ = fmt.Fprintln(t.Stderr, render.Clean(line)) }
