// Package shared holds simulator/slurm/sched against a real slurmctld with
// select/cons_tres: the same jobs on the same idle nodes, and the same ones must
// get the same nodes, and as many CPUs, in the main pass and in backfill.
//
// Most nodes are up: a slurmd of each registers, and ends. No job begins, since
// slurmctld's own prolog of it does not end: it has its nodes (CONFIGURING) as
// soon as slurmctld gives it any.
package shared

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/features/slurmtest"
	"aws-slurm-burst/simulator/slurm/sched"
)

// slurm is the slurmctld of this run.
var slurm *slurmtest.Controller

func TestMain(m *testing.M) {
	conf := slurmConf
	for i := range queues {
		conf += queues[i].conf(i)
	}
	os.Exit(slurmtest.MainOn(m, &slurm, "shared", map[string]string{"slurm.conf": conf, "prolog": "#!/bin/sh\nexec sleep 600\n"}, nil))
}

// With SlurmdTimeout=65000 nobody misses a slurmd that has ended.
const slurmConf = `# written by a test
ClusterName=shared
SlurmctldHost=@HOST(127.0.0.1)
SlurmctldPort=6817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=@SOCKET
StateSaveLocation=@DIR/state
SlurmctldPidFile=@DIR/slurmctld.pid
SlurmctldLogFile=@DIR/slurmctld.log
SlurmdSpoolDir=@DIR/%n
SlurmdPidFile=@DIR/%n.pid
SlurmdLogFile=@DIR/%n.log
SlurmdParameters=config_overrides
SlurmdTimeout=65000
PrologSlurmctld=@DIR/prolog
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PriorityType=priority/basic
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,bf_max_time=120,bf_yield_interval=10000000,bf_max_job_test=10000,default_queue_depth=10000
TreeWidth=65533
ResumeProgram=/bin/true
SuspendProgram=/bin/true
ResumeTimeout=3600
SuspendTime=INFINITE
`

// kind is what nodes of a queue have in common.
type kind struct {
	nodes, cores, threads, weight int
}

// queue is a partition of its own, and who waits there.
type queue struct {
	name  string
	cloud bool   // its nodes are powered down
	kinds []kind // in the order of their names: a, b
	jobs  []job
}

type job struct {
	nodes, tasks, memory, minutes int // nodes 0: as few as it takes
	exclusive                     bool
	constraint                    string
	id                            string
}

const memory = 1000 // MiB of each node

func (k *kind) cpus() int { return k.cores * k.threads }

func (q *queue) conf(number int) string {
	var b strings.Builder
	var all []string
	for i, k := range q.kinds {
		names := fmt.Sprintf("%s%c[1-%d]", q.name, 'a'+i, k.nodes)
		all = append(all, names)
		state := "UNKNOWN"
		if q.cloud {
			state = "CLOUD"
		}
		port := 7000 + 40*number + 20*i
		fmt.Fprintf(&b, "NodeName=%s NodeAddr=127.0.0.1 Port=[%d-%d] CPUs=%d Sockets=1 CoresPerSocket=%d ThreadsPerCore=%d RealMemory=%d Weight=%d Feature=%c State=%s\n",
			names, port+1, port+k.nodes, k.cpus(), k.cores, k.threads, memory, k.weight, 'a'+i, state)
	}
	fmt.Fprintf(&b, "PartitionName=%s Nodes=%s MaxTime=INFINITE State=DOWN\n", q.name, strings.Join(all, ","))
	return b.String()
}

// names are the queue's nodes in their order.
func (q *queue) names() []string {
	var all []string
	for i, k := range q.kinds {
		for n := range k.nodes {
			all = append(all, fmt.Sprintf("%s%c%d", q.name, 'a'+i, n+1))
		}
	}
	return all
}

// queues are drawn anew in each run of the package, and the same ones each time.
var queues = draw(count)

const count = 32

func draw(n int) []queue {
	rnd := rand.New(rand.NewPCG(3, 4))
	var all []queue
	for len(all) < n {
		q := queue{name: fmt.Sprintf("q%d", len(all))}
		a := kind{nodes: 2 + rnd.IntN(4), cores: 2 << rnd.IntN(2), threads: 1 + rnd.IntN(2), weight: 1}
		switch len(all) % 4 {
		case 0: // alike
			q.kinds = []kind{a}
		case 1: // of two weights
			b := a
			b.nodes = 1 + rnd.IntN(4)
			a.weight = 5
			q.kinds = []kind{a, b}
		case 2: // of two sizes
			b := a
			b.nodes, b.cores = 1+rnd.IntN(3), 2*a.cores
			q.kinds = []kind{a, b}
		case 3:
			q.kinds, q.cloud = []kind{a}, true
		}
		sum, most, nodes := 0, 0, 0
		for _, k := range q.kinds {
			sum, most, nodes = sum+k.nodes*k.cpus(), max(most, k.cpus()), nodes+k.nodes
		}
		for range 6 + rnd.IntN(9) {
			j := job{minutes: 5 + rnd.IntN(300), memory: 50 * rnd.IntN(10), exclusive: rnd.IntN(8) == 0}
			j.memory = max(j.memory, 10)
			switch rnd.IntN(4) {
			case 0, 1:
				j.tasks = 1 + rnd.IntN(most)
			case 2:
				j.tasks = 1 + rnd.IntN(sum)
			case 3:
				j.nodes = 1 + rnd.IntN(nodes)
				j.tasks = j.nodes + rnd.IntN(j.nodes*a.cpus())
				j.tasks = min(j.tasks, j.nodes*a.cpus())
			}
			if len(q.kinds) > 1 && rnd.IntN(4) == 0 && j.nodes <= a.nodes && j.tasks <= a.nodes*a.cpus() {
				j.constraint = "a"
			}
			q.jobs = append(q.jobs, j)
		}
		all = append(all, q)
	}
	return all
}

// model returns which nodes and how many CPUs the scheduler gives to each job of
// each queue, such as "0,1 6"; "" none. Backfill comes some time after the main
// pass, and again. With a jitter ends of jobs are up to two seconds off.
//
// All queues are one cluster's, as they are slurmctld's: backfill looks at ends of
// jobs together, whosever they are.
func model(at, later time.Duration, jitter uint64) [][]string {
	rnd := rand.New(rand.NewPCG(jitter, 1))
	p := sched.DefaultParams()
	p.MaxTest = 10000
	s := sched.New(sched.Options{Policy: sched.Slurm, Shared: true, Memory: true, Params: p})
	for i := range queues {
		s.AddPartition(sched.Partition{Name: queues[i].name})
	}
	var jobs [][]*sched.Job
	var first []int32
	id, nodes := int64(0), int32(0)
	now := env.Time(at)
	for i := range queues {
		q := &queues[i]
		first = append(first, nodes)
		for i, kind := range q.kinds {
			k, err := s.AddClass(sched.Class{
				Partitions: []string{q.name}, Features: []string{string(rune('a' + i))}, Weight: int32(kind.weight),
				CPUs: int32(kind.cpus()), Threads: int32(kind.threads), Memory: memory,
			})
			if err != nil {
				panic(err)
			}
			for range kind.nodes {
				nodes++
				if n := s.AddNode(k); q.cloud {
					s.SetNode(n, sched.Off, 0)
				}
			}
		}
	}
	for i := range queues {
		q := &queues[i]
		var its []*sched.Job
		for _, j := range q.jobs {
			place, err := s.Place(q.name, j.constraint)
			if err != nil {
				panic(err)
			}
			id++
			job := &sched.Job{
				ID: id, Place: place, MinNodes: int32(max(j.nodes, 1)), MaxNodes: int32(j.nodes), CPUs: int32(j.tasks),
				Memory: int64(j.memory), Limit: time.Duration(j.minutes) * time.Minute, Exclusive: j.exclusive,
			}
			if jitter > 0 {
				job.Limit += time.Duration(rnd.IntN(3)) * time.Second
			}
			s.Submit(job, now)
			its = append(its, job)
		}
		jobs = append(jobs, its)
	}
	s.Pass(now, true)
	for k := range 3 {
		s.Backfill(now.Add(time.Duration(k) * later))
	}
	var all [][]string
	for i := range queues {
		var got []string
		for _, j := range jobs[i] {
			var its []int32
			for _, n := range j.Nodes {
				its = append(its, n-first[i])
			}
			got = append(got, show(its, j.Allocated()))
		}
		all = append(all, got)
	}
	return all
}

func show(nodes []int32, cpus int32) string {
	if len(nodes) == 0 {
		return ""
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(nodes), " ", ","), "[]") + fmt.Sprintf(" %d", cpus)
}

func TestTheSameJobsGetTheSameNodesAsFromARealSlurmctld(t *testing.T) {
	slurmtest.Need(t)
	var up []string
	for i := range queues {
		if !queues[i].cloud {
			up = append(up, queues[i].names()...)
		}
	}
	if err := slurm.Register(up); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(slurm.Dir, "job.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range queues {
		q := &queues[i]
		for k := range q.jobs {
			j := &q.jobs[k]
			args := []string{"--parsable", "--chdir=" + slurm.Dir, "--output=/dev/null", "--partition=" + q.name,
				fmt.Sprint("--ntasks=", j.tasks), fmt.Sprint("--mem=", j.memory), fmt.Sprint("--time=", j.minutes)}
			if j.nodes > 0 {
				args = append(args, fmt.Sprint("--nodes=", j.nodes))
			}
			if j.constraint != "" {
				args = append(args, "--constraint="+j.constraint)
			}
			if j.exclusive {
				args = append(args, "--exclusive")
			}
			out, err := slurm.Run("sbatch", append(args, script)...)
			if err != nil {
				t.Fatal(err)
			}
			j.id = strings.TrimSpace(out)
		}
	}
	// They all wait for their partitions; then they meet one pass after the other.
	var open strings.Builder
	for i := range queues {
		fmt.Fprintf(&open, "update PartitionName=%s State=UP\n", queues[i].name)
	}
	commands := filepath.Join(slurm.Dir, "up")
	if err := os.WriteFile(commands, []byte(open.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := slurm.Run("sh", "-c", "exec scontrol <"+commands); err != nil {
		t.Fatal(err)
	}
	given := settled(t)
	sure := decided()
	jobs, differ, unsure := 0, 0, 0
	for i := range queues {
		if sure[i] == nil {
			unsure++
			continue
		}
		q := &queues[i]
		var real []string
		for _, j := range q.jobs {
			real = append(real, given[j.id])
		}
		jobs += len(q.jobs)
		if !slices.Equal(real, sure[i]) {
			differ++
			t.Logf("%s: nodes %+v, powered down: %v", q.name, q.kinds, q.cloud)
			for k, j := range q.jobs {
				t.Logf("  %+v: Slurm %q, model %q", j, real[k], sure[i][k])
			}
		}
	}
	// Of 246 queues that were tried ten differ.
	t.Logf("%d jobs in %d queues, of which %d differ from Slurm; %d more hang on a second", jobs, len(queues)-unsure, differ, unsure)
	if differ > len(queues)/10 {
		t.Errorf("%d of %d queues differ from Slurm", differ, len(queues)-unsure)
	}
	if unsure > len(queues)/4 {
		t.Errorf("%d of %d queues are not compared", unsure, len(queues))
	}
}

// decided is what the scheduler decides for each queue, nil where that hangs on
// the second: on how instants are rounded, when backfill comes, and which of two
// jobs ends a second before the other.
func decided() [][]string {
	all := model(time.Hour, 0, 0)
	for _, at := range []time.Duration{0, 13 * time.Second, 29 * time.Second, 43 * time.Second} {
		for _, later := range []time.Duration{0, 2 * time.Second, time.Minute} {
			for jitter := range uint64(3) {
				for i, got := range model(time.Hour+at, later, jitter) {
					if !slices.Equal(all[i], got) {
						all[i] = nil
					}
				}
			}
		}
	}
	return all
}

// settled returns what nodes each job has when backfill has passed several times
// and changed nothing more.
func settled(t *testing.T) map[string]string {
	t.Helper()
	numbers := map[string]int32{}
	for i := range queues {
		for n, name := range queues[i].names() {
			numbers[name] = int32(n)
		}
	}
	var last map[string]string
	since := time.Now()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
		out, err := slurm.Run("squeue", "--noheader", "--states=all", "--format=%i %T %C %N")
		if err != nil {
			t.Fatal(err)
		}
		given := map[string]string{}
		for line := range strings.Lines(out) {
			f := strings.Fields(line)
			if len(f) < 4 {
				continue // PENDING has no nodes
			}
			names, err := hostlist.Expand(f[3])
			if err != nil {
				t.Fatal(err)
			}
			var nodes []int32
			for _, n := range names {
				nodes = append(nodes, numbers[n])
			}
			slices.Sort(nodes)
			var cpus int32
			_, _ = fmt.Sscan(f[2], &cpus)
			given[f[0]] = show(nodes, cpus)
		}
		if fmt.Sprint(given) != fmt.Sprint(last) {
			last, since = given, time.Now()
		}
		if len(given) > 0 && time.Since(since) > 8*time.Second {
			return given
		}
	}
	t.Fatal("slurmctld starts jobs and starts jobs")
	return nil
}
