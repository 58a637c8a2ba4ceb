package conf

import (
	"maps"
	"slices"
	"strings"
)

// missing are parameters that change what slurmctld does, and not what the
// simulation does, by the line or list that they are in and their key in lower
// case.
var missing = map[string]gap{
	"preempttype":               {says: "no job is preempted in the simulation", harmless: []string{"preempt/none"}},
	"topologyplugin":            {says: "the simulation knows no topology of the network", harmless: []string{"topology/none", "topology/default"}},
	"licenses":                  {says: "licences are not counted in the simulation"},
	"accountingstorageenforce":  {says: "limits of associations and QOS are not known here", harmless: []string{"none"}},
	"enforcepartlimits":         {says: "a job beyond a partition's limits waits in the simulation, where sbatch would refuse it", harmless: []string{"NO"}},
	"jobsubmitplugins":          {says: "jobs are not changed as they are submitted"},
	"prologslurmctld":           {says: programs},
	"prologflags":               {says: programs},
	"prolog":                    {says: programs},
	"epilog":                    {says: programs},
	"epilogslurmctld":           {says: programs},
	"completewait":              {says: "no pass waits for jobs that are completing in the simulation", harmless: []string{"0"}},
	"priorityweightassoc":       {says: "the weight of associations does not count in the simulation", harmless: []string{"0"}},
	"priorityweighttres":        {says: "weights of TRES do not count in the simulation"},
	"priorityflags":             {says: "priority is made as it is without flags, by Fair Tree, in the simulation", harmless: []string{"FAIR_TREE"}},
	"priorityusageresetperiod":  {says: "usage is never reset in the simulation, it only decays", harmless: []string{"NONE"}},
	"prioritysitefactorplugin":  {says: "the site's own factor does not count in the simulation"},
	"burstbuffertype":           {says: "there are no burst buffers in the simulation"},
	"nodefeaturesplugins":       {says: "features of nodes do not change in the simulation"},
	"requeueexit":               {says: requeueExit},
	"requeueexithold":           {says: requeueExit},
	"suspendexcstates":          {says: "nodes are powered down in the simulation whatever their state"},
	"defmempercpu":              {says: noMemory, memory: true, harmless: unlimited},
	"defmempergpu":              {says: noMemory, memory: true, harmless: unlimited},
	"defmempernode":             {says: noMemory, memory: true, harmless: unlimited},
	"maxmempercpu":              {says: muchMemory, memory: true, harmless: unlimited},
	"maxmempernode":             {says: muchMemory, memory: true, harmless: unlimited},
	"defcpupergpu":              {says: "a job has the CPUs that its workload says in the simulation, however many GPUs it has"},
	"nodename corespeccount":    {says: reserved},
	"nodename cpuspeclist":      {says: reserved},
	"nodename gres":             {says: "of a node's generic resources the GPUs count in the simulation"},
	"nodename memspeclimit":     {says: "memory of slurmd is handed out to jobs in the simulation", memory: true, harmless: []string{"0"}},
	"partitionname qos":         {says: "limits of associations and QOS are not known here"},
	"partitionname lln":         {says: leastLoaded, harmless: []string{"NO"}},
	"partitionname reqresv":     {says: "there are no reservations in the simulation: jobs of the partition need none", harmless: []string{"NO"}},
	"partitionname rootonly":    {says: anybody, harmless: []string{"NO"}},
	"partitionname alternate":   {says: "jobs of a partition that is not up wait for it in the simulation"},
	"partitionname jobdefaults": {says: "a job has the CPUs and the memory that its workload says in the simulation, however many GPUs it has"},

	"partitionname allowaccounts": {says: anybody, harmless: []string{"ALL"}}, "partitionname denyaccounts": {says: anybody},
	"partitionname allowgroups": {says: anybody, harmless: []string{"ALL"}}, "partitionname denygroups": {says: anybody},
	"partitionname allowqos": {says: anybody, harmless: []string{"ALL"}}, "partitionname denyqos": {says: anybody},
	"partitionname defmempercpu":  {says: noMemory, memory: true, harmless: unlimited},
	"partitionname defmempergpu":  {says: noMemory, memory: true, harmless: unlimited},
	"partitionname defmempernode": {says: noMemory, memory: true, harmless: unlimited},
	"partitionname maxmempercpu":  {says: muchMemory, memory: true, harmless: unlimited},
	"partitionname maxmempernode": {says: muchMemory, memory: true, harmless: unlimited},
	"partitionname defcpupergpu":  {says: "a job has the CPUs that its workload says in the simulation, however many GPUs it has"},

	"partitionname exclusiveuser":        {says: "users share nodes in the simulation", harmless: []string{"NO"}},
	"partitionname exclusivetopo":        {says: "the simulation knows no topology of the network", harmless: []string{"NO"}},
	"partitionname maxcpuspernode":       {says: allCPUs, harmless: unlimited},
	"partitionname maxcpuspersocket":     {says: allCPUs, harmless: unlimited},
	"partitionname powerdownonidle":      {says: "nodes are powered down after SuspendTime in the simulation, not as soon as they are idle", harmless: []string{"NO"}},
	"partitionname selecttypeparameters": {says: "partitions share nodes as the cluster does in the simulation", harmless: []string{"NONE"}},

	"schedulerparameters assoc_limit_stop":          {says: ofLimits},
	"schedulerparameters bf_busy_nodes":             {says: "backfill does not prefer nodes that are in use in the simulation"},
	"schedulerparameters bf_job_part_count_reserve": {says: allReserve},
	"schedulerparameters bf_licenses":               {says: "licences are not counted in the simulation"},
	"schedulerparameters bf_max_job_array_resv":     {says: allReserve},
	"schedulerparameters bf_max_job_assoc":          {says: allTested},
	"schedulerparameters bf_max_job_part":           {says: allTested},
	"schedulerparameters bf_max_job_start":          {says: allTested},
	"schedulerparameters bf_max_job_user":           {says: allTested},
	"schedulerparameters bf_max_job_user_part":      {says: allTested},
	"schedulerparameters bf_min_age_reserve":        {says: allReserve},
	"schedulerparameters bf_min_prio_reserve":       {says: allReserve},
	"schedulerparameters bf_one_resv_per_job":       {says: allReserve},
	"schedulerparameters max_depend_depth":          {says: "jobs wait for each other to any depth in the simulation"},
	"schedulerparameters pack_serial_at_end":        {says: "serial jobs get nodes as others do in the simulation"},
	"schedulerparameters partition_job_depth":       {says: allTested, harmless: []string{"0"}},
	"schedulerparameters preempt_reorder_count":     {says: "no job is preempted in the simulation"},
	"schedulerparameters reduce_completing_frag":    {says: "no pass waits for jobs that are completing in the simulation"},
	"schedulerparameters spec_cores_first":          {says: reserved},

	"selecttypeparameters cr_lln":               {says: leastLoaded},
	"selecttypeparameters cr_one_task_per_core": {says: "a task takes a CPU in the simulation"},
	"selecttypeparameters cr_pack_nodes":        {says: "tasks are not packed onto nodes in the simulation"},
	"selecttypeparameters cr_socket":            {says: sockets},
	"selecttypeparameters cr_socket_memory":     {says: sockets},
}

// gap is what to know of such a parameter.
type gap struct {
	says     string
	harmless []string // values that change nothing in slurmctld either
	memory   bool     // it means something only where memory is handed out
}

// What several have in common.
const (
	programs    = "programs before and after jobs take no time in the simulation"
	requeueExit = "no exit code requeues a job in the simulation"
	noMemory    = "a job that asks for no memory takes none in the simulation"
	muchMemory  = "a job may ask for all of a node's memory in the simulation"
	reserved    = "all cores are for jobs in the simulation"
	leastLoaded = "nodes with the most to spare do not come first in the simulation"
	anybody     = "anybody may use the partition in the simulation"
	allCPUs     = "a partition has all CPUs of its nodes in the simulation"
	ofLimits    = "a job that would exceed a limit is in nobody's way in the simulation"
	allReserve  = "backfill reserves nodes for every job that it tests in the simulation"
	allTested   = "jobs are looked at by default_queue_depth and bf_max_job_test alone in the simulation"
	sockets     = "cores are handed out in the simulation, not sockets"
)

var unlimited = []string{"0", "UNLIMITED"}

// passed is a parameter that the simulation does not go by, though slurmctld
// does.
type passed struct {
	name string
	gap  gap
	at   value
}

// pass notes a parameter that the simulation does not go by; kind is the line or
// the list that it is in, "" for the cluster's own. Of these the last one counts;
// of lines about nodes and partitions, which a site has many of, the first is
// told.
func (r *reader) pass(kind string, p pair) {
	name := p.key
	if kind != "" {
		name = kind + " " + p.key
	}
	r.ignored[name] = true
	key := strings.ToLower(name)
	gap, ok := missing[key]
	if !ok {
		return
	}
	if kind == "" {
		delete(r.passed, key)
	}
	if slices.ContainsFunc(gap.harmless, func(w string) bool { return strings.EqualFold(w, p.text) }) {
		return
	}
	if _, told := r.passed[key]; !told {
		r.passed[key] = passed{name: name, gap: gap, at: p.value}
	}
}

// tellPassed says what they would have changed.
func (r *reader) tellPassed() {
	for _, key := range slices.Sorted(maps.Keys(r.passed)) {
		if p := r.passed[key]; !p.gap.memory || r.settings.SelectMemory {
			r.add(idNotModelled, p.at, "", "%s: %s", p.name, p.gap.says)
		}
	}
}
