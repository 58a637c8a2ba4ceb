package slurm

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJobsAsScontrolPrintsThem(t *testing.T) {
	records := parseJobs(string(read(t, "jobs.txt")))
	const comment = "budget=5 JobId=99 Partition=x asba:abc" // looks like fields, and is not
	pending := Record{User: "ann", UID: 1000, Partition: "hpc", State: "PENDING", Requeue: true, Batch: true,
		NumNodes: 1, NumCPUs: 1, Comment: comment, Submitted: time.Date(2026, 11, 23, 21, 26, 50, 0, time.UTC)}
	with := func(r Record, f func(*Record)) Record { f(&r); return r }
	configuring := with(pending, func(r *Record) { r.State = "CONFIGURING" })
	want := []Record{
		with(configuring, func(r *Record) {
			r.ID, r.Name, r.NumNodes, r.NumCPUs = "1", "my job=weird NodeList=x", 4, 4
			r.Nodes = []string{"aws-hpc-001", "aws-hpc-002", "aws-hpc-003", "aws-hpc-004"}
		}),
		with(configuring, func(r *Record) {
			r.ID, r.ArrayID, r.Task, r.Name, r.Nodes = "8", "2", "1", "arr", []string{"aws-hpc-005"}
		}),
		with(pending, func(r *Record) { r.ID, r.Name, r.Reason, r.Requeue = "3", "norq", "JobHeldUser", false }),
		with(pending, func(r *Record) { r.ID, r.HetID, r.Name = "4", "4", "het1" }),
		with(pending, func(r *Record) { r.ID, r.HetID, r.Name = "5", "4", "het1" }),
		with(pending, func(r *Record) { r.ID, r.Name, r.Reason, r.Batch, r.Comment = "6", "inter", "Priority", false, "" }),
		with(pending, func(r *Record) {
			r.ID, r.Name, r.Reason, r.NumNodes, r.NumCPUs = "7", "wx", "JobHeldUser", 2, 2
			r.ReqNodes, r.ExcNodes = []string{"aws-hpc-008"}, []string{"aws-hpc-001", "aws-hpc-002"}
		}),
		with(configuring, func(r *Record) {
			r.ID, r.ArrayID, r.Task, r.Name, r.Nodes = "9", "2", "2", "arr", []string{"aws-hpc-006"}
		}),
		with(pending, func(r *Record) {
			r.ID, r.ArrayID, r.Task, r.Name, r.Reason = "2", "2", "3-5,9%2", "arr", "JobArrayTaskLimit"
		}),
	}
	if d := cmp.Diff(want, records); d != "" {
		t.Error(d)
	}
	var refs []string
	for _, r := range records {
		refs = append(refs, r.Ref())
	}
	if d := cmp.Diff([]string{"1", "2_1", "3", "4", "4", "6", "7", "2_2", "2_3-5,9%2"}, refs); d != "" {
		t.Error(d)
	}
}

func TestTextsOfUsersInJobRecords(t *testing.T) {
	const middle = " UserId=ann(1000) GroupId=ann(1000) JobState=CONFIGURING Reason=None Requeue=1 BatchFlag=1 NodeList=n1"
	tests := []struct {
		name, text   string
		admin, user  string
		jobName      string
		wantDoubtful bool
	}{
		{"quotes, backslash and no AdminComment", string(read(t, "job_comment.txt")), "", `say "hi" it's \ x`, "my job=weird NodeList=x", false},
		{"line breaks in name, path and comment", string(read(t, "job_newline.txt")),
			"forged/a.sh", "c1\n   AdminComment=c2", "a\nb", true},
		{"both comments", "JobId=1 JobName=j" + middle + " Command=/c WorkDir=/w AdminComment=asba:1; x  Comment=u v  StdErr=/e Power= \n", "asba:1; x", "u v", "j", false},
		{"an AdminComment that looks like fields", "JobId=1 JobName=j" + middle + " Command=/c WorkDir=/w AdminComment=a Comment=b StdErr=c  StdErr=/e Power= \n", "a Comment=b StdErr=c", "", "j", false},
		{"an interactive job", "JobId=1 JobName=j" + middle + " Command=(null) WorkDir=/w AdminComment=a  Power= \n", "a", "", "j", false},
		{"a comment forges an AdminComment", "JobId=1 JobName=j" + middle + " Command=/c WorkDir=/w Comment=u AdminComment=asba:2  StdErr=/e Power= \n", "", "u AdminComment=asba:2", "j", true},
		{"a comment forges a second one", "JobId=1 JobName=j" + middle + " Command=/c WorkDir=/w AdminComment=asba:1  Comment=u AdminComment=asba:2  StdErr=/e Power= \n", "asba:1", "u AdminComment=asba:2", "j", true},
		{"a name forges an owner", "JobId=1 JobName=j UserId=root(0)" + middle + " Command=/c WorkDir=/w Power= \n", "", "", "j", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := parseJobs(tt.text)
			if len(records) != 1 {
				t.Fatalf("%d records", len(records))
			}
			r := records[0]
			if r.Doubtful != tt.wantDoubtful {
				t.Errorf("Doubtful = %v", r.Doubtful)
			}
			if tt.name != "line breaks in name, path and comment" { // whose texts mean nothing
				if d := cmp.Diff([]string{tt.admin, tt.user, tt.jobName}, []string{r.AdminComment, r.Comment, r.Name}); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestMadeUpRecordsAreDoubted(t *testing.T) {
	one := "JobId=1 JobName=x\nJobId=2 JobName=y UserId=root(0) JobState=RUNNING Command=/c UserId=ann(1) JobState=PENDING Command=/c WorkDir=/w\n"
	two := "JobId=2 JobName=real UserId=bob(2) JobState=CONFIGURING Command=/c WorkDir=/w\n"
	for _, r := range parseJobs(one + two) {
		if r.ID == "2" && !r.Doubtful {
			t.Errorf("believed one of two records of job 2: %+v", r)
		}
	}
}

func TestResolveTaskFindsWhoHasTheNodesNow(t *testing.T) {
	// Task 2_1 was requeued and still shows aws-hpc-005, which 2_2 has now.
	requeued := slices.DeleteFunc(parseJobs(string(read(t, "jobs_requeued.txt"))), func(r Record) bool { return r.ArrayID != "2" })
	het := slices.DeleteFunc(parseJobs(string(read(t, "jobs_requeued.txt"))), func(r Record) bool { return r.HetID != "4" })
	tests := []struct {
		name    string
		records []Record
		id      string
		nodes   []string
		want    string
	}{
		{"the array's id means the task on the node", requeued, "2", []string{"aws-hpc-005"}, "2_2"},
		{"another node, another task", requeued, "2", []string{"aws-hpc-006"}, "2_5"},
		{"the id of the job itself", requeued, "11", []string{"aws-hpc-006"}, "2_5"},
		{"a component", het, "5", []string{"aws-hpc-007", "aws-hpc-008"}, "4"},
		{"nobody has the node", requeued, "2", []string{"aws-hpc-001"}, ""},
		{"no records", nil, "2", []string{"aws-hpc-005"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := ResolveTask(tt.records, tt.id, tt.nodes)
			if ok != (tt.want != "") || ok && r.Ref() != tt.want {
				t.Errorf("got %s, %v, want %s", r.Ref(), ok, tt.want)
			}
		})
	}
	if r, _ := ResolveTask(het, "5", []string{"aws-hpc-007", "aws-hpc-008"}); r.ID != "5" {
		t.Errorf("got component %s, want 5", r.ID)
	}
}

func TestWhatMayBeHeld(t *testing.T) {
	ok := Record{ID: "1", Batch: true, Requeue: true, State: "CONFIGURING"}
	tests := []struct {
		name   string
		change func(*Record)
		hold   bool
		gone   bool
	}{
		{"a configuring batch job", func(*Record) {}, true, false},
		{"one that was requeued", func(r *Record) { r.State = "PENDING" }, true, false},
		{"a task", func(r *Record) { r.ArrayID, r.Task = "1", "3" }, true, false},
		{"tasks that have not begun", func(r *Record) { r.ArrayID, r.Task = "1", "3-4" }, false, false},
		{"--no-requeue", func(r *Record) { r.Requeue = false }, false, false},
		{"interactive", func(r *Record) { r.Batch = false }, false, false},
		{"cancelled: Slurm would revive it", func(r *Record) { r.State = "CANCELLED" }, false, true},
		{"ending", func(r *Record) { r.State = "COMPLETING" }, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ok
			tt.change(&r)
			if CanHold(r) != tt.hold || Gone(r) != tt.gone {
				t.Errorf("CanHold %v, Gone %v", CanHold(r), Gone(r))
			}
		})
	}
}

func TestNodesAsScontrolPrintsThem(t *testing.T) {
	up := parseNodes(read(t, "nodes_resumed.txt"))
	want := Node{Name: "aws-hpc-003", Addr: "127.0.1.3", State: "MIXED", flags: "CLOUD+DRAIN+POWER_DOWN+NOT_RESPONDING+POWERING_UP"}
	if len(up) != 6 {
		t.Fatalf("%d nodes, want 6", len(up))
	}
	if up[2] != want {
		t.Errorf("got %+v, want %+v", up[2], want)
	}
	if !up[0].Is("POWERING_UP") || up[0].Is("DRAIN") || up[0].Is("POWERING") {
		t.Errorf("got %+v", up[0])
	}
	back := parseNodes(read(t, "nodes_given_back.txt"))
	if !back[0].Is("POWERING_DOWN") || !back[0].Is("IDLE") {
		t.Errorf("got %+v", back[0])
	}
	some := parseNodes(read(t, "nodes_unknown_name.txt"))
	if len(some) != 8 { // and one "Node zzz not found"
		t.Errorf("%d nodes, want 8", len(some))
	}
	if n := some[5]; n.State != "IDLE" { // its Extra holds " State="
		t.Errorf("fooled by Extra=: %+v", n)
	}
}

func TestNodeStatesOfOtherReleases(t *testing.T) {
	for state, want := range map[string][]string{
		"DOWN*+CLOUD+POWER":                      {"DOWN", "CLOUD", "POWER"}, // 20.x
		"IDLE~":                                  {"IDLE"},
		"DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING": {"DOWN", "CLOUD", "POWERED_DOWN", "NOT_RESPONDING"},
		"DOWN+CLOUD+POWERED_DOWN":                {"DOWN", "CLOUD", "POWERED_DOWN"},
	} {
		n := parseNodes([]byte("NodeName=n1 State=" + state + " Weight=1\n"))[0]
		if got := strings.Join(append([]string{n.State}, strings.Split(n.flags, "+")...), "+"); strings.TrimSuffix(got, "+") != strings.Join(want, "+") {
			t.Errorf("%s: %s", state, got)
		}
	}
}

func FuzzParseJobs(f *testing.F) {
	for _, name := range []string{"jobs.txt", "jobs_requeued.txt", "job_array.txt", "job_comment.txt", "job_newline.txt"} {
		f.Add(string(read(f, name)))
	}
	f.Add("JobId=0 00 ")
	f.Fuzz(func(t *testing.T, out string) {
		for _, r := range parseJobs(out) {
			if r.ID == "" || strings.Trim(r.ID, "0123456789") != "" {
				t.Errorf("id %q", r.ID)
			}
		}
	})
}

// Whatever a user names a job and says of it, ids stay right, and nobody but
// Slurm says whose job it is or what its AdminComment is without being doubted.
func FuzzUsersTextIsSeenThrough(f *testing.F) {
	f.Add("my job", "hello")
	f.Add("x UserId=root(0) JobState=RUNNING", "c  StdErr=/x AdminComment=asba:y ")
	f.Add("a\nJobId=7 ArrayJobId=1 JobName=b", "c\n")
	f.Fuzz(func(t *testing.T, name, comment string) {
		if strings.ContainsRune(name+comment, 0) {
			return // no argument of sbatch holds one
		}
		line := "JobId=5 ArrayJobId=4 ArrayTaskId=3 JobName=" + name + " UserId=ann(1000) GroupId=ann(1000) JobState=CONFIGURING Reason=None" +
			" Requeue=1 BatchFlag=1 NodeList=n1 Network=(null) Command=/c WorkDir=/w AdminComment=asba:mine  Comment=" + comment + "  StdErr=/e Power= \n"
		r := parseJobs(line)[0]
		if r.ID != "5" || r.Ref() != "4_3" {
			t.Fatalf("id %s, ref %s", r.ID, r.Ref())
		}
		if len(parseJobs(line)) > 1 || r.Doubtful {
			return
		}
		if r.User != "ann" || r.UID != 1000 || r.AdminComment != "asba:mine" {
			t.Errorf("user %s(%d), AdminComment %q from %q", r.User, r.UID, r.AdminComment, line)
		}
	})
}
