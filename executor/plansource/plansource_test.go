package plansource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/plan"
)

// file is a Files that holds one.
type file struct {
	path string
	text string
	info FileInfo
	err  error
}

func (f file) ReadPlan(_ context.Context, path string, limit int64) ([]byte, FileInfo, error) {
	switch {
	case f.err != nil:
		return nil, FileInfo{}, f.err
	case path != f.path:
		return nil, FileInfo{}, fmt.Errorf("open %s: %w", path, ErrNotFound)
	case int64(len(f.text)) > limit:
		return nil, FileInfo{}, ErrTooLarge
	}
	return []byte(f.text), f.info, nil
}

const good = `{"instance_specification":{"instance_types":["c6i.large"]}}`

func TestOutcomesAndWordsOfAFile(t *testing.T) {
	mine := FileInfo{OwnedByRootOrSelf: true}
	for name, c := range map[string]struct {
		file     file
		outcome  Outcome
		trusted  bool
		cause    string
		findings []string
	}{
		"good":           {file: file{path: "p", text: good, info: mine}, trusted: true},
		"good, comment":  {file: file{path: "p", text: "// x\n" + good, info: mine}, trusted: true, findings: []string{"p:1:1: warning[PLAN010]"}},
		"a stranger's":   {file: file{path: "p", text: good}},
		"not there":      {file: file{path: "other"}, outcome: Missing, cause: "Execution plan not found"},
		"no permission":  {file: file{err: fmt.Errorf("permission denied: %w", ErrUnreadable)}, outcome: Missing, cause: "Execution plan not readable: permission denied: cannot be read"},
		"a folder":       {file: file{err: ErrNotRegular}, outcome: Missing, cause: "Execution plan not readable: not a regular file"},
		"interrupted":    {file: file{err: context.Canceled}, outcome: Missing, cause: "Execution plan not readable: context canceled"},
		"anyone's":       {file: file{path: "p", text: good, info: FileInfo{OwnedByRootOrSelf: true, WorldWritable: true}}, outcome: Invalid, findings: []string{"p: error[SRC001]: the plan file is world-writable"}},
		"too large":      {file: file{path: "p", text: strings.Repeat(" ", plan.MaxSize+1), info: mine}, outcome: Invalid, findings: []string{"p:1:1: error[PLAN001]: the plan has more than 1048576 bytes"}},
		"not JSON":       {file: file{path: "p", text: "plan", info: mine}, outcome: Invalid, trusted: true, findings: []string{"p:1:1: error[PLAN004]"}},
		"empty":          {file: file{path: "p", info: mine}, outcome: Invalid, trusted: true, findings: []string{"p:1:1: error[PLAN002]"}},
		"all at once":    {file: file{path: "p", text: `{"should_burst":1,"instance_specification":{"max_spot_price":-1}}`, info: mine}, outcome: Invalid, trusted: true, findings: []string{"PLAN007", "PLAN008"}},
		"against burst":  {file: file{path: "p", text: `{"should_burst":false}`, info: mine}, trusted: true},
		"impossible one": {file: file{path: "p", text: `{"instance_specification":{"instance_types":["hpc7a.2xlarge"]}}`, info: mine}, trusted: true},
	} {
		a := FromFile(t.Context(), c.file, "p")
		if a.Outcome != c.outcome || a.Cause != c.cause || a.Trusted != c.trusted || a.Source != "p" {
			t.Errorf("%s: %+v", name, a)
		}
		if a.Outcome == Found && a.Plan == nil {
			t.Errorf("%s: %v with plan %v", name, a.Outcome, a.Plan)
		}
		if len(a.Findings) != len(c.findings) {
			t.Errorf("%s: %v", name, a.Findings)
			continue
		}
		for i, f := range a.Findings {
			if !strings.Contains(f.String(), c.findings[i]) {
				t.Errorf("%s: %s, want %s", name, f, c.findings[i])
			}
		}
	}
}

func TestEnvironment(t *testing.T) {
	env := func(value string) func(string) string {
		return func(name string) string {
			if name == "ASBA_INSTANCE_TYPES" {
				return value
			}
			return ""
		}
	}
	if a, ok := FromEnvironment(env("")); ok || a.Plan != nil {
		t.Errorf("a plan from nothing: %+v", a)
	}
	a, ok := FromEnvironment(env("c6i.large"))
	if !ok || a.Outcome != Found || !a.Trusted || a.Source != "environment" || a.Plan.InstanceTypes.Value[0] != "c6i.large" {
		t.Errorf("%+v", a)
	}
	a, ok = FromEnvironment(func(name string) string {
		return map[string]string{"ASBA_MPI_PROCESSES": "many"}[name]
	})
	if !ok || a.Outcome != Invalid || len(a.Findings) != 1 || a.Findings[0].File != "ASBA_MPI_PROCESSES" {
		t.Errorf("%+v", a)
	}
}

func TestOutcomeIsAWord(t *testing.T) {
	if got := fmt.Sprint(Found, Missing, Invalid); got != "found missing invalid" {
		t.Error(got)
	}
}

func TestUntrustedPlanLosesWhatActsWithTheSitesRights(t *testing.T) {
	text := `{"instance_specification":{"instance_types":["c6i.large"],"purchasing_option":"spot","subnet_ids":["subnet-1"],"launch_template_name":"n",
		"launch_template_id":"lt-1","security_group_ids":["sg-1"],"iam_instance_profile":"admin","user_data":"#!/bin/sh"},
		"network_configuration":{"placement_group_type":"cluster","placement_group_name":"theirs"},
		"execution_metadata":{"job_id":"7","tags":{"a":"1","aws-slurm-burst:cluster":"x","Aws-Slurm-Burst:node":"y"}}}`
	a := FromFile(t.Context(), file{path: "p", text: text}, "p")
	if a.Plan == nil || a.Trusted {
		t.Fatalf("%+v", a)
	}
	want := []string{"user_data", "iam_instance_profile", "launch_template_name", "launch_template_id", "placement_group_name", "security_group_ids", "subnet_ids", "tags"}
	if diff := cmp.Diff(want, Restrict(a.Plan)); diff != "" {
		t.Error(diff)
	}
	p := a.Plan
	if p.UserData.Given || p.IAMInstanceProfile.Given || p.LaunchTemplateName.Given || p.LaunchTemplateID.Given || p.PlacementGroupName.Given || p.SecurityGroupIDs.Given || len(p.SubnetIDs.Value) != 0 {
		t.Errorf("still set: %+v", p)
	}
	if len(p.Tags.Value) != 1 || p.Tags.Value[0].Key != "a" || !p.Tags.Given {
		t.Errorf("tags: %+v", p.Tags)
	}
	if p.Purchasing.Value != "spot" || p.Placement.Value != "cluster" || p.JobID.Value != "7" || !p.InstanceTypes.Given {
		t.Errorf("lost: %+v", p)
	}
	if again := Restrict(p); again != nil {
		t.Errorf("again: %v", again)
	}
}

func TestOtherErrorsOfAPortAreUnreadable(t *testing.T) {
	a := FromFile(t.Context(), file{err: errors.New("input/output error")}, "p")
	if a.Outcome != Missing || a.Cause != "Execution plan not readable: input/output error" {
		t.Errorf("%+v", a)
	}
}

func TestAListOfTheWrongTypeIsNotAlsoMissing(t *testing.T) {
	a := Answer{}.judge(plan.Read([]byte(`{"instance_specification": {"instance_types": "c6i.xlarge"}}`), "p.json"))
	if a.Outcome != Invalid || len(a.Findings) != 1 {
		t.Errorf("%v: %v", a.Outcome, a.Findings)
	}
}
