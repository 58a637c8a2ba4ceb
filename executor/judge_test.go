package executor_test

import (
	"slices"
	"testing"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/report"
)

// What the catalogue only foretells, EC2 decides: its word is newer.
func TestOffersAndPricesAreLeftToEC2(t *testing.T) {
	w := newWorld(t)
	w.plans["plan.json"] = `{"instance_specification": {"instance_types": ["hpc7a.48xlarge"], "purchasing_option": "on-demand"},
		"mpi_configuration": {"is_mpi_job": false}, "cost_constraints": {"prefer_spot": false}, "network_configuration": {"single_az_required": true}}`
	r, lines := w.resume(executor.ResumeRequest{Nodes: names("aws-cpu", 1, 1), PlanFile: "plan.json"})
	if r.ExitCode != 0 || len(lines) != 0 {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	if !has(r.Findings, rule.NotInRegion, finding.Error) {
		t.Errorf("hpc7a is not offered in us-east-1, but the report has %v", r.Findings)
	}
}

// What is for those who write plans is in the report, and no line.
func TestAdviceToAuthorsIsNoLine(t *testing.T) {
	w := newWorld(t)
	w.plans["plan.json"] = `{"instance_specification": {"instance_types": ["c5.xlarge", "c5.xlarge"], "purchasing_option": "on-demand"},
		"mpi_configuration": {"requires_gang_scheduling": true}, "cost_constraints": {"prefer_spot": false}, "network_configuration": {"single_az_required": true}}`
	r, lines := w.resume(executor.ResumeRequest{Nodes: names("aws-cpu", 1, 2), PlanFile: "plan.json"})
	if r.ExitCode != 0 || len(lines) != 0 {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	for _, id := range []string{rule.NoProcesses, rule.Twice} {
		if !has(r.Findings, id, finding.Warning) {
			t.Errorf("the report has no %s: %v", id, r.Findings)
		}
	}
}

// A plan is judged by the clock of its executor, and by what is left of it.
func TestAPlanIsJudgedAsItWouldBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		exit int
		line string
	}{
		"stale": {`{"generated_at": "2026-01-01T00:00:00Z", "instance_specification": {"instance_types": ["c5.xlarge"], "purchasing_option": "on-demand"}}`, 0,
			"WARN: plan.json:1:18: the plan was made 326 days ago: prices and capacity have moved on (run 'asba analyze' again)"},
		"of this month":                {`{"generated_at": "2026-11-01T00:00:00Z", "instance_specification": {"instance_types": ["c5.xlarge"], "purchasing_option": "on-demand"}}`, 0, ""},
		"what policy takes is not bad": {`{"instance_specification": {"instance_types": ["c5.xlarge"], "purchasing_option": "on-demand", "user_data": "` + string(make20k()) + `"}}`, 0, "WARN: policy does not let a plan set user_data, using the configuration's"},
		"contradicts itself": {`{"instance_specification": {"instance_types": ["c5.xlarge"], "purchasing_option": "on-demand"}, "cost_constraints": {"prefer_spot": true}}`, report.ExitPlan,
			"ERROR: Invalid execution plan: plan.json:1:133: prefer_spot is true, but purchasing_option is on-demand (write spot or mixed as the purchasing_option, or prefer_spot false)"},
		"a word that is no type's name": {`{"instance_specification": {"instance_types": ["C5.XLARGE", "c5.xlarge"], "purchasing_option": "on-demand"}}`, 0,
			`WARN: "C5.XLARGE" is not an instance type's name (did you mean c5.xlarge?), dropped`},
		"other architectures, dropped anyway": {`{"instance_specification": {"instance_types": ["c5.xlarge", "c7g.huge"], "purchasing_option": "on-demand"}, "mpi_configuration": {"requires_gang_scheduling": true}}`, 0,
			"WARN: c7g.huge is not an EC2 instance type (did you mean c7g.medium?), dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.plans["plan.json"] = c.text
			r, lines := w.resume(executor.ResumeRequest{Nodes: names("aws-cpu", 1, 2), PlanFile: "plan.json"})
			if r.ExitCode != c.exit {
				t.Errorf("exit %d: %v", r.ExitCode, lines)
			}
			if c.line != "" && !slices.Contains(lines, c.line) {
				t.Errorf("%v\nhas not %s", lines, c.line)
			}
			if c.line == "" && slices.ContainsFunc(lines, func(l string) bool { return l[:4] == "WARN" }) {
				t.Errorf("%v", lines)
			}
		})
	}
}

func make20k() []byte {
	return slices.Repeat([]byte("#"), 20_000)
}

func has(fs []finding.Finding, id string, level finding.Level) bool {
	return slices.ContainsFunc(fs, func(f finding.Finding) bool { return f.ID == id && f.Level == level })
}
