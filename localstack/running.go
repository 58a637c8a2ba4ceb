package localstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// readyWithin bounds a start. It takes about 6 s on two cores: 2.5 s to
	// listen, the rest for the first EC2 call, which loads the EC2 model. A
	// cold disk has been seen to take four times that, and a machine with fifteen
	// times more to run than it has cores, 90 s.
	readyWithin = 3 * time.Minute
	// pollEvery is how often a starting server is asked whether it is up.
	pollEvery = 100 * time.Millisecond
)

// Running is a LocalStack that was started here: a Server, or a container.
type Running interface {
	// URL is the endpoint, for AWS_ENDPOINT_URL_EC2.
	URL() string
	// Done is closed when it has ended, wanted or not.
	Done() <-chan struct{}
	// Err is a *DiedError once it ended without Stop, else nil.
	Err() error
	// Lines are the last it printed, oldest first.
	Lines() []string
	// Stop ends it and leaves nothing of it behind.
	Stop() error
}

// AwaitEC2 returns nil once r has answered an EC2 call, so that no scenario pays
// for the first one. It fails with a *DiedError, a *NotReadyError after within
// (0 means 3 minutes), or ctx's error; it stops nothing.
func AwaitEC2(ctx context.Context, r Running, within time.Duration) error {
	if within == 0 {
		within = readyWithin
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, errTooSlow)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	last := errors.New("no answer yet")
	for {
		select {
		case <-r.Done():
			err := r.Err()
			if died := new(DiedError); errors.As(err, &died) {
				died.Starting = true
			}
			return err
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTooSlow) {
				return &NotReadyError{URL: r.URL(), After: within, Err: last, Log: r.Lines()}
			}
			return fmt.Errorf("localstack: start: %w", context.Cause(ctx))
		case <-tick.C:
		}
		h, err := askHealth(ctx, http.DefaultClient, r.URL())
		if err == nil {
			err = h.ec2Up()
		}
		if err == nil {
			last = errors.New("its first call was not answered")
			err = askEC2(ctx, http.DefaultClient, r.URL())
		}
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // a cancelled request says nothing about the server
		}
	}
}

var errTooSlow = errors.New("the time to start is over")
