package advisor

import (
	"context"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/protocol"
	"aws-slurm-burst/cmd/internal/app"
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
	script                string
	jobID, format, output string
	store                 string
	component, nodes      int
	export, explain       bool
}

func (t *tool) analyze() *cobra.Command {
	a := &analysis{tool: t}
	c := &cobra.Command{
		Use:   "analyze JOB | --job-id ID | --nodes N",
		Short: "Say what to launch for a job: an execution plan",
		Long: `Advise on a job: which instance types to launch, on which market, near to each
other or not, and within which limits. JOB is its script (- for stdin), read as sbatch
reads it. With --job-id it is a job that Slurm knows, by Slurm's own record of it; of its
script only what the record does not tell is looked at, whether it is MPI. With --nodes it
is a job of which no more is known than its nodes and perhaps its partition, which need
not be one of the configuration's.

Slurm resumes the nodes of each component of a heterogeneous job by themselves, so that
each has a plan of its own: --format table and json show all, and --component N names
the one whose plan is wanted.

The plan goes to stdout, or whole or not at all to the file that --output names.
--export-env prints what a shell evaluates: all ASBA_* variables of a plan, and those
that the plan leaves open are unset. --store keeps the plan in a folder, under a name
made from its bytes, and prints what a job says to refer to it.

Advice against bursting is an advice too: exit code 0. Without an advice it is 1
where Slurm could not be asked, 2 for a script that sbatch would refuse and for a job
or a region that is not known, 9 for a configuration that is not valid.`,
		Example: `  asba analyze job.sbatch --output plan.json
  eval "$(asba analyze job.sbatch --export-env)"
  sbatch --comment="$(asba analyze job.sbatch --store /etc/aws-slurm-burst/plans)" job.sbatch
  asba analyze --job-id 4711 --format table --budget 50 --deadline 12h`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				a.script = args[0]
			}
			return a.run(cmd.Context())
		},
	}
	a.flags(c.Flags())
	c.Flags().StringVar(&a.jobID, "job-id", "", "the job's `ID`, as squeue shows it: 4711, 4711_3, 4711+1")
	c.Flags().IntVar(&a.nodes, "nodes", 0, "advise on a job of which is known that it has `N` nodes, and no more")
	c.Flags().IntVar(&a.component, "component", 0, "of a heterogeneous script: advise on component `N` alone, from 0")
	c.Flags().StringVar(&a.format, "format", formatPlan, "print `FORMAT`: execution-plan, env, table or json")
	c.Flags().StringVarP(&a.output, "output", "o", "", "write to `FILE`, whole or not at all, instead of stdout")
	c.Flags().StringVar(&a.store, "store", "", "keep the plan in `DIR`, and print the reference to it, asba:SHA256")
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
	if err := a.oneJob(); err != nil {
		return err
	}
	switch {
	case a.export && a.told("format") && a.format != formatEnv:
		return app.Exitf(report.ExitUsage, "--export-env prints variables, not %s", a.format)
	case a.store != "" && (a.export || a.output != "" || a.format != formatPlan):
		return app.Exitf(report.ExitUsage, "--store keeps a plan and prints its reference: leave --output, --format and --export-env out")
	case a.explain && a.format != formatTable && a.format != formatJSON:
		return app.Exitf(report.ExitUsage, "--explain goes with --format table or json: a plan has no place for it")
	}
	all, err := a.judged(ctx)
	if err != nil {
		return err
	}
	if a.store != "" {
		return a.keep(plan.Write(all[0].advice.Plan))
	}
	text, err := a.text(all)
	if err != nil {
		return err
	}
	return a.write(text)
}

// oneJob refuses what names no job, or more than one.
func (a *analysis) oneJob() error {
	switch {
	case a.jobID == "" && a.script == "" && !a.told("nodes"):
		return app.Exitf(report.ExitUsage, "no job given: name its script, one that Slurm knows with --job-id, or its --nodes alone")
	case a.jobID != "" && a.script != "":
		return app.Exitf(report.ExitUsage, "two jobs given: a script and --job-id %s", a.jobID)
	case a.jobID != "" && a.told("component"):
		return app.Exitf(report.ExitUsage, "--component goes with a script: write --job-id %s+%d", a.jobID, a.component)
	case !a.told("nodes"):
		return nil
	case a.jobID != "" || a.script != "" || a.told("component"):
		return app.Exitf(report.ExitUsage, "--nodes %d is for a job of which no more is known: a script, or Slurm, says itself how many it has", a.nodes)
	case a.nodes < 1 || a.nodes > protocol.MaxNodes:
		return app.Exitf(report.ExitUsage, "--nodes %d is not from 1 to %d", a.nodes, protocol.MaxNodes)
	}
	return nil
}

// advised is a job, or a component of one, with the advice on it.
type advised struct {
	job     advise.Job
	advice  advise.Advice
	options advise.Options
	// component numbers it, of so many; of 1 it is the job itself.
	component, of int
}

// judged finds the job and advises on it.
func (a *analysis) judged(ctx context.Context) ([]advised, error) {
	if a.jobID != "" {
		k, err := a.advise(ctx, a.tool, a.jobID)
		if err != nil {
			return nil, err
		}
		return []advised{{k.named(), k.advice, k.options, 0, 1}}, nil
	}
	var jobs []advise.Job
	if a.told("nodes") {
		jobs = append(jobs, byNodes(asked{nodes: a.nodes, partition: a.partition}))
		a.partition = "" // it is the job's, as in a question: who asks may know partitions that this configuration has not
	} else {
		var err error
		if jobs, err = a.tool.scripted(a.script); err != nil {
			return nil, err
		}
	}
	one := a.told("component")
	switch {
	case one && (a.component < 0 || a.component >= len(jobs)):
		return nil, app.Exitf(report.ExitUsage, "--component %d: %s has %d", a.component, a.script, len(jobs))
	case !one && len(jobs) > 1 && (a.export || a.format == formatPlan || a.format == formatEnv):
		return nil, app.Exitf(report.ExitUsage, "%s is heterogeneous, and each of its %d components has a plan of its own: name one with --component 0 to %d, or see all with --format table", a.script, len(jobs), len(jobs)-1)
	}
	var all []advised
	for i, j := range jobs {
		if one && i != a.component {
			continue
		}
		o, err := a.options(ctx, a.IO, j.Partition, "")
		if err != nil {
			return nil, err
		}
		j.Coupling = a.coupling(j.Coupling)
		all = append(all, advised{j, advise.Advise(j, o), o, i, len(jobs)})
	}
	return all, nil
}
