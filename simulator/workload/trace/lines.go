package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"aws-slurm-burst/simulator/workload"
)

// MaxLine is how long a line may be, in bytes: sacct's SubmitLine is as long as
// a command line, and nothing else comes near.
const MaxLine = 1 << 20

// Lines reads a stream line by line, and unpacks it where it is gzip's.
type Lines struct {
	name    string
	from    *bufio.Reader
	packed  bool
	long    []byte // a line that did not fit into from's buffer
	number  int
	partial bool
	err     error
}

// NewLines reads r, which is called name in errors. Nothing is read before Next.
func NewLines(r io.Reader, name string) *Lines {
	return &Lines{name: name, from: bufio.NewReaderSize(r, 1<<16)}
}

// open looks whether the stream is packed, by its first two bytes (RFC 1952), and
// passes over the mark with which some editors begin a text.
func (l *Lines) open() error {
	magic, _ := l.from.Peek(2) // what is shorter is not gzip's
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		l.packed = true
		z, err := gzip.NewReader(l.from)
		if err != nil {
			return err
		}
		l.from = bufio.NewReaderSize(z, 1<<16)
	}
	if mark, _ := l.from.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) { // an error stays
		_, _ = l.from.Discard(3)
	}
	return nil
}

// Next returns the next line without its end, and false after the last one: Err
// then says whether that was the end. The line is good until the next call.
func (l *Lines) Next() ([]byte, bool) {
	if l.err != nil {
		return nil, false
	}
	if l.number == 0 {
		if l.err = l.open(); l.err != nil {
			return nil, false
		}
	}
	line, err := l.from.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line, err = l.whole(line)
	}
	switch {
	case err == nil:
		line = line[:len(line)-1]
	case err != io.EOF || len(line) == 0:
		l.err = err
		return nil, false
	default:
		l.partial = true
	}
	l.number++
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, true
}

var errLong = errors.New("a line that never ends")

// whole reads the rest of a line that is longer than the buffer.
func (l *Lines) whole(begin []byte) ([]byte, error) {
	l.long = append(l.long[:0], begin...)
	for {
		more, err := l.from.ReadSlice('\n')
		l.long = append(l.long, more...)
		switch {
		case len(l.long) > MaxLine:
			l.number++
			return nil, errLong
		case err != bufio.ErrBufferFull:
			return l.long, err
		}
	}
}

// Number is the last line's, from 1.
func (l *Lines) Number() int { return l.number }

// Partial reports whether the last line has no end: whoever wrote it may have
// been stopped in the middle of it.
func (l *Lines) Partial() bool { return l.partial }

// Fail is an error about the last line.
func (l *Lines) Fail(format string, args ...any) *Error {
	return &Error{File: l.name, Line: l.number, Msg: fmt.Sprintf(format, args...)}
}

// Misplaced is the error about a job too far from its place for a window.
func (l *Lines) Misplaced(window int) func(workload.Job) error {
	return func(j workload.Job) error {
		return l.Fail("job %d was submitted before more than %d jobs above it; sort the trace by time of submission", j.ID, window)
	}
}

// Err is what kept Next from going on, nil at the trace's end.
func (l *Lines) Err() error {
	switch {
	case l.err == nil || l.err == io.EOF:
		return nil
	case l.err == errLong:
		return l.Fail("the line has more than %d bytes; is this a text file?", MaxLine)
	case l.Cut():
		return l.Fail("the packed trace is damaged after this line (%v); fetch it again, or read with --lenient what there is", l.err)
	}
	return l.Fail("reading ended after this line: %v", l.err)
}

// Cut reports whether the lines ended because the packed stream is cut short or
// damaged: all that came before is good.
func (l *Lines) Cut() bool {
	return l.packed && l.err != nil && l.err != io.EOF && l.err != errLong
}
