package plansource

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
)

// shelf is a Store.
type shelf map[string]string

func (s shelf) Read(name string) ([]byte, error) {
	text, ok := s[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func (s shelf) Write(name string, data []byte) error { s[name] = string(data); return nil }

func (s shelf) Remove(name string) error { delete(s, name); return nil }

func (s shelf) List(folder string) ([]string, error) {
	names := slices.Sorted(maps.Keys(s))
	return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, folder+"/") }), nil
}

// clock is an Env of which only the time is asked.
type clock struct {
	env.Env
	now *env.Time
}

func (c clock) Now() env.Time      { return *c.now }
func (clock) Log(env.Event)        {}
func (clock) Hears(env.Level) bool { return false }

func found(text string) Answer {
	return Way{}.Recall([]byte(text), true)
}

func TestTheMemoryKeepsADayAndSoManyAnswers(t *testing.T) {
	now := env.Time(1e18)
	e, s, w := clock{now: &now}, shelf{"asked/odd": "", "asked/x-y.json": "", "cache/a.json": ""}, Way{URL: "http://x"}
	of := func(job int) Question { return Question{Job: fmt.Sprint(job), Script: []byte("#!"), Nodes: 1} }
	for i := range maxRemembered + 10 {
		now = now.Add(time.Second)
		(&Memory{store: s, env: e}).Keep(w, of(i), found(good)) // as each of so many calls
	}
	m := Remember(e, s)
	if n := len(s) - 3; n > maxRemembered || n < maxRemembered-2 { // what is odd in the folder counts, too
		t.Errorf("%d files are left", n)
	}
	for job, want := range map[int]bool{0: false, 9: false, 20: true, maxRemembered + 9: true} {
		if _, ok := m.Recall(w, of(job)); ok != want {
			t.Errorf("job %d: %v", job, ok)
		}
	}
	now = now.Add(lifetime + time.Hour*2)
	if m := Remember(e, s); len(m.known) > 0 || len(s) != 3 {
		t.Errorf("a day later: %d known, %d files", len(m.known), len(s))
	}
	// A clock that was set back takes nothing away, and believes nothing.
	m.Keep(w, of(1), found(good))
	now = now.Add(-time.Hour)
	if m := Remember(e, s); len(m.known) != 0 || len(s) != 4 {
		t.Errorf("before it was asked: %d known, %d files", len(m.known), len(s))
	}
}

func TestWhatMakesTwoQuestionsOne(t *testing.T) {
	now := env.Time(1e18)
	e, s := clock{now: &now}, shelf{}
	w, q := Way{URL: "http://x"}, Question{Job: "12_3", Array: "12", Script: []byte("#!/bin/sh"), Nodes: 4, Partition: "aws"}
	Remember(e, s).Keep(w, q, found(good))
	m := Remember(e, s)
	if a, ok := m.Recall(w, q); !ok || !a.Trusted || a.Source != "http://x" {
		t.Errorf("%+v, %v", a, ok)
	}
	another := func(change func(*Question)) Question { c := q; change(&c); return c }
	for name, c := range map[string]struct {
		w    Way
		q    Question
		want bool
	}{
		"another task":      {w, another(func(q *Question) { q.Job = "12_4" }), true},
		"another array":     {w, another(func(q *Question) { q.Array = "13" }), false},
		"another script":    {w, another(func(q *Question) { q.Script = []byte("#!/bin/bash") }), false},
		"no script":         {w, another(func(q *Question) { q.Script = []byte{} }), false},
		"a script unknown":  {w, another(func(q *Question) { q.Script = nil }), false},
		"more nodes":        {w, another(func(q *Question) { q.Nodes = 5 }), false},
		"another partition": {w, another(func(q *Question) { q.Partition = "gpu" }), false},
		"another advisor":   {Way{Pipe: "http://y"}, q, false},
		"another token":     {Way{URL: "http://x", TokenFile: "t"}, q, true},
	} {
		if _, ok := m.Recall(c.w, c.q); ok != c.want {
			t.Errorf("%s: %v", name, ok)
		}
	}
	for name, c := range map[string]struct {
		q Question
		a Answer
	}{
		"of no job":           {another(func(q *Question) { q.Job, q.Array = "", "" }), found(good)},
		"of a script unknown": {another(func(q *Question) { q.Script = nil }), found(good)},
		"missing":             {q, Answer{Outcome: Missing}},
		"invalid":             {q, found(`{"should_burst":1}`)},
	} {
		s := shelf{}
		Remember(e, s).Keep(w, c.q, c.a)
		if len(s) > 0 {
			t.Errorf("%s: kept %v", name, s)
		}
	}
}

// A store that fails costs nothing but the memory.
func TestAMemoryThatCannotBeHad(t *testing.T) {
	now := env.Time(1e18)
	e, q := clock{now: &now}, Question{Job: "1", Script: []byte("#!"), Nodes: 1}
	m := Remember(e, broken{})
	m.Keep(Way{}, q, found(good))
	if _, ok := m.Recall(Way{}, q); ok {
		t.Error("recalled from nothing")
	}
}

type broken struct{}

func (broken) Read(string) ([]byte, error)   { return nil, context.Canceled }
func (broken) Write(string, []byte) error    { return context.Canceled }
func (broken) Remove(string) error           { return context.Canceled }
func (broken) List(string) ([]string, error) { return nil, context.Canceled }
