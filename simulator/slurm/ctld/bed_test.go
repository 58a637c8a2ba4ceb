package ctld_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/ctld"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

const (
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
)

// start is when the beds' engines begin: on a whole second, as slurmctld counts.
const start = env.Time(1_000_000 * int64(time.Second))

// bed is a cluster whose ResumeProgram boots machines that register after a
// while, or never. What happens is kept as lines of "SECONDS WHAT".
type bed struct {
	t      *testing.T
	engine *simulator.Engine
	d      *ctld.Daemon
	lines  []string
	file   []byte // the last resume file
	// parts are jobs' partitions, cpus those of nodes that were resumed, as told.
	parts map[int64]string
	cpus  map[string]int
	// boot is how long a machine takes to register; negative is for ever.
	boot func(node string) time.Duration
}

// settings are two nodes of four CPUs on the premises and four cloud nodes, with
// power saving as sites have it for clouds.
func settings() conf.Settings {
	c := conf.Defaults()
	c.Nodes = []conf.Node{
		{Names: "rack[1-2]", CPUs: 4, Memory: 1000, Weight: 1},
		{Names: "aws-[1-4]", CPUs: 4, Memory: 1000, Weight: 10, Cloud: true, Addr: "10.9.9.9", Feature: []string{"efa"}},
	}
	local, cloud := conf.DefaultPartition("local"), conf.DefaultPartition("aws")
	local.Nodes, cloud.Nodes = []string{"rack[1-2]"}, []string{"aws-[1-4]"}
	c.Partitions = []conf.Partition{local, cloud}
	c.ResumeProgram, c.SuspendProgram, c.ResumeFailProgram = "/resume", "/suspend", "/fail"
	c.ResumeTimeout, c.SuspendTimeout, c.SuspendTime = 300*second, 30*second, 120*second
	c.SuspendExcParts = []string{"local"}
	c.RequeueDelay = 120 * second
	return c
}

func newBed(t *testing.T, policy sched.Policy, c conf.Settings) *bed {
	t.Helper()
	b := &bed{t: t, parts: map[int64]string{}, cpus: map[string]int{}}
	b.engine = simulator.New(simulator.Options{Start: start, MaxEvents: 1e6, OnEvent: func() {
		if err := b.d.Check(); err != nil {
			t.Fatalf("at %v: %v", b.engine.Now(), err)
		}
	}})
	b.boot = func(string) time.Duration { return 60 * second }
	d, err := ctld.New(ctld.Options{Engine: b.engine, Conf: c, Policy: policy, Programs: b, Sink: b.sink})
	if err != nil {
		t.Fatal(err)
	}
	b.d = d
	t.Cleanup(b.engine.Close)
	return b
}

func (b *bed) say(format string, args ...any) {
	at := time.Duration(b.engine.Now() - start).Seconds()
	b.lines = append(b.lines, fmt.Sprintf("%g ", at)+fmt.Sprintf(format, args...))
}

func (b *bed) sink(e record.Event) {
	what := e.Kind.String()
	switch e.Kind {
	case record.JobAllocated:
		b.parts[e.Job] = e.Partition
	case record.NodeResumed:
		b.cpus[e.Node] = e.CPUs
	}
	if e.Node != "" {
		what += " " + e.Node
	} else {
		what += fmt.Sprintf(" %d", e.Job)
		if e.Attempt > 0 {
			what += fmt.Sprintf("#%d", e.Attempt)
		}
	}
	for _, s := range []string{e.State, e.Cause, strings.Join(e.Nodes, "+")} {
		if s != "" {
			what += " " + s
		}
	}
	b.say("%s", what)
}

func (b *bed) Resume(nodes []string, file []byte) {
	b.say("resume %s", strings.Join(nodes, "+"))
	b.file = file
	for _, n := range slices.Clone(nodes) {
		if d := b.boot(n); d >= 0 {
			b.engine.After(d, func() {
				if b.d.Booting(n) {
					b.d.Register(n, "i-"+n)
				}
			})
		}
	}
}

func (b *bed) Suspend(nodes []string)    { b.say("suspend %s", strings.Join(nodes, "+")) }
func (b *bed) ResumeFail(nodes []string) { b.say("fail %s", strings.Join(nodes, "+")) }

// at does something at a second of the run.
func (b *bed) at(s float64, fn func()) {
	b.engine.At(start.Add(time.Duration(s*float64(second))), fn)
}

// submit hands a job in at a second of the run.
func (b *bed) submit(s float64, w workload.Job) {
	if w.Partition == "" {
		w.Partition = "aws"
	}
	b.at(s, func() {
		if err := b.d.Submit(w); err != nil {
			b.t.Error(err)
		}
	})
}

// scontrol is a command line at a second of the run.
func (b *bed) scontrol(s float64, line string) {
	b.at(s, func() {
		if _, err := b.d.Scontrol(context.Background(), strings.Split(line, " ")...); err != nil {
			b.t.Errorf("%s: %v", line, err)
		}
	})
}

// run runs to the end; invariants are checked after each event.
func (b *bed) run() {
	b.t.Helper()
	if err := b.engine.Run(); err != nil {
		b.t.Fatal(err)
	}
}

// until runs to a second of the run.
func (b *bed) until(s float64) {
	b.t.Helper()
	if err := b.engine.RunUntil(start.Add(time.Duration(s * float64(second)))); err != nil {
		b.t.Fatal(err)
	}
}

// want compares the lines that hold one of the words with what is expected, one
// a line.
func (b *bed) want(text string, words ...string) {
	b.t.Helper()
	var got []string
	for _, l := range b.lines {
		if len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(l+" ", w) }) {
			got = append(got, l)
		}
	}
	var want []string
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			want = append(want, l)
		}
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func (b *bed) state(node string) string { return b.d.State(node) }
