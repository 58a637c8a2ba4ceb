package wire

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/template"
)

// maxDepth bounds the dots of a parameter's name. The deepest that the model
// reads is LaunchTemplateData.TagSpecification.1.Tag.1.Key.
const maxDepth = 8

// params is a request as a tree: Filter.1.Value.2=x is the value of the node
// Filter, 1, Value, 2. The nil params are an empty tree.
type params struct {
	value string
	set   bool
	kids  map[string]*params
}

func parse(form url.Values) (*params, error) {
	root := &params{}
	for name, values := range form { // a tree does not depend on their order
		n := root
		parts := strings.SplitN(name, ".", maxDepth+1)
		if len(parts) > maxDepth {
			return nil, api.Refuse("UnknownParameter", "The parameter %.60s is not recognized", name)
		}
		for _, part := range parts {
			if n.kids == nil {
				n.kids = map[string]*params{}
			}
			if n.kids[part] == nil {
				n.kids[part] = &params{}
			}
			n = n.kids[part]
		}
		n.value, n.set = values[0], true
	}
	return root, nil
}

// sub goes down the tree.
func (p *params) sub(names ...string) *params {
	for _, name := range names {
		if p == nil {
			return nil
		}
		p = p.kids[name]
	}
	return p
}

// str returns the value at the end of the path, "" where there is none.
func (p *params) str(names ...string) string {
	if p = p.sub(names...); p == nil {
		return ""
	}
	return p.value
}

// list returns the numbered nodes below name, in the order of their numbers.
func (p *params) list(name string) []*params {
	n := p.sub(name)
	if n == nil {
		return nil
	}
	type entry struct {
		number int
		key    string
	}
	var entries []entry
	for k := range n.kids {
		if i, err := strconv.Atoi(k); err == nil {
			entries = append(entries, entry{i, k})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.number, b.number), strings.Compare(a.key, b.key))
	})
	out := make([]*params, len(entries))
	for i, e := range entries {
		out[i] = n.kids[e.key]
	}
	return out
}

// strs returns the values of a list.
func (p *params) strs(name string) []string {
	var out []string
	for _, n := range p.list(name) {
		out = append(out, n.value)
	}
	return out
}

// reader takes typed values out of params and keeps the first mistake.
type reader struct {
	*params
	err error
}

func (r *reader) fail(name, value, kind string) {
	if r.err == nil {
		r.err = api.Refuse("InvalidParameterValue", "Value (%.60s) for parameter %s is invalid. It is no %s.", value, name, kind)
	}
}

func (r *reader) number(p *params, name string) int {
	v := p.str(name)
	if v == "" {
		return 0
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil {
		r.fail(name, v, "32-bit integer")
	}
	return int(n)
}

func (r *reader) truth(name string) bool {
	switch v := r.str(name); strings.ToLower(v) {
	case "", "false":
		return false
	case "true":
		return true
	default:
		r.fail(name, v, "boolean")
		return false
	}
}

// query reads what all describe calls have in common; ids names the list of
// ids.
func (r *reader) query(ids string) api.Query {
	q := api.Query{IDs: r.strs(ids), Next: r.str("NextToken"), Max: r.number(r.params, "MaxResults")}
	if q.Max == 0 && r.str("MaxResults") != "" {
		q.Max = -1 // given, and refused as too small
	}
	for _, f := range r.list("Filter") {
		q.Filters = append(q.Filters, api.Filter{Name: f.str("Name"), Values: f.strs("Value")})
	}
	return q
}

func tagList(p *params) []cloud.Tag {
	var out []cloud.Tag
	for _, t := range p.list("Tag") {
		out = append(out, cloud.Tag{Key: t.str("Key"), Value: t.str("Value")})
	}
	return out
}

func tagSpecs(p *params) []api.TagSpec {
	var out []api.TagSpec
	for _, s := range p.list("TagSpecification") {
		out = append(out, api.TagSpec{Kind: s.str("ResourceType"), Tags: tagList(s)})
	}
	return out
}

func templateRef(p *params, version string) template.Ref {
	return template.Ref{ID: p.str("LaunchTemplateId"), Name: p.str("LaunchTemplateName"), Version: p.str(version)}
}

// spec reads what RunInstances and LaunchTemplateData have in common. They use
// the same names.
func (r *reader) spec(p *params) template.Spec {
	s := template.Spec{
		Type: p.str("InstanceType"), ImageID: p.str("ImageId"), SubnetID: p.str("SubnetId"),
		AZ: p.str("Placement", "AvailabilityZone"), Group: p.str("Placement", "GroupName"), GroupID: p.str("Placement", "GroupId"),
		Market:         cloud.Market(p.str("InstanceMarketOptions", "MarketType")),
		MaxPrice:       p.str("InstanceMarketOptions", "SpotOptions", "MaxPrice"),
		SecurityGroups: p.strs("SecurityGroupId"), SecurityGroupNames: p.strs("SecurityGroup"),
		KeyName: p.str("KeyName"), UserData: p.str("UserData"),
		Tags: tagSpecs(p),
	}
	if s.InstanceProfile = p.str("IamInstanceProfile", "Arn"); s.InstanceProfile == "" {
		s.InstanceProfile = p.str("IamInstanceProfile", "Name")
	}
	for _, n := range p.list("NetworkInterface") {
		s.Interfaces = append(s.Interfaces, template.Interface{
			Device: r.number(n, "DeviceIndex"), Card: r.number(n, "NetworkCardIndex"),
			SubnetID: n.str("SubnetId"), Groups: n.strs("SecurityGroupId"), Kind: n.str("InterfaceType"),
		})
	}
	return s
}
