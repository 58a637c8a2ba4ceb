package site

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aws-slurm-burst/localstack/faultproxy"
)

// Unheard fails a scenario in which a program warned or failed and no step
// spoke of it: whatever people are told belongs to the behaviour.
func (w *Site) Unheard() error {
	var errs []error
	for _, l := range w.said {
		if !l.Heard && (strings.HasPrefix(l.Text, "WARN: ") || strings.HasPrefix(l.Text, "ERROR: ")) {
			errs = append(errs, fmt.Errorf("no step speaks of this line:\n%s", l.Text))
		}
	}
	return errors.Join(errs...)
}

// CheckInvariants holds after every scenario, whatever it was about. It asks EC2
// itself, by tags, and the log of calls.
func (w *Site) CheckInvariants(ctx context.Context) error {
	w.changed()
	live, err := w.Live(ctx) // at most one instance a node
	if err != nil {
		return err
	}
	return errors.Join(
		w.allClaimed(live),
		w.gangsWhole(live),
		w.gangsAskedWhole(),
		w.tokensTrue(),
		w.withinLimits(),
		w.onlyOurs(ctx),
		w.groupsUsed(ctx),
	)
}

// allClaimed: every live instance serves the node that the programs said it
// serves, and what they said lives.
func (w *Site) allClaimed(live map[string]string) error {
	if !maps.Equal(live, w.claimed) {
		return fmt.Errorf("nodes and instances as EC2 shows them:\n%s\nand as the programs told:\n%s", pairs(live), pairs(w.claimed))
	}
	return nil
}

func pairs(m map[string]string) string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(m)) {
		b.WriteString(" " + n + "=" + m[n])
	}
	return b.String()
}

// gangsWhole: of the nodes of a gang that were not suspended all live or none.
func (w *Site) gangsWhole(live map[string]string) error {
	for _, g := range w.gangs {
		var there []string
		for _, n := range g.nodes {
			if live[n] != "" {
				there = append(there, n)
			}
		}
		if len(there) > 0 && len(there) < len(g.nodes) {
			return fmt.Errorf("of the gang %s only %s live", strings.Join(g.nodes, ","), strings.Join(there, ","))
		}
	}
	return nil
}

// gangsAskedWhole: no launch for a gang would have been content with a part.
func (w *Site) gangsAskedWhole() error {
	for _, r := range w.Runs {
		for _, c := range Launches(r.Calls) {
			nodes, _ := Expand(launchTags(c)[nodesTag]) // allClaimed looks at what has none
			least, most := c.Params.Get("MinCount"), c.Params.Get("MaxCount")
			for _, g := range r.gangs {
				if len(both(nodes, g)) > 0 && least != most {
					return fmt.Errorf("%s: a launch for the gang %s would be content with %s of %s", r.Command, strings.Join(g, ","), least, most)
				}
			}
		}
	}
	return nil
}

// tokensTrue: a client token is never used with different parameters, and no
// launch goes without one or without the cluster's tag.
func (w *Site) tokensTrue() error {
	requests := map[string]string{}
	for _, c := range Launches(w.AllCalls()) {
		token, request := c.Params.Get("ClientToken"), c.Params.Encode()
		if token == "" {
			return errors.New("a launch without a client token")
		}
		if earlier, ok := requests[token]; ok && earlier != request {
			return fmt.Errorf("client token %s was used with different parameters", token)
		}
		requests[token] = request
		if !slices.Contains(values(c, "TagSpecification."), w.Cluster) {
			return fmt.Errorf("launch %s without the cluster's tag", token)
		}
	}
	return nil
}

// values are those of all parameters with a prefix.
func values(c faultproxy.Call, prefix string) []string {
	var out []string
	for key, v := range c.Params {
		if strings.HasPrefix(key, prefix) {
			out = append(out, v...)
		}
	}
	return out
}

// onlyOurs: calls that change something name nothing but the cluster's own, and
// the bystanders are as they were.
func (w *Site) onlyOurs(ctx context.Context) error {
	by := map[string]string{} // which call named an instance
	for _, c := range w.AllCalls() {
		var named []string
		switch c.Action {
		case "TerminateInstances":
			named = values(c, "InstanceId.")
		case "CreateTags", "DeleteTags":
			named = values(c, "ResourceId.")
		case "CreatePlacementGroup", "DeletePlacementGroup":
			if name := c.Params.Get("GroupName"); !strings.HasPrefix(name, "asb-"+w.Cluster+"-") {
				return fmt.Errorf("%s names placement group %s, which is not the cluster's", c.Action, name)
			}
		case "RunInstances": // tokensTrue looks at it
		default:
			if !strings.HasPrefix(c.Action, "Describe") {
				return fmt.Errorf("unexpected call %s", c.Action)
			}
		}
		for _, id := range named {
			if !w.ours[id] {
				by[id] = c.Action
			}
		}
	}
	if len(by) > 0 { // never seen alive: gone within the run that launched it, or not ours
		shown, err := w.EC2.byID(ctx, slices.Sorted(maps.Keys(by))...)
		if err != nil {
			return err
		}
		for _, i := range shown {
			if i.Tag(clusterTag) != w.Cluster {
				return fmt.Errorf("%s names %s, which is not the cluster's", by[i.ID], i.ID)
			}
		}
	}
	others, err := w.EC2.byID(ctx, w.bystanders...)
	if err != nil {
		return err
	}
	for _, i := range others {
		if !i.Live() || len(i.Tags) > 0 && i.Tag(launchTag) != "asb-neighbour" {
			return fmt.Errorf("bystander %s is %s with tags %v", i.ID, i.State, i.Tags)
		}
	}
	return nil
}

// groupsUsed: no placement group outlives its instances.
func (w *Site) groupsUsed(ctx context.Context) error {
	names, err := w.EC2.GroupsOf(ctx, w.Cluster)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(w.shown, func(i Instance) bool { return i.Group == name }) {
			return fmt.Errorf("placement group %s has no live instance", name)
		}
	}
	return nil
}
