package awscloud

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aws-slurm-burst/executor/cloud"
)

// maxValues is EC2's limit for the values of one filter.
const maxValues = 200

// filters collects the filters of a describe call.
type filters struct{ list []types.Filter }

// add adds a filter that holds where any of the values does; without values it
// adds nothing. Values for a name that is there already are more alternatives.
func (f *filters) add(name string, values ...string) {
	if len(values) == 0 {
		return
	}
	for i := range f.list {
		if *f.list[i].Name == name {
			f.list[i].Values = append(f.list[i].Values, values...)
			return
		}
	}
	f.list = append(f.list, types.Filter{Name: aws.String(name), Values: values})
}

// word adds a filter for one value, taken literally; "" adds nothing.
func (f *filters) word(name, value string) {
	if value != "" {
		f.add(name, literal(value))
	}
}

// tags adds one filter a tag. A value may be empty: EC2 then wants an empty one.
func (f *filters) tags(tags []cloud.Tag) {
	for _, t := range tags {
		f.add("tag:"+t.Key, literal(t.Value))
	}
}

// check refuses what EC2 would refuse, before the call.
func (f *filters) check(op string) error {
	for _, x := range f.list {
		if n := len(x.Values); n > maxValues {
			return refuse(op, "FilterLimitExceeded", "%d values for %s; EC2 takes %d in one filter", n, *x.Name, maxValues)
		}
	}
	return nil
}

// EC2 reads *, ? and \ in a filter's value as wildcards. A cluster called
// "prod*" must not find, and end, the nodes of "production".
var wildcards = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)

func literal(s string) string { return wildcards.Replace(s) }

// words turns words of our types into the SDK's strings.
func words[T ~string](list []T) []string {
	var out []string
	for _, s := range list {
		out = append(out, literal(string(s)))
	}
	return out
}
