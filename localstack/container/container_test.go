package container

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/localstack"
)

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "asba")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestStartRunsAContainerAndStopRemovesIt(t *testing.T) {
	s := (&stub{image: localstack.LockDigest(), serves: healthy(), logs: "Ready.\n"}).start(t)
	c, err := Start(t.Context(), localstack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := s.server.URL; c.URL() != want {
		t.Errorf("URL %s, want %s", c.URL(), want)
	}
	labels, _ := s.created["Labels"].(map[string]any)
	if o, ok := parseOwner(labels[ownerLabel].(string)); labels[ourLabel] != ourValue || !ok || o.pid != os.Getpid() {
		t.Errorf("labels %v do not say that it is this process's", labels)
	}
	host, _ := s.created["HostConfig"].(map[string]any)
	bound, _ := host["PortBindings"].(map[string]any)[gateway].([]any)
	if len(bound) != 1 || bound[0].(map[string]any)["HostIp"] != "127.0.0.1" {
		t.Errorf("published as %v, want 127.0.0.1 alone", bound)
	}
	if err := c.Err(); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	for range 2 { // the second Stop does nothing
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	}
	<-c.Done()
	if err := c.Err(); err != nil {
		t.Errorf("after Stop: %v", err)
	}
	if len(s.removed) != 1 || s.removed[0] != stubID {
		t.Errorf("removed %v, want the container, once", s.removed)
	}
	if n := s.calls("POST /images/create"); n > 0 {
		t.Errorf("%d images were pulled", n)
	}
}

func TestAContainerThatDiesInMidRunSaysSoOnOneLine(t *testing.T) {
	s := (&stub{serves: healthy(), logs: "first\nKilled\n"}).start(t)
	c, err := Start(t.Context(), localstack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.end(137)
	<-c.Done()
	want := "localstack: LocalStack in a container died in mid-run (exit status 137): its last lines: first | Killed: " +
		"what ran against it proves nothing, run it again"
	if err := c.Err(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if len(s.removed) != 1 {
		t.Errorf("removed %v, want the dead container", s.removed)
	}
}

func TestStartFailsWithOneLineThatSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	silent := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })

	for _, tc := range []struct {
		name    string
		s       *stub
		o       localstack.Options
		exits   bool // the container ends at once
		as      any
		missing bool
		says    []string
	}{
		{name: "no image", s: &stub{image: "none"}, as: new(*ImageError), missing: true,
			says: []string{Image, "not on this machine", "make localstack-image"}},
		{name: "image of another lock", s: &stub{image: "0000"}, as: new(*ImageError), missing: true,
			says: []string{"another requirements.txt", "make localstack-image"}},
		{name: "port taken", s: &stub{}, o: localstack.Options{Port: taken.Addr().(*net.TCPAddr).Port}, as: new(*localstack.PortTakenError),
			says: []string{"in use", "port 0"}},
		{name: "an engine that makes no container", s: &stub{fails: map[string]string{"POST /containers/create": "no space left\non device"}},
			as: new(*StartError), says: []string{"no space left on device", "engine's log"}},
		{name: "an engine that starts no container", s: &stub{fails: map[string]string{"POST /containers/" + stubID + "/start": "cgroups: no such file"}},
			as: new(*StartError), says: []string{"cgroups: no such file"}},
		{name: "an engine that lists no container", s: &stub{fails: map[string]string{"GET /containers/json": "broken"}},
			as: new(*EngineError), missing: true, says: []string{"left containers", "broken"}},
		{name: "image that does not start", s: &stub{logs: "ModuleNotFoundError: No module named 'cbor2'\n"}, exits: true,
			as: new(*localstack.DiedError), says: []string{"died while starting (exit status 3)", "No module named 'cbor2'", "make localstack-image"}},
		{name: "EC2 that never answers", s: &stub{serves: silent}, o: localstack.Options{Timeout: 300 * time.Millisecond},
			as: new(*localstack.NotReadyError), says: []string{"not up at http://127.0.0.1:", "300ms", "HTTP status 502"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := tc.s.start(t)
			if tc.exits {
				s.end(3)
			}
			c, err := Start(t.Context(), tc.o)
			if err == nil {
				_ = c.Stop()
				t.Fatal("started")
			}
			if !errors.As(err, tc.as) {
				t.Errorf("error is a %T, want %T", err, tc.as)
			}
			if localstack.Missing(err) != tc.missing {
				t.Errorf("told as missing: %v", !tc.missing)
			}
			for _, want := range tc.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			if s.created != nil && len(s.removed) == 0 {
				t.Error("the container is left behind")
			}
			if n := s.calls("POST /images/create"); n > 0 {
				t.Errorf("%d images were pulled", n)
			}
		})
	}
}

func TestStartEndsWithItsContextAndLeavesNothing(t *testing.T) {
	silent := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	s := (&stub{serves: silent}).start(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if c, err := Start(ctx, localstack.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, want context.Canceled", c, err)
	}
	if len(s.removed) != 1 {
		t.Errorf("removed %v, want the container", s.removed)
	}
}

// An engine that answers the ping and then hangs is no reason to wait for ever,
// nor to go without the rungs below.
func TestAnEngineThatHangsAfterThePingIsPassedOver(t *testing.T) {
	old := lookWithin
	t.Cleanup(func() { lookWithin = old })
	for _, tc := range []struct{ call, says string }{
		{"GET /containers/json", "looking for left containers: no answer within 300ms: restart it"},
		{"GET /images/" + Image + "/json", "image " + Image + ": no answer within 300ms: restart it"},
	} {
		t.Run(tc.call, func(t *testing.T) {
			s := (&stub{hangs: []string{tc.call}}).start(t)
			lookWithin = 300 * time.Millisecond
			want := localstack.Want{Rungs: []localstack.Kind{localstack.Container, localstack.Embedded}, Container: Rung,
				Embedded: func(context.Context) (string, func() error, error) { return "http://127.0.0.1:1", nil, nil }}
			bounded, stop := context.WithTimeout(t.Context(), 10*time.Second)
			defer stop()
			b, err := localstack.Find(bounded, want)
			if err != nil {
				t.Fatal(err)
			}
			if reason := "Docker engine at " + s.dockerHost + ": " + tc.says; b.Kind != localstack.Embedded || !strings.Contains(b.Reason(), reason) {
				t.Errorf("%s: does not say %q", b, reason)
			}

			lookWithin = time.Minute // what ends it is the interrupt
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			if c, err := Start(ctx, localstack.Options{}); !errors.Is(err, context.Canceled) {
				t.Errorf("interrupted: got %v, %v, want context.Canceled", c, err)
			}
		})
	}
}

func TestNoImageIsPulledWhateverTestcontainersIsToldTo(t *testing.T) {
	s := (&stub{image: "none"}).start(t)
	api, err := engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &Container{log: localstack.NewTail(nil), done: make(chan struct{})}
	err = c.run(t.Context(), api, 0, spec{image: Image})
	if wrong := new(StartError); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "no image is pulled") {
		t.Errorf("got %v", err)
	}
	if n := s.calls("POST /images/create"); n > 0 {
		t.Errorf("the engine was asked for %d images of a registry", n)
	}
}

func TestEngineIsProbedWithinTwoSecondsAndNeverPanics(t *testing.T) {
	dir := shortDir(t)
	deaf, err := net.Listen("unix", filepath.Join(dir, "deaf.sock")) // accepts, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	stale := filepath.Join(dir, "stale.sock") // the file is there, nobody listens
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()

	for _, tc := range []struct{ name, host, says string }{
		{"no socket", "unix://" + filepath.Join(dir, "none.sock"), "start it, or unset DOCKER_HOST"},
		{"an engine that ended", "unix://" + stale, "start it, or unset DOCKER_HOST"},
		{"an engine that hangs", "unix://" + deaf.Addr().String(), "no answer within 2s"},
		{"another machine's", "tcp://10.1.2.3:2375", "not an engine of this machine"},
		{"by ssh", "ssh://root@example.com", "not an engine of this machine"},
		{"nonsense", "docker", "not an engine of this machine"},
		{"nobody on loopback", "tcp://127.0.0.1:1", "unset DOCKER_HOST"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", tc.host)
			begin := time.Now()
			c, err := Start(t.Context(), localstack.Options{})
			wrong := new(EngineError)
			if !errors.As(err, &wrong) || !localstack.Missing(err) {
				t.Fatalf("got %v, %v; want an *EngineError", c, err)
			}
			if !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), tc.host) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is not one line with %q and %q", err, tc.says, tc.host)
			}
			if took := time.Since(begin); took > engineWithin+time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestAMachineWithoutAnEngineIsToldHowToGetOne(t *testing.T) {
	dir := t.TempDir()
	daemon := filepath.Join(dir, "dockerd")
	if err := noSocket(daemon); !strings.Contains(err.Error(), "none on this machine: `apt-get install docker.io`") {
		t.Errorf("without a daemon: %v", err)
	}
	if err := os.WriteFile(daemon, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := noSocket(daemon); !strings.Contains(err.Error(), "not running: `service docker start`") {
		t.Errorf("with a daemon: %v", err)
	}
}
