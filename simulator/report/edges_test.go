package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report/sums"
)

func TestAReportOfNothingIsAllZeroes(t *testing.T) {
	r := tell(0)
	r.submit(10, 1, record.Spec{User: "a"})
	r.submit(20, 2, record.Spec{User: "a"})
	r.at(30, record.JobEnded, record.Event{Job: 1, State: "CANCELLED"})
	for name, got := range map[string]*Report{"no job": tell(0).report(0), "no job that ran": r.report(40)} {
		if _, err := json.Marshal(got); err != nil { // which has no word for a number that is none
			t.Errorf("%s: %v", name, err)
		}
		if got.Utilisation != 0 || got.Goodput != 0 || got.Fallback.Mean != 0 || got.CostPerUsefulNodeHour != nil || got.MeanWait != 0 || got.Wait.Count != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	r = tell(4)
	r.submit(10, 1, record.Spec{})
	if got := r.report(100); got.Makespan != 0 || got.Unfinished != 1 {
		t.Errorf("a run in which no job ends takes %v s", got.Makespan)
	}
}

func TestAJobThatNeverBeganHadNoTime(t *testing.T) {
	r := tell(4)
	r.submit(0, 1, record.Spec{Procs: 4, User: "a"})
	r.start(0, 1)
	r.submit(10, 2, record.Spec{Procs: 4, User: "b"})
	r.submit(20, 3, record.Spec{Procs: 4, User: "a"})
	r.at(50, record.JobEnded, record.Event{Job: 2, State: "CANCELLED"})
	r.job(100, record.JobEnded, 1)
	r.start(100, 3)
	r.job(120, record.JobRequeued, 3)
	r.at(200, record.JobEnded, record.Event{Job: 3, State: "CANCELLED"}) // before it began again
	got := r.report(200)
	if got.Jobs != 3 || got.NeverStarted != 2 || got.Wait.Count != 1 {
		t.Errorf("%d jobs, %d never began, %d waits", got.Jobs, got.NeverStarted, got.Wait.Count)
	}
	near(t, "utilisation", got.Utilisation, (100+20)/200.)
	for _, j := range r.ended {
		if want := j.ID == 1; j.Started != want || !want && (j.Start != j.End || j.Working != j.End) {
			t.Errorf("%+v", j)
		}
	}
	if a, b := got.Users[0], got.Users[1]; a.Jobs != 2 || a.ProcHours != sums.Round(400/3600.) || a.MeanBoundedSlowdown != 1 || b.Jobs != 1 || b.ProcHours != 0 {
		t.Errorf("%+v", got.Users)
	}
}

func TestAJobsInstantsAreThoseOfItsLastAttempt(t *testing.T) {
	r := tell(1)
	r.submit(5, 1, record.Spec{Procs: 1, User: "a"})
	r.job(10, record.JobStarted, 1)
	r.job(17, record.JobWorking, 1)
	r.job(60, record.JobEnded, 1)
	r.submit(60, 2, record.Spec{Procs: 1, User: "a"})
	r.job(160, record.JobStarted, 2)
	r.job(180, record.JobEnded, 2) // before all that it needed was there
	got := r.report(200)
	at := func(seconds int) time.Duration { return time.Duration(seconds) * time.Second }
	if j := r.ended[0]; j.Submit != at(5) || j.Start != at(10) || j.Working != at(17) || j.End != at(60) {
		t.Errorf("%+v", j)
	}
	if j := r.ended[1]; j.Start != at(160) || j.Working != at(160) || j.End != at(180) {
		t.Errorf("%+v", j)
	}
	if u := got.Users[0]; u.MeanWait != 52.5 || u.MeanBoundedSlowdown != sums.Round((55/50.+120/20.)/2) || u.ProcHours != sums.Round(70/3600.) {
		t.Errorf("%+v", u)
	}
}

func TestTheMakespanBeginsWithTheFirstJob(t *testing.T) {
	r := tell(2)
	r.submit(10, 1, record.Spec{Procs: 1})
	r.submit(50, 2, record.Spec{Procs: 1})
	r.start(50, 1)
	r.start(50, 2)
	r.job(110, record.JobEnded, 1)
	r.job(110, record.JobEnded, 2)
	near(t, "makespan", r.report(200).Makespan, 100)
}

func TestAJobIsOfThePartitionThatItAskedForUntilItRunsElsewhere(t *testing.T) {
	r := tell(0)
	for id, given := range []string{"", "cloud"} {
		r.submit(0, int64(id), record.Spec{Partition: "batch,cloud"})
		r.at(0, record.JobAllocated, record.Event{Job: int64(id), Nodes: []string{"c1"}, Partition: given})
		r.job(0, record.JobStarted, int64(id))
		r.job(1, record.JobEnded, int64(id))
	}
	if got := r.report(1).Partitions; len(got) != 2 || got[0].Name != "batch,cloud" || got[1].Name != "cloud" {
		t.Errorf("%+v", got)
	}
}

func TestANodeKeepsItsNumber(t *testing.T) {
	r := tell(0)
	for i, nodes := range [][]string{{"c1"}, {"c2", "c1"}, {"c3", "c2", "c1"}} {
		id := int64(i + 1)
		r.submit(0, id, record.Spec{})
		r.start(0, id, nodes...)
		r.job(1, record.JobEnded, id)
	}
	for i, want := range [][]int{{0}, {1, 0}, {2, 1, 0}} {
		if got := r.ended[i].Nodes; !slices.Equal(got, want) {
			t.Errorf("job %d had %v, want %v", i+1, got, want)
		}
	}
}

func TestTimeBeforeAnAllocationIsIdle(t *testing.T) {
	r := tell(0)
	r.boots(0, "c1", "i-1", 1)
	r.submit(50, 1, record.Spec{})
	r.job(50, record.JobAllocated, 1, "c1")
	r.job(50, record.JobStarted, 1)
	r.job(60, record.JobWorking, 1)
	r.job(100, record.JobEnded, 1)
	if got, want := r.report(100).NodeHours, (NodeHours{Useful: hours(40e9), Boot: hours(20e9), Idle: hours(30e9)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestANodesTimeIsOfThoseThatWorkOnIt(t *testing.T) {
	r := tell(0)
	r.boots(0, "c1", "i-1", 3.6)
	r.submit(0, 1, record.Spec{User: "a"})
	r.submit(0, 2, record.Spec{User: "b"})
	r.start(20, 1, "c1")
	r.job(20, record.JobAllocated, 2, "c1") // and waits for another node
	r.job(80, record.JobEnded, 1)
	r.job(80, record.JobEnded, 2)
	got := r.report(80)
	near(t, "a's", got.Users[0].CloudNodeHours, hours(60e9))
	near(t, "b's", got.Users[1].CloudNodeHours, 0)
}

func TestWhatRunsForANodeThatIsLostIsOrphaned(t *testing.T) {
	for name, lose := range map[string]func(*told){
		"it failed":                     func(r *told) { r.node(50, record.NodeFailed, "c1", "") },
		"it is down":                    func(r *told) { r.node(50, record.NodeDown, "c1", "") },
		"it came up on another machine": func(r *told) { r.node(50, record.NodeReady, "c1", "i-2") },
	} {
		r := tell(0)
		r.boots(0, "c1", "i-1", 1)
		r.instance(50, record.InstanceLaunched, "i-2", 1, "c1")
		lose(r)
		r.instance(90, record.InstanceEnding, "i-1", 0)
		if got, want := r.report(90).NodeHours, (NodeHours{Boot: hours(10e9), Idle: hours(30e9), Orphan: hours(40e9)}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestWhatBootsForANodeThatIsGivenUpIsOrphaned(t *testing.T) {
	for name, giveUp := range map[string]record.Kind{"suspended": record.NodeSuspended, "down": record.NodeDown} {
		r := tell(0)
		r.node(0, record.NodeResumed, "c1", "")
		r.instance(0, record.InstanceLaunched, "i-1", 1, "c1")
		r.instance(10, record.InstanceRunning, "i-1", 0)
		r.node(30, giveUp, "c1", "")
		r.instance(90, record.InstanceEnding, "i-1", 0)
		if got, want := r.report(90).NodeHours, (NodeHours{Boot: hours(20e9), Orphan: hours(60e9)}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestALaunchIsUnwantedFromWhenItsLastNodeIsGivenUp(t *testing.T) {
	launch := func() *told {
		r := tell(0)
		r.node(0, record.NodeResumed, "c1", "")
		r.node(0, record.NodeResumed, "c2", "")
		r.instance(0, record.InstanceLaunched, "i-1", 1, "c1", "c2", "c3") // nobody asks for c3
		r.instance(10, record.InstanceRunning, "i-1", 0)
		r.node(20, record.NodeFailed, "c1", "")
		return r
	}
	r := launch()
	r.instance(40, record.InstanceEnding, "i-1", 0) // while c2 waits for it
	if got, want := r.report(40).NodeHours, (NodeHours{Lost: hours(30e9)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	r = launch()
	r.node(30, record.NodeFailed, "c2", "")
	r.node(50, record.NodeSuspended, "c3", "") // which was not waited for
	r.instance(70, record.InstanceEnding, "i-1", 0)
	if got, want := r.report(70).NodeHours, (NodeHours{Boot: hours(20e9), Orphan: hours(40e9)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestANodeIsPaidForFromWhenEC2BillsIt(t *testing.T) {
	r := tell(0)
	r.node(0, record.NodeResumed, "c1", "")
	r.instance(0, record.InstanceLaunched, "i-1", 1, "c1")
	r.node(20, record.NodeReady, "c1", "i-1") // before EC2 says that it runs
	r.instance(30, record.InstanceRunning, "i-1", 0)
	r.instance(60, record.InstanceEnding, "i-1", 0)
	if got, want := r.report(60).NodeHours, (NodeHours{Idle: hours(30e9)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTimeToCapacityCountsFromTheFirstCallWhicheverNodeItWasFor(t *testing.T) {
	r := tell(0)
	r.node(5, record.NodeResumed, "c2", "")
	r.node(8, record.NodeResumed, "c1", "")
	r.node(8, record.NodeResumed, "c3", "")
	r.node(9, record.NodeReady, "c3", "")
	r.submit(10, 1, record.Spec{})
	r.job(10, record.JobAllocated, 1, "c1", "c2", "c3")
	r.node(20, record.NodeReady, "c1", "")
	r.node(25, record.NodeReady, "c3", "") // again, and nobody waited for it
	r.node(30, record.NodeReady, "c1", "")
	r.node(45, record.NodeReady, "c2", "")
	if got := r.report(100).TimeToCapacity; got.Count != 1 || got.Mean != 40 {
		t.Errorf("%+v", got)
	}
}

func TestEveryCallAndGangIsCountedByWhatBecameOfIt(t *testing.T) {
	r := tell(0)
	for _, code := range []string{"", "A", "A", "B", ""} {
		r.at(1, record.Call, record.Event{Operation: "RunInstances", Code: code})
	}
	r.at(1, record.Call, record.Event{Operation: "DescribeInstances"})
	two := []string{"a", "b"}
	for depth, count := range []int{2, 2, 1} {
		r.at(2, record.Gang, record.Event{Nodes: two, Count: count, Depth: depth})
	}
	r.at(2, record.Gang, record.Event{Nodes: two}) // for which nothing was tried
	for _, number := range []string{"a=1", "b=2", "a=1", "b=2"} {
		r.at(3, record.Assumed, record.Event{Cause: number})
	}
	r.at(4, record.Resumed, record.Event{Nodes: two})
	for range 2 {
		r.at(4, record.Suspended, record.Event{Nodes: two})
	}
	r.submit(5, 1, record.Spec{})
	r.job(6, record.JobHeld, 1)
	got := r.report(10)
	if got.ResumeCalls != 1 || got.SuspendCalls != 2 || got.Held != 1 {
		t.Errorf("%d resumes, %d suspends, %d jobs held", got.ResumeCalls, got.SuspendCalls, got.Held)
	}
	if c, e := fmt.Sprint(got.APICalls), fmt.Sprint(got.APIErrors); c != "map[DescribeInstances:1 RunInstances:5]" || e != "map[RunInstances:map[A:2 B:1]]" {
		t.Errorf("calls %s, errors %s", c, e)
	}
	if got.Gangs != (Gangs{4, 2}) || got.Fallback != (FallbackDepth{First: 1, Mean: 1, Max: 2}) {
		t.Errorf("gangs %+v, fallback %+v", got.Gangs, got.Fallback)
	}
	if !slices.Equal(got.Assumed, []string{"a=1", "b=2"}) {
		t.Errorf("assumed %q", got.Assumed)
	}
}

func TestInstancesAreCountedByMarketAndEnd(t *testing.T) {
	r := tell(0)
	for i, one := range []struct{ family, market, end string }{
		{"standard", "spot", "Server.SpotInstanceTermination"}, {"standard", "on-demand", "Client.UserInitiatedShutdown"}, {"hpc", "spot", "Server.InternalError"},
	} {
		id := fmt.Sprint("i-", i)
		r.at(1, record.InstanceLaunched, record.Event{Instance: id, VCPUs: 2 + i, Family: one.family, Market: one.market})
		r.at(2, record.InstanceEnding, record.Event{Instance: id, Cause: one.end})
		r.at(3, record.InstanceGone, record.Event{Instance: id, Cause: one.end})
	}
	got := r.report(10)
	if got.Interruptions != 1 || len(r.live) != 0 {
		t.Errorf("%d interrupted, %d kept", got.Interruptions, len(r.live))
	}
	if want := []Quota{{"hpc", "spot", 4}, {"standard", "on-demand", 3}, {"standard", "spot", 2}}; !slices.Equal(got.Peaks.Quotas, want) {
		t.Errorf("%+v", got.Peaks.Quotas)
	}
}

func TestTheBillIsExplainedByCause(t *testing.T) {
	r := tell(0)
	r.boots(0, "c1", "i-1", 3.6)
	r.instance(210, record.InstanceEnding, "i-1", 0)
	var sum sums.USD
	for _, s := range r.report(300).Spent {
		if sum += s.Cost; s.Cause == "billing" && s.Cost != 0 {
			t.Errorf("a bill of whole seconds differs from the time by %v", s.Cost)
		}
	}
	if sum != 200_000 {
		t.Errorf("all causes together cost %v", sum)
	}
}

func TestNoHourSavedHasNoPrice(t *testing.T) {
	run := func(cloud bool) *Report {
		r := &told{Collector: New(Options{Begin: begin, Cloud: cloud, Compared: true})}
		r.submit(0, 1, record.Spec{})
		r.start(60, 1)
		r.job(70, record.JobEnded, 1)
		return r.report(100)
	}
	with := run(true)
	with.Cost = 1_000_000
	if with.Compare(run(true)); with.Saved.Jobs != 1 || with.Saved.Hours != 0 || with.Saved.PerHour != nil {
		t.Errorf("%+v", with.Saved)
	}
	if with.Compare(New(Options{Begin: begin}).Report(begin, 0)); *with.Saved != (Saved{}) {
		t.Errorf("against a run of which no waits are kept: %+v", with.Saved)
	}
	local := run(false)
	slow := &Report{waitOf: map[int64]float32{1: 3660}}
	if local.Compare(slow); local.Saved.Hours != 1 || local.Saved.PerHour != nil {
		t.Errorf("a run without a cloud: %+v", local.Saved)
	}
	if c := New(Options{}); c.waitOf != nil {
		t.Error("waits are kept though nobody compares them")
	}
}
