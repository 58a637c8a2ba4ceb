package config

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
)

// maxBytes is far above a real file: ten thousand node groups fit.
const maxBytes = 1 << 20

// Invalid is the error of a file that cannot be used.
type Invalid struct {
	// Findings are the errors, by place: all of them, up to a hundred.
	Findings []finding.Finding
}

// Error has one line a finding.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Parse reads a configuration. file is its name, for findings and for the
// folder that relative paths start at. Every error is an *Invalid.
func Parse(data []byte, file string) (*Config, error) {
	d := &decoder{file: file}
	c := defaults(file)
	if root := d.document(data); root != nil {
		d.config(c, value{node: root})
	}
	finding.Sort(d.findings)
	if d.errors > 0 {
		notes := func(f finding.Finding) bool { return f.Level < finding.Error }
		return nil, &Invalid{slices.DeleteFunc(d.findings, notes)}
	}
	c.Notes = d.findings
	return c, nil
}

// document returns the root of the only document, or nil with a finding.
func (d *decoder) document(data []byte) *yaml.Node {
	whole := value{}
	switch {
	case len(data) > maxBytes:
		d.fail(idSyntax, whole, "is it the right file?", "the file is larger than %d bytes", maxBytes)
		return nil
	case !utf8.Valid(data):
		d.fail(idSyntax, whole, "save it as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	var docs []yaml.Node
	if err := yaml.Load(data, &docs, yaml.WithAllDocuments()); err != nil {
		var bad *yaml.LoadError
		at, msg := whole, err.Error()
		if errors.As(err, &bad) {
			at, msg = value{node: &yaml.Node{Line: bad.Mark.Line, Column: bad.Mark.Column}}, bad.Message
		}
		d.fail(idSyntax, at, "", "not YAML: %s", strings.Join(strings.Fields(msg), " "))
		return nil
	}
	switch {
	case len(docs) > 1:
		d.fail(idSyntax, value{node: &docs[1]}, "keep one", "a second YAML document begins here")
		return nil
	case len(docs) == 0 || len(docs[0].Content) == 0 || docs[0].Content[0].ShortTag() == "!!null":
		d.fail(idSyntax, whole, "give it at least slurm.partitions with a node group", "the file is empty")
		return nil
	}
	return docs[0].Content[0]
}

// defaults are what a key that is not given stands for.
func defaults(file string) *Config {
	return &Config{
		File:    file,
		Cluster: "default",
		Plans: Plans{
			OnMissing: "standalone", OnInvalid: "refuse", OnImpossible: "drop", OnAdviceAgainst: "exclude",
			PlacementRequired: true, Timeout: 2 * time.Second,
		},
		Policy: Policy{
			Policy: plan.DefaultPolicy, AllowImage: true,
		},
		ASBA:    ASBA{Timeout: 30 * time.Second},
		MPI:     MPI{EFA: "optional", PlacementThreshold: 2},
		Logging: Logging{Level: "info", Format: "json"},
	}
}

// section makes a reader of a mapping that needs no look at its keys together.
func section(keys ...key) reader {
	return func(d *decoder, v value) { d.mapping(v, keys) }
}

func (d *decoder) config(c *Config, root value) {
	var groups []groupAt
	at := d.mapping(root, []key{
		{"cluster", text(&c.Cluster, clusterName)},
		{"aws", func(d *decoder, v value) { d.aws(&c.AWS, v) }},
		{"slurm", func(d *decoder, v value) { groups = d.slurm(&c.Slurm, v) }},
		{"nodes", section(key{"reuse", boolean(&c.ReuseNodes)})},
		{"plans", func(d *decoder, v value) { d.plans(&c.Plans, v) }},
		{"policy", section(
			key{"allow_user_data", boolean(&c.Policy.AllowUserData)},
			key{"allow_iam_profile", boolean(&c.Policy.AllowIAMProfile)},
			key{"allow_launch_template", boolean(&c.Policy.AllowLaunchTemplate)},
			key{"allow_security_groups", boolean(&c.Policy.AllowSecurityGroups)},
			key{"allow_subnets", boolean(&c.Policy.AllowSubnets)},
			key{"allow_image", boolean(&c.Policy.AllowImage)},
			key{"allow_group_name", boolean(&c.Policy.AllowGroupName)},
			key{"allow_unknown_price", boolean(&c.Policy.AllowUnknownPrice)},
			key{"max_cost_per_hour", money(&c.Policy.MaxCostPerHour)},
			key{"max_nodes", whole(&c.Policy.MaxNodes, 0, maxNodes)},
		)},
		{"asba", func(d *decoder, v value) { d.asba(&c.ASBA, v) }},
		{"asbb", section()},
		{"mpi", section(
			key{"efa_default", word(&c.MPI.EFA, "required", "preferred", "optional", "disabled")},
			key{"placement_group_threshold", whole(&c.MPI.PlacementThreshold, 1, maxNodes)},
			key{"force_cluster_placement_group", boolean(&c.MPI.ForceCluster)},
		)},
		{"journal", section(key{"dir", path(&c.Journal.Dir)})},
		{"capacity", section(key{"ttl_seconds", duration(&c.Capacity.TTL, 0, 24*time.Hour)})},
		{"logging", section(
			key{"level", word(&c.Logging.Level, "debug", "info", "warn", "error")},
			key{"format", word(&c.Logging.Format, "json", "text")},
			key{"file", path(&c.Logging.File)},
		)},
		{"ecosystem", section()},
	})
	if at == nil { // not even keys: that is told already
		return
	}
	for _, g := range groups {
		c.Groups = append(c.Groups, g.group)
	}
	c.owners = d.own(groups)
	d.together(c, root, groups)
}

// ignored says why a key of the first versions is accepted and not acted on;
// "" for any other key.
func ignored(pointer string) (why string) {
	var names []string
	for _, p := range strings.Split(pointer, "/")[1:] {
		if strings.Trim(p, "0123456789") != "" { // an index of a list is no name
			names = append(names, p)
		}
	}
	return notUsed[strings.Join(names, ".")]
}

// notUsed is every key of the first versions that we read past, and why. It is
// looked up by name, never walked.
var notUsed = map[string]string{
	"aws.retry_max_attempts": "calls are repeated until the launch deadline",
	"aws.retry_mode":         "calls are repeated until the launch deadline",
	"aws.token_refresh":      "credentials are refreshed when they expire",
	"aws.sso.start_url":      "the profile has it",
	"aws.sso.account_id":     "the profile has it",
	"aws.sso.role_name":      "the profile has it",

	"slurm.private_data":    inSlurmConf,
	"slurm.resume_program":  inSlurmConf,
	"slurm.suspend_program": inSlurmConf,
	"slurm.resume_rate":     inSlurmConf,
	"slurm.suspend_rate":    inSlurmConf,
	"slurm.suspend_time":    inSlurmConf,
	"slurm.tree_width":      inSlurmConf,

	"slurm.partitions.partition_options":                                       inSlurmConf,
	"slurm.partitions.node_groups.on_demand_options":                           "types and zones are tried in the order written",
	"slurm.partitions.node_groups.spot_options":                                "types and zones are tried in the order written",
	"slurm.partitions.node_groups.launch_template_overrides.weighted_capacity": "a node is one instance",

	"asbb.enabled":            noASBB,
	"asbb.command":            noASBB,
	"asbb.reconciliation_dir": noASBB,
	"asbb.timeout":            noASBB,
	"asbb.timeout_seconds":    noASBB,

	"mpi.hpc_instances_threshold":    "types are named by plans and node groups",
	"mpi.enable_enhanced_networking": "every current instance type has it",

	"logging.max_size_mb":  "logrotate turns log files over",
	"logging.max_age_days": "logrotate turns log files over",
	"logging.compress":     "logrotate turns log files over",

	"ecosystem.auto_detect":          noEcosystem,
	"ecosystem.shared_config_path":   noEcosystem,
	"ecosystem.data_exchange_dir":    noEcosystem,
	"ecosystem.enable_cross_project": noEcosystem,
}

const (
	inSlurmConf = "slurm.conf decides it"
	noASBB      = "budgets are bounded by policy and plans"
	noEcosystem = "each program is named where it is used"
)
