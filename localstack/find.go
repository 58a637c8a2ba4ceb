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
)

// EndpointEnv is the SDKs' own variable for EC2's endpoint.
const EndpointEnv = "AWS_ENDPOINT_URL_EC2"

// probeWithin bounds the question whether a given endpoint is alive. A
// LocalStack answers its health page in milliseconds even before its first call.
const probeWithin = 2 * time.Second

// Kind says which rung of the ladder a backend stands on.
type Kind string

const (
	Given       Kind = "given endpoint"
	HostProcess Kind = "LocalStack on this host"
)

// Want is what Find may use.
type Want struct {
	// URL of an endpoint that runs already; it wins over $AWS_ENDPOINT_URL_EC2.
	URL string
	// Getenv reads the environment; nil means os.Getenv.
	Getenv func(string) string
	// Dir, Port and LogTo are Start's, for the host process.
	Dir   string
	Port  int
	LogTo io.Writer
}

// Backend is where EC2 calls go, and why there.
type Backend struct {
	Kind Kind
	// Name is "localstack" where LocalStack answers and "endpoint" for anything
	// else that was given. Scenarios are excluded by it.
	Name string
	// Product is what says it answers there: "LocalStack 4.14.0", or "EC2 API".
	Product string
	URL     string
	// Why this rung was taken, in one clause.
	Why string

	server *Server // set where Find started it
}

// Stop ends what Find started; a given endpoint is left as it is.
func (b Backend) Stop() error {
	if b.server == nil {
		return nil
	}
	return b.server.Stop()
}

func (b Backend) String() string {
	return fmt.Sprintf("%s: %s at %s (%s)", b.Kind, b.Product, b.URL, b.Why)
}

// Find takes the first rung there is: the endpoint that was given, else a
// process on this host. An endpoint that was given and does not answer is an
// *EndpointError, never a reason to go on quietly; a host without LocalStack is
// a *NotInstalledError, on which the caller may take its own next rung.
func Find(ctx context.Context, w Want) (Backend, error) {
	getenv := w.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	endpoint, from := w.URL, "asked for"
	if endpoint == "" {
		endpoint, from = getenv(EndpointEnv), "$"+EndpointEnv
	}
	if endpoint != "" {
		b, err := probe(ctx, endpoint)
		if err != nil {
			return Backend{}, &EndpointError{URL: endpoint, From: from, Err: err}
		}
		b.Why = from
		return b, nil
	}
	s, err := Start(ctx, Options{Dir: w.Dir, Port: w.Port, LogTo: w.LogTo})
	if err != nil {
		return Backend{}, err
	}
	return Backend{
		Kind: HostProcess, Name: "localstack", Product: "LocalStack " + Version, URL: s.URL(),
		Why: "no endpoint given, started here", server: s,
	}, nil
}

// probe finds out what answers at a given endpoint.
func probe(ctx context.Context, endpoint string) (Backend, error) {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return Backend{}, errors.New("not a URL: write it like http://127.0.0.1:4566")
	}
	if isAWS(u.Hostname()) {
		return Backend{}, errors.New("this is AWS itself, where scenarios would launch instances that cost money: give a local endpoint")
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

// isAWS knows the domains of EC2's public endpoints in every partition.
func isAWS(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, domain := range []string{"amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
