package localstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"aws-slurm-burst/localstack/query"
)

// EndpointEnv is the SDKs' own variable for EC2's endpoint.
const EndpointEnv = "AWS_ENDPOINT_URL_EC2"

// probeWithin bounds the question whether a given endpoint is alive. A
// LocalStack answers its health page in milliseconds even before its first call.
const probeWithin = 2 * time.Second

// Want is what Find may use.
type Want struct {
	// Rungs are the rungs to try, in this order; nil means all four, from the
	// given endpoint to the embedded EC2.
	Rungs []Kind
	// URL of an endpoint that runs already; it wins over $AWS_ENDPOINT_URL_EC2.
	URL string
	// Getenv reads the environment; nil means os.Getenv.
	Getenv func(string) string
	// Dir, Port and LogTo are Start's, for what is started here.
	Dir   string
	Port  int
	LogTo io.Writer
	// Container starts a LocalStack in a container: localstack/container's Rung,
	// handed over so that only who wants containers links an engine's client.
	// Nil means that there is no such rung.
	Container func(context.Context, Options) (Running, error)
	// Embedded starts the caller's own EC2. Nil means that there is no such rung.
	Embedded func(ctx context.Context) (url string, stop func() error, err error)
}

// Find takes the first rung of Want that can be had, and says in the Backend why
// it was none before. One rung that was asked for alone fails with its own error;
// several fail with a *NoBackendError. An endpoint that was given and does not
// answer is an *EndpointError, never a reason to go on quietly.
func Find(ctx context.Context, w Want) (Backend, error) {
	if w.Getenv == nil {
		w.Getenv = os.Getenv
	}
	rungs := w.Rungs
	if rungs == nil {
		rungs = ladder
	}
	none := &NoBackendError{}
	for _, k := range rungs {
		b, err := w.take(ctx, k)
		if err == nil {
			if b.Why == "" {
				b.Why = "started here"
				if len(rungs) == 1 {
					b.Why = "asked for by name"
				}
			}
			b.Passed = none.Passed
			return b, nil
		}
		wrong := new(EndpointError)
		if len(rungs) == 1 || ctx.Err() != nil || errors.As(err, &wrong) {
			return Backend{}, err
		}
		none.errs = append(none.errs, err)
		none.Passed = append(none.Passed, Passed{Kind: k, Why: strings.TrimPrefix(err.Error(), "localstack: ")})
	}
	return Backend{}, none
}

// take tries one rung.
func (w Want) take(ctx context.Context, k Kind) (Backend, error) {
	switch {
	case k == Given:
		return w.given(ctx)
	case k == Container && w.Container != nil:
		return w.started(k, func(o Options) (Running, error) { return w.Container(ctx, o) })
	case k == Host:
		return w.started(k, func(o Options) (Running, error) { return Start(ctx, o) })
	case k == Embedded && w.Embedded != nil:
		url, stop, err := w.Embedded(ctx)
		return Backend{Kind: k, Name: "embedded", Product: "aws-slurm-burst ec2", URL: url, stop: stop}, err
	}
	return Backend{}, &NoRungError{Kind: k}
}

// started takes a rung on which LocalStack is started.
func (w Want) started(k Kind, start func(Options) (Running, error)) (Backend, error) {
	r, err := start(Options{Dir: w.Dir, Port: w.Port, LogTo: w.LogTo})
	if err != nil {
		return Backend{}, err
	}
	return Backend{Kind: k, Name: "localstack", Product: "LocalStack " + Version, URL: r.URL(), running: r}, nil
}

// given takes the endpoint that was asked for, if one was.
func (w Want) given(ctx context.Context) (Backend, error) {
	endpoint, from := w.URL, "asked for"
	if endpoint == "" {
		endpoint, from = w.Getenv(EndpointEnv), "$"+EndpointEnv
	}
	if endpoint == "" {
		return Backend{}, &NoRungError{Kind: Given}
	}
	b, err := probe(ctx, endpoint)
	if err != nil {
		return Backend{}, &EndpointError{URL: endpoint, From: from, Err: err}
	}
	b.Why = from
	return b, nil
}

// probe finds out what answers at a given endpoint.
func probe(ctx context.Context, endpoint string) (Backend, error) {
	if err := checkURL(endpoint); err != nil {
		return Backend{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	// A redirect could lead anywhere, AWS included.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if h, err := askHealth(ctx, client, endpoint); err == nil {
		if err := h.ec2Up(); err != nil {
			return Backend{}, fmt.Errorf("%w: start it with SERVICES=ec2", err)
		}
		return Backend{Kind: Given, Name: "localstack", Product: "LocalStack " + h.Version, URL: endpoint}, nil
	}
	if err := askEC2(ctx, client, endpoint); err != nil {
		return Backend{}, fmt.Errorf("%w: is it running?", err)
	}
	return Backend{Kind: Given, Name: "endpoint", Product: "EC2 API", URL: endpoint}, nil
}

// checkURL refuses what no scenario may run on, whatever answers there.
func checkURL(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return errors.New("not a URL: write it like http://127.0.0.1:4566")
	}
	if query.IsAWS(u.Hostname()) {
		return errors.New("this is AWS itself, where scenarios would launch instances that cost money: give a local endpoint")
	}
	return nil
}
