package conf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/finding"
)

func TestEachParameterIsItsSetting(t *testing.T) {
	const s, m = time.Second, time.Minute
	const factors = "PriorityType=priority/multifactor\n"
	for text, change := range map[string]func(*Settings){
		"SlurmctldParameters=power_save_min_interval=7":             func(c *Settings) { c.PowerSaveMinInterval = 7 * s },
		"SlurmctldParameters=power_save_interval=INFINITE":          func(c *Settings) { c.PowerSaveInterval = 0 },
		"SchedulerType=sched/builtin":                               func(c *Settings) { c.Scheduler.Backfill = false },
		"SchedulerParameters=batch_sched_delay=5":                   func(c *Settings) { c.Scheduler.Delay = 5 * s },
		"SchedulerParameters=batch_sched_delay=INFINITE":            func(c *Settings) { c.Scheduler.Delay = 0 },
		"SchedulerParameters=bf_resolution=300":                     func(c *Settings) { c.Scheduler.BackfillResolution = 300 * s },
		"SchedulerParameters=max_job_bf=9":                          func(c *Settings) { c.Scheduler.BackfillMaxJobs = 9 },
		"SchedulerParameters=requeue_delay=8":                       func(c *Settings) { c.RequeueDelay = 8 * s },
		"SchedulerParameters=requeue_delay=INFINITE":                func(c *Settings) { c.RequeueDelay = 0 },
		factors + "PriorityWeightFairshare=2":                       func(c *Settings) { c.Priority.WeightFairshare = 2 },
		factors + "PriorityWeightJobSize=3":                         func(c *Settings) { c.Priority.WeightJobSize = 3 },
		factors + "PriorityWeightPartition=4":                       func(c *Settings) { c.Priority.WeightPartition = 4 },
		factors + "PriorityWeightQOS=5":                             func(c *Settings) { c.Priority.WeightQOS = 5 },
		"PriorityType=priority/basic":                               func(*Settings) {},
		"PriorityDecayHalfLife=UNLIMITED":                           func(c *Settings) { c.Priority.DecayHalf = 0 },
		"PriorityMaxAge=-1":                                         func(c *Settings) { c.Priority.MaxAge = Infinite },
		"SelectType=select/cons_res":                                func(c *Settings) { c.Shared = true },
		"SelectType=select/cons_tres\nSelectTypeParameters=CR_Core": func(c *Settings) { c.Shared = true },
		"SelectTypeParameters=CR_Memory":                            func(c *Settings) { c.SelectMemory = true },
		"SelectType=select/linear":                                  func(*Settings) {},
		"ResumeProgram=(null)\nSuspendProgram=None":                 func(*Settings) {},
		"JobRequeue=1\nKillWait=0":                                  func(c *Settings) { c.KillWait = 0 },
		"OverTimeLimit=INFINITE":                                    func(c *Settings) { c.OverTimeLimit = Infinite },
		"ReturnToService=1\nMinJobAge=2147483647":                   func(c *Settings) { c.ReturnToService, c.MinJobAge = 1, 2147483647*s },
		"ResumeRate=0 # of as many\nClusterName=a\\#b":              func(c *Settings) { c.ResumeRate, c.ClusterName = 0, "a#b" },
		"# ResumeRate=7\n#\n \t\nKillWait = 5 ":                     func(c *Settings) { c.KillWait = 5 * s },
		"KillWait\t=\t5":                                            func(c *Settings) { c.KillWait = 5 * s },
		"ResumeProgram=\"/a b\"":                                    func(c *Settings) { c.ResumeProgram = "/a b" },
		"SuspendExcNodes=\"n[1,2], n3:1\"":                          func(c *Settings) { c.SuspendExcNodes = []string{"n[1,2]", "n3:1"} },
		"AuthInfo=socket=/x,cred_expire=9":                          func(c *Settings) { c.RequeueDelay = 9 * s },
		"OverTimeLimit=\\\n\\\n3":                                   func(c *Settings) { c.OverTimeLimit = 3 * m },
		"PartitionName=q Nodes=n1 Default=NO State=up Priority=6": func(c *Settings) {
			c.Partitions = append(c.Partitions, Partition{Name: "q", Nodes: []string{"n1"}, Up: true, MaxTime: Infinite, Tier: 6, JobFactor: 6})
		},
		"PartitionName=q Nodes=n1 State=INACTIVE MaxNodes=UNLIMITED": func(c *Settings) {
			c.Partitions = append(c.Partitions, Partition{Name: "q", Nodes: []string{"n1"}, MaxTime: Infinite, Tier: 1, JobFactor: 1})
		},
		"PartitionName=q Nodes=ALL,all MaxTime=1:01 PreemptMode=off": func(c *Settings) {
			c.Partitions = append(c.Partitions, Partition{Name: "q", Nodes: []string{"ALL", "ALL"}, Up: true, MaxTime: 2 * m, Tier: 1, JobFactor: 1})
		},
		"NodeSet=s Nodes=n1\nPartitionName=q Nodes=s,n2": func(c *Settings) {
			c.Partitions = append(c.Partitions, Partition{Name: "q", Nodes: []string{"n1", "n2"}, Up: true, MaxTime: Infinite, Tier: 1, JobFactor: 1})
		},
		"PartitionName=q": func(c *Settings) {
			c.Partitions = append(c.Partitions, Partition{Name: "q", Nodes: nil, Up: true, MaxTime: Infinite, Tier: 1, JobFactor: 1})
		},
		"SlurmctldHost=a\nSlurmctldHost=b":     func(*Settings) {},
		"FrontendName=f\nBatchStartTimeout=30": func(*Settings) {},
		"PartitionName=DEFAULT MaxNodes=3\nPartitionName=q Nodes=n1 MaxNodes=-1": func(c *Settings) {
			c.Partitions = append(c.Partitions, Partition{Name: "q", Nodes: []string{"n1"}, Up: true, MaxTime: Infinite, Tier: 1, JobFactor: 1})
		},
	} {
		want := Read([]byte(small), "c", nil).Settings
		change(&want)
		f := Read([]byte(small+text), "c", nil)
		if d := cmp.Diff(want, f.Settings); d != "" || len(f.Findings) > 0 {
			t.Errorf("%s: %s\n%s", text, messages(f.Findings), d)
		}
	}
}

func TestANodeIsAsLargeAsItsLineSays(t *testing.T) {
	for text, want := range map[string]Node{
		"":        {CPUs: 1, Memory: 1, Weight: 1},
		"Procs=3": {CPUs: 3, Memory: 1, Weight: 1},
		"Sockets=2 CoresPerSocket=3 ThreadsPerCore=4": {CPUs: 24, Threads: 4, Memory: 1, Weight: 1},
		// As many CPUs as cores, or no number of whole cores: threads do not count.
		"CPUs=6 Sockets=2 CoresPerSocket=3 ThreadsPerCore=2": {CPUs: 6, Memory: 1, Weight: 1},
		"CPUs=8 ThreadsPerCore=2":                            {CPUs: 8, Threads: 2, Memory: 1, Weight: 1},
		"CPUs=3 ThreadsPerCore=2":                            {CPUs: 3, Memory: 1, Weight: 1},
		"Boards=2 SocketsPerBoard=3 CoresPerSocket=5":        {CPUs: 30, Memory: 1, Weight: 1},
		"CPUs=8 Sockets=2 CoresPerSocket=8":                  {CPUs: 8, Memory: 1, Weight: 1},
		"CPUs=1048576 RealMemory=0":                          {CPUs: 1 << 20, Memory: 1, Weight: 1},
		"Sockets=99999 CoresPerSocket=99999":                 {CPUs: 1 << 20, Memory: 1, Weight: 1},
		"State=DRAIN":                                        {CPUs: 1, Memory: 1, Weight: 1, Down: true},
		"State=UNKNOWN Weight=0":                             {CPUs: 1, Memory: 1},
		"Feature=a,b Port=7 TmpDisk=3":                       {CPUs: 1, Memory: 1, Weight: 1, Feature: []string{"a", "b"}},
		"Gres=gpu":                                           {CPUs: 1, Memory: 1, Weight: 1, Gres: "gpu", GPUs: 1},
		"Gres=GPU:0,gpu:a100:1024,nic:4":                     {CPUs: 1, Memory: 1, Weight: 1, Gres: "GPU:0,gpu:a100:1024,nic:4", GPUs: 1024},
		"Gres=gpu:1025":                                      {CPUs: 1, Memory: 1, Weight: 1, Gres: "gpu:1025", GPUs: 1}, // no count: a type
		"Gres=gpu:v100:2(S:0,1),gpu:-1":                      {CPUs: 1, Memory: 1, Weight: 1, Gres: "gpu:v100:2(S:0,1),gpu:-1", GPUs: 3},
	} {
		want.Names, want.Threads = "m", max(want.Threads, 1)
		f := Read([]byte(small+"NodeName=m "+text), "c", nil)
		if len(f.Settings.Nodes) != 2 || len(f.Findings) > strings.Count(text, "nic") {
			t.Errorf("%s: %s", text, messages(f.Findings)) // of a nic it is told that it does not count
		} else if d := cmp.Diff(want, f.Settings.Nodes[1]); d != "" {
			t.Errorf("%s:\n%s", text, d)
		}
	}
	if f := Read([]byte(small+"NodeName=DEFAULT State=DOWN\nNodeName=m State=CLOUD\nNodeName=later State=FUTURE\n"), "c", nil); len(f.Settings.Nodes) != 2 || f.Settings.Nodes[1].Down || !f.Settings.Nodes[1].Cloud {
		t.Errorf("%+v", f.Settings.Nodes)
	}
}

func TestNodesThatAreDownAreLinesOfTheirOwn(t *testing.T) {
	for down, want := range map[string]string{
		"DownNodes=n2":                      "n[1,3-4] a false, n2 a true, m[1-2] b[1-2] false",
		"DownNodes=n[1-2]\nDownNodes=n4,m1": "n3 a false, n[1-2,4] a true, m2  false, m1  true",
		"DownNodes=n[1-4] State=DOWN":       "n[1-4] a true, m[1-2] b[1-2] false",
		"DownNodes=ALL Reason=x":            "n[1-4] a true, m[1-2] b[1-2] true",
		"DownNodes=x":                       "n[1-4] a false, m[1-2] b[1-2] false",
	} {
		f := Read([]byte("NodeName=n[1-4] NodeAddr=a\nNodeName=m[1-2] NodeAddr=b[1-2]\nPartitionName=p Nodes=ALL\n"+down), "c", nil)
		var got []string
		for _, n := range f.Settings.Nodes {
			got = append(got, fmt.Sprintf("%s %s %v", n.Names, n.Addr, n.Down))
		}
		if g := strings.Join(got, ", "); g != want || len(f.Findings) > 0 {
			t.Errorf("%s: %s, want %s\n%s", down, g, want, messages(f.Findings))
		}
	}
}

func TestWhatIsWrongInALineIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		"PriorityType=fair":                       `c:3:1: error[SLURM002]: "fair" is not priority/basic or priority/multifactor`,
		"SelectType=select/x":                     `c:3:1: error[SLURM002]: "select/x" is not select/cons_tres or select/linear`,
		"JobRequeue=maybe":                        `c:3:1: error[SLURM002]: "maybe" is not YES or NO`,
		"ResumeRate=-1":                           `c:3:1: error[SLURM002]: "-1" is not a number from 0 to 2147483647`,
		"ResumeRate=2147483648":                   `c:3:1: error[SLURM002]: "2147483648" is not a number`,
		"KillWait=-2":                             `c:3:1: error[SLURM002]: "-2" is not a number of seconds, or INFINITE`,
		"OverTimeLimit=soon":                      `c:3:1: error[SLURM002]: "soon" is not a number of minutes, or INFINITE`,
		"PartitionName=q Nodes=n1 State=OPEN":     `c:3:26: error[SLURM002]: "OPEN" is not UP, DOWN, DRAIN or INACTIVE`,
		"PartitionName=q Nodes=n1 MaxNode=3":      "c:3:26: warning[SLURM008]: MaxNode is no parameter of a PartitionName line that is known here: ignored (did you mean MaxNodes?)",
		"PartitionName=q Nodes=n1 Shared=FORCE:4": "c:3:26: info[SLURM011]: nodes hold no more jobs",
		"NodeSet=s Node=n1":                       "c:3:11: warning[SLURM008]: Node is no parameter of a NodeSet line",
		"DownNodes=n1 Staet=DOWN":                 "c:3:14: warning[SLURM008]: Staet is no parameter of a DownNodes line that is known here: ignored (did you mean State?)",
		"NodeName=m Zzzzzzzz=3":                   "c:3:12: warning[SLURM008]: Zzzzzzzz is no parameter of a NodeName line that is known here: ignored (remove it, or look it up in slurm.conf(5))",
		"Zzzzzzzz=3":                              "c:3:1: warning[SLURM008]: Zzzzzzzz is no parameter of Slurm that is known here: ignored (remove it, or look it up",
		"NodeName=m CPUs=0 Sockets=0":             `c:3:1: error[SLURM002]: "m" with 0 CPUs`,
		"NodeName=m CPUs=1048577":                 `c:3:1: error[SLURM002]: "m" with 1048577 CPUs`,
		"NodeName=m[1-65536]":                     "c:3:1: error[SLURM003]: more than 65536 nodes in all",
		"=3":                                      `c:3:1: error[SLURM001]: "=3" is no parameter`,
		"KillWait":                                `c:3:1: error[SLURM001]: "KillWait" is no parameter`,
		"KillWait+3":                              `c:3:1: error[SLURM001]: "KillWait+3" is no parameter`,
		"KillWait +":                              `c:3:1: error[SLURM001]: "KillWait +" is no parameter`,
		"  Include  gone.conf ":                   "c:3:1: error[SLURM006]: no gone.conf",
		"include = 3":                             "c:3:1: warning[SLURM008]: include is no parameter",
		"NodeName=DEFAULT Port=3":                 "c:3:18: error[SLURM002]: Port cannot be the same",
		"NodeName=DEFAULT NodeHostname=3":         "c:3:18: error[SLURM002]: NodeHostname cannot",
		"PartitionName=q Nodes=n1,x[1-2],y":       "c:3:17: error[SLURM005]: partition q has node x1, which",
	} {
		f := Read([]byte(small+text+"\n"), "c", func(name string) ([]byte, error) { return nil, errors.New("no\n" + name) })
		var got []string
		for _, x := range f.Findings {
			got = append(got, x.String())
		}
		if len(got) == 0 || !strings.HasPrefix(got[0], want) || len(got) > 2 {
			t.Errorf("%s: %q, want %s", text, got, want)
		}
	}
	for _, weight := range []string{"Age", "Fairshare", "JobSize", "Partition", "QOS"} {
		for _, kind := range []string{"", "PriorityType=priority/basic\n"} {
			if f := Read([]byte(small+kind+"PriorityWeight"+weight+"=1\n"), "c", nil); len(f.Findings) != 1 || f.Findings[0].ID != idNoEffect || !cmp.Equal(Defaults().Priority, f.Settings.Priority) {
				t.Errorf("%s: %+v, %s", weight, f.Settings.Priority, messages(f.Findings))
			}
		}
	}
}

func TestAFindingAboutNodesIsAtTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"NodeName=aws-1 State=CLOUD RealMemory=100":                                          "c:41:1: warning[SLURM034]",
		"SelectTypeParameters=CR_Core\nNodeName=aws-1 State=CLOUD NodeAddr=a":                "",
		"SelectTypeParameters=CR_Memory\nNodeName=aws-1 State=CLOUD NodeAddr=a":              "c:42:1: warning[SLURM033]",
		"SelectTypeParameters=CR_Memory\nNodeName=aws-1 State=CLOUD NodeAddr=a RealMemory=2": "",
	} {
		got := messages(Read([]byte(cloud("NodeName", text)), "c", nil).Findings)
		if got != "" && want == "" || !strings.HasPrefix(got, want) || strings.Count(got, "\n") > 1 {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestALineOfTheScenarioIsNotTheFilesTwice(t *testing.T) {
	f := Read([]byte(small+"KillWait=3\n"), "c", nil, Line{"killwait", "4"}, Line{"KillWait", "5"})
	if len(f.Findings) > 0 || f.Settings.KillWait != 5*time.Second {
		t.Errorf("%v %s", f.Settings.KillWait, messages(f.Findings))
	}
	if f := Read([]byte(small), "c", nil, Line{"Kill Wait", "4"}); len(f.Findings) == 0 {
		t.Error("a key of two words is taken")
	}
}

func TestFindingsAreInTheirOrderAndBounded(t *testing.T) {
	f := Read([]byte(small+strings.Repeat("?\n", 2*maxFindings)), "c", nil)
	if len(f.Findings) != maxFindings || f.Findings[0].Line != 3 || f.Findings[maxFindings-1].Line != maxFindings+2 {
		t.Errorf("%d findings", len(f.Findings))
	}
	// Nodes are looked at after all lines.
	f = Read([]byte("NodeName=n\nNodeName=n\nPartitionName=p Nodes=ALL\n?\n"), "c", nil)
	if len(f.Findings) != 2 || f.Findings[0].Line != 2 || f.Findings[1].Line != 4 {
		t.Errorf("%s", messages(f.Findings))
	}
}

func TestBytesThatAreNoTextAreShownAsSuch(t *testing.T) {
	f := Read([]byte(small+"ClusterName=a\xffb\n"), "c", nil)
	if f.Settings.ClusterName != "a?b" {
		t.Errorf("%q", f.Settings.ClusterName)
	}
}

func TestFilesThatIncludeEachOtherEndAtTheirDepth(t *testing.T) {
	for levels, ends := range map[int]bool{maxDepth: true, maxDepth + 1: false} {
		f := Read([]byte("Include 1\n"+small), "/etc/0", func(name string) ([]byte, error) {
			var n int
			if _, err := fmt.Sscanf(name, "/etc/%d", &n); err != nil {
				return nil, err
			}
			if n == levels {
				return []byte("KillWait=3\n"), nil
			}
			return fmt.Appendf(nil, "Include %d\n", n+1), nil
		})
		if (f.Settings.KillWait == 3*time.Second) != ends || (len(f.Findings) == 0) != ends {
			t.Errorf("%d levels: %v\n%s", levels, f.Settings.KillWait, messages(f.Findings))
		}
	}
}

func TestWhatIsWiseIsSaidToTheLimit(t *testing.T) {
	for _, c := range []struct {
		without string
		lines   []string
		want    string // the id, "" for none
		says    string
	}{
		{"ResumeTimeout", []string{"ResumeTimeout=179"}, "SLURM023", "ResumeTimeout 2m59s"},
		{"ResumeTimeout", []string{"ResumeTimeout=180"}, "", ""},
		{"ResumeTimeout", []string{"ResumeTimeout=INFINITE"}, "", ""},
		{"ResumeTimeout", []string{"ResumeTimeout=60", "PartitionName=long Nodes=ALL ResumeTimeout=600"}, "", ""},
		{"ResumeTimeout", []string{"ResumeTimeout=60", "PartitionName=long Nodes=ALL ResumeTimeout=INFINITE"}, "", ""},
		{"SuspendTime", []string{"SuspendTime=604"}, "SLURM024", "(10m5s)"},
		{"SuspendTime", []string{"SuspendTime=605"}, "", ""},
		{"SuspendTime", []string{"SuspendTime=INFINITE", "PartitionName=q Nodes=ALL SuspendTime=900"}, "", ""},
		{"SuspendTime", []string{"SuspendTime=INFINITE", "PartitionName=q Nodes=ALL SuspendTime=INFINITE"}, "SLURM020", "is INFINITE"},
		{"", []string{"PartitionName=q Nodes=ALL SuspendTimeout=300"}, "SLURM024", "SuspendTime 11m40s is shorter than a power-down and a power-up together (15m0s)"},
		{"", []string{"PartitionName=q Nodes=ALL SuspendTimeout=INFINITE"}, "", ""},
		{"", []string{"SlurmdTimeout=29"}, "SLURM032", "a busy machine"},
		{"", []string{"SlurmdTimeout=30"}, "", ""},
		{"", []string{"SlurmdTimeout=900"}, "", ""},
		{"", []string{"SlurmdTimeout=901"}, "SLURM032", "for so long"},
		{"", []string{"SlurmdTimeout=INFINITE"}, "SLURM032", "is off"},
		{"SuspendProgram", nil, "SLURM021", "no SuspendProgram"},
		{"", []string{"NodeName=local Weight=0"}, "", ""},
		{"", []string{"NodeName=local Weight=1"}, "SLURM036", "has weight 1, and nodes on the premises up to 1"},
		{"", []string{"NodeName=local Weight=0", "NodeName=more Weight=3", "NodeName=last Weight=2"}, "SLURM036", "up to 3"},
		{"BatchStartTimeout", []string{"BatchStartTimeout=59"}, "SLURM031", "59 s"},
	} {
		f := Read([]byte(cloud(c.without, c.lines...)), "c", nil)
		got := ""
		if len(f.Findings) > 0 {
			got = f.Findings[0].ID
		}
		if got != c.want || len(f.Findings) > 1 || c.want != "" && !strings.Contains(f.Findings[0].Message, c.says) {
			t.Errorf("%q: %s, want %s %s", c.lines, messages(f.Findings), c.want, c.says)
		}
		if got != "" && f.Findings[0].Level == finding.Error {
			t.Errorf("%q: what is unwise is refused", c.lines)
		}
	}
}
