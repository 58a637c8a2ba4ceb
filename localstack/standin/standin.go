// Package standin is an HTTP middleware that adds to an EC2 endpoint what
// LocalStack 4.14.0 lacks for gang launches:
//
//   - placement groups, client tokens, launches of MaxCount instances, the whole
//     of an instant fleet, filters by token and placement group;
//   - refusals of images that do not exist and of subnets that are full;
//   - launches that do not disturb each other, and an end that may be asked for
//     twice;
//   - quick answers about images, and about instances with a tag.
//
// It stands directly before the endpoint, behind faultproxy. What it adds it
// keeps in memory, so all callers of an endpoint have to come through one
// Handler. It judges what LocalStack takes blindly only where a launch of a gang
// depends on it: instance types, prices and capacity are not looked at.
package standin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"aws-slurm-burst/localstack/query"
)

// Handler is the middleware. It is safe for concurrent use.
type Handler struct {
	next   http.Handler
	zones  query.Zones
	groups groups
	tokens tokens
	turn   sync.Mutex // held by the launch that the endpoint is making
	images images
}

// New returns a Handler before next.
func New(next http.Handler) *Handler {
	return &Handler{next: next, groups: groups{members: map[string]*group{}}, tokens: tokens{known: map[tokenKey]*attempt{}}}
}

// Needed asks an endpoint whether it lacks what a Handler adds: an endpoint that
// has placement groups is taken to have the rest.
func Needed(ctx context.Context, endpoint http.Handler) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
	if err != nil {
		return false, err
	}
	a := query.Ask(endpoint, r, url.Values{"Action": {"DescribePlacementGroups"}})
	switch {
	case a.OK():
		return false, nil
	case a.Status == http.StatusNotImplemented:
		return true, nil
	}
	return false, fmt.Errorf("no EC2 there: DescribePlacementGroups: %s", a.Why())
}

// ServeHTTP answers the calls that the endpoint lacks, mends those that it gets
// wrong, and passes all others on.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, body, err := query.Read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var a *query.Answer
	switch form.Get("Action") {
	case "CreatePlacementGroup":
		a = h.groups.create(form)
	case "DescribePlacementGroups":
		a = h.groups.describe(form)
	case "DeletePlacementGroup":
		a = h.deleteGroup(r, form)
	case "RunInstances":
		a = h.run(r, form)
	case "CreateFleet":
		a = h.fleet(r, form, body)
	case "DescribeImages":
		a = h.images.describe(h.next, r, form)
	case "DescribeInstances":
		a = h.describe(r, form, body)
	case "TerminateInstances":
		a = h.terminate(r, form, body)
	default:
		query.Pass(h.next, w, r, body)
		h.images.changed(form)
		return
	}
	a.Send(w)
}

// ask makes a call of its own and returns the answer's document, nil for a
// refusal.
func (h *Handler) ask(r *http.Request, form url.Values) *query.Node {
	return query.Ask(h.next, r, form).Read()
}

func bad(code, format string, args ...any) *query.Answer {
	return query.Refusal(http.StatusBadRequest, code, fmt.Sprintf(format, args...))
}

// dryRun is the answer to a call that would have succeeded.
func dryRun() *query.Answer {
	return query.Refusal(http.StatusPreconditionFailed, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}
