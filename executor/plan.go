package executor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/asba/plan/rule"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/decide"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/ladder"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
)

// found is a plan that was looked for, and what it means for the nodes that it
// is about.
type found struct {
	plansource.Answer
	// jobs are those whose plan it is, by the names that people know them by;
	// none for the plan of the call, which speaks of all of its nodes.
	jobs []string
	// asked are the questions that the advisor answered with it in this call.
	asked []*asked
	size  int // nodes it is for, as far as they are known
	// nodes of the call that it is for; of several jobs those of the first.
	nodes []string
	info  *report.PlanInfo
	// use is the plan to launch by, nil for the configuration alone.
	use *plan.Plan
	// refusal says why nothing is launched, nil where something is.
	refusal *refusal
}

// readPlans finds the plan of the call, or else of each of its jobs. It leaves
// in r.nodes and r.jobs what is to be launched, and puts aside the others.
func (r *resumption) readPlans(ctx context.Context) {
	var a plansource.Answer
	way, explicit := r.way()
	switch {
	case r.request.PlanFile != "":
		a, explicit = plansource.FromFile(ctx, r.Plans, r.request.PlanFile), true
	case explicit:
		if a = r.askForCall(ctx, way); r.stopped(ctx) {
			return
		}
	default:
		a, explicit = plansource.FromEnvironment(r.request.Getenv)
	}
	switch {
	case explicit:
		f := &found{Answer: a, size: len(r.nodes), nodes: r.nodes}
		r.weigh(f)
		r.Report.Plan, r.plan = f.info, f.use
		r.plans = map[*plan.Plan]*found{f.use: f}
		if f.refusal != nil {
			f.refusal.wanted, f.refusal.nodes = r.nodes, r.nodes
			r.refusals, r.nodes = []*refusal{f.refusal}, nil
		}
	case r.Config.Plans.Dir != "" || r.Config.ASBA.Enabled:
		r.readJobPlans(ctx)
	}
}

// weigh judges a plan: it says all that there is to say of it, and which way
// things go from here.
func (r *resumption) weigh(f *found) {
	f.info = &report.PlanInfo{Source: f.Source, Outcome: report.PlanUsed}
	if f.Outcome == plansource.Missing {
		r.planMissing(f)
		return
	}
	if f.Plan != nil {
		f.info.Digest, f.info.Dialect = f.Plan.Digest, f.Plan.Dialect
	}
	kept := r.bind(f.Answer) // first: what does not count is not judged
	drops := r.judge(f)
	r.Report.Findings = append(r.Report.Findings, f.Findings...)
	r.sayDropped(drops)
	tell := slices.DeleteFunc(slices.Clone(f.Findings), saidElsewhere)
	if finding.Count(tell, finding.Error) > 0 {
		r.planInvalid(f, tell)
		return
	}
	for _, x := range tell {
		if x.Level == finding.Warning {
			env.Warnf(r.Env, "plan.finding", "%s%s", f.who(), planLine(x))
		}
	}
	if !f.Plan.Bursts() {
		r.planAgainst(f)
		return
	}
	if len(kept) > 0 {
		whose := "policy does not let a plan set"
		if !f.Trusted {
			whose = "the plan is untrusted and cannot set"
			f.info.Outcome = report.PlanUntrusted
		}
		env.Warnf(r.Env, "plan.bound", "%s%s %s, using the configuration's", f.who(), whose, strings.Join(kept, ", "))
	}
	lint.Keep(f.Plan, drops)
	f.use = f.Plan
	r.Report.Mode = report.ModeASBA
}

// who begins a line about the plan of jobs: "job 2_3: ".
func (f *found) who() string {
	if len(f.jobs) == 0 {
		return ""
	}
	return listed("job", f.jobs) + ": "
}

// listedAtOnce is how many names a line has; of the others it has the number.
const listedAtOnce = 5

// listed names a few of many: "job 2", "jobs 2, 3 and 4", "jobs 2, 3, 4, 5, 6
// and 12 more".
func listed(noun string, names []string) string {
	switch n := len(names); {
	case n == 1:
		return noun + " " + names[0]
	case n <= listedAtOnce:
		return noun + "s " + strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	default:
		return fmt.Sprintf("%ss %s and %d more", noun, strings.Join(names[:listedAtOnce], ", "), n-listedAtOnce)
	}
}

// bind takes out of a plan what it may not set: an untrusted one nothing that
// grants rights or reaches into the site, a trusted one what policy allows.
func (r *resumption) bind(a plansource.Answer) []string {
	if a.Plan == nil {
		return nil
	}
	if !a.Trusted {
		return plansource.Restrict(a.Plan)
	}
	return r.Config.Policy.Bind(a.Plan)
}

// planLine is a finding on one line, without its id: where, and what.
func planLine(f finding.Finding) string {
	s := f.Message
	if f.Suggestion != "" {
		s += " (" + f.Suggestion + ")"
	}
	if f.Line > 0 {
		s = f.Where() + ": " + s
	}
	return s
}

func (r *resumption) planMissing(f *found) {
	f.info.Outcome = report.PlanMissing
	if f.Detail != "" {
		r.Env.Log(env.Event{Level: env.Note, Name: "plan.missing", Text: f.who() + f.Cause + ": " + f.Detail})
	}
	cause := f.who() + f.Cause
	if f.Cause == "" { // none in a folder: most jobs need none
		cause = fmt.Sprintf("No execution plan for %s in %s", listed("job", f.jobs), f.Source)
	}
	switch {
	case r.Config.Plans.OnMissing == "hold":
		text := cause + ", and plans.on_missing is hold"
		env.Errorf(r.Env, "plan.missing", "%s", text)
		f.refusal = &refusal{exit: report.ExitPlan, giving: giving{Code: "PlanMissing", Text: text, Hold: true}}
	case f.Cause == "":
		env.Infof(r.Env, "plan.missing", "%s, using static configuration from %s", cause, r.Config.Base())
	default:
		env.Warnf(r.Env, "plan.missing", "%s, falling back to standalone mode", cause)
		r.once(env.Info, "plan.missing", "Using static configuration from "+r.Config.Base())
	}
}

// planInvalid says every finding and launches nothing, unless the site chose
// the configuration instead.
func (r *resumption) planInvalid(f *found, fs []finding.Finding) {
	f.info.Outcome = report.PlanInvalid
	first := ""
	for _, x := range fs {
		if x.Level < finding.Error {
			continue
		}
		line := invalidLine(x)
		if first == "" {
			first = line
		}
		env.Errorf(r.Env, "plan.invalid", "Invalid execution plan: %s%s", f.who(), line)
	}
	r.once(env.Suggestion, "plan.invalid", "Run 'asba analyze' to generate valid plan")
	if r.Config.Plans.OnInvalid == "standalone" {
		r.once(env.Info, "plan.invalid", "Using static configuration from "+r.Config.Base())
		return
	}
	f.refusal = &refusal{exit: report.ExitPlan, giving: giving{Code: "InvalidPlan", Text: "Invalid execution plan: " + first, Hold: true}}
}

// noInstanceTypes are words of the contract: the line about a plan without
// types ends with them, whatever else the finding knows.
const noInstanceTypes = "no instance types specified"

// invalidLine is a finding as the contract's line has it. What a whole plan
// lacks is said in the contract's bare words; a mistake is said with its place.
func invalidLine(f finding.Finding) string {
	if f.Message == noInstanceTypes {
		return f.Message
	}
	return planLine(f)
}

func (r *resumption) planAgainst(f *found) {
	f.info.Outcome = report.PlanAgainst
	r.Report.Mode = report.ModeASBA
	reason := strings.Join(f.Plan.Reasons.Value, "; ")
	if reason == "" {
		reason = "no reason given"
	}
	const words = "ASBA advises against bursting: "
	env.Infof(r.Env, "plan.against", "%s%s%s", words, f.who(), reason)
	f.refusal = &refusal{giving: giving{Code: "AdvisedAgainst", Text: words + reason, Against: true}}
}

// saidDrops is after how many dropped types only their number is said.
const saidDrops = 20

// judge finds what is wrong with a plan, on top of what reading found, and
// returns the instance types that are to be dropped from it. Where none would be
// left and the site says so, wishes that no type can meet go first.
func (r *resumption) judge(f *found) []lint.Drop {
	if f.Plan == nil {
		return nil
	}
	o := lint.Options{
		Catalog: r.Types, Region: r.Config.AWS.Region, Nodes: f.size, Now: r.Start.Std(), Line: r.line(f),
	}
	if f.Outcome == plansource.Invalid || !f.Plan.Bursts() {
		f.Findings = lint.All(f.Plan, f.Findings, o)
		return nil
	}
	drops := lint.Impossible(f.Plan, o)
	if _, none := lint.NoneLeft(f.Plan, drops); none && r.Config.Plans.OnImpossible == "relax" {
		for _, wish := range lint.Relax(f.Plan, r.Types) {
			r.once(env.Warn, "plan.relaxed", wish+", doing without")
		}
		drops = lint.Impossible(f.Plan, o)
	}
	f.Findings = lint.All(f.Plan, f.Findings, o)
	return drops
}

// line is how Slurm declares the nodes of a plan, nil where they are not all
// alike: then each group is looked at by itself, later.
func (r *resumption) line(f *found) *lint.NodeLine {
	var of *config.NodeGroup
	for _, n := range f.nodes {
		ng, ok := r.Config.GroupOf(n)
		if !ok || of != nil && ng != of {
			return nil
		}
		of = ng
	}
	if of == nil {
		return nil
	}
	line := decide.Line(of)
	return &line
}

// saidElsewhere reports whether a finding does not decide on a plan's use: it
// costs the plan a type, which has a line of its own, or EC2 will tell, or it
// is for those who write plans.
func saidElsewhere(f finding.Finding) bool {
	return rule.DropsType(f.ID) || rule.Foretold(f.ID) || rule.ForAuthors(f.ID)
}

// sayDropped says which types of a plan cannot be what it wants.
func (r *resumption) sayDropped(drops []lint.Drop) {
	for _, d := range drops[:min(len(drops), saidDrops)] {
		r.once(env.Warn, "plan.dropped", d.Why+", dropped")
	}
	if more := len(drops) - saidDrops; more > 0 {
		env.Warnf(r.Env, "plan.dropped", "%d more instance types that are not possible, dropped", more)
	}
}

// once says a line that holds for several plans or groups of the call the first
// time alone.
func (r *resumption) once(l env.Level, name, text string) {
	if r.said == nil {
		r.said = map[string]bool{}
	}
	if !r.said[text] {
		r.said[text] = true
		r.Env.Log(env.Event{Level: l, Name: name, Text: text})
	}
}

// decide makes the groups of the call and the ladder of each. It looks subnets
// and images up, except in a client's dry run, which shows filters as filters.
func (r *resumption) decide(ctx context.Context) bool {
	m := r.maker()
	if r.request.DryRun != DryRunClient {
		m.Lookups = r.Lookup()
	}
	for _, g := range decide.Groups(r.nodes, r.jobs, r.Config, r.plan) {
		var info *report.PlanInfo
		if g.Plan != nil {
			info = r.plans[g.Plan].info
			for _, line := range decide.FilledIn(g.Plan, r.Config) {
				r.once(env.Info, "plan.partial", line)
			}
		}
		d, err := m.For(ctx, g)
		for _, why := range d.Dropped {
			r.once(env.Warn, "type.dropped", why+", dropped")
		}
		p := &part{Group: g, Decision: d, ladder: ladder.Build(d.Wish)}
		switch most := r.Config.Policy.MaxNodes; {
		case err != nil: // of this group alone: the others have their own
			p.err = cloud.AsError(err)
			r.Report.Error = p.err.Error()
		case most > 0 && g.Size() > most && g.Multi:
			p.err = cloud.Errorf("RunInstances", cloud.Config, "%d nodes wanted, policy.max_nodes is %d", g.Size(), most)
		}
		r.parts = append(r.parts, p)
		r.Report.Decisions = append(r.Report.Decisions, report.Decision{
			Job: strings.Join(g.Jobs, ","), Nodes: hostlist.Fold(g.Nodes), Gang: d.Gang, Plan: info, Settings: d.Sources,
		})
	}
	if slices.ContainsFunc(r.parts, func(p *part) bool { return p.err == nil }) {
		return true
	}
	r.tell(ctx) // nothing to look for
	return false
}

func (r *resumption) maker() *decide.Maker {
	return &decide.Maker{Config: r.Config, Types: r.Types, UserData: r.UserData, Start: r.Start}
}
