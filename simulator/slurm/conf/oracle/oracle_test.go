// Package oracle starts a real slurmctld on configurations, and compares what it
// shows of itself, its nodes and its partitions with what simulator/slurm/conf
// reads. Both have to take a configuration or to refuse it.
package oracle

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/features/slurmtest"
	"aws-slurm-burst/simulator/slurm/conf"
)

// room is where the slurmctlds of this run are, one after the other.
var room *slurmtest.Room

func TestMain(m *testing.M) {
	os.Exit(slurmtest.Main(m, func() (func(failed bool), error) {
		var err error
		room, err = slurmtest.Open()
		return func(failed bool) { room.Close(failed) }, err
	}))
}

// base is what every slurmctld needs, and no simulation.
const base = `ClusterName=Oracle
SlurmctldHost=@HOST(127.0.0.1)
SlurmctldPort=6817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=@SOCKET
StateSaveLocation=@DIR/state
SlurmdSpoolDir=@DIR/spool
SlurmctldPidFile=@DIR/slurmctld.pid
SlurmctldLogFile=@DIR/slurmctld.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
`

// start runs slurmctld on a configuration, with the files that it includes, and
// reads the same. The error is that of slurmctld.
func start(t *testing.T, text string, files map[string]string) (*slurmtest.Controller, *conf.File, error) {
	t.Helper()
	slurmtest.Need(t)
	dir, err := os.MkdirTemp(room.Dir, "conf")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o755); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	text = strings.NewReplacer("@HOST", host, "@DIR", dir, "@SOCKET", room.Socket()).Replace(base + text)
	name := filepath.Join(dir, "slurm.conf")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := &slurmtest.Controller{Dir: dir, Conf: name}
	err = c.Start()
	t.Cleanup(func() { c.Stop(syscall.SIGTERM, 15*time.Second) })
	return c, conf.Read([]byte(text), name, os.ReadFile), err
}

// shown is what `scontrol show config` prints: Key = value.
func shown(t *testing.T, c *slurmtest.Controller) map[string]string {
	t.Helper()
	out, err := c.Run("scontrol", "show", "config")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(out) {
		if key, value, ok := strings.Cut(line, "="); ok {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return values
}

func sec(d time.Duration) string {
	if d == conf.Infinite {
		return "INFINITE"
	}
	return fmt.Sprintf("%d sec", d/time.Second)
}

func rate(n int) string { return fmt.Sprintf("%d nodes/min", n) }

// parameters are those of SlurmctldParameters that this test writes.
func parameters(s *conf.Settings) string {
	if !s.IdleOnNodeSuspend {
		return "(null)"
	}
	return fmt.Sprintf("idle_on_node_suspend,power_save_interval=%d", s.PowerSaveInterval/time.Second)
}

func yes(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// clock is a time as Slurm shows it: 1-02:03:04, 02:03:04.
func clock(d time.Duration) string {
	if d == conf.Infinite {
		return "UNLIMITED"
	}
	s := int(d / time.Second)
	text := fmt.Sprintf("%02d:%02d:%02d", s/3600%24, s/60%60, s%60)
	if s >= 24*3600 {
		text = strconv.Itoa(s/3600/24) + "-" + text
	}
	return text
}

// compare holds the settings against what slurmctld shows.
func compare(t *testing.T, c *slurmtest.Controller, s *conf.Settings) {
	t.Helper()
	has := shown(t, c)
	for key, want := range map[string]string{
		"ClusterName": strings.ToLower(s.ClusterName), "SuspendTime": sec(s.SuspendTime), "SuspendTimeout": sec(s.SuspendTimeout),
		"ResumeTimeout": sec(s.ResumeTimeout), "ResumeRate": rate(s.ResumeRate), "SuspendRate": rate(s.SuspendRate),
		"SlurmdTimeout": sec(s.SlurmdTimeout), "KillWait": sec(s.KillWait), "MinJobAge": sec(s.MinJobAge),
		"ReturnToService": strconv.Itoa(s.ReturnToService), "JobRequeue": yes(s.JobRequeue),
		"OverTimeLimit":       fmt.Sprintf("%d min", s.OverTimeLimit/time.Minute),
		"SlurmctldParameters": parameters(s),
		"SchedulerType":       map[bool]string{true: "sched/backfill", false: "sched/builtin"}[s.Scheduler.Backfill],
	} {
		got := strings.ToLower(has[key])
		// What is off is shown in several words.
		if want == "INFINITE" && slices.Contains([]string{"infinite", "none", "-1 sec"}, got) {
			continue
		}
		if !strings.EqualFold(got, want) {
			t.Errorf("%s: slurmctld has %q, read %q", key, has[key], want)
		}
	}
	if p := s.Priority; p.WeightAge+p.WeightFairshare+p.WeightJobSize > 0 {
		for key, want := range map[string]string{
			"PriorityWeightAge": strconv.Itoa(p.WeightAge), "PriorityWeightFairShare": strconv.Itoa(p.WeightFairshare),
			"PriorityMaxAge": clock(p.MaxAge), "PriorityDecayHalfLife": clock(p.DecayHalf), "PriorityCalcPeriod": clock(p.CalcPeriod),
		} {
			if has[key] != want {
				t.Errorf("%s: slurmctld has %q, read %q", key, has[key], want)
			}
		}
	}
	nodes(t, c, s)
	partitions(t, c, s)
}

func records(t *testing.T, c *slurmtest.Controller, what string) []slurmtest.Record {
	t.Helper()
	// --all: nodes that are powered down, too.
	out, err := c.Run("scontrol", "--all", "-o", "show", what)
	if err != nil {
		t.Fatal(err)
	}
	return slurmtest.Records(out)
}

func nodes(t *testing.T, c *slurmtest.Controller, s *conf.Settings) {
	t.Helper()
	read := map[string]conf.Node{}
	for _, n := range s.Nodes {
		names, err := hostlist.Expand(n.Names)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			read[name] = n
		}
	}
	all := records(t, c, "node")
	if len(all) != len(read) {
		t.Errorf("slurmctld has %d nodes, read %d", len(all), len(read))
	}
	for _, r := range all {
		n, ok := read[r["NodeName"]]
		features := "(null)"
		if len(n.Feature) > 0 {
			features = strings.Join(n.Feature, ",")
		}
		down := strings.HasPrefix(r["State"], "DOWN") || strings.Contains(r["State"], "DRAIN") || strings.HasPrefix(r["State"], "FAIL")
		if !ok || r["CPUTot"] != strconv.Itoa(n.CPUs) || r["RealMemory"] != strconv.FormatInt(n.Memory, 10) || r["Weight"] != strconv.Itoa(n.Weight) ||
			r["AvailableFeatures"] != features || strings.Contains(r["State"], "CLOUD") != n.Cloud || down != n.Down {
			t.Errorf("slurmctld has %v, read %+v", r, n)
		}
	}
}

func partitions(t *testing.T, c *slurmtest.Controller, s *conf.Settings) {
	t.Helper()
	all := records(t, c, "partition")
	if len(all) != len(s.Partitions) {
		t.Errorf("slurmctld has %d partitions, read %d", len(all), len(s.Partitions))
	}
	for _, r := range all {
		i := slices.IndexFunc(s.Partitions, func(p conf.Partition) bool { return p.Name == r["PartitionName"] })
		if i < 0 {
			t.Errorf("slurmctld has %v", r)
			continue
		}
		p := s.Partitions[i]
		state := map[bool]string{true: "UP", false: "DOWN"}[p.Up]
		maxNodes, standard := "UNLIMITED", "NONE"
		if p.MaxNodes > 0 {
			maxNodes = strconv.Itoa(p.MaxNodes)
		}
		if p.DefaultTime != 0 {
			standard = clock(p.DefaultTime)
		}
		var want, got []string
		for _, l := range p.Nodes {
			if l == "ALL" {
				for _, n := range s.Nodes {
					names, _ := hostlist.Expand(n.Names)
					want = append(want, names...)
				}
				continue
			}
			names, _ := hostlist.Expand(l)
			want = append(want, names...)
		}
		if list := r["Nodes"]; list != "(null)" {
			names, err := hostlist.Expand(list)
			if err != nil {
				t.Fatal(err)
			}
			got = names
		}
		slices.Sort(want)
		slices.Sort(got)
		if r["MaxTime"] != clock(p.MaxTime) || r["DefaultTime"] != standard || r["MaxNodes"] != maxNodes || r["MinNodes"] != strconv.Itoa(p.MinNodes) ||
			r["PriorityTier"] != strconv.Itoa(p.Tier) || r["PriorityJobFactor"] != strconv.Itoa(p.JobFactor) || r["State"] != state ||
			(r["Default"] == "YES") != p.Default || (r["OverSubscribe"] == "EXCLUSIVE") != p.Exclusive || !slices.Equal(slices.Compact(want), got) {
			t.Errorf("slurmctld has %v\nread %+v", r, p)
		}
	}
}

func TestWhatSlurmctldTakesIsReadAsItReadsIt(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		files map[string]string
	}{
		"defaults": {text: "NodeName=n[1-2] NodeAddr=127.0.0.1\nPartitionName=p Nodes=ALL\n"},
		"all ways of writing": {text: `include nodes.conf
SelectType = select/cons_tres
selecttypeparameters=CR_Core_Memory
PrivateData=cloud
SlurmctldParameters=cloud_dns
SlurmctldParameters+=idle_on_node_suspend,power_save_interval=30
SCHEDULERPARAMETERS=bf_continue,\
bf_window=2880
SuspendTime=700
SuspendTimeout=33
ResumeTimeout=601
ResumeRate=0
SuspendRate=7 # and a comment
ResumeProgram=/bin/true
SuspendProgram="/bin/true"
  ResumeFailProgram=/bin/true
SlurmdTimeout=120
SlurmdTimeout=121
KillWait=5
MinJobAge=3
ReturnToService=2
JobRequeue=0
OverTimeLimit=4
PriorityType=priority/multifactor
PriorityWeightAge=1000
PriorityWeightFairshare=2000
PriorityMaxAge=1-2
PriorityDecayHalfLife=3:00:00
PriorityCalcPeriod=7
NodeSet=fast Feature=fast
NodeSet=slow Nodes=n[1-2],n3
DownNodes=n4 State=DOWN Reason="no power"
PartitionName=DEFAULT MaxTime=30 State=DOWN OverSubscribe=EXCLUSIVE
PartitionName=gpu Nodes=fast State=UP
PartitionName=cpu Nodes=slow,g1 MaxTime=2-12:30:05 DefaultTime=1:30:00 MaxNodes=2 MinNodes=1 PriorityTier=3 PriorityJobFactor=5 OverSubscribe=NO Default=YES
PartitionName=short Nodes=n[1-4] MaxTime=90 DefaultTime=1:30 State=UP
`, files: map[string]string{"nodes.conf": `nodename=DEFAULT Sockets=2 CoresPerSocket=4 ThreadsPerCore=2
NodeName=n[1-4] realmemory=2000 NodeAddr=127.0.0.1 Port=[7001-7004]
NodeName=DEFAULT Sockets=1 CoresPerSocket=8 ThreadsPerCore=1
NodeName=g[01-02],h CPUs=8 Features=fast,ib Weight=50 State=CLOUD NodeAddr=127.0.0.1 Port=[7011-7013]
NodeName=g1 NodeAddr=127.0.0.1 Port=7020 CPUs=8 State=DRAIN
`}},
		"builtin": {text: "SchedulerType=sched/builtin\nNodeName=n[1-2] NodeAddr=127.0.0.1 Boards=2 SocketsPerBoard=2 CoresPerSocket=3\nPartitionName=p Nodes=n1 Default=yes MaxTime=UNLIMITED\n"},
	} {
		t.Run(name, func(t *testing.T) {
			slurm, f, err := start(t, c.text, c.files)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range f.Findings {
				if x.Level == finding.Error || x.ID == "SLURM008" {
					t.Errorf("slurmctld takes it: %s", x)
				}
			}
			compare(t, slurm, &f.Settings)
		})
	}
}

func TestWhatSlurmctldRefusesIsFoundWrong(t *testing.T) {
	const small = "NodeName=n[1-2] NodeAddr=127.0.0.1\nPartitionName=p Nodes=ALL\n"
	for name, text := range map[string]string{
		"an unknown key":        small + "ResumeTimout=600\n",
		"a key of no node":      small + "NodeName=m Wieght=3\n",
		"a node twice":          small + "NodeName=n2 CPUs=2\n",
		"a number that is none": small + "KillWait=soon\n",
		"no nodes":              "PartitionName=p Nodes=ALL\n",
		"no such node":          small + "PartitionName=q Nodes=x1\n",
		"two of the cluster's":  small + "KillWait=3 MinJobAge=4\n",
		"an address for all":    small + "NodeName=DEFAULT NodeAddr=127.0.0.1\n",
		"no time":               small + "PartitionName=q DefaultTime=NONE Nodes=n1\n",
		"a plugin that is none": small + "SchedulerType=sched/x\n",
		"a second line's end":   small + "KillWait=\"3\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, f, err := start(t, text, nil)
			wrong := finding.Count(f.Findings, finding.Error) > 0 || slices.ContainsFunc(f.Findings, func(x finding.Finding) bool { return x.ID == "SLURM008" })
			if err == nil || !wrong {
				t.Errorf("slurmctld: %v; findings %v", err, f.Findings)
			}
		})
	}
}
