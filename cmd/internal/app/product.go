package app

import (
	"errors"
	"io"
	"sync"
	"syscall"

	"aws-slurm-burst/executor/report"
)

// Product is a stdout whose text is what a program is for, unlike that of the
// programs that slurmctld calls: it remembers that a write failed, so that half
// an output does not pass for a whole one.
type Product struct {
	out io.Writer
	mu  sync.Mutex
	err error // the first; a reader that has gone is none
}

// NewProduct returns a Product that writes to out.
func NewProduct(out io.Writer) *Product { return &Product{out: out} }

// Write implements io.Writer.
func (p *Product) Write(data []byte) (int, error) {
	n, err := p.out.Write(data)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil && !errors.Is(err, syscall.EPIPE) { // `| head` has what it wants
		p.err = err
	}
	return n, err
}

// Fd is the file's that is written to, so that it can be asked whether it is a
// terminal; no file's where it is none.
func (p *Product) Fd() uintptr {
	if f, ok := p.out.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// Exit returns the exit code of a run that would end with code: 1 in place of 0,
// and a line on stderr, where a write has failed.
func (p *Product) Exit(stderr io.Writer, code int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return code
	}
	failed := Fail(stderr, Exitf(report.ExitFailed, "the output is not whole: %w", p.err))
	if code != report.ExitDone {
		return code
	}
	return failed
}
