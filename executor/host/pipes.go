package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"aws-slurm-burst/executor/plansource"
)

// Pipes speaks over named pipes.
type Pipes struct {
	dir       string
	slurmUser int
	swept     *sync.Once
}

var _ plansource.Pipes = Pipes{}

// NewPipes returns Pipes whose reply pipes are in a folder of ours, which is made
// when it is needed. slurmUser may own a pipe beside root and us; -1 where it is
// not known.
func NewPipes(dir string, slurmUser int) Pipes { return Pipes{dir, slurmUser, &sync.Once{}} }

// Find looks at a pipe. Symbolic links are followed, so that the folder that
// counts is the one that the pipe is in.
func (p Pipes) Find(path string) (plansource.Pipe, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", plansource.ErrNotFound, path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
	}
	st, err := os.Lstat(real)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
	}
	if st.Mode()&fs.ModeNamedPipe == 0 {
		return nil, fmt.Errorf("%w: %s", plansource.ErrNotPipe, path)
	}
	folder, err := os.Stat(filepath.Dir(real))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
	}
	return pipe{Pipes: p, path: real, st: st, folder: folder}, nil
}

type pipe struct {
	Pipes
	path       string
	st, folder fs.FileInfo
}

// Info says whose the pipe is, and whether others can put one in its place: in a
// folder of theirs, or in one that they may write and that is not sticky.
func (p pipe) Info() plansource.PipeInfo {
	ours := func(st fs.FileInfo) bool { return owned(st) || p.slurmUser >= 0 && ownerOf(st) == p.slurmUser }
	mode := p.st.Mode().Perm()
	return plansource.PipeInfo{
		OwnedByRootOrSelf: ours(p.st), GroupWritable: mode&0o020 != 0, WorldWritable: mode&0o002 != 0,
		Replaceable: !ours(p.folder) || p.folder.Mode().Perm()&0o022 != 0 && p.folder.Mode()&fs.ModeSticky == 0,
	}
}

// open opens the very pipe that was found, without waiting for the other end.
func (p pipe) open(how int) (*os.File, error) {
	f, err := os.OpenFile(p.path, how|syscall.O_NONBLOCK|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	switch {
	case errors.Is(err, syscall.ENXIO):
		return nil, plansource.ErrNoReader
	case err != nil:
		return nil, fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
	}
	if st, err := f.Stat(); err != nil || !os.SameFile(st, p.st) {
		_ = f.Close()
		return nil, fmt.Errorf("%w: %s is another pipe than it was a moment ago", plansource.ErrUnreadable, p.path)
	}
	return f, nil
}

// Ask asks who reads the pipe.
func (p pipe) Ask(ctx context.Context, question func(reply string) ([]byte, error), limit int64) ([]byte, error) {
	to, err := p.open(os.O_WRONLY)
	if err != nil {
		return nil, err
	}
	defer func() { _ = to.Close() }()
	reply, remove, err := p.replyPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: no reply pipe: %w", plansource.ErrUnreadable, err)
	}
	defer remove()
	from, err := os.OpenFile(reply, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: no reply pipe: %w", plansource.ErrUnreadable, err)
	}
	defer func() { _ = from.Close() }()
	line, err := question(reply)
	if err != nil {
		return nil, err
	}
	defer stopAt(ctx, to)()
	// All of it or nothing: a line is no longer than PIPE_BUF, and where the
	// pipe is full the write waits.
	if _, err := to.Write(line); errors.Is(err, syscall.EPIPE) {
		return nil, plansource.ErrNoReader
	} else if err != nil {
		return nil, ended(ctx, err)
	}
	return readPipe(ctx, from, limit, '\n')
}

// Read reads what somebody writes into the pipe.
func (p pipe) Read(ctx context.Context, limit int64) ([]byte, error) {
	f, err := p.open(os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readPipe(ctx, f, limit, -1)
}

// stopAt ends reading and writing of a file with ctx.
func stopAt(ctx context.Context, f *os.File) func() bool {
	return context.AfterFunc(ctx, func() { _ = f.SetDeadline(time.Unix(1, 0)) })
}

// readPipe waits for the first byte, however often somebody opens the pipe and
// says nothing, and then reads up to and with the byte end, or, where that is
// none, until nobody has the pipe open for writing.
func readPipe(ctx context.Context, f *os.File, limit int64, end int) ([]byte, error) {
	defer stopAt(ctx, f)()
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
	}
	var data []byte
	var failed error
	buf := make([]byte, 64<<10)
	err = raw.Read(func(fd uintptr) (done bool) {
		for {
			n, err := syscall.Read(int(fd), buf)
			switch {
			case errors.Is(err, syscall.EINTR):
				continue
			case errors.Is(err, syscall.EAGAIN):
				return false
			case err != nil:
				failed = fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
				return true
			case n == 0: // no writer: not yet, or no more
				return len(data) > 0
			}
			data = append(data, buf[:n]...)
			switch {
			case int64(len(data)) > limit:
				failed = plansource.ErrTooLarge
				return true
			case end >= 0 && data[len(data)-1] == byte(end):
				return true
			case ctx.Err() != nil: // a writer without end leaves no moment to wait in
				failed = context.Cause(ctx)
				return true
			}
		}
	})
	switch {
	case failed != nil:
		return data, failed
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return data, context.Cause(ctx)
	case err != nil:
		return data, fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
	}
	return data, nil
}

// replyFolder begins the name of the folder of a reply pipe.
const replyFolder = "reply-"

// abandoned is how old a folder without an owner is at least: a younger one may
// have been made a moment ago, and its owner is about to lock it.
const abandoned = time.Minute

// replyPipe makes a pipe that only we and root can open, in a folder that is
// locked while we live, and removes the folders of those that were killed.
func (p Pipes) replyPipe() (path string, remove func(), err error) {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return "", nil, err
	}
	p.swept.Do(p.sweep)
	dir, err := os.MkdirTemp(p.dir, replyFolder)
	if err != nil {
		return "", nil, err
	}
	held, err := lockFolder(dir)
	if err != nil {
		return "", nil, errors.Join(err, os.Remove(dir))
	}
	remove = func() {
		_ = os.RemoveAll(dir)
		_ = held.Close()
	}
	path = filepath.Join(dir, "reply")
	if path, err = filepath.Abs(path); err == nil {
		err = syscall.Mkfifo(path, 0o600)
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

// sweep removes the folders of reply pipes whose owner is dead.
func (p Pipes) sweep() {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		st, err := e.Info()
		if err != nil || !e.IsDir() || !strings.HasPrefix(e.Name(), replyFolder) || time.Since(st.ModTime()) < abandoned {
			continue
		}
		dir := filepath.Join(p.dir, e.Name())
		if held, err := lockFolder(dir); err == nil {
			_ = os.RemoveAll(dir)
			_ = held.Close()
		}
	}
}

// lockFolder locks a folder until the file is closed, or the process ends.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
