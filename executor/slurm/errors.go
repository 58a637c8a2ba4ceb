package slurm

import (
	"context"
	"errors"
	"strings"

	"aws-slurm-burst/executor/hostlist"
)

// What a call can fail with; ask with errors.Is.
var (
	// ErrUnreachable: slurmctld did not answer. Nobody knows whether the call was
	// applied; every call here may be made again.
	ErrUnreachable = errors.New("slurmctld not reachable")
	// ErrRefused: slurmctld or scontrol said no, or what was said did not hold.
	ErrRefused = errors.New("refused")
	// ErrNoNode: slurm.conf has no such node. A kind of ErrRefused.
	ErrNoNode = errors.New("no such node")
	// ErrNoJob: slurmctld has no such job; it forgets one MinJobAge (300 s) after
	// its end. A kind of ErrRefused.
	ErrNoJob = errors.New("no such job")
	// ErrEnded: the job is over. A kind of ErrRefused.
	ErrEnded = errors.New("job has ended")
	// ErrNotPending: the call needs a pending job, and it is not. A kind of ErrRefused.
	ErrNotPending = errors.New("job is not pending")
	// ErrPending: the job is pending already. A kind of ErrRefused.
	ErrPending = errors.New("job is pending")
	// ErrNotHoldable: an interactive or --no-requeue job can be neither requeued
	// nor held. A kind of ErrRefused.
	ErrNotHoldable = errors.New("job cannot be requeued")
	// ErrAmbiguous: a user's text in the job's record looks like fields of it, so
	// that it can be read in two ways. A kind of ErrRefused.
	ErrAmbiguous = errors.New("job record can be read in two ways")
)

// Error is a call that failed: what was tried, on what, and why.
type Error struct {
	Op    string   // scontrol's verb, such as "update node" or "show partition hpc"
	Nodes []string // the nodes it was about, or
	Job   string   // the job
	Kind  error    // one of the errors above
	Err   error    // what scontrol said
	Hint  string   // what to do about it
}

// Error says "slurmctld not reachable: ..." or "refused: ...".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Kind == ErrUnreachable {
		b.WriteString(ErrUnreachable.Error())
	} else {
		b.WriteString(ErrRefused.Error())
	}
	b.WriteString(": scontrol " + e.Op)
	if len(e.Nodes) > 0 {
		b.WriteString(" " + hostlist.Fold(e.Nodes))
	}
	if e.Job != "" {
		b.WriteString(" " + e.Job)
	}
	b.WriteString(": ")
	if e.Err != nil {
		// scontrol may say more than one thing; a log line is one line.
		b.WriteString(strings.ReplaceAll(strings.TrimSpace(e.Err.Error()), "\n", "; "))
	} else {
		b.WriteString(e.Kind.Error())
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap makes errors.Is find the kind, ErrRefused for all but ErrUnreachable, and
// the cause.
func (e *Error) Unwrap() []error {
	errs := []error{e.Kind}
	if e.Kind != ErrUnreachable {
		errs = append(errs, ErrRefused)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// NodeError is what became of one node of a call on many.
type NodeError struct {
	Node string
	Err  error
}

// subject is what a call is about.
type subject struct {
	nodes     []string
	job       string
	partition string
}

// saying maps scontrol's words to a kind. scontrol has one exit status for
// everything, so that words are all there is; they have been the same since
// 20.11 (slurm_errno.c). The first match counts, and what matches nothing is
// ErrRefused.
var saying = []struct {
	words string
	kind  error
	hint  string
}{
	{"Unable to contact slurm controller", ErrUnreachable, "is slurmctld running?"},
	{"Socket timed out", ErrUnreachable, "is slurmctld hanging, for instance on a node name that does not resolve?"},
	// All that "requeuehold" and "update job" say of a dead slurmctld.
	{"Unexpected message received", ErrUnreachable, "is slurmctld running?"},
	{"Zero Bytes were transmitted or received", ErrUnreachable, "is slurmctld running?"},
	{"in standby mode", ErrUnreachable, "is this host the primary controller?"},
	{"authentication", ErrUnreachable, "is munged running?"},
	{"Unable to process configuration file", ErrUnreachable, "does SLURM_CONF name slurm.conf?"},
	{"executable file not found", ErrUnreachable, "is scontrol installed?"},
	{"no such file or directory", ErrUnreachable, "is scontrol installed?"},
	{"Invalid node name specified", ErrNoNode, ""},
	{"Invalid job id specified", ErrNoJob, ""},
	{"already finished", ErrEnded, ""},
	{"no longer pending", ErrNotPending, "requeue it first"},
	{"pending execution", ErrPending, ""},
	{"presently disabled", ErrNotHoldable, "it was submitted with --no-requeue"},
	{"not heterogeneous job leader", ErrNotHoldable, "name the job's first component"},
	{"Only batch jobs", ErrNotHoldable, "it is interactive"},
}

// classify makes an *Error of what Runner returned. outer is the context
// without our deadline: if that one is done, the caller was told to stop.
func classify(outer context.Context, op string, what subject, err error) error {
	e := &Error{Op: op, Nodes: what.nodes, Job: what.job, Kind: ErrRefused, Err: err}
	if what.partition != "" { // of which scontrol says nothing on stderr
		e.Op, e.Hint = e.Op+" "+what.partition, "does slurm.conf have it?"
	}
	if outer.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		e.Kind = ErrUnreachable
		if outer.Err() == nil {
			e.Hint = "no answer within " + callTimeout.String()
		}
		return e
	}
	text := err.Error()
	for _, s := range saying {
		if strings.Contains(text, s.words) {
			e.Kind, e.Hint = s.kind, s.hint
			return e
		}
	}
	return e
}
