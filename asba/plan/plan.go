// Package plan is the execution plan: what the advisor says to launch for one
// job, as the executor sees it. It reads the two JSON dialects in use (A, which
// executors read, and B, which advisors write) and the ASBA_* variables into
// one model, and diagnoses what is wrong with them, all at once and with the
// place of each.
//
// It opens no file, knows no default and no site's policy: what a plan does not
// say is left open for the configuration to fill in.
package plan

import (
	"slices"
	"time"

	"aws-slurm-burst/asba/plan/rule"
)

// Dialects of a plan.
const (
	DialectA   = "A"   // instance_specification ... execution_metadata
	DialectB   = "B"   // with spot_instance_config, job_metadata, performance_target
	DialectEnv = "env" // the ASBA_* variables
)

// Words of purchasing_option.
const (
	Spot     = "spot"
	OnDemand = "on-demand"
	Mixed    = "mixed" // spot first, then on demand
)

// Words of placement_group_type; None is also what an absent one means.
const (
	Cluster   = "cluster"
	Partition = "partition"
	Spread    = "spread"
	None      = "none"
)

// Sections that a configuration can stand in for, in the order of a plan.
const (
	InstanceSpecification = "instance_specification"
	MPIConfiguration      = "mpi_configuration"
	CostConstraints       = "cost_constraints"
	NetworkConfiguration  = "network_configuration"
)

var sections = []string{InstanceSpecification, MPIConfiguration, CostConstraints, NetworkConfiguration}

// Place is where a value was written. The zero Place means nowhere.
type Place = rule.Place

// Opt is a value that a plan may leave open. Absent and null both leave it
// open, and so do the zero values that programs write for fields they never
// set: an empty string or list, and 0 as a count, a duration or a budget. What
// false, and 0 as a spot price, say is said.
type Opt[T any] struct {
	Value T
	Given bool
	// At is set wherever the key stands, given or not.
	At Place
}

// Or returns the value, or def where it is open.
func (o Opt[T]) Or(def T) T {
	if o.Given {
		return o.Value
	}
	return def
}

// List is a list of words with the place of each.
type List struct {
	Opt[[]string]
	Items []Place
}

// ItemAt returns the place of item i, or of the list.
func (l List) ItemAt(i int) Place {
	if i < len(l.Items) {
		return l.Items[i]
	}
	return l.At
}

// Tag is one tag for instances.
type Tag struct {
	Key, Value string
	At         Place
}

// Plan is an execution plan. Comments name the JSON key where it differs.
type Plan struct {
	ShouldBurst Opt[bool]
	Reasons     List // recommendation_reasoning, decision_factors

	InstanceTypes      List // in order of preference
	InstanceCount      Opt[int]
	Purchasing         Opt[string]  // purchasing_option
	MaxSpotPrice       Opt[float64] // USD an instance-hour; a given 0 means no cap
	SubnetIDs          List
	LaunchTemplateName Opt[string]
	LaunchTemplateID   Opt[string]
	SecurityGroupIDs   List
	IAMInstanceProfile Opt[string]
	UserData           Opt[string]

	IsMPI            Opt[bool] // is_mpi_job
	ProcessCount     Opt[int]
	ProcessesPerNode Opt[int]
	Gang             Opt[bool] // requires_gang_scheduling
	RequiresEFA      Opt[bool]
	EFAGeneration    Opt[int]

	MaxTotalCost   Opt[float64]       // USD for the job
	MaxDuration    Opt[time.Duration] // max_duration_hours
	MaxCostPerHour Opt[float64]       // USD an hour for the job, not for a node
	PreferSpot     Opt[bool]
	AllowMixed     Opt[bool]          // allow_mixed_pricing, fallback_to_on_demand
	CostAlert      Opt[float64]       // cost_alert_threshold, USD for the job
	AutoTerminate  Opt[time.Duration] // auto_terminate_hours

	Placement          Opt[string] // placement_group_type
	PlacementGroupName Opt[string]
	EnhancedNetworking Opt[bool]
	AZs                List      // availability_zones
	SingleAZ           Opt[bool] // single_az_required

	JobID           Opt[string]
	UserID          Opt[string]
	ProjectID       Opt[string]
	Tags            Opt[[]Tag]         // sorted by key
	ExpectedRuntime Opt[time.Duration] // performance_target/expected_runtime
	Made            Opt[time.Time]     // generated_at, execution_metadata/analysis_timestamp

	Dialect string
	Source  string // the file's name, as given
	Digest  string // of the bytes: 16 hexadecimal digits of their SHA-256
	// Sections that say anything, in the order of the constants above.
	Sections []string

	// root is where the plan begins, sectionAt where its sections do, said or
	// not.
	root      Place
	sectionAt map[string]Place
}

// Section returns where a section of the plan begins, or the plan itself where
// it has none: the place of what is missing.
func (p *Plan) Section(name string) Place {
	if at, ok := p.sectionAt[name]; ok {
		return at
	}
	if p.root.File != "" {
		return p.root
	}
	return Place{File: p.Source}
}

// Bursts reports whether the plan is for launching; it is unless it says no.
func (p *Plan) Bursts() bool { return p.ShouldBurst.Or(true) }

// Missing returns the sections that say nothing, for the configuration to fill
// in, in the order of the constants above.
func (p *Plan) Missing() []string {
	var out []string
	for _, s := range sections {
		if !slices.Contains(p.Sections, s) {
			out = append(out, s)
		}
	}
	return out
}

// SpotOnly reports whether nothing but spot instances will do.
func (p *Plan) SpotOnly() bool { return p.Purchasing.Value == Spot && !p.AllowMixed.Value }
