package files

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
)

// swf writes the schedule in the Standard Workload Format 2.2. Its jobs are in
// order of submission, as the format wants them, so a job that has ended is held
// until those that were handed in before it have.
type swf struct {
	workload     string
	procs, nodes int

	// turn is a job's place in the order, waiting what became of the jobs from the
	// place next on: nil while that is not known.
	turn    map[int64]int
	waiting []*report.Job
	next    int

	users, accounts, partitions numbers
	buf                         []byte
}

func newSWF(o Options) *swf {
	return &swf{
		workload: strings.Join(strings.Fields(o.Workload), " "), procs: o.Procs, nodes: o.Nodes, turn: map[int64]int{},
		users: numbers{}, accounts: numbers{}, partitions: numbers{},
	}
}

func (f *swf) head(w *bufio.Writer) {
	_, _ = fmt.Fprintf(w, "; Version: 2.2\n; Computer: simulated\n; Note: schedule of %s by aws-slurm-burst simulate\n", f.workload)
	if f.procs > 0 {
		_, _ = fmt.Fprintf(w, "; MaxProcs: %d\n", f.procs)
	}
	if f.nodes > 0 {
		_, _ = fmt.Fprintf(w, "; MaxNodes: %d\n", f.nodes)
	}
}

func (f *swf) event(_ *bufio.Writer, e record.Event) {
	if e.Kind == record.JobSubmitted {
		f.turn[e.Job] = f.next + len(f.waiting)
		f.waiting = append(f.waiting, nil)
	}
}

func (f *swf) job(w *bufio.Writer, j *report.Job) {
	turn, ok := f.turn[j.ID]
	if !ok {
		return
	}
	delete(f.turn, j.ID)
	kept := *j
	kept.Nodes = nil // the format has no names
	f.waiting[turn-f.next] = &kept
	n := 0
	for n < len(f.waiting) && f.waiting[n] != nil {
		f.line(w, f.waiting[n])
		n++
	}
	f.waiting = slices.Delete(f.waiting, 0, n)
	f.next += n
}

// tail writes the jobs that were held for others which have not ended.
func (f *swf) tail(w *bufio.Writer) {
	for _, j := range f.waiting {
		if j != nil {
			f.line(w, j)
		}
	}
	f.waiting = nil
}

// line writes the 18 fields. Times are whole seconds.
func (f *swf) line(w *bufio.Writer, j *report.Job) {
	wait, run, procs, status := int64(-1), int64(-1), int64(-1), int64(5)
	if j.Started {
		// Rounded as instants, so that start and end are those of the schedule.
		submit, start := whole(j.Submit.Seconds()), whole(j.Start.Seconds())
		wait, run, procs, status = start-submit, whole(j.End.Seconds())-start, int64(j.Spec.Procs), 0
		switch j.State {
		case "COMPLETED":
			status = 1
		case "CANCELLED":
			status = 5
		}
	}
	limit := int64(-1)
	if j.Spec.LimitS > 0 {
		limit = whole(j.Spec.LimitS)
	}
	b := f.buf[:0]
	for _, n := range [...]int64{
		j.ID, whole(j.Submit.Seconds()), wait, run, procs, -1, -1, int64(j.Spec.Procs), limit, -1, status,
		f.users.of(j.Spec.User), f.accounts.of(j.Spec.Account), -1, -1, f.partitions.of(j.Spec.Partition), -1, -1,
	} {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	b = append(b, '\n')
	_, _ = w.Write(b)
	f.buf = b
}

func whole(s float64) int64 { return int64(s + 0.5) }

// numbers are names as a trace has them: by number, in the order of their coming.
type numbers map[string]int64

func (n numbers) of(name string) int64 {
	if name == "" {
		return -1
	}
	if n[name] == 0 {
		n[name] = int64(len(n)) + 1
	}
	return n[name]
}
