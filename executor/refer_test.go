package executor_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/report"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

// refer is the reference to a plan, as a job's AdminComment has it.
func refer(text string) string { return plan.Refer([]byte(text)).String() }

// named is the file of the plan in the folder of plans.
func named(text string) string { return plan.Refer([]byte(text)).File() }

// commented is a job of alice's with an AdminComment.
func commented(id int, nodes []string, comment string) slurmmodel.Job {
	j := configuring(id, nodes)
	j.User, j.UID, j.AdminComment = "alice", 1000, comment
	return j
}

// referring is a world whose jobs may refer to their plans.
func referring(t *testing.T, more string, plans map[string]string, jobs ...slurmmodel.Job) *world {
	t.Helper()
	w := planned(t, plans, jobs...)
	w.config = strings.Replace(w.config, "{dir: plans}", "{dir: plans, references: true"+more+"}", 1)
	return w
}

// By what a job is launched: the plan that it refers to, else the one with its
// name, else what the advisor says.
func TestAReferenceComesFirst(t *testing.T) {
	referred, byName, advised := planOf("c5.xlarge"), planOf("c5.large"), planOf("c5.2xlarge")
	for name, c := range map[string]struct {
		comment string
		byName  bool
		typ     string
		lines   []string
	}{
		"it refers to one":        {comment: refer(referred), byName: true, typ: "c5.xlarge"},
		"and was told of trouble": {comment: refer(referred) + "; no capacity; asba:none", typ: "c5.xlarge"},
		"it has none":             {comment: "asba:none", byName: true, typ: "c5.large"},
		"nor one by its name":     {comment: "asba:none; no capacity", typ: "c5.2xlarge"},
		"somebody's own words":    {comment: "the boss's job; " + refer(referred), typ: "c5.2xlarge"},
		"no comment": {byName: true, typ: "c5.large", lines: []string{
			"WARN: no AdminComment: job 7, which can refer to no plan (see that slurmctld's job_submit plugin gives every job one, or take plans.references out of config.yaml)"}},
		"what is no reference": {comment: "asba:../../etc/passwd", byName: true, typ: "c6i.xlarge", lines: []string{
			`WARN: job 7: Execution plan not known: in its AdminComment "asba:../../etc/passwd" is no reference to a plan (write asba: and the 64 digits that sha256sum prints of the plan's file), falling back to standalone mode`, standalone}},
	} {
		nodes := names("aws-cpu", 1, 2)
		plans := map[string]string{named(referred): referred}
		if c.byName {
			plans["7.json"] = byName
		}
		w := referring(t, "", plans, commented(7, nodes, c.comment))
		w.config += "asba: {command: asba}\n"
		w.advisor = ready(map[string]string{"7": advised})
		r, lines := w.resume(resumeOf(true, wanting{7, nodes}))
		if got := w.typeOf(nodes[0]); r.ExitCode != 0 || got != c.typ || !slices.Equal(lines, c.lines) {
			t.Errorf("%s: exit %d, a %s, want %s: %q", name, r.ExitCode, got, c.typ, lines)
		}
		if asked := len(w.advisor.asked) > 0; asked != (c.typ == "c5.2xlarge") {
			t.Errorf("%s: the advisor was asked: %v", name, asked)
		}
		if n := r.ScontrolCalls["show job"]; n != 1 {
			t.Errorf("%s: %d times show job", name, n)
		}
	}
}

// Without plans.references what is in an AdminComment is nobody's plan.
func TestReferencesCountWhereTheSiteSaysSo(t *testing.T) {
	text, nodes := planOf("c5.xlarge"), names("aws-cpu", 1, 2)
	w := planned(t, map[string]string{named(text): text}, commented(7, nodes, refer(text)))
	r, lines := w.resume(resumeOf(false, wanting{7, nodes}))
	wants(t, lines, "INFO: No execution plan for job 7 in plans, using static configuration from config.yaml")
	if got := w.typeOf(nodes[0]); r.ExitCode != 0 || got != "c6i.xlarge" {
		t.Errorf("exit %d, a %s", r.ExitCode, got)
	}
}

// What comes of a job whose plan is not where it says, beside one that is served.
func TestAReferenceWithoutItsPlan(t *testing.T) {
	text := planOf("c5.xlarge")
	at := "plans/" + named(text)
	for name, c := range map[string]struct {
		file, more string
		open       bool
		typ        string
		exit       int
		lines      []string
		waits      bool
	}{
		"missing":       {waits: true, typ: "c6i.xlarge", lines: []string{"WARN: job 7: Execution plan not found at " + at + ", falling back to standalone mode", standalone}},
		"missing, held": {waits: true, more: ", on_missing: hold", exit: report.ExitPartly, lines: []string{"ERROR: job 7: Execution plan not found at " + at + ", and plans.on_missing is hold"}},
		"another plan": {waits: true, file: planOf("c5.large"), exit: report.ExitPartly, lines: []string{
			"ERROR: Invalid execution plan: job 7: the file is not the plan that the job refers to: its SHA-256 is " + string(plan.Refer([]byte(planOf("c5.large")))) + " (write plans aside and rename them, and change none: submit the job again with a new one)",
			"SUGGESTION: Run 'asba analyze' to generate valid plan"}},
		"another plan, standalone": {waits: true, file: planOf("c5.large"), more: ", on_invalid: standalone", typ: "c6i.xlarge"},
		"half of it":               {waits: true, file: text[:len(text)/2], exit: report.ExitPartly},
		"not readable": {file: unreadable, typ: "c6i.xlarge", lines: []string{
			"WARN: job 7: Execution plan not readable: cannot be read: permission denied, falling back to standalone mode", standalone}},
		"anyone's": {file: text, open: true, exit: report.ExitPartly, lines: []string{
			"ERROR: Invalid execution plan: job 7: the plan file is world-writable: anyone could have written it (chmod o-w it)"}},
	} {
		t.Run(name, func(t *testing.T) {
			good, bad, other := names("aws-hpc", 1, 2), names("aws-cpu", 1, 2), planOf("c5n.9xlarge")
			plans := map[string]string{named(other): other, "7.json": other} // which is never passed over to
			if c.file != "" {
				plans[named(text)] = c.file
			}
			w := referring(t, c.more, plans, commented(7, bad, refer(text)), commented(8, good, refer(other)))
			w.config += "asba: {command: asba}\n"
			w.advisor = ready(map[string]string{"": other})
			w.open[at] = c.open
			began := w.engine.Now()
			r, lines := w.resume(resumeOf(false, wanting{7, bad}, wanting{8, good}))
			took := w.engine.Now().Sub(began)
			if r.ExitCode != c.exit || w.typeOf(bad[0]) != c.typ || w.typeOf(good[0]) != "c5n.9xlarge" {
				t.Errorf("exit %d, a %q and a %q: %v", r.ExitCode, w.typeOf(bad[0]), w.typeOf(good[0]), lines)
			}
			wants(t, lines, c.lines...)
			if j := w.slurm.Job(7); held(j) != (c.exit != 0) || j.AdminComment != refer(text) && !strings.HasPrefix(j.AdminComment, refer(text)+"; ") {
				t.Errorf("job 7 is %s (%s): %q", j.State, j.Reason, j.AdminComment)
			}
			if len(w.advisor.asked) > 0 {
				t.Error("the advisor was asked")
			}
			if waited := took > 2*time.Second; waited != c.waits || took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A plan that comes late, by a file system that shows it late, is waited for, and
// half of it is not taken for it.
func TestAPlanOnItsWayIsWaitedFor(t *testing.T) {
	text := planOf("c5.xlarge")
	for _, c := range []struct {
		after time.Duration
		typ   string
	}{{1900 * time.Millisecond, "c5.xlarge"}, {2100 * time.Millisecond, "c6i.xlarge"}} {
		one, two := names("aws-cpu", 1, 2), names("aws-cpu", 3, 4)
		w := referring(t, ", on_invalid: standalone", map[string]string{}, commented(7, one, refer(text)), commented(8, two, refer(text)))
		w.engine.Spawn("copy", func(ctx context.Context, e env.Env) {
			for _, n := range []int{0, len(text) / 2, len(text)} {
				w.plans["plans/"+named(text)] = text[:n]
				_ = e.Sleep(ctx, c.after/2)
			}
		})
		r, lines := w.resume(resumeOf(false, wanting{7, one}, wanting{8, two}))
		for _, n := range []string{one[0], two[0]} {
			if got := w.typeOf(n); r.ExitCode != 0 || got != c.typ {
				t.Errorf("after %v: exit %d, %s is a %s: %v", c.after, r.ExitCode, n, got, lines)
			}
		}
	}
}

// A user may name a job and say of it what they like: what the plugin wrote
// counts, or nothing.
func TestAForgedReferenceIsNone(t *testing.T) {
	dear := planOf("c5n.9xlarge")
	forged := "AdminComment=" + refer(dear) + "  "
	const unsure = "WARN: job 7: Execution plan not known: slurmctld's record of the job does not tell for certain what it refers to, falling back to standalone mode"
	for name, c := range map[string]struct {
		job  func(*slurmmodel.Job)
		line string
	}{
		"in the comment":       {func(j *slurmmodel.Job) { j.Comment = "x " + forged }, unsure},
		"in the name":          {func(j *slurmmodel.Job) { j.Name = "x UserId=root(0) Command=/c WorkDir=/w " + forged }, unsure},
		"in the folder's name": {func(j *slurmmodel.Job) { j.User = "x " + forged }, unsure},
		"in a record of the same job": {func(j *slurmmodel.Job) {
			j.Name = "x\nJobId=7 JobName=y UserId=root(0) JobState=CONFIGURING NodeList=aws-cpu-001 Command=/c WorkDir=/w " + forged
		}, unsure},
		"in the comment as plain words":  {func(j *slurmmodel.Job) { j.Comment = refer(dear) }, ""},
		"behind the plugin's, by a plan": {func(j *slurmmodel.Job) { j.AdminComment += "; " + refer(dear) }, ""},
	} {
		nodes := names("aws-cpu", 1, 2)
		job := commented(7, nodes, "asba:none")
		c.job(&job)
		w := referring(t, "", map[string]string{named(dear): dear}, job)
		r, lines := w.resume(resumeOf(false, wanting{7, nodes}))
		if got := w.typeOf(nodes[0]); r.ExitCode != 0 || got != "c6i.xlarge" {
			t.Errorf("%s: exit %d, a %s: %q", name, r.ExitCode, got, lines)
		}
		if c.line != "" {
			wants(t, lines, c.line)
		}
	}
}

// Nor can a user take the plan of another's job away, or give it one.
func TestAForgedRecordOfAnothersJobChangesNothing(t *testing.T) {
	text, dear, nodes := planOf("c5.xlarge"), planOf("c5n.9xlarge"), names("aws-cpu", 1, 2)
	eve := commented(30, nodes[1:], "asba:none")
	eve.Name = "x\nJobId=20 JobName=y UserId=root(0) JobState=CONFIGURING NodeList=aws-cpu-001 Command=/c WorkDir=/w AdminComment=" + refer(dear) + "  "
	w := referring(t, "", map[string]string{named(text): text, named(dear): dear}, commented(20, nodes[:1], refer(text)), eve)
	r, lines := w.resume(resumeOf(false, wanting{20, nodes[:1]}, wanting{30, nodes[1:]}))
	if got := w.typeOf(nodes[0]); r.ExitCode != 0 || got != "c5.xlarge" {
		t.Errorf("exit %d, a %s: %q", r.ExitCode, got, lines)
	}
}

// Tasks of an array have its comment, components the first one's where they have
// no reference of their own.
func TestTasksAndComponentsRefer(t *testing.T) {
	text, own := planOf("c5.xlarge"), planOf("c5.large")
	task := func(id int, task string, node []string) slurmmodel.Job {
		j := commented(id, node, refer(text))
		j.ArrayID, j.Task = 2, task
		return j
	}
	component := func(id, offset int, node []string, comment string) slurmmodel.Job {
		j := commented(id, node, comment)
		j.HetID, j.HetOffset = 10, offset
		return j
	}
	n := names("aws-cpu", 1, 5)
	jobs := []slurmmodel.Job{
		task(3, "1", n[:1]), task(2, "2", n[1:2]),
		component(10, 0, n[2:3], refer(text)), component(11, 1, n[3:4], "asba:none"), component(12, 2, n[4:5], refer(own)),
	}
	for _, old := range []bool{true, false} {
		w := referring(t, "", map[string]string{named(text): text, named(own): own}, jobs...)
		var waiting []wanting
		for _, j := range jobs {
			waiting = append(waiting, wanting{j.ID, j.Nodes})
		}
		r, lines := w.resume(resumeOf(old, waiting...))
		for i, want := range []string{"c5.xlarge", "c5.xlarge", "c5.xlarge", "c5.xlarge", "c5.large"} {
			if got := w.typeOf(n[i]); r.ExitCode != 0 || got != want {
				t.Errorf("exit %d, %s is a %s, want %s: %q", r.ExitCode, n[i], got, want, lines)
			}
		}
	}
}

// The file's owner decides what the plan may set, as with one by the job's name.
func TestTrustInAPlanThatIsReferredTo(t *testing.T) {
	text := `{"instance_specification": {"instance_types": ["c5.xlarge"], "iam_instance_profile": "theirs"}}`
	for owner, outcome := range map[int]string{0: report.PlanUsed, 1000: report.PlanUsed, 1001: report.PlanUntrusted} {
		node := names("aws-cpu", 1, 1)
		w := referring(t, "", map[string]string{named(text): text}, commented(7, node, refer(text)))
		w.config += "policy: {allow_iam_profile: true}\n"
		if owner != 0 {
			w.owners["plans/"+named(text)] = owner
		}
		r, _ := w.resume(resumeOf(false, wanting{7, node}))
		if len(r.Decisions) != 1 || r.Decisions[0].Plan.Outcome != outcome || r.Decisions[0].Plan.Source != "plans/"+named(text) {
			t.Errorf("owner %d: %+v", owner, r.Decisions)
		}
	}
}

// With no slurmctld to ask, nobody knows what a job refers to: its name is left.
func TestWithoutSlurmThereAreNoReferences(t *testing.T) {
	nodes := names("aws-cpu", 1, 2)
	w := referring(t, "", map[string]string{"7.json": planOf("c5.large")})
	r, lines := w.resume(resumeOf(false, wanting{7, nodes}))
	if got := w.typeOf(nodes[0]); r.ExitCode != 0 || got != "c5.large" || len(lines) > 0 {
		t.Errorf("exit %d, a %s: %q", r.ExitCode, got, lines)
	}
}

func TestJobsThatWentPastThePluginAreOneLine(t *testing.T) {
	var jobs []slurmmodel.Job
	var waiting []wanting
	for i, n := range names("aws-cpu", 1, 40) {
		jobs, waiting = append(jobs, commented(100+i, []string{n}, "")), append(waiting, wanting{100 + i, []string{n}})
	}
	w := referring(t, "", nil, jobs...)
	_, lines := w.resume(resumeOf(false, waiting...))
	if want := "WARN: no AdminComment: jobs 100, 101, 102, 103, 104 and 35 more, which can refer to no plan"; len(lines) != 2 || !strings.HasPrefix(lines[0], want) {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
}

// stopping is the Env of a program that is told to stop once it waits for a file.
type stopping struct{ env.Env }

func (s stopping) Sleep(context.Context, time.Duration) error { return errInterrupted }

func TestWhoIsStoppedAsItWaitsForAPlanLaunchesNothing(t *testing.T) {
	nodes := names("aws-cpu", 1, 2)
	w := referring(t, "", nil, commented(7, nodes, refer(planOf("c5.xlarge"))))
	q := resumeOf(false, wanting{7, nodes})
	q.Getenv = func(string) string { return "" }
	r, lines := w.call("resume", func(ctx context.Context, x *executor.Executor) *report.Report {
		x.Env = stopping{x.Env}
		return x.Resume(ctx, q)
	})
	if r.ExitCode != report.ExitFailed || len(r.APICalls) > 0 || held(w.slurm.Job(7)) {
		t.Errorf("exit %d, %v, job %s: %v", r.ExitCode, r.APICalls, w.slurm.Job(7).Reason, lines)
	}
	w.check()
}
