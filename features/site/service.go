package site

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Service is a shipped program that runs until it is told to stop, and says with
// its first line where it is to be found.
type Service struct {
	// First is that line.
	First string

	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	log  lockedBuffer  // of a site's
	over bool          // its end was seen, or wanted to be what it was
}

// stopWithin is how long a service may take to stop: asba gives what it is at
// five seconds.
const stopWithin = 15 * time.Second

// StartService starts a program and waits for its first line. On Linux it ends
// with this process, however that ends.
func StartService(cmd *exec.Cmd) (*Service, error) {
	s := &Service{cmd: cmd, done: make(chan struct{})}
	if cmd.Stderr == nil {
		cmd.Stderr = &s.log
	}
	cmd.WaitDelay = 5 * time.Second
	// A pipe of our own: Wait closes StdoutPipe's while it may still be read.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd.Stdout = w
	cmd.SysProcAttr = tied()
	err = s.start()
	w.Close()
	if err != nil {
		return nil, err
	}
	first, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		_ = s.Stop() // what it said is why
		return nil, fmt.Errorf("it ended without its first line: %v: %s", cmd.ProcessState, s.log.String())
	}
	s.First = strings.TrimSpace(first)
	return s, nil
}

// start keeps the thread that forks until the child has ended: to the kernel a
// parent is a thread.
func (s *Service) start() error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait()
		}
		close(s.done)
	}()
	return <-started
}

// Signal sends a signal; who has ended does not hear it.
func (s *Service) Signal(sig syscall.Signal) error {
	if err := s.cmd.Process.Signal(sig); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Stop tells it to stop, and returns an error where it does not end in time, or
// not well.
func (s *Service) Stop() error {
	// It may have been stood still.
	return errors.Join(s.Signal(syscall.SIGTERM), s.Signal(syscall.SIGCONT), s.ended(0))
}

// Kill ends it outright.
func (s *Service) Kill() error {
	return errors.Join(s.Signal(syscall.SIGKILL), s.ended(killed))
}

func (s *Service) ended(want int) error {
	s.over = true
	late := time.NewTimer(stopWithin)
	defer late.Stop()
	select {
	case <-s.done:
	case <-late.C:
		err := s.Signal(syscall.SIGKILL)
		<-s.done
		return errors.Join(err, fmt.Errorf("%s did not stop within %s", filepath.Base(s.cmd.Path), stopWithin))
	}
	if code := s.cmd.ProcessState.ExitCode(); code != want {
		return fmt.Errorf("%s ended with exit code %d, not %d: %s", filepath.Base(s.cmd.Path), code, want, s.log.String())
	}
	return nil
}

// Serve starts a program that runs until it is told to stop, in the site's folder
// and with no more environment than its other programs have. Close ends it, and
// fails where it does not end well.
func (w *Site) Serve(program string, args ...string) (*Service, error) {
	cmd := exec.Command(filepath.Join(w.Bin, program), args...)
	cmd.Dir, cmd.Env = w.Dir, w.environment()
	s, err := StartService(cmd)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	w.services = append(w.services, s)
	return s, nil
}

// closeServices ends those that run.
func (w *Site) closeServices() error {
	var errs []error
	for _, s := range w.services {
		if !s.over {
			errs = append(errs, s.Stop())
		}
	}
	return errors.Join(errs...)
}

// Log is what a service has said so far.
func (s *Service) Log() string { return s.log.String() }

// lockedBuffer is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
