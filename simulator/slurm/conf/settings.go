// Package conf is what slurmctld reads from slurm.conf, as far as a simulation
// of it needs to know: nodes, partitions, and how it schedules and saves power.
//
// Settings are plain values, complete by themselves: Defaults returns Slurm's
// own. Read fills them from a slurm.conf, and says what in it is wrong or hostile
// to cloud nodes. The package simulates nothing.
package conf

import "time"

// Infinite stands for Slurm's INFINITE and UNLIMITED, where 0 is a time of its
// own.
const Infinite = time.Duration(-1)

// Settings is a cluster as its slurm.conf has it. Defaults of 22.05 are in
// brackets, as slurm.conf(5) names them; where the manual and the program
// differ, it is the program's.
type Settings struct {
	ClusterName string
	Nodes       []Node
	Partitions  []Partition

	// Power saving. It is on where SuspendTime, of the cluster or of a partition,
	// is not Infinite and both programs are there.
	ResumeProgram, SuspendProgram, ResumeFailProgram string
	SuspendTime                                      time.Duration // [INFINITE]
	SuspendTimeout                                   time.Duration // [30 s]
	ResumeTimeout                                    time.Duration // [60 s]
	// ResumeRate and SuspendRate are nodes a minute [300, 60]; 0 is no limit.
	ResumeRate, SuspendRate int
	// SuspendExcNodes are hostlists, one an element; of one that ends in ":N"
	// only N usable nodes are kept. SuspendExcParts are partitions.
	SuspendExcNodes, SuspendExcParts []string

	// SlurmctldParameters: idle_on_node_suspend, power_save_interval [10 s],
	// power_save_min_interval [0].
	IdleOnNodeSuspend    bool
	PowerSaveInterval    time.Duration
	PowerSaveMinInterval time.Duration

	// SlurmdTimeout is how long slurmd may be silent before its node is DOWN
	// [300 s]. ReturnToService says which nodes that are DOWN come back when
	// slurmd registers [0]: 0 none, 1 those that were silent, 2 all.
	SlurmdTimeout   time.Duration
	ReturnToService int

	// JobRequeue is whether jobs may be requeued that do not say [1].
	// RequeueDelay is how long a requeued job waits [120 s]: 22.05 has the
	// number built in (the life of a credential), later releases name it
	// requeue_delay.
	JobRequeue   bool
	RequeueDelay time.Duration
	// KillWait is how long a job that reached its limit has between SIGTERM and
	// SIGKILL [30 s], OverTimeLimit how long it may go on beyond it [0].
	KillWait, OverTimeLimit time.Duration
	// MinJobAge is how long slurmctld remembers a job that ended [300 s].
	MinJobAge time.Duration

	// SchedulerParameters.
	Scheduler Scheduler
	Priority  Priority
	// Shared is whether jobs may share a node (select/cons_tres); without it
	// (select/linear, and the default of 22.05) each has whole nodes.
	Shared bool
	// SelectMemory is whether memory is handed out, too (CR_CPU_Memory and its
	// like) [no].
	SelectMemory bool
}

// Node is a NodeName line, its hostlist not expanded.
type Node struct {
	Names string // hostlist
	// Addr is the NodeAddr that the line gives, a hostlist, or a single address
	// for all; "" stands for the nodes' names.
	Addr    string
	CPUs    int      // [1]
	Threads int      // CPUs of each core [1]
	Memory  int64    // MiB, RealMemory [1]
	GPUs    int      // of Gres=gpu:N
	Gres    string   // as it is written
	Feature []string // in order
	Weight  int      // [1]: the lowest is used first
	Cloud   bool     // State=CLOUD: powered down at the beginning
	// Down are nodes that State=DOWN, DRAIN or FAIL keeps out of use.
	Down bool
}

// Partition is a PartitionName line.
type Partition struct {
	Name    string
	Nodes   []string // hostlists; "ALL" is every node
	Default bool
	Up      bool // State=UP [yes]

	MaxTime     time.Duration // [Infinite]
	DefaultTime time.Duration // of jobs without a limit [0: MaxTime]
	MaxNodes    int           // of a job [0: no limit]
	MinNodes    int
	// Tier is PriorityTier [1]: jobs of a higher one are looked at first.
	// JobFactor is PriorityJobFactor [1], what multifactor priority uses.
	Tier, JobFactor int
	// Exclusive is OverSubscribe=EXCLUSIVE: whole nodes, whatever the select
	// plugin.
	Exclusive bool
	// OverTimeLimit is this partition's own [nil: the cluster's].
	OverTimeLimit *time.Duration

	// Power saving of the partition's nodes [nil: the cluster's]. A node of
	// several partitions has the longest.
	SuspendTime, SuspendTimeout, ResumeTimeout *time.Duration
}

// Scheduler is SchedulerType and SchedulerParameters.
type Scheduler struct {
	// Backfill is sched/backfill [yes]; without it the main pass is alone
	// (sched/builtin).
	Backfill bool

	// The main pass.
	QueueDepth int           // default_queue_depth [100]
	Delay      time.Duration // batch_sched_delay [3 s]
	Interval   time.Duration // sched_interval [60 s]

	// The backfill pass.
	BackfillInterval   time.Duration // bf_interval [30 s]
	BackfillWindow     time.Duration // bf_window [1440 min]
	BackfillResolution time.Duration // bf_resolution [60 s]
	BackfillLinear     time.Duration // bf_window_linear [0: windows double]
	BackfillMaxJobs    int           // bf_max_job_test [500]
	BackfillContinue   bool          // bf_continue [no]: read, though a pass takes no time here

	// WaitAllNodes is sbatch_wait_nodes: batch scripts start when all of their
	// nodes are up, not the first [no]. 22.05.8 was seen to wait for all of them
	// without it, too; the manuals, up to 26.11, say what is modelled.
	WaitAllNodes bool
}

// Priority is PriorityType and its weights: priority/basic, first come, first
// served, where all are 0.
type Priority struct {
	WeightAge, WeightFairshare, WeightJobSize, WeightPartition, WeightQOS int

	MaxAge      time.Duration // PriorityMaxAge [7 days]
	DecayHalf   time.Duration // PriorityDecayHalfLife [7 days]; 0 is no decay
	FavorSmall  bool          // PriorityFavorSmall [no]
	CalcPeriod  time.Duration // PriorityCalcPeriod [5 min]
	QOSPriority map[string]int
}

// Defaults returns what 22.05 does where slurm.conf says nothing, with no nodes
// and no partitions.
func Defaults() Settings {
	return Settings{
		ClusterName:       "cluster",
		SuspendTime:       Infinite,
		SuspendTimeout:    30 * time.Second,
		ResumeTimeout:     60 * time.Second,
		ResumeRate:        300,
		SuspendRate:       60,
		PowerSaveInterval: 10 * time.Second,
		SlurmdTimeout:     300 * time.Second,
		JobRequeue:        true,
		RequeueDelay:      120 * time.Second,
		KillWait:          30 * time.Second,
		MinJobAge:         300 * time.Second,
		Scheduler: Scheduler{
			Backfill:           true,
			QueueDepth:         100,
			Delay:              3 * time.Second,
			Interval:           60 * time.Second,
			BackfillInterval:   30 * time.Second,
			BackfillWindow:     24 * time.Hour,
			BackfillResolution: 60 * time.Second,
			BackfillMaxJobs:    500,
		},
		Priority: Priority{MaxAge: 7 * 24 * time.Hour, DecayHalf: 7 * 24 * time.Hour, CalcPeriod: 5 * time.Minute},
	}
}

// DefaultPartition returns a partition of all nodes as a bare
// "PartitionName=NAME Nodes=ALL" makes one.
func DefaultPartition(name string) Partition {
	return Partition{Name: name, Nodes: []string{"ALL"}, Up: true, MaxTime: Infinite, Tier: 1, JobFactor: 1}
}
