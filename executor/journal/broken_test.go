package journal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/simulator"
)

var errIO = errors.New("input/output error")

// broken is a store on a disk that fails: of what begins with these words, nothing is
// listed, read or removed.
type broken struct {
	journal.Store
	list, read, remove string
}

func fails(name, prefix string) bool { return prefix != "" && strings.HasPrefix(name, prefix) }

func (b *broken) List(folder string) ([]string, error) {
	if fails(folder, b.list) {
		return nil, errIO
	}
	return b.Store.List(folder)
}

func (b *broken) Read(name string) ([]byte, error) {
	if fails(name, b.read) {
		return nil, errIO
	}
	return b.Store.Read(name)
}

func (b *broken) Remove(name string) error {
	if fails(name, b.remove) {
		return errIO
	}
	return b.Store.Remove(name)
}

// filled writes a record of each kind, a second ago.
func filled(t *testing.T, j *journal.Journal, e env.Env) {
	t.Helper()
	for _, token := range []string{"t1", "t2"} {
		l, err := j.Open(aLaunch(token))
		must(t, err)
		if token == "t2" {
			must(t, j.Close(l, journal.Failed, "X"))
		}
	}
	_, err := j.Begin(journal.Call{Nonce: "a", Nodes: "n1"})
	must(t, err)
	_, _, err = j.Failed("7", 1, "X")
	must(t, err)
	must(t, j.Owe(journal.Push{ID: "x"}))
	must(t, j.AddGroup("g"))
	must(t, j.Bury([]string{"n1"}))
	must(t, e.Sleep(context.Background(), time.Second))
	must(t, j.Bury([]string{"n2"}))
}

// A folder that is not readable is not an empty one: who took it for one would launch
// again what lives.
func TestAFolderThatCannotBeListedIsAnError(t *testing.T) {
	d := simulator.NewDisk()
	lines := run(t, d, func(j *journal.Journal, e env.Env) {
		filled(t, j, e)
		s := &broken{Store: d.For(e)}
		mine := journal.New(e, s, "http://ec2")
		for _, c := range []struct {
			folder string
			do     func() error
		}{
			{"launches", func() error { _, err := mine.Launches(); return err }},
			{"launches", func() error { _, err := mine.LaunchesOf([]string{"n1"}); return err }},
			{"history", func() error { _, err := mine.History(); return err }},
			{"calls", func() error { _, err := mine.Calls(); return err }},
			{"pushes", func() error { _, err := mine.Owed(); return err }},
			{"groups", func() error { _, err := mine.Groups(); return err }},
			{"suspends", func() error { _, err := mine.Tombstones(); return err }},
			{"suspends", func() error { return mine.Compact(0) }},
			{"history", func() error { return mine.Prune(e.Now()) }},
			{"calls", func() error { return mine.Prune(e.Now()) }},
			{"failures", func() error { return mine.Prune(e.Now()) }},
		} {
			s.list = c.folder
			if err := c.do(); !errors.Is(err, errIO) || !strings.HasPrefix(err.Error(), "journal "+c.folder+" not readable") {
				t.Errorf("%s: %v", c.folder, err)
			}
		}
		s.list = "calls"
		if c, ok := mine.CallOf("a"); ok {
			t.Errorf("%+v", c)
		}
		for c := range mine.Latest() {
			t.Errorf("%+v", c)
		}
	})
	if want := []string{"WARN: journal calls not readable: input/output error"}; !slices.Equal(lines, want) {
		t.Errorf("lines %q, want %q", lines, want)
	}
}

func TestWhatCannotBeRemovedIsAnError(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		filled(t, j, e)
		s := &broken{Store: d.For(e)}
		mine := journal.New(e, s, "http://ec2")
		launches, err := mine.Launches()
		must(t, err)
		for _, c := range []struct {
			folder string
			do     func() error
		}{
			{"history", func() error { return mine.Prune(e.Now()) }},
			{"calls", func() error { return mine.Prune(e.Now()) }},
			{"failures", func() error { return mine.Prune(e.Now()) }},
			{"pushes", func() error { return mine.Paid(journal.Push{ID: "x"}) }},
			{"groups", func() error { return mine.DropGroup("g") }},
			{"suspends", func() error { return mine.Compact(0) }},
			{"launches", func() error { return mine.Close(launches[0], journal.Ended, "suspend") }},
		} {
			s.remove = c.folder
			if err := c.do(); !errors.Is(err, errIO) {
				t.Errorf("%s: %v", c.folder, err)
			}
		}
	})
}

// What is to go stays until what replaces it is written.
func TestAFullDiskLosesNothing(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		filled(t, j, e)
		want, err := j.Tombstones()
		must(t, err)
		launches, err := j.Launches()
		must(t, err)
		d.Full = true
		if err := j.Close(launches[0], journal.Ended, "suspend"); err == nil || len(d.Names("launches")) != 1 {
			t.Errorf("%v: of a launch that was not put into the history %v is left", err, d.Names("launches"))
		}
		if err := j.Compact(0); err == nil {
			t.Error("a full disk holds the tombstones in one file")
		}
		got, err := j.Tombstones()
		must(t, err)
		if diff := cmp.Diff(at(want, "n1", "n2"), at(got, "n1", "n2")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestARecordThatCannotBeReadIsSetAside(t *testing.T) {
	d := simulator.NewDisk()
	lines := run(t, d, func(j *journal.Journal, e env.Env) {
		filled(t, j, e)
		_, err := j.Begin(journal.Call{Nonce: "b", Nodes: "n1"})
		must(t, err)
		mine := journal.New(e, &broken{Store: d.For(e), read: d.Names("calls")[1]}, "http://ec2")
		calls, err := mine.Calls()
		if len(calls) != 1 || calls[0].Nonce != "a" || err != nil {
			t.Errorf("%+v %v", calls, err)
		}
		var latest []string
		for c := range mine.Latest() {
			latest = append(latest, c.Nonce)
		}
		if !slices.Equal(latest, []string{"a"}) {
			t.Errorf("the latest are %q", latest)
		}
		must(t, d.For(e).Write("failures/8.json", []byte(`{"job"`)))
		must(t, mine.Prune(1))
		if names := d.Names("failures"); len(names) != 2 {
			t.Errorf("left: %v", names)
		}
	})
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "-b.json is not readable, going by EC2's tags: input/output error") {
		t.Errorf("lines: %q", lines)
	}
}
