package plansource

import (
	"bytes"
	"context"
	"errors"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
	"aws-slurm-burst/asba/protocol"
)

// Pipes speaks over named pipes for this package.
type Pipes interface {
	// Find looks at a pipe, without opening it. Errors: ErrNotFound, ErrNotPipe,
	// ErrUnreadable.
	Find(path string) (Pipe, error)
}

// Pipe is a named pipe. Its methods are about the very one that was found: they
// fail where another is in its place since.
type Pipe interface {
	// Info is what trust in it depends on.
	Info() PipeInfo
	// Ask makes a reply pipe that only the caller's user and root can open,
	// writes the line that question makes of its path, at once and without
	// waiting for a reader, and returns what comes back, up to its line break
	// or its end. Errors: ErrNoReader, ErrTooLarge for an answer of more than
	// limit bytes, ErrUnreadable; what ended with ctx has its cause.
	Ask(ctx context.Context, question func(reply string) ([]byte, error), limit int64) ([]byte, error)
	// Read waits for somebody to write, and returns all that is written until
	// the last writer has closed the pipe. Errors as those of Ask.
	Read(ctx context.Context, limit int64) ([]byte, error)
}

// PipeInfo is what trust in a pipe depends on.
type PipeInfo struct {
	// OwnedByRootOrSelf: it belongs to root, the Slurm user or the caller.
	OwnedByRootOrSelf            bool
	GroupWritable, WorldWritable bool
	// Replaceable: its folder lets others put another in its place.
	Replaceable bool
}

func (k asking) pipe(ctx context.Context, pipes Pipes, id string, q Question) Answer {
	p, err := pipes.Find(k.way.Pipe)
	switch {
	case errors.Is(err, ErrNotPipe):
		return k.missing(err, "ASBA not reachable: %s is not a pipe", k.way)
	case err != nil:
		return k.failed(err)
	}
	info := p.Info()
	if info.WorldWritable {
		a := Answer{Source: k.way.Pipe}
		return a.judge(nil, []finding.Finding{rule.New(rule.WorldWritable, rule.Place{File: k.way.Pipe},
			"the pipe is world-writable: anyone could have written the plan", "chmod o-w it")})
	}
	trusted := info.OwnedByRootOrSelf && !info.GroupWritable && !info.Replaceable
	line, err := p.Ask(ctx, func(reply string) ([]byte, error) {
		return protocol.PipeRequest{ID: id, Reply: reply, JobID: q.Job, NodeCount: q.Nodes, Partition: q.Partition}.Line()
	}, protocol.MaxAnswerLine)
	switch {
	case errors.Is(err, ErrNoReader) && k.way.Unasked:
		return k.unasked(ctx, p, trusted)
	case err != nil:
		return k.failed(err)
	}
	answer, err := protocol.ReadAnswer(line, id)
	return k.answered(answer, err, trusted)
}

// unasked takes the plan that somebody writes into a pipe without being asked.
// Where other clients take us for an advisor, their questions are passed over.
func (k asking) unasked(ctx context.Context, p Pipe, trusted bool) Answer {
	for {
		text, err := p.Read(ctx, protocol.MaxAnswer)
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) && len(text) == 0 {
				// Nobody was there: neither to read nor to write.
				return k.missing(err, "ASBA not reachable at %s", k.way)
			}
			return k.failed(err)
		}
		for protocol.IsRequest(text) {
			_, text, _ = bytes.Cut(text, []byte("\n"))
		}
		if len(text) > 0 {
			return k.unframed(text, trusted)
		}
	}
}
