package program

import (
	"cmp"
	"fmt"

	"aws-slurm-burst/executor/cloud"
)

// Explain is the line for people about an EC2 error: what, and what to do.
func (c *Call) Explain(e *cloud.Error) string {
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
		return "not launched: " + Message(e)
	case cloud.Throttle:
		return fmt.Sprintf("EC2 throttled for %.0f s", c.Env.Now().Sub(c.Start).Seconds())
	case cloud.Permission:
		return fmt.Sprintf("%s: the caller may not ec2:%s: %v%s", e.Word(), e.Op, Message(e), hint)
	case cloud.Credentials:
		return fmt.Sprintf("%s: no valid credentials for ec2:%s: %v%s", e.Word(), e.Op, Message(e), hint)
	case cloud.Config:
		if e.Code == "" { // our own finding: EC2 was not asked
			return Message(e) + hint
		}
		return fmt.Sprintf("%s: EC2 refused %s: %v%s", e.Word(), e.Op, Message(e), hint)
	}
	return e.Error() + hint
}

// Message is what an EC2 error says, without its code and call.
func Message(e *cloud.Error) string {
	if e.Err == nil {
		return "no message"
	}
	return e.Err.Error()
}
