package jobscript

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/fixtures"
)

var update = flag.Bool("update", false, "write testdata anew")

// dump writes what was read: what is not zero, then the hints, then the findings.
func dump(job *Job, fs []finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "interpreter %s\n", job.Interpreter)
	for i, r := range job.Components {
		fmt.Fprintf(&b, "component %d\n", i)
		v := reflect.ValueOf(r)
		for n := range v.NumField() {
			f := v.Type().Field(n)
			switch field := v.Field(n); {
			case field.IsZero() || f.Name == "Options":
			case field.Kind() == reflect.Pointer:
				fmt.Fprintf(&b, "  %s %+v\n", f.Name, field.Elem())
			default:
				fmt.Fprintf(&b, "  %s %+v\n", f.Name, field)
			}
		}
		for _, o := range r.Options {
			fmt.Fprintf(&b, "  %d:%d --%s %q\n", o.Line, o.Column, o.Name, o.Value)
		}
	}
	for _, h := range job.Hints {
		weak := ""
		if h.Weak {
			weak = " weak"
		}
		fmt.Fprintf(&b, "hint %d:%d %s%s %q %d %q\n", h.Line, h.Column, h.Kind, weak, h.Word, h.Value, h.Text)
	}
	for _, f := range fs {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

// The scripts are compared with Slurm in oracle; here is all that is read of each,
// with places, hints and findings.
func TestCorpusIsReadAsWritten(t *testing.T) {
	for _, name := range fixtures.Scripts() {
		script, err := fixtures.Script(name)
		if err != nil {
			t.Fatal(err)
		}
		got := dump(Read(script, name))
		file := filepath.Join("testdata", strings.TrimSuffix(name, ".sbatch")+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(fixtures.Scripts()) {
		t.Errorf("%d files in testdata for %d scripts: one has no script", len(files), len(fixtures.Scripts()))
	}
}
