package executor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/fleet"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/port"
	"aws-slurm-burst/simulator/ec2/wire"
	"aws-slurm-burst/simulator/faults"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

const siteConfig = `
cluster: test
aws: {region: us-east-1}
slurm:
  scontrol: /usr/bin/scontrol
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: hpc, nodes: "aws-hpc-[001-600]", instance_types: [c5n.18xlarge, c5n.9xlarge], subnets: {azs: [us-east-1a, us-east-1b]}, image: {owner: amazon, name: "al2023-ami-2023*"}}
        - {node_group_name: cpu, nodes: "aws-cpu-[001-600]", instance_types: [c6i.xlarge, c5.xlarge], purchasing_option: spot, allow_mixed: true, subnets: {azs: [us-east-1a, us-east-1b]}, image: {owner: amazon, name: "al2023-ami-2023*"}}
`

const gangPlan = `{
  "should_burst": true,
  "instance_specification": {"instance_types": ["c5n.18xlarge", "c5n.9xlarge"], "purchasing_option": "spot", "max_spot_price": 2.5},
  "mpi_configuration": {"is_mpi_job": true, "process_count": 288, "requires_gang_scheduling": true, "requires_efa": true},
  "cost_constraints": {"max_cost_per_hour": 40, "allow_mixed_pricing": true, "max_duration_hours": 4},
  "network_configuration": {"placement_group_type": "cluster", "availability_zones": ["us-east-1a", "us-east-1b"]}
}`

// The tiers of an EC2 call: the Go port, and the real SDK over the wire.
const (
	tierA = "A"
	tierB = "B"
)

// world is a machine with a Slurm and an EC2, in virtual time.
type world struct {
	t      *testing.T
	tier   string
	engine *simulator.Engine
	ec2    *ec2.Model
	slurm  *slurmmodel.Model // nil: Slurm is off
	disk   *simulator.Disk
	config string
	plans  map[string]string
	// owners are the users whose plan files are not ours, open the files that
	// anyone may write.
	owners map[string]int
	open   map[string]bool
	// folder is one of plans that is there.
	folder string
	faults *faults.Rules
	// advisor is who is asked for plans; nil: nobody is there.
	advisor *advisor
	onCall  func(p *simulator.Process, call string)
	// cloud may stand between an executor and its EC2, skew before its clock.
	cloud func(cloud.Cloud) cloud.Cloud
	skew  time.Duration
	// alive are the live instances, most how many there ever were at once.
	alive map[string]bool
	most  int
}

// epoch is when every world begins.
var epoch = env.At(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))

func newWorld(t *testing.T) *world {
	t.Helper()
	return newLaggingWorld(t, 0)
}

// newLaggingWorld has an EC2 that shows new instances only after a while.
func newLaggingWorld(t *testing.T, lag time.Duration) *world {
	t.Helper()
	w := &world{t: t, tier: tierA, disk: simulator.NewDisk(), alive: map[string]bool{}, config: siteConfig, plans: map[string]string{"plan.json": gangPlan}, owners: map[string]int{}, open: map[string]bool{}}
	w.engine = simulator.New(simulator.Options{
		Seed: 1, Start: epoch, MaxEvents: 1e6,
		OnCall: func(p *simulator.Process, call string) {
			if w.onCall != nil {
				w.onCall(p, call)
			}
		},
	})
	w.ec2 = w.newEC2(1, lag)
	return w
}

// renumber replaces the EC2 by one whose subnets have other ids.
func (w *world) renumber() { w.ec2 = w.newEC2(2, 0) }

func (w *world) newEC2(seed uint64, lag time.Duration) *ec2.Model {
	model, err := ec2.New(ec2.Options{Clock: w.engine.Env(), Types: ec2.Catalog(catalog.Default()), Seed: seed, VisibilityLag: lag, Observe: func(e ec2.Event) {
		if e.Code == "" {
			for _, id := range e.IDs {
				switch e.Action {
				case "RunInstances": // or the same again, for a token
					w.alive[id] = true
				case "TerminateInstances":
					delete(w.alive, id)
				}
			}
			w.most = max(w.most, len(w.alive))
		}
		fields := []simulator.Field{simulator.Text(e.Code)}
		for _, id := range e.IDs {
			fields = append(fields, simulator.Text(id))
		}
		w.engine.Trace(e.Action, fields...)
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return model
}

// withSlurm adds a slurmctld whose job wants these nodes.
func (w *world) withSlurm(nodes []string, jobs ...slurmmodel.Job) *world {
	w.slurm = slurmmodel.New(w.engine.Env())
	for _, n := range nodes {
		w.slurm.SetNode(slurmmodel.Node{Name: n, Addr: n, Hostname: n, State: "ALLOCATED", Flags: []string{"CLOUD", "POWERING_UP"}, CPUs: 1, RealMemory: 100, Partition: "aws"})
	}
	for _, j := range jobs {
		w.slurm.SetJob(j)
	}
	return w
}

func (w *world) withFaults(rules string) *world {
	w.t.Helper()
	r, err := faults.Parse([]byte("faults:\n"+rules+"\n"), "faults.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	w.faults = r
	return w
}

// latency of an EC2 call, so that things happen at different instants.
func latency(string) time.Duration { return 200 * time.Millisecond }

func (w *world) executor(e env.Env) *executor.Executor {
	cfg, err := config.Parse([]byte(w.config), "config.yaml")
	if err != nil {
		panic(err)
	}
	x := &executor.Executor{Env: e, Config: cfg, Types: catalog.Default(), Store: w.disk.For(e), Plans: planFiles{w}, Endpoint: "http://ec2.test"}
	switch w.tier {
	case tierA:
		x.Cloud = port.New(w.ec2, e, latency).WithFaults(w.faults)
	case tierB:
		half := func(ctx context.Context) error { return e.Sleep(ctx, latency("")/2) }
		client := wire.Client(wire.New(w.ec2), half)
		client.After = half // as the port of tier A does
		c, err := awscloud.New(context.Background(), awscloud.Options{
			Region: "us-east-1", EndpointURL: x.Endpoint, HTTPClient: client, Getenv: func(string) string { return "" },
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		})
		if err != nil {
			panic(err)
		}
		x.Cloud = c
	}
	if w.cloud != nil {
		x.Cloud = w.cloud(x.Cloud)
	}
	x.Advisor = w.advisor.on(e)
	if w.skew != 0 {
		x.Env = skewed{e, w.skew}
	}
	if w.slurm != nil {
		x.Slurm = slurm.New(w.slurm, e, "")
	} else {
		x.Slurm = slurm.New(nil, e, "")
	}
	return x
}

// call runs one program in a process of its own, to its end.
func (w *world) call(name string, fn func(ctx context.Context, x *executor.Executor) *report.Report) (*report.Report, []string) {
	w.t.Helper()
	var r *report.Report
	p := w.engine.Spawn(name, func(ctx context.Context, e env.Env) { r = fn(ctx, w.executor(e)) })
	if err := w.engine.Run(); err != nil {
		w.t.Fatal(err)
	}
	return r, p.Lines()
}

func (w *world) resume(q executor.ResumeRequest) (*report.Report, []string) {
	w.t.Helper()
	if q.Getenv == nil {
		q.Getenv = func(string) string { return "" }
	}
	return w.call("resume", func(ctx context.Context, x *executor.Executor) *report.Report { return x.Resume(ctx, q) })
}

func (w *world) suspend(nodes ...string) (*report.Report, []string) {
	w.t.Helper()
	return w.call("suspend", func(ctx context.Context, x *executor.Executor) *report.Report { return x.Suspend(ctx, nodes) })
}

func (w *world) reconcile() (*report.Report, []string) {
	w.t.Helper()
	return w.call("reconcile", func(ctx context.Context, x *executor.Executor) *report.Report {
		return x.Reconcile(ctx, executor.ReconcileRequest{})
	})
}

// pass lets virtual time go by.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	if err := w.engine.RunUntil(w.engine.Now().Add(d)); err != nil {
		w.t.Fatal(err)
	}
}

// live returns the live instances of our cluster, by node.
func (w *world) live() map[string][]cloud.Instance {
	w.t.Helper()
	out := map[string][]cloud.Instance{}
	var page cloud.InstancePage
	w.engine.Spawn("look", func(ctx context.Context, e env.Env) {
		var err error
		if page, err = port.New(w.ec2, e, nil).Describe(ctx, fleet.Query("test")); err != nil {
			panic(err)
		}
	})
	if err := w.engine.Run(); err != nil {
		w.t.Fatal(err)
	}
	f := fleet.New(page.Instances, nil)
	for _, n := range f.Claimed() {
		for _, i := range f.Of(n) {
			out[n] = append(out[n], *i)
		}
	}
	if len(f.Strangers) > 0 {
		w.t.Errorf("%d instances whose tags name no node", len(f.Strangers))
	}
	return out
}

// check holds the invariants of a world at rest: one instance a node at most,
// and exactly these nodes have one.
func (w *world) check(nodes ...string) {
	w.t.Helper()
	live := w.live()
	for n, is := range live {
		if len(is) > 1 {
			w.t.Errorf("I1: %s has %d live instances", n, len(is))
		}
		if !slices.Contains(nodes, n) {
			w.t.Errorf("I2: %s has an instance that nobody wants (launched %s)", n, identity.LaunchedAt(&is[0]))
		}
	}
	for _, n := range nodes {
		if len(live[n]) == 0 {
			w.t.Errorf("%s has no instance", n)
		}
	}
}

func names(prefix string, from, to int) []string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf("%s-%03d", prefix, i))
	}
	return out
}

// planFiles are the plan files of a world.
type planFiles struct{ *world }

func (w planFiles) ReadPlan(_ context.Context, path string, limit int64) ([]byte, plansource.FileInfo, error) {
	text, ok := w.plans[path]
	uid, others := w.owners[path]
	info := plansource.FileInfo{OwnedByRootOrSelf: !others, UID: uid, WorldWritable: w.open[path]}
	switch {
	case path == w.folder:
		return nil, info, plansource.ErrNotRegular
	case !ok:
		return nil, info, plansource.ErrNotFound
	case text == unreadable:
		return nil, info, fmt.Errorf("%w: permission denied", plansource.ErrUnreadable)
	case int64(len(text)) > limit:
		return nil, info, plansource.ErrTooLarge
	}
	return []byte(text), info, nil
}

// unreadable is the text of a plan file that may not be read.
const unreadable = "unreadable"

// wants fails unless a line is among those said.
func wants(t *testing.T, lines []string, want ...string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("missing line\n  %s\nin\n  %s", line, strings.Join(lines, "\n  "))
		}
	}
}

var everything = api.Query{}

var siteConfigOnDemand = strings.Replace(siteConfig, "purchasing_option: spot, allow_mixed: true", "purchasing_option: on-demand", 1)

func fold(nodes []string) string { return hostlist.Fold(nodes) }

// skewed is the Env of a machine whose clock is wrong.
type skewed struct {
	env.Env
	by time.Duration
}

func (s skewed) Now() env.Time { return s.Env.Now().Add(s.by) }

func (s skewed) WithDeadline(ctx context.Context, t env.Time) (context.Context, context.CancelFunc) {
	return s.Env.WithDeadline(ctx, t.Add(-s.by))
}

// newCaller makes calls for four minutes.
func newCaller(e env.Env, c cloud.Cloud) *calls.Caller {
	return calls.New(e, c, e.Now().Add(4*time.Minute))
}
