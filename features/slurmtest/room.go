package slurmtest

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/localstack/scratch"
)

// Room is what the slurmctlds of a run share: a folder, and munge, without which
// none of them listens to anybody.
type Room struct {
	Dir     string
	Outside string // by which process id the machine outside knows us

	files *scratch.Dir
	munge *Daemon
}

// Open furnishes the namespaces that this process is the first one of, and
// starts munge.
func Open() (*Room, error) {
	r := &Room{}
	var err error
	if r.Outside, err = Furnish(); err != nil {
		return nil, err
	}
	if r.files, err = NewRunDir(); err != nil {
		return nil, err
	}
	r.Dir = r.files.Path
	return r, r.startMunge()
}

func (r *Room) startMunge() error {
	key := make([]byte, 1024)
	_, _ = rand.Read(key) // it never fails
	if err := os.WriteFile(filepath.Join(r.Dir, "munge.key"), key, 0o400); err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(r.Dir, name) }
	var err error
	// --force: the folder above is everybody's, as /tmp is.
	r.munge, err = StartDaemon(in("munged.out"), nil, "munged", "--foreground", "--force",
		"--socket", r.Socket(), "--key-file", in("munge.key"), "--pid-file", in("munged.pid"), "--log-file", in("munged.log"), "--seed-file", in("munged.seed"))
	if err != nil {
		return err
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(r.Socket()); err == nil {
			return nil
		}
		if r.munge.Ended() || time.Now().After(end) {
			return fmt.Errorf("munged does not come up:\n%s", Tail(in("munged.out"), 10))
		}
	}
}

// Socket is munge's, for AuthInfo in slurm.conf.
func (r *Room) Socket() string { return filepath.Join(r.Dir, "munge.socket") }

// Close ends what Open started. The files go too, unless they are wanted.
func (r *Room) Close(keepFiles bool) {
	r.munge.Stop(syscall.SIGTERM, 5*time.Second)
	if !keepFiles {
		_ = r.files.Remove()
	}
}

// unavailable is why this machine runs no such test.
var unavailable error

// Main runs tests within namespaces of their own, where this machine can. open
// is called in there before the tests; what it returns is called after them. It
// returns the exit code.
func Main(m *testing.M, open func() (close func(failed bool), err error)) int {
	if unavailable = Missing(); unavailable != nil {
		return m.Run()
	}
	if !Inside() {
		code, err := Enter()
		if err != nil {
			unavailable = err
			code = m.Run()
		}
		return code
	}
	shut, err := open()
	if err != nil {
		fmt.Fprintln(os.Stderr, "slurmtest:", err)
		return 1
	}
	code := m.Run()
	shut(code != 0)
	return code
}

// MainOn is Main for tests that share one slurmctld, kept in *c. files are those of
// its folder by their names, "slurm.conf" among them, and may be programs; @HOST,
// @DIR and @SOCKET in them stand for this machine, that folder and the room's
// munged. Once slurmctld answers, ready is called, unless it is nil.
func MainOn(m *testing.M, c **Controller, name string, files map[string]string, ready func(dir string) error) int {
	return Main(m, func() (func(failed bool), error) {
		room, err := Open()
		if err != nil {
			return nil, err
		}
		host, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		dir := filepath.Join(room.Dir, name)
		if err := os.MkdirAll(filepath.Join(dir, "state"), 0o755); err != nil {
			return nil, err
		}
		names := strings.NewReplacer("@HOST", host, "@DIR", dir, "@SOCKET", room.Socket())
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(names.Replace(text)), 0o755); err != nil {
				return nil, err
			}
		}
		*c = &Controller{Dir: dir, Conf: filepath.Join(dir, "slurm.conf")}
		if err = (*c).Start(); err == nil && ready != nil {
			err = ready(dir)
		}
		return func(failed bool) {
			(*c).Stop(syscall.SIGTERM, 15*time.Second)
			room.Close(failed)
		}, err
	})
}

// NeedLua is Need for a slurmctld that runs a job_submit.lua.
func NeedLua(t testing.TB) {
	t.Helper()
	Need(t)
	if found, _ := filepath.Glob("/usr/lib*/*/slurm*/job_submit_lua.so"); len(found) > 0 {
		return
	}
	if found, _ := filepath.Glob("/usr/lib*/slurm*/job_submit_lua.so"); len(found) > 0 {
		return
	}
	const why = "slurmctld has no job_submit/lua (as root: apt-get install --no-install-recommends slurm-wlm-basic-plugins)"
	if os.Getenv("ASBA_REQUIRE_SLURM") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Need leaves a test out where this machine cannot run it, or fails it where
// Slurm is required (ASBA_REQUIRE_SLURM=1).
func Need(t testing.TB) {
	t.Helper()
	switch {
	case unavailable == nil:
	case os.Getenv("ASBA_REQUIRE_SLURM") == "1":
		t.Fatal(unavailable)
	default:
		t.Skip(unavailable)
	}
}
