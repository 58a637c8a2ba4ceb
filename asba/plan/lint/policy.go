package lint

import "aws-slurm-burst/asba/plan/rule"

var keptBy = map[string]string{
	"user_data": rule.PolicyUserData, "iam_instance_profile": rule.PolicyProfile,
	"launch_template_name": rule.PolicyTemplate, "launch_template_id": rule.PolicyTemplate,
	"security_group_ids": rule.PolicyGroups, "subnet_ids": rule.PolicySubnets,
	"placement_group_name": rule.PolicyGroupName,
}

// policy warns: the executor goes on with the configuration's in its place. What
// does not count is not judged any further.
func (l *linter) policy() {
	if l.Policy == nil {
		return
	}
	bound := *l.plan
	for _, k := range l.Policy.Violations(&bound) {
		l.Add(keptBy[k.Key], k.At, "the site's policy does not let a plan set "+k.Key, "remove it: the configuration's is used instead", remove(k.At)...)
	}
	l.Policy.Bind(&bound)
	l.plan = &bound
}
