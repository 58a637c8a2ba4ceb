package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cucumber/godog"
	"golang.org/x/sys/unix"

	"aws-slurm-burst/features/site"
)

// shipped is the advisor of bin/ where a scenario has that one and not the
// stand-in: what the stand-in can be made to do, this one has to be led to.
type shipped struct {
	flags     []string
	slurmctld bool   // it has one to ask
	way       string // it was started on
	service   *site.Service
	strangers []func() // what they keep open
}

// advisedWhole is what the judges know of the shipped advisor's plans: a job is
// launched whole.
const advisedWhole = `{"mpi_configuration": {"requires_gang_scheduling": true}}`

// givenShipped: the shipped advisor, and what happens to it.
func givenShipped(sc registrar) {
	sc.Step(`^ASBA is the shipped one$`, func(ctx context.Context) error { return beShipped(ctx) })
	sc.Step(`^ASBA is the shipped one, told "([^"]+)"$`, func(ctx context.Context, flags string) error {
		return beShipped(ctx, strings.Fields(flags)...)
	})
	sc.Step(`^ASBA answers `+anyWay+`$`, start)
	sc.Step(`^slurmctld tells ASBA of job (\d+): (.+)$`, tellOfJob)
	sc.Step(`^slurmctld keeps a script of job (\d+) that says:$`, func(ctx context.Context, job string, text *godog.DocString) error {
		return in(ctx).Write("slurmctld/"+job+".script", []byte(text.Content+"\n"))
	})
	sc.Step(`^slurmctld leaves ASBA without an answer for (\d+) seconds?$`, func(ctx context.Context, n string) error {
		return slurmctld(ctx, "exec sleep "+n)
	})
	running := func(sentence string, f func(context.Context, *site.Service) error) {
		sc.Step(sentence, func(ctx context.Context) error {
			a, err := asbaOf(ctx)
			if err == nil && (a.shipped == nil || a.service == nil) {
				err = errors.New("no advisor of ours is running")
			}
			if err != nil {
				return err
			}
			in(ctx).Advice[""] = "{}" // it may be away when it is asked
			return f(ctx, a.service)
		})
	}
	running(`^ASBA is told to stop$`, func(_ context.Context, s *site.Service) error { return s.Stop() })
	running(`^ASBA is killed$`, func(_ context.Context, s *site.Service) error { return s.Kill() })
	running(`^ASBA stands still$`, func(_ context.Context, s *site.Service) error { return s.Signal(syscall.SIGSTOP) })
	running(`^ASBA stands still for a second$`, func(_ context.Context, s *site.Service) error {
		time.AfterFunc(time.Second, func() { _ = s.Signal(syscall.SIGCONT) }) // the end of the scenario does, too
		return s.Signal(syscall.SIGSTOP)
	})
	running(`^ASBA goes on$`, func(ctx context.Context, s *site.Service) error {
		in(ctx).Advice[""] = advisedWhole
		return s.Signal(syscall.SIGCONT)
	})
	running(`^ASBA is started again$`, func(ctx context.Context, _ *site.Service) error {
		a, err := asbaOf(ctx)
		if err != nil {
			return err
		}
		in(ctx).Advice[""] = advisedWhole
		a.service = nil
		return a.run(in(ctx), a.way)
	})
}

// whenShipped: what happens while the shipped advisor is asked.
func whenShipped(sc registrar) {
	sc.Step(`^Slurm resumes "([^"]+)", asking ASBA over its pipe, and ASBA is told to stop as it is asked$`, stoppedAsAsked)
}

// thenShipped: what the shipped advisor leaves behind.
func thenShipped(sc registrar) {
	sc.Step(`^"([^"]+)" is gone$`, func(ctx context.Context, name string) error {
		_, err := os.Lstat(filepath.Join(in(ctx).Dir, name))
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return errors.Join(err, fmt.Errorf("%s is there", name))
	})
}

func beShipped(ctx context.Context, flags ...string) error {
	a, err := asbaOf(ctx)
	if err != nil {
		return err
	}
	a.shipped = &shipped{flags: flags}
	in(ctx).Advice = map[string]string{"": advisedWhole}
	return nil
}

// tellOfJob has the slurmctld that the advisor asks know a job; fields are those of
// `scontrol -o show job` that matter. The executor asks none: its own says are off.
func tellOfJob(ctx context.Context, job, fields string) error {
	record := "JobId=" + job + " JobName=job" + job + " UserId=ada(1000) JobState=CONFIGURING " + fields + " Command=/home/ada/job.sbatch\n"
	return errors.Join(in(ctx).Write("slurmctld/"+job, []byte(record)), slurmctld(ctx, `
job=${4%%[_+]*}
case "$*" in
"-o show job "*) cat "slurmctld/$job" 2>/dev/null || { echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; } ;;
"write batch_script "*) job=${3%%[_+]*}; cat "slurmctld/$job.script" 2>/dev/null || { echo "job script retrieval failed: Invalid job id specified" >&2; exit 1; } ;;
*) echo "unexpected: $*" >&2; exit 64 ;;
esac`))
}

// slurmctld is a scontrol for the advisor alone, in its own configuration.
func slurmctld(ctx context.Context, does string) error {
	a, err := asbaOf(ctx)
	if err != nil {
		return err
	}
	if a.shipped == nil {
		return errors.New("it is the shipped advisor that asks slurmctld")
	}
	a.slurmctld = true
	return writeScontrol(in(ctx), strings.TrimSpace(does)+"\n")
}

// run starts the shipped advisor on a way, or says where its program is.
func (a *asba) run(w *site.Site, way string) error {
	if a.way == way && a.service != nil {
		return nil
	}
	a.way = way
	flags := a.flags
	if a.slurmctld {
		if err := w.Variant("asba.yaml", "slurm.scontrol", filepath.Join(w.Dir, "scontrol")); err != nil {
			return err
		}
		flags = append([]string{"--config=asba.yaml"}, flags...)
	}
	var err error
	switch way {
	case overPipe:
		a.at = pipeName
		a.service, err = w.Serve("asba", append([]string{"daemon", "--pipe=" + pipeName}, flags...)...)
	case overHTTP:
		old := a.at
		port := "--port=0"
		if old != "" { // who starts it again does so where it was
			port = "--port=" + old[strings.LastIndexByte(old, ':')+1:]
		}
		if a.service, err = w.Serve("asba", append([]string{"serve", port}, flags...)...); err != nil {
			return err
		}
		a.at = a.service.First
		w.Alias(a.at, "http://ASBA")
	case byCommand:
		// A site that wants more of it than the executor asks for wraps it.
		a.at = "./" + programName
		err = w.Write(programName, []byte("#!/bin/sh\nexec '"+filepath.Join(w.Bin, "asba")+"' \"$@\" "+strings.Join(flags, " ")+"\n"))
		err = errors.Join(err, os.Chmod(filepath.Join(w.Dir, programName), 0o755))
	}
	return err
}

// stoppedAsAsked has the question lie in the pipe when the advisor is told to stop.
func stoppedAsAsked(ctx context.Context, nodes string) error {
	w := in(ctx)
	a, err := asbaOf(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(start(ctx, overPipe), a.service.Signal(syscall.SIGSTOP)); err != nil {
		return err
	}
	// A reader that reads nothing sees what the other one has not read yet.
	look, err := os.OpenFile(filepath.Join(w.Dir, pipeName), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer look.Close()
	var seen bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for end := time.Now().Add(10 * time.Second); !seen && time.Now().Before(end); time.Sleep(time.Millisecond) {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(look.Fd()), Events: unix.POLLIN}}, 0)
			seen = err == nil && n > 0
		}
		_ = a.service.Signal(syscall.SIGTERM)
		_ = a.service.Signal(syscall.SIGCONT)
	}()
	err = w.Program(ctx, "aws-slurm-burst-resume", nodes, "--asba-pipe="+pipeName)
	<-done
	if err == nil && !seen {
		err = errors.New("there was no question in the pipe")
	}
	return errors.Join(err, a.service.Stop())
}
