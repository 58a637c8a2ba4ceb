package awscloud

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aws-slurm-burst/executor/cloud"
)

// call makes one call and turns its failure into a *cloud.Error.
func call[I, O any](ctx context.Context, c *Cloud, op string,
	do func(context.Context, *I, ...func(*ec2.Options)) (*O, error), in *I,
) (*O, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx, op)
	}
	out, err := do(ctx, in)
	if err == nil {
		return out, nil
	}
	e := c.failure(ctx, op, err)
	if e.Class == cloud.Credentials {
		c.forgetKeys()
	}
	return nil, e
}

// failure reads an error of the SDK: first whether EC2 answered in its own
// words, then what kept it from answering. What is left is ambiguous, because
// a request that left may have been applied.
func (c *Cloud) failure(ctx context.Context, op string, err error) *cloud.Error {
	e := &cloud.Error{Op: op, Status: status(err)}
	var (
		answer  smithy.APIError
		missing *noKeys
		garbled *badAnswer
	)
	// Whether keys are missing comes first: STS may have answered, but EC2 was
	// never asked.
	unasked := errors.As(err, &missing)
	answered := !unasked && errors.As(err, &answer)
	switch {
	case ctx.Err() != nil && !answered:
		return ended(ctx, op)
	case unasked:
		e.Class, e.Code, e.Status = cloud.Credentials, "NoCredentials", 0
		e.Err = &cause{oneLine(missing.Error()), missing.err}
	case answered:
		e.Code, e.Err = answer.ErrorCode(), errors.New(message(answer.ErrorMessage()))
		if e.Code == "UnknownError" { // the SDK's word for an answer without a code
			e.Code, e.Err = "", fmt.Errorf("an answer without an error code (HTTP %d)", e.Status)
		}
		e.Class = cloud.Classify(e.Status, e.Code)
	case errors.As(err, &garbled):
		e.Status = garbled.status
		e.Class, e.Err = cloud.Classify(e.Status, ""), &cause{oneLine(garbled.Error()), garbled.err}
	case e.Status != 0:
		text := fmt.Sprintf("the answer (HTTP %d) cannot be read: %s", e.Status, root(err))
		e.Class, e.Err = cloud.Classify(e.Status, ""), &cause{oneLine(text), err}
	default:
		e.Class, e.Err = cloud.Ambiguous, &cause{"no answer from " + c.endpoint + ": " + oneLine(transport(err)), err}
	}
	e.Hint = c.hint(e)
	return e
}

// ended is the error of a call whose ctx ended: nobody knows how far it came.
func ended(ctx context.Context, op string) *cloud.Error {
	return &cloud.Error{Op: op, Class: cloud.Ambiguous, Err: context.Cause(ctx)}
}

// refuse is the error of a call that EC2 would refuse, and that was not made.
func refuse(op, code, format string, args ...any) error {
	return &cloud.Error{Op: op, Class: cloud.Config, Code: code, Err: fmt.Errorf(format, args...)}
}

// status is the HTTP status of the answer, 0 where there was none.
func status(err error) int {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) && r.Response != nil {
		return r.HTTPStatusCode()
	}
	return 0
}

// cause is an error in our words that still unwraps to what happened.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// transport leaves the SDK's and net/http's wrapping out: what is left names
// the address and what went wrong with it.
func transport(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	var s *smithyhttp.RequestSendError
	if errors.As(err, &s) {
		return s.Err.Error()
	}
	return err.Error()
}

// root is the innermost error.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// encoded matches the encoded authorization message: up to some kilobytes that
// only sts:DecodeAuthorizationMessage can read.
var encoded = regexp.MustCompile(`(?i)(encoded authorization failure message:\s*)(\S{16})\S{16,}`)

// message makes EC2's message fit for a log line.
func message(s string) string { return oneLine(encoded.ReplaceAllString(s, "$1$2...")) }

// longest bounds a message: EC2's own are a sentence or two.
const longest = 500

// oneLine joins lines and cuts what is too long for one.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}
