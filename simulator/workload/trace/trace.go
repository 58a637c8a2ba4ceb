// Package trace is what the readers of traces share: lines from a stream of any
// size, packed or not; what is wrong with one, said with its place; what was
// mended, counted and listed; jobs put back in order.
//
// It knows no format: simulator/workload/swf, sacct and jsonl each have one.
package trace

import (
	"fmt"

	"aws-slurm-burst/simulator/workload"
)

// Options are how a trace is read.
type Options struct {
	// Name is the trace's name in errors: mostly the file's.
	Name string
	// Lenient mends what can be mended, and counts it, where reading would
	// otherwise end with an error. A job that cannot be read is left out.
	Lenient bool
	// Window is how many jobs are held to put them back in order, 0 for
	// DefaultWindow. A job further out of place is an error: to move its submit
	// time that far would be another trace.
	Window int
}

// Held is how many jobs are held.
func (o Options) Held() int {
	if o.Window <= 0 {
		return DefaultWindow
	}
	return o.Window
}

// DefaultWindow holds some 4 MB of jobs.
const DefaultWindow = 1 << 14

// Log is a trace being read: its jobs once, and what was noticed meanwhile.
type Log interface {
	// Jobs yields the jobs. It can be ranged over once: the trace is a stream.
	Jobs() workload.Source
	// Repairs is what was mended or noted in what has been read so far.
	Repairs() *Repairs
}

// Error is what is wrong with a trace. It ends the reading.
type Error struct {
	File string
	Line int // from 1; 0 is the trace as a whole
	Msg  string
}

// Error is one line: "kth.swf:17: ...".
func (e *Error) Error() string {
	name := e.File
	if name == "" {
		name = "trace"
	}
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", name, e.Line, e.Msg)
	}
	return name + ": " + e.Msg
}
