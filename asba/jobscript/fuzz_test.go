package jobscript

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript/body"
	"aws-slurm-burst/fixtures"
)

// check holds for whatever is read.
func check(t *testing.T, script []byte) {
	t.Helper()
	job, fs := Read(script, "job.sh")
	if again, more := Read(script, "job.sh"); !reflect.DeepEqual(job, again) || !reflect.DeepEqual(fs, more) {
		t.Fatal("not the same twice")
	}
	lines := strings.Split(string(script), "\n")
	inside := func(line, column int) bool {
		return line >= 1 && line <= len(lines)+1 && column >= 1 && (line > len(lines) || column <= len(lines[line-1])+1)
	}
	for _, f := range fs {
		if f.Line != 0 && !inside(f.Line, f.Column) || strings.Contains(f.String(), "\n") {
			t.Errorf("finding %q", f)
		}
	}
	for _, h := range job.Hints {
		if !inside(h.Line, h.Column) || h.Word == "" || h.Value < 0 {
			t.Errorf("hint %+v", h)
		}
	}
	if len(job.Components) == 0 || len(fs) > maxFindings+1 || len(job.Hints) > body.Max {
		t.Errorf("%d components, %d findings, %d hints", len(job.Components), len(fs), len(job.Hints))
	}
	for _, r := range job.Components {
		for _, o := range r.Options {
			if !inside(o.Line, o.Column) {
				t.Errorf("option %+v", o)
			}
		}
		if r.MinNodes < 1 || r.Tasks < 1 || r.CPUsPerTask < 1 || r.MaxNodes < 0 || r.LeastNodes() < 1 || r.TotalGPUs() < 0 ||
			r.Memory.PerNode < 0 || r.Memory.PerCPU < 0 || r.Memory.PerGPU < 0 || r.TimeLimit.Minutes < 0 || r.Array != nil && r.Array.Tasks < 1 {
			t.Errorf("%+v", r)
		}
	}
	if finding.Count(fs, finding.Error) > 0 {
		return
	}
	// What is read without an error is read again from what was understood.
	second, more := Read(render(job), "job.sh")
	if finding.Count(more, finding.Error) > 0 || len(second.Components) != len(job.Components) {
		t.Fatalf("read again: %v\n%s", more, render(job))
	}
	for i := range job.Components {
		a, b := job.Components[i], second.Components[i]
		a.Options, b.Options = nil, nil
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%+v\nand again, from\n%s\n%+v", a, render(job), b)
		}
	}
}

// render writes a job's options in another way: one a line, each with its long
// name and its value in quotes.
func render(job *Job) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "#!%s\n", strings.ReplaceAll(job.Interpreter, "\n", ""))
	for i, r := range job.Components {
		if i > 0 {
			b.WriteString(magic + " hetjob\n")
		}
		for _, o := range r.Options {
			known, _ := byName(o.Name)
			value := ""
			if known.arg == needed || o.Value != "" {
				value = `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(o.Value) + `"`
			}
			fmt.Fprintf(&b, "%s --%s%s\n", magic, o.Name, value)
		}
	}
	return []byte(b.String())
}

func FuzzRead(f *testing.F) {
	for _, name := range fixtures.Scripts() {
		script, err := fixtures.Script(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) { check(t, script) })
}

// FuzzDirectives builds scripts from what directives are made of, in every way
// of writing them.
func FuzzDirectives(f *testing.F) {
	data, err := os.ReadFile("oracle/testdata/directives.txt")
	if err != nil {
		f.Fatal(err)
	}
	// The values that people give to options, with those that they should not.
	var values []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		for w := range strings.FieldsSeq(line) {
			if _, v, ok := strings.Cut(w, "="); ok {
				w = v
			}
			if !strings.HasPrefix(w, "-") && !seen[w] {
				seen[w] = true
				values = append(values, w)
			}
		}
	}
	if len(values) < 200 {
		f.Fatalf("%d values", len(values))
	}
	for seed := range uint64(20) {
		f.Add(seed, "x y")
	}
	f.Fuzz(func(t *testing.T, seed uint64, odd string) {
		r := rand.New(rand.NewPCG(seed, 1))
		check(t, script(r, values, odd))
	})
}

// script makes one of some lines.
func script(r *rand.Rand, values []string, odd string) []byte {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var b strings.Builder
	b.WriteString("#!" + pick("/bin/bash", "/bin/sh", "/usr/bin/env python3") + "\n")
	for range r.IntN(8) {
		switch r.IntN(12) {
		case 0:
			b.WriteString(pick("", "# why", "  ", "##SBATCH -n2", "#PBS -N x") + "\n")
			continue
		case 1:
			b.WriteString(magic + pick(" hetjob", " packjob", " HetJob # next", " hetjob -n2") + "\n")
			continue
		}
		b.WriteString(magic + pick(" ", "", "\t", "  "))
		for range 1 + r.IntN(3) {
			o := options[r.IntN(len(options))]
			value := values[r.IntN(len(values))]
			if r.IntN(8) == 0 {
				value = strings.ReplaceAll(odd, "\n", " ")
			}
			switch r.IntN(4) {
			case 0:
				value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
			case 1:
				value = `'` + value + `'`
			}
			name := "--" + o.name
			if r.IntN(6) == 0 {
				name = name[:2+r.IntN(len(o.name))+1]
			}
			switch {
			case o.letter != 0 && r.IntN(2) == 0:
				b.WriteString("-" + string(o.letter))
				if o.arg != none {
					b.WriteString(pick("", " ") + value)
				}
			case o.arg == none && r.IntN(10) > 0:
				b.WriteString(name)
			default:
				b.WriteString(name + pick("=", "=", " ") + value)
			}
			b.WriteString(pick(" ", "  ", "\t", " # ", " "))
		}
		b.WriteString("\n")
	}
	b.WriteString(pick("", "srun ./a\n", "module load openmpi\nmpirun ./a <<END\n"+odd+"\nEND\n", odd, "#SBATCH -n2\n"))
	return []byte(b.String())
}
