package contract

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/render"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/check"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/cmd/internal/plans"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
)

// conversion is one run of convert-plan.
type conversion struct {
	*tool
	output      string
	environment bool
}

// convert writes a plan anew, in the dialect that every executor reads.
func (t *tool) convert() *cobra.Command {
	v := &conversion{tool: t}
	c := &cobra.Command{
		Use:   "convert-plan [FILE]",
		Short: "Write an execution plan of either dialect, or of variables, as dialect A",
		Long: `Read a plan (either JSON dialect, a file of ASBA_* variables, stdin, or the
environment) and write it as dialect A, which every executor reads: the same plan
always as the same bytes. What the plan says and dialect A has no key for is
named on stderr, with all that is wrong or unwise in it. A text that is broken,
or says two things at once, is not converted: exit code 4.`,
		Example: `  aws-slurm-burst convert-plan dialect-b.json > plan.json
  asba analyze job.sh --format env | aws-slurm-burst convert-plan --output plan.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args) },
	}
	c.Flags().StringVar(&v.output, "output", "", "write the plan to `FILE`, as a whole or not at all (default: stdout)")
	c.Flags().BoolVar(&v.environment, "environment", false, "convert the plan in this program's own ASBA_* variables")
	return c
}

func (v *conversion) run(ctx context.Context, args []string) error {
	o, err := (&against{}).options(ctx, v.tool)
	if err != nil {
		return err
	}
	r, data, err := v.read(o, args)
	if err != nil {
		return err
	}
	for _, f := range r.Findings {
		v.say(render.Line(f))
	}
	v.say(fmt.Sprintf("%s: %s %s", r.File, counts(r), about(r, o.Catalog)))
	if !r.Sound {
		v.say("ERROR: " + r.File + ": it is not certain what it says, so it is not converted (mend it first)")
		*v.code = report.ExitPlan
		return nil
	}
	if r.Dialect != plan.DialectEnv {
		for _, at := range plan.Lost(data, r.File) {
			v.say("WARN: " + finding.Finding{File: at.File, Line: at.Line, Column: at.Column}.Where() + ": " + at.Pointer + " decides nothing and has no place in dialect A: it is left out")
		}
	}
	return v.write(plan.Write(r.Plan))
}

// read reads the one plan that is meant.
func (v *conversion) read(o check.Options, args []string) (r check.Result, data []byte, err error) {
	if v.environment {
		if len(args) > 0 {
			return r, nil, app.Exitf(report.ExitUsage, "--environment: name no file beside it")
		}
		r, present := check.Environment(v.Getenv, o)
		if !present {
			return r, nil, app.Exitf(report.ExitUsage, "--environment: no ASBA_* variable of a plan is set")
		}
		return r, nil, nil
	}
	name, title := plans.Stdin, plans.StdinName
	if len(args) > 0 && args[0] != plans.Stdin {
		name, title = args[0], args[0]
	} else if app.Terminal(v.Stdin) {
		return r, nil, app.Exitf(report.ExitUsage, "no plan given: name a file, pipe one in, or convert the environment's with --environment")
	}
	text, err := plans.Read(v.Stop, name, v.Stdin)
	switch {
	case errors.Is(err, plansource.ErrTooLarge):
		return check.TooLarge(title, o), nil, nil
	case errors.Is(err, context.Canceled):
		return r, nil, app.Exitf(report.ExitInterrupted, "interrupted while %s was read", title)
	case err != nil:
		return r, nil, app.Exitf(report.ExitUsage, "%v", err)
	}
	return check.Text(text.Data, title, o), text.Data, nil
}

func (v *conversion) write(text []byte) error {
	var err error
	if v.output != "" {
		err = host.WriteAtomic(v.output, text, 0o644)
	} else {
		_, err = v.Stdout.Write(text)
	}
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		return app.Exitf(report.ExitFailed, "the plan could not be written: %v", err)
	}
	return nil
}
