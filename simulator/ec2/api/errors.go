package api

import (
	"errors"
	"fmt"
	"strings"

	"aws-slurm-burst/simulator/faults"
)

// Error is EC2's answer to a call that it refuses.
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

// Missing refuses a call without a parameter that it needs.
func Missing(parameter string) *Error {
	return Refuse("MissingParameter", "The request must contain the parameter %s", parameter)
}

// BadValue refuses a parameter.
func BadValue(format string, args ...any) *Error {
	return Refuse("InvalidParameterValue", format, args...)
}

// BadCombination refuses parameters that exclude each other.
func BadCombination(format string, args ...any) *Error {
	return Refuse("InvalidParameterCombination", format, args...)
}

// DryRun is the answer to a call with DryRun that would have been allowed.
func DryRun() *Error {
	return Refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

// Throttled is the answer to a call for which there is no token.
func Throttled() *Error {
	return Refuse("RequestLimitExceeded", "Request limit exceeded.")
}

// Quoted lists ids as EC2's messages do.
func Quoted(ids []string) string { return "'" + strings.Join(ids, ", ") + "'" }
