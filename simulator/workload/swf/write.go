package swf

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/simulator/workload"
)

// Result is a job and what became of it in a simulation.
type Result struct {
	Job workload.Job
	// Start and End are when it began its last run and when that was over. A job
	// that never began has a Start below 0, and its End is when it was given up.
	Start, End time.Duration
	// Procs is how many processors it had, 0 for as many as it asked for.
	Procs  int32
	Status workload.Status
}

// Writer writes a log of results. Times are rounded to whole seconds, as most
// readers of the format want them. Names become numbers: a name that is a number
// keeps it where no other name has it. Close writes those of partitions and
// queues; who the users were stays out of the log.
type Writer struct {
	to                                      *bufio.Writer
	line                                    []byte
	users, groups, apps, queues, partitions numbering
}

// NewWriter writes the header's fields, and 2.2 as the version.
func NewWriter(w io.Writer, header []Field) *Writer {
	out := &Writer{to: bufio.NewWriterSize(w, 1<<16)}
	fmt.Fprintf(out.to, "; Version: 2.2\n")
	for _, f := range header {
		if strings.EqualFold(f.Key, "Version") {
			continue
		}
		key := "; " + f.Key + ": "
		for line := range strings.SplitSeq(f.Value, "\n") {
			fmt.Fprintf(out.to, "%s%s\n", key, strings.Map(printable, line))
			key = ";" + strings.Repeat(" ", len(f.Key)+3)
		}
	}
	return out
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// Write adds a job. Readers expect jobs in order of their submission.
func (w *Writer) Write(r Result) error {
	j := &r.Job
	submit, start, end := seconds(j.Submit), seconds(r.Start), seconds(r.End)
	wait, run, procs, asked := start-submit, end-start, int64(r.Procs), int64(j.Procs)
	if procs == 0 {
		procs = asked
	}
	if r.Start < 0 {
		wait, run, procs = end-submit, -1, -1
	}
	limit, memory, after, think := int64(-1), int64(-1), int64(-1), int64(-1)
	if j.Limit > 0 {
		limit = seconds(j.Limit)
	}
	if j.MemoryPerProc > 0 {
		memory = j.MemoryPerProc * 1024
	}
	if j.After > 0 {
		after, think = j.After, seconds(j.Think)
	}
	partition, queue := j.Partition, j.QOS
	b := w.line[:0]
	for _, n := range [fields]int64{
		fNumber: j.ID, fSubmit: submit, fWait: wait, fRun: run, fProcs: procs, fCPUTime: -1, fUsedMemory: -1,
		fAskedProcs: asked, fAskedTime: limit, fAskedMemory: memory, fStatus: int64(r.Status),
		fUser: w.users.of(j.User), fGroup: w.groups.of(j.Account), fExecutable: w.apps.of(j.Name),
		fQueue: w.queues.of(queue), fPartition: w.partitions.of(partition), fAfter: after, fThink: think,
	} {
		b = append(strconv.AppendInt(b, n, 10), ' ')
	}
	b[len(b)-1] = '\n'
	w.line = b
	_, err := w.to.Write(b)
	return err
}

// Close writes what the numbers of partitions and queues are called, and what is
// still to be written. It does not close the stream.
func (w *Writer) Close() error {
	w.queues.list(w.to, "Queue")
	w.partitions.list(w.to, "Partition")
	return w.to.Flush()
}

// seconds rounds a time, so that a job's times still add up when each instant
// was rounded.
func seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }

// numbering gives names numbers.
type numbering struct {
	number map[string]int64
	taken  map[int64]bool
	next   int64
	named  []string // those that are no numbers, in order
}

func (n *numbering) of(name string) int64 {
	if name == "" {
		return -1
	}
	if v, ok := n.number[name]; ok {
		return v
	}
	if n.number == nil {
		n.number, n.taken = map[string]int64{}, map[int64]bool{}
	}
	v, err := strconv.ParseInt(name, 10, 32)
	if own := err == nil && v >= 0 && strconv.FormatInt(v, 10) == name; !own || n.taken[v] {
		for n.next++; n.taken[n.next]; n.next++ {
		}
		v = n.next
		n.named = append(n.named, name)
	}
	n.number[name], n.taken[v] = v, true
	return v
}

// list writes the names as lines of a header: at the end, where they are known.
func (n *numbering) list(w io.Writer, key string) {
	for _, name := range n.named {
		fmt.Fprintf(w, "; %s: %d %s\n", key, n.number[name], strings.Map(printable, name))
	}
}
