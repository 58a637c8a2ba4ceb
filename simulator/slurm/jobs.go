package slurm

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
)

// hasNodes reports whether Nodes are the job's now.
func (j *Job) hasNodes() bool {
	return j.State == "CONFIGURING" || j.State == "RUNNING" || j.State == "COMPLETING"
}

func (j *Job) ended() bool { return j.State != "PENDING" && !j.hasNodes() }

func (j *Job) requeue() {
	j.State, j.Reason = "PENDING", ""
	j.Restarts++
}

func (m *Model) sortedJobs() []*Job {
	var jobs []*Job
	for _, id := range slices.Sorted(maps.Keys(m.jobs)) {
		jobs = append(jobs, m.jobs[id])
	}
	return jobs
}

// find returns the jobs that a reference means: all tasks for an array's id,
// all components for a heterogeneous job's, one task for "2_3".
func (m *Model) find(ref string) []*Job {
	base, task, isTask := strings.Cut(ref, "_")
	id, err := strconv.Atoi(base)
	if err != nil || id <= 0 {
		return nil
	}
	var found []*Job
	for _, j := range m.sortedJobs() {
		switch {
		case isTask:
			if j.ArrayID == id && inTask(j.Task, task) {
				found = append(found, j)
			}
		case j.ID == id, j.ArrayID == id, j.HetID == id:
			found = append(found, j)
		}
	}
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
	if len(jobs) == 1 && jobs[0].HetID != 0 && jobs[0].ID != jobs[0].HetID && strings.HasPrefix(verb, "requeue") {
		return []string{onJob(verb, ref, "Job not heterogeneous job leader")}
	}
	if len(jobs) == 0 {
		if strings.Contains(ref, "_") {
			return []string{ref + ": Invalid job id specified"}
		}
		return []string{onJob(verb, ref, "Invalid job id specified")}
	}
	var refusals []string
	for _, j := range jobs {
		text := m.steerOne(verb, j)
		switch {
		case text == "":
		case j.ArrayID != 0:
			set, _, _ := strings.Cut(j.Task, "%")
			refusals = append(refusals, fmt.Sprintf("%d_%s: %s", j.ArrayID, set, text))
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

func (m *Model) steerOne(verb string, j *Job) string {
	if verb == "hold" || verb == "release" {
		switch {
		case j.ended():
			return "Job has already finished"
		case j.State == "PENDING" && verb == "hold":
			j.Reason = "JobHeldAdmin"
		case j.State == "PENDING":
			j.Reason = ""
		}
		return "" // of a job that has begun it only changes the priority
	}
	switch {
	case !j.Batch:
		return "Only batch jobs are accepted or processed"
	case !j.Requeue:
		return "Requested operation is presently disabled"
	case j.State == "PENDING":
		return "Job is pending execution"
	}
	// An ended job is revived: Slurm does not refuse.
	j.requeue()
	if verb == "requeuehold" {
		j.Reason = "job_requeued_in_held_state"
	}
	return ""
}

// updateJob is "scontrol update JobId=REF ...".
func (m *Model) updateJob(args []string) error {
	_, ref, _ := strings.Cut(args[0], "=")
	jobs := m.find(ref)
	if len(jobs) == 0 {
		return exit("Invalid job id specified for job " + ref)
	}
	for _, j := range jobs {
		if text := m.updateOne(j, args[1:]); text != "" {
			return exit(text + " for job " + ref)
		}
	}
	return nil
}

func (m *Model) updateOne(j *Job, args []string) string {
	if j.ended() {
		return "Job has already finished"
	}
	for _, a := range args {
		key, value, _ := strings.Cut(a, "=")
		switch strings.ToLower(key) {
		case "admincomment":
			j.AdminComment = value
		case "comment":
			j.Comment = value
		case "excnodelist":
			if j.State != "PENDING" {
				return "Job is no longer pending execution"
			}
			var names []string
			if value != "" {
				names, _ = hostlist.Expand(value)
			}
			for _, n := range names {
				if m.nodes[n] == nil {
					return "Invalid node name specified"
				}
			}
			j.ExcNodes = names
		case "starttime":
			seconds, ok := strings.CutPrefix(value, "now+")
			n, err := strconv.Atoi(seconds)
			switch {
			case !ok || err != nil || n < 0:
				return "simulator/slurm: " + a + " is not modelled"
			case j.State != "PENDING":
				return "Job is no longer pending execution"
			}
			j.StartTime = m.env.Now().Add(time.Duration(n) * time.Second)
		case "partition":
			if j.State != "PENDING" {
				return "Job is no longer pending execution"
			}
			if !m.hasPartition(value) {
				return "Invalid partition name specified"
			}
			j.Partition = value
		default:
			return "simulator/slurm: " + a + " is not modelled"
		}
	}
	return ""
}

func (m *Model) hasPartition(name string) bool {
	return slices.ContainsFunc(m.Nodes(), func(n string) bool { return m.nodes[n].Partition == name })
}

// showJobs is "scontrol -o show job [REF]".
func (m *Model) showJobs(ref string) (string, error) {
	jobs := m.sortedJobs()
	if ref != "" {
		if jobs = m.find(ref); len(jobs) == 0 {
			return "", exit("slurm_load_jobs error: Invalid job id specified")
		}
	}
	var b strings.Builder
	for _, j := range jobs {
		b.WriteString(jobLine(j))
	}
	if len(jobs) == 0 {
		return "No jobs in the system\n", nil
	}
	return b.String(), nil
}

// script is "scontrol write batch_script REF -": the script of the first job that
// is meant. Where there is none scontrol says so on stderr alone, and exits with
// 0.
func (m *Model) script(ref string) string {
	for _, j := range m.find(ref) {
		if j.Script != "" {
			return j.Script
		}
	}
	return ""
}

func jobLine(j *Job) string {
	s := fmt.Sprintf("JobId=%d ", j.ID)
	if j.ArrayID != 0 {
		s += fmt.Sprintf("ArrayJobId=%d ArrayTaskId=%s ", j.ArrayID, j.Task)
	}
	if j.HetID != 0 {
		s += fmt.Sprintf("HetJobId=%d HetJobOffset=%d ", j.HetID, j.HetOffset)
	}
	s += "JobName=" + j.Name
	if j.HetID != 0 {
		s += fmt.Sprintf(" HetJobIdSet=%d", j.HetID)
	}
	count := strconv.Itoa(j.NumNodes)
	if j.State == "PENDING" {
		count += "-" + count
	}
	reason, nodes, batchHost := "None", "", ""
	if j.Reason != "" {
		reason = j.Reason
	}
	if len(j.Nodes) > 0 {
		nodes = hostlist.Fold(j.Nodes)
		batchHost = " BatchHost=" + j.Nodes[0]
	}
	s += fmt.Sprintf(" UserId=%s(%d) GroupId=%[1]s(%[2]d) MCS_label=N/A Priority=1 Nice=0 Account=%[3]s QOS=(null)"+
		" JobState=%s Reason=%s Dependency=(null) Requeue=%d Restarts=%d BatchFlag=%d Reboot=0 ExitCode=0:0"+
		" RunTime=00:00:00 TimeLimit=01:00:00 TimeMin=N/A SubmitTime=Unknown EligibleTime=Unknown AccrueTime=Unknown"+
		" StartTime=Unknown EndTime=Unknown Deadline=N/A SuspendTime=None SecsPreSuspend=0 LastSchedEval=Unknown"+
		" Scheduler=Main Partition=%[9]s AllocNode:Sid=head:1 ReqNodeList=%[10]s ExcNodeList=%[11]s NodeList=%[12]s%[13]s"+
		" NumNodes=%[14]s NumCPUs=%[15]d NumTasks=%[15]d CPUs/Task=1 ReqB:S:C:T=0:0:*:* TRES=cpu=%[15]d,node=%[16]d"+
		" Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=* MinCPUsNode=1 MinMemoryNode=0 MinTmpDiskNode=0"+
		" Features=(null) DelayBoot=00:00:00 OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)"+
		" Command=/home/%[1]s/job.sh WorkDir=/home/%[1]s",
		j.User, j.UID, null(j.Account), j.State, reason, bit(j.Requeue), j.Restarts, bit(j.Batch),
		j.Partition, folded(j.ReqNodes), folded(j.ExcNodes), nodes, batchHost, count, j.NumCPUs, j.NumNodes)
	if j.AdminComment != "" {
		s += " AdminComment=" + j.AdminComment + " "
	}
	if j.Comment != "" {
		s += " Comment=" + j.Comment + " "
	}
	if j.Batch {
		s += fmt.Sprintf(" StdErr=/home/%s/slurm-%d.out StdIn=/dev/null StdOut=/home/%[1]s/slurm-%[2]d.out", j.User, j.ID)
	}
	return s + " Power= \n"
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
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

// clock is a time as scontrol prints it.
func clock(t env.Time) string { return t.Std().Format("2006-01-02T15:04:05") }
