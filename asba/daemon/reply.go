package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// errGone: nobody reads a reply pipe, or it is no more.
var errGone = errors.New("the client has gone")

// reply is a client's pipe, opened without its Go file: nearly every answer goes
// into it with one write, and what os.File adds to that costs as much again.
type reply struct {
	path string
	fd   int
	file *os.File // that waits for the reader, nil while nobody has to
}

// openReply opens a reply pipe without waiting for its reader. It has to be a
// pipe of ours that nobody else can open: what is written there is the client's
// alone, and a path that leads to something else is not written to.
func openReply(path string) (*reply, error) {
	var st syscall.Stat_t
	if err := again(func() error { return syscall.Lstat(path, &st) }); err != nil {
		return nil, gone(&fs.PathError{Op: "lstat", Path: path, Err: err})
	}
	if err := private(path, &st); err != nil {
		return nil, err
	}
	r := &reply{path: path}
	err := again(func() (err error) {
		r.fd, err = syscall.Open(path, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, gone(&fs.PathError{Op: "open", Path: path, Err: err})
	}
	if err = again(func() error { return syscall.Fstat(r.fd, &st) }); err == nil {
		err = private(path, &st)
	}
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// again makes a call of the system's until no signal comes between.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// gone marks the errors of clients that are no more.
func gone(err error) error {
	if errors.Is(err, syscall.ENXIO) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

func private(path string, st *syscall.Stat_t) error {
	switch {
	case st.Mode&syscall.S_IFMT != syscall.S_IFIFO:
		return fmt.Errorf("%w: %s", ErrNotPipe, path)
	case !ours(st.Uid):
		return fmt.Errorf("%w: %s belongs to somebody else", ErrStranger, path)
	case st.Mode&0o077 != 0:
		return fmt.Errorf("%w: %s can be opened by others", ErrStranger, path)
	}
	return nil
}

// send writes a line by the deadline, or a part of it that is then no answer.
func (r *reply) send(line []byte, by time.Time) error {
	for len(line) > 0 {
		n, err := syscall.Write(r.fd, line)
		switch {
		case err == nil:
			line = line[n:]
		case errors.Is(err, syscall.EAGAIN):
			return r.wait(line, by)
		case !errors.Is(err, syscall.EINTR):
			return &fs.PathError{Op: "write", Path: r.path, Err: err}
		}
	}
	return nil
}

// wait writes as the reader makes room.
func (r *reply) wait(line []byte, by time.Time) error {
	r.file = os.NewFile(uintptr(r.fd), r.path)
	if err := r.file.SetWriteDeadline(by); err != nil {
		return err
	}
	_, err := r.file.Write(line)
	return err
}

// Close closes the pipe.
func (r *reply) Close() error {
	if r.file != nil {
		return r.file.Close()
	}
	return syscall.Close(r.fd)
}
