package plansource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/protocol"
	"aws-slurm-burst/executor/env"
)

// Advisor is how ASBA is reached: a port for each way.
type Advisor struct {
	Web      Web
	Pipes    Pipes
	Programs Programs
}

// Errors of the advisor's ports, each possibly wrapped. What the end of a context
// ended has its cause as the error.
var (
	// ErrNoReader: nobody reads a pipe.
	ErrNoReader = errors.New("nobody reads it")
	// ErrNotPipe: what should be a pipe is none.
	ErrNotPipe = errors.New("not a pipe")
	// ErrCut: an answer ended before it was whole.
	ErrCut = errors.New("cut short")
	// ErrNotAsked: the token or the certificates for a question cannot be had or
	// must not be sent there, or the program was told to stop.
	ErrNotAsked = errors.New("not asked")
)

// Way is a way to ask: one of Command, URL and Pipe.
type Way struct {
	// Command is a program's path, or a name that is looked up in PATH.
	Command string
	// ConfigPath is handed to the command; "" for none.
	ConfigPath string
	// URL is the advisor's address, without protocol.Path or with it.
	URL string
	// TokenFile holds a token for it, CAFile the certificates in PEM that are
	// trusted for it; "" for none, and for the system's.
	TokenFile, CAFile string
	// Pipe is the path of a named pipe.
	Pipe string
	// Unasked also takes a plan that somebody writes into Pipe where no
	// advisor reads it. It is not known which job such a plan is for.
	Unasked bool
}

// String is where the way leads, for people.
func (w Way) String() string {
	switch {
	case w.URL != "":
		return w.URL
	case w.Pipe != "":
		return w.Pipe
	}
	return w.Command
}

// Question is what a plan is wanted for.
type Question struct {
	// Job is a job's id as scontrol takes it, Script its stored script; empty
	// where they are not known.
	Job    string
	Script []byte
	// Array is the id of the array that Job is a task of, "" for none: its
	// tasks have one plan.
	Array string
	// Nodes is how many nodes the plan is for.
	Nodes     int
	Partition string // "" is not known
}

// Subject is whose plan it is: the array's, else the job's.
func (q Question) Subject() string { return cmp.Or(q.Array, q.Job) }

// Lasts reports whether the answer holds beyond the call: that of a job whose
// script is known, and which therefore is the very same job when it comes back.
func (q Question) Lasts() bool { return q.Job != "" && q.Script != nil }

// Ask asks the advisor for a plan and waits for it until ctx ends, which it does
// within so long. Whatever goes wrong on the way is a plan that is Missing, with
// its cause; only an answer that is whole and holds a bad plan is Invalid.
func (a Advisor) Ask(ctx context.Context, e env.Env, w Way, q Question, within time.Duration) Answer {
	at := asking{way: w, within: within}
	if ctx.Err() != nil {
		return at.failed(context.Cause(ctx))
	}
	switch {
	case w.URL != "":
		return at.url(ctx, a.Web, q)
	case w.Pipe != "":
		id := e.Rand("asba-question-" + q.Job)
		return at.pipe(ctx, a.Pipes, fmt.Sprintf("%016x%016x", id.Uint64(), id.Uint64()), q)
	}
	return at.command(ctx, a.Programs, q)
}

// asking is a question under way.
type asking struct {
	way    Way
	within time.Duration
}

// missing is a plan that is not to be had, in words that begin a line.
func (k asking) missing(detail error, format string, args ...any) Answer {
	a := Answer{Outcome: Missing, Source: k.way.String(), Cause: fmt.Sprintf(format, args...)}
	if detail != nil {
		a.Detail = detail.Error()
	}
	return a
}

// failed says why a question got no answer.
func (k asking) failed(err error) Answer {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return k.missing(err, "ASBA did not answer within %s at %s", k.within, k.way)
	case errors.Is(err, ErrCut), errors.Is(err, protocol.ErrCut):
		return k.missing(err, "ASBA's answer was cut short at %s", k.way)
	case errors.Is(err, ErrTooLarge), errors.Is(err, protocol.ErrTooLarge):
		return k.missing(err, "ASBA's answer has more than %d bytes at %s", protocol.MaxAnswer, k.way)
	case errors.Is(err, protocol.ErrOther):
		return k.missing(err, "ASBA's answer was to another question at %s", k.way)
	case errors.Is(err, ErrNotAsked):
		return k.missing(err, "ASBA at %s %v", k.way, err)
	case errors.Is(err, protocol.ErrForm):
		return k.missing(err, "ASBA's answer is not in the protocol's form at %s", k.way)
	}
	return k.missing(err, "ASBA not reachable at %s", k.way)
}

// answered judges a whole answer of the advisor's.
func (k asking) answered(a protocol.Answer, err error, trusted bool) Answer {
	var f *protocol.Failure
	switch {
	case errors.As(err, &f):
		return k.missing(err, "ASBA has no plan at %s: %s", k.way, f.Text)
	case err != nil:
		return k.failed(err)
	}
	return k.plan(a.Plan, trusted)
}

// plan judges the text of a plan.
func (k asking) plan(text []byte, trusted bool) Answer {
	a := Answer{Source: k.way.String(), Trusted: trusted, Text: text}
	return a.judge(plan.Read(text, a.Source))
}

// unframed judges text that should be a plan, and whose end is told by nothing
// but the plan's own: what is no whole plan may have been cut.
func (k asking) unframed(text []byte, trusted bool) Answer {
	a := k.plan(text, trusted)
	if a.Plan != nil {
		return a
	}
	why := "empty"
	for _, f := range a.Findings {
		if f.Level == finding.Error {
			why = f.Message
			break
		}
	}
	return k.missing(nil, "ASBA gave no whole plan at %s (%s)", k.way, why)
}

// Recall is the answer to a question that was asked before, from its Text.
func (w Way) Recall(text []byte, trusted bool) Answer { return asking{way: w}.plan(text, trusted) }

// CheckURL refuses what is no address of an advisor. It repeats no password.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	if err == nil && u.User != nil {
		return fmt.Errorf("%q is not an advisor's address: leave user and password out", finding.Address(s))
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is not an advisor's address, such as http://localhost:8080", finding.Address(s))
	}
	return nil
}

// address is where a question is posted to.
func address(s string) (string, error) {
	if err := CheckURL(s); err != nil {
		return "", err
	}
	s = strings.TrimRight(s, "/")
	if !strings.HasSuffix(s, protocol.Path) {
		s += protocol.Path
	}
	return s, nil
}
