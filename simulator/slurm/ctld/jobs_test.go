package ctld_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/slurm"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/ctld"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

func local(id int64) workload.Job {
	return workload.Job{ID: id, Run: 100 * second, Limit: hour, Procs: 4, Nodes: 1, Partition: "local"}
}

func TestAJobThatOverrunsIsKilled(t *testing.T) {
	over := 5 * minute
	tests := []struct {
		name       string
		run, limit time.Duration // in seconds
		change     func(*conf.Settings)
		want       string
	}{
		{"in time", 60, 60, nil, "60 job_ended 1 COMPLETED"},
		{"until SIGKILL", 600, 70, nil, "120 job_ended 1 TIMEOUT TimeLimit"},
		{"dying by itself before it", 95, 70, nil, "95 job_ended 1 TIMEOUT TimeLimit"},
		{"within OverTimeLimit", 330, 60, func(c *conf.Settings) { c.OverTimeLimit = over }, "330 job_ended 1 COMPLETED"},
		{"beyond the partition's own", 900, 60, func(c *conf.Settings) { c.Partitions[0].OverTimeLimit = &over }, "390 job_ended 1 TIMEOUT TimeLimit"},
		{"another partition's", 900, 60, func(c *conf.Settings) { c.Partitions[1].OverTimeLimit = &over }, "90 job_ended 1 TIMEOUT TimeLimit"},
		{"an OverTimeLimit of UNLIMITED", 900, 60, func(c *conf.Settings) { c.OverTimeLimit = conf.Infinite }, "900 job_ended 1 COMPLETED"},
		{"without a limit", 5e7, 0, nil, "5e+07 job_ended 1 COMPLETED"},
		{"with the partition's", 900, 0, func(c *conf.Settings) { c.Partitions[0].DefaultTime = minute }, "90 job_ended 1 TIMEOUT TimeLimit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := settings()
			if tt.change != nil {
				tt.change(&c)
			}
			b := newBed(t, sched.FIFO, c)
			w := local(1)
			w.Run, w.Limit = tt.run*second, tt.limit*second
			b.submit(0, w)
			b.run()
			b.want(tt.want, "job_ended")
		})
	}
}

func TestTheLimitCountsFromTheFirstNodeThatIsUp(t *testing.T) {
	b := newBed(t, sched.EASY, settings())
	w := single(1)
	w.Run, w.Limit = hour, 10*minute
	b.submit(0, w)
	b.run()
	b.want(`
		90 job_started 1
		720 job_ended 1 TIMEOUT TimeLimit
	`, "started", "job_ended")
}

func TestJobsWaitForTheirTimeAndForOthers(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, local(1)) // until 100
	after := local(2)
	after.After, after.Think = 1, 20*second
	b.submit(1, after) // 120 to 220
	well := local(3)
	well.After, well.AfterOK = 2, true
	well.Run, well.Limit = hour, minute
	b.submit(2, well) // 220, told to end at 300 and killed at 330
	never := local(4)
	never.After, never.AfterOK = 3, true
	b.submit(3, never)
	hers := local(5)
	hers.After = 4 // of one that never ends
	b.submit(4, hers)
	begin := local(6)
	begin.Begin = 50 * second
	b.submit(5, begin)
	past := local(7)
	past.After, past.Think = 1, 30*second // after its end, at 400
	b.submit(200, past)
	gone := local(8)
	gone.After, gone.Think = 1, 400*second // forgotten: it ended 300 s ago, or before
	b.submit(1000, gone)
	b.run()
	b.want(`
		0 job_eligible 1
		50 job_eligible 6
		120 job_eligible 2
		200 job_eligible 7
		220 job_eligible 3
		330 job_held 4 DependencyNeverSatisfied
		1100 job_eligible 8
	`, "eligible", "held")
	if j := b.d.Model().Job(4); j.State != "PENDING" || j.Reason != "DependencyNeverSatisfied" {
		t.Errorf("%+v", j)
	}
	if j := b.d.Model().Job(5); j.State != "PENDING" || j.Reason != "Dependency" {
		t.Errorf("%+v", j)
	}
}

func TestAJobOfALostNodeIsRequeued(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, local(1))
	b.at(50, func() { b.d.Lost("rack1") })
	b.run()
	b.want(`
		0 job_allocated 1 rack1
		0 job_started 1
		350 job_requeued 1 Not responding
		470 job_eligible 1#1
		470 job_allocated 1#1 rack2
		470 job_started 1#1
		570 job_ended 1#1 COMPLETED
	`, "allocated", "started", "requeued", "1#1 C", "eligible 1#")
	if j := b.d.Model().Job(1); j.Restarts != 1 {
		t.Errorf("%+v", j)
	}
}

func TestANodeThatComesBackInTimeLetsItsJobEnd(t *testing.T) {
	for back, want := range map[float64]string{
		80:  "100 job_ended 1 COMPLETED", // as if nothing had been
		200: "200 job_ended 1 COMPLETED", // nobody could tell before
	} {
		b := newBed(t, sched.FIFO, settings())
		b.submit(0, local(1))
		b.at(50, func() { b.d.Lost("rack1") })
		b.at(back, func() {
			if !b.d.Register("rack1", "") {
				t.Error("not taken")
			}
		})
		b.run()
		b.want(want, "job_ended", "node_failed")
		if s := b.state("rack1"); s != "IDLE" {
			t.Error(s)
		}
	}
	// Its limit ends before the node is given up.
	b := newBed(t, sched.FIFO, settings())
	w := local(1)
	w.Limit = 200 * second
	b.submit(0, w)
	b.at(50, func() { b.d.Lost("rack1") })
	b.run()
	b.want("210 job_ended 1 TIMEOUT TimeLimit", "job_ended")
}

func TestANodeThatIsDownComesBackAsReturnToServiceSays(t *testing.T) {
	for service, want := range map[int]string{0: "DOWN", 1: "IDLE", 2: "IDLE"} {
		c := settings()
		c.ReturnToService = service
		b := newBed(t, sched.FIFO, c)
		b.at(0, func() { b.d.Lost("rack1") })
		b.at(400, func() { b.d.Register("rack1", "") })
		b.run()
		if s := b.state("rack1"); s != want {
			t.Errorf("ReturnToService=%d: %s", service, s)
		}
	}
	c := settings()
	c.ReturnToService = 1
	b := newBed(t, sched.FIFO, c)
	b.scontrol(0, "update NodeName=rack1 State=DOWN Reason=disk")
	b.at(10, func() { b.d.Register("rack1", "") })
	b.run()
	if s := b.state("rack1"); s != "DOWN" {
		t.Errorf("a node that somebody took down: %s", s)
	}
}

// ask reads a job as the executor does.
func ask(b *bed, id string) slurm.Record {
	b.t.Helper()
	var records []slurm.Record
	var err error
	b.engine.Spawn("ask", func(ctx context.Context, e env.Env) {
		records, err = slurm.New(b.d, e, "").Records(ctx, id)
	})
	if err := b.engine.RunUntil(b.engine.Now()); err != nil {
		b.t.Fatal(err)
	}
	if err != nil || len(records) != 1 {
		b.t.Fatalf("job %s: %d records, %v", id, len(records), err)
	}
	return records[0]
}

// line is what scontrol prints of a job.
func line(b *bed, id string) string {
	b.t.Helper()
	out, err := b.d.Scontrol(context.Background(), "-o", "show", "job", id)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(out)
}

func TestHoldingExcludingAndDelaying(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.boot = func(string) time.Duration { return -1 }
	w := single(1)
	w.Partition = "local,aws"
	b.submit(0, workload.Job{ID: 9, Run: hour, Limit: hour, Procs: 8, Nodes: 2, Partition: "local"})
	b.submit(1, w)
	b.scontrol(10, "requeuehold 1")
	b.scontrol(20, "update JobId=1 ExcNodeList=aws-[1-4]")
	b.scontrol(30, "release 1")
	b.until(40)
	if l := line(b, "1"); !strings.Contains(l, "JobState=PENDING Reason=BeginTime ") || !strings.Contains(l, " ExcNodeList=aws-[1-4] ") {
		t.Error(l)
	}
	b.scontrol(140, "update JobId=1 StartTime=now+60")
	b.until(150)
	b.scontrol(300, "hold 1")
	b.scontrol(400, "release 1")
	b.until(500)
	if l := line(b, "1"); !strings.Contains(l, "JobState=PENDING Reason=Resources ") {
		t.Error(l)
	}
	b.run()
	b.want(`
		1 job_allocated 1 aws-1
		10 job_requeued 1 requeuehold
		10 job_held 1#1 requeuehold
		130 job_eligible 1#1
		200 job_eligible 1#1
		300 job_held 1#1 JobHeldAdmin
		400 job_eligible 1#1
		3600 job_allocated 1#1 rack1
		3700 job_ended 1#1 COMPLETED
	`, "allocated 1", "held", "requeued", "eligible 1#", "ended 1")
}

func TestAJobIsHeldWhileItWaitsForItsTime(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, single(1))
	b.scontrol(10, "requeue 1") // eligible again at 130
	b.scontrol(20, "hold 1")
	b.scontrol(30, "update JobId=1 StartTime=now+60")
	b.until(500)
	b.want(`
		0 job_eligible 1
		10 job_requeued 1 requeue
		20 job_held 1#1 JobHeldAdmin
	`, "held", "requeued", "eligible")
}

func TestAJobOfSeveralPartitionsStartsInTheFirstThatHasRoom(t *testing.T) {
	for _, policy := range []sched.Policy{sched.FIFO, sched.EASY, sched.Slurm} {
		b := newBed(t, policy, settings())
		for id := int64(1); id <= 3; id++ {
			w := workload.Job{ID: id, Run: hour, Limit: hour, Procs: 8, Nodes: 2, Partition: "local,aws"}
			b.submit(10, w)
		}
		b.run()
		b.want(`
			10 job_allocated 1 rack1+rack2
			10 job_allocated 2 aws-1+aws-2
			10 job_allocated 3 aws-3+aws-4
		`, "allocated")
		if b.parts[1] != "local" || b.parts[2] != "aws" || b.cpus["aws-1"] != 4 {
			t.Errorf("partitions %v, CPUs of resumed nodes %v", b.parts, b.cpus)
		}
	}
}

func TestJobsThatSbatchWouldRefuse(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	for name, spoil := range map[string]func(*workload.Job){
		"no such node configuration":  func(w *workload.Job) { w.Nodes, w.Procs = 5, 20 },
		"more memory than a node has": func(w *workload.Job) { w.MemoryPerNode = 2000 },
		"a feature of no node":        func(w *workload.Job) { w.Constraint = "gpu" },
		"a constraint of no sense":    func(w *workload.Job) { w.Constraint = "efa&" },
		"no such partition":           func(w *workload.Job) { w.Partition = "nowhere" },
		"no id":                       func(w *workload.Job) { w.ID = 0 },
		"an id beyond MaxJobId":       func(w *workload.Job) { w.ID = 1 << 40 },
		"an id that is taken":         func(w *workload.Job) { w.ID = 1 },
	} {
		w := single(2)
		w.Partition = "aws"
		if name == "an id that is taken" {
			first := single(1)
			first.Partition = "aws"
			if err := b.d.Submit(first); err != nil {
				t.Fatal(err)
			}
		}
		spoil(&w)
		if err := b.d.Submit(w); !errors.Is(err, ctld.ErrRefused) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := workload.Job{ID: 7, Run: hour, Procs: 4, Nodes: 2, GPUsPerNode: 1, MemoryPerNode: 500, Constraint: "efa", Partition: "aws"}
	if err := b.d.Submit(w); err == nil || !strings.HasSuffix(err.Error(), ": 7: Requested node configuration is not available (4 CPUs on 2 nodes, 1 GPUs each, 500 MiB each, efa, in aws)") {
		t.Errorf("what is asked for is not told: %v", err)
	}
	b.run()
	b.want("0 job_submitted 1", "submitted")
}

func TestEndedJobsAreForgottenAfterMinJobAge(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, local(1))
	b.until(399)
	if r := ask(b, "1"); r.State != "COMPLETED" || !slurm.Gone(r) || r.Nodes[0] != "rack1" {
		t.Errorf("%+v", r)
	}
	b.until(400)
	if _, err := b.d.Scontrol(context.Background(), "-o", "show", "job", "1"); err == nil {
		t.Error("a job is remembered for ever")
	}
	b.submit(401, local(1)) // and its id is free
	b.run()
	if n := b.d.Counts(); n.Submitted != 2 || n.Ended != 2 {
		t.Errorf("%+v", n)
	}
}

// An ended job that scontrol revived is not forgotten, though it once ended.
func TestARevivedJobIsNotForgotten(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, local(1))
	b.scontrol(300, "requeue 1")
	b.until(410)
	if r := ask(b, "1"); r.State != "PENDING" || r.Restarts != 1 {
		t.Errorf("%+v", r)
	}
	b.run()
	b.want(`
		100 job_ended 1 COMPLETED
		300 job_requeued 1 requeue
		520 job_ended 1#1 COMPLETED
	`, "ended", "requeued")
	if n := b.d.Counts(); n.Submitted != 1 || n.Ended != 1 || n.Requeued != 1 {
		t.Errorf("%+v", n)
	}
}

// Its second end counts.
func TestARevivedJobIsForgottenAfterItsSecondEnd(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, local(1))
	b.scontrol(110, "requeue 1") // ends at 330
	b.until(450)
	if r := ask(b, "1"); r.State != "COMPLETED" || r.Restarts != 1 {
		t.Errorf("%+v", r)
	}
	b.until(640)
	if _, err := b.d.Scontrol(context.Background(), "-o", "show", "job", "1"); err == nil {
		t.Error("it is remembered for ever")
	}
}

// A number of a job that was cancelled is another's, which waits for another.
func TestAJobIsNotWokenForOneThatWasForgotten(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	long, longer := local(1), local(4)
	long.Run, longer.Run, longer.Limit = 2000*second, 5000*second, 2*hour
	b.submit(0, long)
	b.submit(0, longer)
	waits := local(2)
	waits.After = 1
	b.submit(1, waits)
	b.at(10, func() { b.d.Cancel(2) })
	other := local(3)
	other.After = 4
	b.submit(400, other)
	b.run()
	b.want("5000 job_eligible 3", "eligible 3", "eligible 2")
}

// A gang whose nodes boot has them until 290: there is time for a small job
// before the one that waits for all nodes.
func TestPromisesCountLimitsFromTheBoot(t *testing.T) {
	b := newBed(t, sched.EASY, settings())
	first := gang(1)
	first.Run, first.Limit = 200*second, 200*second
	b.submit(0, first) // starts at 90
	all := gang(2)
	all.Nodes, all.Procs = 4, 16
	b.submit(95, all)
	small := single(3)
	small.Limit = 150 * second
	b.submit(100, small)
	b.until(200)
	b.want("100 job_allocated 3 aws-4", "allocated 3")
}

func TestWhatScontrolShowsOfAJobsTimes(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	w := gang(7)
	w.Name, w.User, w.Account, w.Array, w.Task = "mpi", "ann", "phys", 5, 3
	b.submit(0, w)
	b.until(30)
	if l := line(b, "7"); !strings.Contains(l, "JobId=7 ArrayJobId=5 ArrayTaskId=3 JobName=mpi UserId=ann(1000)") || !strings.Contains(l, "JobState=CONFIGURING") || !strings.Contains(l, "NodeList=aws-[1-3] BatchHost=aws-1 NumNodes=3 NumCPUs=12") {
		t.Error(l)
	}
	b.until(100)
	if l := line(b, "5_3"); !strings.Contains(l, "JobState=RUNNING") || !strings.Contains(l, "RunTime=00:00:10 TimeLimit=01:00:00") ||
		!strings.Contains(l, "SubmitTime=1970-01-12T13:46:40 EligibleTime=1970-01-12T13:46:40") || !strings.Contains(l, "StartTime=1970-01-12T13:48:10 EndTime=1970-01-12T14:48:10") {
		t.Error(l)
	}
	if r := ask(b, "7"); r.Ref() != "5_3" || !r.HasNodes() || len(r.Nodes) != 3 || !slurm.CanHold(r) {
		t.Errorf("%+v", r)
	}
	b.run()
}

func TestJobsShareNodesWhereTheyMay(t *testing.T) {
	c := settings()
	c.Shared = true
	b := newBed(t, sched.FIFO, c)
	for id := int64(1); id <= 5; id++ {
		w := local(id)
		w.Procs, w.Exclusive = 2, id == 5
		b.submit(0, w)
	}
	b.until(1)
	out, err := b.d.Scontrol(context.Background(), "-o", "show", "node", "rack1")
	if err != nil || !strings.Contains(string(out), " State=ALLOCATED ") || !strings.Contains(string(out), "CPUAlloc=4 ") {
		t.Errorf("%s, %v", out, err)
	}
	b.run()
	b.want(`
		0 job_allocated 1 rack1
		0 job_allocated 2 rack1
		0 job_allocated 3 rack2
		0 job_allocated 4 rack2
		100 job_allocated 5 rack1
	`, "allocated")
}

func TestSlurmsMainPassIsDelayedAndItsBackfillTicks(t *testing.T) {
	b := newBed(t, sched.Slurm, settings())
	first := local(1)
	first.Run, first.Limit = 200*second, 200*second
	b.submit(0, first)
	wide := local(2)
	wide.Nodes, wide.Procs = 2, 8
	b.submit(1, wide) // waits for 1, and everybody behind it
	small := local(3)
	small.Limit = 100 * second
	b.submit(2, small) // backfilled: the first that is made 30 s after the beginning
	b.run()
	b.want(`
		3 job_allocated 1 rack1
		30 job_allocated 3 rack2
		203 job_allocated 2 rack1+rack2
	`, "allocated")
	if n := b.d.Counts(); n.Passes > 6 || n.Backfills > 4 {
		t.Errorf("%+v: passes are made where something has changed", n)
	}
}

func TestTheSameSeedLeavesTheSameTrace(t *testing.T) {
	hash := func(policy sched.Policy, listen bool) uint64 {
		var sink record.Sink
		if listen {
			sink = func(record.Event) {}
		}
		_, m := simulate(t, halves(20, 4), policy, someJobs(1, 300), sink)
		return m.engine.Hash()
	}
	for _, policy := range []sched.Policy{sched.FIFO, sched.EASY, sched.Slurm} {
		first := hash(policy, true)
		if again, quiet := hash(policy, true), hash(policy, false); again != first || quiet != first {
			t.Errorf("%s: %x, %x, and with nobody listening %x", policy, first, again, quiet)
		}
	}
}
