// Package localstack finds a LocalStack that answers EC2, or starts one: release
// 4.14.0 from a Python environment that install.sh made, as one process on
// 127.0.0.1, in a process group of its own.
//
// It knows LocalStack the process, not EC2: it makes no instance and reads no
// answer beyond "EC2 is up". It keeps no state between runs; whoever needs a
// clean account takes a cluster tag of their own. What LocalStack gets wrong is
// for localstack/faultproxy to mend or to show.
package localstack

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Version is the release that requirements.txt locks.
const Version = "4.14.0"

const (
	// readyWithin bounds a start. It takes about 6 s on two cores: 2.5 s to
	// listen, the rest for the first EC2 call, which loads the EC2 model. A
	// cold disk has been seen to take four times that.
	readyWithin = 90 * time.Second
	// pollEvery is how often a starting server is asked whether it is up.
	pollEvery = 100 * time.Millisecond
	// stopGrace is how long a server may take to end by itself. It has nothing
	// to save, and its own shutdown waits 5 s for its idle threads.
	stopGrace = 2 * time.Second
)

// launcher is run by the environment's Python; see run.py for why it is needed.
//
//go:embed run.py
var launcher string

// Options say how to start a server.
type Options struct {
	// Dir is the environment that install.sh made; empty means DefaultDir().
	Dir string
	// Port to listen on, 0 for a free one.
	Port int
	// LogTo gets what LocalStack prints; nil discards it. The last lines are
	// kept in any case, for the error of a server that died.
	LogTo io.Writer
	// Timeout bounds the start; 0 means 90 s.
	Timeout time.Duration
}

// Server is a running LocalStack.
type Server struct {
	port int
	home string // private home, caches and volume; removed by Stop
	cmd  *exec.Cmd
	log  *tail

	done chan struct{} // closed when the process has been waited for
	exit error         // what Wait said; read only after done

	stopOnce sync.Once
	stopErr  error
}

// Start runs LocalStack and returns once EC2 has answered a call, so that no
// scenario pays for the first one. It fails with a *NotInstalledError,
// *PortTakenError, *DiedError or *NotReadyError, or with ctx's error.
//
// The server outlives ctx, which bounds the start alone, but not this process:
// on Linux the kernel kills it when its parent dies, however that happens.
func Start(ctx context.Context, o Options) (*Server, error) {
	dir := o.Dir
	if dir == "" {
		dir = DefaultDir()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("localstack: %w", err)
	}
	if err := Installed(dir); err != nil {
		return nil, err
	}
	port, err := choosePort(o.Port)
	if err != nil {
		return nil, err
	}
	// A plugin cache left in ~/.cache by a broken installation keeps breaking
	// good ones, so every server gets a home, and with it caches, of its own.
	home, err := os.MkdirTemp("", "asba-localstack-")
	if err != nil {
		return nil, fmt.Errorf("localstack: private home: %w", err)
	}
	s := &Server{port: port, home: home, log: newTail(o.LogTo), done: make(chan struct{})}
	if err := s.spawn(dir); err != nil {
		os.RemoveAll(home)
		return nil, fmt.Errorf("localstack: %w", err)
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = readyWithin
	}
	if err := s.waitReady(ctx, timeout); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// URL is the endpoint, for AWS_ENDPOINT_URL_EC2.
func (s *Server) URL() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

// Done is closed when the process has ended, wanted or not.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop ends the server and everything it started, and removes its private home.
// Only the first call does anything; the others return its result.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		s.signal(syscall.SIGTERM)
		select {
		case <-s.done:
		case <-time.After(stopGrace):
			s.signal(syscall.SIGKILL)
			<-s.done
		}
		if err := os.RemoveAll(s.home); err != nil {
			s.stopErr = fmt.Errorf("localstack: %w", err)
		}
	})
	return s.stopErr
}

// signal reaches the whole group, while its leader lives: Setpgid made the
// leader's id the group's. A group that just ended is no error.
func (s *Server) signal(sig syscall.Signal) {
	select {
	case <-s.done:
	default:
		_ = syscall.Kill(-s.cmd.Process.Pid, sig)
	}
}

// spawn starts the process and a goroutine that waits for it.
//
// The kernel sends a parent-death signal when the *thread* that forked ends, not
// the process. So the goroutine keeps its thread until the child is gone.
func (s *Server) spawn(dir string) error {
	// -I keeps PYTHON* variables and the working folder out of the run, -u lets
	// the last words of a dying server through.
	s.cmd = exec.Command(filepath.Join(dir, "bin", "python"), "-I", "-u", "-c", launcher)
	s.cmd.Dir = s.home
	s.cmd.Env = environment(s.home, s.port)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.WaitDelay = time.Second // a child that keeps stdout open must not hold Wait
	s.cmd.SysProcAttr = ownGroup()
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		s.exit = s.cmd.Wait()
		// What the leader left behind goes now: later its id may be another's.
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		close(s.done)
	}()
	return <-started
}

// environment is the whole of what the server sees: nothing of the caller's, so
// that no credential, proxy or LocalStack setting of theirs reaches it.
func environment(home string, port int) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=C.UTF-8",
		"HOME=" + home,
		"XDG_CACHE_HOME=" + filepath.Join(home, "cache"),
		"TMPDIR=" + home,
		"LOCALSTACK_VOLUME_DIR=" + filepath.Join(home, "volume"),
		"GATEWAY_LISTEN=127.0.0.1:" + strconv.Itoa(port),
		// EC2 alone. STS of this release cannot be loaded by Python 3.11: it
		// uses syntax of 3.12.
		"SERVICES=ec2",
		"STRICT_SERVICE_LOADING=1",
		// Nothing goes out to the network, and no DNS server is started.
		"SKIP_SSL_CERT_DOWNLOAD=1",
		"DISABLE_EVENTS=1",
		"DNS_ADDRESS=0",
		// Inside a container it would write below /var/lib.
		"OVERRIDE_IN_DOCKER=0",
	}
}

// choosePort returns want if it can be listened on, or a free port for 0.
func choosePort(want int) (int, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(want)))
	if err != nil {
		return 0, &PortTakenError{Port: want, Err: err}
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// waitReady returns nil once an EC2 call was answered.
func (s *Server) waitReady(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTooSlow)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	last := errors.New("no answer yet")
	for {
		select {
		case <-s.done:
			return &DiedError{Err: s.exit, Log: s.log.lines()}
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTooSlow) {
				return &NotReadyError{URL: s.URL(), After: timeout, Err: last, Log: s.log.lines()}
			}
			return fmt.Errorf("localstack: start: %w", context.Cause(ctx))
		case <-tick.C:
		}
		h, err := askHealth(ctx, http.DefaultClient, s.URL())
		if err == nil {
			err = h.ec2Up()
		}
		if err == nil {
			err = askEC2(ctx, http.DefaultClient, s.URL())
		}
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // a cancelled request says nothing about the server
		}
	}
}

var errTooSlow = errors.New("the time to start is over")
