package blackbox

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Told to stop, a resume that is waiting ends at once, with nothing alive.
func TestAToldResumeStopsWaiting(t *testing.T) {
	g := &rogue{rng: rand.New(rand.NewPCG(1, 1)), left: 1000, fault: func(action string) string {
		if action == "RunInstances" {
			return "throttle"
		}
		return ""
	}}
	e := newEndpoint(t, func(h http.Handler) http.Handler { g.next = h; return g })
	begin := time.Now()
	r := e.sh(fmt.Sprintf("%s 'aws-hpc-[001-008]' --config=%s -o json & sleep 2; kill -TERM $!; wait $!",
		filepath.Join(bin, "aws-slurm-burst-resume"), exampleConfig))
	if r.code != 130 || r.report.ExitCode != 130 {
		t.Errorf("exit %d, the answer says %d\n%s", r.code, r.report.ExitCode, r.stderr)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if n := len(e.live()); n != 0 {
		t.Errorf("%d instances left", n)
	}
}

// A resume that is killed outright in the middle of a launch leaves what the
// next call adopts.
func TestAKilledResumeIsHealedByTheNext(t *testing.T) {
	for _, after := range []string{"0.01", "0.03", "0.05", "0.2"} {
		e := newEndpoint(t, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r)
				time.Sleep(20 * time.Millisecond)
			})
		})
		script := fmt.Sprintf("%s 'aws-hpc-[001-008]' --config=%s --execution-plan=examples/asba-execution-plan.json >/dev/null & sleep %s; kill -KILL $! 2>/dev/null; wait",
			filepath.Join(bin, "aws-slurm-burst-resume"), exampleConfig, after)
		if out, err := exec.Command("/bin/sh", "-n", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		e.sh(script)
		r := e.resume("aws-hpc-[001-008]", "--execution-plan=examples/asba-execution-plan.json")
		if n := len(e.live()); r.code != 0 || n != 8 {
			t.Errorf("killed after %s s: exit %d, %d instances\n%s", after, r.code, n, strings.Join(r.lines(), "\n"))
		}
	}
}

// Told to stop while it asks ASBA, a resume gives the question up, and launches by
// no other plan.
func TestAToldResumeStopsAsking(t *testing.T) {
	e := newEndpoint(t, nil)
	done := make(chan struct{})
	asba := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	t.Cleanup(func() { close(done); asba.Close() })
	begin := time.Now()
	r := e.sh(fmt.Sprintf("%s 'aws-cpu-[001-004]' --config=%s --asba-url=%s --asba-timeout=60s -o json & sleep 2; kill -TERM $!; wait $!",
		filepath.Join(bin, "aws-slurm-burst-resume"), exampleConfig, asba.URL))
	if r.code != 130 || !strings.Contains(r.stderr, "ERROR: stopped before the plans were known: interrupted\n") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if n := len(e.live()); n != 0 {
		t.Errorf("%d instances", n)
	}
}
