package container

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestAnOwnerIsGoneWhenItsProcessIs(t *testing.T) {
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	if again, ok := parseOwner(me.String()); !ok || again != me {
		t.Errorf("%q is read as %+v", me, again)
	}
	if me.started == "-" {
		t.Skip("without /proc only process ids can be looked at")
	}
	other := func(change func(*owner)) owner {
		o := me
		change(&o)
		return o
	}
	zombie := exec.Command("true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	_, born, err := process(zombie.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	dead := other(func(o *owner) { o.pid, o.started = zombie.Process.Pid, born })
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if state, _, _ := process(dead.pid); state == "Z" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("true did not end")
		}
	}

	old := 7 * time.Hour
	for _, tc := range []struct {
		name string
		o    owner
		age  time.Duration
		gone bool
	}{
		{"this process", me, old, false},
		{"its id, given to another process since", other(func(o *owner) { o.started = "1" }), 0, true},
		{"a process that ended and was not waited for", dead, 0, true},
		{"an earlier boot", other(func(o *owner) { o.boot = "another" }), 0, true},
		{"a system whose boot is not known", other(func(o *owner) { o.boot = "-" }), 0, false},
		{"a system whose boot is not known, long ago", other(func(o *owner) { o.boot = "-" }), old, true},
		{"another container's process", other(func(o *owner) { o.space = "pid:[1]" }), 0, false},
		{"another container's process, long ago", other(func(o *owner) { o.space = "pid:[1]" }), old, true},
	} {
		if got := tc.o.gone(me, tc.age); got != tc.gone {
			t.Errorf("%s: gone %v", tc.name, got)
		}
	}
	if err := zombie.Wait(); err != nil {
		t.Fatal(err)
	}
	if !dead.gone(me, 0) {
		t.Error("a process that ended: not gone")
	}
}

func TestSweepRemovesWhatNobodyOwnsAndNothingElse(t *testing.T) {
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	left := func(id, owner string, age time.Duration) map[string]any {
		return map[string]any{"Id": id, "Created": time.Now().Add(-age).Unix(), "Labels": map[string]string{ourLabel: ourValue, ownerLabel: owner}}
	}
	never := me
	never.pid, never.started = os.Getpid(), strconv.Itoa(1)
	elsewhere := me
	elsewhere.space = "pid:[1]"
	s := (&stub{left: []map[string]any{
		left("mine", me.String(), 7*time.Hour),
		left("dead", never.String(), time.Minute),
		left("unseen", elsewhere.String(), time.Minute),
		left("unreadable", "somebody", time.Minute),
	}}).start(t)
	api, err := engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := sweep(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	if want := []string{"dead", "unreadable"}; !slices.Equal(s.removed, want) {
		t.Errorf("removed %v, want %v", s.removed, want)
	}
}
