package localstack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// buffer is a bytes.Buffer that a server's log goroutine may write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func TestStartServesOnLoopbackAndStopLeavesNothing(t *testing.T) {
	s := start(t, Options{Dir: stubDir(t, "serves")})
	if !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("URL %s is not on loopback", s.URL())
	}
	if err := askEC2(t.Context(), http.DefaultClient, s.URL()); err != nil {
		t.Errorf("EC2 does not answer: %v", err)
	}
	home, pid := s.home.Path, s.cmd.Process.Pid
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("second Stop: %v", err)
	}
	if !gone(pid) {
		t.Errorf("process %d still runs", pid)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("private home %s is left behind (%v)", home, err)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL(), "http://"), time.Second); err == nil {
		t.Error("the port still answers")
	}
}

func TestStopKillsWhatIgnoresTermAndItsChildren(t *testing.T) {
	for _, mode := range []string{"stubborn", "orphan"} {
		t.Run(mode, func(t *testing.T) {
			var log buffer
			s := start(t, Options{Dir: stubDir(t, mode), LogTo: &log})
			var child int
			if _, err := fmt.Sscanf(log.String(), "child %d", &child); err != nil {
				t.Fatalf("no child in %q: %v", log.String(), err)
			}
			leader := s.cmd.Process.Pid
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			for _, pid := range []int{leader, child} {
				if !gone(pid) {
					t.Errorf("process %d still runs", pid)
				}
			}
		})
	}
}

func TestServerDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a parent-death signal")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(exe)
	parent.Env = []string{stubEnv + "=parent", "STUB_DIR=" + stubDir(t, "serves"), "TMPDIR=" + t.TempDir()}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "http://") {
		err = errors.New(strings.TrimSpace(line))
	}
	if err != nil {
		_ = parent.Process.Kill()
		t.Fatalf("parent did not start its server: %v", err)
	}
	address := strings.TrimPrefix(strings.TrimSpace(line), "http://")
	if c, err := net.Dial("tcp", address); err != nil {
		t.Errorf("the server was not up while its parent lived: %v", err)
	} else {
		c.Close()
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for range 100 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		c.Close()
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the server outlived its parent by 2 s")
}

func TestStartFailsWithOneLineThatSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	stale := stubDir(t, "serves")
	writeStamp(t, stale, []byte("another lock"))
	halfDone := stubDir(t, "serves")
	if err := os.Remove(filepath.Join(halfDone, "bin", "python")); err != nil {
		t.Fatal(err)
	}

	for _, tc := range []struct {
		name string
		o    Options
		as   any
		says []string
	}{
		{"not installed", Options{Dir: t.TempDir()}, new(*NotInstalledError), []string{"make localstack", "no finished installation"}},
		{"installed from another lock", Options{Dir: stale}, new(*NotInstalledError), []string{"make localstack", "another requirements.txt"}},
		{"installation lost its Python", Options{Dir: halfDone}, new(*NotInstalledError), []string{"make localstack", "bin/python"}},
		{"port taken", Options{Dir: stubDir(t, "serves"), Port: taken.Addr().(*net.TCPAddr).Port}, new(*PortTakenError), []string{"in use", "port 0"}},
		{"died early", Options{Dir: stubDir(t, "dies")}, new(*DiedError), []string{"exit status 3", "first line | ModuleNotFoundError: No module named 'cbor2'"}},
		{"never up", Options{Dir: stubDir(t, "silent"), Timeout: 300 * time.Millisecond}, new(*NotReadyError), []string{"not up at http://127.0.0.1:", "300ms", "connection refused", "printed nothing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			s, err := Start(t.Context(), tc.o)
			if err == nil {
				_ = s.Stop()
				t.Fatal("started")
			}
			if !errors.As(err, tc.as) {
				t.Errorf("error is a %T, want %T", err, tc.as)
			}
			for _, want := range tc.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			// What stays is the folder of such folders, with its lock.
			if left, _ := filepath.Glob(filepath.Join(tmp, "*", "run-*")); len(left) > 0 {
				t.Errorf("left %s in TMPDIR", left[0])
			}
			if left, _ := os.ReadDir(tmp); len(left) > 1 {
				t.Errorf("left %s and %s in TMPDIR", left[0].Name(), left[1].Name())
			}
		})
	}
}

func TestAServerThatDiesInMidRunSaysSoOnOneLine(t *testing.T) {
	s := start(t, Options{Dir: stubDir(t, "serves")})
	if err := s.Err(); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	if err := syscall.Kill(s.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	err := s.Err() // Stop after its death does not hide it
	if died := new(DiedError); !errors.As(err, &died) || died.Starting {
		t.Fatalf("got %v, want a *DiedError in mid-run", err)
	}
	if want := "localstack: LocalStack on this host died in mid-run (signal: killed): it printed nothing: what ran against it proves nothing, run it again"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if s, err := Start(ctx, Options{Dir: stubDir(t, "silent")}); !errors.Is(err, context.Canceled) {
		if s != nil {
			_ = s.Stop()
		}
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestServerSeesNothingOfTheCallersEnvironment(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("LOCALSTACK_AUTH_TOKEN", "secret")
	for _, kv := range environment("/home/x", 4566) {
		if strings.Contains(kv, "secret") {
			t.Errorf("%s reaches the server", kv)
		}
	}
}

func TestDefaultDirIsTheNearestInstallationUpwards(t *testing.T) {
	t.Setenv(DirEnv, "")
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	env := filepath.Join(root, ".build", "localstack")
	for _, dir := range []string{deep, env} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(deep)
	if got, want := DefaultDir(), filepath.Join(deep, ".build", "localstack"); got != want {
		t.Errorf("nothing installed: %s, want %s", got, want)
	}
	writeStamp(t, env, lock)
	if got := DefaultDir(); got != env {
		t.Errorf("installed above: %s, want %s", got, env)
	}
	t.Setenv(DirEnv, "/elsewhere")
	if got := DefaultDir(); got != "/elsewhere" {
		t.Errorf("named by %s: %s", DirEnv, got)
	}
}

func TestTailKeepsTheLastLines(t *testing.T) {
	var all buffer
	log := NewTail(&all)
	for i := range 30 {
		fmt.Fprintf(log, "line %d\n\n", i)
	}
	fmt.Fprint(log, "no end")
	got := log.Lines()
	if len(got) != tailLines+1 || got[0] != "line 10" || got[len(got)-1] != "no end" {
		t.Errorf("kept %q", got)
	}
	fmt.Fprint(log, strings.Repeat("x", 3*tailWidth))
	if last := log.Lines()[tailLines]; len(last) != tailWidth {
		t.Errorf("a long line is kept with %d bytes, want %d", len(last), tailWidth)
	}
	if !strings.HasPrefix(all.String(), "line 0\n\nline 1\n") {
		t.Error("not everything is passed on")
	}
}
