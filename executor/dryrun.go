package executor

import (
	"context"
	"strings"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/ladder"
	"aws-slurm-burst/executor/launch"
	"aws-slurm-burst/executor/report"
)

// The outcomes of a rung in a dry run.
const (
	outcomePlanned = "planned" // not tried
	outcomeAllowed = "allowed" // EC2 would have allowed the call
	outcomeRefused = launch.OutcomeRefused
)

// dryRun reports what would be done. A client's asks nobody; a server's asks
// EC2, rung by rung, whether the call would be allowed: it cannot tell whether
// there is capacity.
func (r *resumption) dryRun(ctx context.Context) {
	for _, p := range r.parts {
		job := strings.Join(p.Jobs, ",")
		for _, n := range p.Nodes {
			rep := r.Report.Node(n)
			rep.State, rep.Job = report.NodePlanned, job
			if len(p.ladder.Rungs) > 0 {
				first := p.ladder.Rungs[0]
				rep.InstanceType, rep.Market, rep.AZ = first.Type, first.Market, first.AZ
			}
		}
		allowed, exits := 0, map[int]bool{}
		for _, g := range p.ladder.Rungs {
			rung := rungReport(g, outcomePlanned, "", len(p.Nodes), job)
			if r.request.DryRun == DryRunServer {
				var err error
				if rung.Outcome, rung.Code, err = r.askEC2(ctx, p, g); err == nil {
					allowed++
				} else {
					exits[report.ExitOf(cloud.ClassOf(err))] = true
				}
			}
			r.Report.Rungs = append(r.Report.Rungs, rung)
		}
		r.Report.Excluded = append(r.Report.Excluded, p.ladder.Excluded...)
		if len(p.ladder.Rungs) == 0 {
			env.Warnf(r.Env, "dry-run", "%s", p.noRungs().Err)
			if p.ladder.Limited() {
				r.tellAge(p)
			}
		} else if r.request.DryRun == DryRunServer && allowed == 0 {
			r.Report.ExitCode = worst(exits)
		}
	}
}

// askEC2 makes the call of a rung as a dry run.
func (r *resumption) askEC2(ctx context.Context, p *part, g ladder.Rung) (outcome, code string, err error) {
	ask := p.Ask
	ask.Nonce, ask.Job = r.nonce, strings.Join(p.Jobs, ",")
	q := launch.Request(ask, g, p.Nodes, len(p.Nodes), 0, r.Start)
	q.DryRun = true
	err = r.Calls.Repeat(ctx, "RunInstances", func() error {
		_, err := r.Cloud.Launch(ctx, q)
		return err
	})
	if err != nil {
		env.Warnf(r.Env, "dry-run", "%s: %v", g, err)
		return outcomeRefused, cloud.AsError(err).Word(), err
	}
	return outcomeAllowed, "", nil
}

// noRungs is the error of a ladder without a rung: a limit, or wishes that
// nothing can meet.
func (p *part) noRungs() *cloud.Error {
	if p.ladder.Limited() {
		return cloud.Errorf("RunInstances", cloud.Price, "no launch within %.2f USD/h for %d nodes: cheapest is %s", p.ladder.MaxHourly, p.Size(), cheapest(p.ladder, p.Size()))
	}
	var whys []string
	for _, x := range p.ladder.Excluded {
		if len(whys) == 0 || whys[len(whys)-1] != x.Why {
			whys = append(whys, x.Why)
		}
	}
	if p.Wish.Like != nil {
		return cloud.Errorf("RunInstances", cloud.Capacity, "nothing matches the live members of the gang: %s", strings.Join(whys, "; "))
	}
	return cloud.Errorf("RunInstances", cloud.Config, "nothing to try: %s", strings.Join(whys, "; "))
}

// price is what an adopted instance costs at most, in USD an hour, 0 unknown,
// and the day of a price on demand.
func (p *part) price(i *cloud.Instance) (usd float64, date string) {
	for _, t := range p.Wish.Types {
		if t.Name != i.Type {
			continue
		}
		limit := t.MaxPrice
		if limit == 0 {
			limit = p.Wish.MaxPrice
		}
		if i.Market == cloud.Spot && limit > 0 && (t.Price == 0 || limit < t.Price) {
			return limit, ""
		}
		return t.Price, t.PriceDate
	}
	return 0, ""
}
