package executor_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/report"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

var gang = executor.ResumeRequest{Nodes: names("aws-hpc", 1, 8), PlanFile: "plan.json"}

// One resume takes the same decisions at the same instants through the Go port
// and through the SDK and EC2's wire, on any number of processors.
func TestOneResumeHasOneHashOnBothTiers(t *testing.T) {
	hashes := map[string]uint64{}
	for _, procs := range []int{1, 2} {
		for _, tier := range []string{tierA, tierB} {
			old := runtime.GOMAXPROCS(procs)
			w := newWorld(t)
			w.tier = tier
			r, lines := w.resume(gang)
			runtime.GOMAXPROCS(old)
			if r.ExitCode != 0 {
				t.Fatalf("tier %s: exit %d: %v", tier, r.ExitCode, lines)
			}
			w.check(gang.Nodes...)
			hashes[tier+string(rune('0'+procs))] = w.engine.Hash()
		}
	}
	for name, h := range hashes {
		if h != hashes["A1"] {
			t.Errorf("hash of %s is %016x, of A1 %016x", name, h, hashes["A1"])
		}
	}
	other := newWorld(t)
	other.resume(executor.ResumeRequest{Nodes: names("aws-hpc", 1, 7), PlanFile: "plan.json"})
	if other.engine.Hash() == hashes["A1"] {
		t.Error("another resume has the same hash: the hash sees nothing")
	}
}

func TestAWholeGangStaysOnTheFloor(t *testing.T) {
	for _, n := range []int{8, 500} {
		nodes := names("aws-hpc", 1, n)
		w := newWorld(t).withSlurm(nodes, slurmmodel.Job{ID: 1, State: "CONFIGURING", Batch: true, Requeue: true, Nodes: nodes})
		w.plans["plan.json"] = `{"instance_specification": {"instance_types": ["c5n.18xlarge"], "purchasing_option": "spot"},
			"mpi_configuration": {"requires_gang_scheduling": true}, "cost_constraints": {"prefer_spot": true}, "network_configuration": {"single_az_required": true}}`
		q := executor.ResumeRequest{Nodes: nodes, PlanFile: "plan.json", ResumeFile: []byte(resumeFile("1", nodes))}
		w.resume(executor.ResumeRequest{Nodes: names("aws-cpu", 1, 1)}) // fills the cache of look-ups for the image
		w.suspend("aws-cpu-001")

		r, lines := w.resume(q)
		if r.ExitCode != 0 {
			t.Fatalf("%d nodes: exit %d: %v", n, r.ExitCode, lines)
		}
		if d := cmp.Diff(map[string]int{"DescribeInstances": 1, "RunInstances": 1}, r.APICalls); d != "" {
			t.Errorf("%d nodes, EC2 calls (-floor +got)\n%s", n, d)
		}
		if d := cmp.Diff(map[string]int{"update node": (n + 99) / 100, "show node": 1}, r.ScontrolCalls); d != "" {
			t.Errorf("%d nodes, scontrol calls (-floor +got)\n%s", n, d)
		}
		w.check(nodes...)
		first := w.slurm.Node(nodes[0])
		if !first.Has("DRAIN") && !first.Has("POWER_DOWN") || first.Addr == first.Name {
			t.Errorf("node of a planned gang is not single-use or has no address: %+v", first)
		}
	}
}

func TestASecondResumeAdopts(t *testing.T) {
	w := newWorld(t)
	w.resume(gang)
	before := w.live()
	r, _ := w.resume(gang)
	if r.ExitCode != 0 || r.APICalls["RunInstances"] != 0 {
		t.Errorf("exit %d, calls %v", r.ExitCode, r.APICalls)
	}
	for _, n := range r.Nodes {
		if n.State != report.NodeAdopted || n.InstanceID != before[n.Name][0].ID {
			t.Errorf("%s: %s %s", n.Name, n.State, n.InstanceID)
		}
	}
}

func TestASuspendEndsExactlyItsNodes(t *testing.T) {
	w := newWorld(t)
	w.resume(gang)
	if r, _ := w.suspend(names("aws-hpc", 1, 4)...); r.ExitCode != 0 {
		t.Errorf("exit %d", r.ExitCode)
	}
	w.check(names("aws-hpc", 5, 8)...)
	w.suspend(gang.Nodes...)
	w.check()
	w.pass(10 * time.Minute)
	if r, lines := w.reconcile(); r.ExitCode != 0 || len(r.Actions) != 0 {
		t.Errorf("something was left to heal: %v", lines)
	}
	if groups, _ := w.ec2.DescribePlacementGroups(everything, nil); len(groups) != 0 {
		t.Errorf("I10: %d placement groups left", len(groups))
	}
}

func TestANodeThatWasSuspendedGetsANewInstance(t *testing.T) {
	w := newWorld(t)
	w.resume(gang)
	first := w.live()
	w.suspend(gang.Nodes...)
	r, _ := w.resume(gang)
	if r.ExitCode != 0 || r.APICalls["RunInstances"] != 1 {
		t.Errorf("exit %d, calls %v", r.ExitCode, r.APICalls)
	}
	w.check(gang.Nodes...)
	for n, is := range w.live() {
		if is[0].ID == first[n][0].ID {
			t.Errorf("%s got its old instance back", n)
		}
	}
}

func TestFallbacksSayTheWordsOfTheContract(t *testing.T) {
	standalone := []string{"WARN: Execution plan not found, falling back to standalone mode", "INFO: Using static configuration from config.yaml"}
	for _, c := range []struct {
		name, plan, more string
		exit, live       int
		lines            []string
	}{
		{name: "missing", exit: 0, live: 4, lines: standalone},
		{name: "missing, and the site holds", more: "plans: {on_missing: hold}", exit: 4, lines: []string{"ERROR: Execution plan not found, and plans.on_missing is hold"}},
		{name: "no types", plan: `{"should_burst": true, "instance_specification": {"instance_types": []}}`, exit: 4, lines: []string{
			"ERROR: Invalid execution plan: no instance types specified", "SUGGESTION: Run 'asba analyze' to generate valid plan"}},
		{name: "no types, and the site goes on", plan: `{"instance_specification": {"instance_types": []}}`, more: "plans: {on_invalid: standalone}", exit: 0, live: 4, lines: []string{
			"ERROR: Invalid execution plan: no instance types specified", "INFO: Using static configuration from config.yaml"}},
		{name: "partial", plan: "{\"should_burst\": true, \"instance_specification\": {\"instance_types\": [\"c6i.xlarge\"]}\n// Missing other fields\n}", exit: 0, live: 4, lines: []string{
			"INFO: Using ASBA instance types with default cost constraints"}},
		{name: "an impossible type among possible ones", plan: `{"instance_specification": {"instance_types": ["hpc7a.2xlarge", "c6i.xlarge"]}}`, exit: 0, live: 4, lines: []string{
			"WARN: hpc7a.2xlarge is not an EC2 instance type (did you mean hpc7a.12xlarge?), dropped"}},
		{name: "none possible", plan: `{"instance_specification": {"instance_types": ["hpc7a.2xlarge"]}}`, exit: 4, lines: []string{
			"SUGGESTION: Run 'asba analyze' to generate valid plan"}},
		{name: "advice against", plan: `{"should_burst": false, "recommendation_reasoning": ["the queue is short"]}`, exit: 0, lines: []string{
			"INFO: ASBA advises against bursting: the queue is short"}},
		{name: "budget", plan: `{"instance_specification": {"instance_types": ["c5n.18xlarge"]}, "cost_constraints": {"max_cost_per_hour": 5}, "mpi_configuration": {"requires_gang_scheduling": true}}`, exit: 5, lines: []string{
			"ERROR: No launch within 5.00 USD/h for 4 nodes: cheapest is c5n.18xlarge on-demand us-east-1a at 15.55 USD/h", judgedBy("c5n.18xlarge")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.config += c.more + "\n"
			if c.plan == "" {
				delete(w.plans, "plan.json")
			} else {
				w.plans["plan.json"] = c.plan
			}
			if c.name == "budget" {
				w.config = w.config[:0] + siteConfigOnDemand
			}
			nodes := names("aws-cpu", 1, 4)
			r, lines := w.resume(executor.ResumeRequest{Nodes: nodes, PlanFile: "plan.json"})
			if r.ExitCode != c.exit {
				t.Errorf("exit %d, want %d: %v", r.ExitCode, c.exit, lines)
			}
			wants(t, lines, c.lines...)
			w.check(nodes[:c.live]...)
		})
	}
}

func resumeFile(job string, nodes []string) string {
	return `{"jobs":[{"job_id":` + job + `,"nodes_resume":"` + fold(nodes) + `","nodes_alloc":"` + fold(nodes) + `"}],"all_nodes_resume":"` + fold(nodes) + `"}`
}
