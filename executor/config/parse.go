package config

import (
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/read"
	"aws-slurm-burst/asba/plan"
)

// Invalid is the error of a file that cannot be used.
type Invalid struct {
	// Findings are the errors, by place: all of them, up to a hundred.
	Findings []finding.Finding
}

// Error has one line a finding.
func (e *Invalid) Error() string {
	return finding.Lines(e.Findings)
}

// Parse reads a configuration. file is its name, for findings and for the
// folder that relative paths start at. Every error is an *Invalid.
func Parse(data []byte, file string) (*Config, error) {
	doc := read.New(file, &format)
	c := defaults(file)
	if root, ok := doc.Load(data); ok {
		config(c, root)
	}
	wrong, notes := doc.Findings()
	if wrong != nil {
		return nil, &Invalid{wrong}
	}
	c.Notes = notes
	return c, nil
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

// config reads the whole file.
func config(c *Config, root read.Value) {
	var groups []groupAt
	at := root.Mapping(
		read.Key("cluster", read.Text(&c.Cluster, clusterName)),
		read.Key("aws", func(v read.Value) { aws(&c.AWS, v) }),
		read.Key("slurm", func(v read.Value) { groups = slurm(&c.Slurm, v) }),
		read.Key("nodes", read.Mapping(read.Key("reuse", read.Boolean(&c.ReuseNodes)))),
		read.Key("plans", func(v read.Value) { plans(&c.Plans, v) }),
		read.Key("policy", read.Mapping(
			read.Key("allow_user_data", read.Boolean(&c.Policy.AllowUserData)),
			read.Key("allow_iam_profile", read.Boolean(&c.Policy.AllowIAMProfile)),
			read.Key("allow_launch_template", read.Boolean(&c.Policy.AllowLaunchTemplate)),
			read.Key("allow_security_groups", read.Boolean(&c.Policy.AllowSecurityGroups)),
			read.Key("allow_subnets", read.Boolean(&c.Policy.AllowSubnets)),
			read.Key("allow_image", read.Boolean(&c.Policy.AllowImage)),
			read.Key("allow_group_name", read.Boolean(&c.Policy.AllowGroupName)),
			read.Key("allow_unknown_price", read.Boolean(&c.Policy.AllowUnknownPrice)),
			read.Key("max_cost_per_hour", money(&c.Policy.MaxCostPerHour)),
			read.Key("max_nodes", read.Whole(&c.Policy.MaxNodes, 0, maxNodes)),
		)),
		read.Key("asba", func(v read.Value) { asba(&c.ASBA, v) }),
		read.Key("asbb", read.Mapping()),
		read.Key("mpi", read.Mapping(
			read.Key("efa_default", read.Word(&c.MPI.EFA, "required", "preferred", "optional", "disabled")),
			read.Key("placement_group_threshold", read.Whole(&c.MPI.PlacementThreshold, 1, maxNodes)),
			read.Key("force_cluster_placement_group", read.Boolean(&c.MPI.ForceCluster)),
		)),
		read.Key("journal", read.Mapping(read.Key("dir", read.Path(&c.Journal.Dir)))),
		read.Key("capacity", read.Mapping(read.Key("ttl_seconds", duration(&c.Capacity.TTL, 0, 24*time.Hour)))),
		read.Key("logging", read.Mapping(
			read.Key("level", read.Word(&c.Logging.Level, "debug", "info", "warn", "error")),
			read.Key("format", read.Word(&c.Logging.Format, "json", "text")),
			read.Key("file", read.Path(&c.Logging.File)),
		)),
		read.Key("ecosystem", read.Mapping()),
	)
	if at == nil { // not even keys: that is told already
		return
	}
	for _, g := range groups {
		c.Groups = append(c.Groups, g.group)
	}
	c.owners = own(groups)
	together(c, root, groups)
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
