package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/slurm"
)

var _ slurm.Runner = Scontrol{}

func TestScontrolGetsItsArgumentsAndNothingElse(t *testing.T) {
	t.Setenv("SECRET", "ours")
	s := Scontrol{Path: script(t, `echo "$#:$1:$2:$SLURM_CONF:$SECRET:$LC_ALL"; cat`), Conf: "/etc/slurm/x.conf"}
	out, err := s.Scontrol(t.Context(), "show", "node a b;c")
	if err != nil || string(out) != "2:show:node a b;c:/etc/slurm/x.conf::C\n" {
		t.Errorf("%q %v", out, err)
	}
}

func TestWhyScontrolFailed(t *testing.T) {
	s := Scontrol{Path: script(t, `echo partly; echo "slurm_update error: Invalid node name specified" >&2; exit 1`)}
	out, err := s.Scontrol(t.Context())
	var exit *exec.ExitError
	if string(out) != "partly\n" || !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(err.Error(), "Invalid node name specified") {
		t.Errorf("%q %v", out, err)
	}
	_, err = Scontrol{Path: filepath.Join(t.TempDir(), "scontrol")}.Scontrol(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is Slurm installed?") {
		t.Error(err)
	}
}

func TestAHangingScontrolIsEndedWithAllItsProcesses(t *testing.T) {
	dir := t.TempDir()
	s := Scontrol{Path: script(t, `(sleep 1.5; touch `+dir+`/survived) & echo begun; wait`)}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	out, err := s.Scontrol(ctx)
	if err != context.DeadlineExceeded || string(out) != "begun\n" || time.Since(start) > 1400*time.Millisecond {
		t.Errorf("%q %v after %v", out, err, time.Since(start))
	}
	time.Sleep(2*time.Second - time.Since(start))
	if _, err := os.Stat(dir + "/survived"); err == nil {
		t.Error("a child of scontrol lived on")
	}
}

func TestOutputIsLimited(t *testing.T) {
	s := Scontrol{Path: script(t, `head -c 67108865 /dev/zero`)}
	if out, err := s.Scontrol(t.Context()); err == nil || !strings.Contains(err.Error(), "printed more than 67108864 bytes") {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	l := limited{left: 5}
	for _, s := range []string{"abc", "de", "", "fg"} {
		if n, err := l.Write([]byte(s)); n != len(s) || err != nil {
			t.Error(n, err)
		}
		if l.cut != (s == "fg") {
			t.Errorf("cut at %q: %v", s, l.cut)
		}
	}
	if l.String() != "abcde" {
		t.Error(l.String())
	}
}
