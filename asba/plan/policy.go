package plan

// Policy says what a plan may set of that which acts with the site's rights
// rather than asks for machines. The zero Policy lets it set none of it, as is
// right for a plan that anyone could have written.
type Policy struct {
	AllowUserData       bool // code that runs as root at boot
	AllowIAMProfile     bool // rights in AWS
	AllowLaunchTemplate bool // can hold both, and an image
	AllowSecurityGroups bool
	AllowSubnets        bool
	AllowGroupName      bool // a placement group of someone else
}

// DefaultPolicy is a trusted plan's where a site says nothing: it may choose
// among what the site has, but neither code that runs as root nor rights.
var DefaultPolicy = Policy{AllowLaunchTemplate: true, AllowSecurityGroups: true, AllowSubnets: true, AllowGroupName: true}

// Kept is a key of a plan that a policy keeps for the site.
type Kept struct {
	Key string
	At  Place
	// clear takes it out of the plan.
	clear func()
}

// Violations returns what the plan sets and the policy does not let it set, in
// a fixed order.
func (may Policy) Violations(p *Plan) []Kept {
	var out []Kept
	text := func(key string, allowed bool, o *Opt[string]) {
		if !allowed && o.Given {
			out = append(out, Kept{key, o.At, func() { *o = Opt[string]{At: o.At} }})
		}
	}
	list := func(key string, allowed bool, l *List) {
		if !allowed && l.Given {
			out = append(out, Kept{key, l.At, func() { *l = List{} }})
		}
	}
	text("user_data", may.AllowUserData, &p.UserData)
	text("iam_instance_profile", may.AllowIAMProfile, &p.IAMInstanceProfile)
	text("launch_template_name", may.AllowLaunchTemplate, &p.LaunchTemplateName)
	text("launch_template_id", may.AllowLaunchTemplate, &p.LaunchTemplateID)
	text("placement_group_name", may.AllowGroupName, &p.PlacementGroupName)
	list("security_group_ids", may.AllowSecurityGroups, &p.SecurityGroupIDs)
	list("subnet_ids", may.AllowSubnets, &p.SubnetIDs)
	return out
}

// Bind takes out of a plan what the policy does not let it set, and returns the
// keys of what it took.
func (may Policy) Bind(p *Plan) (keys []string) {
	for _, k := range may.Violations(p) {
		k.clear()
		keys = append(keys, k.Key)
	}
	return keys
}
