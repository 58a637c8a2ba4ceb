// Package oracle holds simulator/slurm/ctld against a real slurmctld: the same
// jobs and the same commands on the same cloud nodes, with the same settings, in
// real time there and in virtual time here. Of each node the states that
// scontrol shows must be the same, in the same order, and last about as long.
//
// COMPLETING is left out of both: the model has none. Machines are slurmds that a
// ResumeProgram of three lines starts; nothing of ours runs under slurmctld.
package oracle

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/features/slurmtest"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/ctld"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// slurm is the slurmctld of this run.
var slurm *slurmtest.Controller

func TestMain(m *testing.M) {
	files := map[string]string{"slurm.conf": slurmConf, "resume": resume, "suspend": suspend}
	os.Exit(slurmtest.MainOn(m, &slurm, "ctld", files, func(dir string) error {
		for _, s := range scenarios {
			for i := range s.nodes {
				if err := os.MkdirAll(filepath.Join(dir, "spool", fmt.Sprint(s.name, i+1)), 0o755); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// slurmConf is the real cluster; settings has the same in values. Each scenario
// has a partition of its own, so that all run at once.
const slurmConf = `# written by a test
ClusterName=ctld
SlurmctldHost=@HOST(127.0.0.1)
SlurmctldPort=6817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=@SOCKET
StateSaveLocation=@DIR/state
SlurmdSpoolDir=@DIR/spool/%n
SlurmctldPidFile=@DIR/slurmctld.pid
SlurmdPidFile=@DIR/%n.pid
SlurmctldLogFile=@DIR/slurmctld.log
SlurmdLogFile=@DIR/slurmd-%n.log
SlurmctldDebug=verbose
DebugFlags=Power
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/linear
PrivateData=cloud
TreeWidth=65533
ResumeProgram=@DIR/resume
SuspendProgram=@DIR/suspend
ResumeFailProgram=/bin/true
ResumeRate=0
SuspendRate=0
ResumeTimeout=45
SlurmdTimeout=15
SuspendTimeout=8
SuspendTime=12
NodeName=life[1-2] NodeAddr=127.0.0.1 Port=[17001-17002] State=CLOUD CPUs=1 RealMemory=100
NodeName=never1 NodeAddr=127.0.0.1 Port=17011 State=CLOUD CPUs=1 RealMemory=100
NodeName=back1 NodeAddr=127.0.0.1 Port=17021 State=CLOUD CPUs=1 RealMemory=100
NodeName=single1 NodeAddr=127.0.0.1 Port=17031 State=CLOUD CPUs=1 RealMemory=100
NodeName=cancel1 NodeAddr=127.0.0.1 Port=17041 State=CLOUD CPUs=1 RealMemory=100
NodeName=first[1-2] NodeAddr=127.0.0.1 Port=[17051-17052] State=CLOUD CPUs=1 RealMemory=100
NodeName=down1 NodeAddr=127.0.0.1 Port=17071 State=CLOUD CPUs=1 RealMemory=100
NodeName=lost1 NodeAddr=127.0.0.1 Port=17061 State=CLOUD CPUs=1 RealMemory=100
PartitionName=life Nodes=life[1-2] MaxTime=INFINITE State=UP
PartitionName=never Nodes=never1 MaxTime=INFINITE State=UP
PartitionName=back Nodes=back1 MaxTime=INFINITE State=UP
PartitionName=single Nodes=single1 MaxTime=INFINITE State=UP
PartitionName=cancel Nodes=cancel1 MaxTime=INFINITE State=UP
PartitionName=first Nodes=first[1-2] MaxTime=INFINITE State=UP
PartitionName=down Nodes=down1 MaxTime=INFINITE State=UP
PartitionName=lost Nodes=lost1 MaxTime=INFINITE State=UP
`

// bootTime is how long a machine takes.
const bootTime = 4 * time.Second

// resume boots machines; those that deaf knows never come up.
const resume = `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH
SLURM_CONF=@DIR/slurm.conf; export SLURM_CONF
cat "$SLURM_RESUME_FILE" >> @DIR/resume.files; echo >> @DIR/resume.files
for n in $(scontrol show hostnames "$1"); do
	case $n in never*|back*|first2) continue;; esac
	(sleep 4; exec setsid env -i PATH=$PATH slurmd -D -b -N $n -f $SLURM_CONF) </dev/null >/dev/null 2>&1 &
done
`

const suspend = `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH
SLURM_CONF=@DIR/slurm.conf; export SLURM_CONF
for n in $(scontrol show hostnames "$1"); do
	if [ -f @DIR/$n.pid ]; then kill $(cat @DIR/$n.pid); fi
done
`

func deaf(node string) bool {
	return strings.HasPrefix(node, "never") || strings.HasPrefix(node, "back") || node == "first2"
}

func settings() conf.Settings {
	c := conf.Defaults()
	c.ResumeProgram, c.SuspendProgram, c.ResumeFailProgram = "/resume", "/suspend", "/bin/true"
	c.ResumeRate, c.SuspendRate = 0, 0
	c.ResumeTimeout, c.SuspendTimeout, c.SuspendTime = 45*time.Second, 8*time.Second, 12*time.Second
	c.SlurmdTimeout = 15 * time.Second
	for _, s := range scenarios {
		names := s.name + "1"
		if s.nodes > 1 {
			names = fmt.Sprintf("%s[1-%d]", s.name, s.nodes)
		}
		c.Nodes = append(c.Nodes, conf.Node{Names: names, Addr: "127.0.0.1", CPUs: 1, Memory: 100, Weight: 1, Cloud: true})
		p := conf.DefaultPartition(s.name)
		p.Nodes = []string{names}
		c.Partitions = append(c.Partitions, p)
	}
	return c
}

// scenario is a job, and what is said of its first node when that is in a state
// for some seconds.
type scenario struct {
	name      string
	nodes     int
	run       time.Duration
	noRequeue bool
	// when the first node is in this state for after, this is done: scontrol's
	// arguments, "scancel", or "lost": its slurmd is killed. @ is the node.
	when  string
	after time.Duration
	do    []string
	// slack is how much longer or shorter a state may last, where it is not a scan
	// of the power saving thread and a second.
	slack time.Duration
}

var scenarios = []scenario{
	{name: "life", nodes: 2, run: 4 * time.Second},
	{name: "never", nodes: 1, run: 4 * time.Second, noRequeue: true},
	{name: "back", nodes: 1, run: 4 * time.Second, noRequeue: true, when: "POWERING_UP", after: 3 * time.Second,
		do: []string{"update", "NodeName=@", "State=POWER_DOWN_FORCE", "Reason=(Code:X)"}},
	{name: "single", nodes: 1, run: 8 * time.Second, when: "ALLOCATED+CLOUD", after: 2 * time.Second,
		do: []string{"update", "NodeName=@", "State=POWER_DOWN_ASAP", "Reason=plan"}},
	{name: "cancel", nodes: 1, run: 4 * time.Second, when: "POWERING_UP", after: time.Second, do: []string{"scancel"}},
	{name: "down", nodes: 1, run: 4 * time.Second, when: "POWERING_UP", after: time.Second,
		do: []string{"update", "NodeName=@", "State=POWER_DOWN", "Reason=x"}},
	// The second never comes. slurmctld then terminates a job on the first that it
	// never began there (COMPLETING), and takes some seconds.
	{name: "first", nodes: 2, run: 4 * time.Second, noRequeue: true, slack: 18 * time.Second},
	// slurmctld pings a node now and then, and notices at a later one.
	{name: "lost", nodes: 1, run: time.Minute, noRequeue: true, when: "ALLOCATED+CLOUD", after: 32 * time.Second,
		do: []string{"lost"}, slack: 20 * time.Second},
}

// span is a state and how long a node was in it.
type span struct {
	state string
	since time.Duration
}

// watch asks for the states of all nodes again and again until all are powered
// down after having been up, or time is over. show is scontrol's answer for all
// nodes, do does something of a scenario, step lets time pass.
func watch(now func() time.Duration, show func() string, do func(s scenario, words []string), step func()) map[string][]span {
	seen := map[string][]span{}
	done := map[string]bool{}
	for now() < 115*time.Second {
		for _, r := range slurmtest.Records(show()) {
			node := r["NodeName"]
			state := strings.ReplaceAll(r["State"], "+COMPLETING", "")
			if l := seen[node]; len(l) == 0 || l[len(l)-1].state != state {
				seen[node] = append(l, span{state, now()})
			}
		}
		for _, s := range scenarios {
			l := seen[s.name+"1"]
			if s.do == nil || done[s.name] || len(l) == 0 {
				continue
			}
			last := l[len(l)-1]
			if hit := last.state == s.when || strings.HasSuffix(last.state, "+"+s.when); hit && now()-last.since >= s.after {
				done[s.name] = true
				var words []string
				for _, w := range s.do {
					words = append(words, strings.ReplaceAll(w, "@", s.name+"1"))
				}
				do(s, words)
			}
		}
		step()
	}
	return seen
}

const poll = 250 * time.Millisecond

// real runs the scenarios under slurmctld.
func real(t *testing.T) map[string][]span {
	t.Helper()
	ids := map[string]string{}
	script := filepath.Join(slurm.Dir, "job.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec sleep $1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios {
		args := []string{"--parsable", "--chdir=" + slurm.Dir, "--output=/dev/null", "--time=10", "--partition=" + s.name, fmt.Sprintf("--nodes=%d", s.nodes)}
		if s.noRequeue {
			args = append(args, "--no-requeue")
		}
		out, err := slurm.Run("sbatch", append(args, script, fmt.Sprint(s.run.Seconds()))...)
		if err != nil {
			t.Fatal(err)
		}
		ids[s.name] = strings.TrimSpace(out)
	}
	start := time.Now()
	var once sync.Once
	return watch(func() time.Duration { return time.Since(start) }, func() string {
		out, err := slurm.Run("scontrol", "-o", "show", "node")
		if err != nil {
			once.Do(func() { t.Error(err) })
		}
		return out
	}, func(s scenario, words []string) {
		program := "scontrol"
		switch words[0] {
		case "scancel":
			program, words = "scancel", []string{ids[s.name]}
		case "lost":
			program, words = "pkill", []string{"-KILL", "-F", filepath.Join(slurm.Dir, s.name+"1.pid")}
		}
		if _, err := slurm.Run(program, words...); err != nil {
			t.Error(err)
		}
	}, func() { time.Sleep(poll) })
}

// world boots the model's machines.
type world struct {
	engine *simulator.Engine
	d      *ctld.Daemon
}

func (w *world) Resume(nodes []string, _ []byte) {
	for _, n := range slices.Clone(nodes) {
		if deaf(n) {
			continue
		}
		w.engine.After(bootTime, func() { w.d.Register(n, "i-"+n) })
	}
}
func (*world) Suspend([]string)    {}
func (*world) ResumeFail([]string) {}

// model runs them in virtual time.
func model(t *testing.T) map[string][]span {
	t.Helper()
	const start = env.Time(1e18)
	w := &world{engine: simulator.New(simulator.Options{Start: start})}
	defer w.engine.Close()
	var err error
	if w.d, err = ctld.New(ctld.Options{Engine: w.engine, Conf: settings(), Policy: sched.Slurm, Programs: w}); err != nil {
		t.Fatal(err)
	}
	ids := map[string]int64{}
	for i, s := range scenarios {
		ids[s.name] = int64(i + 1)
		j := workload.Job{ID: int64(i + 1), Run: s.run, Limit: 10 * time.Minute, Procs: int32(s.nodes), Nodes: int32(s.nodes), Partition: s.name, NoRequeue: s.noRequeue}
		if err := w.d.Submit(j); err != nil {
			t.Fatal(err)
		}
	}
	return watch(func() time.Duration { return w.engine.Now().Sub(start) }, func() string {
		out, err := w.d.Scontrol(context.Background(), "-o", "show", "node")
		if err != nil {
			t.Error(err)
		}
		return string(out)
	}, func(s scenario, words []string) {
		if words[0] == "scancel" {
			w.d.Cancel(ids[s.name])
		} else if words[0] == "lost" {
			w.d.Lost(s.name + "1")
		} else if _, err := w.d.Scontrol(context.Background(), words...); err != nil {
			t.Error(err)
		}
	}, func() {
		if err := w.engine.RunUntil(w.engine.Now().Add(poll)); err != nil {
			t.Fatal(err)
		}
	})
}

// scan is how far apart two scans of the power saving thread may be: when they are
// depends on everything else that happens. transient states are over before
// anybody may have asked.
const (
	scan      = 11 * time.Second
	transient = 2 * time.Second
)

func TestNodesGoThroughTheStatesThatARealSlurmctldShows(t *testing.T) {
	want, got := real(t), model(t)
	for _, s := range scenarios {
		for i := range s.nodes {
			node := fmt.Sprint(s.name, i+1)
			a, b := lasting(want[node], got[node]), lasting(got[node], want[node])
			if states(a) != states(b) {
				t.Errorf("%s\nSlurm %s\nmodel %s", node, states(a), states(b))
				continue
			}
			for k := 1; k+1 < len(a); k++ {
				real, ours := a[k+1].since-a[k].since, b[k+1].since-b[k].since
				t.Logf("%s %s: %.1f s, model %.1f s", node, a[k].state, real.Seconds(), ours.Seconds())
				if d := real - ours; d.Abs() > max(s.slack, scan) {
					t.Errorf("%s is %s for %v in Slurm, and %v in the model", node, a[k].state, real, ours)
				}
			}
		}
	}
	if t.Failed() {
		t.Log(slurmtest.Tail(filepath.Join(slurm.Dir, "slurmctld.log"), 60))
	}
}

// lasting leaves out the short states that the other has not seen.
func lasting(spans, other []span) []span {
	var out []span
	for k, s := range spans {
		seen := slices.ContainsFunc(other, func(o span) bool { return o.state == s.state })
		if last := k+1 == len(spans); seen || last || spans[k+1].since-s.since >= transient {
			out = append(out, s)
		}
	}
	return out
}

func states(spans []span) string {
	var out []string
	for _, s := range spans {
		out = append(out, s.state)
	}
	return strings.Join(out, " > ")
}
