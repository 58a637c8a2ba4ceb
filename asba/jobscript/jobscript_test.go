package jobscript

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript/body"
	"aws-slurm-burst/fixtures"
)

// read reads a script of these directives, each a line, and a command.
func read(directives ...string) (*Request, []finding.Finding) {
	job, fs := Read([]byte("#!/bin/bash\n#SBATCH "+strings.Join(directives, "\n#SBATCH ")+"\nhostname\n"), "job.sh")
	return &job.Components[0], fs
}

func TestOptionsAreSortedAndTheirLettersAreTheirOwn(t *testing.T) {
	if !slices.IsSortedFunc(options, func(a, b option) int { return strings.Compare(a.name, b.name) }) {
		t.Error("byName looks for them by halves")
	}
	letters := map[byte]string{}
	for _, o := range options {
		if o.letter == 0 {
			continue
		}
		if other, twice := letters[o.letter]; twice {
			t.Errorf("-%c is --%s and --%s", o.letter, other, o.name)
		}
		letters[o.letter] = o.name
	}
}

func TestFindingsSayWhereWhatAndWhatToDo(t *testing.T) {
	for directive, want := range map[string]string{
		"--ntask-per-node=4":               `job.sh:2:9: error[JOB005]: "--ntask-per-node" is no option of sbatch 22.05 (did you mean --ntasks-per-node?)`,
		"-c 2 -mem=4G":                     `job.sh:2:14: error[JOB009]: --distribution: "em=4G" is not block, cyclic, plane=N or arbitrary, with :block, :cyclic or :fcyclic for sockets and cores (a long name has two dashes: --mem)`,
		"-job-name=x":                      `job.sh:2:9: error[JOB005]: "-j" is no option of sbatch 22.05 (did you mean --job-name?)`,
		"--mem=4 G":                        `job.sh:2:17: error[JOB008]: "G" belongs to no option (put quotes around a value with blanks; an optional value needs "=")`,
		"-t 2h":                            `job.sh:2:9: error[JOB009]: --time: "2h" is not a time: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or days-hours:minutes:seconds`,
		"-c 70000":                         `job.sh:2:9: error[JOB010]: --cpus-per-task: "70000" is more than 65533, which is what Slurm can hold`,
		"-J $USER":                         `job.sh:2:9: warning[JOB106]: --job-name="$USER": a directive expands nothing; the value has '$' in it (write the value itself; %j and %x stand for the job's id and name in file names)`,
		"-N 4 -n 2":                        `job.sh:2:9: warning[JOB105]: 2 tasks on 4 nodes: Slurm takes 2 nodes (ask for as many tasks as nodes at least)`,
		"--ignore-pbs -Z\n#PBS -l nodes=2": `job.sh:2:22: error[JOB005]: "-Z" is no option of sbatch 22.05 (sbatch --help lists what there is)`,
		"--gpus=gpu:4":                     `job.sh:2:9: warning[JOB110]: --gpus takes type:number; this asks for GPUs of a type called gpu (write a number, or a100:4)`,
	} {
		if _, fs := read(directive); len(fs) != 1 || fs[0].String() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", directive, fs, want)
		}
	}
}

// Every kind of finding is found in something, and is in the documentation with
// its level and its words.
func TestEveryDiagnosisOccursAndIsDocumented(t *testing.T) {
	seen := map[string]finding.Level{}
	look := func(script []byte) {
		_, fs := Read(script, "job.sh")
		for _, f := range fs {
			seen[f.ID] = f.Level
			if text := f.String(); strings.Contains(text, "\n") {
				t.Errorf("%q is more than one line", text)
			}
		}
	}
	for _, name := range fixtures.Scripts() {
		script, err := fixtures.Script(name)
		if err != nil {
			t.Fatal(err)
		}
		look(script)
	}
	for _, d := range []string{"-n 2 : -c 2", "-c 70000", "--test-only", "-J x \"\" -n 2", "-J $USER", "--nodelist=./nodes",
		"--job-name\n#SBATCH -n2", "--wrap=x", "--gpus=gpu:1", "-n 2\n#PBS -l nodes=2", strings.Repeat("x ", 200)} {
		look([]byte("#!/bin/sh\n#SBATCH " + d + "\n"))
	}
	docs, err := os.ReadFile("../../docs/JOBSCRIPT.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Diagnoses() {
		if level, ok := seen[d.ID()]; !ok || level != d.level {
			t.Errorf("%s: seen %v, as %s", d.ID(), ok, level)
		}
		if row := fmt.Sprintf("\n| %s | %s | %s |\n", d.id, d.level, d.text); !bytes.Contains(docs, []byte(row)) {
			t.Errorf("docs/JOBSCRIPT.md has no line%s", row)
		}
	}
	if n := bytes.Count(docs, []byte("\n| JOB")); n != len(Diagnoses()) {
		t.Errorf("docs/JOBSCRIPT.md has %d ids, not %d", n, len(Diagnoses()))
	}
}

func TestAnOptionSaysWhereItsValueIsFrom(t *testing.T) {
	r, _ := read("-N2 --time=5", "  -t 10 -c 3")
	for name, want := range map[string]Option{
		"nodes":         {"nodes", "2", 2, 9},
		"time":          {"time", "10", 3, 11},
		"cpus-per-task": {"cpus-per-task", "3", 3, 17},
	} {
		if got, ok := r.Option(name); !ok || got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if o, ok := r.Option("mem"); ok {
		t.Errorf("mem, which nobody asked for: %+v", o)
	}
}

func TestSumsOfARequest(t *testing.T) {
	for directives, want := range map[string][3]int{ // CPUs, least nodes, GPUs
		"-N4 --ntasks-per-node=8 -c2":              {64, 4, 0},
		"-n13 --ntasks-per-node=4":                 {13, 4, 0},
		"-n8 -c2 -O":                               {1, 1, 0},
		"-N2 --gres=gpu:a100:4,nic:1":              {2, 2, 8},
		"-G 6":                                     {1, 1, 6},
		"-n4 --gpus-per-task=2":                    {4, 1, 8},
		"--gpus-per-socket=2 --sockets-per-node=2": {1, 1, 4},
		"--gpus=16 --gpus-per-node=8":              {2, 2, 16},
		"--gpus-per-node=4 --gres=gpu:2":           {1, 1, 2},
	} {
		r, fs := read(directives)
		if got := [3]int{r.CPUs(), r.LeastNodes(), r.TotalGPUs()}; got != want || finding.Count(fs, finding.Error) > 0 {
			t.Errorf("%s: %v, want %v (%v)", directives, got, want, fs)
		}
	}
}

// hostile are scripts that cost more than they are worth.
func hostile() map[string][]byte {
	begin := "#!/bin/bash\n"
	var ranges strings.Builder
	for i := 2; ranges.Len() < 4000; i++ {
		fmt.Fprintf(&ranges, "%d-4000000:%d,", i%7, i)
	}
	return map[string][]byte{
		"a million bytes in a line":   []byte(begin + "#SBATCH --comment=" + strings.Repeat("x", 1_000_000) + "\n"),
		"a million words in a line":   []byte(begin + "#SBATCH " + strings.Repeat("x ", 500_000) + "\n"),
		"a million letters":           []byte(begin + "#SBATCH -" + strings.Repeat("O", 1_000_000) + "\n"),
		"many directives":             []byte(begin + strings.Repeat("#SBATCH -n2\n", 100_000)),
		"many wrong directives":       []byte(begin + strings.Repeat("#SBATCH --ntask=2\n", 100_000)),
		"many components":             []byte(begin + "#SBATCH --mem=4G -J x -t 5\n" + strings.Repeat("#SBATCH hetjob\n", 100_000)),
		"many comments":               []byte(begin + strings.Repeat("# SBATCH -n 2\n", 70_000)),
		"a million commands":          []byte(begin + strings.Repeat("srun;", 200_000)),
		"many here-documents":         []byte(begin + strings.Repeat("cat <<A ", 120_000) + "\n" + strings.Repeat("A\n", 1000)),
		"an open quote":               []byte(begin + "echo '" + strings.Repeat("srun\n", 200_000)),
		"many substitutions":          []byte(begin + strings.Repeat("$(", 500_000)),
		"open arithmetic":             []byte(begin + strings.Repeat("((", 500_000)),
		"many late directives":        []byte(begin + "true\n" + strings.Repeat("#SBATCH -n2\n", 80_000)),
		"many open texts":             []byte("#!/usr/bin/python3\n" + strings.Repeat("'''\"\"\"\n", 150_000)),
		"a large list of nodes":       []byte(begin + "#SBATCH -w n[" + strings.Repeat("1-9999,", 9000) + "1]\n"),
		"an array of many ranges":     []byte(begin + "#SBATCH -a " + strings.TrimSuffix(ranges.String(), ",") + "\n"),
		"an array of all":             []byte(begin + "#SBATCH -a 0-4000000\n"),
		"larger than slurmctld takes": bytes.Repeat([]byte("#"), MaxSize+1),
	}
}

// None of them takes more than seconds or 200 MB; what they get is a finding or a
// job, in bounded number.
func TestHostileScriptsCostLittle(t *testing.T) {
	for name, script := range hostile() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		job, fs := Read(script, "job.sh")
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; took > limit || mb > 200 {
			t.Errorf("%s: %s, %d MB", name, took, mb)
		}
		if len(fs) > maxFindings+1 || len(job.Hints) > body.Max || len(job.Components) == 0 {
			t.Errorf("%s: %d findings, %d hints, %d components", name, len(fs), len(job.Hints), len(job.Components))
		}
	}
}

func BenchmarkRead(b *testing.B) {
	var scripts [][]byte
	for _, name := range fixtures.Scripts() {
		s, err := fixtures.Script(name)
		if err != nil {
			b.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	b.Run("script", func(b *testing.B) {
		i := 0
		for b.Loop() {
			Read(scripts[i%len(scripts)], "job.sh")
			i++
		}
	})
	long := []byte("#!/bin/bash\n#SBATCH -N2 --time=60\n" + strings.Repeat("module load openmpi; srun --mpi=pmix ./solve --case \"$i\" > out.$i 2>&1\n", 10_000))
	b.Run("700-kB", func(b *testing.B) {
		b.SetBytes(int64(len(long)))
		for b.Loop() {
			Read(long, "job.sh")
		}
	})
}
