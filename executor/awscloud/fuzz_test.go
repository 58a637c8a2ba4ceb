package awscloud_test

import (
	"context"
	"strings"
	"testing"
)

// Whatever answers, a call ends in instances or in one line of a known class,
// and only a body that ends as EC2's do can be a success.
func FuzzAnswers(f *testing.F) {
	for _, a := range []answer{
		ok("RunInstances", launched), ok("RunInstances", ""), refused(400, "InvalidParameterValue", "no"),
		refused(503, "RequestLimitExceeded", "slow down"), {status: 200, body: html}, {status: 502, body: html}, {status: 200},
	} {
		f.Add(a.status, a.body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			t.Skip("no final status of HTTP")
		}
		c, _ := connect(t, answer{status: status, body: body})
		_, err := c.Launch(context.Background(), base)
		if err == nil {
			end := strings.TrimSpace(body)
			if status > 299 || !strings.HasSuffix(end, "Response>") && !strings.HasSuffix(end, "/>") {
				t.Fatalf("HTTP %d %q passed for a launch", status, body)
			}
			return
		}
		e := asError(t, err)
		if e.Class == "" || e.Err == nil || strings.ContainsAny(e.Error(), "\n\r") || len(e.Error()) > 1200 {
			t.Fatalf("HTTP %d %q: class %q, %d bytes: %q", status, body, e.Class, len(e.Error()), e)
		}
	})
}
