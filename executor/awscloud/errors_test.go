package awscloud_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/cloud"
)

const html = `<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Hello<br></body></html>`

func TestErrorsAreClassified(t *testing.T) {
	whole := ok("RunInstances", launched)
	reset := &url.Error{Op: "Post", URL: testEndpoint, Err: syscall.ECONNRESET}
	for _, tt := range []struct {
		name   string
		answer answer
		class  cloud.Class
		code   string
		status int
		text   string // in the error's line
		hint   string
	}{
		{"no capacity", refused(500, "InsufficientInstanceCapacity", "We currently do not have sufficient capacity"), cloud.Capacity, "InsufficientInstanceCapacity", 500, "sufficient capacity", ""},
		{"quota", refused(400, "VcpuLimitExceeded", "You have requested more"), cloud.Quota, "VcpuLimitExceeded", 400, "", "Service Quotas"},
		{"throttled", refused(503, "RequestLimitExceeded", "Request limit exceeded."), cloud.Throttle, "RequestLimitExceeded", 503, "", "limits"},
		{"throttled by status alone", answer{status: 429}, cloud.Throttle, "", 429, "HTTP 429", "limits"},
		{"bad parameter", refused(400, "InvalidParameterValue", "Value () for parameter"), cloud.Config, "InvalidParameterValue", 400, "", "configuration"},
		{"unknown code", refused(400, "SomethingNew", "no"), cloud.Config, "SomethingNew", 400, "", "configuration"},
		{"not permitted", refused(403, "UnauthorizedOperation", "You are not authorized"), cloud.Permission, "UnauthorizedOperation", 403, "", "ec2:RunInstances"},
		{"account not enabled", refused(401, "OptInRequired", "no"), cloud.Permission, "OptInRequired", 401, "", "account"},
		{"spot role missing", refused(403, "AuthFailure.ServiceLinkedRoleCreationNotPermitted", "no"), cloud.Permission, "AuthFailure.ServiceLinkedRoleCreationNotPermitted", 403, "", "iam:CreateServiceLinkedRole"},
		{"keys unknown", refused(401, "AuthFailure", "no"), cloud.Credentials, "AuthFailure", 401, "", "keys"},
		{"keys too old", refused(400, "ExpiredToken", "no"), cloud.Credentials, "ExpiredToken", 400, "", "renew"},
		{"clock wrong", refused(400, "RequestExpired", "no"), cloud.Credentials, "RequestExpired", 400, "", "clock"},
		{"EC2 failed", refused(500, "InternalError", "An internal error has occurred"), cloud.Ambiguous, "InternalError", 500, "", "Health"},
		{"unknown code on 5xx", refused(503, "SomethingNew", "no"), cloud.Ambiguous, "SomethingNew", 503, "", "Health"},
		{"LocalStack without the action", refused(501, "InternalFailure", "not yet implemented or pro feature"), cloud.Unsupported, "InternalFailure", 501, "", "does not offer RunInstances"},
		{"unknown action", refused(400, "InvalidAction", "no"), cloud.Unsupported, "InvalidAction", 400, "", "does not offer"},
		{"a launch template of old", refused(400, "InvalidLaunchTemplateName.NotFoundException", "no"), cloud.Config, "InvalidLaunchTemplateName.NotFoundException", 400, "", "template"},
		{"token used otherwise", refused(400, "IdempotentParameterMismatch", "no"), cloud.Token, "IdempotentParameterMismatch", 400, "", ""},

		{"an error without a code", answer{status: 400, body: "<Response/>"}, cloud.Ambiguous, "", 400, "without an error code", "endpoint_url"},
		{"an error page, 502", answer{status: 502, body: html}, cloud.Ambiguous, "", 502, "HTTP 502", "Health"},
		{"an error page, 404", answer{status: 404, body: html}, cloud.Ambiguous, "", 404, "HTTP 404", "endpoint_url"},
		{"an error page, 403", answer{status: 403, body: html}, cloud.Ambiguous, "", 403, "HTTP 403", "something other than EC2"},
		{"an error cut short", answer{status: 503, body: "<Response><Errors><Error><Code>Reque"}, cloud.Ambiguous, "", 503, "cannot be read", "Health"},
		{"a redirect", answer{status: 302, body: ""}, cloud.Ambiguous, "", 302, "HTTP 302", "endpoint_url"},
		{"a page instead of an answer", answer{status: 200, body: html}, cloud.Ambiguous, "", 200, "begins with <html>", "something other than EC2"},
		{"well-formed HTML", answer{status: 200, body: "<html><body/></html>"}, cloud.Ambiguous, "", 200, "begins with <html>", "something other than EC2"},
		{"JSON", answer{status: 200, body: `{"status": "ok"}`}, cloud.Ambiguous, "", 200, "", "something other than EC2"},
		{"nothing at all", answer{status: 200}, cloud.Ambiguous, "", 200, "empty", "something other than EC2"},
		{"a bad number", ok("RunInstances", `<instancesSet><item><amiLaunchIndex>many</amiLaunchIndex></item></instancesSet>`), cloud.Ambiguous, "", 200, "cannot be read", "something other than EC2"},
		{"too much", answer{status: 200, body: whole.body, rest: io.LimitReader(blanks{}, 65<<20)}, cloud.Ambiguous, "", 200, "larger than 64 MB", "something other than EC2"},
		{"broken off", answer{status: 200, body: whole.body[:200], rest: iotest.ErrReader(io.ErrUnexpectedEOF)}, cloud.Ambiguous, "", 200, "broke off after 200 bytes", "something other than EC2"},
		{"connection reset", answer{err: reset}, cloud.Ambiguous, "", 0, "no answer from " + testEndpoint + ": connection reset by peer", "is the endpoint up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, rec := connect(t, tt.answer)
			r := base
			r.AZ = "us-east-1a"
			e := asError(t, second(c.Launch(context.Background(), r)))
			if e.Class != tt.class || e.Code != tt.code || e.Status != tt.status {
				t.Errorf("class %q code %q status %d, want %q %q %d\n%v", e.Class, e.Code, e.Status, tt.class, tt.code, tt.status, e)
			}
			if e.Op != "RunInstances" || e.Type != "c6i.xlarge" || e.AZ != "us-east-1a" {
				t.Errorf("%v: it does not name the call, type and AZ", e)
			}
			if !strings.Contains(e.Error(), tt.text) || strings.ContainsAny(e.Error(), "\n\r") {
				t.Errorf("%q: want one line with %q", e, tt.text)
			}
			if !strings.Contains(e.Hint, tt.hint) || (tt.hint == "") != (e.Hint == "") {
				t.Errorf("hint %q, want %q in it", e.Hint, tt.hint)
			}
			if len(rec.forms) != 1 {
				t.Errorf("%d calls, want 1", len(rec.forms))
			}
		})
	}
}

type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// An answer cut anywhere must never pass for a launch of fewer instances, nor
// for an empty page.
func TestAnswersCutAnywhereAreAmbiguous(t *testing.T) {
	ctx := context.Background()
	for op, do := range map[string]func(*awscloud.Cloud) error{
		"RunInstances": func(c *awscloud.Cloud) error { return second(c.Launch(ctx, base)) },
		"CreateTags":   func(c *awscloud.Cloud) error { return c.Tag(ctx, []string{"i-1"}, tags("k", "v")) },
	} {
		whole := ok(op, launched).body
		for n := range len(whole) - 1 {
			c, _ := connect(t, answer{status: 200, body: whole[:n]})
			if err := do(c); cloud.ClassOf(err) != cloud.Ambiguous {
				t.Fatalf("%s cut after %d of %d bytes: %v, want ambiguous\n%s", op, n, len(whole), err, whole[:n])
			}
		}
	}
}

func TestAuthorizationMessagesAreCutShort(t *testing.T) {
	secret := strings.Repeat("aB3-", 500)
	c, _ := connect(t, refused(403, "UnauthorizedOperation",
		"You are not authorized to perform this operation.\n Encoded authorization failure message: "+secret))
	e := asError(t, second(c.Launch(context.Background(), base)))
	want := "RunInstances c6i.xlarge: UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: aB3-aB3-aB3-aB3-..."
	if e.Error() != want {
		t.Errorf("got  %q\nwant %q", e, want)
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	c, _ := connect(t, refused(400, "InvalidParameterValue", strings.Repeat("ü", 3000)))
	e := asError(t, second(c.Launch(context.Background(), base)))
	if n := len(e.Error()); n > 600 || !strings.HasSuffix(e.Error(), "ü...") {
		t.Errorf("%d bytes, ends %q", n, e.Error()[n-8:])
	}
}

func TestAnEndedContextIsAmbiguousAndKeepsItsCause(t *testing.T) {
	cause := errors.New("suspended meanwhile")
	for name, before := range map[string]bool{"before the call": true, "during the call": false} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			client := doer(func(r *http.Request) (*http.Response, error) {
				cancel(cause)
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			c, err := awscloud.New(ctx, awscloud.Options{Region: "us-east-1", HTTPClient: client,
				AccessKeys: awscloud.AccessKeys{ID: "a", Secret: "b"}, Getenv: environ(nil)})
			if err != nil {
				t.Fatal(err)
			}
			if before {
				cancel(cause)
			}
			e := asError(t, c.Terminate(ctx, []string{"i-1"}))
			if e.Class != cloud.Ambiguous || !errors.Is(e, cause) {
				t.Errorf("%v (class %s), want ambiguous with its cause", e, e.Class)
			}
			if n := c.Counts()["TerminateInstances"]; before == (n == 1) {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// An answer that came is worth more than the fact that ctx ended after it.
func TestAnAnswerOutlivesItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	client := doer(func(r *http.Request) (*http.Response, error) {
		cancel()
		a := refused(400, "InvalidInstanceID.NotFound", "no such thing")
		return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body)), Request: r, Header: http.Header{}}, nil
	})
	c, err := awscloud.New(ctx, awscloud.Options{Region: "us-east-1", HTTPClient: client,
		AccessKeys: awscloud.AccessKeys{ID: "a", Secret: "b"}, Getenv: environ(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if e := asError(t, c.Terminate(ctx, []string{"i-1"})); e.Class != cloud.Consistency {
		t.Errorf("%v (class %s), want consistency", e, e.Class)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestTheCauseCanStillBeAskedFor(t *testing.T) {
	c, _ := connect(t, answer{err: fmt.Errorf("dial tcp: %w", syscall.ECONNREFUSED)})
	if err := c.DeleteGroup(context.Background(), "pg"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v does not unwrap to ECONNREFUSED", err)
	}
}
