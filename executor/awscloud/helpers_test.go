package awscloud_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/cloud"
)

// TestMain clears what the machine's own AWS settings would add: part of the
// SDK reads the process's environment, whatever Options.Getenv says.
func TestMain(m *testing.M) {
	for _, kv := range os.Environ() {
		if k, _, _ := strings.Cut(kv, "="); strings.HasPrefix(k, "AWS_") {
			os.Unsetenv(k)
		}
	}
	os.Exit(m.Run())
}

// recorder is an HTTP client that keeps each request's form and answers with
// the next canned answer (the last one repeats).
type recorder struct {
	mu      sync.Mutex
	answers []answer
	forms   []url.Values
	urls    []string
	auth    []string
}

type answer struct {
	status int
	body   string
	err    error     // instead of an answer
	rest   io.Reader // after body, may fail
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forms = append(r.forms, form)
	r.urls = append(r.urls, req.URL.String())
	r.auth = append(r.auth, req.Header.Get("Authorization"))
	a := r.answers[min(len(r.forms), len(r.answers))-1]
	if a.err != nil {
		return nil, a.err
	}
	var b io.Reader = strings.NewReader(a.body)
	if a.rest != nil {
		b = io.MultiReader(b, a.rest)
	}
	return &http.Response{
		StatusCode: a.status, Body: io.NopCloser(b), ContentLength: -1,
		Header: http.Header{"Content-Type": {"text/xml;charset=UTF-8"}}, Request: req,
	}, nil
}

// form returns the only request's parameters, without what the SDK always adds.
func (r *recorder) form(t *testing.T) map[string]string {
	t.Helper()
	if len(r.forms) != 1 {
		t.Fatalf("%d requests, want exactly one call", len(r.forms))
	}
	out := map[string]string{}
	for k, v := range r.forms[0] {
		if k != "Version" {
			out[k] = strings.Join(v, "|")
		}
	}
	return out
}

const testEndpoint = "http://127.0.0.1:4566"

// connect returns a Cloud whose calls go to a recorder with these answers.
func connect(t testing.TB, answers ...answer) (*awscloud.Cloud, *recorder) {
	t.Helper()
	r := &recorder{answers: answers}
	c, err := awscloud.New(context.Background(), awscloud.Options{
		Region: "us-east-1", EndpointURL: testEndpoint, HTTPClient: r,
		AccessKeys: awscloud.AccessKeys{ID: "test", Secret: "test"}, Getenv: environ(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, r
}

func environ(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

// ok is a whole answer to op with the given content.
func ok(op, content string) answer {
	return answer{status: 200, body: fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<%[1]sResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId>%[2]s</%[1]sResponse>`, op, content)}
}

func refused(status int, code, message string) answer {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>r-1</RequestID></Response>`, code, message)
	return answer{status: status, body: b.String()}
}

// asError fails unless err is the port's own error type, exactly.
func asError(t *testing.T, err error) *cloud.Error {
	t.Helper()
	e, is := err.(*cloud.Error)
	if !is || e == nil {
		t.Fatalf("error is %T (%v), want *cloud.Error", err, err)
	}
	return e
}

// tags makes tags of keys and values in turn.
func tags(kv ...string) []cloud.Tag {
	var out []cloud.Tag
	for i := 0; i < len(kv); i += 2 {
		out = append(out, cloud.Tag{Key: kv[i], Value: kv[i+1]})
	}
	return out
}
