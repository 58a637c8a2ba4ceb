package blackbox

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
)

// A stranger's folder of plans, replayed with one command from where they are.
func TestAFolderOfPlansIsReplayed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		feature(t, dir, name, text)
	}
	write("plans/gang.json", `{"instance_specification": {"instance_types": ["c5n.18xlarge"], "purchasing_option": "spot", "instance_count": 5},
		"mpi_configuration": {"requires_gang_scheduling": true}}`)
	write("plans/later/invalid.json", `{"should_burst": true}`)
	write("plans/notes.txt", "no plan")
	write("plans/.hidden/x.json", "no plan either")
	write("short.yaml", "faults:\n  - {az: us-east-1a, error: InsufficientInstanceCapacity}\n")

	r := tool(t, dir, nil, "replay", "plans", "--faults", "short.yaml", "-o", "json", "--junit", "r.xml", "--html", "r.html", "--cucumber", "r.json")
	if r.code != 4 || r.stderr != "" {
		t.Fatalf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	var got struct {
		Backend string
		Plans   []struct {
			Plan, Nodes, Mode, Outcome, Gang string
			Launched, Wanted, Rung           int
			Types, Zones, Calls              map[string]int
			HourlyCost                       *float64 `json:"hourly_cost"`
			PriceDate                        string   `json:"price_date"`
			Fallbacks                        []string
			ExitCode                         int `json:"exit_code"`
		}
		ExitCode int `json:"exit_code"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || len(got.Plans) != 2 || got.Backend != "embedded" || got.ExitCode != 4 {
		t.Fatalf("%v: %s", err, r.stdout)
	}
	gang, invalid := got.Plans[0], got.Plans[1]
	if gang.Plan != "plans/gang.json" || gang.Nodes != "aws-hpc-[001-005]" || gang.Mode != "asba" || gang.Outcome != "used" || gang.Gang != "whole" ||
		gang.Launched != 5 || gang.Wanted != 5 || gang.Rung != 2 || gang.Types["c5n.18xlarge"] != 5 || gang.Zones["us-east-1b"] != 5 ||
		gang.Calls["RunInstances"] != 2 || gang.HourlyCost == nil || catalog.Age(gang.PriceDate, time.Now()) == 0 || gang.ExitCode != 0 ||
		!strings.Contains(strings.Join(gang.Fallbacks, "\n"), "InsufficientInstanceCapacity, trying c5n.18xlarge spot us-east-1b") {
		t.Errorf("the gang: %+v", gang)
	}
	if invalid.Plan != "plans/later/invalid.json" || invalid.Outcome != "invalid" || invalid.Launched != 0 || invalid.ExitCode != 4 {
		t.Errorf("the invalid plan: %+v", invalid)
	}
	for _, name := range []string{"r.xml", "r.html", "r.json"} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(data), "plans/gang.json") {
			t.Errorf("%s does not tell of the gang: %v", name, err)
		}
	}

	table := tool(t, dir, nil, "replay", "plans/gang.json", "--nodes", "aws-hpc-[001-002]")
	for _, want := range []string{" 2 of 2 ", " whole ", " c5n.18xlarge 2 ", "\non-demand " + catalog.Aged("price", gang.PriceDate, time.Now()) + "\n", "1 of 1 plans carried out on embedded"} {
		if !strings.Contains(table.stdout, want) {
			t.Errorf("the table lacks %q:\n%s", want, table.stdout)
		}
	}
	if table.code != 0 {
		t.Errorf("exit code %d", table.code)
	}
	if r := tool(t, dir, nil, "replay", "plans/gang.json", "--faults", "short.yaml", "--fail-on", "fallback"); r.code != 3 {
		t.Errorf("a fallback has exit code %d", r.code)
	}
	stdin := strings.NewReader(`{"instance_specification": {"instance_types": ["c6i.xlarge"]}}`)
	if r := tool(t, dir, stdin, "replay", "-"); r.code != 0 || !strings.Contains(r.stdout, " stdin.json ") {
		t.Errorf("standard input: exit code %d\n%s", r.code, r.stdout)
	}
}

func TestPlansOfOddNamesAreReplayed(t *testing.T) {
	const plan = `{"instance_specification": {"instance_types": ["c6i.xlarge"]}}`
	dir := t.TempDir()
	feature(t, dir, "plans/two\nlines\x1b[31m.json", plan)
	feature(t, dir, "plans/-o.json", plan)
	feature(t, dir, "plans/a b'\".json", plan)
	if err := os.Symlink("plans", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	r := tool(t, dir, nil, "replay", "link")
	if r.code != 0 || !strings.Contains(r.stdout, "3 of 3 plans carried out") {
		t.Fatalf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if strings.Contains(r.stdout, "\x1b") || !strings.Contains(r.stdout, `"link/two\nlines\x1b[31m.json"`) {
		t.Errorf("a name breaks its line:\n%s", r.stdout)
	}
}

// A terminal that is closed ends a replay as its user would have, and not at all
// under nohup.
func TestAHangupEndsAReplayAsAnInterruptDoes(t *testing.T) {
	dir, tmp := t.TempDir(), t.TempDir()
	feature(t, dir, "plan.json", `{"instance_specification": {"instance_types": ["c6i.xlarge"]}}`)
	feature(t, dir, "slow.yaml", "faults:\n  - {action: \"*\", delay: 1s}\n")
	for first, want := range map[string]int{"": 130, "trap '' HUP; ": 0} {
		c := exec.CommandContext(t.Context(), "/bin/sh", "-c", first+`"$0" replay plan.json --faults slow.yaml --junit r.xml & until ls "$TMPDIR"/*/run-* >/dev/null 2>&1; do sleep 0.1; done; kill -HUP $!; wait $!`,
			filepath.Join(bin, "aws-slurm-burst"))
		c.Dir, c.Env = dir, []string{"TMPDIR=" + tmp, "PATH=/usr/bin:/bin"}
		out, _ := c.CombinedOutput() // the exit code tells
		if code := c.ProcessState.ExitCode(); code != want {
			t.Errorf("%q: exit code %d, want %d\n%s", first, code, want, out)
		}
		if err := os.Remove(filepath.Join(dir, "r.xml")); err != nil {
			t.Errorf("%q: no report: %v", first, err)
		}
		if left, _ := filepath.Glob(filepath.Join(tmp, "*", "run-*")); len(left) != 0 {
			t.Errorf("%q: left behind: %q", first, left)
		}
	}
}

// A budget is judged for whatever type a plan names, by the price that the
// catalogue knows; where nobody knows one, as the site's policy has it.
func TestAReplayedBudgetIsJudgedForAnyType(t *testing.T) {
	dir := t.TempDir()
	feature(t, dir, "priced.json", `{"instance_specification": {"instance_types": ["m5.large"]}, "cost_constraints": {"max_cost_per_hour": 5}}`)
	feature(t, dir, "unpriced.json", `{"instance_specification": {"instance_types": ["hpc7a.12xlarge"], "purchasing_option": "on-demand"}, "cost_constraints": {"max_cost_per_hour": 5}}`)
	example, err := os.ReadFile(filepath.Join(repo, exampleConfig))
	if err != nil {
		t.Fatal(err)
	}
	feature(t, dir, "lenient.yaml", string(example)+"policy:\n  allow_unknown_price: true\n")
	feature(t, dir, "elsewhere.yaml", strings.Replace(string(example), "us-east-1", "eu-west-1", 1)+"policy:\n  allow_unknown_price: true\n")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"priced.json"}, 0, " m5.large 2 "},
		{[]string{"unpriced.json"}, 5, "No launch within 5.00 USD/h for 2 nodes"},
		{[]string{"unpriced.json", "--config", "lenient.yaml"}, 0, " hpc7a.12xlarge 2 "},
		{[]string{"priced.json", "--config", "elsewhere.yaml"}, 0, " eu-west-1a "},
	} {
		r := tool(t, dir, nil, append([]string{"replay"}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.stdout, c.want) || strings.Contains(r.stdout, "PROBLEM") {
			t.Errorf("%q: exit code %d\n%s%s", c.args, r.code, r.stdout, r.stderr)
		}
	}
}

// One file that is no plan does not keep a folder of them from being replayed.
func TestABadFileInAFolderOfPlansIsARow(t *testing.T) {
	dir := t.TempDir()
	feature(t, dir, "plans/good.json", `{"instance_specification": {"instance_types": ["c6i.xlarge"]}}`)
	feature(t, dir, "plans/words.json", "this is no JSON")
	feature(t, dir, "plans/huge.json", `{"instance_specification": {"instance_types": ["c6i.xlarge"], "instance_count": 100000}}`)
	for name, err := range map[string]error{
		"a fifo": syscall.Mkfifo(filepath.Join(dir, "plans/fifo.json"), 0o600),
		"a link": os.Symlink("nowhere", filepath.Join(dir, "plans/link.json")),
		"a loop": os.Symlink("loop.json", filepath.Join(dir, "plans/loop.json")),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	r := tool(t, dir, nil, "replay", "plans", "-o", "json", "--junit", "r.xml")
	var got struct {
		Plans []struct {
			Plan, Outcome string
			Launched      int
			Lines         []string
			ExitCode      int `json:"exit_code"`
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 2 || r.stderr != "" || len(got.Plans) != 6 {
		t.Fatalf("exit code %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
	}
	want := map[string]string{"fifo": "not-tried: not a regular file", "good": "used", "huge": "not-tried: it is for 100000 nodes", "link": "not-tried: no such file", "loop": "not-tried: too many levels", "words": "invalid: not valid JSON"}
	for _, p := range got.Plans {
		outcome, words, _ := strings.Cut(want[strings.TrimSuffix(filepath.Base(p.Plan), ".json")], ": ")
		lines := strings.Join(p.Lines, "\n")
		if p.Outcome != outcome || !strings.Contains(lines, words) || p.Launched > 0 != (outcome == "used") || p.ExitCode != map[string]int{"used": 0, "invalid": 4, "not-tried": 2}[outcome] {
			t.Errorf("%+v", p)
		}
		if outcome == "not-tried" && !strings.Contains(lines, p.Plan) {
			t.Errorf("%s: %q does not name it", p.Plan, lines)
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, "r.xml")); err != nil || strings.Count(string(data), "<testcase") != 6 {
		t.Errorf("the report has not all of them: %v\n%s", err, data)
	}
	// Where none is left, nothing is begun.
	for _, name := range []string{"good", "words"} {
		if err := os.Remove(filepath.Join(dir, "plans", name+".json")); err != nil {
			t.Fatal(err)
		}
	}
	if r := tool(t, dir, nil, "replay", "plans"); r.code != 2 || len(r.lines()) != 4 || r.stdout != "" || strings.Count(r.stderr, "ERROR: replay: ") != 4 {
		t.Errorf("only bad files: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestReplaysOfBadInputSayOneLine(t *testing.T) {
	dir := t.TempDir()
	feature(t, dir, "plan.json", `{"instance_specification": {"instance_types": ["c6i.xlarge"], "instance_count": 100000}}`)
	feature(t, dir, "good.json", `{"instance_specification": {"instance_types": ["c6i.xlarge"]}}`)
	feature(t, dir, "none/readme.txt", "no plan")
	feature(t, dir, "faults.yaml", "faults:\n  - {eror: InternalError}\n")
	feature(t, dir, "rules.yaml", "faults: []\n")
	feature(t, dir, "config.yaml", "clutser: x\n")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		line string
	}{
		{nil, 2, "ERROR: no execution plan given"},
		{[]string{"missing.json"}, 2, "ERROR: replay: execution plan missing.json: no such file or directory"},
		{[]string{"none"}, 2, "ERROR: replay: folder none has no *.json"},
		{[]string{"fifo.json"}, 2, "ERROR: replay: fifo.json is not a regular file"},
		{[]string{"plan.json"}, 2, "ERROR: replay: plan.json: it is for 100000 nodes, and the largest node group has 512: give it nodes by --nodes"},
		{[]string{"good.json", "--nodes", "a[1"}, 2, "ERROR: --nodes: hostlist"},
		{[]string{"good.json", "--faults", "faults.yaml"}, 2, "ERROR: --faults: faults.yaml:2:6: "},
		{[]string{"good.json", "--config", "config.yaml"}, 9, "ERROR: config.yaml:1:1: "},
		{[]string{"good.json", "--backend", "moto"}, 2, `ERROR: --backend: "moto" is no backend`},
		{[]string{"good.json", "--backend", "http://127.0.0.1:1"}, 1, "ERROR: --backend http://127.0.0.1:1: "},
		{[]string{"good.json", "--backend", "https://ec2.us-east-1.amazonaws.com"}, 2, "ERROR: --backend: localstack: endpoint https://ec2.us-east-1.amazonaws.com (asked for): this is AWS itself"},
		{[]string{"good.json", "--backend", "ftp://127.0.0.1:4566"}, 2, "ERROR: --backend: localstack: endpoint ftp://127.0.0.1:4566 (asked for): not a URL"},
		{[]string{"good.json", "--html", "nowhere/r.html"}, 2, "ERROR: replay: HTML report: "},
		{[]string{"good.json", "--html", "r.out", "--junit", "./r.out"}, 2, "ERROR: replay: HTML report: r.out is the JUnit report: give each a file of its own"},
		{[]string{"good.json", "--html", "./good.json"}, 2, "ERROR: replay: HTML report: it would take the place of good.json, which is read: give it a file of its own"},
		{[]string{"good.json", "--faults", "rules.yaml", "--junit", "rules.yaml"}, 2, "ERROR: replay: JUnit report: it would take the place of rules.yaml"},
		{[]string{"good.json", "--fail-on", "anything"}, 2, `ERROR: --fail-on "anything"`},
		{[]string{"good.json", "-o", "xml"}, 2, `ERROR: -o "xml" is not one of`},
		{[]string{"good.json", "--bogus"}, 2, "ERROR: unknown flag: --bogus"},
	} {
		r := tool(t, dir, nil, append([]string{"replay"}, c.args...)...)
		if r.code != c.code || len(r.lines()) != 1 || !strings.HasPrefix(r.stderr, c.line) || r.stdout != "" {
			t.Errorf("%q: exit code %d\n%s%s", c.args, r.code, r.stdout, r.stderr)
		}
	}
}
