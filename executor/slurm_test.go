package executor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/report"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

func configuring(id int, nodes []string) slurmmodel.Job {
	return slurmmodel.Job{ID: id, State: "CONFIGURING", Batch: true, Requeue: true, Nodes: nodes}
}

// A job that is cancelled between rungs leaves its nodes to the next job, or to
// nobody: then they are given back, not left to ResumeTimeout.
func TestNodesOfACancelledJobAreServedOrGivenBack(t *testing.T) {
	for _, next := range []bool{true, false} {
		nodes := gang.Nodes
		w := newWorld(t).withSlurm(nodes, configuring(7, nodes)).withFaults("- {az: us-east-1a, error: InsufficientInstanceCapacity, delay: 6s}")
		w.engine.Spawn("scancel", func(ctx context.Context, e env.Env) {
			_ = e.Sleep(ctx, 3*time.Second)
			gone := configuring(7, nodes)
			gone.State = "CANCELLED"
			w.slurm.SetJob(gone)
			if next {
				w.slurm.SetJob(configuring(8, nodes))
			}
		})
		q := gang
		q.ResumeFile = []byte(resumeFile("7", nodes))
		r, lines := w.resume(q)
		if next {
			if got := r.Nodes[0].Job; got != "8" {
				t.Errorf("the nodes are reported for job %s", got)
			}
			if r.ExitCode != 0 {
				t.Errorf("another job waits for the nodes: exit %d: %v", r.ExitCode, lines)
			}
			w.check(nodes...)
			continue
		}
		w.check()
		for _, n := range r.Nodes {
			if n.State != report.NodeGivenBack {
				t.Errorf("nobody waits for the nodes: %s is %s", n.Name, n.State)
			}
		}
		wants(t, lines, "WARN: not launched: job 7 has gone")
		if reason := w.slurm.Node(nodes[0]).Reason; !strings.HasPrefix(reason, "(Code:JobGone)") {
			t.Errorf("reason %q", reason)
		}
	}
}

// giveUp is slurmctld at ResumeTimeout: the nodes are down, their job is requeued,
// and ResumeFailProgram is called.
func (w *world) giveUp(id int, nodes []string, after time.Duration) (*report.Report, []string) {
	w.t.Helper()
	w.call("wait", func(ctx context.Context, x *executor.Executor) *report.Report {
		_ = x.Env.Sleep(ctx, after)
		return nil
	})
	for _, n := range nodes {
		w.slurm.SetNode(slurmmodel.Node{Name: n, Addr: "172.31.0.4", Hostname: n, State: "DOWN", Flags: []string{"CLOUD", "POWERED_DOWN", "NOT_RESPONDING"}, Reason: "ResumeTimeout reached", CPUs: 1, RealMemory: 100, Partition: "aws"})
	}
	if j := w.slurm.Job(id); j.State == "CONFIGURING" && slices.Contains(j.Nodes, nodes[0]) {
		w.slurm.SetJob(slurmmodel.Job{ID: id, ArrayID: j.ArrayID, Task: j.Task, State: "PENDING", Batch: true, Requeue: true, Restarts: j.Restarts + 1, AdminComment: j.AdminComment})
	}
	return w.call("resume-fail", func(ctx context.Context, x *executor.Executor) *report.Report { return x.ResumeFail(ctx, nodes) })
}

func TestNodesThatDidNotComeUpAreUsableAgain(t *testing.T) {
	nodes := gang.Nodes[:2]
	w := newWorld(t).withSlurm(nodes, configuring(7, nodes))
	w.resume(executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(resumeFile("7", nodes))})
	r, lines := w.giveUp(7, nodes, time.Minute)
	if r.ExitCode != 0 {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check()
	for _, n := range nodes {
		// SuspendProgram is called once more, which clears NOT_RESPONDING.
		node := w.slurm.Node(n)
		if node.State != "IDLE" || !node.Has("POWER_DOWN") || node.Addr != n {
			t.Errorf("%+v", node)
		}
	}
	if job := w.slurm.Job(7); job.AdminComment != "nodes did not register within ResumeTimeout" || w.comesBack(7) != "0s" {
		t.Errorf("%+v", job)
	}
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "WARN: aws-hpc-001 did not register in time: i-") || !strings.HasSuffix(lines[0], " c5n.18xlarge us-east-1a, launched 61 s ago") ||
		lines[2] != "SUGGESTION: Raise ResumeTimeout in slurm.conf: machines of node group hpc had 61 s from their launch, and need 1 to 5 minutes" {
		t.Errorf("lines: %v", lines)
	}
}

// Each time is a launch that is paid for.
func TestNodesThatDoNotComeUpBringTheJobBackLaterAndLater(t *testing.T) {
	nodes := gang.Nodes
	w := newWorld(t).withSlurm(nodes)
	q := gang
	q.ResumeFile = []byte(resumeFile("7", nodes))
	for times := 1; times <= 21; times++ {
		w.again(7, nodes, times-1)
		w.resume(q)
		// Each of its nodes may be in a call of its own: it is one time.
		w.giveUp(7, nodes[:1], 10*time.Minute)
		_, lines := w.giveUp(7, nodes[1:], 0)
		if got := w.comesBack(7); got != backLater(times) {
			t.Errorf("after %d times: %s, want %s", times, got, backLater(times))
		}
		if want := "SUGGESTION: Look at slurmd's log on such a machine"; !strings.HasPrefix(lines[len(lines)-1], want) {
			t.Errorf("the last line is %q", lines[len(lines)-1])
		}
		w.check()
	}
	if c := w.slurm.Job(7).AdminComment; c != "nodes did not register within ResumeTimeout; held: it lost its nodes 21 times in a row before it could run" {
		t.Errorf("the job says %q", c)
	}
}

func TestFailuresCountInARow(t *testing.T) {
	nodes := gang.Nodes
	q := gang
	q.ResumeFile = []byte(resumeFile("7", nodes))
	w := newWorld(t).withSlurm(nodes)
	fail := func(restarts int) string {
		w.again(7, nodes, restarts)
		w.resume(q)
		w.giveUp(7, nodes, 10*time.Minute)
		return w.comesBack(7)
	}
	short := func(restarts int) string {
		w.again(7, nodes, restarts)
		w.withFaults("- {error: InsufficientInstanceCapacity, action: RunInstances}")
		w.resume(q)
		w.faults = nil
		return w.comesBack(7)
	}
	got := []string{fail(0), short(1), fail(2)}
	// It gets through, is requeued while it runs (4), and then fails again.
	got = append(got, fail(4), fail(5))
	if want := []string{"0s", "4m0s", "8m0s", "0s", "4m0s"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// What slurmctld did to the job meanwhile stands.
func TestAJobThatIsNotPendingAnyMoreIsLeftAlone(t *testing.T) {
	nodes, others := gang.Nodes, []string{"aws-hpc-011", "aws-hpc-012", "aws-hpc-013", "aws-hpc-014"}
	for state, job := range map[string]slurmmodel.Job{
		"CONFIGURING": {Batch: true, Requeue: true, Nodes: others, Restarts: 30},
		"RUNNING":     {Batch: true, Requeue: true, Nodes: others, Restarts: 30},
		"CANCELLED":   {Batch: true, Requeue: true, Restarts: 30},
		"NODE_FAIL":   {Nodes: nodes}, // srun's, or --no-requeue
	} {
		w := newWorld(t).withSlurm(append(slices.Clone(nodes), others...), configuring(7, nodes))
		q := gang
		q.ResumeFile = []byte(resumeFile("7", nodes))
		w.resume(q)
		job.ID, job.State = 7, state
		w.slurm.SetJob(job)
		r, lines := w.giveUp(7, nodes, 0)
		after := w.slurm.Job(7)
		if after.State != state || after.Restarts != job.Restarts || after.AdminComment != "" || r.ExitCode != 0 {
			t.Errorf("%s: %+v %v", state, after, lines)
		}
	}
}

// The last task of an array has the array's id.
func TestTheTaskWhoseNodeDidNotComeUpIsDelayedAlone(t *testing.T) {
	nodes := []string{"aws-hpc-001", "aws-hpc-002"}
	w := newWorld(t).withSlurm(nodes)
	file := []byte(`{"jobs":[{"job_id":8,"nodes":"aws-hpc-001"},{"job_id":7,"nodes":"aws-hpc-002"}],"all_nodes":"aws-hpc-[001-002]"}`)
	for restarts := range 2 {
		for i, id := range []int{8, 7} {
			w.again(id, nodes[i:i+1], restarts)
			j := w.slurm.Job(id)
			j.ArrayID, j.Task = 7, fmt.Sprint(i+1)
			w.slurm.SetJob(j)
		}
		w.resume(executor.ResumeRequest{Nodes: nodes, ResumeFile: file})
		w.giveUp(7, nodes[1:], 0)
	}
	if first, second := w.slurm.Job(8), w.slurm.Job(7); first.State != "CONFIGURING" || first.AdminComment != "" || w.comesBack(7) != "4m0s" {
		t.Errorf("%+v %+v", first, second)
	}
}

func TestWithoutAResumeFileTheLaunchKnowsTheJob(t *testing.T) {
	nodes := gang.Nodes
	w := newWorld(t).withSlurm(nodes)
	q := gang
	q.ResumeFile = nil
	for times := 1; times <= 2; times++ {
		w.again(7, nodes, times-1)
		w.resume(q)
		w.giveUp(7, nodes, 0)
	}
	if got := w.comesBack(7); got != "4m0s" {
		t.Errorf("it comes back after %s", got)
	}
}

func TestASlurmctldThatDoesNotAnswerIsAskedForOneJob(t *testing.T) {
	nodes := []string{"aws-hpc-001", "aws-hpc-002"}
	w := newWorld(t).withSlurm(nodes, configuring(7, nodes[:1]), configuring(8, nodes[1:]))
	w.resume(executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(`{"jobs":[{"job_id":7,"nodes":"aws-hpc-001"},{"job_id":8,"nodes":"aws-hpc-002"}],"all_nodes":"aws-hpc-[001-002]"}`)})
	w.slurm.SetOutage(slurmmodel.Dead)
	before := w.slurm.Counts()["show job"]
	r, lines := w.giveUp(7, nodes, 0)
	if n := w.slurm.Counts()["show job"] - before; n != 1 || r.ExitCode != report.ExitFailed || !strings.HasPrefix(lines[len(lines)-1], "ERROR: jobs come back as Slurm has it: slurmctld not reachable") {
		t.Errorf("%d questions, exit %d: %v", n, r.ExitCode, lines)
	}
}

func TestASuspendLeavesTheReasonOfNodesThatWereGivenBack(t *testing.T) {
	nodes := gang.Nodes
	w := newWorld(t).withSlurm(nodes, configuring(7, nodes)).withFaults("- {error: InsufficientInstanceCapacity}")
	q := gang
	q.ResumeFile = []byte(resumeFile("7", nodes))
	w.resume(q)
	w.suspend(nodes...)
	if reason := w.slurm.Node(nodes[3]).Reason; !strings.HasPrefix(reason, "(Code:InsufficientInstanceCapacity)") {
		t.Errorf("reason %q", reason)
	}
}

// Subnets and images can be replaced while their look-up is remembered.
func TestAStaleLookupIsLookedUpAgain(t *testing.T) {
	old := newWorld(t)
	old.resume(gang)
	w := newWorld(t)
	w.disk = old.disk // the memory of an EC2 that had other ids
	w.renumber()
	r, lines := w.resume(gang)
	if r.ExitCode != 0 || r.APICalls["DescribeSubnets"] != 1 {
		t.Errorf("exit %d, calls %v: %v", r.ExitCode, r.APICalls, lines)
	}
	w.check(gang.Nodes...)
}

func TestASuccessLeavesATraceInTheLog(t *testing.T) {
	w := newWorld(t)
	w.resume(gang)
	for _, l := range w.engine.Logged() {
		if l.Level == env.Note && strings.HasPrefix(l.Text, "resume: launched aws-hpc-[001-008]; exit 0 after ") {
			return
		}
	}
	t.Error("nothing in the log says what the call did")
}

// Giving back the nodes of an interactive job ends it: the ladder is climbed
// again and again, until the deadline.
func TestForAnInteractiveJobTheLadderIsClimbedUntilTheDeadline(t *testing.T) {
	nodes := gang.Nodes
	job := configuring(7, nodes)
	job.Batch = false
	w := newWorld(t).withSlurm(nodes, job).withFaults("- {error: InsufficientInstanceCapacity, times: 20}")
	q := gang
	q.ResumeFile = []byte(resumeFile("7", nodes))
	r, lines := w.resume(q)
	if r.ExitCode != 0 {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check(nodes...)

	w = newWorld(t).withSlurm(nodes, job).withFaults("- {error: InsufficientInstanceCapacity}")
	began := w.engine.Now()
	if r, _ := w.resume(q); r.ExitCode != report.ExitCapacity {
		t.Errorf("exit %d", r.ExitCode)
	}
	if took := w.engine.Now().Sub(began); took < 200*time.Second || took > 260*time.Second {
		t.Errorf("it gave up after %v, the deadline is 240 s", took)
	}
}

// manyJobs is a call for so many jobs of one node each, the last of them
// interactive.
func manyJobs(t *testing.T, n int) (*world, executor.ResumeRequest) {
	t.Helper()
	var jobs []slurmmodel.Job
	var waiting []wanting
	nodes := names("aws-cpu", 1, n)
	for i := range nodes {
		jobs = append(jobs, configuring(100+i, nodes[i:i+1]))
		waiting = append(waiting, wanting{100 + i, nodes[i : i+1]})
	}
	jobs[n-1].Batch = false
	return newWorld(t).withSlurm(nodes, jobs...), resumeOf(false, waiting...)
}

// Which of a call's jobs die with their nodes, and whether all have gone, is
// asked once a climb, however many they are.
func TestManyJobsAreAskedForAtOnce(t *testing.T) {
	w, q := manyJobs(t, 40)
	w.withFaults("- {error: InsufficientInstanceCapacity, times: 20}")
	r, lines := w.resume(q)
	if r.ExitCode != 0 {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check(q.Nodes...)
	if asked := r.ScontrolCalls["show job"]; asked > r.APICalls["RunInstances"]+5 {
		t.Errorf("%d times show job for %d launches", asked, r.APICalls["RunInstances"])
	}

	w, q = manyJobs(t, 40)
	w.withFaults("- {az: us-east-1a, error: InsufficientInstanceCapacity, delay: 6s}")
	w.engine.Spawn("scancel", func(ctx context.Context, e env.Env) {
		_ = e.Sleep(ctx, 3*time.Second)
		for i := range q.Nodes {
			gone := w.slurm.Job(100 + i)
			gone.State = "CANCELLED"
			w.slurm.SetJob(gone)
		}
	})
	told := len(q.Nodes) // each is looked at once more before its node goes back
	if r, lines := w.resume(q); !strings.HasPrefix(w.slurm.Node(q.Nodes[0]).Reason, "(Code:JobGone)") || r.ScontrolCalls["show job"] > told+3 {
		t.Errorf("exit %d, %v: %v", r.ExitCode, r.ScontrolCalls, lines)
	}
}

// Of two records of a job one is made up: whether it may be requeued is asked of
// the job alone.
func TestAMadeUpRecordDoesNotMakeAJobInteractive(t *testing.T) {
	w, q := manyJobs(t, 2)
	liar, victim := configuring(100, q.Nodes[:1]), configuring(101, q.Nodes[1:])
	liar.Name = "x\nJobId=101 JobName=y UserId=eve(1001) JobState=CONFIGURING Requeue=1 BatchFlag=0 NodeList=aws-cpu-002 Command=z\n"
	w.slurm.SetJob(victim)
	w.slurm.SetJob(liar)
	w.withFaults("- {error: InsufficientInstanceCapacity}")
	began := w.engine.Now()
	r, lines := w.resume(q)
	if took := w.engine.Now().Sub(began); r.ExitCode != report.ExitCapacity || took > time.Minute {
		t.Errorf("exit %d after %v: %v", r.ExitCode, took, lines)
	}
}

// A slurmctld that hangs at the end does not carry the climb past its deadline.
func TestTheLastQuestionEndsWithTheDeadline(t *testing.T) {
	w, q := manyJobs(t, 2)
	w.withFaults("- {error: InsufficientInstanceCapacity, delay: 29s}") // eight rungs
	began := w.engine.Now()
	w.engine.Spawn("hang", func(ctx context.Context, e env.Env) {
		_ = e.Sleep(ctx, 225*time.Second)
		w.slurm.SetOutage(slurmmodel.Hung)
	})
	w.resume(q)
	late := slices.IndexFunc(w.slurm.Calls(), func(c slurmmodel.Call) bool { return c.At.Sub(began) > 225*time.Second })
	if late < 0 || len(w.slurm.Calls()) < late+2 {
		t.Fatalf("%d calls of scontrol, none at the deadline", len(w.slurm.Calls()))
	}
	if at := w.slurm.Calls()[late+1].At.Sub(began); at > 240*time.Second+time.Second {
		t.Errorf("after %v it was still asking, the deadline is 240 s: %v", at, w.slurm.Calls()[late])
	}
}

// A slurmctld that hangs is told of its jobs until the deadline, and then of none
// any more, however many there are.
func TestASlurmctldThatHangsIsGivenUp(t *testing.T) {
	w, q := manyJobs(t, 60)
	w.slurm.SetJob(configuring(159, q.Nodes[59:]))
	w.withFaults("- {error: InsufficientInstanceCapacity}")
	w.engine.Spawn("hang", func(ctx context.Context, e env.Env) {
		_ = e.Sleep(ctx, time.Second)
		w.slurm.SetOutage(slurmmodel.Hung)
	})
	began := w.engine.Now()
	_, lines := w.resume(q)
	if took := w.engine.Now().Sub(began); took > 260*time.Second {
		t.Errorf("it went on for %v", took)
	}
	for _, want := range []string{" not told why they lose their nodes", "ERROR: slurmctld not reachable, nodes aws-cpu-[001-060] not given back, Slurm takes them down after ResumeTimeout"} {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasSuffix(l, want) }) {
			t.Errorf("missing %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
	// One that comes back in time is told of all of them.
	w, q = manyJobs(t, 20)
	w.slurm.SetJob(configuring(119, q.Nodes[19:]))
	w.withFaults("- {error: UnauthorizedOperation}")
	w.engine.Spawn("restart", func(ctx context.Context, e env.Env) {
		_ = e.Sleep(ctx, 500*time.Millisecond)
		w.slurm.SetOutage(slurmmodel.Dead)
		_ = e.Sleep(ctx, 30*time.Second)
		w.slurm.SetOutage(slurmmodel.Up)
	})
	w.resume(q)
	if j := w.slurm.Job(119); !held(j) {
		t.Errorf("the last job is %s (%s)", j.State, j.Reason)
	}
}

// An array's own id names all of its tasks: only the one on these nodes is held.
func TestOnlyTheRightTaskOfAnArrayIsHeld(t *testing.T) {
	running, mine := names("aws-hpc", 11, 12), gang.Nodes
	w := newWorld(t).withSlurm(append(running, mine...),
		slurmmodel.Job{ID: 3, ArrayID: 2, Task: "1", State: "RUNNING", Batch: true, Requeue: true, Nodes: running},
		slurmmodel.Job{ID: 2, ArrayID: 2, Task: "3", State: "CONFIGURING", Batch: true, Requeue: true, Nodes: mine},
	).withFaults("- {error: UnauthorizedOperation}")
	q := gang
	q.ResumeFile = []byte(resumeFile("2", mine))
	w.resume(q)
	if j := w.slurm.Job(3); j.State != "RUNNING" {
		t.Errorf("the running task is %s (%s)", j.State, j.Reason)
	}
	if j := w.slurm.Job(2); j.State != "PENDING" || !strings.Contains(j.Reason, "held") {
		t.Errorf("the task that cannot start is %s (%s)", j.State, j.Reason)
	}
}

// Advice against bursting: a requeued job is kept off the burst nodes where its
// partition has others, else it is held.
func TestAdviceAgainstBurstingKeepsTheJobAway(t *testing.T) {
	nodes := gang.Nodes
	for _, premises := range []bool{true, false} {
		w := newWorld(t).withSlurm(nodes, slurmmodel.Job{ID: 7, Partition: "aws", State: "CONFIGURING", Batch: true, Requeue: true, Nodes: nodes})
		if premises {
			w.slurm.SetNode(slurmmodel.Node{Name: "rack-1", Addr: "10.0.0.1", Hostname: "rack-1", State: "IDLE", CPUs: 1, RealMemory: 100, Partition: "aws"})
		}
		w.plans["plan.json"] = `{"should_burst": false, "recommendation_reasoning": ["the queue is short"]}`
		q := gang
		q.ResumeFile = []byte(resumeFile("7", nodes))
		r, lines := w.resume(q)
		if r.ExitCode != 0 {
			t.Errorf("exit %d", r.ExitCode)
		}
		wants(t, lines, "INFO: ASBA advises against bursting: the queue is short")
		j := w.slurm.Job(7)
		held, excluded := strings.Contains(strings.ToLower(j.Reason), "held"), len(j.ExcNodes) >= len(nodes)
		if held == premises || excluded != premises {
			t.Errorf("other nodes: %v, held: %v (%s), %d nodes excluded: %v", premises, held, j.Reason, len(j.ExcNodes), lines)
		}
	}
}

// Slurm gives a gang an idle node of another job's: nothing like it may be launched
// for the gang, which would get it again each time.
func TestAGangLetsGoOfLiveMembersThatNothingMatches(t *testing.T) {
	nodes := gang.Nodes
	for name, before := range map[string][][]string{
		"a type that is not the plan's":   {{"c6i.xlarge", "aws-hpc-001"}},
		"types that do not match another": {{"c5n.18xlarge", "aws-hpc-001"}, {"c5n.9xlarge", "aws-hpc-002"}},
	} {
		w := newWorld(t).withSlurm(nodes)
		first := 0
		for _, b := range before {
			w.config = strings.Replace(siteConfig, "[c5n.18xlarge, c5n.9xlarge]", "["+b[0]+"]", 1)
			w.resume(executor.ResumeRequest{Nodes: b[1:]})
			w.slurm.SetNode(slurmmodel.Node{Name: b[1], Addr: "172.31.0.4", Hostname: b[1], State: "ALLOCATED", Flags: []string{"CLOUD"}, CPUs: 1, RealMemory: 100, Partition: "aws"})
			first++
		}
		w.config = siteConfig
		w.slurm.SetJob(configuring(7, nodes))
		q := gang
		q.Nodes = nodes[first:]
		q.ResumeFile = []byte(`{"jobs":[{"job_id":7,"nodes_resume":"` + fold(q.Nodes) + `","nodes_alloc":"` + fold(nodes) + `"}],"all_nodes_resume":"` + fold(q.Nodes) + `"}`)
		r, lines := w.resume(q)
		if r.ExitCode != report.ExitCapacity || w.slurm.Job(7).State != "PENDING" {
			t.Errorf("%s: exit %d, job %s: %v", name, r.ExitCode, w.slurm.Job(7).State, lines)
		}
		for i, n := range nodes {
			node := w.slurm.Node(n)
			if !node.Has("POWER_DOWN") || !strings.HasPrefix(node.Reason, "(Code:InsufficientInstanceCapacity)") && !strings.HasPrefix(node.Reason, "(Code:capacity)") {
				t.Errorf("%s: %d %+v %v", name, i, node, lines)
			}
		}
	}
}

// To end what EC2 does not show yet may take a minute, in which Slurm powers the
// node up again: its address is reset before, not over the next instance's.
func TestSlurmHearsOfASuspendBeforeItWaitsForEC2(t *testing.T) {
	n := "aws-hpc-001"
	w := newLaggingWorld(t, 20*time.Second).withSlurm([]string{n})
	if r, lines := w.resume(executor.ResumeRequest{Nodes: []string{n}}); r.ExitCode != 0 || w.slurm.Node(n).Addr == n {
		t.Fatalf("exit %d, address %s: %v", r.ExitCode, w.slurm.Node(n).Addr, lines)
	}
	began, reset := w.engine.Now(), ""
	w.engine.Spawn("slurmctld", func(ctx context.Context, e env.Env) {
		_ = e.Sleep(ctx, 5*time.Second)
		reset = w.slurm.Node(n).Addr
		next := w.slurm.Node(n)
		next.Addr = "172.31.0.4"
		w.slurm.SetNode(next)
	})
	if r, lines := w.suspend(n); r.ExitCode != 0 || w.engine.Now().Sub(began) < 15*time.Second {
		t.Errorf("exit %d after %v: %v", r.ExitCode, w.engine.Now().Sub(began), lines)
	}
	if reset != n || w.slurm.Node(n).Addr != "172.31.0.4" {
		t.Errorf("the address was %s after 5 s, and is %s", reset, w.slurm.Node(n).Addr)
	}
	w.check()
}
