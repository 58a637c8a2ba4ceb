package lint

import (
	"fmt"
	"math"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// limits judges a plan's limits of money and time against each other.
func (l *linter) limits() {
	p := l.plan
	if rate, hours, total := p.MaxCostPerHour, p.MaxDuration, p.MaxTotalCost; rate.Given && hours.Given && total.Given {
		// A cent for the rounding of who computed one from the others.
		if all := rate.Value * hours.Value.Hours(); all > total.Value+0.01 {
			within := math.Floor(total.Value/hours.Value.Hours()*100) / 100
			way, fix := "the lower of the two would bind", replace(rate.At, within)
			if within == 0 {
				fix = nil
			} else {
				way += fmt.Sprintf(": write at most %s as max_cost_per_hour", usd(within))
			}
			l.Add(rule.Budget, total.At, fmt.Sprintf("max_total_cost is %.2f USD, but max_cost_per_hour for max_duration_hours comes to %.2f", total.Value, all), way, fix...)
		}
	}
	if p.MaxTotalCost.Given && !p.MaxDuration.Given && !p.MaxCostPerHour.Given {
		l.Add(rule.IdleTotal, p.MaxTotalCost.At, "max_total_cost limits nothing without max_duration_hours", "write how long the job may run, or max_cost_per_hour")
	}
	if p.Purchasing.Value == plan.OnDemand && p.MaxSpotPrice.Value > 0 {
		l.Add(rule.IdleCap, p.MaxSpotPrice.At, "max_spot_price has no effect on on-demand instances", "remove it, or write spot or mixed as the purchasing_option", remove(p.MaxSpotPrice.At)...)
	}
	if a := p.AutoTerminate; a.Given && p.MaxDuration.Given && a.Value < p.MaxDuration.Value {
		l.Add(rule.Times, a.At, fmt.Sprintf("auto_terminate_hours ends instances after %s, before the job's max_duration_hours of %s", a.Value, p.MaxDuration.Value),
			"write as many hours or more", replace(a.At, p.MaxDuration.Value.Hours())...)
	}
	if e := p.ExpectedRuntime; e.Given && p.MaxDuration.Given && e.Value > p.MaxDuration.Value {
		l.Add(rule.Times, e.At, fmt.Sprintf("expected_runtime is %s, longer than max_duration_hours, %s", e.Value, p.MaxDuration.Value), "give the job the time it needs")
	}
	if a := p.CostAlert; a.Given && p.MaxTotalCost.Given && a.Value > p.MaxTotalCost.Value {
		l.Add(rule.Alert, a.At, fmt.Sprintf("cost_alert_threshold is %.2f USD, above max_total_cost, %.2f: it never alerts", a.Value, p.MaxTotalCost.Value), "write less", replace(a.At, p.MaxTotalCost.Value)...)
	}
}
