package journal_test

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/simulator"
)

// run runs fn as a process with a journal on a disk.
func run(t *testing.T, d *simulator.Disk, fn func(j *journal.Journal, e env.Env)) []string {
	t.Helper()
	engine := simulator.New(simulator.Options{Start: 1e18})
	p := engine.Spawn("test", func(_ context.Context, e env.Env) { fn(journal.New(e, d.For(e), "http://ec2"), e) })
	if err := engine.Run(); err != nil {
		t.Fatal(err)
	}
	return p.Lines()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func aLaunch(token string) journal.Launch {
	return journal.Launch{Nodes: "n[1-2]", Gang: true, Request: cloud.LaunchRequest{Token: token, MinCount: 2, MaxCount: 2, Type: "c6i.large", Tags: []cloud.Tag{{Key: "k", Value: "v"}}}}
}

func TestAnIntentKeepsTheWholeRequestUntilItsOutcome(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		l, err := j.Open(aLaunch("t1"))
		must(t, err)
		got, err := j.Launches()
		must(t, err)
		if diff := cmp.Diff([]journal.Launch{l}, got, cmpopts.IgnoreUnexported(journal.Launch{})); diff != "" || l.State != journal.Intent || l.Written != e.Now() {
			t.Errorf("intent: %s %+v", diff, l)
		}
		must(t, e.Sleep(context.Background(), time.Second))
		must(t, j.Placed(l, []journal.Placed{{Node: "n1", Instance: "i-1"}, {Node: "n2", Instance: "i-2"}}))
		got, _ = j.Launches()
		if got[0].State != journal.Launched || got[0].Written != l.Written || got[0].Updated == l.Written || len(got[0].Placed) != 2 {
			t.Errorf("launched: %+v", got[0])
		}
		must(t, j.Close(got[0], journal.Ended, "suspend"))
		if got, _ := j.Launches(); len(got) != 0 {
			t.Errorf("still there: %+v", got)
		}
		if old, _ := j.History(); len(old) != 1 || old[0].Code != "suspend" || old[0].Written != l.Written || !cmp.Equal(old[0].Request, l.Request) {
			t.Errorf("history: %+v", old)
		}
	})
}

func TestTheRequestOfALaunchIsKeptThroughAllItsChanges(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		l, err := j.Open(aLaunch("t1"))
		must(t, err)
		before, err := d.For(e).Read(l.File)
		must(t, err)
		must(t, j.Placed(l, []journal.Placed{{Node: "n1", Instance: "i-1"}, {Node: "n2", Instance: "i-2"}}))
		got, err := j.LaunchesOf([]string{"n1"})
		must(t, err)
		if got[0].Request.Token != "t1" || got[0].Request.Type != "" {
			t.Errorf("a launch that was answered, with more of its request than its token: %+v", got[0].Request)
		}
		must(t, j.Placed(got[0], got[0].Placed[1:])) // as a suspend of one node does
		after, err := d.For(e).Read(l.File)
		must(t, err)
		if was, is := bytes.Split(before, []byte("\n")), bytes.Split(after, []byte("\n")); len(was) != 3 || len(is) != 3 || !bytes.Equal(was[1], is[1]) {
			t.Errorf("the request has changed from\n%sto\n%s", before, after)
		}
	})
}

// Until November 2026 a record was one object, with the request in it.
func TestARecordOfOneLineIsRead(t *testing.T) {
	const request = `"request":{"token":"t1","min_count":2,"max_count":2,"type":"c6i.large","market":"","tags":[{"Key":"k","Value":"v"}]}`
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		must(t, d.For(e).Write("launches/t1@n[1-2].json", []byte(`{"state":"intent","endpoint":"http://ec2","nodes":"n[1-2]","gang":true,`+request+`,"written":1000,"updated":1000}`+"\n")))
		must(t, d.For(e).Write("launches/t2@n3.json", []byte(`{"state":"launched","endpoint":"http://ec2","nodes":"n3",`+request+`,"written":1000,"updated":2000,"placed":[{"node":"n3","instance":"i-3"}]}`+"\n")))
		got, err := j.Launches()
		must(t, err)
		intent := aLaunch("t1")
		intent.State, intent.Endpoint, intent.Written, intent.Updated, intent.File = journal.Intent, "http://ec2", 1000, 1000, "launches/t1@n[1-2].json"
		if diff := cmp.Diff(intent, got[0], cmpopts.IgnoreUnexported(journal.Launch{})); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if got[1].Request.Token != "t1" || len(got[1].Placed) != 1 || got[1].Placed[0].Instance != "i-3" {
			t.Errorf("%+v", got[1])
		}
		must(t, j.Close(got[1], journal.Ended, "suspend"))
		if old, _ := j.History(); len(old) != 1 || !cmp.Equal(old[0].Request, intent.Request) {
			t.Errorf("history: %+v", old)
		}
	})
}

func TestHalfARecordOfALaunchIsTorn(t *testing.T) {
	d := simulator.NewDisk()
	lines := run(t, d, func(j *journal.Journal, e env.Env) {
		l, err := j.Open(aLaunch("t1"))
		must(t, err)
		whole, err := d.For(e).Read(l.File)
		must(t, err)
		for _, most := range []int{len(whole) - 1, bytes.IndexByte(whole, '\n') + 1, bytes.IndexByte(whole, '\n')} {
			must(t, d.For(e).Write(l.File, whole[:most]))
			if got, err := j.Launches(); len(got) != 0 || err != nil {
				t.Errorf("%d of %d bytes: %+v %v", most, len(whole), got, err)
			}
		}
		must(t, d.For(e).Write(l.File, append([]byte(`{"state":"launched","endpoint":"http://ec2","serves":"n1=i-1 n2"}`), whole[bytes.IndexByte(whole, '\n'):]...)))
		if got, err := j.Launches(); len(got) != 0 || err != nil {
			t.Errorf("half of who serves n2: %+v %v", got, err)
		}
	})
	if len(lines) != 4 || !strings.HasSuffix(lines[0], "the request is missing: the file was cut short") {
		t.Errorf("lines: %v", lines)
	}
}

func TestLaunchesElsewhereAreNotOurs(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		_, err := journal.New(e, d.For(e), "http://other").Open(aLaunch("t1"))
		must(t, err)
		if got, err := j.Launches(); len(got) != 0 || err != nil {
			t.Errorf("%v %v", got, err)
		}
	})
}

// at is when nodes were suspended, without those that never were.
func at(t journal.Tombstones, nodes ...string) map[string]env.Time {
	out := map[string]env.Time{}
	for _, n := range nodes {
		if at := t.At(n); at != 0 {
			out[n] = at
		}
	}
	return out
}

func TestTheLatestTombstoneOfANodeCounts(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		for _, nodes := range [][]string{{"n1", "n2"}, {"n2"}, {"n1"}, {"n3"}} {
			must(t, j.Bury(nodes))
			must(t, e.Sleep(context.Background(), time.Second))
		}
		start := env.Time(1e18)
		want := map[string]env.Time{"n1": start.Add(2 * time.Second), "n2": start.Add(time.Second), "n3": start.Add(3 * time.Second)}
		got, err := j.Tombstones()
		must(t, err)
		if diff := cmp.Diff(want, at(got, "n1", "n2", "n3", "n4")); diff != "" {
			t.Error(diff)
		}
		must(t, j.Compact(0))
		if n := len(d.Names("suspends")); n != 1 {
			t.Errorf("%d files hold the tombstones after they were put together", n)
		}
		got, _ = j.Tombstones()
		if diff := cmp.Diff(want, at(got, "n1", "n2", "n3", "n4")); diff != "" {
			t.Errorf("compacting changed them: %s", diff)
		}
	})
}

// tidied is a store in which another process puts the tombstones together after
// the folder was listed.
type tidied struct {
	journal.Store
	listed func()
}

func (s *tidied) List(folder string) ([]string, error) {
	names, err := s.Store.List(folder)
	if tidy := s.listed; tidy != nil {
		s.listed = nil
		tidy()
	}
	return names, err
}

func TestNoTombstoneIsLostToAReaderWhileAnotherProcessCompacts(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		for _, n := range []string{"n1", "n2", "n3"} {
			must(t, j.Bury([]string{n}))
			must(t, e.Sleep(context.Background(), time.Second))
		}
		want, err := j.Tombstones()
		must(t, err)
		mine := journal.New(e, &tidied{d.For(e), func() { must(t, j.Compact(0)) }}, "http://ec2")
		got, err := mine.Tombstones()
		must(t, err)
		if diff := cmp.Diff(at(want, "n1", "n2", "n3"), at(got, "n1", "n2", "n3")); diff != "" {
			t.Error(diff)
		}
		if n := len(d.Names("suspends")); n != 1 {
			t.Errorf("%d files: nothing was put together while the other one read", n)
		}
	})
}

func TestCompactLeavesAloneWhatItCannotRead(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		must(t, d.For(e).Write("suspends/0-torn.json", []byte(`{"at": 1, "nodes"`)))
		must(t, d.For(e).Write("suspends/1-2@n[3-.json", nil))
		must(t, d.For(e).Write("suspends/1-odd.json", []byte(`{"at": 1, "nodes": "n[3-"}`)))
		must(t, j.Bury([]string{"n1"}))
		must(t, j.Bury([]string{"n2"}))
		must(t, j.Compact(0))
		names := d.Names("suspends")
		if len(names) != 4 || !slices.Contains(names, "suspends/1-2@n[3-.json") || !slices.Contains(names, "suspends/0-torn.json") || !slices.Contains(names, "suspends/1-odd.json") {
			t.Errorf("left: %v", names)
		}
	})
}

// reads counts what is read of a store, by name.
type reads struct {
	journal.Store
	names map[string]int
}

func (r reads) Read(name string) ([]byte, error) {
	r.names[name]++
	return r.Store.Read(name)
}

func TestATombstoneIsReadOnce(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		nodes := []string{"n1", "n2"} // and more than the name of a file holds
		for i := range 100 {
			nodes = append(nodes, "x"+strconv.Itoa(i*2))
		}
		must(t, j.Bury(nodes))
		must(t, d.For(e).Write("suspends/0-torn.json", []byte(`{"at": 1, "nodes"`)))
		store := reads{d.For(e), map[string]int{}}
		mine := journal.New(e, store, "http://ec2")
		known, err := mine.Tombstones()
		must(t, err)
		must(t, e.Sleep(context.Background(), time.Second))
		must(t, j.Bury([]string{"n2"}))
		must(t, d.For(e).Write("suspends/0-torn.json", []byte(`{"at": 1, "nodes": "n3"}`)))
		fresh, err := mine.Since(known)
		must(t, err)
		if diff := cmp.Diff(map[string]env.Time{"n2": e.Now(), "n3": 1}, at(fresh, "n1", "n2", "n3")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		again := 0
		for _, n := range store.names {
			again += n - 1
		}
		if len(store.names) != 2 || again != 1 { // the torn one; the last one's name says all
			t.Errorf("read %v", store.names)
		}
		if known.At("n1") != 1e18 || known.At("x198") != 1e18 || known.At("x199") != 0 {
			t.Errorf("known: %v", at(known, "n1", "x198", "x199"))
		}
	})
}

// Until November 2026 a file of many tombstones was nested.
func TestAFileOfNestedTombstonesIsRead(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		must(t, d.For(e).Write("suspends/00000000000000003000-7.json", []byte(`{"at":3000,"nodes":"n[1-2]","others":[{"at":2000,"nodes":"n3"},{"at":1000,"nodes":"n[3-4]"}]}`+"\n")))
		want := map[string]env.Time{"n1": 3000, "n2": 3000, "n3": 2000, "n4": 1000}
		for range 2 {
			got, err := j.Tombstones()
			must(t, err)
			if diff := cmp.Diff(want, at(got, "n1", "n2", "n3", "n4", "n5")); diff != "" {
				t.Error(diff)
			}
			must(t, d.For(e).Write("suspends/00000000000000000500-8@n3.json", nil))
			must(t, j.Compact(0))
		}
		if names := d.Names("suspends"); len(names) != 1 {
			t.Errorf("%v", names)
		}
	})
}

func TestAFileOfManyTombstonesIsReadForAllOfThem(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		must(t, j.Bury([]string{"n1"}))
		must(t, e.Sleep(context.Background(), time.Second))
		must(t, j.Bury([]string{"n2"}))
		must(t, j.Compact(0))
		if names := d.Names("suspends"); len(names) != 1 || strings.Contains(names[0], "@") {
			t.Errorf("%v: a name that says one of two tombstones", names)
		}
		got, err := j.Tombstones()
		must(t, err)
		if diff := cmp.Diff(map[string]env.Time{"n1": 1e18, "n2": e.Now()}, at(got, "n1", "n2", "n3")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACallReadsTheLaunchesOfItsNodesAlone(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		open := func(token, nodes string) journal.Launch {
			l := aLaunch(token)
			l.Nodes = nodes
			l, err := j.Open(l)
			must(t, err)
			return l
		}
		one := open("t1", "n[1-2]")
		open("t2", "n[3-4]")
		var long []string // more than a file's name holds
		for i := range 100 {
			long = append(long, "x"+strings.Repeat("y", i%9)+"-"+strconv.Itoa(i*2))
		}
		open("t3", hostlist.Fold(long))
		store := reads{d.For(e), map[string]int{}}
		mine := journal.New(e, store, "http://ec2")
		got, err := mine.LaunchesOf([]string{"n2", "n9"})
		must(t, err)
		if len(got) != 2 || got[0].Request.Token != "t1" || got[1].Request.Token != "t3" || len(store.names) != 2 {
			t.Errorf("%d launches, read %v", len(got), store.names)
		}
		must(t, mine.Placed(got[0], []journal.Placed{{Node: "n1", Instance: "i-1"}}))
		if all, _ := j.Launches(); len(all) != 3 || all[0].File != one.File || all[0].State != journal.Launched {
			t.Errorf("after a change: %+v", all)
		}
		// A record keeps the name that it has, whoever gave it.
		data, err := d.For(e).Read(one.File)
		must(t, err)
		must(t, d.For(e).Remove(one.File))
		must(t, d.For(e).Write("launches/t1.json", data))
		if got, err = mine.LaunchesOf([]string{"n2"}); err != nil || len(got) != 2 || got[0].Nodes != one.Nodes {
			t.Errorf("a record without its nodes in its name: %+v %v", got, err)
		}
		must(t, mine.Close(got[0], journal.Ended, "suspend"))
		if names := d.Names("launches"); len(names) != 2 {
			t.Errorf("left: %v", names)
		}
	})
}

func TestTheNameOfALaunchIsOneOfAFile(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, _ env.Env) {
		for n := range 80 {
			l := aLaunch(identity.Token("c", "n", nil, "r", "z", n))
			l.Nodes = strings.Repeat("n,", n*2) + "n"
			l, err := j.Open(l)
			must(t, err)
			if base := strings.TrimPrefix(l.File, "launches/"); len(base)+len("..1234567890") > 255 {
				t.Fatalf("%d bytes: %s", len(base), base)
			}
		}
	})
}

func TestATornRecordIsSaidAndSetAside(t *testing.T) {
	d := simulator.NewDisk()
	lines := run(t, d, func(j *journal.Journal, e env.Env) {
		_, err := j.Open(aLaunch("t1"))
		must(t, err)
		must(t, d.For(e).Write("launches/t0.json", []byte(`{"state": "int`)))
		if got, err := j.Launches(); len(got) != 1 || err != nil {
			t.Errorf("%v %v", got, err)
		}
	})
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "WARN: journal record launches/t0.json is not readable") {
		t.Errorf("lines: %v", lines)
	}
}

func TestAFullDiskIsSaid(t *testing.T) {
	d := simulator.NewDisk()
	d.Full = true
	run(t, d, func(j *journal.Journal, _ env.Env) {
		if _, err := j.Open(aLaunch("t1")); err == nil || !strings.Contains(err.Error(), "journal.dir") {
			t.Errorf("got %v", err)
		}
	})
}

func TestACallIsKeptByteForByteAndForgottenInTime(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		c, err := j.Begin(journal.Call{Nonce: "a", Nodes: "n1", ResumeFile: []byte("caf\xe9")})
		must(t, err)
		must(t, j.End(c, 5))
		got, err := j.Calls()
		must(t, err)
		if len(got) != 1 || string(got[0].ResumeFile) != "caf\xe9" || got[0].Exit != 5 || got[0].At != e.Now() {
			t.Errorf("%+v", got)
		}
		must(t, j.Prune(e.Now()))
		if got, _ := j.Calls(); len(got) != 1 {
			t.Error("forgotten too early")
		}
		must(t, j.Prune(e.Now()+1))
		if got, _ := j.Calls(); len(got) != 0 {
			t.Error("never forgotten")
		}
	})
}

func TestWhatIsOwedIsPaidOnce(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, _ env.Env) {
		p := journal.Push{ID: "x", Addrs: []journal.Addr{{Node: "n1", IP: "10.0.0.1", Instance: "i-1"}}}
		must(t, j.Owe(p))
		owed, err := j.Owed()
		must(t, err)
		if len(owed) != 1 || owed[0].Addrs[0].IP != "10.0.0.1" {
			t.Errorf("%+v", owed)
		}
		must(t, j.Paid(p))
		must(t, j.Paid(p)) // another process was faster
		if owed, _ := j.Owed(); len(owed) != 0 {
			t.Errorf("%+v", owed)
		}
	})
}

func TestFailuresAreCountedInARow(t *testing.T) {
	d := simulator.NewDisk()
	lines := run(t, d, func(j *journal.Journal, e env.Env) {
		for _, s := range []struct {
			restarts, times int
			fresh           bool
		}{{1, 1, true}, {1, 1, false}, {2, 2, true}, {3, 3, true}, {3, 3, false}, {5, 1, true}, {6, 2, true}, {1, 1, true}} {
			f, fresh, err := j.Failed("7", s.restarts, "X")
			if f.Times != s.times || fresh != s.fresh || err != nil {
				t.Errorf("restarts %d: %+v %v %v", s.restarts, f, fresh, err)
			}
		}
		if f, _, _ := j.Failed("8", 2, "X"); f.Times != 1 {
			t.Errorf("another job's: %+v", f)
		}
		must(t, d.For(e).Write("failures/9.json", []byte(`{"job": "9", "ti`)))
		if f, fresh, err := j.Failed("9", 4, "X"); f.Times != 1 || !fresh || err != nil {
			t.Errorf("torn: %+v %v %v", f, fresh, err)
		}
		if f, fresh, err := j.Failed("10", 0, "X"); f.Times != 1 || !fresh || err != nil {
			t.Errorf("one that Slurm has not requeued: %+v %v %v", f, fresh, err)
		}
		d.Full = true
		if f, fresh, err := j.Failed("8", 3, "X"); f.Times != 2 || !fresh || err == nil {
			t.Errorf("full: %+v %v %v", f, fresh, err)
		}
		d.Full = false
		must(t, j.Prune(e.Now()))
		must(t, e.Sleep(context.Background(), time.Second))
		if n := len(d.Names("failures")); n != 4 {
			t.Errorf("%d are left of those of this moment", n)
		}
		must(t, j.Prune(e.Now()))
		if n := len(d.Names("failures")); n != 0 {
			t.Errorf("%d are kept for ever", n)
		}
	})
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "WARN: journal record failures/9.json is not readable") {
		t.Errorf("lines: %v", lines)
	}
}

func TestTheLatestCallComesFirst(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		for _, n := range []string{"a", "b", "c"} {
			_, err := j.Begin(journal.Call{Nonce: n, Nodes: "n1"})
			must(t, err)
			must(t, e.Sleep(context.Background(), time.Second))
		}
		got := ""
		for c := range j.Latest() {
			if got += c.Nonce; c.Nonce == "b" {
				break
			}
		}
		if got != "cb" {
			t.Errorf("%q", got)
		}
	})
}
