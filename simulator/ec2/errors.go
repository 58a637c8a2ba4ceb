package ec2

import (
	"errors"
	"fmt"

	"aws-slurm-burst/simulator/faults"
)

// Error is EC2's answer to a call that it refuses. Every error of a Model's
// methods is one.
type Error struct {
	Code    string
	Message string
	Status  int // HTTP
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Refuse returns EC2's error with this code and the status that EC2 gives it.
func Refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: faults.StatusOf(code)}
}

// AsError returns err as an *Error; what is none becomes an InternalError.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Refuse("InternalError", "%v", err)
}

func missing(parameter string) *Error {
	return Refuse("MissingParameter", "The request must contain the parameter %s", parameter)
}

func badValue(format string, args ...any) *Error {
	return Refuse("InvalidParameterValue", format, args...)
}

func badCombination(format string, args ...any) *Error {
	return Refuse("InvalidParameterCombination", format, args...)
}

// dryRun is the answer to a call with DryRun that would have been allowed.
func dryRun() *Error {
	return Refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

// throttled is the answer to a call for which there is no token.
func throttled() *Error {
	return Refuse("RequestLimitExceeded", "Request limit exceeded.")
}
