package journal_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/simulator"
)

func TestARecordComesBackWithAllThatItSays(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		l := aLaunch("t1")
		l.Gang, l.Call, l.Job, l.Plan = false, "nonce", "7,8_1", "sha256:1"
		l, err := j.Open(l)
		must(t, err)
		must(t, e.Sleep(context.Background(), time.Second))
		l.Placed = []journal.Placed{{Node: "n1", Instance: "i-1"}, {Node: "n2", Instance: "i-2"}}
		must(t, j.Placed(l, l.Placed))
		got, err := j.Launches()
		must(t, err)
		must(t, e.Sleep(context.Background(), time.Second))
		must(t, j.Close(got[0], journal.Ended, "suspend"))
		got, err = j.History()
		must(t, err)
		l.State, l.Code, l.Updated = journal.Ended, "suspend", e.Now()
		if diff := cmp.Diff([]journal.Launch{l}, got, cmpopts.IgnoreUnexported(journal.Launch{}), cmpopts.IgnoreFields(journal.Launch{}, "File")); diff != "" {
			t.Errorf("launch (-want +got)\n%s", diff)
		}

		c, err := j.Begin(journal.Call{Nonce: "nonce", Nodes: "n[1-2]"})
		must(t, err)
		if got, ok := j.CallOf("nonce"); !ok || !cmp.Equal(c, got) || got.Nodes != "n[1-2]" || got.Exit != -1 {
			t.Errorf("call %+v %v", got, ok)
		}
		if got, ok := j.CallOf("once"); ok {
			t.Errorf("a nonce that is the end of another: %+v", got)
		}
		p := journal.Push{ID: "x", Addrs: []journal.Addr{{Node: "n1", IP: "10.0.0.1", Instance: "i-1"}}, SingleUse: true, Reason: "plan"}
		must(t, j.Owe(p))
		p.At = e.Now()
		if owed, _ := j.Owed(); !cmp.Equal([]journal.Push{p}, owed) {
			t.Errorf("owed %+v", owed)
		}
	})
}

func TestALaunchIsALineOfWhatItSaysAndALineOfItsRequest(t *testing.T) {
	d := simulator.NewDisk()
	run(t, d, func(j *journal.Journal, e env.Env) {
		l := aLaunch("t1")
		l.Gang = false
		l, err := j.Open(l)
		must(t, err)
		must(t, j.Placed(l, []journal.Placed{{Node: "n1", Instance: "i-1"}, {Node: "n2", Instance: "i-2"}}))
		data, err := d.For(e).Read("launches/t1@n[1-2].json")
		must(t, err)
		const want = `{"state":"launched","endpoint":"http://ec2","nodes":"n[1-2]","written":1000000000000000000,"updated":1000000000000000000,"token":"t1","serves":"n1=i-1 n2=i-2"}`
		if line, rest, _ := bytes.Cut(data, []byte("\n")); string(line) != want || !bytes.HasPrefix(rest, []byte(`{"token":"t1",`)) {
			t.Errorf("%s", data)
		}
	})
}

// What is read by hand is held to be what the library would read: each of these is
// a line that it refuses.
func TestALaunchOfTheWrongFormIsTorn(t *testing.T) {
	const whole = `{"state":"launched","endpoint":"http://ec2","nodes":"n1","written":1,"updated":0,"token":"t1"}`
	request := "\n" + `{"token":"t1","min_count":1,"max_count":1,"type":"c6i.large","market":""}` + "\n"
	torn := []string{
		strings.Replace(whole, `"launched"`, `1`, 1),
		strings.Replace(whole, `"n1"`, `1`, 1),
		strings.Replace(whole, `"n1"`, `"n1","gang":1`, 1),
		strings.Replace(whole, `"n1"`, `"n1","gang":"true"`, 1),
		strings.Replace(whole, `"written":1`, `"written":01`, 1),
		strings.Replace(whole, `"written":1`, `"written":"1"`, 1),
		strings.Replace(whole, `"written":1`, `"written":true`, 1),
		strings.Replace(whole, `"written":1`, `"written":99999999999999999999`, 1),
		strings.Replace(whole, `"updated":0`, `"updated":00`, 1),
		strings.Replace(whole, `"updated":0`, `"updated":"0"`, 1),
		strings.Replace(whole, `"updated":0`, `"updated":true`, 1),
		`{` + strings.TrimPrefix(whole, `{"`),
	}
	d := simulator.NewDisk()
	lines := run(t, d, func(j *journal.Journal, e env.Env) {
		must(t, d.For(e).Write("launches/t1.json", []byte(whole+request)))
		if got, err := j.Launches(); len(got) != 1 || got[0].Written != 1 || got[0].Updated != 0 || err != nil {
			t.Errorf("whole: %+v %v", got, err)
		}
		must(t, d.For(e).Write("launches/t1.json", []byte(strings.Replace(whole, `:"n1"`, `: "n1"`, 1)+request)))
		if got, err := j.Launches(); len(got) != 1 || got[0].Nodes != "n1" || err != nil {
			t.Errorf("with a blank: %+v %v", got, err)
		}
		for _, line := range torn {
			must(t, d.For(e).Write("launches/t1.json", []byte(line+request)))
			if got, err := j.Launches(); len(got) != 0 || err != nil {
				t.Errorf("%s was read as %+v (%v)", line, got, err)
			}
		}
		must(t, d.For(e).Write("launches/t1.json", []byte(strings.Replace(whole, "launched", "intent", 1)+"\n{\"token\":\n")))
		if got, err := j.Launches(); len(got) != 0 || err != nil {
			t.Errorf("an intent without a readable request was read as %+v (%v)", got, err)
		}
	})
	if len(lines) != len(torn)+1 {
		t.Errorf("%d lines for %d torn records: %v", len(lines), len(torn)+1, lines)
	}
}

func TestAFileOfTombstonesOfTheWrongFormIsTorn(t *testing.T) {
	for _, c := range []struct {
		data string
		ok   bool
	}{
		{`{"at":2,"nodes":"n1","earlier":"1 n2"}`, true},
		{`{"at": 2,"nodes":"n1","earlier":"1 n2"}`, true},
		{`{"at":2,"nodes":"n1,x[1-3]y[1-2],n9","earlier":"1 n2"}`, true}, // no list that was folded here
		{`{"at":2,"nodes":"n1","earlier":"x n2"}`, false},
		{`{"at":2,"nodes":"n1","earlier":"1 n[2-"}`, false},
		{`{"at":2,"nodes":"n[1-","earlier":"1 n2"}`, false},
		{`{"at":"2","nodes":"n1","earlier":"1 n2"}`, false},
		{`{"at":2,"nodes":1,"earlier":"1 n2"}`, false},
		{`{"at":2,"nodes":"n1","earlier":1}`, false},
	} {
		d := simulator.NewDisk()
		lines := run(t, d, func(j *journal.Journal, e env.Env) {
			must(t, d.For(e).Write("suspends/00000000000000000002-1.json", []byte(c.data+"\n")))
			must(t, d.For(e).Write("suspends/00000000000000000001-2@n3.json", nil))
			want := map[string]env.Time{"n3": 1}
			if c.ok {
				want["n1"], want["n2"] = 2, 1
			}
			got, err := j.Tombstones()
			must(t, err)
			if diff := cmp.Diff(want, at(got, "n1", "n2", "n3")); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", c.data, diff)
			}
		})
		if (len(lines) == 0) != c.ok {
			t.Errorf("%s: %v", c.data, lines)
		}
	}
}
