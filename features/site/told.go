package site

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/features/report"
	"aws-slurm-burst/localstack/faultproxy"
)

// Told is what happened on the site as reports have it, with times from began.
func (w *Site) Told(began time.Time) []report.Run {
	var out []report.Run
	for _, r := range w.Runs {
		told := report.Run{Command: r.Command, Exit: r.Exit, Began: r.Began.Sub(began), Took: r.Took, Mode: r.Report.Mode}
		for _, l := range r.Stderr {
			told.Stderr = append(told.Stderr, l.Text)
		}
		for _, n := range r.Report.Nodes {
			told.Nodes = append(told.Nodes, report.Node{Name: n.Name, State: n.State, Instance: n.Instance, Type: n.Type, Market: n.Market, AZ: n.AZ, Address: n.Address})
		}
		for _, c := range r.Calls {
			told.Calls = append(told.Calls, w.told(c, began))
		}
		out = append(out, told)
	}
	return out
}

func (w *Site) told(c faultproxy.Call, began time.Time) report.Call {
	told := report.Call{
		At: c.Time.Std().Sub(began), Took: c.Took, Action: c.Action, Detail: w.detail(c),
		Status: c.Status, Code: c.Code, Rule: c.Rule, Instances: c.Instances,
	}
	if c.Action == "TerminateInstances" && len(told.Instances) == 0 {
		told.Instances = values(c, "InstanceId.") // what it asked for, of an answer that names none
		slices.Sort(told.Instances)
	}
	return told
}

// detail says in words what a call asks for.
func (w *Site) detail(c faultproxy.Call) string {
	p := c.Params
	var words []string
	say := func(parts ...string) {
		if text := strings.Join(parts, ""); parts[len(parts)-1] != "" {
			words = append(words, text)
		}
	}
	switch c.Action {
	case "RunInstances":
		count := p.Get("MinCount")
		if most := p.Get("MaxCount"); most != count {
			count += " to " + most
		}
		say(count+" x ", p.Get("InstanceType"))
		say(LaunchMarket(c))
		say("at most USD ", p.Get(SpotPrice))
		if subnet := LaunchSubnet(c); w.zones[subnet] != "" {
			say("in ", w.zones[subnet])
		} else {
			say("in ", subnet)
		}
		say("placement group ", p.Get("Placement.GroupName"))
		if p.Get("NetworkInterface.1.InterfaceType") == "efa" {
			say("EFA")
		}
	case "TerminateInstances":
		if n := len(values(c, "InstanceId.")); n == 1 {
			say("1 instance")
		} else {
			say(strconv.Itoa(n), " instances")
		}
	case "CreatePlacementGroup", "DeletePlacementGroup":
		say(p.Get("GroupName"))
		say(p.Get("Strategy"))
	}
	return strings.Join(words, ", ")
}

// LaunchMarket is the market that a launch asks for: spot or on-demand.
func LaunchMarket(c faultproxy.Call) string {
	if m := c.Params.Get("InstanceMarketOptions.MarketType"); m != "" {
		return m
	}
	return "on-demand"
}

// LaunchSubnet is the subnet that a launch asks for.
func LaunchSubnet(c faultproxy.Call) string {
	if s := c.Params.Get("SubnetId"); s != "" {
		return s
	}
	return c.Params.Get("NetworkInterface.1.SubnetId")
}
