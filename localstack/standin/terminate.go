package standin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"aws-slurm-burst/localstack/query"
)

// terminate is TerminateInstances. LocalStack fails on an instance that has
// ended before and had a network interface of its own, and ends none of those
// behind it; to EC2 ending an instance again is no error.
func (h *Handler) terminate(r *http.Request, form url.Values, body []byte) *query.Answer {
	a := query.Hand(h.next, r, body)
	if a.Code() != "InvalidNetworkInterfaceID.NotFound" {
		return a
	}
	ids := query.Numbered(form, "InstanceId", "")
	ask := url.Values{"Action": {"DescribeInstances"}}
	query.AppendFilter(ask, "instance-id", ids...)
	query.AppendFilter(ask, "instance-state-name", "terminated")
	gone := query.Ask(h.next, r, ask).Instances()
	again := url.Values{"Action": {"TerminateInstances"}}
	for _, id := range ids {
		if !slices.Contains(gone, id) {
			again.Set("InstanceId."+strconv.Itoa(len(again)), id)
		}
	}
	if len(gone) == 0 {
		return a
	}
	if a = query.Document(query.Root("TerminateInstances", query.Elem("instancesSet"))); len(again) > 1 {
		a = query.Ask(h.next, r, again)
	}
	a.Edit(func(root *query.Node) {
		set := root.At("instancesSet")
		for _, id := range gone {
			set.Kids = append(set.Kids, query.Elem("item", query.Text("instanceId", id), terminated("currentState"), terminated("previousState")))
		}
	})
	return a
}

func terminated(name string) *query.Node {
	return query.Elem(name, query.Text("code", "48"), query.Text("name", "terminated"))
}
