package localstack

import (
	"fmt"
	"strings"
	"time"
)

// NotInstalledError: no environment to start LocalStack from.
type NotInstalledError struct{ Dir, Why string }

func (e *NotInstalledError) Error() string {
	return fmt.Sprintf("localstack: not installed in %s (%s): run `make localstack`", e.Dir, e.Why)
}

// PortTakenError: the wanted port cannot be listened on.
type PortTakenError struct {
	Port int
	Err  error
}

func (e *PortTakenError) Error() string {
	return fmt.Sprintf("localstack: port %d: %v: stop what listens there, or take port 0 for a free one", e.Port, e.Err)
}

func (e *PortTakenError) Unwrap() error { return e.Err }

// DiedError: the process ended before EC2 answered.
type DiedError struct {
	Err error    // what waiting for it said; nil for exit status 0
	Log []string // its last lines
}

func (e *DiedError) Error() string {
	how := "exit status 0"
	if e.Err != nil {
		how = e.Err.Error()
	}
	return fmt.Sprintf("localstack: died while starting (%s): %s: reinstall with `rm -r .build/localstack; make localstack` if a module is missing",
		how, lastWords(e.Log))
}

func (e *DiedError) Unwrap() error { return e.Err }

// NotReadyError: the process runs, but EC2 did not answer in time.
type NotReadyError struct {
	URL   string
	After time.Duration
	Err   error    // the last try's
	Log   []string // its last lines
}

func (e *NotReadyError) Error() string {
	return fmt.Sprintf("localstack: EC2 not up at %s after %s (%v): %s: try again on a less busy machine", e.URL, e.After, e.Err, lastWords(e.Log))
}

func (e *NotReadyError) Unwrap() error { return e.Err }

// EndpointError: an endpoint that was asked for by name cannot be used.
type EndpointError struct {
	URL, From string // From: the option or variable that named it
	Err       error
}

func (e *EndpointError) Error() string {
	return fmt.Sprintf("localstack: endpoint %s (%s): %v", e.URL, e.From, e.Err)
}

func (e *EndpointError) Unwrap() error { return e.Err }

// lastWords puts the end of a log on one line, newest last.
func lastWords(log []string) string {
	if len(log) == 0 {
		return "it printed nothing"
	}
	if n := len(log) - 5; n > 0 {
		log = log[n:]
	}
	return "its last lines: " + strings.Join(log, " | ")
}
