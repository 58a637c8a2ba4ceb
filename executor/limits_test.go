package executor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/report"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

// limited is the site with a cost limit on its cpu nodes: c6i.xlarge and
// c5.xlarge cost 0.17 USD an hour.
func limited(usd string) string {
	return strings.Replace(siteConfig, "node_group_name: cpu,", "node_group_name: cpu, max_cost_per_hour: "+usd+", gang: false,", 1)
}

func oneJob(nodes []string) executor.ResumeRequest {
	return executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(resumeFile("1", nodes))}
}

func TestALimitCountsWhatTheJobHasAlready(t *testing.T) {
	w := newWorld(t)
	w.config = limited("0.6")
	first, _ := w.resume(oneJob(names("aws-cpu", 1, 3)))
	r, lines := w.resume(oneJob(names("aws-cpu", 1, 6)))
	if r.ExitCode != report.ExitPartly || r.HourlyCost == nil || *r.HourlyCost > 0.6 {
		t.Errorf("exit %d, %v USD/h: %v", r.ExitCode, r.HourlyCost, lines)
	}
	w.check(names("aws-cpu", 1, 3)...)
	wants(t, lines, "WARN: 3 of 6 nodes launched")
	if !strings.Contains(strings.Join(lines, "\n"), "INFO: No launch within 0.60 USD/h for 3 nodes more") {
		t.Errorf("lines: %v", lines)
	}
	wants(t, lines, judgedBy("c6i.xlarge"))
	if p, _ := catalog.Default().Price("c6i.xlarge", "us-east-1"); first.PriceDate != p.Date || first.Rungs[0].PriceDate != p.Date || r.PriceDate != p.Date {
		t.Errorf("costs by prices of %q and %q, a rung of %q: they are of %s", first.PriceDate, r.PriceDate, first.Rungs[0].PriceDate, p.Date)
	}
}

// judgedBy is the line about the age of the price of a type.
func judgedBy(name string) string {
	p, _ := catalog.Default().Price(name, "us-east-1")
	return "INFO: The limit was judged by an on-demand " + catalog.Aged("price", p.Date, epoch.Std())
}

func TestALimitIsForEachJobNotForTheCall(t *testing.T) {
	w := newWorld(t)
	w.config = limited("0.2")
	nodes := names("aws-cpu", 1, 4)
	var jobs []string
	for i, n := range nodes {
		jobs = append(jobs, fmt.Sprintf(`{"job_id": %d, "nodes_resume": %q, "nodes_alloc": %q}`, i+1, n, n))
	}
	r, lines := w.resume(executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(`{"jobs": [` + strings.Join(jobs, ",") + `], "all_nodes_resume": "aws-cpu-[001-004]"}`)})
	if r.ExitCode != 0 {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check(nodes...)
}

// A job's nodes may be of several node groups, and come in several calls: they
// have one budget. Six c6i.xlarge would cost 1.02 USD an hour.
func TestALimitIsForAllNodesOfAJob(t *testing.T) {
	hpc, cpu := names("aws-hpc", 1, 3), names("aws-cpu", 1, 3)
	nodes := append(append([]string{}, hpc...), cpu...)
	for name, c := range map[string]struct {
		calls [][]string
		jobs  bool
	}{
		"of two node groups": {[][]string{nodes}, true},
		"without a job":      {[][]string{nodes}, false},
		"in two calls":       {[][]string{hpc, cpu}, true},
	} {
		w := newWorld(t)
		w.plans = map[string]string{"plan.json": `{"should_burst": true, "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand"},
			"mpi_configuration": {"requires_gang_scheduling": false}, "cost_constraints": {"max_cost_per_hour": 0.55}, "network_configuration": {}}`}
		for _, call := range c.calls {
			q := executor.ResumeRequest{Nodes: call, PlanFile: "plan.json"}
			if c.jobs {
				q.ResumeFile = []byte(resumeFile("1", nodes))
			}
			w.resume(q)
		}
		if n := len(w.live()); n != 3 {
			t.Errorf("%s: %d nodes are up, 3 are within the limit", name, n)
		}
	}
}

// A look-up goes stale in the middle of a best-effort launch.
func TestAStaleLookupDoublesNothing(t *testing.T) {
	w := newWorld(t).withFaults("- {az: us-east-1a, type: c6i.xlarge, market: spot, capacity: 3}\n- {az: us-east-1b, type: c6i.xlarge, market: spot, error: InvalidSubnetID.NotFound, times: 1}")
	nodes := names("aws-cpu", 1, 6)
	w.cloud = func(c cloud.Cloud) cloud.Cloud { return &moved{Cloud: c} }
	r, lines := w.resume(executor.ResumeRequest{Nodes: nodes})
	if w.most > 6 {
		t.Errorf("exit %d, %d at once: %v", r.ExitCode, w.most, lines)
	}
	for n, is := range w.live() {
		if len(is) > 1 {
			t.Errorf("%s has %d instances", n, len(is))
		}
	}
}

// moved is an EC2 that shows its subnets in another order at a second look.
type moved struct {
	cloud.Cloud
	looks int
}

func (m *moved) Subnets(ctx context.Context, q cloud.SubnetQuery) (cloud.SubnetPage, error) {
	p, err := m.Cloud.Subnets(ctx, q)
	if m.looks++; m.looks > 1 && len(p.Subnets) > 1 {
		p.Subnets = p.Subnets[1:]
	}
	return p, err
}

// Best effort: one instance that dies at once costs itself, not the others.
func TestBestEffortKeepsTheHealthy(t *testing.T) {
	w := newWorld(t)
	first := true
	w.cloud = func(c cloud.Cloud) cloud.Cloud {
		return &liar{Cloud: c, launched: func(is []cloud.Instance) []cloud.Instance {
			if first {
				first = false
				is[2].State, is[2].StateReason = cloud.Terminated, "Client.InternalError"
				delete(w.alive, is[2].ID)
			}
			return is
		}}
	}
	r, lines := w.resume(executor.ResumeRequest{Nodes: names("aws-cpu", 1, 6)})
	if r.ExitCode != 0 || r.APICalls["RunInstances"] != 2 || r.APICalls["TerminateInstances"] != 0 {
		t.Errorf("exit %d, calls %v: %v", r.ExitCode, r.APICalls, lines)
	}
	seen := map[string]bool{}
	for _, n := range r.Nodes {
		if n.State != report.NodeLaunched || seen[n.InstanceID] {
			t.Errorf("%s: %s %s", n.Name, n.State, n.InstanceID)
		}
		seen[n.InstanceID] = true
	}
}

// Two jobs in one call: what is wrong with one node group stops its job alone.
func TestOneJobsTroubleIsNotTheOthers(t *testing.T) {
	hpc, cpu := names("aws-hpc", 1, 2), names("aws-cpu", 1, 2)
	w := newWorld(t).withSlurm(append(append([]string{}, hpc...), cpu...), configuring(7, hpc), configuring(8, cpu))
	w.config = strings.Replace(siteConfig, `name: "al2023-ami-2023*"`, `name: "no-such-image*"`, 1) // of hpc
	file := `{"jobs":[{"job_id":7,"nodes_resume":"` + fold(hpc) + `","nodes_alloc":"` + fold(hpc) + `"},{"job_id":8,"nodes_resume":"` + fold(cpu) + `","nodes_alloc":"` + fold(cpu) + `"}],"all_nodes_resume":"` + fold(append(append([]string{}, hpc...), cpu...)) + `"}`
	r, lines := w.resume(executor.ResumeRequest{Nodes: append(append([]string{}, hpc...), cpu...), ResumeFile: []byte(file)})
	if r.ExitCode != report.ExitPartly {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check(cpu...)
	if j := w.slurm.Job(7); !strings.Contains(j.Reason, "held") {
		t.Errorf("job 7 is %s (%s)", j.State, j.Reason)
	}
	if j := w.slurm.Job(8); j.State != "CONFIGURING" {
		t.Errorf("job 8 is %s (%s)", j.State, j.Reason)
	}
}

func TestNodesOfNoNodeGroupAreGivenBackAndTheirJobHeld(t *testing.T) {
	nodes := []string{"login-1", "login-2"}
	w := newWorld(t).withSlurm(nodes, slurmmodel.Job{ID: 7, State: "CONFIGURING", Batch: true, Requeue: true, Nodes: nodes})
	r, _ := w.resume(executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(resumeFile("7", nodes))})
	if j := w.slurm.Job(7); r.ExitCode != report.ExitUsage || !strings.Contains(j.Reason, "held") {
		t.Errorf("exit %d, job %s (%s)", r.ExitCode, j.State, j.Reason)
	}
	if reason := w.slurm.Node("login-1").Reason; !strings.HasPrefix(reason, "(Code:UnknownNode)") {
		t.Errorf("reason %q", reason)
	}
}

// Missing members of a gang go where its live ones are, even when a look-up has
// to be repeated on the way.
func TestAGangStaysTogetherAfterAStaleLookup(t *testing.T) {
	w := newWorld(t).withFaults("- {az: us-east-1a, error: InsufficientInstanceCapacity, times: 1}")
	w.resume(gang) // in 1b
	w.suspend(gang.Nodes[:4]...)
	w.withFaults("- {az: us-east-1b, error: InvalidSubnetID.NotFound, times: 1}")
	w.cloud = func(c cloud.Cloud) cloud.Cloud { return &turned{Cloud: c} }
	w.resume(gang)
	zones := map[string]bool{}
	for _, is := range w.live() {
		zones[is[0].AZ] = true
	}
	if len(zones) > 1 {
		t.Errorf("the gang is in %v", zones)
	}
}

// turned shows subnets in the opposite order, so that a second look differs.
type turned struct{ cloud.Cloud }

func (m *turned) Subnets(ctx context.Context, q cloud.SubnetQuery) (cloud.SubnetPage, error) {
	p, err := m.Cloud.Subnets(ctx, q)
	for i := range p.Subnets {
		p.Subnets[i].FreeAddresses = 0
	}
	return p, err
}

// Told to stop while EC2 does not know an instance yet, nothing is proved.
func TestAStopWhileEndingIsNoEnd(t *testing.T) {
	w := newWorld(t)
	var failed int
	w.engine.Spawn("stopped", func(ctx context.Context, e env.Env) {
		c := newCaller(e, &liar{Cloud: nil, terminate: func([]string) error { return &cloud.Error{Class: cloud.Consistency} }})
		ctx, cancel := e.WithDeadline(ctx, e.Now().Add(700*time.Millisecond))
		defer cancel()
		failed = len(c.TerminateNew(ctx, []string{"i-1", "i-2"}))
	})
	if err := w.engine.Run(); err != nil {
		t.Fatal(err)
	}
	if failed != 2 {
		t.Errorf("%d of 2 instances are told as still running", failed)
	}
}

// A job is held where only a person can help, and requeued where time may.
func TestJobsAreHeldByTheClassOfTheRefusal(t *testing.T) {
	nodes := names("aws-hpc", 1, 2)
	for code, c := range map[string]struct {
		exit int
		held bool
	}{
		"InsufficientInstanceCapacity": {report.ExitCapacity, false},
		"ReservationCapacityExceeded":  {report.ExitCapacity, false},
		"Unsupported":                  {report.ExitCapacity, false},
		"InsufficientVolumeCapacity":   {report.ExitCapacity, false},
		"VcpuLimitExceeded":            {report.ExitQuota, false},
		"MaxSpotInstanceCountExceeded": {report.ExitQuota, false},
		"RequestLimitExceeded":         {report.ExitQuota, false},
		"InternalError":                {report.ExitFailed, false},
		"InvalidParameterValue":        {report.ExitConfig, true},
		"InvalidAMIID.NotFound":        {report.ExitConfig, true},
		"NotImplemented":               {report.ExitConfig, true},
		"UnauthorizedOperation":        {report.ExitPermission, true},
		"ExpiredToken":                 {report.ExitPermission, true},
	} {
		w := newWorld(t).withSlurm(nodes, configuring(7, nodes)).withFaults("- {error: " + code + "}")
		r, lines := w.resume(executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(resumeFile("7", nodes))})
		if r.ExitCode != c.exit {
			t.Errorf("%s: exit %d: %v", code, r.ExitCode, lines)
		}
		if j := w.slurm.Job(7); strings.Contains(j.Reason, "held") != c.held {
			t.Errorf("%s: the job is %s (%s)", code, j.State, j.Reason)
		}
		if reason := w.slurm.Node(nodes[0]).Reason; !strings.HasPrefix(reason, "(Code:"+code+")") {
			t.Errorf("%s: the node's reason is %q", code, reason)
		}
	}
}
