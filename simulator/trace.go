package simulator

import (
	"slices"

	"aws-slurm-burst/executor/env"
)

// Field is one value of a trace event: a text, or a number where that is empty.
type Field struct {
	Text   string
	Number uint64
}

// Text makes a Field of a string.
func Text(s string) Field { return Field{Text: s} }

// Number makes a Field of an integer.
func Number(n uint64) Field { return Field{Number: n} }

// Trace adds an event of a model to the run's hash. It allocates nothing.
// Models trace what they did, never what they were sent: the headers of a
// request differ from run to run, an instance that was launched does not.
func (e *Engine) Trace(kind string, fields ...Field) {
	h := foldString(fold(e.hash, uint64(e.now)), kind)
	h = fold(h, uint64(len(fields)))
	for i := range fields {
		if fields[i].Text != "" {
			h = foldString(h, fields[i].Text)
		} else {
			h = fold(h, fields[i].Number)
		}
	}
	e.hash = h
	if e.opt.OnTrace != nil {
		// A copy, lest the caller's fields escape to the heap in every run.
		e.opt.OnTrace(e.now, kind, slices.Clone(fields))
	}
}

// Hash returns the hash over the seed and all trace events so far. Two runs with
// the same hash took the same decisions at the same instants.
func (e *Engine) Hash() uint64 { return e.hash }

// Logged is something that was said: by a process, or by a model (nil).
type Logged struct {
	At      env.Time
	Process *Process
	env.Event
}

// Logged returns what was said, in order; nothing where Options.OnLog takes it.
func (e *Engine) Logged() []Logged { return e.logged }

// Lines returns the process's lines for people, such as "WARN: 3 of 4 nodes
// launched".
func (p *Process) Lines() []string {
	var lines []string
	for _, l := range p.engine.logged {
		if l.Process == p && l.Level >= env.Info {
			lines = append(lines, l.Level.String()+": "+l.Text)
		}
	}
	return lines
}

func (e *Engine) log(p *Process, ev env.Event) {
	l := Logged{e.now, p, ev}
	switch {
	case e.opt.Mute:
		return
	case e.opt.OnLog != nil:
		e.opt.OnLog(l)
		return
	}
	e.logged = append(e.logged, l)
}
