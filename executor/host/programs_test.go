package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aws-slurm-burst/executor/plansource"
)

func TestTheAdvisorGetsItsArgumentsAndLittleElse(t *testing.T) {
	t.Setenv("SECRET", "ours")
	path := script(t, `echo "$#:$1:$2:$SLURM_CONF:$AWS_REGION:$SECRET:$LC_ALL:$HOME"; cat; echo noise >&2`)
	p := Programs{Path: "bin:" + filepath.Dir(path) + ":.", SlurmConf: "/etc/slurm/x.conf", Region: "eu-west-1"}
	for _, name := range []string{path, filepath.Base(path)} {
		out, err := p.Run(t.Context(), name, []string{"analyze", "a b;c"}, 1000)
		if err != nil || string(out) != "2:analyze:a b;c:/etc/slurm/x.conf:eu-west-1::C:\n" {
			t.Errorf("%q %v", out, err)
		}
	}
	if got := p.path(); got != filepath.Dir(path) {
		t.Errorf("PATH %q", got)
	}
	if got := (Programs{}).path(); got != usualPath {
		t.Errorf("without PATH: %q", got)
	}
}

func TestWhyTheAdvisorFailed(t *testing.T) {
	for text, want := range map[string]string{
		`echo half; echo first >&2; printf 'no job 7\033[31m\n' >&2; exit 3`: "exit status 3: no job 7 [31m",
		`exit 1`:     "exit status 1",
		`kill -9 $$`: "signal: killed",
	} {
		out, err := Programs{}.Run(t.Context(), script(t, text), nil, 1000)
		var failed *plansource.Failed
		if out != nil || !errors.As(err, &failed) || failed.Error() != want {
			t.Errorf("%s: %q %v", text, out, err)
		}
	}
	for _, name := range []string{"no-such-program", filepath.Join(t.TempDir(), "asba")} {
		if _, err := (Programs{}).Run(t.Context(), name, nil, 1); !errors.Is(err, plansource.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Programs{}).Run(t.Context(), script(t, `printf 12345`), nil, 4); !errors.Is(err, plansource.ErrTooLarge) {
		t.Error(err)
	}
	if out, err := (Programs{}).Run(t.Context(), script(t, `printf 1234`), nil, 4); err != nil || string(out) != "1234" {
		t.Error(out, err)
	}
}

func TestAHangingAdvisorIsEndedWithAllItsProcesses(t *testing.T) {
	dir := t.TempDir()
	path := script(t, `(sleep 1.5; touch `+dir+`/survived) & echo begun; wait`)
	start := time.Now()
	out, err := Programs{}.Run(soon(t, 400*time.Millisecond), path, nil, 1000)
	if err != context.DeadlineExceeded || out != nil || time.Since(start) > 1400*time.Millisecond {
		t.Errorf("%q %v after %v", out, err, time.Since(start))
	}
	time.Sleep(2*time.Second - time.Since(start))
	if _, err := os.Stat(dir + "/survived"); err == nil {
		t.Error("a child of the advisor lived on")
	}
}

// Who still has the output open may not have said all.
func TestWhatTheAdvisorLeavesBehindIsEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := script(t, `(sleep 3; touch `+dir+`/survived) & printf '{}'`)
	start := time.Now()
	if out, err := (Programs{}).Run(soon(t, 10*time.Second), path, nil, 1000); !errors.Is(err, plansource.ErrCut) || time.Since(start) > 2500*time.Millisecond {
		t.Errorf("%q %v after %v", out, err, time.Since(start))
	}
	time.Sleep(3500*time.Millisecond - time.Since(start))
	if _, err := os.Stat(dir + "/survived"); err == nil {
		t.Error("a child of the advisor lived on")
	}
}
