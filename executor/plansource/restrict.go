package plansource

import (
	"slices"
	"strings"

	"aws-slurm-burst/asba/plan"
)

// ownTags begins the tags that say whose an instance is (executor/identity):
// a plan that sets one could make us end an instance that is not ours.
const ownTags = "aws-slurm-burst:"

// Restrict removes from an untrusted plan what would let its author act with
// the site's rights instead of asking for machines: code at boot, an IAM
// role, a launch template (which can hold both, and an image), the network the
// nodes are in, a placement group of someone else, and tags that are ours. It
// returns the JSON names of what it removed, in a fixed order; "tags" stands
// for those that begin with aws-slurm-burst:.
//
// Plans name no image of their own; a launch template is the only way to one.
func Restrict(p *plan.Plan) (fields []string) {
	fields = plan.Policy{}.Bind(p)
	ours := func(t plan.Tag) bool { return strings.HasPrefix(strings.ToLower(t.Key), ownTags) }
	if slices.ContainsFunc(p.Tags.Value, ours) {
		p.Tags.Value = slices.DeleteFunc(slices.Clone(p.Tags.Value), ours)
		p.Tags.Given = len(p.Tags.Value) > 0
		fields = append(fields, "tags")
	}
	return fields
}
