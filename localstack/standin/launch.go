package standin

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"aws-slurm-burst/localstack/query"
)

// run is RunInstances, once for a client token.
func (h *Handler) run(r *http.Request, form url.Values) *query.Answer {
	if least, most := query.Number(form, "MinCount"), query.Number(form, "MaxCount"); most > 0 && least > most {
		return bad("InvalidParameterValue", "Value (%d) for parameter maxCount is invalid. It must not be less than minCount (%d).", most, least)
	}
	az := form.Get("Placement.AvailabilityZone")
	if az == "" {
		az = h.zones.Of(h.next, r, query.Subnet(form))
	}
	return h.tokens.once(r, form, az, func() *query.Answer { return h.launch(r, form) }, h.again)
}

// launch checks what LocalStack takes unseen, and asks it for as many instances
// as there can be: it launches MinCount, whatever MaxCount is. Launches take
// turns: two at once in one subnet can fail half way (its "generator already
// executing"), and would share the addresses that each was promised.
func (h *Handler) launch(r *http.Request, form url.Values) *query.Answer {
	if refusal := h.images.refusal(h.next, r, form.Get("ImageId")); refusal != nil {
		return refusal
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	n, refusal := h.addressed(r, form)
	if refusal != nil {
		return refusal
	}
	x, refusal := h.groups.join(form)
	if refusal != nil {
		return refusal
	}
	var ids []string
	defer func() { h.groups.joined(x, ids) }()
	out := maps.Clone(form)
	if n > 0 {
		out.Set("MinCount", strconv.Itoa(n))
		out.Set("MaxCount", strconv.Itoa(n))
	}
	a := query.Ask(h.next, r, out)
	if ids = a.Instances(); x != nil {
		a.Edit(func(root *query.Node) {
			for _, i := range root.Items("instancesSet") {
				x.show(i)
			}
		})
	}
	return a
}

// addressed returns for how many instances the subnet of a launch has addresses,
// at most MaxCount. LocalStack fails half way through such a launch, and leaves
// what it launched. It is 0 where the launch does not say how many.
func (h *Handler) addressed(r *http.Request, form url.Values) (int, *query.Answer) {
	n, subnet := query.Number(form, "MaxCount"), query.Subnet(form)
	if n == 0 || subnet == "" {
		return n, nil
	}
	root := h.ask(r, url.Values{"Action": {"DescribeSubnets"}, "SubnetId.1": {subnet}})
	free, err := strconv.Atoi(root.Get("subnetSet>item>availableIpAddressCount"))
	if err != nil {
		return n, nil // the endpoint will say itself what is wrong with the subnet
	}
	each := max(1, len(query.Numbered(form, "NetworkInterface", "SubnetId")))
	if n = min(n, free/each); n == 0 || n < query.Number(form, "MinCount") {
		return 0, bad("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.", subnet)
	}
	return n, nil
}

// again answers a launch whose token was used before with the instances as they
// are now.
func (h *Handler) again(r *http.Request, first *query.Answer) *query.Answer {
	form := url.Values{"Action": {"DescribeInstances"}}
	query.AppendFilter(form, "instance-id", first.Instances()...)
	a := query.Ask(h.next, r, form)
	if !a.OK() {
		return a
	}
	alive := false
	out := query.Root("RunInstances")
	for _, first := range a.Read().Items("reservationSet") {
		out.Kids = append(out.Kids, first.Kids...)
		for _, i := range first.Items("instancesSet") {
			alive = alive || i.Get("instanceState>name") != "terminated"
			h.groups.of(i).show(i)
		}
	}
	if !alive {
		return bad("IdempotentInstanceTerminated", "The instances launched with this client token have been terminated.")
	}
	return query.Document(out)
}
