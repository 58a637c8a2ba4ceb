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

// scripted is the job of a script, "-" for stdin, of a heterogeneous one each
// component. What is unwise in it is told; what sbatch would refuse is an error, a
// line each.
func (t *tool) scripted(path string) ([]advise.Job, error) {
	name, script, err := path, []byte(nil), error(nil)
	if path == "-" {
		name = "stdin"
		script, err = io.ReadAll(io.LimitReader(t.Stdin, jobscript.MaxSize+1))
	} else {
		script, err = host.ReadFile(path, jobscript.MaxSize)
	}
	if err != nil {
		return nil, app.Exitf(report.ExitUsage, "the script is not readable: %v", err)
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
		return nil, app.Exitf(report.ExitUsage, "%s", strings.TrimSuffix(wrong.String(), "\n"))
	}
	return scriptjob.Jobs(s, filepath.Base(name)), nil
}
