package standin

import (
	"net/http"
	"net/url"

	"aws-slurm-burst/localstack/query"
)

// byHand are the filters of DescribeInstances that LocalStack does not have,
// with the part of an instance that each looks at.
var byHand = map[string]string{"client-token": "clientToken", "placement-group-name": "placement>groupName"}

// describe is DescribeInstances, with the groups that instances are in.
func (h *Handler) describe(r *http.Request, form url.Values, body []byte) *query.Answer {
	filters := query.TakeFilters(form, func(name string) bool { return byHand[name] != "" })
	if filters == nil && h.groups.empty() {
		return query.Hand(h.next, r, body)
	}
	a := query.Ask(h.next, r, form)
	a.Edit(func(root *query.Node) {
		root.EachInstance(func(i *query.Node) *query.Node {
			h.groups.of(i).show(i)
			for _, f := range filters {
				if !anyMatch(f.Values, i.Get(byHand[f.Name])) {
					return nil
				}
			}
			return i
		})
	})
	return a
}
