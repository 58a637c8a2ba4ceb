package advisor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
)

// The words of --format.
const (
	formatPlan  = "execution-plan"
	formatEnv   = "env"
	formatTable = "table"
	formatJSON  = "json"
)

// shownTypes is how many types a table has where nobody says.
const shownTypes = 20

// analysis is one run of analyze.
type analysis struct {
	*tool
	site
	jobID, format, output string
	export, explain       bool
}

func (t *tool) analyze() *cobra.Command {
	a := &analysis{tool: t}
	c := &cobra.Command{
		Use:   "analyze --job-id ID",
		Short: "Say what to launch for a job: an execution plan",
		Long: `Advise on a job that Slurm knows, by its own record of it: which instance types
to launch, on which market, near to each other or not, and within which limits.

The plan goes to stdout, or whole or not at all to the file that --output names.
--export-env prints what a shell evaluates: all ASBA_* variables of a plan, and those
that the plan leaves open are unset.

Advice against bursting is an advice too: exit code 0. Without an advice it is 1
where Slurm could not be asked, 2 for a job or a region that is not known, 9 for a
configuration that is not valid.`,
		Example: `  asba analyze --job-id 4711 --output plan.json
  eval "$(asba analyze --job-id 4711 --export-env)"
  asba analyze --job-id 4711 --format table --budget 50 --deadline 12h`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context()) },
	}
	a.flags(c.Flags())
	c.Flags().StringVar(&a.jobID, "job-id", "", "the job's `ID`, as squeue shows it: 4711, 4711_3, 4711+1")
	c.Flags().StringVar(&a.format, "format", formatPlan, "print `FORMAT`: execution-plan, env, table or json")
	c.Flags().StringVarP(&a.output, "output", "o", "", "write to `FILE`, whole or not at all, instead of stdout")
	c.Flags().BoolVar(&a.export, "export-env", false, "print export and unset lines for a shell")
	c.Flags().BoolVar(&a.explain, "explain", false, "with --format table or json: also say of each type that was left out why")
	return c
}

func (a *analysis) run(ctx context.Context) error {
	switch a.format {
	case formatPlan, formatEnv, formatTable, formatJSON:
	default:
		return app.Exitf(report.ExitUsage, "--format %q is not one of execution-plan, env, table, json", a.format)
	}
	switch {
	case a.jobID == "":
		return app.Exitf(report.ExitUsage, "no job given: name one that Slurm knows with --job-id")
	case a.export && a.told("format") && a.format != formatEnv:
		return app.Exitf(report.ExitUsage, "--export-env prints variables, not %s", a.format)
	case a.explain && a.format != formatTable && a.format != formatJSON:
		return app.Exitf(report.ExitUsage, "--explain goes with --format table or json: a plan has no place for it")
	}
	r, advice, o, err := a.advise(ctx, a.tool, a.jobID)
	if err != nil {
		return err
	}
	text, err := a.text(r.Job, advice, o)
	if err != nil {
		return err
	}
	return a.write(text)
}

// text is what the flags want to be shown.
func (a *analysis) text(j advise.Job, advice advise.Advice, o advise.Options) ([]byte, error) {
	switch {
	case a.export:
		return []byte(shellLines(advice.Plan)), nil
	case a.format == formatEnv:
		return []byte(variableLines(advice.Plan)), nil
	case a.format == formatTable:
		return table(j, advice, o, false, shownTypes, a.explain)
	case a.format == formatJSON:
		return asJSON(j, advice, o, len(advice.Choices), a.explain)
	}
	return plan.Write(advice.Plan), nil
}

// write writes to stdout, or to the file, whole or not at all.
func (a *analysis) write(text []byte) error {
	if a.output == "" || a.output == "-" {
		_, _ = a.Stdout.Write(text) // which remembers what could not be written
		return nil
	}
	return writeWhole(a.output, text)
}

// planMode lets Slurm's user read what another user wrote; nobody else writes it.
const planMode = 0o644

func writeWhole(path string, text []byte) error {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return app.Exitf(report.ExitFailed, "%s is no regular file: nothing was written", path)
	}
	if err := host.WriteAtomic(path, text, planMode); err != nil {
		return app.Exitf(report.ExitFailed, "%s could not be written: %v", path, err)
	}
	return nil
}

// variableLines are lines NAME=value, for files of variables.
func variableLines(p *plan.Plan) string {
	var b strings.Builder
	for _, v := range plan.Environment(p) {
		if v.Set {
			fmt.Fprintf(&b, "%s=%s\n", v.Name, v.Value)
		}
	}
	return b.String()
}

// shellLines are lines that a POSIX shell evaluates. A variable that the plan
// leaves open is unset: what it holds is another plan's.
func shellLines(p *plan.Plan) string {
	var b strings.Builder
	for _, v := range plan.Environment(p) {
		if v.Set {
			fmt.Fprintf(&b, "export %s=%s\n", v.Name, quoted(v.Value))
		} else {
			fmt.Fprintf(&b, "unset %s\n", v.Name)
		}
	}
	return b.String()
}

// quoted is a word of a POSIX shell that means the text, whatever it is.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// planFile is where plans.dir has the plan of a record: a task's own, else the
// job's.
func planFile(dir, ref string) string { return filepath.Join(dir, ref+".json") }
