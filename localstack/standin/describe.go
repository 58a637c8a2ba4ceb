package standin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aws-slurm-burst/localstack/query"
)

// byHand are the filters of DescribeInstances that LocalStack does not have,
// with the part of an instance that each looks at.
var byHand = map[string]string{"client-token": "clientToken", "placement-group-name": "placement>groupName"}

// describe is DescribeInstances, with the groups that instances are in.
func (h *Handler) describe(r *http.Request, form url.Values, body []byte) *query.Answer {
	filters := query.TakeFilters(form, func(name string) bool { return byHand[name] != "" })
	narrowed, none := h.narrow(r, form)
	if none {
		return query.Document(query.Root("DescribeInstances", query.Elem("reservationSet")))
	}
	if filters == nil && !narrowed && h.groups.empty() {
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

// narrow puts ids in the place of filters by tag. For each instance that ever
// was LocalStack looks through all tags there are, which takes it seconds after
// some hundred launches; asked for the tags themselves it looks through them
// once. A call that names instances is short enough, and its ids have to be
// known.
func (h *Handler) narrow(r *http.Request, form url.Values) (narrowed, none bool) {
	if form.Has("InstanceId.1") {
		return false, false
	}
	var ids []string
	for n, f := range query.TakeFilters(form, func(name string) bool { return strings.HasPrefix(name, "tag:") }) {
		tagged := h.tagged(r, strings.TrimPrefix(f.Name, "tag:"), f.Values)
		if narrowed = true; n == 0 {
			ids = tagged
		} else {
			ids = slices.DeleteFunc(ids, func(id string) bool { return !slices.Contains(tagged, id) })
		}
		if len(ids) == 0 {
			return true, true
		}
	}
	if narrowed {
		query.AppendFilter(form, "instance-id", ids...)
	}
	return narrowed, false
}

// tagged returns the instances that have a tag with one of the values, which may
// be patterns.
func (h *Handler) tagged(r *http.Request, key string, values []string) []string {
	form := url.Values{"Action": {"DescribeTags"}}
	query.AppendFilter(form, "resource-type", "instance")
	query.AppendFilter(form, "key", key)
	if !slices.ContainsFunc(values, func(v string) bool { return v == "" || strings.ContainsAny(v, `*?\`) }) {
		query.AppendFilter(form, "value", values...)
	}
	var ids []string
	for _, t := range h.ask(r, form).Items("tagSet") {
		if t.Get("key") == key && anyMatch(values, t.Get("value")) {
			ids = append(ids, t.Get("resourceId"))
		}
	}
	return ids
}
