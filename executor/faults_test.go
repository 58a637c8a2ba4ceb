package executor_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/simulator"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

func TestTheLadderUnderFaults(t *testing.T) {
	for _, c := range []struct {
		name, rules string
		exit        int
		live        int
		az, market  string
		lines       []string
		atMost      map[string]int
	}{
		{name: "shortage in the first zone", rules: "- {az: us-east-1a, error: InsufficientInstanceCapacity}", live: 8, az: "us-east-1b", market: "spot",
			lines: []string{"WARN: c5n.18xlarge spot us-east-1a: InsufficientInstanceCapacity, trying c5n.18xlarge spot us-east-1b"}},
		{name: "no spot anywhere", rules: "- {market: spot, error: InsufficientInstanceCapacity}", live: 8, az: "us-east-1a", market: "on-demand"},
		{name: "spot quota", rules: "- {market: spot, error: MaxSpotInstanceCountExceeded}", live: 8, market: "on-demand",
			lines: []string{"WARN: c5n.18xlarge spot us-east-1a: MaxSpotInstanceCountExceeded, trying c5n.18xlarge on-demand us-east-1a"}, atMost: map[string]int{"RunInstances": 2}},
		{name: "shortage everywhere", rules: "- {error: InsufficientInstanceCapacity}", exit: 5,
			lines: []string{"ERROR: No capacity for 8 nodes: InsufficientInstanceCapacity (8)"}},
		{name: "quota everywhere", rules: "- {error: VcpuLimitExceeded}", exit: 6},
		{name: "throttled twice", rules: "- {throttle: true, times: 2}", live: 8, az: "us-east-1a"},
		{name: "throttled for ever", rules: "- {throttle: true}", exit: 6, lines: []string{"ERROR: EC2 throttled for 240 s"}},
		{name: "answer lost", rules: "- {lost-answer: true, times: 1}", live: 8, atMost: map[string]int{"RunInstances": 1}},
		{name: "answers lost for ever", rules: "- {lost-answer: true}", live: 8},
		{name: "server error, not applied", rules: "- {status: 500, times: 2}", live: 8, az: "us-east-1a", atMost: map[string]int{"RunInstances": 3}},
		{name: "server errors in one zone", rules: "- {az: us-east-1a, status: 503}", live: 8, az: "us-east-1b"},
		{name: "not permitted", rules: "- {error: UnauthorizedOperation}", exit: 7, atMost: map[string]int{"RunInstances": 1}},
		{name: "refused configuration", rules: "- {error: InvalidAMIID.NotFound}", exit: 9, atMost: map[string]int{"RunInstances": 1}},
		{name: "price too low", rules: "- {market: spot, error: SpotMaxPriceTooLow}", live: 8, market: "on-demand"},
		{name: "describe fails at first", rules: "- {action: DescribeInstances, status: 500, times: 2}", live: 8},
		{name: "describe never answers", rules: "- {action: DescribeInstances, status: 500}", exit: 1},
		{name: "answer lost, then blind", rules: "- {lost-answer: true, times: 1}\n- {action: DescribeInstances, after: 1, status: 500, times: 3}", live: 8},
		{name: "the group's answer is lost", rules: "- {action: CreatePlacementGroup, lost-answer: true, times: 1}", live: 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t).withFaults(c.rules)
			r, lines := w.resume(gang)
			if r.ExitCode != c.exit {
				t.Errorf("exit %d, want %d:\n  %s", r.ExitCode, c.exit, strings.Join(lines, "\n  "))
			}
			wants(t, lines, c.lines...)
			w.check(gang.Nodes[:c.live]...)
			for _, n := range r.Nodes {
				if c.live > 0 && (c.az != "" && n.AZ != c.az || c.market != "" && string(n.Market) != c.market) {
					t.Errorf("%s is %s in %s", n.Name, n.Market, n.AZ)
				}
			}
			for op, most := range c.atMost {
				if r.APICalls[op] > most {
					t.Errorf("%d calls of %s, want %d at most", r.APICalls[op], op, most)
				}
			}
			w.suspend(gang.Nodes...)
			w.pass(15 * time.Minute)
			w.reconcile()
			w.check()
			if groups, _ := w.ec2.DescribePlacementGroups(everything, nil); len(groups) != 0 {
				t.Errorf("I10: %d placement groups left", len(groups))
			}
		})
	}
}

func TestBestEffortTakesWhatThereIs(t *testing.T) {
	w := newWorld(t).withFaults("- {capacity: 3}")
	r, lines := w.resume(executor.ResumeRequest{Nodes: names("aws-cpu", 1, 4)})
	if r.ExitCode != report.ExitPartly {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	wants(t, lines, "WARN: 3 of 4 nodes launched")
	w.check(names("aws-cpu", 1, 3)...)
	if got := r.Nodes[3].State; got != report.NodeFailed {
		t.Errorf("the fourth node is %s", got)
	}
}

// I9: a process that dies at any point, followed by any later call, leaves
// nothing doubled, nothing unclaimed and no half gang.
func TestACrashAtAnyPointHeals(t *testing.T) {
	total := 0
	counting := newWorld(t)
	counting.onCall = func(p *simulator.Process, _ string) {
		if p.Name() == "resume" {
			total++
		}
	}
	counting.resume(gang)
	if total < 20 {
		t.Fatalf("only %d points to crash at: the test sees too little", total)
	}
	for point := 1; point <= total; point++ {
		for _, then := range []string{"resume", "suspend", "reconcile"} {
			w := newWorld(t)
			n := 0
			w.onCall = func(p *simulator.Process, _ string) {
				if p.Name() == "doomed" {
					if n++; n == point {
						w.engine.Crash(p)
					}
				}
			}
			w.engine.Spawn("doomed", func(ctx context.Context, e env.Env) {
				q := gang
				q.Getenv = func(string) string { return "" }
				w.executor(e).Resume(ctx, q)
			})
			if err := w.engine.Run(); err != nil {
				t.Fatal(err)
			}
			switch then {
			case "resume":
				r, lines := w.resume(gang)
				if r.ExitCode != 0 {
					t.Fatalf("crash at %d of %d, then resume: exit %d: %v", point, total, r.ExitCode, lines)
				}
				w.check(gang.Nodes...)
			case "reconcile":
				// Slurm suspends nodes that never came up; reconcile runs later.
				w.pass(15 * time.Minute)
				w.reconcile()
				if live := len(w.live()); live != 0 && live != 8 {
					t.Errorf("crash at %d of %d, then reconcile: %d of 8 live, half a gang", point, total, live)
				}
			}
			w.suspend(gang.Nodes...)
			w.pass(15 * time.Minute)
			w.reconcile()
			w.check()
			if groups, _ := w.ec2.DescribePlacementGroups(everything, nil); len(groups) != 0 {
				t.Errorf("crash at %d of %d, then %s: %d placement groups left", point, total, then, len(groups))
			}
			if t.Failed() {
				t.Fatalf("crash at %d of %d, then %s", point, total, then)
			}
		}
	}
}

func TestTwoResumesOfTheSameNodesLaunchOnce(t *testing.T) {
	w := newWorld(t)
	q := gang
	q.Getenv = func(string) string { return "" }
	var reports [2]*report.Report
	for i := range reports {
		w.engine.Spawn("resume", func(ctx context.Context, e env.Env) { reports[i] = w.executor(e).Resume(ctx, q) })
	}
	if err := w.engine.Run(); err != nil {
		t.Fatal(err)
	}
	w.check(gang.Nodes...)
	for i, r := range reports {
		if r.ExitCode != 0 {
			t.Errorf("resume %d: exit %d", i, r.ExitCode)
		}
	}
	if n := reports[0].APICalls["RunInstances"] + reports[1].APICalls["RunInstances"]; n != 1 {
		t.Errorf("%d launches", n)
	}
}

// A suspend that comes at any instant of a resume leaves nothing alive, and a
// resume that waits for the nodes is not harmed by it.
func TestASuspendDuringAResumeWins(t *testing.T) {
	for ms := 0; ms <= 1200; ms += 50 {
		w := newWorld(t).withFaults("- {az: us-east-1a, market: spot, error: InsufficientInstanceCapacity}")
		q := gang
		q.Getenv = func(string) string { return "" }
		w.engine.Spawn("resume", func(ctx context.Context, e env.Env) { w.executor(e).Resume(ctx, q) })
		w.engine.Spawn("suspend", func(ctx context.Context, e env.Env) {
			_ = e.Sleep(ctx, time.Duration(ms)*time.Millisecond)
			w.executor(e).Suspend(ctx, gang.Nodes)
		})
		if err := w.engine.Run(); err != nil {
			t.Fatal(err)
		}
		if ms > 0 { // at 0 the suspend is over before the resume begins
			w.check()
		}
		if t.Failed() {
			t.Fatalf("suspend after %d ms", ms)
		}
	}
}

func TestALateComerThatNeverGetsTheNodesSaysSo(t *testing.T) {
	w := newWorld(t)
	w.engine.Spawn("holder", func(ctx context.Context, e env.Env) {
		unlock, err := e.Lock(ctx, "node-aws-hpc-003")
		if err != nil {
			panic(err)
		}
		defer unlock()
		_ = e.Sleep(ctx, time.Hour)
	})
	r, lines := w.resume(gang)
	if r.ExitCode != report.ExitLocked || r.APICalls["RunInstances"] != 0 {
		t.Errorf("exit %d, calls %v, lines %v", r.ExitCode, r.APICalls, lines)
	}
	w.check()
}

func TestLostAddressesArePushedLater(t *testing.T) {
	nodes := gang.Nodes
	w := newWorld(t).withSlurm(nodes, slurmmodel.Job{ID: 7, State: "CONFIGURING", Batch: true, Requeue: true, Nodes: nodes})
	w.slurm.SetOutage(slurmmodel.Dead)
	q := gang
	q.ResumeFile = []byte(resumeFile("7", nodes))
	r, lines := w.resume(q)
	if r.ExitCode != report.ExitFailed {
		t.Errorf("exit %d", r.ExitCode)
	}
	wants(t, lines, "ERROR: slurmctld not reachable, addresses pending for 8 nodes")
	w.check(nodes...)
	w.slurm.SetOutage(slurmmodel.Up)
	w.reconcile()
	for _, n := range nodes {
		if node := w.slurm.Node(n); node.Addr == n {
			t.Errorf("%s still has its placeholder address", n)
		}
	}
	if left := w.disk.Names("pushes"); len(left) != 0 {
		t.Errorf("still owed: %v", left)
	}
}

func TestAFailedGangGivesItsNodesBackWithTheReason(t *testing.T) {
	nodes := gang.Nodes
	for _, c := range []struct {
		name, rules, state, reason string
		held                       bool
	}{
		{"shortage: the job may come back", "- {error: InsufficientInstanceCapacity}", "PENDING", "(Code:InsufficientInstanceCapacity)", false},
		{"no permission: the job is held", "- {error: UnauthorizedOperation}", "PENDING", "(Code:UnauthorizedOperation)", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t).withSlurm(nodes, slurmmodel.Job{ID: 7, State: "CONFIGURING", Batch: true, Requeue: true, Nodes: nodes}).withFaults(c.rules)
			q := gang
			q.ResumeFile = []byte(resumeFile("7", nodes))
			r, _ := w.resume(q)
			w.check()
			for _, n := range r.Nodes {
				if n.State != report.NodeGivenBack || n.Error == "" {
					t.Errorf("%s is %s: %q", n.Name, n.State, n.Error)
				}
			}
			node := w.slurm.Node(nodes[0])
			if !strings.HasPrefix(node.Reason, c.reason) {
				t.Errorf("node's reason is %q", node.Reason)
			}
			job := w.slurm.Job(7)
			if job.State != c.state || strings.Contains(strings.ToLower(job.Reason), "held") != c.held {
				t.Errorf("job is %s (%s)", job.State, job.Reason)
			}
			if job.AdminComment == "" {
				t.Error("the job was not told why")
			}
		})
	}
}

// again has slurmctld start a job on nodes once more, requeued so often.
func (w *world) again(id int, nodes []string, restarts int) {
	for _, n := range nodes {
		w.slurm.SetNode(slurmmodel.Node{Name: n, Addr: n, Hostname: n, State: "ALLOCATED", Flags: []string{"CLOUD", "POWERING_UP"}, CPUs: 1, RealMemory: 100, Partition: "aws"})
	}
	j := w.slurm.Job(id)
	w.slurm.SetJob(slurmmodel.Job{ID: id, State: "CONFIGURING", Batch: true, Requeue: true, Nodes: nodes, Restarts: restarts, AdminComment: j.AdminComment})
}

// comesBack is how long a pending job is kept beyond what Slurm does, or "held".
func (w *world) comesBack(id int) string {
	job := w.slurm.Job(id)
	switch {
	case job.State != "PENDING":
		return job.State
	case strings.Contains(strings.ToLower(job.Reason), "held"):
		return "held"
	case job.StartTime.IsZero():
		return "0s"
	}
	return job.StartTime.Sub(w.engine.Now()).Round(time.Minute).String()
}

// backLater is how a job comes back that loses its nodes time after time: as Slurm
// has it, then later and later, and after twenty times not by itself.
func backLater(times int) string {
	switch {
	case times == 1:
		return "0s"
	case times > 20:
		return "held"
	}
	return min(time.Hour, 4*time.Minute<<(times-2)).String()
}

func TestAShortageBringsTheJobBackLaterAndLater(t *testing.T) {
	nodes := gang.Nodes
	w := newWorld(t).withSlurm(nodes).withFaults("- {error: InsufficientInstanceCapacity}")
	q := gang
	q.ResumeFile = []byte(resumeFile("7", nodes))
	for times := 1; times <= 21; times++ {
		w.again(7, nodes, times-1)
		w.resume(q)
		if got := w.comesBack(7); got != backLater(times) {
			t.Errorf("after %d shortages: %s, want %s", times, got, backLater(times))
		}
	}
	if c := w.slurm.Job(7).AdminComment; !strings.HasSuffix(c, "; held: it lost its nodes 21 times in a row before it could run") {
		t.Errorf("the job says %q", c)
	}
}

func TestAFullDiskLaunchesNothing(t *testing.T) {
	w := newWorld(t)
	w.disk.Full = true
	r, lines := w.resume(gang)
	if r.ExitCode != report.ExitConfig {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check()
}

func TestADryRunAsksNobodyAndAServersLaunchesNothing(t *testing.T) {
	w := newWorld(t)
	q := gang
	q.DryRun = executor.DryRunClient
	r, _ := w.resume(q)
	if r.ExitCode != 0 || len(r.APICalls) != 0 || len(r.Rungs) == 0 || r.Rungs[0].Outcome != "planned" {
		t.Errorf("exit %d, calls %v, rungs %v", r.ExitCode, r.APICalls, r.Rungs)
	}
	q.DryRun = executor.DryRunServer
	r, _ = w.resume(q)
	if r.ExitCode != 0 || r.Rungs[0].Outcome != "allowed" {
		t.Errorf("exit %d, rungs %v", r.ExitCode, r.Rungs)
	}
	w.check()
}
