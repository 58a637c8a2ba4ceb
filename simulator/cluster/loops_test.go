package cluster

import (
	"context"
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
