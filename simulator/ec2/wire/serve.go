package wire

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Limits of a served endpoint: a request comes within requestTime, an idle
// connection is closed after idleTime, and calls under way get stopTime when
// the server stops.
const (
	requestTime = 30 * time.Second
	idleTime    = 2 * time.Minute
	stopTime    = 5 * time.Second
	maxHeader   = 64 << 10
)

// Serve answers on the listener until ctx is done, then lets the calls under
// way finish. It closes the listener, and returns nil when it was stopped.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: requestTime, ReadTimeout: requestTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
	}
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err := s.Shutdown(late)
		if err != nil {
			err = s.Close() // whoever is left is cut off
		}
		stopped <- err
	})()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
