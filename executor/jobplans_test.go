package executor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/simulator"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

// wanting is a job of a resume file with its nodes.
type wanting struct {
	id    int
	nodes []string
}

// resumeOf is a call for all nodes of some jobs, with a resume file as 23.02
// and later write it, or 22.05.
func resumeOf(old bool, jobs ...wanting) executor.ResumeRequest {
	var all, texts []string
	for _, j := range jobs {
		all = append(all, j.nodes...)
		if old {
			texts = append(texts, fmt.Sprintf(`{"job_id":%d,"nodes":%q}`, j.id, fold(j.nodes)))
		} else {
			texts = append(texts, fmt.Sprintf(`{"job_id":%d,"nodes_resume":%q,"nodes_alloc":%q}`, j.id, fold(j.nodes), fold(j.nodes)))
		}
	}
	key := "all_nodes_resume"
	if old {
		key = "all_nodes"
	}
	return executor.ResumeRequest{Nodes: all, ResumeFile: fmt.Appendf(nil, `{"jobs":[%s],%q:%q}`, strings.Join(texts, ","), key, fold(all))}
}

func planOf(kind string) string {
	return `{"instance_specification": {"instance_types": ["` + kind + `"], "purchasing_option": "on-demand"},
		"mpi_configuration": {"requires_gang_scheduling": true}, "cost_constraints": {"max_cost_per_hour": 99}, "network_configuration": {"placement_group_type": "none"}}`
}

const noTypes = `{"instance_specification": {}}`

// planned is a world with a folder of plans; jobs wait for their nodes in Slurm,
// where there are any.
func planned(t *testing.T, plans map[string]string, jobs ...slurmmodel.Job) *world {
	t.Helper()
	w := newWorld(t)
	w.config += "plans: {dir: plans}\n"
	w.plans, w.folder = map[string]string{}, "plans"
	for name, text := range plans {
		w.plans["plans/"+name] = text
	}
	if jobs != nil {
		var nodes []string
		for _, j := range jobs {
			nodes = append(nodes, j.Nodes...)
		}
		w.withSlurm(nodes, jobs...)
	}
	return w
}

// typeOf is the instance type of a node, "" where it has no instance.
func (w *world) typeOf(node string) string {
	w.t.Helper()
	if is := w.live()[node]; len(is) > 0 {
		return is[0].Type
	}
	return ""
}

func held(j slurmmodel.Job) bool {
	return j.State == "PENDING" && strings.Contains(strings.ToLower(j.Reason), "held")
}

// Three tasks of an array, one of them with an invalid plan of its own; the
// resume file names the last one by the array's id.
func TestAnInvalidPlanHoldsOneTaskOfAnArray(t *testing.T) {
	for _, old := range []bool{true, false} {
		one, two, three := names("aws-hpc", 1, 2), names("aws-hpc", 3, 4), names("aws-hpc", 5, 6)
		task := func(id int, task string, nodes []string) slurmmodel.Job {
			return slurmmodel.Job{ID: id, ArrayID: 2, Task: task, State: "CONFIGURING", Batch: true, Requeue: true, UID: 1000, Nodes: nodes}
		}
		w := planned(t, map[string]string{"2.json": planOf("c5.xlarge"), "2_2.json": noTypes, "4.json": planOf("c6i.xlarge")},
			task(3, "1", one), task(4, "2", two), task(2, "3", three))
		r, lines := w.resume(resumeOf(old, wanting{3, one}, wanting{4, two}, wanting{2, three}))
		if r.ExitCode != report.ExitPartly || r.Mode != report.ModeASBA || r.Plan != nil {
			t.Errorf("exit %d, mode %s, plan %v", r.ExitCode, r.Mode, r.Plan)
		}
		wants(t, lines, "ERROR: Invalid execution plan: job 2_2: no instance types specified", "SUGGESTION: Run 'asba analyze' to generate valid plan")
		w.check(append(one, three...)...)
		for _, n := range append(one, three...) {
			if got := w.typeOf(n); got != "c5.xlarge" {
				t.Errorf("%s is a %s", n, got)
			}
		}
		if j := w.slurm.Job(4); !held(j) || j.AdminComment != "Invalid execution plan: no instance types specified" {
			t.Errorf("task 2 is %s (%s): %q", j.State, j.Reason, j.AdminComment)
		}
		for _, id := range []int{3, 2} {
			if j := w.slurm.Job(id); j.State != "CONFIGURING" || j.AdminComment != "" {
				t.Errorf("job %d is %s (%s): %q", id, j.State, j.Reason, j.AdminComment)
			}
		}
		for _, n := range r.Nodes {
			if want := map[bool]string{true: report.NodeGivenBack, false: report.NodeLaunched}[slices.Contains(two, n.Name)]; n.State != want {
				t.Errorf("%s is %s, want %s: %s", n.Name, n.State, want, n.Error)
			}
		}
		if reason := w.slurm.Node(two[0]).Reason; !strings.HasPrefix(reason, "(Code:InvalidPlan)") {
			t.Errorf("reason %q", reason)
		}
		outcomes := map[string]string{}
		for _, d := range r.Decisions {
			outcomes[d.Job] = d.Plan.Source + " " + d.Plan.Outcome
		}
		if outcomes["3"] != "plans/2.json used" || outcomes["2"] != "plans/2.json used" || outcomes["4"] != "plans/2_2.json invalid" {
			t.Errorf("decisions: %v", outcomes)
		}
		if finding.Count(r.Findings, finding.Error) != 1 || r.Findings[len(r.Findings)-1].File != "plans/2_2.json" {
			t.Errorf("findings: %v", r.Findings)
		}
		// 22.05 does not tell the jobs' nodes: then these records serve twice.
		if n := r.ScontrolCalls["show job"]; n != 1+3 { // and three to tell, comment and hold task 2
			t.Errorf("%d times show job", n)
		}
	}
}

func TestEachJobHasItsOwnPlan(t *testing.T) {
	one, two, none := names("aws-hpc", 1, 2), names("aws-cpu", 1, 1), names("aws-cpu", 2, 3)
	w := planned(t, map[string]string{"7.json": planOf("c5n.9xlarge"), "8.json": planOf("c5.xlarge")}, configuring(7, one), configuring(8, two), configuring(9, none))
	r, lines := w.resume(resumeOf(false, wanting{7, one}, wanting{8, two}, wanting{9, none}))
	if r.ExitCode != 0 || r.Mode != report.ModeASBA {
		t.Errorf("exit %d, mode %s: %v", r.ExitCode, r.Mode, lines)
	}
	want := map[string]string{one[0]: "c5n.9xlarge", one[1]: "c5n.9xlarge", two[0]: "c5.xlarge", none[0]: "c6i.xlarge", none[1]: "c6i.xlarge"}
	for n, typ := range want {
		if got := w.typeOf(n); got != typ {
			t.Errorf("%s is a %s, want %s", n, got, typ)
		}
	}
	if want := []string{"INFO: No execution plan for job 9 in plans, using static configuration from config.yaml"}; !slices.Equal(lines, want) {
		t.Errorf("lines: %v", lines)
	}
	for _, n := range []string{one[0], two[0], none[0]} {
		tag := w.live()[n][0].TagValue(identity.Plan)
		if (tag == "") != (n == none[0]) {
			t.Errorf("%s: plan tag %q", n, tag)
		}
	}
}

// Nodes of a planned gang serve their job alone, and say by which plan.
func TestSingleUseNodesNameTheirOwnPlan(t *testing.T) {
	one, two, three, four := names("aws-hpc", 1, 2), names("aws-hpc", 3, 4), names("aws-hpc", 5, 6), names("aws-cpu", 1, 1)
	w := planned(t, map[string]string{"7.json": planOf("c5n.9xlarge"), "8.json": planOf("c5n.18xlarge"), "9.json": planOf("c5n.9xlarge")},
		configuring(7, one), configuring(8, two), configuring(9, three), configuring(10, four))
	r, _ := w.resume(resumeOf(false, wanting{7, one}, wanting{8, two}, wanting{9, three}, wanting{10, four}))
	digest := map[string]string{}
	for _, d := range r.Decisions {
		if d.Plan != nil {
			digest[d.Job] = d.Plan.Digest
		}
	}
	if digest["7"] == digest["8"] || digest["7"] != digest["9"] {
		t.Fatalf("digests: %v", digest)
	}
	for id, nodes := range map[string][]string{"7": one, "8": two, "9": three} {
		for _, n := range nodes {
			if node := w.slurm.Node(n); node.Reason != "plan "+digest[id] {
				t.Errorf("%s of job %s: %q, want plan %s", n, id, node.Reason, digest[id])
			}
		}
	}
	if node := w.slurm.Node(four[0]); node.Reason != "" {
		t.Errorf("a node without a plan: %q", node.Reason)
	}
	if n := r.ScontrolCalls["update node"]; n != 3 {
		t.Errorf("%d updates for nodes of two plans and of none", n)
	}
}

func TestWhatIsSaidOfAPlanIsSaidOnce(t *testing.T) {
	partial := `{"instance_specification": {"instance_types": ["c5.huge", "c5.xlarge"]}, "mpi_configuration": {"requires_gang_scheduling": true}}`
	one, two, three := names("aws-hpc", 1, 2), names("aws-hpc", 3, 5), names("aws-cpu", 1, 1)
	w := planned(t, map[string]string{"7.json": partial, "8.json": partial, "9.json": partial}, configuring(7, one), configuring(8, two), configuring(9, three))
	r, lines := w.resume(resumeOf(false, wanting{7, one}, wanting{8, two}, wanting{9, three}))
	seen := map[string]int{}
	for _, l := range lines {
		seen[l]++
		if seen[l] > 1 {
			t.Errorf("said again: %s", l)
		}
	}
	wants(t, lines, "INFO: Using ASBA instance types with default cost constraints", "INFO: Using network configuration from config.yaml")
	if r.ExitCode != 0 || len(lines) != 3 {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check(slices.Concat(one, two, three)...)
}

// Many jobs of one node with the same plan are one launch, in one market pool.
func TestJobsOfOneNodeWithTheSamePlanAreOneLaunch(t *testing.T) {
	plans, jobs, waiting := map[string]string{}, []slurmmodel.Job{}, []wanting{}
	nodes := names("aws-cpu", 1, 12)
	for i, n := range nodes {
		plans[fmt.Sprintf("%d.json", 100+i)] = strings.Replace(planOf("c5.xlarge"), `"c5.xlarge"`, `"c5.huge", "c5.xlarge"`, 1)
		jobs = append(jobs, configuring(100+i, []string{n}))
		waiting = append(waiting, wanting{100 + i, []string{n}})
	}
	w := planned(t, plans, jobs...)
	r, lines := w.resume(resumeOf(false, waiting...))
	if r.ExitCode != 0 || r.APICalls["RunInstances"] != 1 {
		t.Errorf("exit %d, %v", r.ExitCode, r.APICalls)
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "WARN: c5.huge is not an EC2 instance type") {
		t.Errorf("lines: %v", lines)
	}
	w.check(nodes...)
}

func TestManyJobsWithoutAPlanAreOneLine(t *testing.T) {
	gang := names("aws-hpc", 1, 2)
	jobs, waiting := []slurmmodel.Job{configuring(99, gang)}, []wanting{{99, gang}}
	for i, n := range names("aws-cpu", 1, 40) {
		jobs, waiting = append(jobs, configuring(100+i, []string{n})), append(waiting, wanting{100 + i, []string{n}})
	}
	w := planned(t, nil, jobs...)
	r, lines := w.resume(resumeOf(false, waiting...))
	if r.ExitCode != 0 || r.Mode != report.ModeStandalone || r.APICalls["RunInstances"] != 2 {
		t.Errorf("exit %d, mode %s, %v", r.ExitCode, r.Mode, r.APICalls)
	}
	if want := []string{"INFO: No execution plan for jobs 99, 100, 101, 102, 103 and 36 more in plans, using static configuration from config.yaml"}; !slices.Equal(lines, want) {
		t.Errorf("lines: %v", lines)
	}
}

// A folder that is not there, by a typing error or for want of a mount, is told
// apart from one without a plan for the jobs: once a call.
func TestAFolderOfPlansThatIsNotThereIsToldOnce(t *testing.T) {
	one, two := names("aws-cpu", 1, 1), names("aws-hpc", 1, 2)
	for more, lines := range map[string][]string{
		"": {"WARN: plans.dir plans does not exist, so no job has a plan (make the folder, or take plans.dir out of config.yaml)",
			"INFO: No execution plan for jobs 7 and 8 in plans, using static configuration from config.yaml"},
		", on_missing: hold": {"WARN: plans.dir plans does not exist, so no job has a plan (make the folder, or take plans.dir out of config.yaml)",
			"ERROR: No execution plan for jobs 7 and 8 in plans, and plans.on_missing is hold"},
	} {
		w := planned(t, nil, configuring(7, one), configuring(8, two))
		w.config = strings.Replace(w.config, "{dir: plans}", "{dir: plans"+more+"}", 1)
		w.folder = ""
		r, said := w.resume(resumeOf(false, wanting{7, one}, wanting{8, two}))
		if want := map[bool]int{true: 0, false: 4}[more == ""]; r.ExitCode != want || !slices.Equal(said, lines) {
			t.Errorf("exit %d: %v", r.ExitCode, said)
		}
	}
}

func TestOnASharedNodeTheFirstPlanDecides(t *testing.T) {
	node := names("aws-cpu", 1, 1)
	for name, c := range map[string]struct {
		plans map[string]string
		want  string
		held  []int
		exit  int
	}{
		"the first":                   {plans: map[string]string{"7.json": planOf("c5.large"), "8.json": planOf("c5.xlarge")}, want: "c5.large"},
		"the first that there is":     {plans: map[string]string{"8.json": planOf("c5.xlarge")}, want: "c5.xlarge"},
		"an invalid one is not there": {plans: map[string]string{"7.json": noTypes, "8.json": planOf("c5.xlarge")}, want: "c5.xlarge", held: []int{7}, exit: report.ExitPartly},
		"nor does it take the node":   {plans: map[string]string{"8.json": noTypes}, want: "c6i.xlarge", held: []int{8}, exit: report.ExitPartly},
		"both invalid":                {plans: map[string]string{"7.json": noTypes, "8.json": `{"instance_specification": {"instance_types": 7}}`}, held: []int{7, 8}, exit: report.ExitPlan},
	} {
		t.Run(name, func(t *testing.T) {
			w := planned(t, c.plans, configuring(7, node), configuring(8, node))
			q := resumeOf(false, wanting{7, node}, wanting{8, node})
			q.Nodes = node
			r, lines := w.resume(q)
			if got := w.typeOf(node[0]); r.ExitCode != c.exit || got != c.want || w.most > 1 {
				t.Errorf("exit %d, a %q: %v", r.ExitCode, got, lines)
			}
			for _, id := range []int{7, 8} {
				if j := w.slurm.Job(id); held(j) != slices.Contains(c.held, id) {
					t.Errorf("job %d is %s (%s)", id, j.State, j.Reason)
				}
			}
			if given := strings.HasPrefix(w.slurm.Node(node[0]).Reason, "(Code:InvalidPlan)"); given != (c.want == "") {
				t.Errorf("given back: %v", given)
			}
			if n := r.ScontrolCalls["update node"]; n != 1 {
				t.Errorf("%d updates for one node", n)
			}
		})
	}
}

// What happens to a job without a good plan, beside one that has one.
func TestAJobWithoutAGoodPlan(t *testing.T) {
	for _, c := range []struct {
		name, plan, more string
		open             bool
		lines            []string
		typ              string // of its nodes, "" for none
		held, excluded   bool
		exit             int // with and
		alone            int // without another job that is served
	}{
		{name: "missing", typ: "c6i.xlarge", lines: []string{"INFO: No execution plan for job 8 in plans, using static configuration from config.yaml"}},
		{name: "missing, held", more: ", on_missing: hold", held: true, exit: 3, alone: 4, lines: []string{"ERROR: No execution plan for job 8 in plans, and plans.on_missing is hold"}},
		{name: "not readable", plan: unreadable, typ: "c6i.xlarge", lines: []string{
			"WARN: job 8: Execution plan not readable: cannot be read: permission denied, falling back to standalone mode", "INFO: Using static configuration from config.yaml"}},
		{name: "not readable, held", plan: unreadable, more: ", on_missing: hold", held: true, exit: 3, alone: 4, lines: []string{
			"ERROR: job 8: Execution plan not readable: cannot be read: permission denied, and plans.on_missing is hold"}},
		{name: "no types", plan: noTypes, held: true, exit: 3, alone: 4, lines: []string{"ERROR: Invalid execution plan: job 8: no instance types specified", "SUGGESTION: Run 'asba analyze' to generate valid plan"}},
		{name: "no types, standalone", plan: noTypes, more: ", on_invalid: standalone", typ: "c6i.xlarge", lines: []string{
			"ERROR: Invalid execution plan: job 8: no instance types specified", "INFO: Using static configuration from config.yaml"}},
		{name: "not JSON", plan: "plan", held: true, exit: 3, alone: 4, lines: []string{"SUGGESTION: Run 'asba analyze' to generate valid plan"}},
		{name: "a mistake with its place", plan: "{\n\"instance_specification\": {\"instance_types\": [7]}}", held: true, exit: 3, alone: 4, lines: []string{
			"ERROR: Invalid execution plan: job 8: plans/8.json:2:47: each item must be a string that is not empty"}},
		{name: "too large", plan: strings.Repeat(" ", 1<<20+1), held: true, exit: 3, alone: 4, lines: []string{"ERROR: Invalid execution plan: job 8: plans/8.json:1:1: the plan has more than 1048576 bytes (a plan takes some kilobytes: is this the right file?)"}},
		{name: "anyone's", plan: planOf("c5.xlarge"), open: true, held: true, exit: 3, alone: 4, lines: []string{
			"ERROR: Invalid execution plan: job 8: the plan file is world-writable: anyone could have written it (chmod o-w it)"}},
		{name: "no type left", plan: planOf("c5.huge"), held: true, exit: 3, alone: 4},
		{name: "too many nodes for it", plan: `{"instance_specification": {"instance_types": ["c5.xlarge"]}, "network_configuration": {"placement_group_type": "spread", "availability_zones": ["us-east-1a"]}}`, held: true, exit: 3, alone: 4},
		{name: "against", plan: `{"should_burst": false, "recommendation_reasoning": ["the queue is short"]}`, excluded: true, lines: []string{"INFO: ASBA advises against bursting: job 8: the queue is short"}},
		{name: "against, held", plan: `{"should_burst": false}`, more: ", on_advice_against: hold", held: true, lines: []string{"INFO: ASBA advises against bursting: job 8: no reason given"}},
	} {
		for _, beside := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, beside another: %v", c.name, beside), func(t *testing.T) {
				good, bad := names("aws-hpc", 1, 2), names("aws-cpu", 1, 8)
				plans := map[string]string{"7.json": planOf("c5n.9xlarge")}
				if c.plan != "" {
					plans["8.json"] = c.plan
				}
				job := configuring(8, bad)
				job.Partition = "aws"
				w := planned(t, plans, configuring(7, good), job)
				w.slurm.SetNode(slurmmodel.Node{Name: "rack-1", State: "IDLE", Partition: "aws"})
				w.config = strings.Replace(w.config, "{dir: plans}", "{dir: plans"+c.more+"}", 1)
				w.open["plans/8.json"] = c.open
				jobs, exit, live := []wanting{{8, bad}}, c.alone, []string{}
				if beside {
					jobs, exit, live = append(jobs, wanting{7, good}), c.exit, good
				}
				if c.typ != "" {
					live = append(live, bad...)
				}
				r, lines := w.resume(resumeOf(false, jobs...))
				if r.ExitCode != exit {
					t.Errorf("exit %d, want %d: %v", r.ExitCode, exit, lines)
				}
				wants(t, lines, c.lines...)
				w.check(live...)
				if got := w.typeOf(bad[0]); got != c.typ {
					t.Errorf("a %s, want %s", got, c.typ)
				}
				if beside && w.typeOf(good[0]) != "c5n.9xlarge" {
					t.Errorf("the other job has a %s", w.typeOf(good[0]))
				}
				j := w.slurm.Job(8)
				if held(j) != c.held || (len(j.ExcNodes) > 0) != c.excluded || (j.AdminComment != "") != (c.typ == "") {
					t.Errorf("job 8 is %s (%s), comment %q, excludes %d", j.State, j.Reason, j.AdminComment, len(j.ExcNodes))
				}
				if j := w.slurm.Job(7); j.State != "CONFIGURING" {
					t.Errorf("job 7 is %s (%s)", j.State, j.Reason)
				}
				if len(live) == 0 && len(r.APICalls) != 0 {
					t.Errorf("calls: %v", r.APICalls)
				}
			})
		}
	}
}

// Advice against bursting for a job all of whose nodes another waits for.
func TestAdviceAgainstAJobOnASharedNode(t *testing.T) {
	node := names("aws-cpu", 1, 1)
	job := configuring(8, node)
	job.Partition = "aws"
	w := planned(t, map[string]string{"8.json": `{"should_burst": false}`}, configuring(7, node), job)
	w.slurm.SetNode(slurmmodel.Node{Name: "rack-1", State: "IDLE", Partition: "aws"})
	q := resumeOf(false, wanting{7, node}, wanting{8, node})
	q.Nodes = node
	r, lines := w.resume(q)
	w.check(node...)
	if j := w.slurm.Job(8); r.ExitCode != 0 || j.State != "PENDING" || len(j.ExcNodes) == 0 {
		t.Errorf("exit %d, job 8 is %s (%s), excludes %v: %v", r.ExitCode, j.State, j.Reason, j.ExcNodes, lines)
	}
	if j := w.slurm.Job(7); j.State != "CONFIGURING" {
		t.Errorf("job 7 is %s", j.State)
	}
}

// Whose file it is decides what a plan may set.
func TestTrustInThePlanOfAJob(t *testing.T) {
	const text = `{"instance_specification": {"instance_types": ["c5.xlarge"], "iam_instance_profile": "theirs", "user_data": "#!/bin/sh", "subnet_ids": ["subnet-1"]}}`
	const bound = "WARN: job 8: policy does not let a plan set user_data, subnet_ids, using the configuration's"
	const restricted = "WARN: job 8: the plan is untrusted and cannot set user_data, iam_instance_profile, subnet_ids, using the configuration's"
	for _, c := range []struct {
		name     string
		owner    int // 0: ours
		doubtful bool
		line     string
		outcome  string
		profile  string
	}{
		{"root's, the Slurm user's or ours", 0, false, bound, report.PlanUsed, "theirs"},
		{"the job's own user's", 1000, false, bound, report.PlanUsed, "theirs"},
		{"a stranger's", 1001, false, restricted, report.PlanUntrusted, ""},
		{"a user's who could have made up who he is", 1000, true, restricted, report.PlanUntrusted, ""},
	} {
		node := names("aws-cpu", 1, 1)
		job := configuring(8, node)
		job.UID, job.User = 1000, "alice"
		if c.doubtful {
			job.Name = "x UserId=alice(1000) GroupId=alice(1000) JobState=CONFIGURING NodeList=aws-cpu-001"
		}
		w := planned(t, map[string]string{"8.json": text}, job)
		w.config += "policy: {allow_iam_profile: true, allow_subnets: false}\n"
		if c.owner != 0 {
			w.owners["plans/8.json"] = c.owner
		}
		r, lines := w.resume(resumeOf(false, wanting{8, node}))
		wants(t, lines, c.line)
		if r.ExitCode != 0 || len(r.Decisions) != 1 || r.Decisions[0].Plan.Outcome != c.outcome {
			t.Errorf("%s: exit %d, %+v", c.name, r.ExitCode, r.Decisions)
		}
		profile := ""
		for _, s := range r.Decisions[0].Settings {
			if s.Name == "iam_instance_profile" {
				profile = s.Value
			}
		}
		if profile != c.profile {
			t.Errorf("%s: profile %q", c.name, profile)
		}
	}
}

// A stranger's copy of a good plan is not that plan, even for its neighbour.
func TestTheSameTextOfAnotherOwnerIsAnotherPlan(t *testing.T) {
	text := strings.Replace(planOf("c5.xlarge"), `"purchasing_option"`, `"iam_instance_profile": "site", "purchasing_option"`, 1)
	nodes := names("aws-cpu", 1, 2)
	for _, mine := range []int{0, 1} {
		w := planned(t, map[string]string{"7.json": text, "8.json": text}, configuring(7, nodes[:1]), configuring(8, nodes[1:]))
		w.config += "policy: {allow_iam_profile: true}\n"
		w.owners[fmt.Sprintf("plans/%d.json", 8-mine)] = 1001
		r, _ := w.resume(resumeOf(false, wanting{7, nodes[:1]}, wanting{8, nodes[1:]}))
		for _, d := range r.Decisions {
			profile := slices.ContainsFunc(d.Settings, func(s report.Source) bool { return s.Name == "iam_instance_profile" && s.Value == "site" })
			if want := d.Job == fmt.Sprint(7+mine); profile != want {
				t.Errorf("job %s has the site's profile: %v", d.Job, profile)
			}
		}
		if len(r.Decisions) != 2 {
			t.Errorf("%d groups", len(r.Decisions))
		}
	}
}

// A name with a line break can make up records, but no other job's plan.
func TestAMadeUpRecordFindsNoPlan(t *testing.T) {
	node := names("aws-cpu", 1, 1)
	job := configuring(20, node)
	job.Name = "x\nJobId=20 ArrayJobId=17 ArrayTaskId=1 JobName=y UserId=root(0) JobState=CONFIGURING NodeList=aws-cpu-001 Command=z\n"
	w := planned(t, map[string]string{"17_1.json": planOf("c5.xlarge"), "17.json": planOf("c5.xlarge"), "../up.json": planOf("c5.xlarge")}, job)
	r, lines := w.resume(resumeOf(false, wanting{20, node}))
	wants(t, lines, "INFO: No execution plan for job 20 in plans, using static configuration from config.yaml")
	if got := w.typeOf(node[0]); r.ExitCode != 0 || got != "c6i.xlarge" {
		t.Errorf("exit %d, a %s", r.ExitCode, got)
	}
}

// Nor can it take another's plan away.
func TestAMadeUpRecordTakesNoPlan(t *testing.T) {
	nodes := names("aws-cpu", 1, 2)
	task := slurmmodel.Job{ID: 20, ArrayID: 17, Task: "1", State: "CONFIGURING", Batch: true, Requeue: true, UID: 1000, Nodes: nodes[:1]}
	other := configuring(30, nodes[1:])
	other.Name = "x\nJobId=20 ArrayJobId=40 ArrayTaskId=1 JobName=y UserId=eve(1001) JobState=CONFIGURING NodeList=aws-cpu-001 Command=z\n"
	w := planned(t, map[string]string{"17_1.json": planOf("c5.xlarge"), "40_1.json": planOf("c5.large")}, task, other)
	w.owners["plans/17_1.json"] = 1000
	r, lines := w.resume(resumeOf(false, wanting{20, nodes[:1]}, wanting{30, nodes[1:]}))
	if got := w.typeOf(nodes[0]); r.ExitCode != 0 || got != "c5.xlarge" || r.ScontrolCalls["show job"] != 2 {
		t.Errorf("exit %d, a %s, %v: %v", r.ExitCode, got, r.ScontrolCalls, lines)
	}
}

func TestAnExplicitPlanWinsOverTheFolder(t *testing.T) {
	nodes := names("aws-cpu", 1, 2)
	files := map[string]string{"8.json": planOf("c5.xlarge")}
	variables := func(name string) string {
		return map[string]string{"ASBA_INSTANCE_TYPES": "c5.large", "ASBA_PURCHASING_OPTION": "on-demand"}[name]
	}
	for name, c := range map[string]struct {
		file string
		env  func(string) string
		want string
		exit int
	}{
		"a file":                 {file: "plan.json", want: "c5n.18xlarge"},
		"a file that is missing": {file: "none.json", want: "c6i.xlarge"},
		"a file that is invalid": {file: "bad.json", exit: 4},
		"the environment":        {env: variables, want: "c5.large"},
		"neither":                {want: "c5.xlarge"},
	} {
		w := planned(t, files, configuring(8, nodes))
		w.plans["plan.json"], w.plans["bad.json"] = gangPlan, noTypes
		q := resumeOf(false, wanting{8, nodes})
		q.PlanFile, q.Getenv = c.file, c.env
		r, lines := w.resume(q)
		if got := w.typeOf(nodes[0]); r.ExitCode != c.exit || got != c.want {
			t.Errorf("%s: exit %d, a %q, want %q: %v", name, r.ExitCode, got, c.want, lines)
		}
		if explicit := name != "neither"; (r.Plan != nil) != explicit || explicit && c.exit == 0 && r.ScontrolCalls["show job"] != 0 {
			t.Errorf("%s: plan %v, calls %v", name, r.Plan, r.ScontrolCalls)
		}
	}
}

// Nothing is asked of slurmctld for plans where they are in no folder, and
// nothing twice.
func TestRecordsAreAskedForOnce(t *testing.T) {
	nodes := names("aws-cpu", 1, 2)
	for name, c := range map[string]struct {
		dir, old, file bool
		want           int
	}{
		"no folder":                          {file: true, want: 0},
		"no folder, 22.05":                   {file: true, old: true, want: 1},
		"a folder":                           {dir: true, file: true, want: 1},
		"a folder, 22.05":                    {dir: true, file: true, old: true, want: 1},
		"a folder, and no resume file":       {dir: true, want: 1},
		"neither a folder nor a resume file": {want: 1},
	} {
		w := planned(t, map[string]string{"8.json": planOf("c5.xlarge")}, configuring(8, nodes))
		if !c.dir {
			w.config = siteConfig
		}
		q := resumeOf(c.old, wanting{8, nodes})
		if !c.file {
			q.ResumeFile = nil
		}
		r, lines := w.resume(q)
		if got := r.ScontrolCalls["show job"]; r.ExitCode != 0 || got != c.want {
			t.Errorf("%s: exit %d, %d times show job, want %d: %v", name, r.ExitCode, got, c.want, lines)
		}
		if got := w.typeOf(nodes[0]) == "c5.xlarge"; got != c.dir {
			t.Errorf("%s: by the plan: %v", name, got)
		}
	}
}

func TestComponentsOfAHeterogeneousJobFindTheLeadersPlan(t *testing.T) {
	one, two := names("aws-hpc", 1, 2), names("aws-cpu", 1, 2)
	component := func(id int, nodes []string) slurmmodel.Job {
		j := configuring(id, nodes)
		j.HetID, j.HetOffset = 4, id-4
		return j
	}
	w := planned(t, map[string]string{"4.json": planOf("c5n.9xlarge")}, component(4, one), component(5, two))
	r, lines := w.resume(resumeOf(true, wanting{4, one}, wanting{5, two}))
	if a, b := w.typeOf(one[0]), w.typeOf(two[0]); r.ExitCode != 0 || a != "c5n.9xlarge" || b != "c5n.9xlarge" {
		t.Errorf("exit %d, %s and %s: %v", r.ExitCode, a, b, lines)
	}
	w = planned(t, map[string]string{"4.json": planOf("c5n.9xlarge"), "5.json": planOf("c5.xlarge")}, component(4, one), component(5, two))
	w.resume(resumeOf(true, wanting{4, one}, wanting{5, two}))
	if a, b := w.typeOf(one[0]), w.typeOf(two[0]); a != "c5n.9xlarge" || b != "c5.xlarge" {
		t.Errorf("%s and %s", a, b)
	}
}

// A client's dry run and a site without Slurm know a job by its id alone.
func TestWithoutSlurmAJobIsKnownByItsId(t *testing.T) {
	nodes := names("aws-cpu", 1, 2)
	w := planned(t, map[string]string{"8.json": planOf("c5.xlarge"), "9.json": noTypes})
	r, _ := w.resume(resumeOf(false, wanting{8, nodes[:1]}, wanting{9, nodes[1:]}))
	if got := w.typeOf(nodes[0]); r.ExitCode != report.ExitPartly || got != "c5.xlarge" {
		t.Errorf("exit %d, a %q", r.ExitCode, got)
	}
	if n := r.Nodes[1]; n.State != report.NodeFailed || n.Job != "9" || n.Error != "InvalidPlan: Invalid execution plan: no instance types specified" {
		t.Errorf("%+v", n)
	}

	w = planned(t, map[string]string{"8.json": planOf("c5.xlarge"), "9.json": noTypes}, configuring(8, nodes[:1]), configuring(9, nodes[1:]))
	q := resumeOf(false, wanting{8, nodes[:1]}, wanting{9, nodes[1:]})
	for _, dry := range []string{executor.DryRunClient, executor.DryRunServer} {
		q.DryRun = dry
		r, lines := w.resume(q)
		if r.ExitCode != report.ExitPartly || r.Nodes[0].InstanceType != "c5.xlarge" || r.Nodes[0].State != report.NodePlanned || r.Nodes[1].State != report.NodeFailed {
			t.Errorf("%s: exit %d, %+v: %v", dry, r.ExitCode, r.Nodes, lines)
		}
		if calls := len(r.ScontrolCalls); dry == executor.DryRunClient && calls != 0 {
			t.Errorf("a client's dry run called scontrol: %v", r.ScontrolCalls)
		}
	}
	if j := w.slurm.Job(9); j.State != "CONFIGURING" {
		t.Errorf("a dry run left job 9 %s", j.State)
	}
}

// Where slurmctld does not say whose a job is, its plan is found by its id.
func TestASlurmctldThatDoesNotAnswerCostsNoPlan(t *testing.T) {
	nodes := names("aws-cpu", 1, 2)
	w := planned(t, map[string]string{"8.json": planOf("c5.xlarge")}, configuring(8, nodes))
	w.slurm.SetOutage(slurmmodel.Dead)
	r, lines := w.resume(resumeOf(true, wanting{8, nodes}))
	if got := w.typeOf(nodes[0]); got != "c5.xlarge" || r.ScontrolCalls["show job"] != 1 {
		t.Errorf("exit %d, a %q, %v: %v", r.ExitCode, got, r.ScontrolCalls, lines)
	}
}

// Slurm gives the nodes of a cancelled job to the next one: it is served where
// it has the same plan, and comes back for its own where it has not.
func TestTheNextJobOnTheNodesIsNotLaunchedByAnotherPlan(t *testing.T) {
	nodes := names("aws-hpc", 1, 4)
	for name, c := range map[string]struct {
		plan string
		same bool
	}{
		"the same plan": {planOf("c5n.18xlarge"), true},
		"another plan":  {planOf("c5n.9xlarge"), false},
		"no plan":       {"", false},
	} {
		w := planned(t, map[string]string{"7.json": planOf("c5n.18xlarge")}, configuring(7, nodes)).withFaults("- {az: us-east-1a, error: InsufficientInstanceCapacity, delay: 6s}")
		if c.plan != "" {
			w.plans["plans/8.json"] = c.plan
		}
		w.engine.Spawn("scancel", func(ctx context.Context, e env.Env) {
			_ = e.Sleep(ctx, 3*time.Second)
			gone := configuring(7, nodes)
			gone.State = "CANCELLED"
			w.slurm.SetJob(gone)
			w.slurm.SetJob(configuring(8, nodes))
		})
		r, lines := w.resume(resumeOf(false, wanting{7, nodes}))
		if c.same {
			w.check(nodes...)
			if r.ExitCode != 0 || r.Nodes[0].Job != "8" {
				t.Errorf("%s: exit %d, job %s: %v", name, r.ExitCode, r.Nodes[0].Job, lines)
			}
			continue
		}
		w.check()
		wants(t, lines, "INFO: job 7 is gone, its nodes now wait for job 8, which has another plan")
		if n := r.Nodes[0]; n.State != report.NodeGivenBack || held(w.slurm.Job(8)) {
			t.Errorf("%s: %+v, job 8 is %s", name, n, w.slurm.Job(8).Reason)
		}
	}
}

// A shared node that goes back for want of capacity takes a refused job along:
// that is held by then.
func TestARefusedJobIsHeldBeforeItsSharedNodeGoesBack(t *testing.T) {
	node := names("aws-cpu", 1, 1)
	w := planned(t, map[string]string{"8.json": noTypes}, configuring(7, node), configuring(8, node)).withFaults("- {error: InsufficientInstanceCapacity}")
	q := resumeOf(false, wanting{7, node}, wanting{8, node})
	q.Nodes = node
	r, lines := w.resume(q)
	w.check()
	if j := w.slurm.Job(8); r.ExitCode != report.ExitPlan || !held(j) || j.AdminComment != "Invalid execution plan: no instance types specified" {
		t.Errorf("exit %d, job 8 is %s (%s): %q: %v", r.ExitCode, j.State, j.Reason, j.AdminComment, lines)
	}
	if j := w.slurm.Job(7); j.State != "PENDING" || held(j) {
		t.Errorf("job 7 is %s (%s)", j.State, j.Reason)
	}
}

// Telling many refused jobs takes minutes: the nodes that boot meanwhile have
// their addresses before, also where some of the call's nodes go back.
func TestAddressesArePushedBeforeAnybodyIsRefused(t *testing.T) {
	good, short, bad := names("aws-hpc", 1, 2), names("aws-hpc", 3, 4), names("aws-cpu", 1, 3)
	w := planned(t, map[string]string{"7.json": planOf("c5n.9xlarge"), "8.json": planOf("c5n.18xlarge"), "9.json": noTypes, "10.json": noTypes, "11.json": noTypes},
		configuring(7, good), configuring(8, short), configuring(9, bad[:1]), configuring(10, bad[1:2]), configuring(11, bad[2:])).withFaults("- {type: c5n.18xlarge, error: InsufficientInstanceCapacity}")
	r, lines := w.resume(resumeOf(false, wanting{7, good}, wanting{8, short}, wanting{9, bad[:1]}, wanting{10, bad[1:2]}, wanting{11, bad[2:]}))
	if r.ExitCode != report.ExitPartly {
		t.Errorf("exit %d: %v", r.ExitCode, lines)
	}
	w.check(good...)
	pushed := slices.IndexFunc(w.slurm.Calls(), func(c slurmmodel.Call) bool {
		return slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "NodeAddr=") })
	})
	if pushed < 0 {
		t.Fatal("no address was pushed")
	}
	for _, c := range w.slurm.Calls()[:pushed] {
		if c.Args[0] != "-o" {
			t.Errorf("before the addresses: scontrol %s", strings.Join(c.Args, " "))
		}
	}
	for _, n := range append(short, bad...) {
		if got := r.Node(n).State; got != report.NodeGivenBack {
			t.Errorf("%s is %s", n, got)
		}
	}
}

// Refusals are carried out whatever becomes of the others.
func TestARefusedJobIsHeldThoughTheOthersGetNothing(t *testing.T) {
	good, bad := names("aws-hpc", 1, 2), names("aws-cpu", 1, 2)
	for rules, exit := range map[string]int{
		"- {error: InsufficientInstanceCapacity}":                   report.ExitPlan,
		"- {error: UnauthorizedOperation}":                          report.ExitPermission,
		"- {action: DescribeInstances, status: 500}":                report.ExitPlan,
		"- {action: DescribeSubnets, error: UnauthorizedOperation}": report.ExitPermission,
	} {
		w := planned(t, map[string]string{"7.json": planOf("c5n.9xlarge"), "8.json": noTypes}, configuring(7, good), configuring(8, bad)).withFaults(rules)
		r, lines := w.resume(resumeOf(false, wanting{7, good}, wanting{8, bad}))
		if r.ExitCode != exit {
			t.Errorf("%s: exit %d, want %d: %v", rules, r.ExitCode, exit, lines)
		}
		w.check()
		if j := w.slurm.Job(8); !held(j) || j.AdminComment != "Invalid execution plan: no instance types specified" {
			t.Errorf("%s: job 8 is %s (%s): %q", rules, j.State, j.Reason, j.AdminComment)
		}
		if reason := w.slurm.Node(bad[0]).Reason; !strings.HasPrefix(reason, "(Code:InvalidPlan)") {
			t.Errorf("%s: reason %q", rules, reason)
		}
		if j := w.slurm.Job(7); j.State == "CONFIGURING" || strings.Contains(j.AdminComment, "plan") {
			t.Errorf("%s: job 7 is %s: %q", rules, j.State, j.AdminComment)
		}
	}
}

// I9 for a call of two gangs with plans of their own and one that is refused.
func TestACrashAtAnyPointOfACallWithTwoPlansHeals(t *testing.T) {
	one, two, bad := names("aws-hpc", 1, 2), names("aws-hpc", 3, 4), names("aws-cpu", 1, 1)
	build := func() (*world, executor.ResumeRequest) {
		w := planned(t, map[string]string{"7.json": planOf("c5n.9xlarge"), "8.json": planOf("c5n.18xlarge"), "9.json": noTypes},
			configuring(7, one), configuring(8, two), configuring(9, bad))
		return w, resumeOf(false, wanting{7, one}, wanting{8, two}, wanting{9, bad})
	}
	total := 0
	counting, q := build()
	counting.onCall = func(p *simulator.Process, _ string) {
		if p.Name() == "resume" {
			total++
		}
	}
	counting.resume(q)
	if total < 40 {
		t.Fatalf("only %d points to crash at: the test sees too little", total)
	}
	for point := 1; point <= total; point++ {
		w, q := build()
		n := 0
		w.onCall = func(p *simulator.Process, _ string) {
			if p.Name() == "doomed" {
				if n++; n == point {
					w.engine.Crash(p)
				}
			}
		}
		w.engine.Spawn("doomed", func(ctx context.Context, e env.Env) {
			doomed := q
			doomed.Getenv = func(string) string { return "" }
			w.executor(e).Resume(ctx, doomed)
		})
		if err := w.engine.Run(); err != nil {
			t.Fatal(err)
		}
		// Slurm repeats a call for nodes that still wait.
		r, lines := w.resume(q)
		if r.ExitCode != report.ExitPartly || w.most > 4 {
			t.Errorf("exit %d, %d at once: %v", r.ExitCode, w.most, lines)
		}
		w.check(append(slices.Clone(one), two...)...)
		if a, b := w.typeOf(one[0]), w.typeOf(two[0]); a != "c5n.9xlarge" || b != "c5n.18xlarge" {
			t.Errorf("%s and %s", a, b)
		}
		if j := w.slurm.Job(9); !held(j) {
			t.Errorf("job 9 is %s (%s)", j.State, j.Reason)
		}
		w.suspend(q.Nodes...)
		w.pass(15 * time.Minute)
		w.reconcile()
		w.check()
		if t.Failed() {
			t.Fatalf("crash at %d of %d", point, total)
		}
	}
}

// A launch that a dead process left unfinished is repeated by the plan that it
// was for, and by no other.
func TestAnUnfinishedLaunchIsRepeatedByItsOwnPlanAlone(t *testing.T) {
	nodes := names("aws-hpc", 1, 2)
	for _, changed := range []bool{false, true} {
		w := planned(t, map[string]string{"7.json": planOf("c5n.9xlarge")}, configuring(7, nodes))
		w.onCall = func(p *simulator.Process, call string) {
			if p.Name() == "doomed" && call == "Sleep" && len(w.disk.Names("launches")) > 0 {
				w.engine.Crash(p)
			}
		}
		q := resumeOf(false, wanting{7, nodes})
		q.Getenv = func(string) string { return "" }
		w.engine.Spawn("doomed", func(ctx context.Context, e env.Env) { w.executor(e).Resume(ctx, q) })
		if err := w.engine.Run(); err != nil {
			t.Fatal(err)
		}
		if len(w.alive) != 0 {
			t.Fatalf("%d alive: the crash fell elsewhere", len(w.alive))
		}
		if changed { // the same rungs, another owner tag
			w.plans["plans/7.json"] = strings.Replace(planOf("c5n.9xlarge"), `"mpi_configuration"`, `"execution_metadata": {"tags": {"Owner": "new"}}, "mpi_configuration"`, 1)
		}
		r, lines := w.resume(q)
		repeated := slices.Contains(lines, "INFO: repeating an unfinished launch for "+fold(nodes))
		if r.ExitCode != 0 || repeated == changed || (w.live()[nodes[0]][0].TagValue("Owner") == "new") != changed {
			t.Errorf("plan changed: %v: exit %d: %v", changed, r.ExitCode, lines)
		}
		w.check(nodes...)
	}
}

// A node group without a list of its nodes knows them by their names alone: the
// nodes that go back are burst nodes too.
func TestAdviceAgainstAJobOnNodesThatNoListNames(t *testing.T) {
	for _, explicit := range []bool{false, true} {
		nodes := names("aws-hpc", 1, 2)
		job := configuring(8, nodes)
		job.Partition = "aws"
		w := planned(t, map[string]string{"8.json": `{"should_burst": false}`}, job)
		w.config = strings.ReplaceAll(w.config, `nodes: "aws-hpc-[001-600]", `, "")
		q := resumeOf(false, wanting{8, nodes})
		if explicit {
			q.PlanFile = "plans/8.json"
		}
		r, lines := w.resume(q)
		if j := w.slurm.Job(8); r.ExitCode != 0 || !held(j) {
			t.Errorf("exit %d, job 8 is %s (%s), excludes %v: %v", r.ExitCode, j.State, j.Reason, j.ExcNodes, lines)
		}
	}
}
