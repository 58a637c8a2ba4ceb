package advisor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// prologue is one run of slurm-prolog.
type prologue struct {
	*tool
	site
	jobID, store string
	export       bool
}

func (t *tool) prolog() *cobra.Command {
	p := &prologue{tool: t}
	c := &cobra.Command{
		Use:   "slurm-prolog --job-id ID --export-env | --store DIR",
		Short: "Advise on a job from one of Slurm's prologs",
		Long: `Advise on a job that Slurm knows, from a prolog of Slurm's. --export-env prints
what a TaskProlog prints: lines "export NAME=value" and "unset NAME", which slurmd
reads itself, so that a value is all of its line and has no quotes. --store keeps the
plan as DIR/ID.json, where the program that slurmctld resumes nodes with finds it
(plans.dir of its configuration).

Where there is no advice, nothing is printed and nothing stored: the job goes on as if
nobody had been asked.`,
		Example: `  asba slurm-prolog --job-id "$SLURM_JOB_ID" --export-env
  asba slurm-prolog --job-id 4711 --store /etc/aws-slurm-burst/plans`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.run(cmd.Context()) },
	}
	p.flags(c.Flags())
	c.Flags().StringVar(&p.jobID, "job-id", "", "the job's `ID`; else SLURM_JOB_ID's")
	c.Flags().BoolVar(&p.export, "export-env", false, "print export and unset lines as a TaskProlog does")
	c.Flags().StringVar(&p.store, "store", "", "keep the plan as ID.json in `DIR`")
	return c
}

func (p *prologue) run(ctx context.Context) error {
	if !p.export && p.store == "" {
		return app.Exitf(report.ExitUsage, "nothing to do: give --export-env, --store DIR, or both")
	}
	id := cmp.Or(p.jobID, p.Getenv("SLURM_JOB_ID"))
	if id == "" {
		return app.Exitf(report.ExitUsage, "no job given: name one with --job-id, or set SLURM_JOB_ID")
	}
	k, err := p.advise(ctx, p.tool, id)
	if err != nil {
		return err
	}
	if p.store != "" {
		ref := k.Ref()
		if k.HetID != "" {
			ref = k.ID // of a component its own id
		}
		if err := writeWhole(planFile(p.store, ref), plan.Write(k.advice.Plan)); err != nil {
			return err
		}
	}
	if p.export {
		_, _ = p.Stdout.Write([]byte(taskPrologLines(k.advice.Plan))) // which remembers what could not be written
	}
	return nil
}

// taskPrologLines are what slurmd reads of a TaskProlog: a value goes from the
// sign to the end of its line (slurm.conf(5), TaskProlog).
func taskPrologLines(p *plan.Plan) string {
	var b strings.Builder
	for _, v := range plan.Environment(p) {
		if v.Set {
			fmt.Fprintf(&b, "export %s=%s\n", v.Name, v.Value)
		} else {
			fmt.Fprintf(&b, "unset %s\n", v.Name)
		}
	}
	return b.String()
}
