// Package config is the site's configuration file: which node belongs to which
// node group, how a group's instances are launched, and what plans may do. It
// reads the YAML shape of aws-slurm-burst's first versions and our additions,
// checks everything, and reports all mistakes at once, each with its place.
//
// It opens no file and looks at no environment: the caller finds the file and
// hands over its bytes. Whether EC2 knows a subnet or a type is not its concern.
package config

import (
	"path/filepath"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/cloud"
)

// Config is a whole configuration file, with defaults filled in. Paths are
// absolute or start at the file's folder. It never changes once read.
type Config struct {
	// File is the name under which the file was read.
	File string
	// Cluster is the value of every instance's cluster tag: letters, digits,
	// '-', '_', '.', at most 64. Default "default".
	Cluster string
	AWS     AWS
	Slurm   Slurm
	// ReuseNodes lets other jobs use the nodes of a planned gang after its job
	// (nodes.reuse); by default such nodes are single-use.
	ReuseNodes bool
	// Groups are the node groups of all partitions, in the file's order.
	Groups   []*NodeGroup
	Plans    Plans
	Policy   Policy
	ASBA     ASBA
	MPI      MPI
	Journal  Journal
	Capacity Capacity
	Logging  Logging
	// Notes are the findings that do not make the file invalid: keys that are
	// accepted but not acted on (Info), and unwise settings (Warning).
	Notes []finding.Finding

	owners owners
}

// AWS says which account and endpoint, and as whom.
type AWS struct {
	// Region such as us-east-1; "" leaves it to the environment or profile.
	Region string
	// Profile of the SDK's files; "" is the SDK's default.
	Profile                     string
	ConfigFile, CredentialsFile string // "" for the SDK's own
	// EndpointURL is where EC2 answers; "" is AWS. AWS_ENDPOINT_URL_EC2 wins.
	EndpointURL string
	// Role is assumed on top of the credentials found; nil for none.
	Role *Role
	// Keys are static credentials; nil for none.
	Keys *Keys
}

// Role is an IAM role to assume.
type Role struct {
	ARN         string
	SessionName string // default "aws-slurm-burst"
	ExternalID  string
	Policy      string // a session policy, JSON
	// Duration of the role's credentials, 15 min to 12 h; 0 is AWS's default.
	Duration time.Duration
	// TokenFile holds an OIDC token; then no other credentials are needed.
	TokenFile string
}

// Keys are static credentials, as aws.access_keys gives them.
type Keys struct {
	ID           string
	Secret       Secret
	SessionToken Secret
}

// Secret is text that must not be printed: every verb of fmt hides it.
type Secret string

// String hides the secret; string(s) is its value.
func (s Secret) String() string { return "(hidden)" }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return "(hidden)" }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte("(hidden)"), nil }

// ScontrolOff is the Slurm.Scontrol of a site without Slurm.
const ScontrolOff = "off"

// Slurm says how to reach Slurm, and repeats what its slurm.conf says.
type Slurm struct {
	// Scontrol is the program's path, or ScontrolOff. Default:
	// bin_path/scontrol, else /usr/bin/scontrol.
	Scontrol string
	BinPath  string // folder of Slurm's programs; "" where not given
	Conf     string // config_path: slurm.conf; "" where not given
	// ResumeTimeout and SuspendTimeout are slurm.conf's; 0 where not given.
	ResumeTimeout, SuspendTimeout time.Duration
	// BootAllowance is the part of ResumeTimeout that a machine needs from its
	// launch until slurmd registers. Default 60 s, or half of a ResumeTimeout
	// shorter than two minutes.
	BootAllowance time.Duration
	// NodeAddr is the placeholder that suspend sets a node's address back to;
	// "" is the node's own name.
	NodeAddr string
}

// NodeGroup is a set of nodes that are launched alike.
type NodeGroup struct {
	Partition, Name string
	// Nodes are the names of `nodes:`, in its order, each once; empty where
	// the group owns PARTITION-GROUP-[...] instead.
	Nodes []string
	// MaxNodes bounds how many nodes of the group run at once; 0 is no bound.
	MaxNodes int

	// Purchasing is OnDemand (the default), Spot, or Mixed: spot first.
	Purchasing Purchasing
	// AllowMixed lets a spot launch end on on-demand; Mixed implies it.
	AllowMixed bool
	// MaxSpotPrice is in USD an instance-hour, MaxCostPerHour in USD an hour
	// for all nodes of a job; 0 is no cap.
	MaxSpotPrice, MaxCostPerHour float64

	// Types in order of preference; empty where plans name them.
	Types []Type
	// Template names a launch template by id or name; "" for none.
	// TemplateVersion "" is its default version.
	Template, TemplateVersion string
	Image                     Image
	Subnets                   Subnets
	SecurityGroups            []string // ids
	InstanceProfile           string   // an IAM instance profile's name or ARN
	KeyName                   string
	UserDataFile              string // a path; "" for none
	Tags                      []cloud.Tag

	// Placement is the placement group's strategy: cluster, spread, partition,
	// none, or "" where plans and mpi decide.
	Placement string
	// PlacementRequired says that nothing is launched without the group
	// (the default); else it is a preference.
	PlacementRequired bool
	// Gang says that a job of several nodes is launched whole or not at all.
	// Default true.
	Gang bool

	// CPUs, MemoryMB (MiB, as RealMemory) and Gres are the size that slurm.conf
	// declares for the nodes: a smaller machine would register as invalid.
	// 0 and "" are not declared. slurm_specifications fill what is not given.
	CPUs, MemoryMB int
	Gres           string
	// Specifications are further parameters of the Slurm node line, by key.
	Specifications []Setting
}

// Purchasing is how instances are bought.
type Purchasing string

// The purchasing options.
const (
	OnDemand Purchasing = "on-demand"
	Spot     Purchasing = "spot"
	Mixed    Purchasing = "mixed"
)

// Type is an instance type that a node group may launch.
type Type struct {
	Name string
	// SpotPrice caps spot for this type, in USD an hour; 0: the group's cap.
	SpotPrice float64
	// SubnetIDs restrict the type to these subnets; empty: the group's.
	SubnetIDs []string
}

// Image names a machine image by ID, or chooses the newest by filter; the zero
// Image leaves it to the launch template.
type Image struct {
	ID   string
	Name string // with * and ? as wildcards
	// Owner is an account id, self or amazon; Arch is x86_64 or arm64.
	Owner, Arch string
	Tags        []cloud.Tag
}

// Subnets names subnets by IDs, in order of preference, or chooses them by
// filter. A group that says nothing gets the subnets of its types' overrides,
// else the default subnet of each zone, as EC2 does.
type Subnets struct {
	IDs          []string
	DefaultForAZ bool
	AZs          []string // in order of preference
	VPC          string
	Tags         []cloud.Tag
}

// Setting is a parameter of Slurm and its value.
type Setting struct{ Key, Value string }

// Plans says where plans are and what happens to a launch without a good one.
type Plans struct {
	// Dir holds JOBID.json files, and DIGEST.json files that jobs refer to; ""
	// where plans are in no folder.
	Dir string
	// References says that a job's AdminComment names its plan in Dir: that every
	// job has one, and nobody but the site has written it.
	References bool
	// Timeout is how long the files that the jobs of a call refer to are waited
	// for, together. Default two seconds.
	Timeout time.Duration
	// OnMissing is standalone (default) or hold; OnInvalid refuse (default) or
	// standalone; OnImpossible drop (default) or relax; OnAdviceAgainst
	// exclude (default), hold or requeue.
	OnMissing, OnInvalid, OnImpossible, OnAdviceAgainst string
	// PlacementRequired says that a plan's wish for a placement group is a
	// condition (plans.placement: required, the default), not a preference.
	PlacementRequired bool
}

// Policy bounds what a trusted plan may set, by default as plan.DefaultPolicy
// does; untrusted ones may set none of it.
type Policy struct {
	plan.Policy
	AllowImage bool // default true
	// AllowUnknownPrice lets an instance type of unknown price pass a cap.
	// Default false.
	AllowUnknownPrice bool
	// MaxCostPerHour is in USD an hour for all nodes of a job; 0 is no cap.
	MaxCostPerHour float64
	// MaxNodes bounds the nodes of a job; 0 is no bound.
	MaxNodes int
}

// ASBA says how the advisor is asked; at most one of Command, URL and Pipe.
type ASBA struct {
	// Enabled is true where the section names a way to ask, or says so.
	Enabled bool
	// Command is the advisor's program: a path, or a bare name looked up by the
	// caller. Default "asba" where enabled without another way.
	Command string
	URL     string // http or https
	Pipe    string // a path
	// ConfigPath is handed to the command; "" for none.
	ConfigPath string
	// TokenFile holds a token for URL, CAFile the certificates in PEM that are
	// trusted for it; "" for none, and for the system's.
	TokenFile, CAFile string
	// Timeout of all questions of one call together. Default 30 s.
	Timeout time.Duration
}

// MPI says what a multi-node job gets where neither plan nor group decides.
type MPI struct {
	// EFA is required, preferred, optional (default: only where a plan wants
	// it) or disabled.
	EFA string
	// ForceCluster puts jobs of PlacementThreshold nodes (default 2) or more
	// into a cluster placement group.
	ForceCluster       bool
	PlacementThreshold int
}

// Journal says where launches are recorded.
type Journal struct {
	Dir string // "" lets the caller choose (StateSaveLocation, XDG_STATE_HOME)
}

// Capacity is about remembered shortages.
type Capacity struct {
	// TTL is how long a shortage is remembered; 0 is for one call only.
	TTL time.Duration
}

// Logging is about the log file; people's lines always go to stderr.
type Logging struct {
	Level  string // debug, info (default), warn or error
	Format string // json (default) or text
	File   string // "" for none
}

// defaultDeadline bounds a launch where ResumeTimeout is not given: the five
// minutes of the first versions' sample configuration less a minute of boot.
const defaultDeadline = 240 * time.Second

// LaunchDeadline returns how long after its start a resume may still launch:
// later, the machine would not register before ResumeTimeout.
func (c *Config) LaunchDeadline() time.Duration {
	if c.Slurm.ResumeTimeout == 0 {
		return defaultDeadline
	}
	return c.Slurm.ResumeTimeout - c.Slurm.BootAllowance
}

// Base returns the file's name without its folder, as people are told it.
func (c *Config) Base() string { return filepath.Base(c.File) }
