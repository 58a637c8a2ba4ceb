package lint

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// An executor takes out what a policy keeps before it judges a plan: who writes
// the plan is to hear the same.
func TestWhatAPolicyKeepsIsNotJudgedAnyFurther(t *testing.T) {
	p := mustRead(t, `{"instance_specification": {"instance_types": ["c6i.large"],
		"subnet_ids": ["bogus"], "security_group_ids": ["bogus"], "launch_template_id": "bogus", "launch_template_name": "n"},
		"network_configuration": {"placement_group_type": "none", "placement_group_name": "theirs"}}`)
	ids := func(policy *plan.Policy) (ids []string) {
		for _, f := range Lint(p, Options{Policy: policy}) {
			ids = append(ids, f.ID)
		}
		return ids
	}
	open := []string{rule.ResourceID, rule.ResourceID, rule.ResourceID, rule.Templates, rule.Disagree}
	if diff := cmp.Diff(open, ids(&plan.DefaultPolicy)); diff != "" {
		t.Errorf("where a plan may set them: %s", diff)
	}
	kept := []string{rule.PolicySubnets, rule.PolicyGroups, rule.PolicyTemplate, rule.PolicyTemplate, rule.PolicyGroupName}
	if diff := cmp.Diff(kept, ids(&plan.Policy{})); diff != "" {
		t.Errorf("where it may not: %s", diff)
	}
	if !p.SubnetIDs.Given || !p.LaunchTemplateID.Given {
		t.Error("judging a plan has changed it")
	}
}
