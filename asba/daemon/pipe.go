package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Errors of Open, each wrapped.
var (
	// ErrNotPipe: something else has the path.
	ErrNotPipe = errors.New("not a pipe")
	// ErrStranger: others own the pipe, can read or write it, or can put another
	// in its place.
	ErrStranger = errors.New("the pipe is not ours alone")
	// ErrBusy: another daemon that lives reads the pipe.
	ErrBusy = errors.New("another daemon reads the pipe")
)

// pipe is the pipe that questions come on.
type pipe struct {
	path string
	file *os.File
	st   fs.FileInfo
}

// open makes or takes a pipe and locks it. The lock is the kernel's, on the pipe
// itself: one that a killed daemon left is free.
func open(path string) (*pipe, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// Another daemon that is about to end may remove the pipe between our look
	// and our lock.
	for range 10 {
		p := &pipe{path: path}
		if err := p.take(); err != nil {
			return nil, err
		}
		if p.there() {
			return p, nil
		}
		_ = p.file.Close()
	}
	return nil, fmt.Errorf("%s: %w", path, ErrReplaced)
}

func (p *pipe) take() error {
	// Before the pipe is made: where it would be refused it is not left behind.
	if err := p.folder(); err != nil {
		return err
	}
	if err := syscall.Mkfifo(p.path, 0o600); err != nil && !errors.Is(err, syscall.EEXIST) {
		return fmt.Errorf("the pipe could not be made: %w", &fs.PathError{Op: "mkfifo", Path: p.path, Err: err})
	}
	st, err := os.Lstat(p.path)
	if err != nil {
		return err
	}
	if err := p.ours(st); err != nil {
		return err
	}
	// For writing too: with a writer of its own the pipe has no end, over which
	// reading would spin as clients come and go.
	p.file, err = os.OpenFile(p.path, os.O_RDWR|syscall.O_NONBLOCK|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if p.st, err = p.file.Stat(); err == nil {
		err = p.ours(p.st)
	}
	if err == nil {
		err = p.lock()
	}
	if err != nil {
		_ = p.file.Close()
	}
	return err
}

// ours refuses what is not a pipe that we alone can open.
func (p *pipe) ours(st fs.FileInfo) error {
	if st.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%w: %s is a symbolic link (name the pipe that it leads to)", ErrNotPipe, p.path)
	}
	if st.Mode()&fs.ModeNamedPipe == 0 {
		return fmt.Errorf("%w: %s", ErrNotPipe, p.path)
	}
	if !mine(st) {
		return fmt.Errorf("%w: %s belongs to user %d", ErrStranger, p.path, st.Sys().(*syscall.Stat_t).Uid)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: %s can be opened by others (chmod 600 it)", ErrStranger, p.path)
	}
	return nil
}

// folder refuses a folder in which others could put another pipe in its place.
func (p *pipe) folder() error {
	dir := filepath.Dir(p.path)
	st, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("the pipe's folder: %w", err)
	case !mine(st):
		return fmt.Errorf("%w: its folder %s belongs to user %d, who can put another one there", ErrStranger, dir, st.Sys().(*syscall.Stat_t).Uid)
	case st.Mode().Perm()&0o022 != 0 && st.Mode()&fs.ModeSticky == 0:
		return fmt.Errorf("%w: others can put another one into %s (chmod go-w it)", ErrStranger, dir)
	}
	return nil
}

// still refuses what take would refuse by now.
func (p *pipe) still() error {
	st, err := os.Lstat(p.path)
	if err == nil {
		err = p.ours(st)
	}
	return errors.Join(err, p.folder())
}

// remove takes the pipe away, where it is still the one there; it stays in a
// folder that is not ours to change.
func (p *pipe) remove() {
	if p.there() {
		_ = os.Remove(p.path)
	}
}

// mine reports whether a file belongs to us or to root.
func mine(st fs.FileInfo) bool {
	s, ok := st.Sys().(*syscall.Stat_t)
	return ok && ours(s.Uid)
}

// ours reports whether a user is root or the one that we run as.
func ours(uid uint32) bool { return uid == 0 || int64(uid) == int64(os.Geteuid()) }

func (p *pipe) lock() error {
	raw, err := p.file.SyscallConn() // not Fd, which makes reading block
	if err != nil {
		return err
	}
	var locked error
	if err := raw.Control(func(fd uintptr) { locked = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) }); err != nil {
		return err
	}
	if errors.Is(locked, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%w: %s", ErrBusy, p.path)
	}
	return locked
}

// there reports whether the path still leads to this pipe.
func (p *pipe) there() bool {
	st, err := os.Lstat(p.path)
	return err == nil && os.SameFile(st, p.st)
}

// read reads lines until ctx ends, and then those that are in the pipe already.
// It closes the pipe, and removes it first, so that who comes later sees at once
// that nobody is there.
func (p *pipe) read(ctx context.Context, line func([]byte)) error {
	defer func() { _ = p.file.Close() }()
	defer context.AfterFunc(ctx, func() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) })()
	var l lines
	buf := make([]byte, 64<<10) // as much as a pipe holds
	for {
		n, err := p.file.Read(buf)
		l.feed(buf[:n], line)
		switch {
		case err == nil:
			continue
		case !errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() == nil:
			return err
		}
		p.remove()
		return p.drain(buf, &l, line)
	}
}

// most is as much as any pipe holds (pipe-max-size of Linux, for who is not root).
const most = 1 << 20

// drain reads what is in the pipe, and waits for nothing: neither for a writer,
// nor for one that never ends.
func (p *pipe) drain(buf []byte, l *lines, line func([]byte)) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		for left := most; left > 0; {
			n, err := syscall.Read(int(fd), buf)
			switch {
			case errors.Is(err, syscall.EINTR):
				continue
			case errors.Is(err, syscall.EAGAIN) || err == nil && n <= 0:
				return
			case err != nil:
				failed = err
				return
			}
			l.feed(buf[:n], line)
			left -= n
		}
	})
	return errors.Join(err, failed)
}
