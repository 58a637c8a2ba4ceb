package report

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report/sums"
)

// begin is the workload's beginning in these tests: not 0, so that what forgets
// to count from it is noticed.
const begin = env.Time(1_700_000_000_000_000_000)

// told is a run that is written down by hand, in seconds.
type told struct {
	*Collector
	procs int
	ended []Job
}

// tell begins a run on so many processors that stand all the time.
func tell(procs int) *told {
	t := &told{procs: procs}
	t.Collector = New(Options{Begin: begin, Cloud: procs == 0, OnJob: func(j Job) {
		j.Nodes = slices.Clone(j.Nodes)
		t.ended = append(t.ended, j)
	}})
	return t
}

func (t *told) at(second float64, k record.Kind, with record.Event) {
	with.At, with.Kind = begin.Add(time.Duration(second*1e9)), k
	t.Take(with)
}

func (t *told) submit(second float64, id int64, spec record.Spec) {
	t.at(second, record.JobSubmitted, record.Event{Job: id, Spec: &spec})
	t.at(second, record.JobEligible, record.Event{Job: id})
}

func (t *told) job(second float64, k record.Kind, id int64, nodes ...string) {
	t.at(second, k, record.Event{Job: id, Nodes: nodes, State: "COMPLETED"})
}

func (t *told) start(second float64, id int64, nodes ...string) {
	t.job(second, record.JobAllocated, id, nodes...)
	t.job(second, record.JobStarted, id)
	t.job(second, record.JobWorking, id)
}

func (t *told) node(second float64, k record.Kind, name, instance string) {
	t.at(second, k, record.Event{Node: name, Instance: instance})
}

func (t *told) instance(second float64, k record.Kind, id string, usd float64, nodes ...string) {
	t.at(second, k, record.Event{Instance: id, USD: usd, Nodes: nodes, VCPUs: 4, Family: "standard", Market: "spot", Cause: "Client.UserInitiatedShutdown"})
}

// boots launches an instance for a node that is asked for at second, is billed
// ten seconds later and ready after twenty.
func (t *told) boots(second float64, node, id string, usd float64) {
	t.node(second, record.NodeResumed, node, "")
	t.instance(second, record.InstanceLaunched, id, usd, node)
	t.instance(second+10, record.InstanceRunning, id, 0)
	t.node(second+20, record.NodeReady, node, id)
}

func (t *told) report(second float64) *Report {
	return t.Report(begin.Add(time.Duration(second*1e9)), t.procs)
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestWaitsAndSlowdownsAreCountedFromWhenAJobMightStart(t *testing.T) {
	r := tell(2)
	r.submit(0, 1, record.Spec{Procs: 1, User: "a"})
	r.start(0, 1)
	r.job(100, record.JobEnded, 1) // no wait
	r.at(10, record.JobSubmitted, record.Event{Job: 2, Spec: &record.Spec{Procs: 2, User: "b"}})
	r.at(40, record.JobEligible, record.Event{Job: 2}) // --begin
	r.start(100, 2)
	r.job(105, record.JobEnded, 2) // waited 60 s for a run of 5: 65 over tau
	got := r.report(200)
	near(t, "mean wait", got.MeanWait, 30)
	near(t, "mean wait since submit", got.WaitSinceSubmit.Mean, 45)
	near(t, "mean response", got.Response.Mean, (100+65)/2.)
	near(t, "mean bounded slowdown", got.MeanBoundedSlowdown, (1+6.5)/2)
	near(t, "makespan", got.Makespan, 105)
	near(t, "simulated", got.Simulated, 200)
	near(t, "utilisation", got.Utilisation, (100+2*5)/(2*105.))
	if got.Jobs != 2 || got.Cloud != nil || len(got.Users) != 2 || got.Users[1].Name != "b" || got.Users[1].MeanWait != 60 {
		t.Errorf("%+v", got)
	}
}

func TestACloudNodesTimeIsSplitByWhatItWasFor(t *testing.T) {
	r := tell(0)
	r.submit(0, 1, record.Spec{Procs: 8, Account: "physics"})
	r.job(0, record.JobAllocated, 1, "c1")
	r.boots(0, "c1", "i-1", 3.6) // a tenth of a cent a second
	r.job(20, record.JobStarted, 1)
	r.job(25, record.JobWorking, 1)
	r.job(125, record.JobEnded, 1)
	r.at(165, record.NodeSuspended, record.Event{Node: "c1"})
	r.node(195, record.NodeDown, "c1", "")
	r.instance(210, record.InstanceEnding, "i-1", 0)
	r.instance(230, record.InstanceGone, "i-1", 0)
	got := r.report(300)
	want := NodeHours{Useful: hours(100e9), Boot: hours(15e9), Idle: hours(70e9), Orphan: hours(15e9)}
	if diff := cmp.Diff(want, got.NodeHours); diff != "" {
		t.Error(diff)
	}
	if got.Cost.String() != "0.20" || got.Cost != 200_000 {
		t.Errorf("200 s at 3.60 an hour cost %v", got.Cost)
	}
	near(t, "goodput", got.Goodput, 0.5)
	near(t, "cost of a useful node-hour", got.CostPerUsefulNodeHour.Float(), 7.2)
	near(t, "what the account is to pay for", got.Accounts[0].Cost.Float(), 0.115) // boot, wait, work
	near(t, "time to capacity", got.TimeToCapacity.Mean, 20)
	near(t, "wait for other nodes", got.GangWait.Mean, 5)
	if want := (Peaks{Instances: 1, Addresses: 1, Quotas: []Quota{{"standard", "spot", 4}}}); !cmp.Equal(got.Peaks, want) {
		t.Errorf("peaks %+v", got.Peaks)
	}
}

func TestWorkThatIsDoneTwiceIsLost(t *testing.T) {
	r := tell(0)
	r.submit(0, 1, record.Spec{Procs: 1})
	r.boots(0, "c1", "i-1", 1)
	r.start(20, 1, "c1")
	r.job(80, record.JobRequeued, 1)
	r.job(90, record.JobEligible, 1) // after the delay of a requeue
	r.node(80, record.NodeFailed, "c1", "")
	r.instance(80, record.InstanceEnding, "i-1", 0)
	r.boots(80, "c2", "i-2", 1)
	r.start(100, 1, "c2")
	r.job(130, record.JobEnded, 1)
	r.submit(130, 2, record.Spec{Procs: 1})
	r.start(130, 2, "c2")
	r.at(140, record.JobEnded, record.Event{Job: 2, State: "NODE_FAIL"})
	got := r.report(140)
	near(t, "lost", got.NodeHours.Lost, hours(70e9))
	near(t, "useful", got.NodeHours.Useful, hours(30e9))
	if j := r.ended[0]; j.Wait() != 100*time.Second || j.Run() != 30*time.Second || j.Requeues != 1 || !slices.Equal(j.Nodes, []int{1}) {
		t.Errorf("the requeued job: %+v", j)
	}
	if got.Requeues != 1 || got.States["NODE_FAIL"] != 1 {
		t.Errorf("%+v", got)
	}
}

func TestJobsThatShareANodeShareItsTime(t *testing.T) {
	r := tell(0)
	r.boots(0, "c1", "i-1", 3.6)
	r.submit(0, 1, record.Spec{User: "a"})
	r.submit(0, 2, record.Spec{User: "b"})
	r.start(20, 1, "c1")
	r.start(60, 2, "c1")
	r.job(100, record.JobEnded, 1)
	r.at(120, record.JobEnded, record.Event{Job: 2, State: "NODE_FAIL"})
	got := r.report(120)
	near(t, "a's", got.Users[0].CloudNodeHours, hours(60e9))
	near(t, "b's", got.Users[1].LostNodeHours, hours(40e9))
	near(t, "a's cost", got.Users[0].Cost.Float(), 0.06)
	near(t, "all", got.NodeHours.Powered(), hours(110e9))
}

func TestInstancesThatNeverCameUp(t *testing.T) {
	ends := func(cause string) func(*told) {
		return func(r *told) {
			r.at(70, record.InstanceEnding, record.Event{Instance: "i-1", Cause: cause})
		}
	}
	for name, c := range map[string]struct {
		node string
		then func(*told)
		want NodeHours
	}{
		"ended by us while their nodes wait: a gang undone": {"c1", ends("Client.UserInitiatedShutdown"), NodeHours{Lost: hours(60e9)}},
		"dead by themselves: boots that failed":             {"c1", ends("Server.InternalError"), NodeHours{Boot: hours(60e9)}},
		"nobody's: orphans":                                 {"", ends("Client.UserInitiatedShutdown"), NodeHours{Orphan: hours(60e9)}},
		"given up by Slurm, and left on": {"c1", func(r *told) {
			r.node(50, record.NodeFailed, "c1", "")
			ends("Client.UserInitiatedShutdown")(r)
		}, NodeHours{Boot: hours(40e9), Orphan: hours(20e9)}},
		"one too many, and another came up": {"c1", func(r *told) {
			r.instance(30, record.InstanceLaunched, "i-2", 1, "c1")
			r.node(50, record.NodeReady, "c1", "i-2")
			ends("Client.UserInitiatedShutdown")(r)
		}, NodeHours{Boot: hours(40e9), Orphan: hours(20e9)}},
		"never billed": {"c1", func(r *told) {
			r.instance(60, record.InstanceLaunched, "i-3", 1, "c1")
			r.instance(65, record.InstanceEnding, "i-3", 0)
			ends("Server.InternalError")(r)
		}, NodeHours{Boot: hours(60e9)}},
		"replaced when their node was asked for again": {"c1", func(r *told) {
			r.node(20, record.NodeReady, "c1", "i-1")
			r.node(50, record.NodeDown, "c1", "")
			r.node(60, record.NodeResumed, "c1", "")
			ends("Client.UserInitiatedShutdown")(r)
		}, NodeHours{Boot: hours(10e9), Idle: hours(30e9), Orphan: hours(20e9)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := tell(0)
			var nodes []string
			if c.node != "" {
				nodes = []string{c.node}
				r.node(0, record.NodeResumed, c.node, "")
			}
			r.instance(0, record.InstanceLaunched, "i-1", 1, nodes...)
			r.instance(10, record.InstanceRunning, "i-1", 0)
			c.then(r)
			if diff := cmp.Diff(c.want, r.report(70).NodeHours); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTimeToCapacityIsTheLastNodesAndCountsFromTheFirstCall(t *testing.T) {
	r := tell(0)
	r.submit(0, 1, record.Spec{})
	r.node(5, record.NodeResumed, "c1", "") // for another job, which was cancelled
	r.job(10, record.JobAllocated, 1, "c1", "c2")
	r.node(12, record.NodeResumed, "c2", "")
	r.node(30, record.NodeReady, "c2", "")
	r.node(45, record.NodeReady, "c1", "")
	r.start(45, 2)
	if got := r.report(100).TimeToCapacity; got.Count != 1 || got.Mean != 40 {
		t.Errorf("%+v", got)
	}
}

func TestALaunchForSeveralNodesIsWantedWhileOneOfThemIs(t *testing.T) {
	r := tell(0)
	r.node(0, record.NodeResumed, "c1", "")
	r.node(0, record.NodeResumed, "c2", "")
	r.instance(0, record.InstanceLaunched, "i-1", 1, "c1", "c2")
	r.instance(10, record.InstanceRunning, "i-1", 0)
	r.node(20, record.NodeFailed, "c1", "")
	r.node(50, record.NodeFailed, "c2", "")
	r.instance(70, record.InstanceEnding, "i-1", 0)
	if got, want := r.report(70).NodeHours, (NodeHours{Boot: hours(40e9), Orphan: hours(20e9)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestPeaksAreOfWhatEC2CountsAtOnce(t *testing.T) {
	r := tell(0)
	launch := func(at float64, id string) { r.instance(at, record.InstanceLaunched, id, 1) }
	ends := func(at float64, id string) {
		r.at(at, record.InstanceEnding, record.Event{Instance: id, Cause: "Server.SpotInstanceTermination"})
	}
	launch(0, "i-1")
	ends(50, "i-1")
	r.instance(70, record.InstanceGone, "i-1", 0)
	launch(100, "i-2")
	ends(150, "i-2")
	launch(160, "i-3") // while the other shuts down, which counts
	r.instance(170, record.InstanceGone, "i-2", 0)
	ends(180, "i-3")
	got := r.report(300)
	if want := (Peaks{Instances: 2, Addresses: 2, Quotas: []Quota{{"standard", "spot", 8}}}); !cmp.Equal(got.Peaks, want) {
		t.Errorf("peaks %+v", got.Peaks)
	}
	if got.Instances != 3 || got.Interruptions != 3 {
		t.Errorf("%d launched, %d interrupted", got.Instances, got.Interruptions)
	}
}

func TestUtilisationIsOfAllThatStoodThere(t *testing.T) {
	run := func(cpus, procs int) float64 {
		r := &told{Collector: New(Options{Begin: begin}), procs: procs}
		r.submit(0, 1, record.Spec{Procs: 8})
		r.at(0, record.NodeResumed, record.Event{Node: "c1", CPUs: cpus})
		r.instance(0, record.InstanceLaunched, "i-1", 1, "c1")
		r.instance(10, record.InstanceRunning, "i-1", 0)
		r.node(20, record.NodeReady, "c1", "i-1")
		r.start(20, 1, "c1")
		r.job(110, record.JobEnded, 1)
		r.instance(110, record.InstanceEnding, "i-1", 0)
		r.submit(110, 2, record.Spec{Procs: 4})
		r.start(110, 2)
		return r.report(210).Utilisation
	}
	const held = 8*90 + 4*100
	near(t, "with as many as Slurm counts", run(16, 10), sums.Round(held/(10*210+16*100.)))
	near(t, "with the vCPUs of an instance that is no node of Slurm's", run(0, 10), sums.Round(held/(10*210+4*100.)))
}

func TestAJobIsOfThePartitionThatItRanIn(t *testing.T) {
	r := tell(0)
	r.submit(0, 1, record.Spec{Partition: "local,cloud", Procs: 2})
	r.submit(0, 2, record.Spec{Partition: "local,cloud", Procs: 2})
	r.submit(0, 3, record.Spec{Partition: "local,cloud", Procs: 2})
	r.boots(0, "c1", "i-1", 3.6)
	r.at(0, record.JobAllocated, record.Event{Job: 1, Nodes: []string{"l1"}, Partition: "local"})
	r.at(0, record.JobAllocated, record.Event{Job: 2, Nodes: []string{"c1"}, Partition: "cloud"})
	for id := int64(1); id < 3; id++ {
		r.job(20, record.JobStarted, id)
		r.job(20, record.JobWorking, id)
		r.job(3620, record.JobEnded, id)
	}
	r.job(3620, record.JobEnded, 3) // cancelled before it had any
	got := r.report(3620).Partitions
	for i, want := range []Group{{Name: "cloud", CloudNodeHours: 1}, {Name: "local"}, {Name: "local,cloud"}} {
		if len(got) != 3 || got[i].Name != want.Name || got[i].Jobs != 1 || got[i].Ran != min(1, 2-i) || got[i].CloudNodeHours != want.CloudNodeHours {
			t.Fatalf("partitions %+v", got)
		}
	}
}

func TestIdleTimeOfSingleUseNodesIsToldApart(t *testing.T) {
	r := tell(0)
	r.boots(0, "c1", "i-1", 3.6)
	r.at(25, record.NodeSuspended, record.Event{Node: "c1", Cause: record.SingleUse})
	r.instance(30, record.InstanceEnding, "i-1", 0)
	r.boots(30, "c2", "i-2", 3.6)
	r.at(120, record.NodeSuspended, record.Event{Node: "c2"})
	got := r.report(120).Idle
	if got.SingleUse.Suspended != 1 || got.SingleUse.Cost != 10_000 || got.Shared.Suspended != 1 || got.Shared.Cost != 70_000 {
		t.Errorf("%+v", got)
	}
}

func TestCallsGangsAndAssumptionsAreCounted(t *testing.T) {
	r := tell(0)
	r.at(1, record.Call, record.Event{Operation: "RunInstances"})
	r.at(2, record.Call, record.Event{Operation: "RunInstances", Code: "InsufficientInstanceCapacity"})
	r.at(3, record.Gang, record.Event{Nodes: []string{"a", "b"}, Count: 2})
	r.at(3, record.Gang, record.Event{Nodes: []string{"a", "b"}, Count: 1, Depth: 4})
	r.at(4, record.Assumed, record.Event{Cause: "boot.median=75s"})
	r.at(5, record.Assumed, record.Event{Cause: "boot.median=75s"})
	got := r.report(10)
	if got.APICalls["RunInstances"] != 2 || got.APIErrors["RunInstances"]["InsufficientInstanceCapacity"] != 1 {
		t.Errorf("calls %v, errors %v", got.APICalls, got.APIErrors)
	}
	if got.Gangs != (Gangs{2, 1}) || got.Fallback != (FallbackDepth{First: 1, Mean: 2, Max: 4}) {
		t.Errorf("gangs %+v, fallback %+v", got.Gangs, got.Fallback)
	}
	if !slices.Equal(got.Assumed, []string{"boot.median=75s"}) {
		t.Errorf("assumed %q", got.Assumed)
	}
}

func TestWhatTheCloudSavesIsToldByTheHour(t *testing.T) {
	wait := func(seconds ...float64) *Report {
		r := tell(0)
		r.Collector = New(Options{Begin: begin, Cloud: true, Compared: true})
		for i := range seconds {
			r.submit(0, int64(i+1), record.Spec{})
		}
		for i, s := range seconds {
			r.start(s, int64(i+1))
			r.job(s+1, record.JobEnded, int64(i+1))
		}
		return r.report(1e6)
	}
	// The third is too large for the premises: how long it would wait is not known.
	with, alone := wait(1800, 3600, 7200), wait(2*3600, 4*3600)
	with.Cost = 9_000_000
	with.Compare(alone)
	if s := with.Saved; s.Jobs != 2 || s.Hours != 4.5 || *s.PerHour != 2_000_000 || s.MeanWait != 2700 || s.AloneMeanWait != 3*3600 {
		t.Errorf("%+v", s)
	}
	if alone.Compare(with); alone.Saved.Hours != -4.5 || alone.Saved.PerHour != nil {
		t.Errorf("the other way about: %+v", alone.Saved)
	}
	if with.Compare(wait()); with.Saved.Jobs != 0 || with.Saved.Hours != 0 || with.Saved.PerHour != nil {
		t.Errorf("against a run in which nothing ran: %+v", with.Saved)
	}
}

// TestTheLedgerIsTheBill: what is told to be paid is the sum of price by seconds,
// to the last millionth, however many instances there were.
func TestARunIsBilledByTheSecondAndForAMinuteAtLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.Int64Range(0, int64(time.Second)).Draw(t, "from")
		up := rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(t, "up")
		seconds := billedSeconds(begin+env.Time(from), begin+env.Time(from+up))
		if whole := (from+up)/1e9 - from/1e9; int64(seconds) != max(60, whole) {
			t.Fatalf("%v is billed as %d s", time.Duration(up), seconds)
		}
	})
}

func TestWhatEC2ChargedIsTheBill(t *testing.T) {
	r := tell(0)
	r.boots(0, "c1", "i-1", 3.6)
	r.at(3610, record.InstanceEnding, record.Event{Instance: "i-1", Charged: 3.25}) // the price fell
	r.instance(4000, record.InstanceLaunched, "i-2", 3.6)
	r.at(4000, record.InstanceRunning, record.Event{Instance: "i-2", USD: 7.2}) // it rose
	r.at(4100, record.InstanceEnding, record.Event{Instance: "i-2", Cause: "Server.InternalError"})
	r.boots(4200, "c2", "i-3", 0) // of a type whose price nobody knows
	r.boots(4200, "c3", "i-4", 3.6)
	r.at(5000, record.InstanceCharged, record.Event{Instance: "i-4", Charged: 0.5}) // while it runs
	got := r.report(5000)
	if got.Unpriced != 1 {
		t.Errorf("%d instances without a price", got.Unpriced)
	}
	if got.Cost != 3_950_000 {
		t.Errorf("the bill is %v", got.Cost)
	}
	if last := got.Spent[len(got.Spent)-1]; last.Cause != "billing" || last.Cost != -640_000 {
		t.Errorf("beside the price at the start: %+v", last)
	}
}

// TestNodeHoursAddUp: whatever happens, and in whatever order, each instant of an
// instance that is billed is in one cause, once.
func TestNodeHoursAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := tell(0)
		now, instances := 0.0, 0
		running := map[string]float64{}
		var billed float64
		jobs := int64(0)
		names := []string{"c0", "c1", "c2"}
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			now += rapid.Float64Range(0, 50).Draw(t, "pause")
			now = math.Round(now)
			node := rapid.SampledFrom(names).Draw(t, "node")
			id := fmt.Sprintf("i-%d", rapid.IntRange(0, max(0, instances)).Draw(t, "instance"))
			j := rapid.Int64Range(0, jobs).Draw(t, "job")
			switch rapid.IntRange(0, 12).Draw(t, "what") {
			case 0:
				r.node(now, record.NodeResumed, node, "")
			case 1:
				instances++
				id = fmt.Sprintf("i-%d", instances)
				r.instance(now, record.InstanceLaunched, id, 1, node)
				r.instance(now, record.InstanceRunning, id, 0)
				running[id] = now
			case 2:
				r.node(now, record.NodeReady, node, id)
			case 3:
				r.node(now, record.NodeFailed, node, "")
			case 4:
				r.node(now, record.NodeSuspended, node, "")
			case 5:
				r.node(now, record.NodeDown, node, "")
			case 6:
				r.instance(now, record.InstanceEnding, id, 0)
				if since, ok := running[id]; ok {
					billed += now - since
					delete(running, id)
				}
			case 7:
				jobs++
				r.submit(now, jobs, record.Spec{Procs: 1})
				r.job(now, record.JobAllocated, jobs, node)
				r.job(now, record.JobStarted, jobs)
			case 8:
				r.job(now, record.JobWorking, j)
			case 9:
				r.job(now, record.JobEnded, j)
			case 10:
				r.job(now, record.JobRequeued, j)
			case 11:
				r.job(now, record.JobAllocated, j, node)
				r.job(now, record.JobStarted, j)
			case 12:
				r.instance(now, record.InstanceGone, id, 0)
				if since, ok := running[id]; ok {
					billed += now - since
					delete(running, id)
				}
			}
		}
		for _, since := range running {
			billed += now - since
		}
		got := r.report(now)
		if diff := math.Abs(got.NodeHours.Powered() - billed/3600); diff > 1e-5 {
			t.Fatalf("%v node-hours in all causes, %v billed", got.NodeHours.Powered(), billed/3600)
		}
	})
}

// TestAnEndedJobLeavesLittle: a run may have millions of jobs.
func TestAnEndedJobLeavesLittle(t *testing.T) {
	c := New(Options{})
	spec := record.Spec{Procs: 1, User: "u", Account: "a", Partition: "p"}
	at := env.Time(0)
	allocs := testing.AllocsPerRun(20_000, func() {
		at += 1e9
		id := int64(at)
		c.Take(record.Event{At: at, Kind: record.JobSubmitted, Job: id, Spec: &spec})
		c.Take(record.Event{At: at, Kind: record.JobStarted, Job: id})
		c.Take(record.Event{At: at + 5, Kind: record.JobEnded, Job: id, State: "COMPLETED"})
	})
	if len(c.jobs) != 0 || len(c.free) != 1 || allocs > 0.1 {
		t.Errorf("%d jobs kept, %d free, %v allocations a job", len(c.jobs), len(c.free), allocs)
	}
}

func BenchmarkTake(b *testing.B) {
	c := New(Options{})
	spec := record.Spec{Procs: 1, User: "u", Account: "a", Partition: "p"}
	nodes := []string{"node-1", "node-2"}
	b.ReportAllocs()
	at := env.Time(0)
	for b.Loop() {
		at += 1e9
		id := int64(at)
		c.Take(record.Event{At: at, Kind: record.JobSubmitted, Job: id, Spec: &spec})
		c.Take(record.Event{At: at, Kind: record.JobEligible, Job: id})
		c.Take(record.Event{At: at, Kind: record.JobAllocated, Job: id, Nodes: nodes})
		c.Take(record.Event{At: at, Kind: record.JobStarted, Job: id})
		c.Take(record.Event{At: at, Kind: record.JobWorking, Job: id})
		c.Take(record.Event{At: at + 5, Kind: record.JobEnded, Job: id, State: "COMPLETED"})
	}
}
