package localstack

import (
	"context"
	"fmt"
	"strings"
)

// Kind says which rung of the ladder a backend stands on.
type Kind string

// The rungs, from the first that is tried to the last.
const (
	Given     Kind = "given"
	Container Kind = "container"
	Host      Kind = "host"
	Embedded  Kind = "embedded"
)

// ladder is what Find tries where nobody says which rungs.
var ladder = []Kind{Given, Container, Host, Embedded}

// Text is the kind for people.
func (k Kind) Text() string {
	switch k {
	case Given:
		return "given endpoint"
	case Container:
		return "LocalStack in a container"
	case Host:
		return "LocalStack on this host"
	case Embedded:
		return "embedded EC2"
	}
	return string(k)
}

// Passed is a rung that was tried before, and why it was not taken.
type Passed struct {
	Kind Kind
	Why  string
}

func passedOver(rungs []Passed) string {
	var b strings.Builder
	for _, p := range rungs {
		fmt.Fprintf(&b, "; no %s: %s", p.Kind.Text(), p.Why)
	}
	return b.String()
}

// Backend is where EC2 calls go, and why there.
type Backend struct {
	Kind Kind
	// Name is "localstack" where LocalStack answers, "embedded" for the embedded
	// EC2 and "endpoint" for anything else that was given. Scenarios are excluded
	// by it.
	Name string
	// Product is what says it answers there: "LocalStack 4.14.0", or "EC2 API".
	Product string
	URL     string
	// Why this rung was taken, in one clause.
	Why string
	// Passed are the rungs above it, in the order they were tried.
	Passed []Passed

	running Running      // set where Find started a LocalStack
	stop    func() error // set where the caller's embedded EC2 was taken
}

// String says on one line which rung was taken, and why none above it was.
func (b Backend) String() string {
	return fmt.Sprintf("%s: %s at %s (%s)%s", b.Kind.Text(), b.Product, b.URL, b.Why, passedOver(b.Passed))
}

// Reason says in one clause why this rung was taken, and why none above it was.
func (b Backend) Reason() string { return b.Why + passedOver(b.Passed) }

// Stop ends what Find started; a given endpoint is left as it is.
func (b Backend) Stop() error {
	switch {
	case b.running != nil:
		return b.running.Stop()
	case b.stop != nil:
		return b.stop()
	}
	return nil
}

// Done is closed when a LocalStack that Find started has ended, wanted or not.
// It is nil, and so never ready, for a backend whose end cannot be seen.
func (b Backend) Done() <-chan struct{} {
	if b.running == nil {
		return nil
	}
	return b.running.Done()
}

// Err is a *DiedError once the backend ended without Stop, else nil.
func (b Backend) Err() error {
	if b.running == nil {
		return nil
	}
	return b.running.Err()
}

// Watch returns a context that ends when the backend dies, with its *DiedError
// as the cause: whatever still runs against it would only fail in many words.
func (b Backend) Watch(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if done := b.Done(); done != nil {
		go func() {
			select {
			case <-done:
				cancel(b.Err())
			case <-ctx.Done():
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}
