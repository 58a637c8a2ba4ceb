// Package localstack finds an EC2 for scenarios: the endpoint that was given,
// LocalStack in a container, LocalStack on this host, or the caller's embedded
// one. It says which it took, and why none before it.
//
// The LocalStack it starts itself is release 4.14.0 from a Python environment
// that install.sh made, as one process on 127.0.0.1, in a process group of its
// own. Containers are localstack/container's, so that this package needs no
// engine's client.
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
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aws-slurm-burst/localstack/scratch"
)

// Version is the release that requirements.txt locks.
const Version = "4.14.0"

// stopGrace is how long a server may take to end by itself. It has nothing to
// save, and its own shutdown waits 5 s for its idle threads.
const stopGrace = 2 * time.Second

// launcher is run by the environment's Python; see run.py for why it is needed.
//
//go:embed run.py
var launcher string

// Options say how to start a LocalStack.
type Options struct {
	// Dir is the environment that install.sh made; empty means DefaultDir(). A
	// container has its own.
	Dir string
	// Port to listen on, 0 for a free one.
	Port int
	// LogTo gets what LocalStack prints; nil discards it. The last lines are
	// kept in any case, for the error of a server that died.
	LogTo io.Writer
	// Timeout bounds the start; 0 means 3 minutes.
	Timeout time.Duration
}

// Server is a running LocalStack.
type Server struct {
	port int
	home *scratch.Dir // private home, caches and volume; removed by Stop
	cmd  *exec.Cmd
	log  *Tail

	done chan struct{} // closed when the process has been waited for
	exit error         // what Wait said; read only after done

	stopping atomic.Bool
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
	home, err := scratch.New("asba-localstack")
	if err != nil {
		return nil, fmt.Errorf("localstack: private home: %w", err)
	}
	s := &Server{port: port, home: home, log: NewTail(o.LogTo), done: make(chan struct{})}
	if err := s.spawn(dir); err != nil {
		home.Remove()
		return nil, fmt.Errorf("localstack: %w", err)
	}
	if err := AwaitEC2(ctx, s, o.Timeout); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// URL implements Running.
func (s *Server) URL() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

// Done implements Running.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err implements Running.
func (s *Server) Err() error {
	select {
	case <-s.done:
	default:
		return nil
	}
	if s.stopping.Load() {
		return nil
	}
	return &DiedError{Kind: Host, Err: s.exit, Log: s.Lines()}
}

// Lines implements Running.
func (s *Server) Lines() []string { return s.log.Lines() }

// Stop ends the server and everything it started, and removes its private home.
// Only the first call does anything; the others return its result.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		select {
		case <-s.done: // it died before
		default:
			s.stopping.Store(true)
		}
		s.signal(syscall.SIGTERM)
		select {
		case <-s.done:
		case <-time.After(stopGrace):
			s.signal(syscall.SIGKILL)
			<-s.done
		}
		if err := s.home.Remove(); err != nil {
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
	s.cmd.Dir = s.home.Path
	s.cmd.Env = environment(s.home.Path, s.port)
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
	return append([]string{
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=C.UTF-8",
		"HOME=" + home,
		"XDG_CACHE_HOME=" + filepath.Join(home, "cache"),
		"TMPDIR=" + home,
		"LOCALSTACK_VOLUME_DIR=" + filepath.Join(home, "volume"),
		"GATEWAY_LISTEN=127.0.0.1:" + strconv.Itoa(port),
		// Inside a container it would write below /var/lib.
		"OVERRIDE_IN_DOCKER=0",
	}, Settings...)
}

// Settings are the environment of every LocalStack, wherever it runs.
var Settings = []string{
	// EC2 alone. STS of this release cannot be loaded by Python 3.11: it uses
	// syntax of 3.12.
	"SERVICES=ec2",
	"STRICT_SERVICE_LOADING=1",
	// Nothing goes out to the network, and no DNS server is started.
	"SKIP_SSL_CERT_DOWNLOAD=1",
	"DISABLE_EVENTS=1",
	"DNS_ADDRESS=0",
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
