package config

import (
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/read"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/hostlist"
)

// maxNodes bounds every number of nodes: Slurm's own limit for one expression.
const maxNodes = hostlist.MaxHosts

// groupAt is a node group with the places that later checks speak of.
type groupAt struct {
	group  *NodeGroup
	region string
	self   read.Value
	at     map[string]read.Value
}

func partition(v read.Value) []groupAt {
	var name string
	var groups []groupAt
	at := v.Mapping(
		read.Key("partition_name", read.Text(&name, slurmName)),
		read.Key("node_groups", read.List(func(v read.Value) {
			if g, ok := nodeGroup(v); ok {
				groups = append(groups, g)
			}
		})),
	)
	if at == nil {
		return nil
	}
	if _, given := at["partition_name"]; !given {
		missing(v, "partition_name", "")
	}
	for _, g := range groups {
		g.group.Partition = name
	}
	return groups
}

func nodeGroup(v read.Value) (groupAt, bool) {
	g := &NodeGroup{Purchasing: OnDemand, PlacementRequired: true, Gang: true}
	out := groupAt{group: g, self: v}
	var subnetIDs, types []string
	var overrides []Type
	var specs []specification
	out.at = v.Mapping(
		read.Key("node_group_name", read.Text(&g.Name, slurmName)),
		read.Key("nodes", func(v read.Value) { nodes(&g.Nodes, v) }),
		read.Key("max_nodes", read.Whole(&g.MaxNodes, 0, maxNodes)),
		read.Key("region", read.Text(&out.region, regionName)),
		read.Key("purchasing_option", read.Word(&g.Purchasing, OnDemand, Spot, Mixed)),
		read.Key("allow_mixed", read.Boolean(&g.AllowMixed)),
		read.Key("max_spot_price", money(&g.MaxSpotPrice)),
		read.Key("max_cost_per_hour", money(&g.MaxCostPerHour)),
		read.Key("instance_types", read.Texts(&types, typeName)),
		read.Key("launch_template_overrides", read.List(func(v read.Value) { override(&overrides, v) })),
		read.Key("launch_template_specification", func(v read.Value) { template(g, v) }),
		read.Key("image", func(v read.Value) { image(&g.Image, v) }),
		read.Key("subnets", func(v read.Value) { subnets(&g.Subnets, v) }),
		read.Key("subnet_ids", read.Texts(&subnetIDs, subnetID)),
		read.Key("security_group_ids", read.Texts(&g.SecurityGroups, groupID)),
		read.Key("iam_instance_profile", read.Text(&g.InstanceProfile, read.NotEmpty)),
		read.Key("key_name", read.Text(&g.KeyName, read.NotEmpty)),
		read.Key("user_data_file", read.Path(&g.UserDataFile)),
		read.Key("tags", tags(&g.Tags, true)),
		read.Key("placement", read.Mapping(
			read.Key("strategy", read.Word(&g.Placement, "cluster", "spread", "partition", "none")),
			read.Key("required", read.Boolean(&g.PlacementRequired)),
		)),
		read.Key("gang", read.Boolean(&g.Gang)),
		read.Key("cpus", read.Whole(&g.CPUs, 1, maxCPUs)),
		read.Key("memory_mb", read.Whole(&g.MemoryMB, 1, maxMemory)),
		read.Key("gres", read.Text(&g.Gres, read.NotEmpty)),
		read.Key("slurm_specifications", specifications(&specs)),
	)
	if out.at == nil {
		return out, false
	}
	if _, given := out.at["node_group_name"]; !given {
		missing(v, "node_group_name", "")
	}
	size(g, specs)
	g.AllowMixed = g.AllowMixed || g.Purchasing == Mixed

	exclusive(out.at, "keep one; overrides can name a price and a subnet with each type", "instance_types", "launch_template_overrides")
	for _, t := range types {
		overrides = append(overrides, Type{Name: t})
	}
	g.Types = overrides
	exclusive(out.at, "keep one", "subnets", "subnet_ids")
	g.Subnets.IDs = append(g.Subnets.IDs, subnetIDs...)
	if s := &g.Subnets; len(s.IDs)+len(s.AZs)+len(s.Tags) == 0 && s.VPC == "" && !s.DefaultForAZ {
		for _, t := range g.Types {
			for _, id := range t.SubnetIDs {
				if !slices.Contains(s.IDs, id) {
					s.IDs = append(s.IDs, id)
				}
			}
		}
		s.DefaultForAZ = len(s.IDs) == 0
	}
	for i, t := range g.Types {
		if slices.ContainsFunc(g.Types[:i], func(u Type) bool { return u.Name == t.Name }) {
			out.at["instance_types"].Fail(idTwice, "name it once", "%s is named twice", t.Name)
		}
	}
	return out, true
}

func nodes(to *[]string, v read.Value) {
	expr, ok := v.Text()
	if !ok {
		return
	}
	names, err := hostlist.Expand(expr)
	if err != nil {
		v.Fail(idHostlist, "", "%s", err)
		return
	}
	seen := make(map[string]bool, len(names))
	*to = slices.DeleteFunc(names, func(n string) bool {
		again := seen[n]
		seen[n] = true
		return again
	})
}

// override reads one type with its price and subnet. The same type may come
// again with another subnet: that is how the first versions name several.
func override(to *[]Type, v read.Value) {
	var t Type
	var subnet string
	at := v.Mapping(
		read.Key("instance_type", read.Text(&t.Name, typeName)),
		read.Key("spot_price", money(&t.SpotPrice)),
		read.Key("subnet_id", read.Text(&subnet, subnetID)),
	)
	if at == nil {
		return
	}
	if _, given := at["instance_type"]; !given {
		missing(v, "instance_type", "")
	}
	if t.Name == "" {
		return
	}
	if subnet != "" {
		t.SubnetIDs = []string{subnet}
	}
	i := slices.IndexFunc(*to, func(u Type) bool { return u.Name == t.Name })
	if i < 0 {
		*to = append(*to, t)
		return
	}
	before := &(*to)[i]
	switch {
	case before.SpotPrice != t.SpotPrice:
		pick(at, "spot_price", v).Fail(idConflict, "give a type one price", "%s has another spot_price before", t.Name)
	case subnet == "" || len(before.SubnetIDs) == 0 || slices.Contains(before.SubnetIDs, subnet):
		v.Fail(idTwice, "name it once, or once a subnet", "%s is named twice", t.Name)
	default:
		before.SubnetIDs = append(before.SubnetIDs, subnet)
	}
}

func template(g *NodeGroup, v read.Value) {
	var name, id string
	at := v.Mapping(
		read.Key("launch_template_name", read.Text(&name, read.NotEmpty)),
		read.Key("launch_template_id", read.Text(&id, templateID)),
		read.Key("version", read.Text(&g.TemplateVersion, templateVersion)),
	)
	if at == nil || exclusive(at, "keep one", "launch_template_name", "launch_template_id") {
		return
	}
	_, byName := at["launch_template_name"]
	_, byID := at["launch_template_id"]
	if !byName && !byID {
		missing(v, "launch_template_name", "or launch_template_id")
	}
	g.Template = name + id
}

func image(i *Image, v read.Value) {
	at := v.Mapping(
		read.Key("id", read.Text(&i.ID, imageID)),
		read.Key("name", read.Text(&i.Name, read.NotEmpty)),
		read.Key("owner", read.Text(&i.Owner, imageOwner)),
		read.Key("arch", read.Word(&i.Arch, "x86_64", "arm64")),
		read.Key("tags", tags(&i.Tags, false)),
	)
	for _, filter := range []string{"name", "owner", "arch", "tags"} {
		exclusive(at, "an id needs no filter; keep one", "id", filter)
	}
	_, byID := at["id"]
	_, byName := at["name"]
	switch {
	case at == nil || byID:
	case !byName && len(i.Tags) == 0:
		missing(v, "id", "or name, or tags")
	case i.Owner == "":
		// Anyone may publish an image under any name.
		v.Note(finding.Warning, idUnwise, "add owner: self, amazon or an account id", "an image chosen without its owner can be a stranger's")
	}
}

func subnets(s *Subnets, v read.Value) {
	at := v.Mapping(
		read.Key("ids", read.Texts(&s.IDs, subnetID)),
		read.Key("default_for_az", read.Boolean(&s.DefaultForAZ)),
		read.Key("azs", read.Texts(&s.AZs, zoneName)),
		read.Key("vpc", read.Text(&s.VPC, vpcID)),
		read.Key("tags", tags(&s.Tags, false)),
	)
	for _, filter := range []string{"default_for_az", "azs", "vpc", "tags"} {
		exclusive(at, "ids need no filter; keep one", "ids", filter)
	}
}

// tags reads a list of {key, value}, as the first versions have it, or a
// mapping. Keys that are AWS's or ours cannot be put on instances.
func tags(to *[]cloud.Tag, launch bool) read.Reader {
	add := func(v read.Value, t cloud.Tag) {
		switch reserved := strings.HasPrefix(t.Key, "aws:") || strings.HasPrefix(t.Key, "aws-slurm-burst:"); {
		case slices.ContainsFunc(*to, func(u cloud.Tag) bool { return u.Key == t.Key }):
			v.Fail(idTwice, "remove one of the two", "the tag %s is given twice", read.Show(t.Key))
		case launch && reserved:
			v.Fail(idValue, "rename it", "the tag %s begins with a reserved prefix", read.Show(t.Key))
		case len(*to) == maxTags:
			v.Fail(idValue, "remove some", "more than %d tags", maxTags)
		default:
			*to = append(*to, t)
		}
	}
	return func(v read.Value) {
		if v.IsMapping() {
			v.Pairs(tagKey, tagValue, func(at read.Value, k, val string) { add(at, cloud.Tag{Key: k, Value: val}) })
			return
		}
		read.List(func(v read.Value) {
			var t cloud.Tag
			at := v.Mapping(read.Key("key", read.Text(&t.Key, tagKey)), read.Key("value", read.Text(&t.Value, tagValue)))
			if _, given := at["key"]; at != nil && !given {
				missing(v, "key", "")
			}
			if t.Key != "" {
				add(v, t)
			}
		})(v)
	}
}

// A specification is a parameter of the Slurm node line and its place.
type specification struct {
	Setting
	at read.Value
}

func specifications(to *[]specification) read.Reader {
	return func(v read.Value) {
		v.Pairs(slurmKey, oneWord, func(at read.Value, k, val string) {
			*to = append(*to, specification{Setting{k, val}, at})
		})
	}
}

// size takes a node's size from its Slurm parameters, where the group's own
// keys do not give it, and keeps the others.
func size(g *NodeGroup, specs []specification) {
	number := func(s specification, to *int, most int) {
		n, err := strconv.Atoi(s.Value)
		switch {
		case err != nil || n < 1 || n > most:
			s.at.Fail(idValue, "write a whole number from 1 to "+strconv.Itoa(most), "%s is not a whole number in range", read.Show(s.Value))
		case *to != 0 && *to != n:
			s.at.Fail(idConflict, "keep one", "%s is %d here and %d in the node group's own key", s.Key, n, *to)
		default:
			*to = n
		}
	}
	for _, s := range specs {
		switch strings.ToLower(s.Key) { // as Slurm reads its keys
		case "cpus":
			number(s, &g.CPUs, maxCPUs)
		case "realmemory":
			number(s, &g.MemoryMB, maxMemory)
		case "gres":
			if g.Gres != "" && g.Gres != s.Value {
				s.at.Fail(idConflict, "keep one", "Gres is %s here and %s in the node group's own key", read.Show(s.Value), read.Show(g.Gres))
			}
			g.Gres = s.Value
		default:
			g.Specifications = append(g.Specifications, s.Setting)
		}
	}
}
