package executor

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"aws-slurm-burst/executor/decide"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

// askAtOnce is how many questions are asked side by side.
const askAtOnce = 8

// Ask says that and how a call asks the advisor for the plan of all of its
// nodes: by exactly one of Pipe, URL and Auto, or not at all.
type Ask struct {
	Pipe string
	URL  string
	Auto bool // the advisor's program: the configuration's, else asba in PATH
	// Timeout is how long, 0 is as long as the configuration says.
	Timeout time.Duration
}

// way is how the call asks; ok is false where it does not.
func (r *resumption) way() (w plansource.Way, ok bool) {
	c, ask := r.Config.ASBA, r.request.Ask
	switch {
	case ask.Pipe != "":
		return plansource.Way{Pipe: ask.Pipe, Unasked: true}, true
	case ask.URL != "":
		w := plansource.Way{URL: ask.URL, CAFile: c.CAFile}
		// A token is for its own host, which another address is not.
		if c.URL == "" || sameHost(c.URL, ask.URL) {
			w.TokenFile = c.TokenFile
		}
		return w, true
	case ask.Auto:
		return plansource.Way{Command: cmp.Or(c.Command, "asba"), ConfigPath: c.ConfigPath}, true
	}
	return plansource.Way{}, false
}

func sameHost(a, b string) bool {
	u, err := url.Parse(a)
	v, err2 := url.Parse(b)
	return err == nil && err2 == nil && u.Scheme == v.Scheme && u.Host == v.Host
}

// wayOfJobs is how each job's plan is asked for, as the configuration says.
func (r *resumption) wayOfJobs() plansource.Way {
	c := r.Config.ASBA
	return plansource.Way{Command: c.Command, ConfigPath: c.ConfigPath, URL: c.URL, TokenFile: c.TokenFile, CAFile: c.CAFile, Pipe: c.Pipe}
}

// patience is a context for all questions of the call together, and how long it
// lasts: no longer than half of what the call has left, which has to launch after
// it, by whatever plan.
func (r *resumption) patience(ctx context.Context) (context.Context, context.CancelFunc, time.Duration) {
	now := r.Env.Now()
	within := min(cmp.Or(r.request.Ask.Timeout, r.Config.ASBA.Timeout), max(r.Calls.Deadline.Sub(now)/2, 0))
	asking, cancel := r.Env.WithDeadline(ctx, now.Add(within))
	return asking, cancel, within
}

// slurmFirst is a context for what slurmctld is asked before the advisor: half of
// the patience at most, so that a slurmctld that hangs does not pass for an
// advisor that does.
func (r *resumption) slurmFirst(asking context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	return r.Env.WithDeadline(asking, r.Env.Now().Add(within/2))
}

// askForCall asks for the plan of all nodes of the call. Where they are those of
// one job, the question names it.
func (r *resumption) askForCall(ctx context.Context, w plansource.Way) plansource.Answer {
	asking, cancel, within := r.patience(ctx)
	defer cancel()
	q := plansource.Question{Nodes: len(r.nodes), Partition: r.partition(r.nodes)}
	if len(r.jobs) == 1 && len(overlap(r.nodes, r.jobs[0].Resume)) == len(r.nodes) {
		first, cancel := r.slurmFirst(asking, within)
		named, _ := planJob(r.jobRecords(first).of(first, r.Slurm, r.jobs[0].ID), r.jobs[0])
		q = r.question(named, r.jobs[0])
		q.Script = r.script(first, r.Slurm, q.Job)
		cancel()
	}
	return r.Advisor.Ask(asking, r.Env, w, q, within)
}

// stopped gives all nodes back where the program was told to stop while it asked,
// or waited for a file: what did not come for that reason is no reason to launch
// by another plan.
func (r *resumption) stopped(ctx context.Context) bool {
	err := r.Env.Sleep(ctx, 0)
	if err != nil {
		r.failNodes(ctx, report.ExitFailed, "Interrupted", fmt.Sprintf("stopped before the plans were known: %v", err))
		r.nodes = nil
	}
	return err != nil
}

// question is what is asked about a job, but for its script. The task of an array
// is named by its number: the last one left has the array's own id.
func (r *resumption) question(named plansource.Job, j decide.Job) plansource.Question {
	q := plansource.Question{Job: named.ID, Array: named.ArrayID, Nodes: j.Size(), Partition: r.partition(j.Resume)}
	if named.ArrayID != "" && named.Task != "" && strings.Trim(named.Task, "0123456789") == "" {
		q.Job = named.ArrayID + "_" + named.Task
	}
	return q
}

// partition is the one that nodes are in, "" where they are in several.
func (r *resumption) partition(nodes []string) string {
	of := ""
	for _, n := range nodes {
		ng, ok := r.Config.GroupOf(n)
		if !ok || of != "" && ng.Partition != of {
			return ""
		}
		of = ng.Partition
	}
	return of
}

// script is a job's stored script, nil where it is not known.
func (r *resumption) script(ctx context.Context, ctl *slurm.Controller, job string) []byte {
	if ctl.Off() || r.request.DryRun == DryRunClient || ctx.Err() != nil {
		return nil
	}
	text, err := ctl.Script(ctx, job)
	if err != nil {
		env.Debugf(r.Env, "asked", "job %s: script not known, asking without: %v", job, err)
	}
	if text == nil && err == nil {
		text = []byte{} // it is known that there is none
	}
	return text
}

// asked is a question about a job or an array, and its answer.
type asked struct {
	plansource.Question
	answer plansource.Answer
	known  bool // from memory
}

// askFor asks for the plans of jobs, side by side, and returns the question of
// each. The tasks of an array are one question, and one that was answered before
// is not asked again. All of it takes no longer than one question may.
func (r *resumption) askFor(ctx context.Context, jobs []decide.Job, named []plansource.Job) []*asked {
	if len(jobs) == 0 {
		return nil
	}
	asking, cancel, within := r.patience(ctx)
	defer cancel()
	w := r.wayOfJobs()
	r.memory = plansource.Remember(r.Env, r.Store)

	questions := make([]plansource.Question, len(jobs))
	var first []plansource.Question // of each subject: an array has one script
	at := map[string]int{}
	for i, j := range jobs {
		q := r.question(named[i], j)
		if _, ok := at[q.Subject()]; !ok {
			at[q.Subject()] = len(first)
			first = append(first, q)
		}
		questions[i] = q
	}
	scripts := r.scripts(asking, within, first)

	type same struct {
		subject, partition string
		nodes              int
	}
	all := map[same]*asked{}
	var unknown []*asked
	of := make([]*asked, len(jobs))
	for i, q := range questions {
		key := same{q.Subject(), q.Partition, q.Nodes}
		if all[key] == nil {
			q.Script = scripts[at[q.Subject()]]
			p := &asked{Question: q}
			if p.answer, p.known = r.memory.Recall(w, q); !p.known {
				unknown = append(unknown, p)
			}
			all[key] = p
		}
		of[i] = all[key]
	}

	answers := env.Map(asking, r.Env, askAtOnce, unknown, func(ctx context.Context, p *asked) (plansource.Answer, error) {
		return r.Advisor.Ask(ctx, r.Env, w, p.Question, within), nil
	})
	for i, p := range unknown {
		p.answer = answers[i].Value
	}
	return of
}

// remember keeps the answers that turned out to be good for something: what was
// wrong with another may be mended when the job comes back.
func (r *resumption) remember(all []*found) {
	if r.request.DryRun != "" {
		return
	}
	for _, f := range all {
		switch f.info.Outcome {
		case report.PlanUsed, report.PlanUntrusted, report.PlanAgainst:
			for _, q := range f.asked {
				r.memory.Keep(r.wayOfJobs(), q.Question, q.answer)
			}
		}
	}
}

// scripts reads the scripts of several jobs side by side.
func (r *resumption) scripts(asking context.Context, within time.Duration, jobs []plansource.Question) [][]byte {
	ctx, cancel := r.slurmFirst(asking, within)
	defer cancel()
	ctls := make([]*slurm.Controller, len(jobs))
	index := make([]int, len(jobs))
	for i := range jobs {
		ctls[i], index[i] = r.Slurm.Fork(), i
	}
	read := env.Map(ctx, r.Env, askAtOnce, index, func(ctx context.Context, i int) ([]byte, error) {
		return r.script(ctx, ctls[i], jobs[i].Job), nil
	})
	r.Slurm.Join(ctls...)
	texts := make([][]byte, len(jobs))
	for i := range read {
		texts[i] = read[i].Value
	}
	return texts
}

// recall is the answer that is remembered for a job, without asking the advisor.
func (r *resumption) recall(ctx context.Context, ctl *slurm.Controller, named plansource.Job, j decide.Job) (plansource.Answer, bool) {
	q := r.question(named, j)
	q.Script = r.script(ctx, ctl, q.Job)
	return plansource.Remember(r.Env, r.Store).Recall(r.wayOfJobs(), q)
}
