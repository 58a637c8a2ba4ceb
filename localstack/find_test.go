package localstack

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(Backend{})); diff != "" {
				t.Errorf("want - got +\n%s", diff)
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

// fake is a LocalStack that runs as far as Find can see.
type fake struct {
	done    chan struct{}
	err     error
	stopped bool
}

func (f *fake) URL() string           { return "http://127.0.0.1:1" }
func (f *fake) Done() <-chan struct{} { return f.done }
func (f *fake) Err() error            { return f.err }
func (f *fake) Lines() []string       { return nil }
func (f *fake) Stop() error           { f.stopped = true; return nil }

// rungs are a caller's ways to a container and to the embedded EC2; a nil error
// is a rung that can be had.
func rungs(container, embedded error) Want {
	return Want{
		Getenv: env("", ""), Dir: "/nonexistent",
		Container: func(context.Context, Options) (Running, error) { return &fake{}, container },
		Embedded: func(context.Context) (string, func() error, error) {
			return "http://127.0.0.1:2", func() error { return errors.New("stopped") }, embedded
		},
	}
}

func TestFindTakesTheFirstRungThatCanBeHadAndSaysWhyNoneBefore(t *testing.T) {
	missing := &NotInstalledError{Dir: "/x", Why: "no image"} // any error that Find does not know
	for _, tc := range []struct {
		name string
		w    Want
		want string
	}{
		{"container", rungs(nil, nil),
			"LocalStack in a container: LocalStack 4.14.0 at http://127.0.0.1:1 (started here); " +
				"no given endpoint: no endpoint was given: name one, or set AWS_ENDPOINT_URL_EC2"},
		{"embedded", rungs(missing, nil),
			"embedded EC2: aws-slurm-burst ec2 at http://127.0.0.1:2 (started here); " +
				"no given endpoint: no endpoint was given: name one, or set AWS_ENDPOINT_URL_EC2; " +
				"no LocalStack in a container: not installed in /x (no image): run `make localstack`; " +
				"no LocalStack on this host: not installed in /nonexistent (no finished installation there): run `make localstack`"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := Find(t.Context(), tc.w)
			if err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestFindReplacesNoRungThatWasAskedForByName(t *testing.T) {
	broken := errors.New("broken")
	for _, tc := range []struct {
		word string
		says string
	}{
		{"localstack-container", "broken"},
		{"localstack-host", "not installed in /nonexistent"},
		{"localstack", "no backend; no LocalStack in a container: broken; no LocalStack on this host: not installed"},
		{"http://127.0.0.1:1", "is it running?"},
	} {
		t.Run(tc.word, func(t *testing.T) {
			w := rungs(broken, nil)
			named, err := Parse(tc.word)
			if err != nil {
				t.Fatal(err)
			}
			w.URL, w.Rungs = named.URL, named.Rungs
			b, err := Find(t.Context(), w)
			if err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, %v; want one line with %q", b, err, tc.says)
			}
		})
	}
}

func TestFindPassesNoGivenEndpointThatIsWrong(t *testing.T) {
	w := rungs(nil, nil)
	w.Getenv = env(EndpointEnv, "127.0.0.1:4566")
	b, err := Find(t.Context(), w)
	if wrong := new(EndpointError); !errors.As(err, &wrong) {
		t.Errorf("got %v, %v; want an *EndpointError", b, err)
	}
}

func TestFindWithoutTheCallersRungsSaysSo(t *testing.T) {
	_, err := Find(t.Context(), Want{Getenv: env("", ""), Dir: t.TempDir()})
	for _, says := range []string{"this program has no LocalStack in a container", "this program has no embedded EC2", "run `make localstack`"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
	if !Missing(err) {
		t.Error("nothing broke, and yet it is not told as missing")
	}
	missing := new(NotInstalledError)
	if !errors.As(err, &missing) {
		t.Error("the errors of the rungs are not to be found in it")
	}
}

func TestABackendThatBrokeIsNotMissing(t *testing.T) {
	_, err := Find(t.Context(), rungs(&DiedError{Kind: Container, Starting: true}, &NoRungError{Kind: Embedded}))
	if err == nil || Missing(err) {
		t.Errorf("%v is told as missing", err)
	}
}

func TestFindStartsAServerOnThisHost(t *testing.T) {
	b, err := Find(t.Context(), Want{Rungs: []Kind{Host}, Getenv: env("", ""), Dir: stubDir(t, "serves")})
	if err != nil {
		t.Fatal(err)
	}
	if b.Kind != Host || b.Name != "localstack" || b.Why != "asked for by name" {
		t.Errorf("got %v", b)
	}
	if _, err := askHealth(t.Context(), http.DefaultClient, b.URL); err != nil {
		t.Error(err)
	}
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
	if err := b.Err(); err != nil {
		t.Errorf("after Stop: %v", err)
	}
	if _, err := askHealth(t.Context(), http.DefaultClient, b.URL); err == nil {
		t.Error("still answers after Stop")
	}
}

func TestStopReachesWhatFindStarted(t *testing.T) {
	f := &fake{}
	w := rungs(nil, nil)
	w.Container = func(context.Context, Options) (Running, error) { return f, nil }
	b, err := Find(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Stop(); err != nil || !f.stopped {
		t.Errorf("container stopped: %v, %v", f.stopped, err)
	}
	w.Rungs = []Kind{Embedded}
	if b, err = Find(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := b.Stop(); err == nil || err.Error() != "stopped" {
		t.Errorf("the embedded EC2 was not stopped: %v", err)
	}
}

func TestWatchEndsWithABackendThatDies(t *testing.T) {
	f := &fake{done: make(chan struct{}), err: &DiedError{Kind: Container}}
	ctx, stop := Backend{running: f}.Watch(t.Context())
	defer stop()
	if ctx.Err() != nil {
		t.Fatal("ended at once")
	}
	close(f.done)
	<-ctx.Done()
	if died := new(DiedError); !errors.As(context.Cause(ctx), &died) {
		t.Errorf("the cause is %v", context.Cause(ctx))
	}
	// A backend whose end cannot be seen ends nothing.
	ctx, stop = Backend{}.Watch(t.Context())
	if ctx.Err() != nil {
		t.Error("ended without a reason")
	}
	stop()
	if ctx.Err() == nil {
		t.Error("did not end with its cancel")
	}
}

func TestParseKnowsTheWordsAndListsThemWhereItKnowsNone(t *testing.T) {
	for _, word := range Names {
		if _, err := Parse(word); err != nil {
			t.Errorf("%s: %v", word, err)
		}
	}
	for _, word := range []string{"", "docker", "127.0.0.1:4566", "Auto"} {
		_, err := Parse(word)
		wrong := new(NameError)
		if !errors.As(err, &wrong) {
			t.Errorf("%q: %v", word, err)
			continue
		}
		for _, name := range append(Names, "http://127.0.0.1:4566") {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%q does not list %s", err, name)
			}
		}
	}
	for _, word := range []string{"ftp://127.0.0.1:4566", "http://", "http://:4566", "://", "http://[::1", "https://ec2.us-east-1.amazonaws.com"} {
		_, err := Parse(word)
		wrong := new(EndpointError)
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", word, err)
		}
	}
	if w, err := Parse("http://127.0.0.1:4566"); err != nil || w.URL != "http://127.0.0.1:4566" {
		t.Errorf("a URL: %+v, %v", w, err)
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
