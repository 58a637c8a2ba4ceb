package advisor

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/daemon"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// listening is one run of daemon.
type listening struct {
	analyst
	pipe, level string
}

func (t *tool) daemon() *cobra.Command {
	l := &listening{analyst: analyst{tool: t}}
	c := &cobra.Command{
		Use:   "daemon --pipe PATH",
		Short: "Answer questions over a named pipe; its first line is the pipe's path",
		Long: `Answer questions for plans over a named pipe (docs/PROTOCOL.md): a line a question,
an answer on the reply pipe that it names. The pipe is made with mode 0600 and removed
at the end; one that a killed daemon left is taken again. Clients are of the same user.
The log goes to stderr, a line of JSON a question.

It ends with exit code 0 when it is told to, once what has come is answered; 8 where
another daemon reads the pipe, and 1 where the pipe is not one, is not its user's
alone, or was removed.`,
		Example: `  asba daemon --pipe /run/asba/pipe --log-level debug`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context()) },
	}
	f := c.Flags()
	l.flags(f)
	f.StringVar(&l.pipe, "pipe", "", "read questions from the pipe at `PATH`")
	f.StringVar(&l.level, "log-level", "info", "log at `LEVEL` and above: debug, info, warn, error")
	return c
}

func (l *listening) run(ctx context.Context) error {
	if l.pipe == "" {
		return app.Exitf(report.ExitUsage, "no pipe given: name one with --pipe")
	}
	stderr := newSpill(l.Stderr)
	defer stderr.Close()
	log, err := newLog(stderr, l.level)
	if err != nil {
		return err
	}
	if err := l.start(ctx, log); err != nil {
		return err
	}
	d, err := daemon.Open(l.pipe, overPipe{&l.analyst}, daemon.Options{Log: log})
	switch {
	case errors.Is(err, daemon.ErrBusy):
		return app.Exitf(report.ExitLocked, "%v", err)
	case err != nil:
		return app.Exitf(report.ExitFailed, "--pipe: %v", err)
	}
	if err := l.announce(d.Path()); err != nil {
		_ = d.Close() // what is told is why
		return err
	}
	log.Info("reading", "pipe", d.Path(), "region", l.grounds.options.Market.Region)
	if err := d.Serve(l.Stop); err != nil {
		return app.Exitf(report.ExitFailed, "%v", err)
	}
	log.Info("stopped")
	return nil
}
