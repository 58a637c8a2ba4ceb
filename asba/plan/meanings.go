package plan

// Meaning is what a key says, for people and for editors.
type Meaning struct {
	// Means is a line, with the unit where the Kind does not say it.
	Means string
	// Unset is what holds where a plan does not say it; "" where nothing
	// comes of that.
	Unset string
	// Words are the values of a KindText that is one of a few.
	Words []string
	// Pattern is a regular expression (of RE2 and of ECMA-262 alike) that a
	// value matches, of a KindList each item.
	Pattern string
	// Example is a value as JSON.
	Example string
	// Old marks a name that is read and not to be written any more.
	Old bool
}

// Patterns of names. They tell a name from none; whether EC2 has what is named
// is for the catalogue and EC2 to say.
const (
	// family.size, such as c6i.2xlarge, p6-b200.48xlarge, c6i.metal-24xl.
	TypePattern = `^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$`
	// A region with a letter, or a local or wavelength zone of it, such as
	// us-east-1a, eusc-de-east-1a, us-west-2-lax-1a, us-east-1-wl1-bos-wlz-1; or a zone's id,
	// the same in every account, such as use1-az4, usw2-lax1-az1.
	ZonePattern = `^([a-z]{2,4}(-[a-z]+)+-[0-9]+([a-z]|(-[a-z0-9]+)+-[0-9]+[a-z]?)|[a-z]{2,8}[0-9](-[a-z0-9]+)*-(az|wlz)[0-9]+)$`
	// EC2's ids have 8 hexadecimal digits, since 2016 17.
	subnetPattern   = `^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`
	groupPattern    = `^sg-([0-9a-f]{8}|[0-9a-f]{17})$`
	templatePattern = `^lt-([0-9a-f]{8}|[0-9a-f]{17})$`
)

const (
	ofGroup  = "the node group's"
	recorded = "kept for people, decides nothing"
)

// meanings has every key of fields by its path.
var meanings = map[string]Meaning{
	"$schema": {Means: "where an editor finds the JSON Schema of plans; decides nothing", Example: `"../asba/plan/plan.schema.json"`},
	"should_burst": {Means: "whether to launch anything; false gives the nodes back, with the decision_factors as the reason",
		Unset: "true", Example: `true`},
	"asba_version":             {Means: "the advisor's version; decides nothing", Example: `"1.2.0"`},
	"generated_at":             {Means: "when the plan was made", Example: `"2026-11-01T17:30:00Z"`},
	"recommendation_reasoning": {Means: "why the advisor says so, a reason an item; all of both places are told", Example: `["the local queue is long"]`},
	"confidence_level":         {Means: "how sure the advisor is; decides nothing", Example: `0.8`},
	"optimization_applied":     {Means: "what the advisor has made better; decides nothing"},

	"instance_specification": {Means: "which instances to launch, and how they are paid"},
	"instance_specification/instance_types": {Means: "EC2 instance types in order of preference; a gang is of one of them, and those that are impossible are dropped",
		Unset: "the plan is invalid", Pattern: TypePattern, Example: `["c6in.32xlarge", "c5n.18xlarge"]`},
	"instance_specification/instance_count": {Means: "how many instances the plan was made for; Slurm's nodes count, another number is a warning",
		Unset: "as many as process_count needs", Example: `8`},
	"instance_specification/purchasing_option": {Means: "how instances are paid: spot, on-demand, or mixed, which is both, spot first unless prefer_spot is false",
		Unset: ofGroup + ", else on-demand", Words: []string{Spot, OnDemand, Mixed}, Example: `"spot"`},
	"instance_specification/max_spot_price": {Means: "the most to pay for one spot instance, in USD an hour; 0 is no cap",
		Unset: ofGroup + ", else no cap", Example: `2.5`},
	"instance_specification/subnet_ids": {Means: "subnets to launch in; the policy may keep them for the site",
		Unset: ofGroup, Pattern: subnetPattern, Example: `["subnet-0a1b2c3d4e5f60718"]`},
	"instance_specification/launch_template_name": {Means: "an EC2 launch template by its name; of name and id EC2 takes one, and the policy may keep it for the site",
		Unset: ofGroup, Example: `"mpi-nodes"`},
	"instance_specification/launch_template_id": {Means: "an EC2 launch template by its id",
		Unset: ofGroup, Pattern: templatePattern, Example: `"lt-0a1b2c3d4e5f60718"`},
	"instance_specification/security_group_ids": {Means: "security groups of the instances; the policy may keep them for the site",
		Unset: ofGroup, Pattern: groupPattern, Example: `["sg-0a1b2c3d4e5f60718"]`},
	"instance_specification/iam_instance_profile": {Means: "the instance profile, which is rights in AWS; the policy keeps it for the site unless it says otherwise",
		Unset: ofGroup, Example: `"compute-node"`},
	"instance_specification/user_data": {Means: "a script that runs as root at boot, as plain text of at most 16 KiB (EC2 API reference, RunInstances); the policy keeps it for the site unless it says otherwise",
		Unset: ofGroup, Example: `"#!/bin/sh\nmodprobe lustre\n"`},
	"instance_specification/spot_instance_config":                    {Means: "what the plan says of spot once more"},
	"instance_specification/spot_instance_config/enable_spot":        {Means: "true is purchasing_option spot; false says nothing", Example: `true`},
	"instance_specification/spot_instance_config/spot_fleet_request": {Means: "whether the advisor thought of a fleet; decides nothing"},
	"instance_specification/spot_instance_config/max_spot_price": {Means: "the most to pay for one spot instance, in USD an hour; where both places differ it is an error, and the lower is meant",
		Example: `2.5`},
	"instance_specification/spot_instance_config/spot_interruption_tolerance": {Means: "how many interruptions the job bears; decides nothing", Example: `0.2`},
	"instance_specification/spot_instance_config/fallback_to_on_demand":       {Means: "whether on-demand instances will do where there is no spot", Example: `true`},
	"instance_specification/placement_group": {Means: "the kind of placement group; where both places differ it is an error, and cluster is meant",
		Words: []string{Cluster, Partition, Spread, None}, Example: `"cluster"`},
	"instance_specification/availability_zones": {Means: "zones by name or by id", Pattern: ZonePattern, Example: `["us-east-1a"]`},

	"mpi_configuration": {Means: "what the job's processes need of each other"},
	"mpi_configuration/is_mpi_job": {Means: "whether the job is an MPI job: of nodes without a known job it makes a gang, where the node group has gangs",
		Unset: "false", Example: `true`},
	"mpi_configuration/process_count": {Means: "how many processes the job starts in all: checked against the room on the nodes",
		Unset: "nothing is checked", Example: `288`},
	"mpi_configuration/processes_per_node": {Means: "how many processes one node holds",
		Unset: "the vCPUs of the largest type", Example: `36`},
	"mpi_configuration/communication_pattern": {Means: "how the processes talk; decides nothing", Example: `"all-to-all"`},
	"mpi_configuration/mpi_library":           {Means: "the MPI library; decides nothing", Example: `"openmpi"`},
	"mpi_configuration/mpi_implementation":    {Means: "the MPI library; decides nothing", Example: `"openmpi"`},
	"mpi_configuration/mpi_tuning_params":     {Means: "parameters for the MPI library; decides nothing"},
	"mpi_configuration/requires_gang_scheduling": {Means: "whether all of the job's nodes are launched or none",
		Unset: ofGroup + ", for jobs of several nodes", Example: `true`},
	"mpi_configuration/requires_efa": {Means: "whether the instances need an Elastic Fabric Adapter; types without one are dropped, and all nodes are in one zone",
		Unset: "mpi.efa_default: required of the configuration, else false", Example: `true`},
	"mpi_configuration/efa_generation": {Means: "the generation of EFA that the advisor thought of; decides nothing", Example: `2`},

	"cost_constraints": {Means: "what the job may cost, and how long it may take; limits are for all of its nodes"},
	"cost_constraints/max_total_cost": {Means: "the most that the job may cost, in USD: over max_duration_hours it is a limit by the hour, without them it limits nothing; 0 is no limit",
		Unset: "no limit", Example: `160`},
	"cost_constraints/max_duration_hours": {Means: "how long the job may run; its instances expire an hour later, unless auto_terminate_hours says when; 0 is no limit",
		Unset: "instances do not expire", Example: `4`},
	"cost_constraints/max_cost_per_hour": {Means: "the most that all nodes of the job together may cost, in USD an hour; the lowest of all limits holds; 0 is no limit",
		Unset: ofGroup + " and the policy's", Example: `40`},
	"cost_constraints/prefer_spot": {Means: "the order of mixed: false tries on-demand first",
		Unset: "true", Example: `true`},
	"cost_constraints/allow_mixed_pricing": {Means: "whether on-demand instances will do where there is no spot",
		Unset: ofGroup + " where the plan has no purchasing_option, else false", Example: `true`},
	"cost_constraints/cost_alert_threshold": {Means: "when to tell somebody, in USD for the job; checked against max_total_cost, decides nothing", Example: `120`},
	"cost_constraints/auto_terminate_hours": {Means: "how long instances may live from their launch; an idle one that is older is ended; 0 is no limit",
		Unset: "an hour after max_duration_hours", Example: `6`},
	"cost_constraints/budget_account": {Means: "whose budget it is; decides nothing", Example: `"turbulence"`},
	"cost_constraints/cost_tolerance": {Means: "how far costs may be off; decides nothing", Example: `0.1`},

	"network_configuration": {Means: "where the instances are, and how near to each other"},
	"network_configuration/placement_group_type": {Means: "the kind of placement group that several nodes are launched in; cluster is near to each other, spread is at most 7 in a zone (EC2 User Guide, placement groups)",
		Unset: ofGroup + ", else none", Words: []string{Cluster, Partition, Spread, None}, Example: `"cluster"`},
	"network_configuration/placement_group_name": {Means: "a placement group that the site has made; the policy may keep it for the site",
		Unset: "a group of the job's own", Example: `"rack-7"`},
	"network_configuration/enhanced_networking": {Means: "whether the job wants enhanced networking; every type that has EFA has it, so false beside requires_efa is an error",
		Example: `true`},
	"network_configuration/availability_zones": {Means: "the zones to launch in, by name (us-east-1a) in order of preference, or by id (use1-az4), which is the same in every account",
		Unset: ofGroup + ", else every zone that has a subnet", Pattern: ZonePattern, Example: `["us-east-1a", "us-east-1b"]`},
	"network_configuration/single_az_required": {Means: "whether all nodes have to be in one zone; cluster and EFA want that too",
		Unset: "false", Example: `true`},
	"network_configuration/network_latency_class": {Means: "the latency that the advisor thought of; decides nothing", Example: `"ultra-low"`},
	"network_configuration/bandwidth_requirement": {Means: "the bandwidth that the advisor thought of; decides nothing"},
	"network_configuration/enable_efa":            {Means: "whether EFA would be of use; decides nothing, requires_efa does"},
	"network_configuration/enable_sr_iov":         {Means: "whether SR-IOV would be of use; decides nothing"},

	"execution_metadata":            {Means: "for whom the plan was made, when and why"},
	"execution_metadata/job_id":     {Means: "Slurm's id of the job; " + recorded, Example: `"4711"`},
	"execution_metadata/user_id":    {Means: "the job's user; " + recorded, Example: `"ada"`},
	"execution_metadata/project_id": {Means: "the job's project; " + recorded, Example: `"turbulence"`},
	"execution_metadata/priority":   {Means: "the job's priority; decides nothing", Example: `"normal"`},
	"execution_metadata/analysis_timestamp": {Means: "when the plan was made; 30 days later there is a warning, for prices have moved on",
		Unset: "the plan has no age", Example: `"2026-11-01T17:30:00Z"`},
	"execution_metadata/asba_version":                             {Means: "the advisor's version; decides nothing", Example: `"1.2.0"`},
	"execution_metadata/absa_version":                             {Means: "asba_version, as older advisors spell it; decides nothing", Example: `"1.2.0"`, Old: true},
	"execution_metadata/decision_factors":                         {Means: "why the advisor says so, a reason an item; the reason for nodes that are given back", Example: `["the local queue is long"]`},
	"execution_metadata/expected_performance":                     {Means: "what the advisor expects; decides nothing, but is read"},
	"execution_metadata/expected_performance/onpremise_wait_time": {Means: "how long the job would wait without bursting", Example: `"2h30m0s"`},
	"execution_metadata/expected_performance/aws_provision_time":  {Means: "how long instances take to be ready", Example: `"5m0s"`},
	"execution_metadata/expected_performance/network_latency":     {Means: "the time from node to node", Example: `"2ms"`},
	"execution_metadata/expected_performance/storage_latency":     {Means: "the time from node to storage", Example: `"1ms"`},
	"execution_metadata/tags": {Means: "tags for the instances; the site's own win; at most 40, for EC2 takes 50 and some name the launch; keys of at most 128 characters that do not begin with aws: or aws-slurm-burst:, values of at most 256 (EC2 User Guide, tags)",
		Example: `{"CostCenter": "42"}`},

	"job_metadata":                 {Means: "the job, as the advisor has read it"},
	"job_metadata/job_name":        {Means: "the job's name; decides nothing", Example: `"waves"`},
	"job_metadata/script_path":     {Means: "the job's script; decides nothing"},
	"job_metadata/script_hash":     {Means: "a digest of the script; decides nothing"},
	"job_metadata/user":            {Means: "the job's user; " + recorded, Example: `"ada"`},
	"job_metadata/account":         {Means: "the job's account in Slurm; where there is no project, the next best thing", Example: `"turbulence"`},
	"job_metadata/detected_domain": {Means: "the field of science; decides nothing"},
	"job_metadata/workload_type":   {Means: "the kind of work; decides nothing"},

	"performance_target": {Means: "how well the job should run"},
	"performance_target/expected_runtime": {Means: "how long the job should run; checked against max_duration_hours, decides nothing",
		Example: `"1h30m0s"`},
	"performance_target/scaling_efficiency":       {Means: "decides nothing", Example: `0.9`},
	"performance_target/network_utilization":      {Means: "decides nothing"},
	"performance_target/cpu_efficiency_target":    {Means: "decides nothing"},
	"performance_target/memory_efficiency_target": {Means: "decides nothing"},
	"performance_target/performance_model":        {Means: "decides nothing"},
}
