package config

import (
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/hostlist"
)

// maxNodes bounds every number of nodes: Slurm's own limit for one expression.
const maxNodes = hostlist.MaxHosts

// groupAt is a node group with the places that later checks speak of.
type groupAt struct {
	group  *NodeGroup
	region string
	self   value
	at     map[string]value
}

func (d *decoder) partition(v value) []groupAt {
	var name string
	var groups []groupAt
	at := d.mapping(v, []key{
		{"partition_name", text(&name, slurmName)},
		{"node_groups", list(func(d *decoder, v value) {
			if g, ok := d.group(v); ok {
				groups = append(groups, g)
			}
		})},
	})
	if at == nil {
		return nil
	}
	if _, given := at["partition_name"]; !given {
		d.missing(v, "partition_name", "")
	}
	for _, g := range groups {
		g.group.Partition = name
	}
	return groups
}

func (d *decoder) group(v value) (groupAt, bool) {
	g := &NodeGroup{Purchasing: OnDemand, PlacementRequired: true, Gang: true}
	out := groupAt{group: g, self: v}
	var subnetIDs, types []string
	var overrides []Type
	var specs []specification
	out.at = d.mapping(v, []key{
		{"node_group_name", text(&g.Name, slurmName)},
		{"nodes", func(d *decoder, v value) { d.nodes(&g.Nodes, v) }},
		{"max_nodes", whole(&g.MaxNodes, 0, maxNodes)},
		{"region", text(&out.region, regionName)},
		{"purchasing_option", word(&g.Purchasing, OnDemand, Spot, Mixed)},
		{"allow_mixed", boolean(&g.AllowMixed)},
		{"max_spot_price", money(&g.MaxSpotPrice)},
		{"max_cost_per_hour", money(&g.MaxCostPerHour)},
		{"instance_types", texts(&types, typeName)},
		{"launch_template_overrides", list(func(d *decoder, v value) { d.override(&overrides, v) })},
		{"launch_template_specification", func(d *decoder, v value) { d.template(g, v) }},
		{"image", func(d *decoder, v value) { d.image(&g.Image, v) }},
		{"subnets", func(d *decoder, v value) { d.subnets(&g.Subnets, v) }},
		{"subnet_ids", texts(&subnetIDs, subnetID)},
		{"security_group_ids", texts(&g.SecurityGroups, groupID)},
		{"iam_instance_profile", text(&g.InstanceProfile, notEmpty)},
		{"key_name", text(&g.KeyName, notEmpty)},
		{"user_data_file", path(&g.UserDataFile)},
		{"tags", tags(&g.Tags, true)},
		{"placement", section(
			key{"strategy", word(&g.Placement, "cluster", "spread", "partition", "none")},
			key{"required", boolean(&g.PlacementRequired)},
		)},
		{"gang", boolean(&g.Gang)},
		{"cpus", whole(&g.CPUs, 1, maxCPUs)},
		{"memory_mb", whole(&g.MemoryMB, 1, maxMemory)},
		{"gres", text(&g.Gres, notEmpty)},
		{"slurm_specifications", specifications(&specs)},
	})
	if out.at == nil {
		return out, false
	}
	if _, given := out.at["node_group_name"]; !given {
		d.missing(v, "node_group_name", "")
	}
	d.size(g, specs)
	g.AllowMixed = g.AllowMixed || g.Purchasing == Mixed

	d.exclusive(out.at, "keep one; overrides can name a price and a subnet with each type", "instance_types", "launch_template_overrides")
	for _, t := range types {
		overrides = append(overrides, Type{Name: t})
	}
	g.Types = overrides
	d.exclusive(out.at, "keep one", "subnets", "subnet_ids")
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
			d.fail(idTwice, out.at["instance_types"], "name it once", "%s is named twice", t.Name)
		}
	}
	return out, true
}

func (d *decoder) nodes(to *[]string, v value) {
	expr, ok := d.text(v)
	if !ok {
		return
	}
	names, err := hostlist.Expand(expr)
	if err != nil {
		d.fail(idHostlist, v, "", "%s", err)
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
func (d *decoder) override(to *[]Type, v value) {
	var t Type
	var subnet string
	at := d.mapping(v, []key{
		{"instance_type", text(&t.Name, typeName)},
		{"spot_price", money(&t.SpotPrice)},
		{"subnet_id", text(&subnet, subnetID)},
	})
	if at == nil {
		return
	}
	if _, given := at["instance_type"]; !given {
		d.missing(v, "instance_type", "")
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
		d.fail(idConflict, pick(at, "spot_price", v), "give a type one price", "%s has another spot_price before", t.Name)
	case subnet == "" || len(before.SubnetIDs) == 0 || slices.Contains(before.SubnetIDs, subnet):
		d.fail(idTwice, v, "name it once, or once a subnet", "%s is named twice", t.Name)
	default:
		before.SubnetIDs = append(before.SubnetIDs, subnet)
	}
}

func (d *decoder) template(g *NodeGroup, v value) {
	var name, id string
	at := d.mapping(v, []key{
		{"launch_template_name", text(&name, notEmpty)},
		{"launch_template_id", text(&id, templateID)},
		{"version", text(&g.TemplateVersion, templateVersion)},
	})
	if at == nil || d.exclusive(at, "keep one", "launch_template_name", "launch_template_id") {
		return
	}
	_, byName := at["launch_template_name"]
	_, byID := at["launch_template_id"]
	if !byName && !byID {
		d.missing(v, "launch_template_name", "or launch_template_id")
	}
	g.Template = name + id
}

func (d *decoder) image(i *Image, v value) {
	at := d.mapping(v, []key{
		{"id", text(&i.ID, imageID)},
		{"name", text(&i.Name, notEmpty)},
		{"owner", text(&i.Owner, imageOwner)},
		{"arch", word(&i.Arch, "x86_64", "arm64")},
		{"tags", tags(&i.Tags, false)},
	})
	for _, filter := range []string{"name", "owner", "arch", "tags"} {
		d.exclusive(at, "an id needs no filter; keep one", "id", filter)
	}
	_, byID := at["id"]
	_, byName := at["name"]
	switch {
	case at == nil || byID:
	case !byName && len(i.Tags) == 0:
		d.missing(v, "id", "or name, or tags")
	case i.Owner == "":
		// Anyone may publish an image under any name.
		d.note(finding.Warning, idUnwise, v, "add owner: self, amazon or an account id", "an image chosen without its owner can be a stranger's")
	}
}

func (d *decoder) subnets(s *Subnets, v value) {
	at := d.mapping(v, []key{
		{"ids", texts(&s.IDs, subnetID)},
		{"default_for_az", boolean(&s.DefaultForAZ)},
		{"azs", texts(&s.AZs, zoneName)},
		{"vpc", text(&s.VPC, vpcID)},
		{"tags", tags(&s.Tags, false)},
	})
	for _, filter := range []string{"default_for_az", "azs", "vpc", "tags"} {
		d.exclusive(at, "ids need no filter; keep one", "ids", filter)
	}
}

// tags reads a list of {key, value}, as the first versions have it, or a
// mapping. Keys that are AWS's or ours cannot be put on instances.
func tags(to *[]cloud.Tag, launch bool) reader {
	add := func(d *decoder, v value, t cloud.Tag) {
		switch reserved := strings.HasPrefix(t.Key, "aws:") || strings.HasPrefix(t.Key, "aws-slurm-burst:"); {
		case slices.ContainsFunc(*to, func(u cloud.Tag) bool { return u.Key == t.Key }):
			d.fail(idTwice, v, "remove one of the two", "the tag %s is given twice", show(t.Key))
		case launch && reserved:
			d.fail(idValue, v, "rename it", "the tag %s begins with a reserved prefix", show(t.Key))
		case len(*to) == maxTags:
			d.fail(idValue, v, "remove some", "more than %d tags", maxTags)
		default:
			*to = append(*to, t)
		}
	}
	return func(d *decoder, v value) {
		if d.isMapping(v) {
			d.pairs(v, tagKey, tagValue, func(at value, k, val string) { add(d, at, cloud.Tag{Key: k, Value: val}) })
			return
		}
		list(func(d *decoder, v value) {
			var t cloud.Tag
			at := d.mapping(v, []key{{"key", text(&t.Key, tagKey)}, {"value", text(&t.Value, tagValue)}})
			if _, given := at["key"]; at != nil && !given {
				d.missing(v, "key", "")
			}
			if t.Key != "" {
				add(d, v, t)
			}
		})(d, v)
	}
}

// A specification is a parameter of the Slurm node line and its place.
type specification struct {
	Setting
	at value
}

func specifications(to *[]specification) reader {
	return func(d *decoder, v value) {
		d.pairs(v, slurmKey, oneWord, func(at value, k, val string) {
			*to = append(*to, specification{Setting{k, val}, at})
		})
	}
}

// size takes a node's size from its Slurm parameters, where the group's own
// keys do not give it, and keeps the others.
func (d *decoder) size(g *NodeGroup, specs []specification) {
	number := func(s specification, to *int, most int) {
		n, err := strconv.Atoi(s.Value)
		switch {
		case err != nil || n < 1 || n > most:
			d.fail(idValue, s.at, "write a whole number from 1 to "+strconv.Itoa(most), "%s is not a whole number in range", show(s.Value))
		case *to != 0 && *to != n:
			d.fail(idConflict, s.at, "keep one", "%s is %d here and %d in the node group's own key", s.Key, n, *to)
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
				d.fail(idConflict, s.at, "keep one", "Gres is %s here and %s in the node group's own key", show(s.Value), show(g.Gres))
			}
			g.Gres = s.Value
		default:
			g.Specifications = append(g.Specifications, s.Setting)
		}
	}
}
