package standin

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"aws-slurm-burst/localstack/query"
)

// The parameters of a fleet.
const (
	target   = "TargetCapacitySpecification."
	override = "LaunchTemplateConfigs.1.Overrides.1."
)

// fleet is CreateFleet of the kind that is launched at once. LocalStack names
// one on-demand instance of however many it launched, makes on-demand instances
// of a target that is spot by default, and launches what the last override says:
// here it is the first. Other kinds of fleets are LocalStack's business.
func (h *Handler) fleet(r *http.Request, form url.Values, body []byte) *query.Answer {
	if form.Get("Type") != "instant" {
		return query.Hand(h.next, r, body)
	}
	return h.tokens.once(r, form, "", func() *query.Answer {
		h.turn.Lock()
		defer h.turn.Unlock()
		a := query.Ask(h.next, r, h.plainFleet(r, form))
		a.Edit(func(root *query.Node) { h.complete(r, form, root) })
		return a
	}, func(_ *http.Request, first *query.Answer) *query.Answer { return first })
}

// plainFleet says a fleet in the words that LocalStack gets right.
func (h *Handler) plainFleet(r *http.Request, form url.Values) url.Values {
	out := maps.Clone(form)
	for key := range form {
		if strings.HasPrefix(key, "LaunchTemplateConfigs.") && !strings.HasPrefix(key, override) &&
			!strings.HasPrefix(key, "LaunchTemplateConfigs.1.LaunchTemplateSpecification.") {
			delete(out, key)
		}
	}
	total, spot, onDemand := query.Number(form, target+"TotalTargetCapacity"), query.Number(form, target+"SpotTargetCapacity"), query.Number(form, target+"OnDemandTargetCapacity")
	if rest := max(0, total-spot-onDemand); form.Get(target+"DefaultTargetCapacityType") == "spot" {
		spot += rest
	} else {
		onDemand += rest
	}
	out.Set(target+"SpotTargetCapacity", strconv.Itoa(spot))
	out.Set(target+"OnDemandTargetCapacity", strconv.Itoa(onDemand))
	if az := form.Get(override + "AvailabilityZone"); az != "" && !form.Has(override+"SubnetId") {
		ask := url.Values{"Action": {"DescribeSubnets"}}
		query.AppendFilter(ask, "availability-zone", az)
		query.AppendFilter(ask, "default-for-az", "true")
		if subnet := h.ask(r, ask).Get("subnetSet>item>subnetId"); subnet != "" {
			out.Set(override+"SubnetId", subnet)
		}
	}
	return out
}

// complete puts all instances of a fleet into its answer, those of a market
// together. An on-demand instance stands for its launch.
func (h *Handler) complete(r *http.Request, form url.Values, root *query.Node) {
	set := query.Elem("fleetInstanceSet")
	of := map[string]*query.Node{}
	for _, item := range root.Items("fleetInstanceSet") {
		market := item.Get("lifecycle")
		all := of[market]
		if all == nil {
			all = query.Elem("item", query.Elem("launchTemplateAndOverrides", overrides(form)),
				query.Text("lifecycle", market), query.Elem("instanceIds"), query.Text("instanceType", item.Get("instanceType")))
			of[market] = all
			set.Kids = append(set.Kids, all)
		}
		ids := item.Items("instanceIds")
		if market != "spot" && len(ids) == 1 {
			ids = h.launchOf(r, ids[0], item.Get("instanceType"))
		}
		list := all.At("instanceIds")
		list.Kids = append(list.Kids, ids...)
	}
	root.Put(set)
}

// launchOf returns the ids of all instances of an instance's launch. LocalStack
// has no filter by reservation: all instances of the type are looked through.
func (h *Handler) launchOf(r *http.Request, id *query.Node, instanceType string) []*query.Node {
	form := url.Values{"Action": {"DescribeInstances"}}
	query.AppendFilter(form, "instance-type", instanceType)
	for _, launch := range h.ask(r, form).Items("reservationSet") {
		var ids []*query.Node
		ours := false
		for _, i := range launch.Items("instancesSet") {
			ids = append(ids, query.Text("item", i.Get("instanceId")))
			ours = ours || i.Get("instanceId") == id.Value
		}
		if ours {
			return ids
		}
	}
	return []*query.Node{id}
}

// overrides are the fleet's first, as its answer repeats them.
func overrides(form url.Values) *query.Node {
	n := query.Elem("overrides")
	for _, name := range []string{"InstanceType", "SubnetId", "AvailabilityZone"} {
		if v := form.Get(override + name); v != "" {
			n.Set(strings.ToLower(name[:1])+name[1:], v)
		}
	}
	return n
}
