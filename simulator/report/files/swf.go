package files

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/swf"
)

// schedule writes the jobs as a log in SWF. A log is in order of submission, so a
// job that has ended is held until those that were handed in before it have.
type schedule struct {
	header []swf.Field
	log    *swf.Writer

	// turn is a job's place in the order; waiting is what became of the jobs from
	// the place next on, nil while that is not known.
	turn    map[int64]int
	waiting []*swf.Result
	next    int
}

func newSchedule(o Options) *schedule {
	h := []swf.Field{
		{Key: "Computer", Value: "simulated"},
		{Key: "Note", Value: fmt.Sprintf("schedule of %s by aws-slurm-burst simulate", strings.Join(strings.Fields(o.Workload), " "))},
	}
	if o.Procs > 0 {
		h = append(h, swf.Field{Key: "MaxProcs", Value: strconv.Itoa(o.Procs)})
	}
	if o.Nodes > 0 {
		h = append(h, swf.Field{Key: "MaxNodes", Value: strconv.Itoa(o.Nodes)})
	}
	return &schedule{header: h, turn: map[int64]int{}}
}

func (f *schedule) head(w *bufio.Writer) { f.log = swf.NewWriter(w, f.header) }

func (f *schedule) event(_ *bufio.Writer, e record.Event) {
	if e.Kind == record.JobSubmitted {
		f.turn[e.Job] = f.next + len(f.waiting)
		f.waiting = append(f.waiting, nil)
	}
}

func (f *schedule) job(_ *bufio.Writer, j *report.Job) {
	turn, ok := f.turn[j.ID]
	if !ok {
		return
	}
	delete(f.turn, j.ID)
	f.waiting[turn-f.next] = result(j)
	n := 0
	for n < len(f.waiting) && f.waiting[n] != nil {
		f.write(f.waiting[n])
		n++
	}
	f.waiting = slices.Delete(f.waiting, 0, n)
	f.next += n
}

// tail writes the jobs that were held for others which have not ended, and what
// the log's numbers are called.
func (f *schedule) tail(*bufio.Writer) {
	for _, r := range f.waiting {
		if r != nil {
			f.write(r)
		}
	}
	f.waiting = nil
	_ = f.log.Close() // the buffer below keeps the error
}

func (f *schedule) write(r *swf.Result) { _ = f.log.Write(*r) }

// result is a job as the log has it.
func result(j *report.Job) *swf.Result {
	s := &j.Spec
	r := &swf.Result{
		Job: workload.Job{
			ID: j.ID, Submit: j.Submit, Limit: time.Duration(s.LimitS * float64(time.Second)), Procs: int32(s.Procs),
			User: s.User, Account: s.Account, Partition: s.Partition,
		},
		Start: j.Start, End: j.End, Status: workload.Failed,
	}
	if !j.Started {
		r.Start = -1
	}
	switch j.State {
	case "COMPLETED":
		r.Status = workload.Completed
	case "CANCELLED":
		r.Status = workload.Cancelled
	}
	return r
}
