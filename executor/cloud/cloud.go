// Package cloud is the executor's port to EC2: a narrow interface in small
// types of our own, the error every method returns, and the table that maps
// EC2's error codes to classes and reactions.
//
// One method is exactly one API call. Paging, batching, retry and back-off
// live above it; classification lives here, so that every implementation
// (executor/awscloud on the SDK, simulator/ec2 in memory) shares it.
package cloud

import (
	"context"

	"aws-slurm-burst/executor/env"
)

// Cloud is the whole port. Consumers take the part they need.
//
// Every error is a *Error. Besides the classes named at each method, all of
// them may return Throttle, Ambiguous, Permission, Credentials and Config.
type Cloud interface {
	Instances
	Groups
	Lookups
}

// Instances launches, finds, tags and ends instances.
type Instances interface {
	// Launch is RunInstances: between MinCount and MaxCount instances of one
	// type in one subnet and market, all tagged. It returns every instance
	// launched. Errors: every capacity and quota class, Price, Offering,
	// Address, Volume, Token, Unsupported, and Consistency for a placement
	// group that is not visible yet. With DryRun it launches nothing and
	// returns no error where EC2 answers DryRunOperation.
	Launch(ctx context.Context, r LaunchRequest) ([]Instance, error)

	// Describe is one page of DescribeInstances. An empty page with a
	// NextToken is possible. Instances come in any order. Errors: Consistency
	// for an unknown instance id.
	Describe(ctx context.Context, q InstanceQuery) (InstancePage, error)

	// Terminate is TerminateInstances. One unknown id fails the whole call
	// with Consistency and may leave every instance running.
	Terminate(ctx context.Context, ids []string) error

	// Tag is CreateTags on up to 1000 resources. Existing keys are replaced.
	Tag(ctx context.Context, ids []string, tags []Tag) error
}

// Groups makes and ends placement groups.
type Groups interface {
	// CreateGroup is CreatePlacementGroup. Errors: Unsupported where the
	// endpoint does not know placement groups, GroupQuota, Duplicate where the
	// name is taken.
	CreateGroup(ctx context.Context, g Group) error

	// DeleteGroup is DeletePlacementGroup. Errors: InUse while an instance of
	// it lives, Consistency where it does not exist.
	DeleteGroup(ctx context.Context, name string) error

	// DescribeGroups is DescribePlacementGroups with tag filters (one call,
	// never paged by EC2).
	DescribeGroups(ctx context.Context, tags []Tag) ([]Group, error)
}

// Lookups reads what a launch needs to know. Answers may be cached by the
// caller, keyed by endpoint.
type Lookups interface {
	// Subnets is one page of DescribeSubnets.
	Subnets(ctx context.Context, q SubnetQuery) (SubnetPage, error)
	// Images is one page of DescribeImages, in any order.
	Images(ctx context.Context, q ImageQuery) (ImagePage, error)
}

// Market is how an instance is bought.
type Market string

// The markets of EC2's InstanceMarketOptions; OnDemand is their absence.
const (
	OnDemand Market = "on-demand"
	Spot     Market = "spot"
)

// State is EC2's InstanceState name.
type State string

// The states of an instance.
const (
	Pending      State = "pending"
	Running      State = "running"
	ShuttingDown State = "shutting-down"
	Terminated   State = "terminated"
	Stopping     State = "stopping"
	Stopped      State = "stopped"
)

// Alive reports whether an instance in this state can still serve a node.
func (s State) Alive() bool { return s == Pending || s == Running }

// Ended reports whether the instance is gone or certainly going: EC2 never
// brings it back and soon stops billing.
func (s State) Ended() bool { return s == ShuttingDown || s == Terminated }

// Tag is a key and its value.
type Tag struct{ Key, Value string }

// LaunchRequest is one RunInstances call, whole: the journal stores it and a
// repeated call is word for word the same.
type LaunchRequest struct {
	// Token is the ClientToken: 1 to 64 ASCII characters, never empty.
	Token string `json:"token"`
	// MinCount and MaxCount bound the number of instances, 1 or more.
	MinCount int `json:"min_count"`
	MaxCount int `json:"max_count"`

	Type     string `json:"type"`
	SubnetID string `json:"subnet_id,omitempty"`
	AZ       string `json:"az,omitempty"` // of the subnet; for people, not sent
	Market   Market `json:"market"`
	// MaxPrice is the spot cap in USD an instance-hour; 0 means no cap.
	MaxPrice float64 `json:"max_price,omitempty"`

	ImageID string `json:"image_id,omitempty"`
	// Template names a launch template by id (lt-...) or name; Version "" is
	// the default version.
	Template        string `json:"template,omitempty"`
	TemplateVersion string `json:"template_version,omitempty"`

	SecurityGroups []string `json:"security_groups,omitempty"` // ids
	// InstanceProfile is an IAM instance profile's name or ARN.
	InstanceProfile string `json:"instance_profile,omitempty"`
	KeyName         string `json:"key_name,omitempty"`
	// UserData is sent base64-encoded; here it is plain text.
	UserData string `json:"user_data,omitempty"`

	// EFA asks for this many EFA interfaces, one a network card from card 0
	// on; 0 means one plain interface.
	EFA int `json:"efa,omitempty"`
	// Group is a placement group's name.
	Group string `json:"group,omitempty"`

	// Tags go on the instances and their volumes at launch.
	Tags []Tag `json:"tags,omitempty"`
	// DryRun asks EC2 whether the call would be allowed.
	DryRun bool `json:"-"`
}

// Instance is what we need to know of one.
type Instance struct {
	ID          string
	Type        string
	AZ          string
	SubnetID    string
	Market      Market
	State       State
	StateReason string // EC2's StateReason code, such as Server.InternalError
	// PrivateIP is the primary interface's (card 0, device 0); it may be empty
	// for some seconds after a launch.
	PrivateIP   string
	LaunchIndex int // AmiLaunchIndex
	LaunchTime  env.Time
	Group       string
	Tags        []Tag // sorted by key
}

// TagValue returns the value of the tag named key, "" where there is none.
func (i *Instance) TagValue(key string) string { return TagValue(i.Tags, key) }

// TagValue returns the value of the tag named key, "" where there is none.
func TagValue(tags []Tag, key string) string {
	for _, t := range tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// InstanceQuery selects instances: all conditions hold at once, an empty one
// always holds. One condition takes at most 200 values.
type InstanceQuery struct {
	IDs    []string // not as a filter: an unknown id is an error
	Tags   []Tag    // each key must have that value
	States []State
	Page   string // NextToken of the page before
}

// InstancePage is one page of DescribeInstances.
type InstancePage struct {
	Instances []Instance
	Next      string // "" on the last page
}

// Group is a placement group.
type Group struct {
	Name string `json:"name"`
	// Strategy is cluster, spread or partition.
	Strategy string `json:"strategy"`
	// Partitions counts the partitions of a partition group, 1 to 7.
	Partitions int    `json:"partitions,omitempty"`
	State      string `json:"-"` // available, deleting ...; only in answers
	Tags       []Tag  `json:"tags,omitempty"`
}

// SubnetQuery selects subnets; empty conditions always hold.
type SubnetQuery struct {
	IDs          []string
	DefaultForAZ bool
	VPC          string
	AZs          []string
	Tags         []Tag
	Page         string
}

// Subnet is a subnet with its zone.
type Subnet struct {
	ID   string `json:"id"`
	AZ   string `json:"az"`
	AZID string `json:"az_id,omitempty"`
	VPC  string `json:"vpc,omitempty"`
	CIDR string `json:"cidr,omitempty"`
	// FreeAddresses is AvailableIpAddressCount at the time of the look-up.
	FreeAddresses int `json:"free_addresses,omitempty"`
}

// SubnetPage is one page of DescribeSubnets.
type SubnetPage struct {
	Subnets []Subnet
	Next    string
}

// ImageQuery selects images; empty conditions always hold.
type ImageQuery struct {
	IDs    []string
	Owners []string // account ids, or self, amazon
	Name   string   // with * and ? as wildcards
	Arch   string   // x86_64 or arm64
	Tags   []Tag
	Page   string
}

// Image is a machine image.
type Image struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Arch    string `json:"arch,omitempty"`
	Created string `json:"created,omitempty"` // RFC 3339, as EC2 gives it
}

// ImagePage is one page of DescribeImages.
type ImagePage struct {
	Images []Image
	Next   string
}
