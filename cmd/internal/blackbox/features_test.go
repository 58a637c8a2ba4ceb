package blackbox

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scenarios runs `aws-slurm-burst features` from a folder of its own, with an
// environment that has next to nothing in it.
func scenarios(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return tool(t, dir, nil, append([]string{"features"}, args...)...)
}

// tool runs aws-slurm-burst likewise.
func tool(t *testing.T, dir string, stdin io.Reader, args ...string) result {
	t.Helper()
	c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), args...)
	c.Stdin = stdin
	c.Dir, c.Env = dir, []string{"TMPDIR=" + t.TempDir()}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{code: c.ProcessState.ExitCode(), stdout: out.String(), stderr: errs.String()}
}

// feature writes a feature of the user's own.
func feature(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const ownFeature = `Feature: Mine
  Scenario: A plan of my own
    Given the execution plan "plans/mine.json"
    And the faults of "mine.yaml"
    When Slurm resumes "aws-cpu-[001-002]" with "plans/mine.json"
    Then the exit code is 0
    And only "aws-cpu-[001-002]" are running
    And every node is a c5.xlarge, on-demand, in us-east-1b
    And it tells of each rung it left for "InsufficientInstanceCapacity"
`

func TestTheExamplesOfASingleScenarioAreOfOne(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repo, "docs/CLI.md"))
	if err != nil {
		t.Fatal(err)
	}
	single := regexp.MustCompile(`\w+\.feature:\d+`)
	for where, text := range map[string]string{"docs/CLI.md": string(page), "--help": scenarios(t, t.TempDir(), "--help").stdout} {
		named := single.FindAllString(text, -1)
		if len(named) == 0 {
			t.Errorf("%s has no example of a single scenario", where)
		}
		for _, one := range named {
			if r := scenarios(t, t.TempDir(), one, "--list"); r.code != 0 {
				t.Errorf("%s names %s: exit code %d, %s", where, one, r.code, r.stderr)
			}
		}
	}
}

func TestFeaturesOfBadInputSayOneLine(t *testing.T) {
	dir := t.TempDir()
	feature(t, dir, "ok/a.feature", "Feature: F\n  @a\n  Scenario: S\n    Given EC2 is well again\n")
	feature(t, dir, "broken/a.feature", "Scenario: S\n  Given nothing\n")
	feature(t, dir, "none/readme.txt", "no feature")
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := busy.Addr().String()
	busy.Close()
	for _, c := range []struct {
		name string
		args []string
		code int
		line string
	}{
		{"no such path", []string{"nowhere"}, 2, "ERROR: nowhere is not there, and no shipped feature: see --list"},
		{"no such scenario", []string{"ok/a.feature:1"}, 2, "ERROR: ok/a.feature:1: no scenario begins on this line"},
		{"a folder without features", []string{"none"}, 2, "ERROR: features: no *.feature file in none"},
		{"no Gherkin", []string{"broken"}, 2, "ERROR: broken/a.feature: "},
		{"on disk and shipped", []string{"ok", "gang.feature"}, 2, "ERROR: some of these are on disk and some are shipped"},
		{"tags that are none", []string{"ok", "--tags", "not @a"}, 2, `ERROR: tags "not @a": cannot read`},
		{"a tag that no scenario has", []string{"ok", "--tags", "@b"}, 2, `ERROR: tags "@b": no scenario has @b; there are: @a`},
		{"nothing selected", []string{"ok", "--tags", "~@a"}, 2, "ERROR: features: no scenario to run in ok"},
		{"a backend that is none", []string{"ok", "--backend", "aws"}, 2, `ERROR: `},
		{"AWS itself", []string{"ok", "--backend", "https://ec2.us-east-1.amazonaws.com"}, 2, "ERROR: --backend: localstack: endpoint https://ec2.us-east-1.amazonaws.com (asked for): this is AWS itself"},
		{"a URL that no EC2 has", []string{"ok", "--backend", "ftp://127.0.0.1:4566"}, 2, "ERROR: --backend: localstack: endpoint ftp://127.0.0.1:4566 (asked for): not a URL"},
		{"a backend where nobody listens", []string{"ok", "--backend", "http://" + nobody}, 1, "ERROR: --backend http://" + nobody},
		{"no concurrency", []string{"ok", "--concurrency", "0"}, 2, "ERROR: --concurrency 0"},
		{"a seed below -1", []string{"ok", "--seed", "-5"}, 2, "ERROR: --seed -5"},
		{"a time below zero", []string{"ok", "--timeout", "-1s"}, 2, "ERROR: --timeout -1s"},
		{"an unknown flag", []string{"ok", "--bogus"}, 2, "ERROR: unknown flag: --bogus"},
		{"a report into nowhere", []string{"ok", "--junit", "missing/junit.xml"}, 2, "ERROR: JUnit report: open missing/junit.xml: no such file or directory"},
		{"a report over a feature", []string{"ok", "--html", "ok/a.feature"}, 2, "ERROR: HTML report: it would take the place of ok/a.feature"},
		{"a report over a folder", []string{"ok", "--html", "ok"}, 2, "ERROR: HTML report: ok is no file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.code == 2 {
				c.args = append([]string{"--backend", "embedded"}, c.args...)
			}
			r := scenarios(t, dir, c.args...)
			if lines := r.lines(); r.code != c.code || len(lines) != 1 || !strings.HasPrefix(lines[0], c.line) {
				t.Errorf("exit %d, want %d with %q; stderr:\n%s", r.code, c.code, c.line, r.stderr)
			}
			if c.code == 2 && r.stdout != "" {
				t.Errorf("it began:\n%s", r.stdout)
			}
		})
	}
}

func TestFeaturesRunTheShippedScenariosFromAnywhere(t *testing.T) {
	dir := t.TempDir()
	list := scenarios(t, dir, "--list", "plans.feature")
	first, _, _ := strings.Cut(list.stdout, "  ")
	if list.code != 0 || !strings.HasPrefix(first, "plans.feature:") {
		t.Fatalf("--list: exit %d\n%s%s", list.code, list.stdout, list.stderr)
	}
	r := scenarios(t, dir, first, "seed.feature", "--backend", "embedded", "--junit", "junit.xml", "--cucumber", "cucumber.json", "--html", "page.html")
	if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, " backend   passed  failed  left out ") {
		t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	if err == nil {
		err = xml.Unmarshal(data, &suites)
	}
	if err != nil || suites.Tests < 5 || suites.Failures != 0 {
		t.Errorf("JUnit: %v, %+v", err, suites)
	}
	page, err := os.ReadFile(filepath.Join(dir, "page.html"))
	if err != nil || !bytes.Contains(page, []byte("RunInstances")) {
		t.Errorf("the page tells of no launch: %v", err)
	}
	if steps := scenarios(t, dir, "--steps"); steps.code != 0 || !strings.Contains(steps.stdout, "When  Slurm resumes ") {
		t.Errorf("--steps: exit %d\n%s", steps.code, steps.stdout)
	}
}

func TestAFolderOfOnesOwnFeaturesBringsItsFiles(t *testing.T) {
	dir := t.TempDir()
	feature(t, dir, "mine/a.feature", ownFeature)
	feature(t, dir, "mine/plans/mine.json", `{"instance_specification": {"instance_types": ["c5.xlarge"], "purchasing_option": "on-demand"}}`)
	feature(t, dir, "mine/mine.yaml", "# mine\nfaults:\n  - {az: us-east-1a, error: InsufficientInstanceCapacity}\n")
	r := scenarios(t, dir, "mine", "--backend", "embedded")
	if strings.Contains(r.stdout, "no step speaks of this line:\nINFO") || r.code != 0 {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	// What fails is told, with what selects it alone, and by the exit code.
	feature(t, dir, "mine/b.feature", "Feature: Mine too\n  Scenario: Wrong\n    When Slurm resumes \"aws-cpu-001\"\n    Then the exit code is 5\n")
	r = scenarios(t, dir, "mine/b.feature", "--backend", "embedded")
	if r.code != 1 || !strings.Contains(r.stdout, "alone: mine/b.feature:2\n") || r.stderr != "ERROR: features on embedded: 1 of 1 scenarios failed\n" {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	// No file of a scenario is taken from, or written to, beyond its folders.
	feature(t, dir, "mine/c.feature", "Feature: Beyond\n  Scenario: Up\n    Given the execution plan \"../secret.json\"\n  Scenario: Written\n    Given an execution plan \"../../escaped.json\" that says:\n      \"\"\"\n      {}\n      \"\"\"\n")
	feature(t, dir, "secret.json", "{}")
	r = scenarios(t, dir, "mine/c.feature", "--backend", "embedded")
	if r.code != 1 || strings.Count(r.stdout, "without .. and without a leading /") != 2 {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestSeveralBackendsHaveARowEachAndAMissingOneFailsTheRun(t *testing.T) {
	dir := t.TempDir()
	feature(t, dir, "a.feature", "Feature: F\n  Scenario: S\n    When Slurm resumes \"aws-cpu-001\"\n    Then the exit code is 0\n")
	e := newEndpoint(t, nil)
	r := scenarios(t, dir, "a.feature", "--backend", "embedded", "--backend", "http://127.0.0.1:1", "--backend", e.url, "--junit", "j.xml")
	if r.code != 1 || len(r.lines()) != 1 || !strings.HasPrefix(r.stderr, "ERROR: --backend http://127.0.0.1:1: ") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	table := r.stdout[strings.LastIndex(r.stdout, "\n backend "):]
	if rows := strings.Count(table, "\n") - 2; rows != 3 || !strings.Contains(table, "LEFT OUT: ") || !strings.Contains(table, "\n endpoint ") {
		t.Errorf("the table:\n%s", table)
	}
	if n := len(e.live()); n != 0 {
		t.Errorf("%d instances are left on the endpoint that was given", n)
	}
}

func TestFeaturesWithoutTheProgramsBesideThemSayWhichIsMissing(t *testing.T) {
	dir := t.TempDir()
	copyOf := func(names ...string) string {
		to := t.TempDir()
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(bin, name))
			if err == nil {
				err = os.WriteFile(filepath.Join(to, name), data, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return to
	}
	for folder, want := range map[string]string{
		copyOf("aws-slurm-burst"):                        "ERROR: features needs the program ",
		copyOf("aws-slurm-burst", "aws-slurm-burst-lab"): "ERROR: features run the shipped programs, and there is no aws-slurm-burst-resume in ",
	} {
		c := exec.Command(filepath.Join(folder, "aws-slurm-burst"), "features", "--backend", "embedded")
		c.Dir = dir
		var errs bytes.Buffer
		c.Stderr = &errs
		_ = c.Run()
		if code := c.ProcessState.ExitCode(); code != 1 || !strings.HasPrefix(errs.String(), want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("exit %d, want %q:\n%s", code, want, errs.String())
		}
	}
}

// Told to stop, a run ends its scenarios, cleans up after them, and reports what
// there was.
func TestAToldRunOfFeaturesStops(t *testing.T) {
	dir, tmp := t.TempDir(), t.TempDir()
	e := newEndpoint(t, nil)
	c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), "features", "--backend", e.url, "--junit", "junit.xml")
	c.Dir, c.Env = dir, []string{"TMPDIR=" + tmp}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for len(e.live()) < 6 { // bystanders, and a scenario at work
		if time.Now().After(deadline) {
			t.Fatal("no scenario began")
		}
		time.Sleep(5 * time.Millisecond)
	}
	// As a terminal does on Ctrl-C: to the whole group.
	if err := syscall.Kill(-c.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	told := time.Now()
	_ = c.Wait()
	if took := time.Since(told); took > 20*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	if code := c.ProcessState.ExitCode(); code != 130 || errs.String() != "ERROR: features: interrupted\n" {
		t.Errorf("exit %d\n%s", code, errs.String())
	}
	if !strings.Contains(out.String(), "never run: ") {
		t.Errorf("it does not say what never ran:\n%s", out.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "junit.xml")); err != nil {
		t.Errorf("no report of what ran: %v", err)
	}
	if n := len(e.live()); n != 0 {
		t.Errorf("%d instances left", n)
	}
	// What stays is the folder of runs' folders, with its lock.
	if left, _ := filepath.Glob(filepath.Join(tmp, "*", "run-*")); len(left) != 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
	// One that has ended stays a moment, until init has taken note of it.
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Kill(-c.Process.Pid, 0)
		if err == syscall.ESRCH {
			break
		}
		if time.Now().After(end) {
			t.Errorf("processes of the run are left: %v", err)
			break
		}
	}
}
