package slurm

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/slurm/state"
)

// requeue puts a job back into the queue.
func (m *Model) requeue(k int32, reason, cause string) {
	j := m.table.Job(k)
	m.table.Unplace(k)
	j.State, j.Reason = state.Pending, m.table.Intern(reason)
	j.Restarts++
	if m.daemon != nil {
		m.daemon.Requeued(k, cause)
	}
}

// tasks is what a job is of its array: "3", or "4-6,9%2".
func tasks(j *state.Job) string {
	if j.More != nil && j.More.Tasks != "" {
		return j.More.Tasks
	}
	return strconv.Itoa(int(j.Task))
}

// find returns the jobs that a reference means, by id: all tasks for an array's
// id, all components for a heterogeneous job's, one task for "2_3".
func (m *Model) find(ref string) []int32 {
	base, task, isTask := strings.Cut(ref, "_")
	id, err := strconv.ParseInt(base, 10, 32)
	if err != nil || id <= 0 {
		return nil
	}
	var found []int32
	for k := range m.table.Members(int32(id)) {
		if j := m.table.Job(k); !isTask || !j.Is(state.Het) && inTask(tasks(j), task) {
			found = append(found, k)
		}
	}
	if k := m.table.FindJob(int32(id)); !isTask && k != state.None && !slices.Contains(found, k) {
		found = append(found, k)
	}
	slices.SortFunc(found, func(a, b int32) int { return cmp.Compare(m.table.Job(a).ID, m.table.Job(b).ID) })
	return found
}

// inTask reports whether a task is in a set such as "3-5,9%2".
func inTask(set, task string) bool {
	set, _, _ = strings.Cut(set, "%")
	names, err := hostlist.Expand("[" + set + "]")
	return set == task || err == nil && slices.Contains(names, task)
}

// steer is requeuehold, requeue, hold or release of one reference; it returns
// what Slurm says against it.
func (m *Model) steer(verb, ref string) []string {
	jobs := m.find(ref)
	if len(jobs) == 1 && strings.HasPrefix(verb, "requeue") {
		if j := m.table.Job(jobs[0]); j.Is(state.Het) && j.ID != j.Array {
			return []string{onJob(verb, ref, "Job not heterogeneous job leader")}
		}
	}
	if len(jobs) == 0 {
		if strings.Contains(ref, "_") {
			return []string{ref + ": Invalid job id specified"}
		}
		return []string{onJob(verb, ref, "Invalid job id specified")}
	}
	var refusals []string
	for _, k := range jobs {
		text := m.steerOne(verb, k)
		j := m.table.Job(k)
		switch {
		case text == "":
		case j.Array != 0 && !j.Is(state.Het):
			set, _, _ := strings.Cut(tasks(j), "%")
			refusals = append(refusals, fmt.Sprintf("%d_%s: %s", j.Array, set, text))
		default:
			refusals = append(refusals, onJob(verb, ref, text))
		}
	}
	return refusals
}

// onJob is a refusal as scontrol prints it; of hold and release it says it twice.
func onJob(verb, ref, text string) string {
	s := text + " for job " + ref
	if verb == "hold" || verb == "release" {
		s += "\nslurm_suspend error: " + text
	}
	return s
}

func (m *Model) steerOne(verb string, k int32) string {
	j := m.table.Job(k)
	if verb == "hold" || verb == "release" {
		switch {
		case j.State.Ended():
			return "Job has already finished"
		case j.State != state.Pending:
			return "" // of a job that has begun it only changes the priority
		case verb == "hold":
			j.Bits |= state.Held
			j.Reason = m.table.Intern("JobHeldAdmin")
		default:
			j.Bits &^= state.Held
			j.Reason = 0
		}
		m.jobChanged(k)
		return ""
	}
	switch {
	case !j.Is(state.Batch):
		return "Only batch jobs are accepted or processed"
	case !j.Is(state.Requeue):
		return "Requested operation is presently disabled"
	case j.State == state.Pending:
		return "Job is pending execution"
	}
	// An ended job is revived: Slurm does not refuse.
	reason := ""
	if verb == "requeuehold" {
		reason = "job_requeued_in_held_state"
		j.Bits |= state.Held
	}
	m.requeue(k, reason, verb)
	return ""
}

func (m *Model) jobChanged(k int32) {
	if m.daemon != nil {
		m.daemon.JobChanged(k)
	}
}

// updateJob is "scontrol update JobId=REF ...".
func (m *Model) updateJob(args []string) error {
	_, ref, _ := strings.Cut(args[0], "=")
	jobs := m.find(ref)
	if len(jobs) == 0 {
		return exit("Invalid job id specified for job " + ref)
	}
	for _, k := range jobs {
		if text := m.updateOne(k, args[1:]); text != "" {
			return exit(text + " for job " + ref)
		}
	}
	return nil
}

func (m *Model) updateOne(k int32, args []string) string {
	j := m.table.Job(k)
	if j.State.Ended() {
		return "Job has already finished"
	}
	for _, a := range args {
		key, value, _ := strings.Cut(a, "=")
		switch strings.ToLower(key) {
		case "admincomment":
			j.Rare().AdminComment = value
		case "comment":
			j.Rare().Comment = value
		case "excnodelist":
			if j.State != state.Pending {
				return "Job is no longer pending execution"
			}
			var names []string
			if value != "" {
				names, _ = hostlist.Expand(value)
			}
			for _, n := range names {
				if m.table.FindNode(n) == state.None {
					return "Invalid node name specified"
				}
			}
			j.Rare().ExcNodes = m.table.Numbers(names)
			m.jobChanged(k)
		case "starttime":
			seconds, ok := strings.CutPrefix(value, "now+")
			n, err := strconv.Atoi(seconds)
			switch {
			case !ok || err != nil || n < 0:
				return "simulator/slurm: " + a + " is not modelled"
			case j.State != state.Pending:
				return "Job is no longer pending execution"
			}
			j.NotBefore = m.env.Now().Add(time.Duration(n) * time.Second)
			m.jobChanged(k)
		case "partition":
			if j.State != state.Pending {
				return "Job is no longer pending execution"
			}
			for _, name := range strings.Split(value, ",") {
				if m.table.Partition(name) == nil {
					return "Invalid partition name specified"
				}
			}
			o := *m.table.Origin(j.Origin)
			o.Partition = value
			j.Origin = m.table.InternOrigin(o)
			m.jobChanged(k)
		default:
			return "simulator/slurm: " + a + " is not modelled"
		}
	}
	return ""
}

// showJobs is "scontrol -o show job [REF]".
func (m *Model) showJobs(ref string) ([]byte, error) {
	var jobs []int32
	if ref == "" {
		jobs = m.table.Sorted()
	} else if jobs = m.find(ref); len(jobs) == 0 {
		return nil, exit("slurm_load_jobs error: Invalid job id specified")
	}
	if len(jobs) == 0 {
		return []byte("No jobs in the system\n"), nil
	}
	out := make([]byte, 0, 1280*len(jobs)) // a line has some 1200 bytes
	for _, k := range jobs {
		out = m.jobLine(out, k)
	}
	return out, nil
}

// script is "scontrol write batch_script REF -": the script of the first job that
// is meant. Where there is none scontrol says so on stderr alone, and exits with
// 0.
func (m *Model) script(ref string) string {
	for _, k := range m.find(ref) {
		if x := m.table.Job(k).More; x != nil && x.Script != "" {
			return x.Script
		}
	}
	return ""
}

// write appends texts: what a program asks for at each of its calls is not
// formatted.
func write(out []byte, texts ...string) []byte {
	for _, t := range texts {
		out = append(out, t...)
	}
	return out
}

// jobLine appends what "scontrol -o show job" prints of a job.
func (m *Model) jobLine(out []byte, k int32) []byte {
	r, j := m.table.Job(k), m.Job(int(m.table.Job(k).ID))
	var times Times
	if m.daemon != nil {
		times = m.daemon.Times(k)
	}
	run := env.Time(0)
	if now := m.env.Now(); times.Start != 0 {
		if times.End != 0 {
			now = min(now, times.End)
		}
		run = now - times.Start
	}
	limit := "01:00:00"
	if m.daemon != nil {
		limit = span(times.Limit)
	}
	id, uid, array := strconv.Itoa(j.ID), strconv.Itoa(j.UID), strconv.Itoa(int(r.Array))
	out = write(out, "JobId=", id, " ")
	if j.ArrayID != 0 {
		out = write(out, "ArrayJobId=", array, " ArrayTaskId=", j.Task, " ")
	}
	if j.HetID != 0 {
		out = write(out, "HetJobId=", array, " HetJobOffset=", strconv.Itoa(j.HetOffset), " ")
	}
	out = write(out, "JobName=", j.Name)
	if j.HetID != 0 {
		out = write(out, " HetJobIdSet=", array)
	}
	nodes := strconv.Itoa(j.NumNodes)
	count := nodes
	if r.State == state.Pending {
		count += "-" + nodes
	}
	cpus := strconv.Itoa(j.NumCPUs)
	list, batchHost := "", ""
	if len(j.Nodes) > 0 {
		list, batchHost = hostlist.Fold(j.Nodes), " BatchHost="+j.Nodes[0]
	}
	out = write(out, " UserId=", j.User, "(", uid, ") GroupId=", j.User, "(", uid, ") MCS_label=N/A Priority=1 Nice=0",
		" Account=", null(j.Account), " QOS=(null)",
		" JobState=", j.State, " Reason=", cmp.Or(j.Reason, times.Why, "None"), " Dependency=(null) Requeue=", bit(j.Requeue),
		" Restarts=", strconv.Itoa(j.Restarts), " BatchFlag=", bit(j.Batch), " Reboot=0 ExitCode=0:0",
		" RunTime=", span(time.Duration(run)), " TimeLimit=", limit, " TimeMin=N/A SubmitTime=", instant(times.Submit),
		" EligibleTime=", instant(times.Eligible), " AccrueTime=Unknown",
		" StartTime=", instant(times.Start), " EndTime=", instant(times.End), " Deadline=N/A SuspendTime=None SecsPreSuspend=0 LastSchedEval=Unknown",
		" Scheduler=Main Partition=", j.Partition, " AllocNode:Sid=head:1 ReqNodeList=", folded(j.ReqNodes), " ExcNodeList=", folded(j.ExcNodes),
		" NodeList=", list, batchHost,
		" NumNodes=", count, " NumCPUs=", cpus, " NumTasks=", cpus, " CPUs/Task=1 ReqB:S:C:T=0:0:*:* TRES=cpu=", cpus, ",node=", nodes,
		" Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=* MinCPUsNode=1 MinMemoryNode=0 MinTmpDiskNode=0",
		" Features=(null) DelayBoot=00:00:00 OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)",
		" Command=/home/", j.User, "/job.sh WorkDir=/home/", j.User)
	if j.AdminComment != "" {
		out = write(out, " AdminComment=", j.AdminComment, " ")
	}
	if j.Comment != "" {
		out = write(out, " Comment=", j.Comment, " ")
	}
	if j.Batch {
		out = write(out, " StdErr=/home/", j.User, "/slurm-", id, ".out StdIn=/dev/null StdOut=/home/", j.User, "/slurm-", id, ".out")
	}
	return write(out, " Power= \n")
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func null(s string) string {
	if s == "" {
		return "(null)"
	}
	return s
}

func folded(nodes []string) string {
	if len(nodes) == 0 {
		return "(null)"
	}
	return hostlist.Fold(nodes)
}

// span is a duration as scontrol prints it: [days-]hours:minutes:seconds, and
// UNLIMITED for none.
func span(d time.Duration) string {
	if d < 0 {
		return "UNLIMITED"
	}
	s := int64(d / time.Second)
	b := make([]byte, 0, 16)
	if s >= 86400 {
		b = append(strconv.AppendInt(b, s/86400, 10), '-')
	}
	digits := func(n int64) { b = append(b, byte('0'+n/10), byte('0'+n%10)) }
	digits(s / 3600 % 24)
	b = append(b, ':')
	digits(s / 60 % 60)
	b = append(b, ':')
	digits(s % 60)
	return string(b)
}

// instant is a time as scontrol prints it, or Unknown.
func instant(t env.Time) string {
	if t == 0 {
		return "Unknown"
	}
	return clock(t)
}

// clock is a time as scontrol prints it.
func clock(t env.Time) string { return t.Std().Format("2006-01-02T15:04:05") }
