package executor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/protocol"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

// ways are the three ways to ask, for a whole call and for each job.
var ways = []struct {
	name, at, config string
	ask              executor.Ask
}{
	{"pipe", "/run/asba", "{pipe: /run/asba, timeout: 5s}", executor.Ask{Pipe: "/run/asba"}},
	{"url", "http://localhost:8080", "{url: 'http://localhost:8080', timeout: 5s}", executor.Ask{URL: "http://localhost:8080"}},
	{"command", "asba", "{command: asba, timeout: 5s}", executor.Ask{Auto: true}},
}

// ready is an advisor on this machine that answers at once.
func ready(plans map[string]string) *advisor {
	return &advisor{plans: plans, local: true, pipe: plansource.PipeInfo{OwnedByRootOrSelf: true}, takes: map[string]time.Duration{}}
}

// asking is a world whose configuration asks for each job's plan in a way.
func asking(t *testing.T, config string, a *advisor, jobs ...slurmmodel.Job) *world {
	t.Helper()
	w := newWorld(t)
	w.plans, w.advisor = map[string]string{}, a
	w.config += "asba: " + config + "\n"
	var nodes []string
	for i, j := range jobs {
		nodes = append(nodes, j.Nodes...)
		if j.Script == "" && j.Batch {
			jobs[i].Script = fmt.Sprintf("#!/bin/sh\n# job %d\n", j.ID)
		}
	}
	if jobs != nil {
		w.withSlurm(nodes, jobs...)
	}
	return w
}

const standalone = "INFO: Using static configuration from config.yaml"

// What comes of each way to ask for the plan of a call, and of each job's.
func TestWhatComesOfAsking(t *testing.T) {
	const fromConfig, fromPlan = "c6i.xlarge", "c5.xlarge"
	for _, c := range []struct {
		name, plan string
		a          func(*advisor)
		none       bool // nobody is there
		exit       int
		typ        string
		// the lines, by way; "" stands for all. {at} stands for where is asked,
		// {job} for the job where it is asked for.
		lines map[string][]string
	}{
		{name: "good", plan: planOf(fromPlan), typ: fromPlan, lines: map[string][]string{"": nil}},
		{name: "missing", none: true, typ: fromConfig, lines: map[string][]string{
			"":        {"WARN: {job}ASBA not reachable at {at}, falling back to standalone mode", standalone},
			"command": {"WARN: {job}ASBA not reachable: asba is not in PATH, falling back to standalone mode", standalone}}},
		{name: "invalid", plan: noTypes, exit: report.ExitPlan, lines: map[string][]string{
			"": {"ERROR: Invalid execution plan: {job}no instance types specified", "SUGGESTION: Run 'asba analyze' to generate valid plan"}}},
		{name: "partial", plan: `{"instance_specification": {"instance_types": ["c5.xlarge"]}}`, typ: fromPlan, lines: map[string][]string{
			"": {"INFO: Using ASBA instance types with default cost constraints", "INFO: Using mpi configuration from config.yaml", "INFO: Using network configuration from config.yaml"}}},
		{name: "late", plan: planOf(fromPlan), a: func(a *advisor) { a.takes[""] = 5*time.Second + time.Millisecond }, typ: fromConfig, lines: map[string][]string{
			"": {"WARN: {job}ASBA did not answer within 5s at {at}, falling back to standalone mode", standalone}}},
		{name: "just in time", plan: planOf(fromPlan), a: func(a *advisor) { a.takes[""] = 4900 * time.Millisecond }, typ: fromPlan, lines: map[string][]string{"": nil}},
		{name: "failing", plan: wrongFailure, typ: fromConfig, lines: map[string][]string{
			"pipe":    {"WARN: {job}ASBA has no plan at {at}: out of memory, falling back to standalone mode", standalone},
			"url":     {"WARN: {job}ASBA answered HTTP 500 at {at}: out of memory, falling back to standalone mode", standalone},
			"command": {"WARN: {job}ASBA has no plan: asba failed with exit status 1: ERROR: out of memory, falling back to standalone mode", standalone}}},
		{name: "cut short", plan: wrongCut, typ: fromConfig, lines: map[string][]string{
			"":        {"WARN: {job}ASBA's answer was cut short at {at}, falling back to standalone mode", standalone},
			"command": {standalone}}},
		{name: "rubbish", plan: wrongForm, typ: fromConfig, lines: map[string][]string{
			"":        {"WARN: {job}ASBA's answer is not in the protocol's form at {at}, falling back to standalone mode", standalone},
			"command": {standalone}}},
		{name: "another's", plan: wrongID, typ: fromConfig, lines: map[string][]string{
			"pipe": {"WARN: {job}ASBA's answer was to another question at {at}, falling back to standalone mode", standalone},
			"":     {standalone}}},
		{name: "too large", plan: wrongSize, typ: fromConfig, lines: map[string][]string{
			"": {"WARN: {job}ASBA's answer has more than 1052672 bytes at {at}, falling back to standalone mode", standalone}}},
		{name: "against", plan: `{"should_burst": false, "recommendation_reasoning": ["the queue is short"]}`, lines: map[string][]string{
			"": {"INFO: ASBA advises against bursting: {job}the queue is short"}}},
	} {
		for _, way := range ways {
			for _, ofJob := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s by %s, of a job: %v", c.name, way.name, ofJob), func(t *testing.T) {
					a := ready(map[string]string{"": c.plan})
					if c.a != nil {
						c.a(a)
					}
					if c.none {
						a = nil
					}
					nodes := names("aws-cpu", 1, 2)
					q, who, config := resumeOf(false, wanting{7, nodes}), "job 7: ", way.config
					if !ofJob {
						q.Ask, who, config = way.ask, "", "{timeout: 5s}"
					}
					w := asking(t, config, a, configuring(7, nodes))
					begin := w.engine.Now()
					r, lines := w.resume(q)
					if r.ExitCode != c.exit {
						t.Errorf("exit %d: %v", r.ExitCode, lines)
					}
					want, ok := c.lines[way.name]
					if !ok {
						want = c.lines[""]
					}
					for _, l := range want {
						wants(t, lines, strings.NewReplacer("{at}", way.at, "{job}", who).Replace(l))
					}
					if len(want) == 0 && len(lines) > 0 {
						t.Errorf("lines: %v", lines)
					}
					if c.typ == "" {
						w.check()
					} else {
						w.check(nodes...)
					}
					if got := w.typeOf(nodes[0]); got != c.typ {
						t.Errorf("a %q, want %q: %v", got, c.typ, lines)
					}
					if d := w.engine.Now().Sub(begin); d > 15*time.Second {
						t.Errorf("after %s", d)
					}
					if mode := map[bool]string{true: report.ModeStandalone, false: report.ModeASBA}[c.typ == fromConfig || c.exit != 0]; r.Mode != mode {
						t.Errorf("mode %s", r.Mode)
					}
				})
			}
		}
	}
}

// Where nobody reads a pipe, a call takes what somebody writes into it; a job
// does not: it could be any job's.
func TestAPlanThatNobodyAskedForIsOfTheCall(t *testing.T) {
	for _, ofJob := range []bool{false, true} {
		a := ready(nil)
		a.nobody, a.unasked = true, planOf("c5.xlarge")
		nodes := names("aws-cpu", 1, 2)
		q, config, want := resumeOf(false, wanting{7, nodes}), ways[0].config, "c6i.xlarge"
		if !ofJob {
			q.Ask, config, want = ways[0].ask, "{}", "c5.xlarge"
		}
		w := asking(t, config, a, configuring(7, nodes))
		r, lines := w.resume(q)
		if got := w.typeOf(nodes[0]); r.ExitCode != 0 || got != want {
			t.Errorf("of a job %v: exit %d, a %s: %v", ofJob, r.ExitCode, got, lines)
		}
		if ofJob {
			wants(t, lines, "WARN: job 7: ASBA not reachable at /run/asba, falling back to standalone mode")
		}
	}
}

// The plan of a call that cannot be had is not replaced by another source's.
func TestAnAdvisorThatFailsIsNotReplaced(t *testing.T) {
	nodes := names("aws-cpu", 1, 1)
	for _, way := range ways {
		w := asking(t, "{url: 'http://other:1'}", nil, configuring(7, nodes))
		w.config += "plans: {dir: plans}\n"
		w.plans["plans/7.json"] = planOf("c5.xlarge")
		q := resumeOf(false, wanting{7, nodes})
		q.Ask = way.ask
		q.Getenv = func(name string) string { return map[string]string{"ASBA_INSTANCE_TYPES": "c5.large"}[name] }
		r, lines := w.resume(q)
		if got := w.typeOf(nodes[0]); r.Mode != report.ModeStandalone || got != "c6i.xlarge" || !slices.Contains(lines, standalone) {
			t.Errorf("%s: a %s: %v", way.name, got, lines)
		}
	}
}

// Several jobs at once: each is asked for with its own script, side by side, and
// gets its own plan; the one that fails falls back alone.
func TestEachJobIsAskedForItself(t *testing.T) {
	for _, way := range ways {
		a := ready(map[string]string{"7": planOf("c5n.9xlarge"), "8": planOf("c5.xlarge"), "9": wrongFailure, "10": noTypes})
		a.takes[""] = 2 * time.Second
		one, two, three, four := names("aws-hpc", 1, 2), names("aws-cpu", 1, 1), names("aws-cpu", 2, 3), names("aws-cpu", 4, 4)
		w := asking(t, way.config, a, configuring(7, one), configuring(8, two), configuring(9, three), configuring(10, four))
		begin := w.engine.Now()
		r, lines := w.resume(resumeOf(false, wanting{7, one}, wanting{8, two}, wanting{9, three}, wanting{10, four}))
		if r.ExitCode != report.ExitPartly || r.Mode != report.ModeASBA {
			t.Errorf("%s: exit %d, mode %s: %v", way.name, r.ExitCode, r.Mode, lines)
		}
		for n, typ := range map[string]string{one[0]: "c5n.9xlarge", one[1]: "c5n.9xlarge", two[0]: "c5.xlarge", three[0]: "c6i.xlarge", four[0]: ""} {
			if got := w.typeOf(n); got != typ {
				t.Errorf("%s: %s is a %q, want %q", way.name, n, got, typ)
			}
		}
		if !held(w.slurm.Job(10)) || w.slurm.Job(9).State != "CONFIGURING" {
			t.Errorf("%s: jobs 9 and 10 are %s and %s", way.name, w.slurm.Job(9).State, w.slurm.Job(10).State)
		}
		wants(t, lines, "ERROR: Invalid execution plan: job 10: no instance types specified", standalone)
		if n := len(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, "WARN: job 9: ASBA ") })); n != 1 {
			t.Errorf("%s: %d lines about job 9: %v", way.name, n, lines)
		}
		if a.most != 4 || len(a.asked) != 4 {
			t.Errorf("%s: %d questions, %d at once", way.name, len(a.asked), a.most)
		}
		if d := w.engine.Now().Sub(begin); d > 15*time.Second {
			t.Errorf("%s: after %s", way.name, d)
		}
		if way.name == "url" {
			want := protocol.Request{JobID: "7", JobScript: "#!/bin/sh\n# job 7\n", NodeCount: 2, Partition: "aws"}
			if !slices.Contains(a.asked, want) {
				t.Errorf("asked %+v", a.asked)
			}
		}
		if r.ScontrolCalls["write batch_script"] != 4 {
			t.Errorf("scontrol: %v", r.ScontrolCalls)
		}
	}
}

// An advisor that hangs costs the call one timeout, however many jobs there are.
func TestAHangingAdvisorCostsOneTimeout(t *testing.T) {
	for _, way := range ways {
		a := ready(map[string]string{"": planOf("c5.xlarge"), "103": planOf("c5n.9xlarge")})
		a.takes[""], a.takes["103"] = time.Hour, time.Second
		var jobs []slurmmodel.Job
		var waiting []wanting
		for i, n := range names("aws-cpu", 1, 40) {
			jobs, waiting = append(jobs, configuring(100+i, []string{n})), append(waiting, wanting{100 + i, []string{n}})
		}
		w := asking(t, way.config, a, jobs...)
		begin := w.engine.Now()
		r, lines := w.resume(resumeOf(false, waiting...))
		if r.ExitCode != 0 || w.typeOf("aws-cpu-004") != "c5n.9xlarge" || w.typeOf("aws-cpu-040") != "c6i.xlarge" {
			t.Errorf("%s: exit %d: %v", way.name, r.ExitCode, lines)
		}
		wants(t, lines, "WARN: jobs 100, 101, 102, 104, 105 and 34 more: ASBA did not answer within 5s at "+way.at+", falling back to standalone mode")
		if d := w.engine.Now().Sub(begin); d < 5*time.Second || d > 10*time.Second {
			t.Errorf("%s: after %s", way.name, d)
		}
		if len(a.asked) > 9 {
			t.Errorf("%s: %d questions were begun", way.name, len(a.asked))
		}
	}
}

// The call itself has less time than the advisor may take.
func TestAskingLeavesTimeForTheLaunch(t *testing.T) {
	a := ready(map[string]string{"": planOf("c5.xlarge")})
	a.takes[""] = time.Hour
	nodes := names("aws-cpu", 1, 1)
	w := asking(t, "{command: asba, timeout: 1h}", a, configuring(7, nodes))
	w.config = strings.Replace(w.config, "scontrol: /usr/bin/scontrol", "scontrol: /usr/bin/scontrol\n  resume_timeout: 90", 1)
	begin := w.engine.Now()
	_, lines := w.resume(resumeOf(false, wanting{7, nodes}))
	wants(t, lines, "WARN: job 7: ASBA did not answer within 22.5s at asba, falling back to standalone mode")
	if d := w.engine.Now().Sub(begin); d > 45*time.Second {
		t.Errorf("after %s", d)
	}
	w.check(nodes...) // there was time left for that
	q := resumeOf(false, wanting{7, nodes})
	q.Ask = executor.Ask{Auto: true, Timeout: 3 * time.Second}
	_, lines = w.resume(q)
	wants(t, lines, "WARN: ASBA did not answer within 3s at asba, falling back to standalone mode")
}

// A job that comes back gets the plan that it had, while it is the same job.
func TestAnAnswerIsRemembered(t *testing.T) {
	nodes := names("aws-cpu", 1, 1)
	a := ready(map[string]string{"7": planOf("c5.xlarge")})
	w := asking(t, ways[1].config, a, configuring(7, nodes))
	again := func(what string, questions int, typ string) {
		t.Helper()
		w.suspend(nodes...)
		w.pass(time.Minute)
		a.asked = nil
		_, lines := w.resume(resumeOf(false, wanting{7, nodes}))
		if got := w.typeOf(nodes[0]); len(a.asked) != questions || got != typ {
			t.Errorf("%s: %d questions, a %s: %v", what, len(a.asked), got, lines)
		}
	}
	again("first", 1, "c5.xlarge")
	a.plans["7"] = planOf("c5.large") // which would be another answer
	again("requeued", 0, "c5.xlarge")
	w.advisor = nil
	again("without an advisor", 0, "c5.xlarge")
	w.advisor = a
	w.config = strings.Replace(w.config, "localhost:8080", "localhost:8081", 1)
	again("another advisor", 1, "c5.large")
	w.config = strings.Replace(w.config, "localhost:8081", "localhost:8080", 1)
	w.pass(25 * time.Hour)
	again("days later", 1, "c5.large")
	if n := len(w.disk.Names("asked")); n != 1 {
		t.Errorf("%d answers are kept", n)
	}

	job := configuring(7, nodes)
	job.Script = "#!/bin/sh\n# another\n"
	w.slurm.SetJob(job)
	a.plans["7"] = planOf("c5.2xlarge")
	again("another script", 1, "c5.2xlarge")
	name := w.disk.Names("asked")[1]
	w.call("tear", func(_ context.Context, x *executor.Executor) *report.Report {
		if err := x.Store.Write(name, []byte(`{"way":`)); err != nil {
			t.Error(err)
		}
		return nil
	})
	again("what is torn", 1, "c5.2xlarge")
}

// What was no plan is asked again, and so is what only a dry run heard.
func TestWhatIsNotRemembered(t *testing.T) {
	nodes := names("aws-cpu", 1, 1)
	for _, text := range []string{noTypes, wrongFailure, wrongCut} {
		a := ready(map[string]string{"7": text})
		w := asking(t, ways[1].config, a, configuring(7, nodes))
		w.resume(resumeOf(false, wanting{7, nodes}))
		if names := w.disk.Names("asked"); len(names) > 0 {
			t.Errorf("%s: kept %v", text, names)
		}
	}
	for _, kind := range []string{executor.DryRunClient, executor.DryRunServer} {
		a := ready(map[string]string{"7": planOf("c5.xlarge")})
		w := asking(t, ways[1].config, a, configuring(7, nodes))
		q := resumeOf(false, wanting{7, nodes})
		q.DryRun = kind
		r, lines := w.resume(q)
		if len(r.Rungs) == 0 || r.Rungs[0].Type != "c5.xlarge" || len(w.disk.Names("asked")) > 0 {
			t.Errorf("%s: %+v, %v", kind, r.Rungs, lines)
		}
		if calls := len(w.slurm.Calls()); (calls == 0) != (kind == executor.DryRunClient) {
			t.Errorf("%s: %d calls of scontrol", kind, calls)
		}
	}
}

// Refer wins over ask, and what is referred to is never asked for, whatever is
// wrong with it.
func TestWhatTheSiteSaysIsNotAsked(t *testing.T) {
	one, two, three := names("aws-cpu", 1, 1), names("aws-cpu", 2, 2), names("aws-cpu", 3, 3)
	a := ready(map[string]string{"": planOf("c5.large")})
	w := asking(t, ways[1].config, a, configuring(7, one), configuring(8, two), configuring(9, three))
	w.config += "plans: {dir: plans}\n"
	w.folder = "plans"
	w.plans["plans/7.json"], w.plans["plans/8.json"] = planOf("c5.xlarge"), unreadable
	r, lines := w.resume(resumeOf(false, wanting{7, one}, wanting{8, two}, wanting{9, three}))
	for n, typ := range map[string]string{one[0]: "c5.xlarge", two[0]: "c6i.xlarge", three[0]: "c5.large"} {
		if got := w.typeOf(n); got != typ {
			t.Errorf("%s is a %s, want %s", n, got, typ)
		}
	}
	if r.ExitCode != 0 || len(a.asked) != 1 || a.asked[0].JobID != "9" {
		t.Errorf("exit %d, asked %+v: %v", r.ExitCode, a.asked, lines)
	}
}

// The tasks of an array are one question, as one of its tasks: the last one left
// has the array's own id.
func TestAnArrayIsAskedForOnce(t *testing.T) {
	var jobs []slurmmodel.Job
	var waiting []wanting
	nodes := names("aws-cpu", 1, 12)
	for i, n := range nodes {
		id := 102 + i
		if i == 0 {
			id = 2
		}
		j := configuring(id, []string{n})
		j.ArrayID, j.Task, j.Script = 2, fmt.Sprint(i), "#!/bin/sh\n# array\n"
		jobs, waiting = append(jobs, j), append(waiting, wanting{id, []string{n}})
	}
	a := ready(map[string]string{"": planOf("c5.xlarge")})
	w := asking(t, ways[1].config, a, jobs...)
	r, lines := w.resume(resumeOf(false, waiting...))
	if r.ExitCode != 0 || r.APICalls["RunInstances"] != 1 || len(a.asked) != 1 || a.asked[0].JobID != "2_0" || r.ScontrolCalls["write batch_script"] != 1 {
		t.Errorf("exit %d, %v, %v, asked %+v: %v", r.ExitCode, r.APICalls, r.ScontrolCalls, a.asked, lines)
	}
	w.check(nodes...)
}

// srun and salloc have no script; slurmctld may not answer, or there is none.
func TestAJobWithoutAScriptIsAskedForAllTheSame(t *testing.T) {
	nodes := names("aws-cpu", 1, 1)
	for _, name := range []string{"interactive", "slurmctld is dead", "no Slurm"} {
		a := ready(map[string]string{"7": planOf("c5.xlarge")})
		job := configuring(7, nodes)
		job.Batch = false
		w := asking(t, "{url: 'http://localhost:8080', timeout: 4s}", a, job)
		switch name {
		case "slurmctld is dead":
			w.slurm.SetOutage(slurmmodel.Dead)
		case "no Slurm":
			w.slurm = nil
		}
		r, lines := w.resume(resumeOf(false, wanting{7, nodes}))
		if got := w.typeOf(nodes[0]); got != "c5.xlarge" || len(a.asked) != 1 || a.asked[0] != (protocol.Request{JobID: "7", NodeCount: 1, Partition: "aws"}) {
			t.Errorf("%s: exit %d, a %s, asked %+v: %v", name, r.ExitCode, got, a.asked, lines)
		}
		if kept := len(w.disk.Names("asked")); (kept == 1) != (name == "interactive") {
			t.Errorf("%s: %d kept", name, kept)
		}
	}
}

// Over plain HTTP from another host, and over a pipe that others can change, a
// plan is bound as a stranger's file is.
func TestTrustInAnAdvisor(t *testing.T) {
	const text = `{"instance_specification": {"instance_types": ["c5.xlarge"], "iam_instance_profile": "theirs", "user_data": "#!/bin/sh", "subnet_ids": ["subnet-1"]}}`
	const bound = "WARN: job 7: policy does not let a plan set user_data, subnet_ids, using the configuration's"
	const restricted = "WARN: job 7: the plan is untrusted and cannot set user_data, iam_instance_profile, subnet_ids, using the configuration's"
	const anyones = "ERROR: Invalid execution plan: job 7: the pipe is world-writable: anyone could have written the plan (chmod o-w it)"
	mine := plansource.PipeInfo{OwnedByRootOrSelf: true}
	for _, c := range []struct {
		name, config string
		local        bool
		pipe         plansource.PipeInfo
		line         string
	}{
		{"this machine", ways[1].config, true, mine, bound},
		{"another host", "{url: 'http://asba:8080'}", false, mine, restricted},
		{"another host by TLS", "{url: 'https://asba'}", false, mine, bound},
		{"our pipe", ways[0].config, true, mine, bound},
		{"a stranger's pipe", ways[0].config, true, plansource.PipeInfo{}, restricted},
		{"a group's pipe", ways[0].config, true, plansource.PipeInfo{OwnedByRootOrSelf: true, GroupWritable: true}, restricted},
		{"a pipe in anyone's folder", ways[0].config, true, plansource.PipeInfo{OwnedByRootOrSelf: true, Replaceable: true}, restricted},
		{"anyone's pipe", ways[0].config, true, plansource.PipeInfo{OwnedByRootOrSelf: true, WorldWritable: true}, anyones},
		{"our command", ways[2].config, true, mine, bound},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := ready(map[string]string{"": text})
			a.local, a.pipe = c.local, c.pipe
			nodes := names("aws-cpu", 1, 1)
			w := asking(t, c.config, a, configuring(7, nodes))
			w.config += "policy: {allow_subnets: false, allow_iam_profile: true}\n"
			for range 2 { // the second time from memory: trust is remembered, too
				_, lines := w.resume(resumeOf(false, wanting{7, nodes}))
				wants(t, lines, c.line)
				w.suspend(nodes...)
				w.pass(time.Minute)
				w.slurm.SetJob(configuring(7, nodes))
			}
		})
	}
}

// on_missing holds also for a plan that could not be asked for.
func TestAJobCanWaitForItsAdvisor(t *testing.T) {
	nodes := names("aws-cpu", 1, 1)
	w := asking(t, ways[0].config, nil, configuring(7, nodes))
	w.config += "plans: {on_missing: hold}\n"
	r, lines := w.resume(resumeOf(false, wanting{7, nodes}))
	if r.ExitCode != report.ExitPlan || !held(w.slurm.Job(7)) {
		t.Errorf("exit %d, job 7 is %s", r.ExitCode, w.slurm.Job(7).State)
	}
	wants(t, lines, "ERROR: job 7: ASBA not reachable at /run/asba, and plans.on_missing is hold")
	w.check()
}

// A job that takes the place of a cancelled one is launched for where its plan is
// known to be the same; nobody is asked in the middle of a launch.
func TestTheNextJobsPlanIsTheRememberedOne(t *testing.T) {
	for _, same := range []bool{true, false} {
		nodes := names("aws-hpc", 1, 2)
		task := func(id int, task string) slurmmodel.Job {
			j := configuring(id, nodes)
			j.ArrayID, j.Task, j.Script = 2, task, "#!/bin/sh\n"
			return j
		}
		next := configuring(9, nodes)
		if same {
			next = task(4, "2")
		}
		a := ready(map[string]string{"": planOf("c5n.9xlarge")})
		w := asking(t, ways[1].config, a, task(3, "1")).withFaults("- {az: us-east-1a, error: InsufficientInstanceCapacity, delay: 6s}")
		w.engine.Spawn("scancel", func(ctx context.Context, e env.Env) {
			_ = e.Sleep(ctx, 3*time.Second)
			gone := task(3, "1")
			gone.State = "CANCELLED"
			w.slurm.SetJob(gone)
			w.slurm.SetJob(next)
		})
		r, lines := w.resume(resumeOf(false, wanting{3, nodes}))
		if len(a.asked) != 1 || (r.ExitCode == 0) != same {
			t.Errorf("exit %d, asked %+v: %v", r.ExitCode, a.asked, lines)
		}
		if same {
			w.check(nodes...)
		} else {
			w.check()
			wants(t, lines, "INFO: job 3 is gone, its nodes now wait for job 9, which has another plan")
		}
	}
}

// interrupted is the Env of a program that is told to stop.
type interrupted struct {
	env.Env
	told *bool
}

var errInterrupted = errors.New("interrupted")

func (i interrupted) Sleep(ctx context.Context, d time.Duration) error {
	if *i.told {
		return errInterrupted
	}
	return i.Env.Sleep(ctx, d)
}

// A question that was given up because the program was told to stop is no reason
// to launch by another plan.
func TestWhoIsStoppedAsItAsksLaunchesNothing(t *testing.T) {
	for _, way := range ways {
		for _, ofJob := range []bool{false, true} {
			nodes := names("aws-cpu", 1, 2)
			q, config := resumeOf(false, wanting{7, nodes}), way.config
			q.Getenv = func(string) string { return "" }
			if !ofJob {
				q.Ask, config = way.ask, "{}"
			}
			a := ready(map[string]string{"": planOf("c5.xlarge")})
			a.takes[""] = time.Hour
			w := asking(t, config, a, configuring(7, nodes))
			r, lines := w.call("resume", func(ctx context.Context, x *executor.Executor) *report.Report {
				told := false
				x.Env, a.onAsk = interrupted{x.Env, &told}, func() { told = true }
				return x.Resume(ctx, q)
			})
			if r.ExitCode != report.ExitFailed || len(r.APICalls) > 0 {
				t.Errorf("%s: exit %d, %v: %v", way.name, r.ExitCode, r.APICalls, lines)
			}
			wants(t, lines, "ERROR: stopped before the plans were known: interrupted")
			w.check()
			if node := w.slurm.Node(nodes[0]); !strings.HasPrefix(node.Reason, "(Code:Interrupted)") || held(w.slurm.Job(7)) {
				t.Errorf("%s: %q, job %s", way.name, node.Reason, w.slurm.Job(7).Reason)
			}
		}
	}
}
