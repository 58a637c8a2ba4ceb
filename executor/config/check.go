package config

import (
	"regexp"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/read"
)

// The forms of names. Ids are checked by prefix alone: LocalStack's and the
// embedded endpoint's have other lengths than AWS's.
var (
	clusterName = matches(regexp.MustCompile(`^[A-Za-z0-9_.-]+$`), 64, "is not a cluster name", "use 1 to 64 letters, digits, '-', '_' and '.'")
	slurmName   = matches(regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`), 128, "is not a name for Slurm", "begin with a letter or digit; use letters, digits, '-', '_' and '.'")
	slurmKey    = matches(regexp.MustCompile(`^[A-Za-z]+$`), 64, "is not a parameter of a Slurm node line", "write it as slurm.conf has it, such as RealMemory")
	oneWord     = matches(regexp.MustCompile(`^[^\s#"]+$`), 1000, "cannot stand in slurm.conf", "write one word without quotes")
	address     = matches(regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`), 255, "is not an address", "write a host name or an IP address")
	regionName  = matches(regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+$`), 0, "is not a region", "write one such as us-east-1")
	// Zones, local zones (us-west-2-lax-1a) and Wavelength zones.
	zoneName        = matches(regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+([a-z]|(-[a-z0-9]+)+)$`), 0, "is not an availability zone", "write a name such as us-east-1a, not an id such as use1-az1")
	typeName        = matches(regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`), 0, "is not an instance type", "write family and size, such as c6i.xlarge")
	subnetID        = id("subnet-", "a subnet")
	groupID         = id("sg-", "a security group")
	imageID         = id("ami-", "an image")
	templateID      = id("lt-", "a launch template")
	vpcID           = id("vpc-", "a VPC")
	roleARN         = matches(regexp.MustCompile(`^arn:[a-z0-9-]+:iam::[0-9]{12}:role/.+$`), 0, "is not a role's ARN", "write one such as arn:aws:iam::123456789012:role/burst")
	imageOwner      = matches(regexp.MustCompile(`^([0-9]{12}|self|amazon|aws-marketplace)$`), 0, "is not an image's owner", "write self, amazon or an account id of 12 digits")
	templateVersion = matches(regexp.MustCompile(`^([0-9]+|\$Latest|\$Default)$`), 0, "is not a template's version", "write a number, $Latest or $Default")
	// EC2's limits for tags, in characters.
	tagKey   = matches(regexp.MustCompile(`^.+$`), 128, "is not a tag's key", "use 1 to 128 characters")
	tagValue = matches(regexp.MustCompile(`^.*$`), 256, "is too long for a tag", "use at most 256 characters")
)

const (
	// EC2 takes 50 tags a resource; ours need up to 20 of them.
	maxTags = 30
	// Slurm counts CPUs in 16 bits. The largest machine of EC2 has 32 TiB.
	maxCPUs   = 1<<16 - 1
	maxMemory = 64 << 20 // MiB
)

func id(prefix, what string) read.Check {
	return matches(regexp.MustCompile("^"+prefix+"[0-9A-Za-z-]+$"), len(prefix)+64, "is not "+what+"'s id", "write its id, "+prefix+"...")
}

// missing says that a key is needed.
func missing(v read.Value, name, hint string) {
	if hint == "" {
		hint = "add " + name
	}
	v.Fail(idMissing, hint, "%s is missing", name)
}

// exclusive reports whether more than one of the keys is given, and says so.
func exclusive(at map[string]read.Value, hint string, names ...string) bool {
	first := ""
	for _, n := range names {
		v, given := at[n]
		switch {
		case !given:
		case first != "":
			v.Fail(idConflict, hint, "%s and %s exclude each other", first, n)
			return true
		default:
			first = n
		}
	}
	return false
}

// pick is the place of a key, or of its mapping where the key is not given.
func pick(at map[string]read.Value, name string, whole read.Value) read.Value {
	if v, ok := at[name]; ok {
		return v
	}
	return whole
}

// own notes which group owns which names, and tells of names with two owners:
// one name a pair of groups is enough to see the overlap.
func own(groups []groupAt) owners {
	o := owners{byName: map[string]*NodeGroup{}, byStem: map[string]*NodeGroup{}}
	labels := map[string]bool{}
	for _, g := range groups {
		ng := g.group
		if ng.Partition == "" || ng.Name == "" {
			continue // told already
		}
		if labels[ng.String()] {
			pick(g.at, "node_group_name", g.self).Fail(idOwner, "rename one", "node group %s is there twice", ng)
			continue
		}
		labels[ng.String()] = true
		if len(ng.Nodes) > 0 {
			continue
		}
		if before, ok := o.byStem[ng.stem()]; ok {
			g.self.Fail(idOwner, "give one of them nodes: HOSTLIST", "node group %s names its nodes %s[...], as %s does", ng, ng.stem(), before)
		}
		o.byStem[ng.stem()] = ng
	}
	for _, g := range groups {
		told := map[*NodeGroup]bool{g.group: true}
		for _, n := range g.group.Nodes {
			other, byName := o.byName[n]
			if !byName {
				other = o.byStem[stemOf(n)]
				o.byName[n] = g.group
			}
			if other != nil && !told[other] {
				told[other] = true
				g.at["nodes"].Fail(idOwner, "a node belongs to one node group", "%s belongs to node group %s already", n, other)
			}
		}
	}
	return o
}

// owners finds a node's group: by its name, or by the name without its number.
type owners struct {
	byName, byStem map[string]*NodeGroup
}

// GroupOf returns the group that a node belongs to.
func (c *Config) GroupOf(node string) (*NodeGroup, bool) {
	if g, ok := c.owners.byName[node]; ok {
		return g, true
	}
	g, ok := c.owners.byStem[stemOf(node)]
	return g, ok
}

// stem begins the names of a group that names no nodes of its own.
func (g *NodeGroup) stem() string { return g.Partition + "-" + g.Name + "-" }

// String names the group as people do: "aws/hpc".
func (g *NodeGroup) String() string { return g.Partition + "/" + g.Name }

// stemOf returns a node's name without its final number, "" where it has none.
func stemOf(node string) string {
	stem := strings.TrimRight(node, "0123456789")
	if stem == node {
		return ""
	}
	return stem
}

// together checks what no section can see alone.
func together(c *Config, root read.Value, groups []groupAt) {
	if len(groups) == 0 {
		root.Note(finding.Warning, idUnwise, "add slurm.partitions with a node group", "there is no node group, so no node can be launched")
	}
	if c.AWS.Region == "" && c.AWS.Profile == "" && c.AWS.ConfigFile == "" {
		root.Note(finding.Warning, idUnwise, "add aws.region", "no region: slurmctld passes no AWS_REGION on")
	}
	for _, g := range groups {
		switch {
		case g.region == "":
		case c.AWS.Region == "":
			c.AWS.Region = g.region // one region a configuration: see below
		case g.region != c.AWS.Region:
			g.at["region"].Fail(idConflict, "use one configuration for each region", "region %s differs from aws.region %s", g.region, c.AWS.Region)
		}
	}
	if c.AWS.Region == "" {
		return
	}
	for _, g := range groups {
		for _, az := range g.group.Subnets.AZs {
			if !strings.HasPrefix(az, c.AWS.Region) {
				g.at["subnets"].Fail(idConflict, "name zones of that region", "zone %s is not in region %s", az, c.AWS.Region)
			}
		}
	}
}
