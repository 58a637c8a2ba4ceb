package localstack

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFindTakesTheGivenEndpoint(t *testing.T) {
	ls := httptest.NewServer(healthy("running"))
	defer ls.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`<Response><Errors><Error><Code>InvalidAction</Code></Error></Errors></Response>`))
	}))
	defer other.Close()

	for _, tc := range []struct {
		name string
		w    Want
		want Backend
	}{
		{"by option", Want{URL: ls.URL, Getenv: env(EndpointEnv, other.URL)},
			Backend{Kind: Given, Name: "localstack", Product: "LocalStack 4.14.0", URL: ls.URL, Why: "asked for"}},
		{"by environment", Want{Getenv: env(EndpointEnv, ls.URL)},
			Backend{Kind: Given, Name: "localstack", Product: "LocalStack 4.14.0", URL: ls.URL, Why: "$AWS_ENDPOINT_URL_EC2"}},
		{"something else that speaks EC2", Want{URL: other.URL, Getenv: env("", "")},
			Backend{Kind: Given, Name: "endpoint", Product: "EC2 API", URL: other.URL, Why: "asked for"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Find(t.Context(), tc.w)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %v\nwant %v", got, tc.want)
			}
			if err := got.Stop(); err != nil {
				t.Errorf("stopping what was given: %v", err)
			}
		})
	}
}

func TestFindRefusesAGivenEndpointThatCannotBeUsed(t *testing.T) {
	disabled := httptest.NewServer(healthy("disabled"))
	defer disabled.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>hello</html>"))
	}))
	defer page.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>`))
	}))
	defer broken.Close()
	away := httptest.NewServer(http.RedirectHandler(disabled.URL, http.StatusTemporaryRedirect))
	defer away.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()

	for _, tc := range []struct{ name, url, says string }{
		{"nobody listens", closed.URL, "is it running?"},
		{"LocalStack without EC2", disabled.URL, "SERVICES=ec2"},
		{"a web page", page.URL, "no EC2 answer, HTTP status 200"},
		{"EC2 that only fails", broken.URL, "HTTP status 500"},
		{"a redirect", away.URL, "HTTP status 307"},
		{"no scheme", "127.0.0.1:4566", "write it like"},
		{"AWS", "https://ec2.us-east-1.amazonaws.com", "cost money"},
		{"AWS, dual stack", "https://ec2.us-east-1.api.aws/", "cost money"},
		{"AWS in capitals with a root dot", "https://EC2.cn-north-1.AMAZONAWS.com.cn.", "cost money"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// Installed or not: an endpoint that was asked for is never
			// replaced by another rung.
			b, err := Find(t.Context(), Want{URL: tc.url, Dir: stubDir(t, "serves")})
			var wrong *EndpointError
			if !errors.As(err, &wrong) {
				_ = b.Stop()
				t.Fatalf("got %v, %v; want an *EndpointError", b, err)
			}
			if !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), tc.url) {
				t.Errorf("%q does not say %q", err, tc.says)
			}
		})
	}
}

func TestFindStartsAServerWhereNoneIsGiven(t *testing.T) {
	b, err := Find(t.Context(), Want{Getenv: env("", ""), Dir: stubDir(t, "serves")})
	if err != nil {
		t.Fatal(err)
	}
	if b.Kind != HostProcess || b.Name != "localstack" || !strings.Contains(b.String(), "no endpoint given") {
		t.Errorf("got %v", b)
	}
	if _, err := askHealth(t.Context(), http.DefaultClient, b.URL); err != nil {
		t.Error(err)
	}
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := askHealth(t.Context(), http.DefaultClient, b.URL); err == nil {
		t.Error("still answers after Stop")
	}
}

func TestFindSaysWhereLocalStackIsNotInstalled(t *testing.T) {
	_, err := Find(t.Context(), Want{Getenv: env("", ""), Dir: t.TempDir()})
	var missing *NotInstalledError
	if !errors.As(err, &missing) {
		t.Errorf("got %v, want a *NotInstalledError", err)
	}
}

func env(name, value string) func(string) string {
	return func(key string) string {
		if key == name {
			return value
		}
		return ""
	}
}
