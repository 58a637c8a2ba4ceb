package ctld_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/slurm"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/ctld"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// gang is a job of three nodes that runs for 100 s.
func gang(id int64) workload.Job {
	return workload.Job{ID: id, Run: 100 * second, Limit: hour, Procs: 12, Nodes: 3, Coupled: true}
}

// single is a job of one node that runs for 100 s.
func single(id int64) workload.Job {
	return workload.Job{ID: id, Run: 100 * second, Limit: hour, Procs: 4, Nodes: 1}
}

// Whether its nodes are up is looked at each half minute. The power saving thread
// looks once a second, compares whole seconds strictly and then every 10 s: idle
// since 190, SuspendTime 120 is over at 311, SuspendTimeout 30 at
// 342, which the scan of 351 sees.
func TestAGangsLifeFromPowerUpToPowerDown(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0.5, gang(7))
	b.run()
	b.want(`
		0.5 job_submitted 7
		0.5 job_eligible 7
		0.5 job_allocated 7 aws-1+aws-2+aws-3
		1 node_resumed aws-1
		1 node_resumed aws-2
		1 node_resumed aws-3
		1 resume aws-1+aws-2+aws-3
		61 node_ready aws-1
		61 node_ready aws-2
		61 node_ready aws-3
		90 job_started 7
		90 job_working 7
		190 job_ended 7 COMPLETED
		311 node_suspended aws-1
		311 node_suspended aws-2
		311 node_suspended aws-3
		311 suspend aws-1+aws-2+aws-3
		351 node_down aws-1
		351 node_down aws-2
		351 node_down aws-3
	`)
	if s := b.state("aws-1"); s != "IDLE+CLOUD+POWERED_DOWN" {
		t.Error(s)
	}
}

func TestTheResumeFileNamesJobsWithTheirNodes(t *testing.T) {
	c := settings()
	c.Shared = true
	b := newBed(t, sched.FIFO, c)
	for id := int64(1); id <= 3; id++ {
		w := single(id)
		w.Procs = 2
		b.submit(0, w)
	}
	b.run()
	if want := `{"jobs":[{"job_id":1,"nodes":"aws-1"},{"job_id":2,"nodes":"aws-1"},{"job_id":3,"nodes":"aws-2"}],"all_nodes":"aws-[1-2]"}`; string(b.file) != want {
		t.Errorf("got  %s\nwant %s", b.file, want)
	}
	f, err := slurm.ReadResumeFile(b.file)
	if err != nil || len(f.Jobs) != 3 || len(f.Nodes) != 2 {
		t.Errorf("as the executor reads it: %+v, %v", f, err)
	}
}

func TestABatchScriptStartsOnItsFirstNodeUnlessToldToWait(t *testing.T) {
	boots := func(node string) time.Duration {
		return map[string]time.Duration{"aws-1": 60 * second, "aws-2": 90 * second, "aws-3": 75 * second}[node]
	}
	b := newBed(t, sched.FIFO, settings())
	b.boot = boots
	b.submit(0, gang(7))
	b.run()
	b.want(`
		90 job_started 7
		91 job_working 7
		191 job_ended 7 COMPLETED
	`, "job_started", "job_working", "job_ended")

	c := settings()
	c.Scheduler.WaitAllNodes = true
	b = newBed(t, sched.FIFO, c)
	b.boot = boots
	b.submit(0, gang(7))
	b.run()
	b.want(`
		120 job_started 7
		120 job_working 7
		220 job_ended 7 COMPLETED
	`, "job_started", "job_working", "job_ended")
}

// What was asked for at 1 is missed after 301, at 302; the thread looks at 2,
// 12, ... and once more in the second after 61, when others came: at 302.
func TestANodeThatDoesNotComeByResumeTimeoutIsDownAndItsJobRequeued(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	never := true
	b.boot = func(node string) time.Duration {
		if node == "aws-2" && never {
			never = false
			return -1
		}
		return 60 * second
	}
	b.submit(0, gang(7))
	b.until(310)
	b.want(`
		1 resume aws-1+aws-2+aws-3
		90 job_started 7
		302 node_failed aws-2 ResumeTimeout reached
		302 job_requeued 7 ResumeTimeout reached
		302 fail aws-2
	`, " resume ", "job_started", "node_failed", "job_requeued", " fail ")
	if s := b.state("aws-2"); s != "DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING" {
		t.Error(s)
	}
	// It stays out of use until somebody says RESUME; the job takes others.
	b.run()
	b.want(`
		422 job_eligible 7#1
		422 job_allocated 7#1 aws-1+aws-3+aws-4
		450 job_started 7#1
		483 job_working 7#1
		583 job_ended 7#1 COMPLETED
	`, "7#1")
}

// Observed on 22.05.8: the job is requeued at once, SuspendProgram comes a second
// later, the node is idle~ after SuspendTimeout and keeps the reason.
func TestNodesThatAreGivenBack(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.boot = func(string) time.Duration { return -1 }
	b.submit(0, gang(7))
	b.scontrol(20.3, "update NodeName=aws-[1-3] State=POWER_DOWN_FORCE Reason=(Code:InsufficientInstanceCapacity)")
	b.until(20.5)
	if s := b.state("aws-1"); s != "IDLE+CLOUD+POWER_DOWN+NOT_RESPONDING" {
		t.Error(s)
	}
	b.until(65)
	b.want(`
		0 job_submitted 7
		0 job_eligible 7
		0 job_allocated 7 aws-1+aws-2+aws-3
		20.3 job_requeued 7 (Code:InsufficientInstanceCapacity)
	`, "job_")
	b.want(`
		1 resume aws-1+aws-2+aws-3
		21 suspend aws-1+aws-2+aws-3
		61 node_down aws-1
		61 node_down aws-2
		61 node_down aws-3
	`, " suspend ", " resume ", "node_down")
	if n := b.d.Model().Node("aws-1"); b.state("aws-1") != "IDLE+CLOUD+POWERED_DOWN" || n.Reason != "(Code:InsufficientInstanceCapacity)" {
		t.Errorf("%s %q", b.state("aws-1"), n.Reason)
	}
}

// Observed on 22.05.8: a plain POWER_DOWN takes nothing from a node that boots. Its
// job runs and it goes after it; one that nobody has any more goes when it is up,
// one that never comes up at its ResumeTimeout.
func TestANodeThatBootsComesUpBeforeItIsPoweredDown(t *testing.T) {
	c := settings()
	c.ResumeTimeout, c.SuspendTime = 100*second, 600*second
	b := newBed(t, sched.FIFO, c)
	b.boot = func(node string) time.Duration {
		if node == "aws-3" {
			return -1
		}
		return 60 * second
	}
	for id := int64(1); id <= 3; id++ {
		w := single(id)
		w.NoRequeue = true
		b.submit(0, w)
	}
	b.scontrol(20, "update NodeName=aws-[1-3] State=POWER_DOWN Reason=x")
	b.at(21, func() { b.d.Cancel(2) })
	b.until(22)
	if s := b.state("aws-1") + " " + b.state("aws-2"); s != "IDLE+CLOUD+POWER_DOWN+NOT_RESPONDING+POWERING_UP IDLE+CLOUD+POWER_DOWN+NOT_RESPONDING+POWERING_UP" {
		t.Error(s)
	}
	b.until(215)
	b.want(`
		61 node_ready aws-1
		61 node_ready aws-2
		62 node_suspended aws-2
		102 node_failed aws-3 ResumeTimeout reached
		190 job_ended 1 COMPLETED
		191 node_suspended aws-1
	`, "node_ready", "node_failed", "node_suspended", "job_ended 1")
	// SuspendProgram is called again for one that is off.
	b.scontrol(300, "update NodeName=aws-2 State=POWER_DOWN Reason=x")
	b.until(312)
	if s := b.state("aws-2"); s != "IDLE+CLOUD+POWERING_DOWN" {
		t.Error(s)
	}
	b.want(`
		62 suspend aws-2
		301 suspend aws-2
	`, " suspend aws-2")
}

// Observed on 22.05.8: the job runs, nobody else gets in, SuspendProgram comes 1
// or 2 s after it ends.
func TestANodeOfSingleUseGoesWithItsJob(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, single(1))
	b.scontrol(30, "update NodeName=aws-1 NodeAddr=10.0.0.1 State=POWER_DOWN_ASAP Reason=plan_X")
	long := single(2)
	long.Run = 400 * second
	for id := int64(2); id <= 4; id++ {
		long.ID = id
		b.submit(40, long)
	}
	b.submit(195, single(5)) // waits for the node rather than get in
	b.until(100)
	if s := b.state("aws-1"); s != "IDLE+CLOUD+DRAIN+POWER_DOWN" {
		t.Error(s)
	}
	b.until(300)
	b.want(`
		0 job_allocated 1 aws-1
		61 node_ready aws-1
		190 job_ended 1 COMPLETED
		191 node_suspended aws-1 POWER_DOWN_ASAP
		191 suspend aws-1
		231 job_allocated 5 aws-1
		292 node_ready aws-1
	`, " 1 COMPLETED", "allocated 1 ", "ready aws-1 ", " suspend aws-1 ", "suspended aws-1", "allocated 5")
}

func TestRatesSpreadPowerUpsAndDowns(t *testing.T) {
	c := settings()
	c.ResumeRate, c.SuspendRate = 2, 1
	b := newBed(t, sched.FIFO, c)
	b.submit(0, gang(7))
	b.run()
	// The counts fade by a sixth in 10 s: 2 nodes are 1.39 after 20 s, which
	// rounds to 1, and 1 is 0.48 after 40 s, which rounds to 0.
	b.want(`
		1 resume aws-1+aws-2
		21 resume aws-3
		311 suspend aws-1
		351 suspend aws-2
		411 suspend aws-3
	`, " resume ", " suspend ")
}

func TestACancelledJobsBootingNodesAreTheNextJobs(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, gang(7))
	b.at(20, func() {
		if !b.d.Cancel(7) || b.d.Cancel(7) || b.d.Cancel(99) {
			t.Error("cancel")
		}
	})
	b.submit(30, gang(8))
	b.until(100)
	b.want(`
		0 job_allocated 7 aws-1+aws-2+aws-3
		1 resume aws-1+aws-2+aws-3
		20 job_ended 7 CANCELLED
		30 job_allocated 8 aws-1+aws-2+aws-3
		90 job_working 8
	`, " resume ", "allocated", "job_ended", "working")
}

func TestWhatIsExcludedIsNeverSuspended(t *testing.T) {
	c := settings()
	c.SuspendExcParts = nil
	c.SuspendExcNodes = []string{"rack1", "aws-[1-3]:2"}
	b := newBed(t, sched.FIFO, c)
	b.submit(0, gang(7))
	b.submit(0, workload.Job{ID: 8, Run: 100 * second, Procs: 8, Nodes: 2, Partition: "local"})
	b.run()
	b.want(`
		221 suspend rack2
		311 suspend aws-3
	`, " suspend ")
}

func TestAPartitionsOwnTimes(t *testing.T) {
	c := settings()
	long, short := 200*second, 20*second
	c.SuspendTime = conf.Infinite
	c.Partitions[1].SuspendTime, c.Partitions[1].SuspendTimeout, c.Partitions[1].ResumeTimeout = &long, &short, &short
	b := newBed(t, sched.FIFO, c)
	b.boot = func(node string) time.Duration {
		if node == "aws-1" {
			return 10 * second
		}
		return 60 * second
	}
	b.submit(0, single(1))
	w := single(2)
	w.NoRequeue = true
	b.submit(0, w)
	b.until(400)
	b.want(`
		1 resume aws-1+aws-2
		11 node_ready aws-1
		22 node_failed aws-2 ResumeTimeout reached
		331 node_suspended aws-1
		361 node_down aws-1
	`, " resume ", "node_ready aws-1", "node_failed", "node_suspended", "node_down")
}

// A node of several partitions has the longest of their times, where they have
// their own: the cluster's is for nodes of partitions without.
func TestANodeOfSeveralPartitionsHasTheLongestOfTheirTimes(t *testing.T) {
	span := func(d time.Duration) *time.Duration { return &d }
	for name, c := range map[string]struct {
		first, other *time.Duration
		want         string
	}{
		"the later one's":     {span(20 * second), span(50 * second), "241 node_suspended aws-1 "},
		"the earlier one's":   {span(50 * second), span(20 * second), "241 node_suspended aws-1 "},
		"one's own":           {span(50 * second), nil, "241 node_suspended aws-1 "},
		"the cluster's":       {nil, nil, "311 node_suspended aws-1 "},
		"never, by the first": {span(conf.Infinite), span(50 * second), ""},
		"never, by the other": {span(50 * second), span(conf.Infinite), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings()
			s.Partitions[1].SuspendTime = c.first
			other := conf.DefaultPartition("other")
			other.Nodes, other.SuspendTime = []string{"aws-[1-4]"}, c.other
			s.Partitions = append(s.Partitions, other)
			b := newBed(t, sched.FIFO, s)
			b.submit(0, single(1))
			b.until(1000)
			b.want(strings.TrimSpace(c.want), "node_suspended aws-1")
		})
	}
}

func TestAnExceptionOfAsManyNodesAsThereAreIsOfAllOfThem(t *testing.T) {
	for list, want := range map[string]string{"aws-[1-3]:3": "", "aws-[1-3]:9": "", "aws-[1-3]:0": "", "gone,aws-[1-2]": "311 suspend aws-3"} {
		c := settings()
		c.SuspendExcNodes = []string{list}
		b := newBed(t, sched.FIFO, c)
		b.submit(0, gang(7))
		b.run()
		b.want(want, " suspend ")
	}
}

// A machine that comes when slurmctld has given up on it is nobody's.
func TestANodeThatRegistersTooLate(t *testing.T) {
	for service, want := range map[int]string{0: "DOWN", 1: "DOWN", 2: "IDLE"} {
		c := settings()
		c.ReturnToService = service
		b := newBed(t, sched.FIFO, c)
		b.boot = func(string) time.Duration { return -1 }
		w := single(1)
		w.NoRequeue = true
		b.submit(0, w)
		b.at(400, func() {
			if b.d.Register("aws-1", "i-late") {
				t.Error("it was taken")
			}
		})
		b.run()
		if s := b.state("aws-1"); s != want+"+CLOUD+POWERED_DOWN+NOT_RESPONDING" {
			t.Errorf("ReturnToService=%d: %s, want %s", service, s, want)
		}
		b.want("311 job_ended 1 NODE_FAIL ResumeTimeout reached", "job_ended")
	}
}

func TestALostNodeIsDownAfterSlurmdTimeoutAndSuspendedLater(t *testing.T) {
	for idle, want := range map[bool]string{false: "DOWN+CLOUD+POWERED_DOWN", true: "IDLE+CLOUD+POWERED_DOWN"} {
		c := settings()
		c.IdleOnNodeSuspend = idle
		b := newBed(t, sched.FIFO, c)
		w := single(1)
		w.Run, w.NoRequeue = 2*hour, true
		w.Limit = 3 * hour
		b.submit(0, w)
		b.at(100, func() { b.d.Lost("aws-1") })
		b.until(399)
		if s := b.state("aws-1"); s != "IDLE+CLOUD+NOT_RESPONDING" {
			t.Error(s)
		}
		b.run()
		b.want(`
			400 node_failed aws-1 Not responding
			400 job_ended 1 NODE_FAIL Not responding
			521 node_suspended aws-1
			561 node_down aws-1
		`, "node_failed", "job_ended", "node_suspended", "node_down")
		if s := b.state("aws-1"); s != want {
			t.Errorf("idle_on_node_suspend %v: %s, want %s", idle, s, want)
		}
	}
}

func TestAnIdleMonthHasNoEvents(t *testing.T) {
	b := newBed(t, sched.Slurm, settings())
	w := single(1)
	w.Begin = 30 * 24 * hour
	b.submit(0, w)
	b.run()
	if n := b.engine.Events(); n > 20 {
		t.Errorf("%d events", n)
	}
	b.want("2.592e+06 job_eligible 1", "eligible")
}

func TestCloudNodesNeedPowerSaving(t *testing.T) {
	for name, spoil := range map[string]func(*conf.Settings){
		"SuspendTime":    func(c *conf.Settings) { c.SuspendTime = conf.Infinite },
		"ResumeProgram":  func(c *conf.Settings) { c.ResumeProgram = "" },
		"SuspendProgram": func(c *conf.Settings) { c.SuspendProgram = "" },
	} {
		c := settings()
		spoil(&c)
		e := simulator.New(simulator.Options{})
		if _, err := ctld.New(ctld.Options{Engine: e, Conf: c, Programs: &machines{}}); !errors.Is(err, ctld.ErrConf) || !strings.Contains(err.Error(), "power saving is off") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheThreadsIntervalsSayWhenItLooks(t *testing.T) {
	c := settings()
	c.PowerSaveInterval = second
	b := newBed(t, sched.FIFO, c)
	b.submit(0.5, single(1))
	b.run()
	b.want(`
		1 resume aws-1
		311 suspend aws-1
		342 node_down aws-1
	`, " resume ", " suspend ", "node_down")

	// A change is seen 7 s after the last look at the soonest.
	c.PowerSaveInterval, c.PowerSaveMinInterval = 10*second, 7*second
	b = newBed(t, sched.FIFO, c)
	b.submit(0.5, single(1))
	b.submit(8, single(2))
	b.submit(8.5, single(3))
	b.run()
	b.want(`
		7 resume aws-1
		14 resume aws-2+aws-3
	`, " resume ")
}

func TestABootingNodeGoesBeforeOneThatIsOff(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.boot = func(string) time.Duration { return 100 * second }
	one := single(1)
	one.NoRequeue = true
	b.submit(0, one)
	b.submit(0, single(2))
	b.scontrol(20, "update NodeName=aws-1 State=POWER_DOWN_FORCE Reason=x")
	b.at(30, func() { b.d.Cancel(2) })
	b.submit(65, single(3))
	b.until(70)
	if s := b.state("aws-1"); s != "IDLE+CLOUD+POWERED_DOWN" {
		t.Error(s)
	}
	b.want("65 job_allocated 3 aws-2", "allocated 3")

	// And after one that is up.
	b = newBed(t, sched.FIFO, settings())
	b.boot = func(n string) time.Duration {
		return map[string]time.Duration{"aws-1": 200 * second, "aws-2": 20 * second}[n]
	}
	b.submit(0, single(1))
	b.submit(0, single(2))
	b.at(100, func() { b.d.Cancel(1); b.d.Cancel(2) })
	b.submit(110, single(3))
	b.run()
	b.want("110 job_allocated 3 aws-2", "allocated 3")
}

func TestANodeThatIsLostBeforeItsJobStarts(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, single(1))
	b.at(70, func() { b.d.Lost("aws-1") })
	b.until(400)
	b.want(`
		61 node_ready aws-1
		370 node_failed aws-1 Not responding
		370 job_requeued 1 Not responding
	`, "node_ready", "node_failed", "started", "requeued")
}

func TestANodeThatPowersDownIsNotToldTwice(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, single(1))
	b.scontrol(320, "update NodeName=aws-1 State=POWER_DOWN_FORCE Reason=again")
	b.run()
	b.want(`
		311 suspend aws-1
		351 node_down aws-1
	`, " suspend ", "node_down")
}

func TestAGoodBootForgetsWhyANodeWasGivenBack(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, single(1))
	b.scontrol(20, "update NodeName=aws-1 State=POWER_DOWN_FORCE Reason=(Code:X)")
	b.until(139)
	if r := b.d.Model().Node("aws-1").Reason; r != "(Code:X)" {
		t.Errorf("%q", r)
	}
	b.until(250)
	if n := b.d.Model().Node("aws-1"); n.Reason != "" || n.Has("POWERED_DOWN") {
		t.Errorf("%+v", n)
	}
}

// A look that finds nothing is one all the same: it is from the last of them that the
// next one keeps its distance.
func TestALookThatFoundNothingKeepsTheNextOneOff(t *testing.T) {
	for at, want := range map[float64]string{
		9:    "10 resume aws-1", // 7 s after the one at 0 are over
		10:   "17 resume aws-1",
		23:   "27 resume aws-1",
		29.5: "30 resume aws-1",
		1234: "1237 resume aws-1",
	} {
		c := settings()
		c.PowerSaveInterval, c.PowerSaveMinInterval = 10*second, 7*second
		b := newBed(t, sched.FIFO, c)
		b.submit(at, single(1))
		b.until(at + 60)
		b.want(want, " resume ")
	}
}

func TestNodesThatAreDueTogetherAreSuspendedInTheirOwnOrder(t *testing.T) {
	c := settings()
	c.PowerSaveInterval = 100 * second
	b := newBed(t, sched.FIFO, c)
	for id, run := range map[int64]time.Duration{1: 130 * second, 2: 120 * second, 3: 110 * second} {
		b.submit(float64(id), workload.Job{ID: id, Run: run, Limit: hour, Procs: 4})
	}
	b.run()
	b.want(`
		321 suspend aws-3
		421 suspend aws-1+aws-2
	`, " suspend ") // aws-2 is idle before aws-1
}

// As many stay up as there are idle: those that work are not of them.
func TestAnExceptionKeepsIdleNodesUp(t *testing.T) {
	c := settings()
	c.SuspendExcNodes = []string{"aws-[1-3]:2"}
	b := newBed(t, sched.FIFO, c)
	b.submit(0, gang(7))
	b.submit(200, workload.Job{ID: 8, Run: 1000 * second, Limit: hour, Procs: 4})
	b.run()
	b.want(`
		190 job_ended 7 COMPLETED
		1200 job_ended 8 COMPLETED
		1201 suspend aws-3
	`, " suspend ", "job_ended")

	// Nor are those that are drained.
	b = newBed(t, sched.FIFO, c)
	b.submit(0, gang(7))
	b.scontrol(200, "update NodeName=aws-1 State=DRAIN Reason=memory")
	b.run()
	b.want("311 suspend aws-1", " suspend ")
}

func TestPowerSavingIsOnWhereAPartitionHasATimeAfterWhichToSuspend(t *testing.T) {
	times := []time.Duration{conf.Infinite, 100 * second}
	for name, c := range map[string]struct {
		change func(q *conf.Partition)
		on     bool
	}{
		"no time of its own":  {func(*conf.Partition) {}, false},
		"never":               {func(q *conf.Partition) { q.SuspendTime = &times[0] }, false},
		"a time to resume":    {func(q *conf.Partition) { q.ResumeTimeout = &times[1] }, false},
		"a time to power off": {func(q *conf.Partition) { q.SuspendTimeout = &times[1] }, false},
		"a time":              {func(q *conf.Partition) { q.SuspendTime = &times[1] }, true},
	} {
		s := settings()
		s.SuspendTime = conf.Infinite
		c.change(&s.Partitions[1])
		_, err := ctld.New(ctld.Options{Engine: simulator.New(simulator.Options{Start: start}), Conf: s, Policy: sched.FIFO, Programs: &bed{}})
		if (err == nil) != c.on || err != nil && !errors.Is(err, ctld.ErrConf) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A job that goes before the thread has looked leaves its nodes off, or to the next.
func TestAJobThatIsCancelledBeforeTheLookPowersNothingUp(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, gang(7))
	b.at(0.5, func() { b.d.Cancel(7) })
	b.run()
	b.want("", " resume ")

	b = newBed(t, sched.FIFO, settings())
	b.submit(0, gang(7))
	b.at(0.5, func() { b.d.Cancel(7) })
	b.submit(0.6, single(8))
	b.until(10)
	b.want("1 resume aws-1", " resume ")
	if f, err := slurm.ReadResumeFile(b.file); err != nil || len(f.Jobs) != 1 || f.Jobs[0].ID != "8" {
		t.Errorf("%s %v", b.file, err)
	}
}

// The file is about the nodes of its call: who waits for others is not in it.
func TestAJobOnNodesThatBootIsNotInAnothersResumeFile(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.submit(0, gang(7))
	b.at(20, func() { b.d.Cancel(7) })
	b.submit(30, gang(8))
	b.submit(30, single(9))
	b.until(50)
	b.want(`
		1 resume aws-1+aws-2+aws-3
		31 resume aws-4
	`, " resume ")
	if f, err := slurm.ReadResumeFile(b.file); err != nil || len(f.Jobs) != 1 || f.Jobs[0].ID != "9" {
		t.Errorf("%s %v", b.file, err)
	}
}

func TestNodesAreResumedInTheirOwnOrder(t *testing.T) {
	b := newBed(t, sched.FIFO, settings())
	b.scontrol(0.1, "update NodeName=aws-1 State=DRAIN Reason=memory")
	b.submit(1.1, single(7))
	b.scontrol(1.2, "update NodeName=aws-1 State=RESUME")
	b.submit(1.3, single(8))
	b.until(10)
	b.want("2 resume aws-1+aws-2", " resume ")
}

func TestWithoutAResumeFailProgramNobodyIsCalled(t *testing.T) {
	c := settings()
	c.ResumeFailProgram = ""
	b := newBed(t, sched.FIFO, c)
	b.boot = func(string) time.Duration { return -1 }
	b.submit(0, single(7))
	b.until(400)
	b.want("1 resume aws-1", " resume ", " fail ")
	if got := b.state("aws-1"); !strings.HasPrefix(got, "DOWN") {
		t.Errorf("the node is %s", got)
	}
}
