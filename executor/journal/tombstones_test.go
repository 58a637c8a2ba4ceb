package journal_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/simulator"
)

// buried writes tombstones a second apart, each for a list of nodes.
func buried(t *testing.T, j *journal.Journal, e env.Env, lists ...[]string) {
	t.Helper()
	for _, nodes := range lists {
		must(t, j.Bury(nodes))
		must(t, e.Sleep(context.Background(), time.Second))
	}
}

// A file of several tombstones has to be read, and is not there any more where another
// process put it together with later ones.
func TestAFileThatGoesBetweenItsListingAndItsReadingIsLookedForAgain(t *testing.T) {
	d := simulator.NewDisk()
	lines := run(t, d, func(j *journal.Journal, e env.Env) {
		must(t, d.For(e).Write("suspends/0-torn.json", []byte(`{"at": 1, "nodes"`)))
		buried(t, j, e, []string{"n1"}, []string{"n2"})
		must(t, j.Compact(0))
		buried(t, j, e, []string{"n3"})
		store := reads{&tidied{d.For(e), func() { must(t, j.Compact(0)) }}, map[string]int{}}
		mine := journal.New(e, store, "http://ec2")
		known, err := mine.Tombstones()
		must(t, err)
		want := map[string]env.Time{"n1": 1e18, "n2": 1e18 + 1e9, "n3": 1e18 + 2e9}
		if diff := cmp.Diff(want, at(known, "n1", "n2", "n3", "n4")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if n := len(d.Names("suspends")); n != 2 {
			t.Errorf("%d files: nothing was put together while the other one read", n)
		}
		must(t, d.For(e).Remove("suspends/0-torn.json"))
		clear(store.names)
		if fresh, err := mine.Since(known); err != nil || len(at(fresh, "n1", "n2", "n3")) != 0 || len(store.names) != 0 {
			t.Errorf("nothing is new, and %v is (%v), of %v", at(fresh, "n1", "n2", "n3"), err, store.names)
		}
	})
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "WARN: journal record suspends/0-torn.json is not readable") {
		t.Errorf("a torn file is said once a look: %q", lines)
	}
}

// ghost is a store that lists a file which is never there.
type ghost struct{ journal.Store }

func (g ghost) List(folder string) ([]string, error) {
	names, err := g.Store.List(folder)
	return append([]string{folder + "/00000000000000000001-1.json"}, names...), err
}

func TestAFolderThatIsNeverTwiceTheSameIsAnError(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		buried(t, j, e, []string{"n1"})
		got, err := journal.New(e, ghost{d.For(e)}, "http://ec2").Tombstones()
		if err == nil || !strings.Contains(err.Error(), "changed each of 10 times") || got.At("n1") != 0 {
			t.Errorf("%v, and half of the answer: %v", err, at(got, "n1"))
		}
	})
}

// A suspend may be written while another process puts those before it together: the
// file that holds them is then the later one, and what is in it older.
func TestALaterFileMayHoldEarlierTombstones(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		must(t, d.For(e).Write("suspends/00000000000000000005-1.json", []byte(`{"at":5,"nodes":"n1","earlier":"3 n2;1 n[2-3]"}`+"\n")))
		must(t, d.For(e).Write("suspends/00000000000000000004-2@n2.json", nil))
		want := map[string]env.Time{"n1": 5, "n2": 4, "n3": 1}
		got, err := j.Tombstones()
		must(t, err)
		if diff := cmp.Diff(want, at(got, "n1", "n2", "n3", "n4")); diff != "" {
			t.Errorf("one by one (-want +got)\n%s", diff)
		}
		got, err = j.Tombstones()
		must(t, err)
		got.Find([]string{"n3", "n2", "n1"})
		if diff := cmp.Diff(want, at(got, "n1", "n2", "n3", "n4")); diff != "" {
			t.Errorf("at once (-want +got)\n%s", diff)
		}
	})
}

func TestTombstonesThatWereReadAreNotReadAgain(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		for _, n := range []string{"1", "2", "3"} {
			must(t, d.For(e).Write("suspends/0000000000000000000"+n+"-1.json", []byte(`{"at":`+n+`,"nodes":"n`+n+`"}`)))
		}
		store := reads{d.For(e), map[string]int{}}
		mine := journal.New(e, store, "http://ec2")
		known, err := mine.Tombstones()
		must(t, err)
		if len(store.names) != 3 || known.At("n2") != 2 {
			t.Errorf("read %v: %v", store.names, at(known, "n1", "n2", "n3"))
		}
		clear(store.names)
		for range 2 {
			fresh, err := mine.Since(known)
			must(t, err)
			if again := at(fresh, "n1", "n2", "n3"); len(store.names) != 0 || len(again) != 0 {
				t.Errorf("read again: %v, said again: %v", store.names, again)
			}
			buried(t, j, e, []string{"n9"}) // whose name says it
		}
	})
}

// The names of short lists say all: nothing is read.
func TestATombstoneOfFewNodesIsItsName(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		buried(t, j, e, []string{"n1", "n2"})
		store := reads{d.For(e), map[string]int{}}
		got, err := journal.New(e, store, "http://ec2").Tombstones()
		must(t, err)
		if got.At("n2") != 1e18 || len(store.names) != 0 {
			t.Errorf("%v, read %v", at(got, "n1", "n2"), store.names)
		}
	})
}

func TestTombstonesAreCompactedOnceThereAreMoreThanToKeep(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		buried(t, j, e, []string{"n1"}, []string{"n2"})
		two := d.Names("suspends")
		must(t, j.Compact(2))
		if got := d.Names("suspends"); !slices.Equal(two, got) {
			t.Errorf("two are not more than two: %v", got)
		}
		buried(t, j, e, []string{"n3"})
		must(t, j.Compact(2))
		one := d.Names("suspends")
		if len(one) != 1 {
			t.Errorf("three are more than two: %v", one)
		}
		must(t, j.Compact(0))
		if got := d.Names("suspends"); !slices.Equal(one, got) {
			t.Errorf("there is nothing to put together in one file: %v", got)
		}
		must(t, d.For(e).Write("suspends/0-torn.json", []byte(`{"at": 1, "nodes"`)))
		must(t, j.Compact(0))
		if got := d.Names("suspends"); len(got) != 2 || !slices.Contains(got, one[0]) {
			t.Errorf("nor beside one that is torn: %v", got)
		}
	})
}

func TestTheCompactedFileSaysEachNodeOnceTheLatestFirst(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		buried(t, j, e, []string{"n1", "n4", "n6"}, []string{"n2"}, []string{"n1"}, []string{"n5", "n3"})
		must(t, j.Compact(0))
		names := d.Names("suspends")
		if len(names) != 1 {
			t.Fatalf("%v", names)
		}
		data, err := d.For(e).Read(names[0])
		must(t, err)
		const want = `{"at":1000000003000000000,"nodes":"n[3,5]","earlier":"1000000002000000000 n1;1000000001000000000 n2;1000000000000000000 n[4,6]"}` + "\n"
		if string(data) != want {
			t.Errorf("%swant\n%s", data, want)
		}
	})
}
