package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// locks are files that a process holds with flock: the kernel frees the lock
// of a dead process, and no file is ever removed, so that two processes always
// mean the same one.
type locks struct {
	dir  string
	mu   sync.Mutex
	made bool
}

func newLocks(dir string) *locks { return &locks{dir: dir} }

var lockName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,200}$`)

// Waiting for a lock is polling, since flock has no time-out: at first often,
// for a holder that is about to end, then four times a second.
const (
	lockPollFirst = 2 * time.Millisecond
	lockPollMost  = 250 * time.Millisecond
)

// lock waits until it holds the file's lock or ctx is done.
func (l *locks) lock(ctx context.Context, name string) (func(), error) {
	if !lockName.MatchString(name) || name == "." || name == ".." {
		return nil, fmt.Errorf("lock name %q: want letters, digits, '-', '_', '.'", name)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := l.folder(); err != nil {
		return nil, err
	}
	path := filepath.Join(l.dir, name+".lock")
	// Each open file has a lock of its own, so that goroutines of one process
	// exclude each other as processes do.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	for pause := lockPollFirst; ; pause = min(2*pause, lockPollMost) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			var once sync.Once
			return func() { once.Do(func() { _ = f.Close() }) }, nil // closing frees it
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			_ = f.Close()
			return nil, context.Cause(ctx)
		}
	}
}

func (l *locks) folder() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made {
		return nil
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("no folder for locks: %w (set journal.dir)", err)
	}
	l.made = true
	return nil
}
