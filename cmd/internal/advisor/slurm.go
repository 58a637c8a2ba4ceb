package advisor

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/slurmjob"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
)

// askWithin ends a question to slurmctld: scontrol gives up on a dead one after
// 18 s by itself.
const askWithin = 10 * time.Second

// advise asks Slurm for a job and advises on it.
func (s *site) advise(ctx context.Context, t *tool, id string) (r slurmjob.Record, a advise.Advice, o advise.Options, err error) {
	if id == "" || strings.Trim(id, "0123456789_+") != "" {
		return r, a, o, app.Exitf(report.ExitUsage, "%q is no job's id (write 4711, 4711_3 or 4711+1)", id)
	}
	// First what does not take long: a mistake in it is told without Slurm.
	cfg, err := app.ReadConfig(t.IO, s.config)
	if err != nil && !errors.Is(err, host.ErrNoConfig) {
		return r, a, o, err
	}
	if r, err = t.record(ctx, cfg, id); err != nil {
		return r, a, o, err
	}
	if o, err = s.options(ctx, t.IO, r.Partition); err != nil {
		return r, a, o, err
	}
	r.Coupling = s.coupling(r.Coupling)
	j := r.Job
	j.ID = r.Ref() // a task, a component: by the name that people use
	return r, advise.Advise(j, o), o, nil
}

// record asks slurmctld for its record of a job.
func (t *tool) record(ctx context.Context, cfg *config.Config, id string) (slurmjob.Record, error) {
	program := host.Scontrol{Path: "scontrol", Conf: t.Getenv("SLURM_CONF")}
	if cfg != nil {
		if cfg.Slurm.Scontrol == config.ScontrolOff {
			return slurmjob.Record{}, app.Exitf(report.ExitUsage, "%s says slurm.scontrol: off, so that there is no Slurm to ask for job %s", cfg.Base(), id)
		}
		program.Path, program.Conf = cfg.Slurm.Scontrol, cmp.Or(cfg.Slurm.Conf, program.Conf)
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	asked, _, _ := strings.Cut(id, "+") // of a component slurmctld shows all
	out, err := program.Scontrol(ctx, "-o", "show", "job", asked)
	if err != nil && strings.Contains(err.Error(), "Invalid job id") {
		return slurmjob.Record{}, app.Exitf(report.ExitUsage, "Slurm has no job %s (it forgets one MinJobAge after its end)", id)
	}
	if err != nil {
		return slurmjob.Record{}, app.Exitf(report.ExitFailed, "Slurm could not be asked for job %s: %s", id, strings.Join(strings.Fields(err.Error()), " "))
	}
	r, others, err := slurmjob.Find(slurmjob.Parse(string(out)), id)
	if err != nil {
		return r, app.Exitf(report.ExitUsage, "%v", err)
	}
	switch {
	case others > 0 && r.HetID != "":
		warn(t.IO, "job %s is heterogeneous: this is for its component %s, %d more need plans of their own", id, r.Ref(), others)
	case r.Doubtful:
		warn(t.IO, "job %s has a text that looks like fields of Slurm's: its user and account are left out", id)
	}
	return r, nil
}
