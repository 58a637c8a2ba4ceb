// Package sacct reads what Slurm's accounting has of a cluster's jobs, as sacct
// prints it:
//
//	SLURM_TIME_FORMAT=%s sacct -a -X -P -D --noconvert -S 2026-10-01 -E 2026-11-01 \
//	  -o JobIDRaw,JobID,User,Account,Partition,QOS,JobName,Submit,Eligible,Start,End,ElapsedRaw,TimelimitRaw,State,ReqNodes,ReqCPUS,AllocCPUS,ReqTRES,Constraints,SubmitLine
//
// Columns are found by their names in the first line; of those that are not
// there, less is known. Steps are passed over. Where the times are not seconds
// (without SLURM_TIME_FORMAT), they are dates of Options.Zone.
package sacct

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

// Options are how an account is read.
type Options struct {
	trace.Options
	// Zone is where the dates are of; nil is UTC.
	Zone *time.Location
	// Delimiter is what stands between columns; 0 is |.
	Delimiter byte
}

// Reader reads one account. sacct prints jobs by their numbers: they are put into
// order of submission, within Options.Window of them.
type Reader struct {
	opt     Options
	lines   *trace.Lines
	first   []byte         // the line of names
	columns map[string]int // by name in lower case
	width   int
	wrapped bool // SubmitLine is the last column, and may go on in further lines
	fields  [][]byte
	repairs trace.Repairs
	names   trace.Names
	ids     workload.IDs
	jobs    int
	begin   time.Duration // since the Unix epoch
	known   bool          // whether begin is
}

var _ trace.Log = (*Reader)(nil)

// NewReader reads an account, which may be packed by gzip.
func NewReader(r io.Reader, o Options) *Reader {
	if o.Delimiter == 0 {
		o.Delimiter = '|'
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	return &Reader{opt: o, lines: trace.NewLines(r, o.Name)}
}

// Repairs is what was mended or noted so far.
func (r *Reader) Repairs() *trace.Repairs { return &r.repairs }

// Start is the instant from which the jobs' times count, that of the first
// submission; the zero time before the first job.
func (r *Reader) Start() time.Time {
	if !r.known {
		return time.Time{}
	}
	return time.Unix(0, int64(r.begin)).UTC()
}

// Jobs yields the jobs. It can be ranged over once.
func (r *Reader) Jobs() workload.Source {
	ordered := workload.Order(r.merged, r.opt.Held(), r.lines.Misplaced(r.opt.Held()))
	return func(yield func(workload.Job, error) bool) {
		for j, err := range ordered {
			if err != nil {
				yield(workload.Job{}, err)
				return
			}
			if !r.known {
				r.begin, r.known = j.Submit, true
			}
			j.Submit -= r.begin
			if j.Begin > 0 {
				j.Begin -= r.begin
			}
			if !yield(j, nil) {
				return
			}
		}
	}
}

// merged yields jobs whose runs are one. sacct prints those of a job one after
// the other.
func (r *Reader) merged(yield func(workload.Job, error) bool) {
	var held record
	for one, err := range r.records {
		switch {
		case err != nil:
			if held.job.ID != 0 && !yield(held.job, nil) {
				return
			}
			yield(workload.Job{}, err)
			return
		case one.job.ID == held.job.ID:
			r.repairs.Add(trace.Requeued, r.lines.Number())
			held = held.and(one)
			continue
		case held.job.ID != 0 && !yield(held.job, nil):
			return
		}
		held = record{}
		if !r.ids.Add(one.job.ID) {
			r.repairs.Add(trace.Requeued, r.lines.Number())
			continue
		}
		r.jobs++
		held = one
	}
	if held.job.ID != 0 && !yield(held.job, nil) {
		return
	}
	if err := r.repairs.End(r.lines, r.opt.Options, r.jobs); err != nil {
		yield(workload.Job{}, err)
	}
}

// record is one run of a job.
type record struct {
	job   workload.Job // its times since the Unix epoch
	start time.Duration
}

// and makes one job of two runs: that of the later one, submitted with the first.
func (a record) and(b record) record {
	first, last := a, b
	if b.start < a.start {
		first, last = b, a
	}
	submit, begin := min(a.job.Submit, b.job.Submit), first.job.Begin
	last.job.Submit, last.job.Begin = submit, begin
	// How long the job waited for its last run is not how long it waited.
	last.job.Recorded.Wait = first.job.Recorded.Wait
	return last
}

func (r *Reader) records(yield func(record, error) bool) {
	for {
		line, ok := r.lines.Next()
		if !ok {
			return
		}
		if len(bytes.TrimSpace(line)) == 0 || r.first != nil && bytes.Equal(line, r.first) {
			continue // of accounts that were joined, each has its names
		}
		if r.columns == nil {
			if err := r.header(line); err != nil {
				yield(record{}, err)
				return
			}
			continue
		}
		rec, use, err := r.line(line)
		if err != nil {
			yield(record{}, err)
			return
		}
		if use && !yield(rec, nil) {
			return
		}
	}
}

// header reads the names of the columns.
func (r *Reader) header(line []byte) error {
	r.first, r.columns = bytes.Clone(line), map[string]int{}
	names := strings.Split(string(line), string(r.opt.Delimiter))
	if len(names) > 1 && names[len(names)-1] == "" {
		names = names[:len(names)-1] // -p ends each line with a delimiter
	}
	for i, n := range names {
		r.columns[strings.ToLower(strings.TrimSpace(n))] = i
	}
	r.width = len(names)
	if at, ok := r.columns["submitline"]; ok {
		r.wrapped = at == r.width-1
	}
	for _, any := range [][]string{
		{"JobIDRaw", "JobID"}, {"Submit"}, {"ElapsedRaw", "Elapsed", "End"}, {"ReqCPUS", "ReqTRES", "AllocCPUS", "NCPUS"},
	} {
		if !slices.ContainsFunc(any, func(n string) bool { _, ok := r.columns[strings.ToLower(n)]; return ok }) {
			return r.lines.Fail("no column %s among the names in the first line; print the account with sacct -P -o %s,... and without -n", strings.Join(any, " or "), any[0])
		}
	}
	return nil
}

// mend notes what only a lenient reader passes over, or is the error for it.
func (r *Reader) mend(k trace.Kind, format string, args ...any) error {
	if !r.opt.Lenient {
		return r.lines.Fail(format, args...)
	}
	r.note(k)
	return nil
}

func (r *Reader) note(k trace.Kind) { r.repairs.Add(k, r.lines.Number()) }

// split takes a line apart. Blanks around a field are sacct's without -P.
func (r *Reader) split(line []byte) int {
	r.fields = r.fields[:0]
	for {
		at := bytes.IndexByte(line, r.opt.Delimiter)
		// A command may have the delimiter in it.
		if at < 0 || r.wrapped && len(r.fields) == r.width-1 {
			r.fields = append(r.fields, bytes.TrimSpace(line))
			return len(r.fields)
		}
		r.fields = append(r.fields, bytes.TrimSpace(line[:at]))
		line = line[at+1:]
	}
}

// field is a column's text, "" where there is none.
func (r *Reader) field(name string) []byte {
	if i, ok := r.columns[name]; ok && i < len(r.fields) {
		return r.fields[i]
	}
	return nil
}

const leave = "; mend the line, or leave it out with --lenient"

// line reads one run of a job.
func (r *Reader) line(line []byte) (rec record, use bool, err error) {
	n := r.split(line)
	id, raw := r.field("jobid"), r.field("jobidraw")
	shown := id
	if shown == nil {
		shown = raw
	}
	if r.wrapped && (len(shown) == 0 || !digit(shown[0])) {
		return rec, false, nil // a command of several lines goes on
	}
	switch {
	case n == r.width+1 && len(r.fields[n-1]) == 0: // -p
	case n < r.width && r.lines.Partial():
		return rec, false, r.mend(trace.CutShort, "the account is cut short in the middle of this line; print it again, or read with --lenient what there is")
	case n != r.width:
		return rec, false, r.mend(trace.BadLine, "%d columns where the first line has %d%s", n, r.width, leave)
	}
	if bytes.IndexByte(shown, '.') >= 0 {
		return rec, false, nil // a step
	}
	rec, what := r.job(id, raw)
	if what != "" {
		return rec, false, r.mend(trace.BadLine, "%s%s", what, leave)
	}
	return rec, rec.job.ID != 0, nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
