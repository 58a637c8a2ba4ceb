package ec2

import (
	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
)

// EC2's limits: groups a region, partitions a group, and instances of a spread
// group in one zone.
const (
	maxGroups     = 500
	maxPartitions = 7
	maxSpread     = 7
)

// Group is a placement group.
type Group struct {
	api.Resource
	Name, Strategy string
	Partitions     int // of a partition group

	members map[string]int // instances that are not terminated, by zone
	joined  int            // ever, to number partitions
	left    int            // room of a cluster group, where its pool's capacity is limited
}

// GroupRequest is CreatePlacementGroup.
type GroupRequest struct {
	Name, Strategy string
	Partitions     int
	Tags           []api.TagSpec
	DryRun         bool
}

// CreatePlacementGroup makes a group; the default strategy is cluster.
func (m *Model) CreatePlacementGroup(r GroupRequest) (Group, error) {
	return call(m, Event{Action: "CreatePlacementGroup"}, func(now env.Time, ev *Event) (Group, error) {
		if r.Name == "" {
			return Group{}, api.Missing("GroupName")
		}
		if len(r.Name) > 255 || !api.ASCII(r.Name) {
			return Group{}, api.BadValue("Invalid placement group name '%s': up to 255 ASCII characters", r.Name)
		}
		r.Strategy = orDefault(r.Strategy, "cluster")
		switch r.Strategy {
		case "cluster", "spread":
			if r.Partitions != 0 {
				return Group{}, api.BadCombination("The partition count is only for placement groups with the strategy 'partition'")
			}
		case "partition":
			r.Partitions = orDefault(r.Partitions, 2) // EC2's default
			if r.Partitions < 1 || r.Partitions > maxPartitions {
				return Group{}, api.BadValue("The partition count '%d' is invalid: 1 to %d", r.Partitions, maxPartitions)
			}
		default:
			return Group{}, api.BadValue("The placement group strategy '%s' is invalid", r.Strategy)
		}
		tags, err := api.TagsFor(r.Tags, "placement-group")
		if err != nil {
			return Group{}, err
		}
		if m.group(r.Name) != nil {
			return Group{}, api.Refuse("InvalidPlacementGroup.Duplicate", "The placement group '%s' already exists.", r.Name)
		}
		if len(m.groups) >= maxGroups {
			return Group{}, api.Refuse("PlacementGroupLimitExceeded", "The limit of %d placement groups has been reached.", maxGroups)
		}
		if r.DryRun {
			return Group{}, api.DryRun()
		}
		g := &Group{Name: r.Name, Strategy: r.Strategy, Partitions: r.Partitions, members: map[string]int{}}
		m.register(&g.Resource, m.id("pg"), "placement-group", tags, now)
		m.groups = append(m.groups, g)
		ev.IDs = []string{g.Name}
		return *g, nil
	})
}

// DeletePlacementGroup ends a group. A group is in use until every instance of
// it is terminated: shutting down is not enough.
func (m *Model) DeletePlacementGroup(name string, dry bool) error {
	return do(m, Event{Action: "DeletePlacementGroup", IDs: []string{name}}, func(now env.Time, _ *Event) error {
		if name == "" {
			return api.Missing("GroupName")
		}
		for i, g := range m.groups {
			if g.Name != name || !m.visible(&g.Resource, now) {
				continue
			}
			for _, n := range g.members {
				if n > 0 {
					return api.Refuse("InvalidPlacementGroup.InUse", "The placement group '%s' is in use and may not be deleted.", name)
				}
			}
			if dry {
				return api.DryRun()
			}
			m.groups = append(m.groups[:i:i], m.groups[i+1:]...)
			delete(m.byID, g.ID)
			return nil
		}
		return noGroup(name)
	})
}

func noGroup(name string) *api.Error {
	return api.Refuse("InvalidPlacementGroup.Unknown", "The Placement Group '%s' is unknown.", name)
}

var groupFields = api.Fields[*Group]{
	"group-name": api.Value(func(g *Group) string { return g.Name }),
	"group-id":   api.Value(func(g *Group) string { return g.ID }),
	"strategy":   api.Value(func(g *Group) string { return g.Strategy }),
	"state":      api.Value(func(*Group) string { return "available" }),
}

// DescribePlacementGroups lists groups. EC2 does not page them; q.IDs are
// group ids, names is for group names.
func (m *Model) DescribePlacementGroups(q api.Query, names []string) ([]Group, error) {
	return call(m, Event{Action: "DescribePlacementGroups"}, func(now env.Time, _ *Event) ([]Group, error) {
		for _, n := range names {
			if g := m.group(n); g == nil || !m.visible(&g.Resource, now) {
				return nil, noGroup(n)
			} else {
				q.IDs = append(q.IDs[:len(q.IDs):len(q.IDs)], g.ID)
			}
		}
		p, err := api.Views(api.Choose(m.groups, q, groupFields.Named, func(ids []string) *api.Error { return noGroup(ids[0]) },
			func(g *Group) bool { return m.visible(&g.Resource, now) }))
		return p.Items, err
	})
}

func (m *Model) group(name string) *Group {
	for _, g := range m.groups {
		if g.Name == name {
			return g
		}
	}
	return nil
}

// zone is where a cluster group's instances are, "" without any.
func (g *Group) zone() string {
	if g.Strategy == "cluster" {
		for az, n := range g.members { // at most one zone has members
			if n > 0 {
				return az
			}
		}
	}
	return ""
}

// admits checks a launch of this type into the zone ("" where EC2 may choose).
func (g *Group) admits(typeName string, t catalog.Type, az string) *api.Error {
	ok := map[string]bool{"cluster": t.Cluster, "partition": t.Partition, "spread": t.Spread}[g.Strategy]
	if !ok {
		return api.BadCombination("%s placement groups are not supported by the '%s' instance type. Specify a supported instance type or change the placement group strategy, and try again.", g.Strategy, typeName)
	}
	if at := g.zone(); at != "" && az != "" && at != az {
		return api.Refuse("InvalidPlacementGroup.InUse", "The placement group '%s' is in use in another availability zone: %s", g.Name, at)
	}
	return nil
}

// room is how many instances the group takes in the zone.
func (g *Group) room(az string, want int) int {
	if g.Strategy == "spread" {
		return min(want, maxSpread-g.members[az])
	}
	return want
}

// member is the placement of one more instance.
func (g *Group) member(az string) (partition int) {
	g.members[az]++
	g.joined++
	if g.Strategy == "partition" {
		return (g.joined-1)%g.Partitions + 1
	}
	return 0
}

// Placement is an instance's place.
type Placement struct {
	AZ        string
	Group     string
	GroupID   string
	Partition int // from 1; 0 outside partition groups
}

// Pool returns the instance's capacity pool.
func (i *Instance) Pool() Pool {
	return Pool{Type: i.Type, AZ: i.Placement.AZ, Market: i.Market}
}
