package trace

import (
	"fmt"
	"slices"
)

// Kind is a kind of thing that a real trace has and a simulation cannot take as
// it stands.
type Kind uint8

// What is mended only where Options.Lenient is set: else it ends the reading.
const (
	BadLine   Kind = iota // cannot be read: left out
	Unsorted              // not in order of submission: put back into its place
	CutShort              // the trace ends in the middle of something: ends before it
	Duplicate             // a job's number a second time: left out

	// What every trace may have, by the rules of its format: noted.

	NoSubmit     // submitted at an unknown time: with the job before it
	NoSize       // unknown how many processors: left out
	NoRun        // unknown how long it ran, mostly as it never did: left out
	Unfinished   // still ran when the trace was taken: as long as it had run
	Requeued     // a run of a job that ran again: the last run is its, from the first submission
	HetPart      // a component of a heterogeneous job: a job of its own
	Partial      // a part of a job of which there is a line of its own: left out
	Allocated    // what it asked for is unknown: what it got is taken for it
	NoLimit      // asked for no time
	Overrun      // ran longer than it had asked for
	TooWide      // asks for more processors than the trace says there are
	UnknownAfter // waits for a job that was not there before: waits for none
	ExtraColumns // more columns than the format has: ignored
	WrongCount   // the header counts other than there are: ignored

	kinds // how many there are
)

var words = [kinds]struct{ name, says string }{
	BadLine:      {"bad_line", "could not be read: left out"},
	Unsorted:     {"unsorted", "not in order of submission: put back in its place"},
	CutShort:     {"cut_short", "the trace is cut short here: read up to it"},
	Duplicate:    {"duplicate", "a job's number a second time: left out"},
	NoSubmit:     {"no_submit", "no time of submission: the one of the job before it"},
	NoSize:       {"no_size", "no number of processors: left out"},
	NoRun:        {"no_run", "no run time: left out"},
	Unfinished:   {"unfinished", "still ran when the trace was taken: as long as it had run so far"},
	Requeued:     {"requeued", "a run of a job that ran more than once: one job, with its last run"},
	HetPart:      {"het_part", "a component of a heterogeneous job: a job of its own"},
	Partial:      {"partial", "a part of a job that has a line of its own: left out"},
	Allocated:    {"allocated", "no requested processors: as many as it was given"},
	NoLimit:      {"no_limit", "no requested time"},
	Overrun:      {"overrun", "ran longer than its requested time"},
	TooWide:      {"too_wide", "asks for more processors than the header's MaxProcs"},
	UnknownAfter: {"unknown_after", "waits for a job that is not before it: waits for none"},
	ExtraColumns: {"extra_columns", "more columns than the format has: ignored"},
	WrongCount:   {"wrong_count", "the header's number of jobs is not theirs: ignored"},
}

// String is the kind's name in reports, such as no_submit.
func (k Kind) String() string {
	if k < kinds {
		return words[k].name
	}
	return fmt.Sprintf("kind_%d", k)
}

// Says is what the kind means and what was done.
func (k Kind) Says() string {
	if k < kinds {
		return words[k].says
	}
	return k.String()
}

// Mended reports whether only a lenient reader goes on after it.
func (k Kind) Mended() bool { return k <= Duplicate }

// LeavesOut reports whether the job was left out.
func (k Kind) LeavesOut() bool {
	switch k {
	case BadLine, Duplicate, NoSize, NoRun, Partial:
		return true
	}
	return false
}

// firstLines is how many lines a kind is listed with.
const firstLines = 5

// Repair is how often something was mended or noted, and where first.
type Repair struct {
	Kind  Kind
	Count int
	Lines []int // the first few
}

// String is one line: "unsorted: 3 (lines 17, 20, 41): not in order ...".
func (r Repair) String() string {
	where := ""
	for i, n := range r.Lines {
		switch {
		case i > 0:
			where += fmt.Sprintf(", %d", n)
		case len(r.Lines) > 1:
			where = fmt.Sprintf(" (lines %d", n)
		default:
			where = fmt.Sprintf(" (line %d", n)
		}
	}
	if r.Count > len(r.Lines) && where != "" {
		where += ", ..."
	}
	if where != "" {
		where += ")"
	}
	return fmt.Sprintf("%s: %d%s: %s", r.Kind, r.Count, where, r.Kind.Says())
}

// Repairs counts what was mended and noted in a trace, by kind.
type Repairs struct {
	count [kinds]int
	lines [kinds][]int
}

// Add notes one at a line.
func (r *Repairs) Add(k Kind, line int) {
	r.count[k]++
	if len(r.lines[k]) < firstLines {
		r.lines[k] = append(r.lines[k], line)
	}
}

// Count is how many of a kind there were.
func (r *Repairs) Count(k Kind) int { return r.count[k] }

// LeftOut is how many lines became no job.
func (r *Repairs) LeftOut() int {
	n := 0
	for k := range kinds {
		if k.LeavesOut() {
			n += r.count[k]
		}
	}
	return n
}

// List is all that there was, by kind: what a lenient reader mended first.
func (r *Repairs) List() []Repair {
	var list []Repair
	for k := range kinds {
		if r.count[k] > 0 {
			list = append(list, Repair{k, r.count[k], slices.Clone(r.lines[k])})
		}
	}
	return list
}

// End is how reading ends when there are no more lines: well, with the stream's
// error, or because there was no job. A stream that is cut short is a repair of
// a lenient reader.
func (r *Repairs) End(l *Lines, o Options, jobs int) error {
	if err := l.Err(); err != nil {
		if !o.Lenient || !l.Cut() {
			return err
		}
		r.Add(CutShort, l.Number())
	}
	if jobs > 0 {
		return nil
	}
	if n := r.LeftOut(); n > 0 {
		return &Error{File: o.Name, Msg: fmt.Sprintf("none of its %d jobs can be run; %s", n, r.List()[0])}
	}
	return &Error{File: o.Name, Msg: "no job in it; is it the file that was meant?"}
}
