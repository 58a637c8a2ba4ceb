package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/features/slurmtest"
	"aws-slurm-burst/localstack/scratch"
)

var room *Room

func TestMain(m *testing.M) {
	os.Exit(slurmtest.Main(m, func() (close func(failed bool), err error) {
		bin := os.Getenv("ASBA_BIN")
		if bin == "" {
			bin = "../../bin"
		}
		room, err = Open(bin)
		return func(failed bool) { room.Close(failed) }, err
	}))
}

// cluster starts a cluster named after the test, which runs beside others.
// ASBA_KEEP=1 keeps it after the test until it is interrupted.
func cluster(t *testing.T, o Options) *Cluster {
	t.Helper()
	slurmtest.Need(t)
	t.Parallel()
	name := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	name = name[:min(len(name), 40)]
	c, err := room.NewCluster(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if os.Getenv("ASBA_KEEP") == "1" {
			keep(c)
		}
		c.Close()
		if !t.Failed() {
			_ = os.RemoveAll(c.dir)
		}
	})
	return c
}

// keep waits until somebody has looked.
func keep(c *Cluster) {
	fmt.Printf("cluster %s is kept; ctrl-c ends it. In another terminal, as root:\n  nsenter -t %s -p -m -n -i env SLURM_CONF=%s sh\n", c.Name, c.room.slurm.Outside, c.conf)
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	<-told
}

const gang = "gang.json"

// A job of four nodes whose plan is in plans.dir: it runs on exactly four
// instances, each node at the address that was pushed, and they are suspended as
// soon as it ends: SuspendTime is ten minutes.
func TestAPlannedJobRunsAndItsNodesGoWithIt(t *testing.T) {
	c := cluster(t, Options{Nodes: 4})
	id := c.submitWithPlan(t, gang, "srun hostname && srun -l sh -c 'echo $SLURMD_NODENAME'", "--nodes=4")
	c.ranOnce(t, id)

	out, err := os.ReadFile(filepath.Join(c.dir, "job-"+id+".out"))
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 4; n++ {
		if want := fmt.Sprintf("%s%03d", nodePrefix, n); strings.Count(string(out), want) != 1 {
			t.Errorf("%s did not run once:\n%s", want, out)
		}
	}
}

// launches counts the launches that reached EC2.
func (c *Cluster) launches() (n int) {
	for _, call := range c.proxy.Calls() {
		if call.Action == "RunInstances" && call.Applied && call.Params.Get("DryRun") != "true" {
			n++
		}
	}
	return n
}

// Six nodes, two jobs of four: the second has to wait, and then gets instances
// of its own, though Slurm could give it the first one's that are still up.
func TestASecondJobGetsNoneOfTheFirstOnesNodes(t *testing.T) {
	c := cluster(t, Options{Nodes: 6})
	first := c.submitWithPlan(t, gang, "srun sh -c 'while [ ! -e "+c.dir+"/go ]; do sleep 0.2; done'", "--nodes=4")
	c.untilJob(t, first, 60*time.Second, "RUNNING")
	firsts := c.machines.launched()
	second := c.submitWithPlan(t, gang, "srun true", "--nodes=4")
	// Slurm has had a look at the second job, and found nothing for it.
	c.until(t, 20*time.Second, "the second job waits for nodes", func() (bool, string) {
		r, err := c.Job(second)
		return err == nil && r["JobState"] == "PENDING" && (r["Reason"] == "Resources" || strings.HasPrefix(r["Reason"], "Nodes_required")), fmt.Sprint(r["JobState"], " ", r["Reason"])
	})
	if err := os.WriteFile(filepath.Join(c.dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c.untilJob(t, first, 20*time.Second, "COMPLETED")
	c.untilJob(t, second, 60*time.Second, "COMPLETED")
	c.settled(t, 30*time.Second)
	if len(firsts) != 4 || len(c.machines.launched()) != 8 {
		t.Errorf("%d instances, then %d in all; want 4 and 8", len(firsts), len(c.machines.launched()))
	}
}

func TestAJobCancelledWhileConfiguringLeavesNothing(t *testing.T) {
	c := cluster(t, Options{Nodes: 4, Rules: []string{"{delay: 1s, times: 1}"}})
	id := c.submitWithPlan(t, gang, "srun true", "--nodes=4")
	c.untilHeld(t)
	if r := c.untilJob(t, id, 10*time.Second, "CONFIGURING", "RUNNING"); r["JobState"] != "CONFIGURING" {
		c.fail(t, "job %s is %s before it has nodes", id, r["JobState"])
	}
	c.must(t, "scancel", id)
	c.untilJob(t, id, 20*time.Second, "CANCELLED")
	c.Release()
	c.settled(t, 90*time.Second)
}

// The instances run and slurmctld has their addresses, but no slurmd has come up
// yet.
func TestAJobCancelledWhileItsNodesBootLeavesNothing(t *testing.T) {
	c := cluster(t, Options{Nodes: 4, NeverBoot: true})
	id := c.submitWithPlan(t, gang, "srun true", "--nodes=4")
	c.until(t, 30*time.Second, "addresses in slurmctld", func() (bool, string) {
		nodes, err := c.Nodes()
		n := 0
		for _, r := range nodes {
			if strings.HasPrefix(r["NodeAddr"], "127.0.") {
				n++
			}
		}
		return n == 4, fmt.Sprint(n, " nodes have one ", err)
	})
	c.must(t, "scancel", id)
	c.untilJob(t, id, 20*time.Second, "CANCELLED")
	c.settled(t, 90*time.Second)
}

// untilHeld waits until a call to EC2 waits for its release.
func (c *Cluster) untilHeld(t testing.TB) {
	t.Helper()
	c.until(t, 30*time.Second, "a launch is under way", func() (bool, string) {
		select {
		case <-c.held:
			return true, ""
		default:
			return false, "none"
		}
	})
}

func TestAnInvalidPlanHoldsItsOwnTaskOfAnArray(t *testing.T) {
	c := cluster(t, Options{Nodes: 3, SuspendTime: 5 * time.Second})
	id := c.submit(t, "srun hostname", "--hold", "--array=1-3", "--nodes=1")
	c.plan(t, id, gang)
	c.plan(t, id+"_2", "invalid.json")
	c.must(t, "scontrol", "release", id)
	for _, task := range []string{"_1", "_3"} {
		c.untilJob(t, id+task, 60*time.Second, "COMPLETED")
	}
	held := c.untilJob(t, id+"_2", 30*time.Second, "PENDING")
	if held["Priority"] != "0" || !strings.Contains(held["Reason"], "held") && !strings.Contains(held["Reason"], "Held") {
		t.Errorf("task 2 is not held: priority %s, reason %s", held["Priority"], held["Reason"])
	}
	if !strings.Contains(held["AdminComment"], "no instance types specified") {
		t.Errorf("task 2 does not say why: %q", held["AdminComment"])
	}
	for _, task := range []string{"_1", "_3"} {
		if r, err := c.Job(id + task); err != nil || r["Restarts"] != "0" || r["AdminComment"] != "" {
			t.Errorf("task %s was touched: restarts %s, comment %q, %v", task, r["Restarts"], r["AdminComment"], err)
		}
	}
	c.settled(t, 30*time.Second)
	c.must(t, "scancel", id)
}

func TestAShortageEverywhereRequeuesTheJobAndFreesTheNodes(t *testing.T) {
	c := cluster(t, Options{Nodes: 4, Rules: []string{"{error: InsufficientInstanceCapacity}"}})
	id := c.submitWithPlan(t, gang, "srun true", "--nodes=4")
	c.until(t, 60*time.Second, "the job is requeued", func() (bool, string) {
		r, err := c.Job(id)
		return err == nil && r["JobState"] == "PENDING" && r["Restarts"] == "1", fmt.Sprint(r, err)
	})
	c.settled(t, 30*time.Second)
	nodes, err := c.Nodes()
	if err != nil {
		t.Fatal(err)
	}
	for n, r := range nodes {
		if !strings.Contains(r["Reason"], "(Code:InsufficientInstanceCapacity)") {
			t.Errorf("%s does not say why it was given back: %q", n, r["Reason"])
		}
	}
	if all := c.machines.launched(); len(all) > 0 {
		t.Errorf("there were instances: %v", all)
	}
	c.must(t, "scancel", id)
}

// Instances run, but no slurmd ever registers: after ResumeTimeout Slurm calls
// ResumeFailProgram, and no other.
func TestNodesThatNeverBootAreEndedAndUsableAgain(t *testing.T) {
	c := cluster(t, Options{Nodes: 2, ResumeTimeout: 15 * time.Second, NeverBoot: true})
	id := c.submitWithPlan(t, gang, "srun true", "--nodes=2")
	c.until(t, 20*time.Second, "two instances", func() (bool, string) {
		live, err := c.live()
		return len(live) == 2, fmt.Sprint(len(live), err)
	})
	c.settled(t, 60*time.Second)
	if !strings.Contains(c.log(), "did not register in time") {
		c.fail(t, "resume-fail was not called")
	}
	r, err := c.Job(id)
	if err != nil || r["JobState"] != "PENDING" {
		t.Errorf("the job is not requeued: %s %v", r["JobState"], err)
	}
	c.must(t, "scancel", id)
}

// Each time is paid for: the job comes back as Slurm has it, then later, and after
// twenty times in a row not by itself.
func TestAJobWhoseNodesNeverBootComesBackLaterAndIsHeldAtLast(t *testing.T) {
	c := cluster(t, Options{Nodes: 2, ResumeTimeout: 15 * time.Second, NeverBoot: true})
	id := c.submitWithPlan(t, gang, "srun true", "--nodes=2")
	requeued := func(restarts string) Record {
		t.Helper()
		var r Record
		c.until(t, 60*time.Second, "the job is requeued, and told why", func() (bool, string) {
			var err error
			r, err = c.Job(id)
			return err == nil && r["JobState"] == "PENDING" && r["Restarts"] == restarts && strings.Contains(r["AdminComment"], "did not register"), fmt.Sprint(r["JobState"], r["Restarts"], err)
		})
		c.settled(t, 60*time.Second)
		r, err := c.Job(id)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	delay := func(r Record) time.Duration {
		at, err := time.ParseInLocation("2006-01-02T15:04:05", r["StartTime"], time.Local)
		if err != nil {
			t.Fatal(err)
		}
		return time.Until(at)
	}
	if d := delay(requeued("1")); d > 125*time.Second {
		t.Errorf("the first time it comes back after %v", d)
	}
	// It need not be on record whose nodes they were: slurmctld says it.
	c.must(t, "scontrol", "update", "JobId="+id, "StartTime=now")
	c.until(t, 30*time.Second, "two instances again", func() (bool, string) {
		live, err := c.live()
		return len(live) == 2 && c.resumes() == 0, fmt.Sprint(len(live), err)
	})
	if err := os.RemoveAll(filepath.Join(c.dir, "state", "aws-slurm-burst", "calls")); err != nil {
		t.Fatal(err)
	}
	if d := delay(requeued("2")); d < 180*time.Second || d > 245*time.Second {
		t.Errorf("the second time it comes back after %v", d)
	}
	// As if there had been eighteen times more.
	failures := filepath.Join(c.dir, "state", "aws-slurm-burst", "failures", id+".json")
	text, err := os.ReadFile(failures)
	if err != nil {
		t.Fatal(err)
	}
	many := strings.Replace(string(text), `"times":2`, `"times":20`, 1)
	if err := os.WriteFile(failures, []byte(many), 0o600); err != nil || many == string(text) {
		t.Fatal(err, many)
	}
	c.must(t, "scontrol", "update", "JobId="+id, "StartTime=now")
	if r := requeued("3"); r["Priority"] != "0" || !strings.HasSuffix(r["AdminComment"], "held: it lost its nodes 21 times in a row before it could run") {
		t.Errorf("not held: priority %s, reason %s, comment %q", r["Priority"], r["Reason"], r["AdminComment"])
	}
	c.must(t, "scancel", id)
}

// afterRestart is the script of jobs that are configuring while slurmctld is
// restarted: one without a step. slurmctld 22.05 no longer tells such a job the
// addresses of its nodes (SLURM_NODE_ALIASES is "(null)"), so srun goes by the
// placeholders of slurm.conf, unless the site has the names in DNS. A job is
// COMPLETED only once every node has answered, so the addresses are tried anyhow.
const afterRestart = "hostname"

// slurmctld had written down that the nodes are powering up: it does not call
// again, and the resume that outlives it tells the next one.
func TestAResumeOutlivesAKilledSlurmctld(t *testing.T) {
	c := cluster(t, Options{Nodes: 4, Rules: []string{"{delay: 1s, times: 1}"}})
	id := c.submitWithPlan(t, gang, afterRestart, "--nodes=4")
	c.untilHeld(t)
	c.untilJob(t, id, 10*time.Second, "CONFIGURING")
	c.untilSaved(t, id)
	c.Kill()
	c.restart(t)
	c.Release()
	c.ranOnce(t, id)
}

// slurmctld dies before it writes anything down: the next one starts the same
// job again, and calls for the same nodes while the first call is at EC2.
func TestAResumeCalledAgainAfterACrashLaunchesNothingTwice(t *testing.T) {
	c := cluster(t, Options{Nodes: 4, Rules: []string{"{delay: 1s, times: 1}"}})
	id := c.submitWithPlan(t, gang, "srun hostname", "--nodes=4", "--begin=now+10")
	c.untilSaved(t, id)
	saved := c.saved(t)
	c.untilHeld(t)
	c.Kill()
	for name, data := range saved {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.restart(t)
	c.until(t, 30*time.Second, "a second resume beside the first", func() (bool, string) {
		n := c.resumes()
		return n >= 2, fmt.Sprintf("%d run", n)
	})
	// It waits for the first one. Whoever does not is at EC2 long before this.
	asked := len(c.proxy.Calls())
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(pollEvery) {
		if calls := c.proxy.Calls(); len(calls) != asked {
			c.fail(t, "the second resume asks EC2 (%s) while the first one launches", calls[asked].Action)
		}
	}
	c.Release()
	c.ranOnce(t, id)
}

func (c *Cluster) restart(t testing.TB) {
	t.Helper()
	if err := c.Start(); err != nil {
		c.fail(t, "%v", err)
	}
}

// ranOnce waits until a job of four nodes has run, and wants its instances
// launched once and gone.
func (c *Cluster) ranOnce(t testing.TB, id string) {
	t.Helper()
	r := c.untilJob(t, id, 90*time.Second, "COMPLETED")
	c.settled(t, 30*time.Second)
	if all := c.machines.launched(); len(all) != 4 || c.launches() != 1 || r["Restarts"] != "0" {
		c.fail(t, "%d launches, %s restarts, instances %v", c.launches(), r["Restarts"], all)
	}
}

// saved returns the files in which slurmctld writes down jobs and nodes.
func (c *Cluster) saved(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range stateFiles {
		name = filepath.Join(c.dir, "state", name)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

var stateFiles = []string{"job_state", "node_state"}

// untilSaved waits until slurmctld has written down what it knows now: it does
// so within seconds, and a crash before it takes the job back to what it was.
// It writes only what has changed since it last did, which may have been a
// moment ago: so something changes, of the job and of the nodes.
func (c *Cluster) untilSaved(t testing.TB, job string) {
	t.Helper()
	now := time.Now()
	c.must(t, "scontrol", "update", "JobId="+job, "Comment=saved")
	c.must(t, "scontrol", "update", "NodeName="+c.nodes(), "Comment=saved")
	c.until(t, 30*time.Second, "slurmctld saves its state", func() (bool, string) {
		for _, name := range stateFiles {
			st, err := os.Stat(filepath.Join(c.dir, "state", name))
			if err != nil {
				return false, err.Error()
			}
			if st.ModTime().Before(now) {
				return false, name + " is old"
			}
		}
		return true, ""
	})
}

// resumes counts the resume processes that run.
func (c *Cluster) resumes() (n int) {
	for _, p := range processes() {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.pid))
		if err != nil || filepath.Base(exe) != "aws-slurm-burst-resume" {
			continue
		}
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
		if err == nil && slices.Contains(strings.Split(string(env), "\x00"), "SLURM_CONF="+c.conf) {
			n++
		}
	}
	return n
}

// The instances are kept, and reconcile, which sites run from cron, tells their
// addresses once slurmctld is back.
func TestAddressesThatSlurmctldCouldNotTakeArePushedByReconcile(t *testing.T) {
	c := cluster(t, Options{Nodes: 4, Rules: []string{"{delay: 1s, times: 1}"}})
	id := c.submitWithPlan(t, gang, afterRestart, "--nodes=4")
	c.untilHeld(t)
	c.untilJob(t, id, 10*time.Second, "CONFIGURING")
	c.Stop()
	c.Release()
	c.until(t, 60*time.Second, "the addresses are pending", func() (bool, string) {
		return c.resumes() == 0 && strings.Contains(c.log(), "slurmctld not reachable, addresses pending for 4 nodes"), slurmtest.LastLines(c.log(), 3)
	})
	c.restart(t)
	c.must(t, filepath.Join(c.room.bin, "aws-slurm-burst"), "reconcile")
	c.ranOnce(t, id)
}

// A whole run inside this one is killed in the midst of its work. Its processes,
// seen from here, are gone at once, and the next run removes its files.
func TestAKilledRunLeavesNothingBehind(t *testing.T) {
	slurmtest.Need(t)
	before, err := filepath.Glob(filepath.Join(scratch.Root(slurmtest.Kind), "run-*"))
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command("/proc/self/exe", "-test.run", "^TestAPlannedJob", "-test.timeout", "1m")
	run.Env = append(os.Environ(), slurmtest.InsideEnv+"=", "ASBA_KEEP=")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	var all []process
	names := func() (out []string) {
		for _, p := range all {
			out = append(out, p.name)
		}
		return out
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		all = below(run.Process.Pid)
		if n := names(); slices.Contains(n, "slurmctld") && slices.Contains(n, "munged") && slices.Contains(n, "slurmd") {
			break
		}
		if time.Now().After(end) {
			_ = run.Process.Kill()
			t.Fatalf("the run does not get to its first machine: %v", names())
		}
	}
	_ = run.Process.Kill()
	_ = run.Wait()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := processes()
		all = slices.DeleteFunc(all, func(p process) bool {
			return !slices.ContainsFunc(left, func(q process) bool { return q.pid == p.pid })
		})
		if len(all) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("still running: %v", names())
		}
	}
	// A process counts as gone when its first thread is; the others hold its
	// files, and the lock among them, for a moment longer.
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		left := afterTheNextRun(t, before)
		if len(left) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%v of the killed run is still there", left)
		}
	}
}

// afterTheNextRun returns the folders of runs that were not there before, once
// another run has begun and ended.
func afterTheNextRun(t *testing.T, before []string) []string {
	t.Helper()
	next, err := slurmtest.NewRunDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Remove(); err != nil {
		t.Fatal(err)
	}
	after, err := filepath.Glob(filepath.Join(scratch.Root(slurmtest.Kind), "run-*"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(after, func(dir string) bool { return slices.Contains(before, dir) })
}

// below returns the processes below one.
func below(pid int) []process {
	all := processes()
	for i := range all {
		if all[i].pid == pid {
			all[i].machine = "here"
		}
	}
	return ofMachine(all, "here")
}
