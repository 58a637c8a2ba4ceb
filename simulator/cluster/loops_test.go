package cluster

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// Machines that need minutes where Slurm waits for one: each job is launched for 21
// times, later and later, and then held. Without a ResumeFailProgram slurmctld calls
// nobody and its nodes stay down: reconcile ends what was launched for them.
func TestMachinesThatAreTooSlowAreNotPaidForForEver(t *testing.T) {
	for _, site := range []struct {
		name      string
		without   string // a line of slurm.conf
		reconcile time.Duration
		launched  int
		over      time.Duration // the run, at the latest
	}{
		{"a site as it should be", "", time.Hour, 21 + 2*21, 18 * time.Hour},
		{"nobody reconciles", "", 0, 21 + 2*21, 18 * time.Hour},
		{"no ResumeFailProgram", "ResumeFailProgram", time.Hour, 8, 2 * time.Hour},
	} {
		t.Run(site.name, func(t *testing.T) {
			cfg, err := config.Parse([]byte(groups), "config.yaml")
			if err != nil {
				t.Fatal(err)
			}
			text, err := SlurmConf(Premises{}, cfg, catalog.Default(), 4)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(text, "\n")
			if site.without != "" {
				lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, site.without) })
			}
			text = strings.Join(lines, "\n") + "\nResumeTimeout=60\n"
			profile, err := boot.Named("parallelcluster")
			if err != nil {
				t.Fatal(err)
			}
			launched, ended, held := 0, 0, 0
			opt := Options{
				Slurm: conf.Read([]byte(text), "slurm.conf", nil).Settings, Policy: sched.Slurm, Until: 30 * 24 * time.Hour,
				Cloud: &Cloud{Config: cfg, Types: catalog.Default(), Reconcile: site.reconcile, EC2: ec2.Options{Seed: 1, Zones: 2, Boot: &profile}},
				Sink: func(e record.Event) {
					switch e.Kind {
					case record.InstanceLaunched:
						launched++
					case record.InstanceEnding:
						ended++
					case record.JobHeld:
						held++
					}
				},
			}
			jobs := func(yield func(workload.Job, error) bool) {
				for id := int64(1); id <= 2; id++ {
					if !yield(workload.Job{ID: id, Run: time.Hour, Limit: time.Hour, Procs: int32(4 * id), Partition: "aws-od"}, nil) {
						return
					}
				}
			}
			e := NewEngine(1)
			out, err := Run(context.Background(), e, jobs, opt)
			if err != nil {
				t.Fatal(err)
			}
			if launched != site.launched || ended != launched || out.Simulated > site.over || held != 2 && site.without == "" {
				t.Errorf("%d instances launched, %d ended, %d jobs held, over after %v", launched, ended, held, out.Simulated)
			}
		})
	}
}

// A gang that gets an idle node of another job's, and others that are off: the idle
// one would be kept from its SuspendTime by the gang that cannot use it.
func TestAGangThatCannotUseAnIdleNodeRunsWithoutIt(t *testing.T) {
	cfg, err := config.Parse([]byte(strings.Replace(groups, "instance_types: [c6i.xlarge, c5.xlarge], subnets", "instance_types: [m6i.xlarge], subnets", 1)), "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := SlurmConf(Premises{}, cfg, catalog.Default(), 4)
	if err != nil {
		t.Fatal(err)
	}
	requeued, state := 0, ""
	var began time.Duration
	opt := Options{
		Slurm: conf.Read([]byte(text+"SuspendTime=86400\n"), "slurm.conf", nil).Settings, Policy: sched.Slurm, Until: 7 * 24 * time.Hour,
		Cloud: &Cloud{Config: cfg, Types: catalog.Default(), Plans: planned{}, EC2: ec2.Options{Seed: 1, Zones: 2}},
		Sink: func(e record.Event) {
			if e.Job != 3 {
				return
			}
			switch e.Kind {
			case record.JobRequeued:
				requeued++
			case record.JobWorking:
				began = e.At.Sub(record.Begin)
			case record.JobEnded:
				state = e.State
			}
		},
	}
	jobs := func(yield func(workload.Job, error) bool) {
		_ = yield(workload.Job{ID: 1, Run: 10 * time.Minute, Limit: time.Hour, Procs: 4, Partition: "aws-od"}, nil) &&
			yield(workload.Job{ID: 3, Submit: time.Hour, Run: 10 * time.Minute, Limit: time.Hour, Procs: 16, Partition: "aws-od"}, nil)
	}
	if _, err := Run(context.Background(), NewEngine(1), jobs, opt); err != nil {
		t.Fatal(err)
	}
	if requeued != 1 || state != "COMPLETED" || began > time.Hour+5*time.Minute {
		t.Errorf("the gang was requeued %d times, began after %v, and is %s", requeued, began, state)
	}
}

// A machine may be up before slurmctld has its address: its slurmd registers as soon
// as it has, and not at the next power-up.
func TestASlurmdThatIsUpBeforeItsAddressRegistersWithIt(t *testing.T) {
	cfg, err := config.Parse([]byte(groups), "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := SlurmConf(Premises{}, cfg, catalog.Default(), 4)
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	opt := Options{
		Slurm: conf.Read([]byte(text), "slurm.conf", nil).Settings, Policy: sched.Slurm,
		Cloud: &Cloud{Config: cfg, Types: catalog.Default(), EC2: ec2.Options{Seed: 1, Zones: 2}}, // no Boot: up at once
		Sink: func(e record.Event) {
			switch e.Kind {
			case record.InstanceLaunched, record.Resumed, record.NodeReady, record.JobWorking, record.JobRequeued:
				what = append(what, e.Kind.String())
			}
		},
	}
	jobs := func(yield func(workload.Job, error) bool) {
		yield(workload.Job{ID: 1, Run: time.Minute, Limit: time.Hour, Procs: 4, Partition: "aws-od"}, nil)
	}
	if _, err := Run(context.Background(), NewEngine(1), jobs, opt); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(what, " "); got != "instance_launched node_ready resumed job_working" && got != "instance_launched resumed node_ready job_working" {
		t.Error(got)
	}
}

// Sites on which no machine ever becomes a node: none comes up, each dies, or Slurm
// does not wait for it. Whatever else people and EC2 do, there is an end to it. A job
// that people requeue, too, begins anew, so its bound is not 21.
func TestWhereNoMachineBecomesANodeThereIsAnEnd(t *testing.T) {
	for seed := range uint64(12) {
		opt, jobs := randomSite(t, seed)
		happens := worse(seed, &opt, jobs)
		switch seed % 3 {
		case 0:
			opt.Cloud.EC2.Boot.Never = 1
		case 1:
			opt.Cloud.EC2.Boot.Dies = 1
		case 2:
			opt.Slurm.ResumeTimeout = 45 * time.Second
		}
		launched, requeued := 0, map[int64]int{}
		var last time.Duration
		opt.Sink = func(e record.Event) {
			switch e.Kind {
			case record.InstanceLaunched:
				launched++
				last = e.At.Sub(record.Begin)
			case record.JobRequeued:
				requeued[e.Job]++
			}
		}
		e := NewEngine(seed)
		s, err := newSite(e, opt)
		if err != nil {
			t.Fatal(err)
		}
		next := slices.Values(jobs)
		pull, stop := iter.Pull(next)
		s.next = func() (workload.Job, error, bool) {
			j, more := pull()
			return j, nil, more
		}
		happens(s)
		s.opt.Until = 60 * 24 * time.Hour
		s.pull()
		if _, err := s.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		stop()
		e.Close()
		for job, n := range requeued {
			if n > 60 {
				t.Errorf("seed %d: job %d was requeued %d times", seed, job, n)
			}
		}
		if launched < 20 || last > 10*24*time.Hour {
			t.Errorf("seed %d: %d instances, the last after %v", seed, launched, last)
		}
	}
}

// The nodes boot for a job that is cancelled, and slurmctld gives them to the next
// one without another call: whose they were is not in the journal.
func TestAJobThatTookOverBootingNodesIsCounted(t *testing.T) {
	opt, _ := randomSite(t, 1)
	opt.Slurm.ResumeTimeout = 2 * time.Minute
	opt.Cloud.EC2, opt.Cloud.Faults = ec2.Options{Seed: 1, Zones: 2, Boot: opt.Cloud.EC2.Boot}, nil
	opt.Cloud.EC2.Boot.Never = 1
	e := NewEngine(1)
	defer e.Close()
	s, err := newSite(e, opt)
	if err != nil {
		t.Fatal(err)
	}
	for id := int64(1); id <= 2; id++ { // each wants all nodes
		if err := s.slurm.Submit(workload.Job{ID: id, Run: time.Hour, Limit: time.Hour, Procs: 32, Partition: "aws-od"}); err != nil {
			t.Fatal(err)
		}
	}
	e.After(30*time.Second, func() { s.slurm.Cancel(1) })
	if err := e.RunUntil(record.Begin.Add(4 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if names, _ := s.cloud.disk.For(e.Env()).List("failures"); !slices.Equal(names, []string{"failures/2.json"}) {
		t.Errorf("failures on record: %v; job 2 is %+v", names, s.slurm.Model().Job(2))
	}
}
