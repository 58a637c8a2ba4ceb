package advisor

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/jobscript"
	"aws-slurm-burst/asba/scriptjob"
	"aws-slurm-burst/asba/slurmjob"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
)

// askWithin ends a question to slurmctld: scontrol gives up on a dead one after
// 18 s by itself.
const askWithin = 10 * time.Second

// known is a job that Slurm knows, with the advice on it.
type known struct {
	slurmjob.Record
	advice  advise.Advice
	options advise.Options
}

// advise asks Slurm for a job and advises on it.
func (s *site) advise(ctx context.Context, t *tool, id string) (*known, error) {
	if id == "" || strings.Trim(id, "0123456789_+") != "" {
		return nil, app.Exitf(report.ExitUsage, "%q is no job's id (write 4711, 4711_3 or 4711+1)", id)
	}
	cfg, err := app.ReadConfig(t.IO, s.config)
	if err != nil && !errors.Is(err, host.ErrNoConfig) {
		return nil, err
	}
	program, err := t.scontrol(cfg, id)
	if err != nil {
		return nil, err
	}
	k := &known{}
	if k.Record, err = t.record(ctx, program, id); err != nil {
		return nil, err
	}
	if k.options, err = s.options(ctx, t.IO, k.Partition, k.Nodes); err != nil {
		return nil, err
	}
	if !s.told("mpi") && (k.Tasks > 1 || k.MinNodes > 1) {
		k.Coupling = t.stored(ctx, program, k.Record)
	}
	k.Coupling = s.coupling(k.Coupling)
	k.advice = advise.Advise(k.named(), k.options)
	return k, nil
}

// named is the job by the name that people use for it.
func (k *known) named() advise.Job {
	j := k.Job
	j.ID = k.Ref()
	return j
}

// scontrol is Slurm's program for jobs, by the configuration where there is one.
func (t *tool) scontrol(cfg *config.Config, id string) (host.Scontrol, error) {
	program := host.Scontrol{Path: "scontrol", Conf: t.Getenv("SLURM_CONF")}
	if cfg != nil {
		if cfg.Slurm.Scontrol == config.ScontrolOff {
			return program, app.Exitf(report.ExitUsage, "%s says slurm.scontrol: off, so that there is no Slurm to ask for job %s", cfg.Base(), id)
		}
		program.Path, program.Conf = cfg.Slurm.Scontrol, cmp.Or(cfg.Slurm.Conf, program.Conf)
	}
	return program, nil
}

// stored is what the job's script, as slurmctld keeps it, gives away beside the
// record: a guess. Interactive jobs have none, and slurmctld shows it to the
// job's user and to operators alone; then there is nothing to guess from.
func (t *tool) stored(ctx context.Context, program host.Scontrol, r slurmjob.Record) advise.Coupling {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	script, err := program.Scontrol(ctx, "write", "batch_script", r.ID, "-")
	if err != nil {
		return advise.CouplingUnknown
	}
	s, _ := jobscript.Read(script, "script of job "+r.Ref())
	return scriptjob.Coupling(s, r.Job)
}

// record asks slurmctld for its record of a job.
func (t *tool) record(ctx context.Context, program host.Scontrol, id string) (slurmjob.Record, error) {
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
