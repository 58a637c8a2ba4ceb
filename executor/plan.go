package executor

import (
	"context"
	"slices"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/decide"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/ladder"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/report"
)

// readPlan finds the plan of the call and says which way things go from here;
// false means that they end: the plan is invalid or advises against bursting.
func (r *resumption) readPlan(ctx context.Context) bool {
	var a plansource.Answer
	switch {
	case r.request.PlanFile != "":
		a = plansource.FromFile(ctx, r.Plans, r.request.PlanFile)
	default:
		var present bool
		if a, present = plansource.FromEnvironment(r.request.Getenv); !present {
			return true
		}
	}
	r.rep.Plan = &report.PlanInfo{Source: a.Source, Outcome: report.PlanUsed}
	if a.Outcome == plansource.Missing {
		return r.planMissing(ctx, a)
	}
	if a.Plan != nil {
		a.Findings = append(a.Findings, a.Plan.LintNodes(len(r.nodes))...)
		r.rep.Plan.Digest, r.rep.Plan.Dialect = a.Plan.Digest, a.Plan.Dialect
	}
	finding.Sort(a.Findings)
	r.rep.Findings = append(r.rep.Findings, a.Findings...)
	if a.Outcome == plansource.Invalid || finding.Count(a.Findings, finding.Error) > 0 {
		return r.planInvalid(ctx, a.Findings)
	}
	for _, f := range a.Findings {
		env.Warnf(r.Env, "plan.finding", "%s", planLine(f))
	}
	if !a.Plan.Bursts() {
		return r.planAgainst(ctx, a.Plan)
	}
	if fields := r.bind(a); len(fields) > 0 {
		whose := "policy does not let a plan set"
		if !a.Trusted {
			whose = "the plan is untrusted and cannot set"
			r.rep.Plan.Outcome = report.PlanUntrusted
		}
		env.Warnf(r.Env, "plan.bound", "%s %s, using the configuration's", whose, strings.Join(fields, ", "))
	}
	if f, none := r.keepPossible(a.Plan); none {
		r.rep.Findings = append(r.rep.Findings, f)
		return r.planInvalid(ctx, []finding.Finding{f})
	}
	r.plan = a.Plan
	r.rep.Mode = report.ModeASBA
	return true
}

// bind takes out of a plan what it may not set: an untrusted one nothing that
// grants rights or reaches into the site, a trusted one what policy allows.
func (r *resumption) bind(a plansource.Answer) []string {
	if !a.Trusted {
		return plansource.Restrict(a.Plan)
	}
	return decide.Bind(a.Plan, r.Config.Policy)
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

func (r *resumption) planMissing(ctx context.Context, a plansource.Answer) bool {
	r.rep.Plan.Outcome = report.PlanMissing
	if r.Config.Plans.OnMissing == "hold" {
		text := a.Cause + ", and plans.on_missing is hold"
		r.failNodes(ctx, report.ExitPlan, "PlanMissing", text)
		return false
	}
	env.Warnf(r.Env, "plan.missing", "%s, falling back to standalone mode", a.Cause)
	env.Infof(r.Env, "plan.missing", "Using static configuration from %s", r.Config.Base())
	return true
}

// planInvalid says every finding and launches nothing, unless the site chose
// the configuration instead.
func (r *resumption) planInvalid(ctx context.Context, fs []finding.Finding) bool {
	r.rep.Plan.Outcome = report.PlanInvalid
	first := ""
	for _, f := range fs {
		if f.Level < finding.Error {
			continue
		}
		line := invalidLine(f)
		if first == "" {
			first = line
		}
		env.Errorf(r.Env, "plan.invalid", "Invalid execution plan: %s", line)
	}
	env.Suggestf(r.Env, "plan.invalid", "Run 'asba analyze' to generate valid plan")
	if r.Config.Plans.OnInvalid == "standalone" {
		env.Infof(r.Env, "plan.invalid", "Using static configuration from %s", r.Config.Base())
		return true
	}
	r.rep.ExitCode, r.rep.Error = report.ExitPlan, "Invalid execution plan: "+first
	r.giveBack(ctx, r.nodes, giving{Code: "InvalidPlan", Text: r.rep.Error, Hold: true})
	return false
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

func (r *resumption) planAgainst(ctx context.Context, p *plan.Plan) bool {
	r.rep.Plan.Outcome = report.PlanAgainst
	r.rep.Mode = report.ModeASBA
	reason := strings.Join(p.Reasons.Value, "; ")
	if reason == "" {
		reason = "no reason given"
	}
	env.Infof(r.Env, "plan.against", "ASBA advises against bursting: %s", reason)
	r.giveBack(ctx, r.nodes, giving{Code: "AdvisedAgainst", Text: "ASBA advises against bursting: " + reason, Against: true})
	return false
}

// saidDrops is after how many dropped types only their number is said.
const saidDrops = 20

// keepPossible drops the instance types that cannot be what the plan wants.
// Where none would be left and the site says so, wishes that no type can meet
// go first.
func (r *resumption) keepPossible(p *plan.Plan) (f finding.Finding, none bool) {
	drops := p.Impossible(r.Types)
	if _, none := p.NoneLeft(drops); none && r.Config.Plans.OnImpossible == "relax" {
		for _, wish := range p.Relax(r.Types) {
			env.Warnf(r.Env, "plan.relaxed", "%s, doing without", wish)
		}
		drops = p.Impossible(r.Types)
	}
	for _, d := range drops[:min(len(drops), saidDrops)] {
		env.Warnf(r.Env, "plan.dropped", "%s, dropped", d.Why)
	}
	if more := len(drops) - saidDrops; more > 0 {
		env.Warnf(r.Env, "plan.dropped", "%d more instance types that are not possible, dropped", more)
	}
	f, none = p.NoneLeft(drops)
	p.Drop(drops)
	return f, none
}

// decide makes the groups of the call and the ladder of each. It looks subnets
// and images up, except in a client's dry run, which shows filters as filters.
func (r *resumption) decide(ctx context.Context) bool {
	m := r.maker()
	if r.request.DryRun != DryRunClient {
		m.Lookups = r.lookup()
	}
	if r.plan != nil {
		for _, line := range decide.FilledIn(r.plan, r.Config) {
			env.Infof(r.Env, "plan.partial", "%s", line)
		}
	}
	// An explicit plan speaks of all nodes of a call that names no jobs.
	whole := r.plan != nil && len(r.jobs) == 0
	for _, g := range decide.Groups(r.nodes, r.jobs, r.Config, whole) {
		d, err := m.For(ctx, g)
		for _, why := range d.Dropped {
			env.Warnf(r.Env, "type.dropped", "%s, dropped", why)
		}
		p := &part{Group: g, Decision: d, ladder: ladder.Build(d.Wish)}
		switch most := r.Config.Policy.MaxNodes; {
		case err != nil: // of this group alone: the others have their own
			p.err = cloud.AsError(err)
			r.rep.Error = p.err.Error()
		case most > 0 && g.Size() > most && g.Multi:
			p.err = cloud.Errorf("RunInstances", cloud.Config, "%d nodes wanted, policy.max_nodes is %d", g.Size(), most)
		}
		r.parts = append(r.parts, p)
		r.rep.Decisions = append(r.rep.Decisions, report.Decision{
			Job: strings.Join(g.Jobs, ","), Nodes: hostlist.Fold(g.Nodes), Gang: d.Gang, Settings: d.Sources,
		})
	}
	if slices.ContainsFunc(r.parts, func(p *part) bool { return p.err == nil }) {
		return true
	}
	r.tell(ctx) // nothing to look for
	return false
}

func (r *resumption) maker() *decide.Maker {
	return &decide.Maker{Config: r.Config, Types: r.Types, Plan: r.plan, UserData: r.UserData, Start: r.start}
}
