package advisor

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
)

// text is what the flags want to be shown.
func (a *analysis) text(all []advised) ([]byte, error) {
	p := all[0].advice.Plan
	switch {
	case a.export:
		return []byte(shellLines(p)), nil
	case a.format == formatEnv:
		return []byte(variableLines(p)), nil
	case a.format == formatTable:
		return a.tables(all)
	case a.format == formatJSON:
		return a.asJSON(all)
	}
	return plan.Write(p), nil
}

// tables are the tables of all components, one below the other.
func (a *analysis) tables(all []advised) ([]byte, error) {
	var out []byte
	for i, x := range all {
		if i > 0 {
			out = append(out, '\n')
		}
		if x.of > 1 {
			out = fmt.Appendf(out, "component %d of %d: ", x.component, x.of)
		}
		text, err := table(x.job, x.advice, x.options, false, shownTypes, a.explain)
		if err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	return out, nil
}

// asJSON is one object, or an array of the components'.
func (a *analysis) asJSON(all []advised) ([]byte, error) {
	var objects []shownAdvice
	for _, x := range all {
		s := shown(x.job, x.advice, x.options, math.MaxInt, a.explain)
		if x.of > 1 {
			s.Component = &x.component
		}
		objects = append(objects, s)
	}
	if len(objects) == 1 {
		return asJSON(objects[0])
	}
	return asJSON(objects)
}

// write writes to stdout, or to the file, whole or not at all.
func (a *analysis) write(text []byte) error {
	if a.output == "" || a.output == "-" {
		_, _ = a.Stdout.Write(text) // which remembers what could not be written
		return nil
	}
	return writeWhole(a.output, text)
}

// keep writes a plan under the name that a job refers to it by, and prints the
// reference. The reference is there once the whole plan is.
func (a *analysis) keep(text []byte) error {
	ref := plan.Refer(text)
	if err := writeWhole(filepath.Join(a.store, ref.File()), text); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(a.Stdout, ref) // which remembers what could not be written
	return nil
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

// shellLines are what a POSIX shell evaluates, also where their line breaks have
// become blanks: eval $(...) without quotes is how people write it. A variable that
// the plan leaves open is unset: what it holds is another plan's.
func shellLines(p *plan.Plan) string {
	var b strings.Builder
	for _, v := range plan.Environment(p) {
		if v.Set {
			fmt.Fprintf(&b, "export %s=%s;\n", v.Name, quoted(v.Value))
		} else {
			fmt.Fprintf(&b, "unset %s;\n", v.Name)
		}
	}
	return b.String()
}

// quoted is a word of a POSIX shell that means the text, whatever it is.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// planFile is where plans.dir has the plan of a record: a task's own, else the
// job's.
func planFile(dir, ref string) string { return filepath.Join(dir, ref+".json") }
