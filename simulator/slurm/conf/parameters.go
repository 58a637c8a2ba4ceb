package conf

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// parameters are the cluster's own that a simulation goes by, by their key in
// lower case.
var parameters = map[string]func(*reader, value){
	"clustername":       func(r *reader, v value) { r.settings.ClusterName = v.text },
	"resumeprogram":     func(r *reader, v value) { r.settings.ResumeProgram = none(v.text) },
	"suspendprogram":    func(r *reader, v value) { r.settings.SuspendProgram = none(v.text) },
	"resumefailprogram": func(r *reader, v value) { r.settings.ResumeFailProgram = none(v.text) },
	"suspendtime":       func(r *reader, v value) { r.seconds(v, &r.settings.SuspendTime) },
	"suspendtimeout":    func(r *reader, v value) { r.seconds(v, &r.settings.SuspendTimeout) },
	"resumetimeout":     func(r *reader, v value) { r.seconds(v, &r.settings.ResumeTimeout) },
	"resumerate":        func(r *reader, v value) { r.number(v, &r.settings.ResumeRate) },
	"suspendrate":       func(r *reader, v value) { r.number(v, &r.settings.SuspendRate) },
	"suspendexcnodes":   func(r *reader, v value) { r.settings.SuspendExcNodes = words(v.text) },
	"suspendexcparts":   func(r *reader, v value) { r.settings.SuspendExcParts = words(v.text) },
	"slurmdtimeout":     func(r *reader, v value) { r.seconds(v, &r.settings.SlurmdTimeout) },
	"killwait":          func(r *reader, v value) { r.seconds(v, &r.settings.KillWait) },
	"minjobage":         func(r *reader, v value) { r.seconds(v, &r.settings.MinJobAge) },
	"overtimelimit":     func(r *reader, v value) { r.minutes(v, &r.settings.OverTimeLimit) },
	"jobrequeue":        func(r *reader, v value) { r.yes(v, &r.settings.JobRequeue) },
	"returntoservice": func(r *reader, v value) {
		if n := 0; v.text == "0" || v.text == "1" || v.text == "2" {
			r.number(v, &n)
			r.settings.ReturnToService = n
		} else {
			r.bad(v, "0, 1 or 2")
		}
	},

	"slurmctldparameters": func(r *reader, v value) {
		for _, o := range options(v) {
			switch o.key {
			case "idle_on_node_suspend":
				r.settings.IdleOnNodeSuspend = true
			case "power_save_interval":
				r.seconds(o.value, &r.settings.PowerSaveInterval)
			case "power_save_min_interval":
				r.seconds(o.value, &r.settings.PowerSaveMinInterval)
			default:
				r.pass("SlurmctldParameters", o)
			}
		}
	},
	// A requeued job waits until the credential of its first run is over.
	"authinfo": func(r *reader, v value) {
		for _, o := range options(v) {
			if o.key == "cred_expire" {
				r.seconds(o.value, &r.settings.RequeueDelay)
			}
		}
	},

	"schedulertype": func(r *reader, v value) {
		switch strings.ToLower(v.text) {
		case "sched/backfill":
			r.settings.Scheduler.Backfill = true
		case "sched/builtin":
			r.settings.Scheduler.Backfill = false
		default:
			r.bad(v, "sched/backfill or sched/builtin")
		}
	},
	"schedulerparameters": func(r *reader, v value) {
		s := &r.settings.Scheduler
		for _, o := range options(v) {
			switch o.key {
			case "default_queue_depth":
				r.number(o.value, &s.QueueDepth)
			case "batch_sched_delay":
				r.seconds(o.value, &s.Delay)
			case "sched_interval":
				r.seconds(o.value, &s.Interval)
			case "bf_interval":
				r.seconds(o.value, &s.BackfillInterval)
			case "bf_window":
				r.minutes(o.value, &s.BackfillWindow)
			case "bf_resolution":
				r.seconds(o.value, &s.BackfillResolution)
			case "bf_window_linear":
				r.seconds(o.value, &s.BackfillLinear)
			case "bf_max_job_test", "max_job_bf":
				r.number(o.value, &s.BackfillMaxJobs)
			case "bf_continue":
				s.BackfillContinue = true
			case "sbatch_wait_nodes":
				s.WaitAllNodes = true
			case "requeue_delay": // of releases after 22.05
				r.seconds(o.value, &r.settings.RequeueDelay)
			default:
				r.pass("SchedulerParameters", o)
			}
		}
	},

	"prioritytype": func(r *reader, v value) {
		if t := strings.ToLower(v.text); t != "priority/basic" && t != "priority/multifactor" {
			r.bad(v, "priority/basic or priority/multifactor")
		}
	},
	"priorityweightage":       func(r *reader, v value) { r.number(v, &r.settings.Priority.WeightAge) },
	"priorityweightfairshare": func(r *reader, v value) { r.number(v, &r.settings.Priority.WeightFairshare) },
	"priorityweightjobsize":   func(r *reader, v value) { r.number(v, &r.settings.Priority.WeightJobSize) },
	"priorityweightpartition": func(r *reader, v value) { r.number(v, &r.settings.Priority.WeightPartition) },
	"priorityweightqos":       func(r *reader, v value) { r.number(v, &r.settings.Priority.WeightQOS) },
	"prioritymaxage":          func(r *reader, v value) { r.span(v, &r.settings.Priority.MaxAge) },
	"prioritydecayhalflife":   func(r *reader, v value) { r.span(v, &r.settings.Priority.DecayHalf) },
	"prioritycalcperiod":      func(r *reader, v value) { r.span(v, &r.settings.Priority.CalcPeriod) },
	"priorityfavorsmall":      func(r *reader, v value) { r.yes(v, &r.settings.Priority.FavorSmall) },

	"selecttype": func(r *reader, v value) {
		switch strings.ToLower(v.text) {
		case "select/cons_tres", "select/cons_res":
			r.settings.Shared = true
		case "select/linear":
			r.settings.Shared = false
		default:
			r.bad(v, "select/cons_tres or select/linear")
		}
	},
	"selecttypeparameters": func(r *reader, v value) {
		r.settings.SelectMemory = false
		for _, o := range options(v) {
			if o.key == "cr_memory" || strings.HasSuffix(o.key, "_memory") {
				r.settings.SelectMemory = true
			}
			switch o.key {
			case "cr_cpu", "cr_core", "cr_memory", "cr_cpu_memory", "cr_core_memory":
			default:
				r.pass("SelectTypeParameters", o)
			}
		}
	},

	// Read for what they mean to cloud nodes.
	"treewidth": nil, "privatedata": nil, "batchstarttimeout": nil,
}

func init() {
	for key, set := range parameters {
		if set == nil {
			parameters[key] = func(*reader, value) {}
		}
	}
}

// finish settles what depends on several parameters.
func (s *Settings) finish(r *reader) {
	if !strings.EqualFold(r.given["prioritytype"].text, "priority/multifactor") {
		p := &s.Priority
		if p.WeightAge+p.WeightFairshare+p.WeightJobSize+p.WeightPartition+p.WeightQOS > 0 {
			r.add(idNoEffect, r.given["prioritytype"], "set PriorityType=priority/multifactor", "weights of priority count with priority/multifactor alone: first come, first served")
		}
		p.WeightAge, p.WeightFairshare, p.WeightJobSize, p.WeightPartition, p.WeightQOS = 0, 0, 0, 0, 0
	}
	if s.Priority.DecayHalf == Infinite {
		s.Priority.DecayHalf = 0
	}
	for _, d := range []*time.Duration{&s.PowerSaveInterval, &s.PowerSaveMinInterval, &s.RequeueDelay, &s.Scheduler.Delay} {
		*d = max(0, *d)
	}
}

// none is a program's path, "" for Slurm's words for no program.
func none(s string) string {
	if strings.EqualFold(s, "(null)") || strings.EqualFold(s, "none") {
		return ""
	}
	return s
}

// known reports whether a key is one of Slurm's.
func known(key string) bool {
	_, ok := slices.BinarySearchFunc(knownKeys(), key, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return ok
}

// knownKeys are the parameters of slurm.conf(5) in 22.05 and later, sorted
// whatever their case, those of lines about nodes and partitions aside.
var knownKeys = sync.OnceValue(func() []string {
	keys := strings.Fields(`
AccountingStorageBackupHost AccountingStorageEnforce AccountingStorageExternalHost AccountingStorageHost
AccountingStorageLoc AccountingStorageParameters AccountingStoragePass AccountingStoragePort AccountingStorageTRES
AccountingStorageType AccountingStorageUser AccountingStoreFlags AccountingStoreJobComment AcctGatherEnergyType
AcctGatherFilesystemType AcctGatherInterconnectType AcctGatherNodeFreq AcctGatherProfileType AllowSpecResourcesUsage
AuthAltParameters AuthAltTypes AuthInfo AuthType BackupAddr BackupController BatchStartTimeout BcastExclude
BcastParameters BurstBufferType CertmgrType CliFilterParameters CliFilterPlugins ClusterName CommunicationParameters
CompleteWait ControlAddr ControlMachine CoreSpecPlugin CpuFreqDef CpuFreqGovernors CredType DataParserParameters
DebugFlags DefCpuPerGPU DefMemPerCPU DefMemPerGPU DefMemPerNode DependencyParameters DisableRootJobs EioTimeout
EnforcePartLimits Epilog EpilogMsgTime EpilogSlurmctld EpilogTimeout ExtSensorsFreq ExtSensorsType
FairShareDampeningFactor FederationParameters FirstJobId GetEnvTimeout GpuFreqDef GresTypes GroupUpdateForce
GroupUpdateTime HashPlugin HealthCheckInterval HealthCheckNodeState HealthCheckProgram HttpParserType InactiveLimit
InteractiveStepOptions JobAcctGatherFrequency JobAcctGatherParams JobAcctGatherType JobCompHost JobCompLoc
JobCompParams JobCompPass JobCompPassScript JobCompPort JobCompType JobCompUser JobContainerType JobCredentialPrivateKey
JobCredentialPublicCertificate JobFileAppend JobRequeue JobSubmitPlugins KeepAliveTime KillOnBadExit KillWait
LaunchParameters LaunchType Licenses LogTimeFormat MCSParameters MCSPlugin MailDomain MailProg MaxArraySize
MaxBatchRequeue MaxDBDMsgs MaxJobCount MaxJobId MaxMemPerCPU MaxMemPerNode MaxNodeCount MaxStepCount MaxTasksPerNode
MessageTimeout MetricsType MinJobAge MpiDefault MpiParams NamespaceType NodeFeaturesPlugins OverTimeLimit
PlugStackConfig PluginDir PowerParameters PowerPlugin PrEpParameters PrEpPlugins PreemptExemptTime PreemptMode
PreemptParameters PreemptType PriorityCalcPeriod PriorityDecayHalfLife PriorityFavorSmall PriorityFlags PriorityMaxAge
PriorityParameters PrioritySiteFactorParameters PrioritySiteFactorPlugin PriorityType PriorityUsageResetPeriod
PriorityWeightAge PriorityWeightAssoc PriorityWeightFairshare PriorityWeightJobSize PriorityWeightPartition
PriorityWeightQOS PriorityWeightTRES PrivateData ProctrackType Prolog PrologEpilogTimeout PrologFlags PrologSlurmctld
PrologTimeout PropagatePrioProcess PropagateResourceLimits PropagateResourceLimitsExcept RebootProgram ReconfigFlags
RequeueExit RequeueExitHold ResumeFailProgram ResumeProgram ResumeRate ResumeTimeout ResvEpilog ResvOverRun ResvProlog
ReturnToService RoutePlugin SallocDefaultCommand SbcastParameters SchedulerParameters SchedulerTimeSlice SchedulerType
ScronParameters SelectType SelectTypeParameters SlurmSchedLogFile SlurmSchedLogLevel SlurmUser SlurmctldAddr
SlurmctldDebug SlurmctldHost SlurmctldLogFile SlurmctldParameters SlurmctldPidFile SlurmctldPlugstack SlurmctldPort
SlurmctldPrimaryOffProg SlurmctldPrimaryOnProg SlurmctldSyslogDebug SlurmctldTimeout SlurmdDebug SlurmdLogFile
SlurmdParameters SlurmdPidFile SlurmdPort SlurmdSpoolDir SlurmdSyslogDebug SlurmdTimeout SlurmdUser SrunEpilog
SrunPortRange SrunProlog StateSaveLocation SuspendExcNodes SuspendExcParts SuspendExcStates SuspendProgram SuspendRate
SuspendTime SuspendTimeout SwitchParameters SwitchType TCPTimeout TLSParameters TLSType TaskEpilog TaskPlugin
TaskPluginParam TaskProlog TmpFS TopologyParam TopologyPlugin TrackWCKey TreeWidth UnkillableStepProgram
UnkillableStepTimeout UsePAM VSizeFactor WaitTime X11Parameters`)
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return keys
})
