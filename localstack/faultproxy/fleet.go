package faultproxy

import (
	"maps"
	"net/url"
	"strconv"

	"aws-slurm-burst/localstack/query"
	"aws-slurm-burst/simulator/faults"
)

// The parameters of a fleet that say how many of what.
const (
	target   = "TargetCapacitySpecification."
	override = "LaunchTemplateConfigs.1.Overrides.1."
)

// instant reports whether a call is a fleet that is launched at once or not at
// all. The other kinds launch later, unseen by any rule.
func instant(form url.Values) bool {
	return form.Get("Action") == "CreateFleet" && form.Get("Type") == "instant"
}

// minimum is how many instances a fleet requires; 0 takes what there is.
func minimum(form url.Values) int {
	return max(query.Number(form, "SpotOptions.MinTargetCapacity"), query.Number(form, "OnDemandOptions.MinTargetCapacity"))
}

// fleetMarket is the market of most of a fleet.
func fleetMarket(form url.Values) string {
	spot, onDemand := query.Number(form, target+"SpotTargetCapacity"), query.Number(form, target+"OnDemandTargetCapacity")
	if spot != onDemand {
		return map[bool]string{true: "spot", false: "on-demand"}[spot > onDemand]
	}
	return form.Get(target + "DefaultTargetCapacityType")
}

// lower returns the parameters of a launch with a smaller number of instances.
func lower(c *Call, most int) url.Values {
	less := maps.Clone(c.Params)
	if c.Action == "CreateFleet" {
		lowerFleet(less, most)
	} else {
		less.Set("MaxCount", strconv.Itoa(most))
	}
	return less
}

// lowerFleet takes instances away from a fleet's targets, spot first.
func lowerFleet(form url.Values, most int) {
	less := query.Number(form, target+"TotalTargetCapacity") - most
	form.Set(target+"TotalTargetCapacity", strconv.Itoa(most))
	for _, market := range []string{"Spot", "OnDemand"} {
		if n := query.Number(form, target+market+"TargetCapacity"); n > 0 {
			form.Set(target+market+"TargetCapacity", strconv.Itoa(n-min(n, less)))
			less -= min(n, less)
		}
	}
}

// explain adds to a fleet's answer why it has fewer instances than were wanted.
// A RunInstances answer has no place for that.
func explain(c *Call, a *query.Answer, e faults.Effect) {
	if c.Action == "CreateFleet" {
		a.Edit(func(root *query.Node) { root.Put(fleetErrors(e)) })
	}
}

func fleetErrors(e faults.Effect) *query.Node {
	return query.Elem("errorSet", query.Elem("item", query.Text("errorCode", e.Code), query.Text("errorMessage", e.Message)))
}

// emptyFleet is the answer to a fleet that takes what there is, and nothing is.
func emptyFleet(e faults.Effect) *query.Answer {
	return query.Document(query.Root("CreateFleet",
		query.Text("fleetId", "fleet-00000000-0000-4000-8000-000000000000"),
		query.Elem("fleetInstanceSet"), fleetErrors(e)))
}

// fleetInstances are the ids in a fleet's answer.
func fleetInstances(a *query.Answer) []string {
	var out []string
	for _, group := range a.Read().Items("fleetInstanceSet") {
		for _, id := range group.Items("instanceIds") {
			out = append(out, id.Value)
		}
	}
	return out
}
