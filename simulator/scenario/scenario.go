// Package scenario is what to simulate: a workload, a cluster with what it has on
// the premises and in the cloud, and what to keep of the run. It reads the YAML
// that people write (docs/SIMULATOR.md has the keys) and judges it as plans and
// configurations are judged, with findings that have a place and a way out.
//
// It opens no file but by the text that it is handed, and simulates nothing.
package scenario

import (
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/read"
)

// Scenario is one run to simulate. Paths in it are as they can be opened.
type Scenario struct {
	// File is where it was read, "" where it was made of flags.
	File string
	Name string
	// Seed decides every draw of the run. 1 where nothing else is said.
	Seed uint64

	Workload Workload
	Cluster  Cluster

	// Until ends the run, counted from the workload's beginning; 0 is when the last
	// job has ended.
	Until   time.Duration
	Outputs Outputs

	// Notes are findings below an error.
	Notes []finding.Finding

	doc *read.Document // the places of its keys; nil where it has none
}

// Workload is where jobs come from, and what is done to them on the way. One of
// Trace, Sacct, JSONL and Generator says where from.
type Workload struct {
	Trace string // an SWF file, gzipped or not
	Sacct string // what sacct -P printed
	JSONL string // a job a line

	Generator *Generator

	// Lenient mends what can be mended in a file, and counts it; otherwise the first
	// mistake ends the run.
	Lenient bool

	// From and To cut the workload: jobs that were handed in between, To 0 for all
	// that come. Load divides the times between jobs, 1 for as they are. Shake moves
	// each submission at random by so much at most, either way.
	From, To time.Duration
	Load     float64
	Shake    time.Duration

	// Limit is the time limit of a job that did not ask for one: LimitFactor times
	// its run time, or MissingLimit where that is given.
	LimitFactor  float64
	MissingLimit time.Duration
	// OverRun says what becomes of a job that runs longer than it asked for.
	OverRun OverRun

	// Coupled is which jobs are coupled beside those of which the workload says so.
	Coupled Coupled
}

// Coupled is a share of jobs, drawn by job, whose processes need each other all
// the time, as those of MPI do: jobs of more than one processor, and, where there
// are any, of one of the Accounts or Partitions.
type Coupled struct {
	Share                float64
	Accounts, Partitions []string
}

// OverRun is what becomes of a job that runs longer than it asked for.
type OverRun string

// Extend lets it run, as sites with a long grace do; Kill ends it at its limit,
// as Slurm does.
const (
	Extend OverRun = "extend"
	Kill   OverRun = "kill"
)

// Model is what a generator draws from.
type Model string

// Lublin is Lublin and Feitelson's model (2003). Poisson has exponential times
// between jobs, Weibull times with a Shape; run times of both are exponential.
const (
	Lublin  Model = "lublin"
	Poisson Model = "poisson"
	Weibull Model = "weibull"
)

// Generator draws jobs.
type Generator struct {
	Model Model
	// Jobs is how many, MaxProcs the most processors of one.
	Jobs     int
	MaxProcs int
	// Interarrival and Run are means, Shape the Weibull shape of the times between
	// jobs. Lublin's model has its own.
	Interarrival, Run time.Duration
	Shape             float64
}

// Scheduler is who decides which job starts next.
type Scheduler string

// FIFO starts jobs strictly in turn. EASY lets later jobs start early where the
// first that waits is not delayed. Slurm is slurmctld's main pass and backfill.
const (
	FIFO  Scheduler = "fifo"
	EASY  Scheduler = "easy"
	Slurm Scheduler = "slurm"
)

// Cluster is the machine.
type Cluster struct {
	Scheduler Scheduler
	// Processors make a machine without nodes; then there is nothing else.
	Processors int

	Premises Premises
	// SlurmConf is the path of a slurm.conf, "" for none; Settings are lines of one
	// that win over it, by key, in the order given.
	SlurmConf string
	Settings  []Setting
	// Cloud is nil where all is on the premises.
	Cloud *Cloud
	// Failures are those of nodes on the premises; their MTBF is 0 where none fails.
	Failures Failures
	Plans    Plans
	// Alone leaves the cloud nodes of SlurmConf away.
	Alone bool
}

// Failures are the mean time that a node works until it fails, and the mean time of
// a repair.
type Failures struct{ MTBF, Repair time.Duration }

// MaxNodes is how many nodes premises have at most: the names of one list.
const MaxNodes = 1 << 16

// Premises are nodes that stand all the time.
type Premises struct {
	Nodes, CoresPerNode int
	MemoryMB            int64 // of a node; 0 for as much as any job asks for
}

// Setting is a key of slurm.conf and its value.
type Setting struct{ Key, Value string }

// Cloud is EC2, and the executor's configuration for it.
type Cloud struct {
	// Config is the path of the executor's configuration: its node groups are the
	// cloud nodes.
	Config string
	// CoresPerNode are the CPUs of a cloud node; 0 for those of its node group.
	CoresPerNode int
	Boot         Boot
	// Dies is the share of instances that end instead of running, Never the share of
	// those whose slurmd never registers; below 0 they are the Boot's own.
	Dies, Never float64
	// ShuttingDown is how long an instance that is ended still counts. VisibilityLag
	// is how long, in the median, what is new stays hidden from other calls.
	ShuttingDown, VisibilityLag time.Duration

	Spot     Capacity
	OnDemand Capacity
	// Types are what some types have in place of Spot and OnDemand, in the order
	// given.
	Types []TypeCapacity
	// Recorded are files of what pools had and what spot cost, in place of all of
	// these.
	Recorded []Recorded

	Quotas []Quota
	// Throttle limits calls as EC2 does, by its published token buckets, and by Limits
	// where they are other ones.
	Throttle bool
	Limits   []Limit
	// Faults is the path of a file of fault rules, "" for none.
	Faults string
	// Reconcile is how often the site runs reconcile; 0 is never.
	Reconcile time.Duration
}

// Boot is how long instances take until slurmd registers.
type Boot string

// Instant is at once. Minimal is a small image, HPC one with all that jobs need
// built in, ParallelCluster one that is set up as it boots.
const (
	Instant         Boot = "instant"
	Minimal         Boot = "minimal"
	HPC             Boot = "hpc"
	ParallelCluster Boot = "parallelcluster"
)

// Capacity is how often EC2 has what is asked for.
type Capacity string

// Always is a market that never runs dry. Common and Scarce come and go, as what
// large types and what sought-after ones do. Usual is what is known or
// assumed of each type. The others are how often the Spot Instance Advisor says that a type's
// instances are interrupted in a month; they are of spot alone.
const (
	Always Capacity = "always"
	Usual  Capacity = "usual"
	Common Capacity = "common"
	Scarce Capacity = "scarce"
)

// SpotWords are all words for what a spot market has, OnDemandWords those for what
// there is on demand.
var (
	SpotWords     = []Capacity{Always, Usual, Common, Scarce, "<5%", "5-10%", "10-15%", "15-20%", ">20%"}
	OnDemandWords = []Capacity{Always, Usual, Common, Scarce}
)

// TypeCapacity is what one instance type has; "" is as all have.
type TypeCapacity struct {
	Type           string
	Spot, OnDemand Capacity
}

// Recorded is a file of what somebody saw of a market (simulator/ec2/recording has
// the forms). Type, Zone and Market are the pool of a file that does not say it.
type Recorded struct{ Path, Type, Zone, Market string }

// Limit is one of an account's token buckets: it holds Holds at first and at most, and
// gets PerSecond more each second. Of says whether it counts calls of the Action, or
// the instances that they launch or end.
type Limit struct {
	Action    string
	Of        Counted
	Holds     int
	PerSecond float64
}

// Counted is what a Limit counts.
type Counted string

// Calls are those that were made, Instances those that calls launched or ended.
const (
	Calls     Counted = "calls"
	Instances Counted = "instances"
)

// Actions are the calls that the executor makes: those that can have a Limit.
var Actions = []string{
	"RunInstances", "TerminateInstances", "DescribeInstances", "CreateTags", "CreatePlacementGroup", "DeletePlacementGroup",
	"DescribePlacementGroups", "DescribeSubnets", "DescribeImages", "DescribeInstanceTypes", "DescribeInstanceTypeOfferings", "DescribeSpotPriceHistory",
}

// Quota is how many vCPUs of a family EC2 lets an account run in a market
// (on-demand or spot).
type Quota struct {
	Family Family
	Market string
	VCPUs  int
}

// Family is a family of Service Quotas, by its word in simulator/ec2/quota.
type Family string

// Families are all of them.
var Families = []Family{"standard", "f", "g-vt", "p", "p5", "x", "inf", "trn", "dl", "hpc", "high-memory"}

// Plans says where jobs' execution plans come from. The rates are shares of jobs,
// drawn by job.
type Plans struct {
	// Advise has the advisor make each job's plan; otherwise none has one.
	Advise                    bool
	Missing, Invalid, Partial float64
}

// Outputs are the files that a run leaves, "" for none.
type Outputs struct{ JobsCSV, SWF, Events string }

// Outcome is what a simulator says at the end of a run, beside its events.
type Outcome struct {
	// TraceHash is the hash over all that happened: the same in two runs that took
	// the same decisions at the same instants.
	TraceHash uint64
	// Simulated is how long the run was, from the workload's beginning.
	Simulated time.Duration
	// Procs are the processors that stood on the premises all the time.
	Procs int
	// Repairs are what was mended in the workload, or noted.
	Repairs []Repair
}

// Repair is a kind of thing in a workload that could not be taken as it stood, in
// a word and in a sentence, how often it was, and the first lines that had it.
type Repair struct {
	Kind, Says string
	Count      int
	Lines      []int
}

// Progress is how far a run has come.
type Progress struct {
	Simulated        time.Duration
	Submitted, Ended int
	// Read is how much of the workload has been read, from 0 to 1; 0 where it is not
	// known how much there is.
	Read float64
}

// New returns the scenario that flags start from: nothing said.
func New() *Scenario {
	return &Scenario{
		Seed:     1,
		Workload: Workload{Load: 1, LimitFactor: 1, OverRun: Extend},
		Cluster:  Cluster{Scheduler: Slurm, Failures: Failures{Repair: 6 * time.Hour}},
	}
}

// Alone returns the scenario with the same work on the premises alone, and with no
// files to write.
func (s *Scenario) Alone() *Scenario {
	premises := *s
	premises.Cluster.Cloud, premises.Cluster.Plans, premises.Cluster.Alone = nil, Plans{}, true
	premises.Outputs = Outputs{}
	return &premises
}

// NewCloud returns a cloud with what is not said of it.
func NewCloud() *Cloud {
	return &Cloud{
		Boot: HPC, Dies: -1, Never: -1, ShuttingDown: 40 * time.Second, VisibilityLag: 300 * time.Millisecond,
		Spot: Usual, OnDemand: Always, Throttle: true, Reconcile: 6 * time.Hour,
	}
}

// Origin is the file or the model that the jobs come from, for people.
func (w *Workload) Origin() string {
	switch {
	case w.Trace != "":
		return w.Trace
	case w.Sacct != "":
		return w.Sacct
	case w.JSONL != "":
		return w.JSONL
	case w.Generator != nil:
		return string(w.Generator.Model)
	}
	return ""
}
