package blackbox

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// advisorProcess is asba serve or asba daemon, ended with the test.
type advisorProcess struct {
	*exec.Cmd
	first string // line of stdout
}

func startAdvisor(t *testing.T, args ...string) *advisorProcess {
	t.Helper()
	p := &advisorProcess{Cmd: exec.Command(filepath.Join(bin, "asba"), args...)}
	p.Env = []string{"XDG_STATE_HOME=" + t.TempDir()}
	out, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	p.first = strings.TrimSpace(line)
	return p
}

// stopped tells the process to end, and returns its exit code.
func (p *advisorProcess) stopped(t *testing.T) int {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	defer late.Stop()
	err := p.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// What Slurm's program asks for is what asba's own server and daemon say.
func TestAResumeLaunchesWhatTheRunningAdvisorSays(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	config := advisorSite(t)
	serve := startAdvisor(t, "serve", "--port", "0", "--config", config)
	pipe := filepath.Join(dir, "pipe")
	killed := startAdvisor(t, "daemon", "--pipe", pipe, "--config", config)
	// One that is killed outright leaves its pipe, which the next one takes.
	_ = killed.Process.Kill()
	_ = killed.Wait()
	if _, err := os.Lstat(pipe); err != nil {
		t.Fatal(err)
	}
	daemon := startAdvisor(t, "daemon", "--pipe", pipe, "--config", config, "--log-level=debug")
	for _, way := range []string{"--asba-url=" + serve.first, "--asba-pipe=" + daemon.first} {
		e := newEndpoint(t, nil)
		r := e.resume("aws-hpc-[001-004]", way)
		if r.code != 0 || r.report.Plan.Outcome != "used" || strings.Contains(r.stderr, "WARN") {
			t.Errorf("%s: exit %d, plan %+v\n%s", way, r.code, r.report.Plan, r.stderr)
		}
		live := e.live()
		if len(live) != 4 || strings.HasPrefix(live[0].Type, "c5n.") { // the configuration's own
			t.Errorf("%s: %+v", way, live)
		}
	}
	if code := serve.stopped(t); code != 0 {
		t.Errorf("serve: exit %d", code)
	}
	if code := daemon.stopped(t); code != 0 {
		t.Errorf("daemon: exit %d", code)
	}
	// Then nobody is there, which the program says and goes on without.
	for _, way := range []string{"--asba-url=" + serve.first, "--asba-pipe=" + daemon.first} {
		e := newEndpoint(t, nil)
		r := e.resume("aws-hpc-[001-004]", way)
		if r.code != 0 || !strings.Contains(r.stderr, "ASBA not reachable") || len(e.live()) != 4 {
			t.Errorf("%s: exit %d\n%s", way, r.code, r.stderr)
		}
	}
}
