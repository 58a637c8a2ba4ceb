// Package swf reads and writes logs in the Standard Workload Format, version
// 2.2: the format of the Parallel Workloads Archive (Chapin and others, 1999;
// fields and header as the archive's page on the format has them).
//
// A line is a job of 18 numbers, -1 where one is not known, in order of
// submission; lines that begin with a semicolon are the header and comments.
// What a job got (fields 3, 5, 6 and 7) is an outcome: it becomes
// workload.Recorded and nothing that a simulation goes by, save the processors
// of a job of which it is not known what it asked for.
package swf

import (
	"bytes"
	"io"
	"strconv"
	"time"

	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

// Fields of a line, from 0.
const (
	fNumber = iota
	fSubmit
	fWait
	fRun
	fProcs
	fCPUTime
	fUsedMemory
	fAskedProcs
	fAskedTime
	fAskedMemory
	fStatus
	fUser
	fGroup
	fExecutable
	fQueue
	fPartition
	fAfter
	fThink

	fields // how many there are
)

var fieldNames = [fields]string{
	"job number", "submit time", "wait time", "run time", "allocated processors", "average CPU time", "used memory",
	"requested processors", "requested time", "requested memory", "status", "user", "group", "executable", "queue",
	"partition", "preceding job", "think time",
}

// A job's status, field 11, beside those of workload: the lines of a job that
// was checkpointed or swapped out, after the one that is about it as a whole.
const (
	partOfJob  = 2
	lastPartOK = 3
	lastPart   = 4
)

// Options are how a log is read.
type Options struct {
	trace.Options
	// Allocated takes the processors that a job was given (field 5) before those
	// that it asked for (field 8). They differ in few jobs.
	Allocated bool
}

// Reader reads one log.
type Reader struct {
	opt     Options
	lines   *trace.Lines
	header  Header
	begun   bool
	pending []byte // the line after the header
	any     bool   // whether there is one
	repairs trace.Repairs
	names   trace.Names
	numbers [1024]string  // the names of small numbers
	ids     workload.IDs  // of all lines
	given   workload.IDs  // of all jobs
	last    time.Duration // the last submission
	jobs    int
}

var _ trace.Log = (*Reader)(nil)

// NewReader reads a log, which may be packed by gzip. It reads nothing before
// Header or Jobs.
func NewReader(r io.Reader, o Options) *Reader {
	return &Reader{opt: o, lines: trace.NewLines(r, o.Name)}
}

// Repairs is what was mended or noted so far.
func (r *Reader) Repairs() *trace.Repairs { return &r.repairs }

// Header reads the header, all lines before the first job, if it was not read
// yet.
func (r *Reader) Header() (Header, error) {
	if !r.begun {
		r.begun = true
		for {
			line, ok := r.lines.Next()
			if !ok {
				break
			}
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			} else if line[0] != ';' {
				r.pending, r.any = line, true
				break
			}
			r.header.add(line[1:], r.lines.Number())
		}
	}
	if r.any {
		return r.header, nil
	}
	return r.header, r.lines.Err()
}

// Jobs yields the log's jobs. It can be ranged over once.
func (r *Reader) Jobs() workload.Source {
	if r.opt.Lenient {
		return workload.Order(r.read, r.opt.Held(), r.lines.Misplaced(r.opt.Held()))
	}
	return r.read
}

func (r *Reader) read(yield func(workload.Job, error) bool) {
	_, _ = r.Header() // an error of the stream stays with it
	line, ok := r.pending, r.any
	for ; ok; line, ok = r.lines.Next() {
		job, use, err := r.line(line)
		if err != nil {
			yield(workload.Job{}, err)
			return
		}
		if !use {
			continue
		}
		r.jobs++
		if !yield(job, nil) {
			return
		}
	}
	if n := r.header.MaxJobs; n > 0 && n != int64(r.jobs+r.repairs.LeftOut()) {
		r.repairs.Add(trace.WrongCount, r.header.maxJobsLine)
	}
	if err := r.repairs.End(r.lines, r.opt.Options, r.jobs); err != nil {
		yield(workload.Job{}, err)
	}
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

// line reads a job. It is to be used where use is set; where it is not, there is
// none, or it was left out.
func (r *Reader) line(line []byte) (job workload.Job, use bool, err error) {
	var f [fields]number
	n, bad := split(line, &f)
	switch {
	case n == 0 && bad < 0: // a comment, or blank
		return job, false, nil
	case r.lines.Partial() && (bad >= 0 || n < fields):
		return job, false, r.mend(trace.CutShort, "the log is cut short in the middle of this line; fetch it again, or read with --lenient what there is")
	case bad >= 0:
		return job, false, r.mend(trace.BadLine, "column %d (%s) is not a number of this format; mend the line, or leave it out with --lenient", bad+1, fieldNames[bad])
	case n < fields:
		return job, false, r.mend(trace.BadLine, "%d columns where the Standard Workload Format has %d; mend the line, or leave it out with --lenient", n, fields)
	case n > fields:
		r.note(trace.ExtraColumns)
	}
	return r.job(&f)
}

// job makes a job of a line's numbers.
func (r *Reader) job(f *[fields]number) (job workload.Job, use bool, err error) {
	for i, most := range bounds {
		if v := f[i].whole; v > most {
			return job, false, r.mend(trace.BadLine, "column %d (%s) is %d, more than a machine has; mend the line, or leave it out with --lenient", i+1, fieldNames[i], v)
		}
	}
	switch f[fStatus].whole {
	case partOfJob, lastPartOK, lastPart:
		r.note(trace.Partial)
		return job, false, nil
	}
	job.ID = f[fNumber].whole
	if job.ID < 1 {
		return job, false, r.mend(trace.BadLine, "the job's number is %d; number jobs from 1, or leave this one out with --lenient", job.ID)
	}
	if !r.ids.Add(job.ID) {
		return job, false, r.mend(trace.Duplicate, "a second job %d; give each its own number, or leave this one out with --lenient", job.ID)
	}

	asked, got := f[fAskedProcs].whole, f[fProcs].whole
	procs := asked
	switch {
	case r.opt.Allocated && got > 0:
		procs = got
	case asked <= 0 && got > 0:
		procs = got
		r.note(trace.Allocated)
	case asked <= 0:
		r.note(trace.NoSize)
		return job, false, nil
	}
	job.Procs = int32(procs)
	if r.header.MaxProcs > 0 && procs > r.header.MaxProcs {
		r.note(trace.TooWide)
	}
	if f[fRun].negative() {
		r.note(trace.NoRun)
		return job, false, nil
	}
	job.Run = f[fRun].duration()
	if job.Limit = f[fAskedTime].duration(); job.Limit <= 0 {
		job.Limit = 0
		r.note(trace.NoLimit)
	} else if job.Run > job.Limit {
		r.note(trace.Overrun)
	}

	if f[fSubmit].negative() {
		job.Submit = r.last
		r.note(trace.NoSubmit)
	} else {
		job.Submit = f[fSubmit].duration()
	}
	if job.Submit < r.last {
		if err := r.mend(trace.Unsorted, "job %d was submitted at %s, before the job above it (%s); sort the log by column 2, or read with --lenient", job.ID, job.Submit, r.last); err != nil {
			return job, false, err
		}
	}
	r.last = max(r.last, job.Submit)

	if kb := f[fAskedMemory].whole; kb > 0 {
		job.MemoryPerProc = (kb + 1023) / 1024
	}
	job.User, job.Account = r.name(f[fUser].whole), r.name(f[fGroup].whole)
	job.Name = r.name(f[fExecutable].whole)
	r.place(&job, f[fPartition].whole, f[fQueue].whole)
	if after := f[fAfter].whole; after > 0 {
		if r.given.Has(after) {
			job.After, job.Think = after, max(0, f[fThink].duration())
		} else {
			r.note(trace.UnknownAfter)
		}
	}
	job.Recorded = workload.Recorded{Wait: -1, Procs: int32(max(0, got)), Status: workload.Unknown}
	if !f[fWait].negative() {
		job.Recorded.Wait = f[fWait].duration()
	}
	switch s := f[fStatus].whole; s {
	case int64(workload.Failed), int64(workload.Completed), int64(workload.Cancelled):
		job.Recorded.Status = workload.Status(s)
	}
	r.given.Add(job.ID)
	return job, true, nil
}

// bounds keep numbers within what a Job has room for.
var bounds = [fields]int64{
	fNumber: 1 << 62, fSubmit: maxSeconds, fWait: maxSeconds, fRun: maxSeconds, fProcs: 1<<31 - 1,
	fCPUTime: 1 << 62, fUsedMemory: 1 << 62, fAskedProcs: 1<<31 - 1, fAskedTime: maxSeconds, fAskedMemory: 1 << 62,
	fStatus: 1 << 62, fUser: 1 << 62, fGroup: 1 << 62, fExecutable: 1 << 62, fQueue: 1 << 62,
	fPartition: 1 << 62, fAfter: 1 << 62, fThink: maxSeconds,
}

// maxSeconds is about a century: times of a log are added up.
const maxSeconds = 100 * 366 * 24 * 3600

// place names the job's partition. The format has both queues and partitions,
// and logs have one or the other, or one within the other: what Slurm calls a
// partition is the log's partition, else its queue; with both, the queue is the
// quality of service.
func (r *Reader) place(job *workload.Job, partition, queue int64) {
	job.Partition = r.named(r.header.Partitions, partition)
	if q := r.named(r.header.Queues, queue); job.Partition == "" {
		job.Partition = q
	} else {
		job.QOS = q
	}
}

func (r *Reader) named(names map[int64]string, n int64) string {
	if len(names) > 0 {
		if s, ok := names[n]; ok {
			return s
		}
	}
	return r.name(n)
}

// name is a number as a name, "" for an unknown one.
func (r *Reader) name(n int64) string {
	switch {
	case n < 0:
		return ""
	case n >= int64(len(r.numbers)):
		var b [20]byte
		return r.names.Of(strconv.AppendInt(b[:0], n, 10))
	}
	if r.numbers[n] == "" {
		r.numbers[n] = strconv.FormatInt(n, 10)
	}
	return r.numbers[n]
}
