package blackbox

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// simulate runs `aws-slurm-burst simulate run` in a folder.
func simulate(t testing.TB, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), append([]string{"simulate", "run"}, args...)...)
	c.Dir = dir
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// log is a trace of so many jobs of a minute each, handed in a minute apart.
func log(jobs int) string {
	var b strings.Builder
	b.WriteString("; Version: 2.2\n")
	for i := range jobs {
		fmt.Fprintf(&b, "%d %d -1 90 1 -1 -1 1 120 -1 1 %d 1 -1 -1 -1 -1 -1\n", i+1, 60*i, i%3)
	}
	return b.String()
}

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func inFolder(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// The same seed and trace give the same figures but for the time they took, and
// the same files.
func TestASimulationIsTheSameEachTime(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "t.swf", log(1000))
	run := func(procs string) (map[string]any, []byte) {
		c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), "simulate", "run", "--trace=t.swf", "--procs=1", "--events=e.jsonl", "-o", "json")
		c.Dir, c.Env = dir, append(os.Environ(), "GOMAXPROCS="+procs)
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		var figures map[string]any
		if err := json.Unmarshal(out, &figures); err != nil {
			t.Fatal(err)
		}
		delete(figures, "wall_s")
		events, err := os.ReadFile(filepath.Join(dir, "e.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return figures, events
	}
	a, events := run("1")
	b, again := run("2")
	if fmt.Sprint(a) != fmt.Sprint(b) || !bytes.Equal(events, again) {
		t.Errorf("two runs differ:\n%v\n%v", a, b)
	}
	// Jobs of 90 s come each minute to one processor: job n waits 30 n seconds.
	if a["jobs"] != 1000.0 || a["mean_wait_s"] != 30*999/2. || a["utilisation"] != 1.0 || a["makespan_s"] != 90_000.0 {
		t.Errorf("%v", a)
	}
}

func TestABadTraceIsOneLineAndExit2(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(log(5000))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(log(10), "\n")
	for name, text := range map[string]string{
		"cut.swf":      log(10)[:300],
		"cut.swf.gz":   packed.String()[:packed.Len()/2],
		"columns.swf":  log(5) + "6 300 -1 90\n",
		"unsorted.swf": lines[0] + lines[3] + lines[1],
		"empty.swf":    "",
		"header.swf":   "; Version: 2.2\n",
		"text.swf":     "#!/bin/sh\necho hello\n",
		"binary.swf":   "\x7fELF\x00\x01\x02\n",
	} {
		put(t, dir, name, text)
		code, out, errs := simulate(t, dir, "--trace="+name, "--procs=1", "--jobs-csv=jobs.csv")
		if code != 2 || out != "" || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "ERROR: "+name+":") {
			t.Errorf("%s: exit %d, %q%q", name, code, out, errs)
		}
		if slices.Contains(inFolder(t, dir), "jobs.csv") {
			t.Fatalf("%s: jobs.csv was written", name)
		}
	}
	if code, out, errs := simulate(t, dir, "--trace=unsorted.swf", "--procs=1", "--lenient"); code != 0 || errs != "" || !strings.Contains(out, "1 unsorted") {
		t.Errorf("lenient: exit %d, %s%s", code, out, errs)
	}
}

// A log without end, told to stop: at once, with nothing left behind.
func TestAToldSimulationStops(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "s.yaml", "workload: {trace: pipe.swf}\n"+
		"cluster: {processors: 4, scheduler: fifo}\nrun: {events: e.jsonl, swf: out.swf}\n")
	pipe := filepath.Join(dir, "pipe.swf")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), "simulate", "run", "s.yaml")
	var errs bytes.Buffer
	c.Dir, c.Stderr = dir, &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	begun := make(chan error, 1)
	go func() {
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // when it reads
		if err != nil {
			begun <- err
			return
		}
		defer func() { _ = w.Close() }()
		for i := 0; err == nil; i++ {
			if i == 10_000 {
				begun <- nil
			}
			_, err = fmt.Fprintf(w, "%d %d -1 10 1 -1 -1 1 20 -1 1 1 1 -1 -1 -1 -1 -1\n", i+1, 10*i)
		}
	}()
	select {
	case err := <-begun:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		_ = c.Process.Kill()
		t.Fatalf("it does not begin: %s", errs.String())
	}
	begin := time.Now()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if code := c.ProcessState.ExitCode(); code != 130 || !strings.HasPrefix(errs.String(), "ERROR: interrupted after ") || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("exit %d, %q", code, errs.String())
	}
	if got := inFolder(t, dir); !slices.Equal(got, []string{"pipe.swf", "s.yaml"}) {
		t.Errorf("there is %v", got)
	}
}

func TestASimulationThatWaitsForItsLogStopsToo(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.swf")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"nobody", "somebody who writes nothing"} {
		c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), "simulate", "run", "--trace=pipe.swf", "--procs=1", "--events=e.jsonl")
		var errs bytes.Buffer
		c.Dir, c.Stderr = dir, &errs
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if who == "nobody" {
			time.Sleep(300 * time.Millisecond) // until it waits, mostly
		} else if w, err := os.OpenFile(pipe, os.O_WRONLY, 0); err != nil { // when it reads
			t.Fatal(err)
		} else {
			defer func() { _ = w.Close() }()
		}
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		late.Stop()
		if code := c.ProcessState.ExitCode(); code != 130 || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: exit %d, %q", who, code, errs.String())
		}
	}
}

func TestFiguresThatCannotBeWrittenAreAFailure(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = full.Close() }()
	dir := t.TempDir()
	put(t, dir, "t.swf", log(3))
	c := exec.Command(filepath.Join(bin, "aws-slurm-burst"), "simulate", "run", "--trace=t.swf", "--procs=1")
	var errs bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = dir, full, &errs
	_ = c.Run()
	if code := c.ProcessState.ExitCode(); code != 1 || !strings.Contains(errs.String(), "no space left on device") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
}

// figures are what tests of scenarios look at.
type figures struct {
	Jobs, Unfinished, Held, Requeues, Instances, Interruptions int
	Wait                                                       float64                                            `json:"mean_wait_s"`
	Cost                                                       *float64                                           `json:"cost_usd"`
	TraceHash                                                  string                                             `json:"trace_hash"`
	NodeHours                                                  struct{ Useful, Boot, Idle, Orphan, Lost float64 } `json:"node_hours"`
	Gangs                                                      struct{ Asked, Whole int }
	Errors                                                     map[string]map[string]int `json:"api_errors"`
	Depth                                                      struct{ Max int }         `json:"fallback_depth"`
	Peaks                                                      struct {
		Quotas []struct {
			Market string
			VCPUs  int
		}
	}
	Saved struct {
		Alone float64 `json:"alone_mean_wait_s"`
		Hours float64
	}
	Assumed []string
}

func scenarioOf(t *testing.T, name string, more ...string) figures {
	t.Helper()
	code, out, errs := simulate(t, filepath.Join(repo, "examples/scenarios"), append([]string{name + ".yaml", "-o", "json"}, more...)...)
	var f figures
	if err := json.Unmarshal([]byte(out), &f); code != 0 || strings.Contains(errs, "ERROR") || err != nil {
		t.Fatalf("exit %d, %v\n%s%s", code, err, errs, out)
	}
	return f
}

// Each scenario that is shipped shows what its first lines say.
func TestScenariosShowWhatTheySay(t *testing.T) {
	for name, shows := range map[string]func(t *testing.T, f figures) bool{
		"premises": func(_ *testing.T, f figures) bool { return f.Jobs > 3000 && f.Wait > 60 && f.Cost == nil },
		"slurm-defaults": func(_ *testing.T, f figures) bool {
			return f.Held == 10 && f.Requeues == 21*f.Held && f.NodeHours.Boot > 10*f.NodeHours.Useful && *f.Cost > 1 && *f.Cost < 25
		},
		"scarce-spot": func(_ *testing.T, f figures) bool {
			return f.Interruptions > 10 && f.NodeHours.Lost > 1 && f.Depth.Max > 1 && f.Gangs.Whole < f.Gangs.Asked &&
				f.Errors["RunInstances"]["InsufficientInstanceCapacity"] > 10 && len(f.Assumed) > 0
		},
		"quota": func(_ *testing.T, f figures) bool {
			for _, q := range f.Peaks.Quotas {
				if q.VCPUs > 100 {
					return false
				}
			}
			return f.Errors["RunInstances"]["VcpuLimitExceeded"] > 10 && f.Gangs.Whole == 0 && f.Gangs.Asked > 0 && f.NodeHours.Orphan < 0.01
		},
		"recorded-market": func(_ *testing.T, f figures) bool {
			for _, a := range f.Assumed { // of pools that are recorded, or always there, nothing is
				if strings.HasPrefix(a, "supply") && !strings.HasPrefix(a, "supply 10-15%") && !strings.HasPrefix(a, "supply <5%") {
					return false
				}
			}
			return f.Jobs > 200 && f.Interruptions > 5 && f.Errors["RunInstances"]["InsufficientInstanceCapacity"] > 5 && f.Depth.Max > 0
		},
		"bad-plans": func(_ *testing.T, f figures) bool {
			return f.Jobs > 400 && f.Held > 0 && f.Held < 100 && f.NodeHours.Useful > 100
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if f := scenarioOf(t, name); !shows(t, f) {
				t.Errorf("%+v", f)
			}
		})
	}
	t.Run("burst", func(t *testing.T) {
		t.Parallel()
		f := scenarioOf(t, "burst", "--premises-alone")
		if f.Jobs < 3000 || f.Wait > f.Saved.Alone/2 || f.Saved.Hours < 100 || *f.Cost < 10 || f.Instances < 100 || f.NodeHours.Useful < 100 {
			t.Errorf("%+v", f)
		}
		if again := scenarioOf(t, "burst"); again.TraceHash != f.TraceHash || *again.Cost != *f.Cost {
			t.Errorf("hash %s at %v USD, and again %s at %v", f.TraceHash, *f.Cost, again.TraceHash, *again.Cost)
		}
		if other := scenarioOf(t, "burst", "--seed=2"); other.TraceHash == f.TraceHash {
			t.Error("another seed gives the same run")
		}
	})
}
