package executor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/launch"
)

// explain is the line for people about an EC2 error: what, and what to do.
func (c *call) explain(e *cloud.Error) string {
	hint := ""
	if e.Hint != "" {
		hint = " (" + e.Hint + ")"
	}
	switch e.Class {
	case cloud.Ambiguous:
		if e.Code == "" && e.Status == 0 {
			return fmt.Sprintf("EC2 not reachable at %s: %v%s", c.Endpoint, cmp.Or(e.Err, error(e)), hint)
		}
		return fmt.Sprintf("EC2 at %s gave no usable answer: %v%s", c.Endpoint, e, hint)
	case cloud.Halted:
		return "not launched: " + message(e)
	case cloud.Throttle:
		return fmt.Sprintf("EC2 throttled for %.0f s", c.Env.Now().Sub(c.start).Seconds())
	case cloud.Permission:
		return fmt.Sprintf("%s: the caller may not ec2:%s: %v%s", e.Word(), e.Op, message(e), hint)
	case cloud.Credentials:
		return fmt.Sprintf("%s: no valid credentials for ec2:%s: %v%s", e.Word(), e.Op, message(e), hint)
	case cloud.Config:
		if e.Code == "" { // our own finding: EC2 was not asked
			return message(e) + hint
		}
		return fmt.Sprintf("%s: EC2 refused %s: %v%s", e.Word(), e.Op, message(e), hint)
	}
	return e.Error() + hint
}

func message(e *cloud.Error) string {
	if e.Err == nil {
		return "no message"
	}
	return e.Err.Error()
}

// codesByCount folds the codes of failed attempts: "InsufficientInstanceCapacity
// (4), VcpuLimitExceeded (1)", most first.
func codesByCount(attempts []launch.Attempt) string {
	var codes []string
	count := map[string]int{}
	for _, a := range attempts {
		if a.Code == "" || a.Outcome == launch.OutcomePartial {
			continue // not EC2's words
		}
		if count[a.Code] == 0 {
			codes = append(codes, a.Code)
		}
		count[a.Code]++
	}
	slices.SortStableFunc(codes, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	for i, c := range codes {
		codes[i] = fmt.Sprintf("%s (%d)", c, count[c])
	}
	if len(codes) == 0 {
		return "nothing was tried"
	}
	return strings.Join(codes, ", ")
}
