package decide

import (
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/config"
)

// Bind takes out of a trusted plan what the site's policy does not let it set,
// and returns the names of what it took.
func Bind(p *plan.Plan, may config.Policy) []string {
	var fields []string
	forbid := func(name string, allowed bool, texts ...*plan.Opt[string]) {
		for _, o := range texts {
			if !allowed && o.Given {
				*o = plan.Opt[string]{At: o.At}
				fields = append(fields, name)
			}
		}
	}
	forbidList := func(name string, allowed bool, l *plan.List) {
		if !allowed && l.Given {
			*l = plan.List{}
			fields = append(fields, name)
		}
	}
	forbid("user_data", may.AllowUserData, &p.UserData)
	forbid("iam_instance_profile", may.AllowIAMProfile, &p.IAMInstanceProfile)
	forbid("launch_template", may.AllowLaunchTemplate, &p.LaunchTemplateID, &p.LaunchTemplateName)
	forbid("placement_group_name", may.AllowGroupName, &p.PlacementGroupName)
	forbidList("security_group_ids", may.AllowSecurityGroups, &p.SecurityGroupIDs)
	forbidList("subnet_ids", may.AllowSubnets, &p.SubnetIDs)
	return fields
}
