package standin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"aws-slurm-burst/localstack/query"
	"aws-slurm-burst/simulator/faults"
)

// group is a placement group.
type group struct {
	id, name, strategy string
	partitions         int // of a partition group
	tags               []tag
	joining            int // launches into it under way
	joined             int // instances, ever
}

type tag struct{ key, value string }

// groups are the placement groups, in the order in which they were made, and
// the instances that were launched into one.
type groups struct {
	mu      sync.Mutex
	list    []*group
	made    int // ever
	members map[string]*group
}

func unknownGroup(name string) *query.Answer {
	return bad("InvalidPlacementGroup.Unknown", "The Placement Group '%s' is unknown.", name)
}

func (g *groups) create(form url.Values) *query.Answer {
	n := &group{name: form.Get("GroupName"), strategy: form.Get("Strategy"), tags: tagsOf(form, "placement-group")}
	if n.strategy == "" {
		n.strategy = "cluster"
	}
	switch {
	case n.name == "":
		return bad("MissingParameter", "The request must contain the parameter GroupName")
	case !slices.Contains([]string{"cluster", "spread", "partition"}, n.strategy):
		return bad("InvalidParameterValue", "The placement group strategy '%s' is invalid", n.strategy)
	case n.strategy == "partition":
		if n.partitions = 2; form.Has("PartitionCount") { // 2 is EC2's default
			n.partitions = query.Number(form, "PartitionCount")
		}
		if n.partitions < 1 || n.partitions > 7 {
			return bad("InvalidParameterValue", "The partition count '%s' is invalid: 1 to 7", form.Get("PartitionCount"))
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.find(n.name) != nil {
		return bad("InvalidPlacementGroup.Duplicate", "The placement group '%s' already exists.", n.name)
	}
	if form.Get("DryRun") == "true" {
		return dryRun()
	}
	g.made++
	n.id = fmt.Sprintf("pg-%017x", g.made)
	g.list = append(g.list, n)
	return query.Document(query.Root("CreatePlacementGroup", query.Text("return", "true"), n.node("placementGroup")))
}

// find returns a group by its name or id.
func (g *groups) find(name string) *group {
	i := slices.IndexFunc(g.list, func(x *group) bool { return x.name == name || x.id == name })
	if i < 0 {
		return nil
	}
	return g.list[i]
}

func (g *groups) describe(form url.Values) *query.Answer {
	g.mu.Lock()
	defer g.mu.Unlock()
	named := append(query.Numbered(form, "GroupName", ""), query.Numbered(form, "GroupId", "")...)
	for _, name := range named {
		if g.find(name) == nil {
			return unknownGroup(name)
		}
	}
	filters := query.TakeFilters(form, func(string) bool { return true })
	for _, f := range filters {
		if _, known := (&group{}).values(f.Name); !known {
			return bad("InvalidParameterValue", "The filter '%s' is invalid", f.Name)
		}
	}
	set := query.Elem("placementGroupSet")
	for _, x := range g.list {
		if (named == nil || slices.Contains(named, x.name) || slices.Contains(named, x.id)) && x.passes(filters) {
			set.Kids = append(set.Kids, x.node("item"))
		}
	}
	return query.Document(query.Root("DescribePlacementGroups", set))
}

func (x *group) passes(filters []query.Filter) bool {
	for _, f := range filters {
		values, _ := x.values(f.Name)
		if !slices.ContainsFunc(values, func(v string) bool { return anyMatch(f.Values, v) }) {
			return false
		}
	}
	return true
}

// anyMatch reports whether one of a filter's patterns matches.
func anyMatch(patterns []string, v string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return faults.Match(p, v) })
}

// values are what a filter of the name looks at.
func (x *group) values(filter string) (values []string, known bool) {
	switch filter {
	case "group-name":
		return []string{x.name}, true
	case "group-id":
		return []string{x.id}, true
	case "strategy":
		return []string{x.strategy}, true
	case "state":
		return []string{"available"}, true
	}
	key, isTag := strings.CutPrefix(filter, "tag:")
	if !isTag && filter != "tag-key" {
		return nil, false
	}
	for _, t := range x.tags {
		if !isTag {
			values = append(values, t.key)
		} else if t.key == key {
			values = append(values, t.value)
		}
	}
	return values, true
}

func (x *group) node(name string) *query.Node {
	n := query.Elem(name, query.Text("groupName", x.name), query.Text("groupId", x.id), query.Text("strategy", x.strategy), query.Text("state", "available"))
	if x.strategy == "partition" {
		n.Set("partitionCount", strconv.Itoa(x.partitions))
	}
	tags := query.Elem("tagSet")
	for _, t := range x.tags {
		tags.Kids = append(tags.Kids, query.Elem("item", query.Text("key", t.key), query.Text("value", t.value)))
	}
	n.Put(tags)
	return n
}

// tagsOf are the tags that a call gives to a kind of resource.
func tagsOf(form url.Values, kind string) (out []tag) {
	for n := 1; ; n++ {
		spec := "TagSpecification." + strconv.Itoa(n)
		if !form.Has(spec + ".ResourceType") {
			return out
		}
		if form.Get(spec+".ResourceType") != kind {
			continue
		}
		values := query.Numbered(form, spec+".Tag", "Value")
		for i, key := range query.Numbered(form, spec+".Tag", "Key") {
			t := tag{key: key}
			if i < len(values) {
				t.value = values[i]
			}
			out = append(out, t)
		}
	}
}

// deleteGroup refuses while an instance of the group is not terminated, or one
// is being launched into it. The endpoint is asked without the lock, since it
// may take its time; what joined meanwhile is in use.
func (h *Handler) deleteGroup(r *http.Request, form url.Values) *query.Answer {
	g, name := &h.groups, form.Get("GroupName")
	x, members := g.membersOf(name)
	if x == nil {
		return unknownGroup(name)
	}
	inUse := h.anyAlive(r, members)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.find(name) != x:
		return unknownGroup(name)
	case inUse || x.joining > 0 || x.joined > len(members):
		return bad("InvalidPlacementGroup.InUse", "The placement group '%s' is in use and may not be deleted.", name)
	case form.Get("DryRun") == "true":
		return dryRun()
	}
	for _, id := range members {
		delete(g.members, id)
	}
	g.list = slices.DeleteFunc(g.list, func(y *group) bool { return y == x })
	return query.Document(query.Root("DeletePlacementGroup", query.Text("return", "true")))
}

// membersOf returns a group, nil where there is none, and the instances that
// were ever in it.
func (g *groups) membersOf(name string) (x *group, ids []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if x = g.find(name); x == nil {
		return nil, nil
	}
	for id, of := range g.members {
		if of == x {
			ids = append(ids, id)
		}
	}
	return x, ids
}

// anyAlive asks for instances that are not terminated. An endpoint that does
// not say is taken to have one.
func (h *Handler) anyAlive(r *http.Request, ids []string) bool {
	if len(ids) == 0 {
		return false
	}
	slices.Sort(ids)
	form := url.Values{"Action": {"DescribeInstances"}}
	query.AppendFilter(form, "instance-id", ids...)
	query.AppendFilter(form, "instance-state-name", "pending", "running", "shutting-down", "stopping", "stopped")
	root := h.ask(r, form)
	return root == nil || len(root.Items("reservationSet")) > 0
}

// join finds the group that a launch names, nil where it names none, and keeps
// it from being deleted until the launch has joined.
func (g *groups) join(form url.Values) (x *group, refusal *query.Answer) {
	name := form.Get("Placement.GroupName")
	if name == "" {
		name = form.Get("Placement.GroupId")
	}
	if name == "" {
		return nil, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if x = g.find(name); x == nil {
		return nil, unknownGroup(name)
	}
	x.joining++
	return x, nil
}

// joined notes the instances that came of a launch.
func (g *groups) joined(x *group, ids []string) {
	if x == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	x.joining--
	x.joined += len(ids)
	for _, id := range ids {
		g.members[id] = x
	}
}

// of returns the group of an instance in an answer, nil for one in none.
func (g *groups) of(i *query.Node) *group {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members[i.Get("instanceId")]
}

// empty reports whether no instance is in any group.
func (g *groups) empty() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.members) == 0
}

// show writes into an instance that it is in the group.
func (x *group) show(i *query.Node) {
	if x != nil {
		i.Set("placement>groupName", x.name)
		i.Set("placement>groupId", x.id)
	}
}
