package advisor

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript"
	"aws-slurm-burst/asba/scriptjob"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
)

// scripted is the job of a script, "-" for stdin. What is unwise in it is told;
// what sbatch would refuse is an error, a line each.
func (t *tool) scripted(path string, component int) (advise.Job, error) {
	name, script, err := path, []byte(nil), error(nil)
	if path == "-" {
		name = "stdin"
		script, err = io.ReadAll(io.LimitReader(t.Stdin, jobscript.MaxSize+1))
	} else {
		script, err = host.ReadFile(path, jobscript.MaxSize)
	}
	if err != nil {
		return advise.Job{}, app.Exitf(report.ExitUsage, "the script is not readable: %v", err)
	}
	s, fs := jobscript.Read(script, name)
	var wrong bytes.Buffer
	for _, f := range fs {
		switch f.Level {
		case finding.Error:
			fmt.Fprintf(&wrong, "%s\n", f)
		case finding.Warning:
			warn(t.IO, "%s", f)
		}
	}
	if wrong.Len() > 0 {
		return advise.Job{}, app.Exitf(report.ExitUsage, "%s", strings.TrimSuffix(wrong.String(), "\n"))
	}
	jobs := scriptjob.Jobs(s, filepath.Base(name))
	if component < 0 || component >= len(jobs) {
		return advise.Job{}, app.Exitf(report.ExitUsage, "--component %d: %s has %d", component, name, len(jobs))
	}
	if len(jobs) > 1 {
		warn(t.IO, "%s is heterogeneous: this is for its component %d of %d, each needs a plan of its own (--component)", name, component, len(jobs))
	}
	return jobs[component], nil
}
