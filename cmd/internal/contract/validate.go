package contract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/render"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/check"
	"aws-slurm-burst/asba/plan/rule"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/cmd/internal/plans"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
)

// validation is one run of validate-plan.
type validation struct {
	*tool
	against
	output, failOn         string
	environment, quiet     bool
	fix, dryRun, wantsDiff bool
	schema                 bool

	options check.Options
	shown   shown
	total   total
}

// total is what came of all files.
type total struct {
	files, errors, warnings, notes, mended int
	// unread files could not be judged, unwritten ones not be mended.
	unread, unwritten int
}

func (t *total) add(r check.Result, mended int) {
	errors := finding.Count(r.Findings, finding.Error)
	warnings := finding.Count(r.Findings, finding.Warning) - errors
	t.files++
	t.errors += errors
	t.warnings += warnings
	t.notes += len(r.Findings) - errors - warnings
	t.mended += mended
}

// validate judges plans, shows what is wrong with them, and mends it.
func (t *tool) validate() *cobra.Command {
	v := &validation{tool: t}
	c := &cobra.Command{
		Use:   "validate-plan [FILE...]",
		Short: "Say what is wrong or unwise in execution plans, and mend it",
		Long: `Judge execution plans: their text, what they ask for by themselves, and against
the catalogue of instance types, a number of nodes and, with --config and
--partition, a site's policy and its nodes in Slurm.

FILE is a plan in either JSON dialect or a file of ASBA_* variables, a folder of
*.json, a pattern (quoted: '**/*.json'), or - for stdin, which is also read
where nothing is named and it is no terminal.

On a terminal each finding is shown in its line; elsewhere it is one line. Exit
code 4 tells of findings at or over --fail-on, 2 of files that could not be read,
1 of output that could not be written.`,
		Example: `  aws-slurm-burst validate-plan plan.json
  aws-slurm-burst validate-plan 'plans/**/*.json' --fail-on warning -o github
  aws-slurm-burst validate-plan plan.json --config config.yaml --partition aws --fix`,
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args) },
	}
	v.flags(c.Flags())
	c.Flags().StringVarP(&v.output, "output", "o", "", "print findings in the `FORMAT` text (with their lines), lines, table, json, yaml, github or markdown; default: text on a terminal, else lines")
	c.Flags().StringVar(&v.failOn, "fail-on", "error", "exit 4 where a finding is of `LEVEL` error or warning and above, or never")
	c.Flags().BoolVar(&v.environment, "environment", false, "judge the plan in this program's own ASBA_* variables")
	c.Flags().BoolVarP(&v.quiet, "quiet", "q", false, "print findings alone, no summary of a file")
	c.Flags().BoolVar(&v.fix, "fix", false, "mend in the files what has a fix, and keep the rest as it is")
	c.Flags().BoolVar(&v.wantsDiff, "diff", false, "show what --fix would change, and write nothing")
	c.Flags().BoolVar(&v.dryRun, "dry-run", false, "with --fix: the same as --diff")
	c.Flags().BoolVar(&v.schema, "schema", false, "print the JSON Schema of plans, and judge none")
	return c
}

// failAt is the level from which findings fail.
func (v *validation) failAt() (finding.Level, error) {
	switch v.failOn {
	case "error":
		return finding.Error, nil
	case "warning":
		return finding.Warning, nil
	case "never":
		return finding.Error + 1, nil
	}
	return 0, app.Exitf(report.ExitUsage, "--fail-on %q is not one of error, warning, never", v.failOn)
}

func (v *validation) run(ctx context.Context, args []string) error {
	if v.schema {
		_, err := v.Stdout.Write(plan.Schema())
		return unwritable(err)
	}
	level, err := v.failAt()
	if err != nil {
		return err
	}
	if v.dryRun && !v.fix {
		return app.Exitf(report.ExitUsage, "--dry-run goes with --fix: without it nothing is written")
	}
	v.wantsDiff = v.wantsDiff || v.dryRun
	if v.wantsDiff && v.output != "" {
		return app.Exitf(report.ExitUsage, "-o %s: --diff prints a diff", v.output)
	}
	if v.shown, err = v.show(); err != nil {
		return err
	}
	if v.options, err = v.against.options(ctx, v.tool); err != nil {
		return err
	}
	if len(args) == 0 && !v.environment {
		if app.Terminal(v.Stdin) {
			return app.Exitf(report.ExitUsage, "no plan given: name a file, pipe one in, or judge the environment's with --environment")
		}
		args = []string{plans.Stdin}
	}
	if err := v.all(args); err != nil {
		return err
	}
	if err := unwritable(v.shown.end(v.total, v.exit(level))); err != nil {
		return err
	}
	*v.code = v.exit(level)
	return nil
}

// unwritable is the error of findings that could not be written. A reader that
// has gone has what it wants.
func unwritable(err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return app.Exitf(report.ExitFailed, "the findings could not be written: %v", err)
}

// exit is the exit code as things stand.
func (v *validation) exit(level finding.Level) int {
	t := v.total
	switch {
	case t.unwritten > 0:
		return report.ExitFailed
	case t.unread > 0:
		return report.ExitUsage
	case level <= finding.Error && t.errors > 0, level <= finding.Warning && t.warnings > 0:
		return report.ExitPlan
	}
	return report.ExitDone
}

// all judges the environment's plan and the files that were named, one after
// the other: no more than one is kept.
func (v *validation) all(args []string) error {
	if v.environment {
		r, present := check.Environment(v.Getenv, v.options)
		if !present {
			return app.Exitf(report.ExitUsage, "--environment: no ASBA_* variable of a plan is set")
		}
		if err := v.tell(r, nil, 0); err != nil {
			return err
		}
	}
	names, lost := plans.Find(args)
	for _, l := range lost {
		v.unread(l.Arg, l)
	}
	for _, name := range names {
		if v.Stop.Err() != nil {
			return app.Exitf(report.ExitInterrupted, "interrupted after %d of %d plans", v.total.files, len(names))
		}
		if err := v.file(name); err != nil {
			return err
		}
	}
	return nil
}

// unread tells of a file that cannot be judged; the others still are.
func (v *validation) unread(name string, err error) {
	v.total.unread++
	v.shown.unread(name, err)
	app.Fail(v.Stderr, err)
}

// file judges one file, and mends it.
func (v *validation) file(name string) error {
	title := name
	if name == plans.Stdin {
		title = plans.StdinName
	}
	if v.fix && !v.wantsDiff && plans.IsStream(name) {
		v.unread(title, fmt.Errorf("--fix: %s cannot be mended, use --diff", title))
		return nil
	}
	text, err := plans.Read(v.Stop, name, v.Stdin)
	switch {
	case errors.Is(err, plansource.ErrTooLarge):
		return v.tell(check.TooLarge(title, v.options), nil, 0)
	case errors.Is(err, context.Canceled):
		return app.Exitf(report.ExitInterrupted, "interrupted while %s was read", title)
	case err != nil:
		v.unread(title, err)
		return nil
	}
	before := v.judge(text, title)
	if !v.fix && !v.wantsDiff {
		return v.tell(before, text.Data, 0)
	}
	mended, after, n := check.Fix(text.Data, title, v.options)
	if v.wantsDiff {
		if err := v.tell(before, nil, 0); err != nil {
			return err
		}
		path := render.Clean(strings.TrimPrefix(title, "/"))
		return unwritable(v.shown.diff(diff.Diff("a/"+path, text.Data, "b/"+path, mended)))
	}
	if n > 0 {
		if err := host.Replace(name, text.Data, mended); err != nil {
			v.total.unwritten++
			app.Fail(v.Stderr, fmt.Errorf("--fix: %w: it is left as it is", err))
			return v.tell(before, text.Data, 0)
		}
	}
	return v.tell(v.withFile(after, text), mended, n)
}

// judge judges a text, and the file that it is in.
func (v *validation) judge(text plans.Text, title string) check.Result {
	return v.withFile(check.Text(text.Data, title, v.options), text)
}

// withFile adds what is to be said of the file itself.
func (v *validation) withFile(r check.Result, text plans.Text) check.Result {
	if text.WorldWritable && !slices.Contains(v.options.Suppress, rule.WorldWritable) {
		r.Findings = append([]finding.Finding{plansource.WorldWritable(r.File)}, r.Findings...)
	}
	return r
}

// tell counts and shows what came of a plan; beside a diff that is its summary.
func (v *validation) tell(r check.Result, text []byte, mended int) error {
	v.total.add(r, mended)
	if v.wantsDiff {
		if !v.quiet {
			v.say(summary(r, 0, v.options.Catalog))
		}
		return nil
	}
	return unwritable(v.shown.file(r, text, mended))
}

// summary is the line about a file.
func summary(r check.Result, mended int, c *catalog.Catalog) string {
	words := counts(r)
	if mended > 0 {
		words = fmt.Sprintf("%d mended, %s", mended, words)
	}
	return fmt.Sprintf("%s: %s %s", cmp.Or(r.File, "plan"), words, about(r, c))
}
