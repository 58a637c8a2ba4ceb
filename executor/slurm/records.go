package slurm

import (
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/hostlist"
)

// Record is what slurmctld knows of a job: one line of "scontrol -o show job".
type Record struct {
	ID string
	// ArrayID and Task are set for tasks of an array. Task is a number, or a
	// set such as "3-5,9%2" for the tasks that have not begun, which share one
	// record.
	ArrayID, Task string
	// HetID is the id of a heterogeneous job's first component.
	HetID string
	Name  string
	// User is the owner's name, UID the number behind it, -1 if not told.
	User      string
	UID       int
	Account   string
	Partition string
	State     string // JobState, such as CONFIGURING
	Reason    string
	Requeue   bool // may be requeued
	Batch     bool // not srun or salloc
	Restarts  int
	// Submitted is when it was submitted, or requeued for want of a node, by
	// slurmctld's clock and zone; zero where that is not told.
	Submitted time.Time
	// Nodes are the job's nodes. A requeued job keeps those it had.
	Nodes              []string
	NumNodes, NumCPUs  int
	ReqNodes, ExcNodes []string
	// AdminComment can be set by administrators and job_submit plugins alone,
	// but a user whose working directory is named like one can forge it where
	// the job has none. Only a site whose plugin gives every job one may trust
	// it, and only where the record is not Doubtful.
	AdminComment string
	Comment      string // the user's own
	// Doubtful says that a text of the user's (job name, paths, comment) looks
	// like fields of the record. ID, ArrayID, Task and HetID are right even
	// so; the others may be what the user wants them to be.
	Doubtful bool
}

// Ref is how scontrol is told about this job and no other: the id of an array
// alone would mean all of its tasks, running ones too.
func (r Record) Ref() string {
	switch {
	case r.ArrayID != "":
		return r.ArrayID + "_" + r.Task
	case r.HetID != "":
		return r.HetID // components are held and requeued as one
	}
	return r.ID
}

// single reports whether the record is one job, not a set of tasks to come.
func (r Record) single() bool { return r.ArrayID == "" || strings.Trim(r.Task, "0123456789") == "" }

// Configuring reports whether the job waits for its nodes to boot.
func (r Record) Configuring() bool { return r.State == "CONFIGURING" }

// HasNodes reports whether Nodes are the job's now, not what it had before it
// was requeued.
func (r Record) HasNodes() bool {
	switch r.State {
	case "CONFIGURING", "RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING":
		return true
	}
	return false
}

// Gone reports whether the job is over, or ending, and needs no node any more.
// A pending one is not gone: it comes back.
func Gone(r Record) bool {
	switch r.State {
	case "BOOT_FAIL", "CANCELLED", "COMPLETED", "COMPLETING", "DEADLINE", "FAILED", "NODE_FAIL",
		"OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "STAGE_OUT", "TIMEOUT":
		return true
	}
	return false
}

// CanHold reports whether the job can be held, so that it does not come back
// and fail the same way. Slurm refuses to requeue interactive and --no-requeue
// jobs. It does not refuse for an ended job but revives it, so we do.
func CanHold(r Record) bool { return r.Batch && r.Requeue && r.single() && !Gone(r) }

// ResolveTask finds among the records of a job, an array or a heterogeneous job
// the one that has the nodes now: the one with the id, else the first other.
func ResolveTask(records []Record, id string, nodes []string) (Record, bool) {
	var found Record
	for _, r := range records {
		if !r.HasNodes() || !slices.ContainsFunc(r.Nodes, func(n string) bool { return slices.Contains(nodes, n) }) {
			continue
		}
		if r.ID == id {
			return r, true
		}
		if found.ID == "" {
			found = r
		}
	}
	return found, found.ID != ""
}

// startsRecord reports whether a line begins a job's record: with its number and a
// blank. A user's text may hold line breaks, so that not every line does.
func startsRecord(line string) bool {
	id, ok := strings.CutPrefix(line, "JobId=")
	id, _, blank := strings.Cut(id, " ")
	return ok && blank && id != "" && strings.Trim(id, "0123456789") == ""
}

// parseJobs reads "scontrol -o show job".
func parseJobs(out string) []Record {
	var records []Record
	start, at := -1, 0
	for line := range strings.Lines(out) {
		if startsRecord(line) {
			if start >= 0 {
				records = append(records, parseJob(out[start:at]))
			}
			start = at
		}
		at += len(line)
	}
	if start >= 0 {
		records = append(records, parseJob(out[start:]))
	}
	if len(records) < 2 {
		return records
	}
	// A line break in a job's name can make up a whole record: of two with one
	// id, neither is believed.
	seen := map[string]int{}
	for i, r := range records {
		if j, ok := seen[r.ID]; ok {
			records[i].Doubtful, records[j].Doubtful = true, true
		}
		seen[r.ID] = i
	}
	return records
}

// parseJob reads one record. Slurm quotes nothing, but writes its fields in one
// order: ids, the name (the user's), UserId to Network (Slurm's own), then
// paths and comments (the user's, AdminComment apart).
func parseJob(text string) Record {
	head, rest := cutBefore(text, "UserId=")
	own, tail := cutBefore(rest, "Command=")
	ids, name := cutBefore(head, "JobName=")
	id, f := fields(ids), fields(own)

	r := Record{
		ID: id.of("JobId"), ArrayID: id.of("ArrayJobId"), Task: id.of("ArrayTaskId"), HetID: id.of("HetJobId"),
		Name:      strings.TrimSpace(strings.TrimPrefix(name, "JobName=")),
		Account:   f.of("Account"),
		Partition: f.of("Partition"),
		State:     f.of("JobState"),
		Reason:    f.of("Reason"),
		Requeue:   f.of("Requeue") == "1",
		Batch:     f.of("BatchFlag") == "1",
		Restarts:  number(f.of("Restarts")),
		NumNodes:  number(f.of("NumNodes")),
		NumCPUs:   number(f.of("NumCPUs")),
		Nodes:     expand(f.of("NodeList")),
		ReqNodes:  expand(f.of("ReqNodeList")),
		ExcNodes:  expand(f.of("ExcNodeList")),
		UID:       -1,
	}
	if i := strings.LastIndex(r.Name, " HetJobIdSet="); i >= 0 && r.HetID != "" {
		r.Name = r.Name[:i]
	}
	user, uid, ok := strings.Cut(strings.TrimSuffix(f.of("UserId"), ")"), "(")
	if ok {
		r.User = user
		if uid != "" && strings.Trim(uid, "0123456789") == "" {
			r.UID = number(uid)
		}
	}
	if r.Reason == "None" {
		r.Reason = ""
	}
	r.Submitted, _ = instant(f.of("SubmitTime"))
	if i := index(tail, "WorkDir="); i >= 0 {
		tail = tail[i:]
	}
	claims := 0
	if r.AdminComment, r.Comment, ok = comments(tail); ok {
		claims = 1
	}
	r.Doubtful = count(text, "UserId=") > 1 || count(text, "AdminComment=") > claims
	return r
}

// afterComments are the fields that can follow AdminComment and Comment.
var afterComments = []string{"SystemComment=", "Comment=", "StdErr=", "StdIn=", "StdOut=", "Switches=", "Power=", "MailUser="}

// comments reads the two comments. Each is followed by a blank of its own
// before the one that separates fields, so that the text of one may hold
// something like " StdErr=". It reports whether there is an AdminComment.
func comments(tail string) (admin, user string, ok bool) {
	cut := func(text string) string {
		end := len(strings.TrimRight(text, " \n"))
		for _, key := range afterComments {
			if i := strings.Index(text, "  "+key); i >= 0 && i < end {
				end = i
			}
		}
		return text[:end]
	}
	a, u := index(tail, "AdminComment="), index(tail, "Comment=")
	if ok = a >= 0 && (u < 0 || a < u); ok {
		admin = cut(tail[a+len("AdminComment="):])
		tail = tail[a+len("AdminComment=")+len(admin):]
		u = index(tail, "Comment=")
	}
	if u >= 0 {
		user = cut(tail[u+len("Comment="):])
	}
	return admin, user, ok
}

// index finds key where a blank or a line break goes before it.
func index(text, key string) int {
	for at := 0; ; {
		i := strings.Index(text[at:], key)
		if i < 0 {
			return -1
		}
		if at += i; at == 0 || text[at-1] == ' ' || text[at-1] == '\n' {
			return at
		}
		at += len(key)
	}
}

// count counts what index finds.
func count(text, key string) int {
	n := 0
	for i := index(text, key); i >= 0; i = index(text, key) {
		n, text = n+1, text[i+len(key):]
	}
	return n
}

// cutBefore splits text before key.
func cutBefore(text, key string) (before, from string) {
	if i := index(text, key); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// expand expands a node list of slurmctld's. One that cannot be read is a
// forged one, and stands for no node.
func expand(list string) []string {
	if list == "" {
		return nil
	}
	names, err := hostlist.Expand(list)
	if err != nil {
		return nil
	}
	return names
}
