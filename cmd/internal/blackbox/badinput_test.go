package blackbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Bad input gets one clear line and the documented exit code, and launches
// nothing.
func TestBadInputGetsOneLineAndItsExitCode(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, err := os.ReadFile(filepath.Join(repo, exampleConfig))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := os.ReadFile(filepath.Join(repo, "examples/aws-credentials"))
	if err != nil {
		t.Fatal(err)
	}
	file("aws-credentials", string(keys))
	edited := func(name, old, with string) string {
		text := strings.Replace(string(good), old, with, 1)
		if text == string(good) {
			t.Fatalf("%s: %q is not in the example", name, old)
		}
		return file(name, text)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	writable := file("writable.json", `{"instance_specification":{"instance_types":["c6i.xlarge"]}}`)
	if err := os.Chmod(writable, 0o666); err != nil {
		t.Fatal(err)
	}

	e := newEndpoint(t, nil)
	config := "--config=" + exampleConfig
	plan := func(name, text string) []string {
		return []string{"aws-cpu-[001-002]", config, "--execution-plan=" + file(name, text)}
	}
	const invalid = "ERROR: Invalid execution plan: "
	for _, c := range []struct {
		name string
		args []string
		code int
		line string // the beginning of the first line
	}{
		{"no hostlist", []string{config}, 2, "ERROR: no hostlist given"},
		{"empty hostlist", []string{"", config}, 2, "ERROR: "},
		{"unbalanced hostlist", []string{"aws-hpc-[001-008", config}, 2, "ERROR: hostlist"},
		{"reverse range", []string{"aws-hpc-[008-001]", config}, 2, "ERROR: hostlist"},
		{"hostlist over the limits", []string{"aws-hpc-[1-70000]", config}, 2, "ERROR: hostlist"},
		{"nodes of no node group", []string{"login-[1-3]", config}, 2, "ERROR: node login-1 belongs to no node group of config.yaml"},
		{"unknown flag", []string{"aws-hpc-001", config, "--bogus"}, 2, "ERROR: unknown flag: --bogus"},
		{"unknown output", []string{"aws-hpc-001", config, "-o", "xml"}, 2, `ERROR: -o "xml" is not one of`},
		{"unknown kind of dry run", []string{"aws-hpc-001", config, "--dry-run=maybe"}, 2, `ERROR: --dry-run "maybe"`},

		{"config missing", []string{"aws-hpc-001", "--config=" + dir + "/none.yaml"}, 9, "ERROR: configuration not readable: "},
		{"config a directory", []string{"aws-hpc-001", "--config=" + dir}, 9, "ERROR: configuration not readable: "},
		{"config a pipe", []string{"aws-hpc-001", "--config=" + fifo}, 9, "ERROR: configuration not readable: "},
		{"config empty", []string{"aws-hpc-001", "--config=" + file("empty.yaml", "")}, 9, "ERROR: "},
		{"config unknown key", []string{"aws-hpc-001", "--config=" + edited("key.yaml", "region:", "regoin:")}, 9, "ERROR: "},
		{"config wrong type", []string{"aws-hpc-001", "--config=" + edited("type.yaml", "cluster: examples", "cluster: [1, 2]")}, 9, "ERROR: "},
		{"config binary", []string{"aws-hpc-001", "--config=" + file("binary.yaml", "\xff\xfe\x00\x01")}, 9, "ERROR: "},

		{"plan empty", plan("empty.json", ""), 4, invalid},
		{"plan truncated", plan("cut.json", `{"instance_specification": {"instance_types": ["c6i.xl`), 4, invalid},
		{"plan of 10 MB", plan("large.json", `{"a":"`+strings.Repeat("x", 10<<20)+`"}`), 4, invalid},
		{"plan deeply nested", plan("deep.json", strings.Repeat(`{"a":`, 100000)), 4, invalid},
		{"plan of wrong types", plan("types.json", `{"instance_specification": {"instance_types": "c6i.xlarge"}}`), 4, invalid},
		{"plan with duplicate keys", plan("twice.json", `{"should_burst": true, "should_burst": false, "instance_specification": {"instance_types": ["c6i.xlarge"]}}`), 4, invalid},
		{"plan not UTF-8", plan("latin.json", "{\"x\": \"\xff\"}"), 4, invalid},
		{"plan world-writable", []string{"aws-cpu-[001-002]", config, "--execution-plan=" + writable}, 4, invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := e.run("aws-slurm-burst-resume", c.args)
			lines := r.lines()
			if r.code != c.code || len(lines) == 0 || !strings.HasPrefix(lines[0], c.line) {
				t.Errorf("exit %d, want %d; stderr:\n%s", r.code, c.code, r.stderr)
			}
			errors := 0
			for _, l := range lines {
				if strings.HasPrefix(l, "ERROR: ") {
					errors++
				} else if !strings.HasPrefix(l, "SUGGESTION: ") && !strings.HasPrefix(l, "WARN: ") {
					t.Errorf("a line for nobody: %q", l)
				}
			}
			if errors != 1 {
				t.Errorf("%d error lines", errors)
			}
		})
	}
	if n := len(e.live()); n != 0 {
		t.Errorf("%d instances launched on bad input", n)
	}
}

// A plan that is not there, or is not a file, is missing: standalone.
func TestAPlanThatCannotBeReadIsMissing(t *testing.T) {
	e := newEndpoint(t, nil)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{"/nonexistent/plan.json", fifo, t.TempDir()} {
		r := e.resume(fmt.Sprintf("aws-cpu-00%d", i+1), "--execution-plan="+path)
		if r.code != 0 || len(r.lines()) != 2 || !strings.HasSuffix(r.lines()[0], ", falling back to standalone mode") || r.lines()[1] != "INFO: Using static configuration from config.yaml" {
			t.Errorf("%s: exit %d\n%s", path, r.code, r.stderr)
		}
	}
	if n := len(e.live()); n != 3 {
		t.Errorf("%d instances, want 3", n)
	}
}

// slurmctld up to 22.05 closes all three standard streams.
func TestClosedStandardStreamsStopNothing(t *testing.T) {
	e := newEndpoint(t, nil)
	for _, closing := range []string{"<&- >&- 2>&-", "2>&-", ">&-", ">/dev/full 2>/dev/full"} {
		r := e.sh(fmt.Sprintf("%s/aws-slurm-burst-resume 'aws-hpc-[001-008]' --config=%s --execution-plan=examples/asba-execution-plan.json -o json %s", bin, exampleConfig, closing))
		if r.code != 0 {
			t.Errorf("%s: exit %d\n%s", closing, r.code, r.stderr)
		}
		if n := len(e.live()); n != 8 {
			t.Errorf("%s: %d instances", closing, n)
		}
		e.suspend("aws-hpc-[001-008]")
		if n := len(e.live()); n != 0 {
			t.Errorf("%s: %d instances after the suspend", closing, n)
		}
	}
	// A reader that goes away.
	r := e.sh(fmt.Sprintf("%s/aws-slurm-burst-resume 'aws-hpc-[001-008]' --config=%s -o json 2>&1 | :; sleep 0.5", bin, exampleConfig))
	if n := len(e.live()); n != 8 {
		t.Errorf("broken pipe: %d instances\n%s", n, r.stderr)
	}
}

// Half an output does not pass for a whole one where the output is what a command
// is for; a reader that has enough is no failure, and what reconcile did is done.
func TestAnOutputThatCannotBeWrittenIsAFailure(t *testing.T) {
	e := newEndpoint(t, nil)
	dir := t.TempDir()
	feature(t, dir, "a.feature", "Feature: F\n  Scenario: S\n    When Slurm resumes \"aws-cpu-001\"\n    Then the exit code is 0\n")
	feature(t, dir, "plan.json", `{"instance_specification": {"instance_types": ["c6i.xlarge"]}}`)
	for _, args := range []string{"--help", "features --list", "features --steps", "features " + dir + "/a.feature --backend embedded", "replay " + dir + "/plan.json -o json", "replay " + dir + "/plan.json"} {
		r := e.sh(fmt.Sprintf("%s/aws-slurm-burst %s >/dev/full", bin, args))
		if r.code != 1 || len(r.lines()) != 1 || !strings.HasPrefix(r.stderr, "ERROR: the output is not whole: ") || !strings.Contains(r.stderr, "no space left on device") {
			t.Errorf("%s: exit %d\n%s", args, r.code, r.stderr)
		}
		if r := e.sh(fmt.Sprintf("{ %s/aws-slurm-burst %s; echo $? >&2; } | :", bin, args)); r.stderr != "0\n" {
			t.Errorf("%s: a reader that goes away: %s", args, r.stderr)
		}
	}
	if r := e.sh(fmt.Sprintf("%s/aws-slurm-burst reconcile --config=%s >/dev/full", bin, exampleConfig)); r.code != 0 || r.stderr != "" {
		t.Errorf("reconcile: exit %d\n%s", r.code, r.stderr)
	}
}

// Who cannot say where questions are taken takes none, and leaves nothing behind.
func TestAnAdvisorThatNobodyCanFindEnds(t *testing.T) {
	e := newEndpoint(t, nil)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"serve --port 0", "daemon --pipe " + dir + "/p"} {
		r := e.sh(fmt.Sprintf("%s/asba %s >/dev/full", bin, args))
		if r.code != 1 || len(r.lines()) != 1 || !strings.HasPrefix(r.stderr, "ERROR: the output is not whole: ") {
			t.Errorf("%s: exit %d\n%s", args, r.code, r.stderr)
		}
		r = e.sh(fmt.Sprintf("mkfifo %[1]s/out && { exec 3<>%[1]s/out 4>%[1]s/out 3<&-; rm %[1]s/out; %[2]s/asba %[3]s >&4; }", dir, bin, args))
		if r.code != 1 || len(r.lines()) != 1 || !strings.HasSuffix(r.stderr, "could not be told: nobody reads stdout\n") {
			t.Errorf("%s, nobody reads: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A log file that cannot be written costs a warning, no more.
func TestALogThatCannotBeWrittenStopsNothing(t *testing.T) {
	e := newEndpoint(t, nil)
	dir := t.TempDir()
	good, err := os.ReadFile(filepath.Join(repo, exampleConfig))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := os.ReadFile(filepath.Join(repo, "examples/aws-credentials"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "aws-credentials"), keys, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, append(bytes.Clone(good), "\nlogging: {file: /proc/none/burst.log}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	r := e.run("aws-slurm-burst-resume", []string{"test-[001-002]", "--config=" + path})
	if r.code != 0 || len(e.live()) != 2 || !strings.HasPrefix(r.stderr, "WARN: log file not writable") {
		t.Errorf("exit %d, %d instances\n%s", r.code, len(e.live()), r.stderr)
	}
}
