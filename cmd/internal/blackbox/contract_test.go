package blackbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"aws-slurm-burst/asba/catalog"
)

// Every answer of -o json is what docs/resume.schema.json says.
func TestAnswersAreWhatTheSchemaSays(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(repo, "docs/resume.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEndpoint(t, nil)
	plan := "--execution-plan=examples/asba-execution-plan.json"
	jobs := jobsWithPlans(t)
	for name, r := range map[string]func() result{
		"resume":         func() result { return e.resume("aws-hpc-[001-008]", plan) },
		"adopted":        func() result { return e.resume("aws-hpc-[001-008]", plan) },
		"standalone":     func() result { return e.resume("aws-cpu-[001-003]") },
		"dry run":        func() result { return e.resume("aws-hpc-[011-018]", plan, "--dry-run") },
		"server dry run": func() result { return e.resume("aws-hpc-[011-018]", plan, "--dry-run=server") },
		"invalid plan":   func() result { return e.resume("aws-cpu-009", "--execution-plan=examples/seed/invalid.json") },
		"plans of jobs":  func() result { return jobs(e, "aws-cpu-[021-023]") },
		"dry, of jobs":   func() result { return jobs(e, "aws-cpu-[021-023]", "--dry-run") },
		"invalid, alone": func() result { return jobs(e, "aws-cpu-022") },
		"missing plan":   func() result { return e.resume("aws-cpu-010", "--execution-plan=none.json") },
		"suspend":        func() result { return e.suspend("aws-cpu-[001-002]") },
		"resume-fail": func() result {
			return e.run("aws-slurm-burst-resume-fail", []string{"aws-cpu-003", "--config=" + exampleConfig, "-o", "json"})
		},
		"reconcile": func() result {
			return e.run("aws-slurm-burst", []string{"reconcile", "--config=" + exampleConfig, "-o", "json"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := r()
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(got.stdout))
			if err != nil {
				t.Fatalf("exit %d, and stdout is not JSON: %v\n%s", got.code, err, got.stderr)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%v\n%s", err, got.stdout)
			}
			if got.report.ExitCode != got.code {
				t.Errorf("exit %d, the answer says %d", got.code, got.report.ExitCode)
			}
		})
	}
}

// jobsWithPlans is a site with a folder of plans, and two jobs that wait for a
// node each: one has a good plan, one an invalid one.
func jobsWithPlans(t *testing.T) func(e *endpoint, nodes string, more ...string) result {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	example, err := os.ReadFile(filepath.Join(repo, exampleConfig))
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := os.ReadFile(filepath.Join(repo, "examples/aws-credentials"))
	if err != nil {
		t.Fatal(err)
	}
	write("aws-credentials", string(credentials))
	config := write("config.yaml", string(example)+"  dir: plans\n") // plans is its last section
	write("plans/21.json", `{"instance_specification": {"instance_types": ["c5.xlarge"]}}`)
	write("plans/22.json", `{}`)
	file := write("resume.json", `{"all_nodes_resume": "aws-cpu-[021-023]", "jobs": [
		{"job_id": 21, "nodes_resume": "aws-cpu-021", "nodes_alloc": "aws-cpu-021"},
		{"job_id": 22, "nodes_resume": "aws-cpu-022", "nodes_alloc": "aws-cpu-022"}]}`)
	return func(e *endpoint, nodes string, more ...string) result {
		return e.run("aws-slurm-burst-resume", append([]string{nodes, "--config=" + config, "-o", "json"}, more...), "SLURM_RESUME_FILE="+file)
	}
}

func TestEachJobsPlanIsInTheAnswer(t *testing.T) {
	e := newEndpoint(t, nil)
	jobs := jobsWithPlans(t)
	r := jobs(e, "aws-cpu-[021-023]")
	if r.code != 3 || r.report.Plan != nil || r.report.Mode != "asba" || len(e.live()) != 2 {
		t.Fatalf("exit %d, %+v, %d live\n%s", r.code, r.report.Plan, len(e.live()), r.stderr)
	}
	got := map[string]string{}
	for _, d := range r.report.Decisions {
		outcome := "none"
		if d.Plan != nil {
			outcome = filepath.Base(d.Plan.Source) + " " + d.Plan.Outcome
		}
		got[d.Nodes] = outcome
	}
	for nodes, want := range map[string]string{"aws-cpu-021": "21.json used", "aws-cpu-022": "22.json invalid", "aws-cpu-023": "none"} {
		if got[nodes] != want {
			t.Errorf("%s: %s, want %s", nodes, got[nodes], want)
		}
	}
	if len(r.report.Findings) != 1 || filepath.Base(r.report.Findings[0].File) != "22.json" {
		t.Errorf("findings: %v", r.report.Findings)
	}
	if r := jobs(e, "aws-cpu-022"); r.code != 4 || len(e.live()) != 2 {
		t.Errorf("alone: exit %d, %d live\n%s", r.code, len(e.live()), r.stderr)
	}
}

// Without Slurm nobody is asked, and nobody is said to be.
func TestABadResumeFileWithoutSlurmSaysWhatHappens(t *testing.T) {
	e := newEndpoint(t, nil)
	file := filepath.Join(t.TempDir(), "resume.json")
	if err := os.WriteFile(file, []byte(`{"jobs": [{"job_id": "../x"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := e.run("aws-slurm-burst-resume", []string{"aws-cpu-001", "--config=" + exampleConfig, "-o", "json"}, "SLURM_RESUME_FILE="+file)
	if r.code != 0 || len(e.live()) != 1 || len(r.lines()) != 1 || !strings.HasSuffix(r.lines()[0], "; going on without jobs") {
		t.Errorf("exit %d, %d live\n%s", r.code, len(e.live()), r.stderr)
	}
}

func TestYAMLHasTheSameKeysAndADryRunMakesNoCall(t *testing.T) {
	e := newEndpoint(t, nil)
	r := e.run("aws-slurm-burst-resume", []string{"aws-hpc-[001-008]", "--config=" + exampleConfig, "--dry-run", "-o", "yaml"})
	if r.code != 0 || !strings.Contains(r.stdout, "exit_code: 0") || !strings.Contains(r.stdout, "\nrungs:\n") {
		t.Errorf("exit %d:\n%s", r.code, r.stdout)
	}
	if calls := e.model.Calls(); len(calls) != 0 {
		t.Errorf("a client's dry run made calls: %v", calls)
	}
}

// TestLogFileHasEveryLineAsJSON reads what slurmctld would have dropped.
func TestLogFileHasEveryLineAsJSON(t *testing.T) {
	e := newEndpoint(t, nil)
	r := e.resume("aws-cpu-[001-002]", "--execution-plan=none.json")
	data, err := os.ReadFile(filepath.Join(e.state, "aws-slurm-burst", "aws-slurm-burst.log"))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for line := range bytes.Lines(data) {
		var ev struct{ Msg, Level, Event string }
		if err := json.Unmarshal(line, &ev); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		texts = append(texts, ev.Level+": "+ev.Msg)
	}
	for _, line := range r.lines() {
		if !strings.Contains(strings.Join(texts, "\n"), line) {
			t.Errorf("%q is not in the log:\n%s", line, strings.Join(texts, "\n"))
		}
	}
}

// boto3 is an EC2 client that nobody here wrote: it sees the gang and its tags.
func TestBoto3SeesTheGang(t *testing.T) {
	python := filepath.Join(repo, ".build/localstack/bin/python")
	if _, err := os.Stat(python); err != nil {
		if os.Getenv("ASBA_REQUIRE_LOCALSTACK") != "" {
			t.Fatalf("no boto3: %v (run `make localstack`)", err)
		}
		t.Skipf("no boto3: %v (run `make localstack`)", err)
	}
	e := newEndpoint(t, nil)
	if r := e.resume("aws-hpc-[001-008]", "--execution-plan=examples/asba-execution-plan.json"); r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	script := fmt.Sprintf(`
import boto3, json
ec2 = boto3.client("ec2", endpoint_url=%q, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
pages = ec2.get_paginator("describe_instances").paginate(Filters=[{"Name": "tag:aws-slurm-burst:cluster", "Values": ["examples"]}, {"Name": "instance-state-name", "Values": ["pending", "running"]}])
out = []
for p in pages:
    for r in p["Reservations"]:
        for i in r["Instances"]:
            out.append({"index": i["AmiLaunchIndex"], "type": i["InstanceType"], "group": i["Placement"].get("GroupName"), "life": i.get("InstanceLifecycle"), "tags": {t["Key"]: t["Value"] for t in i["Tags"]}})
print(json.dumps(out))`, e.url)
	out, err := exec.Command(python, "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var seen []struct {
		Index             int
		Type, Group, Life string
		Tags              map[string]string
	}
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	indexes := map[int]bool{}
	for _, i := range seen {
		indexes[i.Index] = true
		if i.Life != "spot" || i.Group == "" || i.Tags["aws-slurm-burst:nodes"] != "aws-hpc-[001-008]" || i.Tags["Application"] != "GROMACS" || i.Tags["aws-slurm-burst:expires-at"] == "" {
			t.Errorf("instance %+v", i)
		}
	}
	if len(seen) != 8 || len(indexes) != 8 {
		t.Errorf("boto3 sees %d instances with %d launch indexes", len(seen), len(indexes))
	}
}

// Whoever reads a price in a table reads below it how old it is.
func TestATableOfPricesTellsTheirAge(t *testing.T) {
	e := newEndpoint(t, nil)
	p, _ := catalog.Default().Price("c6i.xlarge", "us-east-1")
	for _, format := range []string{"table", "markdown"} {
		r := e.run("aws-slurm-burst-resume", []string{"aws-cpu-[001-004]", "--config=" + exampleConfig, "--dry-run", "-o", format})
		lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
		want := "on-demand " + catalog.Aged("price", p.Date, time.Now())
		if got := lines[len(lines)-2:]; got[0] != "" || got[1] != want {
			t.Errorf("%s ends with %q, want %q", format, got, want)
		}
	}
}
