package main

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// labProgram has the commands that try the programs. It lies beside this one,
// which stays small without it.
const labProgram = "aws-slurm-burst-lab"

// inLab is a command that becomes labProgram: the same process, so that signals
// and the exit code are its own.
func (t *tool) inLab(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			self, err := os.Executable()
			if err != nil {
				return app.Exitf(report.ExitFailed, "%s: %v", cmd.Name(), err)
			}
			program := filepath.Join(filepath.Dir(self), labProgram)
			err = syscall.Exec(program, append([]string{labProgram, cmd.Name()}, args...), os.Environ())
			return app.Exitf(report.ExitFailed, "%s needs the program %s: %v: put it beside aws-slurm-burst, as `make build` does", cmd.Name(), program, err)
		},
	}
}
