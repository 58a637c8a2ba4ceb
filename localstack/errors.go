package localstack

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Missing reports whether err says that this machine lacks what a rung stands
// on (an installation, an engine, an image), rather than that it broke. An
// optional backend may be left out for it, with err as the reason.
func Missing(err error) bool {
	var m interface{ Missing() bool }
	return errors.As(err, &m) && m.Missing()
}

// NotInstalledError: no environment to start LocalStack from.
type NotInstalledError struct{ Dir, Why string }

func (e *NotInstalledError) Error() string {
	return fmt.Sprintf("localstack: not installed in %s (%s): run `make localstack`", e.Dir, e.Why)
}

// Missing is true.
func (e *NotInstalledError) Missing() bool { return true }

// NoRungError: the caller has no way to this rung.
type NoRungError struct{ Kind Kind }

func (e *NoRungError) Error() string {
	if e.Kind == Given {
		return "localstack: no endpoint was given: name one, or set " + EndpointEnv
	}
	return fmt.Sprintf("localstack: this program has no %s", e.Kind.Text())
}

// Missing is true.
func (e *NoRungError) Missing() bool { return true }

// PortTakenError: the wanted port cannot be listened on.
type PortTakenError struct {
	Port int
	Err  error
}

func (e *PortTakenError) Error() string {
	return fmt.Sprintf("localstack: port %d: %v: stop what listens there, or take port 0 for a free one", e.Port, e.Err)
}

func (e *PortTakenError) Unwrap() error { return e.Err }

// DiedError: it ended, unasked.
type DiedError struct {
	Kind     Kind
	Starting bool     // before EC2 answered, else in mid-run
	Err      error    // how it ended; nil for exit status 0
	Log      []string // its last lines
}

func (e *DiedError) Error() string {
	how := "exit status 0"
	if e.Err != nil {
		how = e.Err.Error()
	}
	when, do := "in mid-run", "what ran against it proves nothing, run it again"
	if e.Starting {
		when, do = "while starting", "reinstall with `rm -r .build/localstack; make localstack` if a module is missing"
		if e.Kind == Container {
			do = "build the image anew with `docker image rm localstack/localstack:" + Version + "; make localstack-image` if a module is missing"
		}
	}
	return fmt.Sprintf("localstack: %s died %s (%s): %s: %s", e.Kind.Text(), when, how, lastWords(e.Log), do)
}

func (e *DiedError) Unwrap() error { return e.Err }

// NotReadyError: it runs, but EC2 did not answer in time.
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

// NoBackendError: none of several rungs could be had.
type NoBackendError struct {
	Passed []Passed
	errs   []error
}

func (e *NoBackendError) Error() string {
	return "localstack: no backend" + passedOver(e.Passed)
}

func (e *NoBackendError) Unwrap() []error { return e.errs }

// Missing is true where every rung is missing and none broke.
func (e *NoBackendError) Missing() bool {
	for _, err := range e.errs {
		if !Missing(err) {
			return false
		}
	}
	return true
}

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
