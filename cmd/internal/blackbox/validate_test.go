package blackbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/sys/unix"
)

// judge runs aws-slurm-burst in the repository, with nothing in its environment.
func judge(t *testing.T, args ...string) result {
	t.Helper()
	e := &endpoint{t: t, state: t.TempDir()}
	return e.run("aws-slurm-burst", args)
}

// Every answer of validate-plan -o json is what docs/validate.schema.json says.
func TestJudgedPlansAreWhatTheSchemaSays(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(filepath.Join(repo, "docs/validate.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	mended := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(mended, []byte(`{"instance_specification": {"instance_types": ["c6i.large"], "purchasing_option": "Spot"}} // x`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"examples":   {"examples", "examples/seed", "asba/plan/testdata", "fixtures/plans", "fixtures/plans/asba.env"},
		"unreadable": {"none.json", "/dev/null", "examples/seed/invalid.json"},
		"nothing":    {"none/*.json"},
		"no plan":    {"Makefile"},
		"mended":     {mended, "--fix"},
		"site":       {"fixtures/plans", "--config", exampleConfig, "--partition", "aws"},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(t, append([]string{"validate-plan", "-o", "json"}, args...)...)
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(got.stdout))
			if err != nil {
				t.Fatalf("exit %d, and stdout is not JSON: %v\n%s", got.code, err, got.stderr)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%v\n%s", err, got.stdout)
			}
			if !strings.HasSuffix(got.stdout, fmt.Sprintf("\"exit_code\": %d\n}\n", got.code)) {
				t.Errorf("exit %d, and the answer ends %s", got.code, got.stdout[max(0, len(got.stdout)-60):])
			}
		})
	}
}

// The words of the first description, to the letter.
func TestAPlanWithoutTypesIsRefusedInTheWordsOfTheSeed(t *testing.T) {
	r := judge(t, "validate-plan", "examples/seed/invalid.json")
	if r.code != 4 || !strings.Contains(r.stdout, ": no instance types specified") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
}

// terminal runs a program on a terminal of its own, and returns what came out
// there; line ends are as the program wrote them.
func terminal(t *testing.T, columns uint16, c *exec.Cmd) (out string, code int) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	defer func() { _ = master.Close() }()
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: columns})
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	c.Stdin, c.Stdout, c.Stderr = slave, slave, slave
	c.Dir = repo
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	stop := time.AfterFunc(30*time.Second, func() { _ = c.Process.Kill() })
	defer stop.Stop()
	var b bytes.Buffer
	_, _ = b.ReadFrom(master) // ends with an error once nobody has the other end
	var exit *exec.ExitError
	if err := c.Wait(); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), "\r\n", "\n"), code
}

func TestOnATerminalFindingsAreColouredAndShownInTheirLines(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.json")
	hostile := "{\"x\": \"\u202e" + strings.Repeat("y", 300) + "\", \"instance_specification\": {\"instance_types\": [\"c6i.huge\"]}} // \x1b]0;owned\a\n"
	if err := os.WriteFile(file, []byte(hostile), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(env ...string) string {
		c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), "validate-plan", file)
		c.Env = append([]string{"TERM=xterm"}, env...)
		out, code := terminal(t, 72, c)
		if code != 4 {
			t.Errorf("exit %d\n%s", code, out)
		}
		return out
	}
	plain := run("NO_COLOR=1")
	for _, r := range plain {
		if r != '\n' && (r < ' ' || r == 0x7f || r == '\u202e') {
			t.Errorf("the terminal is told %q:\n%s", r, plain)
		}
	}
	lines := strings.Split(plain, "\n")
	found := false
	for i, line := range lines[:len(lines)-1] {
		if !strings.HasPrefix(line, "1 | ") {
			continue
		}
		mark := lines[i+1]
		if len(line) > 72 || len(mark) > 72 {
			t.Errorf("wider than the terminal:\n%s\n%s", line, mark)
		}
		if at := strings.IndexByte(mark, '^'); strings.HasPrefix(line[at:], `"c6i.huge"`) && strings.Count(mark, "^") == len(`"c6i.huge"`) {
			found = true
		}
	}
	if !found {
		t.Errorf("no mark under the type:\n%s", plain)
	}
	colored := run()
	if !strings.Contains(colored, "\x1b[1;31merror[PLAN030]\x1b[0m") || strings.Contains(colored, "\x1b]0;") {
		t.Errorf("%q", colored)
	}
	if dumb := run("TERM=dumb"); strings.Contains(dumb, "\x1b") {
		t.Errorf("colours for a dumb terminal: %q", dumb)
	}
}

func TestOnATerminalADiffIsHarmlessAndColoured(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte("{\n\t\"x\": \"a\u202eb\", // \x1b[2J\n\t\"instance_specification\": {\"instance_types\": [\"c6i.large\"]}\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), "validate-plan", "--diff", file)
	c.Env = []string{"TERM=xterm"}
	out, code := terminal(t, 80, c)
	if code != 0 || !strings.Contains(out, "\x1b[31m-\t\"x\": \"a\\u202eb\", // \\x1b[2J\x1b[0m\n") || !strings.Contains(out, "\x1b[32m+\t\"x\": ") {
		t.Errorf("exit %d\n%q", code, out)
	}
}

func TestOnATerminalNobodyIsKeptWaitingForAPlan(t *testing.T) {
	for _, command := range []string{"validate-plan", "convert-plan"} {
		if out, code := terminal(t, 80, exec.Command(filepath.Join(bin, "aws-slurm-burst"), command)); code != 2 || !strings.HasPrefix(out, "ERROR: no plan given: ") {
			t.Errorf("%s: exit %d\n%s", command, code, out)
		}
	}
}

func TestOnATerminalExplanationsHaveNoMarkdown(t *testing.T) {
	out, code := terminal(t, 80, exec.Command(filepath.Join(bin, "aws-slurm-burst"), "explain-finding", "PLAN030"))
	if code != 0 || !strings.HasPrefix(out, "PLAN030: ") || strings.ContainsAny(out, "`#") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestAShellsSubstitutionIsReadAndAClosedPipeEndsIt(t *testing.T) {
	e := &endpoint{t: t, state: t.TempDir()}
	program := filepath.Join(bin, "aws-slurm-burst")
	r := e.command(exec.Command("/bin/bash", "-c", program+` validate-plan <(echo '{"instance_specification": {"instance_types": ["c6i.large"]}}')`))
	if r.code != 0 || !strings.Contains(r.stderr, ": no findings (dialect A") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, output := range []string{"lines", "text", "json", "table", "github"} {
		r = e.command(exec.Command("/bin/bash", "-c", "sleep 0.1 | "+program+` validate-plan examples/seed/invalid.json -o `+output+` | true; exit ${PIPESTATUS[1]}`))
		if r.code != 4 || strings.Contains(r.stderr, "ERROR: ") {
			t.Errorf("-o %s: exit %d\n%s", output, r.code, r.stderr)
		}
	}
	r = e.command(exec.Command("/bin/sh", "-c", program+` validate-plan examples/seed/invalid.json >/dev/full`))
	if r.code != 1 || !strings.Contains(r.stderr, "ERROR: the findings could not be written: ") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// Plans are judged one after the other and forgotten: a folder of thousands
// takes no more memory than one of some.
func TestThousandsOfPlansTakeTimeButNoMemory(t *testing.T) {
	dir := t.TempDir()
	plan, err := os.ReadFile(filepath.Join(repo, "examples/asba-execution-plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	const many = 5000
	for i := range many {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.json", i)), plan, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(pattern string) (time.Duration, int64) {
		c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), "validate-plan", "-q", filepath.Join(dir, pattern))
		c.Env = []string{"GOMAXPROCS=1"}
		if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v\n%s", err, out)
		}
		usage := c.ProcessState.SysUsage().(*syscall.Rusage)
		return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), usage.Maxrss // in KiB on Linux
	}
	_, few := run("000?.json")
	took, all := run("*.json")
	t.Logf("%d plans: %s of processor time, %d MiB (10 plans: %d MiB)", many, took, all>>10, few>>10)
	if all > few+24<<10 {
		t.Errorf("%d MiB for %d plans, %d MiB for 10", all>>10, many, few>>10)
	}
	if took > 5*time.Second {
		t.Errorf("%d plans took %s", many, took)
	}
}
