package executor

import (
	"context"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/plansource"
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
	r.report.Plan = &PlanInfo{Source: a.Source, Outcome: PlanUsed}
	if a.Outcome == plansource.Missing {
		return r.planMissing(ctx, a)
	}
	if a.Plan != nil {
		a.Findings = append(a.Findings, a.Plan.LintNodes(len(r.nodes))...)
		r.report.Plan.Digest, r.report.Plan.Dialect = a.Plan.Digest, a.Plan.Dialect
	}
	finding.Sort(a.Findings)
	r.report.Findings = append(r.report.Findings, a.Findings...)
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
			r.report.Plan.Outcome = PlanUntrusted
		}
		env.Warnf(r.Env, "plan.bound", "%s %s, using the configuration's", whose, strings.Join(fields, ", "))
	}
	if f, none := r.keepPossible(a.Plan); none {
		r.report.Findings = append(r.report.Findings, f)
		return r.planInvalid(ctx, []finding.Finding{f})
	}
	r.plan = a.Plan
	r.report.Mode = ModeASBA
	return true
}

// bind takes out of a plan what it may not set: an untrusted one nothing that
// grants rights or reaches into the site, a trusted one what policy allows.
func (r *resumption) bind(a plansource.Answer) []string {
	if !a.Trusted {
		return plansource.Restrict(a.Plan)
	}
	p, may := a.Plan, r.Config.Policy
	var fields []string
	forbid := func(name string, allowed bool, texts ...*plan.Opt[string]) {
		for _, o := range texts {
			if !allowed && o.Given {
				*o = plan.Opt[string]{At: o.At}
				fields = append(fields, name)
			}
		}
	}
	forbidList := func(name string, allowed bool, l *plan.List) {
		if !allowed && l.Given {
			*l = plan.List{}
			fields = append(fields, name)
		}
	}
	forbid("user_data", may.AllowUserData, &p.UserData)
	forbid("iam_instance_profile", may.AllowIAMProfile, &p.IAMInstanceProfile)
	forbid("launch_template", may.AllowLaunchTemplate, &p.LaunchTemplateID, &p.LaunchTemplateName)
	forbid("placement_group_name", may.AllowGroupName, &p.PlacementGroupName)
	forbidList("security_group_ids", may.AllowSecurityGroups, &p.SecurityGroupIDs)
	forbidList("subnet_ids", may.AllowSubnets, &p.SubnetIDs)
	return fields
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
	r.report.Plan.Outcome = PlanMissing
	if r.Config.Plans.OnMissing == "hold" {
		text := a.Cause + ", and plans.on_missing is hold"
		r.failNodes(ctx, ExitPlan, "PlanMissing", text)
		return false
	}
	env.Warnf(r.Env, "plan.missing", "%s, falling back to standalone mode", a.Cause)
	env.Infof(r.Env, "plan.missing", "Using static configuration from %s", r.Config.Base())
	return true
}

// planInvalid says every finding and launches nothing, unless the site chose
// the configuration instead.
func (r *resumption) planInvalid(ctx context.Context, fs []finding.Finding) bool {
	r.report.Plan.Outcome = PlanInvalid
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
	r.report.ExitCode, r.report.Error = ExitPlan, "Invalid execution plan: "+first
	r.giveBack(ctx, r.nodes, giving{Code: "InvalidPlan", Text: r.report.Error, Hold: true})
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
	r.report.Plan.Outcome = PlanAgainst
	r.report.Mode = ModeASBA
	reason := strings.Join(p.Reasons.Value, "; ")
	if reason == "" {
		reason = "no reason given"
	}
	env.Infof(r.Env, "plan.against", "ASBA advises against bursting: %s", reason)
	r.giveBack(ctx, r.nodes, giving{Code: "AdvisedAgainst", Text: "ASBA advises against bursting: " + reason, Against: true})
	return false
}

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
	for _, d := range drops {
		env.Warnf(r.Env, "plan.dropped", "%s, dropped", d.Why)
	}
	f, none = p.NoneLeft(drops)
	p.Drop(drops)
	return f, none
}
