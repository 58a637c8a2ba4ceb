package site

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// An endpoint that fails at a read by itself is asked again, and never at a
// call that may have done something, nor where it answers.
func TestReadsAreMadeAgainWhereTheEndpointFails(t *testing.T) {
	for _, c := range []struct {
		action string
		status int
		calls  int
		ok     bool
	}{
		{"DescribeImages", http.StatusInternalServerError, 2, true},
		{"DescribeImages", http.StatusBadRequest, 1, false},
		{"RunInstances", http.StatusInternalServerError, 1, false},
	} {
		calls := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if calls++; calls == 1 {
				w.WriteHeader(c.status)
				fmt.Fprint(w, "<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>")
				return
			}
			fmt.Fprint(w, "<Answer/>")
		}))
		err := At(s.URL).call(context.Background(), url.Values{"Action": {c.action}}, nil)
		s.Close()
		if calls != c.calls || (err == nil) != c.ok {
			t.Errorf("%s, HTTP status %d: %d calls, %v", c.action, c.status, calls, err)
		}
	}
}
