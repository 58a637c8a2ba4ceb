package awscloud

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
)

const (
	// dialTimeout tells an endpoint that is down from one that is slow.
	dialTimeout = 5 * time.Second
	// callTimeout bounds a whole call. EC2 takes tens of seconds over a large
	// RunInstances; a shorter limit would turn launches that succeeded into
	// answers we lost.
	callTimeout = 120 * time.Second
	// maxAnswer bounds an answer's size: a page of 1000 instances is about 5 MB.
	maxAnswer = 64 << 20
	// idleConns keeps a connection for each call of a usual fan-out.
	idleConns = 32
)

// HTTPClient is what carries requests: *http.Client, or a stand-in.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// newHTTPClient returns the client for real endpoints. It takes proxies from
// the environment, except to loopback addresses (net/http's rule), follows no
// redirect that would turn a POST into a GET, and is the SDK's own kind, so
// that the SDK can add AWS_CA_BUNDLE to it.
func newHTTPClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(callTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = idleConns })
}

// wire is the HTTP client of the EC2 calls: it counts them and refuses answers
// that the SDK would take for empty successes.
type wire struct {
	client HTTPClient

	mu     sync.Mutex
	counts map[string]int
}

func newWire(c HTTPClient) *wire { return &wire{client: c, counts: map[string]int{}} }

func (w *wire) snapshot() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.counts)
}

// Do sends one request and reads its whole answer.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	op := middleware.GetOperationName(r.Context())
	w.mu.Lock()
	w.counts[op]++
	w.mu.Unlock()

	resp, err := w.client.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	resp.Body.Close()
	switch {
	case err != nil:
		return nil, &badAnswer{resp.StatusCode, fmt.Errorf("the answer broke off after %d bytes: %w", len(body), err)}
	case len(body) > maxAnswer:
		return nil, &badAnswer{resp.StatusCode, fmt.Errorf("the answer is larger than %d MB", maxAnswer>>20)}
	}
	if resp.StatusCode/100 == 2 {
		if err := complete(op, body); err != nil {
			return nil, &badAnswer{resp.StatusCode, err}
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// badAnswer is an answer that nobody can read: the call may have been applied.
type badAnswer struct {
	status int
	err    error
}

func (e *badAnswer) Error() string { return e.err.Error() }
func (e *badAnswer) Unwrap() error { return e.err }

// complete checks that a body with a 2xx status is a whole answer of EC2's to
// this call (<RunInstancesResponse> ... </RunInstancesResponse>). The SDK takes
// an empty body, a page of HTML or the answer to another call for an answer
// without content: "no instances".
func complete(op string, body []byte) error {
	root, err := rootElement(body)
	if err != nil {
		return err
	}
	if root != op+"Response" {
		return fmt.Errorf("the answer is not EC2's to %s: it begins with <%s>", op, oneLine(root))
	}
	// The SDK does not read the answers of actions that return nothing.
	end := bytes.TrimSpace(body)
	if !bytes.HasSuffix(end, []byte("</"+root+">")) && !bytes.HasSuffix(end, []byte("/>")) {
		return errors.New("the answer is cut short")
	}
	return nil
}

func rootElement(body []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		switch t, err := d.Token(); {
		case err == io.EOF:
			return "", errors.New("the answer is empty")
		case err != nil:
			return "", fmt.Errorf("the answer is not XML: %w", err)
		default:
			if s, ok := t.(xml.StartElement); ok {
				return s.Name.Local, nil
			}
		}
	}
}
