package executor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/simulator"
)

// liar is an EC2 whose answers cannot be believed.
type liar struct {
	cloud.Cloud
	launched  func([]cloud.Instance) []cloud.Instance
	terminate func(ids []string) error // nil: the truth
}

func (l *liar) Launch(ctx context.Context, q cloud.LaunchRequest) ([]cloud.Instance, error) {
	got, err := l.Cloud.Launch(ctx, q)
	if err == nil && l.launched != nil {
		got = l.launched(got)
	}
	return got, err
}

func (l *liar) Terminate(ctx context.Context, ids []string) error {
	if l.terminate != nil {
		if err := l.terminate(ids); err != nil {
			return err
		}
	}
	return l.Cloud.Terminate(ctx, ids)
}

// An answer that cannot be true is looked into, never taken for a shortage.
func TestAnswersThatCannotBeTrueDoubleNothing(t *testing.T) {
	for name, lie := range map[string]func([]cloud.Instance) []cloud.Instance{
		"none listed":       func([]cloud.Instance) []cloud.Instance { return nil },
		"some listed":       func(is []cloud.Instance) []cloud.Instance { return is[:6] },
		"one listed twice":  func(is []cloud.Instance) []cloud.Instance { is[7] = is[0]; return is },
		"nine listed":       func(is []cloud.Instance) []cloud.Instance { return append(is, is[3]) },
		"one without an id": func(is []cloud.Instance) []cloud.Instance { is[2].ID = ""; return is },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.cloud = func(c cloud.Cloud) cloud.Cloud { return &liar{Cloud: c, launched: lie} }
			r, lines := w.resume(gang)
			if r.ExitCode != 0 || w.most != 8 {
				t.Errorf("exit %d, %d at once: %v", r.ExitCode, w.most, lines)
			}
			w.check(gang.Nodes...)
		})
	}
}

// A gang of which one instance dies at once is ended whole, rung after rung.
func TestAGangWithADeadMemberIsEnded(t *testing.T) {
	w := newWorld(t)
	w.cloud = func(c cloud.Cloud) cloud.Cloud {
		return &liar{Cloud: c, launched: func(is []cloud.Instance) []cloud.Instance {
			is[2].State, is[2].StateReason = cloud.Terminated, "Client.InternalError"
			return is
		}}
	}
	r, lines := w.resume(gang)
	if r.ExitCode != report.ExitCapacity || w.most != 8 || len(w.alive) != 0 {
		t.Errorf("exit %d, %d at once, %d left: %v", r.ExitCode, w.most, len(w.alive), lines)
	}
	if !strings.HasSuffix(lines[0], " died: Client.InternalError") {
		t.Errorf("lines: %v", lines)
	}
}

// Whatever it is that follows an answer that was lost, the instances are looked for
// until EC2 would show them: another rung beside them would double the nodes.
func TestALaunchThatEC2ShowsLateIsWaitedFor(t *testing.T) {
	for _, then := range []string{"{lost-answer: true, times: 3}", "{error: InsufficientInstanceCapacity, times: 1}"} {
		w := newLaggingWorld(t, 9*time.Second).withFaults("- {lost-answer: true, times: 1}\n- " + then)
		w.plans["plan.json"] = strings.Replace(gangPlan, `"placement_group_type": "cluster", `, "", 1) // groups lag too
		r, lines := w.resume(gang)
		if r.ExitCode != 0 || w.most != 8 || len(w.alive) != 8 {
			t.Errorf("%s: exit %d, %d at once, %d left: %v", then, r.ExitCode, w.most, len(w.alive), lines)
		}
		w.pass(time.Minute)
		w.check(gang.Nodes...)
	}
}

// What a refused launch had made all the same is found before the climb ends.
func TestTheLastLookFindsWhatALostAnswerLaunched(t *testing.T) {
	w := newLaggingWorld(t, 18*time.Second).withFaults("- {lost-answer: true, times: 1}\n- {error: InsufficientInstanceCapacity, times: 1}\n- {delay: 10s}")
	w.plans["plan.json"] = strings.Replace(gangPlan, `"placement_group_type": "cluster", `, "", 1) // groups lag too
	r, lines := w.resume(gang)
	if r.ExitCode != 0 || w.most != 16 || len(w.alive) != 8 {
		t.Errorf("exit %d, %d at once, %d left: %v", r.ExitCode, w.most, len(w.alive), lines)
	}
	wants(t, lines, "WARN: 8 instances of a launch that was not answered have come up, ending them")
	w.pass(time.Minute)
	w.check(gang.Nodes...)
}

func TestAnOldIntentHarmsNothingThatRuns(t *testing.T) {
	w := newWorld(t).withFaults("- {status: 502, times: 4}") // the first rung is never answered
	if r, lines := w.resume(gang); r.ExitCode != 0 {
		t.Fatalf("exit %d: %v", r.ExitCode, lines)
	}
	before := w.live()
	r, _ := w.resume(gang)
	if r.ExitCode != 0 || r.APICalls["RunInstances"] != 0 || w.most != 8 {
		t.Errorf("exit %d, calls %v, %d at once", r.ExitCode, r.APICalls, w.most)
	}
	for n, is := range w.live() {
		if is[0].ID != before[n][0].ID {
			t.Errorf("%s lost its instance", n)
		}
	}
}

func TestAfterAnOutageOneLaunchIsMade(t *testing.T) {
	w := newWorld(t).withFaults("- {status: 502}")
	w.resume(gang)
	w.faults = nil
	r, lines := w.resume(gang)
	if r.ExitCode != 0 || r.APICalls["RunInstances"] != 1 || w.most != 8 {
		t.Errorf("exit %d, calls %v, %d at once: %v", r.ExitCode, r.APICalls, w.most, lines)
	}
	w.check(gang.Nodes...)
}

// crashAt runs a resume that dies when it is about to write what a launch gave
// (the call was applied), or about to launch (it was not).
func (w *world) crashAt(point string) {
	w.t.Helper()
	n := 0
	w.onCall = func(p *simulator.Process, call string) {
		if p.Name() != "doomed" || call != "Write" && call != "Sleep" {
			return
		}
		intents := len(w.disk.Names("launches"))
		if intents > 0 {
			n++
		}
		if point == "before" && intents > 0 && call == "Sleep" && n >= 1 || point == "after" && intents > 0 && len(w.alive) > 0 && call == "Write" {
			w.engine.Crash(p)
		}
	}
	w.engine.Spawn("doomed", func(ctx context.Context, e env.Env) {
		q := gang
		q.Getenv = func(string) string { return "" }
		w.executor(e).Resume(ctx, q)
	})
	if err := w.engine.Run(); err != nil {
		w.t.Fatal(err)
	}
	w.onCall = nil
}

func TestAnUnfinishedLaunchIsNotRepeatedAgainstANewPlan(t *testing.T) {
	w := newWorld(t)
	w.crashAt("before")
	if len(w.alive) != 0 || len(w.disk.Names("launches")) != 1 {
		t.Fatalf("%d alive, %v on record: the crash fell elsewhere", len(w.alive), w.disk.Names("launches"))
	}
	w.plans["plan.json"] = strings.Replace(gangPlan, `"max_cost_per_hour": 40`, `"max_cost_per_hour": 0.01`, 1)
	r, lines := w.resume(gang)
	if r.ExitCode != report.ExitCapacity || w.most != 0 {
		t.Errorf("exit %d, %d launched: %v", r.ExitCode, w.most, lines)
	}
}

// EC2 shows an instance only after a while: what a dead process launched is
// found by repeating its very call, and nothing is doubled.
func TestACrashUnderLagDoublesNothing(t *testing.T) {
	for _, lag := range []time.Duration{2 * time.Second, 20 * time.Second} {
		w := newLaggingWorld(t, lag)
		w.crashAt("after")
		if len(w.alive) != 8 {
			t.Fatalf("%d alive: the crash fell elsewhere", len(w.alive))
		}
		r, lines := w.resume(gang)
		if r.ExitCode != 0 || w.most != 8 {
			t.Errorf("lag %v: exit %d, %d at once: %v", lag, r.ExitCode, w.most, lines)
		}
		w.pass(time.Minute)
		w.check(gang.Nodes...)
		w.suspend(gang.Nodes...)
		w.check()
	}
}

// EC2 shows one instance of a launch that nobody answered, and the others later: one
// proves that all were made. Another rung would double their nodes.
func TestAPartOfALaunchProvesTheWhole(t *testing.T) {
	w := newWorld(t).withFaults("- {lost-answer: true, times: 4}")
	w.cloud = func(c cloud.Cloud) cloud.Cloud {
		return &hider{Cloud: c, hides: func(i cloud.Instance) bool {
			return i.LaunchIndex > 0 && w.engine.Now().Sub(identity.LaunchedAt(&i)) < 40*time.Second
		}}
	}
	r, lines := w.resume(gang)
	if r.ExitCode != 0 || w.most != 8 || len(w.alive) != 8 {
		t.Errorf("exit %d, %d at once, %d left: %v", r.ExitCode, w.most, len(w.alive), lines)
	}
	w.pass(time.Minute)
	w.check(gang.Nodes...)
}

// Nodes that need not be whole have as many instances as the pool has; those that EC2
// shows late are among them.
func TestTheLateOnesOfAPartialLaunchAreNotDoubled(t *testing.T) {
	nodes := names("aws-cpu", 1, 4)
	w := newWorld(t).withFaults("- {times: 1, error: InsufficientInstanceCapacity}\n- {times: 1, lost-answer: true}")
	w.cloud = func(c cloud.Cloud) cloud.Cloud {
		return &hider{Cloud: c, hides: func(i cloud.Instance) bool {
			return i.LaunchIndex > 0 && w.engine.Now().Sub(identity.LaunchedAt(&i)) < 20*time.Second
		}}
	}
	r, lines := w.resume(executor.ResumeRequest{Nodes: nodes})
	if r.ExitCode != 0 || w.most != 4 {
		t.Errorf("exit %d, %d at once: %v", r.ExitCode, w.most, lines)
	}
	w.pass(time.Minute)
	w.check(nodes...)
}

// hider is an EC2 that does not show some of what it has.
type hider struct {
	cloud.Cloud
	hides func(cloud.Instance) bool
}

func (h *hider) Describe(ctx context.Context, q cloud.InstanceQuery) (cloud.InstancePage, error) {
	p, err := h.Cloud.Describe(ctx, q)
	p.Instances = slices.DeleteFunc(p.Instances, h.hides)
	return p, err
}

// A dead program has launched for nodes that are asked for otherwise now: some of
// them, or after a suspend that saw nothing. Its launch cannot be repeated, and is
// waited for.
func TestALaunchThatCannotBeRepeatedIsWaitedFor(t *testing.T) {
	some := gang
	some.Nodes = gang.Nodes[:6]
	for name, c := range map[string]struct {
		suspended bool
		asked     executor.ResumeRequest
	}{
		"some of its nodes": {false, some},
		"after a suspend":   {true, gang},
	} {
		w := newLaggingWorld(t, 20*time.Second)
		w.crashAt("after")
		if len(w.alive) != 8 {
			t.Fatalf("%d alive: the crash fell elsewhere", len(w.alive))
		}
		if c.suspended {
			w.suspend(gang.Nodes...)
		}
		r, lines := w.resume(c.asked)
		if r.ExitCode != 0 || w.most != 8 || r.APICalls["RunInstances"] != 0 && !c.suspended {
			t.Errorf("%s: exit %d, %d at once, calls %v: %v", name, r.ExitCode, w.most, r.APICalls, lines)
		}
		w.pass(time.Minute)
		w.check(gang.Nodes...)
	}
}

// Asked for a minute to end an instance, EC2 does not know it: it has not ended.
// Nothing is launched beside it, by this call, after a suspend or by the next one.
func TestWhatCouldNotBeEndedIsNotTakenForGone(t *testing.T) {
	w := newLaggingWorld(t, 4*time.Minute)
	w.plans["plan.json"] = strings.Replace(gangPlan, `"placement_group_type": "cluster", `, "", 1) // groups lag too
	dies := true
	w.cloud = func(c cloud.Cloud) cloud.Cloud {
		return &liar{Cloud: c, launched: func(is []cloud.Instance) []cloud.Instance {
			if dies {
				is[2].State, is[2].StateReason = cloud.Terminated, "Client.InternalError"
			}
			return is
		}}
	}
	r, lines := w.resume(gang)
	if r.ExitCode != report.ExitFailed || w.most != 8 || len(w.alive) != 8 {
		t.Errorf("exit %d, %d at once, %d left: %v", r.ExitCode, w.most, len(w.alive), lines)
	}
	dies = false
	if r, lines := w.suspend(gang.Nodes...); r.ExitCode == 0 {
		t.Errorf("a suspend that ended nothing says that it did: %v", lines)
	}
	if r, lines := w.resume(gang); r.ExitCode != 0 || w.most != 8 {
		t.Errorf("the next call: exit %d, %d at once: %v", r.ExitCode, w.most, lines)
	}
	w.pass(10 * time.Minute)
	w.reconcile()
	w.check(gang.Nodes...)
}

// A call comes before EC2 shows what the one before it launched: for all of its
// nodes, for one of them, and after a suspend.
func TestWhatIsNotShownYetIsWaitedFor(t *testing.T) {
	for name, w := range map[string]*world{
		"new instances are shown late": newLaggingWorld(t, 5*time.Second),
		"what is shown is old":         newWorld(t).withFaults("- {stale: 5s}"),
	} {
		if r, lines := w.resume(gang); r.ExitCode != 0 {
			t.Fatalf("%s: exit %d: %v", name, r.ExitCode, lines)
		}
		one := gang
		one.Nodes = gang.Nodes[:1]
		for _, q := range []executor.ResumeRequest{one, gang} {
			r, lines := w.resume(q)
			if r.ExitCode != 0 || w.most != 8 || r.APICalls["RunInstances"] != 0 {
				t.Errorf("%s: %d nodes again: exit %d, %d at once, calls %v: %v", name, len(q.Nodes), r.ExitCode, w.most, r.APICalls, lines)
			}
		}
		w.suspend(gang.Nodes...)
		if r, lines := w.resume(gang); r.ExitCode != 0 || r.APICalls["RunInstances"] == 0 {
			t.Errorf("%s: after a suspend: exit %d, calls %v: %v", name, r.ExitCode, r.APICalls, lines)
		}
		w.pass(time.Minute)
		w.check(gang.Nodes...)
	}
}

// What was launched a moment ago and has ended meanwhile is not waited for.
func TestWhatIsShownAsEndedIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.resume(gang)
	for _, is := range w.live() {
		if err := w.ec2.Interrupt(is[0].ID, "Server.SpotInstanceTermination", "interrupted"); err != nil {
			t.Fatal(err)
		}
	}
	began := w.engine.Now()
	r, lines := w.resume(gang)
	if took := w.engine.Now().Sub(began); r.ExitCode != 0 || took > 10*time.Second {
		t.Errorf("exit %d after %v: %v", r.ExitCode, took, lines)
	}
	w.check(gang.Nodes...)
}

// What EC2 does not show for minutes is not there.
func TestWhatIsNeverShownIsLaunchedAgain(t *testing.T) {
	w := newLaggingWorld(t, time.Hour)
	w.plans["plan.json"] = strings.Replace(gangPlan, `"placement_group_type": "cluster", `, "", 1) // groups lag too
	w.resume(gang)
	w.pass(program.Young)
	if r, lines := w.resume(gang); r.ExitCode != 0 || r.APICalls["RunInstances"] != 1 {
		t.Errorf("exit %d, calls %v: %v", r.ExitCode, r.APICalls, lines)
	}
}

// Nor are they waited for where another controller, whose clock is ahead, has launched it.
func TestAClockThatIsAheadDoesNotMakeUsWaitForEver(t *testing.T) {
	w := newLaggingWorld(t, time.Hour)
	w.plans["plan.json"] = strings.Replace(gangPlan, `"placement_group_type": "cluster", `, "", 1) // groups lag too
	w.skew = 20 * time.Minute
	w.resume(gang)
	w.skew = 0
	began := w.engine.Now()
	r, lines := w.resume(gang)
	if took := w.engine.Now().Sub(began); r.ExitCode != 0 || r.APICalls["RunInstances"] != 1 || took < time.Minute || took > 90*time.Second {
		t.Errorf("exit %d after %v, calls %v: %v", r.ExitCode, took, r.APICalls, lines)
	}
}

// A launch was applied and its answer lost; EC2 does not show it yet, and then
// refuses for want of capacity. What comes up later is found and ended.
func TestARefusalAfterALostAnswerIsNotBelieved(t *testing.T) {
	for _, code := range []string{"InsufficientInstanceCapacity", "UnauthorizedOperation", "InvalidParameterValue"} {
		w := newLaggingWorld(t, 25*time.Second).withFaults("- {lost-answer: true, times: 1}\n- {error: " + code + ", times: 1}")
		r, lines := w.resume(gang)
		w.pass(time.Minute)
		live := len(w.live())
		if live != 8 && live != 0 || live == 8 != (r.ExitCode == 0) {
			t.Errorf("%s: exit %d, %d live: %v", code, r.ExitCode, live, lines)
		}
		w.resume(gang)
		w.pass(time.Minute)
		w.check(gang.Nodes...)
		w.suspend(gang.Nodes...)
		w.pass(15 * time.Minute)
		w.reconcile()
		w.check()
	}
}

// A call that gave its nodes back leaves nobody waiting: what comes up of its
// doubtful launch later is reconcile's to end.
func TestWhatComesUpAfterItsNodesWereGivenBackIsEnded(t *testing.T) {
	w := newLaggingWorld(t, 25*time.Second).withFaults("- {lost-answer: true, times: 1}\n- {error: UnauthorizedOperation, times: 1}")
	w.plans["plan.json"] = strings.Replace(gangPlan, `"placement_group_type": "cluster", `, "", 1) // groups lag too
	r, lines := w.resume(gang)
	if r.ExitCode != report.ExitPermission || len(w.alive) != 8 {
		t.Fatalf("exit %d, %d alive: %v", r.ExitCode, len(w.alive), lines)
	}
	w.pass(15 * time.Minute)
	w.reconcile()
	w.check()
}

// NotFound is no proof of death while EC2 still shows the instance.
func TestAnInstanceThatEC2ShowsHasNotEnded(t *testing.T) {
	w := newWorld(t)
	w.resume(gang)
	deaf := true
	w.cloud = func(c cloud.Cloud) cloud.Cloud {
		return &liar{Cloud: c, terminate: func([]string) error {
			if deaf {
				return &cloud.Error{Op: "TerminateInstances", Class: cloud.Consistency, Code: "InvalidInstanceID.NotFound", Err: errors.New("does not exist")}
			}
			return nil
		}}
	}
	if r, _ := w.suspend(gang.Nodes...); r.ExitCode == 0 {
		t.Error("a suspend that ended nothing says that it did")
	}
	deaf = false
	if r, _ := w.suspend(gang.Nodes...); r.ExitCode != 0 {
		t.Errorf("exit %d", r.ExitCode)
	}
	w.check()
}

func TestClocksOfTwoControllersMayDiffer(t *testing.T) {
	for _, skew := range []time.Duration{30 * time.Second, -30 * time.Second} {
		w := newWorld(t)
		w.skew = skew
		w.resume(gang)
		w.skew = 0
		if r, _ := w.suspend(gang.Nodes...); r.ExitCode != 0 || len(w.live()) != 0 {
			t.Errorf("launched by a clock %v off: suspend exit %d, %d live", skew, r.ExitCode, len(w.live()))
		}
		w.skew = skew
		w.suspend(gang.Nodes...)
		w.skew = 0
		r, lines := w.resume(gang)
		if r.ExitCode != 0 || len(w.live()) != 8 {
			t.Errorf("suspended by a clock %v off: resume exit %d, %d live: %v", skew, r.ExitCode, len(w.live()), lines)
		}
		if r, _ := w.resume(gang); r.APICalls["RunInstances"] != 0 {
			t.Errorf("suspended by a clock %v off: a second resume launches", skew)
		}
	}
}

func TestHundredsOfJobsFitTheirTag(t *testing.T) {
	w := newWorld(t)
	nodes := names("aws-cpu", 1, 200)
	var jobs []string
	for i, n := range nodes {
		jobs = append(jobs, fmt.Sprintf(`{"job_id": %d, "nodes_resume": %q, "nodes_alloc": %q}`, 1000001+i, n, n))
	}
	r, lines := w.resume(executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(`{"jobs": [` + strings.Join(jobs, ",") + `], "all_nodes_resume": "aws-cpu-[001-200]"}`)})
	if r.ExitCode != 0 {
		t.Fatalf("exit %d: %v", r.ExitCode, lines)
	}
	w.check(nodes...)
	if tag := w.live()[nodes[0]][0].TagValue(identity.Job); len(tag) > 256 || !strings.HasPrefix(tag, "1000001,1000002") {
		t.Errorf("job tag %q", tag)
	}
}

func TestAResumeFileThatIsNotUTF8StopsNothing(t *testing.T) {
	w := newWorld(t)
	r, lines := w.resume(executor.ResumeRequest{Nodes: []string{"aws-cpu-001"},
		ResumeFile: []byte("{\"jobs\": [{\"job_id\": 1, \"extra\": \"caf\xe9\", \"nodes_resume\": \"aws-cpu-001\", \"nodes_alloc\": \"aws-cpu-001\"}], \"all_nodes_resume\": \"aws-cpu-001\"}")})
	if r.ExitCode != 0 {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check("aws-cpu-001")
}

// I3: when a part of a gang is suspended while it is launched, the rest goes.
func TestSuspendingAPartOfAGangLeavesNoHalf(t *testing.T) {
	for ms := 0; ms <= 1400; ms += 50 {
		w := newWorld(t)
		q := gang
		q.Getenv = func(string) string { return "" }
		var r *report.Report
		over := env.Time(0)
		w.engine.Spawn("resume", func(ctx context.Context, e env.Env) { r = w.executor(e).Resume(ctx, q); over = e.Now() })
		began := w.engine.Now()
		w.engine.Spawn("suspend", func(ctx context.Context, e env.Env) {
			_ = e.Sleep(ctx, time.Duration(ms)*time.Millisecond)
			w.executor(e).Suspend(ctx, gang.Nodes[:2])
		})
		if err := w.engine.Run(); err != nil {
			t.Fatal(err)
		}
		live := len(w.live())
		switch at := began.Add(time.Duration(ms) * time.Millisecond); {
		case ms == 0: // before the resume began
		case at < over && live != 0, at > over && live != 6:
			t.Errorf("suspend of two nodes after %d ms (the resume took %v): %d live, exit %d", ms, over.Sub(began), live, r.ExitCode)
		}
	}
}

func TestHalfAGangThatCannotBeCompletedGoes(t *testing.T) {
	w := newWorld(t)
	w.resume(gang)
	w.suspend(gang.Nodes[:4]...)
	w.withFaults("- {error: InsufficientInstanceCapacity}")
	r, _ := w.resume(gang)
	if r.ExitCode != report.ExitCapacity {
		t.Errorf("exit %d", r.ExitCode)
	}
	w.check()
}

func TestAGangIsNeverLaunchedByHalves(t *testing.T) {
	w := newWorld(t).withFaults("- {az: us-east-1a, capacity: 5}")
	r, lines := w.resume(gang)
	if r.ExitCode != 0 || w.most != 8 || r.Nodes[0].AZ != "us-east-1b" {
		t.Errorf("exit %d, %d at once, in %s: %v", r.ExitCode, w.most, r.Nodes[0].AZ, lines)
	}
	if groups, _ := w.ec2.DescribePlacementGroups(everything, nil); len(groups) != 1 {
		t.Errorf("%d placement groups: the first zone's was not removed at once", len(groups))
	}
}

// A job over two node groups is one gang: one part's shortage ends the other.
func TestAGangOverTwoNodeGroupsIsWholeOrGone(t *testing.T) {
	w := newWorld(t).withFaults("- {type: \"c6i.*\", error: InsufficientInstanceCapacity}\n- {type: \"c5.*\", error: InsufficientInstanceCapacity}")
	nodes := append(names("aws-hpc", 1, 2), names("aws-cpu", 1, 2)...)
	r, lines := w.resume(executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(resumeFile("1", nodes))})
	if r.ExitCode != report.ExitCapacity {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	const why = "ERROR: No capacity for 2 nodes: job 1 is nothing without its nodes of node group cpu (InsufficientInstanceCapacity)"
	if !slices.Contains(lines, why) {
		t.Errorf("not said of the nodes that were there: %s\n%s", why, strings.Join(lines, "\n"))
	}
	w.check()
}
