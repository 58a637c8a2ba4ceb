package conf

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/finding"
)

// debian is a configuration that slurmctld 22.05.8 takes: the one that the
// end-to-end tests run it with.
const debian = `# written by a test
ClusterName=e2e
SlurmctldHost=node(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=/run/munge.socket
StateSaveLocation=/tmp/state
SlurmdSpoolDir=/tmp/spool/%n
SlurmctldPidFile=/tmp/slurmctld.pid
SlurmdPidFile=/tmp/spool/%n.pid
SlurmctldLogFile=/tmp/log/slurmctld.log
SlurmdLogFile=/tmp/log/slurmd-%n.log
SlurmctldDebug=verbose
DebugFlags=Power
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2
PrivateData=cloud
TreeWidth=65533
KillWait=5

ResumeProgram=/usr/sbin/aws-slurm-burst-resume
SuspendProgram=/usr/sbin/aws-slurm-burst-suspend
ResumeFailProgram=/usr/sbin/aws-slurm-burst-resume-fail
ResumeRate=0
SuspendRate=0
ResumeTimeout=600
SuspendTimeout=5
SuspendTime=700
BatchStartTimeout=60
SlurmctldParameters=idle_on_node_suspend,power_save_interval=1,power_save_min_interval=0

NodeName=aws-hpc-[001-008] NodeAddr=127.0.0.1 Port=[17001-17008] State=CLOUD CPUs=1 RealMemory=100
PartitionName=aws Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`

func messages(fs []finding.Finding) string {
	var b strings.Builder
	for _, f := range fs {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

func TestWhatSlurmctldTakesIsReadWhole(t *testing.T) {
	f := Read([]byte(debian), "slurm.conf", nil)
	if len(f.Findings) > 0 {
		t.Errorf("%s", messages(f.Findings))
	}
	want := Defaults()
	want.ClusterName = "e2e"
	want.ResumeProgram, want.SuspendProgram = "/usr/sbin/aws-slurm-burst-resume", "/usr/sbin/aws-slurm-burst-suspend"
	want.ResumeFailProgram = "/usr/sbin/aws-slurm-burst-resume-fail"
	want.ResumeRate, want.SuspendRate = 0, 0
	want.ResumeTimeout, want.SuspendTimeout, want.SuspendTime = 600*time.Second, 5*time.Second, 700*time.Second
	want.IdleOnNodeSuspend, want.PowerSaveInterval = true, time.Second
	want.ReturnToService, want.KillWait, want.Shared = 2, 5*time.Second, true
	want.Scheduler.Interval, want.Scheduler.BackfillInterval = 2*time.Second, 2*time.Second
	want.Nodes = []Node{{Names: "aws-hpc-[001-008]", Addr: "127.0.0.1", CPUs: 1, Threads: 1, Memory: 100, Weight: 1, Cloud: true}}
	part := DefaultPartition("aws")
	part.Default = true
	want.Partitions = []Partition{part}
	if d := cmp.Diff(want, f.Settings); d != "" {
		t.Error(d)
	}
	if !slices.Contains(f.Ignored, "MailProg") || slices.Contains(f.Ignored, "TreeWidth") {
		t.Errorf("ignored %q", f.Ignored)
	}
}

func TestEveryWayOfWritingIsRead(t *testing.T) {
	files := map[string]string{
		"/etc/slurm/nodes.conf":       "Include more/gpu.conf\nnodename=DEFAULT Sockets=2 CoresPerSocket=4 ThreadsPerCore=2\nNodeName=n[1-4] realmemory=2000 # old\n",
		"/etc/slurm/more/gpu.conf":    "NodeName=g[1-2] CPUs=8 Gres=gpu:a100:2(S:0),gpu:1,craynetwork:4K Features=gpu,fast Weight=50 State=CLOUD NodeAddr=g\n",
		"/etc/slurm/cluster-big.conf": "KillWait=7\n",
	}
	text := "clustername=Big\r\n" +
		"Include cluster-%c.conf\n" +
		"INCLUDE nodes.conf\n" +
		"SchedulerType = sched/backfill\n  SelectType=select/cons_tres\n" +
		"SelectTypeParameters=CR_Core_Memory\n" +
		"SchedulerParameters=bf_continue,\\\nbf_window=2880,bf_max_job_test=1000,default_queue_depth=10,sbatch_wait_nodes,defer\n" +
		"SlurmctldParameters=\"cloud_dns\"\n" +
		"SlurmctldParameters+=idle_on_node_suspend,power_save_interval=30\n" +
		"PriorityType=priority/multifactor\nPriorityWeightAge=1000\nPriorityMaxAge=1-0\nPriorityDecayHalfLife=14-00:00:00\nPriorityFavorSmall=yes\nPriorityCalcPeriod=10\n" +
		"AuthInfo=cred_expire=70\n" +
		"OverTimeLimit=5\nJobRequeue=0\nMinJobAge=2\nSlurmdTimeout=120\n" +
		"SuspendExcNodes=n[1-2]:1,g1\nSuspendExcParts=a,b\n" +
		"NodeSet=fast Feature=fast\nNodeSet=slow Nodes=n[1-2],n3\n" +
		"DownNodes=n4 State=DOWN Reason=\"no power\"\n" +
		"PartitionName=DEFAULT MaxTime=30 State=DOWN OverSubscribe=EXCLUSIVE\n" +
		"PartitionName=gpu Nodes=fast State=UP SuspendTime=60 ResumeTimeout=900 SuspendTimeout=INFINITE OverTimeLimit=UNLIMITED\n" +
		"PartitionName=cpu Nodes=slow,g1 MaxTime=2-12:30:05 DefaultTime=1:30:00 MaxNodes=2 MinNodes=1 PriorityTier=3 PriorityJobFactor=5 OverSubscribe=NO Default=YES\n"
	f := Read([]byte(text), "/etc/slurm/slurm.conf", func(name string) ([]byte, error) {
		data, ok := files[name]
		if !ok {
			return nil, errors.New("no " + name)
		}
		return []byte(data), nil
	})
	if n := finding.Count(f.Findings, finding.Error); n > 0 {
		t.Fatalf("%s", messages(f.Findings))
	}
	s := f.Settings
	wantNodes := []Node{
		{Names: "g[1-2]", Addr: "g", CPUs: 8, Threads: 1, Memory: 1, GPUs: 3, Gres: "gpu:a100:2(S:0),gpu:1,craynetwork:4K", Feature: []string{"gpu", "fast"}, Weight: 50, Cloud: true},
		{Names: "n[1-3]", CPUs: 16, Threads: 2, Memory: 2000, Weight: 1},
		{Names: "n4", CPUs: 16, Threads: 2, Memory: 2000, Weight: 1, Down: true},
	}
	if d := cmp.Diff(wantNodes, s.Nodes); d != "" {
		t.Error(d)
	}
	d := func(d time.Duration) *time.Duration { return &d }
	wantParts := []Partition{
		{Name: "gpu", Nodes: []string{"g[1-2]"}, Up: true, MaxTime: 30 * time.Minute, Tier: 1, JobFactor: 1, Exclusive: true,
			SuspendTime: d(time.Minute), ResumeTimeout: d(15 * time.Minute), SuspendTimeout: d(Infinite), OverTimeLimit: d(Infinite)},
		{Name: "cpu", Nodes: []string{"n[1-2]", "n3", "g1"}, Default: true, MaxTime: 60*time.Hour + 31*time.Minute, DefaultTime: 90 * time.Minute,
			MaxNodes: 2, MinNodes: 1, Tier: 3, JobFactor: 5},
	}
	if d := cmp.Diff(wantParts, s.Partitions); d != "" {
		t.Error(d)
	}
	s.Nodes, s.Partitions = nil, nil
	want := Defaults()
	want.ClusterName, want.KillWait, want.Shared, want.SelectMemory = "Big", 7*time.Second, true, true
	want.Scheduler.BackfillContinue, want.Scheduler.BackfillWindow, want.Scheduler.BackfillMaxJobs = true, 48*time.Hour, 1000
	want.Scheduler.QueueDepth, want.Scheduler.WaitAllNodes = 10, true
	want.IdleOnNodeSuspend, want.PowerSaveInterval = true, 30*time.Second
	want.Priority.WeightAge, want.Priority.MaxAge, want.Priority.DecayHalf = 1000, 24*time.Hour, 14*24*time.Hour
	want.Priority.FavorSmall, want.Priority.CalcPeriod = true, 10*time.Minute
	want.RequeueDelay, want.OverTimeLimit, want.JobRequeue, want.MinJobAge = 70*time.Second, 5*time.Minute, false, 2*time.Second
	want.SlurmdTimeout = 2 * time.Minute
	want.SuspendExcNodes, want.SuspendExcParts = []string{"n[1-2]:1", "g1"}, []string{"a", "b"}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}
	if !slices.Contains(f.Ignored, "SchedulerParameters defer") {
		t.Errorf("ignored %q", f.Ignored)
	}
}

func TestLinesOfTheScenarioWin(t *testing.T) {
	f := Read([]byte(debian), "slurm.conf", nil, Line{"SuspendTime", "900"}, Line{"nodename", "x[1-2] CPUs=4"}, Line{"PartitionName", "x Nodes=x[1-2]"}, Line{"KillWait", "soon"})
	if f.Settings.SuspendTime != 900*time.Second || len(f.Settings.Nodes) != 2 || f.Settings.Nodes[1].CPUs != 4 || len(f.Settings.Partitions) != 2 {
		t.Errorf("%+v", f.Settings)
	}
	if got := messages(f.Findings); !strings.Contains(got, `settings: error[SLURM002]: "soon" is not a number of seconds`) {
		t.Errorf("%s", got)
	}
}

// small is a configuration without a finding, of nodes on the premises.
const small = "NodeName=n[1-2]\nPartitionName=p Nodes=ALL\n"

func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"PartitionName=p Nodes=ALL":               "error[SLURM007]: there are no nodes (add NodeName lines)",
		"NodeName=n":                              "error[SLURM007]: there is no partition (add a PartitionName line)",
		small + "what is this":                    `c:3:1: error[SLURM001]: "what is this" is no parameter (write Key=Value)`,
		small + "KillWait=\"3":                    "c:3:1: error[SLURM001]: the value of KillWait has quotes that do not end (close the quotes)",
		small + "KillWait=soon":                   `c:3:1: error[SLURM002]: "soon" is not a number of seconds, or INFINITE (write a number of seconds, or INFINITE)`,
		small + "KillWait=3 MinJobAge=4":          "c:3:12: error[SLURM001]: MinJobAge is the second parameter of its line: slurmctld does not start (write it in a line of its own)",
		"NodeName=DEFAULT NodeAddr=a\n" + small:   "c:1:18: error[SLURM002]: NodeAddr cannot be the same for all nodes: slurmctld does not start",
		small + "ReturnToService=3":               `c:3:1: error[SLURM002]: "3" is not 0, 1 or 2 (write 0, 1 or 2)`,
		small + "SchedulerType=sched/x":           `c:3:1: error[SLURM002]: "sched/x" is not sched/backfill or sched/builtin (write sched/backfill or sched/builtin)`,
		small + "Include x.conf":                  `c:3:1: error[SLURM006]: "x.conf" cannot be included here (write its lines here)`,
		small + "NodeName=n[3-":                   `c:3:1: error[SLURM003]: hostlist "n[3-", byte 2: "[" without "]"; close the bracket`,
		small + "NodeName=n2 CPUs=2":              "c:3:1: error[SLURM004]: node n2 is in line 1 already (name each node in one line)",
		small + "PartitionName=p Nodes=n1":        "c:3:1: error[SLURM004]: partition p is there twice (give each partition one line)",
		small + "PartitionName=q Nodes=n1,m[1-9]": "c:3:17: error[SLURM005]: partition q has node m1, which no NodeName line names (add a NodeName line for it)",
		small + "NodeName=m State=GONE":           `c:3:12: error[SLURM002]: "GONE" is not CLOUD, DOWN, DRAIN, FAIL, FUTURE or UNKNOWN`,
		small + "NodeName=m CPUs=99999999":        `c:3:1: error[SLURM002]: "m" with 99999999 CPUs`,
		small + "PartitionName=q MaxTime=1:2:3:4": `c:3:17: error[SLURM002]: "1:2:3:4" is not minutes, hours:minutes:seconds`,
		small + "ResumeTimout=600":                "c:3:1: warning[SLURM008]: ResumeTimout is no parameter of Slurm that is known here: ignored (did you mean ResumeTimeout?)",
		small + "NodeName=m Wieght=3":             "c:3:12: warning[SLURM008]: Wieght is no parameter of a NodeName line that is known here: ignored (did you mean Weight?)",
		small + "KillWait=3\nKillWait=4":          "c:4:1: warning[SLURM009]: KillWait is there twice; this one counts (remove the other one)",
		small + "PriorityWeightAge=3":             "warning[SLURM010]: weights of priority count with priority/multifactor alone",
		small + "PreemptType=preempt/qos":         "c:3:1: info[SLURM011]: PreemptType: no job is preempted in the simulation",
	} {
		t.Run(text, func(t *testing.T) {
			f := Read([]byte(text), "c", nil)
			got := strings.TrimSuffix(messages(f.Findings), "\n")
			if !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
				t.Errorf("%s\nwant %s", got, want)
			}
		})
	}
	if f := Read([]byte(small), "c", nil); len(f.Findings) > 0 {
		t.Errorf("%s", messages(f.Findings))
	}
}

func TestIncludesThatNeverEndAreStopped(t *testing.T) {
	for name, text := range map[string]string{"itself": "Include c\n", "many": strings.Repeat("Include d\n", 100) + small} {
		opened := 0
		f := Read([]byte(text), "c", func(name string) ([]byte, error) {
			if opened++; name == "d" {
				return []byte("KillWait=3\n"), nil
			}
			return []byte(text), nil
		})
		if opened > 2*maxFiles || !strings.Contains(messages(f.Findings), "SLURM006") {
			t.Errorf("%s: %d opened\n%s", name, opened, messages(f.Findings))
		}
	}
}

// cloud is debian without a line, or with another one.
func cloud(without string, lines ...string) string {
	text := regexp.MustCompile(`(?m)^`+without+`=.*\n`).ReplaceAllString(debian, "")
	return text + strings.Join(lines, "\n")
}

func TestWhatIsHostileToCloudNodesIsSaid(t *testing.T) {
	for id, text := range map[string]string{
		"SLURM020": cloud("SuspendTime"),
		"SLURM021": cloud("ResumeProgram"),
		"SLURM022": cloud("ResumeFailProgram"),
		"SLURM023": cloud("ResumeTimeout"),
		"SLURM024": cloud("SuspendTime", "SuspendTime=60"),
		"SLURM025": cloud("ResumeRate"),
		"SLURM026": cloud("ReturnToService"),
		"SLURM027": cloud("SlurmctldParameters"),
		"SLURM028": cloud("", "JobRequeue=0"),
		"SLURM029": cloud("TreeWidth"),
		"SLURM030": cloud("PrivateData"),
		"SLURM031": cloud("BatchStartTimeout"),
		"SLURM032": cloud("", "SlurmdTimeout=0"),
		"SLURM033": cloud("NodeName", "SelectTypeParameters=CR_CPU_Memory", "NodeName=aws-1 State=CLOUD NodeAddr=127.0.0.1"),
		"SLURM034": cloud("NodeName", "NodeName=aws-1 State=CLOUD RealMemory=100"),
		"SLURM035": cloud("SlurmctldParameters", "SlurmctldParameters=idle_on_node_suspend,cloud_dns"),
		"SLURM036": cloud("", "NodeName=local[1-4] Weight=10"),
	} {
		t.Run(id, func(t *testing.T) {
			f := Read([]byte(text), "slurm.conf", nil)
			if len(f.Findings) != 1 || f.Findings[0].ID != id || f.Findings[0].Suggestion == "" {
				t.Errorf("%s", messages(f.Findings))
			}
		})
	}
	for _, lines := range [][]string{{"SlurmdTimeout=10"}, {"SlurmdTimeout=3600"}} {
		if f := Read([]byte(cloud("", lines...)), "c", nil); len(f.Findings) != 1 || f.Findings[0].ID != "SLURM032" {
			t.Errorf("%q: %s", lines, messages(f.Findings))
		}
	}
}

func TestASpanOfSlurmIsRead(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Minute, "1:30": 90 * time.Second, "1:00:30": time.Hour + 30*time.Second, "2-0": 48 * time.Hour,
		"1-2:3": 26*time.Hour + 3*time.Minute, "1-02:03:04": 26*time.Hour + 3*time.Minute + 4*time.Second,
	} {
		if got, ok := Span(text); !ok || got != want {
			t.Errorf("%s: %s %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "x", "1:2:3:4", "-1", "1-", "1.5", "1-2:3:4:5", "99999999999"} {
		if got, ok := Span(text); ok {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// Each id has a paragraph in the page, which has no other.
func TestThePageHasEveryFinding(t *testing.T) {
	page, err := os.ReadFile("../../../docs/SLURMCONF.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile(`(?m)^\| (SLURM[0-9]{3}) \| (\w+) \|`).FindAllStringSubmatch(string(page), -1) {
		told = append(told, m[1])
		if got := Level(m[1]).String(); got != m[2] {
			t.Errorf("%s is told to be a %s, and is a %s", m[1], m[2], got)
		}
	}
	if d := cmp.Diff(IDs(), told); d != "" {
		t.Error(d)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(debian, "KillWait")
	f.Add(small+"Include x\n", "NodeSet=a Feature=b\nNodeName=q Feature=b,c[1,2]\nPartitionName=z Nodes=a,ALL\nDownNodes=ALL\n")
	f.Add("NodeName=DEFAULT CPUs=2 \\\n State=CLOUD\nNodeName=a[1-3]b[1-2]\nDownNodes=a1b[1-2]", "a+=b\n#\\#\"")
	for _, key := range []string{"Boards=9999999 Sockets=99999 CoresPerSocket=99999 ThreadsPerCore=99999", "Gres=gpu:(,gpu:)", "RealMemory=-1"} {
		f.Add("NodeName=n "+key, key)
	}
	f.Fuzz(func(t *testing.T, text, included string) {
		read := func() *File {
			return Read([]byte(text), "slurm.conf", func(string) ([]byte, error) { return []byte(included), nil })
		}
		a := read()
		for _, x := range a.Findings {
			if strings.Contains(x.String(), "\n") || Level(x.ID) != x.Level || !slices.Contains(IDs(), x.ID) {
				t.Errorf("%q", x.String())
			}
		}
		for _, n := range a.Settings.Nodes {
			if n.CPUs < 1 || n.Memory < 1 || n.GPUs < 0 || n.Weight < 0 {
				t.Errorf("%+v", n)
			}
		}
		if b := read(); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Error("not the same twice")
		}
	})
}
